"""The planner, measured: against other planners, against best known solutions, over a city, and in a hurry.

    zones     seeded days of 25 to 400 doors at 1 and 3 CPU s, beside PyVRP at 3 and 30 CPU s, and VROOM
    public    gap to the best known solution at 10 CPU s, with several trips and release dates at 3 CPU s,
              beside PyVRP and VROOM
    city      10,000 doors in 200 zones on a pool of two processes, with its memory
    urgent    one order more in a running plan, and a lost crew: time, and what those who drive notice
    replan    one order more: a moment's search from the plan of before, against planning all anew

Budgets are in CPU seconds of the process that searches; the number of turns they allow is measured first on
the same problem. Every plan is judged by the independent checker, or the run fails.
"""

import argparse
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import TypeAlias, TypeVar

import orjson

from bench import public
from bench.number import number_up_to
from bench.rivals import pyvrp, vroom
from bench.zone_days import zone_day
from routing import Plan, Problem, Routes, check, greedy, insert_urgent, ruin, solve, without_crew
from routing.timetable import Timetable

SIZES = (25, 50, 100, 200, 400)
PROBE_TURNS = 8_000
DOORS_A_ZONE = 50
LARGEST_CITY_REPEATED = 10_000
CITY_TURNS = 12_000
ZONE_COLUMNS = (
    *("doors", "day", "ours 1 s", "ours 3 s", "CPU s", "left", "PyVRP 3 s", "PyVRP 30 s", "÷ PyVRP 30 s"),
    *("÷ it with true load", "VROOM", "CPU s", "÷ VROOM"),
)
PUBLIC_COLUMNS = ("name", "best known", "CPU s", "ours", "PyVRP, as long", "VROOM")
VROOM, RATIOS = 8, (6, 7, 10)
"""Of a day's figures: VROOM's cost, and the ratios."""
PARTS = ("zones", "public", "city", "urgent", "replan")

Figures: TypeAlias = dict[str, object]
T = TypeVar("T")


class NotAPlan(Exception):
    """The checker found a fault: what was measured is no plan."""


def within(
    problem: Problem, budget_s: float, seed: int = 1, warm: Routes | None = None
) -> tuple[Plan, float]:
    """A plan for about so many CPU seconds, all its parts included, and how many it took."""
    base_s, plan = cpu_s_of(lambda: solve(problem, 1, seed, warm))
    turns = max(1, int((budget_s - base_s) / a_turn_s(problem, plan, seed)))
    took_s, plan = cpu_s_of(lambda: solve(problem, turns, seed, warm))
    expect_whole(problem, plan)
    return plan, took_s


def a_turn_s(problem: Problem, plan: Plan, seed: int) -> float:
    """What a turn of the search takes. Measured by itself: a difference may come out as nothing."""
    timetable = Timetable(problem)
    rounds = greedy.keep(timetable, plan.routes)
    took_s, _ = cpu_s_of(lambda: ruin.improve(timetable, rounds, PROBE_TURNS, seed))
    return took_s / PROBE_TURNS


def expect_whole(problem: Problem, plan: Plan) -> None:
    if faults := check(problem, plan):
        raise NotAPlan(f"{plan.engine}: {faults[0]}")


def zones(sizes: Sequence[int], days: int, long_s: float) -> Iterator[Figures]:
    """A line for each day: our cost at 1 and 3 CPU s beside the others'. Then the middle one."""
    yield from head("Zone days: cost, and ours at 3 s ÷ theirs (below 1: ours is better)", ZONE_COLUMNS)
    for doors in sizes:
        found = [of_a_day(doors, day, long_s) for day in range(1, days + 1)]
        for day, (figures, star) in enumerate(found, start=1):
            told = [f"{value}{star}" if k == VROOM else value for k, value in enumerate(figures)]
            yield row(doors, day, *("" if value is None else value for value in told))
        columns = zip(*(figures for figures, _ in found), strict=True)
        yield row(doors, "median", *(middle(column, k in RATIOS) for k, column in enumerate(columns)))


def of_a_day(doors: int, day: int, long_s: float) -> tuple[list[float | None], str]:
    """The figures of one day, and a star if VROOM's plan breaks a rule."""
    problem = zone_day(doors, day)
    one, _ = within(problem, 1.0)
    three, took_s = within(problem, 3.0)
    short, long = pyvrp(problem, 3.0), pyvrp(problem, long_s)
    true_load = pyvrp(problem, long_s, exact=True) if doors <= 50 else None
    other = vroom(problem, 3.0)
    figures = [
        one.objective,
        three.objective,
        round(took_s, 1),
        len(three.unserved),
        short.objective,
        long.objective,
        round(three.objective / long.objective, 3),
        None if true_load is None else round(three.objective / true_load.objective, 3),
        other.objective,
        round(other.cpu_s, 1),
        round(three.objective / other.objective, 3),
    ]
    return figures, "*" if other.faults else ""


def middle(values: Sequence[float | None], with_spread: bool = True) -> str:
    """The median, least and most of those that are known."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    median = f"{statistics.median(known):.10g}"
    return f"{median} ({min(known):.10g} to {max(known):.10g})" if with_spread else median


def public_instances(
    names: Sequence[str], budget_s: float, multi_s: float, seeds: int, alone: bool
) -> Iterator[Figures]:
    """A line for each instance: the median of ``seeds`` searches of each; VROOM draws no lots."""
    yield from head(
        f"Public instances: gap to the best known in %, medians of {seeds} (least to most)", PUBLIC_COLUMNS
    )
    gaps: dict[bool, list[list[float | None]]] = {True: [], False: []}
    for name in names:
        given = public.instance(name)
        if faults := check(given.problem, given.best_routes):
            raise NotAPlan(f"the best known routes of {name}: {faults[0]}")
        each_s = multi_s if given.is_multi_trip else budget_s
        ours = [within(given.problem, each_s, seed) for seed in range(1, seeds + 1)]
        theirs = [] if alone else [pyvrp(given.problem, each_s, seed) for seed in range(1, seeds + 1)]
        other = None if alone else vroom(given.problem, each_s)
        found = [
            [gap(given, plan.objective) for plan, _ in ours],
            [gap(given, answer.objective) for answer in theirs],
            [] if other is None else [gap(given, other.objective)],
        ]
        gaps[given.is_multi_trip].append([median_of(one) for one in found])
        star = "*" if other is not None and other.faults else ""
        took_s = round(statistics.median(took_s for _, took_s in ours), 1)
        yield row(name, given.best_known, took_s, *map(middle, found[:2]), middle(found[2], False) + star)
    for is_multi, medians in gaps.items():
        if medians:
            kind = "several trips, release dates" if is_multi else "one trip"
            yield row(f"median of {len(medians)}: {kind}", "", "", *map(middle, zip(*medians, strict=True)))


def gap(given: public.Instance, objective: int) -> float:
    return round(100 * (objective / given.best_known - 1), 2)


def median_of(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def cities(sizes: Sequence[int], processes: int, turns: int, runs: int) -> Iterator[Figures]:
    """Zones of fifty doors, each solved in one of the pool's processes: growth, and how it varies."""
    yield from head(
        f"A city's day: zones of {DOORS_A_ZONE} doors, {turns} turns each, {processes} processes; medians",
        ("doors", "days", "wall s", "CPU s", "CPU / processes", "served, %", "÷ greedy", "MiB each"),
    )
    for doors in sizes:
        count = max(1, doors // DOORS_A_ZONE)
        days = runs if doors <= LARGEST_CITY_REPEATED else 1
        found = [city(range(day * count, (day + 1) * count), processes, turns) for day in range(days)]
        yield row(count * DOORS_A_ZONE, days, *map(middle, zip(*found, strict=True)))


def city(zones: range, processes: int, turns: int) -> tuple[float, ...]:
    before_s = cpu_s_of_children()
    began_s = time.perf_counter()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        done = list(pool.map(solve_zone, [(seed, turns) for seed in zones]))
    wall_s, cpu_s = time.perf_counter() - began_s, cpu_s_of_children() - before_s
    return (
        round(wall_s, 1),
        round(cpu_s, 1),
        round(cpu_s / processes, 1),
        round(100 * sum(served for served, _, _ in done) / (len(zones) * DOORS_A_ZONE), 1),
        round(sum(cost for _, cost, _ in done) / sum(greedy for _, _, greedy in done), 3),
        round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024),
    )


def cpu_s_of_children() -> float:
    """Of those that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def solve_zone(asked: tuple[int, int]) -> tuple[int, int, int]:
    """Served doors, cost, and the cost by hand."""
    seed, turns = asked
    problem = zone_day(DOORS_A_ZONE, seed)
    plan = solve(problem, turns, 1)
    expect_whole(problem, plan)
    return DOORS_A_ZONE - len(plan.unserved), plan.objective, solve(problem, 0, 1).objective


def urgent(sizes: Sequence[int], seeds: int) -> Iterator[Figures]:
    yield from head(
        "One urgent order in a running plan, and a lost crew (CPU ms, median and worst)",
        ("doors", "urgent", "worst", "served", "crew changed", "lost crew", "worst", "crew changed"),
    )
    for doors in sizes:
        hurried = [hurry(zone_day(doors, 100 + seed)) for seed in range(seeds)]
        lost = (
            [lose(zone_day(doors, 100 + seed)) for seed in range(seeds)] if doors > DOORS_A_ZONE // 2 else []
        )
        yield row(
            doors,
            round(statistics.median(ms for ms, _, _ in hurried), 1),
            round(max(ms for ms, _, _ in hurried), 1),
            f"{sum(served for _, served, _ in hurried)} of {len(hurried)}",
            sum(moved for _, _, moved in hurried),
            round(statistics.median(ms for ms, _ in lost), 1) if lost else "",
            round(max(ms for ms, _ in lost), 1) if lost else "",
            sum(moved for _, moved in lost) if lost else "",
        )


def hurry(problem: Problem) -> tuple[float, bool, int]:
    """The last door is ordered at noon, when the others have their plan."""
    new = replace(problem.stops[-1], window=(12 * 3600, 14 * 3600), penalty=4 * 3600)
    today = replace(problem, stops=(*problem.stops[:-1], new))
    before = solve(replace(problem, stops=(*problem.stops[:-1], replace(new, penalty=0))), 10_000, 1)
    routes = {v: [[s for s in trip if s != new.id] for trip in trips] for v, trips in before.routes.items()}
    took_s, done = cpu_s_of(lambda: insert_urgent(today, routes, new.id))
    expect_whole(today, done.plan)
    return 1000 * took_s, new.id not in {left.stop for left in done.plan.unserved}, done.churn.other_crew


def lose(problem: Problem) -> tuple[float, int]:
    before = solve(problem, 10_000, 1)
    took_s, done = cpu_s_of(lambda: without_crew(problem, before.routes, problem.vehicles[-1].id, 5_000, 1))
    expect_whole(done.problem, done.plan)
    return 1000 * took_s, done.churn.other_crew


def replan(sizes: Sequence[int], days: int, quick: float) -> Iterator[Figures]:
    """An order more: the plan of before taken up for a moment, against planning all anew for longer."""
    yield from head(
        f"An order more: cost of 0.3 CPU s from the plan of before ÷ cost planned afresh, medians of {days}",
        ("doors", "afresh 0.3 s", "afresh 1 s", "afresh 3 s"),
    )
    for doors in sizes:
        ratios = [resumed(zone_day(doors, 100 + day), quick) for day in range(days)]
        yield row(doors, *map(middle, zip(*ratios, strict=True)))


def resumed(today: Problem, quick: float) -> list[float]:
    yesterday = replace(today, stops=(*today.stops[:-1], replace(today.stops[-1], penalty=0)))
    before, _ = within(yesterday, 3.0 * quick)
    last = today.stops[-1].id
    routes = {
        v: [[stop for stop in trip if stop != last] for trip in trips] for v, trips in before.routes.items()
    }
    warm, _ = within(today, 0.3 * quick, warm=routes)
    afresh = [within(today, budget_s * quick)[0] for budget_s in (0.3, 1.0, 3.0)]
    return [round(warm.objective / plan.objective, 3) for plan in afresh]


def cpu_s_of(act: Callable[[], T]) -> tuple[float, T]:
    began_s = time.process_time()
    done = act()
    return time.process_time() - began_s, done


def head(title: str, columns: Sequence[str]) -> Iterator[Figures]:
    print(f"\n{title}\nload {os.getloadavg()[0]:.1f}\n| " + " | ".join(columns) + " |", flush=True)
    print("|" + "---|" * len(columns), flush=True)
    yield {"title": title, "columns": list(columns), "load": os.getloadavg()[0]}


def row(*values: object) -> Figures:
    print("| " + " | ".join(map(str, values)) + " |", flush=True)
    return {"row": list(values)}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.routing",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", default=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument(
        "--seeds",
        type=number_up_to(20),
        default=3,
        metavar="N",
        help="days of each size, searches of each instance; 3",
    )
    parser.add_argument(
        "--sizes", type=number_up_to(400), nargs="+", default=SIZES, metavar="N", help="doors"
    )
    parser.add_argument(
        "--doors", type=number_up_to(50_000), nargs="+", default=[10_000], metavar="N", help="of the city"
    )
    parser.add_argument("--quick", action="store_true", help="a fiftieth of the budgets: does it run?")
    parser.add_argument(
        "--instances",
        choices=public.names(),
        nargs="+",
        default=public.names(),
        metavar="NAME",
        help="public",
    )
    parser.add_argument("--alone", action="store_true", help="public: without PyVRP and VROOM")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there too")
    wanted = parser.parse_args(argv)
    if unknown := set(wanted.parts) - set(PARTS):
        parser.error(f"expected parts of {PARTS}, got {sorted(unknown)}")
    quick = 0.02 if wanted.quick else 1.0
    ruin.compile_all()  # a first search that compiles has no budget left
    solve(zone_day(25, 1), 1, 1)
    measured: list[Figures] = []
    if "zones" in wanted.parts:
        measured += zones(wanted.sizes, wanted.seeds, 30.0 * quick)
    if "public" in wanted.parts:
        names = ["R101", "R201R0.25"] if wanted.quick else wanted.instances
        measured += public_instances(names, 10.0 * quick, 3.0 * quick, wanted.seeds, wanted.alone)
    if "city" in wanted.parts:
        measured += cities(wanted.doors, 2, int(CITY_TURNS * quick), wanted.seeds)
    if "urgent" in wanted.parts:
        measured += urgent(wanted.sizes, 5 * wanted.seeds)
    if "replan" in wanted.parts:
        measured += replan(wanted.sizes, wanted.seeds, quick)
    if wanted.json is not None:
        wanted.json.write_bytes(orjson.dumps(measured, option=orjson.OPT_INDENT_2))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A zone's day planned afresh: as the service plans it, against what a plan costs at the least.

By turns, on the same seeded days: the greedy rounds alone, the search as it is asked for by default in this
process, and the same in a process of its own, as the service has it done. Every plan is judged by the
independent checker. Wall time and CPU, the child's included.
"""

import argparse
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import orjson

from bench.number import number_up_to
from bench.report import Circumstances
from core import clock
from core.geo import Point
from cylinders.models import CylinderType
from dispatch.rounds.schemas import PLAIN_ITERATIONS
from dispatch.rounds.solving import solve_apart
from dispatch.rounds.streets import named, travel_times
from dispatch.rounds.zone_day import Crew, Door, problem_of
from routing import Plan, Problem, check, solve

STOPS = (15, 25, 50)
DAYS = 10
MOST_DAYS = 200
DAY = date(2024, 6, 12)
SITE = Point(121.41, 31.20)
SMALL = CylinderType(model="YSP35.5", water_ml=35_500, nominal_g=15_000, units=1, needs_truck=False)
SLOTS_H = ((8, 10), (10, 12), (13, 15), (15, 17), (8, 12), (13, 18), (8, 18))
STOPS_A_CREW = 25


@dataclass(frozen=True, slots=True)
class Took:
    wall_s: float
    cpu_s: float


@dataclass(slots=True)
class Size:
    """What the days of one size took: greedy, search, and apart; and how good the plans were."""

    stops: int
    took: dict[str, list[Took]] = field(default_factory=dict)
    served: dict[str, int] = field(default_factory=dict)
    travel_s: dict[str, int] = field(default_factory=dict)

    def note(self, way: str, took: Took, plan: Plan) -> None:
        self.took.setdefault(way, []).append(took)
        self.served[way] = self.served.get(way, 0) + self.stops - len(plan.unserved)
        self.travel_s[way] = self.travel_s.get(way, 0) + plan.travel_s

    def wall_s(self, way: str) -> float:
        return statistics.median(took.wall_s for took in self.took[way])

    def cpu_s(self, way: str) -> float:
        return statistics.median(took.cpu_s for took in self.took[way])


class NotAPlan(Exception):
    """The checker found a fault: what was measured is no plan."""


def zone_day(stops: int, seed: int) -> Problem:
    """A seeded day: homes in estates around one supply point, most with a slot of two hours."""
    lots = random.Random(f"{stops}/{seed}")
    estates = [_near(lots, SITE, 0.012) for _ in range(max(3, stops // 8))]
    doors = [_door(lots, k, _near(lots, lots.choice(estates), 0.0012)) for k in range(stops)]
    crews = [
        Crew(UUID(int=k + 1), "etrike", 8, 120_000, 9, False, (8 * 3600, 18 * 3600))
        for k in range(-(-stops // STOPS_A_CREW))
    ]
    return problem_of(SITE, doors, crews, DAY, travel_times(None))


def _near(lots: random.Random, point: Point, within: float) -> Point:
    return Point(point.lon + lots.uniform(-within, within), point.lat + lots.uniform(-within, within))


def _door(lots: random.Random, k: int, point: Point) -> Door:
    opens, closes = lots.choice(SLOTS_H)
    bottles = (SMALL,) * lots.choice((1, 1, 1, 1, 2))
    midnight = clock.at(DAY)
    return Door(
        UUID(int=1000 + k),
        point,
        midnight + timedelta(hours=opens),
        midnight + timedelta(hours=closes),
        bottles,
        bottles,
    )


WAYS: dict[str, Callable[[Problem, int], Plan]] = {
    "greedy": lambda problem, seed: solve(problem, 0, seed),
    "search": lambda problem, seed: solve(problem, PLAIN_ITERATIONS, seed),
    "apart": lambda problem, seed: solve_apart(problem, PLAIN_ITERATIONS, seed),
}


def measure(stops: int, days: int) -> Size:
    """Who goes first alternates; the first day of all is a warm-up and left out."""
    size, ways = Size(stops), list(WAYS)
    for seed in range(days + 1):
        problem = zone_day(stops, seed)
        for way in ways if seed % 2 else reversed(ways):
            took, plan = _timed(WAYS[way], problem, seed)
            if faults := check(problem, plan):
                raise NotAPlan(f"{way}, {stops} stops, seed {seed}: {faults[0]}")
            if seed:
                size.note(way, took, plan)
    return size


def _timed(way: Callable[[Problem, int], Plan], problem: Problem, seed: int) -> tuple[Took, Plan]:
    cpu_s, wall_s = _cpu_s(), time.perf_counter()
    plan = way(problem, seed)
    return Took(time.perf_counter() - wall_s, _cpu_s() - cpu_s), plan


def _cpu_s() -> float:
    """This process's and that of its children that have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def printed(circumstances: Circumstances, sizes: Sequence[Size]) -> str:
    return "\n".join(_lines(circumstances, sizes))


def _lines(circumstances: Circumstances, sizes: Sequence[Size]) -> Iterator[str]:
    yield from circumstances.lines()
    yield ""
    yield f"A zone's day planned afresh ({PLAIN_ITERATIONS} iterations, travel by {named(None, False)})"
    yield ""
    heads = "".join(f"{way + ', ms':>18}" for way in WAYS)
    yield f"  {'':>5}{'':>5}{heads}{'search/greedy':>15}{'apart/search':>14}{'served':>16}{'travel':>9}"
    parts = "".join(f"{'time':>10}{'CPU':>8}" for _ in WAYS)
    yield f"  {'stops':>5}{'days':>5}{parts}{'CPU':>15}{'time':>14}{'greedy, search':>16}{'ratio':>9}"
    for size in sizes:
        yield _row(size)


def _row(size: Size) -> str:
    days = len(size.took["greedy"])
    times = "".join(f"{1000 * size.wall_s(way):>10.1f}{1000 * size.cpu_s(way):>8.1f}" for way in WAYS)
    served = ", ".join(f"{size.served[way] / (days * size.stops):.1%}" for way in ("greedy", "search"))
    return (
        f"  {size.stops:>5}{days:>5}{times}"
        f"{size.cpu_s('search') / size.cpu_s('greedy'):>15.1f}"
        f"{size.wall_s('apart') / size.wall_s('search'):>14.2f}"
        f"{served:>16}{size.travel_s['search'] / size.travel_s['greedy']:>9.2f}"
    )


def to_json(circumstances: Circumstances, sizes: Sequence[Size]) -> bytes:
    return orjson.dumps(
        {
            "at": clock.stamp(circumstances.at),
            "load": circumstances.load,
            "sizes": {
                str(size.stops): {
                    way: {
                        "wall_ms": 1000 * size.wall_s(way),
                        "cpu_ms": 1000 * size.cpu_s(way),
                        "served": size.served[way],
                        "travel_s": size.travel_s[way],
                    }
                    for way in WAYS
                }
                for size in sizes
            },
        },
        option=orjson.OPT_INDENT_2,
    )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.plan", description=__doc__)
    parser.add_argument(
        "--days", type=number_up_to(MOST_DAYS), default=DAYS, metavar="N", help=f"of each size; {DAYS}"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there too")
    wanted = parser.parse_args(argv)
    circumstances = Circumstances.here()
    sizes = [measure(stops, wanted.days) for stops in STOPS]
    print(printed(circumstances, sizes))
    if wanted.json is not None:
        wanted.json.write_bytes(to_json(circumstances, sizes))
    return 0


if __name__ == "__main__":
    sys.exit(main())

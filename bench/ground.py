"""Ground divided into zones, crews given to zones and shifts, and what fixed zones cost: CPU seconds, seeds
fixed, medians of three.

    ./.venv/bin/python -m bench.ground
    ./.venv/bin/python -m bench.ground price     the last of them only

Towns and crews are made up: quarters of different density, one crew in four with a truck. Every answer is
looked at again here: each zone's load, each crew once, each need met or named, both plans of a priced day by
the independent checker; or the run fails.
"""

import statistics
import sys
import time
from collections import Counter

import numpy as np

from bench.zone_days import DOORS_A_CREW, HOUR, RELOAD_S, TRIKE
from routing import Matrix, PricedZone, Problem, Stop, Vehicle, bound, check
from routing.crews import Crew, Need
from routing.districting import TOLERANCE_PERCENT, propose
from routing.ground import Unit
from routing.pricing import price
from routing.rostering import assign

SEEDS = (1, 2, 3)
TOWNS = ((2_000, 225, 8), (6_000, 289, 20), (10_000, 900, 40))
"""Orders, cells, zones."""
CREWS, ZONES, SHIFTS = 200, 60, 2
CITY_M = 20_000
PRICED = (100, 200, 400)
"""Doors of one day around one station, in four zones."""
PRICED_M, TURNS = 5_000, 100_000
DAY = (8 * HOUR, 20 * HOUR)


class Wrong(Exception):
    """An answer that breaks its own rules: what was measured is nothing."""


def town(orders: int, cells: int, seed: int) -> list[Unit]:
    chance = np.random.default_rng(seed)
    side = round(cells**0.5)
    quarters = chance.uniform(0, side, (orders // 60, 2))
    at = np.clip(
        quarters[chance.integers(0, len(quarters), orders)] + chance.normal(0, 0.8, (orders, 2)),
        0,
        side - 0.01,
    )
    loads = Counter((int(x), int(y)) for x, y in at)
    return [
        Unit(
            f"{i:02}-{j:02}",
            (i + 0.5) * 500,
            (j + 0.5) * 500,
            loads[i, j],
            frozenset(
                f"{a:02}-{b:02}"
                for a, b in ((i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1))
                if 0 <= a < side and 0 <= b < side
            ),
        )
        for i in range(side)
        for j in range(side)
    ]


def districts_row(orders: int, cells: int, zones: int) -> str:
    took, worst, balanced = [], [], 0
    for seed in SEEDS:
        units = town(orders, cells, seed)
        begun = time.process_time()
        found = propose(units, zones, seed)
        took.append(time.process_time() - begun)
        worst.append(found.worst_percent)
        balanced += found.overload == 0
        if found.zone_of.keys() != {unit.id for unit in units} or sum(found.loads) != orders:
            raise Wrong("ground was lost or given twice")
    return (
        f"| {orders:,} | {cells} | {zones} | {statistics.median(took):.1f} | {max(worst)} % |"
        f" {balanced} of {len(SEEDS)} within ±{TOLERANCE_PERCENT} % |"
    )


def staff(seed: int) -> tuple[list[Crew], list[Need]]:
    chance = np.random.default_rng(seed)
    middles = chance.uniform(0, CITY_M, (ZONES, 2))
    crews = []
    for n in range(CREWS):
        x_m, y_m = middles[n % ZONES]
        crews.append(
            Crew(f"c{n:03}", float(x_m), float(y_m), bool(chance.random() < 0.25), f"z{n % ZONES:02}")
        )
    needs = [
        Need(
            f"z{zone:02}",
            shift,
            float(x_m),
            float(y_m),
            int(chance.integers(1, 3)),
            int(chance.random() < 0.3),
        )
        for zone, (x_m, y_m) in enumerate(middles)
        for shift in range(SHIFTS)
    ]
    return crews, needs


def roster_row() -> str:
    took, optimal = [], 0
    for seed in SEEDS:
        crews, needs = staff(seed)
        begun = time.process_time()
        roster = assign(crews, needs, 1)
        took.append(time.process_time() - begun)
        optimal += roster.optimal
        met = len(roster.lines) + sum(short.crews for short in roster.short)
        if len({line.crew for line in roster.lines}) != len(roster.lines) or met != sum(
            n.crews for n in needs
        ):
            raise Wrong("a crew works twice, or a need is neither met nor named")
    return f"| {CREWS} | {ZONES} | {SHIFTS} | {statistics.median(took):.1f} | {optimal} of {len(SEEDS)} |"


def priced_day(doors: int, seed: int) -> tuple[Problem, list[PricedZone]]:
    """Doors in estates around the station; its quarters are the zones, with crews by their share of doors."""
    chance = np.random.default_rng([doors, seed])
    estates = chance.uniform(0, PRICED_M, (doors // 8, 2))
    homes = estates[chance.integers(0, len(estates), doors)] + chance.normal(0, 90, (doors, 2))
    opens = (8 + 2 * chance.integers(0, 6, doors)) * HOUR
    any_time = chance.random(doors) < 0.4
    stops = tuple(
        Stop(
            f"d{n}", 1, 1, 420, (8 * HOUR, 20 * HOUR) if any_time[n] else (int(at), int(at) + 2 * HOUR), 7200
        )
        for n, at in enumerate(opens)
    )
    quarter = (homes[:, 0] >= PRICED_M / 2) * 2 + (homes[:, 1] >= PRICED_M / 2)
    vehicles, zones = [], []
    for q in range(4):
        own = [stop.id for stop, at in zip(stops, quarter, strict=True) if at == q]
        crews = [f"q{q}-{n}" for n in range(max(1, -(-len(own) // DOORS_A_CREW)))]
        vehicles += [Vehicle(crew, TRIKE, 8, 9, DAY) for crew in crews]
        zones.append(PricedZone(f"q{q}", frozenset(own), frozenset(crews)))
    points = np.array([[PRICED_M / 2, PRICED_M / 2], *homes])
    metres = np.hypot(*(points[:, None] - points).T) * 1.35
    travel = Matrix(np.rint(metres / (14 / 3.6)).astype(int), np.rint(metres).astype(int))
    return Problem(stops, tuple(vehicles), RELOAD_S, {TRIKE: travel}), zones


def price_row(doors: int) -> str:
    took, shares, left = [], [], []
    for seed in SEEDS:
        problem, zones = priced_day(doors, seed)
        begun = time.process_time()
        found = price(problem, zones, TURNS, 1)
        took.append(time.process_time() - begun)
        shares.append((found.fixed.distance_m / 1000, found.free.distance_m / 1000))
        left.append(f"{len(found.fixed.unserved)}/{len(found.free.unserved)}")
        if check(bound(problem, zones), found.fixed) or check(problem, found.free):
            raise Wrong("a plan that the checker refuses")
    fixed, free = (statistics.median(one[side] for one in shares) for side in (0, 1))
    ratio = statistics.median(one / other for one, other in shares)
    return (
        f"| {doors} | {len(problem.vehicles)} | {fixed:.1f} | {free:.1f} | {ratio:.2f} |"
        f" {', '.join(left)} | {statistics.median(took):.1f} |"
    )


def prices() -> None:
    print("| doors | crews | fixed, km | free, km | fixed ÷ free | left out, fixed/free | CPU s |")
    print("|---|---|---|---|---|---|---|")
    for doors in PRICED:
        print(price_row(doors), flush=True)


def main() -> None:
    if sys.argv[1:] == ["price"]:
        prices()
        return
    print("| orders | cells | zones | CPU s | furthest from the mean | balanced |")
    print("|---|---|---|---|---|---|")
    for orders, cells, zones in TOWNS:
        print(districts_row(orders, cells, zones), flush=True)
    print("\n| crews | zones | shifts | CPU s | proved optimal |")
    print("|---|---|---|---|---|")
    print(roster_row() + "\n")
    prices()


if __name__ == "__main__":
    main()

"""Seeded days of a courier zone, as a planner gets them: 25 to 400 doors around estates, station outside.

Six in ten doors keep a two-hour slot, a quarter half a day. A crew for every thirty doors, on e-trikes for
eight bottles that reload up to eight times; from 75 doors on the first crew has a small truck, which alone
may carry the restaurants' 50 kg bottles of three units. Streets are 1.35 ± 0.08 times the crow's way, and
not the same there and back. A few doors only receive (new accounts) or only give back (closing ones).
"""

import math
from dataclasses import dataclass

import numpy as np

from routing import Matrix, Problem, Stop, Vehicle

HOUR = 3600
RELOAD_S = 480
TRIKE, TRUCK = "etrike", "small_truck"
SLOTS = (0.18, 0.24, 0.14, 0.12, 0.17, 0.15)
DOORS_A_CREW = 30
TRUCK_FROM = 75


@dataclass(frozen=True, slots=True)
class Door:
    point_m: tuple[float, float]
    stop: Stop


def zone_day(doors: int, seed: int) -> Problem:
    lots = np.random.default_rng([doors, seed])
    vehicles = _crews(math.ceil(doors / DOORS_A_CREW), doors >= TRUCK_FROM)
    side_m = 1800 + 220 * math.sqrt(doors)
    station = (side_m * lots.uniform(0.35, 0.65), -lots.uniform(200, 1800))
    centres = lots.uniform(0, side_m, (max(3, doors // 9), 2))
    trucks = frozenset(vehicle.id for vehicle in vehicles if vehicle.profile == TRUCK)
    placed = [_door(lots, k, side_m, centres, trucks) for k in range(doors)]
    points = np.array([station, *(door.point_m for door in placed)])
    return Problem(tuple(door.stop for door in placed), vehicles, RELOAD_S, _travel(lots, points))


def _crews(count: int, has_truck: bool) -> tuple[Vehicle, ...]:
    """Ten hours each, from eight and from ten in turn."""
    crews = []
    for k in range(count):
        begins = (8 if k % 2 == 0 else 10) * HOUR
        shift = (begins, begins + 10 * HOUR)
        if has_truck and k == 0:
            crews.append(Vehicle("truck", TRUCK, 30, 4, shift))
        else:
            crews.append(Vehicle(f"trike-{k}", TRIKE, 8, 9, shift))
    return tuple(crews)


def _door(
    lots: np.random.Generator, k: int, side_m: float, centres: np.ndarray, trucks: frozenset[str]
) -> Door:
    is_restaurant = bool(lots.random() < 0.12)
    home = centres[lots.integers(len(centres))] + lots.normal(0, 90, 2)
    x, y = lots.uniform(0, side_m, 2) if is_restaurant else home
    units = int(lots.integers(2, 5)) if is_restaurant else int(lots.choice([1, 2], p=[0.9, 0.1]))
    is_large = bool(trucks) and is_restaurant and lots.random() < 0.35
    size = 3 if is_large else 1
    kind, urgent = lots.random(), lots.random() < 0.06
    delivers = 0 if 0.04 <= kind < 0.07 and not is_restaurant else size * units
    collects = 0 if kind < 0.04 else size * units
    stop = Stop(
        id=f"door-{k}",
        delivers=delivers,
        collects=collects,
        service_s=int(lots.integers(360, 481)) + 120 * (units - 1),
        window=_window(lots),
        penalty=(4 if urgent else 2) * HOUR + 600 * size * units,
        only_vehicles=trucks if is_large else None,
    )
    return Door((float(x), float(y)), stop)


def _window(lots: np.random.Generator) -> tuple[int, int]:
    kind, slot = lots.random(), int(lots.choice(6, p=SLOTS))
    if kind < 0.60:
        opens = (8 + 2 * slot) * HOUR
        return opens, opens + 2 * HOUR
    if kind < 0.85:
        return (8 * HOUR, 13 * HOUR) if slot % 2 else (13 * HOUR, 20 * HOUR)
    return 8 * HOUR, 20 * HOUR


def _travel(lots: np.random.Generator, points_m: np.ndarray) -> dict[str, Matrix]:
    crow_m = np.hypot(*(points_m[:, None] - points_m).T)
    metres = crow_m * lots.normal(1.35, 0.08, crow_m.shape).clip(1.15, 1.7)
    np.fill_diagonal(metres, 0)
    travel = {}
    for profile, km_h, overhead_s in ((TRIKE, 14, 25), (TRUCK, 19, 45)):
        seconds = metres / (km_h / 3.6) + overhead_s * (metres > 0)
        travel[profile] = Matrix(np.rint(seconds).astype(int), np.rint(metres).astype(int))
    return travel

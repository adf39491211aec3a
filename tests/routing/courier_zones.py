"""Made-up courier zones for tests.

``lane``     a straight street by hand: every time in a test can be added up in one's head
``zone``     a seeded day of a zone as a supply point would know it: estates, restaurants, slots, e-trikes
``tiny``     a hypothesis strategy for small, nasty problems: holes in the matrix, bindings, odd windows
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from routing import Matrix, Plan, Problem, Stop, Trip, Vehicle, Visit

HOUR = 3600
MORNING = 8 * HOUR
EVENING = 20 * HOUR

TRIKE = Vehicle("trike-1", "etrike", capacity=8, max_trips=9, shift=(MORNING, 18 * HOUR))
TRUCK = Vehicle("truck-1", "small_truck", capacity=30, max_trips=4, shift=(MORNING, 18 * HOUR))


def household(id: str, **changes: Any) -> Stop:
    """One 15 kg bottle for one empty, 360 s at the door, any time of the day, worth two hours of way."""
    door = Stop(id, delivers=1, collects=1, service_s=360, window=(MORNING, EVENING), penalty=2 * HOUR)
    return replace(door, **changes)


def lane(
    *stops: Stop,
    vehicles: Sequence[Vehicle] = (TRIKE,),
    reload_s: int = 480,
    holes: Sequence[tuple[int, int]] = (),
) -> Problem:
    """The station at the head of a street, the stops 100 s and 400 m further each; ``holes`` have no way."""
    at = np.arange(len(stops) + 1)
    gaps = np.abs(at[:, None] - at)
    seconds, metres = gaps * 100, gaps * 400
    for pair in holes:
        seconds[pair] = metres[pair] = -1
    matrix = Matrix(seconds, metres)
    return Problem(tuple(stops), tuple(vehicles), reload_s, {"etrike": matrix, "small_truck": matrix})


def zone(n: int, seed: int) -> Problem:
    """A day of a zone with ``n`` stops: homes in estates, one restaurant in eight, station outside.

    Six in ten stops keep a two-hour slot, a quarter half a day. One crew for every thirty stops; from 75
    stops on the first has the truck, which alone may carry the restaurants' 50 kg bottles (three units each).
    """
    lots = np.random.default_rng(seed)
    is_restaurant = lots.random(n) < 0.12
    vehicles = _crews(math.ceil(n / 30), has_truck=n >= 75)
    points = _places_m(lots, n, is_restaurant)
    stops = tuple(
        _door(lots, k, bool(is_restaurant[k]), [v.id for v in vehicles if v.profile == "small_truck"])
        for k in range(n)
    )
    return Problem(stops, vehicles, 480, _travel(lots, points))


def _crews(count: int, has_truck: bool) -> tuple[Vehicle, ...]:
    """Shifts of ten hours, starting at eight and at ten in turn."""
    crews = []
    for k in range(count):
        shift = (MORNING, 18 * HOUR) if k % 2 == 0 else (10 * HOUR, EVENING)
        kind = TRUCK if has_truck and k == 0 else TRIKE
        crews.append(replace(kind, id=f"{kind.id[:-2]}-{k + 1}", shift=shift))
    return tuple(crews)


def _places_m(lots: np.random.Generator, n: int, is_restaurant: np.ndarray) -> np.ndarray:
    """Metres [n + 1, 2]: the station south of the zone, homes around estate centres, restaurants anywhere."""
    side_m = 1800 + 220 * math.sqrt(n)
    station = (side_m * lots.uniform(0.35, 0.65), -lots.uniform(200, 1800))
    centres = lots.uniform(0, side_m, (max(3, n // 9), 2))
    homes = centres[lots.integers(len(centres), size=n)] + lots.normal(0, 90, (n, 2))
    anywhere = lots.uniform(0, side_m, (n, 2))
    return np.vstack([station, np.where(is_restaurant[:, None], anywhere, homes)])


def _door(lots: np.random.Generator, k: int, is_restaurant: bool, trucks: Sequence[str]) -> Stop:
    units = int(lots.integers(2, 5)) if is_restaurant else int(lots.choice([1, 2], p=[0.9, 0.1]))
    delivers = collects = units
    kind = lots.random()
    if kind < 0.04:
        collects = 0  # a new account: nothing to give back yet
    elif kind < 0.07 and not is_restaurant:
        delivers, collects = 0, 1  # an account closes, or a bottle is scrapped
    is_truck_only = bool(trucks) and is_restaurant and lots.random() < 0.35
    size = 3 if is_truck_only else 1
    is_urgent = lots.random() < 0.06
    return Stop(
        id=f"stop-{k + 1}",
        delivers=size * delivers,
        collects=size * collects,
        service_s=int(lots.integers(360, 481)) + 120 * (units - 1),
        window=_window(lots),
        penalty=(4 if is_urgent else 2) * HOUR + 600 * size * units,
        only_vehicles=frozenset(trucks) if is_truck_only else None,
    )


def _window(lots: np.random.Generator) -> tuple[int, int]:
    kind = lots.random()
    if kind < 0.60:
        opens = MORNING + 2 * HOUR * int(lots.choice(6, p=[0.18, 0.24, 0.14, 0.12, 0.17, 0.15]))
        return opens, opens + 2 * HOUR
    if kind < 0.85:
        return (MORNING, 13 * HOUR) if lots.random() < 0.5 else (13 * HOUR, EVENING)
    return MORNING, EVENING


def _travel(lots: np.random.Generator, points_m: np.ndarray) -> dict[str, Matrix]:
    """Streets are 1.35 ± 0.08 times as long as the crow flies, and not the same there and back."""
    crow_m = np.hypot(*(points_m[:, None] - points_m).T)
    metres = crow_m * lots.normal(1.35, 0.08, crow_m.shape).clip(1.15, 1.7)
    np.fill_diagonal(metres, 0)
    travel = {}
    for profile, km_h, overhead_s in (("etrike", 14, 25), ("small_truck", 19, 45)):
        seconds = metres / (km_h / 3.6) + overhead_s * (metres > 0)
        travel[profile] = Matrix(np.rint(seconds).astype(int), np.rint(metres).astype(int))
    return travel


def trip_times(draw: st.DrawFn, most: int) -> tuple[int, int]:
    first = draw(st.integers(0, most))
    return first, draw(st.integers(first, most))


@st.composite
def tiny(draw: st.DrawFn) -> Problem:
    """Up to six stops and two vehicles within an hour or so; about one leg in nine has no way."""
    n = draw(st.integers(0, 6))
    crews = draw(st.lists(st.sampled_from(("etrike", "small_truck")), max_size=2))
    vehicles = tuple(
        Vehicle(
            f"v{k}", profile, draw(st.integers(1, 5)), draw(st.integers(1, 3)), trip_times(draw, 2 * HOUR)
        )
        for k, profile in enumerate(crews)
    )
    bindings = st.none() | st.frozensets(st.sampled_from(("v0", "v1", "v9")), max_size=2)
    stops = tuple(
        Stop(
            f"s{k}",
            draw(st.integers(0, 4)),
            draw(st.integers(0, 4)),
            draw(st.sampled_from((0, 60, 300))),
            trip_times(draw, 2 * HOUR),
            draw(st.sampled_from((0, 200, 5_000))),
            draw(bindings),
        )
        for k in range(n)
    )
    legs = st.lists(st.integers(-1, 7).map(lambda leg: leg * 60 or 5), min_size=n * n + n, max_size=n * n + n)
    travel = {profile: matrix_of(n + 1, draw(legs)) for profile in ("etrike", "small_truck")}
    return Problem(stops, vehicles, draw(st.sampled_from((0, 120))), travel)


def matrix_of(places: int, legs: Sequence[int]) -> Matrix:
    """``legs``: seconds of every pair off the diagonal, below zero for no way; five metres each second."""
    seconds = np.zeros((places, places), dtype=int)
    seconds[~np.eye(places, dtype=bool)] = legs
    return Matrix(np.where(seconds < 0, -1, seconds), np.where(seconds < 0, -1, seconds * 5))


def with_trip(plan: Plan, index: int, **changes: Any) -> Plan:
    """``plan`` with one trip changed and everything else left as it says."""
    trips = list(plan.trips)
    trips[index] = replace(trips[index], **changes)
    return replace(plan, trips=tuple(trips))


def with_visit(plan: Plan, trip: int, index: int, **changes: Any) -> Plan:
    visits = list(plan.trips[trip].visits)
    visits[index] = replace(visits[index], **changes)
    return with_trip(plan, trip, visits=tuple(visits))


def later(trip: Trip, seconds: int) -> Trip:
    """The same trip driven later: every moment of it moved."""
    visits = tuple(
        Visit(v.stop, v.arrive_s + seconds, v.start_s + seconds, v.leave_s + seconds) for v in trip.visits
    )
    return replace(trip, leave_s=trip.leave_s + seconds, return_s=trip.return_s + seconds, visits=visits)

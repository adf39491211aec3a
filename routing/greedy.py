"""Rounds built by hand, as a dispatcher would: a first answer in milliseconds, and the start of every search.

    build       from nothing: each vehicle in turn drives to what is near and soon due, reloading when full
    keep        from earlier routes: whatever of them still holds today
    insert      every stop still missing, where it costs least, if that is less than its penalty

No chance is involved: the same problem gives the same rounds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from routing.matrix import NO_WAY
from routing.plan import Routes
from routing.timetable import STATION, Round, Rounds, Timetable, served_places

# A minute until the window closes counts as much as nine seconds of way: the near one first matters more.
HURRY = 0.15
# A vehicle that alone can serve a stop goes twenty minutes out of its way for it.
SCARCE_BONUS_S = 1200


def build(timetable: Timetable) -> Rounds:
    """Large vehicles first: what only they can carry must find them empty."""
    vehicles = timetable.problem.vehicles
    left = dict.fromkeys(timetable.servable)
    rounds: Rounds = [[] for _ in vehicles]
    for v in sorted(range(len(vehicles)), key=lambda v: (-vehicles[v].capacity, v)):
        rounds[v] = _drive_until_done(timetable, v, left)
    return rounds


@dataclass(frozen=True, slots=True)
class _Step:
    cost: float
    place: int
    start_s: int
    reloads: bool


def _drive_until_done(timetable: Timetable, v: int, left: dict[int, None]) -> Round:
    """The round of ``v``, taking its stops out of ``left``."""
    now, here, load = timetable.problem.vehicles[v].shift[0], STATION, 0
    trips: Round = [[]]
    while step := min(_steps(timetable, v, left, now, here, load, len(trips)), default=None, key=_cost):
        if step.reloads:
            trips.append([])
            load = 0
        trips[-1].append(step.place)
        load += timetable.load[step.place]
        now, here = step.start_s + timetable.service_s[step.place], step.place
        del left[step.place]
    return [trip for trip in trips if trip]


def _cost(step: _Step) -> tuple[float, int]:
    return step.cost, step.place


def _steps(
    timetable: Timetable, v: int, left: dict[int, None], now: int, here: int, load: int, trips: int
) -> Iterator[_Step]:
    """Every stop that ``v`` could serve next, at once or by way of the station, and be home in time."""
    vehicle, seconds = timetable.problem.vehicles[v], timetable.seconds[v]
    for place in left:
        if v not in timetable.able[place]:
            continue
        reloads = load + timetable.load[place] > vehicle.capacity
        if reloads and trips == vehicle.max_trips:
            continue
        way = (here, STATION, place) if reloads else (here, place)
        ways_s = [seconds[a][b] for a, b in pairwise(way)]
        if NO_WAY in ways_s:
            continue
        arrive_s = now + sum(ways_s) + (timetable.problem.reload_s if reloads else 0)
        start_s = max(arrive_s, timetable.open_s[place])
        back_s = start_s + timetable.service_s[place] + seconds[place][STATION]
        if start_s > timetable.close_s[place] or back_s > vehicle.shift[1]:
            continue
        is_scarce = len(timetable.able[place]) < len(timetable.seconds)
        hurry_s = HURRY * (timetable.close_s[place] - start_s)
        yield _Step(start_s - now + hurry_s - SCARCE_BONUS_S * is_scarce, place, start_s, reloads)


def keep(timetable: Timetable, routes: Routes) -> Rounds:
    """What of ``routes`` can still be driven, in its order: unknown, repeated and late stops fall out."""
    place_of = {stop.id: place for place, stop in enumerate(timetable.problem.stops, start=1)}
    taken: set[int] = set()
    rounds: Rounds = []
    for v, vehicle in enumerate(timetable.problem.vehicles):
        trips: Round = []
        for trip in routes.get(vehicle.id, ()):
            trips.append([])
            for stop in trip:
                place = place_of.get(stop)
                if place is None or place in taken or v not in timetable.able[place]:
                    continue
                trips[-1].append(place)
                if timetable.fits(v, trips):
                    taken.add(place)
                else:
                    trips[-1].pop()
            if not trips[-1]:
                trips.pop()
        rounds.append(trips)
    return rounds


@dataclass(frozen=True, slots=True)
class _Insertion:
    added_s: int
    v: int
    trips: Round


def insert(timetable: Timetable, rounds: Rounds) -> Rounds:
    """``rounds`` with every missing stop put where it adds least travel, if that is below its penalty.

    Tried again until none goes in: a stop too far off may lie on the way once its neighbour is served.
    """
    rounds = list(rounds)
    served = served_places(rounds)
    missing = [place for place in timetable.servable if place not in served]
    missing.sort(key=lambda place: (-timetable.penalty[place], place))
    while still_missing := [place for place in missing if not _insert_one(timetable, rounds, place)]:
        if still_missing == missing:
            break
        missing = still_missing
    return rounds


def _insert_one(timetable: Timetable, rounds: Rounds, place: int) -> bool:
    best = cheapest_insertion(timetable, rounds, place)
    if best is None or best.added_s >= timetable.penalty[place]:
        return False
    rounds[best.v] = best.trips
    return True


def cheapest_insertion(timetable: Timetable, rounds: Rounds, place: int) -> _Insertion | None:
    """The cheapest way to serve ``place`` beside all else, in a trip or as its own; None if none."""
    best: _Insertion | None = None
    for v in timetable.able[place]:
        before_s = timetable.travel_s(v, rounds[v])
        for trips in _with(timetable, v, rounds[v], place):
            added_s = timetable.travel_s(v, trips) - before_s
            if (best is None or added_s < best.added_s) and timetable.fits(v, trips):
                best = _Insertion(added_s, v, trips)
    return best


def _with(timetable: Timetable, v: int, trips: Round, place: int) -> Iterator[Round]:
    room = timetable.problem.vehicles[v].capacity - timetable.load[place]
    for t, trip in enumerate(trips):
        if sum(timetable.load[other] for other in trip) <= room:
            for k in range(len(trip) + 1):
                yield [*trips[:t], [*trip[:k], place, *trip[k:]], *trips[t + 1 :]]
    for t in range(len(trips) + 1):
        yield [*trips[:t], [place], *trips[t:]]

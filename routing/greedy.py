"""Rounds built by hand, as a dispatcher would: a first answer in milliseconds, and the start of every search.

    build       from nothing: each vehicle in turn drives to what is near and soon due, reloading when full
    keep        from earlier routes: whatever of them still holds today
    insert      every stop still missing, where it costs least, if that is less than its penalty
    moved       one stop, to where it costs least

No chance is involved: the same problem gives the same rounds.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from routing.matrix import NO_WAY
from routing.plan import Routes
from routing.timetable import STATION, Round, Rounds, Timetable, served_places, start_after

# A minute until the window closes counts as much as nine seconds of way: the near one first matters more.
HURRY = 0.15
# A vehicle that alone can serve a stop goes twenty minutes out of its way for it.
SCARCE_BONUS_S = 1200


def build(timetable: Timetable) -> Rounds:
    """Large vehicles first: what only they can carry must find them empty."""
    rounds = timetable.empty_rounds()
    begun = served_places(rounds)
    left = dict.fromkeys(place for place in timetable.servable if place not in begun)
    vehicles = timetable.vehicles
    for v in sorted(range(len(vehicles)), key=lambda v: (-vehicles[v].capacity, v)):
        rounds[v] = _drive_until_done(timetable, v, rounds[v], left)
    return rounds


@dataclass(frozen=True, slots=True)
class _Step:
    cost: float
    place: int
    start_s: int
    reloads: bool
    left_station_s: int


@dataclass(slots=True)
class _Way:
    """Where a vehicle has got to; ``left_station_s``: when its trip began."""

    now: int
    here: int
    load: int
    left_station_s: int
    trips: Round


def _drive_until_done(timetable: Timetable, v: int, begun: Round, left: dict[int, None]) -> Round:
    """The round of ``v`` from where it has begun, taking its stops out of ``left``."""
    way = _way_so_far(timetable, v, begun)
    while step := min(_steps(timetable, v, left, way), default=None, key=_cost):
        if step.reloads:
            way.trips.append([])
            way.load = 0
        way.trips[-1].append(step.place)
        way.load += timetable.load[step.place]
        way.now, way.here = step.start_s + timetable.service_s[step.place], step.place
        way.left_station_s = step.left_station_s
        del left[step.place]
    keeps_first = timetable.begins_out(v) or (timetable.vehicles[v].holds_first and len(way.trips) > 1)
    return [trip for t, trip in enumerate(way.trips) if trip or (t == 0 and keeps_first)]


def _way_so_far(timetable: Timetable, v: int, begun: Round) -> _Way:
    trip = list(begun[0]) if begun else []
    now = left_s = timetable.leave_s(timetable.vehicles[v].shift[0], trip)
    here = timetable.stands[v]
    for place in trip:
        start_s = start_after(timetable.stops[place - 1], now + timetable.seconds[v][here][place])
        assert start_s is not None, "locked stops fit, or they are not begun with"
        now, here = start_s + timetable.service_s[place], place
    return _Way(now, here, sum(timetable.load[place] for place in trip), left_s, [trip])


def _cost(step: _Step) -> tuple[float, int]:
    return step.cost, step.place


def _steps(timetable: Timetable, v: int, left: dict[int, None], way: _Way) -> Iterator[_Step]:
    """Every stop that ``v`` could serve next, at once or by way of the station, and be home in time."""
    for place in left:
        if v in timetable.able[place] and (step := _step(timetable, v, place, way)) is not None:
            yield step


def _step(timetable: Timetable, v: int, place: int, way: _Way) -> _Step | None:
    vehicle, seconds, t = timetable.vehicles[v], timetable.seconds[v], len(way.trips) - 1
    release_s, stop = timetable.release_s[place], timetable.stops[place - 1]
    begins = not way.trips[-1] and way.here == STATION
    reloads = (
        way.load + timetable.load[place] > timetable.room(v, t)
        or not timetable.may_join(v, t, place)
        or not (begins or release_s <= way.left_station_s)
    )
    if reloads and (t + 1 == vehicle.max_trips or not timetable.may_join(v, t + 1, place)):
        return None
    legs_s = [seconds[a][b] for a, b in pairwise((way.here, *([STATION] if reloads else []), place))]
    if NO_WAY in legs_s or seconds[place][STATION] == NO_WAY:
        return None
    left_s, now = way.left_station_s, way.now
    if reloads:
        now = left_s = max(now + legs_s[0] + timetable.problem.reload_s, release_s)
    elif begins:
        now = left_s = max(now, release_s)
    start_s = start_after(stop, now + legs_s[-1])
    if start_s is None:
        return None
    if start_s + stop.service_s + seconds[place][STATION] > vehicle.shift[1]:
        return None
    is_scarce = len(timetable.able[place]) < len(timetable.seconds)
    hurry_s = HURRY * (stop.windows[-1][1] - start_s)
    return _Step(start_s - way.now + hurry_s - SCARCE_BONUS_S * is_scarce, place, start_s, reloads, left_s)


def keep(timetable: Timetable, routes: Routes) -> Rounds:
    """What of ``routes`` can still be driven, in its order: unknown, repeated and late stops fall out."""
    rounds = timetable.empty_rounds()
    taken = served_places(rounds) | timetable.shut
    for v, vehicle in enumerate(timetable.vehicles):
        for number, stops in enumerate(routes.get(vehicle.id, ())):
            goes_on = number == 0 and bool(rounds[v])
            trips = rounds[v] if goes_on else [*rounds[v], []]
            for stop in stops:
                place = timetable.place_of.get(stop)
                if place is None or place in taken or not _may_go(timetable, v, len(trips) - 1, place):
                    continue
                trips[-1].append(place)
                if timetable.fits(v, trips):
                    taken.add(place)
                else:
                    trips[-1].pop()
            rounds[v] = trips if trips[-1] or goes_on else trips[:-1]
    return rounds


def _may_go(timetable: Timetable, v: int, t: int, place: int) -> bool:
    return v in timetable.able[place] and timetable.may_join(v, t, place)


def insert(timetable: Timetable, rounds: Rounds) -> Rounds:
    """``rounds`` with every missing stop put where it adds least travel, if that is below its penalty.

    Tried again until none goes in: a stop too far off may lie on the way once its neighbour is served.
    """
    served = served_places(rounds)
    missing = [place for place in timetable.servable if place not in served]
    missing.sort(key=lambda place: (-timetable.penalty[place], place))
    tried = None
    while missing != tried:
        tried = list(missing)
        for place in tried:
            best = cheapest_insertion(timetable, rounds, place)
            if best is not None and best.added_s < timetable.penalty[place]:
                rounds = best.into(rounds)
                missing.remove(place)
    return rounds


def moved(timetable: Timetable, rounds: Rounds, place: int) -> Rounds:
    """``rounds`` with a served ``place`` taken out and put back where it adds least travel."""
    without = [[[other for other in trip if other != place] for trip in trips] for trips in rounds]
    without = [
        [trip for t, trip in enumerate(trips) if trip or (t == 0 and timetable.vehicles[v].holds_first)]
        for v, trips in enumerate(without)
    ]
    best = cheapest_insertion(timetable, without, place)
    return rounds if best is None else best.into(without)


@dataclass(frozen=True, slots=True, order=True)
class Insertion:
    """``place`` in trip ``t`` of vehicle ``v`` before its stop ``k``, or as its own trip before trip ``t``.

    They sort by what they cost; equal ones by vehicle, trip and stop.
    """

    added_s: int
    v: int
    t: int
    k: int
    opens_trip: bool
    place: int

    def round(self, rounds: Rounds) -> Round:
        """What the vehicle then drives."""
        trips = rounds[self.v]
        if self.opens_trip:
            return [*trips[: self.t], [self.place], *trips[self.t :]]
        trip = trips[self.t]
        return [*trips[: self.t], [*trip[: self.k], self.place, *trip[self.k :]], *trips[self.t + 1 :]]

    def into(self, rounds: Rounds) -> Rounds:
        return [*rounds[: self.v], self.round(rounds), *rounds[self.v + 1 :]]


def cheapest_insertion(timetable: Timetable, rounds: Rounds, place: int) -> Insertion | None:
    """The cheapest way to serve ``place`` beside all else, in a trip or as its own; None if none."""
    for insertion in sorted(_insertions(timetable, rounds, place)):
        after = insertion.round(rounds)
        if timetable.fits(insertion.v, after):
            later = timetable.late_cost(insertion.v, after)
            later -= timetable.late_cost(insertion.v, rounds[insertion.v])
            return replace(insertion, added_s=insertion.added_s + later)
    return None


def _insertions(timetable: Timetable, rounds: Rounds, place: int) -> Iterator[Insertion]:
    """Every place there is by load and by way; whether it is one by time is for the caller to see."""
    for v in timetable.able[place] if place not in timetable.shut else ():
        seconds = timetable.seconds[v]
        there_and_back_s = seconds[STATION][place] + seconds[place][STATION]
        for t, trip in enumerate(rounds[v]):
            is_begun = t == 0 and timetable.vehicles[v].holds_first
            if not is_begun and timetable.may_join(v, t, place) and NO_WAY not in _both(seconds, place):
                yield Insertion(there_and_back_s, v, t, 0, True, place)
            room = timetable.room(v, t) - timetable.load[place]
            if timetable.may_join(v, t, place) and sum(timetable.load[other] for other in trip) <= room:
                yield from _into_trip(timetable, v, t, trip, place)
        t = len(rounds[v])
        if timetable.may_join(v, t, place) and NO_WAY not in _both(seconds, place):
            yield Insertion(there_and_back_s, v, t, 0, True, place)


def _both(seconds: list[list[int]], place: int) -> tuple[int, int]:
    return seconds[STATION][place], seconds[place][STATION]


def _into_trip(timetable: Timetable, v: int, t: int, trip: list[int], place: int) -> Iterator[Insertion]:
    """Between two stops of a trip, behind those that are promised."""
    seconds, first = timetable.seconds[v], 0 if t else len(timetable.locked[v])
    for k, (a, b) in enumerate(timetable.legs(v, t, trip)):
        if k >= first and NO_WAY not in (seconds[a][place], seconds[place][b]):
            yield Insertion(seconds[a][place] + seconds[place][b] - seconds[a][b], v, t, k, False, place)

"""Rounds built by hand, as a dispatcher would: a first answer in milliseconds, and the start of every search.

    build       from nothing: each vehicle in turn drives to what is near and soon due, reloading when full
    keep        from earlier routes: whatever of them still holds today
    insert      every stop still missing, where it costs least, if that is less than its penalty
    moved       one stop, to where it costs least

No chance is involved: the same problem gives the same rounds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from routing.matrix import NO_WAY
from routing.plan import Routes
from routing.timetable import STATION, Round, Rounds, Timetable, legs, served_places

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
    without = [[trip for trip in trips if trip] for trips in without]
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
        if timetable.fits(insertion.v, insertion.round(rounds)):
            return insertion
    return None


def _insertions(timetable: Timetable, rounds: Rounds, place: int) -> Iterator[Insertion]:
    """Every place there is by load and by way; whether it is one by time is for the caller to see."""
    for v in timetable.able[place]:
        seconds = timetable.seconds[v]
        room = timetable.problem.vehicles[v].capacity - timetable.load[place]
        there_and_back_s = seconds[STATION][place] + seconds[place][STATION]
        for t, trip in enumerate(rounds[v]):
            yield Insertion(there_and_back_s, v, t, 0, True, place)
            if sum(timetable.load[other] for other in trip) <= room:
                for k, (a, b) in enumerate(legs(trip)):
                    if NO_WAY not in (seconds[a][place], seconds[place][b]):
                        added_s = seconds[a][place] + seconds[place][b] - seconds[a][b]
                        yield Insertion(added_s, v, t, k, False, place)
        yield Insertion(there_and_back_s, v, len(rounds[v]), 0, True, place)

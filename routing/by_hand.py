"""Rounds changed by a person's hand: one stop at another place, nothing else moved, nothing searched.

put             the routes with the stop there; whether they may be driven, ``check`` says
plan_of_routes  the plan that routes make which keep every rule
days            what each vehicle of a plan does: metres, seconds, lateness, how full it leaves
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from routing.plan import Plan, Routes, Stopped, Trip, routes_digest
from routing.problem import Problem, Stop, Vehicle
from routing.solve import Found, plan_of
from routing.timetable import Timetable

NAME = "by_hand"


@dataclass(frozen=True, slots=True)
class Seat:
    """On a vehicle's trip, counted from 1 among those to come: before a stop of it, or at its end."""

    vehicle: str
    trip: int
    before: str | None = None


def put(routes: Routes, stop_id: str, seat: Seat) -> dict[str, tuple[tuple[str, ...], ...]]:
    """One trip more than there are begins a new one; a trip that is left without stops is not driven.

    ValueError where there is no such place.
    """
    left = {
        vehicle: [[stop for stop in trip if stop != stop_id] for trip in trips]
        for vehicle, trips in routes.items()
    }
    own = left.setdefault(seat.vehicle, [])
    if seat.trip == len(own) + 1:
        own.append([])
    if not 1 <= seat.trip <= len(own):
        raise ValueError(f"expected a trip from 1 to {len(own) + 1}, got {seat.trip}")
    trip = own[seat.trip - 1]
    if seat.before is not None and seat.before not in trip:
        raise ValueError(f"expected a stop of the trip to stand before, got {seat.before!r}")
    trip.insert(len(trip) if seat.before is None else trip.index(seat.before), stop_id)
    kept = {vehicle: tuple(tuple(trip) for trip in trips if trip) for vehicle, trips in left.items()}
    return {vehicle: trips for vehicle, trips in kept.items() if trips}


def plan_of_routes(problem: Problem, routes: Routes) -> Plan:
    """Earliest times, sums, and why what is left is left. ``check`` has found nothing against the routes."""
    timetable = Timetable(problem, max(1, len(problem.stops)))
    rounds = [
        [[timetable.place_of[stop] for stop in trip] for trip in routes.get(vehicle.id, ())]
        for vehicle in problem.vehicles
    ]
    found = Found(rounds, Stopped.NOTHING_TO_SEARCH, NAME)
    return plan_of(timetable, found, 0, 0, routes_digest(routes))


@dataclass(frozen=True, slots=True)
class Load:
    """One trip: units on leaving, and units kept free for what comes back, of ``capacity``."""

    number: int
    load: int
    reserved: int


@dataclass(frozen=True, slots=True)
class VehicleDay:
    """``late_s``: summed over the stops that begin after their due moment, ``late``: how many they are."""

    capacity: int
    trips: tuple[Load, ...]
    stops: int
    travel_s: int
    distance_m: int
    return_s: int | None
    late: int
    late_s: int


def days(problem: Problem, plan: Plan) -> dict[str, VehicleDay]:
    """By vehicle; one that does nothing too."""
    stops = {stop.id: stop for stop in problem.stops}
    return {vehicle.id: _day(problem, plan, vehicle, stops) for vehicle in problem.vehicles}


def lateness_s(stop: Stop, start_s: int) -> int:
    return 0 if stop.due_s is None else max(0, start_s - stop.due_s)


def _day(problem: Problem, plan: Plan, vehicle: Vehicle, stops: dict[str, Stop]) -> VehicleDay:
    own = [trip for trip in plan.trips if trip.vehicle == vehicle.id]
    visits = [visit for trip in own for visit in trip.visits]
    late = [late_s for visit in visits if (late_s := lateness_s(stops[visit.stop], visit.start_s))]
    matrix = problem.travel[vehicle.profile]
    legs = [leg for trip in own for leg in _legs(problem, vehicle, trip)]
    return VehicleDay(
        capacity=vehicle.capacity,
        trips=tuple(Load(trip.number, trip.load, _reserved(vehicle, trip, stops)) for trip in own),
        stops=len(visits),
        travel_s=sum(int(matrix.seconds[leg]) for leg in legs),
        distance_m=sum(int(matrix.metres[leg]) for leg in legs),
        return_s=own[-1].return_s if own else None,
        late=len(late),
        late_s=sum(late),
    )


def _reserved(vehicle: Vehicle, trip: Trip, stops: dict[str, Stop]) -> int:
    """Room that is taken at most: a stop takes what it is brought or what it gives, whichever is more."""
    room = sum(max(stops[visit.stop].delivers, stops[visit.stop].collects) for visit in trip.visits)
    if trip.number > 1:
        return room
    visited = Counter(visit.stop for visit in trip.visits)
    return room + vehicle.aboard + sum(stops[stop].delivers for stop in vehicle.loaded if not visited[stop])


def _legs(problem: Problem, vehicle: Vehicle, trip: Trip) -> Iterator[tuple[int, int]]:
    place = {stop.id: at for stop, at in zip(problem.stops, problem.stop_places, strict=True)}
    here = vehicle.stands_at if trip.number == 1 else 0
    for visit in trip.visits:
        yield here, place[visit.stop]
        here = place[visit.stop]
    yield here, 0

"""Is this plan right? Written from the problem's definition; it shares no code with the solver.

    check(problem, plan)      a plan: rules, stated times, accounting of every stop and why it is left, sums
    check(problem, routes)    bare routes, timed at the earliest: rules only
    check(problem, driven)    a round as driven, by the times it really had: rules only

The rules are those a plan must keep: known stops once each, allowed vehicles, load at every moment, windows,
shift, number of trips, reload time, legs that have a way, goods that are there before their trip leaves; of a
day that has begun also what is on board and what is promised to come first. A driven round may be early or
late against the travel times, so only its own order in time is held against it; and it may carry more than
its stops need.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from routing.plan import Plan, Reason, Routes, Trip, Visit
from routing.problem import Problem, Stop, Vehicle


class Fault(StrEnum):
    """What is wrong. Codes keep their meaning for ever; ``expected`` and ``found`` as said beside each."""

    OTHER_PROBLEM = "other_problem"  # the plan answers a problem with another digest
    UNKNOWN_VEHICLE = "unknown_vehicle"
    UNKNOWN_STOP = "unknown_stop"
    DUPLICATE_STOP = "duplicate_stop"  # served or left more than once; expected 1, found times
    SERVED_AND_UNSERVED = "served_and_unserved"
    NOT_ACCOUNTED_FOR = "not_accounted_for"  # neither served nor named as unserved
    WRONG_REASON = "wrong_reason"  # left for a reason that is not so: driven alone it fails otherwise, or not
    VEHICLE_NOT_ALLOWED = "vehicle_not_allowed"  # the stop is bound to others, or forbidden to this one
    LOADED_ELSEWHERE = "loaded_elsewhere"  # its goods are on another vehicle, or on this one's first trip
    NOT_ON_BOARD = "not_on_board"  # the vehicle is on the road without its goods
    LOCK_BROKEN = (
        "lock_broken"  # another stop stands where a promised one must; expected and found: positions
    )
    EMPTY_TRIP = "empty_trip"
    WRONG_TRIP_NUMBER = "wrong_trip_number"  # expected place in the vehicle's order, found number
    TOO_MANY_TRIPS = "too_many_trips"  # expected at most, found
    WRONG_LOAD = "wrong_load"  # expected units the trip's stops are brought, found units on leaving
    OVER_CAPACITY_LEAVING = "over_capacity_leaving"  # expected capacity, found units
    OVER_CAPACITY_ON_THE_WAY = "over_capacity_on_the_way"  # after this stop; expected capacity, found units
    UNREACHABLE_LEG = "unreachable_leg"  # no way to this stop, or (without a stop) home
    LEFT_BEFORE_RELEASE = "left_before_release"  # expected release_s of this stop, found leave_s of its trip
    BEFORE_WINDOW = (
        "before_window"  # expected open_s (of the next window, if there are several), found start_s
    )
    AFTER_WINDOW = "after_window"  # expected close_s, found start_s
    BEFORE_SHIFT = "before_shift"  # expected start_s, found leave_s
    AFTER_SHIFT = "after_shift"  # expected end_s, found return_s
    RELOAD_TOO_SHORT = "reload_too_short"  # expected reload_s, found seconds between the trips
    WRONG_ARRIVAL = "wrong_arrival"  # expected previous departure + travel, found arrive_s
    WRONG_START = "wrong_start"  # expected arrive_s or later, found start_s
    WRONG_LEAVE = "wrong_leave"  # expected start_s + service, found leave_s
    WRONG_RETURN = "wrong_return"  # expected last departure + travel, found return_s
    TIME_RUNS_BACKWARDS = "time_runs_backwards"  # driven: expected the earlier moment, found the later-named
    WRONG_TRAVEL_SUM = "wrong_travel_sum"
    WRONG_DISTANCE_SUM = "wrong_distance_sum"
    WRONG_LATE_COST = "wrong_late_cost"
    WRONG_OBJECTIVE = "wrong_objective"


CANNOT_CARRY = {
    Fault.VEHICLE_NOT_ALLOWED,
    Fault.OVER_CAPACITY_LEAVING,
    Fault.OVER_CAPACITY_ON_THE_WAY,
    Fault.LOADED_ELSEWHERE,
    Fault.NOT_ON_BOARD,
}


@dataclass(frozen=True, slots=True)
class Violation:
    """``trip``: the vehicle's trip number. ``expected`` and ``found``: amounts in the fault's own unit."""

    code: Fault
    vehicle: str | None = None
    trip: int | None = None
    stop: str | None = None
    expected: int | None = None
    found: int | None = None

    def to_plain(self) -> dict[str, str | int | None]:
        return {
            "code": str(self.code),
            "vehicle": self.vehicle,
            "trip": self.trip,
            "stop": self.stop,
            "expected": self.expected,
            "found": self.found,
        }


@dataclass(frozen=True, slots=True)
class Driven:
    """Trips as they happened: actual times, ``load`` the units really on board on leaving the station.

    Stops of the problem that are not in it are not asked after: they may be in another crew's round.
    """

    trips: tuple[Trip, ...]


def check(problem: Problem, judged: Plan | Driven | Routes) -> tuple[Violation, ...]:
    """Every fault of ``judged`` as an answer to ``problem``; an empty tuple means there is none."""
    judge = _Judge(problem)
    if isinstance(judged, Plan):
        return tuple(judge.plan(judged))
    if isinstance(judged, Driven):
        return tuple(judge.driven(judged))
    return tuple(judge.routes(judged))


class _Judge:
    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.stops = {stop.id: stop for stop in problem.stops}
        self.place = dict(zip(self.stops, problem.stop_places, strict=True))
        self.vehicles = {vehicle.id: vehicle for vehicle in problem.vehicles}
        self.holder = {stop: vehicle.id for vehicle in problem.vehicles for stop in vehicle.loaded}

    # The three kinds of thing that can be judged

    def plan(self, plan: Plan) -> Iterator[Violation]:
        if plan.problem != self.problem.digest:
            yield Violation(Fault.OTHER_PROBLEM)
        yield from self.rules(plan.trips)
        for trip in plan.trips:
            yield from self.stated_load(trip)
            yield from self.stated_times(trip)
        yield from self.accounts(plan)
        yield from self.sums(plan)

    def driven(self, driven: Driven) -> Iterator[Violation]:
        yield from self.rules(driven.trips)
        for trip in driven.trips:
            yield from self.order_in_time(trip)
            brought = self.brought(trip)
            if trip.load < brought:
                yield _of(trip, Fault.WRONG_LOAD, expected=brought, found=trip.load)

    def routes(self, routes: Routes) -> Iterator[Violation]:
        yield from self.rules(self.timed(routes))

    # Rules

    def rules(self, trips: Sequence[Trip]) -> Iterator[Violation]:
        yield from self.once_each(trips)
        for vehicle_id in dict.fromkeys(trip.vehicle for trip in trips):
            own = [trip for trip in trips if trip.vehicle == vehicle_id]
            if vehicle_id not in self.vehicles:
                yield Violation(Fault.UNKNOWN_VEHICLE, vehicle=vehicle_id)
                continue
            vehicle = self.vehicles[vehicle_id]
            yield from self.shift(vehicle, own)
            yield from self.locked(vehicle, own)
            for trip in own:
                yield from self.trip(vehicle, trip)

    def once_each(self, trips: Sequence[Trip]) -> Iterator[Violation]:
        times: dict[str, int] = {}
        for trip in trips:
            for visit in trip.visits:
                times[visit.stop] = times.get(visit.stop, 0) + 1
                if visit.stop not in self.stops:
                    yield _of(trip, Fault.UNKNOWN_STOP, visit)
                elif times[visit.stop] > 1:
                    yield _of(trip, Fault.DUPLICATE_STOP, visit, 1, times[visit.stop])

    def shift(self, vehicle: Vehicle, trips: Sequence[Trip]) -> Iterator[Violation]:
        if len(trips) > vehicle.max_trips:
            yield Violation(
                Fault.TOO_MANY_TRIPS, vehicle=vehicle.id, expected=vehicle.max_trips, found=len(trips)
            )
        for number, trip in enumerate(trips, start=1):
            if trip.number != number:
                yield _of(trip, Fault.WRONG_TRIP_NUMBER, expected=number, found=trip.number)
            if trip.leave_s < vehicle.shift[0]:
                yield _of(trip, Fault.BEFORE_SHIFT, expected=vehicle.shift[0], found=trip.leave_s)
            if trip.return_s > vehicle.shift[1]:
                yield _of(trip, Fault.AFTER_SHIFT, expected=vehicle.shift[1], found=trip.return_s)
        for before, after in pairwise(trips):
            between_s = after.leave_s - before.return_s
            if between_s < self.problem.reload_s:
                yield _of(after, Fault.RELOAD_TOO_SHORT, expected=self.problem.reload_s, found=between_s)

    def locked(self, vehicle: Vehicle, trips: Sequence[Trip]) -> Iterator[Violation]:
        """Promised stops that are served stand at the head of the first trip, in their order."""
        served = {visit.stop for trip in trips for visit in trip.visits}
        due = [stop for stop in vehicle.locked if stop in served]
        for trip in trips[:1]:
            head = [visit.stop for visit in trip.visits]
            for position, stop in enumerate(due):
                if head[position : position + 1] != [stop]:
                    found = head.index(stop) + 1 if stop in head else None
                    yield Violation(Fault.LOCK_BROKEN, vehicle.id, trip.number, stop, position + 1, found)
                    return

    def trip(self, vehicle: Vehicle, trip: Trip) -> Iterator[Violation]:
        if not trip.visits and not (vehicle.holds_first and trip.number == 1):
            yield _of(trip, Fault.EMPTY_TRIP)
        for visit, stop in self.known(trip):
            is_bound = stop.only_vehicles is not None and vehicle.id not in stop.only_vehicles
            if is_bound or vehicle.id in stop.not_vehicles:
                yield _of(trip, Fault.VEHICLE_NOT_ALLOWED, visit)
            if stop.id in self.holder and (self.holder[stop.id] != vehicle.id or trip.number != 1):
                yield _of(trip, Fault.LOADED_ELSEWHERE, visit)
            if self.lacks(vehicle, trip, stop):
                yield _of(trip, Fault.NOT_ON_BOARD, visit)
            if trip.leave_s < stop.release_s:
                yield _of(trip, Fault.LEFT_BEFORE_RELEASE, visit, stop.release_s, trip.leave_s)
            yield from self.window(trip, visit, stop)
        for visit_or_home, leg in self.legs(trip):
            if leg is not None and self.problem.travel[vehicle.profile].seconds[leg] < 0:
                yield _of(trip, Fault.UNREACHABLE_LEG, visit_or_home)
        yield from self.load(vehicle, trip)

    def lacks(self, vehicle: Vehicle, trip: Trip, stop: Stop) -> bool:
        """Is the vehicle already on this trip, and the stop's goods are not on board?"""
        return (
            vehicle.stands_at != 0
            and trip.number == 1
            and stop.delivers > 0
            and stop.id not in vehicle.loaded
        )

    def window(self, trip: Trip, visit: Visit, stop: Stop) -> Iterator[Violation]:
        """Service starts in one of the windows; before the first that is still to come, or after the last."""
        if any(open_s <= visit.start_s <= close_s for open_s, close_s in stop.windows):
            return
        to_come = [open_s for open_s, _ in stop.windows if open_s > visit.start_s]
        if to_come:
            yield _of(trip, Fault.BEFORE_WINDOW, visit, min(to_come), visit.start_s)
        else:
            yield _of(trip, Fault.AFTER_WINDOW, visit, stop.windows[-1][1], visit.start_s)

    def load(self, vehicle: Vehicle, trip: Trip) -> Iterator[Violation]:
        """True load: what is on board on leaving, then less what is brought and more what is fetched."""
        on_board = trip.load
        if on_board > vehicle.capacity:
            yield _of(trip, Fault.OVER_CAPACITY_LEAVING, expected=vehicle.capacity, found=on_board)
            return
        for visit, stop in self.known(trip):
            on_board += stop.collects - stop.delivers
            if on_board > vehicle.capacity:
                yield _of(trip, Fault.OVER_CAPACITY_ON_THE_WAY, visit, vehicle.capacity, on_board)
                return

    # What a plan states

    def stated_load(self, trip: Trip) -> Iterator[Violation]:
        brought = self.brought(trip)
        if trip.load != brought and all(visit.stop in self.stops for visit in trip.visits):
            yield _of(trip, Fault.WRONG_LOAD, expected=brought, found=trip.load)

    def stated_times(self, trip: Trip) -> Iterator[Violation]:
        """Arrivals and the return follow from travel; service starts after arrival and takes its time."""
        left_s = trip.leave_s
        for visit_or_home, leg in self.legs(trip):
            leg_s = self.leg_s(trip.vehicle, leg)
            due_s = None if leg_s is None else left_s + leg_s
            if visit_or_home is None:
                if due_s is not None and trip.return_s != due_s:
                    yield _of(trip, Fault.WRONG_RETURN, expected=due_s, found=trip.return_s)
                return
            visit = visit_or_home
            if due_s is not None and visit.arrive_s != due_s:
                yield _of(trip, Fault.WRONG_ARRIVAL, visit, due_s, visit.arrive_s)
            if visit.start_s < visit.arrive_s:
                yield _of(trip, Fault.WRONG_START, visit, visit.arrive_s, visit.start_s)
            if visit.stop in self.stops:
                done_s = visit.start_s + self.stops[visit.stop].service_s
                if visit.leave_s != done_s:
                    yield _of(trip, Fault.WRONG_LEAVE, visit, done_s, visit.leave_s)
            left_s = visit.leave_s

    def accounts(self, plan: Plan) -> Iterator[Violation]:
        served = {visit.stop for trip in plan.trips for visit in trip.visits}
        left: set[str] = set()
        for unserved in plan.unserved:
            if unserved.stop not in self.stops:
                yield Violation(Fault.UNKNOWN_STOP, stop=unserved.stop)
            elif unserved.stop in left:
                yield Violation(Fault.DUPLICATE_STOP, stop=unserved.stop, expected=1, found=2)
            elif unserved.stop in served:
                yield Violation(Fault.SERVED_AND_UNSERVED, stop=unserved.stop)
            elif unserved.reason not in self.reasons(unserved.stop):
                yield Violation(Fault.WRONG_REASON, stop=unserved.stop)
            left.add(unserved.stop)
        for stop in self.stops:
            if stop not in served and stop not in left:
                yield Violation(Fault.NOT_ACCOUNTED_FOR, stop=stop)

    def reasons(self, stop_id: str) -> frozenset[Reason]:
        """Why the stop may be left. What even a vehicle with nothing else to do cannot serve has one reason;
        what could be served alone is left for the sake of the others, which of two is not judged here."""
        alone = {vehicle_id: self.alone(vehicle_id, stop_id) for vehicle_id in self.vehicles}
        if any(not faults for faults in alone.values()):
            return frozenset({Reason.NO_CAPACITY_LEFT, Reason.PENALTY_BELOW_TRAVEL})
        carried = {vehicle: faults for vehicle, faults in alone.items() if not faults & CANNOT_CARRY}
        if not carried:
            return frozenset({Reason.NO_VEHICLE_CAN_CARRY})
        reached = {
            vehicle: faults for vehicle, faults in carried.items() if Fault.UNREACHABLE_LEG not in faults
        }
        if not reached:
            return frozenset({Reason.UNREACHABLE})
        if not any(self.is_at_work(vehicle, stop_id) for vehicle in reached):
            return frozenset({Reason.NO_CREW_AT_THAT_TIME})
        if all(Fault.AFTER_WINDOW in faults for faults in reached.values()):
            return frozenset({Reason.WINDOW_UNREACHABLE})
        return frozenset({Reason.BEYOND_SHIFT})

    def alone(self, vehicle_id: str, stop_id: str) -> set[Fault]:
        """What is wrong if the vehicle serves this stop and no other; of two ways to do so, the better one.

        A vehicle whose first trip has begun may end that first, and then come for it on a second one.
        """
        ways = [self.faults(vehicle_id, [[stop_id]])]
        if self.vehicles[vehicle_id].holds_first and ways[0] & CANNOT_CARRY:
            ways.append(self.faults(vehicle_id, [[], [stop_id]]))
        return min(ways, key=lambda faults: len(faults & CANNOT_CARRY))

    def faults(self, vehicle_id: str, trips: Sequence[Sequence[str]]) -> set[Fault]:
        return {fault.code for fault in self.rules(self.timed({vehicle_id: trips}))} - {Fault.LOCK_BROKEN}

    def is_at_work(self, vehicle_id: str, stop_id: str) -> bool:
        from_s, until_s = self.vehicles[vehicle_id].shift
        return any(close_s >= from_s and open_s <= until_s for open_s, close_s in self.stops[stop_id].windows)

    def sums(self, plan: Plan) -> Iterator[Violation]:
        """Not asked where a leg cannot be measured: that fault is already named."""
        travel_s = distance_m = 0
        for trip in plan.trips:
            for _, leg in self.legs(trip):
                leg_s = self.leg_s(trip.vehicle, leg)
                if leg is None or leg_s is None:
                    return
                travel_s += leg_s
                distance_m += int(self.problem.travel[self.vehicles[trip.vehicle].profile].metres[leg])
        if plan.travel_s != travel_s:
            yield Violation(Fault.WRONG_TRAVEL_SUM, expected=travel_s, found=plan.travel_s)
        if plan.distance_m != distance_m:
            yield Violation(Fault.WRONG_DISTANCE_SUM, expected=distance_m, found=plan.distance_m)
        served = {visit.stop for trip in plan.trips for visit in trip.visits}
        late_cost = sum(
            stop.late_weight * max(0, visit.start_s - stop.due_s)
            for trip in plan.trips
            for visit, stop in self.known(trip)
            if stop.due_s is not None
        )
        if plan.late_cost != late_cost:
            yield Violation(Fault.WRONG_LATE_COST, expected=late_cost, found=plan.late_cost)
        left = sum(stop.penalty for stop in self.problem.stops if stop.id not in served)
        objective = plan.travel_s + plan.late_cost + left
        if plan.objective != objective:
            yield Violation(Fault.WRONG_OBJECTIVE, expected=objective, found=plan.objective)

    # A round as driven

    def order_in_time(self, trip: Trip) -> Iterator[Violation]:
        before_s = trip.leave_s
        for visit in trip.visits:
            for moment_s in (visit.arrive_s, visit.start_s, visit.leave_s):
                if moment_s < before_s:
                    yield _of(trip, Fault.TIME_RUNS_BACKWARDS, visit, before_s, moment_s)
                before_s = moment_s
        if trip.return_s < before_s:
            yield _of(trip, Fault.TIME_RUNS_BACKWARDS, None, before_s, trip.return_s)

    # Bare routes

    def timed(self, routes: Routes) -> list[Trip]:
        """The routes with the earliest times they allow; a leg that cannot be measured takes no time."""
        trips: list[Trip] = []
        for vehicle_id, stop_lists in routes.items():
            vehicle = self.vehicles.get(vehicle_id)
            leave_s = vehicle.shift[0] if vehicle else 0
            for number, stop_ids in enumerate(stop_lists, start=1):
                trips.append(self.timed_trip(vehicle_id, number, leave_s, stop_ids))
                leave_s = trips[-1].return_s + self.problem.reload_s
        return trips

    def timed_trip(self, vehicle_id: str, number: int, leave_s: int, stop_ids: Sequence[str]) -> Trip:
        untimed = Trip(vehicle_id, number, leave_s, 0, 0, tuple(Visit(stop, 0, 0, 0) for stop in stop_ids))
        visits: list[Visit] = []
        now = leave_s = max([leave_s, *(stop.release_s for _, stop in self.known(untimed))])
        for visit, leg in self.legs(untimed):
            now += self.leg_s(vehicle_id, leg) or 0
            if visit is not None:
                stop = self.stops.get(visit.stop)
                start_s = self.start_s(stop, now) if stop else now
                done_s = start_s + (stop.service_s if stop else 0)
                visits.append(Visit(visit.stop, now, start_s, done_s))
                now = done_s
        return Trip(vehicle_id, number, leave_s, now, self.brought(untimed), tuple(visits))

    def start_s(self, stop: Stop, arrive_s: int) -> int:
        """At once inside a window, at the next opening outside; at once, too late, after the last."""
        is_open = any(open_s <= arrive_s <= close_s for open_s, close_s in stop.windows)
        to_come = [open_s for open_s, _ in stop.windows if open_s > arrive_s]
        return min(to_come) if to_come and not is_open else arrive_s

    # Small facts

    def known(self, trip: Trip) -> list[tuple[Visit, Stop]]:
        return [(visit, self.stops[visit.stop]) for visit in trip.visits if visit.stop in self.stops]

    def brought(self, trip: Trip) -> int:
        """Units on board on leaving: what the stops are brought; on a first trip also what was there."""
        brought = sum(stop.delivers for _, stop in self.known(trip))
        vehicle = self.vehicles.get(trip.vehicle)
        if vehicle is None or trip.number != 1:
            return brought
        visited = {visit.stop for visit in trip.visits}
        kept = sum(self.stops[stop].delivers for stop in vehicle.loaded - visited)
        return brought + vehicle.aboard + kept

    def legs(self, trip: Trip) -> Iterator[tuple[Visit | None, tuple[int, int] | None]]:
        """Each visit with the leg (from, to) to it, then None with the leg home; None for an unknown leg."""
        vehicle = self.vehicles.get(trip.vehicle)
        here: int | None = vehicle.stands_at if vehicle and trip.number == 1 else 0
        for visit in trip.visits:
            there = self.place.get(visit.stop)
            yield visit, None if here is None or there is None else (here, there)
            here = there
        yield None, None if here is None else (here, 0)

    def leg_s(self, vehicle_id: str, leg: tuple[int, int] | None) -> int | None:
        if leg is None or vehicle_id not in self.vehicles:
            return None
        seconds = int(self.problem.travel[self.vehicles[vehicle_id].profile].seconds[leg])
        return seconds if seconds >= 0 else None


def _of(
    trip: Trip, code: Fault, visit: Visit | None = None, expected: int | None = None, found: int | None = None
) -> Violation:
    return Violation(code, trip.vehicle, trip.number, visit.stop if visit else None, expected, found)

"""A stop put to another place by a dispatcher's hand: what would come of it, judged by the checker.

    of a day under way   a change like any other (``changes``): proposed, looked at, done
    of a plan            a plan in the old one's place, which is discarded; it is applied as a second step

Nothing else is moved and nothing is searched, so no child process is asked. Only the crews that give and take
the stop are looked at. Asking what a move would do stores nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from core import clock
from core.doing import Doing
from core.refusal import Reason, Refusal, Refused
from dispatch.rounds import queries
from dispatch.rounds import refusals as no
from dispatch.rounds.models import RoundPlan
from dispatch.rounds.service import checked
from dispatch.rounds.states import PLAN, PlanState
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from routing import (
    Fault,
    Plan,
    Problem,
    Routes,
    Seat,
    VehicleDay,
    Violation,
    check,
    days,
    lateness_s,
    plan_of_routes,
    put,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Before another order; or at the end of a crew's trip, numbered as on its round or in the plan."""

    before_order_id: UUID | None = None
    binding_id: UUID | None = None
    trip: int | None = None

    def seat(self, routes: Routes, firsts: Mapping[str, int], problem: Problem) -> Seat | None:
        """Where that is among the trips to come; None where there is no such place."""
        if self.before_order_id is not None:
            before = str(self.before_order_id)
            for vehicle, trips in routes.items():
                for number, trip in enumerate(trips, start=1):
                    if before in trip:
                        return Seat(vehicle, number, before)
            return None
        vehicle = str(self.binding_id)
        number = (self.trip or 0) - firsts.get(vehicle, 1) + 1
        is_known = vehicle in {one.id for one in problem.vehicles}
        return Seat(vehicle, number) if is_known and 1 <= number <= len(routes.get(vehicle, ())) + 1 else None


@dataclass(frozen=True, slots=True)
class Moved:
    """``before``: None where the rounds as they stand break a rule. ``plan``: None where the move would."""

    problem: Problem
    refusals: tuple[Refusal, ...] = ()
    before: Plan | None = None
    plan: Plan | None = None
    routes: Routes | None = None


def moved(problem: Problem, routes: Routes, order_id: UUID, place: Place, firsts: Mapping[str, int]) -> Moved:
    """The routes with this one stop at that place, and every reason against it."""
    seat = place.seat(routes, firsts, problem)
    if seat is None or seat.before == str(order_id):
        return Moved(problem, (no.NO_SUCH_PLACE(),))
    try:
        after = put(routes, str(order_id), seat)
    except ValueError:  # its own going left the place behind
        return Moved(problem, (no.NO_SUCH_PLACE(),))
    if after == {vehicle: tuple(map(tuple, trips)) for vehicle, trips in routes.items()}:
        return Moved(problem, (no.STANDS_THERE(),))
    before = None if check(problem, routes) else plan_of_routes(problem, routes)
    faults = check(problem, after)
    if faults:
        return Moved(problem, tuple(_broken(faults)), before, None, after)
    plan = plan_of_routes(problem, after)
    return Moved(problem, checked(problem, plan), before, plan, after)


# --- what a rule that is broken is called --------------------------------------------------------------

BROKEN: Mapping[Fault, Reason] = {
    Fault.OVER_CAPACITY_LEAVING: no.BREAKS_CAPACITY,
    Fault.OVER_CAPACITY_ON_THE_WAY: no.BREAKS_CAPACITY,
    Fault.VEHICLE_NOT_ALLOWED: no.BREAKS_VEHICLE,
    Fault.LOADED_ELSEWHERE: no.BREAKS_LOADED,
    Fault.NOT_ON_BOARD: no.BREAKS_ON_THE_ROAD,
    Fault.LOCK_BROKEN: no.BREAKS_NEXT_DOOR,
    Fault.TOO_MANY_TRIPS: no.BREAKS_TRIPS,
    Fault.BEFORE_SHIFT: no.BREAKS_SHIFT,
    Fault.AFTER_SHIFT: no.BREAKS_SHIFT,
    Fault.BEFORE_WINDOW: no.BREAKS_SLOT,
    Fault.AFTER_WINDOW: no.BREAKS_SLOT,
    Fault.UNREACHABLE_LEG: no.BREAKS_WAY,
}
"""What bare routes can break; of anything else the checker's own code is told."""
OF_THE_DAY = {Fault.BEFORE_SHIFT, Fault.AFTER_SHIFT, Fault.BEFORE_WINDOW, Fault.AFTER_WINDOW}


def _broken(faults: tuple[Violation, ...]) -> Iterator[Refusal]:
    for fault in faults:
        say = _hm if fault.code in OF_THE_DAY else _amount
        yield BROKEN.get(fault.code, no.BREAKS_RULE)(
            code=fault.code.value,
            order=fault.stop,
            binding=fault.vehicle,
            trip=fault.trip,
            expected=say(fault.expected),
            found=say(fault.found),
        )


def _amount(found: int | None) -> int | str | None:
    return found


def _hm(second: int | None) -> int | str | None:
    return None if second is None else f"{second // 3600:02d}:{second % 3600 // 60:02d}"


# --- what a move would do ------------------------------------------------------------------------------


def told(
    doing: Doing, day: Any, move: Moved, firsts: Mapping[str, int], version: int | None
) -> dict[str, Any]:
    """For whoever decides: who gets what, how far, how full, how late, and every reason against it."""
    before, after = (None if plan is None else days(move.problem, plan) for plan in (move.before, move.plan))
    vehicles = [vehicle.id for vehicle in move.problem.vehicles]
    return {
        "allowed": not move.refusals,
        "reasons": [refusal.worded(doing.actor.audience) for refusal in move.refusals],
        "version": version,
        "crews": [
            {
                "binding_id": vehicle,
                "before": before and _day_view(before[vehicle], firsts.get(vehicle, 1), day),
                "after": after and _day_view(after[vehicle], firsts.get(vehicle, 1), day),
            }
            for vehicle in vehicles
        ],
        "stops": list(_stops_that_change(move, day)),
    }


def _day_view(one: VehicleDay, first: int, day: Any) -> dict[str, Any]:
    names = ("capacity", "stops", "travel_s", "distance_m", "late", "late_s")
    return {name: getattr(one, name) for name in names} | {
        "return_at": None if one.return_s is None else clock.at(day) + timedelta(seconds=one.return_s),
        "trips": [
            {"number": first + trip.number - 1, "load_units": trip.load, "reserved_units": trip.reserved}
            for trip in one.trips
        ],
    }


def _stops_that_change(move: Moved, day: Any) -> Iterator[dict[str, Any]]:
    """Each door that would be another crew's, or served at another time."""
    if move.plan is None:
        return
    stops = {stop.id: stop for stop in move.problem.stops}
    was, will = _served(move.before), _served(move.plan)
    midnight = clock.at(day)
    for stop, (vehicle, start_s) in will.items():
        before = was.get(stop)
        if before != (vehicle, start_s):
            yield {
                "order_id": stop,
                "from_binding_id": before and before[0],
                "to_binding_id": vehicle,
                "start_at_before": before and midnight + timedelta(seconds=before[1]),
                "start_at": midnight + timedelta(seconds=start_s),
                "late_s": lateness_s(stops[stop], start_s),
            }


def _served(plan: Plan | None) -> dict[str, tuple[str, int]]:
    trips = plan.trips if plan is not None else ()
    return {visit.stop: (trip.vehicle, visit.start_s) for trip in trips for visit in trip.visits}


# --- of a plan -----------------------------------------------------------------------------------------


def ask_in_plan(doing: Doing, plan_id: UUID, *, order_id: UUID, **place: Any) -> dict[str, Any]:
    """What a move in a plan that is not applied would do. Nothing is stored."""
    with doing.ground.sessions() as db:
        row = queries.plan_in_reach(db, doing, plan_id)
        return told(doing, row.day, _moved_in_plan(row, order_id, Place(**place)), {}, None)


@does("plan.make")
def move_in_plan(deed: Deed, /, *, plan_id: UUID, order_id: UUID, **place: Any) -> Answer:
    """The plan with this stop at that place, in the place of the one it was made from."""
    db = deed.db
    row = queries.plan_in_reach(db, deed.doing, plan_id)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=row.firm_id, zone=row.zone_id)
    deed.note(plan_id=row.id, order_id=order_id, day=row.day, wave=row.wave)
    db.refresh(row, ["state"], with_for_update=True)
    if row.state is not PlanState.PROPOSED:
        raise Refused([no.SEEN_OTHERWISE()])
    move = _moved_in_plan(row, order_id, Place(**place))
    if move.refusals or move.plan is None:
        raise Refused(move.refusals)
    PLAN.move(db, row, "discard")
    made = _in_its_place(deed, row, move.plan)
    deed.note(made_id=made.id, problem=move.problem.digest, unserved=made.unserved)
    return {"plan_id": str(made.id)}


def _moved_in_plan(row: RoundPlan, order_id: UUID, place: Place) -> Moved:
    problem, plan = Problem.from_plain(row.problem), Plan.from_plain(row.plan)
    if str(order_id) not in {stop.id for stop in problem.stops}:
        return Moved(problem, (no.NOTHING_TO_MOVE(),))
    return moved(problem, plan.routes, order_id, place, {})


def _in_its_place(deed: Deed, row: RoundPlan, plan: Plan) -> RoundPlan:
    made = RoundPlan(
        district=row.district,
        firm_id=row.firm_id,
        zone_id=row.zone_id,
        day=row.day,
        wave=row.wave,
        state=PlanState.PROPOSED,
        problem=row.problem,
        plan=plan.to_plain(),
        unserved=queries.unserved_to_plain(plan.unserved),
        engine=f"{plan.engine} {plan.engine_version}",
        seed=plan.seed,
        iterations=plan.iterations,
        travel_s=plan.travel_s,
        distance_m=plan.distance_m,
        travel_times=row.travel_times,
        recorded_at=deed.recorded_at,
        roster_id=row.roster_id,
    )
    deed.db.add(made)
    deed.db.flush()
    return made

"""A day under way is planned anew after one event: an order more that cannot wait, a crew lost, or a
dispatcher's hand that puts a stop to another place.

As with a plan, what would be done is worked out before any deed opens, judged by the checker and kept; a
second step does it, if what it rests on still stands. What was delivered meanwhile does not matter: only what
would be moved must be where it was seen. Bottles on board stay with their vehicle.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from core import clock
from core.doing import Doing
from core.refusal import Refusal, Refused
from dispatch.orders.models import Order
from dispatch.orders.states import LineState
from dispatch.rounds import change_queries, queries, streets
from dispatch.rounds import refusals as no
from dispatch.rounds.by_hand import Moved, Place, moved, told
from dispatch.rounds.models import ChangeKind, Round, RoundChange, RoundPlan, RoundStop
from dispatch.rounds.service import changed_crews, checked, lock_bindings, round_of_crew
from dispatch.rounds.solving import replan_apart
from dispatch.rounds.states import CHANGE, ChangeState, PlanState
from dispatch.rounds.under_way import (
    Standing,
    UnderWay,
    first_of_each_crew,
    of_crews,
    rounds_under_way,
    standing,
)
from dispatch.rounds.zone_day import problem_of, seconds_into
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry.crew_queries import BoundCrew
from registry.models import Zone
from registry.rosters import crews_for_zone
from routing import Plan, Problem, Replanned, churn

TURNS = 2_000
SEED = 1
OUT_OF_THE_WAY = 10_000
"""Added to the positions of stops while they change places, so that no two are in one at once."""
PARKED = -1_000_000
"""Where what a round was relieved of is put, each at a place of its own: it collides with nothing."""


@dataclass(frozen=True, slots=True)
class Event:
    """An order or a crew, exactly one of the two. ``place``: where a hand puts the order.

    ``version``: of the day, as it was seen by whoever asks; None where nobody has looked.
    """

    order_id: UUID | None = None
    binding_id: UUID | None = None
    place: Place | None = None
    version: int | None = None

    @property
    def kind(self) -> ChangeKind:
        if self.place is not None:
            return ChangeKind.MOVED_STOP
        return ChangeKind.URGENT_ORDER if self.order_id is not None else ChangeKind.LOST_CREW


@dataclass(frozen=True, slots=True)
class Proposed:
    """How the day would go on; or the reasons why nothing can be proposed."""

    zone: Zone
    day: date
    event: Event
    refusals: tuple[Refusal, ...] = ()
    before: Standing | None = None
    after: Replanned | None = None
    version: int = 0


# --- propose ----------------------------------------------------------------------------------------------


def propose_change(
    doing: Doing,
    *,
    zone_id: UUID,
    order_id: UUID | None = None,
    binding_id: UUID | None = None,
    to: Mapping[str, Any] | None = None,
    version: int | None = None,
) -> Answer:
    """Work out how today goes on, in a child process, then keep it. ``Busy`` when the solver fails.

    ``to``: the place where a hand puts the order; then no solver is asked.
    """
    event = Event(order_id, binding_id, None if to is None else Place(**to), version)
    with doing.ground.sessions() as db:
        zone = queries.zone_in_reach(db, doing, zone_id)
        answered = queries.has_answered(db, doing)
    day = clock.today()
    if answered:
        return keep_change(doing, Proposed(zone, day, event))
    how = _proposed if event.place is None else _proposed_by_hand
    return keep_change(doing, how(doing, zone, day, event))


def _proposed(doing: Doing, zone: Zone, day: date, event: Event) -> Proposed:
    with doing.ground.sessions() as db:
        version = change_queries.version_of(db, zone, day)
        before = standing(db, zone, day, clock.now(), event.order_id, event.binding_id)
    reasons = tuple(_not_to_be_changed(before, event, day))
    if reasons:
        return Proposed(zone, day, event, reasons)
    problem = _problem_of(doing, before, day)
    what = {"urgent": str(event.order_id)} if event.order_id else {"lost": str(event.binding_id)}
    after = replan_apart(problem, before.routes, what, TURNS, SEED)
    return Proposed(zone, day, event, checked(after.problem, after.plan), before, after, version)


def _problem_of(doing: Doing, before: Standing, day: date) -> Problem:
    times = streets.travel_times(doing.ground.config.osrm_url)
    return problem_of(before.site, before.doors, before.crews, day, times, before.until_s)


def _not_to_be_changed(before: Standing, event: Event, day: date) -> Iterator[Refusal]:
    if not before.crews:
        yield no.NO_CREW(day=day)
    if event.order_id is not None:
        standing_now = {stop for trips in before.routes.values() for trip in trips for stop in trip}
        waiting = {str(door.order_id) for door in before.doors} - standing_now
        if str(event.order_id) not in waiting:
            yield no.NOT_WAITING()
    elif str(event.binding_id) not in {str(crew.binding_id) for crew in before.crews}:
        yield no.NO_SUCH_CREW_NOW()
    elif str(event.binding_id) not in before.routes:
        yield no.NOTHING_TO_HAND_ON()


# --- by hand -----------------------------------------------------------------------------------------------


def ask_move(
    doing: Doing, *, zone_id: UUID, order_id: UUID, version: int | None, **place: Any
) -> dict[str, Any]:
    """What the move would do to today's rounds. Nothing is stored."""
    with doing.ground.sessions() as db:
        zone = queries.zone_in_reach(db, doing, zone_id)
    day = clock.today()
    looked = _by_hand(doing, zone, day, Event(order_id, None, Place(**place), version))
    return told(doing, day, looked.move, looked.before.firsts if looked.before else {}, looked.version)


def _proposed_by_hand(doing: Doing, zone: Zone, day: date, event: Event) -> Proposed:
    looked = _by_hand(doing, zone, day, event)
    move, before = looked.move, looked.before
    if before is None or move.plan is None or move.refusals:
        return Proposed(zone, day, event, move.refusals)
    after = Replanned(move.problem, move.plan, churn(before.routes, move.plan.routes))
    return Proposed(zone, day, event, (), before, after, looked.version)


@dataclass(frozen=True, slots=True)
class ByHand:
    """A move looked at. ``before``: the crews that give and take the stop, as they stand."""

    version: int
    move: Moved
    before: Standing | None = None


def _by_hand(doing: Doing, zone: Zone, day: date, event: Event) -> ByHand:
    order_id, place = event.order_id, event.place
    if order_id is None or place is None:
        raise LookupError("expected an order and a place")
    with doing.ground.sessions() as db:
        version = change_queries.version_of(db, zone, day)
        waits = None if queries.orders_on_rounds(db, zone.district, [order_id]) else order_id
        whole = standing(db, zone, day, clock.now(), waits)
    reasons = tuple(_not_to_be_moved(whole, event, version))
    if reasons:
        return ByHand(version, Moved(_nothing(whole, day), reasons))
    concerned = _who_is_concerned(whole, str(order_id), place)
    before = of_crews(whole, concerned, order_id)
    problem = _problem_of(doing, before, day)
    return ByHand(version, moved(problem, before.routes, order_id, place, before.firsts), before)


def _nothing(whole: Standing, day: date) -> Problem:
    """Of which nothing is asked."""
    return problem_of(whole.site, (), (), day, streets.travel_times(None))


def _not_to_be_moved(whole: Standing, event: Event, version: int) -> Iterator[Refusal]:
    if event.version is not None and event.version != version:
        yield no.SEEN_OTHERWISE()
    if str(event.order_id) not in {str(door.order_id) for door in whole.doors}:
        yield no.NOTHING_TO_MOVE()
    to = event.place.binding_id if event.place is not None else None
    if to is not None and to not in {crew.binding_id for crew in whole.crews}:
        yield no.NO_SUCH_CREW_NOW()


def _who_is_concerned(whole: Standing, order: str, place: Place) -> set[str]:
    """The crew that has the order, if one has, and the one that would get it."""
    named = {order, str(place.before_order_id)}
    of_them = {
        vehicle for vehicle, trips in whole.routes.items() for trip in trips if named & set(map(str, trip))
    }
    return of_them | ({str(place.binding_id)} if place.binding_id is not None else set())


@does("plan.make")
def keep_change(deed: Deed, proposed: Proposed) -> Answer:
    zone, event = proposed.zone, proposed.event
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=zone.firm_id, zone=zone.id, site=zone.supply_site_id)
    deed.note(zone_id=zone.id, day=proposed.day, order_id=event.order_id, binding_id=event.binding_id)
    if proposed.refusals:
        raise Refused(proposed.refusals)
    before, after = proposed.before, proposed.after
    if before is None or after is None:
        raise LookupError("expected this key's earlier answer, found none")
    row = RoundChange(
        district=deed.district,
        firm_id=zone.firm_id,
        zone_id=zone.id,
        day=proposed.day,
        kind=event.kind,
        order_id=event.order_id,
        binding_id=event.binding_id,
        state=ChangeState.PROPOSED,
        problem=after.problem.to_plain(),
        standing={vehicle: [list(trip) for trip in trips] for vehicle, trips in before.routes.items()},
        firsts=before.firsts,
        plan=after.plan.to_plain(),
        churn=after.churn.to_plain(),
        stranded=list(after.stranded),
        unserved=queries.unserved_to_plain(after.plan.unserved),
        recorded_at=deed.recorded_at,
        version=proposed.version,
        **_put_at(event.place),
    )
    deed.db.add(row)
    deed.db.flush()
    deed.note(change_id=row.id, problem=after.problem.digest, churn=row.churn, unserved=row.unserved)
    return {"change_id": str(row.id)}


def _put_at(place: Place | None) -> dict[str, Any]:
    if place is None:
        return {}
    return {
        "before_order_id": place.before_order_id,
        "to_binding_id": place.binding_id,
        "to_trip": place.trip,
    }


# --- apply ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Seat:
    """Where an order is to stand: with which crew, on which of its trips, when; in the order of the list."""

    order_id: UUID
    vehicle: str
    trip: int
    arrive_s: int
    start_s: int
    is_first: bool


@does("plan.apply")
def apply_change(deed: Deed, *, change_id: UUID) -> Answer:
    """Move what the change moves, if it is still where it was seen."""
    db = deed.db
    row = change_queries.change_in_reach(db, deed.doing, change_id)
    zone = db.get_one(Zone, (row.district, row.zone_id))
    plan = Plan.from_plain(row.plan)
    seats = list(_seats(row, plan))
    freed = {UUID(left["order_id"]) for left in row.unserved}
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=row.firm_id, zone=row.zone_id)
    deed.note(change_id=row.id, kind=row.kind, day=row.day)

    queries.lines_of(db, deed.district, sorted({seat.order_id for seat in seats} | freed), lock=True)
    lock_bindings(deed, [UUID(vehicle) for vehicle in row.firsts])
    under_way = rounds_under_way(db, zone, row.day, lock=True)
    db.refresh(row, ["state"], with_for_update=True)
    on_duty = crews_for_zone(db, deed.district, row.zone_id, row.day)
    crews = {crew.binding.id: crew for crew in on_duty.crews}
    reasons = [*_stale(deed, row, seats, under_way), *changed_crews(plan, crews)]
    if not reasons and change_queries.version_of(db, zone, row.day) != row.version:
        reasons.append(no.SEEN_OTHERWISE())
    if reasons:
        raise Refused(reasons)

    if row.kind is ChangeKind.MOVED_STOP and row.order_id is not None:
        deed.about(SubjectType.ORDER, row.order_id)
    CHANGE.move(db, row, "apply")
    driving = first_of_each_crew(under_way)
    rounds = {vehicle: one.round for vehicle, one in driving.items()}
    for vehicle in dict.fromkeys(seat.vehicle for seat in seats):
        if vehicle not in rounds:
            rounds[vehicle] = _new_round(deed, row, crews[UUID(vehicle)], zone)
    _reseat(deed, row, driving, rounds, seats, freed)
    touched = sorted({round.id for vehicle, round in rounds.items() if vehicle in row.firsts})
    deed.note(rounds=touched)
    return {"change_id": str(row.id), "round_ids": [str(round_id) for round_id in touched]}


def _seats(row: RoundChange, plan: Plan) -> Iterator[Seat]:
    for trip in plan.trips:
        number = int(row.firsts[trip.vehicle]) + trip.number - 1
        for visit in trip.visits:
            yield Seat(
                UUID(visit.stop), trip.vehicle, number, visit.arrive_s, visit.start_s, trip.number == 1
            )


def _stale(deed: Deed, row: RoundChange, seats: list[Seat], under_way: list[UnderWay]) -> Iterator[Refusal]:
    """Orders that would be moved and are no longer where they were seen, or no longer in time."""
    was = {UUID(stop): crew for crew, trips in row.standing.items() for trip in trips for stop in trip}
    now = {stop.order_id: one for one in under_way for stop in one.to_do}
    out_then = {vehicle["id"] for vehicle in row.problem["vehicles"] if vehicle.get("stands_at")}
    out_now = {crew for crew, one in first_of_each_crew(under_way).items() if one.is_out}
    waiting = _still_waiting(deed, row, [seat.order_id for seat in seats if seat.order_id not in was])
    now_s = seconds_into(row.day, deed.recorded_at)
    stale = set()
    for seat in seats:
        crew, here = was.get(seat.order_id), now.get(seat.order_id)
        if crew is None:
            is_off = here is not None or seat.order_id not in waiting
        elif here is None:
            is_off = False  # done with meanwhile
        else:
            is_loaded = here.left[seat.order_id] is LineState.LOADED
            is_later = seat.order_id == row.order_id and not seat.is_first
            is_off = here.vehicle != crew or (is_loaded and (here.vehicle != seat.vehicle or is_later))
        is_moved = crew != seat.vehicle or seat.order_id == row.order_id
        is_missed = seat.start_s < now_s or (seat.is_first and seat.vehicle in out_now - out_then)
        if is_off or (is_moved and is_missed):
            stale.add(seat.order_id)
    if stale:
        yield no.STALE(orders=sorted(stale))


def _still_waiting(deed: Deed, row: RoundChange, order_ids: list[UUID]) -> set[UUID]:
    """Those of the orders with a line that is booked, that stand on no round and keep their slot."""
    lines = queries.lines_of(deed.db, deed.district, order_ids)
    booked = {line.order_id for line in lines if line.state is LineState.BOOKED}
    on_rounds = queries.orders_on_rounds(deed.db, deed.district, order_ids)
    return booked - on_rounds - queries.moved_since(deed.db, row, order_ids)


def _new_round(deed: Deed, row: RoundChange, crew: BoundCrew, zone: Zone) -> Round:
    """For a crew that had nothing to do, under the zone's newest plan of the day."""
    plan = deed.db.scalars(
        sa.select(RoundPlan)
        .where(
            RoundPlan.district == row.district,
            RoundPlan.zone_id == row.zone_id,
            RoundPlan.day == row.day,
            RoundPlan.state == PlanState.APPLIED,
        )
        .order_by(RoundPlan.wave.desc())
        .limit(1)
    ).one_or_none()
    if plan is None:
        raise Refused([no.NOTHING_UNDER_WAY()])
    return round_of_crew(deed, plan, crew, zone)


def _reseat(
    deed: Deed,
    row: RoundChange,
    driving: dict[str, UnderWay],
    rounds: dict[str, Round],
    seats: list[Seat],
    freed: set[UUID],
) -> None:
    """Every order to its seat; what nobody can take any more, and is on no vehicle, may be planned again."""
    db, midnight = deed.db, clock.at(row.day)
    ours = {vehicle: one for vehicle, one in driving.items() if vehicle in row.firsts}
    left = {stop.order_id: stop for one in ours.values() for stop in one.to_do}
    home = {stop.order_id: one for one in ours.values() for stop in one.to_do}
    last: dict[tuple[UUID, int], int] = {}
    for one in ours.values():
        for stop in one.stops:
            if stop.order_id not in left:
                key = (one.round.id, stop.trip)
                last[key] = max(last.get(key, 0), stop.position)
    _out_of_the_way(deed, [one.round.id for one in ours.values()], list(left))

    moved, shown, seated = [], [], set()
    for seat in seats:
        stood, round = left.get(seat.order_id), rounds[seat.vehicle]
        if stood is None and seat.order_id != row.order_id:
            continue  # done with meanwhile
        key = (round.id, seat.trip)
        last[key] = last.get(key, 0) + 1
        arrive_at = midnight + timedelta(seconds=seat.arrive_s)
        if stood is None or stood.round_id != round.id:
            deed.about(SubjectType.ORDER, seat.order_id)
            moved.append(seat.order_id)
            if seat.vehicle in driving and driving[seat.vehicle].is_revealed:
                shown.append(seat.order_id)
        _seat(deed, stood, round, seat, last[key], arrive_at)
        seated.add(seat.order_id)
    for order_id, kept in left.items():
        if order_id in seated:
            continue
        key = (kept.round_id, kept.trip)
        if order_id in freed and home[order_id].left[order_id] is LineState.BOOKED:
            deed.about(SubjectType.ORDER, order_id)
            _relieve(deed, kept)
        else:
            last[key] = last.get(key, 0) + 1
            _put(deed, kept, {"position": last[key]})
    deed.note(moved=sorted(moved), freed=sorted(freed - seated))
    _shown_on_an_open_list(deed, shown)
    db.expire_all()


def _shown_on_an_open_list(deed: Deed, order_ids: list[UUID]) -> None:
    """A courier whose list is open sees the new doors' names and addresses too: that is on record as well."""
    homes = deed.db.scalars(
        sa.select(Order.household_id).where(Order.district == deed.district, Order.id.in_(order_ids))
    ).all()
    for household_id in sorted(homes):
        deed.about(SubjectType.HOUSEHOLD, household_id)
    if homes:
        deed.note(revealed="manifest", households=len(homes))


def _out_of_the_way(deed: Deed, round_ids: list[UUID], order_ids: list[UUID]) -> None:
    deed.db.execute(
        sa.update(RoundStop)
        .where(
            RoundStop.district == deed.district,
            RoundStop.round_id.in_(round_ids),
            RoundStop.order_id.in_(order_ids),
            RoundStop.active,
        )
        .values(position=RoundStop.position + OUT_OF_THE_WAY)
        .execution_options(synchronize_session=False)
    )


def _seat(
    deed: Deed, stop: RoundStop | None, round: Round, seat: Seat, position: int, arrive_at: datetime
) -> None:
    """On a round it was relieved of before, it takes up its own row again."""
    values = {"trip": seat.trip, "position": position, "arrive_at": arrive_at, "active": True}
    if stop is not None and stop.round_id == round.id:
        _put(deed, stop, values)
        return
    parked = deed.db.get(RoundStop, (round.district, round.id, seat.order_id))
    if parked is not None:
        if stop is not None:
            _relieve(deed, stop)  # first: an order stands on one round at a time
        _put(deed, parked, values)
    elif stop is not None:
        _put(deed, stop, {"round_id": round.id, **values})
    else:
        named = {"district": round.district, "round_id": round.id, "order_id": seat.order_id}
        deed.db.add(RoundStop(**named, **values))
        deed.db.flush()


def _relieve(deed: Deed, stop: RoundStop) -> None:
    """The round lets go of it. Under the round's lock: each below the last gets a place of its own."""
    lowest = deed.db.scalar(
        sa.select(sa.func.min(RoundStop.position)).where(
            RoundStop.district == stop.district,
            RoundStop.round_id == stop.round_id,
            RoundStop.position < 0,
        )
    )
    _put(deed, stop, {"active": False, "position": PARKED if lowest is None else lowest - 1})


def _put(deed: Deed, stop: RoundStop, values: dict[str, object]) -> None:
    deed.db.execute(
        sa.update(RoundStop)
        .where(
            RoundStop.district == stop.district,
            RoundStop.round_id == stop.round_id,
            RoundStop.order_id == stop.order_id,
        )
        .values(values)
        .execution_options(synchronize_session=False)
    )

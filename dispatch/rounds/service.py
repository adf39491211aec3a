"""Verbs of rounds: make a plan, apply it, approve what lies outside the zone, start, reveal the manifest.

A plan is asked for in one deed and stored in another; between them the worker solves it, so that no request,
no lock and no transaction waits for a solver. What is stored is only what the independent checker passed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from core import clock, jobs
from core.auth import ScopeKind
from core.problems import NotFound
from core.refusal import Refusal, Refused
from dispatch.orders.models import Order, OrderLine
from dispatch.orders.queries import order_with_lines
from dispatch.orders.states import LineState
from dispatch.rounds import queries, streets
from dispatch.rounds import refusals as no
from dispatch.rounds.models import (
    ApprovalReason,
    ManifestReveal,
    Round,
    RoundPlan,
    RoundStop,
    ZoneApproval,
)
from dispatch.rounds.queries import PLAN_JOB, ZoneDay
from dispatch.rounds.solving import solve_apart
from dispatch.rounds.states import PLAN, ROUND, PlanState, RoundState
from dispatch.rounds.unfit import unfit
from dispatch.rounds.zone_day import problem_of, seconds_into
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry.crew_queries import BoundCrew, binding_at, binding_with_people
from registry.documents import WrongDocument, check_plate
from registry.mentions import resting
from registry.models import Binding, Zone
from registry.queries import vehicle
from registry.roster_gate import paper_refusals
from registry.rosters import crews_for_zone, crews_of
from registry.vehicle_labels import vehicle_of
from routing import Plan, Problem, Trip, check
from rulebook import current

MOST_NAMED = 20

log = structlog.get_logger()


# --- make -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Proposal:
    """A zone's day, solved and checked; or the reasons why there is no plan of it."""

    zone: Zone
    day: date
    wave: int
    refusals: tuple[Refusal, ...] = ()
    problem: Problem | None = None
    plan: Plan | None = None
    roster_id: UUID | None = None


def propose(job: jobs.Running, zone: Zone, day: date, wave: int, iterations: int, seed: int) -> Proposal:
    """In a child process; ``Busy`` when the solver fails. What changed since it was asked is judged anew."""
    ground = job.ground
    with ground.sessions() as db:
        found, reasons = _to_solve(db, zone, day)
    if found is None:
        return Proposal(zone, day, wave, tuple(reasons))
    problem = problem_of(
        found.site, found.doors, found.crews, day, streets.travel_times(ground.config.osrm_url)
    )
    job.say("solving")
    plan = solve_apart(problem, iterations, seed, job.is_wanted)
    return Proposal(zone, day, wave, checked(problem, plan), problem, plan, found.roster_id)


def _to_solve(db: Session, zone: Zone, day: date) -> tuple[ZoneDay | None, list[Refusal]]:
    """What there is to plan; None and the reasons where there is nothing, or nobody to drive it."""
    now = clock.now()
    if day < clock.day_of(now):
        return None, [no.DAY_PAST(day=day)]
    found, reasons = queries.zone_day(db, zone, day, now), []
    if not found.crews:
        reasons += found.apart or [no.NO_CREW(day=day)]
    if not found.doors:
        reasons.append(no.NOTHING_TO_PLAN(day=day))
    return (None, reasons) if reasons else (found, [])


def checked(problem: Problem, plan: Plan) -> tuple[Refusal, ...]:
    """The independent checker's word. A plan with a fault is an alarm for us, and nobody drives it."""
    faults = check(problem, plan)
    if not faults:
        return ()
    log.error(
        "plan.checker_refused",
        problem=problem.digest,
        faults=[fault.to_plain() for fault in faults[:MOST_NAMED]],
    )
    codes = sorted({fault.code.value for fault in faults})
    return (no.CHECKER_REFUSED(violations=len(faults), codes=codes),)


@does("plan.make")
def store_plan(deed: Deed, proposal: Proposal, job_id: UUID) -> Answer:
    """The job that asked for it is done in this same deed; cancelled meanwhile, nothing is."""
    zone = proposal.zone
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=zone.firm_id, zone=zone.id, site=zone.supply_site_id)
    deed.note(zone_id=zone.id, day=proposal.day, wave=proposal.wave)
    if proposal.refusals:
        raise Refused(proposal.refusals)
    problem, plan = proposal.problem, proposal.plan
    if problem is None or plan is None:
        raise LookupError("expected this key's earlier answer, found none")
    unserved = queries.unserved_to_plain(plan.unserved)
    times = streets.named(deed.doing.ground.config.osrm_url, problem.fell_back)
    row = RoundPlan(
        district=deed.district,
        firm_id=zone.firm_id,
        zone_id=zone.id,
        day=proposal.day,
        wave=proposal.wave,
        state=PlanState.PROPOSED,
        problem=problem.to_plain(),
        plan=plan.to_plain(),
        unserved=unserved,
        engine=f"{plan.engine} {plan.engine_version}",
        seed=plan.seed,
        iterations=plan.iterations,
        travel_s=plan.travel_s,
        distance_m=plan.distance_m,
        travel_times=times,
        recorded_at=deed.recorded_at,
        roster_id=proposal.roster_id,
    )
    deed.db.add(row)
    deed.db.flush()
    deed.note(
        plan_id=row.id,
        problem=problem.digest,
        engine=row.engine,
        seed=plan.seed,
        iterations=plan.iterations,
        travel_times=times,
        roster_id=proposal.roster_id,
        served=sum(len(trip.visits) for trip in plan.trips),
        unserved=unserved,
    )
    jobs.finish(deed.db, deed.district, job_id, row.id)
    return {"plan_id": str(row.id)}


# --- ask for it -------------------------------------------------------------------------------------------


@does("plan.ask")
def ask_plan(deed: Deed, *, zone_id: UUID, day: date, wave: int, iterations: int, seed: int) -> Answer:
    """Have the plan made by the worker, one of a zone at a time; what stands stays until it is applied.

    What is no plan already is refused at once, and nobody waits in the queue to hear it.
    """
    zone = queries.zone_in_reach(deed.db, deed.doing, zone_id)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=zone.firm_id, zone=zone.id, site=zone.supply_site_id)
    deed.note(zone_id=zone.id, day=day, wave=wave)
    _, reasons = _to_solve(deed.db, zone, day)
    if reasons:
        raise Refused(reasons)
    asked = {
        "zone_id": str(zone.id),
        "day": day.isoformat(),
        "wave": wave,
        "iterations": iterations,
        "seed": seed,
    }
    lock = f"{PLAN_JOB}:{zone.district}:{zone.id}"
    job = jobs.ask(deed.db, deed.doing, PLAN_JOB, asked, firm_id=zone.firm_id, lock=lock)
    deed.note(job_id=job.id)
    return {"job_id": str(job.id)}


@does("plan.cancel")
def cancel_plan(deed: Deed, *, job_id: UUID) -> Answer:
    """Nobody waits for this plan any more. Plans that stand, and the one being driven, stay as they are."""
    asked = queries.job_in_reach(deed.db, deed.doing, job_id, PLAN_JOB)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=asked.firm_id)
    deed.note(job_id=job_id)
    jobs.cancel(deed.db, deed.district, job_id)
    return {"job_id": str(job_id)}


def do_plan_job(job: jobs.Running) -> None:
    """In the worker: for whoever asked, under a key of the job's own."""
    doing, asked = job.doing(), job.asked
    day, wave = date.fromisoformat(asked["day"]), asked["wave"]
    with doing.ground.sessions() as db:
        zone = queries.zone_in_reach(db, doing, UUID(asked["zone_id"]))
        answered = queries.has_answered(db, doing)
    if answered:
        proposal = Proposal(zone, day, wave)
    else:
        job.say("collecting")
        proposal = propose(job, zone, day, wave, asked["iterations"], asked["seed"])
    store_plan(doing, proposal, job.id)


# --- apply ------------------------------------------------------------------------------------------------


@does("plan.apply")
def apply_plan(deed: Deed, *, plan_id: UUID) -> Answer:
    """Make the day's rounds of a plan, if everything it rests on still stands."""
    db = deed.db
    row = queries.plan_in_reach(db, deed.doing, plan_id)
    plan = Plan.from_plain(row.plan)
    order_ids = [UUID(visit.stop) for trip in plan.trips for visit in trip.visits]
    binding_ids = [UUID(binding_id) for binding_id in plan.routes]
    deed.about(SubjectType.REGISTER, str(deed.district))
    for order_id in order_ids:
        deed.about(SubjectType.ORDER, order_id)
    for binding_id in binding_ids:
        deed.about(SubjectType.BINDING, binding_id)
    deed.at(firm=row.firm_id, zone=row.zone_id)
    deed.note(plan_id=row.id, day=row.day, wave=row.wave)

    lines = queries.lines_of(db, deed.district, order_ids, lock=True)
    lock_bindings(deed, binding_ids)
    db.refresh(row, ["state"], with_for_update=True)
    on_duty = crews_for_zone(db, deed.district, row.zone_id, row.day)
    crews = {crew.binding.id: crew for crew in on_duty.crews}
    zone = db.get_one(Zone, (row.district, row.zone_id))
    reasons = [
        *_out_of_time(deed, row, plan),
        *_stale_orders(deed, row, order_ids, lines),
        *changed_crews(plan, crews),
        *_busy_crews(deed, row, plan, crews, zone),
        *_unfit_crews(deed, row, zone, [crews[one] for one in binding_ids if one in crews]),
    ]
    if row.state is PlanState.DISCARDED:
        reasons.append(no.SEEN_OTHERWISE())
    if not plan.trips:
        reasons.append(no.SERVES_NOBODY())
    if reasons:
        raise Refused(reasons)

    PLAN.move(db, row, "apply")
    rounds = [_driven_by(deed, row, plan, crews[binding_id], zone) for binding_id in binding_ids]
    deed.note(rounds=[round.id for round in rounds])
    return {"plan_id": str(row.id), "round_ids": [str(round.id) for round in rounds]}


def lock_bindings(deed: Deed, binding_ids: list[UUID]) -> None:
    """Against each other too: of two who give the same crew trips, the later sees what the first gave."""
    deed.db.execute(
        sa.select(Binding.id)
        .where(Binding.id.in_(binding_ids))
        .order_by(Binding.id)
        .with_for_update(key_share=True)
    )


def _stale_orders(deed: Deed, row: RoundPlan, order_ids: list[UUID], lines: list[OrderLine]) -> list[Refusal]:
    """Orders that are on another round by now, have nothing left to bring, are already on their way, or have
    been given another slot."""
    moved = queries.moved_since(deed.db, row, order_ids)
    on_rounds = queries.orders_on_rounds(deed.db, deed.district, order_ids)
    booked = {line.order_id for line in lines if line.state is LineState.BOOKED}
    loaded = {line.order_id for line in lines if line.state is LineState.LOADED}
    stale = sorted(
        order_id
        for order_id in order_ids
        if order_id in on_rounds or order_id in loaded or order_id in moved or order_id not in booked
    )
    return [no.STALE(orders=stale)] if stale else []


def changed_crews(plan: Plan, crews: dict[UUID, BoundCrew]) -> list[Refusal]:
    """Bindings that no longer cover the trips they were planned for."""
    changed = set()
    for trip in plan.trips:
        crew = crews.get(UUID(trip.vehicle))
        if crew is None or trip.leave_s < crew.from_s or trip.return_s > crew.until_s:
            changed.add(trip.vehicle)
    return [no.CREW_CHANGED(bindings=changed)] if changed else []


def _out_of_time(deed: Deed, row: RoundPlan, plan: Plan) -> Iterator[Refusal]:
    """A plan that has lain about: its day is over, or slots that it promised are."""
    today = clock.day_of(deed.recorded_at)
    if row.day < today:
        yield no.DAY_PAST(day=row.day)
    elif row.day == today:
        served = {visit.stop for trip in plan.trips for visit in trip.visits}
        now_s = seconds_into(row.day, deed.recorded_at)
        over = [stop["id"] for stop in row.problem["stops"] if stop["window"][1] <= now_s]
        if over := sorted(served.intersection(over)):
            yield no.SLOT_OVER(orders=over)


def _busy_crews(
    deed: Deed, row: RoundPlan, plan: Plan, crews: dict[UUID, BoundCrew], zone: Zone
) -> Iterator[Refusal]:
    """Crews that other plans and changes have given trips since: nobody drives two at once."""
    if row.state is not PlanState.PROPOSED:
        return
    asked = queries.asked_already(deed.db, zone, row.day)
    busy = set()
    for driven_by, trips in plan.routes.items():
        given, free_s = asked.get(UUID(driven_by), (0, 0))
        crew = crews.get(UUID(driven_by))
        leaves_s = min(trip.leave_s for trip in plan.trips if trip.vehicle == driven_by)
        if given and (
            leaves_s < free_s or (crew is not None and given + len(trips) > crew.vehicle.max_trips)
        ):
            busy.add(driven_by)
    if busy:
        yield no.CREW_BUSY(bindings=sorted(busy))


def _unfit_crews(deed: Deed, row: RoundPlan, zone: Zone, crews: list[BoundCrew]) -> Iterator[Refusal]:
    """Who fell ill, or whose papers lapse that day, is sent nowhere."""
    for reasons in unfit(deed.db, zone, crews, row.day).values():
        yield from (resting(deed, reason) for reason in reasons)


def _driven_by(deed: Deed, row: RoundPlan, plan: Plan, crew: BoundCrew, zone: Zone) -> Round:
    made = round_of_crew(deed, row, crew, zone)
    for trip in plan.trips:
        if trip.vehicle == str(crew.binding.id):
            deed.db.add_all(_stops_of_trip(made, trip))
    deed.db.flush()
    return made


def round_of_crew(deed: Deed, row: RoundPlan, crew: BoundCrew, zone: Zone) -> Round:
    """A round of this plan's day for this crew, still without stops."""
    made = Round(
        district=row.district,
        plan_id=row.id,
        firm_id=row.firm_id,
        zone_id=row.zone_id,
        day=row.day,
        binding_district=crew.binding.district,
        binding_id=crew.binding.id,
        courier_id=crew.courier.id,
        vehicle_id=crew.vehicle.id,
        supply_site_id=zone.supply_site_id,
        state=RoundState.PLANNED,
        recorded_at=deed.recorded_at,
    )
    deed.db.add(made)
    deed.db.flush()
    return made


def _stops_of_trip(made: Round, trip: Trip) -> list[RoundStop]:
    midnight = clock.at(made.day)
    return [
        RoundStop(
            district=made.district,
            round_id=made.id,
            order_id=UUID(visit.stop),
            trip=trip.number,
            position=position,
            arrive_at=midnight + timedelta(seconds=visit.arrive_s),
            active=True,
        )
        for position, visit in enumerate(trip.visits, start=1)
    ]


# --- outside the zone -------------------------------------------------------------------------------------


@does("order.approve_outside_zone")
def approve_outside_zone(deed: Deed, *, order_id: UUID, reason: ApprovalReason) -> Answer:
    """The order may be served on the round it stands on, although it lies outside the crew's zone (D03)."""
    found = order_with_lines(deed.db, deed.district, order_id)
    if found is None:
        raise NotFound
    deed.actor.must_reach(firm=found.order.firm_id, district=deed.district)
    deed.about(SubjectType.ORDER, order_id)
    deed.note(order_id=order_id, reason=reason)
    stop = queries.stop_of(deed.db, deed.district, order_id)
    row = queries.round_of(deed.db, deed.district, stop.round_id, lock=True) if stop is not None else None
    if row is None or row.state is RoundState.FINISHED:
        raise Refused([no.NOT_ON_A_ROUND()])
    deed.about(SubjectType.BINDING, row.binding_id)
    deed.at(firm=row.firm_id, site=row.supply_site_id, zone=row.zone_id, round=row.id)
    deed.note(round_id=row.id)
    deed.db.add(
        ZoneApproval(
            district=deed.district,
            round_id=row.id,
            order_id=order_id,
            reason=reason,
            approved_by=deed.actor.principal_id,
            approved_at=deed.recorded_at,
        )
    )
    return {"round_id": str(row.id), "order_id": str(order_id)}


# --- drive ------------------------------------------------------------------------------------------------


@does("round.drive")
def start_round(
    deed: Deed, *, round_id: UUID, plate: str | None = None, vehicle_code: str | None = None
) -> Answer:
    """The vehicle's label is scanned, or its plate read off it: the right one, a binding in force now, and
    papers that hold to the end of the shift, which lies in one day."""
    row = _own_round(deed, round_id)
    deed.note(confirmed_by="plate" if vehicle_code is None else "label")
    bound = binding_at(deed.db, row.binding_district, deed.occurred_at, courier_id=row.courier_id)
    reasons = []
    if row.day != clock.day_of(deed.occurred_at):
        reasons.append(no.NOT_TODAY(day=row.day))
    reasons += _not_that_vehicle(deed, row, plate, vehicle_code)
    if bound is None or bound.id != row.binding_id:
        reasons.append(no.NO_BINDING())
    reasons += _papers_that_lapse(deed, row)
    if reasons:
        raise Refused(reasons)
    ROUND.move(deed.db, row, "start")
    row.started_at = deed.occurred_at
    return {"round_id": str(row.id)}


def _not_that_vehicle(
    deed: Deed, row: Round, plate: str | None, vehicle_code: str | None
) -> Iterator[Refusal]:
    if vehicle_code is not None:
        scanned = vehicle_of(deed.ground.keyring, row.binding_district, vehicle_code)
        if scanned is None:
            yield no.FALSE_VEHICLE_CODE()
        elif scanned != row.vehicle_id:
            yield no.WRONG_VEHICLE()
        return
    driven = vehicle(deed.db, row.binding_district, row.vehicle_id)
    if driven is None or driven.plate != _as_stored(plate or ""):
        yield no.WRONG_VEHICLE()


def _papers_that_lapse(deed: Deed, row: Round) -> list[Refusal]:
    """A binding was judged when it was made, an open one by its first day only."""
    day = clock.day_of(deed.occurred_at)
    bound = binding_with_people(deed.db, row.binding_district, row.binding_id)
    found = crews_of(deed.db, row.binding_district, row.firm_id, day, [bound])
    law = current().at(str(deed.district), day)
    return [resting(deed, reason) for one in found for reason in paper_refusals(one.facts, day, law)]


def _as_stored(plate: str) -> str | None:
    """The plate as the registry writes it; None where it is none."""
    try:
        return check_plate(plate, motor=False).normalised
    except WrongDocument:
        return None


@does("round.drive")
def reveal_manifest(deed: Deed, *, round_id: UUID) -> Answer:
    """Say on record which households' names, phones and addresses this courier is shown, and for what."""
    row = _own_round(deed, round_id)
    if row.state is not RoundState.STARTED:
        raise Refused([no.NOT_STARTED(state=row.state)])
    order_ids = [stop.order_id for stop in queries.stops_of(deed.db, row.district, row.id)]
    households = sorted(
        deed.db.scalars(
            sa.select(Order.household_id).where(Order.district == row.district, Order.id.in_(order_ids))
        )
    )
    for household_id in households:
        deed.about(SubjectType.HOUSEHOLD, household_id)
    deed.note(revealed="manifest", households=len(households))
    if deed.db.get(ManifestReveal, (row.district, row.id)) is None:
        deed.db.add(
            ManifestReveal(
                district=row.district,
                round_id=row.id,
                revealed_by=deed.actor.principal_id,
                revealed_at=deed.recorded_at,
            )
        )
    return {"round_id": str(row.id)}


def _own_round(deed: Deed, round_id: UUID) -> Round:
    """The round, locked, of the courier who asks; anybody else's is not there."""
    row = queries.round_in_reach(deed.db, deed.doing, round_id, lock=True)
    if deed.actor.reach.kind is not ScopeKind.ALL:
        deed.actor.must_reach(courier=row.courier_id)
    deed.about(SubjectType.BINDING, row.binding_id)
    deed.at(firm=row.firm_id, site=row.supply_site_id, zone=row.zone_id, round=row.id)
    deed.note(round_id=row.id)
    return row

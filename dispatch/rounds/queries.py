"""Reads of rounds.

First the exports for the room above, plain functions of an open session; then what a plan is made of; then
the reads behind our own routes, which judge scope row by row and mask what is personal.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock, jobs
from core.doing import Doing
from core.geo import Point
from core.idempotency import Idempotency
from core.paging import Page, Pager
from core.problems import NotFound, WrongField
from core.refusal import Refusal
from core.sealed import mask_address, mask_name, mask_phone
from cylinders.models import CardHolding, Cylinder, CylinderType
from cylinders.queries import types
from dispatch.orders.models import Order, OrderLine, Slot
from dispatch.orders.queries import PlanOrder, to_plan
from dispatch.orders.states import LineState
from dispatch.rounds.models import Round, RoundChange, RoundPlan, RoundStop, ZoneApproval
from dispatch.rounds.plan_notes import notes_of
from dispatch.rounds.states import ChangeState, PlanState, RoundState
from dispatch.rounds.unfit import unfit
from dispatch.rounds.unserved import WORDS
from dispatch.rounds.zone_day import RELOAD_S, Begun, Crew, Door, seconds_into
from registry import sealing
from registry.crew_queries import BoundCrew
from registry.models import Household, Person, Premises, Zone
from registry.proxy_queries import receivers, receivers_masked
from registry.queries import site, vehicle
from registry.rosters import crews_for_zone
from routing import Plan, Reason, Unserved

PLAN_JOB = "plan.make"

# --------------------------------------------------------------------------------------------------------
# Exports


def round_of(db: Session, district: int, round_id: UUID, *, lock: bool = False) -> Round | None:
    return db.get(Round, (district, round_id), with_for_update=lock or None, populate_existing=lock)


def stop_of(db: Session, district: int, order_id: UUID) -> RoundStop | None:
    """The order's stop on the round it now stands on; a finished round has let go of its orders."""
    return db.scalars(
        sa.select(RoundStop).where(
            RoundStop.district == district, RoundStop.order_id == order_id, RoundStop.active
        )
    ).one_or_none()


def stops_of(db: Session, district: int, round_id: UUID) -> list[RoundStop]:
    """The round's stops in the order they are driven, without those it was relieved of (``changes``)."""
    of_the_round = sa.and_(Round.district == RoundStop.district, Round.id == RoundStop.round_id)
    return list(
        db.scalars(
            sa.select(RoundStop)
            .join(Round, of_the_round)
            .where(
                RoundStop.district == district,
                RoundStop.round_id == round_id,
                sa.or_(RoundStop.active, Round.state == RoundState.FINISHED),
                RoundStop.position > 0,
            )
            .order_by(RoundStop.trip, RoundStop.position)
        )
    )


def zone_approval(db: Session, district: int, round_id: UUID, order_id: UUID) -> ZoneApproval | None:
    """The dispatcher's approval to serve this order on this round outside the crew's zone."""
    return db.get(ZoneApproval, (district, round_id, order_id))


# --------------------------------------------------------------------------------------------------------
# What a plan is made of


@dataclass(frozen=True, slots=True)
class ZoneDay:
    """Where the vehicles load, whom they visit, and who drives. ``roster_id``: None where none stands.

    ``apart``: what stands against crews that are bound here and may not drive on the day.
    """

    site: Point
    doors: list[Door]
    crews: list[Crew]
    roster_id: UUID | None
    apart: list[Refusal]


def zone_in_reach(db: Session, doing: Doing, zone_id: UUID) -> Zone:
    zone = db.get(Zone, (doing.district, zone_id))
    if zone is None or not doing.actor.reach.covers(firm=zone.firm_id, district=zone.district):
        raise WrongField("/zone_id", "unknown", "没有这个片区", "expected a zone of yours")
    return zone


def has_answered(db: Session, doing: Doing) -> bool:
    """Whether this request's key has answered before: then there is nothing to solve again."""
    if doing.key is None:
        return False
    actor = doing.actor
    return db.get(Idempotency, (actor.key_district, actor.principal_id, doing.key)) is not None


def zone_day(db: Session, zone: Zone, day: date, now: datetime) -> ZoneDay:
    station = site(db, zone.supply_site_id)
    if station is None:
        raise LookupError(f"zone {zone.id}: its supply site {zone.supply_site_id} is not on file")
    on_duty = crews_for_zone(db, zone.district, zone.id, day)
    apart = unfit(db, zone, on_duty.crews, day)
    able = [crew for crew in on_duty.crews if crew.binding.id not in apart]
    return ZoneDay(
        site=Point(station.lon, station.lat),
        doors=_doors(db, zone.district, to_plan(db, zone.district, zone.id, day)),
        crews=_crews(db, zone, day, now, able),
        roster_id=on_duty.roster_id,
        apart=[reason for reasons in apart.values() for reason in reasons],
    )


def _doors(db: Session, district: int, orders: list[PlanOrder]) -> list[Door]:
    """Orders that stand on no round; what each card holds comes back, bottle for bottle."""
    taken = orders_on_rounds(db, district, [order.order_id for order in orders])
    free = [order for order in orders if order.order_id not in taken]
    return doors_of(db, district, free)


def doors_of(db: Session, district: int, orders: list[PlanOrder]) -> list[Door]:
    cards = [line.card_id for order in orders for line in order.lines]
    held, known = _models_held(db, district, cards), types(db)
    return [_door(order, held, known) for order in orders]


def _door(order: PlanOrder, held: dict[UUID, str], known: dict[str, CylinderType]) -> Door:
    return Door(
        order_id=order.order_id,
        point=order.point,
        starts_at=order.starts_at,
        ends_at=order.ends_at,
        brings=tuple(known[line.model] for line in order.lines),
        fetches=tuple(known[held[line.card_id]] for line in order.lines if line.card_id in held),
    )


def _models_held(db: Session, district: int, card_ids: Collection[UUID]) -> dict[UUID, str]:
    """Card → model of the bottle it holds; cards that hold none are left out."""
    holdings = db.execute(
        sa.select(CardHolding.card_id, CardHolding.cylinder_id).where(
            CardHolding.district == district, CardHolding.card_id.in_(card_ids), CardHolding.active
        )
    ).all()
    bottles = [holding.cylinder_id for holding in holdings]
    rows = db.execute(
        sa.select(Cylinder.cylinder_id, Cylinder.model).where(Cylinder.cylinder_id.in_(bottles))
    )
    models = {row.cylinder_id: row.model for row in rows}
    return {holding.card_id: models[holding.cylinder_id] for holding in holdings}


def orders_on_rounds(db: Session, district: int, order_ids: Collection[UUID]) -> set[UUID]:
    """Those of the orders that stand on a round now."""
    return set(
        db.scalars(
            sa.select(RoundStop.order_id).where(
                RoundStop.district == district, RoundStop.order_id.in_(order_ids), RoundStop.active
            )
        )
    )


def _crews(db: Session, zone: Zone, day: date, now: datetime, on_duty: list[BoundCrew]) -> list[Crew]:
    """The day's crews that still have time, after what applied plans already ask of them."""
    asked = asked_already(db, zone, day)
    now_s = int((now - clock.at(day)).total_seconds())
    crews = []
    for bound in on_duty:
        trips, free_s = asked.get(bound.binding.id, (0, 0))
        first_s = max(bound.from_s, zone.opens_s, now_s, free_s)
        last_s = min(bound.until_s, zone.closes_s)
        if first_s < last_s and trips < bound.vehicle.max_trips:
            crews.append(crew_of(bound, (first_s, last_s), bound.vehicle.max_trips - trips))
    return crews


def crew_of(bound: BoundCrew, shift: tuple[int, int], max_trips: int, begun: Begun | None = None) -> Crew:
    return Crew(
        binding_id=bound.binding.id,
        profile=bound.vehicle.kind.value,
        max_cylinders=bound.vehicle.max_cylinders,
        max_nominal_g=bound.vehicle.max_nominal_g,
        max_trips=max_trips,
        carries_50kg=bound.vehicle.carries_50kg,
        shift=shift,
        begun=begun or Begun(),
    )


def asked_already(db: Session, zone: Zone, day: date) -> dict[UUID, tuple[int, int]]:
    """Binding → (trips applied plans and changes gave it, second from which it is free again)."""
    rows = db.execute(
        sa.select(Round.binding_id, Round.state, RoundPlan.plan)
        .join(RoundPlan, sa.and_(RoundPlan.district == Round.district, RoundPlan.id == Round.plan_id))
        .where(
            RoundPlan.district == zone.district,
            RoundPlan.zone_id == zone.id,
            RoundPlan.day == day,
            RoundPlan.state == PlanState.APPLIED,
        )
    )
    asked: dict[UUID, tuple[int, int]] = {}
    busy = set()
    for binding_id, state, plan in rows:
        if state != RoundState.FINISHED:
            busy.add(str(binding_id))
        own = [trip for trip in plan["trips"] if trip["vehicle"] == str(binding_id)]
        until_s = _free_s(own) if state != RoundState.FINISHED else 0
        trips, free_s = asked.get(binding_id, (0, 0))
        asked[binding_id] = (trips + len(own), max(free_s, until_s))
    for change in _changes_applied(db, zone, day):
        for binding, first in change.firsts.items():
            own = [trip for trip in change.plan["trips"] if trip["vehicle"] == binding]
            trips, free_s = asked.get(UUID(binding), (0, 0))
            until_s = _free_s(own) if binding in busy else 0
            asked[UUID(binding)] = (max(trips, first - 1 + len(own)), max(free_s, until_s))
    return asked


def _free_s(trips: list[dict[str, Any]]) -> int:
    """The second from which a vehicle may be loaded again after these trips."""
    return max((int(trip["return_s"]) + RELOAD_S for trip in trips), default=0)


def _changes_applied(db: Session, zone: Zone, day: date) -> list[RoundChange]:
    return list(
        db.scalars(
            sa.select(RoundChange)
            .where(
                RoundChange.district == zone.district,
                RoundChange.zone_id == zone.id,
                RoundChange.day == day,
                RoundChange.state == ChangeState.APPLIED,
            )
            .order_by(RoundChange.recorded_at, RoundChange.id)
        )
    )


def unserved_to_plain(unserved: Iterable[Unserved]) -> list[dict[str, str]]:
    return [{"order_id": left.stop, "code": left.reason.value} for left in unserved]


# --------------------------------------------------------------------------------------------------------
# Behind our own routes


def plan(doing: Doing, plan_id: UUID) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        row = plan_in_reach(db, doing, plan_id)
        return {**_plan_view(row), "apart": _apart(db, doing, row)}


def _apart(db: Session, doing: Doing, row: RoundPlan) -> list[dict[str, Any]]:
    """Crews of the zone that a plan leaves out, and why, as it stands now; nothing of a plan that is past."""
    if row.state is not PlanState.PROPOSED:
        return []
    zone = db.get_one(Zone, (row.district, row.zone_id))
    crews = crews_for_zone(db, row.district, row.zone_id, row.day).crews
    return [
        {"binding_id": binding_id, "reasons": [reason.worded(doing.actor.audience) for reason in reasons]}
        for binding_id, reasons in unfit(db, zone, crews, row.day).items()
    ]


def plan_in_reach(db: Session, doing: Doing, plan_id: UUID) -> RoundPlan:
    found = db.get(RoundPlan, (doing.district, plan_id))
    if found is None:
        raise NotFound
    doing.actor.must_reach(firm=found.firm_id, district=found.district)
    return found


def _plan_view(row: RoundPlan) -> dict[str, Any]:
    solved = Plan.from_plain(row.plan)
    names = ("id", "zone_id", "day", "wave", "state", "engine", "seed", "iterations", "recorded_at")
    sums = ("travel_s", "distance_m", "travel_times", "roster_id")
    return {
        **{name: getattr(row, name) for name in (*names, *sums)},
        "stopped": solved.stopped.value,
        "notes": notes_of(solved),
        "trips": trips_view(solved, row.day),
        "unserved": [worded(left) for left in row.unserved],
    }


def trips_view(solved: Plan, day: date) -> list[dict[str, Any]]:
    midnight = clock.at(day)

    def at(second: int) -> datetime:
        return midnight + timedelta(seconds=second)

    return [
        {
            "binding_id": trip.vehicle,
            "number": trip.number,
            "leave_at": at(trip.leave_s),
            "return_at": at(trip.return_s),
            "load_units": trip.load,
            "stops": [
                {"order_id": visit.stop, "arrive_at": at(visit.arrive_s), "start_at": at(visit.start_s)}
                for visit in trip.visits
            ],
        }
        for trip in solved.trips
    ]


def job_in_reach(db: Session, doing: Doing, job_id: UUID, kind: str) -> jobs.Job:
    """404 for a job of another kind: it is asked about at another address."""
    found = db.get(jobs.Job, (doing.district, job_id))
    if found is None or found.kind != kind:
        raise NotFound
    doing.actor.must_reach(firm=found.firm_id, district=found.district)
    return found


def plan_job(doing: Doing, job_id: UUID) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        return job_view(doing, job_in_reach(db, doing, job_id, PLAN_JOB))


def job_view(doing: Doing, job: jobs.Job) -> dict[str, Any]:
    asked = {name: job.asked[name] for name in ("zone_id", "day", "wave")}
    return {**how_it_stands(doing, job), **asked, "plan_id": job.result_id}


def how_it_stands(doing: Doing, job: jobs.Job) -> dict[str, Any]:
    """Of any job; when refused, every reason in the words of whoever asks."""
    names = ("id", "state", "step", "refusal_no", "fault", "recorded_at", "started_at", "ended_at")
    refusals = [Refusal.from_plain(row) for row in job.reasons or ()]
    return {
        **{name: getattr(job, name) for name in names},
        "reasons": [refusal.worded(doing.actor.audience) for refusal in refusals],
    }


def worded(left: dict[str, str]) -> dict[str, str]:
    words = WORDS[Reason(left["code"])]
    return {**left, "zh": words.zh, "en": words.en}


def round_in_reach(db: Session, doing: Doing, round_id: UUID, *, lock: bool = False) -> Round:
    """404 where there is none, or it is neither the caller's own, nor of the caller's firm, site or place."""
    found = round_of(db, doing.district, round_id, lock=lock)
    if found is None:
        raise NotFound
    doing.actor.must_reach(
        courier=found.courier_id, firm=found.firm_id, site=found.supply_site_id, district=found.district
    )
    return found


def approval(doing: Doing, round_id: UUID, order_id: UUID) -> ZoneApproval:
    with doing.ground.sessions() as db:
        return db.get_one(ZoneApproval, (doing.district, round_id, order_id))


def rounds(doing: Doing, *, day: date | None, limit: int, cursor: str | None) -> Page:
    """The caller's own rounds, the firm's or the district's; without their stops."""
    reach = doing.actor.reach
    query = sa.select(Round).where(Round.district == doing.district)
    columns = {"courier": Round.courier_id, "firm": Round.firm_id, "site": Round.supply_site_id}
    if reach.kind.value in columns:
        query = query.where(columns[reach.kind.value] == UUID(reach.code))
    elif reach.kind.value not in ("all", "district"):
        raise NotFound
    if day is not None:
        query = query.where(Round.day == day)
    pager = Pager(
        doing.ground.keyring.signing.current_key,
        f"rounds:{doing.district}:{day}:{reach.kind.value}:{reach.code}",
    )
    with doing.ground.sessions() as db:
        page = pager.page(
            db,
            query,
            Round.recorded_at.expression,
            Round.id.expression,
            limit=limit,
            cursor=cursor,
            position=lambda row: (row.Round.recorded_at, row.Round.id),
        )
        return Page([_round_view(db, row.Round) for row in page.items], page.next_cursor)


def one_round(doing: Doing, round_id: UUID) -> dict[str, Any]:
    """The round and its stops in order; names, phones and addresses masked."""
    with doing.ground.sessions() as db:
        found = round_in_reach(db, doing, round_id)
        return {**_round_view(db, found), "stops": _stops(db, doing, found, masked=True)}


def manifest(doing: Doing, round_id: UUID) -> dict[str, Any]:
    """The round as its courier needs it on the road; on a repeat, opened only while it is driven."""
    with doing.ground.sessions() as db:
        found = round_in_reach(db, doing, round_id)
        masked = found.state is not RoundState.STARTED
        return {**_round_view(db, found), "stops": _stops(db, doing, found, masked=masked)}


def _round_view(db: Session, row: Round) -> dict[str, Any]:
    driven = vehicle(db, row.binding_district, row.vehicle_id)
    names = ("id", "plan_id", "firm_id", "zone_id", "day", "state", "binding_id", "courier_id", "vehicle_id")
    return {
        **{name: getattr(row, name) for name in (*names, "supply_site_id", "recorded_at")},
        "plate": driven and driven.plate,
    }


def _stops(db: Session, doing: Doing, row: Round, *, masked: bool) -> list[dict[str, Any]]:
    stops = stops_of(db, row.district, row.id)
    order_ids = [stop.order_id for stop in stops]
    lines = _lines_by_order(db, row.district, order_ids)
    people = _people(db, doing, row.district, order_ids, masked=masked)
    named = {} if masked else _receivers(db, doing, row, order_ids)
    return [
        {
            "order_id": stop.order_id,
            "trip": stop.trip,
            "position": stop.position,
            "arrive_at": stop.arrive_at,
            "lines": lines.get(stop.order_id, []),
            **people[stop.order_id],
            **({} if masked else {"receivers": named.get(stop.order_id, [])}),
        }
        for stop in stops
    ]


def _receivers(
    db: Session, doing: Doing, row: Round, order_ids: Collection[UUID]
) -> dict[UUID, list[dict[str, Any]]]:
    """Order → by which consents somebody else may receive on the round's day, each with a masked name."""
    orders = db.scalars(sa.select(Order).where(Order.district == row.district, Order.id.in_(order_ids)))
    homes = {order.id: (order.household_id, order.person_id) for order in orders}
    named = receivers(db, row.district, set(homes.values()), row.day)
    masked = receivers_masked(db, doing.ground, [one for some in named.values() for one in some])
    return {
        order_id: [
            {"consent_id": one.id, "name_masked": masked[one.id]} for one in named[home] if one.id in masked
        ]
        for order_id, home in homes.items()
    }


def moved_since(db: Session, row: RoundPlan | RoundChange, order_ids: Collection[UUID]) -> set[UUID]:
    """Those of the orders whose slot is another than the one this plan or change promised."""
    promised = {
        UUID(stop["id"]): (stop["window"][0], stop.get("due_s") or stop["window"][1])
        for stop in row.problem["stops"]
    }
    rows = db.execute(
        sa.select(Order.id, Slot.starts_at, Slot.ends_at)
        .join(Slot, sa.and_(Slot.district == Order.district, Slot.id == Order.slot_id))
        .where(Order.district == row.district, Order.id.in_(order_ids))
    ).all()
    now = {one.id: tuple(seconds_into(row.day, at) for at in (one.starts_at, one.ends_at)) for one in rows}
    return {order_id for order_id, span in now.items() if promised.get(order_id) != span}


def lines_of(
    db: Session, district: int, order_ids: Collection[UUID], *, lock: bool = False
) -> list[OrderLine]:
    """Every line of these orders, ascending id. ``lock``: FOR UPDATE, in that order."""
    query = (
        sa.select(OrderLine)
        .where(OrderLine.district == district, OrderLine.order_id.in_(order_ids))
        .order_by(OrderLine.id)
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return list(db.scalars(query))


def _lines_by_order(
    db: Session, district: int, order_ids: Collection[UUID]
) -> dict[UUID, list[dict[str, Any]]]:
    found: dict[UUID, list[dict[str, Any]]] = {}
    for line in lines_of(db, district, order_ids):
        if line.state is not LineState.CANCELLED:
            found.setdefault(line.order_id, []).append(
                {"line_id": line.id, "cylinder_model": line.cylinder_model, "state": line.state}
            )
    return found


def _people(
    db: Session, doing: Doing, district: int, order_ids: Collection[UUID], *, masked: bool
) -> dict[UUID, dict[str, Any]]:
    """Order → address, name and phone, and where the door is. The point is left out while masked."""
    rows = db.execute(
        sa.select(Order.id, Household, Premises, Order.person_id)
        .join(Household, sa.and_(Household.district == Order.district, Household.id == Order.household_id))
        .join(Premises, sa.and_(Premises.district == Order.district, Premises.id == Order.premises_id))
        .where(Order.district == district, Order.id.in_(order_ids))
        .order_by(Order.id)
    ).all()
    registrants = {
        person.person_id: person
        for person in db.scalars(sa.select(Person).where(Person.person_id.in_([row[3] for row in rows])))
    }
    sealed = []
    for _, household, _, person_id in rows:
        person = registrants[person_id]
        sealed += [sealing.address_of(household), sealing.name_of(person), sealing.phone_of(person)]
    texts = iter(sealing.all_opened(db, doing.ground, sealed))
    found: dict[UUID, dict[str, Any]] = {}
    for order_id, household, premises, _ in rows:
        shown: dict[str, Any] = {"household_id": household.id}
        for name, mask in (("address", mask_address), ("name", mask_name), ("phone", mask_phone)):
            text = next(texts)
            shown[name] = mask(text) if masked and text is not None else text
        if not masked:
            shown["point"] = {"lon": premises.lon, "lat": premises.lat, "datum": "wgs84"}
        found[order_id] = shown
    return found

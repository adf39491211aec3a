"""Verbs of the roster (排班): have it proposed, change it by hand, confirm it as a second step.

A proposal is worked out by the worker in a child process and binds nobody. A change says at once what stands
against it. Confirming judges every line again; a crew that works in another zone than its own is bound there
for that shift, so that whoever asks later who drove where is answered by the bindings, as always.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import rfc8785
import shapely
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from core import clock, jobs
from core.doing import Doing
from core.geo import Point, distance_m
from core.ids import new_id
from core.machine import ILLEGAL_MOVE
from core.problems import WrongField
from core.refusal import Refusal, Refused
from cylinders.queries import types
from dispatch.orders.queries import PlanOrder, to_plan, usual_orders
from dispatch.rounds import queries
from dispatch.rounds import refusals as no
from dispatch.rounds import roster_queries as seen
from dispatch.rounds.models import Round
from dispatch.rounds.roster_needs import Asked, needs_of, way_s
from dispatch.rounds.solving import roster_apart
from dispatch.rounds.states import RoundState
from dispatch.rounds.zone_day import seconds_into
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import roster_refusals as no_roster
from registry.crew_queries import ids_bound_on
from registry.mentions import my_home_firm, resting
from registry.models import Binding, Staff, StaffKind, Zone
from registry.queries import site
from registry.roster_gate import CrewFacts, Shift, day_refusals, shift_refusals
from registry.roster_models import Roster
from registry.rosters import RosterCrew, confirmed_roster, crews_on, shift_of
from registry.states import ROSTER, RosterState
from registry.substitutions import part_of
from registry.zone_checks import Plane
from registry.zone_queries import zone_set_at
from registry.zones import areas_of
from routing import Crew, Need
from routing import Roster as Solved
from rulebook import current
from rulebook.edition import Law

ROSTER_JOB = "roster.propose"
WEEKS_LOOKED_BACK = 4
PLAIN_TRIP_UNITS = 8

Line = Mapping[str, Any]


# --- ask, cancel, do ----------------------------------------------------------------------------------------


@does("roster.propose")
def ask_roster(
    deed: Deed, *, firm_id: UUID, day: date, shifts: Sequence[Mapping[str, int]], seed: int
) -> Answer:
    """Have a roster worked out, one of a firm and day at a time; what stands stays until it is confirmed."""
    firm = my_home_firm(deed, firm_id)
    _must_be_shifts(shifts)
    asked = {
        "firm_id": str(firm.id),
        "day": day.isoformat(),
        "shifts": [dict(shift) for shift in shifts],
        "seed": seed,
    }
    lock = f"{ROSTER_JOB}:{deed.district}:{firm.id}:{day}"
    job = jobs.ask(deed.db, deed.doing, ROSTER_JOB, asked, firm_id=firm.id, lock=lock)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=firm.id)
    deed.note(job_id=job.id, day=day)
    return {"job_id": str(job.id)}


def _must_be_shifts(shifts: Sequence[Mapping[str, int]]) -> None:
    for position, shift in enumerate(shifts):
        if shift["until_s"] <= shift["from_s"]:
            raise WrongField(
                f"/shifts/{position}/until_s",
                "order",
                "班次结束应晚于开始",
                "expected the shift to end after it begins",
            )


@does("roster.propose")
def cancel_roster(deed: Deed, *, job_id: UUID) -> Answer:
    """Nobody waits for it any more; rosters that stand stay as they are."""
    asked = queries.job_in_reach(deed.db, deed.doing, job_id, ROSTER_JOB)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=asked.firm_id)
    deed.note(job_id=job_id, cancelled=True)
    jobs.cancel(deed.db, deed.district, job_id)
    return {"job_id": str(job_id)}


@dataclass(frozen=True, slots=True)
class Proposed:
    """A roster to keep, or the reasons why there is none; neither where this key has answered before."""

    firm_id: UUID
    day: date
    shifts: Sequence[Shift] = ()
    seed: int = 0
    refusals: tuple[Refusal, ...] = ()
    needs: Sequence[Mapping[str, Any]] = ()
    apart: Sequence[Mapping[str, Any]] = ()
    solved: Solved | None = None


def do_roster_job(job: jobs.Running) -> None:
    """In the worker: for whoever asked, under a key of the job's own."""
    doing, asked = job.doing(), job.asked
    firm_id, day = UUID(asked["firm_id"]), date.fromisoformat(asked["day"])
    shifts = [Shift(**shift) for shift in asked["shifts"]]
    with doing.ground.sessions() as db:
        answered = queries.has_answered(db, doing)
    if answered:
        proposed = Proposed(firm_id, day)
    else:
        job.say("collecting")
        proposed = propose(doing, firm_id, day, shifts, asked["seed"], job)
    keep_roster(doing, proposed, job.id)


# --- propose ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ground:
    """What a roster is made from: crews, the firm's zones with their middles and ways, and what they ask."""

    crews: list[RosterCrew]
    unbound: list[UUID]
    zones: list[Zone]
    middles: Mapping[UUID, Any]
    needs: list[dict[str, Any]]


def propose(
    doing: Doing, firm_id: UUID, day: date, shifts: Sequence[Shift], seed: int, job: jobs.Running
) -> Proposed:
    if day < clock.today():
        return Proposed(firm_id, day, refusals=(no.DAY_PAST(day=day),))
    law = current().at(str(doing.district), day)
    with doing.ground.sessions() as db:
        ground = _ground(db, doing.district, firm_id, day, shifts)
    apart = [
        _apart(one.bound.courier.id, one.bound.binding.id, reasons)
        for one in ground.crews
        if (reasons := list(day_refusals(one.facts, day, law)))
    ]
    apart += [_apart(courier_id, None, [no_roster.NOT_BOUND(day=day)]) for courier_id in ground.unbound]
    able = [one for one in ground.crews if not any(day_refusals(one.facts, day, law))]
    reasons = []
    if not able:
        reasons.append(no_roster.NO_CREW_TO_ROSTER(day=day))
    if not ground.zones:
        reasons.append(no_roster.NO_ZONES(day=day))
    if reasons:
        return Proposed(firm_id, day, refusals=tuple(reasons))
    job.say("solving")
    solved = roster_apart(_crews_to_assign(ground, able, shifts), _needs_to_fill(ground), seed, job.is_wanted)
    return Proposed(firm_id, day, shifts, seed, (), ground.needs, apart, solved)


def _apart(courier_id: UUID, binding_id: UUID | None, reasons: list[Refusal]) -> dict[str, Any]:
    return {
        "courier_id": str(courier_id),
        "binding_id": binding_id and str(binding_id),
        "reasons": [reason.to_plain() for reason in reasons],
    }


def _ground(db: Session, district: int, firm_id: UUID, day: date, shifts: Sequence[Shift]) -> Ground:
    crews = crews_on(db, district, firm_id, day)
    zones = zones_of_firm(db, district, firm_id, day, [one.bound.binding.zone_district for one in crews])
    known = {zone.id: area for zone, area in zones}
    for zone_id in {one.bound.binding.zone_id for one in crews} - known.keys():
        known |= _former_zone(db, zone_id)
    middles = {}
    if known:
        plane = Plane(shapely.union_all(list(known.values())).centroid)
        middles = {zone_id: plane.metres(area.centroid) for zone_id, area in known.items()}
    bound = {one.bound.courier.id for one in crews}
    couriers = db.scalars(
        sa.select(Staff.id).where(
            Staff.district == district, Staff.firm_id == firm_id, Staff.kind == StaffKind.COURIER
        )
    )
    return Ground(
        crews=crews,
        unbound=sorted(set(couriers) - bound),
        zones=[zone for zone, _ in zones],
        middles=middles,
        needs=_needs(db, zones, crews, day, shifts),
    )


def zones_of_firm(
    db: Session, district: int, firm_id: UUID, day: date, districts: Sequence[int]
) -> list[tuple[Zone, Any]]:
    """The firm's zones of that day, with their ground, at home and wherever its crews are bound."""
    found = []
    for one in sorted({district, *districts}):
        standing = zone_set_at(db, one, day)
        if standing is not None:
            found += [(zone, area) for zone, area in areas_of(db, standing) if zone.firm_id == firm_id]
    return found


def _former_zone(db: Session, zone_id: UUID) -> dict[UUID, Any]:
    """Of a set that is no longer in force: a crew still bound to it knows its way there."""
    zone = db.scalars(sa.select(Zone).where(Zone.id == zone_id)).first()
    return {zone_id: shapely.geometry.shape(zone.outline)} if zone is not None else {}


def _needs(
    db: Session, zones: list[tuple[Zone, Any]], crews: list[RosterCrew], day: date, shifts: Sequence[Shift]
) -> list[dict[str, Any]]:
    trip_units = min((one.bound.vehicle.max_cylinders for one in crews), default=PLAIN_TRIP_UNITS)
    days = [day - timedelta(weeks=back) for back in range(1, WEEKS_LOOKED_BACK + 1)]
    known, found = types(db), []
    for zone, area in zones:
        station = site(db, zone.supply_site_id)
        middle = Point(area.centroid.x, area.centroid.y)
        way = way_s(distance_m(Point(station.lon, station.lat), middle)) if station is not None else 0
        asked = [_asked(order, known, day) for order in to_plan(db, zone.district, zone.id, day)]
        usual = round(usual_orders(db, zone.district, zone.id, days) / len(days))
        found += [
            {
                "zone_district": zone.district,
                "zone_id": str(zone.id),
                "shift": one.shift,
                "orders": one.orders,
                "crews": one.crews,
                "trucks": one.trucks,
            }
            for one in needs_of(asked, usual, shifts, way, trip_units)
        ]
    return found


def _asked(order: PlanOrder, known: Mapping[str, Any], day: date) -> Asked:
    kinds = [known[line.model] for line in order.lines]
    return Asked(
        from_s=seconds_into(day, order.starts_at),
        until_s=seconds_into(day, order.ends_at),
        bottles=len(kinds),
        units=sum(kind.units for kind in kinds),
        needs_truck=any(kind.needs_truck for kind in kinds),
    )


def _crews_to_assign(ground: Ground, able: list[RosterCrew], shifts: Sequence[Shift]) -> list[Crew]:
    return [
        Crew(
            id=str(one.bound.binding.id),
            x_m=float(ground.middles[one.bound.binding.zone_id].x),
            y_m=float(ground.middles[one.bound.binding.zone_id].y),
            has_truck=one.bound.vehicle.carries_50kg,
            zone=str(one.bound.binding.zone_id),
            shifts=frozenset(n for n, shift in enumerate(shifts) if _covers(one.facts, shift)),
        )
        for one in able
        if one.bound.binding.zone_id in ground.middles
    ]


def _covers(facts: CrewFacts, shift: Shift) -> bool:
    return facts.from_s <= shift.from_s and facts.until_s >= shift.until_s


def _needs_to_fill(ground: Ground) -> list[Need]:
    return [
        Need(
            zone=need["zone_id"],
            shift=need["shift"],
            x_m=float(ground.middles[UUID(need["zone_id"])].x),
            y_m=float(ground.middles[UUID(need["zone_id"])].y),
            crews=need["crews"],
            trucks=need["trucks"],
        )
        for need in ground.needs
    ]


@does("roster.propose")
def keep_roster(deed: Deed, proposed: Proposed, job_id: UUID) -> Answer:
    """The job that asked for it is done in this same deed; cancelled meanwhile, nothing is kept."""
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=proposed.firm_id)
    deed.note(day=proposed.day)
    if proposed.refusals:
        raise Refused(proposed.refusals)
    solved = proposed.solved
    if solved is None:
        raise LookupError("expected this key's earlier answer, found none")
    district_of = {need["zone_id"]: need["zone_district"] for need in proposed.needs}
    row = Roster(
        district=deed.district,
        id=new_id(),
        firm_id=proposed.firm_id,
        day=proposed.day,
        shifts=[{"from_s": shift.from_s, "until_s": shift.until_s} for shift in proposed.shifts],
        needs=list(proposed.needs),
        lines=[_line(line.crew, district_of[line.zone], line.zone, line.shift) for line in solved.lines],
        apart=list(proposed.apart),
        moved_m=solved.moved_m,
        optimal=solved.optimal,
        seed=proposed.seed,
        proposed_by=deed.actor.principal_id,
        recorded_at=deed.recorded_at,
        state=RosterState.PROPOSED,
    )
    deed.db.add(row)
    deed.db.flush()
    deed.note(roster_id=row.id, lines=len(row.lines), apart=len(row.apart), moved_m=row.moved_m)
    jobs.finish(deed.db, deed.district, job_id, row.id)
    return {"roster_id": str(row.id)}


def _line(binding_id: str, zone_district: int, zone_id: str, shift: int) -> dict[str, Any]:
    return {"binding_id": binding_id, "zone_district": zone_district, "zone_id": zone_id, "shift": shift}


# --- change -------------------------------------------------------------------------------------------------


@does("roster.change")
def change_roster(
    deed: Deed, *, roster_id: UUID, binding_id: UUID, zone_id: UUID | None = None, shift: int | None = None
) -> Answer:
    """Put this crew into a zone's shift, or take it off the roster; only while the roster is a proposal."""
    row = _locked(deed, roster_id)
    deed.note(binding_id=binding_id, zone_id=zone_id, shift=shift)
    if not ROSTER.can("confirm", row.state):
        raise Refused([ILLEGAL_MOVE(thing=ROSTER.thing, state=row.state, move="change")])
    crew = next((one for one in _crews(deed, row) if one.bound.binding.id == binding_id), None)
    if crew is None:
        raise WrongField(
            "/binding_id", "unknown", "当天没有这组人车", "expected a crew bound on the roster's day"
        )
    lines = [line for line in row.lines if line["binding_id"] != str(binding_id)]
    if zone_id is not None and shift is not None:
        zone = _zone_named(deed, row, zone_id)
        if shift >= len(row.shifts):
            raise WrongField("/shift", "unknown", "没有这个班次", "expected one of the roster's shifts")
        reasons = list(_against(deed, row, crew, shift))
        if reasons:
            raise Refused(reasons)
        lines.append(_line(str(binding_id), zone.district, str(zone.id), shift))
    row.lines = sorted(lines, key=lambda line: str(line["binding_id"]))
    return {"roster_id": str(row.id)}


def _zone_named(deed: Deed, row: Roster, zone_id: UUID) -> Zone:
    asked = {need["zone_id"]: need["zone_district"] for need in row.needs}
    zone = deed.db.get(Zone, (asked.get(str(zone_id), 0), zone_id))
    if zone is None:
        raise WrongField("/zone_id", "unknown", "没有这个片区", "expected a zone of this roster")
    return zone


def _locked(deed: Deed, roster_id: UUID) -> Roster:
    """The proposal, locked, of a firm of one's own."""
    found = seen.roster_in_reach(deed.db, deed.doing, roster_id)
    row = deed.db.get_one(Roster, (deed.district, found.id), with_for_update=True, populate_existing=True)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=row.firm_id)
    deed.note(roster_id=row.id, day=row.day)
    return row


def _crews(deed: Deed, row: Roster) -> list[RosterCrew]:
    return crews_on(deed.db, row.district, row.firm_id, row.day)


def _law(deed: Deed, row: Roster) -> Law:
    return current().at(str(deed.district), row.day)


def _against(deed: Deed, row: Roster, crew: RosterCrew, shift: int) -> Sequence[Refusal]:
    law = _law(deed, row)
    return [
        resting(deed, reason).about(binding_id=crew.bound.binding.id)
        for reason in shift_refusals(crew.facts, shift_of(row, shift), row.day, law)
    ]


# --- confirm ------------------------------------------------------------------------------------------------


@does("roster.confirm")
def confirm_roster(deed: Deed, *, roster_id: UUID) -> Answer:
    """From now on the day's plans go by it. One that stood for the day is replaced."""
    row = _locked(deed, roster_id)
    deed.note(lines=len(row.lines), sha256=hashlib.sha256(rfc8785.dumps(row.lines)).hexdigest())
    crews = _locked_crews(deed, row)
    reasons = [*_reasons_of_lines(deed, row, crews), *_rounds_left(deed, row, crews)]
    if row.day < clock.day_of(deed.recorded_at):
        reasons.append(no.DAY_PAST(day=row.day))
    if reasons:
        raise Refused(reasons)
    before = confirmed_roster(deed.db, row.firm_id, row.day)
    if before is not None and before.id != row.id:
        deed.note(replaces=before.id)
        ROSTER.move(deed.db, before, "replace")
    row.lines = [_where_it_works(deed, row, crews, line) for line in row.lines]
    row.confirmed_by, row.confirmed_at = deed.actor.principal_id, deed.recorded_at
    ROSTER.move(deed.db, row, "confirm")
    return {"roster_id": str(row.id)}


def _locked_crews(deed: Deed, row: Roster) -> dict[UUID, RosterCrew]:
    """Every crew of the firm that day, on the roster or off it, their bindings locked.

    A plan locks the bindings that it gives rounds to. So either it is known here what rounds a crew off the
    roster has, or the plan knows that the crew is off.
    """
    lines = {UUID(line["binding_id"]) for line in row.lines}
    locked: set[UUID] = set()
    while not (wanted := lines | ids_bound_on(deed.db, deed.district, row.day, row.firm_id)) <= locked:
        _lock_bindings(deed, sorted(wanted))
        locked = wanted
    return {one.bound.binding.id: one for one in _crews(deed, row)}


def _lock_bindings(deed: Deed, binding_ids: Sequence[UUID]) -> None:
    deed.db.execute(
        sa.select(Binding.id)
        .where(Binding.district == deed.district, Binding.id.in_(binding_ids))
        .order_by(Binding.id)
        .with_for_update()
    )


def _reasons_of_lines(deed: Deed, row: Roster, crews: Mapping[UUID, RosterCrew]) -> list[Refusal]:
    reasons: list[Refusal] = []
    for line in row.lines:
        crew = crews.get(UUID(line["binding_id"]))
        if crew is None:
            reasons.append(no_roster.CREW_GONE().about(binding_id=line["binding_id"]))
        else:
            reasons += _against(deed, row, crew, line["shift"])
    return reasons


def _rounds_left(deed: Deed, row: Roster, crews: Mapping[UUID, RosterCrew]) -> list[Refusal]:
    """Crews with rounds of that day still to be driven, that would be off the roster or in another zone.

    Whoever is lent to another zone has another binding from then on: rounds of later days would lose theirs.
    """
    kept = [
        UUID(line["binding_id"])
        for line in row.lines
        if (crew := crews.get(UUID(line["binding_id"]))) is None
        or str(crew.bound.binding.zone_id) == line["zone_id"]
    ]
    lent = {UUID(line["binding_id"]) for line in row.lines} - set(kept)
    left: dict[UUID, list[UUID]] = {}
    for round in deed.db.scalars(
        sa.select(Round)
        .where(
            Round.firm_id == row.firm_id,
            Round.state != RoundState.FINISHED,
            sa.or_(
                sa.and_(Round.day == row.day, Round.binding_id.not_in(kept)),
                sa.and_(Round.day > row.day, Round.binding_id.in_(lent)),
            ),
        )
        .order_by(Round.id)
    ):
        left.setdefault(round.binding_id, []).append(round.id)
    return [
        no_roster.ROUNDS_LEFT(rounds=rounds).about(binding_id=binding_id)
        for binding_id, rounds in left.items()
    ]


def _where_it_works(deed: Deed, row: Roster, crews: Mapping[UUID, RosterCrew], line: Line) -> dict[str, Any]:
    """The line as it stands; in another zone than the crew's own, by a binding there for the shift.

    Of a shift that has begun, for what is left of it: what was driven already rests on the binding it had.
    """
    binding = crews[UUID(line["binding_id"])].bound.binding
    if str(binding.zone_id) == line["zone_id"]:
        return dict(line)
    shift = shift_of(row, line["shift"])
    midnight = clock.at(row.day)
    from_at = max(midnight + timedelta(seconds=shift.from_s), deed.recorded_at)
    until_at = midnight + timedelta(seconds=shift.until_s)
    if until_at <= from_at:
        return dict(line)
    upper = binding.span.upper
    binding.span = Range(empty=True) if binding.span.lower == from_at else Range(binding.span.lower, from_at)
    deed.db.flush()
    lent = part_of(deed, binding, Range(from_at, until_at))
    lent.zone_district, lent.zone_id = int(line["zone_district"]), UUID(line["zone_id"])
    parts = [lent]
    if upper is None or until_at < upper:
        parts.append(part_of(deed, binding, Range(until_at, upper)))
    for part in (binding, *parts):
        deed.about(SubjectType.BINDING, part.id)
    deed.db.add_all(parts)
    deed.db.flush()
    return dict(line) | {"binding_id": str(lent.id)}

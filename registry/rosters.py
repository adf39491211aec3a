"""Who works when: absences, the facts by which a crew may be rostered, and the roster a day goes by.

What a roster is proposed from, and when it is changed and confirmed, stands two floors up
(``dispatch/rounds/roster.py``): it needs orders and a solver.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import ScopeKind
from core.doing import Doing
from core.ids import new_id
from core.problems import NotFound, WrongField
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry.crew_queries import BoundCrew, BoundPeople, bindings_for_zone, bindings_on
from registry.mentions import my_home_firm, unknown
from registry.models import Binding, Firm, LicenceKind, Staff, Training, Vehicle, Zone
from registry.queries import licence_span
from registry.roster_gate import CrewFacts, Shift
from registry.roster_models import Absence, AbsenceReason, Roster
from registry.states import RosterState

# --- absences -----------------------------------------------------------------------------------------------


@does("absence.enter")
def enter_absence(
    deed: Deed,
    *,
    firm_id: UUID,
    reason: AbsenceReason,
    from_on: date,
    until_on: date,
    staff_id: UUID | None = None,
    vehicle_id: UUID | None = None,
) -> Answer:
    """A courier or a vehicle is away. Standing bindings and rosters stay: a proposal from now on knows it."""
    firm = my_home_firm(deed, firm_id)
    if until_on < from_on:
        raise WrongField("/until_on", "order", "结束日应不早于开始日", "expected a day not before from_on")
    if until_on < clock.day_of(deed.recorded_at):
        raise WrongField("/until_on", "past", "这些日子已经过去", "expected days that are not all gone by")
    member = deed.db.get(Staff, (deed.district, staff_id)) if staff_id is not None else None
    driven = deed.db.get(Vehicle, (deed.district, vehicle_id)) if vehicle_id is not None else None
    if staff_id is not None and (member is None or member.firm_id != firm.id):
        raise unknown("/staff_id")
    if vehicle_id is not None and (driven is None or driven.firm_id != firm.id):
        raise unknown("/vehicle_id")
    row = Absence(
        district=deed.district,
        id=new_id(),
        firm_id=firm.id,
        staff_id=staff_id,
        vehicle_id=vehicle_id,
        reason=reason,
        from_on=from_on,
        until_on=until_on,
        entered_by=deed.actor.principal_id,
        recorded_at=deed.recorded_at,
        withdrawn_at=None,
    )
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=firm.id)
    # Why somebody is away (sick) stays in the row: the entry outlives everything.
    deed.note(absence_id=row.id, from_on=from_on, until_on=until_on)
    deed.db.add(row)
    return {"absence_id": str(row.id)}


@does("absence.enter")
def withdraw_absence(deed: Deed, absence_id: UUID) -> Answer:
    """They are back, or it was a mistake. Withdrawn twice, it stands withdrawn as it was first."""
    row = deed.db.get(Absence, (deed.district, absence_id), with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound
    deed.actor.must_reach(firm=row.firm_id, district=deed.district)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=row.firm_id)
    deed.note(absence_id=row.id, withdrawn=row.withdrawn_at is None)
    row.withdrawn_at = row.withdrawn_at or deed.recorded_at
    return {"absence_id": str(row.id)}


def absence_view(doing: Doing, absence_id: UUID) -> Absence:
    with doing.ground.sessions() as db:
        return db.get_one(Absence, (doing.district, absence_id))


def absences(doing: Doing, *, from_on: date, until_on: date) -> list[Absence]:
    """Those that touch these days and were not withdrawn, of one's own firm or of the district's firms."""
    firm_id = firm_in_reach(doing)
    with doing.ground.reads() as db:
        return list(
            db.scalars(
                _away(doing.district, from_on, until_on)
                .where(sa.true() if firm_id is None else Absence.firm_id == firm_id)
                .order_by(Absence.from_on, Absence.id)
            )
        )


def _away(district: int, from_on: date, until_on: date) -> sa.Select[Absence]:
    return sa.select(Absence).where(
        Absence.district == district,
        Absence.withdrawn_at.is_(None),
        Absence.from_on <= until_on,
        Absence.until_on >= from_on,
    )


def firm_in_reach(doing: Doing) -> UUID | None:
    """The caller's firm; None: every firm's of the district."""
    match doing.actor.reach.kind:
        case ScopeKind.FIRM:
            return UUID(doing.actor.reach.code)
        case ScopeKind.ALL | ScopeKind.DISTRICT:
            return None
    raise NotFound


# --- who may be rostered ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RosterCrew:
    bound: BoundPeople
    facts: CrewFacts


def crews_on(db: Session, district: int, firm_id: UUID, day: date) -> list[RosterCrew]:
    """Every crew of the firm bound at some time of the day, with what the gate asks; in few statements."""
    return crews_of(db, district, firm_id, day, bindings_on(db, district, day, firm_id))


def crews_of(
    db: Session, district: int, firm_id: UUID, day: date, bound: Sequence[BoundPeople]
) -> list[RosterCrew]:
    trained = set(
        db.scalars(
            sa.select(Training.staff_id).where(
                Training.district == district,
                Training.staff_id.in_([one.courier.id for one in bound]),
                Training.trained_on <= day,
                Training.valid_until >= day,
            )
        )
    )
    away = {
        row.staff_id or row.vehicle_id
        for row in db.scalars(_away(district, day, day).where(Absence.firm_id == firm_id))
    }
    licence = licence_span(db, LicenceKind.GAS_BUSINESS, firm_id, day)

    def crew(one: BoundPeople) -> RosterCrew:
        from_s, until_s = seconds_bound(one.binding, day)
        facts = CrewFacts(
            from_s=from_s,
            until_s=until_s,
            certificate=(one.courier.certificate_from, one.courier.certificate_until),
            permit=(one.vehicle.permit_from, one.vehicle.permit_until),
            trained=one.courier.id in trained,
            device_revoked=one.device.revoked_at is not None,
            courier_away=one.courier.id in away,
            vehicle_away=one.vehicle.id in away,
            licence=licence,
        )
        return RosterCrew(one, facts)

    return [crew(one) for one in bound]


def seconds_bound(binding: Binding, day: date) -> tuple[int, int]:
    """What of the day the binding holds for, in seconds since midnight."""
    midnight, whole_day = clock.at(day), 24 * 3600

    def second(at: Any, otherwise: int) -> int:
        return otherwise if at is None else min(max(int((at - midnight).total_seconds()), 0), whole_day)

    return second(binding.span.lower, 0), second(binding.span.upper, whole_day)


# --- the roster a day goes by -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ZoneCrews:
    """Who drives in a zone on a day, by the roster; ``roster_id`` None: no roster was confirmed."""

    crews: list[BoundCrew]
    roster_id: UUID | None


def crews_for_zone(db: Session, zone_district: int, zone_id: UUID, day: date) -> ZoneCrews:
    """The crews bound to the zone, each within its shift.

    Without a confirmed roster: as they are bound. Who was bound after it was confirmed works as bound, which
    is the later word; within the shift of the courier or vehicle they stand in for.
    """
    bound = bindings_for_zone(db, zone_district, zone_id, day)
    zone = db.get(Zone, (zone_district, zone_id))
    roster = confirmed_roster(db, zone.firm_id, day) if zone is not None else None
    if roster is None:
        return ZoneCrews(bound, None)
    rostered = _bindings_of(db, roster)
    working = (_on_shift(one, roster, rostered) for one in bound)
    return ZoneCrews([one for one in working if one is not None], roster.id)


def confirmed_roster(db: Session, firm_id: UUID, day: date) -> Roster | None:
    home = sa.select(Firm.home_district).where(Firm.id == firm_id).scalar_subquery()
    return db.scalars(
        sa.select(Roster).where(
            Roster.district == home,
            Roster.firm_id == firm_id,
            Roster.day == day,
            Roster.state == RosterState.CONFIRMED,
        )
    ).one_or_none()


def shift_of(roster: Roster, number: int) -> Shift:
    return Shift(**roster.shifts[number])


def _bindings_of(db: Session, roster: Roster) -> dict[UUID, tuple[Binding, Shift]]:
    shifts = {UUID(line["binding_id"]): shift_of(roster, line["shift"]) for line in roster.lines}
    rows = db.scalars(
        sa.select(Binding).where(Binding.district == roster.district, Binding.id.in_(list(shifts)))
    )
    return {row.id: (row, shifts[row.id]) for row in rows}


def _on_shift(
    crew: BoundCrew, roster: Roster, rostered: dict[UUID, tuple[Binding, Shift]]
) -> BoundCrew | None:
    binding = crew.binding
    if binding.id in rostered:
        return _within(crew, rostered[binding.id][1])
    if roster.confirmed_at is None or binding.recorded_at <= roster.confirmed_at:
        return None
    for before, shift in rostered.values():
        if binding.zone_id == before.zone_id and (
            binding.courier_id == before.courier_id or binding.vehicle_id == before.vehicle_id
        ):
            return _within(crew, shift)
    return crew


def _within(crew: BoundCrew, shift: Shift) -> BoundCrew | None:
    from_s, until_s = max(crew.from_s, shift.from_s), min(crew.until_s, shift.until_s)
    return replace(crew, from_s=from_s, until_s=until_s) if from_s < until_s else None

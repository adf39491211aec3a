"""Reads of safety: exports for the rooms above, then the reads behind our own routes.

Nothing here holds personal data: a household is an id, a place is its street and committee.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.auth import Actor, ScopeKind
from core.doing import Doing
from core.paging import Page, Pager
from core.problems import NotFound
from dispatch.safety.models import (
    CheckItem,
    CheckOutcome,
    Grade,
    Hazard,
    Notice,
    SafetyCheck,
)
from dispatch.safety.states import HazardState
from registry.models import Account, Household, Premises, Staff
from registry.queries import account_of
from registry.states import AccountState

# --- exports ---------------------------------------------------------------------------------------------


def open_hazards(db: Session, district: int, household_id: UUID) -> list[Hazard]:
    """Every hazard of the household that no re-check has closed, oldest first."""
    return list(
        db.scalars(
            sa.select(Hazard)
            .where(
                Hazard.district == district,
                Hazard.household_id == household_id,
                Hazard.state != HazardState.CLOSED,
            )
            .order_by(Hazard.found_at, Hazard.id)
        )
    )


def inspection_refused(db: Session, district: int, household_id: UUID) -> bool:
    """Was the latest check of this household refused? A household never checked has refused nothing."""
    latest = db.scalars(
        sa.select(SafetyCheck.outcome)
        .where(SafetyCheck.district == district, SafetyCheck.household_id == household_id)
        .order_by(SafetyCheck.checked_at.desc(), SafetyCheck.id.desc())
        .limit(1)
    ).first()
    return latest is CheckOutcome.REFUSED


def reach_of_household(db: Session, actor: Actor, district: int, household_id: UUID) -> dict[str, object]:
    """What a grant must cover to reach this household (for ``actor.must_reach``); NotFound if unknown.

    The firm and the registrant are those of its account; a courier reaches whom their firm supplies.
    """
    household = db.get(Household, (district, household_id))
    if household is None:
        raise NotFound
    premises = db.get_one(Premises, (district, household.premises_id))
    row: dict[str, object] = {"district": district, "street": premises.street_code}
    account = account_of(db, district, household_id)
    if account is None:
        return row
    row |= {"firm": account.firm_id, "person": account.person_id}
    if actor.reach.kind is ScopeKind.COURIER and _works_for(db, actor, account.firm_id):
        row["courier"] = actor.reach.code
    return row


def _works_for(db: Session, actor: Actor, firm_id: UUID) -> bool:
    member = db.get(Staff, (actor.district, actor.scope_id(ScopeKind.COURIER)))
    return member is not None and member.firm_id == firm_id


# --- behind our own routes -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CheckView:
    """A check with its answers and the hazards its findings stand as."""

    check: SafetyCheck
    items: list[CheckItem]
    hazards: list["HazardView"]


@dataclass(frozen=True, slots=True)
class HazardView:
    """A hazard, where it is (street and committee), and the notices given."""

    hazard: Hazard
    street_code: str
    committee_code: str
    notices: list[Notice]


def check(doing: Doing, check_id: UUID) -> CheckView:
    with doing.ground.sessions() as db:
        found = db.get(SafetyCheck, (doing.district, check_id))
        if found is None:
            raise NotFound
        doing.actor.must_reach(**reach_of_household(db, doing.actor, doing.district, found.household_id))
        items = list(
            db.scalars(
                sa.select(CheckItem)
                .where(CheckItem.district == doing.district, CheckItem.check_id == check_id)
                .order_by(CheckItem.item)
            )
        )
        hazard_ids = [item.hazard_id for item in items if item.hazard_id]
        standing = db.scalars(
            sa.select(Hazard)
            .where(Hazard.district == doing.district, Hazard.id.in_(hazard_ids))
            .order_by(Hazard.item)
        )
        return CheckView(found, items, _views(db, doing.district, standing.all()))


def hazard(doing: Doing, hazard_id: UUID) -> HazardView:
    with doing.ground.sessions() as db:
        found = db.get(Hazard, (doing.district, hazard_id))
        if found is None:
            raise NotFound
        doing.actor.must_reach(**reach_of_household(db, doing.actor, doing.district, found.household_id))
        return _views(db, doing.district, [found])[0]


def hazards(
    doing: Doing,
    *,
    limit: int,
    cursor: str | None = None,
    state: HazardState | None = None,
    grade: Grade | None = None,
    household_id: UUID | None = None,
    overdue_on: date | None = None,
) -> Page:
    """The hazard register (隐患台账) within reach. ``overdue_on``: those past their deadline that day."""
    query = _HAZARDS.where(Hazard.district == doing.district, _within(doing.actor))
    if state is not None:
        query = query.where(Hazard.state == state)
    if grade is not None:
        query = query.where(Hazard.grade == grade)
    if household_id is not None:
        query = query.where(Hazard.household_id == household_id)
    if overdue_on is not None:
        query = query.where(Hazard.state != HazardState.CLOSED, Hazard.deadline_on < overdue_on)
    binding = f"hazards:{doing.district}:{doing.actor.reach}:{state}:{grade}:{household_id}:{overdue_on}"
    with doing.ground.sessions() as db:
        page = Pager(doing.ground.keyring.label.current_key, binding).page(
            db,
            query,
            Hazard.found_at.expression,
            Hazard.id.expression,
            limit=limit,
            cursor=cursor,
            position=lambda row: (row.Hazard.found_at, row.Hazard.id),
        )
        return Page(_views(db, doing.district, [row.Hazard for row in page.items]), page.next_cursor)


_HAZARDS = (
    sa.select(Hazard)
    .join(Household, sa.and_(Household.district == Hazard.district, Household.id == Hazard.household_id))
    .join(Premises, sa.and_(Premises.district == Household.district, Premises.id == Household.premises_id))
)


def _within(actor: Actor) -> sa.ColumnElement[bool]:
    """The rows a grant reaches: hazards of the households a firm supplies, of a street, of the district."""
    match actor.reach.kind:
        case ScopeKind.ALL:
            return sa.true()
        case ScopeKind.DISTRICT:
            return Hazard.district == int(actor.reach.code)
        case ScopeKind.STREET:
            return Premises.street_code == actor.reach.code
        case ScopeKind.FIRM:
            return sa.exists().where(
                Account.district == Hazard.district,
                Account.household_id == Hazard.household_id,
                Account.firm_id == UUID(actor.reach.code),
                Account.state != AccountState.CLOSED,
            )
        case _:
            raise NotFound


def _views(db: Session, district: int, hazards: Sequence[Hazard]) -> list[HazardView]:
    households = {hazard.household_id for hazard in hazards}
    places = {
        row.id: row
        for row in db.execute(
            sa.select(Household.id, Premises.street_code, Premises.committee_code)
            .join(
                Premises,
                sa.and_(Premises.district == Household.district, Premises.id == Household.premises_id),
            )
            .where(Household.district == district, Household.id.in_(households))
        )
    }
    given: dict[UUID, list[Notice]] = {}
    for notice in db.scalars(
        sa.select(Notice)
        .where(Notice.district == district, Notice.hazard_id.in_([hazard.id for hazard in hazards]))
        .order_by(Notice.told_at, Notice.id)
    ):
        given.setdefault(notice.hazard_id, []).append(notice)
    return [
        HazardView(
            hazard,
            places[hazard.household_id].street_code,
            places[hazard.household_id].committee_code,
            given.get(hazard.id, []),
        )
        for hazard in hazards
    ]

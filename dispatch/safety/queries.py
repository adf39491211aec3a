"""Reads of safety: exports for the rooms above, then the reads behind our own routes.

Nothing here holds personal data: a household is an id, a place is its street and committee.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, aliased

from core import clock
from core.auth import Actor, ScopeKind
from core.doing import Doing
from core.paging import Page, Pager
from core.prepared import Prepared
from core.problems import NotFound
from dispatch.safety.catalogue import Catalogue, catalogue_at
from dispatch.safety.equipment_models import Equipment
from dispatch.safety.models import (
    CheckItem,
    CheckMode,
    CheckOutcome,
    CheckReason,
    CheckSignature,
    Grade,
    Hazard,
    Notice,
    NoticeReceipt,
    SafetyCheck,
    Side,
)
from dispatch.safety.notices import Printed, printed
from dispatch.safety.receipts import receipts_of
from dispatch.safety.signing import NoticeProof, content_hash
from dispatch.safety.states import HazardState
from registry.models import Account, Household, Premises, Staff
from registry.queries import account_of
from registry.states import AccountState
from rulebook import current

OfAHousehold: TypeAlias = type[Hazard] | type[SafetyCheck] | type[Equipment]
"""Tables whose rows belong to a household."""

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
    latest = latest_check(db, district, household_id)
    return latest is not None and latest.outcome is CheckOutcome.REFUSED


@dataclass(frozen=True, slots=True)
class HomeSafety:
    """``hazards``: grade and state of each that no re-check has closed, oldest first."""

    hazards: list[tuple[Grade, HazardState]]
    inspection_refused: bool


def safety_of_home(db: Session, district: int, household_id: UUID) -> HomeSafety:
    """``open_hazards`` and ``inspection_refused`` in one statement: it is asked with every booking."""
    rows = _SAFETY.within(db, district=district, household_id=household_id)
    hazards = [(row.grade, row.state) for row in rows if row.grade is not None]
    return HomeSafety(hazards, rows[0].outcome is CheckOutcome.REFUSED)


_here = {
    "district": sa.bindparam("district", type_=sa.Integer),
    "home": sa.bindparam("household_id", type_=sa.Uuid),
}
_latest = (
    sa.select(SafetyCheck.outcome)
    .where(SafetyCheck.district == _here["district"], SafetyCheck.household_id == _here["home"])
    .order_by(SafetyCheck.checked_at.desc(), SafetyCheck.id.desc())
    .limit(1)
    .scalar_subquery()
)
_home = sa.select(_latest.label("outcome")).subquery("home")
_SAFETY = Prepared(
    sa.select(_home.c.outcome, Hazard.grade, Hazard.state)
    .select_from(_home)
    .outerjoin(
        Hazard,
        sa.and_(
            Hazard.district == _here["district"],
            Hazard.household_id == _here["home"],
            Hazard.state != HazardState.CLOSED,
        ),
    )
    .order_by(Hazard.found_at, Hazard.id)
)


def latest_check(db: Session, district: int, household_id: UUID) -> SafetyCheck | None:
    return db.scalars(
        sa.select(SafetyCheck)
        .where(SafetyCheck.district == district, SafetyCheck.household_id == household_id)
        .order_by(SafetyCheck.checked_at.desc(), SafetyCheck.id.desc())
        .limit(1)
    ).first()


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
class NoticeView:
    notice: Notice
    receipts: list[NoticeReceipt]


@dataclass(frozen=True, slots=True)
class HazardView:
    """A hazard, where it is (street and committee), who supplies there, and the notices given."""

    hazard: Hazard
    street_code: str
    committee_code: str
    firm_id: UUID | None
    notices: list[NoticeView]

    @property
    def notice_proof(self) -> NoticeProof:
        if not self.notices:
            return NoticeProof.MISSING
        proved = any(notice.receipts for notice in self.notices)
        return NoticeProof.PROVEN if proved else NoticeProof.UNPROVEN


@dataclass(frozen=True, slots=True)
class CheckView:
    """A check with its answers, who signed it, and the hazards its findings stand as."""

    check: SafetyCheck
    items: list[CheckItem]
    signatures: list[CheckSignature]
    hazards: list[HazardView]

    @property
    def as_signed(self) -> bool | None:
        if not self.signatures:
            return None
        content = content_hash(self.check, self.items)
        return all(signature.content_sha256 == content for signature in self.signatures)


@dataclass(frozen=True, slots=True)
class FollowUp:
    check: SafetyCheck
    street_code: str
    committee_code: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands against a household: ``supply_stopped`` by a hazard or by a check that was refused."""

    household_id: UUID
    supply_stopped: bool
    inspection_refused: bool
    follow_up_on: date | None
    open_hazards: list[Hazard]
    last_check_id: UUID | None
    last_checked_at: datetime | None


def catalogue(doing: Doing, on: date | None) -> Catalogue:
    """What is looked at in this district, and what the law of that day says of each item."""
    return catalogue_at(current().at(str(doing.district), on or clock.today()))


def standing(doing: Doing, household_id: UUID) -> Standing:
    with doing.ground.sessions() as db:
        district = doing.district
        doing.actor.must_reach(**reach_of_household(db, doing.actor, district, household_id))
        hazards = open_hazards(db, district, household_id)
        last = latest_check(db, district, household_id)
        refused = last is not None and last.outcome is CheckOutcome.REFUSED
        waiting = db.scalar(
            sa.select(sa.func.min(SafetyCheck.follow_up_on)).where(
                SafetyCheck.district == district, SafetyCheck.household_id == household_id, _NOT_FOLLOWED
            )
        )
        return Standing(
            household_id=household_id,
            supply_stopped=refused or any(hazard.blocking for hazard in hazards),
            inspection_refused=refused,
            follow_up_on=waiting,
            open_hazards=hazards,
            last_check_id=last.id if last is not None else None,
            last_checked_at=last.checked_at if last is not None else None,
        )


def check(doing: Doing, check_id: UUID) -> CheckView:
    with doing.ground.sessions() as db:
        found = db.get(SafetyCheck, (doing.district, check_id))
        if found is None:
            raise NotFound
        doing.actor.must_reach(**reach_of_household(db, doing.actor, doing.district, found.household_id))
        return _check_views(db, doing.district, [found])[0]


def checks(
    doing: Doing,
    *,
    limit: int,
    cursor: str | None = None,
    household_id: UUID | None = None,
    order_id: UUID | None = None,
    reason: CheckReason | None = None,
    outcome: CheckOutcome | None = None,
) -> Page:
    """Checks within reach, those that found nothing too: full coverage is shown by what was looked at."""
    query = _CHECKS.where(SafetyCheck.district == doing.district)
    for column, wanted in (
        (SafetyCheck.household_id, household_id),
        (SafetyCheck.order_id, order_id),
        (SafetyCheck.reason, reason),
        (SafetyCheck.outcome, outcome),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    with doing.ground.sessions() as db:
        query = query.where(within(db, doing.actor, SafetyCheck))
        page = pager(doing, f"checks:{household_id}:{order_id}:{reason}:{outcome}").page(
            db,
            query,
            SafetyCheck.recorded_at.expression,
            SafetyCheck.id.expression,
            limit=limit,
            cursor=cursor,
            position=lambda row: (row.SafetyCheck.recorded_at, row.SafetyCheck.id),
        )
        views = _check_views(db, doing.district, [row.SafetyCheck for row in page.items])
        return Page(views, page.next_cursor)


def follow_ups(doing: Doing, *, limit: int, cursor: str | None = None, due_on: date | None = None) -> Page:
    """Checks by video or telephone that no visit has followed, oldest first."""
    query = _CHECKS.add_columns(Premises.street_code, Premises.committee_code)
    query = query.where(SafetyCheck.district == doing.district, _NOT_FOLLOWED)
    if due_on is not None:
        query = query.where(SafetyCheck.follow_up_on <= due_on)
    with doing.ground.sessions() as db:
        page = pager(doing, f"follow_ups:{due_on}").page(
            db,
            query.where(within(db, doing.actor, SafetyCheck)),
            SafetyCheck.recorded_at.expression,
            SafetyCheck.id.expression,
            limit=limit,
            cursor=cursor,
            position=lambda row: (row.SafetyCheck.recorded_at, row.SafetyCheck.id),
        )
        waiting = [FollowUp(row.SafetyCheck, row.street_code, row.committee_code) for row in page.items]
        return Page(waiting, page.next_cursor)


def hazard(doing: Doing, hazard_id: UUID) -> HazardView:
    with doing.ground.sessions() as db:
        found = db.get(Hazard, (doing.district, hazard_id))
        if found is None:
            raise NotFound
        doing.actor.must_reach(**reach_of_household(db, doing.actor, doing.district, found.household_id))
        return _views(db, doing.district, [found])[0]


def notice(doing: Doing, notice_id: UUID) -> Printed:
    """A notice with its whole text, for a page to print."""
    with doing.ground.sessions() as db:
        given = db.get(Notice, (doing.district, notice_id))
        if given is None or given.hazard_id is None:
            raise NotFound
        found = db.get_one(Hazard, (doing.district, given.hazard_id))
        doing.actor.must_reach(**reach_of_household(db, doing.actor, doing.district, found.household_id))
        [view] = _views(db, doing.district, [found])
        [receipts] = [one.receipts for one in view.notices if one.notice.id == notice_id]
        return printed(db, given, found, view.firm_id, receipts)


def hazards(
    doing: Doing,
    *,
    limit: int,
    cursor: str | None = None,
    state: HazardState | None = None,
    grade: Grade | None = None,
    household_id: UUID | None = None,
    overdue_on: date | None = None,
    notice: NoticeProof | None = None,
) -> Page:
    """The hazard register (隐患台账) within reach. ``overdue_on``: those past their deadline that day.

    ``notice``: of the hazards that stop supply, those whose user was told so, or was not: not to tell is a
    major hazard of the firm itself (MOHURD 2023 art. 9).
    """
    query = _HAZARDS.where(Hazard.district == doing.district)
    if state is not None:
        query = query.where(Hazard.state == state)
    if grade is not None:
        query = query.where(Hazard.grade == grade)
    if household_id is not None:
        query = query.where(Hazard.household_id == household_id)
    if overdue_on is not None:
        query = query.where(Hazard.state != HazardState.CLOSED, Hazard.deadline_on < overdue_on)
    if notice is not None:
        query = query.where(Hazard.blocking, _told(notice))
    binding = f"hazards:{state}:{grade}:{household_id}:{overdue_on}:{notice}"
    with doing.ground.sessions() as db:
        page = pager(doing, binding).page(
            db,
            query.where(within(db, doing.actor, Hazard)),
            Hazard.found_at.expression,
            Hazard.id.expression,
            limit=limit,
            cursor=cursor,
            position=lambda row: (row.Hazard.found_at, row.Hazard.id),
        )
        return Page(_views(db, doing.district, [row.Hazard for row in page.items]), page.next_cursor)


@dataclass(frozen=True, slots=True)
class Register:
    """A page of the register as a person reads it, and how much of it there is to do."""

    rows: list[HazardView]
    number: int
    more: bool
    open: int
    overdue: int
    untold: int


ROWS_A_PAGE = 50


def register(
    doing: Doing,
    on: date,
    *,
    number: int = 1,
    state: HazardState | None = None,
    grade: Grade | None = None,
    street: str | None = None,
    overdue: bool = False,
    untold: bool = False,
) -> Register:
    """The register for a page: what is longest overdue on ``on`` first, what is closed last.

    ``untold``: of what stops supply, without proof that the user was told.
    """
    open_still = Hazard.state != HazardState.CLOSED
    late = sa.and_(open_still, Hazard.deadline_on < on)
    not_told = sa.and_(open_still, Hazard.blocking, ~_told(NoticeProof.PROVEN))
    asked = [
        Hazard.state == state if state is not None else None,
        Hazard.grade == grade if grade is not None else None,
        Premises.street_code == street if street is not None else None,
        late if overdue else None,
        not_told if untold else None,
    ]
    with doing.ground.sessions() as db:
        reached = [Hazard.district == doing.district, within(db, doing.actor, Hazard)]
        counts = db.execute(
            _HAZARDS.with_only_columns(
                sa.func.count().filter(open_still),
                sa.func.count().filter(late),
                sa.func.count().filter(not_told),
            ).where(*reached)
        ).one()
        rows = db.scalars(
            _HAZARDS.where(*reached, *(one for one in asked if one is not None))
            .order_by(~open_still, Hazard.deadline_on.nulls_last(), Hazard.found_at, Hazard.id)
            .offset((number - 1) * ROWS_A_PAGE)
            .limit(ROWS_A_PAGE + 1)
        ).all()
        views = _views(db, doing.district, rows[:ROWS_A_PAGE])
        return Register(views, number, len(rows) > ROWS_A_PAGE, *counts)


def rechecks_of(doing: Doing, hazard: Hazard) -> list[tuple[SafetyCheck, CheckItem | None]]:
    """The household's re-checks since mending was claimed, with what each found of it; latest first."""
    with doing.ground.sessions() as db:
        checks = db.scalars(
            sa.select(SafetyCheck)
            .where(
                SafetyCheck.district == hazard.district,
                SafetyCheck.household_id == hazard.household_id,
                SafetyCheck.reason == CheckReason.RECHECK,
                SafetyCheck.checked_at > (hazard.mended_at or hazard.found_at),
            )
            .order_by(SafetyCheck.checked_at.desc(), SafetyCheck.id.desc())
        ).all()
        return [(one, db.get(CheckItem, (hazard.district, one.id, hazard.item))) for one in checks]


def pager(doing: Doing, binding: str) -> Pager:
    return Pager(doing.ground.keyring.label.current_key, f"{binding}:{doing.district}:{doing.actor.reach}")


def with_premises(table: OfAHousehold) -> sa.Select[Any]:
    return (
        sa.select(table)
        .join(Household, sa.and_(Household.district == table.district, Household.id == table.household_id))
        .join(
            Premises, sa.and_(Premises.district == Household.district, Premises.id == Household.premises_id)
        )
    )


_HAZARDS = with_premises(Hazard)
_CHECKS = with_premises(SafetyCheck)

_visit = aliased(SafetyCheck)
_NOT_FOLLOWED = sa.and_(
    SafetyCheck.follow_up_on.is_not(None),
    ~sa.exists().where(
        _visit.district == SafetyCheck.district,
        _visit.household_id == SafetyCheck.household_id,
        _visit.mode == CheckMode.ON_SITE,
        _visit.outcome != CheckOutcome.REFUSED,
        _visit.checked_at > SafetyCheck.checked_at,
    ),
)
"""From afar, and nobody was let in since."""


def _told(proof: NoticeProof) -> sa.ColumnElement[bool]:
    given = sa.exists().where(Notice.district == Hazard.district, Notice.hazard_id == Hazard.id)
    proved = sa.exists().where(
        Notice.district == Hazard.district,
        Notice.hazard_id == Hazard.id,
        NoticeReceipt.district == Notice.district,
        NoticeReceipt.notice_id == Notice.id,
    )
    match proof:
        case NoticeProof.MISSING:
            return ~given
        case NoticeProof.UNPROVEN:
            return sa.and_(given, ~proved)
        case NoticeProof.PROVEN:
            return proved


def within(db: Session, actor: Actor, table: OfAHousehold) -> sa.ColumnElement[bool]:
    """The rows a grant reaches, by the household they belong to."""
    return _reached(db, actor, table.district, table.household_id)


def households_within(db: Session, actor: Actor) -> sa.ColumnElement[bool]:
    return _reached(db, actor, Household.district, Household.id)


def _reached(
    db: Session, actor: Actor, district: Mapped[int], household_id: Mapped[UUID]
) -> sa.ColumnElement[bool]:
    """Of a district, a street, the households of a firm, a person's own."""
    match actor.reach.kind:
        case ScopeKind.ALL:
            return sa.true()
        case ScopeKind.DISTRICT:
            return district == int(actor.reach.code)
        case ScopeKind.STREET:
            return Premises.street_code == actor.reach.code
        case ScopeKind.FIRM:
            return _supplied(district, household_id, Account.firm_id == UUID(actor.reach.code))
        case ScopeKind.COURIER:
            member = db.get(Staff, (actor.district, actor.scope_id(ScopeKind.COURIER)))
            return (
                _supplied(district, household_id, Account.firm_id == member.firm_id)
                if member is not None
                else sa.false()
            )
        case ScopeKind.PERSON:
            return _supplied(district, household_id, Account.person_id == UUID(actor.reach.code))
        case _:
            raise NotFound


def _supplied(
    district: Mapped[int], household_id: Mapped[UUID], whose: sa.ColumnElement[bool]
) -> sa.ColumnElement[bool]:
    return sa.exists().where(
        Account.district == district,
        Account.household_id == household_id,
        Account.state != AccountState.CLOSED,
        whose,
    )


def _check_views(db: Session, district: int, found: Sequence[SafetyCheck]) -> list[CheckView]:
    """Answers in the order of their codes, the checker's signature first."""
    identities = [one.id for one in found]
    items: dict[UUID, list[CheckItem]] = {}
    for answer in db.scalars(
        sa.select(CheckItem)
        .where(CheckItem.district == district, CheckItem.check_id.in_(identities))
        .order_by(CheckItem.item)
    ):
        items.setdefault(answer.check_id, []).append(answer)
    signatures: dict[UUID, list[CheckSignature]] = {}
    for signature in db.scalars(
        sa.select(CheckSignature)
        .where(CheckSignature.district == district, CheckSignature.check_id.in_(identities))
        .order_by(CheckSignature.side == Side.USER)
    ):
        signatures.setdefault(signature.check_id, []).append(signature)
    standing_as = {answer.hazard_id for answers in items.values() for answer in answers if answer.hazard_id}
    rows = db.scalars(
        sa.select(Hazard)
        .where(Hazard.district == district, Hazard.id.in_(standing_as))
        .order_by(Hazard.item, Hazard.id)
    ).all()
    views = {view.hazard.id: view for view in _views(db, district, rows)}
    return [
        CheckView(
            one,
            items.get(one.id, []),
            signatures.get(one.id, []),
            [views[answer.hazard_id] for answer in items.get(one.id, []) if answer.hazard_id],
        )
        for one in found
    ]


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
    suppliers = {
        row.household_id: row.firm_id
        for row in db.execute(
            sa.select(Account.household_id, Account.firm_id).where(
                Account.district == district,
                Account.household_id.in_(households),
                Account.state != AccountState.CLOSED,
            )
        )
    }
    given = _notices(db, district, [hazard.id for hazard in hazards])
    return [
        HazardView(
            hazard,
            places[hazard.household_id].street_code,
            places[hazard.household_id].committee_code,
            suppliers.get(hazard.household_id),
            given.get(hazard.id, []),
        )
        for hazard in hazards
    ]


def _notices(db: Session, district: int, hazard_ids: Sequence[UUID]) -> dict[UUID, list[NoticeView]]:
    """By hazard: its notices in order, each with the receipts that prove it."""
    notices = db.scalars(
        sa.select(Notice)
        .where(Notice.district == district, Notice.hazard_id.in_(hazard_ids))
        .order_by(Notice.told_at, Notice.id)
    ).all()
    receipts = receipts_of(db, district, [one.id for one in notices])
    given: dict[UUID, list[NoticeView]] = {}
    for one in notices:
        assert one.hazard_id is not None  # as they were asked for
        given.setdefault(one.hazard_id, []).append(NoticeView(one, receipts.get(one.id, [])))
    return given

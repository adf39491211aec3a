"""Reads: reviews that wait, and what of one's own was refused and looked at again. Statistics of refusals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from core import clock
from core.auth import Role, ScopeKind
from core.doing import Doing
from core.ground import Ground
from core.problems import NotFound
from core.refusal import CATALOGUE, Refusal
from core.sealed import CannotOpen, SealedValue
from dispatch.safety.models import Notice, NoticeReceipt
from dispatch.safety.receipts import receipts_of
from evidence.models import Entry, Link, Outcome, SubjectType
from oversight.looks import keep_desk_looks
from oversight.refusal_notice_models import RefusalNotice
from oversight.refusal_notice_queries import Told, notices_of_refusals, standing_reviews
from oversight.review_models import RefusalReview
from oversight.review_states import OPEN_STATES, ReviewState
from oversight.reviews import (
    APPLIED_FOR,
    answer_of,
    is_in_time,
    names_nobody,
    reach_of_review,
    reasons_in,
    said_of,
    was_held,
)
from registry import sealing
from registry.models import Account, Household, Premises

log = structlog.get_logger()

MOST_ROWS = 300
MOST_REFUSALS = 50


@dataclass(frozen=True, slots=True)
class ReviewView:
    """A review with its texts in clear, for who has to read them, and what proves its answer received.

    ``answer_notice_no``: the number under which its answer was given; None while it waits.
    """

    review: RefusalReview
    reasons: tuple[Refusal, ...]
    said: str | None
    answer: str | None
    receipts: tuple[NoticeReceipt, ...]
    answer_notice_no: str | None
    today: date

    @property
    def is_open(self) -> bool:
        return self.review.state in OPEN_STATES

    @property
    def is_overdue(self) -> bool:
        return self.is_open and self.review.due_on < self.today

    @property
    def days_left(self) -> int:
        return (self.review.due_on - self.today).days


def reviews(doing: Doing, *, open_only: bool = True, limit: int = MOST_ROWS) -> list[ReviewView]:
    """Within reach: those that wait by the day they are due; the answered ones latest first."""
    query = sa.select(RefusalReview).where(RefusalReview.district == doing.district, _in_reach(doing))
    if open_only:
        query = query.where(RefusalReview.state.in_(OPEN_STATES)).order_by(
            RefusalReview.due_on, RefusalReview.id
        )
    else:
        query = query.where(RefusalReview.state.not_in(OPEN_STATES)).order_by(RefusalReview.id.desc())
    with doing.ground.sessions() as db:
        rows = db.scalars(query.limit(limit)).all()
        _keep_looks(doing, rows)
        return _views(db, doing, rows)


def _keep_looks(doing: Doing, rows: Sequence[RefusalReview]) -> None:
    """What somebody wrote in need is read on record, before it is shown; one's own is one's own."""
    if doing.actor.role is not Role.RESIDENT:
        keep_desk_looks(doing, {row.household_id for row in rows if row.said_sealed or row.answer_sealed})


def review(doing: Doing, review_id: UUID) -> ReviewView:
    with doing.ground.sessions() as db:
        found = db.get(RefusalReview, (doing.district, review_id))
        if found is None:
            raise NotFound
        doing.actor.must_reach(**reach_of_review(found))
        _keep_looks(doing, [found])
        return _views(db, doing, [found])[0]


def overdue(db: Session, district: int, firm_id: UUID | None, today: date) -> list[RefusalReview]:
    """Whose day has passed unanswered; of one firm's homes, where one is named."""
    query = sa.select(RefusalReview).where(
        RefusalReview.district == district,
        RefusalReview.state.in_(OPEN_STATES),
        RefusalReview.due_on < today,
        sa.true() if firm_id is None else RefusalReview.firm_id == firm_id,
    )
    return list(db.scalars(query.order_by(RefusalReview.due_on, RefusalReview.id)))


def _in_reach(doing: Doing) -> sa.ColumnElement[bool]:
    reach = doing.actor.reach
    columns = {
        ScopeKind.FIRM: RefusalReview.firm_id,
        ScopeKind.STREET: RefusalReview.street_code,
        ScopeKind.PERSON: RefusalReview.person_id,
        ScopeKind.DISTRICT: RefusalReview.district,
    }
    if reach.kind is ScopeKind.ALL:
        return sa.true()
    column = columns.get(reach.kind)
    return sa.false() if column is None else sa.cast(column, sa.Text) == reach.code


def _views(db: Session, doing: Doing, rows: Sequence[RefusalReview]) -> list[ReviewView]:
    sealed_said = [said_of(row) for row in rows if row.said_sealed]
    sealed_answers = [answer_of(row) for row in rows if row.answer_sealed]
    texts = iter(_texts(db, doing.ground, [*sealed_said, *sealed_answers]))
    said = {row.id: next(texts) for row in rows if row.said_sealed}
    answers = {row.id: next(texts) for row in rows if row.answer_sealed}
    entries = db.execute(
        sa.select(Entry.id, Entry.written).where(Entry.id.in_([row.entry_id for row in rows]))
    )
    written = {row.id: row.written for row in entries}
    notices = [row.answer_notice_id for row in rows if row.answer_notice_id]
    receipts = receipts_of(db, doing.district, notices)
    numbers = {
        notice.id: notice.number
        for notice in db.scalars(
            sa.select(Notice).where(Notice.district == doing.district, Notice.id.in_(notices))
        )
    }
    return [
        ReviewView(
            row,
            reasons_in(written[row.entry_id]),
            said.get(row.id),
            answers.get(row.id),
            tuple(receipts.get(row.answer_notice_id, ())) if row.answer_notice_id else (),
            numbers[row.answer_notice_id] if row.answer_notice_id else None,
            clock.today(),
        )
        for row in rows
    ]


def _texts(db: Session, ground: Ground, values: Sequence[SealedValue]) -> list[str | None]:
    """One text that does not open is missing by itself, and is told to the log: the others are to be read."""
    try:
        return sealing.all_opened(db, ground, values)
    except CannotOpen:
        return [_text(db, ground, value) for value in values]


def _text(db: Session, ground: Ground, value: SealedValue) -> str | None:
    try:
        return sealing.opened(db, ground, value)
    except CannotOpen:
        log.error("sealed.cannot_open", table=value.table, column=value.column, row=str(value.row))
        return None


# --- one's own ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OwnRefusal:
    """Something refused to a resident; their latest review of it, and the notice that tells it, if any.

    ``asked_by_another``: somebody else whom it names has asked for the one review there is.
    """

    entry: Entry
    reasons: tuple[Refusal, ...]
    review: ReviewView | None
    notice: Told | None
    is_in_time: bool
    asked_by_another: bool

    @property
    def is_reviewed(self) -> bool:
        """A review of theirs stands, answered or not."""
        return self.review is not None and self.review.review.state is not ReviewState.WITHDRAWN

    @property
    def may_ask(self) -> bool:
        return self.is_in_time and not self.asked_by_another and not self.is_reviewed


def own_refusals(doing: Doing, person_id: UUID | None = None) -> list[OwnRefusal]:
    """What was refused to this person or to their home while it was theirs, the latest first.

    Of a home that has passed to another since, what was told them in writing or looked at again for them.

    ``person_id``: whose copy is handed over at a desk; else the resident who asks.
    """
    person_id = person_id or doing.actor.scope_id(ScopeKind.PERSON)
    theirs = sa.or_(
        sa.and_(Link.subject_type == SubjectType.PERSON, Link.subject_key == str(person_id)),
        sa.and_(
            Link.subject_type == SubjectType.HOUSEHOLD,
            names_nobody(Link.entry_id.expression),
            was_held(doing.district, person_id, Link.subject_key.expression, Entry.recorded_at.expression),
        ),
    )
    homes = sa.select(sa.cast(Account.household_id, sa.Text)).where(
        Account.district == doing.district, Account.person_id == person_id
    )
    told_them = sa.select(RefusalNotice.entry_id).where(
        RefusalNotice.district == doing.district, RefusalNotice.person_id == person_id
    )
    asked_for_them = sa.select(RefusalReview.entry_id).where(
        RefusalReview.district == doing.district, RefusalReview.person_id == person_id
    )
    with doing.ground.sessions() as db:
        keys = [str(person_id), *db.scalars(homes)]
        found = db.scalars(
            sa.select(Entry)
            .where(
                Entry.id.in_(
                    sa.select(Link.entry_id)
                    .join(Entry, Entry.id == Link.entry_id)
                    .where(
                        Link.subject_type.in_([SubjectType.PERSON, SubjectType.HOUSEHOLD]),
                        Link.subject_key.in_(keys),
                        theirs,
                    )
                    .union(told_them, asked_for_them)
                ),
                Entry.outcome == Outcome.REFUSED,
                Entry.verb.in_(APPLIED_FOR),
                Entry.district == doing.district,
            )
            .order_by(Entry.recorded_at.desc(), Entry.id.desc())
            .limit(MOST_REFUSALS)
        ).all()
        entry_ids = [entry.id for entry in found]
        own = db.scalars(
            sa.select(RefusalReview)
            .where(
                RefusalReview.district == doing.district,
                RefusalReview.person_id == person_id,
                RefusalReview.entry_id.in_(entry_ids),
            )
            .order_by(RefusalReview.id)
        ).all()
        latest = {view.review.entry_id: view for view in _views(db, doing, own)}
        anothers = {
            entry_id
            for entry_id, one in standing_reviews(db, doing.district, entry_ids).items()
            if one.person_id != person_id
        }
        told = {
            entry_id: one
            for entry_id, one in notices_of_refusals(db, doing.district, entry_ids).items()
            if one.refusal.person_id == person_id
        }
    return [
        OwnRefusal(
            entry,
            reasons_in(entry.written),
            latest.get(entry.id),
            told.get(entry.id),
            is_in_time=is_in_time(doing.district, entry.recorded_at),
            asked_by_another=entry.id in anothers,
        )
        for entry in found
    ]


# --- how often, for what, where -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Refusals:
    """How often a reason was given in a street, and to how many homes. No street: not about a home."""

    code: str
    rule: str
    street_code: str | None
    times: int
    homes: int


def statistics(doing: Doing, from_on: date, until_on: date) -> list[Refusals]:
    """Refused deeds by reason and street, both days included; of a firm its own, of a street its own.

    Counted over the evidence itself. A refusal with three reasons counts under each of the three.
    """
    home = (
        sa.select(Link.subject_key)
        .where(Link.entry_id == Entry.id, Link.subject_type == SubjectType.HOUSEHOLD)
        .order_by(Link.subject_key)
        .limit(1)
        .scalar_subquery()
    )
    written = sa.cast(sa.func.convert_from(Entry.written, "UTF8"), JSONB)
    reason = sa.func.jsonb_array_elements(written["reasons"]).table_valued(
        sa.column("value", JSONB), name="reason"
    )
    told = (
        sa.select(reason.c.value["code"].astext.label("code"), home.label("home"))
        .select_from(sa.join(Entry, reason, sa.true()))
        .where(
            Entry.district == doing.district,
            Entry.outcome == Outcome.REFUSED,
            Entry.recorded_at >= clock.at(from_on),
            Entry.recorded_at < clock.at(until_on + timedelta(days=1)),
            _of_firm(doing),
        )
        .subquery()
    )
    query: Any = (
        sa.select(told.c.code, Premises.street_code, sa.func.count(), sa.func.count(told.c.home.distinct()))
        .select_from(told)
        .outerjoin(
            Household,
            sa.and_(Household.district == doing.district, sa.cast(Household.id, sa.Text) == told.c.home),
        )
        .outerjoin(
            Premises,
            sa.and_(Premises.district == doing.district, Premises.id == Household.premises_id),
        )
        .group_by(told.c.code, Premises.street_code)
    )
    if doing.actor.reach.kind is ScopeKind.STREET:
        query = query.where(Premises.street_code == doing.actor.reach.code)
    with doing.ground.sessions() as db:
        rows = db.execute(query).all()
    found = [
        Refusals(code, CATALOGUE[code].rule, street, times, homes) for code, street, times, homes in rows
    ]
    return sorted(found, key=lambda one: (one.rule, one.code, one.street_code or ""))


@dataclass(frozen=True, slots=True)
class NoticesCounted:
    """Refusals told in writing in a street, and how many of the notices are proved received."""

    street_code: str
    issued: int
    received: int


def notices_counted(doing: Doing, from_on: date, until_on: date) -> list[NoticesCounted]:
    """Those issued in these days, both included, by street; within the reach of the statistics above."""
    is_proved = sa.exists().where(
        NoticeReceipt.district == Notice.district, NoticeReceipt.notice_id == Notice.id
    )
    query = (
        sa.select(RefusalNotice.street_code, sa.func.count(), sa.func.count().filter(is_proved))
        .select_from(RefusalNotice)
        .join(
            Notice, sa.and_(Notice.district == RefusalNotice.district, Notice.id == RefusalNotice.notice_id)
        )
        .join(Entry, Entry.id == RefusalNotice.entry_id)
        .where(
            RefusalNotice.district == doing.district,
            Notice.told_at >= clock.at(from_on),
            Notice.told_at < clock.at(until_on + timedelta(days=1)),
            _of_firm(doing),
        )
        .group_by(RefusalNotice.street_code)
        .order_by(RefusalNotice.street_code)
    )
    if doing.actor.reach.kind is ScopeKind.STREET:
        query = query.where(RefusalNotice.street_code == doing.actor.reach.code)
    with doing.ground.sessions() as db:
        return [NoticesCounted(street, issued, received) for street, issued, received in db.execute(query)]


def _of_firm(doing: Doing) -> sa.ColumnElement[bool]:
    reach = doing.actor.reach
    if reach.kind is ScopeKind.FIRM:
        return Entry.firm_id == UUID(reach.code)
    if reach.kind is ScopeKind.SITE:
        return Entry.site_id == UUID(reach.code)
    doing.actor.must_reach(district=doing.district, street=reach.code)
    return sa.true()

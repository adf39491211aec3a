"""Reads: refusals of supply told in writing: before it is issued, as it is printed, and is it genuine.

No personal data is in a notice: who it is for is written in by hand, as on every other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import Role
from core.doing import Doing
from core.ground import Ground
from core.problems import NotFound
from core.refusal import Refusal
from cylinders.paper_code import Paper
from dispatch.safety.models import Notice, NoticeReceipt
from dispatch.safety.receipts import receipts_of
from evidence.models import Entry
from oversight.looks import keep_desk_look
from oversight.refusal_notice_models import RefusalNotice
from oversight.review_models import RefusalReview
from oversight.review_states import ANSWERED, ReviewState
from oversight.reviews import APPLIED_FOR, RefusedHome, reasons_in, refused_home
from registry.models import Firm
from rulebook import current

OF_SUPPLY = tuple(verb for verb in APPLIED_FOR if verb not in ("account.close", "own_data.ask"))
"""What somebody is refused gas by: an account, a card, a contract, a booking. Who may not leave has gas."""

PAPER = Paper("refusal notice", "N")


@dataclass(frozen=True, slots=True)
class Told:
    """A notice of a refusal, with what proves it received."""

    refusal: RefusalNotice
    notice: Notice
    receipts: Sequence[NoticeReceipt]


@dataclass(frozen=True, slots=True)
class Appeal:
    """What is open to whoever disagrees with a refusal. ``until_on``: the last day for asking for a review.

    ``review``: theirs that stands, since there is one only; ``answer_no``: of its answer;
    ``asked_by_another``: the one there is was asked for by somebody else whom the refusal names: its day and
    answer are told to them. ``is_overturned``: whoever asked, the decision does not stand any more.
    """

    until_on: date
    review: RefusalReview | None
    answer_no: str | None
    asked_by_another: bool
    is_overturned: bool

    @property
    def is_late(self) -> bool:
        """The last day for asking that a person look again is past."""
        return self.until_on < clock.today()

    @property
    def may_ask(self) -> bool:
        return self.review is None and not self.asked_by_another and not self.is_late

    @property
    def is_overdue(self) -> bool:
        """The review waits, and the day by which it is answered is past."""
        return self.review is not None and not self.is_answered and self.review.due_on < clock.today()

    @property
    def is_answered(self) -> bool:
        return self.review is not None and self.review.state in ANSWERED


@dataclass(frozen=True, slots=True)
class Unwritten:
    """A refusal as its notice would tell it. ``told``: the notice that stands, if there is one.

    ``is_overturned``: a review has changed it, so that it is not told any more.
    """

    home: RefusedHome
    told: Told | None
    is_overturned: bool

    @property
    def may_be_written(self) -> bool:
        return self.told is None and not self.is_overturned and self.home.entry.verb in OF_SUPPLY


@dataclass(frozen=True, slots=True)
class PrintedRefusal:
    """A notice's whole text. ``answer_days``: how long a review takes at most; ``code``: what its QR says.

    ``appeal``: as it is today, not as it was when the notice was issued.
    """

    told: Told
    entry: Entry
    reasons: tuple[Refusal, ...]
    firm: str | None
    answer_days: int | None
    appeal: Appeal
    code: str
    address: str


@dataclass(frozen=True, slots=True)
class Genuine:
    """What anybody who holds the paper may see of it: that it is ours, of when, and on what it rests."""

    number: str
    refusal_no: str
    told_on: date
    refused_on: date
    appeal: Appeal
    firm: str | None
    reasons: tuple[Refusal, ...]


def unwritten(doing: Doing, refusal_no: str) -> Unwritten:
    """404 for a refusal out of reach, about no home or nobody's. That a desk read it is kept first."""
    with doing.ground.sessions() as db:
        home = refused_home(db, doing.actor, doing.district, refusal_no, locked=False)
        if home is None:
            raise NotFound
        keep_desk_look(doing, home.household.id)
        here, entry_id = doing.district, home.entry.id
        return Unwritten(home, notice_of_refusal(db, here, entry_id), is_overturned(db, here, entry_id))


def printed(doing: Doing, notice_id: UUID) -> PrintedRefusal:
    with doing.ground.sessions() as db:
        refusal = db.get(RefusalNotice, (doing.district, notice_id))
        if refusal is None:
            raise NotFound
        doing.actor.must_reach(**reach_of_notice(refusal))
        if doing.actor.role is not Role.RESIDENT:
            keep_desk_look(doing, refusal.household_id)
        [told] = _told(db, doing.district, RefusalNotice.notice_id == notice_id)
        entry = _entry(db, refusal)
        law = current().at(str(doing.district), clock.day_of(told.notice.told_at))
        code = PAPER.code_of(doing.ground.keyring, doing.district, notice_id)
        return PrintedRefusal(
            told=told,
            entry=entry,
            reasons=reasons_in(entry.written),
            firm=_firm_name(db, refusal.firm_id),
            answer_days=law.integer("J02.answer_days"),
            appeal=appeal(db, refusal),
            code=code,
            address=PAPER.address(doing.ground.config.public_url, code),
        )


def look(ground: Ground, given: str) -> Genuine | None:
    """For anybody: the notice behind a code, or None where we wrote none such."""
    behind = PAPER.row_behind(ground.keyring, given)
    with ground.reads() as db:
        refusal = db.get(RefusalNotice, behind or (0, UUID(int=0)))
        if refusal is None:
            return None
        notice = db.get_one(Notice, (refusal.district, refusal.notice_id))
        entry = _entry(db, refusal)
        return Genuine(
            number=notice.number,
            refusal_no=refusal.refusal_no,
            told_on=clock.day_of(notice.told_at),
            refused_on=clock.day_of(entry.recorded_at),
            appeal=appeal(db, refusal),
            firm=_firm_name(db, refusal.firm_id),
            reasons=reasons_in(entry.written),
        )


def appeal(db: Session, refusal: RefusalNotice) -> Appeal:
    """For whom the notice is: of another's review they learn that there is one, and what no longer stands."""
    review = standing_reviews(db, refusal.district, [refusal.entry_id]).get(refusal.entry_id)
    changed = review is not None and review.state is ReviewState.OVERTURNED
    if review is not None and review.person_id != refusal.person_id:
        return Appeal(refusal.ask_until_on, None, None, asked_by_another=True, is_overturned=changed)
    answer_no = None
    if review is not None and review.answer_notice_id:
        answer_no = db.get_one(Notice, (review.district, review.answer_notice_id)).number
    return Appeal(refusal.ask_until_on, review, answer_no, asked_by_another=False, is_overturned=changed)


def is_overturned(db: Session, district: int, entry_id: UUID) -> bool:
    review = standing_reviews(db, district, [entry_id]).get(entry_id)
    return review is not None and review.state is ReviewState.OVERTURNED


def standing_reviews(db: Session, district: int, entry_ids: Sequence[UUID]) -> dict[UUID, RefusalReview]:
    """By refusal, whoever asked: those not withdrawn; after a withdrawn one another may be asked for."""
    found = db.scalars(
        sa.select(RefusalReview).where(
            RefusalReview.district == district,
            RefusalReview.entry_id.in_(entry_ids),
            RefusalReview.state != ReviewState.WITHDRAWN,
        )
    )
    return {review.entry_id: review for review in found}


def notice_of_refusal(db: Session, district: int, entry_id: UUID) -> Told | None:
    return next(iter(_told(db, district, RefusalNotice.entry_id == entry_id)), None)


def notices_of_refusals(db: Session, district: int, entry_ids: Sequence[UUID]) -> dict[UUID, Told]:
    """By refusal."""
    found = _told(db, district, RefusalNotice.entry_id.in_(entry_ids))
    return {told.refusal.entry_id: told for told in found}


def notices_of_home(db: Session, district: int, household_id: UUID, most: int) -> list[Told]:
    """The latest first."""
    return _told(db, district, RefusalNotice.household_id == household_id)[:most]


def reach_of_notice(refusal: RefusalNotice) -> dict[str, object]:
    """What a grant must cover to reach this notice."""
    return {
        "district": refusal.district,
        "street": refusal.street_code,
        "firm": refusal.firm_id,
        "person": refusal.person_id,
    }


def _told(db: Session, district: int, which: sa.ColumnElement[bool]) -> list[Told]:
    same = sa.and_(Notice.district == RefusalNotice.district, Notice.id == RefusalNotice.notice_id)
    rows = db.execute(
        sa.select(RefusalNotice, Notice)
        .join(Notice, same)
        .where(RefusalNotice.district == district, which)
        .order_by(Notice.told_at.desc(), Notice.id.desc())
    ).all()
    receipts = receipts_of(db, district, [row.Notice.id for row in rows])
    return [Told(row.RefusalNotice, row.Notice, receipts.get(row.Notice.id, ())) for row in rows]


def _entry(db: Session, refusal: RefusalNotice) -> Entry:
    return db.scalars(sa.select(Entry).where(Entry.id == refusal.entry_id)).one()


def _firm_name(db: Session, firm_id: UUID | None) -> str | None:
    firm = db.get(Firm, firm_id) if firm_id else None
    return firm.name if firm else None

"""Verbs: have a refusal looked at by a person (人工复核). Asked for, taken, answered in writing, received.

An overturned refusal goes round no gate: the record that was wrong is mended by its own verb, or the home is
excepted from the rule for days (``registry/exceptions``), and whoever was refused asks again.

Locks: household → person → review.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from core import clock, sealed
from core.auth import Actor, Role, ScopeKind
from core.ids import new_id
from core.problems import NotFound, WrongField
from core.refusal import Refusal, Refused
from core.sealed import SealedValue, Subject
from dispatch.safety import receipts
from dispatch.safety.models import ReceivedHow
from dispatch.safety.signing import Receipt
from evidence.deed import Answer, Deed, does, held_by
from evidence.models import Entry, Link, Outcome, SubjectType
from oversight import review_refusals as no
from oversight.review_gate import ReviewFacts
from oversight.review_models import Finding, Ground, RefusalReview
from oversight.review_states import MOVES, OPEN_STATES, REFUSAL_REVIEW, ReviewState
from registry.exceptions import except_from
from registry.mentions import is_erased
from registry.models import Account, Household, Person, Premises
from registry.premises_models import AccountClosing
from registry.states import AccountState
from registry.succession_models import FormerHolder
from registry.terms import holds
from rulebook import current
from rulebook.decisions import decision_of
from rulebook.gate import judge

ANSWERED = "review.answered"
"""Told once an answer is written; its reader sends the registrant a message."""

APPLIED_FOR = (
    "account.open",
    "account.transfer",
    "account.resume",
    "account.close",
    "card.issue",
    "card.replace",
    "contract.sign",
    "order.book",
    "order.change_slot",
    "own_data.ask",
)
"""What a home asks for. What was refused to staff about a home is no refusal of the home's."""

held_by("uq_refusal_review_entry_id", no.ASKED_ALREADY)


@holds
def _waits_for_an_answer(person_id: sa.SQLColumnExpression[UUID]) -> sa.ColumnElement[bool]:
    return sa.exists().where(RefusalReview.person_id == person_id, RefusalReview.state.in_(OPEN_STATES))


@dataclass(frozen=True, slots=True)
class RefusedHome:
    """A refused deed about a home: its entry, whose home it is, and its reasons."""

    entry: Entry
    household: Household
    premises: Premises
    person_id: UUID
    reasons: tuple[Refusal, ...]

    @property
    def rules(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(reason.rule for reason in self.reasons))


@does("review.ask")
def ask(deed: Deed, *, refusal_no: str, ground: Ground, said: str | None = None) -> Answer:
    """By whose home it is, or at a desk for them; once a refusal, within the days of rule J01."""
    refused = refused_home(deed.db, deed.actor, deed.district, refusal_no)
    if refused is None or is_erased(deed.db, refused.person_id):
        raise unknown_refusal()
    today = clock.day_of(deed.recorded_at)
    deed.about(SubjectType.HOUSEHOLD, refused.household.id)
    deed.about(SubjectType.PERSON, refused.person_id)
    deed.at(firm=refused.entry.firm_id)
    deed.note(refusal_no=refusal_no, ground=ground)
    refused_on = clock.day_of(refused.entry.recorded_at)
    asked_now = ReviewFacts(refused_on, refused.rules, asked_on=today)
    _must_be_allowed(deed, asked_now, refused.premises.street_code)
    review = RefusalReview(
        district=deed.district,
        id=new_id(),
        entry_id=refused.entry.id,
        refusal_no=refusal_no,
        verb=refused.entry.verb,
        rules=list(refused.rules),
        refused_at=refused.entry.recorded_at,
        refused_by=refused.entry.actor_id,
        household_id=refused.household.id,
        person_id=refused.person_id,
        firm_id=refused.entry.firm_id,
        street_code=refused.premises.street_code,
        ground=ground,
        said_sealed=None,
        state=ReviewState.ASKED,
        asked_by=deed.actor.principal_id,
        asked_at=deed.recorded_at,
        due_on=today + timedelta(days=days_of(deed, "J02.answer_days")),
        excepted=[],
    )
    review.said_sealed = _sealed(deed, review, "said_sealed", said)
    deed.db.add(review)
    deed.db.flush()
    deed.note(review_id=review.id, due_on=review.due_on)
    return {"review_id": str(review.id)}


@does("review.take")
def take(deed: Deed, *, review_id: UUID) -> Answer:
    """Somebody says they are looking at it; not who refused it, and not who asked."""
    review = _locked(deed, review_id)
    _must_be_another(deed, review)
    REFUSAL_REVIEW.move(deed.db, review, "take")
    review.taken_by, review.taken_at = deed.actor.principal_id, deed.recorded_at
    return {"review_id": str(review_id)}


@does("review.answer")
def answer(
    deed: Deed,
    *,
    review_id: UUID,
    outcome: ReviewState,
    finding: Finding,
    said: str | None = None,
    excepted: Sequence[str] = (),
    excepted_until: date | None = None,
) -> Answer:
    """In words of the catalogue, and more where needed. The registrant is told after the commit."""
    review = _locked(deed, review_id)
    today, rules = clock.day_of(deed.recorded_at), sorted(set(excepted))
    deed.note(outcome=outcome, finding=finding, excepted=rules, excepted_until=excepted_until)
    _must_be_another(
        deed,
        review,
        by_authority=deed.actor.role is Role.REGULATOR,
        is_upheld=outcome is ReviewState.UPHELD,
        excepted=tuple(rules),
        excepted_until=excepted_until,
    )
    REFUSAL_REVIEW.move(deed.db, review, MOVES[outcome])
    review.finding = finding
    review.answered_by, review.answered_at = deed.actor.principal_id, deed.recorded_at
    notice = receipts.give(deed, ReceivedHow.ELECTRONIC)
    review.answer_notice_id = notice.id
    deed.note(number=notice.number)
    review.answer_sealed = _sealed(deed, review, "answer_sealed", said)
    if rules and excepted_until is not None:
        review.excepted, review.excepted_until = rules, excepted_until
        except_from(deed, review.household_id, rules, review_id=review.id, on=today, until_on=excepted_until)
    deed.tell(ANSWERED, review_id=review.id)
    return {"review_id": str(review_id)}


@does("review.withdraw")
def withdraw(deed: Deed, *, review_id: UUID) -> Answer:
    """By whom it is; the same refusal may be asked about again."""
    review = _locked(deed, review_id)
    REFUSAL_REVIEW.move(deed.db, review, "withdraw")
    return {"review_id": str(review_id)}


@does("review.receive")
def receive(deed: Deed, *, review_id: UUID, receipt: Receipt) -> Answer:
    """Proof that the answer reached who asked: opened by them, or signed for, or refused before a witness."""
    review = _locked(deed, review_id)
    if review.answer_notice_id is None:
        raise NotFound
    receipts.must_be_theirs_to_say(deed, receipt)
    deed.note(**receipts.noted(receipt))
    receipts.prove_received(deed, review.answer_notice_id, receipt, deed.recorded_at)
    return {"review_id": str(review_id)}


# --- the gate -----------------------------------------------------------------------------------------------


def _must_be_another(deed: Deed, review: RefusalReview, **facts: Any) -> None:
    me = deed.actor.principal_id
    facts_now = ReviewFacts(
        clock.day_of(review.refused_at),
        tuple(review.rules),
        by_who_refused=me == review.refused_by,
        by_who_asked=me == review.asked_by,
        **facts,
    )
    _must_be_allowed(deed, facts_now, review.street_code)


def _must_be_allowed(deed: Deed, facts: ReviewFacts, street: str) -> None:
    """By the page of rules; the decision is kept, whichever it is."""
    verdict = judge("review", facts, str(deed.district), clock.day_of(deed.recorded_at), current())
    deed.keep(decision_of(verdict, deed.district, street))
    if not verdict.allowed:
        raise Refused(verdict.reasons)


def is_in_time(district: int, refused_at: datetime) -> bool:
    """Whether the page of rules lets a review of what was refused then be asked for today."""
    today = clock.today()
    asked_now = ReviewFacts(clock.day_of(refused_at), refused_rules=(), asked_on=today)
    return judge("review", asked_now, str(district), today, current()).allowed


def days_of(deed: Deed, name: str) -> int:
    days = current().at(str(deed.district), clock.day_of(deed.recorded_at)).integer(name)
    if days is None:
        raise LookupError(f"{name}: expected a number of days in the rulebook")
    return days


# --- rows ---------------------------------------------------------------------------------------------------


def refused_home(
    db: Session, actor: Actor, district: int, refusal_no: str, *, locked: bool = True
) -> RefusedHome | None:
    """The refusal of that number, if it was about a home, and the home is the asker's or in their reach.

    A deed about a refusal that nobody can be told is a 422 that says so; a read does not find it.
    """
    entry = db.scalars(
        sa.select(Entry).where(
            Entry.refusal_no == refusal_no,
            Entry.district == district,
            Entry.outcome == Outcome.REFUSED,
            Entry.verb.in_(APPLIED_FOR),
        )
    ).first()
    household_id = entry and _subject(db, entry.id, SubjectType.HOUSEHOLD)
    household = household_id and db.get(Household, (district, household_id), with_for_update=locked)
    if not entry or not household:
        return None
    premises = db.get_one(Premises, (district, household.premises_id))
    person_id = _registrant(db, actor, entry, household)
    reach = {"district": district, "street": premises.street_code, "firm": entry.firm_id}
    if person_id is None and locked and actor.reach.covers(**reach):
        raise nobodys_refusal()
    if person_id is None or not actor.reach.covers(**reach, person=person_id):
        return None
    if locked:
        db.get_one(Person, person_id, with_for_update={"read": True})
    return RefusedHome(entry, household, premises, person_id, reasons_in(entry.written))


def reasons_in(written: bytes) -> tuple[Refusal, ...]:
    """As they were kept, in the order of the law."""
    return tuple(Refusal.from_plain(row) for row in json.loads(written)["reasons"])


def _registrant(db: Session, actor: Actor, entry: Entry, household: Household) -> UUID | None:
    """Whom it was about: the resident who asks; else the registrant of that time; else whom it names."""
    holder = _holder_at(db, household, entry.recorded_at)
    if actor.role is Role.RESIDENT:
        own = actor.scope_id(ScopeKind.PERSON)
        named = sa.exists().where(
            Link.entry_id == entry.id,
            Link.subject_type == SubjectType.PERSON,
            Link.subject_key == str(own),
        )
        about_the_home = sa.and_(sa.literal(holder == own), names_nobody(sa.literal(entry.id)))
        return own if db.scalar(sa.select(sa.or_(named, about_the_home))) else None
    keys = db.scalars(
        sa.select(Link.subject_key)
        .where(Link.entry_id == entry.id, Link.subject_type == SubjectType.PERSON)
        .order_by(Link.subject_key)
    ).all()
    if holder is not None and (not keys or str(holder) in keys):
        return holder
    return UUID(keys[0]) if keys else None


def _holder_at(db: Session, household: Household, at: datetime) -> UUID | None:
    """In whose name the home's account stood at that time, whoever has it today; None where none stood."""
    account = db.scalars(
        sa.select(Account)
        .outerjoin(
            AccountClosing,
            sa.and_(AccountClosing.district == Account.district, AccountClosing.account_id == Account.id),
        )
        .where(
            Account.district == household.district,
            Account.household_id == household.id,
            Account.recorded_at <= at,
            sa.or_(Account.state != AccountState.CLOSED, AccountClosing.recorded_at > at),
        )
        .order_by(Account.id.desc())
        .limit(1)
    ).first()
    if account is None:
        return None
    passed_on = db.scalars(
        sa.select(FormerHolder.person_id)
        .where(
            FormerHolder.district == account.district,
            FormerHolder.account_id == account.id,
            FormerHolder.until_at > at,
        )
        .order_by(FormerHolder.until_at)
        .limit(1)
    ).first()
    if passed_on is not None:
        return passed_on
    home = sa.literal(str(household.id))
    held = was_held(household.district, account.person_id, home, sa.literal(at))
    return account.person_id if db.scalar(sa.select(held)) else None


def names_nobody(entry_id: sa.ColumnElement[UUID]) -> sa.ColumnElement[bool]:
    """The entry is about the home alone; where it names a person, what it tells is that person's."""
    naming = aliased(Link)
    return ~sa.exists().where(naming.entry_id == entry_id, naming.subject_type == SubjectType.PERSON)


def was_held(
    district: int, person_id: UUID, household: sa.ColumnElement[str], at: sa.ColumnElement[datetime]
) -> sa.ColumnElement[bool]:
    """An account of theirs stood there at that time: not closed by then, nor passed to them only later."""
    closed_at = (
        sa.select(AccountClosing.recorded_at)
        .where(AccountClosing.district == Account.district, AccountClosing.account_id == Account.id)
        .correlate(Account)
        .scalar_subquery()
    )
    passing, passed = aliased(Entry), aliased(Link)
    passed_on = sa.exists().where(
        passed.entry_id == passing.id,
        passed.subject_type == SubjectType.HOUSEHOLD,
        passed.subject_key == household,
        passing.verb == "account.transfer",
        passing.outcome == Outcome.DONE,
        passing.recorded_at > at,
        sa.or_(closed_at.is_(None), passing.recorded_at < closed_at),
    )
    return sa.exists().where(
        Account.district == district,
        Account.person_id == person_id,
        sa.cast(Account.household_id, sa.Text) == household,
        Account.recorded_at <= at,
        sa.or_(Account.state != AccountState.CLOSED, closed_at > at),
        ~passed_on,
    )


def _subject(db: Session, entry_id: UUID, type: SubjectType) -> UUID | None:
    key = db.scalars(
        sa.select(Link.subject_key)
        .where(Link.entry_id == entry_id, Link.subject_type == type)
        .order_by(Link.subject_key)
    ).first()
    return UUID(key) if key else None


def unknown_refusal() -> WrongField:
    return WrongField(
        "/refusal_no",
        "unknown",
        "没有这个编号的不予办理记录",
        "expected the number of a refusal about a home of yours",
    )


def nobodys_refusal() -> WrongField:
    return WrongField(
        "/refusal_no",
        "nobodys",
        "作出这次不予办理时，这一户没有用户，无从告知",
        "expected a refusal to somebody: nobody held the home's account when it was made",
    )


def _locked(deed: Deed, review_id: UUID) -> RefusalReview:
    seen = deed.db.get(RefusalReview, (deed.district, review_id))
    if seen is None:
        raise NotFound
    deed.db.get_one(Household, (deed.district, seen.household_id), with_for_update=True)
    deed.db.get_one(Person, seen.person_id, with_for_update={"read": True})
    review = deed.db.get_one(
        RefusalReview, (deed.district, review_id), with_for_update=True, populate_existing=True
    )
    deed.actor.must_reach(**reach_of_review(review))
    deed.about(SubjectType.HOUSEHOLD, review.household_id)
    deed.about(SubjectType.PERSON, review.person_id)
    deed.at(firm=review.firm_id)
    deed.note(review_id=review.id, refusal_no=review.refusal_no)
    return review


def reach_of_review(review: RefusalReview) -> dict[str, object]:
    """What a grant must cover to reach this review."""
    return {
        "district": review.district,
        "street": review.street_code,
        "firm": review.firm_id,
        "person": review.person_id,
    }


# --- what people wrote --------------------------------------------------------------------------------------


def _sealed(deed: Deed, review: RefusalReview, column: str, text: str | None) -> bytes | None:
    if text is None or is_erased(deed.db, review.person_id):
        return None  # sealing again would make them a new key, under which nothing of before opens
    return sealed.seal(
        deed.db, deed.ground.keyring, _person(review), "refusal_review", column, review.id, text
    )


def said_of(review: RefusalReview) -> SealedValue:
    return SealedValue(_person(review), "refusal_review", "said_sealed", review.id, review.said_sealed or b"")


def answer_of(review: RefusalReview) -> SealedValue:
    return SealedValue(
        _person(review), "refusal_review", "answer_sealed", review.id, review.answer_sealed or b""
    )


def _person(review: RefusalReview) -> Subject:
    return Subject(sealed.SubjectType.PERSON, review.person_id)

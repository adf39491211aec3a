"""Verbs: people and how they were identified (实名登记 is an event, not a flag).

One document belongs to one person, in every district. Whoever shows a document that is registered, and
says the same name, is that person; the answer is the person's id and nothing else.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import clock, confirmations, limits
from core.auth import Actor
from core.db import table_of
from core.doing import Doing
from core.ids import new_id
from core.problems import NotFound, WrongField
from core.refusal import Refusal, Refused
from core.sealed import commitment, mask_name, new_salt
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import people_refusals as no
from registry import queries, sealing
from registry.documents import DocumentFacts, WrongDocument, check_document
from registry.mentions import is_erased, resting
from registry.models import Account, CheckMethod, IdentityCheck, Person, PersonDocument, PersonPhone
from registry.privacy_models import NoticeShown, Reveal
from registry.privacy_notice import in_force
from registry.stops import stop_of
from rulebook import current


class RevealField(StrEnum):
    ADDRESS = "address"
    NAME = "name"
    PHONE = "phone"


class RevealPurpose(StrEnum):
    """What will be done with it."""

    CALL = "call"
    VISIT = "visit"
    SERVE_NOTICE = "serve_notice"
    VERIFY_IDENTITY = "verify_identity"
    ANSWER_REQUEST = "answer_request"


class RevealReason(StrEnum):
    """Why somebody must see what is otherwise masked."""

    DELIVERY = "delivery"
    SAFETY = "safety"
    COMPLAINT = "complaint"
    AUDIT = "audit"
    CORRECTION = "correction"
    OWN_REQUEST = "own_request"


@does("person.register")
def register_person(
    deed: Deed,
    *,
    document: Mapping[str, Any],
    name: str,
    phone: str,
    method: CheckMethod,
    notice_version: str,
    evidence: str | None = None,
) -> Answer:
    """``document``: kind, number, valid_until (None: no end). ``notice_version``: what was shown before."""
    facts = document_facts(deed, document, "/document/number")
    found = person_behind(deed, facts)
    person_id = found or new_id()
    deed.about(SubjectType.PERSON, person_id)
    deed.note(document_kind=facts.kind, method=method, warnings=list(facts.warnings))
    deed.note(notice_version=notice_version, evidence=evidence)
    standing_notice = in_force(clock.day_of(deed.recorded_at)).version
    if notice_version != standing_notice:
        raise Refused([resting(deed, no.NOTICE_OUTDATED(version=standing_notice))])
    check = _Check(document.get("valid_until"), method, evidence)
    if found:
        deed.note(check_id=_recognised(deed, found, facts, name, check))
    else:
        deed.note(commitment=_entered(deed, person_id, facts, name, phone, check))
    deed.db.flush()
    deed.db.add(
        NoticeShown(
            person_id=person_id,
            id=new_id(),
            version=notice_version,
            shown_by=deed.actor.principal_id,
            shown_at=deed.recorded_at,
        )
    )
    return {"person_id": str(person_id), "standing": found is not None}


@does("person.verify")
def verify_person(
    deed: Deed,
    person_id: UUID,
    *,
    document: Mapping[str, Any],
    method: CheckMethod,
    passed: bool,
    evidence: str | None = None,
) -> Answer:
    """Record another identity check: a document shown again, a renewed one, or one that did not hold."""
    person = deed.db.get(Person, person_id, with_for_update=True)
    if person is None or is_erased(deed.db, person_id):
        raise NotFound
    _must_reach(deed, person_id)
    facts = document_facts(deed, document, "/document/number")
    deed.about(SubjectType.PERSON, person_id)
    deed.note(document_kind=facts.kind, method=method, passed=passed, evidence=evidence)
    owner = person_behind(deed, facts)
    if owner not in (None, person_id):
        raise Refused([resting(deed, no.DOCUMENT_OF_ANOTHER())])
    if passed:
        _must_be_valid(deed, document.get("valid_until"))
    if passed and owner is None:
        _enter_document(deed, person_id, facts)
    check = _Check(document.get("valid_until"), method, evidence)
    check_id = _enter_check(deed, person_id, facts, check, passed)
    deed.note(check_id=check_id)
    return {"person_id": str(person_id), "check_id": str(check_id)}


@does("person.reveal")
def reveal_household(
    deed: Deed,
    household_id: UUID,
    *,
    fields: Sequence[RevealField],
    reason: RevealReason,
    purpose: RevealPurpose,
    case_no: str | None = None,
) -> Answer:
    """Give the right to see these fields once, and keep who asked, of whom, which, why, and what for.

    Whoever asks has just shown who they are (N01), sees a bounded number of people a day (N02), and nobody
    whose data are kept for a term only (N05).
    The answer holds no personal data, since answers are kept; ``household_file_queries.revealed`` opens
    the values.
    """
    party = queries.party_within_reach(deed.db, deed.actor, deed.district, household_id)
    account = party.account
    person_id = account.person_id if account else None
    deed.about(SubjectType.HOUSEHOLD, household_id)
    if account is not None:
        deed.about(SubjectType.PERSON, account.person_id)
        deed.at(firm=account.firm_id)
    shown = sorted({field.value for field in fields})
    deed.note(fields=shown, reason=reason, purpose=purpose, case_no=case_no)
    refusals = [resting(deed, one) for one in _reveal_refusals(deed, person_id)]
    if refusals:
        raise Refused(refusals)
    enter_reveal(deed, household_id, person_id, shown, reason, purpose, case_no)
    return {
        "household_id": str(household_id),
        "person_id": person_id and str(person_id),
        "fields": shown,
    }


def enter_reveal(
    deed: Deed,
    household_id: UUID,
    person_id: UUID | None,
    shown: Sequence[str],
    reason: RevealReason,
    purpose: RevealPurpose,
    case_no: str | None = None,
) -> None:
    deed.db.add(
        Reveal(
            district=deed.district,
            id=new_id(),
            household_id=household_id,
            person_id=person_id,
            principal_id=deed.actor.principal_id,
            role=deed.actor.role,
            scope_code=deed.actor.reach.code,
            fields=list(shown),
            reason=reason.value,
            purpose=purpose.value,
            case_no=case_no,
            revealed_at=deed.recorded_at,
        )
    )


def _reveal_refusals(deed: Deed, person_id: UUID | None) -> Iterator[Refusal]:
    yield from who_looks_refusals(deed)
    stop = stop_of(deed.db, person_id) if person_id else None
    if stop is not None:
        yield no.PROCESSING_STOPPED(erase_on=stop.erase_on)


def who_looks_refusals(deed: Deed) -> Iterator[Refusal]:
    """N01: shown who one is a moment ago; N02: not more people a day than one may see."""
    place, day = str(deed.district), clock.day_of(deed.recorded_at)
    fresh, most = (current().look(name, place, day) for name in ("N01.fresh_minutes", "N02.reveals_a_day"))
    if fresh is not None and isinstance(fresh.value, int):
        within = timedelta(minutes=fresh.value)
        if not confirmations.is_fresh(deed.db, deed.doing.credential, deed.actor.principal_id, within):
            yield no.NOT_CONFIRMED(fresh_minutes=fresh.value)
    if most is not None and isinstance(most.value, int):
        times = limits.count_in(
            deed.db, deed.ground, "person.reveal", str(deed.actor.principal_id), clock.at(day)
        )
        if times > most.value:
            yield no.QUOTA_SPENT(most=most.value)


@does("person.index_phones")
def index_phones(deed: Deed) -> Answer:
    """Write the telephone's index of everybody who has none under the present key.

    For people from before there was one, and after the index key was changed. Erased people have no number.
    """
    scheme = sealing.phone_index(deed.ground, "0").scheme
    written = sa.exists().where(PersonPhone.scheme == scheme, PersonPhone.person_id == Person.person_id)
    people = deed.db.scalars(sa.select(Person).where(~written)).all()
    numbers = sealing.all_opened(deed.db, deed.ground, [sealing.phone_of(person) for person in people])
    known = [(one, number) for one, number in zip(people, numbers, strict=True) if number is not None]
    for person, number in known:
        enter_phone(deed, person.person_id, number)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.note(scheme=scheme, written=len(known))
    return {"written": len(known)}


def document_facts(deed: Deed, document: Mapping[str, Any], pointer: str) -> DocumentFacts:
    try:
        return check_document(document["kind"], document["number"], clock.day_of(deed.recorded_at))
    except WrongDocument as wrong:
        raise WrongField(pointer, wrong.code, wrong.zh, wrong.en) from None


def person_behind(deed: Deed, facts: DocumentFacts) -> UUID | None:
    """Whose document it is; looked for under every live index key."""
    indexes = sealing.document_indexes(deed.ground, facts)
    return deed.db.scalars(
        sa.select(PersonDocument.person_id).where(
            sa.tuple_(PersonDocument.scheme, PersonDocument.value).in_(
                [(index.scheme, index.digest) for index in indexes]
            )
        )
    ).first()


@dataclass(frozen=True, slots=True)
class _Check:
    """How somebody was identified; ``evidence``: the code of what it can be shown by."""

    valid_until: date | None
    method: CheckMethod
    evidence: str | None = None


def enter_person(
    deed: Deed,
    person_id: UUID,
    facts: DocumentFacts,
    valid_until: date | None,
    name: str,
    phone: str,
    method: CheckMethod,
) -> str:
    """Write a new person; the commitment to what was said, for the evidence."""
    return _entered(deed, person_id, facts, name, phone, _Check(valid_until, method))


def _entered(deed: Deed, person_id: UUID, facts: DocumentFacts, name: str, phone: str, check: _Check) -> str:
    _must_be_valid(deed, check.valid_until)
    salt = new_salt()
    db, ground = deed.db, deed.ground
    db.add(
        Person(
            person_id=person_id,
            name_sealed=sealing.seal_person(db, ground, person_id, "name_sealed", name),
            phone_sealed=sealing.seal_person(db, ground, person_id, "phone_sealed", phone),
            salt_sealed=sealing.seal_person(db, ground, person_id, "salt_sealed", salt.hex()),
            principal_id=new_id(),
            recorded_at=deed.recorded_at,
        )
    )
    _enter_document(deed, person_id, facts)
    enter_phone(deed, person_id, phone)
    deed.db.flush()
    _enter_check(deed, person_id, facts, check, True)
    said = {"name": name, "phone": phone, "document": f"{facts.kind}:{facts.normalised}"}
    return commitment(salt, said)


def recognise(
    deed: Deed,
    person_id: UUID,
    facts: DocumentFacts,
    valid_until: date | None,
    name: str,
    method: CheckMethod,
) -> UUID:
    """The same document and the same name are the same person; the new check's id.

    The phone on file stays as it is.
    """
    return _recognised(deed, person_id, facts, name, _Check(valid_until, method))


def _recognised(deed: Deed, person_id: UUID, facts: DocumentFacts, name: str, check: _Check) -> UUID:
    person = deed.db.get_one(Person, person_id, with_for_update=True)
    known = sealing.opened(deed.db, deed.ground, sealing.name_of(person))
    if known is None or sealing.plain_name(known) != sealing.plain_name(name):
        raise Refused([resting(deed, no.NAME_DIFFERS())])
    _must_be_valid(deed, check.valid_until)
    return _enter_check(deed, person_id, facts, check, True)


def _must_be_valid(deed: Deed, valid_until: date | None) -> None:
    if valid_until is not None and valid_until < clock.day_of(deed.recorded_at):
        raise Refused([resting(deed, no.DOCUMENT_EXPIRED(valid_until=valid_until))])


def _enter_document(deed: Deed, person_id: UUID, facts: DocumentFacts) -> None:
    """Under every live key: while keys are changed, who was started before finds it by the old one."""
    for index in sealing.document_indexes(deed.ground, facts):
        deed.db.add(
            PersonDocument(
                scheme=index.scheme, value=index.digest, person_id=person_id, recorded_at=deed.recorded_at
            )
        )


def enter_phone(deed: Deed, person_id: UUID, phone: str) -> None:
    indexes = sealing.phone_indexes(deed.ground, phone)
    rows = [
        {"scheme": one.scheme, "value": one.digest, "person_id": person_id, "recorded_at": deed.recorded_at}
        for one in indexes
    ]
    deed.db.execute(insert(table_of(PersonPhone)).on_conflict_do_nothing(), rows)


def _enter_check(
    deed: Deed,
    person_id: UUID,
    facts: DocumentFacts,
    check: _Check,
    passed: bool,
) -> UUID:
    check_id = new_id()
    deed.db.add(
        IdentityCheck(
            person_id=person_id,
            id=check_id,
            document_kind=facts.kind.value,
            number_sealed=sealing.seal_number(deed.db, deed.ground, person_id, check_id, facts.normalised),
            valid_until=check.valid_until,
            method=check.method,
            passed=passed,
            checked_by=deed.actor.principal_id,
            checked_at=deed.recorded_at,
            evidence=check.evidence,
        )
    )
    return check_id


def checked_at_door(deed: Deed, person_id: UUID, facts: DocumentFacts, valid_until: date | None) -> UUID:
    """For the room that stands at the door: the document on file was seen there; refused where it is over."""
    _must_be_valid(deed, valid_until)
    return _enter_check(deed, person_id, facts, _Check(valid_until, CheckMethod.AT_THE_DOOR), True)


def must_reach_person(doing: Doing, person_id: UUID) -> None:
    """404 for a person who is not there, or whom the caller neither supplies nor identified."""
    with doing.ground.reads() as db:
        must_be_reached(db, doing.actor, doing.district, person_id)


def masked_person(doing: Doing, person_id: str) -> dict[str, Any] | None:
    """Who a page means by an id, masked; None where it names nobody within reach."""
    try:
        wanted = UUID(person_id)
        must_reach_person(doing, wanted)
    except (ValueError, NotFound):
        return None
    with doing.ground.reads() as db:
        person = db.get_one(Person, wanted)
        name = None
        if stop_of(db, wanted) is None:
            name = sealing.opened(db, doing.ground, sealing.name_of(person))
        return {"person_id": wanted, "name_masked": name and mask_name(name)}


def _must_reach(deed: Deed, person_id: UUID) -> None:
    must_be_reached(deed.db, deed.actor, deed.district, person_id)


def must_be_reached(db: Session, actor: Actor, district: int, person_id: UUID) -> None:
    """A person is within reach through an account here, or by having been identified by this very actor."""
    firms = db.scalars(
        sa.select(Account.firm_id).where(Account.district == district, Account.person_id == person_id)
    )
    if any(actor.reach.covers(firm=firm, district=district) for firm in firms):
        return
    own = sa.select(IdentityCheck.id).where(
        IdentityCheck.person_id == person_id, IdentityCheck.checked_by == actor.principal_id
    )
    if db.scalars(own.limit(1)).first() is None:
        raise NotFound

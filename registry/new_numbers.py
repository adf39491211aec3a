"""网上登记手机号: whoever is on the register says, from home, which telephone is theirs now.

    apply     what was said is written down, sealed, whoever says it: known and unknown take the same path
    look_up   the house, afterwards: does all of it agree with the file? what was said is forgotten either way
    _ask      it does: a request for correction, as one asked for at the counter

Who asks was seen by nobody, and a relative or a landlord may know name, document and card: it is granted only
once the person and the document were seen (``privacy.decide``). The number on file is told when it is asked,
and once more when another has taken its place. Whoever asks again, for another number, replaces what nobody
saw them ask before; both stay on file. What was asked by somebody seen stands beside it.

An application is a step before signing in and commits for itself, as the code of a sign-in does.
"""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock, outbox, sealed
from core.ground import Ground
from core.ids import new_id
from core.messages import Message
from core.outbox import Event
from core.sealed import Subject
from core.sealed import SubjectType as SealedSubject
from evidence.deed import Answer, Deed, Stands, does
from registry import sealing
from registry.documents import DocumentFacts, DocumentKind, WrongDocument, check_document
from registry.models import Account, Card, Household, Person, PersonDocument
from registry.number_models import NumberApplication
from registry.privacy import enter_request, give_way, is_of_nobody_seen
from registry.privacy_models import CorrectedField, NoticeShown, PrivacyRequest, RequestKind
from registry.privacy_notice import in_force
from registry.queries import account_of, plain_credential
from registry.states import AccountState, CardState, PrivacyRequestState

APPLIED = "own_data.number_applied"
NUMBER_ASKED = "own_data.number_asked"
NOWHERE = 0
"""Whose number it is is not known yet, nor where they live."""
HELD = (CardState.ACTIVE, CardState.BLOCKED)
"""A card that was lost proves nothing: whoever found it may be the one who asks."""


@dataclass(frozen=True, slots=True)
class Said:
    """All that somebody said of themselves; it stands in no log. ``number``: of the document."""

    name: str = field(repr=False)
    kind: str
    number: str = field(repr=False)
    card: str = field(repr=False)
    phone: str = field(repr=False)


def apply(ground: Ground, said: Said) -> UUID:
    """Nothing is looked up here: neither the answer nor how long it takes says whether it agrees."""
    with ground.sessions() as db:
        row = NumberApplication(id=new_id(), said_sealed=b"", asked_at=clock.now())
        text = json.dumps(asdict(said), ensure_ascii=False)
        row.said_sealed = sealed.seal(db, ground.keyring, _own(row.id), *_place(row.id), text)
        db.add(row)
        outbox.tell(db, NOWHERE, APPLIED, {"application_id": str(row.id)})
        db.commit()
        return row.id


def look_up(ground: Ground, event: Event) -> None:
    """What agrees is asked for, once however often this is called; then what was said goes with its key."""
    application_id = UUID(event.payload["application_id"])
    with ground.reads() as db:
        row = db.get(NumberApplication, application_id)
        if row is None:
            return
        said = Said(**json.loads(_opened(db, ground, row)))
        account = _account_of(db, ground, said)
        is_new = account is not None and not _is_on_file(db, ground, account.person_id, said.phone)
    if account is not None and is_new:
        doing = outbox.acting(ground, Event(account.district, event.id, event.topic, {}), "registry.numbers")
        _ask(doing, account.id, account.household_id, said)
    _forget(ground, [application_id])


@does("own_data.ask")
def _ask(deed: Deed, account_id: UUID, household_id: UUID, said: Said) -> Answer:
    """Looked at again under the locks: household → account → person, who may have several homes."""
    deed.db.get_one(Household, (deed.district, household_id), with_for_update=True)
    standing = account_of(deed.db, deed.district, household_id, lock=True)
    if standing is not None:
        deed.db.get_one(Person, standing.person_id, with_for_update=True, populate_existing=True)
    account = _account_of(deed.db, deed.ground, said)
    if account is None or account.id != account_id:
        raise Stands({})  # closed, passed on or reported lost meanwhile
    if _is_on_file(deed.db, deed.ground, account.person_id, said.phone):
        raise Stands({})
    before = _waiting(deed.db, account.person_id)
    if any(sealing.opened(deed.db, deed.ground, sealing.said_of(one)) == said.phone for one in before):
        raise Stands({})
    for one in before:
        give_way(deed, one)
    request = enter_request(
        deed, account.person_id, account, RequestKind.CORRECTION, CorrectedField.PHONE, said.phone
    )
    version = in_force(clock.day_of(deed.recorded_at)).version
    deed.db.add(
        NoticeShown(
            person_id=account.person_id,
            id=new_id(),
            version=version,
            shown_by=deed.actor.principal_id,
            shown_at=deed.recorded_at,
        )
    )
    deed.note(notice_version=version, replaced=[one.id for one in before])
    deed.tell(NUMBER_ASKED, request_id=request.id)
    return {"request_id": str(request.id)}


def forget_before(ground: Ground, instant: datetime) -> int:
    """Applications that could not be looked up for so long. Returns how many went."""
    with ground.reads() as db:
        old = sa.select(NumberApplication.id).where(NumberApplication.asked_at < instant)
        ids = list(db.scalars(old))
    _forget(ground, ids)
    return len(ids)


def forget_former(ground: Ground, instant: datetime) -> int:
    """Numbers before a correction: they are told once, and kept for nothing else. Returns how many went."""
    with ground.sessions() as db:
        gone = db.scalars(
            sa.update(PrivacyRequest)
            .where(PrivacyRequest.former_sealed.is_not(None), PrivacyRequest.decided_at < instant)
            .values(former_sealed=None)
            .returning(PrivacyRequest.id)
        ).all()
        db.commit()
        return len(gone)


# --- what is sent -----------------------------------------------------------------------------------------


def word_asked(ground: Ground, event: Event) -> list[Message]:
    """To the number that was on file: if it was not they who asked, they must hear of it."""
    with ground.reads() as db:
        request = db.get_one(PrivacyRequest, (event.district, UUID(event.payload["request_id"])))
        if request.state is not PrivacyRequestState.ASKED:
            return []
        person = db.get_one(Person, request.person_id)
        on_file = sealing.opened(db, ground, sealing.phone_of(person))
        wanted = sealing.opened(db, ground, sealing.said_of(request))
    if on_file is None or wanted is None:
        return []  # erased since
    return [
        Message(
            on_file,
            f"有人在网上申请把您用气登记的手机号换成尾号{wanted[-4:]}的号码，柜台见过本人和证件才换。不是您本人，请马上打用气热线。",
            "Somebody asked online that your gas account's telephone be changed to one ending in "
            f"{wanted[-4:]}. It is changed only once the counter has seen the person. If it was not you, "
            "call the hotline now.",
            event.topic,
            reference=str(event.id),
        )
    ]


def word_changed(ground: Ground, event: Event) -> list[Message]:
    """To the number that was on file until then, for the last time."""
    with ground.reads() as db:
        request = db.get_one(PrivacyRequest, (event.district, UUID(event.payload["request_id"])))
        if request.former_sealed is None:
            return []  # told too late: it is kept no more
        before = sealing.opened(db, ground, sealing.former_of(request))
        now = sealing.opened(db, ground, sealing.said_of(request))
    if before is None or now is None or sealing.plain_phone(before) == now:
        return []
    return [
        Message(
            before,
            f"您用气登记的手机号已由柜台换成尾号{now[-4:]}的号码，这个号码不再收到通知。不是您本人办的，请马上打用气热线。",
            f"The counter has changed your gas account's telephone to one ending in {now[-4:]}; this number "
            "is told nothing more. If it was not you, call the hotline now.",
            event.topic,
            reference=str(event.id),
        )
    ]


# --- what agrees ------------------------------------------------------------------------------------------


def _account_of(db: Session, ground: Ground, said: Said) -> Account | None:
    """The account that this document, this name and this card belong to, all three."""
    facts = None
    with suppress(WrongDocument):
        facts = check_document(DocumentKind(said.kind), said.number, clock.today())
    person = _person_of(db, ground, facts) if facts is not None else None
    known = sealing.opened(db, ground, sealing.name_of(person)) if person else None
    if person is None or known is None or sealing.plain_name(known) != sealing.plain_name(said.name):
        return None
    return db.scalars(
        sa.select(Account)
        .join(Card, sa.and_(Card.district == Account.district, Card.account_id == Account.id))
        .where(
            Account.person_id == person.person_id,
            Account.state != AccountState.CLOSED,
            Card.credential == plain_credential(said.card),
            Card.state.in_(HELD),
        )
    ).first()


def _person_of(db: Session, ground: Ground, facts: DocumentFacts) -> Person | None:
    indexes = [(one.scheme, one.digest) for one in sealing.document_indexes(ground, facts)]
    return db.scalars(
        sa.select(Person)
        .join(PersonDocument, PersonDocument.person_id == Person.person_id)
        .where(sa.tuple_(PersonDocument.scheme, PersonDocument.value).in_(indexes))
        .limit(1)
    ).first()


def _is_on_file(db: Session, ground: Ground, person_id: UUID, phone: str) -> bool:
    known = sealing.opened(db, ground, sealing.phone_of(db.get_one(Person, person_id)))
    return known is not None and sealing.plain_phone(known) == sealing.plain_phone(phone)


def _waiting(db: Session, person_id: UUID) -> list[PrivacyRequest]:
    """What they asked before and nobody saw them ask, wherever they have an account."""
    at_home_in = sa.select(Account.district).where(Account.person_id == person_id)
    rows = db.scalars(
        sa.select(PrivacyRequest)
        .where(
            PrivacyRequest.district.in_(at_home_in),
            PrivacyRequest.person_id == person_id,
            PrivacyRequest.field == CorrectedField.PHONE,
            PrivacyRequest.state == PrivacyRequestState.ASKED,
        )
        .order_by(PrivacyRequest.district, PrivacyRequest.id)
        .with_for_update()
    ).all()
    return [row for row in rows if is_of_nobody_seen(db, row)]


# --- an application's own key -----------------------------------------------------------------------------


def _opened(db: Session, ground: Ground, row: NumberApplication) -> str:
    return sealed.open_sealed(db, ground.keyring, _own(row.id), *_place(row.id), row.said_sealed)


def _forget(ground: Ground, ids: list[UUID]) -> None:
    with ground.sessions() as db:
        db.execute(sa.delete(NumberApplication).where(NumberApplication.id.in_(ids)))
        for one in ids:
            sealed.erase(db, _own(one))
        db.commit()


def _own(application_id: UUID) -> Subject:
    return Subject(SealedSubject.APPLICATION, application_id)


def _place(application_id: UUID) -> tuple[str, str, UUID]:
    return "number_application", "said_sealed", application_id

"""网上登记手机号: whoever is on the register says, from home, which telephone is theirs now.

The name, the document and a card that are on file together make a request for correction, as one asked for at
the counter. Who asks was seen by nobody, and a relative or a landlord may know all three: it is granted only
once the person and the document were seen (``privacy.decide``), and the number on file is told at once.
Nothing else changes by it. Whoever says something that is not on file is answered alike, and nothing is kept.
"""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock, outbox
from core.auth import Actor, Reach, Role, ScopeKind
from core.doing import Doing
from core.ground import Ground
from core.ids import new_id
from core.messages import Message
from core.outbox import Event
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import sealing
from registry.documents import DocumentFacts
from registry.models import Account, Card, Person, PersonDocument
from registry.privacy import enter_request
from registry.privacy_models import CorrectedField, NoticeShown, PrivacyRequest, RequestKind
from registry.privacy_notice import in_force
from registry.queries import plain_credential
from registry.states import AccountState, CardState, PrivacyRequestState

NUMBER_ASKED = "own_data.number_asked"
HELD = (CardState.ACTIVE, CardState.BLOCKED)
"""A card that was lost proves nothing: whoever found it may be the one who asks."""


def ask(ground: Ground, facts: DocumentFacts, *, name: str, card: str, phone: str, request_id: str) -> None:
    """File the request if all that was said is on file; the caller never learns whether it was."""
    with ground.reads() as db:
        account = _account_of(db, ground, facts, name, card)
        if account is None or _is_on_file(db, ground, account.person_id, phone):
            return
        district, account_id = account.district, account.id
    actor = Actor(outbox.HOUSE, Reach(Role.ADMINISTRATOR, ScopeKind.ALL, "", district), district)
    _ask(Doing(ground, actor, district, request_id), account_id, phone=phone)


@does("own_data.ask")
def _ask(deed: Deed, account_id: UUID, *, phone: str) -> Answer:
    """While one such request waits no other is filed: whoever asks again does not hide the first."""
    account = deed.db.get_one(Account, (deed.district, account_id), with_for_update=True)
    deed.about(SubjectType.PERSON, account.person_id)
    waiting = _waiting(deed.db, account)
    if waiting is not None:
        deed.note(request_id=waiting, again=True)
        return {"request_id": str(waiting)}
    request = enter_request(
        deed, account.person_id, account, RequestKind.CORRECTION, CorrectedField.PHONE, phone
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
    deed.note(notice_version=version)
    deed.tell(NUMBER_ASKED, request_id=request.id)
    return {"request_id": str(request.id)}


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


def _account_of(db: Session, ground: Ground, facts: DocumentFacts, name: str, card: str) -> Account | None:
    """The account that this document, this name and this card belong to, all three."""
    indexes = [(one.scheme, one.digest) for one in sealing.document_indexes(ground, facts)]
    person = db.scalars(
        sa.select(Person)
        .join(PersonDocument, PersonDocument.person_id == Person.person_id)
        .where(sa.tuple_(PersonDocument.scheme, PersonDocument.value).in_(indexes))
        .limit(1)
    ).first()
    known = sealing.opened(db, ground, sealing.name_of(person)) if person else None
    if person is None or known is None or sealing.plain_name(known) != sealing.plain_name(name):
        return None
    return db.scalars(
        sa.select(Account)
        .join(Card, sa.and_(Card.district == Account.district, Card.account_id == Account.id))
        .where(
            Account.person_id == person.person_id,
            Account.state != AccountState.CLOSED,
            Card.credential == plain_credential(card),
            Card.state.in_(HELD),
        )
    ).first()


def _is_on_file(db: Session, ground: Ground, person_id: UUID, phone: str) -> bool:
    known = sealing.opened(db, ground, sealing.phone_of(db.get_one(Person, person_id)))
    return known is not None and sealing.plain_phone(known) == sealing.plain_phone(phone)


def _waiting(db: Session, account: Account) -> UUID | None:
    return db.scalars(
        sa.select(PrivacyRequest.id).where(
            PrivacyRequest.district == account.district,
            PrivacyRequest.person_id == account.person_id,
            PrivacyRequest.field == CorrectedField.PHONE,
            PrivacyRequest.state == PrivacyRequestState.ASKED,
        )
    ).first()

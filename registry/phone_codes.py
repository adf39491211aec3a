"""Signing in by telephone: a number is said, a code is sent there, who reads it is one of its people.

Whether a number is known is not to be learned here: known and unknown take the same path, get the same
answers and have the same tries. Only the message differs: to an unknown number none goes.

A challenge is part of signing in and commits for itself, as sessions do (house rule names them). Its code
stands nowhere: it follows from the challenge's id by the index key, which is not in the database.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock, outbox, sealed
from core.auth import Actor, Grant, Reach, Role, ScopeKind
from core.doing import Doing
from core.ground import Ground
from core.ids import new_id
from core.messages import Message
from core.outbox import Event
from core.sealed import mask_name
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import sealing
from registry.letting_models import Letting
from registry.models import Account, Person, PersonPhone, PhoneChallenge
from registry.proxy_models import ProxyConsent
from registry.states import ProxyState

TOPIC = "sign_in.code_issued"
LIFE = timedelta(minutes=10)
DIGITS = 6
MOST_WRONG_TRIES = 5
NOWHERE = 0
"""The district of a challenge whose number is nobody's: its event is written all the same."""


class Checked(StrEnum):
    """What became of a code that was typed. ``OVER``: used, too old or tried too often; ask for another."""

    RIGHT = "right"
    WRONG = "wrong"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who is reached under the number; the name is masked, a family tells itself apart."""

    person_id: UUID
    name_masked: str


def challenge(ground: Ground, phone: str) -> UUID:
    """Ask for the code of this number; a message goes out after the commit to a number that is somebody's."""
    with ground.sessions() as db:
        found = _people_of(db, sealing.phone_indexes(ground, phone))
        row = PhoneChallenge(
            id=new_id(),
            person_ids=[str(person_id) for person_id in dict.fromkeys(one.person_id for one in found)],
            wrong_tries=0,
            asked_at=clock.now(),
        )
        db.add(row)
        outbox.tell(db, found[0].district if found else NOWHERE, TOPIC, {"challenge_id": str(row.id)})
        db.commit()
        return row.id


def check(ground: Ground, challenge_id: UUID, typed: str) -> Checked:
    """Look at what was typed; a wrong try stays counted."""
    with ground.sessions() as db:
        row = db.get(PhoneChallenge, challenge_id, with_for_update=True)
        if row is None or not _may_be_tried(row):
            return Checked.OVER
        if _is_code_of(ground, row, typed) and row.person_ids:
            row.passed_at = clock.now()
        else:
            row.wrong_tries += 1
        db.commit()
        if row.passed_at is not None:
            return Checked.RIGHT
        return Checked.WRONG if row.wrong_tries < MOST_WRONG_TRIES else Checked.OVER


def candidates(ground: Ground, challenge_id: UUID) -> list[Candidate]:
    """Who may be meant, once the code was right and until somebody signed in by it."""
    with ground.reads() as db:
        row = db.get(PhoneChallenge, challenge_id)
        if row is None or not _has_passed(row):
            return []
        people = [db.get_one(Person, UUID(one)) for one in row.person_ids]
        names = sealing.all_opened(db, ground, [sealing.name_of(person) for person in people])
        return [
            Candidate(person.person_id, mask_name(name))
            for person, name in zip(people, names, strict=True)
            if name is not None
        ]


def use(ground: Ground, challenge_id: UUID, person_id: UUID) -> UUID | None:
    """The principal of one of its people, once; None where the challenge does not give that."""
    with ground.sessions() as db:
        row = db.get(PhoneChallenge, challenge_id, with_for_update=True)
        if row is None or not _has_passed(row) or str(person_id) not in row.person_ids:
            return None
        if not _had_it_then(db, person_id, row.asked_at):
            return None
        row.used_at = clock.now()
        principal_id = db.get_one(Person, person_id).principal_id
        db.commit()
    _admit(ground, person_id)
    return principal_id


def forget_before(ground: Ground, instant: datetime) -> int:
    """Challenges of another day say nothing any more. Returns how many went."""
    with ground.sessions() as db:
        gone = db.execute(
            sa.delete(PhoneChallenge).where(PhoneChallenge.asked_at < instant).returning(PhoneChallenge.id)
        ).all()
        db.commit()
    return len(gone)


def word_code(ground: Ground, event: Event) -> list[Message]:
    """The handler of ``sign_in.code_issued``: the message, while the code lives."""
    with ground.reads() as db:
        row = db.get(PhoneChallenge, UUID(event.payload["challenge_id"]))
        if row is None or not row.person_ids or not _may_be_tried(row):
            return []
        phone = sealing.opened(db, ground, sealing.phone_of(db.get_one(Person, UUID(row.person_ids[0]))))
        code = _codes_of(ground, row)[0]
    if phone is None:
        return []
    return [
        Message(
            phone,
            f"验证码 {code}，登录用，10分钟内有效。谁问您要都不要给，送气工也不需要它。",
            f"{code} is your sign-in code, good for 10 minutes. Give it to nobody, not to a courier either.",
            TOPIC,
            reference=str(event.id),
        )
    ]


# --- the grant of a resident ------------------------------------------------------------------------------


def _admit(ground: Ground, person_id: UUID) -> None:
    """Whoever has an account, or is named for somebody's, may act for it: the grant is made at the first
    sign-in by telephone. It reaches what is the person's own; for whom else they act, the consent says.

    A grant that was ended is not made again: whoever ended it had a reason.
    """
    with ground.reads() as db:
        missing = _districts_without_grant(db, person_id)
    for district in missing:
        actor = Actor(outbox.HOUSE, Reach(Role.ADMINISTRATOR, ScopeKind.ALL, "", district), district)
        _give_own_grant(Doing(ground, actor, district, request_id=f"sign-in-{person_id}"), person_id)


@does("grant.give")
def _give_own_grant(deed: Deed, person_id: UUID) -> Answer:
    person = deed.db.get_one(Person, person_id, with_for_update=True)
    deed.about(SubjectType.PERSON, person_id)
    if deed.district not in _districts_without_grant(deed.db, person_id):
        return {"principal_id": str(person.principal_id)}  # another sign-in was first
    grant = Grant(
        id=new_id(),
        principal_id=person.principal_id,
        role=Role.RESIDENT,
        scope_kind=ScopeKind.PERSON,
        scope_code=str(person_id),
        home_district=deed.district,
        from_at=deed.recorded_at,
        until_at=None,
    )
    deed.db.add(grant)
    deed.note(
        grant_id=grant.id,
        principal_id=grant.principal_id,
        role=grant.role,
        scope_kind=grant.scope_kind,
        scope_code=grant.scope_code,
        home_district=deed.district,
        until_at=None,
    )
    return {"grant_id": str(grant.id), "principal_id": str(grant.principal_id)}


def _districts_without_grant(db: Session, person_id: UUID) -> list[int]:
    own_numbers = PersonPhone.person_id == person_id
    at_home_in = db.scalars(sa.select(_at_home_in(own_numbers).subquery().c.district).distinct())
    ever = db.scalars(
        sa.select(Grant.home_district).where(
            Grant.principal_id == db.get_one(Person, person_id).principal_id,
            Grant.role == Role.RESIDENT,
            Grant.scope_code == str(person_id),
        )
    )
    return sorted(set(at_home_in) - set(ever))


# --- of a challenge ---------------------------------------------------------------------------------------


def _people_of(db: Session, indexes: list[sealed.BlindIndex]) -> Sequence[sa.Row[UUID, int]]:
    """The number's people who have to do with gas somewhere, oldest first, each with the districts.

    One statement for a number of a registrant, of a proxy, and of nobody.
    """
    numbers = [(index.scheme, index.digest) for index in indexes]
    found = _at_home_in(sa.tuple_(PersonPhone.scheme, PersonPhone.value).in_(numbers)).subquery()
    return db.execute(sa.select(found).order_by(found.c.person_id, found.c.district)).all()


def _at_home_in(numbers: sa.ColumnElement[bool]) -> sa.CompoundSelect[UUID, int]:
    """Whose number it is, and where they have or had an account, are or were a proxy or are asked to be,
    or let or let a home once."""
    asked = sa.and_(
        ProxyConsent.phone_scheme == PersonPhone.scheme,
        ProxyConsent.phone_index == PersonPhone.value,
        ProxyConsent.person_id != PersonPhone.person_id,
        ProxyConsent.state == ProxyState.NAMED,
        ProxyConsent.valid_until >= clock.today(),
    )
    whose = PersonPhone.person_id.label("person_id")
    return sa.union(
        sa.select(whose, Account.district)
        .join(Account, Account.person_id == PersonPhone.person_id)
        .where(numbers),
        sa.select(whose, ProxyConsent.district)
        .join(ProxyConsent, ProxyConsent.proxy_id == PersonPhone.person_id)
        .where(numbers),
        sa.select(whose, ProxyConsent.district).join(ProxyConsent, asked).where(numbers),
        sa.select(whose, Letting.district)
        .join(Letting, Letting.landlord_id == PersonPhone.person_id)
        .where(numbers),
    )


def _had_it_then(db: Session, person_id: UUID, at: datetime) -> bool:
    """Whether the number they are reached under is the one from before the code was asked for."""
    since = sa.select(PersonPhone.person_id).where(
        PersonPhone.person_id == person_id, PersonPhone.recorded_at <= at
    )
    return db.scalars(since.limit(1)).first() is not None


def _codes_of(ground: Ground, row: PhoneChallenge) -> list[str]:
    """The challenge's code under every live index key, the current first."""
    indexes = sealed.blind_indexes(ground.keyring, "sign_in_code", "phone", str(row.id))
    return [f"{int.from_bytes(index.digest) % 10**DIGITS:0{DIGITS}}" for index in indexes]


def _is_code_of(ground: Ground, row: PhoneChallenge, typed: str) -> bool:
    """The time taken tells nothing of how much was right."""
    compared = [hmac.compare_digest(code.encode(), typed.encode()) for code in _codes_of(ground, row)]
    return any(compared)


def _may_be_tried(row: PhoneChallenge) -> bool:
    return row.passed_at is None and row.wrong_tries < MOST_WRONG_TRIES and clock.now() < row.asked_at + LIFE


def _has_passed(row: PhoneChallenge) -> bool:
    return row.passed_at is not None and row.used_at is None and clock.now() < row.passed_at + LIFE

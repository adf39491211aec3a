"""What somebody means who types one thing into a box: a code, a card, a plate, an id, an address, a number.

Everything is matched whole. An address and a registrant's telephone are looked for by their blind indexes;
nothing here is kept or logged.
What the grant does not reach is not found.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.doing import Doing
from core.problems import NotFound
from cylinders.models import Cylinder
from cylinders.queries import resolve
from dispatch.orders.models import Order
from dispatch.safety.models import Hazard, Notice
from dispatch.safety.queries import reach_of_household
from evidence.models import Entry, Outcome
from oversight.refusal_notice_models import RefusalNotice
from oversight.review_models import RefusalReview
from registry import sealing
from registry.models import Account, Card, Household, PersonPhone, Premises, Vehicle
from registry.queries import card_by_credential
from registry.states import AccountState

NOTICE_NO = re.compile(r"[0-9]{8}-[0-9A-F]{8}")
REFUSAL_NO = re.compile(r"[0-9]{8}-[0-9A-Z]{6}")
TELEPHONE = re.compile(r"\+?[0-9][0-9 -]{5,20}")
LONGEST = 200


class FoundKind(StrEnum):
    CYLINDER = "cylinder"
    HAZARD = "hazard"
    HOUSEHOLD = "household"
    ORDER = "order"
    REFUSAL = "refusal"
    VEHICLE = "vehicle"


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """``key``: an id; of a refusal its number."""

    kind: FoundKind
    key: str


def find(doing: Doing, said: str) -> list[Found]:
    """Everything that goes by this name, within reach; each once."""
    said = said.strip()[:LONGEST]
    if not said:
        return []
    with doing.ground.sessions() as db:
        found = dict.fromkeys(_all(db, doing, said))
        return [one for one in found if _within_reach(db, doing, one)]


def _all(db: Session, doing: Doing, said: str) -> Iterator[Found]:
    yield from _by_id(db, doing.district, said)
    yield from _by_number(db, doing.district, said.upper())
    bottle = resolve(db, said).cylinder_id
    if bottle is not None:
        yield Found(FoundKind.CYLINDER, str(bottle))
    card = card_by_credential(db, doing.district, said.upper()) or card_by_credential(
        db, doing.district, said
    )
    if card is not None:
        yield Found(FoundKind.HOUSEHOLD, str(card.household_id))
    for vehicle in db.scalars(
        sa.select(Vehicle.id).where(
            Vehicle.district == doing.district, Vehicle.plate == re.sub(r"[\s·-]", "", said).upper()
        )
    ):
        yield Found(FoundKind.VEHICLE, str(vehicle))
    yield from _by_address(db, doing, said)
    yield from _by_telephone(db, doing, said)


def _by_id(db: Session, district: int, said: str) -> Iterator[Found]:
    try:
        identity = UUID(said)
    except ValueError:
        return
    if db.get(Cylinder, identity) is not None:
        yield Found(FoundKind.CYLINDER, str(identity))
    for model, kind in (
        (Order, FoundKind.ORDER),
        (Household, FoundKind.HOUSEHOLD),
        (Hazard, FoundKind.HAZARD),
        (Vehicle, FoundKind.VEHICLE),
    ):
        if db.get(model, (district, identity)) is not None:
            yield Found(kind, str(identity))
    card = db.get(Card, (district, identity))
    if card is not None:
        yield Found(FoundKind.HOUSEHOLD, str(card.household_id))


def _by_number(db: Session, district: int, said: str) -> Iterator[Found]:
    if NOTICE_NO.fullmatch(said):
        for notice in db.scalars(
            sa.select(Notice).where(Notice.district == district, Notice.number == said)
        ).all():
            yield from _told_by(db, notice)
    if REFUSAL_NO.fullmatch(said):
        refused = sa.select(Entry.refusal_no).where(
            Entry.refusal_no == said, Entry.district == district, Entry.outcome == Outcome.REFUSED
        )
        for number in db.scalars(refused):
            yield Found(FoundKind.REFUSAL, str(number))


def _told_by(db: Session, notice: Notice) -> Iterator[Found]:
    """A notice of a hazard leads to the hazard; of a refusal, or of an answer to a review, to the home."""
    if notice.hazard_id is not None:
        yield Found(FoundKind.HAZARD, str(notice.hazard_id))
        return
    refused = sa.select(RefusalNotice.household_id).where(
        RefusalNotice.district == notice.district, RefusalNotice.notice_id == notice.id
    )
    answered = sa.select(RefusalReview.household_id).where(
        RefusalReview.district == notice.district, RefusalReview.answer_notice_id == notice.id
    )
    for household in db.scalars(refused.union_all(answered)):
        yield Found(FoundKind.HOUSEHOLD, str(household))


def _by_address(db: Session, doing: Doing, said: str) -> Iterator[Found]:
    indexes = sealing.address_indexes(doing.ground, said)
    here = (
        sa.select(Household.id)
        .join(
            Premises, sa.and_(Premises.district == Household.district, Premises.id == Household.premises_id)
        )
        .where(
            Premises.district == doing.district,
            sa.tuple_(Premises.address_scheme, Premises.address_index).in_(
                [(index.scheme, index.digest) for index in indexes]
            ),
        )
        .order_by(Household.id.desc())
    )
    for household in db.scalars(here):
        yield Found(FoundKind.HOUSEHOLD, str(household))


def _by_telephone(db: Session, doing: Doing, said: str) -> Iterator[Found]:
    """The homes whose registrant is reached under the number."""
    if not TELEPHONE.fullmatch(said):
        return
    indexes = sealing.phone_indexes(doing.ground, said)
    homes = (
        sa.select(Account.household_id)
        .join(PersonPhone, PersonPhone.person_id == Account.person_id)
        .where(
            Account.district == doing.district,
            Account.state != AccountState.CLOSED,
            sa.tuple_(PersonPhone.scheme, PersonPhone.value).in_(
                [(index.scheme, index.digest) for index in indexes]
            ),
        )
        .order_by(Account.household_id)
    )
    for household in db.scalars(homes):
        yield Found(FoundKind.HOUSEHOLD, str(household))


def _within_reach(db: Session, doing: Doing, found: Found) -> bool:
    """Bottles are every regulator's; vehicles and refusals the district's; the rest whose household it is."""
    try:
        match found.kind:
            case FoundKind.CYLINDER:
                return True
            case FoundKind.VEHICLE | FoundKind.REFUSAL:
                doing.actor.must_reach(district=doing.district)
                return True
            case FoundKind.HOUSEHOLD:
                household_id = UUID(found.key)
            case FoundKind.ORDER:
                household_id = db.get_one(Order, (doing.district, UUID(found.key))).household_id
            case FoundKind.HAZARD:
                household_id = db.get_one(Hazard, (doing.district, UUID(found.key))).household_id
        doing.actor.must_reach(**reach_of_household(db, doing.actor, doing.district, household_id))
    except NotFound:
        return False
    return True

"""What both sides of a letting are sent: that it was entered, and until when; neither is named to the other.

Worded when it is sent, from what stands then: one that has ended is told to nobody, and whoever asked to be
erased is told nothing.
"""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy.orm import Session

from core.ground import Ground
from core.messages import Message
from core.outbox import Event
from registry.letting_models import Letting
from registry.queries import account_of, phone_of
from registry.stops import stop_of

_TO_TENANT = (
    "您家的用气登记里记下了房东，租期到{until_zh}。不是租的房子、或租期不对？请打用气热线或到柜台更正。",
    "Your gas registration now says who lets the home to you, until {until_on}. Not so? Call the hotline or "
    "come to the counter.",
)
_TO_LANDLORD = (
    "您被登记为一处用气房屋的房东，租期到{until_zh}。没有出租、或租期不对？请打用气热线或到柜台更正。",
    "You are registered as the landlord of a home that uses gas, until {until_on}. Not so? Call the hotline "
    "or come to the counter.",
)


def word_to_tenant(ground: Ground, event: Event) -> list[Message]:
    return _worded(ground, event, _tenant, _TO_TENANT, str(event.id))


def word_to_landlord(ground: Ground, event: Event) -> list[Message]:
    return _worded(ground, event, lambda db, row: row.landlord_id, _TO_LANDLORD, f"{event.id}:landlord")


def _tenant(db: Session, row: Letting) -> UUID | None:
    account = account_of(db, row.district, row.household_id)
    return account.person_id if account is not None else None


def _worded(
    ground: Ground,
    event: Event,
    whom: Callable[[Session, Letting], UUID | None],
    words: tuple[str, str],
    reference: str,
) -> list[Message]:
    with ground.reads() as db:
        row = db.get_one(Letting, (event.district, UUID(event.payload["letting_id"])))
        person_id = whom(db, row) if row.ended_at is None else None
        if person_id is None or stop_of(db, person_id) is not None:
            return []
        phone = phone_of(db, ground, person_id)
    if phone is None:
        return []
    day = row.until_on
    holes = {"until_zh": f"{day.year}年{day.month}月{day.day}日", "until_on": day.isoformat()}
    zh, en = (said.format(**holes) for said in words)
    return [Message(phone, zh, en, event.topic, reference)]

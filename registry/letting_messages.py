"""What both sides of a letting are sent: that it was entered, until when, that it ended; neither is named.

Worded when it is sent, from what stands then: whom a newer one binds anew is told of that one alone, and
whoever asked to be erased is told nothing. Who was the tenant is whose the account was while it was let.
"""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.ground import Ground
from core.messages import Message
from core.outbox import Event
from registry import lettings
from registry.letting_models import Letting
from registry.letting_queries import living
from registry.models import Account
from registry.queries import phone_of
from registry.stops import stop_of
from registry.succession_models import FormerHolder

_TO_TENANT = {
    lettings.ENTERED: (
        "您家的用气登记里记下了房东，租期到{until_zh}。不是租的房子、或租期不对？请打用气热线或到柜台更正。",
        "Your gas registration now says who lets the home to you, until {until_on}. Not so? Call the hotline "
        "or come to the counter.",
    ),
    lettings.ENDED: (
        "您家用气登记里的房东登记（租期到{until_zh}）已经结束。有不对的，请打用气热线或到柜台。",
        "The entry of who lets your home to you (until {until_on}) has ended. Not so? Call the hotline or "
        "come to the counter.",
    ),
}
_TO_LANDLORD = {
    lettings.ENTERED: (
        "您被登记为一处用气房屋的房东，租期到{until_zh}。没有出租、或租期不对？请打用气热线或到柜台更正。",
        "You are registered as the landlord of a home that uses gas, until {until_on}. Not so? Call the "
        "hotline or come to the counter.",
    ),
    lettings.ENDED: (
        "您作为一处用气房屋房东的登记（租期到{until_zh}）已经结束。有不对的，请打用气热线或到柜台。",
        "You are no longer registered as the landlord of a home that uses gas (until {until_on}). Not so? "
        "Call the hotline or come to the counter.",
    ),
}


def word_to_tenant(ground: Ground, event: Event) -> list[Message]:
    with ground.reads() as db:
        row = _told_of(db, event)
        tenant_id = _tenant(db, row)
        newer = _newer(db, row)
        is_bound_anew = newer is not None and _tenant(db, newer) == tenant_id
        phone = _phone(db, ground, tenant_id) if _still(event, row, is_bound_anew) else None
    return _worded(event, row, phone, _TO_TENANT, str(event.id))


def word_to_landlord(ground: Ground, event: Event) -> list[Message]:
    with ground.reads() as db:
        row = _told_of(db, event)
        newer = _newer(db, row)
        is_bound_anew = newer is not None and newer.landlord_id == row.landlord_id
        phone = _phone(db, ground, row.landlord_id) if _still(event, row, is_bound_anew) else None
    return _worded(event, row, phone, _TO_LANDLORD, f"{event.id}:landlord")


def _told_of(db: Session, event: Event) -> Letting:
    return db.get_one(Letting, (event.district, UUID(event.payload["letting_id"])))


def _still(event: Event, row: Letting, is_bound_anew: bool) -> bool:
    return row.ended_at is None if event.topic == lettings.ENTERED else not is_bound_anew


def _newer(db: Session, row: Letting) -> Letting | None:
    """What stands for the home in the place of one that ended."""
    return living(db, row.district, row.household_id) if row.ended_at is not None else None


def _tenant(db: Session, row: Letting) -> UUID | None:
    """In whose name the home's account stood when it was let: not who came after."""
    account = db.scalars(
        sa.select(Account)
        .where(
            Account.district == row.district,
            Account.household_id == row.household_id,
            Account.recorded_at <= row.recorded_at,
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
            FormerHolder.until_at > row.recorded_at,
        )
        .order_by(FormerHolder.until_at)
        .limit(1)
    ).first()
    return passed_on or account.person_id


def _phone(db: Session, ground: Ground, person_id: UUID | None) -> str | None:
    if person_id is None or stop_of(db, person_id) is not None:
        return None
    return phone_of(db, ground, person_id)


def _worded(
    event: Event, row: Letting, phone: str | None, words: dict[str, tuple[str, str]], reference: str
) -> list[Message]:
    if phone is None:
        return []
    day = row.until_on
    holes = {"until_zh": f"{day.year}年{day.month}月{day.day}日", "until_on": day.isoformat()}
    zh, en = (said.format(**holes) for said in words[event.topic])
    return [Message(phone, zh, en, event.topic, reference)]

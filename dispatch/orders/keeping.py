"""优先名额: places of a slot that are kept for homes looked after first, until some hours before it begins.

    kept_from(…)     how many of its free places a home may not have now
    rooms_for(…)     the room each slot has for one home, for its page

Who is looked after first is said of the household (``vulnerable``); the booking gate is told only how many
places are kept from whoever asks, so that no decision holds it. Asked under the slot's lock.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from core import clock
from core.doing import Doing
from core.prepared import Prepared
from dispatch.orders.models import Order, OrderLine, Slot
from dispatch.orders.states import LineState
from registry.models import Household
from registry.proxy_queries import party_to_book_for


def kept_from(db: Session, slot: Slot, household: Household, at: datetime) -> int:
    """``slot`` and ``household``: or rows of them."""
    if household.vulnerable or not is_keeping(slot, at):
        return 0
    taken = _taken_by_those_first(db, slot.district, [slot.id])
    return max(0, slot.kept - taken.get(slot.id, 0))


def is_keeping(slot: Slot, at: datetime) -> bool:
    return slot.kept > 0 and slot.kept_until is not None and at < slot.kept_until


def rooms_for(doing: Doing, household_id: UUID, slots: Sequence[Slot]) -> dict[UUID, int]:
    """By slot, how many bottles this home may still book there."""
    at = clock.now()
    with doing.ground.sessions() as db:
        household = party_to_book_for(db, doing.actor, doing.district, household_id).household
        keeping = [] if household.vulnerable else [slot.id for slot in slots if is_keeping(slot, at)]
        taken = _taken_by_those_first(db, doing.district, keeping)
    return {
        slot.id: max(0, slot.room_left - max(0, slot.kept - taken.get(slot.id, 0)))
        if slot.id in keeping
        else slot.room_left
        for slot in slots
    }


def _taken_by_those_first(db: Session, district: int, slot_ids: Collection[UUID]) -> dict[UUID, int]:
    """Places taken by homes looked after first; a visit that was made keeps its place."""
    if not slot_ids:
        return {}
    return {row.slot_id: row.taken for row in _TAKEN.within(db, district=district, slot_ids=list(slot_ids))}


_TAKEN = Prepared(
    sa.select(Order.slot_id, sa.func.count().label("taken"))
    .join(OrderLine, sa.and_(OrderLine.district == Order.district, OrderLine.order_id == Order.id))
    .join(Household, sa.and_(Household.district == Order.district, Household.id == Order.household_id))
    .where(
        Order.district == sa.bindparam("district"),
        Order.slot_id == sa.any_(sa.bindparam("slot_ids", type_=ARRAY(sa.Uuid))),
        OrderLine.state != LineState.CANCELLED,
        Household.vulnerable,
    )
    .group_by(Order.slot_id)
)

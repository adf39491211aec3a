"""The last delivery once more (再来一次): the same cards, purpose and mode, the next slot like its own.

An offer only, looked up and shown; what is booked from it goes through the booking verb and its gates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from core import clock
from core.doing import Doing
from dispatch.orders.homes import offered_slots, offers_contactless
from dispatch.orders.keeping import rooms_for
from dispatch.orders.models import Order, Purpose, Slot
from dispatch.orders.queries import OrderWithLines, latest_order, open_lines
from dispatch.orders.states import LineState
from registry.models import Card
from registry.queries import cards_of, party_within_reach
from registry.states import AccountState, CardState


@dataclass(frozen=True, slots=True)
class Repeat:
    """``like``: whether the slot begins at the same time of day as the last one did. ``contactless``: as the
    last one was, while the place still allows it."""

    household_id: UUID
    last: Order
    last_slot: Slot
    cards: list[Card]
    slot: Slot
    like: bool
    contactless: bool

    @property
    def card_ids(self) -> list[UUID]:
        return [card.id for card in self.cards]

    @property
    def purpose(self) -> Purpose:
        return self.last.purpose


def repeat_of(doing: Doing, household_id: UUID) -> Repeat | None:
    """None where nothing was delivered yet, something is open, no card is in use, or no slot has room."""
    with doing.ground.sessions() as db:
        account = party_within_reach(db, doing.actor, doing.district, household_id).account
        if account is None or account.state is not AccountState.OPEN:
            return None
        last = latest_order(db, doing, household_id, LineState.DELIVERED)
        cards = _cards(db, last) if last is not None else []
    if last is None or not cards:
        return None
    offered = offered_slots(doing, household_id)
    rooms = rooms_for(doing, household_id, offered)
    slot = _next_like([one for one in offered if rooms[one.id] >= len(cards)], last.slot)
    if slot is None:
        return None
    like = _time_of_day(slot) == _time_of_day(last.slot)
    contactless = last.order.contactless and offers_contactless(doing)
    return Repeat(household_id, last.order, last.slot, cards, slot, like, contactless)


def _cards(db: Session, last: OrderWithLines) -> list[Card]:
    """Those that had a bottle by it and are still in use; none while one of them waits for another."""
    delivered = [line.card_id for line in last.lines if line.state is LineState.DELIVERED]
    if open_lines(db, last.order.district, delivered):
        return []
    found = cards_of(db, last.order.district, delivered)
    return [card for card in found if card.state is CardState.ACTIVE]


def _next_like(free: Sequence[Slot], last: Slot) -> Slot | None:
    alike = [slot for slot in free if _time_of_day(slot) == _time_of_day(last)]
    return next(iter([*alike, *free]), None)


def _time_of_day(slot: Slot) -> int:
    """Seconds since local midnight."""
    return int((slot.starts_at - clock.at(slot.day)).total_seconds())

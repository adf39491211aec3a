"""Another slot for an order that stands (改约时段), as acts for the room of rounds.

The verb is there: only that room knows whether an order stands on a round already. A move is judged as a
booking made now for the new slot would be, by both gates and under the same locks; what is booked already is
not counted against itself, and its place in the old slot is given back in the same step.
"""

from dataclasses import dataclass
from uuid import UUID

from core.refusal import Refusal
from dispatch.orders import refusals as no
from dispatch.orders.booking_desk import Booking, Desk, open_desk, take_places
from dispatch.orders.judging import judged, keep_decisions
from dispatch.orders.models import Order, OrderLine, Slot
from dispatch.orders.queries import order_with_lines
from dispatch.orders.states import LineState, order_state
from evidence.deed import Deed, Stands
from rulebook import current


@dataclass(frozen=True, slots=True)
class Move:
    """Everything a move touches, locked. ``lines``: the order's, but for those that were cancelled."""

    order: Order
    leaves: Slot
    asked: Booking
    desk: Desk
    lines: list[OrderLine]


def open_move(deed: Deed, order: Order, slot_id: UUID) -> Move:
    """Lock in the order of the house. An order that has this slot already is answered: nothing is done."""
    _unless_there(order, slot_id)
    lines = _lines(deed, order)
    cards = tuple(sorted(line.card_id for line in lines))
    asked = Booking(
        order.household_id, slot_id, order.purpose, order.channel, cards, order.contactless, moves=order
    )
    desk = open_desk(deed, asked)
    _unless_there(order, slot_id)  # somebody was quicker
    leaves = deed.db.get_one(Slot, (deed.district, order.slot_id))
    return Move(order, leaves, asked, desk, _lines(deed, order, lock=True))


def move_refusals(deed: Deed, move: Move) -> list[Refusal]:
    """Why it may not have the new slot: it waits no longer, or a booking for it would be refused.

    Both decisions are kept, whatever they are.
    """
    found = judged(deed, move.asked, move.desk)
    keep_decisions(deed, found.verdicts, move.desk.party.premises.street_code)
    reasons = [*_not_waiting(deed, move), *found.reasons]
    return sorted(reasons, key=lambda refusal: refusal.rule)


def take_new_slot(deed: Deed, move: Move) -> None:
    """The database holds the capacity too: who comes between is refused by its name.

    Zones may be drawn anew from a day on: the order is of the zone of its slot.
    """
    take_places(deed, move.leaves.id, -len(move.lines))
    take_places(deed, move.desk.slot.id, len(move.lines))
    move.order.slot_id, move.order.zone_id = move.desk.slot.id, move.desk.zone.id
    deed.db.flush()


def _lines(deed: Deed, order: Order, *, lock: bool = False) -> list[OrderLine]:
    found = order_with_lines(deed.db, deed.district, order.id, lock=lock)
    return [line for line in found.lines if line.state is not LineState.CANCELLED] if found else []


def _unless_there(order: Order, slot_id: UUID) -> None:
    if order.slot_id == slot_id:
        raise Stands({"order_id": str(order.id), "again": True})


def _not_waiting(deed: Deed, move: Move) -> list[Refusal]:
    states = [line.state for line in move.lines] or [LineState.CANCELLED]
    if all(state is LineState.BOOKED for state in states):
        return []
    basis = current().at(str(deed.district), move.desk.day).basis("A10")
    return [no.NOT_WAITING(state=order_state(states)).resting_on(basis)]

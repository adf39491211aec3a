"""The verb that gives a standing order another slot (改约时段). Only this room knows what is planned.

It may be done while every bottle of the order is still waiting and the order stands on no round, planned or
driven. A plan that was proposed meanwhile is not in the way: it finds the order changed when it is applied.
"""

from uuid import UUID

from core.problems import NotFound
from core.refusal import Refused
from dispatch.orders.booking_desk import firm_of
from dispatch.orders.models import Order
from dispatch.orders.moving import move_refusals, open_move, take_new_slot
from dispatch.orders.queries import reach_of_order
from dispatch.rounds import refusals as no
from dispatch.rounds.queries import stop_of
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType


@does("order.change_slot")
def change_slot(deed: Deed, *, order_id: UUID, slot_id: UUID) -> Answer:
    """``order_id``, and ``again`` where it has this slot already."""
    order = deed.db.get(Order, (deed.district, order_id))
    if order is None:
        raise NotFound
    deed.actor.must_reach(**reach_of_order(deed.db, order))
    move = open_move(deed, order, slot_id)
    zone = move.desk.zone
    deed.about(SubjectType.ORDER, order_id)
    deed.about(SubjectType.HOUSEHOLD, order.household_id)
    deed.at(firm=firm_of(move.desk), zone=zone.id, site=zone.supply_site_id)
    deed.note(order_id=order_id, slot_id=slot_id, slot_left=move.leaves.id)
    reasons = move_refusals(deed, move)
    # Under the lines' locks: who would put it on a round waits for them too.
    if stop_of(deed.db, deed.district, order_id) is not None:
        reasons.insert(0, no.ORDER_PLANNED())
    if reasons:
        raise Refused(reasons)
    take_new_slot(deed, move)
    deed.tell("order.moved", order_id=order_id)
    return {"order_id": str(order_id)}

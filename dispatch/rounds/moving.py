"""The verb that gives a standing order another slot (改约时段). Only this room knows what is planned.

It may be done while every bottle of the order is still waiting and the order stands on no round, planned or
driven; a round that nobody began on its day will not be driven any more, and lets the order go. A plan that
was proposed meanwhile is not in the way: it finds the order changed when it is applied.
"""

from uuid import UUID

from core import clock
from core.problems import NotFound
from core.refusal import Refused
from dispatch.orders.booking_desk import firm_of
from dispatch.orders.models import Order
from dispatch.orders.moving import move_refusals, open_move, take_new_slot
from dispatch.orders.queries import must_reach_order
from dispatch.rounds import refusals as no
from dispatch.rounds.acts import let_go
from dispatch.rounds.models import RoundStop
from dispatch.rounds.queries import round_of, stop_of
from dispatch.rounds.states import RoundState
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry.proxy_queries import ProxyAct


@does("order.change_slot")
def change_slot(deed: Deed, *, order_id: UUID, slot_id: UUID) -> Answer:
    """``order_id``, and ``again`` where it has this slot already."""
    order = deed.db.get(Order, (deed.district, order_id))
    if order is None:
        raise NotFound
    must_reach_order(deed.db, deed.actor, order, ProxyAct.BOOK)
    move = open_move(deed, order, slot_id)
    zone = move.desk.zone
    deed.about(SubjectType.ORDER, order_id)
    deed.about(SubjectType.HOUSEHOLD, order.household_id)
    deed.at(firm=firm_of(move.desk), zone=zone.id, site=zone.supply_site_id)
    deed.note(order_id=order_id, slot_id=slot_id, slot_left=move.leaves.id)
    reasons = move_refusals(deed, move)
    # Under the lines' locks: who would put it on a round waits for them too.
    stop = stop_of(deed.db, deed.district, order_id)
    if stop is not None and not _is_over(deed, stop):
        reasons.insert(0, no.ORDER_PLANNED())
    if reasons:
        raise Refused(reasons)
    if stop is not None:
        let_go(deed, stop)
    take_new_slot(deed, move)
    deed.tell("order.moved", order_id=order_id)
    return {"order_id": str(order_id)}


def _is_over(deed: Deed, stop: RoundStop) -> bool:
    """Whether the stop is of a round that can be started no more."""
    round = round_of(deed.db, deed.district, stop.round_id, lock=True)
    return (
        round is not None and round.state is RoundState.PLANNED and round.day < clock.day_of(deed.recorded_at)
    )

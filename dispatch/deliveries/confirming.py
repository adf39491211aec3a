"""The resident's own word on an order: received, or not. A problem is a tip for the regulator."""

from uuid import UUID

from core.problems import NotFound
from core.refusal import Refused
from dispatch.deliveries import refusals as no
from dispatch.deliveries.models import Confirmation, Problem, Said
from dispatch.orders.queries import must_reach_order, order_with_lines
from dispatch.orders.states import LineState
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry.proxy_queries import ProxyAct

PROBLEM_REPORTED = "order.problem_reported"


@does("order.confirm")
def confirm(deed: Deed, *, order_id: UUID, said: Said, problem: Problem | None = None) -> Answer:
    """Each is said once of an order; said again, the first stands. A problem may be told at any time."""
    found = order_with_lines(deed.db, deed.district, order_id, lock=True)
    if found is None:
        raise NotFound
    must_reach_order(deed.db, deed.actor, found.order, ProxyAct.RECEIVE)
    deed.about(SubjectType.ORDER, order_id)
    deed.about(SubjectType.HOUSEHOLD, found.order.household_id)
    deed.at(firm=found.order.firm_id, zone=found.order.zone_id)
    deed.note(said=said, problem=problem)
    answer = {"order_id": str(order_id), "said": said.value}
    if deed.db.get(Confirmation, (deed.district, order_id, said)) is not None:
        deed.note(again=True)
        return answer
    if said is Said.RECEIVED and all(line.state is not LineState.DELIVERED for line in found.lines):
        raise Refused([no.NOTHING_RECEIVED(state=found.state)])
    deed.db.add(
        Confirmation(
            district=deed.district,
            order_id=order_id,
            said=said,
            problem=problem,
            said_by=deed.actor.principal_id,
            recorded_at=deed.recorded_at,
        )
    )
    if problem is not None:
        deed.tell(PROBLEM_REPORTED, order_id=order_id, firm_id=found.order.firm_id, problem=problem)
    return answer

"""Tell the rooms above of a strange bottle also when the deed in which it was seen is refused.

A foreign empty at a door refuses the handover, and what a refused deed told is undone with it. But that the
bottle was seen is a fact. So the event's rows are kept by the deed, beside its decision: one commit, whatever
the outcome, and a repeat under the same key tells nothing twice.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from core.ids import new_id
from core.outbox import SUBSCRIBERS, DeliveryState, OutboxDelivery, OutboxEvent
from core.refusal import Refusal, plain
from cylinders.acts import STRANGER_SEEN
from cylinders.queries import Resolved
from evidence.deed import Deed


def tell_of_stranger(
    deed: Deed,
    resolved: Resolved,
    *,
    where: str,
    site_id: UUID | None = None,
    order_id: UUID | None = None,
    round_id: UUID | None = None,
    reasons: Iterable[Refusal] = (),
) -> None:
    """The same event as ``cylinders.acts.stranger_seen``, outliving a refusal."""
    told = {
        "where": where,
        "code": resolved.on_record,
        "identity": resolved.identity,
        "cylinder_id": resolved.cylinder_id,
        "site_id": site_id,
        "order_id": order_id,
        "round_id": round_id,
        "reasons": [refusal.code for refusal in reasons],
        "seen_at": deed.occurred_at,
    }
    _keep_event(deed, STRANGER_SEEN, {name: plain(value) for name, value in told.items()})


def _keep_event(deed: Deed, topic: str, payload: dict[str, Any]) -> None:
    event_id = new_id()
    deed.keep(
        OutboxEvent(
            district=deed.district, id=event_id, topic=topic, payload=payload, recorded_at=deed.recorded_at
        )
    )
    for consumer in SUBSCRIBERS.get(topic, {}):
        deed.keep(
            OutboxDelivery(
                district=deed.district,
                event_id=event_id,
                consumer=consumer,
                state=DeliveryState.DUE,
                due_at=deed.recorded_at,
                attempts=0,
            )
        )

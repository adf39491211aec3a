"""Verbs of oversight, and the handlers of what the rooms below tell."""

from datetime import datetime

from core import clock
from core.ground import Ground
from core.outbox import Event, acting
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from oversight.models import Tip


def raise_tip(ground: Ground, event: Event) -> None:
    """An unknown or foreign bottle was seen: put it before the regulator, once per event."""
    record_tip(acting(ground, event, "oversight.tips"), event)


@does("tip.record")
def record_tip(deed: Deed, event: Event) -> Answer:
    seen_at = event.payload.get("seen_at")
    tip = Tip(
        district=event.district,
        kind=event.topic,
        event_id=event.id,
        facts=event.payload,
        seen_at=datetime.fromisoformat(seen_at) if seen_at else clock.now(),
        recorded_at=deed.recorded_at,
    )
    deed.db.add(tip)
    deed.db.flush()
    deed.about(SubjectType.REGISTER, str(event.district))
    deed.note(tip_id=tip.id, event_id=event.id, kind=event.topic)
    return {"tip_id": str(tip.id)}

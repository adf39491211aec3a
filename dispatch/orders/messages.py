"""What the registrant is sent about an order: worded when it is sent, from what stands then."""

from uuid import UUID

from core.ground import Ground
from core.messages import Message, clock_en, clock_zh
from core.outbox import Event
from dispatch.orders.queries import order_with_lines
from dispatch.orders.states import OPEN_STATES
from registry.queries import phone_of

IN_PERSON = (
    "送气时须入户安检，请家中留人。",
    "Your home is checked at delivery: please have somebody in.",
)
LEFT_AT_THE_DOOR = (
    "无接触交接：空瓶和用气卡请放门口，看过新瓶再报签收码。安检仍需进屋，请家中留人。",
    "Contactless: put the empty and your card at the door, and tell the code once you have seen the new "
    "bottle. Your home is still checked: please have somebody in.",
)


def word_booked(ground: Ground, event: Event) -> list[Message]:
    """An order that was cancelled before we came to tell is not told."""
    return _word_slot(ground, event, "已预约换气", "Booked")


def word_moved(ground: Ground, event: Event) -> list[Message]:
    """The slot that stands when it is sent: of two changes at once the later is said twice."""
    return _word_slot(ground, event, "预约已改时段", "Your booking was moved")


def _word_slot(ground: Ground, event: Event, zh: str, en: str) -> list[Message]:
    with ground.reads() as db:
        found = order_with_lines(db, event.district, UUID(event.payload["order_id"]))
        phone = phone_of(db, ground, found.order.person_id) if found is not None else None
    if found is None or phone is None:
        return []
    bottles = sum(line.state in OPEN_STATES for line in found.lines)
    if bottles == 0:
        return []
    then_zh, then_en = LEFT_AT_THE_DOOR if found.order.contactless else IN_PERSON
    starts, ends, short = found.slot.starts_at, found.slot.ends_at, short_number(found.order.id)
    return [
        Message(
            phone,
            f"{zh}：{clock_zh(starts)}至{clock_zh(ends)[-5:]}，{bottles}瓶，预约号{short}。{then_zh}",
            f"{en}: {bottles} bottle(s), {clock_en(starts)} to {clock_en(ends)[-5:]}, number {short}. "
            f"{then_en}",
            event.topic,
            reference=str(event.id),
        )
    ]


def short_number(order_id: UUID) -> str:
    """What of an order's id is short enough to be read out over the telephone."""
    return order_id.hex[-8:].upper()

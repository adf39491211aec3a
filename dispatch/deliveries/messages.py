"""What the registrant is sent from the door: the code while it lives, what was handed over, what was not."""

from uuid import UUID

from core import clock
from core.ground import Ground
from core.messages import Message, clock_en, clock_zh
from core.outbox import Event
from dispatch.deliveries import door_code
from dispatch.deliveries.models import Delivery, DropPlace
from dispatch.orders.messages import short_number
from dispatch.orders.models import Order
from registry.queries import phone_of

LEFT: dict[DropPlace, tuple[str, str]] = {
    DropPlace.DOORSTEP: ("，放在户门口", "left at your door"),
    DropPlace.YARD: ("，放在院里", "left in your yard"),
    DropPlace.CYLINDER_ROOM: ("，放在瓶间", "left in your cylinder room"),
}


def word_door_code(ground: Ground, event: Event) -> list[Message]:
    """A code that is used, or has expired before we came to tell it, is not told."""
    order_id = UUID(event.payload["order_id"])
    with ground.reads() as db:
        order = db.get_one(Order, (event.district, order_id))
        row = door_code.code_of(db, event.district, order_id)
        phone = phone_of(db, ground, order.person_id)
        if row is None or phone is None or row.used_at is not None or row.expires_at <= clock.now():
            return []
        code = door_code.opened(db, ground, row, order.household_id)
    until = row.expires_at
    return [
        Message(
            phone,
            f"送气工已到门口。签收码{code}，{clock_zh(until)[-5:]}前有效。核对瓶和安检后再告诉送气工。",
            f"The courier is at your door. Your code is {code}, until {clock_en(until)[-5:]}. "
            "Tell it once bottle and check are done.",
            event.topic,
            reference=str(event.id),
        )
    ]


def word_delivered(ground: Ground, event: Event) -> list[Message]:
    phone, visit, short = _visit(ground, event)
    if phone is None:
        return []
    # A phone may report later that nothing was checked: then nobody is told that it was.
    checked_zh, checked_en = ("，安检已做", ", your home was checked") if visit.check_id else ("", "")
    left_zh, left_en = LEFT[visit.drop_place] if visit.drop_place else ("", "handed over")
    return [
        Message(
            phone,
            f"{clock_zh(visit.happened_at)}已送达1瓶{left_zh}{checked_zh}，预约号{short}。不是您家收的？请马上联系经营企业。",
            f"One bottle was {left_en} on {clock_en(visit.happened_at)}{checked_en}, number {short}. "
            "Not received by you? Call your gas firm at once.",
            event.topic,
            reference=str(event.id),
        )
    ]


def word_withheld(ground: Ground, event: Event) -> list[Message]:
    phone, visit, short = _visit(ground, event)
    if phone is None:
        return []
    return [
        Message(
            phone,
            f"{clock_zh(visit.happened_at)}上门安检未能通过，这次不能供气，气瓶已带回，预约号{short}。整改并复查合格后恢复供气。",
            f"The check of {clock_en(visit.happened_at)} did not pass: no gas was supplied and the bottle "
            f"went back, number {short}. Supply goes on after mending and a re-check.",
            event.topic,
            reference=str(event.id),
        )
    ]


def _visit(ground: Ground, event: Event) -> tuple[str | None, Delivery, str]:
    """The registrant's phone, what happened, and the order's short number."""
    with ground.reads() as db:
        order = db.get_one(Order, (event.district, UUID(event.payload["order_id"])))
        done = db.get_one(Delivery, (event.district, UUID(event.payload["delivery_id"])))
        return phone_of(db, ground, order.person_id), done, short_number(order.id)

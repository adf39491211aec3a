"""What a household is sent about the bottle on its card: that it falls due, that it is recalled. What a
firm's dispatchers are sent: how many of the firm's bottles fall due.

Worded when it is sent, from what stands then: a bottle that has left the card meanwhile is not told of.
"""

from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from core.ground import Ground
from core.messages import Message
from core.outbox import Event
from cylinders.life_models import DueKind
from cylinders.queries import custody_of, labels_of
from registry.models import Account, Card
from registry.queries import phone_of, phones_of_office


def word_due(ground: Ground, event: Event) -> list[Message]:
    phone, label = _holder(
        ground, UUID(event.payload["cylinder_id"]), since=UUID(event.payload["holding_id"])
    )
    if phone is None:
        return []
    day = date.fromisoformat(event.payload["due_on"])
    zh, en = _SAID[DueKind(event.payload["kind"])]
    return [
        Message(
            phone,
            f"您家的气瓶（{label}）{zh}{day.year}年{day.month}月{day.day}日。请在此前预约换气，由送气工收回这只瓶。",
            f"Your bottle ({label}) {en} {day.isoformat()}. Please book a refill before then: "
            "the courier will take this bottle back.",
            event.topic,
            reference=str(event.id),
        )
    ]


_SAID = {
    DueKind.INSPECTION: ("检验有效期至", "is inspected until"),
    DueKind.LIFE: ("使用期限至", "may be used until"),
}


def word_due_to_firm(ground: Ground, event: Event) -> list[Message]:
    """To every dispatcher of the firm whose certificate is in force; where it has none, to its clerks."""
    with ground.reads() as db:
        phones = phones_of_office(db, ground, event.district, UUID(event.payload["firm_id"]))
    inspections, lives = event.payload["inspections"], event.payload["lives"]
    day = date.fromisoformat(event.payload["until_on"])
    until = f"{day.year}年{day.month}月{day.day}日"
    return [
        Message(
            phone,
            f"本企业新增{inspections}只气瓶检验在{until}前到期、{lives}只使用期限在此前届满，"
            "请在到期提醒中查看并安排收回送检。",
            f"Of your firm's bottles, {inspections} more are due for inspection and {lives} more reach the "
            f"end of their life by {day.isoformat()}: see the queue, and have them brought in.",
            event.topic,
            reference=f"{event.id}:{staff_id}",
        )
        for staff_id, phone in phones
    ]


def word_recalled(ground: Ground, event: Event) -> list[Message]:
    phone, label = _holder(ground, UUID(event.payload["cylinder_id"]))
    if phone is None:
        return []
    return [
        Message(
            phone,
            f"您家的气瓶（{label}）在召回之列，请停止使用并关闭瓶阀，联系供气企业换瓶。",
            f"Your bottle ({label}) is recalled: stop using it, shut its valve, ask your firm for another.",
            event.topic,
            reference=str(event.id),
        )
    ]


def _holder(ground: Ground, cylinder_id: UUID, *, since: UUID | None = None) -> tuple[str | None, str]:
    """The telephone of the household on whose card the bottle stands now, and the code on its label.

    ``since``: the fact since which it must have been there; another household's turn is told by itself.
    """
    with ground.reads() as db:
        custody = custody_of(db, cylinder_id)
        if custody is None or custody.card_id is None:
            return None, ""
        if since is not None and since != (custody.since_fact_id or custody.last_fact_id):
            return None, ""
        phone = _phone_of_card(db, ground, custody.district, custody.card_id)
        return phone, labels_of(db, [cylinder_id]).get(cylinder_id, "")


def _phone_of_card(db: Session, ground: Ground, district: int, card_id: UUID) -> str | None:
    card = db.get(Card, (district, card_id))
    account = db.get(Account, (district, card.account_id)) if card is not None else None
    return phone_of(db, ground, account.person_id) if account is not None else None

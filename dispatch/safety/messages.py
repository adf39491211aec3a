"""What the registrant is sent about a hazard: the notice's number, what was found, until when to mend it."""

from uuid import UUID

from core.ground import Ground
from core.messages import Message
from core.outbox import Event
from dispatch.safety.catalogue import ITEMS
from dispatch.safety.models import Hazard, Notice
from registry.queries import account_of, phone_of


def word_told(ground: Ground, event: Event) -> list[Message]:
    with ground.reads() as db:
        hazard = db.get_one(Hazard, (event.district, UUID(event.payload["hazard_id"])))
        notice = db.get_one(Notice, (event.district, UUID(event.payload["notice_id"])))
        account = account_of(db, event.district, hazard.household_id)
        phone = phone_of(db, ground, account.person_id) if account is not None else None
    if phone is None:
        return []
    item, due = ITEMS[hazard.item], hazard.deadline_on
    by_zh = f"请于{due.year}年{due.month}月{due.day}日前整改。" if due else "请立即整改。"
    by_en = f"Mend it by {due}." if due else "Mend it at once."
    stopped_zh = "复查合格前暂停供气。" if hazard.blocking else ""
    stopped_en = " No gas is supplied until a re-check has passed." if hazard.blocking else ""
    return [
        Message(
            phone,
            f"隐患整改通知书{notice.number}：“{item.zh}”不合格。{by_zh}{stopped_zh}",
            f"Hazard notice {notice.number}: failed: {item.en}. {by_en}{stopped_en}",
            event.topic,
            reference=str(event.id),
        )
    ]

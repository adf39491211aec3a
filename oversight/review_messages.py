"""What a registrant is sent about a refusal: that a review is answered, that it was told in writing."""

from uuid import UUID

from core.ground import Ground
from core.messages import Message
from core.outbox import Event
from dispatch.safety.models import Notice
from oversight.refusal_notice_models import RefusalNotice
from oversight.refusal_notice_queries import Appeal, appeal
from oversight.review_models import RefusalReview
from oversight.review_states import ReviewState
from registry.queries import phone_of

CAME_OF_IT: dict[ReviewState, tuple[str, str]] = {
    ReviewState.UPHELD: ("维持原决定", "the decision stands"),
    ReviewState.PARTLY: ("部分改正", "the decision is partly changed"),
    ReviewState.OVERTURNED: ("改正原决定", "the decision is changed"),
}


def word_answered(ground: Ground, event: Event) -> list[Message]:
    with ground.reads() as db:
        review = db.get_one(RefusalReview, (event.district, UUID(event.payload["review_id"])))
        phone = phone_of(db, ground, review.person_id)
    if phone is None:
        return []
    zh, en = CAME_OF_IT[review.state]
    return [
        Message(
            phone,
            f"编号{review.refusal_no}的不予办理已经人工复核：{zh}。"
            "答复全文请在网上“不予办理和复核”里看，看过请确认收到。",
            f"A person has looked at refusal {review.refusal_no} again: {en}. "
            "Read the answer online, and confirm that you have.",
            event.topic,
            reference=str(event.id),
        )
    ]


def word_told_in_writing(ground: Ground, event: Event) -> list[Message]:
    with ground.reads() as db:
        key = (event.district, UUID(event.payload["notice_id"]))
        told, notice = db.get_one(RefusalNotice, key), db.get_one(Notice, key)
        phone = phone_of(db, ground, told.person_id)
        until_zh, until_en = _until(appeal(db, told))
    if phone is None:
        return []
    return [
        Message(
            phone,
            f"不予供气告知书{notice.number}已出具（不予办理编号{told.refusal_no}）。"
            f"请在网上“不予办理和复核”里看全文，看过请确认收到。{until_zh}",
            f"Notice {notice.number} tells refusal {told.refusal_no} in writing. "
            f"Read it online, and confirm that you have. {until_en}",
            event.topic,
            reference=str(event.id),
        )
    ]


def _until(open_to_them: Appeal) -> tuple[str, str]:
    """As the paper says it: the last day counts, and what is past or was done already is not offered."""
    until_on, review = open_to_them.until_on, open_to_them.review
    if open_to_them.asked_by_another and open_to_them.is_overturned:
        return (
            "这次决定已经复核改正，不再有效，请重新申请。",
            "A review has changed this decision: it does not stand any more, apply again.",
        )
    if open_to_them.asked_by_another:
        return (
            "这次决定已有人要求复核；一次决定只复核一次。",
            "Somebody has asked for a review of this decision already; a decision is looked at again once.",
        )
    if review is not None and open_to_them.is_answered:
        zh, en = CAME_OF_IT[review.state]
        return f"已经人工复核：{zh}。", f"A person has looked at it again: {en}."
    if review is not None:
        late_zh, late_en = ("，已超期", "; that day is past") if open_to_them.is_overdue else ("", "")
        return (
            f"正在人工复核，应于{review.due_on:%Y年%-m月%-d日}前（含当日）答复{late_zh}。",
            f"A person is looking at it again and answers by {review.due_on} (that day included){late_en}.",
        )
    day = f"{until_on:%Y年%-m月%-d日}"
    if open_to_them.is_late:
        return f"要求人工复核的期限（{day}）已过。", f"A review could be asked for until {until_on}."
    return (
        f"不同意的，{day}前（含当日）可要求人工复核。",
        f"Until {until_on} (that day included) you may have a person look at it again.",
    )

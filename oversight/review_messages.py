"""What a registrant is sent about a refusal: that a review is answered, that it was told in writing."""

from uuid import UUID

from core.ground import Ground
from core.messages import Message
from core.outbox import Event
from dispatch.safety.models import Notice
from oversight.refusal_notice_models import RefusalNotice
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
    if phone is None:
        return []
    return [
        Message(
            phone,
            f"不予供气告知书{notice.number}已出具（不予办理编号{told.refusal_no}）。"
            "请在网上“不予办理和复核”里看全文，看过请确认收到。"
            f"不同意的，{told.ask_until_on:%Y年%-m月%-d日}前可要求人工复核。",
            f"Notice {notice.number} tells refusal {told.refusal_no} in writing. "
            "Read it online, and confirm that you have. "
            f"Until {told.ask_until_on.isoformat()} you may have a person look at it again.",
            event.topic,
            reference=str(event.id),
        )
    ]

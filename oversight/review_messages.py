"""What a registrant is sent once a review is answered: its number, what came of it, where to read it."""

from uuid import UUID

from core.ground import Ground
from core.messages import Message
from core.outbox import Event
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

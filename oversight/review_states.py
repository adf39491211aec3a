"""A review of a refusal (人工复核): what a person's act changes. Overdue is computed for a day."""

from enum import StrEnum

from core.machine import Machine, Move


class ReviewState(StrEnum):
    ASKED = "asked"
    TAKEN = "taken"
    UPHELD = "upheld"
    PARTLY = "partly"
    OVERTURNED = "overturned"
    WITHDRAWN = "withdrawn"


OPEN_STATES = (ReviewState.ASKED, ReviewState.TAKEN)
ANSWERED = (ReviewState.UPHELD, ReviewState.PARTLY, ReviewState.OVERTURNED)

REFUSAL_REVIEW = Machine(
    "review of a refusal",
    "refusal_review",
    ReviewState.ASKED,
    [
        Move("take", ReviewState.ASKED, ReviewState.TAKEN),
        Move("uphold", ReviewState.TAKEN, ReviewState.UPHELD),
        Move("overturn_partly", ReviewState.TAKEN, ReviewState.PARTLY),
        Move("overturn", ReviewState.TAKEN, ReviewState.OVERTURNED),
        Move("withdraw", ReviewState.ASKED, ReviewState.WITHDRAWN),
        Move("withdraw", ReviewState.TAKEN, ReviewState.WITHDRAWN),
    ],
)

MOVES = {
    ReviewState.UPHELD: "uphold",
    ReviewState.PARTLY: "overturn_partly",
    ReviewState.OVERTURNED: "overturn",
}
"""Which move an answer is."""

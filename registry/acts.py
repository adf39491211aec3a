"""What the rooms above may have the registry do within their own deed. Nothing here opens or commits."""

from evidence.deed import Deed
from evidence.models import SubjectType
from registry.models import Card, CardException


def set_card_exception(deed: Deed, card: Card, exception: CardException | None) -> None:
    """Say why the card may book without a bottle to swap; None once it holds one. The card is locked."""
    deed.about(SubjectType.CARD, card.id)
    card.exception = exception
    deed.db.flush()

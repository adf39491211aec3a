"""What the rooms above may have the registry do within their own deed. Nothing here opens or commits."""

from core import clock
from evidence.deed import Deed
from evidence.models import SubjectType
from registry import queries
from registry.accounts import release_registrant
from registry.models import Account, Card, CardException, Household
from registry.premises_models import AccountClosing, ClosingReason
from registry.states import ACCOUNT, CARD, CardState


def set_card_exception(deed: Deed, card: Card, exception: CardException | None) -> None:
    """Say why the card may book without a bottle to swap; None once it holds one. The card is locked."""
    deed.about(SubjectType.CARD, card.id)
    card.exception = exception
    deed.db.flush()


def close_account(
    deed: Deed, household: Household, account: Account, reason: ClosingReason, evidence: str
) -> list[Card]:
    """Close the account, its cards and its household; the registrant is free for another.

    Household and account are locked; the caller has seen that no card holds a bottle or an open line. The
    cards come back, closed. A moratorium never stands in the way of closing.
    """
    deed.about(SubjectType.HOUSEHOLD, household.id)
    deed.about(SubjectType.PERSON, account.person_id)
    ACCOUNT.move(deed.db, account, "close")
    cards = [
        card
        for card in queries.cards_of_account(deed.db, deed.district, account.id, lock=True)
        if card.state is not CardState.CLOSED
    ]
    for card in cards:
        deed.about(SubjectType.CARD, card.id)
        CARD.move(deed.db, card, "close")
    release_registrant(deed, account)
    household.closed_at = deed.recorded_at
    deed.db.add(
        AccountClosing(
            district=deed.district,
            account_id=account.id,
            reason=reason,
            evidence=evidence,
            closed_by=deed.actor.principal_id,
            closed_on=clock.day_of(deed.recorded_at),
            recorded_at=deed.recorded_at,
        )
    )
    deed.db.flush()
    return cards

"""Verb: approve that an account passes to another member of the home. Here, because nothing may be on its
way: an order's door code and messages go to whoever was registered when it was booked.
"""

from uuid import UUID

from dispatch.orders.queries import open_lines
from evidence.deed import Answer, Deed, does
from registry import successions
from registry.queries import cards_of_account


@does("succession.approve")
def approve(deed: Deed, succession_id: UUID) -> Answer:
    """Locks premises, household, account, persons, the succession, cards."""
    row, party = successions.locked(deed, succession_id)
    card_ids = [card.id for card in cards_of_account(deed.db, deed.district, row.account_id, lock=True)]
    lines = open_lines(deed.db, deed.district, card_ids)
    successions.pass_on(deed, row, party, open_lines=len(lines))
    return {"succession_id": str(row.id)}

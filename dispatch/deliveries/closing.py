"""Verb: close an account (退户). It stands here because it must know that no card holds or awaits a bottle.

Closing is never barred: no moratorium, no hazard, no suspension stands in its way. What is left of the
deposit is said with the answer and given back afterwards.
"""

from uuid import UUID

from core.refusal import Refused
from dispatch.deliveries import refusals as no
from dispatch.orders.booking_desk import cards_holding
from dispatch.orders.queries import open_lines
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import acts
from registry.account_refusals import ACCOUNT_NOT_OPEN
from registry.deposits import last_line
from registry.mentions import my_account, resting
from registry.premises_models import ClosingReason
from registry.queries import booking_party, cards_of_account
from registry.states import AccountState


@does("account.close")
def close_account(deed: Deed, account_id: UUID, *, reason: ClosingReason, evidence: str) -> Answer:
    """Locks premises, household, account, person, cards. Every bottle is back, every line done with."""
    seen = my_account(deed, account_id)
    deed.about(SubjectType.HOUSEHOLD, seen.household_id)
    deed.at(firm=seen.firm_id)
    deed.note(account_id=account_id, reason=reason, evidence=evidence)
    party = booking_party(deed.db, deed.district, seen.household_id, lock=True)
    if (
        party is None
        or party.account is None
        or party.account.id != account_id
        or party.account.state is AccountState.CLOSED
    ):
        raise Refused([resting(deed, ACCOUNT_NOT_OPEN(state=AccountState.CLOSED))])
    card_ids = [card.id for card in cards_of_account(deed.db, deed.district, account_id, lock=True)]
    lines = open_lines(deed.db, deed.district, card_ids)
    holding = cards_holding(deed, card_ids)
    reasons = []
    if lines:
        reasons.append(resting(deed, no.CLOSING_LINE_OPEN(lines=len(lines))))
    if holding:
        reasons.append(resting(deed, no.CLOSING_BOTTLE_HELD(bottles=len(holding))))
    if reasons:
        raise Refused(reasons)
    closed = acts.close_account(deed, party.household, party.account, reason, evidence)
    last = last_line(deed.db, deed.district, account_id)
    left_fen = last.balance_fen if last else 0
    deed.note(cards=len(closed), deposit_left_fen=left_fen)
    return {"account_id": str(account_id), "deposit_left_fen": left_fen}

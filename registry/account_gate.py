"""May this account be opened, or change hands? The moratorium on bottled-gas users, on one page.

Judged for the day the application was made, so that an application made before the bar stands. Which
kinds of business count as an opening and which as a transfer is written in the rulebook: a succession,
a change of address and a reopening do count; closing, refund, a lost card, a corrected name and a new
phone number do not. Both gates read the same page, so that no kind slips through the other's door.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from core.refusal import Refusal
from registry import account_refusals as no
from rulebook.edition import Law
from rulebook.gate import NONE_THEN, gate


class AccountBusiness(StrEnum):
    """What is asked for an account (业务类型)."""

    OPENING = "opening"
    TRANSFER = "transfer"
    SUCCESSION = "succession"
    CHANGE_OF_ADDRESS = "change_of_address"
    REOPENING = "reopening"
    CLOSING = "closing"
    REFUND = "refund"
    LOST_CARD = "lost_card"
    NAME_CORRECTION = "name_correction"
    PHONE_CHANGE = "phone_change"


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """``excepted``: the rules that a review of a refusal has lifted for this home."""

    applied_on: date
    kind: AccountBusiness
    excepted: tuple[str, ...] = field(default=(), metadata=NONE_THEN)


@gate("account.open", facts=AccountFacts)
@gate("account.transfer", facts=AccountFacts)
def account_refusals(c: AccountFacts, law: Law) -> Iterator[Refusal]:
    """Every reason against, in the order of the law: A02, A03."""
    # A02 no new users, but for a home that a review has excepted
    if c.kind in law.words("A02.counts") and "A02" not in c.excepted:
        yield no.OPENING_BARRED(applied_on=c.applied_on, since=bar_since("A02", law))

    # A03 no change of hands, but for a home that a review has excepted
    if c.kind in law.words("A03.counts") and "A03" not in c.excepted:
        yield no.TRANSFER_BARRED(applied_on=c.applied_on, since=bar_since("A03", law))


def bar_since(rule: str, law: Law) -> date | None:
    """The day the bar came into force here; it may lie before the day the document was issued."""
    basis = law.basis(rule)
    return basis.effective if basis else None

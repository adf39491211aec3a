"""May this hazard be closed? Claimed mending is not enough: somebody else must have looked again."""

from collections.abc import Iterator
from dataclasses import dataclass

from core.refusal import Refusal
from dispatch.safety import refusals as no
from rulebook.edition import Law
from rulebook.gate import gate


@dataclass(frozen=True, slots=True)
class ClosingFacts:
    """What the check shown for closing is. ``mended_at``: when mending was last claimed, RFC 3339.

    ``on_site`` was not asked at first: decisions of that time have no such fact and are judged as they were.
    """

    item: str
    is_recheck_of_household: bool
    item_passed: bool
    after_claim: bool
    mended_at: str | None
    checked_by_finder: bool
    closed_by_finder: bool
    on_site: bool = True


@gate("hazard.close", facts=ClosingFacts)
def closing_refusals(c: ClosingFacts, law: Law) -> Iterator[Refusal]:
    """Every reason against, in the order of the law: H01, H02."""
    # H01 a re-check of this household, after the claim, that passes the item
    if not c.is_recheck_of_household:
        yield no.NOT_A_RECHECK()
    if not c.on_site:
        yield no.NOT_ON_SITE()
    if not c.item_passed:
        yield no.ITEM_NOT_PASSED(item=c.item)
    if not c.after_claim:
        yield no.RECHECKED_TOO_EARLY(mended_at=c.mended_at)

    # H02 by another person than who found it
    if c.checked_by_finder or c.closed_by_finder:
        yield no.SAME_PERSON()

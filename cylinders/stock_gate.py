"""Does more stand at a site than it may hold? 存量上限, asked of what custody says stands there (W01).

Nothing is refused by it: a bottle that came in has come in. It tells the office what to do.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from core.refusal import Refusal
from cylinders import custody_refusals as no
from rulebook.edition import Law
from rulebook.gate import gate


@dataclass(frozen=True, slots=True)
class StockFacts:
    """Bottles at the site, full and empty apart, and its cap in bottles as the register of sites says."""

    full: int
    empty: int
    stock_cap: int


@gate("stock", facts=StockFacts)
def stock_refusals(s: StockFacts, law: Law) -> Iterator[Refusal]:
    stored = counted(s, law)
    if stored > s.stock_cap:
        yield no.STOCK_OVER_CAP(stored=stored, stock_cap=s.stock_cap, over=stored - s.stock_cap)


def counted(s: StockFacts, law: Law) -> int:
    """How many of the bottles the rulebook counts against the cap."""
    standing = {"full": s.full, "empty": s.empty}
    return sum(standing[word] for word in law.words("W01.counts"))

"""Does what the scale and the checker found count as a filling? Asked after the gas went in (F17).

The refill gate says whether a bottle may be filled; this page, whether it has been. Masses in grams.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from core.refusal import Refusal
from cylinders import filling_refusals as no
from rulebook.edition import Law
from rulebook.gate import gate


@dataclass(frozen=True, slots=True)
class WeighingFacts:
    """``gross_g`` is the full bottle, ``tare_weighed_g`` the empty shell, ``residue_g`` what was left in it.

    ``max_fill_g`` is stamped on the bottle. ``failed_checks`` are items that did not pass, ``checked_after``
    all that were looked at after the filling; None where only the scale's answer is in question.
    """

    max_fill_g: int
    stamped_tare_g: int | None
    tare_weighed_g: int
    residue_g: int
    gross_g: int
    failed_checks: tuple[str, ...]
    checked_after: tuple[str, ...] | None = None

    @property
    def content_g(self) -> int:
        """All the gas in the bottle. The stamp limits the content, whatever was in it before."""
        return self.gross_g - self.tare_weighed_g

    @property
    def net_g(self) -> int:
        """What was filled in."""
        return self.content_g - self.residue_g


@gate("weighing", facts=WeighingFacts)
def weighing_refusals(w: WeighingFacts, law: Law) -> Iterator[Refusal]:
    wanted = law.words("F17.items_after") if w.checked_after is not None else ()
    if unseen := [item for item in wanted if item not in (w.checked_after or ())]:
        yield no.AFTER_CHECK_MISSING(items=unseen)
    if w.failed_checks:
        yield no.CHECK_FAILED(items=list(w.failed_checks))
    if w.stamped_tare_g is None:
        yield no.TARE_UNKNOWN()
    if w.net_g <= 0:
        yield no.NOTHING_FILLED(net_g=w.net_g)
    over_g = tolerance_g(w, law)
    if over_g is not None and w.content_g > w.max_fill_g + over_g:
        yield no.OVERFILLED(content_g=w.content_g, limit_g=w.max_fill_g + over_g)


def tolerance_g(w: WeighingFacts, law: Law) -> int | None:
    """Grams over the stamp that the rulebook allows a bottle of this size."""
    return by_size("F17.over_g", w.max_fill_g, law)


def is_short(w: WeighingFacts, law: Law) -> bool:
    """Does the user get less than the trade allows? It counts as a filling, and is flagged (缺斤少两)."""
    under_g = by_size("F17.under_g", w.max_fill_g, law)
    return under_g is not None and w.content_g < w.max_fill_g - under_g


def by_size(name: str, max_fill_g: int, law: Law) -> int | None:
    """Of a table by the stamped fill in grams from which each value applies: the one for this bottle."""
    steps = law.table(name)
    if steps is None:
        return None
    reached = max(int(begins) for begins in steps if int(begins) <= max_fill_g)
    value: int = steps[str(reached)]
    return value

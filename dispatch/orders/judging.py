"""Both gates asked of one booking, and their decisions kept: for an order that is made, or that is moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from core.refusal import Refusal
from dispatch.orders.booking_desk import Booking, Desk, booking_facts, premises_facts, slot_refusals
from evidence.deed import Deed
from registry.exceptions import excepted_rules
from rulebook import current
from rulebook.decisions import DECIDED, columns_of
from rulebook.gate import Verdict, judge


@dataclass(frozen=True, slots=True)
class Judged:
    """``verdicts``: of the order, of the place. ``reasons``: theirs, and what the slot itself says."""

    verdicts: tuple[Verdict, Verdict]
    reasons: list[Refusal]

    @property
    def of_a_stranger(self) -> bool:
        """Somebody asked for a home they may not act for: what they ask says nothing of that home."""
        return bool(_for_a_stranger(self.reasons))


def judged(deed: Deed, asked: Booking, desk: Desk) -> Judged:
    place = str(deed.district)
    # An exception that is over by the day of delivery is none.
    excepted = excepted_rules(deed.db, deed.district, asked.household_id, desk.judged_on)
    booking = judge("booking", booking_facts(deed, asked, desk, excepted), place, desk.day, current())
    premises = judge("premises", premises_facts(deed, desk, excepted), place, desk.day, current())
    reasons = [*booking.reasons, *slot_refusals(deed, desk), *premises.reasons]
    return Judged((booking, premises), _for_a_stranger(reasons) or reasons)


def _for_a_stranger(reasons: Sequence[Refusal]) -> list[Refusal]:
    """Who may not act for a home is told that, and nothing else of how it stands."""
    return [refusal for refusal in reasons if refusal.rule == "A15"]


def keep_decisions(deed: Deed, verdicts: Sequence[Verdict], street: str) -> list[UUID]:
    """Their ids, in the same order; noted in the entry, and kept also where the answer is no."""
    decisions = []
    for verdict in verdicts:
        columns = columns_of(verdict, deed.district, street)
        deed.keep_by(DECIDED, **columns)
        decisions.append(columns["id"])
    deed.note(decision_ids=decisions)
    return decisions

"""May this agency say this of this bottle? What an inspection agency reports, on one page.

A failure or a scrapping is never too much to say; a pass and an extension put a bottle back to use.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from core.refusal import Refusal
from cylinders import life_refusals as no
from cylinders.refill_gate import Precision, max_life_ends_on
from rulebook.edition import Law
from rulebook.gate import gate
from rulebook.term import Term, holds


class AgencyAct(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    EXTEND = "extend"
    SCRAP = "scrap"


@dataclass(frozen=True, slots=True)
class AgencyFacts:
    """``approval`` is the agency's (核准证); None: it is not on the register. The day is the report's own.

    ``until_on`` is asked of an extension only: the last day of the extended life. ``inspected``: is the
    passed report on file that it rests on; None where it rests on an assessment.
    """

    act: AgencyAct
    approval: Term | None
    seized: bool
    standard: str | None
    made_on: date | None
    made_precision: Precision = Precision.MONTH
    until_on: date | None = None
    inspected: bool | None = None


@gate("agency", facts=AgencyFacts)
def agency_refusals(c: AgencyFacts, law: Law) -> Iterator[Refusal]:
    # I01 the agency is approved on the day of its report
    if not holds(c.approval, law.day):
        yield no.AGENCY_NOT_APPROVED()

    # F07 a seized bottle goes one way only
    if c.seized and c.act in (AgencyAct.PASS, AgencyAct.EXTEND):
        yield no.SCRAP_ONLY()

    # F06 no extension rests on a report that is not there, or reaches beyond the longest life of the standard
    if c.act is AgencyAct.EXTEND and c.inspected is False:
        yield no.EXTENSION_NOT_INSPECTED()
    if c.act is AgencyAct.EXTEND:
        ends_on = max_life_ends_on(c, law)
        if ends_on is None:
            yield no.LIFE_NOT_ON_FILE()
        elif c.until_on is not None and c.until_on > ends_on:
            yield no.BEYOND_MAX_LIFE(until_on=c.until_on, ends_on=ends_on)

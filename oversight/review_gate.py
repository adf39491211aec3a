"""May this review be asked for, taken, answered so? By another person; exceptions by rule, for days."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from core.refusal import Refusal
from oversight import review_refusals as no
from rulebook.edition import Law
from rulebook.gate import gate


@dataclass(frozen=True, slots=True)
class ReviewFacts:
    """``asked_on``: where a review is only asked for; ``by_who_*``: the one who acts now.

    ``excepted``: the rules from which an answer would except the home until ``excepted_until``.
    """

    refused_on: date
    refused_rules: tuple[str, ...]
    asked_on: date | None = None
    by_who_refused: bool = False
    by_who_asked: bool = False
    by_authority: bool = False
    is_upheld: bool = False
    excepted: tuple[str, ...] = ()
    excepted_until: date | None = None


@gate("review", facts=ReviewFacts)
def review_refusals(c: ReviewFacts, law: Law) -> Iterator[Refusal]:
    """Every reason against, in the order of the rules: J01 to J03."""
    # J01 a review is asked for in time; the last day counts
    days = law.integer("J01.ask_days")
    if c.asked_on is not None and days is not None and c.asked_on > c.refused_on + timedelta(days=days):
        yield no.TOO_LATE(refused_on=c.refused_on, days=days)

    # J02 another person decides
    if c.asked_on is None and (c.by_who_refused or c.by_who_asked):
        yield no.SAME_PERSON()

    # J03 an exception: from a rule that has exceptions, of this refusal, by the authority, not for ever
    may_except, most_days = law.words("J03.may_except"), law.integer("J03.most_days")
    for rule in c.excepted:
        if rule not in c.refused_rules:
            yield no.NOT_AMONG_REASONS(rule=rule)
        elif rule not in may_except:
            yield no.NOT_EXCEPTABLE(rule=rule)
    if c.excepted and not c.by_authority:
        yield no.NOT_YOURS()
    if c.excepted and c.is_upheld:
        yield no.UPHELD()
    if c.excepted and most_days is not None and not _is_soon_over(c.excepted_until, law.day, most_days):
        yield no.TOO_LONG(days=most_days)


def _is_soon_over(until_on: date | None, day: date, most_days: int) -> bool:
    return until_on is not None and day <= until_on <= day + timedelta(days=most_days)

"""May this crew work this shift? The whole policy, in the order of its rules; no database, no clock."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from core.refusal import Refusal
from registry import crew_refusals as no
from registry import roster_refusals as no_roster
from rulebook.edition import Law

Span = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Shift:
    """From and until, in seconds since midnight; the end is not part of it."""

    from_s: int
    until_s: int


@dataclass(frozen=True, slots=True)
class CrewFacts:
    """A binding on one day. ``from_s``, ``until_s``: what of the day it holds for. ``licence``: the firm's.

    Why somebody is away is nothing for a gate to know: what it refuses is kept."""

    from_s: int
    until_s: int
    certificate: Span
    permit: Span
    trained: bool
    device_revoked: bool
    courier_away: bool
    vehicle_away: bool
    licence: Span | None


def paper_refusals(facts: CrewFacts, day: date, law: Law) -> Iterator[Refusal]:
    """Papers that must hold on every day a crew sets out: a shift lies within one day."""
    if facts.licence is None or not _holds(facts.licence, day):
        yield no_roster.FIRM_UNLICENSED(day=day)
    for reason, span in (
        (no.CERTIFICATE_NOT_IN_FORCE, facts.certificate),
        (no.PERMIT_NOT_IN_FORCE, facts.permit),
    ):
        if not _holds(span, day):
            yield reason(valid_from=span[0], valid_until=span[1], from_on=day, until_on=day)
    if law.asks("D10") and not facts.trained:
        yield no.TRAINING_NOT_IN_FORCE(from_on=day, until_on=day)
    if facts.device_revoked:
        yield no.DEVICE_REVOKED()


def day_refusals(facts: CrewFacts, day: date, law: Law) -> Iterator[Refusal]:
    """What keeps the crew from working on that day at all."""
    yield from paper_refusals(facts, day, law)
    if facts.courier_away:
        yield no_roster.COURIER_AWAY(day=day)
    if facts.vehicle_away:
        yield no_roster.VEHICLE_AWAY(day=day)


def shift_refusals(facts: CrewFacts, shift: Shift, day: date, law: Law) -> Iterator[Refusal]:
    yield from day_refusals(facts, day, law)
    if facts.from_s > shift.from_s or facts.until_s < shift.until_s:
        yield no_roster.BOUND_FOR_PART(bound_from_s=facts.from_s, bound_until_s=facts.until_s)


def _holds(span: Span, day: date) -> bool:
    return span[0] <= day <= span[1]

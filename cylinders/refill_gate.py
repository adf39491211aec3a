"""May this bottle be filled here, today? May it be sent out? The whole policy, on one page.

Asked twice: with purpose ``fill`` before gas goes in, with purpose ``dispatch`` before a full bottle is
loaded or handed over (it may have fallen due since). Unknown is no: a file without an inspection date
refuses. F11, F13 and F14 are seen at the gun, not on the file: ``filling_gate.py`` asks them.
"""

import calendar
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from core.refusal import Refusal
from cylinders import refusals as no
from cylinders.models import HoldKind, Phase
from rulebook.edition import Law
from rulebook.gate import gate
from rulebook.term import Term, holds


class Purpose(StrEnum):
    FILL = "fill"
    DISPATCH = "dispatch"


class Identity(StrEnum):
    """What the scanned label and our file say about who the bottle is."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    UNREADABLE = "unreadable"
    VOIDED = "voided"
    CLAIMED_TWICE = "claimed_twice"


class Precision(StrEnum):
    """How exactly a stamp tells its day. A month is stored as its first day."""

    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class RefillFacts:
    """What the file says of a bottle and of the station that asks. Days; None is not known.

    ``station_firm_id`` is the firm that fills, or that supplies when the purpose is dispatch.
    ``standard`` is written as on the bottle ("GB 5842-2006"). ``inspected_on`` is the last *passed*
    inspection. ``extended_until`` is the last day of an extended life; it counts only with a passed
    inspection or a safety assessment *and* the change of registration (使用登记变更). ``max_fill_g`` is the
    stamped one: the 50 kg size has an interval of its own. ``seized``: taken by an authority to be scrapped.
    ``at_inspection``: sent to an agency that has not answered, wherever the bottle is by now.
    """

    purpose: Purpose
    identity: Identity
    registered_use: bool
    registered_by_firm_id: str | None
    owner_firm_id: str | None
    station_firm_id: str
    standard: str | None
    made_on: date | None
    inspected_on: date | None
    design_life_months: int | None
    phase: Phase | None
    refurbished: bool | None
    embossed_owner_mark: bool | None
    bought_on: date | None
    gas_licence: Term | None
    cylinder_id: str | None = None
    entrusted: bool = False
    made_precision: Precision = Precision.MONTH
    inspected_precision: Precision = Precision.MONTH
    last_inspection_failed: bool = False
    extended_until: date | None = None
    extension_assessed: bool = False
    extension_registered: bool = False
    scrapped: bool = False
    scrap_ordered: bool = False
    illegal_make: bool = False
    screwed_guard: bool = False
    filling_licence: Term | None = None
    filler_certificate: Term | None = None
    filler_training: Term | None = None
    is_full: bool | None = None
    is_here: bool = False
    holds: tuple[HoldKind, ...] = ()
    max_fill_g: int | None = None
    registration_cancelled_on: date | None = None
    seized: bool = False
    at_inspection: bool = False


class Made(Protocol):
    """What of a bottle its longest life is reckoned from."""

    @property
    def standard(self) -> str | None: ...
    @property
    def made_on(self) -> date | None: ...
    @property
    def made_precision(self) -> Precision: ...


@gate("refill", facts=RefillFacts)
def refill_refusals(c: RefillFacts, law: Law) -> Iterator[Refusal]:
    """Every reason against, in the order of the law: F01 to F20."""
    # F01 the bottle's identity is established
    if c.identity is Identity.UNKNOWN:
        yield no.IDENTITY_UNKNOWN()
    if c.identity is Identity.UNREADABLE:
        yield no.LABEL_UNREADABLE()
    if c.identity is Identity.VOIDED:
        yield no.LABEL_VOIDED()
    if c.identity is Identity.CLAIMED_TWICE or HoldKind.CLAIMED_TWICE in c.holds:
        yield no.LABEL_CLAIMED_TWICE()

    # F02 registered for use
    if not c.registered_use:
        yield no.NOT_REGISTERED()
    if c.registration_cancelled_on is not None and law.day >= c.registration_cancelled_on:
        yield no.REGISTRATION_CANCELLED(cancelled_on=c.registration_cancelled_on)

    # F03 registered by and owned by this firm, or entrusted to it where the law still allows that
    if c.owner_firm_id is None or c.registered_by_firm_id is None:
        yield no.OWNER_UNKNOWN()
    elif not is_own(c) and not (c.entrusted and law.flag("F03.entrusted_allowed")):
        yield no.FOREIGN_OWNED()

    # F04 inspected in time, and not out for it
    due_on = next_due_on(c, law)
    if due_on is None:
        yield no.INSPECTION_DATE_UNKNOWN()
    elif law.day > due_on:
        yield no.INSPECTION_OVERDUE(due_on=due_on, days=(law.day - due_on).days)
    if c.at_inspection:
        yield no.AT_INSPECTION()

    # F05 did not fail its last inspection
    if c.last_inspection_failed:
        yield no.INSPECTION_FAILED()

    # F06 within its life: the stamped design life or a full extension, and never past the longest life
    design_ends_on, longest_ends_on = design_life_ends_on(c, law), max_life_ends_on(c, law)
    if design_ends_on is None or longest_ends_on is None:
        yield no.LIFE_UNKNOWN()
    if design_ends_on is not None and law.day > extended(design_ends_on, c, law):
        yield no.PAST_DESIGN_LIFE(ended_on=extended(design_ends_on, c, law))
    if longest_ends_on is not None and law.day > longest_ends_on:
        yield no.PAST_MAX_LIFE(ended_on=longest_ends_on)

    # F07 not scrapped
    if c.scrapped:
        yield no.SCRAPPED()
    if c.scrap_ordered:
        yield no.SCRAP_ORDERED()
    if c.seized:
        yield no.SEIZED()

    # F08 not refurbished, altered or unlawfully made
    if c.refurbished is None:
        yield no.ALTERATION_UNKNOWN()
    elif c.refurbished:
        yield no.REFURBISHED()
    if c.illegal_make:
        yield no.ILLEGAL_MAKE()
    if c.screwed_guard:
        yield no.SCREWED_GUARD()

    # F09 not a two-phase bottle
    if c.phase is None:
        yield no.PHASE_UNKNOWN()
    elif c.phase is Phase.TWO_PHASE:
        yield no.TWO_PHASE()

    # F10 bottles bought since the notice carry the firm's mark on the head
    embossing_from = law.day_value("F10.embossing_from")
    if embossing_from is not None and c.embossed_owner_mark is not True:
        if c.bought_on is None or (c.bought_on >= embossing_from and c.embossed_owner_mark is None):
            yield no.EMBOSSING_UNKNOWN()
        elif c.bought_on >= embossing_from:
            yield no.NOT_EMBOSSED(from_on=embossing_from)

    # F12 licences and certificate in force; a bottle on its way out needs only the business licence
    if c.purpose is Purpose.FILL and not holds(c.filling_licence, law.day):
        yield no.NO_FILLING_LICENCE()
    if not holds(c.gas_licence, law.day):
        yield no.NO_GAS_LICENCE()
    if c.purpose is Purpose.FILL and not holds(c.filler_certificate, law.day):
        yield no.NO_FILLER_CERTIFICATE()

    # F15 empty, and here
    if c.purpose is Purpose.FILL and c.is_full is None:
        yield no.FULLNESS_UNKNOWN()
    if c.purpose is Purpose.FILL and c.is_full:
        yield no.ALREADY_FULL()
    if c.purpose is Purpose.FILL and not c.is_here:
        yield no.NOT_HERE()

    # F16 nothing holds it; S04 nobody disputes where it was
    for hold in c.holds:
        if hold is HoldKind.CONFLICT:
            yield no.CUSTODY_CONFLICT()
        elif hold is not HoldKind.CLAIMED_TWICE:  # said under F01
            yield no.ON_HOLD(hold=hold)

    # F20 whoever fills was trained, and the training holds
    if c.purpose is Purpose.FILL and not holds(c.filler_training, law.day):
        yield no.FILLER_NOT_TRAINED()


def unknown_bottle(
    purpose: Purpose, station_firm_id: str, identity: Identity = Identity.UNKNOWN
) -> RefillFacts:
    """The facts of a scanned code behind which we know no bottle. The gate answers all the same."""
    return RefillFacts(
        purpose=purpose,
        identity=identity,
        registered_use=False,
        registered_by_firm_id=None,
        owner_firm_id=None,
        station_firm_id=station_firm_id,
        standard=None,
        made_on=None,
        inspected_on=None,
        design_life_months=None,
        phase=None,
        refurbished=None,
        embossed_owner_mark=None,
        bought_on=None,
        gas_licence=None,
    )


def is_own(c: RefillFacts) -> bool:
    return c.owner_firm_id == c.registered_by_firm_id == c.station_firm_id


def next_due_on(c: RefillFacts, law: Law) -> date | None:
    """The last day before the next periodic inspection; None if the file does not tell.

    Counted from the last passed inspection, else from manufacture. What is dated after the day asked
    about does not count. A term that begins with a stamped month lasts to the end of its last month.
    """
    made_on, inspected_on = _past(c.made_on, law), _past(c.inspected_on, law)
    counted_from, precision = (
        (inspected_on, c.inspected_precision) if inspected_on else (made_on, c.made_precision)
    )
    steps = law.table(f"F04.interval_months.{c.standard}") if c.standard else None
    if steps is None or counted_from is None:
        return None
    is_large = _is_large(c, law) if LARGE in steps else False
    due_on = months_after(counted_from, _interval_months(steps, made_on, counted_from, is_large))
    if precision is Precision.MONTH and law.flag("F04.due_month_inclusive"):
        return month_end(due_on)
    return due_on


def design_life_ends_on(c: RefillFacts, law: Law) -> date | None:
    """The last day of the design life stamped on the bottle; None if stamp or make is not on file."""
    made_on = _past(c.made_on, law)
    if made_on is None or c.design_life_months is None:
        return None
    return _life_end(c, made_on, c.design_life_months)


def max_life_ends_on(c: Made, law: Law) -> date | None:
    """The last day of the longest life its standard allows, whatever extension there is."""
    made_on = _past(c.made_on, law)
    longest = law.integer(f"F06.max_life_months.{c.standard}") if c.standard else None
    if made_on is None or longest is None:
        return None
    return _life_end(c, made_on, longest)


def extended(design_ends_on: date, c: RefillFacts, law: Law) -> date:
    """The end of life with its extension, if one stands: checked *and* registered, both on record."""
    checked = _past(c.inspected_on, law) is not None or c.extension_assessed
    if c.extended_until is None or not (checked and c.extension_registered):
        return design_ends_on
    return max(design_ends_on, c.extended_until)


def months_after(day: date, months: int) -> date:
    """The same day ``months`` later; the month's last day where it has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _past(day: date | None, law: Law) -> date | None:
    """A day on file that lies after the day asked about does not count."""
    return day if day is not None and day <= law.day else None


def _life_end(c: Made, made_on: date, months: int) -> date:
    """Life counts from manufacture; a stamped month is good to the end of its last month."""
    ends_on = months_after(made_on, months)
    return month_end(ends_on) if c.made_precision is Precision.MONTH else ends_on


LARGE = "large"
"""Among a standard's intervals: the one of the 50 kg size, at any age."""


def _is_large(c: RefillFacts, law: Law) -> bool | None:
    """Is it of the 50 kg size, by its stamped filling? None: the file does not tell."""
    begins = law.integer("F04.large_from_g")
    return None if begins is None or c.max_fill_g is None else c.max_fill_g >= begins


def _interval_months(
    steps: Mapping[str, int], made_on: date | None, counted_from: date, is_large: bool | None
) -> int:
    """The interval for a bottle of this size and age; the shortest that fits what is known of them.

    ``steps`` gives intervals by the age in months from which each applies; the first is "0".
    """
    by_age = {int(begins): months for begins, months in steps.items() if begins != LARGE}
    if made_on is None:
        small = min(by_age.values())
    else:
        age = max(0, (counted_from.year - made_on.year) * 12 + counted_from.month - made_on.month)
        small = by_age[max(begins for begins in by_age if begins <= age)]
    large = steps.get(LARGE, small)
    return min(small, large) if is_large is None else large if is_large else small

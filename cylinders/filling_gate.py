"""At the gun: may gas flow, from this batch, over this scale, into a bottle that looks like this?

The refill gate (F01 to F16) judges the bottle's file. These two pages judge what only the station sees, and
so complete it: F11 (the gas), F18 (the scale, and stops), before there is an authorisation; F13 (the look),
F14 (the residue) and the tare, before gas goes in. What the scale shows afterwards is ``weighing_gate.py``
(F17). Unknown is no: a batch nobody has tested and an item nobody has looked at refuse. Masses in grams.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from core.refusal import Refusal
from cylinders import filling_refusals as no
from cylinders.filling_models import Product
from cylinders.weighing_gate import by_size
from rulebook.edition import Law
from rulebook.gate import gate


@dataclass(frozen=True, slots=True)
class StartFacts:
    """``product`` is None where no batch is in use. Of a batch: None is that no test was made."""

    product: Product | None
    is_batch_in_use: bool
    is_certified: bool
    odorant_present: bool | None
    dme_found: bool | None
    is_scale_known: bool
    scale_verified_until: date | None
    is_scale_stopped: bool
    is_station_stopped: bool
    stamped_tare_g: int | None


@gate("filling_start", facts=StartFacts)
def start_refusals(c: StartFacts, law: Law) -> Iterator[Refusal]:
    """Asked with every authorisation, and again at each step: a stop counts from its instant."""
    # F11 the right gas, from a batch with certificate, odorant, and no dimethyl ether
    if c.product is None:
        yield no.NO_BATCH_IN_USE()
    else:
        if not c.is_batch_in_use:
            yield no.BATCH_NOT_IN_USE()
        if c.product not in law.words("F11.products"):
            yield no.WRONG_PRODUCT(product=c.product)
        if not c.is_certified:
            yield no.BATCH_NOT_CERTIFIED()
        if c.odorant_present is None or c.dme_found is None:
            yield no.BATCH_NOT_TESTED()
        if c.odorant_present is False:
            yield no.NO_ODORANT()
        if c.dme_found is True:
            yield no.DME_FOUND()

    # F17 a bottle whose tare nobody knows cannot be weighed full
    if c.stamped_tare_g is None:
        yield no.TARE_UNKNOWN()

    # F18 a verified scale; neither it nor the station stopped by the authority
    if c.is_station_stopped:
        yield no.STATION_STOPPED()
    if not c.is_scale_known:
        yield no.SCALE_UNKNOWN()
    else:
        if c.is_scale_stopped:
            yield no.SCALE_STOPPED()
        if c.scale_verified_until is None:
            yield no.SCALE_NOT_VERIFIED()
        elif law.day > c.scale_verified_until:
            yield no.SCALE_VERIFICATION_EXPIRED(until=c.scale_verified_until)


@dataclass(frozen=True, slots=True)
class LookFacts:
    """``passed`` and ``failed`` are the items that were looked at; any other was not."""

    passed: tuple[str, ...]
    failed: tuple[str, ...]
    max_fill_g: int
    stamped_tare_g: int | None
    tare_weighed_g: int
    residue_g: int


@gate("filling_check", facts=LookFacts)
def look_refusals(c: LookFacts, law: Law) -> Iterator[Refusal]:
    """What was found on the bottle before the gas: found is found, and ends its authorisation."""
    # F13 nothing wrong to be seen
    if unseen := [item for item in law.words("F13.items") if item not in (*c.passed, *c.failed)]:
        yield no.CHECK_MISSING(items=unseen)
    if c.failed:
        yield no.LOOK_FAILED(items=list(c.failed))

    # F14 no more residue than may stay in
    limit_g = by_size("F14.residue_max_g", c.max_fill_g, law)
    if limit_g is not None and c.residue_g > limit_g:
        yield no.RESIDUE_NOT_EXTRACTED(residue_g=c.residue_g, limit_g=limit_g)

    # F17 the empty shell weighs what its stamp says
    drift_g = by_size("F17.tare_drift_g", c.max_fill_g, law)
    if drift_g is not None and c.stamped_tare_g is not None:
        off_g = abs(c.tare_weighed_g - c.stamped_tare_g)
        if off_g > drift_g:
            yield no.TARE_DRIFTED(off_g=off_g, limit_g=drift_g)

"""May this bottle be loaded? May it be handed over? Two doors, one page of law (D01 to D10, A15, A16).

The bottle itself is judged by the refill gate with purpose ``dispatch``; its codes come here as
``bottle_refusals`` and the service joins that verdict's own reasons.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from core.refusal import Refusal
from dispatch.deliveries import refusals as no
from dispatch.orders.booking_gate import mode_refusals
from registry.states import CardState
from rulebook.edition import Law
from rulebook.gate import NONE_THEN, gate
from rulebook.term import Term, holds


class CheckOutcome(StrEnum):
    """The safety check of this visit."""

    MISSING = "missing"
    REFUSED = "refused"
    DONE = "done"


class EmptyOffered(StrEnum):
    """What the user hands back."""

    ON_CARD = "on_card"
    FOREIGN = "foreign"
    OF_ANOTHER_CARD = "of_another_card"
    TAG_DAMAGED = "tag_damaged"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class LoadFacts:
    """One bottle about to leave a site on a vehicle. Counts and masses include this bottle.

    ``load_g`` and ``max_load_g`` are nominal fill; limits are from the vehicle's file, None if it has none.
    """

    has_order_line: bool
    binding_in_force: bool
    in_zone: bool | None
    approved_outside_zone: bool
    vehicle_permit: Term | None
    courier_certificate: Term | None
    bottles: int
    max_bottles: int | None
    load_g: int
    max_load_g: int | None
    size_may_ride: bool
    bottle_refusals: tuple[str, ...]
    is_full: bool | None
    ordered_type: str | None
    loaded_type: str | None
    courier_training: Term | None = None


@dataclass(frozen=True, slots=True)
class DropFacts:
    """A bottle left at the door. ``ordered``: the household asked for that. ``by_code``: signed for by the
    door code, which only the household's own page shows."""

    ordered: bool
    has_photo: bool
    by_code: bool


@dataclass(frozen=True, slots=True)
class HandoverFacts:
    """One bottle at the door. ``blocking_findings`` are item codes of the check that stop supply.

    ``right_card``: the card shown is the line's card; None if none was shown. ``empty_path``: the way of
    this exception (lost, foreign, tag damaged, wrong) has been recorded. ``proxy_may_receive``: None where
    nobody is said to receive for somebody else. ``drop``: None where it is handed over in person.
    """

    binding_in_force: bool
    in_zone: bool | None
    approved_outside_zone: bool
    right_card: bool | None
    card_state: CardState
    check: CheckOutcome
    blocking_findings: tuple[str, ...]
    empty: EmptyOffered
    empty_path_recorded: bool
    vehicle_permit: Term | None
    courier_certificate: Term | None
    bottle_refusals: tuple[str, ...]
    is_full: bool | None
    ordered_type: str | None
    loaded_type: str | None
    courier_training: Term | None = None
    proxy_may_receive: bool | None = field(default=None, metadata=NONE_THEN)
    drop: DropFacts | None = field(default=None, metadata=NONE_THEN)


@gate("load", facts=LoadFacts)
def load_refusals(c: LoadFacts, law: Law) -> Iterator[Refusal]:
    """Every reason against loading, in the order of the law."""
    # D01 no full bottle leaves without an order line (不得流动销售)
    if not c.has_order_line:
        yield no.NO_ORDER_LINE()

    yield from binding_refusals(c)

    # D07 the vehicle may carry it, and the courier may drive it
    yield from paper_refusals(c, law)
    if c.max_bottles is None or c.max_load_g is None:
        yield no.LIMITS_UNKNOWN()
    if c.max_bottles is not None and c.bottles > c.max_bottles:
        yield no.TOO_MANY_BOTTLES(bottles=c.bottles, limit=c.max_bottles)
    if c.max_load_g is not None and c.load_g > c.max_load_g:
        yield no.TOO_HEAVY(load_g=c.load_g, limit_g=c.max_load_g)
    if not c.size_may_ride:
        yield no.SIZE_MAY_NOT_RIDE()

    yield from bottle_refusals(c)

    yield from training_refusals(c, law)


@gate("handover", facts=HandoverFacts)
def handover_refusals(c: HandoverFacts, law: Law) -> Iterator[Refusal]:
    """Every reason against handing over, in the order of the law."""
    yield from binding_refusals(c)

    # D04 the card of this order, and in use
    if c.right_card is None:
        yield no.CARD_NOT_SHOWN()
    elif not c.right_card:
        yield no.WRONG_CARD()
    if c.card_state is not CardState.ACTIVE:
        yield no.CARD_NOT_ACTIVE(state=c.card_state)

    # D05 checked, and nothing found that stops supply
    if c.check is CheckOutcome.MISSING:
        yield no.CHECK_MISSING()
    if c.check is CheckOutcome.REFUSED:
        yield no.CHECK_REFUSED()
    for finding in c.blocking_findings:
        yield no.BLOCKING_FINDING(finding=finding)

    yield from empty_refusals(c.empty, path_recorded=c.empty_path_recorded)

    # D07 papers that hold on the road and at the door
    yield from paper_refusals(c, law)

    yield from bottle_refusals(c)

    yield from training_refusals(c, law)

    # A15 who receives for somebody else was named for it
    if c.proxy_may_receive is False:
        yield no.PROXY_MAY_NOT_RECEIVE()

    # A16 left at the door only as ordered, where the place allows it, with a photograph and the user's code
    if c.drop is not None:
        yield from mode_refusals(law)
        yield from drop_refusals(c.drop)


def drop_refusals(drop: DropFacts) -> Iterator[Refusal]:
    if not drop.ordered:
        yield no.NOT_ORDERED_CONTACTLESS()
    if not drop.has_photo:
        yield no.NO_DROP_PHOTO()
    if not drop.by_code:
        yield no.DROP_WITHOUT_CODE()


def binding_refusals(c: LoadFacts | HandoverFacts) -> Iterator[Refusal]:
    """D02 courier, vehicle and device are bound; D03 the address lies in their zone, or was approved."""
    if not c.binding_in_force:
        yield no.NO_BINDING()
    if c.in_zone is not True and not c.approved_outside_zone:
        yield no.OUTSIDE_ZONE()


def empty_refusals(empty: EmptyOffered, *, path_recorded: bool) -> Iterator[Refusal]:
    """D06 the empty on the card comes back, or its own path has been recorded."""
    if empty is EmptyOffered.FOREIGN and not path_recorded:
        yield no.EMPTY_FOREIGN()
    if empty is EmptyOffered.OF_ANOTHER_CARD and not path_recorded:
        yield no.EMPTY_OF_ANOTHER_CARD()
    if empty is EmptyOffered.TAG_DAMAGED and not path_recorded:
        yield no.EMPTY_TAG_DAMAGED()
    if empty is EmptyOffered.MISSING and not path_recorded:
        yield no.EMPTY_MISSING()


def paper_refusals(c: LoadFacts | HandoverFacts, law: Law) -> Iterator[Refusal]:
    """D07 the vehicle's permit and the courier's certificate are in force."""
    if not holds(c.vehicle_permit, law.day):
        yield no.VEHICLE_PERMIT()
    if not holds(c.courier_certificate, law.day):
        yield no.COURIER_CERTIFICATE()


def training_refusals(c: LoadFacts | HandoverFacts, law: Law) -> Iterator[Refusal]:
    """D10 the courier was trained, and the training holds."""
    if not holds(c.courier_training, law.day):
        yield no.COURIER_NOT_TRAINED()


def bottle_refusals(c: LoadFacts | HandoverFacts) -> Iterator[Refusal]:
    """D08 the bottle itself may be supplied; D09 it is full and of the line's type."""
    for code in c.bottle_refusals:
        yield no.BOTTLE_REFUSED(bottle_refusal=code)
    if c.is_full is not True:
        yield no.NOT_FULL()
    if c.ordered_type is None or c.ordered_type != c.loaded_type:
        yield no.WRONG_TYPE(ordered=c.ordered_type, loaded=c.loaded_type)

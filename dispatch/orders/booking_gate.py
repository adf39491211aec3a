"""May this order be booked? The account, the cards, the slot and the papers, on one page.

Whether the *place* may be supplied is the premises gate's page; the services ask both. Dated papers
must hold on ``judged_on``, the later of booking day and delivery day.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from core.refusal import Refusal
from dispatch.orders import refusals as no
from registry.models import CardException, PremisesKind, UserClass
from registry.states import AccountState, CardState, ProxyState
from rulebook.edition import Law
from rulebook.gate import NONE_THEN, gate
from rulebook.term import Term, holds


@dataclass(frozen=True, slots=True)
class CardFacts:
    """One line's card. A disputed claim counts as a bottle held. ``is_swap``: the empty comes back."""

    card: str
    state: CardState
    has_open_line: bool
    holds_bottle: bool
    at_quota: bool
    exception: CardException | None = None
    is_swap: bool = True


@dataclass(frozen=True, slots=True)
class SlotFacts:
    """``capacity_left`` in bottles; ``is_past``: its start lies before the moment of booking. ``kept_left``:
    how many of them are kept for others, who are looked after first, until ``kept_until`` (RFC 3339)."""

    is_open: bool
    is_past: bool
    capacity_left: int
    in_zone_hours: bool
    kept_left: int = field(default=0, metadata=NONE_THEN)
    kept_until: str | None = field(default=None, metadata=NONE_THEN)


@dataclass(frozen=True, slots=True)
class ProxyFacts:
    """Somebody books for another's card. ``state`` None: the registrant never named them.

    ``verified``: whether the proxy's own identity was.
    """

    state: ProxyState | None
    may_book: bool
    valid_from: date | None
    valid_until: date | None
    verified: bool


@dataclass(frozen=True, slots=True)
class BookingFacts:
    """What is known of an order. None is not known, or not there.

    ``document_expires_on`` None: the document states no end. ``stored_after_g``: nominal fill at the
    premises once this order is delivered and its empties are taken, ``bottles_after``: how many bottles then.
    ``purpose`` is a code. ``excepted``: the rules that a review of a refusal has lifted for this home.
    ``booked_in_period``: bottles of the household booked in the days of A14 up to today, this order left out.
    ``proxy``: None where nobody stands between. ``contactless``: to be left at the door.
    """

    account_state: AccountState | None
    account_class: UserClass
    cards: tuple[CardFacts, ...]
    identity_verified: bool
    document_expires_on: date | None
    judged_on: date
    slot: SlotFacts
    purpose: str | None
    quantity: int | None
    firm_licence: Term | None
    site_permit: Term | None
    premises_kind: PremisesKind
    stored_after_g: int | None = None
    has_cylinder_room: bool | None = None
    contract: Term | None = None
    has_second_supplier: bool = False
    last_booked_on: date | None = None
    excepted: tuple[str, ...] = field(default=(), metadata=NONE_THEN)
    proxy: ProxyFacts | None = field(default=None, metadata=NONE_THEN)
    booked_in_period: int | None = None
    bottles_after: int | None = None
    contactless: bool = field(default=False, metadata=NONE_THEN)


@gate("booking", facts=BookingFacts)
def booking_refusals(c: BookingFacts, law: Law) -> Iterator[Refusal]:
    """Every reason against, in the order of the law: A01, A04 to A16."""
    # A01 an open account
    if c.account_state is None:
        yield no.ACCOUNT_MISSING()
    if c.account_state is AccountState.SUSPENDED:
        yield no.ACCOUNT_SUSPENDED()
    if c.account_state is AccountState.CLOSED:
        yield no.ACCOUNT_CLOSED()

    # A04 a card for each line, and each card in use
    if not c.cards:
        yield no.CARD_MISSING()
    for card in c.cards:
        if card.state is not CardState.ACTIVE:
            yield no.CARD_NOT_ACTIVE(card=card.card, state=card.state)

    # A05 the registrant is who he says, by a document still valid
    if not c.identity_verified:
        yield no.IDENTITY_NOT_VERIFIED()
    if c.document_expires_on is not None and c.judged_on > c.document_expires_on:
        yield no.IDENTITY_EXPIRED(expired_on=c.document_expires_on)

    # A06 one open line a card
    for card in c.cards:
        if card.has_open_line:
            yield no.CARD_BUSY(card=card.card)

    # A07 one bottle a card: a swap of the bottle held, or a recorded reason why there is none
    for card in c.cards:
        if card.at_quota and not card.is_swap:
            yield no.QUOTA_FULL(card=card.card)
        if not card.holds_bottle and card.exception is None:
            yield no.NOTHING_TO_SWAP(card=card.card)

    # A08 a non-resident has one contract in force, with one supplier
    if c.account_class is not UserClass.RESIDENT and not holds(c.contract, c.judged_on):
        yield no.NO_CONTRACT(judged_on=c.judged_on)
    if c.account_class is not UserClass.RESIDENT and c.has_second_supplier:
        yield no.SECOND_SUPPLIER()

    # A09 the gap between bookings, where a place sets one
    gap_days = law.integer("A09.gap_days")
    if c.last_booked_on is not None and gap_days is not None:
        earliest_on = c.last_booked_on + timedelta(days=gap_days)
        if law.day < earliest_on and "A09" not in c.excepted:
            yield no.TOO_SOON(last_booked_on=c.last_booked_on, gap_days=gap_days, earliest_on=earliest_on)

    # A10 a slot that is open, to come, roomy enough beside what is kept, and within the zone's hours
    if not c.slot.is_open:
        yield no.SLOT_CLOSED()
    if c.slot.is_past:
        yield no.SLOT_PAST()
    if c.slot.capacity_left < (c.quantity or 1):
        yield no.SLOT_FULL(capacity_left=c.slot.capacity_left, quantity=c.quantity or 1)
    elif c.slot.capacity_left - c.slot.kept_left < (c.quantity or 1):
        yield no.SLOT_KEPT(kept_left=c.slot.kept_left, kept_until=c.slot.kept_until)
    if not c.slot.in_zone_hours:
        yield no.SLOT_OUTSIDE_HOURS()

    # A11 purpose and quantity are recorded with every sale
    if not c.purpose:
        yield no.PURPOSE_MISSING()
    if not c.quantity or c.quantity < 0:
        yield no.QUANTITY_MISSING()

    # A12 the supplier's papers
    if not holds(c.firm_licence, c.judged_on):
        yield no.FIRM_LICENCE(judged_on=c.judged_on)
    if not holds(c.site_permit, c.judged_on):
        yield no.SITE_PERMIT(judged_on=c.judged_on)

    # A13 a restaurant without a cylinder room stores no more than the limit; at the limit is allowed
    limit_g = law.integer("A13.limit_g")
    if needs_limit(c) and c.stored_after_g is None:
        yield no.WEIGHT_UNKNOWN(unknown="stored_after_g")
    elif needs_limit(c) and limit_g is not None and (c.stored_after_g or 0) > limit_g:
        refusal = no.OVER_WEIGHT(limit_g=limit_g, stored_g=c.stored_after_g)
        yield refusal.resting_on(law.basis("A13.limit_g"))

    # A14 what the user's class may have: in a period, at once, and stored; at the number is allowed
    most = of_class(law, "A14.period_bottles", c)
    if most is not None and c.booked_in_period is None:
        yield no.QUOTA_UNKNOWN(unknown="booked_in_period")
    elif (
        most is not None and (c.booked_in_period or 0) + (c.quantity or 0) > most and "A14" not in c.excepted
    ):
        days = law.integer("A14.period_days")
        spent = no.QUOTA_SPENT(most=most, booked=c.booked_in_period, period_days=days)
        yield spent.resting_on(law.basis("A14.period_bottles"))
    at_once = of_class(law, "A14.at_once_bottles", c)
    if at_once is not None and c.bottles_after is None:
        yield no.QUOTA_UNKNOWN(unknown="bottles_after")
    elif at_once is not None and (c.bottles_after or 0) > at_once:
        many = no.TOO_MANY_AT_ONCE(most=at_once, bottles=c.bottles_after)
        yield many.resting_on(law.basis("A14.at_once_bottles"))
    most_g = most_stored(law, c)
    if most_g is not None and c.stored_after_g is None:
        yield no.QUOTA_UNKNOWN(unknown="stored_after_g")
    elif most_g is not None and (c.stored_after_g or 0) > most_g:
        yield no.OVER_CLASS_WEIGHT(limit_g=most_g, stored_g=c.stored_after_g)

    # A15 who books for another's card has that one's consent today, and was identified too
    if c.proxy is not None:
        yield from proxy_refusals(c.proxy, law.day)

    # A16 left at the door only where the place allows it
    if c.contactless:
        yield from mode_refusals(law)


def proxy_refusals(proxy: ProxyFacts, day: date) -> Iterator[Refusal]:
    begins_on, ends_on = proxy.valid_from, proxy.valid_until
    is_named = proxy.state is ProxyState.AGREED and proxy.may_book
    if not is_named or begins_on is None or ends_on is None or day < begins_on:
        yield no.NO_CONSENT()
    elif day > ends_on:
        yield no.CONSENT_OVER(valid_until=ends_on)
    elif not proxy.verified:
        yield no.PROXY_NOT_VERIFIED()


def mode_refusals(law: Law) -> Iterator[Refusal]:
    """Asked of the booking, and again at the door: the switch may have been turned in between."""
    if law.flag("A16.allowed") is not True:
        yield no.CONTACTLESS_OFF().resting_on(law.basis("A16.allowed"))


def needs_limit(c: BookingFacts) -> bool:
    """A cylinder room nobody has seen is no cylinder room."""
    return c.premises_kind is PremisesKind.RESTAURANT and c.has_cylinder_room is not True


def of_class(law: Law, name: str, c: BookingFacts) -> int | None:
    """The number this place sets for the user's class; None where it sets none for that class."""
    number: int | None = (law.table(name) or {}).get(c.account_class.value)
    return number


def most_stored(law: Law, c: BookingFacts) -> int | None:
    """In grams: what a cylinder room beside the building holds, else what the class may keep without one.

    A resident's limit is the number of bottles; a restaurant's without a room is A13's.
    """
    if c.account_class is UserClass.RESIDENT:
        return None
    if c.has_cylinder_room is True:
        return law.integer("A14.room_g")
    return of_class(law, "A14.stored_g", c)

"""The verbs of booking: open and close a slot, book, cancel. Each is one deed.

Locks, in the order of the house: premises, household, account, person, slot, cards, lines.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import make_transient_to_detached

from core import clock
from core.auth import Role
from core.doing import Doing
from core.ids import new_id
from core.problems import NotFound, WrongField
from core.refusal import Refusal, Refused
from cylinders.models import CardHolding, CustodyConflict
from cylinders.queries import types
from dispatch.orders import refusals as no
from dispatch.orders.booking_gate import BookingFacts, CardFacts, SlotFacts
from dispatch.orders.models import BookingRepeat, Channel, Order, OrderLine, Purpose, Slot
from dispatch.orders.queries import open_lines, order_with_lines, reach_of_order
from dispatch.orders.states import OPEN_STATES, ORDER_LINE, LineState
from dispatch.safety.queries import inspection_refused, open_hazards, reach_of_household
from evidence.deed import Answer, Deed, does, held_by
from evidence.models import SubjectType
from registry.models import Card, Contract, LicenceKind, Zone
from registry.premises_gate import FloorKind, HazardGrade, OpenHazard, PremisesFacts
from registry.queries import (
    BookingParty,
    booking_party,
    cards_of,
    cards_of_account,
    licence_span,
    zone_at,
)
from registry.states import CardState
from rulebook import current
from rulebook.decisions import decision_of
from rulebook.gate import Verdict, judge
from rulebook.term import Term

held_by("uq_order_line_open_card", no.CARD_BUSY)
held_by("ck_slot_capacity", no.SLOT_FULL)
held_by("ex_slot_span", no.SLOT_OVERLAPS)


# --- slots --------------------------------------------------------------------------------------------------


@does("slot.open")
def open_slot(deed: Deed, *, zone_id: UUID, starts_at: datetime, ends_at: datetime, capacity: int) -> Answer:
    """A span of a zone's day with room for ``capacity`` bottles: within its hours, overlapping no other."""
    zone = deed.db.get(Zone, (deed.district, zone_id))
    if zone is None or not deed.actor.reach.covers(firm=zone.firm_id, district=deed.district):
        raise WrongField("/zone_id", "unknown", "没有这个片区", "expected a zone of yours")
    _must_be_a_span(starts_at, ends_at)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=zone.firm_id, zone=zone.id, site=zone.supply_site_id)
    slot = Slot(
        district=deed.district,
        id=new_id(),
        zone_id=zone_id,
        day=clock.day_of(starts_at),
        starts_at=starts_at,
        ends_at=ends_at,
        capacity=capacity,
        taken=0,
        closed=False,
        recorded_at=deed.recorded_at,
    )
    deed.note(
        slot_id=slot.id,
        starts_at=clock.stamp(starts_at),
        ends_at=clock.stamp(ends_at),
        capacity=capacity,
    )
    if reasons := _opening_refusals(deed, slot, zone):
        raise Refused(reasons)
    deed.db.add(slot)
    return {"slot_id": str(slot.id)}


@does("slot.close")
def close_slot(deed: Deed, *, slot_id: UUID) -> Answer:
    """Take no more orders for it; those booked stand."""
    slot = deed.db.get(Slot, (deed.district, slot_id), with_for_update=True)
    if slot is None:
        raise NotFound
    zone = deed.db.get_one(Zone, (deed.district, slot.zone_id))
    deed.actor.must_reach(firm=zone.firm_id, district=deed.district)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=zone.firm_id, zone=zone.id, site=zone.supply_site_id)
    deed.note(slot_id=slot_id, taken=slot.taken)
    slot.closed = True
    return {"slot_id": str(slot_id)}


def _must_be_a_span(starts_at: datetime, ends_at: datetime) -> None:
    if ends_at <= starts_at:
        raise WrongField("/ends_at", "span", "结束须晚于开始", "expected an end after the start")
    if ends_at > clock.at(clock.day_of(starts_at) + timedelta(days=1)):
        raise WrongField("/ends_at", "one_day", "时段不能跨天", "expected an end on the day of the start")


def _opening_refusals(deed: Deed, slot: Slot, zone: Zone) -> list[Refusal]:
    overlapping = (
        sa.exists()
        .where(
            Slot.district == slot.district,
            Slot.zone_id == slot.zone_id,
            Slot.starts_at < slot.ends_at,
            Slot.ends_at > slot.starts_at,
        )
        .select()
    )
    reasons = []
    if slot.starts_at < deed.recorded_at:
        reasons.append(no.SLOT_PAST())
    if not _in_hours(slot, zone):
        reasons.append(no.SLOT_OUTSIDE_HOURS())
    if deed.db.scalar(overlapping):
        reasons.append(no.SLOT_OVERLAPS())
    return reasons


def _in_hours(slot: Slot, zone: Zone) -> bool:
    midnight = clock.at(slot.day)
    opens_at, closes_at = (midnight + timedelta(seconds=s) for s in (zone.opens_s, zone.closes_s))
    return opens_at <= slot.starts_at and slot.ends_at <= closes_at


# --- booking ----------------------------------------------------------------------------------------------


def book(
    doing: Doing,
    *,
    household_id: UUID,
    slot_id: UUID,
    purpose: Purpose | None,
    channel: Channel,
    card_ids: Sequence[UUID],
) -> Answer:
    """Book a swap for each card: ``order_id``, and ``again`` where the same booking already stands.

    Of two first refusals at once on one card both want to open its row of the day: the loser, of whom
    nothing was kept, asks again and counts on the row that now stands.
    """
    asked = Booking(household_id, slot_id, purpose, channel, tuple(sorted(card_ids)))
    try:
        return _book(doing, asked)
    except IntegrityError as error:
        if getattr(getattr(error.orig, "diag", None), "constraint_name", None) != "pk_booking_repeat":
            raise
        return _book(doing, asked)


@dataclass(frozen=True, slots=True)
class Booking:
    """What was asked for. ``card_ids`` ascending, each once."""

    household_id: UUID
    slot_id: UUID
    purpose: Purpose | None
    channel: Channel
    card_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything a booking is judged by, read and locked. ``day`` is today, ``judged_on`` the later day."""

    party: BookingParty
    slot: Slot
    zone: Zone
    cards: list[Card]
    open_lines: list[OrderLine]
    day: date

    @property
    def judged_on(self) -> date:
        return max(self.day, self.slot.day)

    @property
    def busy(self) -> set[UUID]:
        return {line.card_id for line in self.open_lines}


@does("order.book")
def _book(deed: Deed, asked: Booking) -> Answer:
    _must_be_own_channel(deed, asked.channel)
    desk = _desk(deed, asked)
    deed.at(firm=_firm_of(desk), zone=desk.zone.id, site=desk.zone.supply_site_id)
    deed.note(slot_id=asked.slot_id, purpose=asked.purpose, channel=asked.channel, card_ids=asked.card_ids)
    if standing := _same_booking(deed, asked, desk):
        deed.about(SubjectType.ORDER, standing)
        deed.note(order_id=standing, again=True)
        return {"order_id": str(standing), "again": True}
    deed.about(SubjectType.HOUSEHOLD, asked.household_id)
    for card in desk.cards:
        deed.about(SubjectType.CARD, card.id)
    order = _judged_order(deed, asked, desk)
    return {"order_id": str(order.id)}


def _must_be_own_channel(deed: Deed, channel: Channel) -> None:
    if deed.actor.role is Role.RESIDENT and channel is not Channel.WEB:
        raise WrongField("/channel", "channel", "本人订气只能走网上渠道", "expected web: you book yourself")


def _desk(deed: Deed, asked: Booking) -> Desk:
    """Lock and read, in the order of the house. What is unknown or out of reach is a wrong field."""
    party = booking_party(deed.db, deed.district, asked.household_id, lock=True)
    if party is None or not _reaches(deed, asked.household_id):
        raise WrongField("/household_id", "unknown", "没有这一户", "expected a household you may book for")
    slot = deed.db.get(Slot, (deed.district, asked.slot_id), with_for_update=True, populate_existing=True)
    if slot is None:
        raise WrongField("/slot_id", "unknown", "没有这个时段", "expected a slot of this district")
    cards = cards_of(deed.db, deed.district, asked.card_ids, lock=True)
    if {card.id for card in cards if _is_card_of(card, party)} != set(asked.card_ids):
        raise WrongField("/card_ids", "unknown", "有的卡不是这一户的", "expected cards of this household")
    return Desk(
        party,
        slot,
        deed.db.get_one(Zone, (deed.district, slot.zone_id)),
        cards,
        open_lines(deed.db, deed.district, asked.card_ids),
        clock.day_of(deed.recorded_at),
    )


def _reaches(deed: Deed, household_id: UUID) -> bool:
    return deed.actor.reach.covers(**reach_of_household(deed.db, deed.actor, deed.district, household_id))


def _is_card_of(card: Card, party: BookingParty) -> bool:
    return party.account is not None and card.account_id == party.account.id


def _firm_of(desk: Desk) -> UUID:
    return desk.party.account.firm_id if desk.party.account else desk.zone.firm_id


def _same_booking(deed: Deed, asked: Booking, desk: Desk) -> UUID | None:
    """The open order that is this very booking: the same cards, slot and purpose."""
    standing = {line.order_id for line in desk.open_lines}
    if len(standing) != 1:
        return None
    found = order_with_lines(deed.db, deed.district, standing.pop())
    if found is None:
        return None
    cards = {line.card_id for line in found.lines if line.state in OPEN_STATES}
    same = (cards, found.order.slot_id, found.order.purpose) == (
        set(asked.card_ids),
        asked.slot_id,
        asked.purpose,
    )
    return found.order.id if same else None


def _judged_order(deed: Deed, asked: Booking, desk: Desk) -> Order:
    place = str(deed.district)
    held = _cards_holding(deed, desk)
    verdicts = (
        judge("booking", _booking_facts(deed, asked, desk, held), place, desk.day, current()),
        judge("premises", _premises_facts(deed, desk), place, desk.day, current()),
    )
    reasons = [*verdicts[0].reasons, *_slot_refusals(deed, desk), *verdicts[1].reasons]
    refused_before = _count_repeats(deed, desk)
    if refused_before and {refusal.code for refusal in reasons} == {no.CARD_BUSY.code}:
        raise Refused(reasons)
    decisions = [_keep_decision(deed, verdict) for verdict in verdicts]
    deed.note(decision_ids=decisions)
    if reasons:
        raise Refused(sorted(reasons, key=lambda refusal: refusal.rule))
    return _write_order(deed, asked, desk, decisions)


def _keep_decision(deed: Deed, verdict: Verdict) -> UUID:
    decision = decision_of(verdict, deed.district)
    decision.id = new_id()
    deed.keep(decision)
    return decision.id


def _write_order(deed: Deed, asked: Booking, desk: Desk, decisions: Sequence[UUID]) -> Order:
    account = desk.party.account
    if account is None or asked.purpose is None:
        raise LookupError("order.book: expected an account and a purpose once the gate has said yes")
    order = Order(
        district=deed.district,
        id=new_id(),
        household_id=asked.household_id,
        account_id=account.id,
        person_id=account.person_id,
        premises_id=desk.party.premises.id,
        firm_id=account.firm_id,
        zone_id=desk.zone.id,
        slot_id=desk.slot.id,
        purpose=asked.purpose,
        channel=asked.channel,
        booked_by=deed.actor.principal_id,
        decision_id=decisions[0],
        premises_decision_id=decisions[1],
        recorded_at=deed.recorded_at,
    )
    deed.db.add(order)
    deed.db.flush()
    deed.db.add_all(
        OrderLine(
            district=deed.district,
            id=new_id(),
            order_id=order.id,
            card_id=card.id,
            cylinder_model=card.cylinder_model,
            state=LineState.BOOKED,
            recorded_at=deed.recorded_at,
        )
        for card in desk.cards
    )
    desk.slot.taken += len(desk.cards)
    # Flushed before the order is named: a constraint's "no" must not name an order that never was.
    deed.db.flush()
    deed.about(SubjectType.ORDER, order.id)
    deed.note(order_id=order.id)
    return order


def _count_repeats(deed: Deed, desk: Desk) -> bool:
    """Count, for each card with an open line, that it was asked for again today.

    True: all of them had been refused today before, so that this refusal is only one more of the same.
    """
    before = set(
        deed.db.scalars(
            sa.select(BookingRepeat.card_id).where(
                BookingRepeat.district == deed.district,
                BookingRepeat.card_id.in_(desk.busy),
                BookingRepeat.day == desk.day,
            )
        )
    )
    for card_id in sorted(desk.busy):
        deed.keep(
            _one_more(deed, card_id, desk.day) if card_id in before else _first(deed, card_id, desk.day)
        )
    return bool(desk.busy) and desk.busy == before


def _first(deed: Deed, card_id: UUID, day: date) -> BookingRepeat:
    return BookingRepeat(district=deed.district, card_id=card_id, day=day, times=1, last_at=deed.recorded_at)


def _one_more(deed: Deed, card_id: UUID, day: date) -> BookingRepeat:
    """The standing row, not read but added to when it is kept: the work's locks are gone by then."""
    row = BookingRepeat(district=deed.district, card_id=card_id, day=day)
    make_transient_to_detached(row)
    row.times = BookingRepeat.times + 1
    row.last_at = deed.recorded_at
    return row


# --- facts --------------------------------------------------------------------------------------------------


def _slot_refusals(deed: Deed, desk: Desk) -> list[Refusal]:
    """A10 beside the gate: the slot is of the address's zone on that day, and that zone of the supplier's."""
    premises, reasons = desk.party.premises, []
    zone = zone_at(deed.db, deed.district, premises.lon, premises.lat, desk.slot.day)
    if zone is None or zone.id != desk.zone.id:
        reasons.append(no.SLOT_OTHER_ZONE())
    if desk.zone.firm_id != _firm_of(desk):
        reasons.append(no.SLOT_OTHER_SUPPLIER())
    return reasons


def _booking_facts(deed: Deed, asked: Booking, desk: Desk, held: Collection[UUID]) -> BookingFacts:
    party, slot = desk.party, desk.slot
    return BookingFacts(
        account_state=party.account.state if party.account else None,
        account_class=party.household.user_class,
        cards=tuple(_card_facts(card, desk, held) for card in desk.cards),
        identity_verified=party.identity is not None,
        document_expires_on=party.identity.valid_until if party.identity else None,
        judged_on=desk.judged_on,
        slot=SlotFacts(
            is_open=not slot.closed,
            is_past=slot.starts_at < deed.recorded_at,
            capacity_left=slot.room_left,
            in_zone_hours=_in_hours(slot, desk.zone),
        ),
        purpose=asked.purpose.value if asked.purpose else None,
        quantity=len(desk.cards),
        firm_licence=_licence(deed, LicenceKind.GAS_BUSINESS, _firm_of(desk), desk.judged_on),
        site_permit=_licence(deed, LicenceKind.SITE_PERMIT, desk.zone.supply_site_id, desk.judged_on),
        premises_kind=party.premises.kind,
        stored_after_g=_stored_after_g(deed, desk, held),
        has_cylinder_room=party.premises.has_cylinder_room,
        contract=_contract(party, desk.judged_on),
        has_second_supplier=_has_second_supplier(party, desk.judged_on),
        last_booked_on=_last_booked_on(deed, asked.household_id),
    )


def _card_facts(card: Card, desk: Desk, held: Collection[UUID]) -> CardFacts:
    return CardFacts(
        card=str(card.id),
        state=card.state,
        has_open_line=card.id in desk.busy,
        holds_bottle=card.id in held,
        at_quota=card.id in held,
        exception=card.exception,
    )


def _premises_facts(deed: Deed, desk: Desk) -> PremisesFacts:
    premises, household = desk.party.premises, desk.party.household
    nominal = _nominal_g(deed)
    return PremisesFacts(
        kind=premises.kind,
        account_class=household.user_class,
        judged_on=desk.judged_on,
        piped_gas=premises.piped_gas,
        lift=premises.lift,
        height_m=premises.height_m,
        floor_kind=FloorKind(premises.floor_kind) if premises.floor_kind else None,
        converted_to_pipe=premises.converted_to_pipe,
        open_hazards=tuple(
            OpenHazard(HazardGrade(hazard.grade.value), hazard.state.value)
            for hazard in open_hazards(deed.db, deed.district, household.id)
        ),
        inspection_refused=inspection_refused(deed.db, deed.district, household.id),
        has_cylinder_room=premises.has_cylinder_room,
        largest_nominal_g=max(
            (nominal[card.cylinder_model] for card in desk.cards if card.cylinder_model in nominal),
            default=None,
        ),
    )


def _licence(deed: Deed, kind: LicenceKind, holder_id: UUID, day: date) -> Term | None:
    span = licence_span(deed.db, kind, holder_id, day)
    return Term(*span) if span else None


def _contract(party: BookingParty, day: date) -> Term | None:
    """The contract with the account's own firm that covers ``day``, else the one that ends last."""
    own = [one for one in party.contracts if party.account and one.firm_id == party.account.firm_id]
    best = max(own, key=lambda one: (_covers(one, day), one.valid_until), default=None)
    return Term(best.valid_from, best.valid_until) if best else None


def _has_second_supplier(party: BookingParty, day: date) -> bool:
    return any(
        party.account is not None and one.firm_id != party.account.firm_id and _covers(one, day)
        for one in party.contracts
    )


def _covers(contract: Contract, day: date) -> bool:
    return contract.valid_from <= day <= contract.valid_until


def _last_booked_on(deed: Deed, household_id: UUID) -> date | None:
    """The day of the household's last booking that was not cancelled."""
    last_at = deed.db.scalar(
        sa.select(sa.func.max(Order.recorded_at))
        .join(OrderLine, sa.and_(OrderLine.district == Order.district, OrderLine.order_id == Order.id))
        .where(
            Order.district == deed.district,
            Order.household_id == household_id,
            OrderLine.state != LineState.CANCELLED,
        )
    )
    return clock.day_of(last_at) if last_at else None


# --- what is stored --------------------------------------------------------------------------------------


def _cards_holding(deed: Deed, desk: Desk) -> set[UUID]:
    """Those of the account's cards that hold a bottle. A claim still in dispute counts as one."""
    card_ids = [card.id for card in _live_cards(deed, desk)]
    holding = sa.select(CardHolding.card_id).where(
        CardHolding.district == deed.district, CardHolding.card_id.in_(card_ids), CardHolding.active
    )
    disputed = sa.select(CustodyConflict.card_id).where(
        CustodyConflict.district == deed.district,
        CustodyConflict.card_id.in_(card_ids),
        CustodyConflict.resolved_at.is_(None),
    )
    return {card_id for card_id in deed.db.scalars(holding.union(disputed)) if card_id}


def _stored_after_g(deed: Deed, desk: Desk, held: Collection[UUID]) -> int | None:
    """Nominal fill at the premises once this and every other open order is delivered; None if unknown.

    A swap adds nothing: a card stores one bottle of its own model if it holds or awaits one.
    """
    cards = _live_cards(deed, desk)
    awaiting = {line.card_id for line in open_lines(deed.db, deed.district, [card.id for card in cards])}
    storing = {*held, *awaiting, *(card.id for card in desk.cards)}
    nominal = _nominal_g(deed)
    masses = [nominal.get(card.cylinder_model) for card in cards if card.id in storing]
    return None if None in masses else sum(mass for mass in masses if mass)


def _live_cards(deed: Deed, desk: Desk) -> list[Card]:
    """The account's cards that are not closed, and those asked for whatever their state."""
    account = desk.party.account
    cards = cards_of_account(deed.db, deed.district, account.id) if account else []
    asked = {card.id for card in desk.cards}
    return [card for card in cards if card.state is not CardState.CLOSED or card.id in asked]


def _nominal_g(deed: Deed) -> dict[str, int]:
    return {model: one.nominal_g for model, one in types(deed.db).items()}


# --- cancelling ------------------------------------------------------------------------------------------


@does("order.cancel")
def cancel(deed: Deed, *, order_id: UUID) -> Answer:
    """Cancel what is still open of an order and free its room. What is on a vehicle cannot be cancelled."""
    order = deed.db.get(Order, (deed.district, order_id))
    if order is None:
        raise NotFound
    deed.actor.must_reach(**reach_of_order(deed.db, order))
    deed.about(SubjectType.ORDER, order_id)
    deed.about(SubjectType.HOUSEHOLD, order.household_id)
    deed.at(firm=order.firm_id, zone=order.zone_id)
    slot = deed.db.get_one(Slot, (deed.district, order.slot_id), with_for_update=True)
    found = order_with_lines(deed.db, deed.district, order_id, lock=True)
    lines = found.lines if found else []
    # With nothing open the table of moves says no, as it does for a line on a vehicle.
    for line in [one for one in lines if one.state in OPEN_STATES] or lines:
        deed.about(SubjectType.CARD, line.card_id)
        ORDER_LINE.move(deed.db, line, "cancel")
        slot.taken -= 1
    return {"order_id": str(order_id)}

"""The verbs of booking: open and close a slot, book, cancel. Each is one deed.

Locks, in the order of the house: premises, household, account, person, slot, cards, lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import clock
from core.auth import Role
from core.db import table_of
from core.doing import Doing
from core.ids import new_id
from core.prepared import Prepared
from core.problems import NotFound, WrongField
from core.refusal import Refusal, Refused
from dispatch.orders import queries
from dispatch.orders import refusals as no
from dispatch.orders.again import Like, rows_like
from dispatch.orders.booking_desk import Booking, Desk, firm_of, in_hours, open_desk, take_places
from dispatch.orders.judging import judged, keep_decisions
from dispatch.orders.models import BookingRepeat, Channel, Order, OrderLine, Purpose, Slot
from dispatch.orders.queries import OrderWithLines, must_reach_order, order_with_lines
from dispatch.orders.states import OPEN_STATES, ORDER_LINE, LineState
from evidence.deed import Answer, Deed, Stands, answered_by_what_stands, does, held_by
from evidence.models import SubjectType
from registry.models import Zone
from registry.proxy_queries import ProxyAct
from rulebook import current

held_by("uq_order_line_open_card", no.CARD_BUSY)
held_by("ck_slot_capacity", no.SLOT_FULL)
held_by("ex_slot_span", no.SLOT_OVERLAPS)


# --- slots --------------------------------------------------------------------------------------------------


@does("slot.open")
def open_slot(
    deed: Deed,
    *,
    zone_id: UUID,
    starts_at: datetime,
    ends_at: datetime,
    capacity: int,
    kept: int | None = None,
) -> Answer:
    """A span of a zone's day with room for ``capacity`` bottles: within its hours, overlapping no other.

    ``kept``: places for homes looked after first; the place's share of the capacity where none is said.
    """
    zone = deed.db.get(Zone, (deed.district, zone_id))
    if zone is None or not deed.actor.reach.covers(firm=zone.firm_id, district=deed.district):
        raise WrongField("/zone_id", "unknown", "没有这个片区", "expected a zone of yours")
    _must_be_a_span(starts_at, ends_at)
    law = current().at(str(deed.district), clock.day_of(starts_at))
    if kept is None:
        kept = capacity * (law.integer("A10.kept_percent") or 0) // 100
    if kept > capacity:
        raise WrongField("/kept", "too_many", "不能多于可约瓶数", "expected no more than the capacity")
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
        kept=kept,
        kept_until=starts_at - timedelta(hours=law.integer("A10.kept_hours") or 0) if kept else None,
    )
    deed.note(
        slot_id=slot.id,
        kept=kept,
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
    if not in_hours(slot, zone):
        reasons.append(no.SLOT_OUTSIDE_HOURS())
    if deed.db.scalar(overlapping):
        reasons.append(no.SLOT_OVERLAPS())
    return reasons


# --- booking ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Booked:
    """The order of a booking; ``again``: it stood already."""

    order: OrderWithLines
    again: bool


def book(
    doing: Doing,
    *,
    household_id: UUID,
    slot_id: UUID,
    purpose: Purpose | None,
    channel: Channel,
    card_ids: Sequence[UUID],
    contactless: bool = False,
) -> Booked:
    """Book a swap for each card, unless the same booking already stands.

    Looked for before a deed is opened: who is afraid that it did not work asks many times.
    """
    cards = tuple(sorted(card_ids))
    asked = Booking(household_id, slot_id, purpose, channel, cards, contactless)
    _must_be_own_channel(doing, channel)
    with doing.ground.reads() as db:
        standing = _standing(db, doing, asked, rows_like(doing, _like(doing, asked)))
    if standing is not None and answered_by_what_stands(doing, "order.book", _again(standing)):
        return Booked(standing, again=True)
    done = _book(doing, asked)
    return Booked(queries.order(doing, UUID(done["order_id"])), "again" in done)


@does("order.book")
def _book(deed: Deed, asked: Booking) -> Answer:
    desk = open_desk(deed, asked)
    deed.at(firm=firm_of(desk), zone=desk.zone.id, site=desk.zone.supply_site_id)
    deed.note(slot_id=asked.slot_id, purpose=asked.purpose, channel=asked.channel, card_ids=asked.card_ids)
    if asked.contactless:
        deed.note(contactless=True)
    if desk.open_lines:  # somebody booked between the first look and the locks
        _unless_it_stands(deed, asked)
    deed.about(SubjectType.HOUSEHOLD, asked.household_id)
    for card in desk.cards:
        deed.about(SubjectType.CARD, card.id)
    return {"order_id": str(_judged_order(deed, asked, desk))}


def _must_be_own_channel(doing: Doing, channel: Channel) -> None:
    if doing.actor.role is Role.RESIDENT and channel is not Channel.WEB:
        raise WrongField("/channel", "channel", "本人订气只能走网上渠道", "expected web: you book yourself")


def _unless_it_stands(deed: Deed, asked: Booking) -> None:
    rows = queries.LIKE_IT.within(deed.db, **_like(deed.doing, asked).values())
    standing = _standing(deed.db, deed.doing, asked, rows)
    if standing is not None:
        raise Stands(_again(standing))


def _standing(db: Session, doing: Doing, asked: Booking, rows: Sequence[Any]) -> OrderWithLines | None:
    """The very booking that stands open (same cards, slot, purpose, mode) is answered, not done again."""
    standing = [one for one in queries.shown(rows) if one.found.open_lines]
    if len(standing) != 1 or {line.card_id for line in standing[0].found.open_lines} != set(asked.card_ids):
        return None
    return standing[0].found if standing[0].may_see(db, doing, ProxyAct.BOOK) else None


def _again(standing: OrderWithLines) -> Answer:
    return {"order_id": str(standing.order.id), "again": True}


def _like(doing: Doing, asked: Booking) -> Like:
    return Like(doing.district, asked.household_id, asked.slot_id, asked.purpose, asked.contactless)


def _judged_order(deed: Deed, asked: Booking, desk: Desk) -> UUID:
    found = judged(deed, asked, desk)
    refused_before = not found.of_a_stranger and _count_repeats(deed, desk)
    if refused_before and {refusal.code for refusal in found.reasons} == {no.CARD_BUSY.code}:
        raise Refused(found.reasons)
    decisions = keep_decisions(deed, found.verdicts, desk.party.premises.street_code)
    if found.reasons:
        raise Refused(sorted(found.reasons, key=lambda refusal: refusal.rule))
    return _write_order(deed, asked, desk, decisions)


def _write_order(deed: Deed, asked: Booking, desk: Desk, decisions: Sequence[UUID]) -> UUID:
    account = desk.party.account
    if account is None or asked.purpose is None:
        raise LookupError("order.book: expected an account and a purpose once the gate has said yes")
    order_id = new_id()
    # Written before the order is named: a constraint's "no" must not name an order that never was.
    _ORDER.within(
        deed.db,
        district=deed.district,
        id=order_id,
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
        contactless=asked.contactless,
    )
    for card in desk.cards:
        _LINE.within(
            deed.db,
            district=deed.district,
            id=new_id(),
            order_id=order_id,
            card_id=card.id,
            cylinder_model=card.cylinder_model,
            state=LineState.BOOKED,
            recorded_at=deed.recorded_at,
        )
    take_places(deed, desk.slot.id, len(desk.cards))
    deed.about(SubjectType.ORDER, order_id)
    deed.note(order_id=order_id)
    deed.tell("order.booked", order_id=order_id)
    return order_id


_ORDER, _LINE = Prepared(sa.insert(table_of(Order))), Prepared(sa.insert(table_of(OrderLine)))


def _count_repeats(deed: Deed, desk: Desk) -> bool:
    """Count, for each card with an open line, that it was asked for again today.

    True: all of them had been refused today before, so that this refusal is only one more of the same.
    """
    if not desk.busy:
        return False
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
        deed.keep_by(_one_more(deed, card_id, desk.day))
    return desk.busy == before


def _one_more(deed: Deed, card_id: UUID, day: date) -> sa.Executable:
    """Added to when it is kept, not read before: the work's locks are gone by then."""
    first = insert(table_of(BookingRepeat)).values(
        district=deed.district, card_id=card_id, day=day, times=1, last_at=deed.recorded_at
    )
    return first.on_conflict_do_update(
        constraint="pk_booking_repeat", set_={"times": BookingRepeat.times + 1, "last_at": deed.recorded_at}
    )


# --- cancelling ------------------------------------------------------------------------------------------


@does("order.cancel")
def cancel(deed: Deed, *, order_id: UUID) -> Answer:
    """Cancel what is still open of an order and free its room. What is on a vehicle cannot be cancelled."""
    order = deed.db.get(Order, (deed.district, order_id))
    if order is None:
        raise NotFound
    must_reach_order(deed.db, deed.actor, order, ProxyAct.BOOK)
    deed.about(SubjectType.ORDER, order_id)
    deed.about(SubjectType.HOUSEHOLD, order.household_id)
    deed.at(firm=order.firm_id, zone=order.zone_id)
    slot = _slot_of(deed, order)
    found = order_with_lines(deed.db, deed.district, order_id, lock=True)
    lines = found.lines if found else []
    # With nothing open the table of moves says no, as it does for a line on a vehicle.
    for line in [one for one in lines if one.state in OPEN_STATES] or lines:
        deed.about(SubjectType.CARD, line.card_id)
        ORDER_LINE.move(deed.db, line, "cancel")
        slot.taken -= 1
    return {"order_id": str(order_id)}


def _slot_of(deed: Deed, order: Order) -> Slot:
    """The order's slot, locked. Who gives it another holds both: once ours is held it stays there."""
    while True:
        slot = deed.db.get_one(Slot, (deed.district, order.slot_id), with_for_update=True)
        deed.db.refresh(order, ["slot_id"])
        if order.slot_id == slot.id:
            return slot

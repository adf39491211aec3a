"""What a booking is judged by: locked and read in the order of the house, then said as the gates' facts.

open_desk(…)       everything a booking touches, locked: premises, household, account, person, slot, cards
booking_facts(…)   for the booking gate
premises_facts(…)  for the premises gate
slot_refusals(…)   what the slot itself says against it, beside the gate
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import sqlalchemy as sa

from core import clock
from core.problems import WrongField
from core.refusal import Refusal
from cylinders.models import CardHolding, CustodyConflict
from cylinders.queries import types
from dispatch.orders import refusals as no
from dispatch.orders.booking_gate import BookingFacts, CardFacts, SlotFacts
from dispatch.orders.models import Channel, Order, OrderLine, Purpose, Slot
from dispatch.orders.queries import open_lines
from dispatch.orders.states import LineState
from dispatch.safety.queries import inspection_refused, open_hazards, reach_of_household
from evidence.deed import Deed
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
from rulebook.term import Term


def in_hours(slot: Slot, zone: Zone) -> bool:
    midnight = clock.at(slot.day)
    opens_at, closes_at = (midnight + timedelta(seconds=s) for s in (zone.opens_s, zone.closes_s))
    return opens_at <= slot.starts_at and slot.ends_at <= closes_at


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


def open_desk(deed: Deed, asked: Booking) -> Desk:
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


def firm_of(desk: Desk) -> UUID:
    return desk.party.account.firm_id if desk.party.account else desk.zone.firm_id


def slot_refusals(deed: Deed, desk: Desk) -> list[Refusal]:
    """A10 beside the gate: the slot is of the address's zone on that day, and that zone of the supplier's."""
    premises, reasons = desk.party.premises, []
    zone = zone_at(deed.db, deed.district, premises.lon, premises.lat, desk.slot.day)
    if zone is None or zone.id != desk.zone.id:
        reasons.append(no.SLOT_OTHER_ZONE())
    if desk.zone.firm_id != firm_of(desk):
        reasons.append(no.SLOT_OTHER_SUPPLIER())
    basis = current().at(str(deed.district), desk.day).basis("A10")
    return [refusal.resting_on(basis) for refusal in reasons]


def booking_facts(deed: Deed, asked: Booking, desk: Desk, held: Collection[UUID]) -> BookingFacts:
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
            in_zone_hours=in_hours(slot, desk.zone),
        ),
        purpose=asked.purpose.value if asked.purpose else None,
        quantity=len(desk.cards),
        firm_licence=_licence(deed, LicenceKind.GAS_BUSINESS, firm_of(desk), desk.judged_on),
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


def premises_facts(deed: Deed, desk: Desk) -> PremisesFacts:
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


def cards_holding(deed: Deed, desk: Desk) -> set[UUID]:
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

"""What a booking is judged by: locked and read in the order of the house, then said as the gates' facts.

open_desk(…)       what a booking touches, locked: premises, household, account, person, slot, all cards
booking_facts(…)   for the booking gate
premises_facts(…)  for the premises gate
slot_refusals(…)   what the slot itself says against it, beside the gate
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from core import clock
from core.db import table_of
from core.prepared import Prepared
from core.problems import WrongField
from core.refusal import Refusal
from cylinders.models import CardHolding, CustodyConflict
from cylinders.queries import nominal_masses
from dispatch.orders import refusals as no
from dispatch.orders.booking_gate import BookingFacts, CardFacts, ProxyFacts, SlotFacts
from dispatch.orders.keeping import kept_from
from dispatch.orders.models import IS_OPEN, Channel, Order, OrderLine, Purpose, Slot
from dispatch.orders.quotas import booked_before
from dispatch.safety.equipment_queries import alarm_in_place
from dispatch.safety.queries import safety_of_home
from evidence.deed import Deed
from registry.models import Card, Contract, LicenceKind, Zone
from registry.parties import cards_to_judge, party_to_judge
from registry.premises_gate import (
    BottlePlace,
    FloorKind,
    HazardGrade,
    OpenHazard,
    PremisesFacts,
    RentalKind,
    requires_alarm,
)
from registry.premises_queries import bars_gas, bottles_of_house
from registry.proxy_queries import consent_between, proxy_of
from registry.queries import BookingParty, identity_of, licence_spans, reach_of
from registry.states import CardState
from registry.zone_queries import zone_id_at
from rulebook import current
from rulebook.term import Term


def in_hours(slot: Slot, zone: Zone) -> bool:
    midnight = clock.at(slot.day)
    opens_at, closes_at = (midnight + timedelta(seconds=s) for s in (zone.opens_s, zone.closes_s))
    return opens_at <= slot.starts_at and slot.ends_at <= closes_at


@dataclass(frozen=True, slots=True)
class Booking:
    """What was asked for. ``card_ids`` ascending, each once. ``contactless``: to be left at the door.

    ``moves``: the order that stands and only wants this slot instead of its own; then it does not stand in
    its own way.
    """

    household_id: UUID
    slot_id: UUID
    purpose: Purpose | None
    channel: Channel
    card_ids: tuple[UUID, ...]
    contactless: bool = False
    moves: Order | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything a booking is judged by, locked and read once: rows, through which nothing can be changed.

    ``cards`` are those asked for, ``all_cards`` the account's that are not closed beside them; ``lines`` are
    the open ones of all these cards but for those of an order that is moved, ``holding`` those that hold a
    bottle. ``nominal_g`` is by model. ``day`` is today, ``judged_on`` the later day. ``proxy``: who books for
    somebody else, as they were named.
    """

    party: BookingParty
    slot: Slot
    zone: Zone
    cards: list[Card]
    all_cards: list[Card]
    lines: list[Any]
    holding: set[UUID]
    nominal_g: dict[str, int]
    day: date
    proxy: ProxyFacts | None

    @property
    def judged_on(self) -> date:
        return max(self.day, self.slot.day)

    @property
    def open_lines(self) -> list[Any]:
        """Those of the cards asked for."""
        asked = {card.id for card in self.cards}
        return [line for line in self.lines if line.card_id in asked]

    @property
    def busy(self) -> set[UUID]:
        return {line.card_id for line in self.open_lines}


def open_desk(deed: Deed, asked: Booking) -> Desk:
    """Lock and read, in the order of the house. What is unknown or out of reach is a wrong field."""
    party = party_to_judge(deed.db, deed.district, asked.household_id)
    if party is None:
        raise _unknown_home()
    proxy = _proxy(deed, party)
    slot = _locked_slot(deed, asked)
    if slot is None:
        raise WrongField("/slot_id", "unknown", "没有这个时段", "expected a slot of this district")
    every_card = _cards_of(deed, party)
    if not {card.id for card in every_card}.issuperset(asked.card_ids):
        raise WrongField("/card_ids", "unknown", "有的卡不是这一户的", "expected cards of this household")
    cards = [card for card in every_card if card.id in asked.card_ids]
    all_cards = [card for card in every_card if card.state is not CardState.CLOSED or card in cards]
    card_ids = [card.id for card in all_cards]
    return Desk(
        party,
        slot,
        _ZONE.within(deed.db, district=deed.district, zone_id=slot.zone_id)[0],
        cards,
        all_cards,
        [line for line in _open_lines(deed, card_ids) if not _is_of(line, asked.moves)],
        cards_holding(deed, card_ids),
        nominal_masses(deed.db),
        clock.day_of(deed.recorded_at),
        proxy,
    )


_ZONE = Prepared(
    sa.select(Zone.id, Zone.firm_id, Zone.supply_site_id, Zone.opens_s, Zone.closes_s).where(
        Zone.district == sa.bindparam("district"), Zone.id == sa.bindparam("zone_id")
    )
)
_CARD_IDS = sa.any_(sa.bindparam("card_ids", type_=ARRAY(sa.Uuid)))
_OPEN_LINES = Prepared(
    sa.select(OrderLine.card_id, OrderLine.order_id).where(
        OrderLine.district == sa.bindparam("district"),
        OrderLine.card_id == _CARD_IDS,
        IS_OPEN,
    )
)


def _open_lines(deed: Deed, card_ids: list[UUID]) -> list[Any]:
    return _OPEN_LINES.within(deed.db, district=deed.district, card_ids=card_ids)


def _unknown_home() -> WrongField:
    return WrongField("/household_id", "unknown", "没有这一户", "expected a household you may book for")


def _proxy(deed: Deed, party: BookingParty) -> ProxyFacts | None:
    """None where it is one's own home or one's firm's user; else what there is between the two."""
    if deed.actor.reach.covers(**reach_of(party)):
        return None
    proxy_id = proxy_of(deed.actor)
    if proxy_id is None or party.account is None:
        raise _unknown_home()
    consent = consent_between(deed.db, party, proxy_id)
    deed.note(consent_id=consent.id if consent else None)
    return ProxyFacts(
        state=consent.state if consent else None,
        may_book=consent.may_book if consent else False,
        valid_from=consent.valid_from if consent else None,
        valid_until=consent.valid_until if consent else None,
        verified=identity_of(deed.db, proxy_id) is not None,
    )


def _locked_slot(deed: Deed, asked: Booking) -> Slot | None:
    """The slot asked for; with it the one that would be left, whose place is given back (ascending id).

    The household is locked, so that no other move of this order comes between the look and the lock.
    """
    wanted = {asked.slot_id}
    if asked.moves is not None:
        deed.db.refresh(asked.moves, ["slot_id"])
        wanted.add(asked.moves.slot_id)
    found = _SLOTS.within(deed.db, district=deed.district, slot_ids=sorted(wanted))
    return next((slot for slot in found if slot.id == asked.slot_id), None)


_SLOTS = Prepared(
    sa.select(table_of(Slot))
    .where(
        Slot.district == sa.bindparam("district"),
        Slot.id == sa.any_(sa.bindparam("slot_ids", type_=ARRAY(sa.Uuid))),
    )
    .order_by(Slot.id)
    .with_for_update()
)


def take_places(deed: Deed, slot_id: UUID, places: int) -> None:
    """Of a slot that is locked; a negative number gives them back. The database holds the capacity."""
    _TAKE.within(deed.db, places=places, b_district=deed.district, slot_id=slot_id)


_TAKE = Prepared(
    sa.update(table_of(Slot))
    .where(Slot.district == sa.bindparam("b_district"), Slot.id == sa.bindparam("slot_id"))
    .values(taken=Slot.taken + sa.bindparam("places"))
)


def _is_of(line: Any, order: Order | None) -> bool:
    return order is not None and line.order_id == order.id


def _cards_of(deed: Deed, party: BookingParty) -> list[Card]:
    """All of the account's cards, locked: what the others store counts for the weight limit."""
    if party.account is None:
        return []
    return cards_to_judge(deed.db, deed.district, party.account.id)


def cards_holding(deed: Deed, card_ids: Collection[UUID]) -> set[UUID]:
    """Those of the cards that hold a bottle. A claim still in dispute counts as one."""
    rows = _HOLDING.within(deed.db, district=deed.district, card_ids=list(card_ids))
    return {row.card_id for row in rows if row.card_id}


_HOLDING = Prepared(
    sa.select(CardHolding.card_id)
    .where(
        CardHolding.district == sa.bindparam("district"), CardHolding.card_id == _CARD_IDS, CardHolding.active
    )
    .union(
        sa.select(CustodyConflict.card_id).where(
            CustodyConflict.district == sa.bindparam("district"),
            CustodyConflict.card_id == _CARD_IDS,
            CustodyConflict.resolved_at.is_(None),
        )
    )
)


def firm_of(desk: Desk) -> UUID:
    return desk.party.account.firm_id if desk.party.account else desk.zone.firm_id


def slot_refusals(deed: Deed, desk: Desk) -> list[Refusal]:
    """A10 beside the gate: the slot is of the address's zone on that day, and that zone of the supplier's."""
    premises, reasons = desk.party.premises, []
    zone_id = zone_id_at(deed.db, deed.district, premises.lon, premises.lat, desk.slot.day)
    if zone_id != desk.zone.id:
        reasons.append(no.SLOT_OTHER_ZONE())
    if desk.zone.firm_id != firm_of(desk):
        reasons.append(no.SLOT_OTHER_SUPPLIER())
    basis = current().at(str(deed.district), desk.day).basis("A10")
    return [refusal.resting_on(basis) for refusal in reasons]


def booking_facts(deed: Deed, asked: Booking, desk: Desk, excepted: tuple[str, ...]) -> BookingFacts:
    party, slot = desk.party, desk.slot
    firm_licence, site_permit = _papers(deed, desk)
    moved = asked.moves.id if asked.moves is not None else None
    before = booked_before(deed.db, deed.district, asked.household_id, desk.day, apart_from=moved)
    kept = kept_from(deed.db, slot, party.household, deed.recorded_at)
    return BookingFacts(
        account_state=party.account.state if party.account else None,
        account_class=party.household.user_class,
        cards=tuple(_card_facts(card, desk) for card in desk.cards),
        identity_verified=party.identity is not None,
        document_expires_on=party.identity.valid_until if party.identity else None,
        judged_on=desk.judged_on,
        slot=SlotFacts(
            is_open=not slot.closed,
            is_past=slot.starts_at < deed.recorded_at,
            capacity_left=slot.capacity - slot.taken,
            in_zone_hours=in_hours(slot, desk.zone),
            kept_left=kept,
            kept_until=clock.stamp(slot.kept_until) if kept and slot.kept_until else None,
        ),
        purpose=asked.purpose.value if asked.purpose else None,
        quantity=len(desk.cards),
        firm_licence=firm_licence,
        site_permit=site_permit,
        premises_kind=party.premises.kind,
        stored_after_g=_stored_after_g(desk),
        has_cylinder_room=party.premises.has_cylinder_room,
        contract=_contract(party, desk.judged_on),
        has_second_supplier=_has_second_supplier(party, desk.judged_on),
        last_booked_on=before.last_on,
        excepted=excepted,
        proxy=desk.proxy,
        booked_in_period=before.bottles,
        bottles_after=len(_storing(desk)),
        contactless=asked.contactless,
    )


def _card_facts(card: Card, desk: Desk) -> CardFacts:
    return CardFacts(
        card=str(card.id),
        state=card.state,
        has_open_line=card.id in desk.busy,
        holds_bottle=card.id in desk.holding,
        at_quota=card.id in desk.holding,
        exception=card.exception,
    )


def premises_facts(deed: Deed, desk: Desk, excepted: tuple[str, ...]) -> PremisesFacts:
    premises, household = desk.party.premises, desk.party.household
    rental = RentalKind(premises.rental) if premises.rental else None
    safety = safety_of_home(deed.db, deed.district, household.id)
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
            OpenHazard(HazardGrade(grade.value), state.value) for grade, state in safety.hazards
        ),
        inspection_refused=safety.inspection_refused,
        bottle_place=BottlePlace(premises.bottle_place) if premises.bottle_place else None,
        other_fuel_in_room=premises.other_fuel_in_room is True,
        leak_alarm=_leak_alarm(deed, desk),
        crowded=premises.crowded is True,
        has_cylinder_room=premises.has_cylinder_room,
        largest_nominal_g=max(
            (
                desk.nominal_g[card.cylinder_model]
                for card in desk.cards
                if card.cylinder_model in desk.nominal_g
            ),
            default=None,
        ),
        in_lpg_free_area=bars_gas(deed.db, premises, desk.judged_on),
        rental=rental,
        rental_cap=premises.rental_cap,
        house_bottles=bottles_of_house(deed.db, premises) if rental is RentalKind.FARMHOUSE else None,
        excepted=excepted,
    )


def _leak_alarm(deed: Deed, desk: Desk) -> bool | None:
    """Of the register, on the day of delivery; asked only where P10 asks for one."""
    premises = desk.party.premises
    if not requires_alarm(premises.kind, premises.crowded is True):
        return premises.leak_alarm
    law = current().at(str(deed.district), desk.judged_on)
    return alarm_in_place(deed.db, desk.party.household.id, law, premises.leak_alarm)


def _papers(deed: Deed, desk: Desk) -> list[Term | None]:
    """The firm's licence and the permit of the site that supplies the zone, as of the later day."""
    held = [
        (LicenceKind.GAS_BUSINESS, firm_of(desk)),
        (LicenceKind.SITE_PERMIT, desk.zone.supply_site_id),
    ]
    return [Term(*span) if span else None for span in licence_spans(deed.db, held, desk.judged_on)]


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


def _stored_after_g(desk: Desk) -> int | None:
    """Nominal fill at the premises once this and every other open order is delivered; None if unknown.

    A swap adds nothing: a card stores one bottle of its own model if it holds or awaits one.
    """
    masses = [desk.nominal_g.get(card.cylinder_model) for card in _storing(desk)]
    return None if None in masses else sum(mass for mass in masses if mass)


def _storing(desk: Desk) -> list[Card]:
    """The cards that hold or await a bottle once this order is booked."""
    storing = {*desk.holding, *(line.card_id for line in desk.lines), *(card.id for card in desk.cards)}
    return [card for card in desk.all_cards if card.id in storing]

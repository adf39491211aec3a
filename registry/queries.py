"""Reads of the registry.

First the page of exports: plain functions of an open session that the rooms above build on (they judge
scope themselves). Then the reads behind our own routes, which judge scope row by row and mask what is
personal; only ``revealed`` opens it, after the deed that gave the reason.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from core import clock
from core.auth import Actor, Grant, ScopeKind
from core.doing import Doing
from core.fields import seen
from core.geo import Datum, Point, ZoneIndex, area_from_geojson
from core.ground import Ground
from core.prepared import Prepared
from core.problems import NotFound
from core.sealed import mask_address, mask_name, mask_phone
from registry import sealing
from registry.account_gate import AccountBusiness, AccountFacts
from registry.device_clock import anchor_view, give_anchor
from registry.devices import device_in_reach
from registry.letting_queries import living_view
from registry.models import (
    Account,
    Binding,
    Card,
    Contract,
    Device,
    Firm,
    Household,
    IdentityCheck,
    Licence,
    LicenceKind,
    Person,
    Premises,
    Site,
    Staff,
    StaffKind,
    Vehicle,
    Zone,
    ZoneSet,
)
from registry.premises_queries import latest_surveys
from registry.states import AccountState, CardState
from registry.stops import stop_of
from registry.trainings import trainings_of
from rulebook import current
from rulebook.gate import Verdict, judge

# --------------------------------------------------------------------------------------------------------
# Exports: firms, sites, papers


def firm(db: Session, firm_id: UUID) -> Firm | None:
    return db.get(Firm, firm_id)


def site(db: Session, site_id: UUID) -> Site | None:
    return db.get(Site, site_id)


def staff(db: Session, district: int, staff_id: UUID) -> Staff | None:
    """``district`` is the firm's home."""
    return db.get(Staff, (district, staff_id))


def vehicle(db: Session, district: int, vehicle_id: UUID) -> Vehicle | None:
    """``district`` is the firm's home."""
    return db.get(Vehicle, (district, vehicle_id))


def licences_of(db: Session, *, firm_id: UUID | None = None, site_id: UUID | None = None) -> list[Licence]:
    """All papers a firm or a site ever had, oldest first."""
    holder = Licence.firm_id == firm_id if firm_id else Licence.site_id == site_id
    return list(db.scalars(sa.select(Licence).where(holder).order_by(Licence.valid_from, Licence.id)))


Span = tuple[date, date]
"""The first and the last day of a paper."""


def licence_span(db: Session, kind: LicenceKind, holder_id: UUID, day: date) -> Span | None:
    """``licence_spans`` of one paper: ``holder_id`` is the firm's or the site's id."""
    return licence_spans(db, [(kind, holder_id)], day)[0]


def licence_spans(db: Session, held: Sequence[tuple[LicenceKind, UUID]], day: date) -> list[Span | None]:
    """The days of each holder's paper of that kind that covers ``day``; of the latest where none does."""
    papers = _LICENCES.within(db, holders=[holder_id for _, holder_id in held])
    return [
        _span([one for one in papers if one.kind is kind and holder_id in (one.firm_id, one.site_id)], day)
        for kind, holder_id in held
    ]


_HOLDERS = sa.any_(sa.bindparam("holders", type_=ARRAY(sa.Uuid)))
_LICENCES = Prepared(
    sa.select(Licence.kind, Licence.firm_id, Licence.site_id, Licence.valid_from, Licence.valid_until).where(
        sa.or_(Licence.firm_id == _HOLDERS, Licence.site_id == _HOLDERS)
    )
)


def _span(papers: Sequence[Any], day: date) -> Span | None:
    covering = [paper for paper in papers if paper.valid_from <= day <= paper.valid_until]
    best = max(covering or papers, key=lambda paper: paper.valid_until, default=None)
    return (best.valid_from, best.valid_until) if best else None


# --------------------------------------------------------------------------------------------------------
# Exports: zones and bindings


@dataclass(frozen=True, slots=True)
class BoundCrew:
    """A binding on one day, with seconds since that day's midnight, clipped to the day."""

    binding: Binding
    courier: Staff
    vehicle: Vehicle
    from_s: int
    until_s: int


def zone_set_at(db: Session, district: int, day: date) -> ZoneSet | None:
    """The set in force on ``day``."""
    return db.scalars(_ZONE_SET_AT, {"district": district, "day": day}).first()


_ZONE_SET_AT = (
    sa.select(ZoneSet)
    .where(ZoneSet.district == sa.bindparam("district"), ZoneSet.valid_from <= sa.bindparam("day"))
    .order_by(ZoneSet.valid_from.desc())
    .limit(1)
)
_ZONE_SET = Prepared(_ZONE_SET_AT)


def zones_of(db: Session, district: int, zone_set_id: UUID) -> list[Zone]:
    """The zones of a set, by number."""
    return list(
        db.scalars(
            sa.select(Zone)
            .where(Zone.district == district, Zone.zone_set_id == zone_set_id)
            .order_by(Zone.number)
        )
    )


def zone_at(db: Session, district: int, lon: float, lat: float, day: date) -> Zone | None:
    """The zone of a place (WGS-84) in the set in force on ``day``.

    A shared border belongs to the zone with the lower number (core.geo's rule over our numbers).
    """
    zone_id = zone_id_at(db, district, lon, lat, day)
    return db.get_one(Zone, (district, zone_id)) if zone_id else None


def zone_id_at(db: Session, district: int, lon: float, lat: float, day: date) -> UUID | None:
    """Which zone that is: all that a booking asks of it."""
    standing = next(iter(_ZONE_SET.within(db, district=district, day=day)), None)
    if standing is None:
        return None
    outlines = _ZONES.get(standing.id)
    if outlines is None:
        outlines = _Outlines(zones_of(db, district, standing.id))
        _ZONES.keep(standing.id, outlines)
    return outlines.zone_of(Point(lon, lat))


class _Outlines:
    """The outlines of a set, and which zone each number is."""

    def __init__(self, zones: Collection[Zone]):
        areas = [(zone.number, area_from_geojson(zone.outline, Datum.WGS84)) for zone in zones]
        self._numbers = ZoneIndex(areas)
        self._ids = {zone.number: zone.id for zone in zones}

    def zone_of(self, point: Point) -> UUID | None:
        number = self._numbers.zone_of(point)
        return None if number is None else self._ids[number]


class _LatestOutlines:
    """Outlines of the sets last asked for. A published set never changes, so they cannot go stale."""

    def __init__(self, most: int):
        self._most = most
        self._kept: dict[UUID, _Outlines] = {}

    def get(self, zone_set_id: UUID) -> _Outlines | None:
        return self._kept.get(zone_set_id)

    def keep(self, zone_set_id: UUID, outlines: _Outlines) -> None:
        kept = {**self._kept, zone_set_id: outlines}
        # A new dict, not a changed one: other threads may be reading.
        self._kept = dict(list(kept.items())[-self._most :])


_ZONES = _LatestOutlines(64)


def binding_at(db: Session, district: int, at: datetime, *, courier_id: UUID) -> Binding | None:
    """The courier's binding in force at ``at``. ``district`` is the firm's home."""
    return db.scalars(
        sa.select(Binding).where(
            Binding.district == district, Binding.courier_id == courier_id, Binding.span.contains(at)
        )
    ).one_or_none()


def principal_of_courier(db: Session, courier_id: UUID) -> UUID | None:
    """As whom this courier signs in, by the latest right given; None who never could."""
    rights = sa.select(Grant.principal_id).where(
        Grant.scope_kind == ScopeKind.COURIER, Grant.scope_code == str(courier_id)
    )
    return db.scalars(rights.order_by(Grant.from_at.desc(), Grant.id.desc()).limit(1)).first()


def bindings_of_device(
    db: Session, district: int, device_id: UUID, earliest: datetime, latest: datetime
) -> list[Binding]:
    """Every binding of the device that touches this span, its ends included."""
    return list(
        db.scalars(
            sa.select(Binding)
            .where(
                Binding.district == district,
                Binding.device_id == device_id,
                Binding.span.overlaps(sa.func.tstzrange(earliest, latest, "[]")),
            )
            .order_by(sa.func.lower(Binding.span), Binding.id)
        )
    )


def bindings_for_zone(db: Session, zone_district: int, zone_id: UUID, day: date) -> list[BoundCrew]:
    """Who may drive in this zone on ``day``, by the time they begin."""
    midnight, next_midnight = clock.at(day), clock.at(day + timedelta(days=1))
    rows = db.execute(
        sa.select(Binding, Staff, Vehicle)
        .join(Staff, sa.and_(Staff.district == Binding.district, Staff.id == Binding.courier_id))
        .join(Vehicle, sa.and_(Vehicle.district == Binding.district, Vehicle.id == Binding.vehicle_id))
        .where(
            Binding.zone_district == zone_district,
            Binding.zone_id == zone_id,
            Binding.span.overlaps(sa.func.tstzrange(midnight, next_midnight)),
        )
        .order_by(sa.func.lower(Binding.span), Binding.id)
    )

    def seconds(at: datetime | None, otherwise: datetime) -> int:
        clipped = min(max(at or otherwise, midnight), next_midnight)
        return int((clipped - midnight).total_seconds())

    return [
        BoundCrew(
            row.Binding,
            row.Staff,
            row.Vehicle,
            seconds(row.Binding.span.lower, midnight),
            seconds(row.Binding.span.upper, next_midnight),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class BoundPeople:
    """A binding with whom and what it binds."""

    binding: Binding
    courier: Staff
    vehicle: Vehicle
    device: Device


def ids_bound_on(db: Session, district: int, day: date, firm_id: UUID) -> set[UUID]:
    """Ids only, to lock them by; ``district`` is the firm's home."""
    return set(db.scalars(sa.select(Binding.id).where(_hold_on(district, day, firm_id))))


def _hold_on(district: int, day: date, firm_id: UUID | None) -> sa.ColumnElement[bool]:
    midnight, next_midnight = clock.at(day), clock.at(day + timedelta(days=1))
    return sa.and_(
        Binding.district == district,
        Binding.span.overlaps(sa.func.tstzrange(midnight, next_midnight)),
        sa.true() if firm_id is None else Binding.firm_id == firm_id,
    )


def bindings_on(db: Session, district: int, day: date, firm_id: UUID | None) -> list[BoundPeople]:
    """Bindings that hold at some time of ``day``; ``district`` is the firm's home, None: every firm's."""
    rows = db.execute(
        sa.select(Binding, Staff, Vehicle, Device)
        .join(Staff, sa.and_(Staff.district == Binding.district, Staff.id == Binding.courier_id))
        .join(Vehicle, sa.and_(Vehicle.district == Binding.district, Vehicle.id == Binding.vehicle_id))
        .join(Device, sa.and_(Device.district == Binding.district, Device.id == Binding.device_id))
        .where(_hold_on(district, day, firm_id))
        .order_by(sa.func.lower(Binding.span), Binding.id)
    )
    return [BoundPeople(*row) for row in rows]


def binding_with_people(db: Session, district: int, binding_id: UUID) -> BoundPeople:
    binding = db.get_one(Binding, (district, binding_id))
    return BoundPeople(
        binding,
        db.get_one(Staff, (district, binding.courier_id)),
        db.get_one(Vehicle, (district, binding.vehicle_id)),
        db.get_one(Device, (district, binding.device_id)),
    )


@dataclass(frozen=True, slots=True)
class CrewChoices:
    """Who and what a firm may bind: couriers, vehicles, devices that are not revoked."""

    couriers: list[Staff]
    vehicles: list[Vehicle]
    devices: list[Device]


def crew_choices(db: Session, district: int, firm_id: UUID | None) -> CrewChoices:
    """Of one firm, or of every firm at home in the district."""

    def of(model: type[Staff] | type[Vehicle] | type[Device]) -> sa.ColumnElement[bool]:
        here = model.district == district
        return here if firm_id is None else sa.and_(here, model.firm_id == firm_id)

    couriers = sa.select(Staff).where(of(Staff), Staff.kind == StaffKind.COURIER).order_by(Staff.id)
    vehicles = sa.select(Vehicle).where(of(Vehicle)).order_by(Vehicle.plate)
    devices = sa.select(Device).where(of(Device), Device.revoked_at.is_(None)).order_by(Device.label)
    return CrewChoices(list(db.scalars(couriers)), list(db.scalars(vehicles)), list(db.scalars(devices)))


# --------------------------------------------------------------------------------------------------------
# Exports: households, accounts, cards


@dataclass(frozen=True, slots=True)
class BookingParty:
    """Who books and for which place.

    ``account``: the live one, else the one last closed. ``identity``: the latest check of the registrant
    if it passed; a later check that failed takes an earlier pass away.
    """

    premises: Premises
    household: Household
    account: Account | None
    identity: IdentityCheck | None
    contracts: list[Contract]


def booking_party(
    db: Session, district: int, household_id: UUID, *, lock: bool = False
) -> BookingParty | None:
    """None where there is no such household.

    ``lock`` takes premises (share), household and account (update), person (share), in that order.
    """
    premises = _premises_of(db, district, household_id, lock)
    if premises is None:
        return None
    household = db.get_one(
        Household, (district, household_id), with_for_update=lock or None, populate_existing=lock
    )
    account = account_of(db, district, household_id, lock=lock)
    if account is None:
        return BookingParty(premises, household, None, None, [])
    if lock:
        db.get_one(Person, account.person_id, with_for_update={"read": True})
    identity = identity_of(db, account.person_id)
    return BookingParty(premises, household, account, identity, contracts_of(db, district, account.id))


def _premises_of(db: Session, district: int, household_id: UUID, lock: bool) -> Premises | None:
    """Found by the household, which is locked only after them."""
    query = (
        sa.select(Premises)
        .join(
            Household, sa.and_(Household.district == Premises.district, Household.premises_id == Premises.id)
        )
        .where(Household.district == district, Household.id == household_id)
    )
    if lock:
        query = query.with_for_update(read=True, of=Premises).execution_options(populate_existing=True)
    return db.scalars(query).first()


def reach_of(party: BookingParty) -> dict[str, object]:
    """What a grant must cover to reach this household (for ``actor.must_reach``)."""
    row: dict[str, object] = {"district": party.household.district, "street": party.premises.street_code}
    if party.account is not None:
        row |= {"firm": party.account.firm_id, "person": party.account.person_id}
    return row


def account_of(db: Session, district: int, household_id: UUID, *, lock: bool = False) -> Account | None:
    """The household's live account, else the one last closed."""
    query = (
        sa.select(Account)
        .where(Account.district == district, Account.household_id == household_id)
        .order_by((Account.state == AccountState.CLOSED), Account.id.desc())
        .limit(1)
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return db.scalars(query).first()


def phone_of(db: Session, ground: Ground, person_id: UUID) -> str | None:
    """Where a message reaches this person; None where nobody is registered by that id, or was erased."""
    person = db.get(Person, person_id)
    return sealing.opened(db, ground, sealing.phone_of(person)) if person is not None else None


def phones_of_office(db: Session, ground: Ground, district: int, firm_id: UUID) -> list[tuple[UUID, str]]:
    """Where a message reaches a firm: its dispatchers whose certificate is in force, or else its clerks."""
    for kind in (StaffKind.DISPATCHER, StaffKind.CLERK):
        people = db.scalars(
            sa.select(Staff)
            .where(
                Staff.district == district,
                Staff.firm_id == firm_id,
                Staff.kind == kind,
                Staff.certificate_until >= clock.today(),
            )
            .order_by(Staff.id)
        ).all()
        phones = sealing.all_opened(db, ground, [sealing.staff_phone_of(one) for one in people])
        if found := [(one.id, phone) for one, phone in zip(people, phones, strict=True) if phone]:
            return found
    return []


def households_of_street(street_code: str) -> sa.Select[Any]:
    """Their ids: how a street's part of a list is found."""
    there = sa.and_(Premises.district == Household.district, Premises.id == Household.premises_id)
    return sa.select(Household.id).join(Premises, there).where(Premises.street_code == street_code)


def cards_of_street(street_code: str) -> sa.Select[Any]:
    """The ids of those households' cards."""
    return sa.select(Card.id).where(Card.household_id.in_(households_of_street(street_code)))


def identity_of(db: Session, person_id: UUID) -> IdentityCheck | None:
    """The latest check of this person, if it passed."""
    latest = db.scalars(
        sa.select(IdentityCheck)
        .where(IdentityCheck.person_id == person_id)
        .order_by(IdentityCheck.id.desc())
        .limit(1)
    ).first()
    return latest if latest is not None and latest.passed else None


def contracts_of(db: Session, district: int, account_id: UUID) -> list[Contract]:
    return list(
        db.scalars(
            sa.select(Contract)
            .where(Contract.district == district, Contract.account_id == account_id)
            .order_by(Contract.valid_from, Contract.id)
        )
    )


def cards_of(db: Session, district: int, card_ids: Collection[UUID], *, lock: bool = False) -> list[Card]:
    """These cards, ascending id; ids that are not there are left out. ``lock``: FOR UPDATE, in that order."""
    query = sa.select(Card).where(Card.district == district, Card.id.in_(card_ids)).order_by(Card.id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return list(db.scalars(query))


def cards_of_account(db: Session, district: int, account_id: UUID, *, lock: bool = False) -> list[Card]:
    """Every card the account ever had, ascending id."""
    query = sa.select(Card).where(Card.district == district, Card.account_id == account_id).order_by(Card.id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return list(db.scalars(query))


CARD_QR = "LPGCARD:"
"""What stands before a card's credential in its QR code."""


def card_by_credential(db: Session, district: int, credential: str) -> Card | None:
    """The card behind a scanned credential, with or without the QR's ``LPGCARD:`` before it."""
    bare = plain_credential(credential)
    return db.scalars(sa.select(Card).where(Card.district == district, Card.credential == bare)).one_or_none()


def plain_credential(said: str) -> str:
    """A card's credential as it is kept, however it was scanned or typed: the card prints it in fours."""
    return "".join(seen(said).split()).upper().removeprefix(CARD_QR)


def account_verdict(doing: Doing, kind: AccountBusiness, applied_on: date) -> Verdict:
    """What the moratorium says here of such an application, before anybody's papers are asked for."""
    gate = (
        "account.transfer"
        if kind in (AccountBusiness.TRANSFER, AccountBusiness.SUCCESSION)
        else "account.open"
    )
    return judge(gate, AccountFacts(applied_on, kind), str(doing.district), applied_on, current())


# --------------------------------------------------------------------------------------------------------
# Reads of our own routes


def party_within_reach(db: Session, actor: Actor, district: int, household_id: UUID) -> BookingParty:
    """The household that the address names, with all that hangs on it; 404 if not the actor's to see."""
    party = booking_party(db, district, household_id)
    if party is None:
        raise NotFound
    actor.must_reach(**reach_of(party))
    return party


def firm_view(doing: Doing, firm_id: str) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        found = db.get_one(Firm, UUID(firm_id))
        doing.actor.must_reach(firm=found.id, district=found.home_district)
        return _columns(found) | {"licences": licences_of(db, firm_id=found.id)}


def site_view(doing: Doing, site_id: str) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        found = db.get_one(Site, UUID(site_id))
        doing.actor.must_reach(firm=found.firm_id, site=found.id, district=found.district)
        point = {"lon": found.lon, "lat": found.lat, "datum": Datum.WGS84.value}
        return _columns(found) | {"point": point, "licences": licences_of(db, site_id=found.id)}


def staff_view(doing: Doing, staff_id: str) -> dict[str, Any]:
    """Name and phone are masked."""
    with doing.ground.sessions() as db:
        found = _of_my_firm(db, doing, Staff, staff_id)
        name, phone = sealing.all_opened(
            db, doing.ground, [sealing.staff_name_of(found), sealing.staff_phone_of(found)]
        )
        masked = {"name_masked": name and mask_name(name), "phone_masked": phone and mask_phone(phone)}
        return _columns(found) | masked | {"trainings": trainings_of(db, doing.district, found.id)}


def vehicle_view(doing: Doing, vehicle_id: str) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        return _columns(_of_my_firm(db, doing, Vehicle, vehicle_id))


def device_view(doing: Doing, device_id: str) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        return _columns(device_in_reach(db, doing.actor, doing.district, UUID(device_id)))


def device_anchor(
    doing: Doing, device_id: UUID, *, nonce: str, boot_id: str, mono_ms: int
) -> Mapping[str, Any]:
    with doing.ground.reads() as db:
        device_in_reach(db, doing.actor, doing.district, device_id)
    keyring = doing.ground.keyring
    return anchor_view(*give_anchor(keyring, device_id, nonce=nonce, boot_id=boot_id, mono_ms=mono_ms))


def binding_view(doing: Doing, binding_id: str) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        found = _of_my_firm(db, doing, Binding, binding_id)
        span = found.span
        return _columns(found) | {
            "from_at": span.lower,
            "until_at": span.upper,
            "withdrawn": span.isempty,
        }


def zone_set_view(doing: Doing, zone_set_id: str) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        found = db.get_one(ZoneSet, (doing.district, UUID(zone_set_id)))
        return _columns(found) | {"zones": zones_of(db, doing.district, found.id)}


def current_zone_set(doing: Doing, day: date | None = None) -> dict[str, Any]:
    """The set in force on ``day`` (today, if not said); 404 where none is."""
    with doing.ground.sessions() as db:
        standing = zone_set_at(db, doing.district, day or clock.today())
        if standing is None:
            raise NotFound
        return _columns(standing) | {"zones": zones_of(db, doing.district, standing.id)}


def account_view(doing: Doing, account_id: str) -> dict[str, Any]:
    """With its cards and what their QR codes say, for the counter that prints them."""
    with doing.ground.sessions() as db:
        found = _of_my_firm(db, doing, Account, account_id)
        cards = cards_of_account(db, doing.district, found.id)
        contracts = contracts_of(db, doing.district, found.id)
        return _columns(found) | {"cards": [_with_qr(card) for card in cards], "contracts": contracts}


def card_view(doing: Doing, card_id: str) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        card = db.get_one(Card, (doing.district, UUID(card_id)))
        _of_my_firm(db, doing, Account, str(card.account_id))
        return _with_qr(card)


def contract_view(doing: Doing, contract_id: str) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        return _columns(_of_my_firm(db, doing, Contract, contract_id))


def must_reach_household(doing: Doing, household_id: UUID) -> None:
    """404 for a household that is not there or not the caller's; nothing of it is read."""
    with doing.ground.reads() as db:
        party_within_reach(db, doing.actor, doing.district, household_id)


def household_view(doing: Doing, household_id: UUID) -> dict[str, Any]:
    """The household's file: facts in clear, personal data masked, no credential."""
    with doing.ground.sessions() as db:
        party = party_within_reach(db, doing.actor, doing.district, household_id)
        return _file_of(db, doing, party)


def own_files(doing: Doing) -> list[dict[str, Any]]:
    """The files of the households in the caller's own name here, those with a live account first."""
    person_id = doing.actor.scope_id(ScopeKind.PERSON)
    with doing.ground.sessions() as db:
        households = db.scalars(
            sa.select(Account.household_id)
            .where(Account.district == doing.district, Account.person_id == person_id)
            .distinct()
        ).all()
        parties = [booking_party(db, doing.district, one) for one in sorted(households)]
        own = [one for one in parties if one and one.account and one.account.person_id == person_id]
        own.sort(key=lambda one: one.account is not None and one.account.state is AccountState.CLOSED)
        return [_file_of(db, doing, party) for party in own]


def files_of(db: Session, doing: Doing, parties: Sequence[BookingParty]) -> list[dict[str, Any]]:
    """Their files, masked, for whoever was found to have to do with these homes."""
    return [_file_of(db, doing, party) for party in parties]


def revealed(doing: Doing, answer: Mapping[str, Any]) -> dict[str, Any]:
    """The clear values that a reveal gave the right to see.

    The deed's answer holds ids and the fields' names only: a repeat opens the values again, under the
    rights of now, and gives null where the subject has been erased or is the registrant no more.
    """
    with doing.ground.sessions() as db:
        party = party_within_reach(db, doing.actor, doing.district, UUID(answer["household_id"]))
        sealed = {"address": sealing.address_of(party.household)}
        if answer["person_id"] and answer["person_id"] == str(party.account and party.account.person_id):
            person = db.get_one(Person, UUID(answer["person_id"]))
            sealed |= {"name": sealing.name_of(person), "phone": sealing.phone_of(person)}
        asked = [name for name in answer["fields"] if name in sealed]
        texts = sealing.all_opened(db, doing.ground, [sealed[name] for name in asked])
        values = dict.fromkeys(answer["fields"], None) | dict(zip(asked, texts, strict=True))
        return {"household_id": answer["household_id"], "person_id": answer["person_id"], **values}


def _file_of(db: Session, doing: Doing, party: BookingParty) -> dict[str, Any]:
    premises, household, account = party.premises, party.household, party.account
    address = sealing.opened(db, doing.ground, sealing.address_of(household))
    return {
        "household_id": household.id,
        "user_class": household.user_class,
        "vulnerable": household.vulnerable,
        "closed_at": household.closed_at,
        "address_masked": address and mask_address(address),
        "premises": _columns(premises)
        | {
            "point": {"lon": premises.lon, "lat": premises.lat, "datum": Datum.WGS84.value},
            "seen": [
                {"name": name, "seen_on": one.seen_on, "evidence": one.evidence}
                for name, one in sorted(latest_surveys(db, doing.district, premises.id).items())
            ],
        },
        "account": account and _columns(account),
        "registrant": account and _registrant(db, doing, account.person_id, party.identity),
        "cards": cards_of_account(db, doing.district, account.id) if account else [],
        "contracts": party.contracts,
        "letting": living_view(db, doing.ground, doing.district, household.id),
    }


def _registrant(db: Session, doing: Doing, person_id: UUID, identity: IdentityCheck | None) -> dict[str, Any]:
    """Masked; of whoever asked to be erased nothing is shown but to themselves."""
    person, name, phone = db.get_one(Person, person_id), None, None
    reach = doing.actor.reach
    is_own = reach.kind is ScopeKind.PERSON and reach.code == str(person_id)
    if is_own or stop_of(db, person_id) is None:
        name, phone = sealing.all_opened(
            db, doing.ground, [sealing.name_of(person), sealing.phone_of(person)]
        )
    return {
        "person_id": person_id,
        "name_masked": name and mask_name(name),
        "phone_masked": phone and mask_phone(phone),
        "verified": identity is not None,
        "document_kind": identity and identity.document_kind,
        "document_valid_until": identity and identity.valid_until,
    }


OfAFirm = TypeVar("OfAFirm", Staff, Vehicle, Device, Binding, Account, Contract)


def _of_my_firm(db: Session, doing: Doing, model: type[OfAFirm], row_id: str) -> OfAFirm:
    row = db.get(model, (doing.district, UUID(row_id)))
    if row is None:
        raise NotFound
    doing.actor.must_reach(firm=row.firm_id, district=doing.district)
    return row


def _with_qr(card: Card) -> dict[str, Any]:
    """A card that is not in use has no code to print."""
    in_use = card.state is CardState.ACTIVE
    return _columns(card) | {"qr": CARD_QR + card.credential if in_use else None}


def _columns(row: Any) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in sa.inspect(row).mapper.column_attrs}

"""One entry of the registry's books as our own routes answer it: scope is judged, what is personal masked."""

from collections.abc import Mapping
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.doing import Doing
from core.geo import Datum
from core.problems import NotFound
from core.sealed import mask_name, mask_phone
from registry import sealing
from registry.device_clock import anchor_view, give_anchor
from registry.devices import device_in_reach
from registry.models import Account, Binding, Card, Contract, Device, Firm, Site, Staff, Vehicle, ZoneSet
from registry.queries import CARD_QR, cards_of_account, contracts_of, licences_of
from registry.states import CardState
from registry.trainings import trainings_of
from registry.zone_queries import zone_set_at, zones_of


def firm_view(doing: Doing, firm_id: str) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        found = db.get_one(Firm, UUID(firm_id))
        doing.actor.must_reach(firm=found.id, district=found.home_district)
        return columns_of(found) | {"licences": licences_of(db, firm_id=found.id)}


def site_view(doing: Doing, site_id: str) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        found = db.get_one(Site, UUID(site_id))
        doing.actor.must_reach(firm=found.firm_id, site=found.id, district=found.district)
        point = {"lon": found.lon, "lat": found.lat, "datum": Datum.WGS84.value}
        return columns_of(found) | {"point": point, "licences": licences_of(db, site_id=found.id)}


def staff_view(doing: Doing, staff_id: str) -> dict[str, Any]:
    """Name and phone are masked."""
    with doing.ground.sessions() as db:
        found = _of_my_firm(db, doing, Staff, staff_id)
        name, phone = sealing.all_opened(
            db, doing.ground, [sealing.staff_name_of(found), sealing.staff_phone_of(found)]
        )
        masked = {"name_masked": name and mask_name(name), "phone_masked": phone and mask_phone(phone)}
        return columns_of(found) | masked | {"trainings": trainings_of(db, doing.district, found.id)}


def vehicle_view(doing: Doing, vehicle_id: str) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        return columns_of(_of_my_firm(db, doing, Vehicle, vehicle_id))


def device_view(doing: Doing, device_id: str) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        return columns_of(device_in_reach(db, doing.actor, doing.district, UUID(device_id)))


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
        return columns_of(found) | {
            "from_at": span.lower,
            "until_at": span.upper,
            "withdrawn": span.isempty,
        }


def zone_set_view(doing: Doing, zone_set_id: str) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        found = db.get_one(ZoneSet, (doing.district, UUID(zone_set_id)))
        return columns_of(found) | {"zones": zones_of(db, doing.district, found.id)}


def current_zone_set(doing: Doing, day: date | None = None) -> dict[str, Any]:
    """The set in force on ``day`` (today, if not said); 404 where none is."""
    with doing.ground.sessions() as db:
        standing = zone_set_at(db, doing.district, day or clock.today())
        if standing is None:
            raise NotFound
        return columns_of(standing) | {"zones": zones_of(db, doing.district, standing.id)}


def account_view(doing: Doing, account_id: str) -> dict[str, Any]:
    """With its cards and what their QR codes say, for the counter that prints them."""
    with doing.ground.sessions() as db:
        found = _of_my_firm(db, doing, Account, account_id)
        cards = cards_of_account(db, doing.district, found.id)
        contracts = contracts_of(db, doing.district, found.id)
        return columns_of(found) | {"cards": [_with_qr(card) for card in cards], "contracts": contracts}


def card_view(doing: Doing, card_id: str) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        card = db.get_one(Card, (doing.district, UUID(card_id)))
        _of_my_firm(db, doing, Account, str(card.account_id))
        return _with_qr(card)


def contract_view(doing: Doing, contract_id: str) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        return columns_of(_of_my_firm(db, doing, Contract, contract_id))


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
    return columns_of(card) | {"qr": CARD_QR + card.credential if in_use else None}


def columns_of(row: Any) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in sa.inspect(row).mapper.column_attrs}

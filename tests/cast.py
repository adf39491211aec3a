"""The known cast: one firm with its sites, crew, zone and users, made through the real HTTP API.

    cast = Cast(desk)                    Changning, unless another district is named
    cast.firm()                          the firm (made on first call); another_firm() is its competitor
    cast.filling_station(), cast.supply_point()
    cast.zone_set(), cast.zone()         a square around Changning's middle, in force from 2024-01-01
    cast.courier(), cast.vehicle(), cast.device()    a new one each time
    cast.bind()                          a new crew bound to the zone from today's midnight, open-ended
    cast.household()                     an imported resident: (household id, account id, [card ids])
    cast.restaurant()                    an imported business with two cards and a contract
    cast.clerk, cast.dispatcher, cast.filler, cast.regulator, cast.admin     signed in
    cast.resident(person_id), cast.signed_in_courier(staff_id)               signed in

Every name, number and address is invented; document numbers bear an area code no place has.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from werkzeug.test import TestResponse

from core import clock, confirmations
from core.auth import Role, hash_token
from registry.documents import resident_check_digit, uscc_check_character
from tests.desk import Desk, Person

CHANGNING = 310105
NOBODYS_AREA = "319999"
WEST, EAST, SOUTH, NORTH = 121.38, 121.44, 31.19, 31.24
MIDDLE = {"lon": 121.41, "lat": 31.215, "datum": "wgs84"}

_numbers = itertools.count(1)


class Users(NamedTuple):
    """A household as the importing row answered it; ``registrant`` is the person's id."""

    household_id: UUID
    account_id: UUID
    card_ids: list[UUID]


@dataclass(frozen=True)
class Bound:
    binding_id: UUID
    courier_id: UUID
    vehicle_id: UUID
    device_id: UUID
    zone_id: UUID


def resident_number(sequence: int, born: str = "19800512") -> str:
    """A resident id whose check digit is right and whose area does not exist."""
    first_17 = f"{NOBODYS_AREA}{born}{sequence % 1000:03d}"
    return first_17 + resident_check_digit(first_17)


def credit_code(sequence: int) -> str:
    first_17 = f"91{NOBODYS_AREA}{sequence:09d}"
    return first_17 + uscc_check_character(first_17)


def square(
    west: float = WEST, south: float = SOUTH, east: float = EAST, north: float = NORTH
) -> dict[str, Any]:
    """A GeoJSON rectangle, WGS-84."""
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


class Cast:
    def __init__(self, desk: Desk, district: int = CHANGNING):
        self.desk = desk
        self.district = district
        self._firm: UUID | None = None
        self._station: UUID | None = None
        self._supply_point: UUID | None = None
        self._zone_set: dict[str, Any] | None = None

    # --- who is signed in ---------------------------------------------------------------------------------

    @cached_property
    def admin(self) -> Person:
        return self.desk.sign_in(Role.ADMINISTRATOR, self.district)

    @cached_property
    def clerk(self) -> Person:
        return self.clerk_of(self.firm())

    @cached_property
    def dispatcher(self) -> Person:
        return self.desk.sign_in(Role.DISPATCHER, self.district, firm=self.firm())

    @cached_property
    def filler(self) -> Person:
        return self.desk.sign_in(Role.FILLER, self.district, site=self.filling_station())

    @cached_property
    def regulator(self) -> Person:
        """The district's; given through the API, since its scope is the district."""
        return self.granted("regulator", "district", str(self.district))

    def clerk_of(self, firm_id: UUID) -> Person:
        return self.desk.sign_in(Role.CLERK, self.district, firm=firm_id)

    def signed_in_courier(self, staff_id: UUID) -> Person:
        return self.desk.sign_in(Role.COURIER, self.district, courier=staff_id)

    def resident(self, person_id: UUID) -> Person:
        return self.granted("resident", "person", str(person_id))

    def granted(self, role: str, scope_kind: str, scope_code: str) -> Person:
        """Somebody whose grant came through ``POST /grants``."""
        body = {
            "role": role,
            "scope_kind": scope_kind,
            "scope_code": scope_code,
            "home_district": self.district,
            "label": f"{role} (test)",
        }
        given = made(self.admin.post("/api/v1/grants", body))
        return Person(self.desk.app, given["token"], UUID(given["principal_id"]))

    # --- the firm and its sites ---------------------------------------------------------------------------

    def firm(self) -> UUID:
        if self._firm is None:
            self._firm = self.another_firm()
        return self._firm

    def another_firm(self, **changed: Any) -> UUID:
        return UUID(made(self.admin.post("/api/v1/firms", self.firm_body(**changed)))["id"])

    def firm_body(self, **changed: Any) -> dict[str, Any]:
        number = next(_numbers)
        return {
            "name": f"样例燃气{number}号",
            "uscc": credit_code(number),
            "home_district": self.district,
            "licences": [licence("gas_business")],
        } | changed

    def filling_station(self) -> UUID:
        if self._station is None:
            papers = [licence("cylinder_filling"), licence("site_permit")]
            self._station = self.site(["filling_station"], papers, name="样例充装站")
            self.furnish(self._station)
        return self._station

    def furnish(self, station_id: UUID) -> None:
        """A verified scale, and a batch of tested gas in use."""
        at = f"/api/v1/sites/{station_id}"
        made(self.clerk.post(f"{at}/scales", self.scale_body()))
        batch = made(self.clerk.post(f"{at}/gas-batches", self.batch_body()))["batches"][0]
        made(self.clerk.post(f"{at}/gas-batches/{batch['id']}/uses", {}))

    def scale_body(self, **changed: Any) -> dict[str, Any]:
        verified = {"certificate_no": "JD-1", "verified_on": "2024-01-10", "verified_until": "2025-01-09"}
        return {"number": "S-1", "verification": verified} | changed

    def batch_body(self, **changed: Any) -> dict[str, Any]:
        tested = {"report_no": "QC-1", "tested_on": "2024-06-01", "odorant_present": True, "dme_found": False}
        return {
            "number": f"B-{next(_numbers)}",
            "product": "lpg",
            "supplier": credit_code(0),
            "certificate_no": "HG-1",
            "delivered_on": "2024-06-01",
            "test": tested,
        } | changed

    def supply_point(self) -> UUID:
        if self._supply_point is None:
            self._supply_point = self.site(["supply_point"], [licence("site_permit")], name="样例供应站")
        return self._supply_point

    def site(self, kinds: list[str], licences: list[dict[str, Any]], **changed: Any) -> UUID:
        body = {
            "firm_id": str(self.firm()),
            "district": self.district,
            "name": "样例站点",
            "kinds": kinds,
            "point": MIDDLE,
            "stock_cap": 500,
            "licences": licences,
        } | changed
        return UUID(made(self.admin.post("/api/v1/sites", body))["id"])

    # --- crew ---------------------------------------------------------------------------------------------

    def courier(self, **changed: Any) -> UUID:
        return self.staff(kind="courier", **changed)

    def staff(self, **changed: Any) -> UUID:
        return UUID(made(self.clerk.post(self.at("staff"), self.staff_body(**changed)))["id"])

    def staff_body(self, **changed: Any) -> dict[str, Any]:
        number = next(_numbers)
        return {
            "firm_id": str(self.firm()),
            "kind": "courier",
            "name": f"送气工样例{number}",
            "phone": f"1391{number:07d}",
            "certificate_no": f"SQ-{number:06d}",
            "certificate_from": "2022-01-01",
            "certificate_until": "2026-12-31",
            "trainings": [training()],
        } | changed

    def vehicle(self, **changed: Any) -> UUID:
        return UUID(made(self.clerk.post(self.at("vehicles"), self.vehicle_body(**changed)))["id"])

    def vehicle_body(self, **changed: Any) -> dict[str, Any]:
        number = next(_numbers)
        return {
            "firm_id": str(self.firm()),
            "kind": "etrike",
            "plate": f"沪样{number:05d}",
            "permit_no": f"XK-{number:06d}",
            "permit_from": "2022-01-01",
            "permit_until": "2026-12-31",
            "max_cylinders": 8,
            "max_nominal_g": 120_000,
            "max_trips": 6,
            "carries_50kg": False,
        } | changed

    def device(self, **changed: Any) -> UUID:
        body = {"firm_id": str(self.firm()), "label": f"手持终端{next(_numbers)}"} | changed
        return UUID(made(self.clerk.post(self.at("devices"), body))["id"])

    def zone_set(self) -> dict[str, Any]:
        """The set with its one zone, as answered; made on first call."""
        if self._zone_set is None:
            self._zone_set = made(self.dispatcher.post(self.at("zone-sets"), self.zone_set_body()))
        return self._zone_set

    def zone_set_body(self, **changed: Any) -> dict[str, Any]:
        return {"valid_from": "2024-01-01", "datum": "wgs84", "zones": [self.zone_body()]} | changed

    def zone_body(self, **changed: Any) -> dict[str, Any]:
        return {
            "number": 1,
            "name": "样例片区",
            "firm_id": str(self.firm()),
            "supply_site_id": str(self.supply_point()),
            "outline": square(),
            "opens_s": 7 * 3600,
            "closes_s": 20 * 3600,
        } | changed

    def zone(self) -> UUID:
        return UUID(self.zone_set()["zones"][0]["id"])

    def bind(
        self,
        *,
        courier_id: UUID | None = None,
        vehicle_id: UUID | None = None,
        device_id: UUID | None = None,
        from_at: datetime | None = None,
        until_at: datetime | None = None,
    ) -> Bound:
        bound = Bound(
            binding_id=UUID(int=0),
            courier_id=courier_id or self.courier(),
            vehicle_id=vehicle_id or self.vehicle(),
            device_id=device_id or self.device(),
            zone_id=self.zone(),
        )
        answer = made(self.dispatcher.post(self.at("bindings"), self.binding_body(bound, from_at, until_at)))
        return Bound(UUID(answer["id"]), bound.courier_id, bound.vehicle_id, bound.device_id, bound.zone_id)

    def binding_body(
        self, bound: Bound, from_at: datetime | None = None, until_at: datetime | None = None
    ) -> dict[str, Any]:
        return {
            "firm_id": str(self.firm()),
            "courier_id": str(bound.courier_id),
            "vehicle_id": str(bound.vehicle_id),
            "device_id": str(bound.device_id),
            "zone_district": self.district,
            "zone_id": str(bound.zone_id),
            "from_at": clock.stamp(from_at or clock.at(clock.today())),
            "until_at": until_at and clock.stamp(until_at),
        }

    # --- users --------------------------------------------------------------------------------------------

    def household(
        self,
        *,
        model: str = "YSP35.5",
        exception: str | None = "first_supply",
        person: dict[str, Any] | None = None,
        **premises: Any,
    ) -> Users:
        """An imported resident with one card. ``premises`` changes the place: point, lift=True, …"""
        card = {"cylinder_model": model, "exception": exception}
        row = self.user_row(cards=[card], premises=self.place_body(**premises))
        if person is not None:
            row["registrant"] = person
        return self.imported(row)

    def restaurant(
        self, *, models: tuple[str, ...] = ("YSP35.5", "YSP35.5"), contract: bool = True, **premises: Any
    ) -> Users:
        """An imported restaurant, one card a model, with a contract through 2024."""
        place = {"kind": "restaurant", "user_class": "restaurant"} | premises
        cards = [{"cylinder_model": model, "exception": "first_supply"} for model in models]
        row = self.user_row(cards=cards, premises=self.place_body(**place))
        if contract:
            row["contract"] = {"number": f"HT-{next(_numbers)}", **span("2024-01-01", "2024-12-31")}
        return self.imported(row)

    def imported(self, row: dict[str, Any]) -> Users:
        answer = made(self.clerk.post(self.at("user-imports"), self.import_body([row])))
        [item] = answer["items"]
        assert item["ok"], item
        return Users(
            UUID(item["household_id"]), UUID(item["account_id"]), [UUID(one) for one in item["card_ids"]]
        )

    def import_body(self, rows: list[Any], on_error: str = "proceed") -> dict[str, Any]:
        return {
            "firm_id": str(self.firm()),
            "evidence": {"document": "ledger-2022", "reference": "book-3/17"},
            "on_error": on_error,
            "rows": rows,
        }

    def user_row(self, **changed: Any) -> dict[str, Any]:
        return {
            "premises": self.place_body(),
            "registrant": self.registrant(),
            "opened_on": "2022-05-01",
            "cards": [{"cylinder_model": "YSP35.5", "exception": "first_supply"}],
        } | changed

    def place_body(self, **changed: Any) -> dict[str, Any]:
        number = next(_numbers)
        return {
            "address": f"样例市样例路{number}弄{number}号101室",
            "point": MIDDLE,
            "street_code": f"{self.district}001",
            "committee_code": f"{self.district}001001",
            "kind": "dwelling",
            "user_class": "resident",
            "piped_gas": False,
            "lift": False,
            "height_m": 18,
            "floor_kind": "above_ground",
            "converted_to_pipe": False,
        } | changed

    def registrant(self, **changed: Any) -> dict[str, Any]:
        number = next(_numbers)
        born = f"{1950 + number // 1000 % 50}0514"  # nobody of whom a test says the number
        return {
            "document": {"kind": "resident_id", "number": resident_number(number, born)},
            "name": f"样例住户{number}",
            "phone": f"1381{number:07d}",
        } | changed

    def person(self, **changed: Any) -> UUID:
        """A registered person."""
        body = self.registrant(method="document_seen", notice_version="2021-11") | changed
        answer = self.clerk.post(self.at("people"), body)
        assert answer.status_code in (200, 201), answer.text
        return UUID(answer.json["person_id"])  # type: ignore[index]  # a JSON answer, as asserted

    def place(self, **changed: Any) -> UUID:
        """A registered premises; its household's id."""
        answer = made(self.clerk.post(self.at("premises"), self.place_body(**changed)))
        return UUID(answer["household_id"])

    def confirmed(self, person: Person) -> Person:
        """Somebody who has just shown once more who they are, as before a reveal."""
        confirmations.confirm(self.desk.ground, person.principal_id, hash_token(person.token))
        return person

    def registrant_of(self, users: Users) -> UUID:
        """The person in whose name the account stands."""
        file = self.clerk.get(self.at(f"households/{users.household_id}"))
        return UUID(file.json["account"]["person_id"])  # type: ignore[index]  # a JSON answer

    def at(self, path: str) -> str:
        return f"/api/v1/districts/{self.district}/{path}"


def licence(kind: str, start: date | str = "2020-01-01", end: date | str = "2030-12-31") -> dict[str, Any]:
    return {"kind": kind, "number": f"样许{next(_numbers):06d}", **span(str(start), str(end))}


def training(start: str = "2022-01-01", end: str = "2026-12-31") -> dict[str, Any]:
    reference = f"PX-{next(_numbers):06d}"
    return {"course": "refresher", "reference": reference, "trained_on": start, "valid_until": end}


def span(start: str, end: str) -> dict[str, str]:
    return {"valid_from": start, "valid_until": end}


def made(answer: TestResponse) -> dict[str, Any]:
    """The body of a 201; anything else fails the test with what was said."""
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.get_json()
    return body

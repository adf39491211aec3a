"""Builds the sample's world through the public API: who exists, where, and who may do what.

Only the first administrator is made by hand, as ``./lpg manage tokens`` does. Users and bottles come by
dated import with the paper they rest on, as in life: since 2023-08-01 Changning opens no account.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

from core import clock
from core.auth import Grant, Role, ScopeKind, issue_token
from core.geo import Datum, Point, area_to_geojson
from core.ids import new_id
from cylinders.models import Phase
from registry.privacy_notice import in_force
from sample import bottles, firms, places
from sample.bottles import SampleCylinder
from sample.cast import SLOTS, Cast
from sample.client import Api
from sample.people import SamplePerson, person
from sample.places import CHANGNING, QINGPU, SamplePremises, UseKind
from sample.stage import Stage
from sample.world import Told, User, World, zone_key

SCALE = "YL-SCALE-1"

BUILT_AT = clock.at(date(2024, 6, 1), time(8))
TOMORROW = firms.DEMO_DAY + timedelta(days=1)
DISTRICTS = (CHANGNING, QINGPU)
HOME = {firm.key: firm.home_district for firm in firms.FIRMS}
ROWS_AT_ONCE = 60
USERS_PAPER = {"document": "YL-USERS", "reference": "2024-05-31"}
CYLINDERS_PAPER = {"document": "YL-CYLINDERS", "reference": "2024-05-31"}

T = TypeVar("T")


def first_administrator(stage: Stage) -> str:
    """The token without which nobody could give anybody a role."""
    with stage.session() as db:
        principal = new_id()
        db.add(
            Grant(
                principal_id=principal,
                role=Role.ADMINISTRATOR,
                scope_kind=ScopeKind.ALL,
                scope_code="",
                home_district=CHANGNING,
                from_at=clock.now(),
            )
        )
        token = issue_token(db, principal, "administrator of the demo")
        db.commit()
    return token


@dataclass
class Builder:
    """Everything is asked of ``api`` by somebody who may; what the server answers is kept in ``world``."""

    api: Api
    cast: Cast
    world: World
    told: Told

    def build(self) -> None:
        self._firms()
        self._offices()
        self._divisions()
        self._staff()
        self._vehicles()
        self._zones()
        self._bindings()
        self._slots()
        self._users()
        self._residents()
        self._cylinder_types()
        self._cylinders()
        self._scrapped_and_held()
        self._cards()

    # --- firms, sites, offices ---------------------------------------------------------------------------

    def _firms(self) -> None:
        for firm in (*firms.FIRMS, firms.OUTSIDE_FIRM):
            papers = []
            if firm.gas_licence_no:
                papers.append(
                    _licence("gas_business", firm.gas_licence_no, firm.valid_from, firm.valid_until)
                )
            body = {
                "name": firm.name,
                "uscc": firm.uscc,
                "home_district": firm.home_district,
                "licences": papers,
            }
            self.world.firms[firm.key] = self._do("administrator", "/firms", body, f"firm {firm.key}")["id"]
        for site in firms.SITES:
            papers = [_licence("site_permit", site.permit_no, site.valid_from, site.valid_until)]
            if site.filling_licence_no:
                papers.append(
                    _licence("cylinder_filling", site.filling_licence_no, site.valid_from, site.valid_until)
                )
            body = {
                "firm_id": self.world.firms[site.firm],
                "district": site.district,
                "name": site.name,
                "kinds": list(site.kinds),
                "point": _point(site.point),
                "stock_cap": site.stock_cap,
                "licences": papers,
            }
            self.world.sites[site.key] = self._do("administrator", "/sites", body, f"site {site.key}")["id"]
        self.told("firms", len(firms.FIRMS))

    def _offices(self) -> None:
        """Those who sit at desks: a clerk and a dispatcher for each firm, and who looks after a district."""
        for firm in firms.FIRMS:
            for role in (Role.CLERK, Role.DISPATCHER):
                name = f"{role} {firm.key}"
                self.give(name, role, ScopeKind.FIRM, self.world.firms[firm.key], firm.home_district)
        for district in DISTRICTS:
            self.give(f"zoning {district}", Role.DISPATCHER, ScopeKind.DISTRICT, str(district), district)
            for name in (f"regulator {district}", f"second regulator {district}"):
                self.give(name, Role.REGULATOR, ScopeKind.DISTRICT, str(district), district)
        body = {
            "name": "样例气瓶检验站",
            "home_district": QINGPU,
            "approval_no": "YLHZ-2021-001",
            "approved_from": "2021-06-01",
            "approved_until": "2027-12-31",
        }
        agency = self._do("administrator", "/agencies", body, "an inspection agency")
        self.world.agencies["agency"] = agency["id"]
        self.give("agency", Role.AGENCY, ScopeKind.AGENCY, agency["id"], QINGPU)

    def _divisions(self) -> None:
        """Real streets and committees with the codes published on that day; the estates are invented."""
        for district in DISTRICTS:
            rows = [
                {
                    "level": level,
                    "code": code,
                    "name": name,
                    "parent_code": parent_code,
                    "valid_from": "2023-06-30",
                }
                for level, code, name, parent_code in places.divisions(district)
            ]
            what = f"divisions of {district}"
            self._do_at(f"regulator {district}", district, "divisions", {"rows": rows}, what)
            self.told("divisions", len(rows))

    def give(self, name: str, role: Role, kind: ScopeKind, code: str, district: int) -> None:
        body = {
            "role": role.value,
            "scope_kind": kind.value,
            "scope_code": code,
            "home_district": district,
            "label": f"demo: {name}",
        }
        given = self._do("administrator", "/grants", body, f"grant to {name}")
        self.world.tokens[name] = given["token"]
        self.world.principals[name] = given["principal_id"]

    # --- crews and zones ---------------------------------------------------------------------------------

    def filling_means(self) -> None:
        """A verified scale at each filling station, and a batch of tested gas in use."""
        for site in firms.SITES:
            if not site.filling_licence_no:
                continue
            clerk, at = f"clerk {site.firm}", f"/sites/{self.world.sites[site.key]}"
            verified = {
                "certificate_no": f"YLJD-{site.key}",
                "verified_on": "2024-01-15",
                "verified_until": "2025-01-14",
            }
            self._do(
                clerk, f"{at}/scales", {"number": SCALE, "verification": verified}, f"scale of {site.key}"
            )
            means = self._do(clerk, f"{at}/gas-batches", gas_batch(site.key), f"gas at {site.key}")
            path = f"{at}/gas-batches/{means['batches'][0]['id']}/uses"
            self._do(clerk, path, {}, f"gas in use at {site.key}")

    def _staff(self) -> None:
        for one in firms.staff():
            body = self.staff_body(one)
            answer = self._do_at(f"clerk {one.firm}", HOME[one.firm], "staff", body, one.key)
            self.world.staff[one.key] = answer["id"]
            if one.kind == "courier":
                self.give(one.key, Role.COURIER, ScopeKind.COURIER, answer["id"], HOME[one.firm])
            if one.kind == "filler":
                site = self.world.sites[firms.FILLING_SITE[one.firm]]
                self.give(one.key, Role.FILLER, ScopeKind.SITE, site, HOME[one.firm])
        self.told("staff", len(self.world.staff))

    def _vehicles(self) -> None:
        for vehicle in firms.vehicles():
            body = self.vehicle_body(vehicle)
            who, district = f"clerk {vehicle.firm}", HOME[vehicle.firm]
            self.world.vehicles[vehicle.key] = self._do_at(who, district, "vehicles", body, vehicle.key)["id"]
            phone = {"firm_id": body["firm_id"], "label": f"phone_{vehicle.key}"}
            answer = self._do_at(who, district, "devices", phone, f"phone of {vehicle.key}")
            self.world.devices[f"phone_{vehicle.key}"] = answer["id"]
        self.told("vehicles", len(self.world.vehicles))

    def _zones(self) -> None:
        for district in DISTRICTS:
            body = self.zones_body(district, date(2024, 1, 1))
            answer = self._do_at(f"zoning {district}", district, "zone-sets", body, f"zones of {district}")
            for zone in answer["zones"]:
                self.world.zones[zone_key(district, zone["number"])] = zone["id"]
        self.told("zones", len(self.world.zones))

    def staff_body(self, one: firms.SampleStaff) -> dict[str, Any]:
        return {
            "firm_id": self.world.firms[one.firm],
            "kind": one.kind,
            "name": one.name,
            "phone": one.phone,
            "certificate_no": one.certificate_no.replace(" ", ""),
            "certificate_from": one.certificate_from.isoformat(),
            "certificate_until": one.certificate_until.isoformat(),
            "trainings": [
                {
                    "course": "refresher",
                    "reference": "PX-2024-03",
                    "trained_on": "2024-03-20",
                    "valid_until": "2025-03-19",
                }
            ],
        }

    def vehicle_body(self, vehicle: firms.SampleVehicle) -> dict[str, Any]:
        return {
            "firm_id": self.world.firms[vehicle.firm],
            "kind": vehicle.kind,
            "plate": vehicle.plate,
            "permit_no": vehicle.permit_no.replace(" ", ""),
            "permit_from": vehicle.permit_from.isoformat(),
            "permit_until": vehicle.permit_until.isoformat(),
            "max_cylinders": vehicle.max_cylinders,
            "max_nominal_g": vehicle.max_nominal_g,
            "max_trips": vehicle.max_trips,
            "carries_50kg": vehicle.carries_50kg,
        }

    def zones_body(self, district: int, valid_from: date) -> dict[str, Any]:
        return {
            "valid_from": valid_from.isoformat(),
            "datum": Datum.WGS84.value,
            "zones": [
                {
                    "number": zone.number,
                    "name": zone.name,
                    "firm_id": self.world.firms[zone.firm],
                    "supply_site_id": self.world.sites[firms.SUPPLY_SITE[zone.firm]],
                    "outline": area_to_geojson(zone.polygon),
                    "opens_s": zone.opens_s,
                    "closes_s": zone.closes_s,
                }
                for zone in places.zones(district)
            ],
        }

    def _bindings(self) -> None:
        for binding in firms.bindings():
            if binding.vehicle not in self.cast.bound_late:
                self.bind(binding, clock.at(binding.from_on))
        self.told("bindings", len(self.world.bindings))

    def bind(self, binding: firms.SampleBinding, from_at: datetime) -> str:
        (courier,) = (one for one in firms.staff() if one.key == binding.courier)
        body = {
            "firm_id": self.world.firms[courier.firm],
            "courier_id": self.world.staff[binding.courier],
            "vehicle_id": self.world.vehicles[binding.vehicle],
            "device_id": self.world.devices[binding.device],
            "zone_district": binding.zone_district,
            "zone_id": self.world.zones[zone_key(binding.zone_district, binding.zone)],
            "from_at": clock.stamp(from_at),
        }
        answer = self._do_at(
            f"dispatcher {courier.firm}", HOME[courier.firm], "bindings", body, binding.vehicle
        )
        self.world.bindings[binding.vehicle] = answer["id"]
        return str(answer["id"])

    # --- users -------------------------------------------------------------------------------------------

    def _users(self) -> None:
        """Every user of the sample, by import: who they are, where, since when, and on which cards."""
        for firm in firms.FIRMS:
            own = [user for user in self.cast.users if user.firm == firm.key]
            for rows in in_groups(own, ROWS_AT_ONCE):
                body = {
                    "firm_id": self.world.firms[firm.key],
                    "evidence": USERS_PAPER,
                    "on_error": "rollback",
                    "rows": [self._row(user) for user in rows],
                }
                what = f"import of {len(rows)} users"
                answer = self._do_at(f"clerk {firm.key}", rows[0].district, "user-imports", body, what)
                for user, item in zip(rows, answer["items"], strict=True):
                    self.world.users[user.number] = User(
                        user.district,
                        item["household_id"],
                        item["account_id"],
                        item["person_id"],
                        item["card_ids"],
                    )
                self.told("users", len(rows))

    def _row(self, user: SamplePremises) -> dict[str, Any]:
        row: dict[str, Any] = {
            "premises": place_body(user),
            "registrant": registrant_body(person(user.number), self.cast.document_until(user)),
            "opened_on": self.cast.opened_on(user).isoformat(),
            "cards": [{"cylinder_model": user.cylinder_model} for _ in range(user.cards)],
        }
        if applied_on := self.cast.applied_on(user):
            row["applied_on"] = applied_on.isoformat()
        if contract := self.cast.contract_of(user):
            row["contract"] = contract
        return row

    def _residents(self) -> None:
        """A token for each user who is going to book for themselves."""
        for number in self.cast.with_token:
            user = self.world.users[number]
            self.give(f"resident {number}", Role.RESIDENT, ScopeKind.PERSON, user.person_id, user.district)
        self.told("residents with a token", len(self.cast.with_token))

    def _cards(self) -> None:
        """The cards of the day's orders are replaced by new ones with a QR code, for couriers to scan."""
        count = 0
        for booking in self.cast.with_new_card:
            user = self.world.users[booking.user.number]
            for card_id in user.card_ids[: booking.lines]:
                who, path = f"clerk {booking.user.firm}", f"cards/{card_id}"
                self._do_at(who, user.district, f"{path}/losses", {}, "old card called in")
                answer = self._do_at(who, user.district, f"{path}/replacements", {}, "new card with QR")
                self.world.qr_codes[card_id] = answer["qr"]
                count += 1
        self.told("cards replaced", count)

    # --- bottles -----------------------------------------------------------------------------------------

    def _cylinder_types(self) -> None:
        for kind in bottles.MODELS:
            body = {
                "model": kind.model,
                "water_ml": kind.water_ml,
                "max_fill_g": kind.max_fill_g,
                "nominal_g": kind.nominal_g,
                "units": kind.units,
                "needs_truck": kind.needs_truck,
                "material": "steel",
            }
            if kind.phase is Phase.TWO_PHASE:
                body["phase"] = kind.phase.value
            self._do("administrator", "/cylinder-types", body, f"type {kind.model}")
        self.told("cylinder types", len(bottles.MODELS))

    def _cylinders(self) -> None:
        """Each firm files what stands at its sites and what its users hold, whoever the bottle belongs to."""
        for firm in firms.FIRMS:
            own = [bottle for bottle in self.cast.bottles if self._files(firm.key, bottle)]
            for rows in in_groups(own, ROWS_AT_ONCE):
                body = {
                    "firm_id": self.world.firms[firm.key],
                    "on_error": "rollback",
                    "evidence": CYLINDERS_PAPER,
                    "rows": [self.bottle_row(bottle) for bottle in rows],
                }
                what = f"import of {len(rows)} cylinders"
                answer = self._do(f"clerk {firm.key}", "/cylinder-imports", body, what)
                for bottle, item in zip(rows, answer["items"], strict=True):
                    self.world.cylinders[bottle.number] = item["cylinder_id"]
                self.told("cylinders", len(rows))

    def _files(self, firm: str, bottle: SampleCylinder) -> bool:
        if not bottle.on_file:
            return False
        if bottle.held_by is not None:
            return self.cast.user(bottle.held_by).firm == firm
        return any(site.key == bottle.at_site and site.firm == firm for site in firms.SITES)

    def bottle_row(self, bottle: SampleCylinder) -> dict[str, Any]:
        owner = self.world.firms[bottle.owner_firm]
        row: dict[str, Any] = {
            "model": bottle.model,
            "identifiers": [{"scheme": "use_registration", "value": bottle.use_registration_code}],
            "owner_firm_id": owner,
            "registered_by_firm_id": owner,
            "registered_on": _written(bottle.bought_on) if bottle.registered else None,
            "standard": bottle.standard,
            "phase": bottle.phase.value if bottle.phase else None,
            "tare_g": bottle.tare_g,
            "max_fill_g": bottle.max_fill_g,
            "made_on": _written(bottle.made_on),
            "design_life_months": bottle.design_life_months,
            "extended_until": _written(bottle.extended_until),
            "extension_assessed": bottle.extension_assessed,
            "extension_registered": bottle.extension_registered,
            "bought_on": _written(bottle.bought_on),
            "embossed_owner_mark": bottle.embossed_owner_mark,
            "refurbished": bottle.refurbished,
            "scrap_ordered": bottle.scrap_ordered,
            "holder": self._holder(bottle),
            "full": bottle.is_full,
        }
        if bottle.inspected_on is not None:
            row["last_inspection"] = {
                "inspected_on": bottle.inspected_on.isoformat(),
                "passed": bottle.inspection_passed,
                "agency": "YLJYZ-1",
                "report_no": f"YLJY-{bottle.number:06}",
            }
        # Absent and null both say that nobody knows.
        return {name: value for name, value in row.items() if value is not None}

    def _holder(self, bottle: SampleCylinder) -> dict[str, Any]:
        if bottle.held_by is None:
            assert bottle.at_site is not None
            return {"site_id": self.world.sites[bottle.at_site]}
        user = self.world.users[bottle.held_by]
        place = self.cast.held[bottle.held_by].index(bottle)
        return {"district": user.district, "card_id": user.card_ids[place]}

    def _scrapped_and_held(self) -> None:
        """What only an agency or the authority may say of a bottle."""
        for bottle in self.cast.bottles:
            path = f"/cylinders/{self.world.cylinders.get(bottle.number)}"
            if bottle.scrapped:
                self.send(f"clerk {bottle.owner_firm}", path, "past_life", f"YLSJ-{bottle.number:06}")
                body = {
                    "certificate_no": f"YLBF-{bottle.number:06}",
                    "scrapped_on": "2024-05-20",
                    "method": "flattened",
                }
                self._do("agency", f"{path}/scrappings", body, f"scrapping of {bottle.number}")
            if bottle.hold is not None:
                body = {"kind": bottle.hold.value, "reference": f"YLKL-{bottle.number:06}"}
                self._do(f"regulator {CHANGNING}", f"{path}/holds", body, f"hold on {bottle.number}")

    def send(self, who: str, path: str, why: str, reference: str) -> None:
        """To the agency, which acts on nothing that was not sent to it."""
        body = {"agency_id": self.world.agencies["agency"], "why": why, "reference": reference}
        self._do(who, f"{path}/sendings", body, f"to the agency: {reference}")

    # --- slots -------------------------------------------------------------------------------------------

    def _slots(self) -> None:
        for zone in (*places.zones(CHANGNING), *places.zones(QINGPU)):
            for day in (firms.DEMO_DAY, TOMORROW):
                for slot in range(len(SLOTS)):
                    self.open_slot(zone, day, slot)
        self.told("slots", sum(len(slots) for slots in self.world.slots.values()))

    def open_slot(self, zone: places.SampleZone, day: date, slot: int) -> None:
        starts, ends = SLOTS[slot]
        key = zone_key(zone.district, zone.number)
        is_tomorrow = zone.district == CHANGNING and day == TOMORROW
        body = {
            "zone_id": self.world.zones[key],
            "starts_at": clock.stamp(clock.at(day, time(starts))),
            "ends_at": clock.stamp(clock.at(day, time(ends))),
            "capacity": self.cast.capacity(zone.number, slot, tomorrow=is_tomorrow),
        }
        what = f"slot {key} {day} {starts}:00"
        answer = self._do_at(f"zoning {zone.district}", zone.district, "slots", body, what)
        self.world.slots.setdefault(f"{key} {day}", []).append(answer["id"])

    # --- asking ------------------------------------------------------------------------------------------

    def _do(self, who: str, path: str, body: Any, what: str) -> Any:
        return self.api.do(self.world.caller(who), path, body, what)

    def _do_at(self, who: str, district: int, plural: str, body: Any, what: str) -> Any:
        return self._do(who, f"/districts/{district}/{plural}", body, what)


def place_body(user: SamplePremises) -> dict[str, Any]:
    kind = {UseKind.HOUSEHOLD: "dwelling", UseKind.RESTAURANT: "restaurant"}.get(user.kind, "other_business")
    return {
        "address": user.address,
        "point": _point(user.point),
        "street_code": user.street_code,
        "committee_code": user.committee_code,
        "estate_code": user.estate_code,
        "kind": kind,
        "user_class": "resident" if user.is_household else kind,
        "vulnerable": user.vulnerability is not None,
        "piped_gas": user.piped_gas,
        "lift": user.lift,
        "height_m": user.height_m,
        "floor_kind": user.floor_kind.value if user.floor_kind else None,
        "converted_to_pipe": user.converted_to_pipe,
        "has_cylinder_room": user.has_cylinder_room,
    }


def seen_with_notice(body: dict[str, Any]) -> dict[str, Any]:
    """The document was seen there, after the privacy notice in force had been shown."""
    return {**body, "method": "document_seen", "notice_version": in_force(firms.DEMO_DAY).version}


def registrant_body(someone: SamplePerson, valid_until: date | None = None) -> dict[str, Any]:
    return {
        "document": {
            "kind": someone.document_kind.value,
            "number": someone.document_number,
            "valid_until": valid_until.isoformat() if valid_until else None,
        },
        "name": someone.name,
        "phone": someone.phone,
    }


def in_groups(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _written(day: date | None) -> str | None:
    return day.isoformat() if day else None


def gas_batch(station: str, **changed: Any) -> dict[str, Any]:
    """LPG as it should be: certified, odorised, no dimethyl ether found."""
    test = {
        "report_no": f"YLQC-{station}",
        "tested_on": "2024-06-03",
        "odorant_present": True,
        "dme_found": False,
    }
    return {
        "number": f"YLB-{station}",
        "product": "lpg",
        "supplier": "YL-SUPPLIER-1",
        "certificate_no": f"YLHG-{station}",
        "delivered_on": "2024-06-03",
        "test": test,
    } | changed


def _licence(kind: str, number: str, valid_from: date, valid_until: date) -> dict[str, str]:
    return {
        "kind": kind,
        "number": number.replace(" ", ""),
        "valid_from": valid_from.isoformat(),
        "valid_until": valid_until.isoformat(),
    }


def _point(at: Point) -> dict[str, Any]:
    return {"lon": at.lon, "lat": at.lat, "datum": Datum.WGS84.value}

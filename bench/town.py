"""A small town, built through the application: one firm, one zone, bottles at its station, residents.

Its people are the sample's: every name, number and address is invented. All residents may book, one card
each with the bottle they swap on it. Of the station's bottles every fifth is overdue for inspection, so that
one verdict in five carries a reason.
"""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any

from flask import Flask

from core import clock
from core.auth import Grant, Role, ScopeKind, issue_token
from core.ground import Ground
from core.ids import new_id
from registry.documents import uscc_check_character
from sample.people import person
from sample.places import CHANGNING, UNASSIGNED_AREA

OVERDUE_EVERY = 5
ROWS_AT_ONCE = 200
MODEL = "YSP35.5"
SLOTS = ((7, 9), (9, 11), (11, 13), (13, 15), (15, 17), (17, 19))
ROOM_OF_SLOT = 1000
MIDDLE = {"lon": 121.41, "lat": 31.215, "datum": "wgs84"}
_PAPER = {"document": "BENCH", "reference": "2024-06-01"}
_FOR_LONG = {"valid_from": "2020-01-01", "valid_until": "2030-12-31"}

_keys = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Home:
    household_id: str
    card_id: str
    token: str


@dataclass(frozen=True, slots=True)
class Town:
    """``homes`` may each book once; ``codes`` are of bottles that stand empty at ``station``."""

    district: int
    firm: str
    station: str
    filler: str
    courier: str
    regulator: str
    codes: list[str]
    slots: list[str]
    homes: list[Home]


class NotBuilt(Exception):
    """The application did not do what the town needs; the message is what it said."""


class _Builder:
    def __init__(self, app: Flask, administrator: str):
        self._client = app.test_client()
        self._tokens = {"administrator": administrator}

    def post(self, who: str, path: str, body: Any) -> Any:
        headers = {
            "Authorization": f"Bearer {self._tokens[who]}",
            "Idempotency-Key": f"bench-town-{next(_keys):06d}",
        }
        answer = self._client.post(
            f"/api/v1{path}", data=json.dumps(body), headers=headers, content_type="application/json"
        )
        if answer.status_code != 201:
            raise NotBuilt(f"POST {path}: {answer.status_code} {answer.text[:2000]}")
        return answer.get_json()

    def file(self, who: str, plural: str, body: Any) -> Any:
        """Something of the district."""
        return self.post(who, f"/districts/{CHANGNING}/{plural}", body)

    def let_in(self, who: str, role: Role, kind: ScopeKind, code: str) -> str:
        body = {
            "role": role,
            "scope_kind": kind,
            "scope_code": code,
            "home_district": CHANGNING,
            "label": "bench",
        }
        token: str = self.post("administrator", "/grants", body)["token"]
        self._tokens[who] = token
        return token


def build(app: Flask, ground: Ground, homes: int, bottles: int) -> Town:
    """``homes`` residents and ``bottles`` at the station."""
    builder = _Builder(app, _first_administrator(ground))
    firm = builder.post("administrator", "/firms", _firm())["id"]
    builder.let_in("clerk", Role.CLERK, ScopeKind.FIRM, firm)
    builder.let_in("dispatcher", Role.DISPATCHER, ScopeKind.FIRM, firm)
    station = _site(builder, firm, "filling_station", ["cylinder_filling", "site_permit"])
    supply_point = _site(builder, firm, "supply_point", ["site_permit"])
    builder.file("clerk", "staff", _staff(firm, "filler"))
    courier_id = builder.file("clerk", "staff", _staff(firm, "courier"))["id"]
    zone = builder.file("dispatcher", "zone-sets", _zones(firm, supply_point))["zones"][0]["id"]
    builder.post("administrator", "/cylinder-types", _TYPE)
    _furnish(builder, station)
    return Town(
        district=CHANGNING,
        firm=firm,
        station=station,
        filler=builder.let_in("filler", Role.FILLER, ScopeKind.SITE, station),
        courier=builder.let_in("courier", Role.COURIER, ScopeKind.COURIER, courier_id),
        regulator=builder.let_in("regulator", Role.REGULATOR, ScopeKind.DISTRICT, str(CHANGNING)),
        codes=list(_bottles(builder, firm, [{"site_id": station}] * bottles)),
        slots=[builder.file("dispatcher", "slots", body)["id"] for body in _slots(zone)],
        homes=list(_homes(builder, firm, homes)),
    )


def _first_administrator(ground: Ground) -> str:
    with ground.sessions() as db:
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
        token = issue_token(db, principal, "bench")
        db.commit()
    return token


def _licence(kind: str, of: str = "firm") -> dict[str, Any]:
    return {"kind": kind, "number": f"BENCH-{of}-{kind}", **_FOR_LONG}


def _firm() -> dict[str, Any]:
    first_17 = f"91{UNASSIGNED_AREA}{1:09d}"
    return {
        "name": "样例燃气",
        "uscc": first_17 + uscc_check_character(first_17),
        "home_district": CHANGNING,
        "licences": [_licence("gas_business")],
    }


def _site(builder: _Builder, firm: str, kind: str, licences: list[str]) -> str:
    body = {
        "firm_id": firm,
        "district": CHANGNING,
        "name": "样例站点",
        "kinds": [kind],
        "point": MIDDLE,
        "stock_cap": 100_000,
        "licences": [_licence(one, kind) for one in licences],
    }
    made: str = builder.post("administrator", "/sites", body)["id"]
    return made


def _furnish(builder: _Builder, station: str) -> None:
    """A verified scale, and tested gas in use: without them no verdict is green."""
    at = f"/sites/{station}"
    verified = {
        "certificate_no": "BENCH-JD",
        "verified_on": _FOR_LONG["valid_from"],
        "verified_until": _FOR_LONG["valid_until"],
    }
    builder.post("clerk", f"{at}/scales", {"number": "BENCH-1", "verification": verified})
    day = _FOR_LONG["valid_from"]
    tested = {"report_no": "BENCH-QC", "tested_on": day, "odorant_present": True, "dme_found": False}
    batch = {
        "number": "BENCH-B",
        "product": "lpg",
        "supplier": _firm()["uscc"],
        "certificate_no": "BENCH-HG",
        "delivered_on": day,
        "test": tested,
    }
    made = builder.post("clerk", f"{at}/gas-batches", batch)["batches"][0]["id"]
    builder.post("clerk", f"{at}/gas-batches/{made}/uses", {})


def _staff(firm: str, kind: str) -> dict[str, Any]:
    return {
        "firm_id": firm,
        "kind": kind,
        "name": "员工样例",
        "phone": "10000000001",
        "certificate_no": f"SQ-{kind}",
        "certificate_from": "2022-01-01",
        "certificate_until": "2026-12-31",
        "trainings": [
            {
                "course": "refresher",
                "reference": "PX-1",
                "trained_on": "2022-01-01",
                "valid_until": "2026-12-31",
            }
        ],
    }


def _zones(firm: str, supply_point: str) -> dict[str, Any]:
    west, south, east, north = 121.38, 31.19, 121.44, 31.24
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    zone = {
        "number": 1,
        "name": "样例片区",
        "firm_id": firm,
        "supply_site_id": supply_point,
        "outline": {"type": "Polygon", "coordinates": [ring]},
        "opens_s": SLOTS[0][0] * 3600,
        "closes_s": SLOTS[-1][1] * 3600,
    }
    return {"valid_from": "2024-01-01", "datum": "wgs84", "zones": [zone]}


def _slots(zone: str) -> Iterator[dict[str, Any]]:
    """Tomorrow's."""
    day = clock.today() + timedelta(days=1)
    for starts, ends in SLOTS:
        yield {
            "zone_id": zone,
            "starts_at": clock.stamp(clock.at(day, time(starts))),
            "ends_at": clock.stamp(clock.at(day, time(ends))),
            "capacity": ROOM_OF_SLOT,
        }


_TYPE = {
    "model": MODEL,
    "water_ml": 35_500,
    "max_fill_g": 14_900,
    "nominal_g": 15_000,
    "units": 1,
    "needs_truck": False,
}


def _bottles(builder: _Builder, firm: str, holders: list[dict[str, Any]]) -> Iterator[str]:
    """One bottle for each holder, filed by import; their platform codes."""
    rows = [bottle_row(firm, number, holder) for number, holder in enumerate(holders)]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[start : start + ROWS_AT_ONCE]
        body = {"firm_id": firm, "evidence": _PAPER, "on_error": "rollback", "rows": some}
        yield from (row["platform_code"] for row in builder.post("clerk", "/cylinder-imports", body)["items"])


def is_overdue(number: int) -> bool:
    return number % OVERDUE_EVERY == 0


def bottle_row(firm: str, number: int, holder: dict[str, Any]) -> dict[str, Any]:
    made_on, inspected_on = ("2016-05-01", None) if is_overdue(number) else ("2018-05-01", "2022-04-01")
    row: dict[str, Any] = {
        "model": MODEL,
        "owner_firm_id": firm,
        "registered_by_firm_id": firm,
        "registered_on": "2019-01-01",
        "standard": "GB 5842-2006",
        "phase": "vapour",
        "tare_g": 16_500,
        "made_on": made_on,
        "design_life_months": 96,
        "bought_on": "2018-06-01",
        "embossed_owner_mark": True,
        "refurbished": False,
        "holder": holder,
        "full": False,
    }
    if inspected_on is not None:
        row["last_inspection"] = {
            "inspected_on": inspected_on,
            "passed": True,
            "agency": "BENCH",
            "report_no": f"YLJY-{number:06}",
        }
    return row


def _homes(builder: _Builder, firm: str, count: int) -> Iterator[Home]:
    for start in range(1, count + 1, ROWS_AT_ONCE):
        rows = [_user(number) for number in range(start, min(start + ROWS_AT_ONCE, count + 1))]
        body = {"firm_id": firm, "evidence": _PAPER, "on_error": "rollback", "rows": rows}
        filed = builder.file("clerk", "user-imports", body)["items"]
        on_cards = [{"district": CHANGNING, "card_id": item["card_ids"][0]} for item in filed]
        list(_bottles(builder, firm, on_cards))
        for item in filed:
            token = builder.let_in("resident", Role.RESIDENT, ScopeKind.PERSON, item["person_id"])
            yield Home(item["household_id"], item["card_ids"][0], token)


def _user(number: int) -> dict[str, Any]:
    someone = person(number)
    return {
        "premises": {
            "address": f"样例市样例路{number}弄1号101室",
            "point": MIDDLE,
            "street_code": f"{CHANGNING}001",
            "committee_code": f"{CHANGNING}001001",
            "kind": "dwelling",
            "user_class": "resident",
            "piped_gas": False,
            "lift": False,
            "height_m": 18,
            "floor_kind": "above_ground",
            "converted_to_pipe": False,
        },
        "registrant": {
            "document": {"kind": someone.document_kind, "number": someone.document_number},
            "name": someone.name,
            "phone": someone.phone,
        },
        "opened_on": "2022-05-01",
        "cards": [{"cylinder_model": MODEL}],
    }

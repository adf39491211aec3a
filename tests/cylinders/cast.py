"""Bottles for tests, made through the real HTTP API, beside the known cast (``tests/cast.py``).

    bottles = Bottles(cast)
    bottles.empty()              a sound bottle of the firm, empty at its filling station
    bottles.full()               the same, full (as the register says) at its supply point
    bottles.on_card(users, 0)    a sound bottle with a household, on its first card
    bottles.spoilt(made_on=…)    an empty one with something wrong with it
    bottles.filled()             an empty one that the station really filled
    bottles.fill(bottle)         the answer of POST /fillings, with weights that add up
    bottles.verdict(code)        the answer of GET …/verdict to the station's filler
    bottles.agency               an inspection agency, signed in
    bottles.sent(bottle)         the same bottle, sent to that agency by its firm

A sound bottle may be filled on the tests' day, 2024-06-12.
"""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import UUID

from werkzeug.test import TestResponse

from core.auth import Role
from tests.cast import Cast, Users, made
from tests.desk import Person

_numbers = itertools.count(1)

YSP35 = {
    "model": "YSP35.5",
    "water_ml": 35_500,
    "max_fill_g": 14_900,
    "nominal_g": 15_000,
    "units": 1,
    "needs_truck": False,
}
YSP118 = {
    "model": "YSP118",
    "water_ml": 118_000,
    "max_fill_g": 49_500,
    "nominal_g": 50_000,
    "units": 4,
    "needs_truck": True,
}
TARE_G = 16_500
BEFORE = ("heat_marks", "corrosion", "deformation", "valve", "parts", "tag")
AFTER = ("leak", "valve", "tag")


def looked_at(*items: str, wrong: str = "") -> list[dict[str, Any]]:
    return [{"item": item, "passed": item != wrong} for item in items]


class Bottle(NamedTuple):
    id: UUID
    code: str


class Bottles:
    def __init__(self, cast: Cast, *, certified: bool = True):
        self.cast = cast
        self.enter_types()
        if certified:
            _ = self.filler_id

    def enter_types(self) -> None:
        for kind in (YSP35, YSP118):
            answer = self.cast.admin.post("/api/v1/cylinder-types", kind)
            assert answer.status_code in (201, 409), answer.text

    # --- making them --------------------------------------------------------------------------------------

    def empty(self, **changed: Any) -> Bottle:
        return self.register(self.row(**changed))

    def full(self, *, site_id: UUID | None = None, **changed: Any) -> Bottle:
        holder = {"site_id": str(site_id or self.cast.supply_point())}
        return self.register(self.row(full=True, holder=holder, **changed))

    def on_card(self, users: Users, card: int = 0, **changed: Any) -> Bottle:
        holder = {"district": self.cast.district, "card_id": str(users.card_ids[card])}
        return self.register(self.row(holder=holder, **changed))

    def spoilt(self, **changed: Any) -> Bottle:
        return self.empty(**changed)

    def filled(self) -> Bottle:
        bottle = self.empty()
        made(self.fill(bottle))
        return bottle

    def register(self, row: dict[str, Any]) -> Bottle:
        answer = made(self.cast.clerk.post("/api/v1/cylinders", {"firm_id": str(self.cast.firm()), **row}))
        return Bottle(UUID(answer["cylinder_id"]), answer["platform_code"])

    def row(self, **changed: Any) -> dict[str, Any]:
        """A sound household bottle: made May 2020, passed in May 2024, at the filling station, empty."""
        number = next(_numbers)
        firm = str(self.cast.firm())
        return {
            "model": "YSP35.5",
            "identifiers": [{"scheme": "use_registration", "value": f"31YLT{number:06d}"}],
            "owner_firm_id": firm,
            "registered_by_firm_id": firm,
            "registered_on": "2020-07-01",
            "standard": "GB 5842-2006",
            "phase": "vapour",
            "tare_g": TARE_G,
            "made_on": "2020-05-01",
            "design_life_months": 96,
            "bought_on": "2020-06-15",
            "embossed_owner_mark": False,
            "refurbished": False,
            "last_inspection": self.inspection(),
            "holder": {"site_id": str(self.cast.filling_station())},
        } | changed

    def inspection(self, **changed: Any) -> dict[str, Any]:
        return {
            "inspected_on": "2024-05-01",
            "passed": True,
            "agency": "JY-01",
            "report_no": f"JY-{next(_numbers)}",
        } | changed

    # --- asking and doing ---------------------------------------------------------------------------------

    def verdict(self, code: str, *, who: Person | None = None, **query: Any) -> dict[str, Any]:
        path = f"/api/v1/cylinders/by-code/{quote(code, safe='')}/verdict"
        answer = (who or self.cast.filler).get(path, **query)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.get_json()
        return body

    def fill(self, bottle: Bottle, *, key: str | None = None, **changed: Any) -> TestResponse:
        return self.cast.filler.post("/api/v1/fillings", self.filling(bottle.code, **changed), key=key)

    def filling(self, code: str, **changed: Any) -> dict[str, Any]:
        return {
            "code": code,
            "site_id": str(self.cast.filling_station()),
            "filler_id": str(self.filler_id),
            "scale": "S-1",
            "tare_weighed_g": TARE_G,
            "residue_g": 200,
            "gross_g": TARE_G + 14_800,
            "checks_before": looked_at(*BEFORE),
            "checks_after": looked_at(*AFTER),
            "seal_no": f"F-{next(_numbers):06d}",
        } | changed

    def receive(self, code: str, *, site_id: UUID | None = None, who: Person | None = None) -> TestResponse:
        path = f"/api/v1/sites/{site_id or self.cast.filling_station()}/receipts"
        return (who or self.cast.filler).post(path, {"code": code})

    def sent(self, bottle: Bottle, agency_id: UUID | None = None) -> Bottle:
        """From the site where it stands; where it was sent, seized or scrapped already, or is with a
        household, nothing is done."""
        body = {"agency_id": str(agency_id or self.agency_id), "why": "due", "reference": "SJ-1"}
        answer = self.cast.clerk.post(f"/api/v1/cylinders/{bottle.id}/sendings", body)
        assert answer.status_code in (201, 409), answer.text
        return bottle

    def file(self, bottle: Bottle, who: Person | None = None) -> dict[str, Any]:
        answer = (who or self.cast.clerk).get(f"/api/v1/cylinders/{bottle.id}")
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.get_json()
        return body

    @cached_property
    def filler_id(self) -> UUID:
        """The member of staff who fills."""
        return self.cast.staff(kind="filler")

    @cached_property
    def agency(self) -> Person:
        return self.agency_of(self.agency_id)

    @cached_property
    def agency_id(self) -> UUID:
        return self.another_agency()

    def agency_of(self, agency_id: UUID) -> Person:
        return self.cast.desk.sign_in(Role.AGENCY, self.cast.district, agency=agency_id)

    def another_agency(self, **changed: Any) -> UUID:
        """On the register, and approved on the tests' day."""
        number = next(_numbers)
        body = {
            "name": f"样例检验站{number}",
            "home_district": self.cast.district,
            "approval_no": f"TS-{number:06d}",
            "approved_from": "2021-06-01",
            "approved_until": "2027-12-31",
        } | changed
        return UUID(made(self.cast.admin.post("/api/v1/agencies", body))["id"])

"""A working day at one supply point: orders are booked, a plan is made, a courier drives and hands over.

    day = WorkingDay(desk)       the cast's firm, one zone, one courier bound to one e-trike all day
    day.home()                   a household with a bottle on its card; day.new_home() has none yet
    day.bottle()                 a full, sound bottle at the supply point: its code
    day.order(home)              booked through HTTP for the 10 o'clock slot
    day.round(order, …)          planned, applied and started; day.load(…), day.arrive(…), day.deliver(…)

Bottles are entered by a deed of the test's own; everything else goes through the real API.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import date, time
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from core import clock
from core.auth import Role, ScopeKind
from core.ids import new_id
from cylinders.code import new_code
from cylinders.custody import Errand, Holder, record
from cylinders.models import (
    Cylinder,
    CylinderCustody,
    CylinderIdentifier,
    CylinderType,
    FactKind,
    Inspection,
    Phase,
    Scheme,
)
from cylinders.states import CylinderState
from dispatch.safety.catalogue import ITEMS
from evidence.deed import Answer, Deed, does
from evidence.models import Entry, SubjectType
from registry.models import Card, HolderKind, Vehicle
from tests.cast import CHANGNING, Cast, Users, made
from tests.conftest import doing_as
from tests.desk import Desk, Person
from tests.due_jobs import planned, worked

SMALL, LARGE = "YSP35.5", "YSP118"
POINT = {"lon": 121.41, "lat": 31.215, "datum": "wgs84"}
A_SIGNATURE = "ab" * 32

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Home:
    users: Users
    empties: list[str]
    """The code of the bottle on each card; none where a card holds none."""


@dataclass(frozen=True)
class Bottle:
    code: str
    cylinder_id: UUID


@dataclass(frozen=True)
class Booked:
    order_id: str
    line_ids: list[str]
    home: Home


class WorkingDay:
    def __init__(self, desk: Desk, **vehicle: Any):
        self.desk = desk
        self.cast = Cast(desk)
        self._enter_types()
        self.vehicle_id = self.cast.vehicle(**vehicle)
        self.bound = self.cast.bind(vehicle_id=self.vehicle_id)
        self.courier = self.cast.signed_in_courier(self.bound.courier_id)
        self.dispatcher = self.cast.dispatcher
        self.plate = self.plate_of(self.vehicle_id)
        self._slots: dict[tuple[date, int], str] = {}
        self._residents: dict[UUID, Person] = {}

    # --- bottles ------------------------------------------------------------------------------------------

    def _enter_types(self) -> None:
        with self.desk.ground.sessions() as db:
            for model, water_ml, max_fill_g, nominal_g, units in (
                (SMALL, 35_500, 14_900, 15_000, 1),
                (LARGE, 118_000, 49_500, 50_000, 3),
            ):
                db.add(
                    CylinderType(
                        model=model,
                        water_ml=water_ml,
                        max_fill_g=max_fill_g,
                        nominal_g=nominal_g,
                        units=units,
                        needs_truck=units > 1,
                    )
                )
            db.commit()

    def bottle(self, *, model: str = SMALL, full: bool = True, **file: Any) -> Bottle:
        """At the supply point, sound unless ``file`` says otherwise."""
        site = Holder(HolderKind.SITE, self.cast.supply_point())
        return self._enter(site, None, full=full, model=model, **file)

    def bottle_of(self, card_id: UUID, household_id: UUID, *, model: str = SMALL, **file: Any) -> Bottle:
        household = Holder(HolderKind.HOUSEHOLD, household_id)
        return self._enter(household, card_id, full=False, model=model, **file)

    def _enter(self, holder: Holder, card_id: UUID | None, *, full: bool, model: str, **file: Any) -> Bottle:
        code, cylinder_id = new_code(), new_id()
        doing = doing_as(self.desk.ground, Role.ADMINISTRATOR, ScopeKind.ALL, "")
        firm_id = file.pop("owner_firm_id", self.cast.firm())
        enter_bottle(doing, cylinder_id, code, model, firm_id, holder, card_id, full, file)
        return Bottle(code, cylinder_id)

    # --- users --------------------------------------------------------------------------------------------

    def home(self, *, model: str = SMALL, **premises: Any) -> Home:
        """A resident whose card holds a bottle."""
        users = self.cast.household(model=model, exception=None, **premises)
        return self._with_bottles(users, [model])

    def new_home(self, **premises: Any) -> Home:
        """A resident waiting for the first bottle."""
        return Home(self.cast.household(**premises), [])

    def restaurant(self, models: tuple[str, ...] = (SMALL, SMALL), **premises: Any) -> Home:
        users = self.cast.restaurant(models=models, has_cylinder_room=True, **premises)
        return self._with_bottles(users, list(models))

    def _with_bottles(self, users: Users, models: list[str]) -> Home:
        empties = [
            self.bottle_of(card, users.household_id, model=model).code
            for card, model in zip(users.card_ids, models, strict=True)
        ]
        return Home(users, empties)

    def credential(self, card_id: UUID) -> str:
        with self.desk.ground.sessions() as db:
            return db.get_one(Card, (CHANGNING, card_id)).credential

    def resident(self, home: Home) -> Person:
        """Signed in once: a second grant of the same scope would have to be named in each request."""
        person_id = self.cast.registrant_of(home.users)
        if person_id not in self._residents:
            self._residents[person_id] = self.cast.resident(person_id)
        return self._residents[person_id]

    # --- booking ------------------------------------------------------------------------------------------

    def slot(self, hour: int = 10, day: date | None = None, hours: int = 2) -> str:
        day = day or clock.today()
        if (day, hour) not in self._slots:
            body = {
                "zone_id": str(self.bound.zone_id),
                "starts_at": clock.stamp(clock.at(day, time(hour))),
                "ends_at": clock.stamp(clock.at(day, time(hour + hours))),
                "capacity": 200,
            }
            self._slots[day, hour] = made(self.dispatcher.post(self.at("slots"), body))["id"]
        return self._slots[day, hour]

    def order(
        self, home: Home | None = None, *, hour: int = 10, day: date | None = None, **asked: Any
    ) -> Booked:
        home = home or self.home()
        body = {
            "household_id": str(home.users.household_id),
            "slot_id": self.slot(hour, day),
            "purpose": "cooking",
            "channel": "hotline",
            "card_ids": [str(card) for card in home.users.card_ids],
        } | asked
        booked = made(self.cast.clerk.post(self.at("orders"), body))
        by_card = {line["card_id"]: line["id"] for line in booked["lines"]}
        return Booked(booked["id"], [by_card[str(card)] for card in home.users.card_ids], home)

    # --- the round ----------------------------------------------------------------------------------------

    def plan_body(self, /, **changed: Any) -> dict[str, Any]:
        return {
            "zone_id": str(self.bound.zone_id),
            "day": clock.today().isoformat(),
            "wave": 1,
            "iterations": 200,
            "seed": 7,
        } | changed

    def plan(self, /, **changed: Any) -> dict[str, Any]:
        return planned(self.desk.ground, self.dispatcher, self.at("plans"), self.plan_body(**changed))

    def plan_job(self, /, **changed: Any) -> dict[str, Any]:
        """A plan that may come to nothing: its job, once the worker is through with it."""
        return worked(self.desk.ground, self.dispatcher, self.at("plans"), self.plan_body(**changed))

    def apply(self, plan_id: str) -> TestResponse:
        return self.dispatcher.post(self.at(f"plans/{plan_id}/applications"))

    def planned_round(self, **changed: Any) -> str:
        [round_id] = made(self.apply(self.plan(**changed)["id"]))["round_ids"]
        return str(round_id)

    def start(self, round_id: str, *, plate: str | None = None) -> TestResponse:
        return self.courier.post(self.at(f"rounds/{round_id}/starts"), {"plate": plate or self.plate})

    def round(self, **changed: Any) -> str:
        """Planned, applied and started: everything that is booked."""
        round_id = self.planned_round(**changed)
        made(self.start(round_id))
        return round_id

    def load(self, round_id: str, line_id: str, code: str, *, by: Person | None = None) -> TestResponse:
        body = {"line_id": line_id, "code": code}
        return (by or self.courier).post(self.at(f"rounds/{round_id}/loads"), body)

    def bring_back(self, round_id: str, code: str) -> TestResponse:
        return self.courier.post(self.at(f"rounds/{round_id}/returns"), {"code": code})

    def finish(self, round_id: str) -> TestResponse:
        return self.courier.post(self.at(f"rounds/{round_id}/finishes"))

    # --- at the door --------------------------------------------------------------------------------------

    def arrive(self, booked: Booked) -> TestResponse:
        return self.courier.post(self.at(f"orders/{booked.order_id}/arrivals"))

    def door_code(self, booked: Booked) -> str:
        answer = self.resident(booked.home).get(self.at(f"orders/{booked.order_id}/door-code"))
        assert answer.status_code == 200, answer.text
        return str(answer.get_json()["code"])

    def report(self, booked: Booked, bottle: Bottle, nth: int = 0, **changed: Any) -> dict[str, Any]:
        """A faultless visit, proved by the card; ``nth`` line of the order."""
        credential = self.credential(booked.home.users.card_ids[nth])
        return {
            "line_id": booked.line_ids[nth],
            "card_credential": credential,
            "check": a_check(),
            "full_code": bottle.code,
            "empty_code": booked.home.empties[nth] if booked.home.empties else None,
            "proof": {"kind": "card_qr", "value": credential},
            "connected": True,
            "leak_test_passed": True,
            "point": POINT,
            "occurred_at": clock.stamp(clock.now()),
        } | changed

    def deliver(self, booked: Booked, report: dict[str, Any], **more: Any) -> TestResponse:
        return self.courier.post(self.at(f"orders/{booked.order_id}/deliveries"), report, **more)

    def loaded(self, home: Home | None = None, **asked: Any) -> tuple[Booked, Bottle, str]:
        """An order with its bottle on the road: (order, bottle, round)."""
        booked = self.order(home, **asked)
        round_id, bottle = self.round(), self.bottle()
        made(self.load(round_id, booked.line_ids[0], bottle.code))
        return booked, bottle, round_id

    # --- looking ------------------------------------------------------------------------------------------

    def at(self, path: str) -> str:
        return self.cast.at(path)

    def plate_of(self, vehicle_id: UUID) -> str:
        with self.desk.ground.sessions() as db:
            return db.get_one(Vehicle, (CHANGNING, vehicle_id)).plate

    def scrap(self, bottle: Bottle) -> None:
        """By an agency of its own."""
        body = {
            "name": "样例检验站",
            "home_district": CHANGNING,
            "approval_no": f"TS-{next(_numbers)}",
            "approved_from": "2021-06-01",
            "approved_until": "2027-12-31",
        }
        agency_id = made(self.cast.admin.post("/api/v1/agencies", body))["id"]
        agency = self.desk.sign_in(Role.AGENCY, CHANGNING, agency=agency_id)
        sending = {"agency_id": agency_id, "why": "past_life", "reference": "SJ-1"}
        made(self.cast.clerk.post(f"/api/v1/cylinders/{bottle.cylinder_id}/sendings", sending))
        scrapping = {"certificate_no": "BF-1", "scrapped_on": "2024-06-12", "method": "cut"}
        made(agency.post(f"/api/v1/cylinders/{bottle.cylinder_id}/scrappings", scrapping))

    def holder(self, cylinder_id: UUID) -> tuple[str | None, UUID | None]:
        with self.desk.ground.sessions() as db:
            custody = db.get_one(CylinderCustody, cylinder_id)
            return custody.holder_kind and custody.holder_kind.value, custody.holder_id

    def entries(self, db: Session, verb: str) -> list[Entry]:
        return list(
            db.scalars(sa.select(Entry).where(Entry.verb == verb).order_by(Entry.recorded_at, Entry.id))
        )


@does("test.enter_bottle")
def enter_bottle(
    deed: Deed,
    cylinder_id: UUID,
    code: str,
    model: str,
    firm_id: UUID,
    holder: Holder,
    card_id: UUID | None,
    full: bool,
    file: dict[str, Any],
) -> Answer:
    """A sound bottle of this firm, standing somewhere; ``file`` changes what is filed of it."""
    filed: dict[str, Any] = {
        "cylinder_id": cylinder_id,
        "model": model,
        "state": CylinderState.IN_SERVICE,
        "owner_firm_id": firm_id,
        "registered_by_firm_id": firm_id,
        "registered_on": date(2022, 6, 1),
        "standard": "GB 5842-2006",
        "phase": Phase.VAPOUR,
        "material": "steel",
        "tare_g": 16_500,
        "max_fill_g": 14_900,
        "made_on": date(2022, 5, 1),
        "made_precision": "month",
        "design_life_months": 96,
        "extension_assessed": False,
        "extension_registered": False,
        "bought_on": date(2022, 6, 1),
        "embossed_owner_mark": True,
        "refurbished": False,
        "illegal_make": False,
        "screwed_guard": False,
        "scrap_ordered": False,
        "recorded_at": deed.recorded_at,
    }
    deed.about(SubjectType.CYLINDER, cylinder_id)
    passed_on = file.pop("inspected_on", date(2023, 5, 10))
    cylinder = Cylinder(**filed | file)
    deed.db.add(cylinder)
    deed.db.flush()
    deed.db.add(
        CylinderIdentifier(
            scheme=Scheme.PLATFORM, value=code, cylinder_id=cylinder_id, active_from=deed.recorded_at
        )
    )
    deed.db.add(
        Inspection(
            cylinder_id=cylinder_id,
            inspected_on=passed_on,
            day_precision="day",
            passed=True,
            agency="A-1",
            report_no=f"R-{next(_numbers)}",
            recorded_at=deed.recorded_at,
        )
    )
    deed.db.flush()
    record(
        deed,
        cylinder,
        FactKind.REGISTER,
        giver=None,
        taker=holder,
        errand=Errand(card_id=card_id),
        full=full,
        district=CHANGNING,
    )
    return {}


def a_check(**changed: Any) -> dict[str, Any]:
    """Nothing found."""
    items = []
    for item in ITEMS.values():
        answer: dict[str, Any] = {"item": item.code, "result": "pass"}
        if item.unit is not None:
            answer["measured"] = 1_000
        items.append(answer)
    return {"mode": "on_site", "items": items, "user_signed": True, "briefed": True} | changed


def a_check_that_finds(code: str, **found: Any) -> dict[str, Any]:
    check = a_check()
    for item in check["items"]:
        if item["item"] == code:
            item.update({"result": "fail"} | found)
    return check


def codes(refused: TestResponse) -> list[str]:
    """The refusal's codes, in order."""
    assert refused.status_code == 409, refused.text
    return [reason["code"] for reason in refused.get_json()["reasons"]]

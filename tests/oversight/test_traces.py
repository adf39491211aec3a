"""Traces, refusals and tips, as a regulator reads them through HTTP."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock, outbox
from core.auth import Role, ScopeKind
from core.ground import Ground
from cylinders.code import new_code
from evidence.models import Entry
from tests.cast import made
from tests.conftest import CHANGNING, THE_DAY
from tests.desk import Desk, Person
from tests.dispatch.rounds.working_day import WorkingDay, a_check_that_finds, codes

QINGPU = 310118


@pytest.fixture
def day(desk: Desk) -> WorkingDay:
    return WorkingDay(desk)


@pytest.fixture
def regulator(desk: Desk) -> Person:
    return desk.sign_in(Role.REGULATOR, CHANGNING, ScopeKind.DISTRICT, f"{CHANGNING}")


def delivered(day: WorkingDay) -> tuple[Any, Any, dict[str, Any]]:
    booked, bottle, _ = day.loaded()
    return booked, bottle, made(day.deliver(booked, day.report(booked, bottle)))


def trace(who: Person, path: str, **query: str) -> dict[str, Any]:
    answer = who.get(f"/api/v1/{path}/trace", **query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.get_json()
    return body


def verbs(found: dict[str, Any]) -> list[str]:
    return [event["verb"] for event in found["events"]]


def test_an_orders_trace_holds_its_bottles_from_before_and_after(day: WorkingDay, regulator: Person) -> None:
    booked, bottle, visit = delivered(day)
    found = trace(regulator, f"districts/{CHANGNING}/orders/{booked.order_id}")
    assert found["intact"]
    assert [verb for verb in verbs(found) if verb.startswith("order.")] == ["order.book", "order.deliver"]
    assert {"plan.apply", "cylinder.load"} <= set(verbs(found))
    chains = {(one["type"], one["key"]) for one in found["chains"]}
    assert ("order", booked.order_id) in chains
    assert {key for kind, key in chains if kind == "cylinder"} == {
        visit["full_cylinder_id"],
        visit["empty_cylinder_id"],
    }
    assert visit["full_cylinder_id"] == str(bottle.cylinder_id)


def test_a_trace_as_of_a_time_tells_what_was_known_then(day: WorkingDay, regulator: Person) -> None:
    booked = day.order()
    with clock.standing_at(THE_DAY + timedelta(hours=2)):
        cancelled = day.cast.clerk.post(day.at(f"orders/{booked.order_id}/cancellations"))
        assert cancelled.status_code in (200, 201)
    address = f"districts/{CHANGNING}/orders/{booked.order_id}"
    assert verbs(trace(regulator, address)) == ["order.book", "order.cancel"]
    before = trace(regulator, address, as_of=clock.stamp(THE_DAY + timedelta(hours=1)))
    assert verbs(before) == ["order.book"]
    assert before["intact"]


def test_a_households_trace_holds_its_cards_and_hazards_lead_on(day: WorkingDay, regulator: Person) -> None:
    booked, bottle, _ = day.loaded()
    found = a_check_that_finds("hose_length", measured=2500)
    visit = made(day.deliver(booked, day.report(booked, bottle, check=found)))
    assert visit["outcome"] == "withheld"
    household = booked.home.users.household_id
    told = trace(regulator, f"districts/{CHANGNING}/households/{household}")
    assert {one["type"] for one in told["chains"]} == {"household", "card"}
    assert "hazard" in {one["type"] for one in told["leads_to"]}
    assert "order.deliver" in verbs(told)


def test_a_trace_holds_no_personal_data(day: WorkingDay, regulator: Person) -> None:
    booked = day.order()
    whole = regulator.get(f"/api/v1/districts/{CHANGNING}/households/{booked.home.users.household_id}/trace")
    revealed = day.cast.confirmed(day.cast.clerk).post(
        day.at(f"households/{booked.home.users.household_id}/reveals"),
        {"fields": ["name", "phone", "address"], "reason": "audit", "purpose": "visit"},
    )
    values = made(revealed)
    for field in ("name", "phone", "address"):
        assert len(values[field]) > 2
        assert values[field] not in whole.text


@pytest.mark.parametrize(
    ("home", "kind", "code"), [(QINGPU, "district", f"{QINGPU}"), (CHANGNING, "street", "310105999")]
)
def test_another_districts_or_streets_regulator_finds_nothing(
    day: WorkingDay, desk: Desk, home: int, kind: str, code: str
) -> None:
    booked = day.order()
    stranger = desk.sign_in(Role.REGULATOR, home, ScopeKind(kind), code)
    for path in (f"orders/{booked.order_id}", f"households/{booked.home.users.household_id}"):
        answer = stranger.get(f"/api/v1/districts/{CHANGNING}/{path}/trace")
        assert answer.status_code == 404, path


def test_another_firms_clerk_finds_nothing(day: WorkingDay, desk: Desk) -> None:
    booked, bottle, _ = delivered(day)
    stranger = desk.sign_in(Role.CLERK, firm=day.cast.another_firm())
    for path in (
        f"districts/{CHANGNING}/orders/{booked.order_id}",
        f"districts/{CHANGNING}/households/{booked.home.users.household_id}",
        f"cylinders/{bottle.cylinder_id}",
    ):
        assert stranger.get(f"/api/v1/{path}/trace").status_code == 404, path
        assert day.cast.clerk.get(f"/api/v1/{path}/trace").status_code == 200, path


def test_what_does_not_exist_is_not_found(regulator: Person) -> None:
    for path in (f"cylinders/{uuid4()}", f"districts/{CHANGNING}/orders/{uuid4()}"):
        assert regulator.get(f"/api/v1/{path}/trace").status_code == 404


def test_touched_evidence_is_said_in_the_trace(
    day: WorkingDay, regulator: Person, owner_engine: sa.Engine
) -> None:
    booked = day.order()
    with owner_engine.begin() as connection:
        connection.execute(sa.text("SET session_replication_role = replica"))
        connection.execute(
            sa.text("UPDATE evidence_entry SET written = written || ' ' WHERE verb = 'order.book'")
        )
    assert not trace(regulator, f"districts/{CHANGNING}/orders/{booked.order_id}")["intact"]


def test_the_list_of_refusals_is_every_refusal_with_its_reasons(
    day: WorkingDay, regulator: Person, db: Session
) -> None:
    booked = day.order()
    numbers: list[str] = []
    slot = day.slot(14)
    for purpose in ("other", "water_heating", "other"):
        body = {
            "household_id": str(booked.home.users.household_id),
            "slot_id": slot,
            "purpose": purpose,
            "channel": "counter",
            "card_ids": [str(booked.home.users.card_ids[0])],
        }
        refused = day.cast.clerk.post(day.at("orders"), body)
        assert codes(refused) == ["card.order_open"]
        numbers.append(refused.get_json()["refusal_no"])
    listed, cursor = [], None
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = regulator.get(f"/api/v1/districts/{CHANGNING}/refusals", **query).get_json()
        listed += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [one["refusal_no"] for one in listed] == numbers
    assert {reason["code"] for one in listed for reason in one["reasons"]} == {"card.order_open"}
    assert all(reason["basis"]["document"] for one in listed for reason in one["reasons"])
    assert db.scalar(sa.select(sa.func.count()).where(Entry.refusal_no.is_not(None))) == 3


def test_a_strange_bottle_at_the_door_becomes_one_tip(
    day: WorkingDay, regulator: Person, ground: Ground
) -> None:
    booked, bottle, _ = day.loaded()
    foreign = new_code()
    report = day.report(booked, bottle, empty_code=foreign)
    assert codes(day.deliver(booked, report)) == ["handover.empty_foreign"]
    while any(outbox.deliver_due(ground, district) for district in outbox.districts_due(ground)):
        pass
    [tip] = regulator.get(f"/api/v1/districts/{CHANGNING}/tips").get_json()["items"]
    assert (tip["kind"], tip["facts"]["code"], tip["facts"]["where"]) == (
        "cylinder.stranger_seen",
        foreign,
        "door",
    )

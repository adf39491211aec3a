"""A leak is found at the door: gas is withheld, booking stops, and supply comes back only by a re-check."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import Role
from evidence.verify import verify
from tests.cast import CHANGNING, made
from tests.conftest import THE_DAY
from tests.desk import Desk
from tests.dispatch.checklist import answers, check, from_afar
from tests.dispatch.rounds.working_day import WorkingDay, a_check_that_finds, codes

SIGNED = "d" * 64
TOMORROW = THE_DAY + timedelta(days=1)


@pytest.fixture
def day(desk: Desk) -> WorkingDay:
    return WorkingDay(desk)


def booking(day: WorkingDay, home: Any, slot: str) -> dict[str, Any]:
    return {
        "household_id": str(home.users.household_id),
        "slot_id": slot,
        "purpose": "cooking",
        "channel": "counter",
        "card_ids": [str(card) for card in home.users.card_ids],
    }


def test_withheld_told_mended_rechecked_closed_and_supplied_again(
    day: WorkingDay, desk: Desk, db: Session
) -> None:
    home = day.home()
    booked, bottle, round_id = day.loaded(home)
    finds = a_check_that_finds("leak_test") | {"user_signature_sha256": SIGNED}
    visit = made(day.deliver(booked, day.report(booked, bottle, check=finds, leak_test_passed=False)))
    assert visit["outcome"] == "withheld"
    assert day.holder(bottle.cylinder_id)[0] == "courier"
    made(day.bring_back(round_id, bottle.code))

    clerk, household = day.cast.clerk, str(home.users.household_id)
    [hazard] = clerk.get(day.at("hazards"), household_id=household).get_json()["items"]
    assert (hazard["state"], hazard["notice_proof"], hazard["blocking"]) == ("told", "proven", True)
    assert hazard["notices"][0]["receipts"][0]["signature_sha256"] == SIGNED

    slot = day.slot(15)
    assert codes(clerk.post(day.at("orders"), booking(day, home, slot))) == ["premises.open_hazard"]
    made(clerk.post(day.at(f"hazards/{hazard['id']}/mendings")))
    assert codes(clerk.post(day.at("orders"), booking(day, home, slot))) == ["premises.open_hazard"]

    inspector = desk.sign_in(Role.REGULATOR, CHANGNING, district=f"{CHANGNING}")
    with clock.standing_at(TOMORROW):
        later = {"reason": "recheck", "checked_at": clock.stamp(TOMORROW), "items": answers()}
        by_phone = made(inspector.post(day.at("checks"), check(household, **later | from_afar("phone"))))
        shown = {"check_id": by_phone["id"]}
        refused = inspector.post(day.at(f"hazards/{hazard['id']}/closings"), shown)
        assert codes(refused) == ["hazard.not_rechecked_on_site"]
        seen = made(inspector.post(day.at("checks"), check(household, **later)))
        closed = made(inspector.post(day.at(f"hazards/{hazard['id']}/closings"), {"check_id": seen["id"]}))
        assert (closed["state"], closed["closing_check_id"]) == ("closed", seen["id"])
        again = made(clerk.post(day.at("orders"), booking(day, home, day.slot(16))))
        assert {line["state"] for line in again["lines"]} == {"booked"}
    assert not list(verify(db))


def test_a_hazard_found_elsewhere_meanwhile_withholds_at_the_door_and_the_courier_is_told(
    day: WorkingDay, desk: Desk, db: Session
) -> None:
    home = day.home()
    booked, bottle, _ = day.loaded(home)
    inspector = desk.sign_in(Role.REGULATOR, CHANGNING, district=f"{CHANGNING}")
    survey = check(home.users.household_id, items=answers(room_allowed={}))
    [hazard] = made(inspector.post(day.at("checks"), survey))["hazards"]

    arrival = made(day.arrive(booked))
    assert [(one["id"], one["item"], one["blocking"]) for one in arrival["open_hazards"]] == [
        (hazard["id"], "room_allowed", True)
    ]
    standing = day.courier.get(day.at(f"households/{home.users.household_id}/safety")).get_json()
    assert standing["supply_stopped"]
    visit = made(day.deliver(booked, day.report(booked, bottle)))
    assert (visit["outcome"], visit["open_hazards"]) == ("withheld", [hazard["id"]])
    held = db.scalar(sa.text("SELECT count(*) FROM card_holding WHERE cylinder_id = :id AND active"), {
        "id": bottle.cylinder_id
    })  # fmt: skip
    assert held == 0

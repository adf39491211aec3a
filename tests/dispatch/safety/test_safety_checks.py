"""A check is written down whatever it finds; what it finds becomes a hazard, and a notice at once."""

import threading
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.auth import Role
from dispatch.safety.models import CheckItem, Hazard, Notice, SafetyCheck
from evidence.models import Entry, Link
from evidence.verify import verify
from registry.models import Staff, StaffKind
from tests.desk import Desk, Person
from tests.dispatch.checklist import answers, check, from_afar
from tests.dispatch.town import CHANGNING, Home, Town, pointers

CHECKS = "/api/v1/districts/310105/checks"


@pytest.fixture
def home(town: Town) -> Home:
    return town.home()


@pytest.fixture
def inspector(desk: Desk) -> Person:
    return desk.sign_in(Role.REGULATOR)


def test_no_finding_is_also_a_result(home: Home, inspector: Person, db: Session) -> None:
    done = inspector.post(CHECKS, check(home.household))
    assert done.status_code == 201, done.text
    assert (done.json["outcome"], done.json["blocking"], done.json["hazards"]) == ("clear", False, [])
    assert len(done.json["items"]) == len(answers())
    assert not list(db.scalars(sa.select(Hazard)))
    assert not list(verify(db))


def test_a_refused_check_is_recorded_as_refused(home: Home, inspector: Person) -> None:
    done = inspector.post(CHECKS, check(home.household, refused=True, items=[], user_signed=False))
    assert (done.status_code, done.json["outcome"], done.json["blocking"]) == (201, "refused", True)


def test_a_refused_check_has_no_results(home: Home, inspector: Person) -> None:
    assert pointers(inspector.post(CHECKS, check(home.household, refused=True))) == ["/items"]


def test_a_general_finding_opens_a_hazard_that_stops_nothing(home: Home, inspector: Person) -> None:
    done = inspector.post(CHECKS, check(home.household, items=answers(cylinder_upright={})))
    [hazard] = done.json["hazards"]
    assert (done.json["outcome"], done.json["blocking"]) == ("findings", False)
    assert (hazard["grade"], hazard["state"], hazard["notices"]) == ("general", "found", [])
    assert hazard["deadline_on"] == "2024-07-12"


def test_a_blocking_finding_is_told_in_writing_at_once(home: Home, inspector: Person, db: Session) -> None:
    long_hose = answers(hose_length={"measured": 2300})
    done = inspector.post(CHECKS, check(home.household, items=long_hose))
    [hazard] = done.json["hazards"]
    [notice] = hazard["notices"]
    assert done.json["blocking"]
    assert (hazard["grade"], hazard["state"], hazard["blocking"]) == ("serious", "told", True)
    assert notice["received_how"] == "signed"
    assert notice["number"].startswith("20240612-")
    entry = db.scalars(sa.select(Entry)).one()
    touched = set(db.scalars(sa.select(Link.subject_type).where(Link.entry_id == entry.id)))
    assert {one.value for one in touched} == {"hazard", "household"}


@pytest.mark.parametrize(
    ("change", "received_how"),
    [
        ({"user_signed": False}, "refused_to_sign"),
        ({"user_signed": False} | from_afar("video"), "electronic"),
        ({"user_signed": False} | from_afar("phone"), "electronic"),
        ({"user_signed": True} | from_afar("video"), "signed"),
    ],
)
def test_a_notice_says_how_it_was_received(
    home: Home, inspector: Person, change: dict[str, Any], received_how: str
) -> None:
    done = inspector.post(CHECKS, check(home.household, items=answers(leak_test={}), **change))
    assert done.json["hazards"][0]["notices"][0]["received_how"] == received_how


def test_a_check_from_afar_names_the_day_of_the_visit_that_follows(home: Home, inspector: Person) -> None:
    assert inspector.post(CHECKS, check(home.household)).json["follow_up_on"] is None
    assert (
        inspector.post(CHECKS, check(home.household, **from_afar("video"))).json["follow_up_on"]
        == "2024-06-19"
    )


def test_a_finding_may_be_made_graver(home: Home, inspector: Person) -> None:
    raised = answers(cylinder_upright={"grade": "major"})
    done = inspector.post(CHECKS, check(home.household, items=raised))
    [hazard] = done.json["hazards"]
    assert (hazard["grade"], hazard["blocking"], hazard["deadline_on"]) == ("major", True, "2024-06-12")
    assert len(hazard["notices"]) == 1


def missing(*codes: str) -> list[dict[str, Any]]:
    return [answer for answer in answers() if answer["item"] not in codes]


@pytest.mark.parametrize(
    ("items", "pointer", "code"),
    [
        (missing("leak_test"), "/items", "items_missing"),
        ([], "/items", "items_missing"),
        ([*answers(), {"item": "leak_test", "result": "pass"}], f"/items/{len(answers())}/item", "twice"),
        ([{"item": "horoscope", "result": "pass"}], "/items/0/item", "unknown_item"),
        ([{"item": "leak_test", "result": "not_applicable"}], "/items/0/result", "mandatory"),
        ([{"item": "hose_whole", "result": "fail", "grade": "general"}], "/items/0/grade", "grade_lowered"),
        ([{"item": "hose_whole", "result": "pass", "grade": "major"}], "/items/0/grade", "no_finding"),
        ([{"item": "hose_length", "result": "pass"}], "/items/0/measured", "required"),
        ([{"item": "hose_whole", "result": "pass", "measured": 3}], "/items/0/measured", "not_measured"),
        (
            [{"item": "hose_length", "result": "pass", "measured": 2001}],
            "/items/0/result",
            "beyond_limit",
        ),
        (
            [{"item": "burner_distance", "result": "pass", "measured": 499}],
            "/items/0/result",
            "beyond_limit",
        ),
    ],
)
def test_a_check_that_is_not_whole_is_sent_back_and_nothing_is_written(
    home: Home, inspector: Person, db: Session, items: list[Any], pointer: str, code: str
) -> None:
    answer = inspector.post(CHECKS, check(home.household, items=items))
    assert pointers(answer) == [pointer]
    assert answer.json["errors"][0]["code"] == code
    for table in (SafetyCheck, CheckItem, Hazard, Notice, Entry):
        assert not list(db.scalars(sa.select(table)))


def test_the_missing_items_are_named(home: Home, inspector: Person) -> None:
    answer = inspector.post(CHECKS, check(home.household, items=missing("leak_test", "single_fuel")))
    assert "single_fuel, leak_test" in answer.json["errors"][0]["en"]


def test_at_the_limit_is_within_it(home: Home, inspector: Person) -> None:
    items = [
        answer | {"measured": {"hose_length": 2000, "burner_distance": 500}[answer["item"]]}
        if answer["item"] in ("hose_length", "burner_distance")
        else answer
        for answer in answers()
    ]
    assert inspector.post(CHECKS, check(home.household, items=items)).json["outcome"] == "clear"


def test_what_does_not_apply_may_be_left_out_or_said(home: Home, inspector: Person) -> None:
    items = [*answers(), {"item": "leak_alarm", "result": "not_applicable"}]
    assert inspector.post(CHECKS, check(home.household, items=items)).json["outcome"] == "clear"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"reason": "delivery"}, "/reason"),
        ({"checked_at": "2024-06-12T09:00:01.000+08:00"}, "/checked_at"),
        ({"checked_at": "2024-06-12T08:00:00"}, "/checked_at"),
        ({"household_id": str(uuid4())}, "/household_id"),
    ],
)
def test_a_check_names_a_household_in_reach_a_reason_and_a_time_that_has_passed(
    home: Home, inspector: Person, change: dict[str, Any], pointer: str
) -> None:
    assert pointers(inspector.post(CHECKS, check(home.household, **change))) == [pointer]


def test_found_again_is_the_standing_hazard_and_may_only_become_worse(
    home: Home, inspector: Person, db: Session
) -> None:
    first = inspector.post(CHECKS, check(home.household, items=answers(cylinder_upright={})))
    worse = answers(cylinder_upright={"grade": "major"})
    second = inspector.post(CHECKS, check(home.household, items=worse))
    third = inspector.post(CHECKS, check(home.household, items=answers(cylinder_upright={})))
    [hazard] = db.scalars(sa.select(Hazard)).all()
    assert {done.json["hazards"][0]["id"] for done in (first, second, third)} == {str(hazard.id)}
    assert third.json["hazards"][0]["grade"] == "major"
    assert third.json["hazards"][0]["state"] == "told"
    assert len(db.scalars(sa.select(Notice)).all()) == 1


def test_a_courier_checks_whom_the_firm_supplies_and_nobody_else(town: Town, home: Home, desk: Desk) -> None:
    def courier(firm: Any) -> Person:
        staff = uuid4()
        with town.ground.sessions() as db:
            db.add(
                Staff(
                    district=CHANGNING,
                    id=staff,
                    firm_id=firm,
                    kind=StaffKind.COURIER,
                    name_sealed=b"sealed",
                    phone_sealed=b"sealed",
                    certificate_no="1",
                    certificate_from="2022-01-01",
                    certificate_until="2026-01-01",
                    recorded_at="2022-01-01T00:00:00+08:00",
                )
            )
            db.commit()
        return desk.sign_in(Role.COURIER, courier=staff)

    assert courier(town.firm).post(CHECKS, check(home.household)).status_code == 201
    assert pointers(courier(town.other_firm).post(CHECKS, check(home.household))) == ["/household_id"]


def test_a_check_cannot_be_changed_or_deleted(home: Home, inspector: Person, db: Session) -> None:
    inspector.post(CHECKS, check(home.household))
    for statement in (
        "UPDATE safety_check SET outcome = 'clear'",
        "DELETE FROM check_item",
        "DELETE FROM check_signature",
    ):
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            db.execute(sa.text(statement))
        db.rollback()


@pytest.mark.both_ends
def test_checks_at_once_open_one_hazard_and_all_are_written_down(
    home: Home, inspector: Person, db: Session
) -> None:
    started = threading.Barrier(8)
    statuses = []

    def go() -> None:
        started.wait()
        statuses.append(
            inspector.post(CHECKS, check(home.household, items=answers(leak_test={}))).status_code
        )

    threads = [threading.Thread(target=go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [201] * 8
    assert len(db.scalars(sa.select(SafetyCheck)).all()) == 8
    assert len(db.scalars(sa.select(Hazard)).all()) == 1
    assert len(db.scalars(sa.select(Notice)).all()) == 1
    assert not list(verify(db))

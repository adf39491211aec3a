"""Hoses, regulators, alarms: how long each may hang, what is due, and what no check may pass over."""

from datetime import date, time
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import Role
from core.ground import Ground
from core.outbox import OutboxEvent
from dispatch.safety import equipment_due
from dispatch.safety.equipment_law import failing_items, standing_of
from dispatch.safety.equipment_models import Equipment, EquipmentKind, HoseMaterial
from dispatch.safety.models import Hazard, Notice, ReceivedHow, SafetyCheck
from registry.models import Household
from rulebook import current
from rulebook.models import Decision
from tests.cast import made
from tests.desk import Desk, Person
from tests.dispatch.checklist import answers, check
from tests.dispatch.town import CHANGNING, Home, Town, codes, pointers
from tests.due_jobs import run_due_jobs
from tests.registry.proofs import count, entries, was_refused

HOSE = {
    "kind": "hose", "material": "metal", "maker": "样例胶管厂", "model": "R-13", "installed_on": "2023-06-12",
}  # fmt: skip
DUE = "/api/v1/districts/310105/due-equipment"


def piece(kind: str, material: str | None, installed: date, stated: date | None) -> Equipment:
    return Equipment(
        district=CHANGNING,
        kind=EquipmentKind(kind),
        material=HoseMaterial(material) if material else None,
        installed_on=installed,
        stated_until=stated,
    )


@pytest.mark.parametrize(
    ("kind", "material", "installed", "stated", "day", "due", "failing"),
    [
        ("hose", "rubber", "2022-06-12", None, "2024-06-12", "2024-06-12", []),
        ("hose", "rubber", "2022-06-12", None, "2024-06-13", "2024-06-12", ["hose_unaged"]),
        ("hose", "rubber", "2024-06-12", None, "2024-12-31", "2026-06-12", []),
        ("hose", "rubber", "2024-06-12", None, "2025-01-01", "2026-06-12", ["hose_material"]),
        ("hose", "rubber", "2020-01-01", None, "2025-01-01", "2022-01-01", ["hose_material", "hose_unaged"]),
        ("hose", "metal", "2024-02-29", None, "2025-01-01", "2032-02-29", []),
        ("regulator", None, "2020-02-29", None, "2025-02-28", "2025-02-28", []),
        ("regulator", None, "2020-02-29", None, "2025-03-01", "2025-02-28", ["regulator_in_date"]),
        ("regulator", None, "2024-01-01", "2024-03-31", "2024-04-01", "2024-03-31", ["regulator_in_date"]),
        ("alarm", None, "2024-01-01", "2035-01-01", "2024-04-01", "2029-01-01", []),
        ("alarm", None, "2018-01-01", None, "2024-04-01", "2023-01-01", ["leak_alarm"]),
    ],
)
def test_what_a_piece_s_age_says(
    kind: str,
    material: str | None,
    installed: str,
    stated: str | None,
    day: str,
    due: str,
    failing: list[str],
) -> None:
    law = current().at(str(CHANGNING), date.fromisoformat(day))
    given = piece(kind, material, date.fromisoformat(installed), stated and date.fromisoformat(stated))  # type: ignore[arg-type]
    standing = standing_of(given, law)
    assert str(standing.due_on) == due
    assert list(failing_items(standing)) == failing


def test_a_rubber_hose_is_barred_where_the_place_says_so_alone() -> None:
    law = current().at("310118", date(2025, 6, 1))
    assert not standing_of(piece("hose", "rubber", date(2025, 1, 1), None), law).is_barred


# --- over HTTP --------------------------------------------------------------------------------------------


@pytest.fixture
def home(town: Town) -> Home:
    return town.home()


@pytest.fixture
def clerk(desk: Desk, town: Town) -> Person:
    return desk.sign_in(Role.CLERK, firm=town.firm)


def at(home: Home) -> str:
    return f"/api/v1/districts/310105/households/{home.household}/equipment"


def test_a_new_hose_ends_the_one_it_replaces_on_its_day(clerk: Person, home: Home, ground: Ground) -> None:
    first = made(clerk.post(at(home), HOSE))
    second = made(clerk.post(at(home), HOSE | {"installed_on": "2024-06-11", "replaces": first["id"]}))
    assert (second["due_on"], second["is_due"], second["is_barred"]) == ("2032-06-11", False, False)
    now, before = clerk.get(at(home)).json["items"]  # type: ignore[index]
    assert (now["id"], now["ended_on"]) == (second["id"], None)
    assert (before["id"], before["ended_on"], before["ended_why"]) == (first["id"], "2024-06-11", "replaced")
    again = clerk.post(at(home), HOSE | {"installed_on": "2024-06-12", "replaces": first["id"]})
    assert codes(again) == ["equipment.ended"]
    assert was_refused(ground, "equipment.enter", again)
    assert count(ground, Equipment) == 2
    gone = made(
        clerk.post(f"/api/v1/districts/310105/equipment/{second['id']}/ends", {"ended_on": "2024-06-12"})
    )
    assert gone["ended_why"] == "removed"
    assert "样例胶管厂" not in str(entries(ground, "equipment.enter"))


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"kind": "pipe"}, ["/kind"]),
        ({"material": None}, ["/material"]),
        ({"material": "silk"}, ["/material"]),
        ({"kind": "alarm"}, ["/material"]),
        ({"installed_on": "2024-06-13"}, ["/installed_on"]),
        ({"installed_on": "yesterday"}, ["/installed_on"]),
        ({"stated_until": "2023-06-11"}, ["/stated_until"]),
        ({"replaces": "0190a000-0000-7000-8000-000000000000"}, ["/replaces"]),
        ({"maker": ""}, ["/maker"]),
        ({"maker": 7}, ["/maker"]),
        ({"colour": "red"}, ["/colour"]),
    ],
)
def test_bad_input_enters_nothing(
    clerk: Person, home: Home, ground: Ground, changed: dict[str, Any], wrong: list[str]
) -> None:
    assert list(pointers(clerk.post(at(home), HOSE | changed))) == wrong
    assert count(ground, Equipment) == 0
    assert entries(ground, "equipment.enter") == []


def test_another_s_piece_is_not_there_and_replaces_nothing(
    clerk: Person, home: Home, town: Town, desk: Desk, ground: Ground
) -> None:
    stranger = desk.sign_in(Role.CLERK, firm=town.other_firm)
    assert stranger.post(at(home), HOSE).status_code == 404
    assert stranger.get(at(home)).status_code == 404
    mine = made(clerk.post(at(home), HOSE))
    ends = f"/api/v1/districts/310105/equipment/{mine['id']}/ends"
    assert stranger.post(ends, {"ended_on": "2024-06-12"}).status_code == 404
    assert pointers(clerk.post(ends, {"ended_on": "2023-06-11"})) == ["/ended_on"]
    regulator = {"kind": "regulator", "maker": "样例", "model": "T-1", "installed_on": "2024-06-12"}
    assert pointers(clerk.post(at(home), regulator | {"replaces": mine["id"]})) == ["/replaces"]
    neighbour = town.home()
    assert pointers(clerk.post(at(neighbour), HOSE | {"replaces": mine["id"]})) == ["/replaces"]
    assert clerk.get(DUE, within_days="soon").status_code == 422
    assert (
        clerk.post(
            f"/api/v1/districts/310105/equipment/{uuid4()}/ends", {"ended_on": "2024-06-12"}
        ).status_code
        == 404
    )
    assert count(ground, Equipment) == 1


def test_the_queue_holds_what_is_due_and_nothing_that_was_replaced(
    clerk: Person, home: Home, town: Town, desk: Desk
) -> None:
    old = made(clerk.post(at(home), HOSE | {"material": "rubber", "installed_on": "2022-06-12"}))
    soon = {"kind": "regulator", "maker": "样例", "model": "T-1", "installed_on": "2019-07-01"}
    regulator = made(clerk.post(at(home), soon))
    made(clerk.post(at(home), HOSE))

    def queue(who: Person, days: int) -> list[str]:
        answer = who.get(DUE, within_days=days)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json["items"]]  # type: ignore[index]

    assert queue(clerk, 0) == []
    assert queue(clerk, 1) == [old["id"]]
    assert queue(clerk, 30) == [old["id"], regulator["id"]]
    assert queue(desk.sign_in(Role.CLERK, firm=town.other_firm), 30) == []
    made(clerk.post(at(home), HOSE | {"installed_on": "2024-06-12", "replaces": old["id"]}))
    assert queue(clerk, 30) == [regulator["id"]]


# --- the check at the door --------------------------------------------------------------------------------


def test_a_check_does_not_pass_over_what_the_register_knows(
    clerk: Person, home: Home, desk: Desk, db: Session
) -> None:
    """The answers stay as they were given; the hazard stands all the same, until the piece is replaced."""
    regulator = desk.sign_in(Role.REGULATOR)
    old = {"kind": "regulator", "maker": "样例", "model": "T-1", "installed_on": "2018-01-01"}
    standing = made(clerk.post(at(home), old))
    said = made(regulator.post("/api/v1/districts/310105/checks", check(home.household)))
    assert said["outcome"] == "findings"
    assert {one["item"]: one["result"] for one in said["items"]}["regulator_in_date"] == "pass"
    hazard = db.scalars(sa.select(Hazard)).one()
    assert (hazard.item, hazard.check_id) == ("regulator_in_date", UUID(said["id"]))
    made(clerk.post(at(home), old | {"installed_on": "2024-06-12", "replaces": standing["id"]}))
    later = check(home.household, checked_at="2024-06-12T08:31:00.000+08:00")
    assert made(regulator.post("/api/v1/districts/310105/checks", later))["outcome"] == "clear"
    failed = check(
        home.household, items=answers(regulator_in_date={}), checked_at="2024-06-12T08:32:00.000+08:00"
    )
    made(regulator.post("/api/v1/districts/310105/checks", failed))
    db.expire_all()
    assert len(db.scalars(sa.select(Hazard)).all()) == 1
    assert len(db.scalars(sa.select(SafetyCheck)).all()) == 3


def test_a_refused_check_finds_nothing_by_the_register(
    clerk: Person, home: Home, desk: Desk, db: Session
) -> None:
    made(clerk.post(at(home), HOSE | {"installed_on": "2010-01-01"}))
    refused = check(home.household, refused=True, items=[], user_signed=False, briefed=False)
    assert (
        made(desk.sign_in(Role.REGULATOR).post("/api/v1/districts/310105/checks", refused))["outcome"]
        == "refused"
    )
    assert db.scalars(sa.select(Hazard)).all() == []


# --- what the register finds by itself --------------------------------------------------------------------


def a_morning(ground: Ground, day: date) -> None:
    with clock.standing_at(clock.at(day, time(9))):
        equipment_due.ask_all(ground, day)
        equipment_due.ask_all(ground, day)
        run_due_jobs(ground)


def hazards(db: Session) -> list[tuple[str, UUID | None, UUID | None, str]]:
    db.expire_all()
    rows = db.scalars(sa.select(Hazard).order_by(Hazard.item))
    return [(one.item, one.check_id, one.equipment_id, one.state.value) for one in rows]


def test_a_rule_that_ages_a_whole_city_at_once_is_looked_through_too(db: Session) -> None:
    assert equipment_due._open_items(db, CHANGNING, {uuid4() for _ in range(70_000)}) == {}


def test_a_piece_past_its_day_is_a_hazard_that_morning_and_the_user_is_told_once(
    clerk: Person, home: Home, town: Town, db: Session, ground: Ground
) -> None:
    kept = made(clerk.post(at(home), HOSE))
    last = {"kind": "regulator", "maker": "样例", "model": "T-1", "installed_on": "2019-06-13"}
    regulator = made(clerk.post(at(home), last))
    a_morning(ground, date(2024, 6, 13))
    assert hazards(db) == []
    a_morning(ground, date(2024, 6, 14))
    assert hazards(db) == [("regulator_in_date", None, UUID(regulator["id"]), "told")]
    a_morning(ground, date(2024, 6, 15))
    assert len(hazards(db)) == 1
    assert db.scalars(sa.select(Notice)).one().received_how is ReceivedHow.ELECTRONIC
    topics = db.scalars(sa.select(OutboxEvent.topic)).all()
    assert topics.count("hazard.told") == 1
    [told] = [one for one in entries(ground, "equipment.find_hazards") if one["payload"]["found"]]
    assert told["payload"]["items"] == ["regulator_in_date"]
    [shown] = clerk.get("/api/v1/districts/310105/hazards").json["items"]  # type: ignore[index]
    assert (shown["check_id"], shown["equipment_id"]) == (None, regulator["id"])
    refused = clerk.post("/api/v1/districts/310105/orders", home.booking(town.slot()))
    assert codes(refused) == ["premises.open_hazard"] if shown["blocking"] else refused.status_code == 201
    assert kept["is_due"] is False


def test_a_rubber_hose_is_a_hazard_from_the_day_it_is_barred(
    clerk: Person, home: Home, desk: Desk, db: Session, ground: Ground
) -> None:
    """And closes as any other: replaced, then seen by somebody."""
    rubber = made(clerk.post(at(home), HOSE | {"material": "rubber", "installed_on": "2024-06-01"}))
    a_morning(ground, date(2024, 12, 31))
    assert hazards(db) == []
    a_morning(ground, date(2025, 1, 1))
    assert hazards(db) == [("hose_material", None, UUID(rubber["id"]), "told")]
    with clock.standing_at(clock.at(date(2025, 1, 1), time(10))):
        inspector = desk.sign_in(Role.REGULATOR)
        [hazard] = inspector.get("/api/v1/districts/310105/hazards").json["items"]  # type: ignore[index]
        path = f"/api/v1/districts/310105/hazards/{hazard['id']}"
        [given] = hazard["notices"]
        printed = inspector.get(f"/api/v1/districts/310105/notices/{given['id']}")
        assert printed.status_code == 200, printed.text
        made(clerk.post(at(home), HOSE | {"installed_on": "2025-01-01", "replaces": rubber["id"]}))
        made(clerk.post(f"{path}/mendings", {}))
    with clock.standing_at(clock.at(date(2025, 1, 1), time(11))):
        again = made(
            inspector.post(
                "/api/v1/districts/310105/checks",
                check(home.household, reason="recheck", checked_at="2025-01-01T10:30:00.000+08:00"),
            )
        )
        assert made(inspector.post(f"{path}/closings", {"check_id": again["id"]}))["state"] == "closed"
    a_morning(ground, date(2025, 1, 2))
    assert [one[3] for one in hazards(db)] == ["closed"]


def test_a_home_that_has_the_hazard_or_is_closed_is_left_alone(
    clerk: Person, home: Home, town: Town, desk: Desk, db: Session, ground: Ground
) -> None:
    old = {"kind": "regulator", "maker": "样例", "model": "T-1", "installed_on": "2018-01-01"}
    made(clerk.post(at(home), old))
    made(desk.sign_in(Role.REGULATOR).post("/api/v1/districts/310105/checks", check(home.household)))
    gone = town.home()
    made(clerk.post(at(gone), old))
    town.change(Household, gone.household, closed_at=clock.now())
    a_morning(ground, date(2024, 6, 13))
    [(item, check_id, equipment_id, _)] = hazards(db)
    assert (item, check_id is None, equipment_id) == ("regulator_in_date", False, None)


# --- P10 reads the register -------------------------------------------------------------------------------

ALARM = {"kind": "alarm", "maker": "样例", "model": "B-1", "installed_on": "2023-06-12"}


@pytest.mark.parametrize(
    ("seen", "entered", "refused"),
    [
        (None, None, []),
        (True, None, []),
        (False, None, ["premises.no_leak_alarm"]),
        (False, ALARM, []),
        (
            True,
            ALARM | {"installed_on": "2019-06-12", "stated_until": "2024-06-12"},
            ["premises.no_leak_alarm"],
        ),
        (True, ALARM | {"installed_on": "2019-06-13"}, []),
    ],
)
def test_whether_there_is_an_alarm_the_register_says_for_the_day_of_delivery(
    clerk: Person, town: Town, db: Session, seen: bool | None, entered: Any, refused: list[str]
) -> None:
    """Delivered on the 13th: good to the end of its last day, and not a day longer. Unknown: at the door."""
    kitchen = town.restaurant(cards=1, leak_alarm=seen)
    if entered is not None:
        made(clerk.post(at(kitchen), entered))
    answer = clerk.post("/api/v1/districts/310105/orders", kitchen.booking(town.slot()))
    if refused:
        assert codes(answer) == refused
    else:
        assert answer.status_code == 201, answer.text
    decision = db.scalars(sa.select(Decision).where(Decision.gate == "premises")).one()
    assert decision.facts["leak_alarm"] is (not refused if entered else (False if seen is False else None))


def test_an_alarm_that_was_taken_away_is_none(clerk: Person, town: Town) -> None:
    kitchen = town.restaurant(cards=1, leak_alarm=True)
    alarm = made(clerk.post(at(kitchen), ALARM))
    made(clerk.post(f"/api/v1/districts/310105/equipment/{alarm['id']}/ends", {"ended_on": "2024-06-12"}))
    answer = clerk.post("/api/v1/districts/310105/orders", kitchen.booking(town.slot()))
    assert codes(answer) == ["premises.no_leak_alarm"]

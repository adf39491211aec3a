"""Who checks signs; what was signed cannot be changed; a notice is proved received, or stands on a list."""

import json
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.auth import Role
from dispatch.safety.models import CheckSignature, NoticeReceipt
from evidence.models import Entry
from evidence.verify import verify
from tests.desk import Desk, Person
from tests.dispatch.checklist import answers, check, from_afar
from tests.dispatch.town import Home, Town, pointers

DISTRICT = "/api/v1/districts/310105"
CHECKER, USER, WITNESS = "a" * 64, "b" * 64, "c" * 64


@pytest.fixture
def home(town: Town) -> Home:
    return town.home()


@pytest.fixture
def inspector(desk: Desk) -> Person:
    return desk.sign_in(Role.REGULATOR)


@pytest.fixture
def clerk(desk: Desk, town: Town) -> Person:
    return desk.sign_in(Role.CLERK, firm=town.firm)


@pytest.fixture
def resident(desk: Desk, home: Home) -> Person:
    return desk.sign_in(Role.RESIDENT, person=home.person)


def recorded(inspector: Person, home: Home, **change: Any) -> dict[str, Any]:
    done = inspector.post(f"{DISTRICT}/checks", check(home.household, **change))
    assert done.status_code == 201, done.text
    body: dict[str, Any] = done.json
    return body


def told(inspector: Person, home: Home, **change: Any) -> dict[str, Any]:
    """The notice of a leak, as it stands after the check."""
    [hazard] = recorded(inspector, home, items=answers(leak_test={}), **change)["hazards"]
    [notice] = hazard["notices"]
    return {**notice, "hazard_id": hazard["id"]}


# --- signatures -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "checker", "user"),
    [
        ({}, "confirmation", "on_paper"),
        ({"checker_signature_sha256": CHECKER}, "signature", "on_paper"),
        ({"user_signature_sha256": USER}, "confirmation", "signature"),
        ({"user_signed": False}, "confirmation", "refused"),
        ({"user_signed": False} | from_afar(), "confirmation", "from_afar"),
        ({"refused": True, "items": [], "user_signed": False}, "confirmation", "refused"),
    ],
)
def test_both_sides_sign_or_it_is_said_that_they_did_not(
    home: Home, inspector: Person, change: dict[str, Any], checker: str, user: str
) -> None:
    done = recorded(inspector, home, **change)
    assert [(one["side"], one["how"]) for one in done["signatures"]] == [("checker", checker), ("user", user)]
    assert done["as_signed"] is True
    assert done["checked_by"] == str(inspector.principal_id)


def test_the_entry_holds_what_was_signed_and_by_whom(home: Home, inspector: Person, db: Session) -> None:
    done = recorded(inspector, home, checker_signature_sha256=CHECKER, user_signature_sha256=USER)
    entry = db.scalars(sa.select(Entry)).one()
    said = json.loads(entry.written)["payload"]
    assert said["check_sha256"] == done["signatures"][0]["content_sha256"]
    assert (said["checker_signature"], said["user_signature"]) == (CHECKER, USER)
    assert not list(verify(db))


def test_an_answer_changed_afterwards_no_longer_is_as_signed(
    home: Home, inspector: Person, owner_engine: sa.Engine
) -> None:
    done = recorded(inspector, home)
    with owner_engine.begin() as connection:
        connection.execute(sa.text("SET session_replication_role = replica"))
        connection.execute(sa.text("UPDATE check_item SET measured = 1999 WHERE item = 'hose_length'"))
    assert inspector.get(f"{DISTRICT}/checks/{done['id']}").json["as_signed"] is False


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"user_signed": False, "user_signature_sha256": USER}, "/user_signature_sha256"),
        ({"checker_signature_sha256": "drawn"}, "/checker_signature_sha256"),
        ({"mode": "phone"}, "/remote_reason"),
        ({"remote_reason": "absent"}, "/remote_reason"),
    ],
)
def test_a_check_that_says_too_little_or_too_much_is_sent_back(
    home: Home, inspector: Person, db: Session, change: dict[str, Any], pointer: str
) -> None:
    answer = inspector.post(f"{DISTRICT}/checks", check(home.household, **change))
    assert pointers(answer) == [pointer]
    assert not list(db.scalars(sa.select(CheckSignature)))


# --- the catalogue, the checks, the visits that are due -----------------------------------------------------


def test_the_catalogue_says_what_the_law_of_the_place_says_of_each_item(inspector: Person) -> None:
    book = inspector.get(f"{DISTRICT}/check-catalogue", on="2024-06-12").json
    items = {one["code"]: one for one in book["items"]}
    hose = items["hose_length"]
    assert (hose["most"], hose["unit"], hose["grade"], hose["blocking"]) == (2000, "mm", "serious", True)
    assert (hose["basis"]["article"], hose["deadline_days"]) == ("第13项", 7)
    assert items["burner_distance"]["least"] == 500
    assert items["emergency_shut_off"]["mandatory"] is False
    assert {one["group"] for one in book["items"]} == {
        "cylinder", "regulator", "hose", "appliance", "place", "water_heater", "alarm", "leak_test",
    }  # fmt: skip
    assert book["deadline_days"] == {"general": 30, "serious": 7, "major": 0}
    assert book["stopping_grades"] == ["serious", "major"]
    assert (book["day"], book["place"], book["follow_up_days"]) == ("2024-06-12", "310105", 7)


def test_the_checks_of_a_household_hold_those_that_found_nothing(
    town: Town, home: Home, inspector: Person, resident: Person
) -> None:
    clear = recorded(inspector, home)["id"]
    found = recorded(inspector, home, items=answers(leak_test={}), reason="look_back")["id"]
    recorded(inspector, town.home())

    def listed(who: Person, **query: Any) -> list[str]:
        return [one["id"] for one in who.get(f"{DISTRICT}/checks", **query).json["items"]]

    assert listed(inspector, household_id=home.household) == [clear, found]
    assert listed(inspector, household_id=home.household, outcome="clear") == [clear]
    assert listed(inspector, reason="look_back") == [found]
    assert listed(resident) == [clear, found]


def test_strangers_see_no_checks(town: Town, home: Home, inspector: Person, desk: Desk) -> None:
    done = recorded(inspector, home)
    for stranger in (
        desk.sign_in(Role.CLERK, firm=town.other_firm),
        desk.sign_in(Role.RESIDENT, person=town.home().person),
        desk.sign_in(Role.REGULATOR, street="310105001"),
    ):
        assert stranger.get(f"{DISTRICT}/checks").json["items"] == []
        assert stranger.get(f"{DISTRICT}/checks/{done['id']}").status_code == 404
        assert stranger.get(f"{DISTRICT}/households/{home.household}/safety").status_code == 404


def test_a_check_from_afar_waits_for_a_visit_until_somebody_is_let_in(home: Home, inspector: Person) -> None:
    remote = recorded(inspector, home, **from_afar("phone"))

    def waiting(**query: Any) -> list[str]:
        return [one["check_id"] for one in inspector.get(f"{DISTRICT}/follow-ups", **query).json["items"]]

    assert waiting() == [remote["id"]]
    assert (waiting(due_on="2024-06-18"), waiting(due_on="2024-06-19")) == ([], [remote["id"]])
    standing = inspector.get(f"{DISTRICT}/households/{home.household}/safety").json
    assert standing["follow_up_on"] == "2024-06-19"

    later = {"checked_at": "2024-06-12T08:40:00.000+08:00", "reason": "revisit"}
    recorded(inspector, home, refused=True, items=[], user_signed=False, **later)
    assert waiting() == [remote["id"]]
    recorded(inspector, home, **later | {"checked_at": "2024-06-12T08:50:00.000+08:00"})
    assert waiting() == []
    assert inspector.get(f"{DISTRICT}/households/{home.household}/safety").json["follow_up_on"] is None


def test_what_stands_against_a_household_is_said_in_one_place(home: Home, inspector: Person) -> None:
    def standing() -> dict[str, Any]:
        body: dict[str, Any] = inspector.get(f"{DISTRICT}/households/{home.household}/safety").json
        return body

    assert (standing()["supply_stopped"], standing()["last_check_id"]) == (False, None)
    recorded(inspector, home, items=answers(cylinder_upright={}))
    assert (standing()["supply_stopped"], len(standing()["open_hazards"])) == (False, 1)
    refused = recorded(inspector, home, refused=True, items=[], user_signed=False)
    now = standing()
    assert (now["supply_stopped"], now["inspection_refused"]) == (True, True)
    assert now["last_check_id"] == refused["id"]


# --- the notice ---------------------------------------------------------------------------------------------


def test_a_notice_signed_at_the_door_is_proved_by_that_signature(home: Home, inspector: Person) -> None:
    notice = told(inspector, home, user_signature_sha256=USER)
    [receipt] = notice["receipts"]
    assert (receipt["received_how"], receipt["signature_sha256"]) == ("signed", USER)
    assert receipt["received_at"] == "2024-06-12T08:30:00.000+08:00"


def test_a_notice_that_is_only_said_to_be_signed_stands_on_the_list(
    town: Town, home: Home, inspector: Person, clerk: Person
) -> None:
    unproven = told(inspector, home)
    told(inspector, town.home(), user_signature_sha256=USER)
    recorded(inspector, town.home(), items=answers(cylinder_upright={}))

    def listed(proof: str) -> list[str]:
        return [one["id"] for one in clerk.get(f"{DISTRICT}/hazards", notice=proof).json["items"]]

    assert listed("unproven") == [unproven["hazard_id"]]
    assert (len(listed("proven")), listed("missing")) == (1, [])
    address = f"{DISTRICT}/notices/{unproven['id']}/receipts"
    done = clerk.post(address, {"received_how": "signed", "signature_sha256": USER})
    assert done.status_code == 201, done.text
    assert (listed("unproven"), len(listed("proven"))) == ([], 2)


def test_a_refusal_to_sign_needs_a_witness(home: Home, inspector: Person, clerk: Person, db: Session) -> None:
    notice = told(inspector, home, user_signed=False)
    assert (notice["received_how"], notice["receipts"]) == ("refused_to_sign", [])
    address = f"{DISTRICT}/notices/{notice['id']}/receipts"
    assert pointers(clerk.post(address, {"received_how": "refused_to_sign"})) == ["/witness"]
    half = {"received_how": "refused_to_sign", "witness": "committee"}
    assert pointers(clerk.post(address, half)) == ["/witness"]
    assert not list(db.scalars(sa.select(NoticeReceipt)))
    done = clerk.post(address, half | {"witness_sha256": WITNESS})
    assert [one["witness"] for one in done.json["receipts"]] == ["committee"]
    assert not list(verify(db))


def test_the_resident_confirms_on_their_own_page_and_nobody_for_them(
    home: Home, inspector: Person, clerk: Person, resident: Person
) -> None:
    address = f"{DISTRICT}/notices/{told(inspector, home, user_signed=False, **from_afar())['id']}/receipts"
    opened = {"received_how": "electronic"}
    assert pointers(clerk.post(address, opened)) == ["/received_how"]
    assert pointers(resident.post(address, {"received_how": "signed", "signature_sha256": USER})) == [
        "/received_how"
    ]
    done = resident.post(address, opened)
    assert (done.status_code, done.json["receipts"][0]["received_at"]) == (
        201,
        "2024-06-12T09:00:00.000+08:00",
    )
    [hazard] = resident.get(f"{DISTRICT}/hazards").json["items"]
    assert hazard["notice_proof"] == "proven"


def test_a_notice_says_what_was_found_on_what_ground_and_what_follows(
    home: Home, inspector: Person, resident: Person
) -> None:
    long_hose = answers(hose_length={"measured": 2300})
    [hazard] = recorded(inspector, home, items=long_hose)["hazards"]
    text = resident.get(f"{DISTRICT}/notices/{hazard['notices'][0]['id']}").json
    assert (text["item"], text["measured"], text["most"], text["unit"]) == ("hose_length", 2300, 2000, "mm")
    assert text["basis"]["article"] == "第13项"
    assert "2024年6月19日" in text["demand"]["zh"]
    assert "停止供应" in text["consequence"]["zh"]
    assert "No gas" in text["consequence"]["en"]
    assert text["way_out"]["zh"]


def test_another_household_reads_and_confirms_no_notice_of_this_one(
    town: Town, home: Home, inspector: Person, desk: Desk
) -> None:
    notice = told(inspector, home)["id"]
    neighbour = desk.sign_in(Role.RESIDENT, person=town.home().person)
    assert neighbour.get(f"{DISTRICT}/notices/{notice}").status_code == 404
    opened = neighbour.post(f"{DISTRICT}/notices/{notice}/receipts", {"received_how": "electronic"})
    assert opened.status_code == 404
    assert neighbour.get(f"{DISTRICT}/hazards").json["items"] == []

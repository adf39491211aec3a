"""Bottled gas where it may not be: found, notified with a day, cleared by then or by several departments."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from core import clock
from core.auth import Role
from core.ground import Ground
from registry.models import Household
from registry.premises_models import BannedUse
from registry.states import BannedUseState
from tests.cast import MIDDLE, Cast, made
from tests.desk import Person
from tests.registry.proofs import codes, count, entries, faults, reasons_of, was_refused

DEADLINE = date(2024, 6, 27)
"""Fifteen days after the day of the tests."""


def seen(**changed: Any) -> dict[str, Any]:
    return {
        "kind": "garage",
        "point": MIDDLE,
        "street_code": "310105001",
        "committee_code": "310105001001",
        "found_on": "2024-06-12",
        "evidence": "PIC-7",
    } | changed


@pytest.fixture
def inspector(cast: Cast) -> Person:
    """Of the street, not who reported."""
    return cast.desk.sign_in(Role.REGULATOR, cast.district, street="310105001")


def reported(cast: Cast, **changed: Any) -> str:
    return str(made(cast.clerk.post(cast.at("banned-uses"), seen(**changed)))["id"])


def state_of(ground: Ground, use_id: str) -> BannedUseState:
    with ground.sessions() as db:
        return db.get_one(BannedUse, (310105, UUID(use_id))).state


def test_what_is_gone_by_its_day_is_cleared(cast: Cast, ground: Ground, inspector: Person) -> None:
    users = cast.household()
    at = cast.at(f"banned-uses/{reported(cast, household_id=str(users.household_id))}")
    told = made(inspector.post(f"{at}/notices", {"notice_no": "TZ-1"}))
    assert (told["state"], told["notified_on"], told["deadline_on"], told["is_overdue"]) == (
        "told",
        "2024-06-12",
        "2024-06-27",
        False,
    )
    gone = made(inspector.post(f"{at}/clearings", {"evidence": "PIC-8"}))
    assert (gone["state"], gone["closing_evidence"], gone["closed_on"]) == ("cleared", "PIC-8", "2024-06-12")
    assert [
        entries(ground, f"banned_use.{verb}")[0]["outcome"] for verb in ("report", "notify", "clear")
    ] == ["done"] * 3


def test_departments_go_together_only_after_the_day_is_over(
    cast: Cast, ground: Ground, inspector: Person
) -> None:
    use_id = reported(cast)
    at = cast.at(f"banned-uses/{use_id}")
    made(inspector.post(f"{at}/notices", {"notice_no": "TZ-1"}))
    together = {"departments": ["fire", "town"]}
    with clock.standing_at(clock.at(DEADLINE)):
        answer = inspector.post(f"{at}/joint-clearings", together)
        [reason] = reasons_of(answer)
        assert (reason["code"], reason["rule"]) == ("banned_use.not_overdue", "B01")
        assert was_refused(ground, "banned_use.clear_jointly", answer)
        assert state_of(ground, use_id) is BannedUseState.TOLD
    with clock.standing_at(clock.at(date(2024, 6, 28))):
        [late] = inspector.get(cast.at("banned-uses"), state="told").get_json()["items"]
        assert late["is_overdue"] is True
        assert made(inspector.post(f"{at}/joint-clearings", together))["joint_with"] == ["fire", "town"]
        assert made(inspector.post(f"{at}/clearings", {"evidence": "PIC-9"}))["state"] == "cleared"


def test_nobody_goes_together_without_a_notice_and_nothing_is_cleared_twice(
    cast: Cast, ground: Ground, inspector: Person
) -> None:
    use_id = reported(cast)
    at = cast.at(f"banned-uses/{use_id}")
    joint = inspector.post(f"{at}/joint-clearings", {"departments": ["fire", "town"]})
    assert codes(joint) == ["state.move_not_allowed"]
    assert codes(inspector.post(f"{at}/clearings", {"evidence": "PIC-8"})) == ["state.move_not_allowed"]
    made(inspector.post(f"{at}/dismissals", {"evidence": "PIC-8"}))
    assert codes(inspector.post(f"{at}/notices", {"notice_no": "TZ-1"})) == ["state.move_not_allowed"]
    assert state_of(ground, use_id) is BannedUseState.DISMISSED


def test_who_reported_it_does_not_close_it(cast: Cast, ground: Ground, inspector: Person) -> None:
    use_id = made(inspector.post(cast.at("banned-uses"), seen()))["id"]
    at = cast.at(f"banned-uses/{use_id}")
    answer = inspector.post(f"{at}/dismissals", {"evidence": "PIC-8"})
    assert codes(answer) == ["banned_use.own_report"]
    assert was_refused(ground, "banned_use.dismiss", answer)
    assert state_of(ground, use_id) is BannedUseState.FOUND
    made(cast.regulator.post(f"{at}/dismissals", {"evidence": "PIC-8"}))


def test_a_notice_number_is_used_once(cast: Cast, inspector: Person) -> None:
    one, other = reported(cast), reported(cast)
    made(inspector.post(cast.at(f"banned-uses/{one}/notices"), {"notice_no": "TZ-1"}))
    again = inspector.post(cast.at(f"banned-uses/{other}/notices"), {"notice_no": "TZ-1"})
    assert codes(again) == ["banned_use.notice_taken"]


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"point": {"lon": 121.4, "lat": 31.2}}, ("/point/datum", "required")),
        ({"kind": "balloon"}, ("/kind", "word")),
        ({"found_on": "2024-06-13"}, ("/found_on", "future")),
        ({"street_code": "310118001"}, ("/street_code", "not_here")),
        ({"household_id": str(UUID(int=1))}, ("/household_id", "unknown")),
        ({"evidence": "照片"}, ("/evidence", "pattern")),
    ],
)
def test_a_report_that_cannot_be_is_a_wrong_field(
    cast: Cast, ground: Ground, changed: dict[str, Any], fault: tuple[str, str]
) -> None:
    assert faults(cast.clerk.post(cast.at("banned-uses"), seen(**changed))) == [fault]
    assert (count(ground, BannedUse), count(ground, Household)) == (0, 0)


def test_a_joint_clearing_is_of_two_different_departments(cast: Cast, inspector: Person) -> None:
    path = cast.at(f"banned-uses/{reported(cast)}/joint-clearings")
    for departments, code in ((["fire"], "length"), (["fire", "fire"], "twice")):
        [(pointer, said)] = faults(inspector.post(path, {"departments": departments}))
        assert (pointer, said) == ("/departments", code)


def test_another_street_neither_sees_nor_settles_it(cast: Cast, ground: Ground, inspector: Person) -> None:
    use_id = reported(cast)
    stranger = cast.desk.sign_in(Role.REGULATOR, cast.district, street="310105002")
    assert stranger.get(cast.at("banned-uses")).get_json()["items"] == []
    notice = stranger.post(cast.at(f"banned-uses/{use_id}/notices"), {"notice_no": "TZ-1"})
    assert notice.status_code == 404
    assert cast.clerk.post(cast.at(f"banned-uses/{use_id}/notices"), {"notice_no": "TZ-1"}).status_code == 403
    assert [one["id"] for one in inspector.get(cast.at("banned-uses")).get_json()["items"]] == [use_id]
    assert state_of(ground, use_id) is BannedUseState.FOUND

"""A hazard closes only when another person has looked again; claimed mending lifts nothing."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import Role
from dispatch.safety.models import Hazard
from dispatch.safety.states import HazardState
from evidence.models import Entry, Outcome
from rulebook.models import Decision
from tests.conftest import THE_DAY
from tests.desk import Desk, Person
from tests.dispatch.checklist import answers, check
from tests.dispatch.town import Home, Town, codes, pointers

DISTRICT = "/api/v1/districts/310105"


@pytest.fixture
def home(town: Town) -> Home:
    return town.home()


@pytest.fixture
def finder(desk: Desk) -> Person:
    return desk.sign_in(Role.REGULATOR)


@pytest.fixture
def second(desk: Desk) -> Person:
    return desk.sign_in(Role.REGULATOR)


@pytest.fixture
def clerk(desk: Desk, town: Town) -> Person:
    return desk.sign_in(Role.CLERK, firm=town.firm)


def found(finder: Person, home: Home, **failed: dict[str, Any]) -> str:
    done = finder.post(f"{DISTRICT}/checks", check(home.household, items=answers(**failed)))
    assert done.status_code == 201, done.text
    [hazard] = done.json["hazards"]
    identity: str = hazard["id"]
    return identity


def claim(clerk: Person, hazard: str) -> Any:
    return clerk.post(f"{DISTRICT}/hazards/{hazard}/mendings")


def recheck(who: Person, home: Home, **change: Any) -> str:
    """A re-check a day later, everything in order."""
    later = {"reason": "recheck", "checked_at": "2024-06-13T08:00:00.000+08:00"}
    with clock.standing_at(THE_DAY + timedelta(days=1)):
        done = who.post(f"{DISTRICT}/checks", check(home.household, **later | change))
    assert done.status_code == 201, done.text
    identity: str = done.json["id"]
    return identity


def close(who: Person, hazard: str, check_id: str) -> Any:
    with clock.standing_at(THE_DAY + timedelta(days=1)):
        return who.post(f"{DISTRICT}/hazards/{hazard}/closings", {"check_id": check_id})


def test_told_mended_rechecked_by_another_and_closed(
    home: Home, finder: Person, second: Person, clerk: Person, db: Session
) -> None:
    hazard = found(finder, home, leak_test={})
    assert claim(clerk, hazard).json["state"] == "mended"
    done = close(second, hazard, recheck(second, home))
    assert (done.status_code, done.json["state"]) == (201, "closed")
    row = db.scalars(sa.select(Hazard)).one()
    assert row.closed_by == second.principal_id
    decision = db.scalars(sa.select(Decision)).one()
    assert (decision.gate, decision.allowed) == ("hazard.close", True)


def test_a_hazard_that_stops_nothing_is_told_by_the_clerk(home: Home, finder: Person, clerk: Person) -> None:
    hazard = found(finder, home, cylinder_upright={})
    assert codes(claim(clerk, hazard)) == ["state.move_not_allowed"]
    told = clerk.post(f"{DISTRICT}/hazards/{hazard}/notices", {"received_how": "electronic"})
    assert (told.status_code, told.json["state"]) == (201, "told")
    assert claim(clerk, hazard).json["state"] == "mended"


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"reason": "survey"}, ["hazard.not_rechecked"]),
        ({"items": answers(leak_test={})}, ["hazard.item_not_passed"]),
        ({"checked_at": "2024-06-12T08:59:00.000+08:00"}, ["hazard.rechecked_too_early"]),
        ({"refused": True, "items": []}, ["hazard.item_not_passed"]),
    ],
)
def test_what_does_not_close_a_hazard(
    home: Home,
    finder: Person,
    second: Person,
    clerk: Person,
    db: Session,
    change: dict[str, Any],
    refused: list[str],
) -> None:
    hazard = found(finder, home, leak_test={})
    claim(clerk, hazard)
    assert codes(close(second, hazard, recheck(second, home, **change))) == refused
    assert db.scalars(sa.select(Hazard)).one().state is not HazardState.CLOSED
    entry = db.scalars(sa.select(Entry).order_by(Entry.recorded_at.desc(), Entry.id.desc())).first()
    assert entry is not None
    assert (entry.verb, entry.outcome) == ("hazard.close", Outcome.REFUSED)
    assert [one.allowed for one in db.scalars(sa.select(Decision))] == [False]


def test_another_household_s_re_check_closes_nothing(
    town: Town, home: Home, finder: Person, second: Person, clerk: Person
) -> None:
    hazard = found(finder, home, leak_test={})
    claim(clerk, hazard)
    assert codes(close(second, hazard, recheck(second, town.home()))) == ["hazard.not_rechecked"]


def test_who_found_it_neither_rechecks_nor_closes_it(
    home: Home, finder: Person, second: Person, clerk: Person
) -> None:
    hazard = found(finder, home, leak_test={})
    claim(clerk, hazard)
    assert codes(close(second, hazard, recheck(finder, home))) == ["hazard.same_person"]
    assert codes(close(finder, hazard, recheck(second, home))) == ["hazard.same_person"]


def test_every_reason_is_said_at_once(home: Home, finder: Person, clerk: Person) -> None:
    hazard = found(finder, home, leak_test={})
    claim(clerk, hazard)
    early = "2024-06-12T08:40:00.000+08:00"
    shown = recheck(finder, home, reason="survey", items=answers(leak_test={}), checked_at=early)
    assert codes(close(finder, hazard, shown)) == [
        "hazard.not_rechecked",
        "hazard.item_not_passed",
        "hazard.rechecked_too_early",
        "hazard.same_person",
    ]


def test_a_hazard_nobody_claims_to_have_mended_does_not_close(
    home: Home, finder: Person, second: Person
) -> None:
    hazard = found(finder, home, leak_test={})
    assert codes(close(second, hazard, recheck(second, home))) == ["hazard.rechecked_too_early"]


def test_found_again_the_claim_is_rejected(home: Home, finder: Person, second: Person, clerk: Person) -> None:
    hazard = found(finder, home, leak_test={})
    claim(clerk, hazard)
    recheck(second, home, items=answers(leak_test={}))
    assert clerk.get(f"{DISTRICT}/hazards/{hazard}").json["state"] == "told"


def test_what_was_seen_before_the_claim_and_comes_in_later_rejects_nothing(
    home: Home, finder: Person, second: Person, clerk: Person
) -> None:
    hazard = found(finder, home, leak_test={})
    with clock.standing_at(THE_DAY + timedelta(hours=30)):
        claim(clerk, hazard)
    with clock.standing_at(THE_DAY + timedelta(hours=40)):
        seen = {"reason": "recheck", "checked_at": "2024-06-13T08:00:00.000+08:00"}
        done = second.post(f"{DISTRICT}/checks", check(home.household, items=answers(leak_test={}), **seen))
    assert done.status_code == 201, done.text
    assert clerk.get(f"{DISTRICT}/hazards/{hazard}").json["state"] == "mended"


def test_once_closed_a_new_finding_is_a_new_hazard(
    home: Home, finder: Person, second: Person, clerk: Person
) -> None:
    hazard = found(finder, home, leak_test={})
    claim(clerk, hazard)
    close(second, hazard, recheck(second, home))
    assert found(finder, home, leak_test={}) != hazard


def test_the_register_shows_each_what_is_theirs(
    town: Town, home: Home, finder: Person, clerk: Person, desk: Desk
) -> None:
    hazard = found(finder, home, leak_test={})
    street = desk.sign_in(Role.REGULATOR, street="310105006")
    elsewhere = desk.sign_in(Role.REGULATOR, street="310105001")
    stranger = desk.sign_in(Role.CLERK, firm=town.other_firm)
    for person, seen in (
        (finder, True),
        (clerk, True),
        (street, True),
        (elsewhere, False),
        (stranger, False),
    ):
        listed = person.get(f"{DISTRICT}/hazards").json["items"]
        assert [one["id"] for one in listed] == ([hazard] if seen else [])
        assert person.get(f"{DISTRICT}/hazards/{hazard}").status_code == (200 if seen else 404)
    assert claim(stranger, hazard).status_code == 404


def test_the_register_by_state_grade_and_deadline(town: Town, finder: Person, clerk: Person) -> None:
    homes = [town.home() for _ in range(3)]
    leaking = found(finder, homes[0], leak_test={})
    found(finder, homes[1], cylinder_upright={})
    found(finder, homes[2], hose_whole={})

    def count(**query: Any) -> int:
        return len(clerk.get(f"{DISTRICT}/hazards", **query).json["items"])

    assert count() == 3
    assert (count(state="told"), count(grade="general")) == (2, 1)
    assert (count(overdue_on="2024-06-12"), count(overdue_on="2024-06-13")) == (0, 1)
    [one] = clerk.get(f"{DISTRICT}/hazards", household_id=homes[0].household).json["items"]
    assert one["id"] == leaking
    first = clerk.get(f"{DISTRICT}/hazards", limit=2).json
    rest = clerk.get(f"{DISTRICT}/hazards", limit=2, cursor=first["next_cursor"]).json
    assert len({one["id"] for one in first["items"] + rest["items"]}) == 3
    assert rest["next_cursor"] is None


def test_an_unknown_check_is_a_wrong_field_and_an_unknown_hazard_is_not_there(
    home: Home, finder: Person, second: Person
) -> None:
    hazard = found(finder, home, leak_test={})
    assert pointers(close(second, hazard, str(uuid4()))) == ["/check_id"]
    assert close(second, str(uuid4()), str(uuid4())).status_code == 404

"""重点关照: why is sealed and in no entry, who may read it, and whom to visit first."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.auth import Role
from core.ground import Ground
from oversight.models import Look
from registry.models import Household
from registry.vulnerability_models import Vulnerability
from tests.cast import Cast, Users, made
from tests.desk import Desk
from tests.dispatch.checklist import check
from tests.registry.proofs import codes, count, entries, faults, was_refused

ALONE = {"ground": "elderly_alone", "since_on": "2024-06-01", "evidence": "MZ-2024/7"}


@pytest.fixture
def cast(desk: Desk) -> Cast:
    return Cast(desk)


def at(cast: Cast, users: Users) -> str:
    return cast.at(f"households/{users.household_id}/vulnerabilities")


def test_why_is_read_by_who_may_sealed_and_in_no_entry(cast: Cast, ground: Ground, db: Session) -> None:
    users = cast.household()
    listed = made(cast.clerk.post(at(cast, users), ALONE))
    row = db.scalars(sa.select(Vulnerability)).one()
    assert b"elderly" not in row.ground_sealed
    assert "elderly" not in str(entries(ground, "vulnerability.enter"))
    assert db.scalars(sa.select(Household)).one().vulnerable
    before = len(db.scalars(sa.select(Look)).all())
    answer = cast.clerk.get(at(cast, users))
    assert answer.headers["Cache-Control"] == "no-store"
    [told] = answer.json["items"]  # type: ignore[index]
    assert (told["id"], told["ground"], told["ended_on"]) == (
        listed["vulnerability_id"],
        "elderly_alone",
        None,
    )
    db.rollback()
    assert len(db.scalars(sa.select(Look)).all()) == before + 1
    assert cast.dispatcher.get(at(cast, users)).status_code == 403
    assert cast.clerk_of(cast.another_firm()).get(at(cast, users)).status_code == 404


def test_the_flag_goes_with_the_last_reason(cast: Cast, ground: Ground, db: Session) -> None:
    users = cast.household()
    first = made(cast.clerk.post(at(cast, users), ALONE))["vulnerability_id"]
    second = made(cast.clerk.post(at(cast, users), ALONE | {"ground": "disabled"}))["vulnerability_id"]

    def flag() -> bool:
        db.rollback()
        return db.scalars(sa.select(Household.vulnerable)).one()

    made(cast.clerk.post(f"{at(cast, users)}/{first}/ends", {}))
    assert flag()
    made(cast.clerk.post(f"{at(cast, users)}/{second}/ends", {}))
    assert not flag()
    again = cast.clerk.post(f"{at(cast, users)}/{second}/ends", {})
    assert codes(again) == ["vulnerability.ended"]
    assert was_refused(ground, "vulnerability.end", again)
    assert cast.clerk.post(f"{at(cast, users)}/{uuid4()}/ends", {}).status_code == 404
    assert cast.clerk.post(f"{at(cast, cast.household())}/{first}/ends", {}).status_code == 404


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"ground": "rich"}, "/ground"),
        ({"ground": None}, "/ground"),
        ({"since_on": "2024-06-13"}, "/since_on"),
        ({"since_on": "June"}, "/since_on"),
        ({"evidence": "老人独居"}, "/evidence"),
        ({"why": "age"}, "/why"),
    ],
)
def test_bad_input_lists_nobody(cast: Cast, ground: Ground, changed: dict[str, Any], wrong: str) -> None:
    users = cast.household()
    assert [pointer for pointer, _ in faults(cast.clerk.post(at(cast, users), ALONE | changed))] == [wrong]
    assert count(ground, Vulnerability) == 0
    assert entries(ground, "vulnerability.enter") == []


def test_who_was_never_checked_is_visited_first(cast: Cast, desk: Desk) -> None:
    """Then who was checked longest ago; who is on no list is in no queue; a refused check is none."""
    never, lately, refused, not_listed = (cast.household() for _ in range(4))
    for users in (never, lately, refused):
        made(cast.clerk.post(at(cast, users), ALONE))
    for users, more in ((lately, {}), (not_listed, {}), (refused, {"refused": True, "items": []})):
        said = check(users.household_id, **more) | ({"user_signed": False, "briefed": False} if more else {})
        made(cast.regulator.post(cast.at("checks"), said))
    items = cast.clerk.get(cast.at("first-visits")).json["items"]  # type: ignore[index]
    assert {one["household_id"] for one in items[:2]} == {str(never.household_id), str(refused.household_id)}
    assert [one["household_id"] for one in items[2:]] == [str(lately.household_id)]
    assert (items[0]["last_checked_at"], items[0]["is_due"]) == (None, True)
    assert (items[2]["due_on"], items[2]["is_due"]) == (str(date(2024, 9, 10)), False)
    assert all("ground" not in one for one in items)
    elsewhere = desk.sign_in(Role.REGULATOR, cast.district, street="310105999")
    assert elsewhere.get(cast.at("first-visits")).json == {"items": []}
    assert cast.clerk_of(cast.another_firm()).get(cast.at("first-visits")).json == {"items": []}

"""清零与零新增: the curve of each street, who came under the bar, and plans of conversion."""

import csv
import io
import re
from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from core import clock, sessions
from core.auth import Role
from core.ground import Ground
from core.sessions import SignedInBy
from registry.clear_out import MonthOf, _foreseen
from registry.conversion_models import ConversionHome, ConversionPlan
from registry.models import Account, AccountOrigin
from tests.cast import CHANGNING, Cast, Users, made
from tests.registry.proofs import codes, count, entries, faults, was_refused

STREET, OTHER = "310105001", "310105002"


def standing(ground: Ground, users: Users, **columns: Any) -> Users:
    """As it had been opened on another day, or another way."""
    with ground.sessions() as db:
        account = db.get_one(Account, (CHANGNING, users.account_id))
        for name, value in columns.items():
            setattr(account, name, value)
        db.commit()
    return users


def closed(cast: Cast, users: Users, on: date, reason: str) -> None:
    with clock.standing_at(clock.at(on)):
        path = cast.at(f"accounts/{users.account_id}/closings")
        made(cast.clerk.post(path, {"reason": reason, "evidence": "TH-1"}))


@pytest.fixture
def homes(cast: Cast, ground: Ground) -> list[Users]:
    """Four homes of 2022; the third in another street."""
    places = [{}, {}, {"street_code": OTHER, "committee_code": f"{OTHER}001"}, {}]
    return [cast.household(**place) for place in places]


def curve(answer: TestResponse) -> dict[str, list[tuple[str, int, int, int]]]:
    assert answer.status_code == 200, answer.text
    body: Any = answer.get_json()
    return {
        street["street_code"]: [
            (row["month"], row["open"], row["opened"], row["closed"]) for row in street["months"]
        ]
        for street in body["streets"]
    }


def test_each_street_has_its_curve_with_who_came_and_who_went(
    cast: Cast, homes: list[Users], ground: Ground
) -> None:
    standing(ground, homes[3], opened_on=date(2024, 4, 30), applied_on=date(2023, 7, 30))
    standing(ground, homes[3], origin=AccountOrigin.OPENED)
    closed(cast, homes[0], date(2024, 4, 30), "piped_gas")
    closed(cast, homes[2], date(2024, 6, 1), "moved")
    answer = cast.regulator.get(cast.at("clear-out"), from_month="2024-03", until_month="2024-06")
    assert curve(answer) == {
        STREET: [("2024-03", 2, 0, 0), ("2024-04", 2, 1, 1), ("2024-05", 2, 0, 0), ("2024-06", 2, 0, 0)],
        OTHER: [("2024-03", 1, 0, 0), ("2024-04", 1, 0, 0), ("2024-05", 1, 0, 0), ("2024-06", 0, 0, 1)],
    }
    body: Any = answer.get_json()
    assert body["barred_since"] == "2023-08-01"
    [came] = body["came"]
    assert (came["household_id"], came["because"]) == (str(homes[3].household_id), "applied_before")
    assert body["streets"][0]["months"][1]["closed_by"] == [{"reason": "piped_gas", "closed": 1}]
    one = cast.regulator.get(cast.at("clear-out"), street_code=OTHER)
    assert list(curve(one)) == [OTHER]
    assert len(curve(one)[OTHER]) == 12


@pytest.mark.parametrize(
    ("columns", "because"),
    [
        ({"origin": AccountOrigin.IMPORTED}, "imported"),
        ({"origin": AccountOrigin.OPENED, "applied_on": date(2023, 7, 31)}, "applied_before"),
        ({"origin": AccountOrigin.OPENED, "applied_on": date(2023, 8, 1)}, "unexplained"),
    ],
)
def test_each_account_that_came_under_the_bar_is_named_with_what_explains_it(
    cast: Cast, ground: Ground, columns: dict[str, Any], because: str
) -> None:
    standing(ground, cast.household(), opened_on=date(2023, 8, 1), **columns)
    standing(ground, cast.household(), opened_on=date(2023, 7, 31))
    [came] = cast.regulator.get(cast.at("clear-out")).json["came"]  # type: ignore[index]
    assert came["because"] == because


def test_what_is_foreseen_is_the_pace_of_the_last_months() -> None:
    def rows(*open_at: int) -> list[MonthOf]:
        pairs = zip([open_at[0], *open_at], open_at, strict=False)
        return [MonthOf(month, now, 0, before - now, {}) for before, now in pairs]

    day, month = date(2024, 6, 12), date(2024, 6, 1)
    assert _foreseen(rows(10, 8, 6), day) == date(2024, 10, 25)
    assert _foreseen(rows(6, 6, 6), day) is None
    assert _foreseen(rows(2, 1, 0), day) == day
    assert _foreseen(rows(100, 0, 5, 5, 5, 5, 5, 5), day) is None
    assert _foreseen(rows(100_000, 99_999), day) is None, "so slow that no calendar reaches it"
    month = date(2024, 2, 1)
    assert _foreseen(rows(10, 8, 6), day) == date(2024, 7, 13), "seen from the end of the last month shown"


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ({"from_month": "2024-07"}, "/from_month"),
        ({"until_month": "2024-07"}, "/until_month"),
        ({"from_month": "2019-01"}, "/from_month"),
        ({"from_month": "June"}, "/from_month"),
        ({"street_code": "天山路"}, "/street_code"),
        ({"day": "2024-06-12"}, "/day"),
    ],
)
def test_months_that_are_none_are_refused_by_name(cast: Cast, query: dict[str, str], wrong: str) -> None:
    [(pointer, _)] = faults(cast.regulator.get(cast.at("clear-out"), **query))
    assert pointer.endswith(wrong)


# --- conversion plans -------------------------------------------------------------------------------------


def plan_body(**changed: Any) -> dict[str, Any]:
    return {
        "plan_no": "GZ-2024-1",
        "street_code": STREET,
        "target": "piped_gas",
        "starts_on": "2024-06-01",
        "due_on": "2024-12-31",
    } | changed


def test_a_plan_is_about_its_street_s_accounts_and_done_when_none_is_left(
    cast: Cast, homes: list[Users], ground: Ground
) -> None:
    plan = made(cast.regulator.post(cast.at("conversions"), plan_body()))
    assert (plan["state"], plan["homes"], plan["left"], plan["is_late"]) == ("announced", 3, 3, False)
    at = cast.at(f"conversions/{plan['id']}")
    early = cast.regulator.post(f"{at}/finishes", {})
    assert codes(early) == ["state.move_not_allowed"]
    made(cast.regulator.post(f"{at}/beginnings", {}))
    early = cast.regulator.post(f"{at}/finishes", {})
    assert codes(early) == ["conversion.homes_left"]
    assert was_refused(ground, "conversion.finish", early)
    for users, reason in ((homes[0], "piped_gas"), (homes[1], "moved"), (homes[3], "piped_gas")):
        closed(cast, users, date(2024, 6, 12), reason)
    done = made(cast.regulator.post(f"{at}/finishes", {}))
    assert (done["state"], done["left"], done["ended_on"]) == ("converted", 0, "2024-06-12")
    assert sorted(one["as_planned"] for one in done["items"]) == [False, True, True]
    [street, _] = cast.regulator.get(cast.at("clear-out")).json["streets"]  # type: ignore[index]
    assert (street["planned_on"], street["is_behind"], street["open"]) == ("2024-12-31", False, 0)


def test_a_plan_names_its_homes_or_takes_those_of_a_committee(
    cast: Cast, homes: list[Users], ground: Ground
) -> None:
    named = [str(homes[0].household_id)]
    plan = made(cast.regulator.post(cast.at("conversions"), plan_body(household_ids=named)))
    assert [one["household_id"] for one in plan["items"]] == named
    again = cast.regulator.post(cast.at("conversions"), plan_body())
    assert codes(again) == ["conversion.number_taken"]
    nobody = plan_body(plan_no="GZ-2", committee_code=f"{STREET}999")
    assert codes(cast.regulator.post(cast.at("conversions"), nobody)) == ["conversion.of_nobody"]
    made(cast.regulator.post(cast.at(f"conversions/{plan['id']}/drops"), {}))
    assert (count(ground, ConversionPlan), count(ground, ConversionHome)) == (1, 1)
    with clock.standing_at(clock.at(date(2025, 1, 1))):
        later = made(cast.regulator.post(cast.at("conversions"), plan_body(plan_no="GZ-3")))
        [dropped, late] = cast.regulator.get(cast.at("conversions")).json["items"]  # type: ignore[index]
    assert (dropped["is_late"], late["id"], late["is_late"]) == (False, later["id"], True)


def test_a_page_of_plans_is_counted_in_one_statement(cast: Cast, homes: list[Users], ground: Ground) -> None:
    """It was two statements for each plan of the page."""
    for number in range(3):
        made(cast.regulator.post(cast.at("conversions"), plan_body(plan_no=f"GZ-{number}")))
    told: list[str] = []

    def hear(_: Any, __: Any, statement: str, *___: Any) -> None:
        told.append(statement)

    engine: Any = ground.sessions.kw["bind"]
    sa.event.listen(engine, "before_cursor_execute", hear)
    try:
        items = cast.regulator.get(cast.at("conversions")).json["items"]  # type: ignore[index]
    finally:
        sa.event.remove(engine, "before_cursor_execute", hear)
    assert [one["homes"] for one in items] == [3, 3, 3]
    assert len([one for one in told if "conversion_home" in one]) == 1


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"street_code": "310118001"}, "/street_code"),
        ({"committee_code": f"{OTHER}001"}, "/committee_code"),
        ({"target": "coal"}, "/target"),
        ({"due_on": "2024-05-31"}, "/due_on"),
        ({"household_ids": [str(uuid4())]}, "/household_ids/0"),
        ({"household_ids": []}, "/household_ids"),
        ({"plan_no": ""}, "/plan_no"),
        ({"colour": "blue"}, "/colour"),
    ],
)
def test_bad_input_enters_no_plan(
    cast: Cast, homes: list[Users], ground: Ground, changed: dict[str, Any], wrong: str
) -> None:
    assert faults(cast.regulator.post(cast.at("conversions"), plan_body(**changed)))[0][0] == wrong
    assert (count(ground, ConversionPlan), entries(ground, "conversion.enter")) == (0, [])


def test_a_street_s_regulator_sees_and_enters_that_street_alone(cast: Cast, homes: list[Users]) -> None:
    other = cast.desk.sign_in(Role.REGULATOR, street=OTHER)
    plan = made(cast.regulator.post(cast.at("conversions"), plan_body()))
    assert list(curve(other.get(cast.at("clear-out")))) == [OTHER]
    assert other.get(cast.at(f"conversions/{plan['id']}")).status_code == 404
    assert other.get(cast.at("conversions")).json["items"] == []  # type: ignore[index]
    assert other.post(cast.at("conversions"), plan_body(plan_no="GZ-2")).status_code == 404
    made(other.post(cast.at("conversions"), plan_body(plan_no="GZ-3", street_code=OTHER)))


# --- the pages --------------------------------------------------------------------------------------------


class Desktop:
    """The regulator's browser."""

    def __init__(self, app: Flask, ground: Ground, principal_id: UUID):
        self.client = app.test_client()
        secret = sessions.open_session(ground, principal_id, SignedInBy.PASSWORD_AND_CODE)
        signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
        self.client.set_cookie("lpg", signer.dumps({"secret": secret}))

    def get(self, path: str = "") -> TestResponse:
        return self.client.get(f"/oversight/clear-out/{path}")

    def post(self, path: str, form: Mapping[str, str]) -> TestResponse:
        token = re.findall(r'name="csrf_token" value="([^"]+)"', self.get("plans").text)[0]
        body = {"csrf_token": token, "form_key": uuid4().hex, **form}
        return self.client.post(f"/oversight/clear-out/{path}", data=body)


def test_the_page_draws_the_curve_says_it_in_numbers_and_gives_a_file(
    app: Flask, cast: Cast, homes: list[Users], ground: Ground
) -> None:
    desktop = Desktop(app, ground, cast.regulator.principal_id)
    page = desktop.get("?from_month=2024-05&until_month=2024-06").text
    assert page.count("<polyline") == 2
    assert "<script" in page
    assert "没有新开户" in page
    assert desktop.get("?from_month=never").status_code == 422
    answer = desktop.get("sheet?from_month=2024-05&until_month=2024-06")
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8").removeprefix("\ufeff"))))
    assert rows[0][:5] == ["街镇", "月份", "月末在册", "新开", "退户"]
    assert rows[1][:5] == [STREET, "2024年05月", "3", "0", "0"]
    assert len(rows) == 5


def test_a_plan_is_entered_begun_and_not_finished_early_by_the_page(
    app: Flask, cast: Cast, homes: list[Users], ground: Ground
) -> None:
    desktop = Desktop(app, ground, cast.regulator.principal_id)
    assert desktop.post("plans", plan_body(due_on="")).status_code == 422
    gone = desktop.post("plans", plan_body())
    at = gone.headers["Location"].removeprefix("/oversight/clear-out/")
    assert desktop.post(f"{at}/beginnings", {}).status_code == 302
    refused = desktop.post(f"{at}/finishes", {})
    assert (refused.status_code, "还有3户没有退户" in refused.text) == (409, True)
    assert "还在用" in desktop.get(at).text
    assert "GZ-2024-1" in desktop.get("plans").text

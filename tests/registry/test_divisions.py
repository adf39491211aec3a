"""What addresses are made of: streets, committees, estates and buildings, in force from a day to a day."""

from typing import Any

import pytest

from core.auth import Role
from core.ground import Ground
from registry.division_models import Division
from registry.models import Premises
from tests.cast import Cast, made
from tests.desk import Person
from tests.registry.proofs import codes, count, entries, faults, was_refused

STREET, COMMITTEE = "310105001", "310105001001"


def row(level: str, code: str, parent: str | None, **changed: Any) -> dict[str, Any]:
    return {
        "level": level,
        "code": code,
        "name": "样例",
        "parent_code": parent,
        "valid_from": "2020-01-01",
    } | changed


TOWN = [
    row("street", STREET, None),
    row("street", "LK-PARK", None),
    row("committee", COMMITTEE, STREET),
    row("committee", "310105001002", STREET, valid_until="2024-06-11"),
    row("estate", "E-1", COMMITTEE),
    row("building", "E-1-7", "E-1"),
]


def enter(who: Person, cast: Cast, *rows: dict[str, Any]) -> Any:
    return who.post(cast.at("divisions"), {"rows": list(rows)})


@pytest.fixture
def town(cast: Cast) -> list[str]:
    return [one["id"] for one in made(enter(cast.regulator, cast, *TOWN))["items"]]


def place(cast: Cast, **changed: Any) -> Any:
    return cast.clerk.post(cast.at("premises"), cast.place_body(**changed))


@pytest.mark.usefixtures("town")
def test_an_address_lies_in_what_is_in_force_today_level_by_level(cast: Cast, ground: Ground) -> None:
    whole = {"estate_code": "E-1", "building_code": "E-1-7"}
    assert place(cast, **whole).status_code == 201
    assert place(cast).status_code == 201, "estate and building need not be said"
    for wrong, fault in (
        (
            {"street_code": "310105009", "committee_code": "310105009001"},
            ("/street_code", "unknown"),
        ),
        ({"committee_code": "310105001002"}, ("/committee_code", "unknown")),
        ({"committee_code": "310105001009"}, ("/committee_code", "unknown")),
        ({"street_code": "LK-PARK"}, ("/committee_code", "not_here")),
        ({"estate_code": "E-2"}, ("/estate_code", "unknown")),
        ({"building_code": "E-1-7"}, ("/estate_code", "required")),
        ({"estate_code": "E-1", "building_code": "E-1-8"}, ("/building_code", "unknown")),
    ):
        assert faults(place(cast, **wrong)) == [fault]
    assert count(ground, Premises) == 2


def test_where_a_district_keeps_no_list_the_digits_must_nest_and_no_more(cast: Cast) -> None:
    assert place(cast, street_code="310105999", committee_code="310105999001").status_code == 201
    assert place(cast, street_code="LK-PARK", committee_code="310105001001").status_code == 201
    assert faults(place(cast, estate_code="E-1")) == [("/estate_code", "unknown")]


@pytest.mark.usefixtures("town")
def test_a_standing_home_is_located_and_its_file_says_where(cast: Cast, ground: Ground) -> None:
    users = cast.household()
    path = cast.at(f"households/{users.household_id}/locations")
    where = made(cast.clerk.post(path, {"estate_code": "E-1", "building_code": "E-1-7"}))
    assert (where["committee_code"], where["building_code"]) == (COMMITTEE, "E-1-7")
    file = cast.clerk.get(cast.at(f"households/{users.household_id}")).json
    assert file["premises"]["estate_code"] == "E-1"  # type: ignore[index]  # a JSON answer
    assert "E-1-7" not in str(entries(ground, "premises.locate")), "a building may be one family's"
    stranger = cast.desk.sign_in(Role.CLERK, firm=cast.another_firm())
    assert stranger.post(path, {"estate_code": None}).status_code == 404


def test_a_division_ends_after_its_parts_and_its_code_may_come_back(
    cast: Cast, ground: Ground, town: list[str]
) -> None:
    def end(at: int, day: str) -> Any:
        return cast.regulator.post(cast.at(f"divisions/{town[at]}/endings"), {"valid_until": day})

    refused = end(0, "2024-06-30")
    assert codes(refused) == ["division.has_parts"]
    assert was_refused(ground, "division.end", refused)
    assert faults(end(5, "2019-12-31")) == [("/valid_until", "order")]
    assert made(end(5, "2024-06-30"))["valid_until"] == "2024-06-30"
    assert codes(end(5, "2024-07-31")) == ["division.ended"]
    before = count(ground, Division)
    again = row("building", "E-1-7", "E-1", valid_from="2024-06-30")
    assert codes(enter(cast.regulator, cast, again)) == ["division.code_taken"]
    assert count(ground, Division) == before
    made(enter(cast.regulator, cast, again | {"valid_from": "2024-07-01"}))
    asked = {"level": "building", "parent_code": "E-1", "day": "2024-07-01"}
    listed = cast.clerk.get(cast.at("divisions"), **asked).json
    assert [one["valid_from"] for one in listed["items"]] == ["2024-07-01"]  # type: ignore[index]


def test_all_rows_are_entered_or_none_and_each_fault_is_named(cast: Cast, ground: Ground) -> None:
    answer = enter(
        cast.regulator,
        cast,
        row("street", STREET, None),
        row("street", "310118001", None),
        row("committee", COMMITTEE, "310105002"),
        row("committee", "310105002001", STREET),
        row("committee", "310105001003", STREET, valid_from="2019-12-31"),
    )
    assert faults(answer) == [
        ("/rows/1/code", "not_here"),
        ("/rows/2/parent_code", "unknown"),
        ("/rows/3/code", "not_here"),
        ("/rows/4/parent_code", "unknown"),
    ]
    assert count(ground, Division) == 0
    wrong = enter(cast.regulator, cast, row("street", STREET, "310105"), row("estate", "E-1", None))
    assert faults(wrong) == [("/rows/0/parent_code", "parent"), ("/rows/1/parent_code", "parent")]


def test_only_the_whole_districts_office_enters_them(cast: Cast, ground: Ground) -> None:
    street = cast.desk.sign_in(Role.REGULATOR, street=STREET)
    assert enter(street, cast, TOWN[0]).status_code == 404
    assert enter(cast.clerk, cast, TOWN[0]).status_code == 403
    assert count(ground, Division) == 0

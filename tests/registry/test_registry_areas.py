"""Areas declared free of bottled gas, exemptions from them, and what surveys leave on file."""

from typing import Any
from uuid import UUID

import pytest

from core.auth import Role
from core.geo import Datum, Point, from_wgs84
from core.ground import Ground
from registry.models import Household, Premises
from registry.premises_models import AreaExemption, FreeArea, PremisesSurvey
from tests.cast import EAST, NORTH, SOUTH, WEST, Cast, made, square
from tests.registry.proofs import codes, count, entries, faults, reasons_of, was_refused


def area(**changed: Any) -> dict[str, Any]:
    return {
        "name": "样例禁用区",
        "notice_no": "GG-2024-1",
        "datum": "wgs84",
        "outline": square(),
        "announced_on": "2024-06-12",
        "effective_on": "2024-07-12",
    } | changed


def exemption(household_id: UUID, **changed: Any) -> dict[str, Any]:
    return {
        "household_id": str(household_id),
        "ground": "no_pipe_yet",
        "document_no": "HM-1",
        "valid_from": "2024-07-12",
        "valid_until": "2024-09-30",
    } | changed


def seen(file: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    return {one["name"]: (one["seen_on"], one["evidence"]) for one in file["premises"]["seen"]}


# --- surveys ----------------------------------------------------------------------------------------------


def test_each_fact_keeps_the_day_it_was_seen_and_what_shows_it(cast: Cast, ground: Ground) -> None:
    users = cast.household()
    path = cast.at(f"households/{users.household_id}/surveys")
    body = {"bottle_place": "bedroom", "leak_alarm": False, "seen_on": "2024-06-10", "evidence": "PIC-1"}
    file = made(cast.clerk.post(path, body))
    assert (file["premises"]["bottle_place"], file["premises"]["leak_alarm"]) == ("bedroom", False)
    assert seen(file) == {"bottle_place": ("2024-06-10", "PIC-1"), "leak_alarm": ("2024-06-10", "PIC-1")}
    [entry] = entries(ground, "premises.survey")
    assert (entry["payload"]["seen_on"], entry["payload"]["evidence"]) == ("2024-06-10", "PIC-1")


def test_a_survey_entered_late_does_not_undo_what_a_later_one_saw(cast: Cast, ground: Ground) -> None:
    users = cast.household()
    path = cast.at(f"households/{users.household_id}/surveys")
    made(cast.clerk.post(path, {"rental": "not_let", "seen_on": "2024-06-10"}))
    file = made(cast.clerk.post(path, {"rental": "single_room", "crowded": True, "seen_on": "2024-06-09"}))
    assert (file["premises"]["rental"], file["premises"]["crowded"]) == ("not_let", True)
    assert seen(file)["rental"] == ("2024-06-10", None)
    assert count(ground, PremisesSurvey) == 2


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"seen_on": "2024-06-13", "lift": True}, ("/seen_on", "future")),
        ({"bottle_place": "roof"}, ("/bottle_place", "word")),
        ({"rental": "hotel"}, ("/rental", "word")),
        ({"rental_cap": -1}, ("/rental_cap", "range")),
        ({"house_code": "王家"}, ("/house_code", "pattern")),
        ({"evidence": "看见的"}, ("/evidence", "pattern")),
    ],
)
def test_a_survey_that_cannot_be_is_a_wrong_field(
    cast: Cast, ground: Ground, body: dict[str, Any], fault: tuple[str, str]
) -> None:
    users = cast.household()
    assert faults(cast.clerk.post(cast.at(f"households/{users.household_id}/surveys"), body)) == [fault]
    assert (count(ground, PremisesSurvey), entries(ground, "premises.survey")) == (0, [])


def test_an_import_without_a_datum_takes_no_place(cast: Cast, ground: Ground) -> None:
    row = cast.user_row(premises=cast.place_body(point={"lon": 121.41, "lat": 31.215}))
    [item] = made(cast.clerk.post(cast.at("user-imports"), cast.import_body([row])))["items"]
    assert (item["ok"], item["errors"][0]["pointer"]) == (False, "/premises/point/datum")
    assert (count(ground, Premises), count(ground, Household)) == (0, 0)


# --- declared areas ---------------------------------------------------------------------------------------


def test_an_area_drawn_on_a_web_map_is_kept_in_wgs84_with_its_days(cast: Cast, ground: Ground) -> None:
    ring = [list(from_wgs84(Point(lon, lat), Datum.BD09)) for lon, lat in square()["coordinates"][0]]
    drawn = {"type": "Polygon", "coordinates": [ring]}
    shown = made(cast.regulator.post(cast.at("free-areas"), area(datum="bd09", outline=drawn)))
    [[west, south], *_] = shown["outline"]["coordinates"][0]
    assert (round(west, 6), round(south, 6), shown["datum"]) == (WEST, SOUTH, "wgs84")
    assert cast.clerk.get(cast.at("free-areas")).get_json()["items"] == [shown]
    assert cast.clerk.get(cast.at("free-areas"), day="2024-06-11").get_json()["items"] == []


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"datum": None}, ("/datum", "null")),
        ({"datum": "mars"}, ("/datum", "pattern")),
        ({"outline": {"type": "Point", "coordinates": [121.4, 31.2]}}, ("/outline", "geometry.not_an_area")),
        ({"announced_on": "2024-06-13"}, ("/announced_on", "future")),
        ({"announced_on": "2024-05-01", "effective_on": "2024-06-11"}, ("/effective_on", "past")),
        ({"effective_on": "2024-06-11"}, ("/effective_on", "order")),
        ({"notice_no": "一号"}, ("/notice_no", "pattern")),
    ],
)
def test_an_area_that_cannot_be_is_a_wrong_field(
    cast: Cast, ground: Ground, changed: dict[str, Any], fault: tuple[str, str]
) -> None:
    assert faults(cast.regulator.post(cast.at("free-areas"), area(**changed))) == [fault]
    assert count(ground, FreeArea) == 0


def test_users_are_told_thirty_days_before_an_area_binds(cast: Cast, ground: Ground) -> None:
    answer = cast.regulator.post(cast.at("free-areas"), area(effective_on="2024-07-11"))
    [reason] = reasons_of(answer)
    assert (reason["code"], reason["facts"]) == (
        "area.notice_too_short",
        {"days": 29, "notice_days": 30},
    )
    assert reason["basis"]["article"] == "P14"
    assert was_refused(ground, "area.declare", answer)
    assert count(ground, FreeArea) == 0
    made(cast.regulator.post(cast.at("free-areas"), area()))


def test_one_notice_declares_one_area(cast: Cast, ground: Ground) -> None:
    made(cast.regulator.post(cast.at("free-areas"), area()))
    assert codes(cast.regulator.post(cast.at("free-areas"), area())) == ["area.notice_taken"]
    assert count(ground, FreeArea) == 1


def test_an_area_ends_once_and_not_in_the_past(cast: Cast, ground: Ground) -> None:
    path = cast.at(f"free-areas/{made(cast.regulator.post(cast.at('free-areas'), area()))['id']}/end")
    assert faults(cast.regulator.post(path, {"ended_on": "2024-06-11"})) == [("/ended_on", "past")]
    ended = cast.regulator.post(path, {"ended_on": "2024-06-12"})
    assert (ended.status_code, ended.get_json()["ended_on"]) == (200, "2024-06-12")
    assert codes(cast.regulator.post(path, {"ended_on": "2024-06-20"})) == ["area.ended"]


def test_only_a_place_inside_an_area_is_exempted_from_it(cast: Cast, ground: Ground) -> None:
    inside = cast.household()
    outside = cast.household(point={"lon": EAST + 0.01, "lat": NORTH, "datum": "wgs84"})
    path = cast.at(f"free-areas/{made(cast.regulator.post(cast.at('free-areas'), area()))['id']}/exemptions")
    wrong = cast.regulator.post(path, exemption(outside.household_id))
    assert faults(wrong) == [("/household_id", "elsewhere")]
    wrong = cast.regulator.post(path, exemption(UUID(int=1)))
    assert faults(wrong) == [("/household_id", "unknown")]
    wrong = cast.regulator.post(path, exemption(inside.household_id, valid_until="2024-07-11"))
    assert faults(wrong) == [("/valid_until", "order")]
    over = exemption(inside.household_id, valid_from="2024-01-01", valid_until="2024-06-11")
    assert faults(cast.regulator.post(path, over)) == [("/valid_until", "past")]
    assert count(ground, AreaExemption) == 0
    made(cast.regulator.post(path, exemption(inside.household_id)))
    [entry] = entries(ground, "area.exempt")
    assert (entry["payload"]["ground"], count(ground, AreaExemption)) == ("no_pipe_yet", 1)


def test_a_street_a_firm_and_another_district_declare_nothing(cast: Cast, ground: Ground) -> None:
    standing = made(cast.regulator.post(cast.at("free-areas"), area()))["id"]
    street = cast.desk.sign_in(Role.REGULATOR, cast.district, street="310105006")
    elsewhere = Cast(cast.desk, 310118).regulator
    assert street.post(cast.at("free-areas"), area(notice_no="GG-2")).status_code == 404
    assert street.post(cast.at(f"free-areas/{standing}/end"), {"ended_on": "2024-06-12"}).status_code == 404
    assert elsewhere.post(cast.at("free-areas"), area(notice_no="GG-2")).status_code == 404
    assert cast.clerk.post(cast.at("free-areas"), area(notice_no="GG-2")).status_code == 403
    assert count(ground, FreeArea) == 1

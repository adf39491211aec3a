"""Zone sets: datum, overlap, versions, and the zone of a place on a day."""

from datetime import date
from typing import Any

import pytest

from core import clock
from core.auth import Role
from core.geo import Datum, Point, from_wgs84
from core.ground import Ground
from registry import zone_queries
from registry.models import Zone, ZoneSet
from tests.cast import EAST, NORTH, SOUTH, WEST, Cast, made, square
from tests.registry.proofs import codes, count, faults, reasons_of, was_refused

HALF = (WEST + EAST) / 2


def two_zones(cast: Cast, west_ends: float = HALF, east_begins: float = HALF) -> list[dict[str, Any]]:
    return [
        cast.zone_body(number=1, outline=square(east=west_ends)),
        cast.zone_body(number=2, outline=square(west=east_begins)),
    ]


def publish(cast: Cast, **changed: Any) -> Any:
    return cast.dispatcher.post(cast.at("zone-sets"), cast.zone_set_body(**changed))


def number_at(ground: Ground, lon: float, lat: float, day: date = date(2024, 6, 12)) -> int | None:
    with ground.sessions() as db:
        zone = zone_queries.zone_at(db, 310105, lon, lat, day)
        return zone and zone.number


def test_the_zone_of_a_place_and_the_shared_border(cast: Cast, ground: Ground) -> None:
    made(publish(cast, zones=two_zones(cast)))
    assert number_at(ground, WEST + 0.001, 31.2) == 1
    assert number_at(ground, EAST - 0.001, 31.2) == 2
    assert number_at(ground, HALF, 31.2) == 1, "a shared border belongs to the lower number"
    assert number_at(ground, EAST + 0.001, 31.2) is None
    with ground.sessions() as db:
        assert zone_queries.zone_at(db, 310105, HALF, 31.2, date(2023, 12, 31)) is None, "not yet in force"
        assert zone_queries.zone_at(db, 310118, HALF, 31.2, date(2024, 6, 12)) is None, "another district"


def test_a_set_drawn_on_a_web_map_is_stored_in_wgs84(cast: Cast, ground: Ground) -> None:
    ring = [list(from_wgs84(Point(lon, lat), Datum.GCJ02)) for lon, lat in square()["coordinates"][0]]
    drawn = {"type": "Polygon", "coordinates": [ring]}
    answer = made(publish(cast, datum="gcj02", zones=[cast.zone_body(outline=drawn)]))
    [[west, south], *_] = answer["zones"][0]["outline"]["coordinates"][0]
    assert (round(west, 7), round(south, 7)) == (WEST, SOUTH)


def test_a_set_without_a_datum_is_a_wrong_field(cast: Cast, ground: Ground) -> None:
    body = cast.zone_set_body()
    del body["datum"]
    assert faults(cast.dispatcher.post(cast.at("zone-sets"), body)) == [("/datum", "required")]
    assert count(ground, ZoneSet) == 0


def test_zones_that_overlap_are_refused_with_both_numbers(cast: Cast, ground: Ground) -> None:
    answer = publish(cast, zones=two_zones(cast, west_ends=HALF + 0.01))
    [reason] = reasons_of(answer)
    assert reason["code"] == "zone.overlapping"
    assert (reason["facts"]["number"], reason["facts"]["other"]) == (1, 2)
    # 0.01 degrees by 0.05 degrees at 31.2 north: 951 m by 5,560 m
    assert reason["facts"]["overlap_m2"] == pytest.approx(951 * 5560, rel=0.01)
    assert (count(ground, ZoneSet), count(ground, Zone)) == (0, 0)
    assert was_refused(ground, "zone.publish", answer)


def test_a_sliver_between_two_drawings_of_one_street_is_allowed(cast: Cast, ground: Ground) -> None:
    ten_centimetres = 0.000001
    made(publish(cast, zones=two_zones(cast, west_ends=HALF + ten_centimetres)))
    assert count(ground, Zone) == 2


CROSSED = [[[121.3, 31.1], [121.4, 31.2], [121.4, 31.1], [121.3, 31.2], [121.3, 31.1]]]


@pytest.mark.parametrize(
    ("outline", "code"),
    [
        ({"type": "Point", "coordinates": [121.4, 31.2]}, "geometry.not_an_area"),
        ({"type": "Polygon", "coordinates": CROSSED}, "geometry.invalid"),
        ({"type": "Polygon", "coordinates": "x"}, "geometry.bad_coordinates"),
    ],
)
def test_a_zone_has_a_sound_outline(cast: Cast, ground: Ground, outline: dict[str, Any], code: str) -> None:
    answer = publish(cast, zones=[cast.zone_body(outline=outline)])
    assert faults(answer) == [("/zones/0/outline", code)]
    assert count(ground, ZoneSet) == 0


def test_a_zone_closes_after_it_opens(cast: Cast, ground: Ground) -> None:
    answer = publish(cast, zones=[cast.zone_body(opens_s=7 * 3600, closes_s=7 * 3600)])
    assert faults(answer) == [("/zones/0/closes_s", "order")]
    assert count(ground, ZoneSet) == 0


def test_a_zone_is_supplied_from_a_site_of_its_own_firm(cast: Cast, ground: Ground) -> None:
    station = cast.zone_body(supply_site_id=str(cast.filling_station()))
    assert faults(publish(cast, zones=[station])) == [("/zones/0/supply_site_id", "unknown")]
    rival = cast.zone_body(firm_id=str(cast.another_firm()))
    assert faults(publish(cast, zones=[rival])) == [("/zones/0/firm_id", "unknown")]
    assert count(ground, ZoneSet) == 0


def test_numbers_are_used_once_in_a_set(cast: Cast, ground: Ground) -> None:
    zones = two_zones(cast)
    zones[1]["number"] = 1
    assert faults(publish(cast, zones=zones)) == [("/zones/1/number", "twice")]
    assert count(ground, ZoneSet) == 0


def test_the_next_set_binds_from_its_day_and_the_old_one_until_then(cast: Cast, ground: Ground) -> None:
    first = made(publish(cast))
    second = made(publish(cast, valid_from="2024-07-01", zones=[cast.zone_body(number=7)]))
    assert (first["version"], second["version"]) == (1, 2)
    assert number_at(ground, HALF, 31.2, date(2024, 6, 30)) == 1
    assert number_at(ground, HALF, 31.2, date(2024, 7, 1)) == 7
    now = cast.dispatcher.get(cast.at("zone-sets/current")).get_json()
    assert now["version"] == 1
    then = cast.dispatcher.get(cast.at("zone-sets/current"), day="2024-07-01").get_json()
    assert then["version"] == 2


def test_a_second_set_is_not_backdated_and_not_from_the_same_day(cast: Cast, ground: Ground) -> None:
    made(publish(cast, valid_from="2024-06-12"))
    assert faults(publish(cast, valid_from="2024-06-11")) == [("/valid_from", "past")]
    assert codes(publish(cast, valid_from="2024-06-12")) == ["zone.day_taken"]
    assert count(ground, ZoneSet) == 1


def test_one_firm_does_not_replace_another_firms_zones(cast: Cast, ground: Ground) -> None:
    made(publish(cast))
    rival_firm = str(cast.another_firm())
    rival = cast.desk.sign_in(Role.DISPATCHER, firm=rival_firm)
    site = str(cast.site(["depot"], [], firm_id=rival_firm))
    zone = cast.zone_body(firm_id=rival_firm, supply_site_id=site)
    body = cast.zone_set_body(valid_from="2024-07-01", zones=[zone])
    answer = rival.post(cast.at("zone-sets"), body)
    assert codes(answer) == ["zone.of_another_firm"]
    assert count(ground, ZoneSet) == 1
    district = cast.granted("dispatcher", "district", "310105")
    made(district.post(cast.at("zone-sets"), body))


def test_one_firm_does_not_end_anothers_zones_before_a_later_set_of_its_own(
    cast: Cast, ground: Ground
) -> None:
    """Until July the district has two firms' zones, from July only ours: nothing of ours begins before."""
    rival_firm = str(cast.another_firm())
    site = str(cast.site(["depot"], [], firm_id=rival_firm))
    theirs = cast.zone_body(firm_id=rival_firm, supply_site_id=site)
    district = cast.granted("dispatcher", "district", "310105")
    made(district.post(cast.at("zone-sets"), cast.zone_set_body(zones=[theirs])))
    made(district.post(cast.at("zone-sets"), cast.zone_set_body(valid_from="2024-07-01")))
    assert codes(publish(cast, valid_from="2024-06-20")) == ["zone.of_another_firm"]
    assert count(ground, ZoneSet) == 2
    made(publish(cast, valid_from="2024-08-01"))


def test_no_zones_in_force_is_not_found(cast: Cast) -> None:
    cast.firm()
    assert cast.dispatcher.get(cast.at("zone-sets/current")).status_code == 404
    made(publish(cast, valid_from="2024-06-13"))
    assert cast.dispatcher.get(cast.at("zone-sets/current")).status_code == 404
    with clock.standing_at(clock.at(date(2024, 6, 13))):
        assert cast.dispatcher.get(cast.at("zone-sets/current")).status_code == 200


def test_a_border_of_the_set_belongs_to_it(cast: Cast, ground: Ground) -> None:
    made(publish(cast))
    assert number_at(ground, WEST, NORTH) == 1

"""Drafts of zones: taken in from a map with its datum, checked, published once; nobody loses a zone."""

from typing import Any

import pytest

from core.auth import Role
from core.geo import Datum, Point, area_from_geojson, from_wgs84
from core.ground import Ground
from registry.models import ZoneSet
from registry.zone_checks import STREET_M, gaps, lost, overlaps
from registry.zone_models import ZoneDraft
from tests.cast import EAST, NORTH, SOUTH, WEST, Cast, made, square
from tests.registry.proofs import codes, count, faults, was_refused

HALF = (WEST + EAST) / 2
A_METRE = 1 / 95_100  # of longitude, at 31 north
NEXT_WEEK = "2024-06-19"


def feature(cast: Cast, number: int, outline: dict[str, Any], **changed: Any) -> dict[str, Any]:
    zone = cast.zone_body(number=number, **changed)
    del zone["outline"]
    return {"type": "Feature", "geometry": outline, "properties": zone}


def body(*features: dict[str, Any], **changed: Any) -> dict[str, Any]:
    collection = {"type": "FeatureCollection", "features": list(features)}
    return {"name": "七月草案", "datum": "wgs84", "collection": collection} | changed


def drafted(cast: Cast, *features: dict[str, Any], **changed: Any) -> Any:
    return cast.dispatcher.post(cast.at("zone-drafts"), body(*features, **changed))


def checks(cast: Cast, draft: dict[str, Any]) -> dict[str, Any]:
    answer = cast.dispatcher.get(cast.at(f"zone-drafts/{draft['id']}/checks"))
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def publish(cast: Cast, draft: dict[str, Any], day: str = NEXT_WEEK) -> Any:
    return cast.dispatcher.post(cast.at(f"zone-drafts/{draft['id']}/publications"), {"valid_from": day})


def area(outline: dict[str, Any]) -> Any:
    return area_from_geojson(outline, Datum.WGS84)


@pytest.mark.parametrize(
    ("apart_m", "found"),
    [(0, 0), (-1, 1), (5, 1), (STREET_M - 5, 1), (STREET_M + 10, 0)],
    ids=["one border", "an overlap is no gap but is named", "a strip", "a street", "open country"],
)
def test_ground_between_two_zones_is_a_gap_up_to_a_street(apart_m: float, found: int) -> None:
    areas = {1: area(square(east=HALF)), 2: area(square(west=HALF + apart_m * A_METRE))}
    assert len([*overlaps(areas), *gaps(areas)]) == found


def test_ground_enclosed_by_zones_and_ground_of_before_are_named_with_a_point_in_them() -> None:
    ring = square()["coordinates"][0]
    hole = square(HALF - 0.01, 31.195, HALF + 0.01, 31.205)["coordinates"][0]
    areas = {1: area({"type": "Polygon", "coordinates": [ring, hole]})}
    [gap] = gaps(areas)
    assert HALF - 0.01 < gap.point.lon < HALF + 0.01
    assert gap.area_m2 == pytest.approx(0.02 / A_METRE * 1112, rel=0.01)
    [gone] = lost(areas, {7: area(square())})
    assert gone.area_m2 == pytest.approx(gap.area_m2, rel=0.001)
    assert lost({7: area(square())}, areas) == []


def test_a_draft_drawn_on_a_web_map_stands_in_wgs84_and_binds_nobody(cast: Cast, ground: Ground) -> None:
    ring = [list(from_wgs84(Point(lon, lat), Datum.BD09)) for lon, lat in square()["coordinates"][0]]
    outline = {"type": "Polygon", "coordinates": [ring]}
    draft = made(drafted(cast, feature(cast, 3, outline), datum="bd09"))
    [found] = draft["collection"]["features"]
    west, south = found["geometry"]["coordinates"][0][0]
    assert (round(west, 7), round(south, 7)) == (WEST, SOUTH)
    assert (draft["drawn_on"], draft["datum"]) == ("bd09", "wgs84")
    assert count(ground, ZoneSet) == 0
    # what came out is taken in again as it stands
    made(drafted(cast, *draft["collection"]["features"], datum=draft["datum"]))


CROSSED = [[[121.3, 31.1], [121.4, 31.2], [121.4, 31.1], [121.3, 31.2], [121.3, 31.1]]]


def test_every_fault_of_a_file_is_named_at_its_place(cast: Cast, ground: Ground) -> None:
    without = body(feature(cast, 1, square()))
    del without["datum"]
    assert faults(cast.dispatcher.post(cast.at("zone-drafts"), without)) == [("/datum", "required")]
    answer = drafted(
        cast,
        feature(cast, 1, {"type": "Polygon", "coordinates": CROSSED}),
        feature(cast, 2, square(), supply_site_id=str(cast.filling_station())),
        feature(cast, 3, {"type": "LineString", "coordinates": []}),
    )
    assert faults(answer) == [
        ("/collection/features/0/geometry", "geometry.invalid"),
        ("/collection/features/1/properties/supply_site_id", "unknown"),
        ("/collection/features/2/geometry", "geometry.not_an_area"),
    ]
    twice = drafted(cast, feature(cast, 1, square(east=HALF)), feature(cast, 1, square(west=HALF)))
    assert faults(twice) == [("/collection/features/1/properties/number", "twice")]
    assert count(ground, ZoneDraft) == 0


def test_a_draft_is_checked_published_once_and_binds_from_its_day(cast: Cast, ground: Ground) -> None:
    made(cast.dispatcher.post(cast.at("zone-sets"), cast.zone_set_body()))
    cast.household()
    overlapping = made(drafted(cast, feature(cast, 1, square()), feature(cast, 2, square(west=HALF))))
    seen = checks(cast, overlapping)
    assert [(one["number"], one["other"]) for one in seen["overlaps"]] == [(1, 2)]
    assert seen["may_be_published"] is False
    refused = publish(cast, overlapping)
    assert codes(refused) == ["zone.overlapping"]
    assert was_refused(ground, "zone.publish", refused)

    sound = made(drafted(cast, feature(cast, 1, square(east=HALF)), feature(cast, 2, square(west=HALF))))
    seen = checks(cast, sound)
    assert (seen["overlaps"], seen["gaps"], seen["lost"], seen["may_be_published"]) == ([], [], [], True)
    assert sum(zone["homes"] for zone in seen["zones"]) == seen["homes"] == 1
    published = made(publish(cast, sound))
    assert (published["version"], published["valid_from"]) == (2, NEXT_WEEK)
    assert codes(publish(cast, sound, "2024-07-01")) == ["zone.draft_published"]
    assert count(ground, ZoneSet) == 2


def test_no_home_loses_its_zone(cast: Cast, ground: Ground) -> None:
    made(cast.dispatcher.post(cast.at("zone-sets"), cast.zone_set_body()))
    cast.household()
    elsewhere = feature(cast, 1, square(WEST - 0.2, SOUTH, WEST - 0.1, NORTH))
    draft = made(drafted(cast, elsewhere))
    seen = checks(cast, draft)
    assert (seen["homes_newly_outside"], len(seen["premises_outside"])) == (1, 1)
    assert len(seen["lost"]) == 1
    answer = publish(cast, draft)
    assert codes(answer) == ["zone.leaves_homes_outside"]
    assert was_refused(ground, "zone.publish", answer)
    at_once = cast.zone_set_body(valid_from=NEXT_WEEK, zones=[cast.zone_body(outline=elsewhere["geometry"])])
    assert codes(cast.dispatcher.post(cast.at("zone-sets"), at_once)) == ["zone.leaves_homes_outside"]
    assert count(ground, ZoneSet) == 1


def test_another_firms_draft_is_not_there(cast: Cast, ground: Ground) -> None:
    draft = made(drafted(cast, feature(cast, 1, square())))
    rival = cast.desk.sign_in(Role.DISPATCHER, firm=str(cast.another_firm()))
    for path in ("", "/checks"):
        assert rival.get(cast.at(f"zone-drafts/{draft['id']}{path}")).status_code == 404
    answer = rival.post(cast.at(f"zone-drafts/{draft['id']}/publications"), {"valid_from": NEXT_WEEK})
    assert answer.status_code == 404
    assert count(ground, ZoneSet) == 0

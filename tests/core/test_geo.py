"""Places, datums and zones."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Polygon

from core.geo import (
    Datum,
    Point,
    WrongGeometry,
    ZoneIndex,
    area_from_geojson,
    area_to_geojson,
    covers,
    distance_m,
    from_e7,
    from_wgs84,
    outside_by_m,
    to_e7,
    to_wgs84,
    zone_of,
)

CHANGNING = Point(121.42, 31.22)
LONDON = (-0.1276, 51.5072)
shanghai = st.builds(Point, st.floats(120.85, 122.05), st.floats(30.70, 31.90))
mainland = st.builds(Point, st.floats(73.5, 135), st.floats(18.2, 53.5))

# Two unit squares side by side, which share the meridian 121.1, and a third that lies upon both.
WEST = Polygon([(121.0, 31.0), (121.1, 31.0), (121.1, 31.1), (121.0, 31.1)])
EAST = Polygon([(121.1, 31.0), (121.2, 31.0), (121.2, 31.1), (121.1, 31.1)])
BOTH = Polygon([(121.0, 31.0), (121.2, 31.0), (121.2, 31.1), (121.0, 31.1)])


def square(lon: float = 121.4, lat: float = 31.2, side: float = 0.01) -> dict[str, object]:
    corners = [(lon, lat), (lon + side, lat), (lon + side, lat + side), (lon, lat + side), (lon, lat)]
    return {"type": "Polygon", "coordinates": [[list(corner) for corner in corners]]}


# --- datums


@given(shanghai)
def test_a_web_map_lies_about_half_a_kilometre_beside_the_phone_in_shanghai(point: Point) -> None:
    assert 450 < distance_m(point, Point(*from_wgs84(point, Datum.GCJ02))) < 505


@pytest.mark.parametrize(
    ("place", "shift_m"),
    [((121.42, 31.22), 487), ((116.39, 39.91), 555), ((114.06, 22.54), 606), ((104.07, 30.67), 363)],
    ids=["Changning", "Beijing", "Shenzhen", "Chengdu"],
)
def test_the_shift_of_known_cities(place: tuple[float, float], shift_m: float) -> None:
    point = Point(*place)

    assert distance_m(point, Point(*from_wgs84(point, Datum.GCJ02))) == pytest.approx(shift_m, abs=4)


def test_the_published_example_of_the_transformers_comes_out() -> None:
    """(116.404, 39.915) in each datum, as the public coordinate transformers give it."""
    beijing = Point(116.404, 39.915)

    assert from_wgs84(beijing, Datum.GCJ02) == pytest.approx(
        (116.41024449916938, 39.91640428150164), abs=1e-12
    )
    assert from_wgs84(to_wgs84(116.404, 39.915, Datum.GCJ02), Datum.BD09) == pytest.approx(
        (116.41036949371029, 39.92133699351022), abs=1e-9
    )


@pytest.mark.parametrize(
    ("wgs84", "gcj02"),
    [
        ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
        ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
        ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
    ],
    ids=["Shanghai", "Shenzhen", "Beijing"],
)
def test_the_published_pairs_agree_in_both_directions(
    wgs84: tuple[float, float], gcj02: tuple[float, float]
) -> None:
    """The pairs that the public transformers test themselves with (github.com/googollee/eviltransform)."""
    phone, web_map = Point(*wgs84), Point(*gcj02)

    assert distance_m(Point(*from_wgs84(phone, Datum.GCJ02)), web_map) < 0.5
    assert distance_m(to_wgs84(*gcj02, Datum.GCJ02), phone) < 0.5


@given(mainland)
def test_a_baidu_map_lies_a_kilometre_off_and_comes_back_to_the_phone(point: Point) -> None:
    shown = from_wgs84(point, Datum.BD09)

    assert 300 < distance_m(point, Point(*shown)) < 3000
    assert distance_m(point, to_wgs84(*shown, Datum.BD09)) < 0.5


@pytest.mark.parametrize("datum", list(Datum))
@given(point=mainland)
def test_there_and_back_is_the_same_place(datum: Datum, point: Point) -> None:
    back = to_wgs84(*from_wgs84(point, datum), datum)

    assert abs(back.lon - point.lon) < 1e-9
    assert abs(back.lat - point.lat) < 1e-9


@pytest.mark.parametrize("datum", [Datum.WGS84, Datum.CGCS2000])
def test_survey_maps_and_phones_agree(datum: Datum) -> None:
    assert from_wgs84(CHANGNING, datum) == (121.42, 31.22)
    assert to_wgs84(121.42, 31.22, datum) == CHANGNING


@pytest.mark.parametrize("datum", list(Datum))
def test_nothing_is_shifted_outside_china(datum: Datum) -> None:
    assert from_wgs84(Point(*LONDON), datum) == LONDON
    assert to_wgs84(*LONDON, datum) == Point(*LONDON)


def test_the_two_axes_of_a_datum_are_not_confused() -> None:
    lon, lat = from_wgs84(CHANGNING, Datum.GCJ02)

    assert lon - CHANGNING.lon == pytest.approx(0.00464, abs=1e-4)
    assert lat - CHANGNING.lat == pytest.approx(-0.00185, abs=1e-4)


# --- points and distances


@pytest.mark.parametrize(
    ("lon", "lat"),
    [(31.22, 121.42), (181, 0), (-180.1, 0), (0, -90.1), (math.nan, 0), (0, math.nan), (math.inf, 0)],
)
def test_a_point_off_the_globe_is_refused(lon: float, lat: float) -> None:
    with pytest.raises(ValueError, match=r"expected a l(ong|at)itude"):
        Point(lon, lat)


def test_a_degree_of_latitude_is_111_kilometres() -> None:
    assert distance_m(Point(121, 31), Point(121, 32)) == pytest.approx(111_195, abs=1)
    assert distance_m(Point(121, 31), Point(122, 31)) == pytest.approx(95_313, abs=1)
    assert distance_m(CHANGNING, CHANGNING) == 0
    assert distance_m(Point(-180, 0), Point(180, 0)) == pytest.approx(0, abs=1e-6)


@given(st.integers(-1_800_000_000, 1_800_000_000))
def test_whole_ten_millionths_of_a_degree_come_back_exactly(e7: int) -> None:
    assert to_e7(from_e7(e7)) == e7


def test_degrees_are_rounded_to_the_nearest_ten_millionth() -> None:
    assert to_e7(121.42) == 1_214_200_000
    assert to_e7(-0.12345678) == -1_234_568


# --- areas


def test_an_area_drawn_on_a_web_map_is_moved_to_where_it_is() -> None:
    drawn = area_from_geojson(square(), Datum.GCJ02)

    corners = [Point(lon, lat) for lon, lat in drawn.exterior.coords]
    assert corners[0] == to_wgs84(121.4, 31.2, Datum.GCJ02)
    assert 450 < distance_m(corners[0], Point(121.4, 31.2)) < 505
    assert area_to_geojson(drawn, Datum.GCJ02)["coordinates"][0][0] == pytest.approx((121.4, 31.2), abs=1e-9)


def test_an_area_goes_out_as_it_came_in() -> None:
    area = area_from_geojson(square(), "wgs84")

    assert area_to_geojson(area)["type"] == "Polygon"
    assert area_from_geojson(area_to_geojson(area), "wgs84").equals(area)


@pytest.mark.parametrize("datum", [None, ""])
def test_an_area_without_a_datum_is_refused(datum: str | None) -> None:
    with pytest.raises(WrongGeometry) as refused:
        area_from_geojson(square(), datum)
    assert refused.value.code == "geometry.no_datum"


def test_an_unknown_datum_is_refused() -> None:
    with pytest.raises(WrongGeometry) as refused:
        area_from_geojson(square(), "beijing54")
    assert refused.value.code == "geometry.unknown_datum"


@pytest.mark.parametrize(
    ("coordinates", "code"),
    [
        ([[[121, 31], [121.1, 31.1], [121.1, 31], [121, 31.2], [121, 31]]], "geometry.invalid"),
        ([[[121, 31], [121.1, 31], [121.2, 31], [121, 31]]], "geometry.invalid"),
        ([], "geometry.invalid"),
        ([[[31, 121], [31, 121.1], [31.1, 121.1], [31, 121]]], "geometry.bad_coordinates"),
        ([[[121, 31], [121.1, 31]]], "geometry.bad_coordinates"),
        ([[[121, 31], ["east", 31], [121, 32], [121, 31]]], "geometry.bad_coordinates"),
        ([[[121, 31], [math.inf, 31], [121, 32], [121, 31]]], "geometry.bad_coordinates"),
        (None, "geometry.invalid"),
    ],
    ids=["bow tie", "line", "empty", "swapped", "two corners", "words", "infinite", "null"],
)
def test_a_shape_that_is_no_area_is_refused_by_name(coordinates: object, code: str) -> None:
    with pytest.raises(WrongGeometry) as refused:
        area_from_geojson({"type": "Polygon", "coordinates": coordinates}, "wgs84")
    assert refused.value.code == code
    assert refused.value.zh


def test_a_line_or_a_missing_type_is_not_an_area() -> None:
    for geometry in ({"type": "LineString", "coordinates": [[121, 31], [121, 32]]}, {}):
        with pytest.raises(WrongGeometry) as refused:
            area_from_geojson(geometry, "wgs84")
        assert refused.value.code == "geometry.not_an_area"


def test_a_hole_is_not_covered_but_its_edge_is() -> None:
    ring = Polygon([(0, 0), (4, 0), (4, 4), (0, 4)], [[(1, 1), (3, 1), (3, 3), (1, 3)]])

    assert covers(ring, Point(0.5, 0.5))
    assert covers(ring, Point(1, 1))
    assert not covers(ring, Point(2, 2))


def test_outside_is_measured_in_metres_from_the_nearest_edge() -> None:
    assert outside_by_m(WEST, Point(121.05, 31.05)) == 0
    assert outside_by_m(WEST, Point(121.1, 31.05)) == 0
    assert outside_by_m(WEST, Point(121.05, 31.101)) == pytest.approx(111.2, abs=0.1)
    assert outside_by_m(WEST, Point(121.101, 31.05)) == pytest.approx(
        distance_m(Point(121.101, 31.05), Point(121.1, 31.05)), rel=1e-3
    )


# --- zones


@pytest.mark.parametrize(
    "zones", [[(1, WEST), (2, EAST)], [(2, EAST), (1, WEST)]], ids=["in order", "reversed"]
)
@pytest.mark.parametrize(
    ("lon", "lat", "zone"),
    [
        (121.05, 31.05, 1),
        (121.15, 31.05, 2),
        (121.1, 31.05, 1),
        (121.1, 31.1, 1),
        (121.2, 31.0, 2),
        (121.3, 31.05, None),
    ],
    ids=[
        "inside one",
        "inside two",
        "on the shared edge",
        "on the shared corner",
        "on an outer corner",
        "outside",
    ],
)
def test_a_point_belongs_to_the_lowest_zone_that_covers_it(
    zones: list[tuple[int, Polygon]], lon: float, lat: float, zone: int | None
) -> None:
    assert zone_of(Point(lon, lat), zones) == zone
    assert ZoneIndex(zones).zone_of(Point(lon, lat)) == zone


@given(st.builds(Point, st.floats(120.99, 121.21), st.floats(30.99, 31.11)))
def test_the_index_answers_as_the_rule_does(point: Point) -> None:
    zones = [("c", BOTH), ("b", EAST), ("a", WEST)]

    assert ZoneIndex(zones).zone_of(point) == zone_of(point, zones)


def test_no_zones_cover_nothing() -> None:
    assert zone_of(CHANGNING, []) is None
    assert ZoneIndex[int]([]).zone_of(CHANGNING) is None

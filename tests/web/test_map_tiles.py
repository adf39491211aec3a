"""A map beneath the drawings: moved to its datum, named in the policy, absent where none is configured."""

from pathlib import Path

import pytest

from core.config import Config, WrongSetting, read
from core.geo import Datum, Point, distance_m, to_wgs84
from web.map_tiles import laid_on, origins, placed_on

DOOR = Point(121.41, 31.215)
RING = [[121.4, 31.2], [121.44, 31.2], [121.44, 31.24], [121.4, 31.2]]
DRAWING = {
    "zones": [{"name": "一", "outline": {"type": "MultiPolygon", "coordinates": [[RING]]}}],
    "stops": [{"lon": DOOR.lon, "lat": DOOR.lat, "label": "1.1"}],
    "lines": [{"hue": 0, "points": [[DOOR.lat, DOOR.lon]]}],
}
TILES = "https://tiles.example.org/vec_w/{z}/{x}/{y}.png?tk=key"


def config(tmp_path: Path, **said: str) -> Config:
    return read({"LPG_STATE_DIR": str(tmp_path)} | said)


def test_without_tiles_the_drawing_stays_as_it_is(tmp_path: Path) -> None:
    assert laid_on(config(tmp_path), DRAWING) == DRAWING | {"tiles": None}
    assert origins(config(tmp_path)) == ""


def test_on_a_gcj02_map_everything_is_moved_and_means_the_same_place(tmp_path: Path) -> None:
    named = {"LPG_MAP_TILE_URL": TILES, "LPG_MAP_TILE_DATUM": "GCJ02", "LPG_MAP_ATTRIBUTION": "审图号 <b>1"}
    drawn = laid_on(config(tmp_path, **named), DRAWING)
    stop = drawn["stops"][0]
    assert 400 < distance_m(DOOR, Point(stop["lon"], stop["lat"])) < 600
    assert distance_m(DOOR, to_wgs84(stop["lon"], stop["lat"], Datum.GCJ02)) < 0.5
    assert drawn["lines"][0]["points"] == [[stop["lat"], stop["lon"]]]
    first = drawn["zones"][0]["outline"]["coordinates"][0][0][0]
    assert distance_m(Point(*RING[0]), to_wgs84(first[0], first[1], Datum.GCJ02)) < 0.5
    assert drawn["tiles"] == {"urls": [TILES], "attribution": "审图号 &lt;b&gt;1"}


def test_a_vehicle_is_moved_with_the_map_it_is_drawn_on(tmp_path: Path) -> None:
    mark = {"lon": DOOR.lon, "lat": DOOR.lat, "plate": "沪A00001"}
    moved = placed_on(config(tmp_path, LPG_MAP_TILE_URL=TILES, LPG_MAP_TILE_DATUM="gcj02"), mark)
    assert moved["plate"] == mark["plate"]
    assert 400 < distance_m(DOOR, Point(moved["lon"], moved["lat"])) < 600
    assert distance_m(DOOR, to_wgs84(moved["lon"], moved["lat"], Datum.GCJ02)) < 0.5
    assert placed_on(config(tmp_path), mark) == mark


def test_a_wgs84_map_moves_nothing_and_its_origins_are_named(tmp_path: Path) -> None:
    labels = "http://10.0.0.7:8080/cva/{z}/{x}/{y}.png"
    here = config(tmp_path, LPG_MAP_TILE_URL=TILES, LPG_MAP_LABEL_URL=labels)
    assert laid_on(here, DRAWING)["stops"] == DRAWING["stops"]
    assert origins(here) == " http://10.0.0.7:8080 https://tiles.example.org"


@pytest.mark.parametrize(
    "url",
    [
        "https://tiles.example.org/{z}/{x}.png",
        "https://t{s}.example.org/{z}/{x}/{y}",
        "ftp://tiles.example.org/{z}/{x}/{y}",
        "https://tiles.example.org;script-src */{z}/{x}/{y}",
        "{z}{x}{y}",
        "",
    ],
)
def test_an_address_that_is_none_stops_the_start_without_showing_a_key(tmp_path: Path, url: str) -> None:
    with pytest.raises(WrongSetting, match="LPG_MAP_TILE_URL: expected an address like"):
        config(tmp_path, LPG_MAP_TILE_URL=url)

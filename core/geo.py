"""Where things are. Inside the program every coordinate is WGS-84, in the order longitude, latitude.

    datum      used by                              shift against WGS-84 in Shanghai
    wgs84      phones, satellite receivers          0
    cgcs2000   survey maps                          centimetres, taken as 0
    gcj02      web maps of the mainland             0.46 to 0.50 km
    bd09       Baidu's maps                         about a kilometre more

A zone drawn on one datum and compared with positions of another is wrong by whole streets. So whatever
enters names its datum (or is refused) and is converted here, once. Degrees are floats; in the evidence they
stand as whole 1e-7 degrees.

GCJ-02 was never published; this is the formula that the public transformers share. It has no closed inverse
and is undone by iteration.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon, mapping, shape

EARTH_RADIUS_M = 6_371_008.8  # mean radius, IUGG
E7 = 10_000_000


class Datum(StrEnum):
    WGS84 = "wgs84"
    CGCS2000 = "cgcs2000"
    GCJ02 = "gcj02"
    BD09 = "bd09"


@dataclass(frozen=True, slots=True)
class Point:
    """A place, WGS-84, in degrees."""

    lon: float
    lat: float

    def __post_init__(self) -> None:
        if not -180 <= self.lon <= 180:
            raise ValueError(f"expected a longitude from -180 to 180 degrees, got {self.lon}")
        if not -90 <= self.lat <= 90:
            raise ValueError(
                f"expected a latitude from -90 to 90 degrees, got {self.lat}; is it (longitude, latitude)?"
            )


def to_wgs84(lon: float, lat: float, datum: Datum) -> Point:
    """The place that ``datum`` calls (lon, lat). Outside China every datum is WGS-84."""
    stated = Point(lon, lat)
    if datum in _SAME_AS_WGS84 or not _in_china(lon, lat):
        return stated
    if datum is Datum.BD09:
        lon, lat = _undo(_bd09_from_gcj02, lon, lat)
    return Point(*_undo(_gcj02_from_wgs84, lon, lat))


def from_wgs84(point: Point, datum: Datum) -> tuple[float, float]:
    """What ``datum`` calls ``point``: (lon, lat) in degrees."""
    lon, lat = point.lon, point.lat
    if datum in _SAME_AS_WGS84 or not _in_china(lon, lat):
        return lon, lat
    lon, lat = _gcj02_from_wgs84(lon, lat)
    return _bd09_from_gcj02(lon, lat) if datum is Datum.BD09 else (lon, lat)


def to_e7(degrees: float) -> int:
    """Degrees as whole 1e-7 degrees (about a centimetre), as evidence holds them."""
    return round(degrees * E7)


def from_e7(e7: int) -> float:
    return e7 / E7


def distance_m(a: Point, b: Point) -> float:
    """Great-circle distance (haversine) on a sphere; within 0.6 % of the ellipsoid's."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    half_lat = (lat_b - lat_a) / 2
    half_lon = math.radians(b.lon - a.lon) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(chord)))


# --------------------------------------------------------------------------------------------------------
# The datums of the mainland

_SAME_AS_WGS84 = (Datum.WGS84, Datum.CGCS2000)
_KRASOVSKY_A_M = 6_378_245.0
_KRASOVSKY_E2 = 0.00669342162296594323
_BD_PI = math.pi * 3000 / 180
_INVERSE_STEPS = 6

_Shift = Callable[[float, float], tuple[float, float]]


def _in_china(lon: float, lat: float) -> bool:
    """The box in which the public formula shifts at all."""
    return 72.004 <= lon <= 137.8347 and 0.8293 <= lat <= 55.8271


def _gcj02_from_wgs84(lon: float, lat: float) -> tuple[float, float]:
    x, y = lon - 105.0, lat - 35.0
    wave = 20 * math.sin(6 * x * math.pi) + 20 * math.sin(2 * x * math.pi)
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    north += (
        wave
        + 20 * math.sin(y * math.pi)
        + 40 * math.sin(y / 3 * math.pi)
        + 160 * math.sin(y / 12 * math.pi)
        + 320 * math.sin(y * math.pi / 30)
    ) * (2 / 3)
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    east += (
        wave
        + 20 * math.sin(x * math.pi)
        + 40 * math.sin(x / 3 * math.pi)
        + 150 * math.sin(x / 12 * math.pi)
        + 300 * math.sin(x / 30 * math.pi)
    ) * (2 / 3)
    phi = math.radians(lat)
    w2 = 1 - _KRASOVSKY_E2 * math.sin(phi) ** 2
    meridian_radius_m = _KRASOVSKY_A_M * (1 - _KRASOVSKY_E2) / (w2 * math.sqrt(w2))
    parallel_radius_m = _KRASOVSKY_A_M / math.sqrt(w2) * math.cos(phi)
    return lon + math.degrees(east / parallel_radius_m), lat + math.degrees(north / meridian_radius_m)


def _bd09_from_gcj02(lon: float, lat: float) -> tuple[float, float]:
    radius = math.hypot(lon, lat) + 0.00002 * math.sin(lat * _BD_PI)
    angle = math.atan2(lat, lon) + 0.000003 * math.cos(lon * _BD_PI)
    return radius * math.cos(angle) + 0.0065, radius * math.sin(angle) + 0.006


def _undo(shift: _Shift, lon: float, lat: float) -> tuple[float, float]:
    """The place that ``shift`` moves to (lon, lat), by fixed-point iteration.

    One step errs by up to 2 m, six by less than a micrometre.
    """
    at_lon, at_lat = lon, lat
    for _ in range(_INVERSE_STEPS):
        reached_lon, reached_lat = shift(at_lon, at_lat)
        at_lon, at_lat = at_lon + lon - reached_lon, at_lat + lat - reached_lat
    return at_lon, at_lat


# --------------------------------------------------------------------------------------------------------
# Zones

Area: TypeAlias = Polygon | MultiPolygon


class WrongGeometry(ValueError):
    """A polygon that cannot be taken in: a stable code, and why in both languages."""

    def __init__(self, code: str, zh: str, en: str):
        self.code, self.zh, self.en = code, zh, en
        super().__init__(en)


def area_from_geojson(geometry: Mapping[str, Any], datum: Datum | str | None) -> Area:
    """A GeoJSON Polygon or MultiPolygon (RFC 7946) of the given datum, as an area in WGS-84.

    ``WrongGeometry`` where the datum is not stated, or the shape is not a valid area.
    """
    stated = _datum(datum)
    if not isinstance(geometry, Mapping) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        raise WrongGeometry(
            "geometry.not_an_area",
            "应为 GeoJSON 的 Polygon 或 MultiPolygon",
            "expected a GeoJSON Polygon or MultiPolygon",
        )
    try:
        area = _mapped(shape(geometry), lambda lon, lat: to_wgs84(lon, lat, stated))
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        OverflowError,
        shapely.errors.ShapelyError,
    ) as error:
        raise WrongGeometry(
            "geometry.bad_coordinates",
            "坐标缺失或超出范围",
            f"coordinates are missing or out of range: {error}",
        ) from None
    if area.is_empty or not area.is_valid:
        why = "empty" if area.is_empty else shapely.is_valid_reason(area)
        raise WrongGeometry(
            "geometry.invalid",
            f"多边形无效(为空、自相交或没有面积):{why}",
            f"the polygon is not valid: {why}",
        )
    return area


def area_to_geojson(area: Area, datum: Datum = Datum.WGS84) -> dict[str, Any]:
    """The area as GeoJSON geometry; say ``datum`` beside it, GeoJSON itself has no word for it."""
    geometry: dict[str, Any] = mapping(_mapped(area, lambda lon, lat: from_wgs84(Point(lon, lat), datum)))
    return geometry


def covers(area: Area, point: Point) -> bool:
    """Is the point inside, or on the boundary?"""
    return bool(shapely.intersects_xy(area, point.lon, point.lat))


def outside_by_m(area: Area, point: Point) -> float:
    """How far the point lies outside; 0 where the area covers it. For a fix with its accuracy.

    Measured on a plane through the point: good to a thousandth within tens of kilometres.
    """
    if covers(area, point):
        return 0.0
    metre_per_degree = math.radians(1) * EARTH_RADIUS_M
    shrink = math.cos(math.radians(point.lat))
    plane = shapely.transform(
        area, lambda xy: (xy - (point.lon, point.lat)) * (metre_per_degree * shrink, metre_per_degree)
    )
    return float(shapely.distance(plane, shapely.Point(0, 0)))


class Ordered(Protocol):
    def __lt__(self, other: Any, /) -> bool: ...


ZoneId = TypeVar("ZoneId", bound=Ordered)


def zone_of(point: Point, zones: Iterable[tuple[ZoneId, Area]]) -> ZoneId | None:
    """The zone a point belongs to; None where no zone covers it.

    The boundary rule, here and nowhere else: a boundary belongs to the areas on both of its sides, and where
    several zones cover a point it belongs to the one with the lowest id.
    """
    return min((zone_id for zone_id, area in zones if covers(area, point)), default=None)


class ZoneIndex(Generic[ZoneId]):
    """``zone_of`` for many points and one set of zones: the tree is built once."""

    def __init__(self, zones: Sequence[tuple[ZoneId, Area]]):
        self._zones = list(zones)
        shapely.prepare([area for _, area in self._zones])
        self._tree = shapely.STRtree([area for _, area in self._zones])

    def zone_of(self, point: Point) -> ZoneId | None:
        near = self._tree.query(shapely.Point(point.lon, point.lat))
        return zone_of(point, (self._zones[number] for number in near))

    def zones_of(self, points: Sequence[Point]) -> list[ZoneId | None]:
        """The same of each of many points, in their order; a hundred times as fast."""
        lons, lats = (np.array([getattr(point, name) for point in points]) for name in ("lon", "lat"))
        found: list[ZoneId | None] = [None] * len(points)
        of_points, of_zones = self._tree.query(shapely.points(lons, lats))
        # The lowest id last: where several zones cover a point, its word stands.
        for number in sorted(set(of_zones.tolist()), key=lambda n: self._zones[n][0], reverse=True):
            zone_id, area = self._zones[number]
            near = of_points[of_zones == number]
            for place in near[shapely.intersects_xy(area, lons[near], lats[near])]:
                found[place] = zone_id
        return found


def _datum(stated: Datum | str | None) -> Datum:
    if stated is None or stated == "":
        raise WrongGeometry(
            "geometry.no_datum",
            "未声明坐标系(wgs84、cgcs2000、gcj02 或 bd09)",
            "the datum is not stated (wgs84, cgcs2000, gcj02 or bd09)",
        )
    try:
        return Datum(stated)
    except ValueError:
        raise WrongGeometry(
            "geometry.unknown_datum", f"不认识的坐标系:{stated}", f"unknown datum {stated!r}"
        ) from None


def _mapped(area: Area, place: Callable[[float, float], Point | tuple[float, float]]) -> Area:
    """``area`` with every vertex moved by ``place``."""

    def moved(vertices: Any) -> list[tuple[float, float]]:
        places = (place(float(lon), float(lat)) for lon, lat in vertices)
        return [(at.lon, at.lat) if isinstance(at, Point) else at for at in places]

    changed: Area = shapely.transform(area, moved)
    return changed

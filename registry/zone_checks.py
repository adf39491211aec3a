"""What is wrong with a set of zones as it is drawn. Pure geometry over outlines in WGS-84; no database.

    overlap    two zones claim the same ground
    gap        ground between zones that is nobody's, up to a street wide at its mouth
    lost       ground that another set covers and this one does not

Areas are measured on a plane at the set's middle, good to a hundredth in a city; slivers are let be.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely

from core.geo import EARTH_RADIUS_M, Area, Point

SLIVER_M2 = 1000
"""Two outlines drawn by hand along one street overlap by slivers; what is more is a double claim."""
STREET_M = 40
"""Between two zones drawn along the two sides of one street lies a street, not their border."""
MOST_NAMED = 100

Areas = Mapping[int, Area]
"""Zone number → its ground."""


@dataclass(frozen=True, slots=True)
class Overlap:
    number: int
    other: int
    overlap_m2: int


@dataclass(frozen=True, slots=True)
class Hole:
    """Ground without a zone: how much, and a point in it."""

    area_m2: int
    point: Point


class Plane:
    """Metres around the middle of a set."""

    def __init__(self, middle: Any):
        self._north_m = math.radians(1) * EARTH_RADIUS_M
        self._east_m = self._north_m * math.cos(math.radians(middle.y))
        self._lon, self._lat = middle.x, middle.y

    @classmethod
    def of(cls, areas: Areas) -> "Plane":
        return cls(shapely.box(*shapely.total_bounds(list(areas.values()))).centroid)

    def metres(self, area: Any) -> Any:
        return shapely.transform(
            area, lambda xy: (xy - (self._lon, self._lat)) * (self._east_m, self._north_m)
        )

    def degrees(self, area: Any) -> Any:
        return shapely.transform(area, lambda xy: xy / (self._east_m, self._north_m) + (self._lon, self._lat))


def overlaps(areas: Areas) -> Iterator[Overlap]:
    """Two zones that share more than a sliver of ground, by their numbers."""
    if not areas:
        return
    plane = Plane.of(areas)
    for (one, ground), (other, beside) in itertools.combinations(sorted(areas.items()), 2):
        if ground.intersects(beside):
            overlap_m2 = plane.metres(ground.intersection(beside)).area
            if overlap_m2 > SLIVER_M2:
                yield Overlap(one, other, round(overlap_m2))


def gaps(areas: Areas) -> list[Hole]:
    """The largest first: what the zones enclose, or leave open by no more than a street."""
    if not areas:
        return []
    plane = Plane.of(areas)
    whole = plane.metres(shapely.union_all(list(areas.values())))
    closed = whole.buffer(STREET_M / 2).buffer(-STREET_M / 2)
    enclosed = [shapely.Polygon(ring) for part in _parts(closed) for ring in part.interiors]
    return _holes(plane, shapely.union_all([closed, *enclosed]).difference(whole))


def lost(areas: Areas, before: Areas) -> list[Hole]:
    """Ground of ``before`` that no zone of ``areas`` covers, the largest first."""
    if not before:
        return []
    plane = Plane.of(before)
    whole, was = (shapely.union_all(list(one.values())) for one in (areas, before))
    return _holes(plane, plane.metres(was.difference(whole)))


def _holes(plane: Plane, ground: Any) -> list[Hole]:
    parts = sorted(_parts(ground), key=lambda part: -float(part.area))
    return [
        Hole(round(part.area), Point(at.x, at.y))
        for part in parts[:MOST_NAMED]
        if part.area > SLIVER_M2
        for at in [plane.degrees(part.representative_point())]
    ]


def _parts(area: Any) -> Sequence[Any]:
    """The polygons of an area; what an intersection leaves of lines and points is no ground."""
    return [part for part in shapely.get_parts(area) if part.geom_type == "Polygon" and not part.is_empty]

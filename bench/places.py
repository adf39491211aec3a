"""In which zone does each of a hundred thousand premises lie? Point in polygon, as a booking asks it.

The zones are the sample's two districts' (cells of real outlines); the points are strewn over the districts'
bounding boxes, so that some lie in none. One by one through ``core.geo.ZoneIndex``, which gives a shared
border to the lower number, against shapely's tree asked for all points in one call, which does not. Both
must agree on every point that lies on no border.
"""

import argparse
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
import shapely

from bench.number import number_up_to
from bench.operation import WrongOutcome
from bench.report import Circumstances
from core import clock
from core.geo import Point, ZoneIndex
from sample.places import CHANGNING, QINGPU, SampleZone, zones

POINTS, MOST = 100_000, 5_000_000


@dataclass(frozen=True, slots=True)
class Located:
    zones: int
    vertices: int
    points: int
    in_none: int
    one_by_one_s: float
    in_one_call_s: float

    @property
    def a_second(self) -> float:
        return self.points / self.one_by_one_s


def measure(count: int) -> Located:
    cells = [*zones(CHANGNING), *zones(QINGPU)]
    points = list(_strewn(cells, count))
    index = ZoneIndex([(number, cell.polygon) for number, cell in enumerate(cells)])
    begun = time.perf_counter()
    found = [index.zone_of(point) for point in points]
    one_by_one_s = time.perf_counter() - begun
    begun = time.perf_counter()
    tree = shapely.STRtree([cell.polygon for cell in cells])
    made = shapely.points([(point.lon, point.lat) for point in points])
    which, where = tree.query(made, predicate="intersects")
    in_one_call_s = time.perf_counter() - begun
    _must_agree(found, list(zip(which.tolist(), where.tolist(), strict=True)))
    return Located(
        len(cells),
        sum(int(shapely.get_num_coordinates(cell.polygon)) for cell in cells),
        count,
        sum(one is None for one in found),
        one_by_one_s,
        in_one_call_s,
    )


def _strewn(cells: Sequence[SampleZone], count: int) -> Iterator[Point]:
    chance = random.Random(20240612)
    west, south, east, north = shapely.total_bounds([cell.polygon for cell in cells])
    for _ in range(count):
        yield Point(chance.uniform(west, east), chance.uniform(south, north))


def _must_agree(found: Sequence[int | None], pairs: Sequence[tuple[int, int]]) -> None:
    theirs: dict[int, list[int]] = {}
    for point, zone in pairs:
        theirs.setdefault(point, []).append(zone)
    for point, ours in enumerate(found):
        said = theirs.get(point, [])
        if ours != min(said, default=None):
            raise WrongOutcome(f"point {point}: {ours} here, {said} there")


def printed(circumstances: Circumstances, told: Located) -> str:
    return "\n".join(
        [
            *circumstances.lines(),
            "",
            f"  {told.points} points, {told.zones} zones of {told.vertices} vertices, {told.in_none} in none",
            f"  one by one, as a booking asks: {told.one_by_one_s:.2f} s, {told.a_second:.0f} a second",
            f"  all in one call of shapely:    {told.in_one_call_s:.2f} s",
            f"  one by one / one call: {told.one_by_one_s / told.in_one_call_s:.1f}",
        ]
    )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.places", description=__doc__)
    many = number_up_to(MOST)
    parser.add_argument("--points", type=many, default=POINTS, metavar="N", help=f"{POINTS}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there too")
    wanted = parser.parse_args(argv)
    circumstances = Circumstances.here()
    told = measure(wanted.points)
    print(printed(circumstances, told))
    if wanted.json is not None:
        figures = {"at": clock.stamp(circumstances.at), "load": circumstances.load, "points": told.points}
        figures |= {"one_by_one_s": told.one_by_one_s, "in_one_call_s": told.in_one_call_s}
        wanted.json.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
    return 0


if __name__ == "__main__":
    sys.exit(main())

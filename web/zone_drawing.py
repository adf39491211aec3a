"""Zones drawn by hand: today's or a draft's, changed on a map or corner by corner, kept as another draft.

    /dispatch/zones/drawing?draft=<draft>    without a draft: from today's zones

The corners stand in the form, a line each, in the datum that the page names: that of the map beneath it, else
WGS-84. The map only reads and writes those lines, so that without scripts the form is the same. A corner that
nobody touched keeps its place to the last digit, and what is no simple ring of corners stays as it is.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from unicodedata import normalize
from uuid import UUID

from flask import current_app, redirect, request
from flask.typing import ResponseReturnValue

from core import clock
from core.geo import Datum, Point, from_wgs84, to_wgs84
from core.http import doing
from core.problems import FieldFault, WrongField
from registry import zone_drafts
from registry.schemas import MAX_ZONES
from registry.zone_schemas import ZoneDraftIn
from web import dispatcher_map
from web.dispatcher import asked_id
from web.pages import No, form_of, number_said, tried
from web.zone_pages import MOST_BYTES, face, shown

LEAST_CORNERS, MOST_CORNERS = 3, 2000
A_DAY = {"opens_s": 8 * 3600, "closes_s": 20 * 3600}
_LINE = re.compile(r"\s*(-?\d{1,3}(?:\.\d{1,15})?)\s*[,;\s]\s*(-?\d{1,2}(?:\.\d{1,15})?)\s*")

Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Block:
    """One zone of the form. ``corners``: None where its outline has holes or several parts, and is kept."""

    place: int
    number: str
    name: str
    site_id: str
    corners: str | None
    before: Mapping[str, Any] | None
    faults: tuple[FieldFault, ...] = ()
    said: tuple[tuple[str, str], ...] = ()

    @property
    def is_new(self) -> bool:
        return self.before is None


@dataclass(frozen=True, slots=True)
class Source:
    """What is drawn on from: zones as a draft has them, WGS-84."""

    draft_id: UUID | None
    name: str
    zones: Sequence[Mapping[str, Any]]
    checks: Mapping[str, Any] | None
    datum: Datum

    def text_of(self, corner: Sequence[float]) -> str:
        lon, lat = from_wgs84(Point(corner[0], corner[1]), self.datum)
        return f"{lon:.7f},{lat:.7f}"

    def lines_of(self, outline: Mapping[str, Any]) -> str | None:
        ring = _ring(outline)
        return None if ring is None else "\n".join(self.text_of(corner) for corner in ring)

    def known(self) -> dict[str, Pair]:
        """A corner's line → where it is exactly: the line is rounded, and on another datum moved."""
        rings = (_ring(zone["outline"]) or [] for zone in self.zones)
        return {self.text_of(corner): (corner[0], corner[1]) for ring in rings for corner in ring}


def _ring(outline: Mapping[str, Any]) -> list[list[float]] | None:
    """Its corners without the last, which is the first again; None where it is more than one ring."""
    parts = outline["coordinates"] if outline["type"] == "MultiPolygon" else [outline["coordinates"]]
    if len(parts) != 1 or len(parts[0]) != 1 or len(parts[0][0]) > MOST_CORNERS:
        return None
    return list(parts[0][0][:-1])


# --- the page -------------------------------------------------------------------------------------------


@face.page("/drawing", "zone.publish")
def drawing() -> ResponseReturnValue:
    source = _source()
    return _page(source, source.name, _blocks_of(source), None)


@face.page("/drawing", "zone.publish", methods=("POST",), most_bytes=MOST_BYTES)
def draw() -> ResponseReturnValue:
    source = _source()
    blocks = list(_blocks_sent(source))
    done, no = tried(lambda: _keep(source, blocks))
    if done is None:
        return _page(source, request.form.get("name", ""), _with_faults(blocks, no), no)
    return redirect(f"/dispatch/zones/drafts/{done['draft_id']}", 303)


def _source() -> Source:
    """A draft of the asker's, or today's zones as far as they are theirs to change."""
    config = current_app.extensions["ground"].config
    datum = Datum(config.map_tile_datum) if config.map_tile_url else Datum.WGS84
    draft_id = asked_id("draft")
    if draft_id is not None:
        draft = zone_drafts.draft_view(doing(), draft_id)
        zones = [{**one["properties"], "outline": one["geometry"]} for one in draft["collection"]["features"]]
        return Source(draft_id, draft["name"], zones, zone_drafts.checks(doing(), draft_id, None), datum)
    _, in_force = zone_drafts.zones_on(doing(), clock.today())
    reach, names = doing().actor.reach, ("number", "name", "opens_s", "closes_s", "outline")
    mine = [zone for zone in in_force if reach.covers(firm=zone.firm_id, district=zone.district)]
    zones = [
        {name: getattr(zone, name) for name in names}
        | {"firm_id": str(zone.firm_id), "supply_site_id": str(zone.supply_site_id)}
        for zone in mine
    ]
    return Source(None, "", zones, None, datum)


def _blocks_of(source: Source) -> list[Block]:
    blocks = [
        Block(
            place,
            str(zone["number"]),
            zone["name"],
            zone["supply_site_id"],
            source.lines_of(zone["outline"]),
            zone,
            said=tuple(_said(zone["number"], source.checks)),
        )
        for place, zone in enumerate(source.zones)
    ]
    return [*blocks, Block(len(blocks), "", "", "", "", None)]


def _said(number: int, checks: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """What the checks of the draft found of this zone."""
    if checks is None:
        return
    for one in checks["overlaps"]:
        if number in (one.number, one.other):
            other, size = one.other if one.number == number else one.number, one.overlap_m2
            yield f"与片区 {other} 重叠 {size} m²", f"overlaps zone {other} by {size} m²"


def _blocks_sent(source: Source) -> Iterator[Block]:
    for place, zone in enumerate([*source.zones, None]):
        said = {
            name: request.form.get(f"{name}-{place}", "") for name in ("number", "name", "site", "corners")
        }
        kept = zone is not None and _ring(zone["outline"]) is None
        yield Block(
            place, said["number"], said["name"], said["site"], None if kept else said["corners"], zone
        )


def _with_faults(blocks: Sequence[Block], no: No | None) -> list[Block]:
    """Each fault beside its zone."""
    faults = no.errors if no is not None else ()
    drawn = [block for block in blocks if _is_drawn(block)]
    at = {block.place: f"/collection/features/{n}" for n, block in enumerate(drawn)}
    return [
        replace(
            block,
            faults=tuple(
                fault
                for fault in faults
                if block.place in at and f"{fault.pointer}/".startswith(f"{at[block.place]}/")
            ),
        )
        for block in blocks
    ]


def _page(source: Source, name: str, blocks: Sequence[Block], no: No | None) -> ResponseReturnValue:
    _, in_force = zone_drafts.zones_on(doing(), clock.today())
    sites = zone_drafts.sites_to_start_from(doing())
    return shown(
        "zone_drawing",
        no,
        source=source,
        draft_name=name,
        blocks=blocks,
        site_rows=[(str(site.id), site.name) for site in sites],
        hues=dispatcher_map.HUES,
        map=dispatcher_map.of_zones(in_force),
    )


# --- keeping it -----------------------------------------------------------------------------------------


def _is_drawn(block: Block) -> bool:
    """A zone whose corners were all taken away is none any more."""
    return block.corners is None or bool(block.corners.strip())


def _keep(source: Source, blocks: Sequence[Block]) -> dict[str, Any]:
    drawn = [block for block in blocks if _is_drawn(block)]
    known, faults, features = source.known(), list[FieldFault](), list[dict[str, Any]]()
    firms = {str(site.id): str(site.firm_id) for site in zone_drafts.sites_to_start_from(doing())}
    for place, block in enumerate(drawn[: MAX_ZONES + 1]):
        try:
            features.append(_feature(source, block, known, firms, f"/collection/features/{place}/geometry"))
        except WrongField as wrong:
            faults += wrong.faults
    if faults:
        raise WrongField.all(faults)
    body = {
        "name": request.form.get("name", ""),
        "datum": Datum.WGS84.value,
        "collection": {"type": "FeatureCollection", "features": features},
    }
    return dict(zone_drafts.draft_zones(doing(), **form_of(ZoneDraftIn, body)))


def _feature(
    source: Source, block: Block, known: Mapping[str, Pair], firms: Mapping[str, str], pointer: str
) -> dict[str, Any]:
    before = block.before or A_DAY
    firm = firms.get(block.site_id)
    properties = {
        "number": number_said(block.number),
        "name": block.name,
        "supply_site_id": block.site_id,
        "firm_id": firm or before.get("firm_id"),
        "opens_s": before["opens_s"],
        "closes_s": before["closes_s"],
    }
    kept = block.before is not None and (
        block.corners is None or _lines(block.corners) == _lines(source.lines_of(block.before["outline"]))
    )
    outline = (
        block.before["outline"]
        if kept and block.before is not None
        else _outline(block.corners or "", source.datum, known, pointer)
    )
    given = {name: value for name, value in properties.items() if value not in ("", None)}
    return {"type": "Feature", "geometry": outline, "properties": given}


def _lines(text: str | None) -> list[str]:
    return [line.strip() for line in normalize("NFKC", text or "").splitlines() if line.strip()]


def _outline(text: str, datum: Datum, known: Mapping[str, Pair], pointer: str) -> dict[str, Any]:
    lines = _lines(text)
    if len(lines) > MOST_CORNERS:
        raise WrongField(
            pointer,
            "too_many",
            f"角点太多，最多 {MOST_CORNERS} 个",
            f"expected at most {MOST_CORNERS} corners",
        )
    ring = [_corner(line, n, datum, known, pointer) for n, line in enumerate(lines, start=1)]
    if len(set(ring)) < LEAST_CORNERS:
        raise WrongField(
            pointer, "too_few", "一个片区至少要三个角", "expected at least three corners of a zone"
        )
    return {"type": "Polygon", "coordinates": [[list(one) for one in (*ring, ring[0])]]}


def _corner(line: str, n: int, datum: Datum, known: Mapping[str, Pair], pointer: str) -> Pair:
    if line in known:
        return known[line]
    read = _LINE.fullmatch(line)
    if read is None or abs(float(read[1])) > 180 or abs(float(read[2])) > 90:
        raise WrongField(
            pointer,
            "corner",
            f"第 {n} 行不是“经度,纬度”",
            f"line {n}: expected longitude,latitude in degrees",
        )
    point = to_wgs84(float(read[1]), float(read[2]), datum)
    return (point.lon, point.lat)

"""Verbs: a district's zones (固定配送范围). Published as a whole, never changed; the next set replaces it."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from core import clock
from core.auth import ScopeKind
from core.geo import EARTH_RADIUS_M, Area, WrongGeometry, area_from_geojson, area_to_geojson
from core.ids import new_id
from core.problems import WrongField
from core.refusal import Refusal, Refused
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import refusals as no
from registry.mentions import my_firm, named, resting, unknown
from registry.models import Site, SiteKind, Zone, ZoneSet
from registry.queries import zone_set_at, zones_of

SLIVER_M2 = 1000
"""Two outlines drawn by hand along one street overlap by slivers; what is more is a double claim."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A zone as given, with its outline in WGS-84."""

    number: int
    name: str
    firm_id: UUID
    supply_site_id: UUID
    opens_s: int
    closes_s: int
    area: Area


@does("zone.publish")
def publish_zones(deed: Deed, *, valid_from: date, datum: str, zones: Sequence[Mapping[str, Any]]) -> Answer:
    """``zones``: number, name, firm_id, supply_site_id, outline (GeoJSON of ``datum``), opens_s, closes_s.

    Hours are seconds since midnight. A first set may begin in the past; a later one begins today or later.
    """
    drawn = [_drawn(deed, position, zone, datum) for position, zone in enumerate(zones)]
    _numbers_must_differ(drawn)
    standing = deed.db.scalars(
        sa.select(ZoneSet).where(ZoneSet.district == deed.district).order_by(ZoneSet.id).with_for_update()
    ).all()
    if standing and valid_from < clock.day_of(deed.recorded_at):
        raise WrongField(
            "/valid_from",
            "past",
            "已有配送范围时，新的范围不能倒签",
            "expected today or later: zones that were in force stay as they were",
        )
    published = ZoneSet(
        district=deed.district,
        id=new_id(),
        version=1 + max((one.version for one in standing), default=0),
        valid_from=valid_from,
        recorded_at=deed.recorded_at,
    )
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.note(
        zone_set_id=published.id,
        version=published.version,
        valid_from=valid_from,
        datum=datum,
        zones=[zone.number for zone in drawn],
    )
    reasons = [no.ZONE_DAY_TAKEN()] if any(one.valid_from == valid_from for one in standing) else []
    reasons += _others_refusals(deed, valid_from)
    reasons += [resting(deed, refusal) for refusal in overlap_refusals(drawn)]
    if reasons:
        raise Refused(reasons)
    deed.db.add(published)
    deed.db.flush()
    deed.db.add_all(_zone(deed, published, zone) for zone in drawn)
    return {"zone_set_id": str(published.id)}


def _drawn(deed: Deed, position: int, zone: Mapping[str, Any], datum: str) -> Drawn:
    at = f"/zones/{position}"
    firm = my_firm(deed, zone["firm_id"], f"{at}/firm_id")
    site = named(deed.db.get(Site, zone["supply_site_id"]), f"{at}/supply_site_id")
    if site.firm_id != firm.id or not {SiteKind.SUPPLY_POINT, SiteKind.DEPOT} & set(site.kinds):
        raise unknown(f"{at}/supply_site_id")
    try:
        area = area_from_geojson(zone["outline"], datum)
    except WrongGeometry as wrong:
        raise WrongField(f"{at}/outline", wrong.code, wrong.zh, wrong.en) from None
    return Drawn(zone["number"], zone["name"], firm.id, site.id, zone["opens_s"], zone["closes_s"], area)


def _numbers_must_differ(drawn: Sequence[Drawn]) -> None:
    seen: set[int] = set()
    for position, zone in enumerate(drawn):
        if zone.number in seen:
            raise WrongField(
                f"/zones/{position}/number",
                "twice",
                "编号重复",
                "expected every zone to have a number of its own",
            )
        seen.add(zone.number)


def _others_refusals(deed: Deed, valid_from: date) -> list[Refusal]:
    """A set replaces the whole district's: one firm's dispatcher may not end another firm's zones."""
    replaced = zone_set_at(deed.db, deed.district, valid_from)
    if replaced is None or deed.actor.reach.kind is not ScopeKind.FIRM:
        return []
    mine = deed.actor.scope_id(ScopeKind.FIRM)
    others = {zone.firm_id for zone in zones_of(deed.db, deed.district, replaced.id)} - {mine}
    return [resting(deed, no.ZONES_OF_OTHERS())] if others else []


def overlap_refusals(drawn: Sequence[Drawn]) -> Iterator[Refusal]:
    """Two zones that share more than a sliver of ground."""
    for one, other in itertools.combinations(sorted(drawn, key=lambda zone: zone.number), 2):
        overlap_m2 = _ground_m2(one.area.intersection(other.area))
        if overlap_m2 > SLIVER_M2:
            yield no.ZONES_OVERLAP(number=one.number, other=other.number, overlap_m2=round(overlap_m2))


def _ground_m2(area: Any) -> float:
    """Square metres of a small area in degrees, on a plane at its middle; good to a hundredth in a city."""
    if area.is_empty:
        return 0.0
    metre_per_degree = math.radians(1) * EARTH_RADIUS_M
    return float(area.area * metre_per_degree**2 * math.cos(math.radians(area.centroid.y)))


def _zone(deed: Deed, published: ZoneSet, zone: Drawn) -> Zone:
    return Zone(
        district=deed.district,
        id=new_id(),
        zone_set_id=published.id,
        number=zone.number,
        name=zone.name,
        firm_id=zone.firm_id,
        supply_site_id=zone.supply_site_id,
        outline=area_to_geojson(zone.area),
        opens_s=zone.opens_s,
        closes_s=zone.closes_s,
    )

"""Verbs and reads: drafts of zones (固定配送范围草案), taken in from a map, looked at, and published.

A draft binds nobody. What is wrong with the ground as drawn is said by ``checks``; which orders would have
gone to another zone, the room of rounds says, which knows the orders.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from core import clock
from core.auth import Actor, ScopeKind
from core.doing import Doing
from core.geo import Area, Datum, ZoneIndex, area_from_geojson, area_to_geojson
from core.ids import new_id
from core.problems import NotFound
from core.refusal import Refused
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import zone_checks
from registry import zone_refusals as no
from registry.mentions import resting
from registry.models import Site, SiteKind, Zone, ZoneSet
from registry.zone_checks import Areas, Hole
from registry.zone_models import ZoneDraft
from registry.zone_queries import zone_set_at, zones_of
from registry.zones import (
    Drawn,
    Home,
    are_of_others,
    areas_of,
    drawn_zones,
    enter_zone_set,
    homes_by_parts,
)

MOST_HOMES_NAMED = 100
MOST_LISTED = 20


@does("zone.draft")
def draft_zones(deed: Deed, *, name: str, datum: str, collection: Mapping[str, Any]) -> Answer:
    """``collection``: a GeoJSON FeatureCollection of ``datum``; what a zone is, its properties say."""
    zones = [{**one["properties"], "outline": one["geometry"]} for one in collection["features"]]
    draft = enter_draft(deed, name, datum, drawn_zones(deed, zones, datum, _in_a_collection))
    return {"draft_id": str(draft.id)}


def _in_a_collection(position: int, field: str) -> str:
    within = "geometry" if field == "outline" else f"properties/{field}"
    return f"/collection/features/{position}/{within}"


def enter_draft(deed: Deed, name: str, datum: str, drawn: Sequence[Drawn]) -> ZoneDraft:
    """Keep zones that bind nobody. They may overlap and leave gaps: ``checks`` says so."""
    draft = ZoneDraft(
        district=deed.district,
        id=new_id(),
        name=name,
        datum=datum,
        zones=[_plain(zone) for zone in sorted(drawn, key=lambda zone: zone.number)],
        drawn_by=deed.actor.principal_id,
        recorded_at=deed.recorded_at,
    )
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.note(draft_id=draft.id, datum=datum, zones=[zone["number"] for zone in draft.zones])
    deed.db.add(draft)
    deed.db.flush()
    return draft


@does("zone.publish")
def publish_draft(deed: Deed, draft_id: UUID, *, valid_from: date) -> Answer:
    """The draft as the district's next set, from ``valid_from``; what is asked of a set is asked of it."""
    draft = deed.db.get(ZoneDraft, (deed.district, draft_id), with_for_update=True, populate_existing=True)
    draft = _mine(draft, deed.actor)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.note(draft_id=draft.id)
    if draft.zone_set_id is not None:
        raise Refused([resting(deed, no.DRAFT_PUBLISHED())])
    drawn = drawn_zones(deed, [_read(zone) for zone in draft.zones], Datum.WGS84, _in_a_draft)
    published = enter_zone_set(deed, valid_from, draft.datum, drawn)
    deed.db.flush()
    draft.zone_set_id = published.id
    return {"zone_set_id": str(published.id)}


def _in_a_draft(position: int, field: str) -> str:
    return f"/zones/{position}/{field}"


def _plain(zone: Drawn) -> dict[str, Any]:
    return {
        "number": zone.number,
        "name": zone.name,
        "firm_id": str(zone.firm_id),
        "supply_site_id": str(zone.supply_site_id),
        "opens_s": zone.opens_s,
        "closes_s": zone.closes_s,
        "outline": area_to_geojson(zone.area),
    }


def _read(zone: Mapping[str, Any]) -> dict[str, Any]:
    ids = {name: UUID(zone[name]) for name in ("firm_id", "supply_site_id")}
    return {**zone, **ids}


# --- reads ------------------------------------------------------------------------------------------------


def draft_in_reach(db: Session, doing: Doing, draft_id: UUID) -> ZoneDraft:
    return _mine(db.get(ZoneDraft, (doing.district, draft_id)), doing.actor)


def _mine(draft: ZoneDraft | None, actor: Actor) -> ZoneDraft:
    """404 unless every zone of it is the actor's to act for."""
    if draft is None:
        raise NotFound
    for firm_id in sorted({zone["firm_id"] for zone in draft.zones}):
        actor.must_reach(firm=UUID(firm_id), district=draft.district)
    return draft


@dataclass(frozen=True, slots=True)
class Listed:
    """A draft without its outlines, which are long."""

    id: UUID
    name: str
    zones: int
    zone_set_id: UUID | None
    recorded_at: datetime


def drafts(doing: Doing) -> list[Listed]:
    """The last ones within the caller's reach."""
    names = (ZoneDraft.id, ZoneDraft.name, ZoneDraft.zone_set_id, ZoneDraft.recorded_at)
    how_many = sa.func.jsonb_array_length(ZoneDraft.zones).label("zones")
    with doing.ground.sessions() as db:
        found = db.execute(
            sa.select(*names, how_many)
            .where(ZoneDraft.district == doing.district, _are_mine(doing.actor))
            .order_by(ZoneDraft.recorded_at.desc(), ZoneDraft.id.desc())
            .limit(MOST_LISTED)
        )
        return [Listed(row.id, row.name, row.zones, row.zone_set_id, row.recorded_at) for row in found]


def _are_mine(actor: Actor) -> sa.ColumnElement[bool]:
    """``_mine`` for many: asked of the database, which need not hand out what is not shown."""
    match actor.reach.kind:
        case ScopeKind.ALL:
            return sa.true()
        case ScopeKind.DISTRICT:
            return ZoneDraft.district == int(actor.reach.code)
        case ScopeKind.FIRM:
            zone = sa.func.jsonb_array_elements(ZoneDraft.zones).table_valued("value", name="zone")
            firm_id = sa.cast(zone.c.value, JSONB)["firm_id"].astext
            return ~sa.exists().where(firm_id != actor.reach.code).select_from(zone)
    return sa.false()


def sites_to_start_from(doing: Doing) -> list[Site]:
    """Supply points and depots a zone may be served from, within the caller's reach."""
    kinds = {SiteKind.SUPPLY_POINT.value, SiteKind.DEPOT.value}
    with doing.ground.sessions() as db:
        found = db.scalars(
            sa.select(Site).where(Site.district == doing.district).order_by(Site.name, Site.id)
        )
        return [
            site
            for site in found
            if kinds & set(site.kinds) and doing.actor.reach.covers(firm=site.firm_id, district=site.district)
        ]


def zones_on(doing: Doing, day: date) -> tuple[ZoneSet | None, list[Zone]]:
    """The set in force on a day, every firm's zones of it."""
    with doing.ground.sessions() as db:
        standing = zone_set_at(db, doing.district, day)
        return standing, zones_of(db, doing.district, standing.id) if standing is not None else []


def sets_to_come(doing: Doing) -> list[ZoneSet]:
    with doing.ground.sessions() as db:
        return list(
            db.scalars(
                sa.select(ZoneSet)
                .where(ZoneSet.district == doing.district, ZoneSet.valid_from > clock.today())
                .order_by(ZoneSet.valid_from)
            )
        )


def ground_of(draft: ZoneDraft) -> dict[int, Area]:
    """Zone number → its ground."""
    return {zone["number"]: area_from_geojson(zone["outline"], Datum.WGS84) for zone in draft.zones}


def draft_view(doing: Doing, draft_id: UUID) -> dict[str, Any]:
    """As a FeatureCollection in WGS-84: what comes out may be changed on a map and taken in again."""
    with doing.ground.sessions() as db:
        draft = draft_in_reach(db, doing, draft_id)
        names = ("id", "district", "name", "drawn_by", "zone_set_id", "recorded_at")
        return {name: getattr(draft, name) for name in names} | {
            "drawn_on": draft.datum,
            "datum": Datum.WGS84.value,
            "collection": {
                "type": "FeatureCollection",
                "features": [_feature(zone) for zone in draft.zones],
            },
        }


def _feature(zone: Mapping[str, Any]) -> dict[str, Any]:
    properties = {name: value for name, value in zone.items() if name != "outline"}
    return {"type": "Feature", "geometry": zone["outline"], "properties": properties}


def checks(doing: Doing, draft_id: UUID, day: date | None) -> dict[str, Any]:
    """What is wrong with the draft as drawn, beside the zones in force on ``day`` (today, if not said)."""
    with doing.ground.sessions() as db:
        draft = draft_in_reach(db, doing, draft_id)
        standing = zone_set_at(db, doing.district, day or clock.today())
        before = {zone.number: area for zone, area in areas_of(db, standing)} if standing else {}
        of_others = are_of_others(db, doing.actor, standing)
        areas = ground_of(draft)
        after, was = ZoneIndex(sorted(areas.items())), ZoneIndex(sorted(before.items()))
        homes = _counted(homes_by_parts(db, doing.district), after, was)
    found = _faults(areas, before)
    return {
        "draft_id": draft.id,
        "compared_with": standing and standing.id,
        **found,
        "zones": [
            {"number": zone["number"], "name": zone["name"], "homes": homes.within[zone["number"]]}
            for zone in draft.zones
        ],
        "homes": homes.within.total() + homes.outside,
        "homes_outside": homes.outside,
        "homes_newly_outside": homes.newly,
        "premises_outside": homes.newly_named or homes.named,
        "zones_of_others": of_others,
        "may_be_published": not homes.newly and not found["overlaps"] and not of_others,
    }


@dataclass(slots=True)
class Homes:
    """How many lie in each zone, and outside; the first of those outside by the ids of their premises."""

    within: Counter[int] = field(default_factory=Counter)
    outside: int = 0
    newly: int = 0
    named: list[UUID] = field(default_factory=list)
    newly_named: list[UUID] = field(default_factory=list)


def _counted(parts: Iterator[list[Home]], after: ZoneIndex[int], was: ZoneIndex[int]) -> Homes:
    """A city's homes are never held together, and each is asked after once."""
    counted = Homes()
    for homes in parts:
        numbers = after.zones_of([home.point for home in homes])
        counted.within.update(number for number in numbers if number is not None)
        outside = [home for home, number in zip(homes, numbers, strict=True) if number is None]
        had = was.zones_of([home.point for home in outside])
        newly = [home for home, number in zip(outside, had, strict=True) if number is not None]
        counted.outside += len(outside)
        counted.newly += len(newly)
        for named, some in ((counted.named, outside), (counted.newly_named, newly)):
            named += [home.premises_id for home in some[: MOST_HOMES_NAMED - len(named)]]
    return counted


def _faults(areas: Areas, before: Areas) -> dict[str, Any]:
    return {
        "overlaps": list(zone_checks.overlaps(areas)),
        "gaps": [_hole(one) for one in zone_checks.gaps(areas)],
        "lost": [_hole(one) for one in zone_checks.lost(areas, before)],
    }


def _hole(hole: Hole) -> dict[str, Any]:
    point = {"lon": hole.point.lon, "lat": hole.point.lat, "datum": Datum.WGS84.value}
    return {"area_m2": hole.area_m2, "point": point}

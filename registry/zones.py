"""Verbs: a district's zones (固定配送范围). Published as a whole, never changed; the next set replaces it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import Actor, ScopeKind
from core.geo import Area, Datum, Point, WrongGeometry, ZoneIndex, area_from_geojson, area_to_geojson
from core.ids import new_id
from core.problems import FieldFault, WrongField
from core.refusal import Refusal, Refused
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import zone_checks
from registry import zone_refusals as no
from registry.mentions import my_firm, named, resting, unknown
from registry.models import Household, Premises, Site, SiteKind, Zone, ZoneSet
from registry.zone_queries import zone_set_at, zones_of


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
    drawn = drawn_zones(deed, zones, datum, lambda position, field: f"/zones/{position}/{field}")
    published = enter_zone_set(deed, valid_from, datum, drawn)
    return {"zone_set_id": str(published.id)}


def enter_zone_set(deed: Deed, valid_from: date, datum: str, drawn: Sequence[Drawn]) -> ZoneSet:
    """The next version of the district's zones, or every reason against it; no home loses its zone."""
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
    reasons += _home_refusals(deed, valid_from, drawn)
    if reasons:
        raise Refused(reasons)
    deed.db.add(published)
    deed.db.flush()
    deed.db.add_all(_zone(deed, published, zone) for zone in drawn)
    return published


def drawn_zones(
    deed: Deed, zones: Sequence[Mapping[str, Any]], datum: str, pointer: Callable[[int, str], str]
) -> list[Drawn]:
    """The zones as given, or everything that is wrong with any of them. ``pointer``: to a zone's field."""
    drawn, faults = list[Drawn](), list[FieldFault]()
    for position, zone in enumerate(zones):
        try:
            drawn.append(_drawn(deed, zone, datum, partial(pointer, position)))
        except WrongField as wrong:
            faults += wrong.faults
    if faults:
        raise WrongField.all(faults)
    _numbers_must_differ(drawn, pointer)
    return drawn


def _drawn(deed: Deed, zone: Mapping[str, Any], datum: str, pointer: Callable[[str], str]) -> Drawn:
    firm = my_firm(deed, zone["firm_id"], pointer("firm_id"))
    site = named(deed.db.get(Site, zone["supply_site_id"]), pointer("supply_site_id"))
    if site.firm_id != firm.id or not {SiteKind.SUPPLY_POINT, SiteKind.DEPOT} & set(site.kinds):
        raise unknown(pointer("supply_site_id"))
    try:
        area = area_from_geojson(zone["outline"], datum)
    except WrongGeometry as wrong:
        raise WrongField(pointer("outline"), wrong.code, wrong.zh, wrong.en) from None
    return Drawn(zone["number"], zone["name"], firm.id, site.id, zone["opens_s"], zone["closes_s"], area)


def _numbers_must_differ(drawn: Sequence[Drawn], pointer: Callable[[int, str], str]) -> None:
    seen: set[int] = set()
    for position, zone in enumerate(drawn):
        if zone.number in seen:
            raise WrongField(
                pointer(position, "number"),
                "twice",
                "编号重复",
                "expected every zone to have a number of its own",
            )
        seen.add(zone.number)


def _others_refusals(deed: Deed, valid_from: date) -> list[Refusal]:
    """A set replaces the whole district's: one firm's dispatcher may not end another firm's zones."""
    replaced = zone_set_at(deed.db, deed.district, valid_from)
    return [resting(deed, no.ZONES_OF_OTHERS())] if are_of_others(deed.db, deed.actor, replaced) else []


def are_of_others(db: Session, actor: Actor, replaced: ZoneSet | None) -> bool:
    """Whether zones of another firm than the actor's own would end with this set."""
    if replaced is None or actor.reach.kind is not ScopeKind.FIRM:
        return False
    zones = zones_of(db, replaced.district, replaced.id)
    return bool({zone.firm_id for zone in zones} - {actor.scope_id(ScopeKind.FIRM)})


def overlap_refusals(drawn: Sequence[Drawn]) -> Iterator[Refusal]:
    """Two zones that share more than a sliver of ground."""
    for found in zone_checks.overlaps({zone.number: zone.area for zone in drawn}):
        yield no.ZONES_OVERLAP(number=found.number, other=found.other, overlap_m2=found.overlap_m2)


def _home_refusals(deed: Deed, valid_from: date, drawn: Sequence[Drawn]) -> list[Refusal]:
    """A home that has a zone keeps one: without it nobody could book there any more."""
    replaced = zone_set_at(deed.db, deed.district, valid_from)
    if replaced is None:
        return []
    before = ZoneIndex([(zone.number, area) for zone, area in areas_of(deed.db, replaced)])
    after = ZoneIndex([(zone.number, zone.area) for zone in drawn])
    left = 0
    for homes in homes_by_parts(deed.db, deed.district):
        points = [home.point for home in homes]
        zones = zip(before.zones_of(points), after.zones_of(points), strict=True)
        left += sum(had is not None and has is None for had, has in zones)
    return [resting(deed, no.ZONES_LEAVE_HOMES(homes=left))] if left else []


@dataclass(frozen=True, slots=True)
class Home:
    """Where a household lives or works that is not closed."""

    premises_id: UUID
    committee_code: str
    point: Point


HOMES_AT_ONCE = 5_000


def homes_of(db: Session, district: int) -> list[Home]:
    """By the id of their premises."""
    return [home for homes in homes_by_parts(db, district) for home in homes]


def homes_by_parts(db: Session, district: int) -> Iterator[list[Home]]:
    """The same, some thousands at a time: who only counts them need not hold a city's."""
    homes = (
        sa.select(Premises.id, Household.id, Premises.committee_code, Premises.lon, Premises.lat)
        .join(
            Household,
            sa.and_(Household.district == Premises.district, Household.premises_id == Premises.id),
        )
        .where(Household.district == district, Household.closed_at.is_(None))
        .order_by(Premises.id, Household.id)
        .limit(HOMES_AT_ONCE)
    )
    rows = db.execute(homes).all()
    while rows:
        yield [Home(row[0], row.committee_code, Point(row.lon, row.lat)) for row in rows]
        last = sa.tuple_(sa.literal(rows[-1][0]), sa.literal(rows[-1][1]))
        after = sa.tuple_(Premises.id, Household.id) > last
        rows = db.execute(homes.where(after)).all() if len(rows) == HOMES_AT_ONCE else []


def areas_of(db: Session, zone_set: ZoneSet) -> list[tuple[Zone, Area]]:
    """The zones of a set with their ground, by number."""
    return [
        (zone, area_from_geojson(zone.outline, Datum.WGS84))
        for zone in zones_of(db, zone_set.district, zone_set.id)
    ]


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

"""Reads of zones for the rooms above: the set in force on a day, and in which zone a place lies."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.geo import Datum, Point, ZoneIndex, area_from_geojson
from core.prepared import Prepared
from registry.models import Zone, ZoneSet


def zone_set_at(db: Session, district: int, day: date) -> ZoneSet | None:
    """The set in force on ``day``."""
    return db.scalars(_ZONE_SET_AT, {"district": district, "day": day}).first()


_ZONE_SET_AT = (
    sa.select(ZoneSet)
    .where(ZoneSet.district == sa.bindparam("district"), ZoneSet.valid_from <= sa.bindparam("day"))
    .order_by(ZoneSet.valid_from.desc())
    .limit(1)
)
_ZONE_SET = Prepared(_ZONE_SET_AT)


def zones_of(db: Session, district: int, zone_set_id: UUID) -> list[Zone]:
    """The zones of a set, by number."""
    return list(
        db.scalars(
            sa.select(Zone)
            .where(Zone.district == district, Zone.zone_set_id == zone_set_id)
            .order_by(Zone.number)
        )
    )


def zone_at(db: Session, district: int, lon: float, lat: float, day: date) -> Zone | None:
    """The zone of a place (WGS-84) in the set in force on ``day``.

    A shared border belongs to the zone with the lower number (core.geo's rule over our numbers).
    """
    zone_id = zone_id_at(db, district, lon, lat, day)
    return db.get_one(Zone, (district, zone_id)) if zone_id else None


def zone_id_at(db: Session, district: int, lon: float, lat: float, day: date) -> UUID | None:
    """Which zone that is: all that a booking asks of it."""
    standing = next(iter(_ZONE_SET.within(db, district=district, day=day)), None)
    if standing is None:
        return None
    outlines = _ZONES.get(standing.id)
    if outlines is None:
        outlines = _Outlines(zones_of(db, district, standing.id))
        _ZONES.keep(standing.id, outlines)
    return outlines.zone_of(Point(lon, lat))


class _Outlines:
    """The outlines of a set, and which zone each number is."""

    def __init__(self, zones: Collection[Zone]):
        areas = [(zone.number, area_from_geojson(zone.outline, Datum.WGS84)) for zone in zones]
        self._numbers = ZoneIndex(areas)
        self._ids = {zone.number: zone.id for zone in zones}

    def zone_of(self, point: Point) -> UUID | None:
        number = self._numbers.zone_of(point)
        return None if number is None else self._ids[number]


class _LatestOutlines:
    """Outlines of the sets last asked for. A published set never changes, so they cannot go stale."""

    def __init__(self, most: int):
        self._most = most
        self._kept: dict[UUID, _Outlines] = {}

    def get(self, zone_set_id: UUID) -> _Outlines | None:
        return self._kept.get(zone_set_id)

    def keep(self, zone_set_id: UUID, outlines: _Outlines) -> None:
        kept = {**self._kept, zone_set_id: outlines}
        # A new dict, not a changed one: other threads may be reading.
        self._kept = dict(list(kept.items())[-self._most :])


_ZONES = _LatestOutlines(64)

"""What the worker finds on the road while it happens: out of the zone, stopped too long, silent.

The judges are pure: a track of believed fixes in, spans out. A span is judged by when things happened, so
that what comes in late is found late, and found once. The limits are rules of the place: G03, G04, G06.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.geo import Area, Datum, Point, area_from_geojson, distance_m, outside_by_m
from core.ground import Ground
from core.ids import new_id
from core.outbox import house_of
from dispatch.orders.models import Order
from dispatch.rounds.models import Round, ZoneApproval
from dispatch.rounds.position_models import CourierPosition, RoadAlarm, RoadAlarmKind
from dispatch.rounds.positions import fix_of, track_of
from dispatch.rounds.spikes import Fix
from dispatch.rounds.states import RoundState
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry.models import Premises, Zone
from registry.queries import site
from rulebook import current
from rulebook.edition import Law

LOOK_BACK = timedelta(minutes=10)
AT_THE_SITE_M = 200


@dataclass(frozen=True, slots=True)
class Span:
    """``over_at`` None: still so at the last fix."""

    since: datetime
    over_at: datetime | None


def spans_outside(track: Sequence[Fix], allowed: Area, beyond_m: int, lasting: timedelta) -> Iterator[Span]:
    """Outside for so long, by more than the fix's own accuracy and the margin."""
    first: Fix | None = None
    last: Fix | None = None
    for fix in track:
        if outside_by_m(allowed, fix.point) > beyond_m + fix.accuracy_m:
            first, last = first or fix, fix
        elif first is not None and last is not None:
            if last.at - first.at >= lasting:
                yield Span(first.at, fix.at)
            first = last = None
    if first is not None and last is not None and last.at - first.at >= lasting:
        yield Span(first.at, None)


def spans_stopped(track: Sequence[Fix], station: Point, radius_m: int, lasting: timedelta) -> Iterator[Span]:
    """In one place for so long that it is no door; at the station vehicles stand as long as they like."""
    n = 0
    while n < len(track):
        here = track[n]
        end = n + 1
        while end < len(track) and distance_m(here.point, track[end].point) <= radius_m:
            end += 1
        is_station = distance_m(here.point, station) <= AT_THE_SITE_M
        if not is_station and track[end - 1].at - here.at >= lasting:
            yield Span(here.at, track[end].at if end < len(track) else None)
            n = end
        else:
            n += 1


def span_silent(track: Sequence[Fix], now: datetime, lasting: timedelta) -> Span | None:
    """Since the last fix; of a round that has sent none nothing is said: it may have no phone that does."""
    if track and now - track[-1].at >= lasting:
        return Span(track[-1].at, None)
    return None


# --- the sweep ----------------------------------------------------------------------------------------------


def sweep(ground: Ground) -> int:
    """One look at every round that is driven, or that something came in of; how many alarms are new."""
    now = clock.now()
    with ground.reads() as db:
        rounds = list(db.execute(_to_look_at(now)).all())
    return sum(_sweep_one(ground, district, round_id) for district, round_id in rounds)


def _to_look_at(now: datetime) -> sa.Select[int, UUID]:
    lately = sa.select(CourierPosition.round_id).where(CourierPosition.recorded_at >= now - LOOK_BACK)
    has_sent = sa.exists().where(
        CourierPosition.district == Round.binding_district, CourierPosition.round_id == Round.id
    )
    return (
        sa.select(Round.district, Round.id)
        .where(sa.or_(Round.id.in_(lately), sa.and_(Round.state == RoundState.STARTED, has_sent)))
        .order_by(Round.district, Round.id)
    )


def _sweep_one(ground: Ground, district: int, round_id: UUID) -> int:
    """A deed only where something is new or over."""
    with ground.reads() as db:
        round = db.get_one(Round, (district, round_id))
        new, over = _changes(db, round, clock.now())
    if not new and not over:
        return 0
    return int(keep_alarms(house_of(ground, district), round_id)["found"])


Found = list[tuple[RoadAlarmKind, Span]]


@does("road.watch")
def keep_alarms(deed: Deed, round_id: UUID) -> Answer:
    round = deed.db.get_one(Round, (deed.district, round_id), with_for_update={"key_share": True})
    new, over = _changes(deed.db, round, deed.recorded_at)
    deed.about(SubjectType.BINDING, round.binding_id)
    deed.at(firm=round.firm_id, zone=round.zone_id, round=round.id)
    deed.note(found=sorted(kind.value for kind, _ in new), over=len(over))
    for kind, span in new:
        deed.db.add(
            RoadAlarm(
                district=deed.district,
                id=new_id(),
                kind=kind,
                round_id=round.id,
                firm_id=round.firm_id,
                zone_id=round.zone_id,
                binding_id=round.binding_id,
                since=span.since,
                over_at=span.over_at,
                recorded_at=deed.recorded_at,
            )
        )
    for alarm, over_at in over:
        alarm.over_at = over_at
    return {"found": len(new)}


def _changes(db: Session, round: Round, now: datetime) -> tuple[Found, list[tuple[RoadAlarm, datetime]]]:
    """Spans that no alarm has yet, and alarms that are over."""
    track = [fix_of(row) for row in track_of(db, round) if row.mark is None]
    standing = list(
        db.scalars(
            sa.select(RoadAlarm).where(RoadAlarm.district == round.district, RoadAlarm.round_id == round.id)
        )
    )
    new: Found = []
    over: list[tuple[RoadAlarm, datetime]] = []
    for kind, span in _spans(db, round, track, now):
        known = next((one for one in standing if one.kind is kind and _overlap(one, span)), None)
        if known is None:
            new.append((kind, span))
        elif known.over_at is None and span.over_at is not None:
            over.append((known, span.over_at))
    for one in standing:
        heard = next((fix.at for fix in track if fix.at > one.since), None)
        if one.kind is RoadAlarmKind.NO_POSITION and one.over_at is None and heard is not None:
            over.append((one, heard))
    return new, over


def _overlap(alarm: RoadAlarm, span: Span) -> bool:
    """Late fixes may show that it began earlier than was known."""
    ends, begins = span.over_at, alarm.over_at
    return (ends is None or alarm.since < ends) and (begins is None or span.since < begins)


def _spans(
    db: Session, round: Round, track: Sequence[Fix], now: datetime
) -> Iterator[tuple[RoadAlarmKind, Span]]:
    law = current().at(str(round.district), round.day)
    beyond_m, outside_min = law.integer("G03.beyond_m"), law.integer("G03.minutes")
    station = site(db, round.supply_site_id)
    if station is None:
        return
    at = Point(station.lon, station.lat)
    if beyond_m is not None and outside_min is not None:
        allowed = _allowed(db, round, at)
        for span in spans_outside(track, allowed, beyond_m, timedelta(minutes=outside_min)):
            yield RoadAlarmKind.OUT_OF_ZONE, span
    radius_m, stopped_min = law.integer("G04.radius_m"), law.integer("G04.minutes")
    if radius_m is not None and stopped_min is not None:
        for span in spans_stopped(track, at, radius_m, timedelta(minutes=stopped_min)):
            yield RoadAlarmKind.STOPPED_TOO_LONG, span
    silent = _silent(round, track, now, law)
    if silent is not None:
        yield RoadAlarmKind.NO_POSITION, silent


def _silent(round: Round, track: Sequence[Fix], now: datetime, law: Law) -> Span | None:
    minutes = law.integer("G06.minutes")
    if minutes is None or round.state is not RoundState.STARTED:
        return None
    return span_silent(track, now, timedelta(minutes=minutes))


def _allowed(db: Session, round: Round, station: Point) -> Area:
    """The zone, the way between it and the station, and doors outside that a dispatcher approved (D03)."""
    zone = db.get_one(Zone, (round.district, round.zone_id))
    doors = db.execute(
        sa.select(Premises.lon, Premises.lat)
        .join(Order, sa.and_(Order.district == Premises.district, Order.premises_id == Premises.id))
        .join(
            ZoneApproval, sa.and_(ZoneApproval.district == Order.district, ZoneApproval.order_id == Order.id)
        )
        .where(ZoneApproval.district == round.district, ZoneApproval.round_id == round.id)
    )
    points = [shapely.Point(station.lon, station.lat), *(shapely.Point(lon, lat) for lon, lat in doors)]
    ground = area_from_geojson(zone.outline, Datum.WGS84)
    hull: Area = shapely.convex_hull(shapely.union_all([ground, *points]))
    return hull


def alarms_of_day(
    db: Session, district: int, firm_id: UUID | None, from_at: datetime, until_at: datetime
) -> list[RoadAlarm]:
    return list(
        db.scalars(
            sa.select(RoadAlarm)
            .where(
                RoadAlarm.district == district,
                RoadAlarm.since >= from_at,
                RoadAlarm.since < until_at,
                sa.true() if firm_id is None else RoadAlarm.firm_id == firm_id,
            )
            .order_by(RoadAlarm.since, RoadAlarm.id)
        )
    )

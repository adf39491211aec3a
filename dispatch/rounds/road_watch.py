"""What the worker finds on the road while it happens: out of the zone, stopped too long, silent.

The judges are pure: a track of believed fixes in, spans out. A span is judged by when things happened, so
that what comes in late is found late, and found once. The limits are rules of the place: G03, G04, G06.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
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
from dispatch.rounds.position_models import RoadAlarm, RoadAlarmKind
from dispatch.rounds.positions import fix_of, track_of
from dispatch.rounds.spikes import Fix
from dispatch.rounds.states import RoundState
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry.models import Premises, Site, Zone
from rulebook import current
from rulebook.edition import Law

FIRST_LOOK_BACK = timedelta(days=1)
COMMITTED_WITHIN = timedelta(minutes=2)
"""What was recorded before a look and committed after it is looked at once more: twice finds nothing new."""
LOOKED_AT_LEAST = timedelta(minutes=2)
ROUNDS_AT_ONCE = 100
"""Whose tracks lie in memory together: the first look after a start reads them whole."""
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
    for fix, is_within in zip(track, _are_within(allowed, track), strict=True):
        if not is_within and outside_by_m(allowed, fix.point) > beyond_m + fix.accuracy_m:
            first, last = first or fix, fix
        elif first is not None and last is not None:
            if last.at - first.at >= lasting:
                yield Span(first.at, fix.at)
            first = last = None
    if first is not None and last is not None and last.at - first.at >= lasting:
        yield Span(first.at, None)


def _are_within(allowed: Area, track: Sequence[Fix]) -> Sequence[bool]:
    """Of all at once: one by one, half of a look's time goes into asking."""
    lons, lats = [fix.point.lon for fix in track], [fix.point.lat for fix in track]
    return list(shapely.intersects_xy(allowed, lons, lats))


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


def span_silent(
    track: Sequence[Fix], now: datetime, lasting: timedelta, begun_at: datetime | None = None
) -> Span | None:
    """Since the last fix; of a round that has sent none since it began, where that is known."""
    since = track[-1].at if track else begun_at
    if since is not None and now - since >= lasting:
        return Span(since, None)
    return None


# --- the sweep ----------------------------------------------------------------------------------------------

Alarms = Sequence[RoadAlarm]


@dataclass(slots=True)
class Watch:
    """What the worker remembers from one look to the next; a new one looks at everything once.

    ``looked_at``: up to where what came in is known. ``allowed``: of rounds that are driven, with the doors
    that were approved when it was drawn.
    """

    looked_at: datetime | None = None
    allowed: dict[UUID, tuple[tuple[Point, ...], Area]] = field(default_factory=dict)

    def since(self, now: datetime) -> datetime:
        return now - FIRST_LOOK_BACK if self.looked_at is None else self.looked_at - COMMITTED_WITHIN

    def allowed_of(self, db: Session, round: Round, station: Point, doors: tuple[Point, ...]) -> Area:
        known = self.allowed.get(round.id)
        if known is None or known[0] != doors:
            known = (doors, _allowed(db, round, station, doors))
            self.allowed[round.id] = known
        return known[1]


def sweep(ground: Ground, watch: Watch | None = None) -> int:
    """One look at every round that is driven, or that something came in of; how many alarms are new.

    Of rounds that a glance does not clear what is new of the track is read, with as much before it as an
    alarm takes. Where that shows something, the round is judged by the whole of its track.
    """
    watch, now = watch or Watch(), clock.now()
    with ground.reads() as db:
        suspects = _suspects(db, watch, now)
    found = sum(_sweep_one(ground, district, round_id) for district, round_id in suspects)
    watch.looked_at = now
    return found


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look reads of every round at once. ``tracks``: of each round the part that is looked at.

    ``new``: rounds that something came in of; of the others only their silence is news. True: of all.
    """

    new: Collection[UUID] | Literal[True]
    tracks: Mapping[UUID, list[Fix]]
    alarms: Mapping[UUID, list[RoadAlarm]]
    doors: Mapping[UUID, tuple[Point, ...]]
    stations: Mapping[UUID, Point]

    def has_new(self, round_id: UUID) -> bool:
        return self.new is True or round_id in self.new


def _suspects(db: Session, watch: Watch, now: datetime) -> list[tuple[int, UUID]]:
    """Rounds of which something may be new or over."""
    new_from = {row.round_id: row.first for row in db.execute(_NEW, {"since": watch.since(now)})}
    rounds = list(
        db.scalars(
            sa.select(Round)
            .where(sa.or_(Round.id.in_(list(new_from)), Round.state == RoundState.STARTED))
            .order_by(Round.district, Round.id)
        )
    )
    watch.allowed = {one.id: watch.allowed[one.id] for one in rounds if one.id in watch.allowed}
    if watch.looked_at is not None:
        rounds = _to_judge(db, watch, rounds, new_from, now)
    froms = {round.id: None if watch.looked_at is None else new_from.get(round.id, now) for round in rounds}
    found = []
    for first in range(0, len(rounds), ROUNDS_AT_ONCE):
        some = rounds[first : first + ROUNDS_AT_ONCE]
        seen = Seen(
            True if watch.looked_at is None else new_from.keys(),
            _tracks(db, some, froms),
            alarms_of_rounds(db, some),
            _doors_of(db, some),
            _stations_of(db, some),
        )
        found += [(one.district, one.id) for one in some if _is_suspect(db, watch, one, seen, now)]
    return found


def _to_judge(
    db: Session, watch: Watch, rounds: Sequence[Round], new_from: Mapping[UUID, datetime], now: datetime
) -> list[Round]:
    """Those of the rounds that a glance does not clear: it reads no track, only how far each reaches.

    Cleared is who was heard of or set out lately, has no alarm open, has with all that is new been within the
    allowed ground, and has moved further than one place is wide in the time that a stop takes.
    """
    has_open = {
        round_id
        for round_id, alarms in alarms_of_rounds(db, rounds).items()
        if any(alarm.over_at is None for alarm in alarms)
    }
    doors, stations = _doors_of(db, rounds), _stations_of(db, rounds)
    asked = {
        "districts": [round.binding_district for round in rounds],
        "rounds": [round.id for round in rounds],
        "firsts": [new_from.get(round.id) for round in rounds],
        "minutes": [_law_of(round).integer("G04.minutes") or 0 for round in rounds],
    }
    glances = {row.round_id: row for row in db.execute(_GLANCE, asked)}

    def is_clear(round: Round) -> bool:
        glance, station = glances.get(round.id), stations[round.supply_site_id]
        if glance is None:
            return _silent(round, [], now, _law_of(round)) is None
        if round.id in has_open or _silent(round, [Fix(glance.last_at, station, 0)], now, _law_of(round)):
            return False
        if round.id not in new_from:
            return True
        allowed = watch.allowed_of(db, round, station, doors.get(round.id, ()))
        return _has_moved(round, glance) and _is_within(allowed, glance)

    return [round for round in rounds if round.supply_site_id in stations and not is_clear(round)]


def _has_moved(round: Round, glance: Any) -> bool:
    """Whoever stands in one place for so long was nowhere else from so long before its last fix on."""
    law = _law_of(round)
    radius_m, minutes = law.integer("G04.radius_m"), law.integer("G04.minutes")
    if radius_m is None or minutes is None:
        return True
    if glance.last_at - glance.first_at >= timedelta(minutes=minutes) or glance.still_west is None:
        return False
    corners = (Point(glance.still_west, glance.still_south), Point(glance.still_east, glance.still_north))
    return distance_m(*corners) > 3 * radius_m


def _is_within(allowed: Area, glance: Any) -> bool:
    """The ground is convex: where the corners lie within, all between them does."""
    return bool(
        shapely.intersects_xy(
            allowed,
            [glance.new_west, glance.new_west, glance.new_east, glance.new_east],
            [glance.new_south, glance.new_north, glance.new_south, glance.new_north],
        ).all()
    )


def _is_suspect(db: Session, watch: Watch, round: Round, seen: Seen, now: datetime) -> bool:
    track, station = seen.tracks.get(round.id, []), seen.stations.get(round.supply_site_id)
    if station is None:
        return False
    if not seen.has_new(round.id):
        silent = _silent(round, track, now, _law_of(round))
        kind = RoadAlarmKind.NO_POSITION
        return silent is not None and not _is_known(kind, silent, seen.alarms.get(round.id, []))
    allowed = watch.allowed_of(db, round, station, seen.doors.get(round.id, ()))
    standing = seen.alarms.get(round.id, [])
    spans = list(_spans(round, track, station, allowed, now))
    new, over = _compared(spans, standing, track)
    # What stands and is not to be seen in this part of the track may be over.
    gone = (
        one
        for one in standing
        if one.over_at is None and not any(_is_known(kind, span, [one]) for kind, span in spans)
    )
    return bool(new or over or any(gone))


_NEW = sa.text("""
    SELECT round_id, min(occurred_at) AS first FROM courier_position
    WHERE recorded_at >= :since AND mark IS NULL GROUP BY round_id
""")
_GLANCE = sa.text("""
    SELECT at.round_id, at.first_at, last.last_at, reach.*
    FROM unnest(CAST(:districts AS integer[]), CAST(:rounds AS uuid[]), CAST(:firsts AS timestamptz[]),
                CAST(:minutes AS integer[])) AS at (district, round_id, first_at, minutes)
    JOIN LATERAL (
        SELECT occurred_at AS last_at FROM courier_position AS one
        WHERE one.district = at.district AND one.round_id = at.round_id AND one.mark IS NULL
        ORDER BY occurred_at DESC LIMIT 1
    ) AS last ON true
    LEFT JOIN LATERAL (
        SELECT min(lon) FILTER (WHERE is_new) AS new_west, max(lon) FILTER (WHERE is_new) AS new_east,
               min(lat) FILTER (WHERE is_new) AS new_south, max(lat) FILTER (WHERE is_new) AS new_north,
               min(lon) FILTER (WHERE is_past) AS still_west, max(lon) FILTER (WHERE is_past) AS still_east,
               min(lat) FILTER (WHERE is_past) AS still_south, max(lat) FILTER (WHERE is_past) AS still_north
        FROM (
            SELECT lon, lat, occurred_at >= at.first_at AS is_new, occurred_at <= at.first_at AS is_past
            FROM courier_position AS one
            WHERE one.district = at.district AND one.round_id = at.round_id AND one.mark IS NULL
              AND one.occurred_at >= least(at.first_at, last.last_at - at.minutes * interval '1 minute')
        ) AS lately
    ) AS reach ON at.first_at IS NOT NULL
""")
"""How far each round's new positions reach, and those up to them in the time that a stop takes."""
_TRACKS = sa.text("""
    SELECT at.round_id, found.occurred_at, found.lon, found.lat, coalesce(found.accuracy_m, 0) AS accuracy_m
    FROM unnest(CAST(:districts AS integer[]), CAST(:rounds AS uuid[]), CAST(:froms AS timestamptz[]))
         WITH ORDINALITY AS at (district, round_id, from_at, place)
    LEFT JOIN LATERAL (
        SELECT occurred_at FROM courier_position AS before
        WHERE before.district = at.district AND before.round_id = at.round_id
          AND before.occurred_at <= at.from_at AND before.mark IS NULL
        ORDER BY occurred_at DESC LIMIT 1
    ) AS anchor ON true
    JOIN LATERAL (
        SELECT occurred_at, device_seq, lon, lat, accuracy_m FROM courier_position AS one
        WHERE one.district = at.district AND one.round_id = at.round_id AND one.mark IS NULL
          AND one.occurred_at >= coalesce(anchor.occurred_at, at.from_at, '-infinity')
    ) AS found ON true
    ORDER BY at.place, found.occurred_at, found.device_seq
""")
"""Of each round what lies after its moment, and the last before it; all of it where no moment is named."""


def _tracks(
    db: Session, rounds: Sequence[Round], froms: Mapping[UUID, datetime | None]
) -> dict[UUID, list[Fix]]:
    found: dict[UUID, list[Fix]] = {}
    asked = {
        "districts": [round.binding_district for round in rounds],
        "rounds": [round.id for round in rounds],
        "froms": [_some_before(round, froms[round.id]) for round in rounds],
    }
    for round_id, at, lon, lat, accuracy_m in db.execute(_TRACKS, asked):
        found.setdefault(round_id, []).append(Fix(at, Point(lon, lat), accuracy_m))
    return found


def _some_before(round: Round, at: datetime | None) -> datetime | None:
    """Whatever goes on at ``at`` and is an alarm, has gone on since then for as long as an alarm takes."""
    law = _law_of(round)
    minutes = max(law.integer("G03.minutes") or 0, law.integer("G04.minutes") or 0)
    return at and at - timedelta(minutes=minutes) - LOOKED_AT_LEAST


def alarms_of_rounds(db: Session, rounds: Sequence[Round]) -> dict[UUID, list[RoadAlarm]]:
    found: dict[UUID, list[RoadAlarm]] = {}
    for one in db.scalars(
        sa.select(RoadAlarm)
        .where(
            RoadAlarm.district.in_({round.district for round in rounds}),
            RoadAlarm.round_id.in_([round.id for round in rounds]),
        )
        .order_by(RoadAlarm.since, RoadAlarm.id)
    ):
        found.setdefault(one.round_id, []).append(one)
    return found


def _doors_of(db: Session, rounds: Sequence[Round]) -> dict[UUID, tuple[Point, ...]]:
    """Outside the zone, and approved by a dispatcher (D03)."""
    found: dict[UUID, list[Point]] = {}
    rows = db.execute(
        sa.select(ZoneApproval.round_id, Premises.lon, Premises.lat)
        .join(Order, sa.and_(Order.district == ZoneApproval.district, Order.id == ZoneApproval.order_id))
        .join(Premises, sa.and_(Premises.district == Order.district, Premises.id == Order.premises_id))
        .where(
            ZoneApproval.district.in_({round.district for round in rounds}),
            ZoneApproval.round_id.in_([round.id for round in rounds]),
        )
        .order_by(ZoneApproval.round_id, ZoneApproval.order_id)
    )
    for round_id, lon, lat in rows:
        found.setdefault(round_id, []).append(Point(lon, lat))
    return {round_id: tuple(doors) for round_id, doors in found.items()}


def _stations_of(db: Session, rounds: Sequence[Round]) -> dict[UUID, Point]:
    rows = db.execute(
        sa.select(Site.id, Site.lon, Site.lat).where(Site.id.in_({round.supply_site_id for round in rounds}))
    )
    return {site_id: Point(lon, lat) for site_id, lon, lat in rows}


def _sweep_one(ground: Ground, district: int, round_id: UUID) -> int:
    """By the whole track; a deed only where something is new or over."""
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
                over_at=span.over_at or (round.finished_at and max(span.since, round.finished_at)),
                recorded_at=deed.recorded_at,
            )
        )
    for alarm, over_at in over:
        alarm.over_at = over_at
    return {"found": len(new)}


def _changes(db: Session, round: Round, now: datetime) -> tuple[Found, list[tuple[RoadAlarm, datetime]]]:
    """Of the whole track: spans that no alarm has yet, and alarms that are over."""
    station = _stations_of(db, [round]).get(round.supply_site_id)
    if station is None:
        return [], []
    track = [fix_of(row) for row in track_of(db, round) if row.mark is None]
    allowed = _allowed(db, round, station, _doors_of(db, [round]).get(round.id, ()))
    spans = list(_spans(round, track, station, allowed, now))
    return _compared(spans, alarms_of_rounds(db, [round]).get(round.id, []), track)


def _compared(
    spans: Found, standing: Alarms, track: Sequence[Fix]
) -> tuple[Found, list[tuple[RoadAlarm, datetime]]]:
    new: Found = []
    over: list[tuple[RoadAlarm, datetime]] = []
    for kind, span in spans:
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


def _is_known(kind: RoadAlarmKind, span: Span, standing: Alarms) -> bool:
    return any(one.kind is kind and _overlap(one, span) for one in standing)


def _overlap(alarm: RoadAlarm, span: Span) -> bool:
    """Late fixes may show that it began earlier than was known."""
    ends, begins = span.over_at, alarm.over_at
    return (ends is None or alarm.since < ends) and (begins is None or span.since < begins)


def _spans(
    round: Round, track: Sequence[Fix], station: Point, allowed: Area, now: datetime
) -> Iterator[tuple[RoadAlarmKind, Span]]:
    law = _law_of(round)
    beyond_m, outside_min = law.integer("G03.beyond_m"), law.integer("G03.minutes")
    if beyond_m is not None and outside_min is not None:
        for span in spans_outside(track, allowed, beyond_m, timedelta(minutes=outside_min)):
            yield RoadAlarmKind.OUT_OF_ZONE, span
    radius_m, stopped_min = law.integer("G04.radius_m"), law.integer("G04.minutes")
    if radius_m is not None and stopped_min is not None:
        for span in spans_stopped(track, station, radius_m, timedelta(minutes=stopped_min)):
            yield RoadAlarmKind.STOPPED_TOO_LONG, span
    silent = _silent(round, track, now, law)
    if silent is not None:
        yield RoadAlarmKind.NO_POSITION, silent


def _law_of(round: Round) -> Law:
    return current().at(str(round.district), round.day)


def _silent(round: Round, track: Sequence[Fix], now: datetime, law: Law) -> Span | None:
    minutes = law.integer("G06.minutes")
    if minutes is None or round.state is not RoundState.STARTED:
        return None
    return span_silent(track, now, timedelta(minutes=minutes), _begun_lately(round, now))


def _begun_lately(round: Round, now: datetime) -> datetime | None:
    """Of one left open for days no position is awaited any more, and those it sent may be forgotten."""
    begun_at = round.started_at
    return begun_at if begun_at is not None and now - begun_at <= FIRST_LOOK_BACK else None


def _allowed(db: Session, round: Round, station: Point, doors: Sequence[Point]) -> Area:
    """The zone, the way between it and the station, and doors outside that a dispatcher approved (D03)."""
    zone = db.get_one(Zone, (round.district, round.zone_id))
    points = [shapely.Point(place.lon, place.lat) for place in (station, *doors)]
    ground = area_from_geojson(zone.outline, Datum.WGS84)
    hull: Area = shapely.convex_hull(shapely.union_all([ground, *points]))
    shapely.prepare(hull)
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

"""A zone's day while it is driven: which rounds are still to be done, and what of them is left.

Nobody knows where a vehicle is; what is known is which bottles are on it and which doors are done with. A
vehicle that has begun a trip and has a bottle left for it counts as on its way to the next door, and as there
when it was due, or now if that is past.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.geo import Point
from cylinders.models import Cylinder, CylinderCustody
from cylinders.queries import types
from dispatch.orders.queries import to_drive, to_plan
from dispatch.orders.states import OPEN_STATES, LineState
from dispatch.rounds import queries
from dispatch.rounds.models import ManifestReveal, Round, RoundStop
from dispatch.rounds.states import RoundState
from dispatch.rounds.unfit import unfit
from dispatch.rounds.zone_day import RELOAD_S, Begun, Crew, Door, seconds_into
from registry.crew_queries import BoundCrew
from registry.models import HolderKind, Zone
from registry.queries import site, vehicle
from registry.rosters import crews_for_zone
from routing import Routes


@dataclass(frozen=True, slots=True)
class UnderWay:
    """One round that is not finished. ``left``: its orders to be done yet, and whether they are on board."""

    round: Round
    stops: list[RoundStop]
    left: dict[UUID, LineState]
    is_revealed: bool

    @property
    def vehicle(self) -> str:
        """What routing calls the crew."""
        return str(self.round.binding_id)

    @property
    def to_do(self) -> list[RoundStop]:
        return [stop for stop in self.stops if stop.order_id in self.left]

    @property
    def loaded(self) -> list[RoundStop]:
        return [stop for stop in self.stops if self.left.get(stop.order_id) is LineState.LOADED]

    @property
    def trip(self) -> int:
        """The number of the trip that is under way or comes next."""
        ahead = self.loaded or self.to_do
        if ahead:
            return ahead[0].trip
        return 1 + max((stop.trip for stop in self.stops), default=0)

    @property
    def is_out(self) -> bool:
        """On the road: the trip's doors are begun with, or all of it is on board and the list opened."""
        if self.round.state is not RoundState.STARTED or not self.loaded:
            return False
        own = [stop for stop in self.stops if stop.trip == self.trip]
        is_begun = any(stop.order_id not in self.left for stop in own)
        is_all_on = all(self.left.get(stop.order_id) is LineState.LOADED for stop in own)
        return is_begun or (self.is_revealed and is_all_on)

    @property
    def heads_for(self) -> RoundStop | None:
        return self.loaded[0] if self.is_out else None

    @property
    def routes(self) -> tuple[tuple[str, ...], ...]:
        """What is left, trip by trip; a trip that is under way comes first and holds what is on board."""
        first = tuple(str(stop.order_id) for stop in self.loaded)
        trips: dict[int, list[str]] = {}
        for stop in self.to_do:
            if self.left[stop.order_id] is LineState.BOOKED:
                trips.setdefault(stop.trip, []).append(str(stop.order_id))
        if first and not self.is_out:
            first += tuple(trips.pop(self.trip, ()))
        return tuple(trip for trip in (first, *map(tuple, trips.values())) if trip)


def rounds_under_way(db: Session, zone: Zone, day: date, *, lock: bool = False) -> list[UnderWay]:
    """By binding and age. ``lock``: the rounds FOR UPDATE, ascending id."""
    query = (
        sa.select(Round)
        .where(
            Round.district == zone.district,
            Round.zone_id == zone.id,
            Round.day == day,
            Round.state != RoundState.FINISHED,
        )
        .order_by(Round.id)
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    rounds = list(db.scalars(query))
    return [_under_way(db, round) for round in sorted(rounds, key=lambda one: (one.binding_id, one.id))]


def first_of_each_crew(under_way: list[UnderWay]) -> dict[str, UnderWay]:
    """The round each crew drives now, or next: the one that is started, else the earliest."""
    found: dict[str, UnderWay] = {}
    for one in sorted(under_way, key=_when):
        found.setdefault(one.vehicle, one)
    return found


def _when(one: UnderWay) -> tuple[bool, bool, list[datetime], UUID]:
    """A round that was relieved of all its doors before it began comes after those that have some."""
    due = [stop.arrive_at for stop in one.stops[:1]]
    return one.round.state is not RoundState.STARTED, not due, due, one.round.id


def _under_way(db: Session, round: Round) -> UnderWay:
    stops = queries.stops_of(db, round.district, round.id)
    lines = queries.lines_of(db, round.district, [stop.order_id for stop in stops])
    states: dict[UUID, set[LineState]] = {}
    for line in lines:
        states.setdefault(line.order_id, set()).add(line.state)
    left = {
        order_id: LineState.LOADED if LineState.LOADED in own else LineState.BOOKED
        for order_id, own in states.items()
        if own & set(OPEN_STATES)
    }
    revealed = db.get(ManifestReveal, (round.district, round.id)) is not None
    return UnderWay(round, stops, left, revealed)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a change begins with. ``firsts``: binding → the number its first trip here has on its round."""

    site: Point
    doors: list[Door]
    crews: list[Crew]
    routes: Routes
    firsts: dict[str, int]
    until_s: int


def standing(
    db: Session,
    zone: Zone,
    day: date,
    now: datetime,
    urgent: UUID | None = None,
    lost: UUID | None = None,
) -> Standing:
    """The day's rounds as they are driven, and the crews that drive none; ``urgent``: one order more.

    ``lost``: a crew that stands here also when its binding or its shift is over: its round is still there.
    """
    station = site(db, zone.supply_site_id)
    if station is None:
        raise LookupError(f"zone {zone.id}: its supply site {zone.supply_site_id} is not on file")
    rounds = rounds_under_way(db, zone, day)
    driving = first_of_each_crew(rounds)
    now_s = seconds_into(day, now)
    crews, kept = [], {}
    on_duty = crews_for_zone(db, zone.district, zone.id, day).crews
    apart = unfit(db, zone, on_duty, day)
    for bound in on_duty:
        one = driving.get(str(bound.binding.id))
        if one is None and bound.binding.id in apart:
            continue
        crew = _crew(db, zone, bound, one, _later_s(rounds, one, day), now_s)
        if crew is not None:
            crews.append(crew)
            if one is not None:
                kept[one.vehicle] = one
    if lost is not None and str(lost) in driving and str(lost) not in kept:
        gone = driving[str(lost)]
        crews.append(_gone(db, zone, gone))
        kept[gone.vehicle] = gone
    orders = to_drive(db, zone.district, [order for one in kept.values() for order in one.left])
    if urgent is not None:
        orders += [order for order in to_plan(db, zone.district, zone.id, day) if order.order_id == urgent]
    return Standing(
        site=Point(station.lon, station.lat),
        doors=queries.doors_of(db, zone.district, orders),
        crews=crews,
        routes={vehicle: one.routes for vehicle, one in kept.items() if one.routes},
        firsts={str(crew.binding_id): _first(kept.get(str(crew.binding_id))) for crew in crews},
        until_s=zone.closes_s,
    )


def of_crews(whole: Standing, vehicles: Collection[str], order_id: UUID) -> Standing:
    """The same, of these crews and what they drive, and of the one order."""
    routes = {vehicle: trips for vehicle, trips in whole.routes.items() if vehicle in vehicles}
    own = {stop for trips in routes.values() for trip in trips for stop in trip} | {str(order_id)}
    return replace(
        whole,
        doors=[door for door in whole.doors if str(door.order_id) in own],
        crews=[crew for crew in whole.crews if str(crew.binding_id) in vehicles],
        routes=routes,
        firsts={vehicle: first for vehicle, first in whole.firsts.items() if vehicle in vehicles},
    )


def _first(one: UnderWay | None) -> int:
    return 1 if one is None else one.trip


def _later_s(rounds: list[UnderWay], first: UnderWay | None, day: date) -> Iterator[int]:
    """When the crew is due at the first door of each further round: it stays free for that."""
    for one in rounds:
        if first is not None and one.vehicle == first.vehicle and one is not first and one.stops:
            yield seconds_into(day, one.stops[0].arrive_at) - RELOAD_S


def _crew(
    db: Session, zone: Zone, bound: BoundCrew, one: UnderWay | None, later: Iterator[int], now_s: int
) -> Crew | None:
    """None where its shift is over."""
    first_s, last_s = max(bound.from_s, zone.opens_s, now_s), min(bound.until_s, zone.closes_s, *later)
    if one is None:
        trips = bound.vehicle.max_trips
        return queries.crew_of(bound, (first_s, last_s), trips) if first_s < last_s else None
    head = one.heads_for
    if head is not None:
        first_s = max(first_s, seconds_into(one.round.day, head.arrive_at))
    trips = bound.vehicle.max_trips - one.trip + 1
    if first_s >= last_s or trips < 1:
        return None
    begun = Begun(
        heads_for=head.order_id if head is not None else None,
        loaded=frozenset(stop.order_id for stop in one.loaded),
        aboard=_aboard(db, one),
    )
    return queries.crew_of(bound, (first_s, last_s), trips, begun)


def _gone(db: Session, zone: Zone, one: UnderWay) -> Crew:
    """A crew that drives no more and has a round: nothing is given to it, so the hours do not matter."""
    driven = vehicle(db, one.round.binding_district, one.round.vehicle_id)
    if driven is None:
        raise LookupError(f"round {one.round.id}: its vehicle is not on file")
    return Crew(
        binding_id=one.round.binding_id,
        profile=driven.kind.value,
        max_cylinders=driven.max_cylinders,
        max_nominal_g=driven.max_nominal_g,
        max_trips=driven.max_trips,
        carries_50kg=driven.carries_50kg,
        shift=(zone.opens_s, zone.closes_s),
        begun=Begun(loaded=frozenset(stop.order_id for stop in one.loaded), aboard=_aboard(db, one)),
    )


def _aboard(db: Session, one: UnderWay) -> int:
    """Units with the courier that are for no order that is on board: empties, and what was not taken."""
    held = db.scalars(
        sa.select(Cylinder.model)
        .join(CylinderCustody, CylinderCustody.cylinder_id == Cylinder.cylinder_id)
        .where(
            CylinderCustody.holder_kind == HolderKind.COURIER,
            CylinderCustody.holder_id == one.round.courier_id,
        )
    )
    known = types(db)
    units = sum(known[model].units for model in held)
    lines = queries.lines_of(db, one.round.district, [stop.order_id for stop in one.loaded])
    return max(
        0, units - sum(known[line.cylinder_model].units for line in lines if line.state in OPEN_STATES)
    )

"""Zones beside the orders of a month: how a draft would have shared them out, and drafts proposed from them.

    compare    an order where its door lies in the zones in force, and in the draft
    propose    one firm's ground divided anew: orders or homes counted on units of ground, then by routing

A unit is a cell of a grid laid over the firm's ground, or a committee: the cells nearest to its homes.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import numpy as np
import shapely
from sqlalchemy.orm import Session

from core import clock, jobs
from core.auth import ScopeKind
from core.doing import Doing
from core.geo import Area, Datum, Point, ZoneIndex, distance_m
from core.problems import WrongField
from core.refusal import Refusal, Refused
from dispatch.orders.queries import OrderAt, orders_between
from dispatch.rounds import refusals as no
from dispatch.rounds.solving import districts_apart
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry.models import Zone, ZoneSet
from registry.queries import site
from registry.zone_checks import Plane
from registry.zone_drafts import draft_in_reach, enter_draft, ground_of
from registry.zone_queries import zone_set_at
from registry.zones import Drawn, Home, areas_of, homes_of
from routing import Districts, Unit

UNBALANCED_PERCENT = 25
"""A planning figure: a zone this far from its firm's mean is named."""
A_MONTH = timedelta(days=28)
CELLS_A_ZONE, MOST_CELLS, LEAST_CELL_M = 30, 1200, 50.0
MOST_SQUARES = 50_000
"""Of a grid over ground that lies far apart, most of whose squares are nobody's."""
MOST_ZONES = 60


# --- compare ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Side:
    """A set of zones, in force or drafted: what each is, and which zone a door lies in."""

    zones: Sequence[Mapping[str, Any]]
    index: ZoneIndex[int]


def compare(
    doing: Doing, draft_id: UUID, *, from_on: date | None, until_on: date | None, day: date | None
) -> dict[str, Any]:
    """On the orders of ``from_on`` to ``until_on``, beside the zones in force on ``day`` (today).

    Where no days are named: the four weeks before today. A firm sees its own users' orders and its own zones:
    how busy another is, is not its to know.
    """
    today, reach = clock.today(), doing.actor.reach
    until_on = until_on or today - timedelta(days=1)
    from_on = from_on or until_on - A_MONTH + timedelta(days=1)
    with doing.ground.sessions() as db:
        draft = draft_in_reach(db, doing, draft_id)
        standing = zone_set_at(db, doing.district, day or today)
        before = _side_in_force(db, standing)
        after = Side(draft.zones, ZoneIndex(sorted(ground_of(draft).items())))
        own_firm = UUID(reach.code) if reach.kind is ScopeKind.FIRM else None
        orders = orders_between(db, doing.district, from_on, until_on, own_firm)
        sites = _sites(db, [*before.zones, *after.zones])
    was = [before.index.zone_of(order.point) for order in orders]
    will = [after.index.zone_of(order.point) for order in orders]
    moves = Counter(pair for pair in zip(was, will, strict=True) if pair[0] != pair[1])
    return {
        "draft_id": draft.id,
        "compared_with": standing and standing.id,
        "from_on": from_on,
        "until_on": until_on,
        "orders": len(orders),
        "bottles": sum(order.bottles for order in orders),
        "before": [
            load
            for load in _loads(before.zones, orders, was, sites)
            if reach.covers(firm=load["firm_id"], district=doing.district)
        ],
        "after": _loads(after.zones, orders, will, sites),
        "moved": [
            {"from_number": one, "to_number": other, "orders": count}
            for (one, other), count in sorted(moves.items(), key=lambda move: (-move[1], str(move[0])))
        ],
        "outside_before": was.count(None),
        "outside_after": will.count(None),
    }


def _side_in_force(db: Session, standing: ZoneSet | None) -> Side:
    found = areas_of(db, standing) if standing is not None else []
    zones = [
        {"number": zone.number, "name": zone.name, "firm_id": str(zone.firm_id)}
        | {"supply_site_id": str(zone.supply_site_id)}
        for zone, _ in found
    ]
    return Side(zones, ZoneIndex([(zone.number, area) for zone, area in found]))


def _sites(db: Session, zones: Sequence[Mapping[str, Any]]) -> dict[str, Point]:
    found = {}
    for site_id in sorted({zone["supply_site_id"] for zone in zones}):
        row = site(db, UUID(site_id))
        if row is not None:
            found[site_id] = Point(row.lon, row.lat)
    return found


def _loads(
    zones: Sequence[Mapping[str, Any]],
    orders: Sequence[OrderAt],
    numbers: Sequence[int | None],
    sites: Mapping[str, Point],
) -> list[dict[str, Any]]:
    own: dict[int, list[OrderAt]] = {zone["number"]: [] for zone in zones}
    for order, number in zip(orders, numbers, strict=True):
        if number is not None:
            own[number].append(order)
    firms = Counter(zone["firm_id"] for zone in zones)
    of_firm = Counter[str]()
    for zone in zones:
        of_firm[zone["firm_id"]] += len(own[zone["number"]])
    return [
        _load(zone, own[zone["number"]], of_firm[zone["firm_id"]] / firms[zone["firm_id"]], sites)
        for zone in zones
    ]


def _load(
    zone: Mapping[str, Any], orders: Sequence[OrderAt], mean: float, sites: Mapping[str, Point]
) -> dict[str, Any]:
    off_percent = round((len(orders) - mean) / mean * 100) if mean else 0
    start = sites.get(zone["supply_site_id"])
    ways = [distance_m(start, order.point) for order in orders] if start is not None else []
    return {
        "number": zone["number"],
        "name": zone["name"],
        "firm_id": zone["firm_id"],
        "orders": len(orders),
        "bottles": sum(order.bottles for order in orders),
        "busiest_day": max(Counter(order.day for order in orders).values(), default=0),
        "off_mean_percent": off_percent,
        "is_unbalanced": abs(off_percent) > UNBALANCED_PERCENT,
        "mean_way_m": round(sum(ways) / len(ways)) if ways else None,
    }


# --- propose ----------------------------------------------------------------------------------------------


class UnitKind(StrEnum):
    CELLS = "cells"
    COMMITTEES = "committees"


class WeighBy(StrEnum):
    ORDERS = "orders"
    HOMES = "homes"


@dataclass(frozen=True, slots=True)
class Ground:
    """One firm's ground today and what stands on it; ``kept`` are other firms' zones, which stay."""

    mine: Sequence[tuple[Zone, Area]]
    kept: Sequence[tuple[Zone, Area]]
    homes: Sequence[Home]
    weights: Sequence[Point]
    sites: Mapping[str, Point]


@dataclass(frozen=True, slots=True)
class Proposed:
    """Zones to store as a draft, or why there are none; neither when this key has answered before."""

    firm_id: UUID
    name: str
    refusals: tuple[Refusal, ...] = ()
    drawn: tuple[Drawn, ...] = ()
    districts: Districts | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be divided, into how many, weighed by what; no days: the four weeks before today."""

    firm_id: UUID
    name: str
    zones: int
    unit: UnitKind
    weigh_by: WeighBy
    from_on: date | None
    until_on: date | None
    seed: int

    def to_plain(self) -> dict[str, Any]:
        """As a job keeps it."""
        days = {
            name: day and day.isoformat()
            for name, day in (("from_on", self.from_on), ("until_on", self.until_on))
        }
        named = {name: getattr(self, name) for name in ("name", "zones", "seed")}
        return (
            named
            | days
            | {"firm_id": str(self.firm_id), "unit": self.unit.value, "weigh_by": self.weigh_by.value}
        )

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> "Wish":
        days = {name: row[name] and date.fromisoformat(row[name]) for name in ("from_on", "until_on")}
        words = {"unit": UnitKind(row["unit"]), "weigh_by": WeighBy(row["weigh_by"])}
        return cls(**{**row, **days, **words, "firm_id": UUID(row["firm_id"])})


def must_be_ones_own(doing: Doing, firm_id: UUID) -> None:
    if not doing.actor.reach.covers(firm=firm_id, district=doing.district):
        raise WrongField(
            "/firm_id", "unknown", "查无此编号", "expected an id that exists and is yours to use"
        )


def proposed_for(job: jobs.Running, wish: Wish) -> Proposed:
    """The zones, not stored yet; or the reasons why there are none. ``Busy`` when the solver fails."""
    doing = job.doing()
    until_on = wish.until_on or clock.today() - timedelta(days=1)
    from_on = wish.from_on or until_on - A_MONTH + timedelta(days=1)
    with doing.ground.sessions() as db:
        ground = _ground(db, doing.district, wish.firm_id, wish.weigh_by, from_on, until_on)
    refusals = _ground_refusals(doing, ground)
    if refusals:
        return Proposed(wish.firm_id, wish.name, refusals)
    cells = Cells(ground, wish.zones)
    units, members = cells.units(ground, wish.unit)
    if wish.zones > len(units):
        return Proposed(wish.firm_id, wish.name, (no.TOO_FEW_UNITS(zones=wish.zones),))
    job.say("solving")
    districts = districts_apart(units, wish.zones, wish.seed, job.is_wanted)
    drawn = _drawn(ground, cells.dissolved(districts, members))
    return Proposed(wish.firm_id, wish.name, (), tuple(drawn), districts)


def _ground(
    db: Session, district: int, firm_id: UUID, weigh_by: WeighBy, from_on: date, until_on: date
) -> Ground:
    standing = zone_set_at(db, district, clock.today())
    found = areas_of(db, standing) if standing is not None else []
    mine = [(zone, area) for zone, area in found if zone.firm_id == firm_id]
    homes = homes_of(db, district)
    orders = orders_between(db, district, from_on, until_on) if weigh_by is WeighBy.ORDERS else []
    return Ground(
        mine=mine,
        kept=[(zone, area) for zone, area in found if zone.firm_id != firm_id],
        homes=homes,
        weights=[one.point for one in (orders if weigh_by is WeighBy.ORDERS else homes)],
        sites=_sites(db, [{"supply_site_id": str(zone.supply_site_id)} for zone, _ in mine]),
    )


def _ground_refusals(doing: Doing, ground: Ground) -> tuple[Refusal, ...]:
    if not ground.mine:
        return (no.NO_ZONES_TO_DIVIDE(),)
    whole = ZoneIndex([(zone.number, area) for zone, area in ground.mine])
    reasons = []
    if all(whole.zone_of(point) is None for point in ground.weights):
        reasons.append(no.NOTHING_TO_WEIGH())
    if ground.kept and doing.actor.reach.kind is ScopeKind.FIRM:
        reasons.append(no.GROUND_IS_SHARED())
    return tuple(reasons)


class Cells:
    """Squares over a ground, cut along its edge, so that together they are the ground and nothing else."""

    def __init__(self, ground: Ground, zones: int):
        areas = {zone.number: area for zone, area in ground.mine}
        self.plane = Plane.of(areas)
        whole = self.plane.metres(shapely.union_all(list(areas.values())))
        self._west, self._south, east, north = shapely.bounds(whole)
        wanted = min(MOST_CELLS, max(100, zones * CELLS_A_ZONE))
        around_m2 = (east - self._west) * (north - self._south)
        self._side_m = max(LEAST_CELL_M, math.sqrt(whole.area / wanted), math.sqrt(around_m2 / MOST_SQUARES))
        across = range(math.ceil((east - self._west) / self._side_m))
        up = range(math.ceil((north - self._south) / self._side_m))
        self._at = [(i, j) for i in across for j in up]
        shapely.prepare(whole)
        cut = shapely.intersection(np.array([self._square(*at) for at in self._at]), whole)
        kept = [
            (at, polygons)
            for at, piece in zip(self._at, cut, strict=True)
            if not (polygons := _polygons(piece)).is_empty
        ]
        self.places = {at: place for place, (at, _) in enumerate(kept)}
        self.pieces = [piece for _, piece in kept]

    def _square(self, i: int, j: int) -> Any:
        # Edges are computed from their own number: a cell's east and its neighbour's west are one float.
        return shapely.box(
            self._west + i * self._side_m,
            self._south + j * self._side_m,
            self._west + (i + 1) * self._side_m,
            self._south + (j + 1) * self._side_m,
        )

    def place_of(self, point: Point) -> int | None:
        """Which piece the point lies on; None outside the ground."""
        at = self.plane.metres(shapely.Point(point.lon, point.lat))
        i, j = (
            int((here - edge) // self._side_m) for here, edge in ((at.x, self._west), (at.y, self._south))
        )
        return self.places.get((i, j))

    def units(self, ground: Ground, kind: UnitKind) -> tuple[list[Unit], dict[str, list[int]]]:
        """The units of ground, and the pieces that each is made of."""
        names = [f"{i:04}-{j:04}" for i, j in self.places]
        if kind is UnitKind.COMMITTEES:
            names = self._committees(ground.homes)
        members: dict[str, list[int]] = {}
        for place, unit in enumerate(names):
            members.setdefault(unit, []).append(place)
        loads = Counter(names[on] for point in ground.weights if (on := self.place_of(point)) is not None)
        touches: dict[str, set[str]] = {unit: set() for unit in members}
        for one, other in self._borders():
            if names[one] != names[other]:
                touches[names[one]].add(names[other])
                touches[names[other]].add(names[one])
        units = []
        for unit, places in sorted(members.items()):
            middle = shapely.union_all([self.pieces[place] for place in places]).centroid
            units.append(Unit(unit, middle.x, middle.y, loads[unit], frozenset(touches[unit])))
        return units, members

    def _committees(self, homes: Sequence[Home]) -> list[str]:
        """Each piece belongs to the committee of most homes on it; without any, of the home nearest to it."""
        on: dict[int, Counter[str]] = {}
        for home in homes:
            place = self.place_of(home.point)
            if place is not None:
                on.setdefault(place, Counter())[home.committee_code] += 1
        if not on:
            return [""] * len(self.pieces)
        named = {place: min(own, key=lambda code: (-own[code], code)) for place, own in on.items()}
        settled = sorted(named)
        middles = np.array([(piece.centroid.x, piece.centroid.y) for piece in self.pieces])
        nearest = np.linalg.norm(middles[:, None] - middles[settled][None, :], axis=2).argmin(axis=1)
        return [named.get(place, named[settled[near]]) for place, near in enumerate(nearest)]

    def _borders(self) -> list[tuple[int, int]]:
        """Pieces of neighbouring squares that share more than a point."""
        pairs = [
            (place, beside)
            for (i, j), place in self.places.items()
            for beside in (self.places.get((i + 1, j)), self.places.get((i, j + 1)))
            if beside is not None
        ]
        if not pairs:
            return []
        ones, others = (np.array([self.pieces[pair[side]] for pair in pairs]) for side in (0, 1))
        shared = shapely.length(shapely.intersection(ones, others))
        return [pair for pair, length in zip(pairs, shared, strict=True) if length > 0]

    def dissolved(self, districts: Districts, members: Mapping[str, Sequence[int]]) -> list[Area]:
        """The ground of each district, in degrees."""
        own: list[list[Any]] = [[] for _ in districts.loads]
        for unit, zone in districts.zone_of.items():
            own[zone] += [self.pieces[place] for place in members[unit]]
        return [self.plane.degrees(_polygons(shapely.union_all(pieces))) for pieces in own]


def _polygons(area: Any) -> Any:
    """What of a cut is ground: lines and points where a square only touches it are left out."""
    return shapely.union_all([part for part in shapely.get_parts(area) if part.geom_type == "Polygon"])


def _drawn(ground: Ground, areas: Sequence[Area]) -> list[Drawn]:
    """New zones keep number, name and hours of the old zone that they share most ground with."""
    shared = [
        (-float(area.intersection(old).area), new, position)
        for new, area in enumerate(areas)
        for position, (_, old) in enumerate(ground.mine)
    ]
    heir: dict[int, int] = {}
    for overlap, new, position in sorted(shared):
        if overlap < 0 and new not in heir and position not in heir.values():
            heir[new] = position
    taken = {zone.number for zone, _ in (*ground.mine, *ground.kept)}
    free = (number for number in range(1, 10_000) if number not in taken)
    drawn = [_kept(zone, area) for zone, area in ground.kept]
    for new, area in enumerate(areas):
        old = ground.mine[heir.get(new, 0)][0]
        number = old.number if new in heir else next(free)
        middle = Point(area.centroid.x, area.centroid.y)
        nearest = min(sorted(ground.sites), key=lambda one: distance_m(ground.sites[one], middle))
        name = old.name if new in heir else f"新片区{number}"
        drawn.append(Drawn(number, name, old.firm_id, UUID(nearest), old.opens_s, old.closes_s, area))
    return drawn


def _kept(zone: Zone, area: Area) -> Drawn:
    return Drawn(zone.number, zone.name, zone.firm_id, zone.supply_site_id, zone.opens_s, zone.closes_s, area)


@does("zone.propose")
def store_proposal(deed: Deed, proposed: Proposed, job_id: UUID) -> Answer:
    """The job that asked for it is done in this same deed; cancelled meanwhile, nothing is."""
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=proposed.firm_id)
    if proposed.refusals:
        raise Refused(proposed.refusals)
    districts = proposed.districts
    if districts is None:
        raise LookupError("expected this key's earlier answer, found none")
    draft = enter_draft(deed, proposed.name, Datum.WGS84, proposed.drawn)
    deed.note(loads=list(districts.loads), off_percent=districts.worst_percent, optimal=districts.optimal)
    jobs.finish(deed.db, deed.district, job_id, draft.id)
    return {"draft_id": str(draft.id)}

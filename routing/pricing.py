"""What fixed zones cost: one day driven with every crew in its own zone, and with the same crews free.

    bound    the problem in which a stop may be served by the crews of its own zone only
    price    both, searched alike, and the free one never worse

Both start from the same plan, zone by zone, and each then takes as many turns again: the fixed one within its
zones, the free one over the whole. A plan that keeps to the zones is one that free crews might drive too, so
where it comes out better it is the free one as well. Both are searched, neither is proved best: what stands
between them is what was found in so many turns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from routing.by_hand import plan_of_routes
from routing.plain import fields, names, rows, text
from routing.plan import Note, Plan, Routes, Stopped
from routing.problem import Problem
from routing.solve import Expired, solve


@dataclass(frozen=True, slots=True)
class Zone:
    """Its stops and its vehicles, by id. A zone may have none of either."""

    id: str
    stops: frozenset[str]
    vehicles: frozenset[str]

    def to_plain(self) -> dict[str, Any]:
        return {"id": self.id, "stops": sorted(self.stops), "vehicles": sorted(self.vehicles)}

    @classmethod
    def from_plain(cls, plain: Any) -> "Zone":
        zone = fields(plain, "a zone", cls.__slots__)
        stops, vehicles = rows(zone["stops"], "stops"), rows(zone["vehicles"], "vehicles")
        return cls(text(zone["id"], "a zone's id"), names(stops, "stops"), names(vehicles, "vehicles"))


@dataclass(frozen=True, slots=True)
class Priced:
    """``fixed`` answers the problem as ``bound``, ``free`` the problem itself.

    ``notes``: of any search that was made for it. ``is_cut``: one of them was ended by the clock.
    """

    fixed: Plan
    free: Plan
    notes: tuple[Note, ...]
    is_cut: bool

    def to_plain(self) -> dict[str, Any]:
        return {
            "fixed": self.fixed.to_plain(),
            "free": self.free.to_plain(),
            "notes": [str(note) for note in self.notes],
            "is_cut": self.is_cut,
        }

    @classmethod
    def from_plain(cls, plain: Any) -> "Priced":
        """What ``to_plain`` gave, after any trip through JSON; ValueError says what was expected."""
        told = fields(plain, "a price", cls.__slots__)
        if not isinstance(told["is_cut"], bool):
            raise ValueError(f"expected is_cut to be true or false, got {told['is_cut']!r}")
        return cls(
            fixed=Plan.from_plain(told["fixed"]),
            free=Plan.from_plain(told["free"]),
            notes=tuple(Note(note) for note in rows(told["notes"], "notes")),
            is_cut=told["is_cut"],
        )


def bound(problem: Problem, zones: Sequence[Zone]) -> Problem:
    """Every stop bound to the vehicles of its zone. ValueError unless each stop and vehicle has one zone."""
    _expect_one_zone(zones, "stop", [stop.id for stop in problem.stops], [zone.stops for zone in zones])
    ids = [vehicle.id for vehicle in problem.vehicles]
    _expect_one_zone(zones, "vehicle", ids, [zone.vehicles for zone in zones])
    own = {stop: zone.vehicles for zone in zones for stop in zone.stops}
    stops = (
        replace(
            stop,
            only_vehicles=own[stop.id] if stop.only_vehicles is None else own[stop.id] & stop.only_vehicles,
        )
        for stop in problem.stops
    )
    return replace(problem, stops=tuple(stops))


def price(
    problem: Problem, zones: Sequence[Zone], iterations: int, seed: int, expired: Expired | None = None
) -> Priced:
    """``iterations``: turns of either plan in each half of its search, shared out by stops among zones."""
    fixed_problem = bound(problem, zones)
    parts = [_part(fixed_problem, zone) for zone in zones if zone.stops]

    def searched(rng: int, warm: Routes | None) -> list[Plan]:
        return [
            solve(part, iterations * len(part.stops) // len(problem.stops), rng, warm, expired)
            for part in parts
        ]

    first = searched(seed, None)
    start = _together(first)
    again = searched(seed + 1, start)
    fixed = plan_of_routes(fixed_problem, _together(again))
    free = solve(problem, iterations, seed + 1, start, expired)
    made = (*first, *again, free)
    if fixed.objective < free.objective:
        free = plan_of_routes(problem, fixed.routes)
    return Priced(
        fixed=fixed,
        free=free,
        notes=tuple(sorted({note for plan in made for note in plan.notes})),
        is_cut=any(plan.stopped is Stopped.TIME for plan in made),
    )


def _part(problem: Problem, zone: Zone) -> Problem:
    """One zone's day: its stops at the places that they have in the whole, its vehicles."""
    kept = [
        (stop, at)
        for stop, at in zip(problem.stops, problem.stop_places, strict=True)
        if stop.id in zone.stops
    ]
    return replace(
        problem,
        stops=tuple(stop for stop, _ in kept),
        vehicles=tuple(vehicle for vehicle in problem.vehicles if vehicle.id in zone.vehicles),
        places=tuple(at for _, at in kept),
    )


def _together(plans: Sequence[Plan]) -> Mapping[str, Sequence[Sequence[str]]]:
    return {vehicle: trips for plan in plans for vehicle, trips in plan.routes.items()}


def _expect_one_zone(
    zones: Sequence[Zone], what: str, ids: Sequence[str], zoned: Sequence[frozenset[str]]
) -> None:
    listed = [one for members in zoned for one in members]
    if sorted(listed) != sorted(ids):
        raise ValueError(
            f"expected every {what} in one zone, got {len(listed)} in {len(zones)} zones for {len(ids)}"
        )

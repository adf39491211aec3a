"""Which ground belongs together: units of ground in (cells, committees), zones balanced, whole, compact out.

    units, how many zones → k-means centres → nearest centre, made even at the borders → new centres → …
                          → CP-SAT on units → new centres → … → the best of the rounds

Each zone grows from one unit, its root. Every other unit of the zone touches one of the same zone that is
nearer to the root along the ground, so a zone is one piece; this says it with a constraint a unit and a zone,
where a flow would take one a border. Loads within ``TOLERANCE_PERCENT`` of the mean come before distance.

Ground in several pieces is joined where the pieces are nearest: no zone could reach an island otherwise.

The solver alone is not to be relied on: where the centres lie badly it can spend its whole budget without
finding one division that is balanced (40 zones, one start in three). So it begins with one that is.

Same units, count and seed, same zones: one worker, and a budget counted in the solver's own steps.
"""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from routing.balancing import Evening
from routing.ground import Districts, Unit

TOLERANCE_PERCENT = 15
ROUNDS = 2
EVENED_ROUNDS = 6
NEAREST_ROOTS = 6
KMEANS_STEPS = 60
STEPS = 2.0
"""Of the solver's deterministic time in each round; about as many seconds."""
GOOD_ENOUGH = 0.01
"""A division proved to be within this part of the best is not searched further."""
OVERLOAD = 1_000
"""What one order beyond the tolerance costs against a metre of one order's way."""
MOST_UNITS = 5_000


def propose(units: Sequence[Unit], zones: int, seed: int) -> Districts:
    """``zones`` districts of all the units; ValueError where the units make no ground for so many."""
    units = sorted(units, key=lambda unit: unit.id)
    _must_be_sound(units, zones)
    ground = _Ground(units)
    roots = ground.roots_near(ground.kmeans(zones, seed))
    best: _Found | None = None
    for _ in range(EVENED_ROUNDS):
        found = _evened(ground, ground.ways(roots))
        best, roots, moved = min(best or found, found, key=_cost), ground.roots_of(found), roots
        if moved == roots:
            break
    for _ in range(ROUNDS):
        found = _assigned(ground, roots, seed, best)
        best, roots, moved = min(best or found, found, key=_cost), ground.roots_of(found), roots
        if moved == roots:
            break
    assert best is not None
    loads = np.bincount(best.zone_of, weights=ground.load, minlength=zones).astype(int)
    return Districts(
        zone_of={unit.id: int(zone) for unit, zone in zip(units, best.zone_of, strict=True)},
        loads=tuple(int(load) for load in loads),
        overload=best.overload,
        optimal=best.optimal,
    )


def _must_be_sound(units: Sequence[Unit], zones: int) -> None:
    if not 1 <= zones <= len(units) <= MOST_UNITS:
        raise ValueError(
            f"expected from 1 zone to as many as there are units, and at most {MOST_UNITS} units,"
            f" got {zones} zones and {len(units)} units"
        )
    known = {unit.id: unit for unit in units}
    if len(known) != len(units):
        raise ValueError("expected every unit to have an id of its own")
    for unit in units:
        if unit.load < 0 or not (math.isfinite(unit.x_m) and math.isfinite(unit.y_m)):
            raise ValueError(f"expected unit {unit.id} to have a place and a load of 0 or more")
        for other in unit.touches:
            if other == unit.id or other not in known or unit.id not in known[other].touches:
                raise ValueError(f"expected units {unit.id} and {other} to touch each other, and both known")


@dataclass(frozen=True, slots=True)
class _Found:
    zone_of: NDArray[np.int64]
    overload: int
    cost: int
    optimal: bool


class _Ground:
    """The units as arrays, and who touches whom."""

    def __init__(self, units: Sequence[Unit]):
        self.at = np.array([(unit.x_m, unit.y_m) for unit in units], dtype=float)
        self.load = np.array([unit.load for unit in units], dtype=np.int64)
        index = {unit.id: place for place, unit in enumerate(units)}
        self.beside = [sorted(index[other] for other in unit.touches) for unit in units]
        self._join_islands()

    def _join_islands(self) -> None:
        pieces = self._pieces()
        for one, other in pairwise(pieces):
            gaps = np.linalg.norm(self.at[one][:, None] - self.at[other][None, :], axis=2)
            near, far = np.unravel_index(int(gaps.argmin()), gaps.shape)
            a, b = one[int(near)], other[int(far)]
            self.beside[a] = sorted({*self.beside[a], b})
            self.beside[b] = sorted({*self.beside[b], a})

    def _pieces(self) -> list[list[int]]:
        """From west to east, so that neighbours in the list are near each other."""
        seen: set[int] = set()
        pieces = []
        for first in range(len(self.at)):
            if first in seen:
                continue
            piece, edge = {first}, [first]
            while edge:
                fresh = {near for unit in edge for near in self.beside[unit]} - piece
                piece |= fresh
                edge = list(fresh)
            seen |= piece
            pieces.append(sorted(piece))
        return sorted(pieces, key=lambda piece: float(self.at[piece, 0].mean()))

    def kmeans(self, zones: int, seed: int) -> NDArray[np.float64]:
        """Centres by load; ground without any load counts a little, so that it is shared out too."""
        weight = self.load + max(1.0, self.load.sum() / len(self.load)) * 0.01
        chance = np.random.default_rng(seed)
        centres = self.at[chance.choice(len(self.at), size=zones, replace=False, p=weight / weight.sum())]
        for _ in range(KMEANS_STEPS):
            nearest = np.linalg.norm(self.at[:, None] - centres[None, :], axis=2).argmin(axis=1)
            moved = self._means(nearest, weight, centres)
            if np.allclose(moved, centres, atol=0.5):
                break
            centres = moved
        return centres

    def middles(self, zone_of: NDArray[np.int64], zones: int) -> NDArray[np.float64]:
        weight = self.load + max(1.0, self.load.sum() / len(self.load)) * 0.01
        return self._means(zone_of, weight, np.zeros((zones, 2)))

    def _means(
        self, zone_of: NDArray[np.int64], weight: NDArray[np.float64], otherwise: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        moved = otherwise.copy()
        for zone in range(len(otherwise)):
            own = zone_of == zone
            if own.any():
                moved[zone] = np.average(self.at[own], axis=0, weights=weight[own])
        return moved

    def roots_near(self, centres: NDArray[np.float64]) -> list[int]:
        """A unit of its own for every centre, the nearest that is left."""
        roots: list[int] = []
        for centre in centres:
            by_distance = np.linalg.norm(self.at - centre, axis=1).argsort(kind="stable")
            roots.append(next(int(unit) for unit in by_distance if int(unit) not in roots))
        return roots

    def roots_of(self, found: "_Found") -> list[int]:
        return self.roots_near(self.middles(found.zone_of, int(found.zone_of.max()) + 1))

    def ways(self, roots: Sequence[int]) -> NDArray[np.float64]:
        return np.array([self.ways_from(root) for root in roots])

    def ways_from(self, root: int) -> NDArray[np.float64]:
        """Metres from ``root`` to every unit, along units that touch."""
        ways = np.full(len(self.at), np.inf)
        ways[root] = 0.0
        heap = [(0.0, root)]
        while heap:
            way, unit = heapq.heappop(heap)
            if way > ways[unit]:
                continue
            for near in self.beside[unit]:
                longer = way + max(float(np.hypot(*(self.at[near] - self.at[unit]))), 0.001)
                if longer < ways[near]:
                    ways[near] = longer
                    heapq.heappush(heap, (longer, near))
        return ways


def _cost(found: _Found) -> tuple[int, int]:
    """What is out of balance first: ways are measured from other roots in each round."""
    return (found.overload, found.cost)


def _evened(ground: _Ground, ways: NDArray[np.float64]) -> _Found:
    """Each unit to its nearest root, then evened out at the borders."""
    mean = float(ground.load.sum()) / len(ways)
    slack = mean * TOLERANCE_PERCENT / 100
    nearest = ways.argmin(axis=0).astype(np.int64)
    zone_of = Evening(ground.beside, ground.load, ways, nearest, (mean - slack, mean + slack)).run()
    return _found(ground, ways, zone_of)


def _found(ground: _Ground, ways: NDArray[np.float64], zone_of: NDArray[np.int64]) -> _Found:
    """Not proved to be the best. ``cost``: as the solver counts it."""
    loads = np.bincount(zone_of, weights=ground.load, minlength=len(ways))
    overload = _beyond(loads, int(ground.load.sum()))
    way = sum(
        round(float(ways[zone, unit]) * (int(ground.load[unit]) + 0.1)) for unit, zone in enumerate(zone_of)
    )
    return _Found(zone_of, overload, way + _overload_costs(ways) * overload, optimal=False)


def _overload_costs(ways: NDArray[np.float64]) -> int:
    return OVERLOAD * max(1, round(float(np.median(ways))))


def _assigned(ground: _Ground, roots: list[int], seed: int, before: _Found | None) -> _Found:
    zones, units = range(len(roots)), range(len(ground.at))
    ways = ground.ways(roots)
    near = [{int(zone) for zone in ways[:, unit].argsort(kind="stable")[:NEAREST_ROOTS]} for unit in units]
    nearest = ways.argmin(axis=0)
    model = cp_model.CpModel()
    # A unit may go to its nearest roots, and every unit on the way from a root to it to that root too: so the
    # plain division by nearest root is always a solution.
    own = {(unit, zone): model.new_bool_var("") for unit in units for zone in sorted(near[unit])}
    for unit in units:
        model.add_exactly_one(own[unit, zone] for zone in near[unit])
    for zone, root in enumerate(roots):
        model.add(own[root, zone] == 1)
    for (unit, zone), here in own.items():
        if unit != roots[zone]:
            nearer = [
                own[beside, zone]
                for beside in ground.beside[unit]
                if ways[zone, beside] < ways[zone, unit] and (beside, zone) in own
            ]
            model.add_bool_or(nearer).only_enforce_if(here)
    total = int(ground.load.sum())
    excess = [model.new_int_var(0, max(total, 1), "") for _ in zones]
    for zone in zones:
        load = sum(int(ground.load[unit]) * own[unit, zone] for unit in units if (unit, zone) in own)
        # In hundredths, so that the bounds of a small mean are whole numbers too.
        model.add(100 * len(roots) * (load - excess[zone]) <= total * (100 + TOLERANCE_PERCENT))
        model.add(100 * len(roots) * (load + excess[zone]) >= total * (100 - TOLERANCE_PERCENT))
    cost = {
        (unit, zone): round(float(ways[zone, unit]) * (int(ground.load[unit]) + 0.1)) for unit, zone in own
    }
    objective = sum(cost[key] * here for key, here in own.items())
    model.minimize(objective + _overload_costs(ways) * sum(excess))
    hint = before.zone_of if before is not None else nearest
    for (unit, zone), here in own.items():
        model.add_hint(here, int(hint[unit] == zone))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed % 2**31
    solver.parameters.max_deterministic_time = STEPS
    solver.parameters.linearization_level = 2
    solver.parameters.relative_gap_limit = GOOD_ENOUGH
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return _evened(ground, ways)
    zone_of = np.array(
        [next(zone for zone in sorted(near[unit]) if solver.value(own[unit, zone])) for unit in units]
    )
    return _Found(
        zone_of,
        sum(solver.value(one) for one in excess),
        int(solver.objective_value),
        optimal=status == cp_model.OPTIMAL,
    )


def _beyond(loads: NDArray[Any], total: int) -> int:
    mean, slack = total / len(loads), total / len(loads) * TOLERANCE_PERCENT / 100
    return sum(math.ceil(max(0.0, abs(float(load) - mean) - slack)) for load in loads)

"""Zones made even by their borders: unit after unit goes to a neighbouring zone, every zone stays one piece.

The solver's budget can end long before its search: then some zones stay far off the mean. A unit at a border
that goes from a fuller zone to an emptier one makes the loads more even (the squares of what they are off the
mean sum up to less), and load flows so from zone to zone across the ground, as far as need be. Of the moves
that do so the one is made that costs least way for what it evens out. It ends when every zone is within its
bounds, or no single unit helps any more.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MOST_MOVES = 20_000


class Evening:
    """``ways[zone, unit]``: metres from the zone's root. ``least``, ``most``: what a zone's load may be."""

    def __init__(
        self,
        beside: Sequence[Sequence[int]],
        load: NDArray[np.int64],
        ways: NDArray[np.float64],
        zone_of: NDArray[np.int64],
        bounds: tuple[float, float],
    ):
        self.beside, self.load, self.ways = beside, load, ways
        self.zone_of = zone_of.copy()
        self.loads = np.bincount(zone_of, weights=load, minlength=len(ways)).astype(np.int64)
        self.sizes = np.bincount(zone_of, minlength=len(ways))
        self.least, self.most = bounds
        pairs = [(unit, near) for unit, nears in enumerate(beside) for near in nears]
        self.units, self.nears = np.array(pairs, dtype=np.int64).reshape(-1, 2).T

    def run(self) -> NDArray[np.int64]:
        for _ in range(MOST_MOVES):
            if self.loads.min() >= self.least and self.loads.max() <= self.most:
                break
            move = self._best()
            if move is None:
                break
            self._make(*move)
        return self.zone_of

    def _make(self, unit: int, zone: int) -> None:
        left = self.zone_of[unit]
        self.loads[left] -= self.load[unit]
        self.loads[zone] += self.load[unit]
        self.sizes[left] -= 1
        self.sizes[zone] += 1
        self.zone_of[unit] = zone

    def _best(self) -> tuple[int, int] | None:
        """Least way for what it evens out; ties by unit and zone. The first that keeps its zone whole."""
        own, other = self.zone_of[self.units], self.zone_of[self.nears]
        load = self.load[self.units]
        evens = 2 * load * (self.loads[own] - self.loads[other] - load)
        may = (own != other) & (evens > 0) & (self.sizes[own] > 1)
        units, zones, evens = self.units[may], other[may], evens[may]
        longer = (self.ways[zones, units] - self.ways[own[may], units]) * load[may]
        for move in np.lexsort((zones, units, longer / evens)):
            if self._stays_whole(int(units[move])):
                return int(units[move]), int(zones[move])
        return None

    def _stays_whole(self, unit: int) -> bool:
        """Without the unit, do its neighbours of the same zone still reach each other within it?"""
        own = self.zone_of[unit]
        around = [near for near in self.beside[unit] if self.zone_of[near] == own]
        if len(around) < 2:
            return True
        seen, edge = {unit, around[0]}, [around[0]]
        while edge:
            here = edge.pop()
            for near in self.beside[here]:
                if near not in seen and self.zone_of[near] == own:
                    seen.add(near)
                    edge.append(near)
        return seen.issuperset(around)

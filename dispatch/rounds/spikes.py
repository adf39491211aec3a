"""Which fixes of a track cannot be true: too far from both their neighbours in time for any vehicle. Pure.

A fix is judged by its neighbours alone, so that the same track gives the same answer in whatever order it
came in. The newest is believed if one of the two before it agrees, or once another confirms it; the first,
while no two after it agree on another place.

    A A X A A     X is far from both its neighbours: a spike
    A A X         X is far from those before it: a spike, until …
    A A X X X     … another says the same: the vehicle is there, and the network was not in between
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from core.geo import Point, distance_m


@dataclass(frozen=True, slots=True)
class Fix:
    """``accuracy_m``: the receiver's own word, 0 where it said none."""

    at: datetime
    point: Point
    accuracy_m: int


@dataclass(frozen=True, slots=True)
class Limits:
    """No vehicle is faster than ``most_kmh``; nearer than ``least_m`` apart is nothing to wonder at."""

    most_kmh: int
    least_m: int


def spikes(track: Sequence[Fix], limits: Limits) -> list[bool]:
    """For each fix of the track, which is in the order of time."""
    near = [_is_reachable(one, other, limits) for one, other in pairwise(track)]
    return [_is_spike(n, near, track, limits) for n in range(len(track))]


def _is_spike(n: int, near: Sequence[bool], track: Sequence[Fix], limits: Limits) -> bool:
    """``near[n]``: the fixes n and n + 1 agree."""
    if n == 0:
        return len(near) > 1 and not near[0] and near[1]
    if n < len(near):
        return not near[n - 1] and not near[n]
    return not near[n - 1] and not (n > 1 and _is_reachable(track[n - 2], track[n], limits))


def _is_reachable(one: Fix, other: Fix, limits: Limits) -> bool:
    apart_m = distance_m(one.point, other.point) - one.accuracy_m - other.accuracy_m
    if apart_m <= limits.least_m:
        return True
    seconds = (other.at - one.at).total_seconds()
    return seconds > 0 and apart_m / seconds * 3.6 <= limits.most_kmh

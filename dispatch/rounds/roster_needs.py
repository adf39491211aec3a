"""How many crews a zone needs in a shift: by what is booked there, else by what is usual. Pure arithmetic.

The figures are for planning, not law; the plan of the day itself says later what fits.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dispatch.rounds.zone_day import EACH_MORE_BOTTLE_S, RELOAD_S, SERVICE_S
from registry.roster_gate import Shift

BETWEEN_DOORS_S = 4 * 60
CIRCUITY_PERCENT = 135
METRES_A_SECOND = 14_000 / 3600
"""A laden tricycle, and how much longer than the great circle its way is: as routing's default has it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An order of the day: its slot in seconds since midnight, and what has to be carried."""

    from_s: int
    until_s: int
    bottles: int
    units: int
    needs_truck: bool


@dataclass(frozen=True, slots=True)
class ZoneNeed:
    """What a zone asks for in one shift. ``orders``: booked there, or usual; both by their number."""

    shift: int
    orders: int
    crews: int
    trucks: int


def way_s(distance_m: float) -> int:
    """Between the station and the middle of a zone, one way."""
    return round(distance_m * CIRCUITY_PERCENT / 100 / METRES_A_SECOND)


def needs_of(
    asked: Sequence[Asked], usual: int, shifts: Sequence[Shift], way: int, trip_units: int
) -> list[ZoneNeed]:
    """Of one zone, shift by shift. Where nothing is booked yet, the usual day is spread over its shifts.

    No zone is without anybody: where nothing is booked and nothing is usual, one crew works the first shift.
    """
    if not asked:
        spread = [usual // len(shifts) + (n < usual % len(shifts)) for n in range(len(shifts))]
        found = [
            ZoneNeed(n, orders, _crews(orders, orders, orders, shifts[n], way, trip_units), 0)
            for n, orders in enumerate(spread)
        ]
    else:
        by_shift: list[list[Asked]] = [[] for _ in shifts]
        for one in asked:
            by_shift[_shift_of(one, shifts)].append(one)
        found = [_need(n, own, shifts[n], way, trip_units) for n, own in enumerate(by_shift)]
    if not any(one.crews for one in found):
        found[0] = ZoneNeed(0, 0, 1, 0)
    return found


def _need(number: int, asked: list[Asked], shift: Shift, way: int, trip_units: int) -> ZoneNeed:
    heavy = [one for one in asked if one.needs_truck]

    def crews(some: list[Asked]) -> int:
        bottles, units = sum(one.bottles for one in some), sum(one.units for one in some)
        return _crews(len(some), bottles, units, shift, way, trip_units)

    return ZoneNeed(number, len(asked), crews(asked), min(crews(heavy), crews(asked)))


def _crews(doors: int, bottles: int, units: int, shift: Shift, way: int, trip_units: int) -> int:
    if not doors:
        return 0
    trips = math.ceil(units / trip_units)
    at_doors = doors * (SERVICE_S + BETWEEN_DOORS_S) + (bottles - doors) * EACH_MORE_BOTTLE_S
    return math.ceil((at_doors + trips * (RELOAD_S + 2 * way)) / (shift.until_s - shift.from_s))


def _shift_of(asked: Asked, shifts: Sequence[Shift]) -> int:
    """The shift that shares most of the slot; of several the first; the nearest where none shares any."""

    def fit(number: int) -> tuple[int, int]:
        shift = shifts[number]
        return min(asked.until_s, shift.until_s) - max(asked.from_s, shift.from_s), -number

    return max(range(len(shifts)), key=fit)

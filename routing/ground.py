"""Ground to be divided into zones: units in, districts out. ``districting`` divides it."""

import math
from dataclasses import dataclass
from typing import Any

from routing.plain import fields, names, rows, text, whole


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of ground: its middle in metres on a plane, what it asks for, and the units it touches."""

    id: str
    x_m: float
    y_m: float
    load: int
    touches: frozenset[str]

    def to_plain(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "x_m": self.x_m,
            "y_m": self.y_m,
            "load": self.load,
            "touches": sorted(self.touches),
        }

    @classmethod
    def from_plain(cls, plain: Any) -> "Unit":
        found = fields(plain, "a unit", ("id", "x_m", "y_m", "load", "touches"))
        return cls(
            id=text(found["id"], "a unit's id"),
            x_m=_metres(found["x_m"]),
            y_m=_metres(found["y_m"]),
            load=whole(found["load"], "a unit's load", 0, 10_000_000),
            touches=names(found["touches"], "the units a unit touches"),
        )


@dataclass(frozen=True, slots=True)
class Districts:
    """``zone_of``: unit → zone, 0 up. ``optimal``: proved for its roots, to ``GOOD_ENOUGH``.

    ``overload``: load beyond the tolerance, summed over the zones; 0 where all zones are balanced.
    """

    zone_of: dict[str, int]
    loads: tuple[int, ...]
    overload: int
    optimal: bool

    @property
    def worst_percent(self) -> int:
        """How far the zone furthest from the mean load lies from it, rounded up."""
        mean = sum(self.loads) / len(self.loads)
        return math.ceil(max(abs(load - mean) for load in self.loads) / mean * 100) if mean else 0

    def to_plain(self) -> dict[str, Any]:
        return {
            "zone_of": self.zone_of,
            "loads": list(self.loads),
            "overload": self.overload,
            "optimal": self.optimal,
        }

    @classmethod
    def from_plain(cls, plain: Any) -> "Districts":
        found = fields(plain, "districts", ("zone_of", "loads", "overload", "optimal"))
        most = 2**31
        loads = tuple(whole(load, "a load", 0, most) for load in rows(found["loads"], "the loads"))
        zone_of = fields(found["zone_of"], "the zones of units", found["zone_of"])
        return cls(
            zone_of={unit: whole(zone, "a zone", 0, len(loads) - 1) for unit, zone in zone_of.items()},
            loads=loads,
            overload=whole(found["overload"], "the overload", 0, most),
            optimal=bool(found["optimal"]),
        )


def _metres(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"expected metres, got {value!r}")
    return float(value)

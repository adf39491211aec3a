"""Crews to be given to zones and shifts: crews and needs in, a roster out. ``rostering`` gives them."""

import math
from dataclasses import dataclass
from typing import Any

from routing.plain import fields, rows, text, whole

MOST_SHIFTS = 24
MOST_CREWS = 10_000


@dataclass(frozen=True, slots=True)
class Crew:
    """``x_m``, ``y_m``: the middle of the zone they know, on a plane. ``shifts``: None where any will do."""

    id: str
    x_m: float
    y_m: float
    has_truck: bool
    zone: str | None
    shifts: frozenset[int] | None = None

    def may_work(self, shift: int) -> bool:
        return self.shifts is None or shift in self.shifts

    def to_plain(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "x_m": self.x_m,
            "y_m": self.y_m,
            "has_truck": self.has_truck,
            "zone": self.zone,
            "shifts": None if self.shifts is None else sorted(self.shifts),
        }

    @classmethod
    def from_plain(cls, plain: Any) -> "Crew":
        found = fields(plain, "a crew", ("id", "x_m", "y_m", "has_truck", "zone", "shifts"))
        shifts = found["shifts"]
        return cls(
            id=text(found["id"], "a crew's id"),
            x_m=_metres(found["x_m"]),
            y_m=_metres(found["y_m"]),
            has_truck=bool(found["has_truck"]),
            zone=None if found["zone"] is None else text(found["zone"], "a crew's zone"),
            shifts=None
            if shifts is None
            else frozenset(whole(one, "a shift", 0, MOST_SHIFTS) for one in rows(shifts, "a crew's shifts")),
        )


@dataclass(frozen=True, slots=True)
class Need:
    """So many crews in a zone's shift, so many of them with a truck. ``x_m``, ``y_m``: the zone's middle."""

    zone: str
    shift: int
    x_m: float
    y_m: float
    crews: int
    trucks: int

    def to_plain(self) -> dict[str, Any]:
        return {
            "zone": self.zone,
            "shift": self.shift,
            "x_m": self.x_m,
            "y_m": self.y_m,
            "crews": self.crews,
            "trucks": self.trucks,
        }

    @classmethod
    def from_plain(cls, plain: Any) -> "Need":
        found = fields(plain, "a need", ("zone", "shift", "x_m", "y_m", "crews", "trucks"))
        return cls(
            zone=text(found["zone"], "a zone"),
            shift=whole(found["shift"], "a shift", 0, MOST_SHIFTS),
            x_m=_metres(found["x_m"]),
            y_m=_metres(found["y_m"]),
            crews=whole(found["crews"], "the crews needed", 0, MOST_CREWS),
            trucks=whole(found["trucks"], "the trucks needed", 0, MOST_CREWS),
        )


@dataclass(frozen=True, slots=True)
class Line:
    crew: str
    zone: str
    shift: int

    def to_plain(self) -> dict[str, Any]:
        return {"crew": self.crew, "zone": self.zone, "shift": self.shift}

    @classmethod
    def from_plain(cls, plain: Any) -> "Line":
        found = fields(plain, "a line", ("crew", "zone", "shift"))
        return cls(
            text(found["crew"], "a crew"),
            text(found["zone"], "a zone"),
            whole(found["shift"], "a shift", 0, MOST_SHIFTS),
        )


@dataclass(frozen=True, slots=True)
class Short:
    """What a zone's shift lacks."""

    zone: str
    shift: int
    crews: int
    trucks: int

    def to_plain(self) -> dict[str, Any]:
        return {"zone": self.zone, "shift": self.shift, "crews": self.crews, "trucks": self.trucks}

    @classmethod
    def from_plain(cls, plain: Any) -> "Short":
        found = fields(plain, "what is lacking", ("zone", "shift", "crews", "trucks"))
        return cls(
            text(found["zone"], "a zone"),
            whole(found["shift"], "a shift", 0, MOST_SHIFTS),
            whole(found["crews"], "crews", 0, MOST_CREWS),
            whole(found["trucks"], "trucks", 0, MOST_CREWS),
        )


@dataclass(frozen=True, slots=True)
class Roster:
    """``optimal``: proved. ``short`` names every need that is not met; crews in no line are free."""

    lines: tuple[Line, ...]
    short: tuple[Short, ...]
    moved_m: int
    optimal: bool

    def to_plain(self) -> dict[str, Any]:
        return {
            "lines": [line.to_plain() for line in self.lines],
            "short": [one.to_plain() for one in self.short],
            "moved_m": self.moved_m,
            "optimal": self.optimal,
        }

    @classmethod
    def from_plain(cls, plain: Any) -> "Roster":
        found = fields(plain, "a roster", ("lines", "short", "moved_m", "optimal"))
        return cls(
            lines=tuple(Line.from_plain(line) for line in rows(found["lines"], "the lines")),
            short=tuple(Short.from_plain(one) for one in rows(found["short"], "what is lacking")),
            moved_m=whole(found["moved_m"], "the metres moved", 0, 2**53),
            optimal=bool(found["optimal"]),
        )


def _metres(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"expected metres, got {value!r}")
    return float(value)

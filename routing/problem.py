"""One zone's day, checked when built and never changed afterwards.

Stop       a door: what is brought and fetched, when, by whom, and what leaving it costs
Vehicle    a crew's vehicle for the day: what it holds, how often it may leave, from when to when
Problem    the station (place 0), its stops (places 1 to n), its vehicles, and the ways between places
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from routing.matrix import Matrix
from routing.plain import fields, pair, rows, text, whole

LATEST_S = 48 * 3600  # a night shift ends on the next day; anything later is another unit by mistake
MOST_UNITS = 100_000
MOST_PENALTY = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Stop:
    """A door to serve once or not at all.

    ``window``: service starts at open_s at the earliest and at close_s at the latest; it may end later.
    ``only_vehicles``: ids of the vehicles that may serve it (pinned, or bound by cylinder size); None = any.
    """

    id: str
    delivers: int
    collects: int
    service_s: int
    window: tuple[int, int]
    penalty: int
    only_vehicles: frozenset[str] | None = None

    def __post_init__(self) -> None:
        text(self.id, "a stop's id")
        stop = f"of stop {self.id!r}"
        whole(self.delivers, f"delivers {stop}", 0, MOST_UNITS)
        whole(self.collects, f"collects {stop}", 0, MOST_UNITS)
        whole(self.service_s, f"service_s {stop}", 0, LATEST_S)
        whole(self.penalty, f"penalty {stop}", 0, MOST_PENALTY)
        object.__setattr__(self, "window", _span(self.window, f"window {stop}"))
        if self.only_vehicles is not None:
            if isinstance(self.only_vehicles, str):
                raise ValueError(
                    f"expected only_vehicles {stop} to be a set of ids, got {self.only_vehicles!r}"
                )
            ids = frozenset(text(vehicle, f"only_vehicles {stop}") for vehicle in self.only_vehicles)
            object.__setattr__(self, "only_vehicles", ids)

    def to_plain(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "delivers": self.delivers,
            "collects": self.collects,
            "service_s": self.service_s,
            "window": list(self.window),
            "penalty": self.penalty,
            "only_vehicles": None if self.only_vehicles is None else sorted(self.only_vehicles),
        }

    @classmethod
    def from_plain(cls, plain: Any) -> "Stop":
        stop = fields(plain, "a stop", cls.__slots__)
        only = stop.pop("only_vehicles")
        return cls(**stop, only_vehicles=None if only is None else frozenset(rows(only, "only_vehicles")))


@dataclass(frozen=True, slots=True)
class Vehicle:
    """``profile`` names its travel matrix; ``shift``: leaves at start_s at the earliest, is back by end_s."""

    id: str
    profile: str
    capacity: int
    max_trips: int
    shift: tuple[int, int]

    def __post_init__(self) -> None:
        text(self.id, "a vehicle's id")
        vehicle = f"of vehicle {self.id!r}"
        text(self.profile, f"profile {vehicle}")
        whole(self.capacity, f"capacity {vehicle}", 1, MOST_UNITS)
        whole(self.max_trips, f"max_trips {vehicle}", 1, 1_000)
        object.__setattr__(self, "shift", _span(self.shift, f"shift {vehicle}"))

    def to_plain(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "profile": self.profile,
            "capacity": self.capacity,
            "max_trips": self.max_trips,
            "shift": list(self.shift),
        }

    @classmethod
    def from_plain(cls, plain: Any) -> "Vehicle":
        return cls(**fields(plain, "a vehicle", cls.__slots__))


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """``travel``: profile → matrix over the station (place 0) and the stops in their order (places 1 to n).

    ``reload_s``: what a vehicle spends at the station between two trips. ``digest``: sha256 of all content.
    """

    stops: tuple[Stop, ...]
    vehicles: tuple[Vehicle, ...]
    reload_s: int
    travel: Mapping[str, Matrix]
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "stops", tuple(self.stops))
        object.__setattr__(self, "vehicles", tuple(self.vehicles))
        object.__setattr__(self, "travel", MappingProxyType(dict(self.travel)))
        whole(self.reload_s, "reload_s", 0, LATEST_S)
        _expect_distinct([stop.id for stop in self.stops], "stop")
        _expect_distinct([vehicle.id for vehicle in self.vehicles], "vehicle")
        for vehicle in self.vehicles:
            if vehicle.profile not in self.travel:
                raise ValueError(
                    f"expected a travel matrix for {vehicle.profile!r}, got {sorted(self.travel)}"
                )
        places = len(self.stops) + 1
        for profile, matrix in self.travel.items():
            if matrix.places != places:
                raise ValueError(
                    f"expected travel {profile!r} over {places} places (station, stops), got {matrix.places}"
                )
        object.__setattr__(self, "digest", _digest(self))

    def __eq__(self, other: object) -> bool:
        return self.digest == other.digest if isinstance(other, Problem) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.digest)

    def to_plain(self) -> dict[str, Any]:
        return {
            "stops": [stop.to_plain() for stop in self.stops],
            "vehicles": [vehicle.to_plain() for vehicle in self.vehicles],
            "reload_s": self.reload_s,
            "travel": {profile: matrix.to_plain() for profile, matrix in self.travel.items()},
        }

    @classmethod
    def from_plain(cls, plain: Any) -> "Problem":
        """What ``to_plain`` gave, after any trip through JSON; ValueError says what was expected."""
        problem = fields(plain, "a problem", ("stops", "vehicles", "reload_s", "travel"))
        if not isinstance(problem["travel"], Mapping):
            raise ValueError(f"expected travel to be an object by profile, got {problem['travel']!r}")
        return cls(
            stops=tuple(Stop.from_plain(stop) for stop in rows(problem["stops"], "stops")),
            vehicles=tuple(Vehicle.from_plain(vehicle) for vehicle in rows(problem["vehicles"], "vehicles")),
            reload_s=problem["reload_s"],
            travel={profile: Matrix.from_plain(matrix) for profile, matrix in problem["travel"].items()},
        )


def _span(value: Any, what: str) -> tuple[int, int]:
    first, last = pair(value, what)
    whole(first, f"the first of {what}, seconds since midnight", 0, LATEST_S)
    return first, whole(last, f"the last of {what}, seconds since midnight", first, LATEST_S)


def _expect_distinct(ids: list[str], what: str) -> None:
    again = sorted({one for one in ids if ids.count(one) > 1}) if len(set(ids)) < len(ids) else []
    if again:
        raise ValueError(f"expected every {what} once, got {again} more than once")


def _digest(problem: Problem) -> str:
    """Matrices go in as little-endian bytes, since half a million numbers are slow to write as text."""
    words = {
        "stops": [stop.to_plain() for stop in problem.stops],
        "vehicles": [vehicle.to_plain() for vehicle in problem.vehicles],
        "reload_s": problem.reload_s,
        "profiles": sorted(problem.travel),
    }
    digest = hashlib.sha256(json.dumps(words, sort_keys=True, separators=(",", ":")).encode())
    for profile in sorted(problem.travel):
        digest.update(problem.travel[profile].seconds.astype("<i4").tobytes())
        digest.update(problem.travel[profile].metres.astype("<i4").tobytes())
    return digest.hexdigest()

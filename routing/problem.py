"""One zone's day, checked when built and never changed afterwards.

Stop       a door: what is brought and fetched, when, by whom, and what leaving it costs
Vehicle    a crew's vehicle for the day: what it holds, how often it may leave, from when to when
Problem    the station (place 0), its stops (places 1 to n), its vehicles, and the ways between places
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from routing.matrix import Matrix
from routing.plain import fields, names, pair, rows, said, text, whole

LATEST_S = 48 * 3600  # a night shift ends on the next day; anything later is another unit by mistake
MOST_UNITS = 100_000
MOST_PENALTY = 1_000_000_000
MOST_WEIGHT = 10_000

# What holds where nothing is said, also in what an older version has stored.
USUAL_STOP: Mapping[str, Any] = MappingProxyType(
    {"not_vehicles": [], "other_windows": [], "release_s": 0, "due_s": None, "late_weight": 0}
)
USUAL_VEHICLE: Mapping[str, Any] = MappingProxyType({"stands_at": 0, "aboard": 0, "loaded": [], "locked": []})
USUAL_PROBLEM: Mapping[str, Any] = MappingProxyType({"places": None, "fell_back": False})


@dataclass(frozen=True, slots=True)
class Stop:
    """A door to serve once or not at all.

    ``window``: service starts at open_s at the earliest and at close_s at the latest; it may end later.
    ``other_windows``: further ones, each after the one before; service starts in any of them.
    ``only_vehicles``: ids of the vehicles that may serve it (pinned, or bound by cylinder size); None = any.
    ``not_vehicles``: ids of those that may not.
    ``release_s``: its goods are at the station from then on; its trip leaves no earlier.
    ``due_s``, ``late_weight``: each second that service starts after due_s costs that many travel seconds.
    """

    id: str
    delivers: int
    collects: int
    service_s: int
    window: tuple[int, int]
    penalty: int
    only_vehicles: frozenset[str] | None = None
    not_vehicles: frozenset[str] = frozenset()
    other_windows: tuple[tuple[int, int], ...] = ()
    release_s: int = 0
    due_s: int | None = None
    late_weight: int = 0

    def __post_init__(self) -> None:
        text(self.id, "a stop's id")
        stop = f"of stop {self.id!r}"
        whole(self.delivers, f"delivers {stop}", 0, MOST_UNITS)
        whole(self.collects, f"collects {stop}", 0, MOST_UNITS)
        whole(self.service_s, f"service_s {stop}", 0, LATEST_S)
        whole(self.penalty, f"penalty {stop}", 0, MOST_PENALTY)
        object.__setattr__(self, "window", _span(self.window, f"window {stop}"))
        others = tuple(
            _span(one, f"other_windows {stop}") for one in rows(self.other_windows, f"other_windows {stop}")
        )
        object.__setattr__(self, "other_windows", others)
        for before, after in pairwise(self.windows):
            whole(
                after[0],
                f"each window {stop} to open after the one before has closed: open_s",
                before[1] + 1,
                LATEST_S,
            )
        if self.only_vehicles is not None:
            object.__setattr__(self, "only_vehicles", names(self.only_vehicles, f"only_vehicles {stop}"))
        object.__setattr__(self, "not_vehicles", names(self.not_vehicles, f"not_vehicles {stop}"))
        whole(self.release_s, f"release_s {stop}", 0, LATEST_S)
        if self.due_s is not None:
            whole(self.due_s, f"due_s {stop}", 0, LATEST_S)
        whole(self.late_weight, f"late_weight {stop}", 0, MOST_WEIGHT)
        if (self.due_s is None) != (self.late_weight == 0):
            raise ValueError(f"expected due_s and a late_weight above 0 {stop} together, got one of them")

    @property
    def windows(self) -> tuple[tuple[int, int], ...]:
        return (self.window, *self.other_windows)

    def may_ride(self, vehicle_id: str) -> bool:
        """Is the vehicle allowed to serve it? Whether it holds it is another question."""
        is_bound = self.only_vehicles is not None and vehicle_id not in self.only_vehicles
        return not is_bound and vehicle_id not in self.not_vehicles

    def late_cost(self, start_s: int) -> int:
        return 0 if self.due_s is None else self.late_weight * max(0, start_s - self.due_s)

    def to_plain(self) -> dict[str, Any]:
        plain = {
            "id": self.id,
            "delivers": self.delivers,
            "collects": self.collects,
            "service_s": self.service_s,
            "window": list(self.window),
            "penalty": self.penalty,
            "only_vehicles": None if self.only_vehicles is None else sorted(self.only_vehicles),
            "not_vehicles": sorted(self.not_vehicles),
            "other_windows": [list(one) for one in self.other_windows],
            "release_s": self.release_s,
            "due_s": self.due_s,
            "late_weight": self.late_weight,
        }
        return said(plain, USUAL_STOP)

    @classmethod
    def from_plain(cls, plain: Any) -> "Stop":
        stop = fields(plain, "a stop", cls.__slots__, USUAL_STOP)
        only, never = stop.pop("only_vehicles"), rows(stop.pop("not_vehicles"), "not_vehicles")
        return cls(
            **stop,
            only_vehicles=None if only is None else frozenset(rows(only, "only_vehicles")),
            not_vehicles=frozenset(never),
        )


@dataclass(frozen=True, slots=True)
class Vehicle:
    """``profile`` names its travel matrix; ``shift``: leaves at start_s at the earliest, is back by end_s.

    Of a day that has begun, where its first trip may be under way:
    ``stands_at``: the place where it is free at the shift's start, 0 = the station. Elsewhere it is on the
    road: its first trip goes on from there, and brings only what is on board.
    ``aboard``: units on board that belong to no stop of the problem (empties, what could not be delivered).
    ``loaded``: ids of the stops whose goods are on board: it alone may serve them, on its first trip.
    ``locked``: ids of the stops it serves first, in this order (they may be on the way, or promised).
    """

    id: str
    profile: str
    capacity: int
    max_trips: int
    shift: tuple[int, int]
    stands_at: int = 0
    aboard: int = 0
    loaded: frozenset[str] = frozenset()
    locked: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        text(self.id, "a vehicle's id")
        vehicle = f"of vehicle {self.id!r}"
        text(self.profile, f"profile {vehicle}")
        whole(self.capacity, f"capacity {vehicle}", 1, MOST_UNITS)
        whole(self.max_trips, f"max_trips {vehicle}", 1, 1_000)
        object.__setattr__(self, "shift", _span(self.shift, f"shift {vehicle}"))
        whole(self.stands_at, f"stands_at {vehicle}, the number of a place,", 0, MOST_UNITS)
        whole(self.aboard, f"aboard {vehicle}", 0, MOST_UNITS)
        object.__setattr__(self, "loaded", names(self.loaded, f"loaded {vehicle}"))
        locked = tuple(text(stop, f"locked {vehicle}") for stop in rows(self.locked, f"locked {vehicle}"))
        object.__setattr__(self, "locked", locked)
        if len(set(locked)) < len(locked):
            raise ValueError(f"expected every stop once in locked {vehicle}, got {list(locked)}")

    @property
    def is_out(self) -> bool:
        """On the road: what is not on board cannot join the trip it is on."""
        return self.stands_at != 0

    @property
    def holds_first(self) -> bool:
        """Its first trip has begun: it stays a trip of its own."""
        return self.is_out or self.aboard > 0 or bool(self.loaded or self.locked)

    def to_plain(self) -> dict[str, Any]:
        plain = {
            "id": self.id,
            "profile": self.profile,
            "capacity": self.capacity,
            "max_trips": self.max_trips,
            "shift": list(self.shift),
            "stands_at": self.stands_at,
            "aboard": self.aboard,
            "loaded": sorted(self.loaded),
            "locked": list(self.locked),
        }
        return said(plain, USUAL_VEHICLE)

    @classmethod
    def from_plain(cls, plain: Any) -> "Vehicle":
        vehicle = fields(plain, "a vehicle", cls.__slots__, USUAL_VEHICLE)
        return cls(**{**vehicle, "loaded": frozenset(rows(vehicle["loaded"], "loaded"))})


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """``travel``: profile → matrix over the places: 0 the station, then the doors, then where vehicles stand.

    ``reload_s``: what a vehicle spends at the station between two trips.
    ``places``: the place of each stop; None: stop i is at place i. Many doors may share one place.
    ``fell_back``: the travel times are not the wanted ones, which could not be had.
    ``digest``: sha256 of all content.
    """

    stops: tuple[Stop, ...]
    vehicles: tuple[Vehicle, ...]
    reload_s: int
    travel: Mapping[str, Matrix]
    places: tuple[int, ...] | None = None
    fell_back: bool = False
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "stops", tuple(self.stops))
        object.__setattr__(self, "vehicles", tuple(self.vehicles))
        object.__setattr__(self, "travel", MappingProxyType(dict(self.travel)))
        whole(self.reload_s, "reload_s", 0, LATEST_S)
        if not isinstance(self.fell_back, bool):
            raise ValueError(f"expected fell_back to be true or false, got {self.fell_back!r}")
        _expect_distinct([stop.id for stop in self.stops], "stop")
        _expect_distinct([vehicle.id for vehicle in self.vehicles], "vehicle")
        if self.places is not None:
            object.__setattr__(self, "places", tuple(self.places))
        _expect_places(self)
        _expect_begun(self)
        object.__setattr__(self, "digest", _digest(self))

    @property
    def stop_places(self) -> Sequence[int]:
        """The place of each stop."""
        return range(1, len(self.stops) + 1) if self.places is None else self.places

    def __eq__(self, other: object) -> bool:
        return self.digest == other.digest if isinstance(other, Problem) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.digest)

    def to_plain(self) -> dict[str, Any]:
        plain = {
            "stops": [stop.to_plain() for stop in self.stops],
            "vehicles": [vehicle.to_plain() for vehicle in self.vehicles],
            "reload_s": self.reload_s,
            "travel": {profile: matrix.to_plain() for profile, matrix in self.travel.items()},
            "places": None if self.places is None else list(self.places),
            "fell_back": self.fell_back,
        }
        return said(plain, USUAL_PROBLEM)

    @classmethod
    def from_plain(cls, plain: Any) -> "Problem":
        """What ``to_plain`` gave, after any trip through JSON; ValueError says what was expected."""
        said_of = ("stops", "vehicles", "reload_s", "travel", *USUAL_PROBLEM)
        problem = fields(plain, "a problem", said_of, USUAL_PROBLEM)
        if not isinstance(problem["travel"], Mapping):
            raise ValueError(f"expected travel to be an object by profile, got {problem['travel']!r}")
        return cls(
            stops=tuple(Stop.from_plain(stop) for stop in rows(problem["stops"], "stops")),
            vehicles=tuple(Vehicle.from_plain(vehicle) for vehicle in rows(problem["vehicles"], "vehicles")),
            reload_s=problem["reload_s"],
            travel={profile: Matrix.from_plain(matrix) for profile, matrix in problem["travel"].items()},
            places=None if problem["places"] is None else tuple(rows(problem["places"], "places")),
            fell_back=problem["fell_back"],
        )


def _span(value: Any, what: str) -> tuple[int, int]:
    first, last = pair(value, what)
    whole(first, f"the first of {what}, seconds since midnight", 0, LATEST_S)
    return first, whole(last, f"the last of {what}, seconds since midnight", first, LATEST_S)


def _expect_places(problem: "Problem") -> None:
    """Every vehicle has a matrix, and every matrix has every place that is spoken of."""
    for vehicle in problem.vehicles:
        if vehicle.profile not in problem.travel:
            raise ValueError(
                f"expected a travel matrix for {vehicle.profile!r}, got {sorted(problem.travel)}"
            )
    if problem.places is not None and len(problem.places) != len(problem.stops):
        raise ValueError(
            f"expected a place for each of {len(problem.stops)} stops, got {len(problem.places)}"
        )
    for place in problem.stop_places:
        whole(place, "a stop's place, which is not the station,", 1, MOST_UNITS)
    stands = [vehicle.stands_at for vehicle in problem.vehicles]
    least = 1 + max((*problem.stop_places, *stands), default=0)
    is_exact = problem.places is None and not any(stands)
    for profile, matrix in problem.travel.items():
        if matrix.places < least or (is_exact and matrix.places > least):
            raise ValueError(
                f"expected travel {profile!r} over {least} places (station, stops), got {matrix.places}"
            )


def _expect_begun(problem: "Problem") -> None:
    """What is on board or locked is a stop of the problem, of one vehicle, and one that it may serve."""
    stop_of = {stop.id: stop for stop in problem.stops}
    held_by: dict[str, str] = {}
    for vehicle in problem.vehicles:
        on_board = sum(stop_of[stop].delivers for stop in vehicle.loaded if stop in stop_of)
        whole(vehicle.aboard + on_board, f"what vehicle {vehicle.id!r} has on board", 0, vehicle.capacity)
        for stop_id in sorted(vehicle.loaded | set(vehicle.locked)):
            if stop_id not in stop_of:
                raise ValueError(
                    f"expected what vehicle {vehicle.id!r} has loaded or locked to be a stop, got {stop_id!r}"
                )
            if stop_id in held_by:
                raise ValueError(
                    f"expected stop {stop_id!r} on one vehicle, got {held_by[stop_id]!r} and {vehicle.id!r}"
                )
            if not stop_of[stop_id].may_ride(vehicle.id):
                raise ValueError(
                    f"expected vehicle {vehicle.id!r} to be allowed at {stop_id!r}, loaded or locked on it"
                )
            if vehicle.is_out and stop_id not in vehicle.loaded and stop_of[stop_id].delivers:
                raise ValueError(
                    f"expected stop {stop_id!r}, locked on the road, to be loaded on {vehicle.id!r}"
                )
            held_by[stop_id] = vehicle.id


def _expect_distinct(ids: list[str], what: str) -> None:
    again = sorted(one for one, times in Counter(ids).items() if times > 1)
    if again:
        raise ValueError(f"expected every {what} once, got {again} more than once")


def _digest(problem: Problem) -> str:
    """Matrices go in as little-endian bytes, since half a million numbers are slow to write as text."""
    words = {
        "stops": [stop.to_plain() for stop in problem.stops],
        "vehicles": [vehicle.to_plain() for vehicle in problem.vehicles],
        "reload_s": problem.reload_s,
        "profiles": sorted(problem.travel),
        **said({"places": problem.places, "fell_back": problem.fell_back}, USUAL_PROBLEM),
    }
    digest = hashlib.sha256(json.dumps(words, sort_keys=True, separators=(",", ":")).encode())
    for profile in sorted(problem.travel):
        digest.update(problem.travel[profile].seconds.astype("<i4").tobytes())
        digest.update(problem.travel[profile].metres.astype("<i4").tobytes())
    return digest.hexdigest()

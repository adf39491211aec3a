"""The answer to a problem: trips with their times, and every stop that is not served, with the reason.

Plan → Trip → Visit      what is driven
Plan → Unserved          what is not, and why
Routes                   the bare order: vehicle id → its trips → their stop ids
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeAlias

from routing.plain import fields, rows, said, text, whole
from routing.problem import LATEST_S, MOST_UNITS

Routes: TypeAlias = Mapping[str, Sequence[Sequence[str]]]

# What holds where nothing is said, also in what an older version has stored.
USUAL_PLAN: Mapping[str, Any] = MappingProxyType({"late_cost": 0, "improver": None, "notes": []})

MOST_SUM = 2**62  # no sum of a day's seconds, metres or penalties comes near


class Reason(StrEnum):
    """Why a stop is not served, in words a dispatcher can act on. Codes keep their meaning for ever."""

    NO_VEHICLE_CAN_CARRY = "no_vehicle_can_carry"  # none is allowed to, or none holds that much
    UNREACHABLE = "unreachable"  # those that could carry it have no way there, or none back
    NO_CREW_AT_THAT_TIME = "no_crew_at_that_time"  # no shift of those that have a way meets its windows
    WINDOW_UNREACHABLE = "window_unreachable"  # even driven alone, all come after the window has closed
    BEYOND_SHIFT = "beyond_shift"  # even driven alone, none is back before its shift ends
    NO_CAPACITY_LEFT = "no_capacity_left"  # would fit alone; no place for it beside what this plan serves
    PENALTY_BELOW_TRAVEL = "penalty_below_travel"  # has a place, but the way costs at least its penalty


class Stopped(StrEnum):
    """What ended the search. After ``time`` another run may give another plan."""

    ITERATIONS = "iterations"
    TIME = "time"
    NOTHING_TO_SEARCH = "nothing_to_search"


class Note(StrEnum):
    """What whoever reads the plan must know: it is not as good as it could be."""

    WITHOUT_COMPILED_SEARCH = "without_compiled_search"  # numba is missing: stops lie worse than need be
    TRAVEL_TIMES_FELL_BACK = "travel_times_fell_back"  # not the wanted times, which could not be had
    NOT_PROVED = "not_proved"  # the second solver did not accept it as it stands; our own checker judges it


@dataclass(frozen=True, slots=True)
class Visit:
    """arrive_s at the door, start_s of service (after any wait for the window), leave_s."""

    stop: str
    arrive_s: int
    start_s: int
    leave_s: int


@dataclass(frozen=True, slots=True)
class Trip:
    """Station to station; the first one of a vehicle on the road begins where it stands.

    ``number`` counts the vehicle's trips from 1; ``load``: units on leaving.
    """

    vehicle: str
    number: int
    leave_s: int
    return_s: int
    load: int
    visits: tuple[Visit, ...]


@dataclass(frozen=True, slots=True)
class Unserved:
    stop: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Plan:
    """``problem``: digest of the problem answered. ``warm``: digest of the warm routes, None without.

    ``objective`` = ``travel_s`` + ``late_cost`` + penalties of the unserved. ``iterations`` is what was asked
    for. ``engine``: what the plan came from last; ``improver``: the search before it, None without.
    """

    problem: str
    engine: str
    engine_version: str
    seed: int
    iterations: int
    warm: str | None
    stopped: Stopped
    trips: tuple[Trip, ...]
    unserved: tuple[Unserved, ...]
    travel_s: int
    distance_m: int
    objective: int
    late_cost: int = 0
    improver: str | None = None
    notes: tuple[Note, ...] = ()

    @property
    def is_reproducible(self) -> bool:
        return self.stopped is not Stopped.TIME

    @property
    def routes(self) -> dict[str, tuple[tuple[str, ...], ...]]:
        """The bare order of the plan, fit to be the next solve's ``warm``."""
        routes: dict[str, tuple[tuple[str, ...], ...]] = {}
        for trip in self.trips:
            stops = tuple(visit.stop for visit in trip.visits)
            routes[trip.vehicle] = (*routes.get(trip.vehicle, ()), stops)
        return routes

    def to_plain(self) -> dict[str, Any]:
        plain = {
            "problem": self.problem,
            "engine": self.engine,
            "engine_version": self.engine_version,
            "seed": self.seed,
            "iterations": self.iterations,
            "warm": self.warm,
            "stopped": str(self.stopped),
            "trips": [_trip_to_plain(trip) for trip in self.trips],
            "unserved": [{"stop": left.stop, "reason": str(left.reason)} for left in self.unserved],
            "travel_s": self.travel_s,
            "distance_m": self.distance_m,
            "objective": self.objective,
            "late_cost": self.late_cost,
            "improver": self.improver,
            "notes": [str(note) for note in self.notes],
        }
        return said(plain, USUAL_PLAN)

    @classmethod
    def from_plain(cls, plain: Any) -> "Plan":
        """What ``to_plain`` gave, after any trip through JSON; ValueError says what was expected."""
        plan = fields(plain, "a plan", cls.__slots__, USUAL_PLAN)
        return cls(
            problem=text(plan["problem"], "problem"),
            engine=text(plan["engine"], "engine"),
            engine_version=text(plan["engine_version"], "engine_version"),
            seed=whole(plan["seed"], "seed", 0, MOST_SUM),
            iterations=whole(plan["iterations"], "iterations", 0, MOST_SUM),
            warm=None if plan["warm"] is None else text(plan["warm"], "warm"),
            stopped=Stopped(plan["stopped"]),
            trips=tuple(_trip_from_plain(trip) for trip in rows(plan["trips"], "trips")),
            unserved=tuple(_unserved_from_plain(left) for left in rows(plan["unserved"], "unserved")),
            travel_s=whole(plan["travel_s"], "travel_s", 0, MOST_SUM),
            distance_m=whole(plan["distance_m"], "distance_m", 0, MOST_SUM),
            objective=whole(plan["objective"], "objective", 0, MOST_SUM),
            late_cost=whole(plan["late_cost"], "late_cost", 0, MOST_SUM),
            improver=None if plan["improver"] is None else text(plan["improver"], "improver"),
            notes=tuple(Note(note) for note in rows(plan["notes"], "notes")),
        )


def routes_digest(routes: Routes) -> str:
    """sha256 of bare routes, so that a plan can name what it was started from."""
    plain = {vehicle: [list(trip) for trip in trips] for vehicle, trips in routes.items()}
    return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def routes_from_plain(plain: Any) -> dict[str, list[list[str]]]:
    if not isinstance(plain, Mapping):
        raise ValueError(f"expected routes to be an object by vehicle id, got {type(plain).__name__}")
    return {
        text(vehicle, "a vehicle's id"): [
            [text(stop, "a stop's id") for stop in rows(trip, "a trip")] for trip in rows(trips, "trips")
        ]
        for vehicle, trips in plain.items()
    }


def _trip_to_plain(trip: Trip) -> dict[str, Any]:
    return {
        "vehicle": trip.vehicle,
        "number": trip.number,
        "leave_s": trip.leave_s,
        "return_s": trip.return_s,
        "load": trip.load,
        "visits": [
            {"stop": v.stop, "arrive_s": v.arrive_s, "start_s": v.start_s, "leave_s": v.leave_s}
            for v in trip.visits
        ],
    }


def _trip_from_plain(plain: Any) -> Trip:
    trip = fields(plain, "a trip", Trip.__slots__)
    return Trip(
        vehicle=text(trip["vehicle"], "vehicle"),
        number=whole(trip["number"], "number", 1, MOST_SUM),
        leave_s=whole(trip["leave_s"], "leave_s", 0, LATEST_S),
        return_s=whole(trip["return_s"], "return_s", 0, LATEST_S),
        load=whole(trip["load"], "load", 0, MOST_UNITS),
        visits=tuple(_visit_from_plain(visit) for visit in rows(trip["visits"], "visits")),
    )


def _visit_from_plain(plain: Any) -> Visit:
    visit = fields(plain, "a visit", Visit.__slots__)
    times = {at: whole(visit[at], at, 0, LATEST_S) for at in ("arrive_s", "start_s", "leave_s")}
    return Visit(text(visit["stop"], "stop"), **times)


def _unserved_from_plain(plain: Any) -> Unserved:
    left = fields(plain, "an unserved stop", Unserved.__slots__)
    return Unserved(text(left["stop"], "stop"), Reason(left["reason"]))

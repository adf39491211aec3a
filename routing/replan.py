"""A plan that is being driven, changed as little as need be.

    insert_urgent    one order more: no other stop leaves its crew, and if it can be, none is moved at all
    without_crew     a crew is lost: what it has on board stays with it, the others take what they can
    churn            how much one plan differs from another, for those who drive it

Both answer with a plan for the changed problem, judged by ``check`` like every other. The second solver is
not asked: a day that has begun is no matter for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from routing import greedy
from routing.plain import fields, rows, text, whole
from routing.plan import MOST_SUM, Note, Plan, Routes, Stopped, routes_digest
from routing.problem import Problem
from routing.solve import Found, compiled_search, plan_of
from routing.timetable import Rounds, Timetable

URGENT_TURNS = 600
GENTLE = 0.05  # the first temperature: what stands shall not be shaken up


@dataclass(frozen=True, slots=True)
class Churn:
    """Stops served before and after, by what has become of them; and those that are no longer served."""

    other_crew: int
    other_trip: int
    other_order: int
    dropped: int

    def to_plain(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in Churn.__slots__}

    @classmethod
    def from_plain(cls, plain: Any) -> "Churn":
        counted = fields(plain, "churn", cls.__slots__)
        return cls(**{name: whole(value, name, 0, MOST_SUM) for name, value in counted.items()})


@dataclass(frozen=True, slots=True)
class Replanned:
    """``problem``: what ``plan`` answers. ``stranded``: on board the lost vehicle, for a person to see to."""

    problem: Problem
    plan: Plan
    churn: Churn
    stranded: tuple[str, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        return {
            "problem": self.problem.to_plain(),
            "plan": self.plan.to_plain(),
            "churn": self.churn.to_plain(),
            "stranded": list(self.stranded),
        }

    @classmethod
    def from_plain(cls, plain: Any) -> "Replanned":
        """What ``to_plain`` gave, after any trip through JSON; ValueError says what was expected."""
        told = fields(plain, "a changed plan", cls.__slots__)
        return cls(
            problem=Problem.from_plain(told["problem"]),
            plan=Plan.from_plain(told["plan"]),
            churn=Churn.from_plain(told["churn"]),
            stranded=tuple(text(stop, "stranded") for stop in rows(told["stranded"], "stranded")),
        )


def insert_urgent(problem: Problem, routes: Routes, stop_id: str) -> Replanned:
    """``routes`` with one stop more. ValueError if the problem has no such stop.

    Put between the others where it costs least; only where there is no room are they put in another order,
    each within its own crew, and a cheaper stop may have to be left for it.
    """
    timetable = Timetable(problem)
    if stop_id not in timetable.place_of:
        raise ValueError(f"expected a stop of the problem, got {stop_id!r}")
    place = timetable.place_of[stop_id]
    rounds = greedy.keep(timetable, routes)
    best = greedy.cheapest_insertion(timetable, rounds, place)
    if best is not None:
        found = Found(best.into(rounds), Stopped.ITERATIONS, "insertion")
    else:
        found = _within_crews(timetable, rounds, URGENT_TURNS, 0)
    plan = plan_of(timetable, found, 0, URGENT_TURNS, routes_digest(routes))
    return Replanned(problem, plan, churn(routes, plan.routes))


def without_crew(problem: Problem, routes: Routes, vehicle_id: str, iterations: int, seed: int) -> Replanned:
    """``routes`` when a vehicle can go no further. ValueError if the problem has no such vehicle."""
    lost = next((vehicle for vehicle in problem.vehicles if vehicle.id == vehicle_id), None)
    if lost is None:
        raise ValueError(f"expected a vehicle of the problem, got {vehicle_id!r}")
    without = _without(problem, vehicle_id, lost.loaded)
    timetable = Timetable(without)
    others = {vehicle: trips for vehicle, trips in routes.items() if vehicle != vehicle_id}
    rounds = greedy.keep(timetable, others)
    found = _within_crews(timetable, rounds, iterations, seed)
    plan = plan_of(timetable, found, seed, iterations, routes_digest(others))
    return Replanned(without, plan, churn(others, plan.routes), tuple(sorted(lost.loaded)))


def _without(problem: Problem, vehicle_id: str, stops: frozenset[str]) -> Problem:
    kept = [
        (stop, at)
        for stop, at in zip(problem.stops, problem.stop_places, strict=True)
        if stop.id not in stops
    ]
    return replace(
        problem,
        stops=tuple(stop for stop, _ in kept),
        vehicles=tuple(vehicle for vehicle in problem.vehicles if vehicle.id != vehicle_id),
        places=tuple(at for _, at in kept),
    )


def _within_crews(timetable: Timetable, rounds: Rounds, turns: int, seed: int) -> Found:
    """The best rounds in which every stop that has a crew keeps it."""
    start = greedy.insert(timetable, rounds)
    if not timetable.servable:
        return Found(start, Stopped.ITERATIONS, "insertion")
    ruin = compiled_search()
    if ruin is None:
        return Found(start, Stopped.ITERATIONS, "insertion", notes=(Note.WITHOUT_COMPILED_SEARCH,))
    crew_of = {place: v for v, trips in enumerate(rounds) for trip in trips for place in trip}
    improved = ruin.improve(timetable, start, turns, seed, crew_of=crew_of, hot=GENTLE)
    best = min(start, improved.rounds, key=timetable.objective)
    return Found(best, improved.stopped, ruin.NAME)


Seat: TypeAlias = tuple[str, int, frozenset[str]]


def churn(before: Routes, after: Routes) -> Churn:
    was, now = dict(_seats(before)), dict(_seats(after))
    known = was.keys() & now.keys()
    both = [(was[stop], now[stop]) for stop in sorted(known)]
    crew = sum(a[0] != b[0] for a, b in both)
    trip = sum(a[0] == b[0] and a[1] != b[1] for a, b in both)
    return Churn(
        other_crew=crew,
        other_trip=trip,
        other_order=sum(a[:2] == b[:2] and a[2] & known != b[2] & known for a, b in both),
        dropped=len(was.keys() - now.keys()),
    )


def _seats(routes: Routes) -> Iterator[tuple[str, Seat]]:
    """Each stop with its crew, its trip, and the stops before it on that trip.

    Stops that are new or gone are left out of account by the caller: they move nobody.
    """
    for vehicle, trips in routes.items():
        for number, trip in enumerate(trips):
            for k, stop in enumerate(trip):
                yield stop, (vehicle, number, frozenset(trip[:k]))

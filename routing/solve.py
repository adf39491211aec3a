"""One zone's day, solved: a start that holds, a search, a second solver's proof, every stop accounted for.

greedy    rounds as a dispatcher would make them, or what still holds of the warm ones
ruin      the search, compiled (without numba the second solver searches instead, and not as well)
engine    OR-Tools: proves that the rounds hold in a model of its own, and polishes them
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from routing import engine, greedy
from routing.plain import whole
from routing.plan import Note, Plan, Reason, Routes, Stopped, Trip, Unserved, Visit, routes_digest
from routing.problem import Problem
from routing.timetable import STATION, Rounds, Timetable, served_places, start_after
from routing.timetable import Trip as Places

Expired = Callable[[], bool]


def solve(
    problem: Problem,
    iterations: int,
    seed: int,
    warm: Routes | None = None,
    expired: Expired | None = None,
) -> Plan:
    """The best plan found for ``problem``.

    ``iterations``: how many turns the search takes, 0 for the greedy rounds as they are. A hundred thousand
    take a CPU second at 25 stops and ten at 400. ``seed``: another seed, another search. ``warm``: routes to
    start from instead of the greedy ones; what of them no longer holds is left out and inserted anew.
    ``expired``: asked now and then; once it says yes the search is cut, and the plan says so.
    ValueError for a negative number. The caller runs ``check`` before the plan is stored.
    """
    whole(iterations, "iterations", 0, 2**53)
    whole(seed, "seed", 0, 2**53)
    timetable = Timetable(problem)
    start = greedy.build(timetable) if warm is None else greedy.keep(timetable, warm)
    start = greedy.insert(timetable, start)
    found = _searched(timetable, start, iterations, seed, expired)
    return plan_of(timetable, found, seed, iterations, None if warm is None else routes_digest(warm))


@dataclass(frozen=True, slots=True)
class Found:
    """Rounds, and how they were come by."""

    rounds: Rounds
    stopped: Stopped
    engine: str = "greedy"
    version: str = "1"
    improver: str | None = None
    notes: tuple[Note, ...] = ()


def _searched(
    timetable: Timetable, start: Rounds, iterations: int, seed: int, expired: Expired | None
) -> Found:
    if not timetable.servable:
        return Found(start, Stopped.NOTHING_TO_SEARCH)
    if iterations == 0:
        return Found(start, Stopped.ITERATIONS)
    ruin = compiled_search()
    if ruin is None:
        return _searched_by_second_solver(timetable, start, iterations, seed, expired)
    improved = ruin.improve(timetable, start, iterations, seed, expired)
    # The search moves stops about and can miss one that a plain look finds room for.
    rounds = min(start, greedy.insert(timetable, improved.rounds), key=timetable.objective)
    if not engine.can_state(timetable.problem):
        return Found(rounds, improved.stopped, ruin.NAME, "1")
    proved = engine.prove(timetable, rounds)
    if proved is None:
        return Found(rounds, improved.stopped, ruin.NAME, "1", notes=(Note.NOT_PROVED,))
    return Found(proved, improved.stopped, engine.NAME, engine.VERSION, ruin.NAME)


def compiled_search() -> ModuleType | None:
    """The search in ``routing.ruin``; None without numba.

    Loaded late: a server that only asks for plans in other processes needs none of it.
    """
    try:
        return import_module("routing.ruin")
    except ImportError:
        return None


def _searched_by_second_solver(
    timetable: Timetable, start: Rounds, iterations: int, seed: int, expired: Expired | None
) -> Found:
    notes = (Note.WITHOUT_COMPILED_SEARCH,)
    if not engine.can_state(timetable.problem):
        return Found(start, Stopped.ITERATIONS, notes=notes)
    improved = engine.improve(timetable, start, iterations, seed, expired)
    rounds = min(start, greedy.insert(timetable, improved.rounds), key=timetable.objective)
    return Found(rounds, improved.stopped, engine.NAME, engine.VERSION, notes=notes)


def plan_of(timetable: Timetable, found: Found, seed: int, iterations: int, warm: str | None) -> Plan:
    """The plan that ``found`` rounds make: times, sums, and why what is left is left."""
    problem, rounds = timetable.problem, found.rounds
    travelled = [
        (v, leg)
        for v, trips in enumerate(rounds)
        for t, trip in enumerate(trips)
        for leg in timetable.legs(v, t, trip)
    ]
    fell_back = (Note.TRAVEL_TIMES_FELL_BACK,) if problem.fell_back else ()
    return Plan(
        problem=problem.digest,
        engine=found.engine,
        engine_version=found.version,
        seed=seed,
        iterations=iterations,
        warm=warm,
        stopped=found.stopped,
        trips=_schedule(timetable, rounds),
        unserved=_unserved(timetable, rounds),
        travel_s=sum(timetable.seconds[v][a][b] for v, (a, b) in travelled),
        distance_m=sum(_metres(timetable, v, a, b) for v, (a, b) in travelled),
        objective=timetable.objective(rounds),
        late_cost=sum(timetable.late_cost(v, trips) for v, trips in enumerate(rounds)),
        improver=found.improver,
        notes=(*found.notes, *fell_back),
    )


def _metres(timetable: Timetable, v: int, a: int, b: int) -> int:
    matrix = timetable.problem.travel[timetable.vehicles[v].profile]
    return int(matrix.metres[timetable.where[a], timetable.where[b]])


def _schedule(timetable: Timetable, rounds: Rounds) -> tuple[Trip, ...]:
    """Earliest start: each trip leaves when the vehicle is ready and its goods are there."""
    trips: list[Trip] = []
    for v, trips_of_vehicle in enumerate(rounds):
        ready_s = timetable.vehicles[v].shift[0]
        for t, places in enumerate(trips_of_vehicle):
            trips.append(_timed(timetable, v, t, timetable.leave_s(ready_s, places), places))
            ready_s = trips[-1].return_s + timetable.problem.reload_s
    return tuple(trips)


def _timed(timetable: Timetable, v: int, t: int, leave_s: int, places: Places) -> Trip:
    visits: list[Visit] = []
    now = leave_s
    for here, there in timetable.legs(v, t, places):
        arrive_s = now + timetable.seconds[v][here][there]
        if there == STATION:
            break
        stop = timetable.stops[there - 1]
        start_s = start_after(stop, arrive_s)
        assert start_s is not None, "rounds that fit come before the last window closes"
        now = start_s + stop.service_s
        visits.append(Visit(stop.id, arrive_s, start_s, now))
    return Trip(
        vehicle=timetable.vehicles[v].id,
        number=t + 1,
        leave_s=leave_s,
        return_s=arrive_s,
        load=_load_on_leaving(timetable, v, t, places),
        visits=tuple(visits),
    )


def _load_on_leaving(timetable: Timetable, v: int, t: int, places: Places) -> int:
    brought = sum(timetable.stops[place - 1].delivers for place in places)
    if t:
        return brought
    vehicle = timetable.vehicles[v]
    loaded = [stop for stop in timetable.stops if stop.id in vehicle.loaded]
    served = sum(
        timetable.stops[place - 1].delivers for place in places if timetable.stops[place - 1] in loaded
    )
    return vehicle.aboard + sum(stop.delivers for stop in loaded) + brought - served


def _unserved(timetable: Timetable, rounds: Rounds) -> tuple[Unserved, ...]:
    served = {timetable.indices[place - 1] for place in served_places(rounds)}
    place_at = {index: place for place, index in enumerate(timetable.indices, start=1)}
    return tuple(
        Unserved(stop.id, _why(timetable, rounds, index, place_at.get(index)))
        for index, stop in enumerate(timetable.problem.stops)
        if index not in served
    )


def _why(timetable: Timetable, rounds: Rounds, index: int, place: int | None) -> Reason:
    alone = timetable.alone.why_not(index)
    if alone is not None:
        return alone
    if place is None or greedy.cheapest_insertion(timetable, rounds, place) is None:
        return Reason.NO_CAPACITY_LEFT
    return Reason.PENALTY_BELOW_TRAVEL

"""One zone's day, solved: a start that holds, a search, and every stop accounted for."""

from routing import engine, greedy
from routing.plain import whole
from routing.plan import Plan, Reason, Routes, Stopped, Trip, Unserved, Visit, routes_digest
from routing.problem import Problem
from routing.timetable import STATION, Rounds, Timetable, legs, served_places
from routing.timetable import Trip as Places

GUARD_S = 120.0


def solve(
    problem: Problem, iterations: int, seed: int, warm: Routes | None = None, *, guard_s: float = GUARD_S
) -> Plan:
    """The best plan found for ``problem``.

    ``iterations``: how many neighbouring plans to look at, 0 for the greedy rounds as they are. A hundred
    thousand take 0.1 CPU seconds at 25 stops and 0.6 at 400. ``seed``: another seed, another search.
    ``warm``: routes to start from instead of the greedy ones; what of them no longer holds is left out and
    inserted anew. ``guard_s``: CPU seconds after which the search is cut and the plan says so.
    ValueError for a negative number. The caller runs ``check`` before the plan is stored.
    """
    whole(iterations, "iterations", 0, 2**53)
    whole(seed, "seed", 0, 2**53)
    timetable = Timetable(problem)
    start = greedy.build(timetable) if warm is None else greedy.keep(timetable, warm)
    start = greedy.insert(timetable, start)
    if iterations == 0 or not timetable.servable:
        name, rounds = "greedy", start
        stopped = Stopped.ITERATIONS if timetable.servable else Stopped.NOTHING_TO_SEARCH
    else:
        improved = engine.improve(timetable, start, iterations, seed, guard_s)
        name, stopped = engine.NAME, improved.stopped
        # The search moves stops about and can miss one that a plain look finds room for.
        rounds = min(start, greedy.insert(timetable, improved.rounds), key=timetable.objective)
    trips = _schedule(timetable, rounds)
    travelled = [(v, leg) for v, trips_of in enumerate(rounds) for trip in trips_of for leg in legs(trip)]
    return Plan(
        problem=problem.digest,
        engine=name,
        engine_version=engine.VERSION if name == engine.NAME else "1",
        seed=seed,
        iterations=iterations,
        warm=None if warm is None else routes_digest(warm),
        stopped=stopped,
        trips=trips,
        unserved=_unserved(timetable, rounds),
        travel_s=sum(timetable.seconds[v][a][b] for v, (a, b) in travelled),
        distance_m=sum(int(problem.travel[problem.vehicles[v].profile].metres[leg]) for v, leg in travelled),
        objective=timetable.objective(rounds),
    )


def _schedule(timetable: Timetable, rounds: Rounds) -> tuple[Trip, ...]:
    """Earliest start: each trip leaves when the shift begins or the reload is done."""
    trips: list[Trip] = []
    for v, trips_of_vehicle in enumerate(rounds):
        leave_s = timetable.problem.vehicles[v].shift[0]
        for number, places in enumerate(trips_of_vehicle, start=1):
            trips.append(_timed(timetable, v, number, leave_s, places))
            leave_s = trips[-1].return_s + timetable.problem.reload_s
    return tuple(trips)


def _timed(timetable: Timetable, v: int, number: int, leave_s: int, places: Places) -> Trip:
    stops, seconds = timetable.problem.stops, timetable.seconds[v]
    visits: list[Visit] = []
    now, here = leave_s, STATION
    for place in places:
        arrive_s = now + seconds[here][place]
        start_s = max(arrive_s, timetable.open_s[place])
        now, here = start_s + timetable.service_s[place], place
        visits.append(Visit(stops[place - 1].id, arrive_s, start_s, now))
    return Trip(
        vehicle=timetable.problem.vehicles[v].id,
        number=number,
        leave_s=leave_s,
        return_s=now + seconds[here][STATION],
        load=sum(stops[place - 1].delivers for place in places),
        visits=tuple(visits),
    )


def _unserved(timetable: Timetable, rounds: Rounds) -> tuple[Unserved, ...]:
    served = served_places(rounds)
    left = [place for place in timetable.places if place not in served]
    stops = timetable.problem.stops
    return tuple(Unserved(stops[place - 1].id, _why(timetable, rounds, place)) for place in left)


def _why(timetable: Timetable, rounds: Rounds, place: int) -> Reason:
    alone = timetable.why_not_alone(place)
    if alone is not None:
        return alone
    if greedy.cheapest_insertion(timetable, rounds, place) is None:
        return Reason.NO_CAPACITY_LEFT
    return Reason.PENALTY_BELOW_TRAVEL

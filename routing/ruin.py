"""The search: ruin and recreate. This side lays a timetable out in arrays for ``routing.kernel``.

It needs numba, which takes time and memory to load: ``routing.solve`` loads it when a search is asked for,
and does without it where it is missing.
"""

import math
from collections.abc import Callable, Mapping

import numba
import numpy as np
from numpy.typing import NDArray

from routing import choosing, kernel
from routing.matrix import NO_WAY, Matrix
from routing.plan import Stopped
from routing.problem import Problem, Stop, Vehicle
from routing.timetable import NOBODY, STATION, Improved, Rounds, Timetable

NAME = f"ruin-and-recreate 3 (numba {numba.__version__})"

HOT = 2.5  # the first and the last temperature, in ways from a stop to a near one
COLD = 0.025
ONE_HEAT = ((1.0, 1.0),)  # shares of the turns, and of the first temperature
HEATS = ((0.25, 1.0), *[(0.15, 0.4)] * 4, (0.15, 0.2))
"""Where goods come late: trips hold each other in place there, and one cooling stays in the first hollow it
falls into. So the search is warmed up again and again, each time from the best so far."""
TURNS_A_GLANCE = 50  # at the trips driven, where they are put together anew after each heat
WORTH_A_GLANCE = 1.05  # times the best plan's cost
NEAR = 10
TURNS_A_LOOK = 500  # at the clock; a whole number of glances
NO_WAY_S = 10**8
FAR_OFF = 1 << 50

Whole = NDArray[np.int64]
Expired = Callable[[], bool]


def improve(
    timetable: Timetable,
    start: Rounds,
    iterations: int,
    seed: int,
    expired: Expired | None = None,
    *,
    crew_of: Mapping[int, int] | None = None,
    hot: float = HOT,
) -> Improved:
    """The best rounds met in ``iterations`` turns from ``start``; ``expired`` is asked now and then.

    ``crew_of``: stops that must stay with a vehicle. ``hot``: the first temperature; low shakes up less.
    """
    day = _day(timetable)
    for place, v in (crew_of or {}).items():
        day.may[:, place] &= np.arange(len(timetable.vehicles)) == v
    state = _state(timetable, start, seed)
    _note(day, state)
    best_route, best_length = state.route.copy(), state.rounds[:, kernel.LENGTH].copy()
    costs = np.full(2, kernel.total_cost(day, state))
    near_s, first = _near_s(timetable), 0
    heats = HEATS if hot == HOT and not day.is_plain else ONE_HEAT
    met = choosing.TripsMet(timetable) if heats == HEATS and choosing.may_choose(timetable) else None
    step = TURNS_A_LOOK if met is None else TURNS_A_GLANCE
    for share, heat in heats:
        turns = min(iterations - first, math.ceil(share * iterations))
        if first:
            _lay(timetable, state, _rounds(timetable, best_route, best_length))
            _note(day, state)
            costs[0] = costs[1]
        hot_s = heat * hot * near_s
        cooling = math.log(COLD / (heat * hot)) / max(1, turns)
        for done in range(0, turns, step):
            if done % TURNS_A_LOOK == 0 and expired is not None and expired():
                return Improved(_rounds(timetable, best_route, best_length), Stopped.TIME)
            until = min(turns, done + step)
            kernel.turns(day, state, best_route, best_length, costs, done, until, hot_s, cooling)
            if met is not None and costs[0] <= WORTH_A_GLANCE * costs[1]:
                met.note(state.route, state.rounds[:, kernel.LENGTH])
        first += turns
        if met is not None:
            better = met.cheaper(_rounds(timetable, best_route, best_length))
            if better is not None:
                _lay(timetable, state, better)
                _note(day, state)
                costs[1] = kernel.total_cost(day, state)
                best_route[:], best_length[:] = state.route, state.rounds[:, kernel.LENGTH]
    return Improved(_rounds(timetable, best_route, best_length), Stopped.ITERATIONS)


def _note(day: kernel.Day, state: kernel.State) -> None:
    for v in range(len(day.crews)):
        if not kernel.note_times(day, state, v):
            raise ValueError(f"expected a start that fits, got one that does not for vehicle number {v}")
    kernel.note_left(day, state)


def compile_all() -> None:
    """Compile, and keep where that can be: the first search need not wait for it."""
    seconds = np.array([[0, 60, 60], [60, 0, 60], [60, 60, 0]])
    stops = [Stop(name, 1, 1, 60, (0, 3600), 3600, release_s=60) for name in "ab"]
    problem = Problem(
        tuple(stops), (Vehicle("v", "p", 1, 2, (0, 7200)),), 60, {"p": Matrix(seconds, seconds)}
    )
    timetable = Timetable(problem)
    improve(timetable, timetable.empty_rounds(), 2, 1)


def _near_s(timetable: Timetable) -> float:
    """The mean way from a stop to its nearest few: what a step in the search is worth."""
    stops = len(timetable.stops)
    seconds = timetable.grids[0][1 : stops + 1, 1 : stops + 1].astype(float)
    seconds[seconds == NO_WAY] = np.nan
    np.fill_diagonal(seconds, np.nan)
    near = np.sort(seconds, axis=1)[:, :NEAR]
    return float(np.nanmean(near)) if near.size and not np.isnan(near).all() else 60.0


def _day(timetable: Timetable) -> kernel.Day:
    places, stops = len(timetable.where), timetable.stops
    seconds = np.stack(timetable.grids).astype(np.int32)
    seconds[seconds == NO_WAY] = NO_WAY_S
    return kernel.Day(
        seconds=seconds,
        toward=np.ascontiguousarray(seconds.swapaxes(1, 2)),
        stops=_stop_columns(timetable, places),
        crews=_crew_columns(timetable),
        may=_may(timetable, places),
        near=np.argsort(seconds[0, :, 1 : len(stops) + 1], axis=1, kind="stable").astype(np.int64) + 1,
        is_plain=not any(stop.release_s or stop.late_weight for stop in stops),
        is_priced=any(stop.late_weight for stop in stops),
    )


def _stop_columns(timetable: Timetable, places: int) -> Whole:
    windows = max((len(stop.windows) for stop in timetable.stops), default=1)
    columns = np.zeros((places, kernel.FIRST_WINDOW + 2 * windows), dtype=np.int64)
    columns[:, kernel.DUE] = FAR_OFF
    columns[:, kernel.OWNER] = NOBODY
    columns[:, kernel.FIRST_WINDOW + 1 :: 2] = FAR_OFF
    for place, stop in enumerate(timetable.stops, start=1):
        row = columns[place]
        row[kernel.SERVICE] = stop.service_s
        row[kernel.LOAD] = timetable.load[place]
        row[kernel.BRINGS] = stop.delivers > 0
        row[kernel.PENALTY] = stop.penalty
        row[kernel.OWNER] = timetable.owner[place]
        row[kernel.RELEASE] = stop.release_s
        row[kernel.DUE] = FAR_OFF if stop.due_s is None else stop.due_s
        row[kernel.LATE_WEIGHT] = stop.late_weight
        padded = [*stop.windows, *[stop.windows[-1]] * (windows - len(stop.windows))]
        row[kernel.FIRST_WINDOW :] = [moment for window in padded for moment in window]
    return columns


def _crew_columns(timetable: Timetable) -> Whole:
    crews = np.zeros((len(timetable.vehicles), 11), dtype=np.int64)
    for v, vehicle in enumerate(timetable.vehicles):
        row = crews[v]
        row[kernel.PROFILE] = timetable.profiles[v]
        row[kernel.BEGINS], row[kernel.ENDS] = vehicle.shift
        row[kernel.CAPACITY] = vehicle.capacity
        row[kernel.ROOM_FIRST] = timetable.room_first[v]
        row[kernel.MOST_TRIPS] = vehicle.max_trips
        row[kernel.LOCKED] = len(timetable.locked[v])
        row[kernel.HOLDS_FIRST] = vehicle.holds_first
        row[kernel.IS_OUT] = vehicle.is_out
        row[kernel.RELOAD] = timetable.problem.reload_s
        row[kernel.TWIN] = _twin(timetable, v)
    return crews


def _twin(timetable: Timetable, v: int) -> int:
    """The vehicle before ``v`` that is just like it for every stop: of two at rest one need be looked at."""
    vehicle = timetable.vehicles[v]
    if vehicle.holds_first:
        return NOBODY
    like = (vehicle.profile, vehicle.capacity, vehicle.max_trips, vehicle.shift)
    for other in range(v - 1, -1, -1):
        twin = timetable.vehicles[other]
        is_like = (twin.profile, twin.capacity, twin.max_trips, twin.shift) == like
        if (
            is_like
            and not twin.holds_first
            and all((v in able) == (other in able) for able in timetable.able)
        ):
            return other
    return NOBODY


def _may(timetable: Timetable, places: int) -> NDArray[np.bool_]:
    may = np.zeros((len(timetable.vehicles), places), dtype=np.bool_)
    for place in timetable.servable:
        may[list(timetable.able[place]), place] = True
    return may


def _state(timetable: Timetable, start: Rounds, seed: int) -> kernel.State:
    places, stops, vehicles = len(timetable.where), len(timetable.stops), len(timetable.vehicles)
    most_trips = max((vehicle.max_trips for vehicle in timetable.vehicles), default=1)
    longest = stops + min(most_trips, stops + 1) + 4
    state = kernel.State(
        route=np.zeros((vehicles, longest), dtype=np.int64),
        notes=np.zeros((vehicles, 12, longest), dtype=np.int64),
        rounds=np.zeros((vehicles, 5), dtype=np.int64),
        vehicle=np.full(places, NOBODY, dtype=np.int64),
        out=np.zeros(stops + kernel.MOST_LEFT_TRIED + 1, dtype=np.int64),
        left=np.zeros(stops + 1, dtype=np.int64),
        counts=np.array([0, 0, 50], dtype=np.int64),
        row=np.zeros(longest, dtype=np.int64),
        key=np.zeros(stops + kernel.MOST_LEFT_TRIED + 1),
        lots=np.array([_first_lot(seed)], dtype=np.uint64),
    )
    _lay(timetable, state, start)
    return state


def _lay(timetable: Timetable, state: kernel.State, rounds: Rounds) -> None:
    """``rounds`` as rows; what is known of them is to be noted anew."""
    state.vehicle[:] = NOBODY
    for v, trips in enumerate(rounds):
        row = [timetable.stands[v] if timetable.begins_out(v) else STATION]
        for t, trip in enumerate(trips):
            row += [STATION] * (t > 0) + trip
        row.append(STATION)
        state.route[v, : len(row)] = row
        state.rounds[v, kernel.LENGTH] = len(row)
        for trip in trips:
            state.vehicle[trip] = v


def _first_lot(seed: int) -> int:
    """Neighbouring seeds must not begin alike (splitmix64); never zero, which xorshift cannot leave."""
    x = (seed + 1) * 0x9E3779B97F4A7C15 % 2**64
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ x >> 27) * 0x94D049BB133111EB % 2**64
    return (x ^ x >> 31) or 1


def _rounds(timetable: Timetable, route: Whole, length: Whole) -> Rounds:
    rounds: Rounds = []
    for v, vehicle in enumerate(timetable.vehicles):
        trips: list[list[int]] = [[]]
        for place in route[v, 1 : length[v] - 1].tolist():
            if place == STATION:
                trips.append([])
            else:
                trips[-1].append(place)
        keeps_first = timetable.begins_out(v) or (vehicle.holds_first and any(trips))
        rounds.append([trip for t, trip in enumerate(trips) if trip or (t == 0 and keeps_first)])
    return rounds

"""The compiled search judges a place in a round by notes; driven in full the round must say the same."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from routing import Problem, greedy, kernel, ruin
from routing.timetable import STATION, Timetable
from tests.routing.courier_zones import HOUR, zone

ROOMY = 1_000
IN_THE_TRIP, RELOAD_AFTER, RELOAD_BEFORE = range(3)


def late_goods(seed: int, capacity: int = 6) -> Problem:
    """A zone of sixteen doors on alike vehicles, where goods come until noon and some doors open twice."""
    lots, day = np.random.default_rng(seed), zone(16, seed)
    stops = tuple(
        replace(
            stop,
            release_s=int(lots.choice([0, lots.integers(6 * HOUR, 12 * HOUR)])),
            other_windows=((21 * HOUR, 22 * HOUR),) if lots.random() < 0.3 else (),
            only_vehicles=None,
        )
        for stop in day.stops
    )
    vehicles = tuple(replace(one, capacity=capacity, shift=(8 * HOUR, 22 * HOUR)) for one in day.vehicles)
    return replace(day, stops=stops, vehicles=vehicles)


def each_taken_out(problem: Problem) -> Iterator[tuple[kernel.Day, kernel.State, int]]:
    """Greedy rounds, once without each of their stops."""
    timetable = Timetable(problem)
    rounds = greedy.insert(timetable, greedy.build(timetable))
    day = ruin._day(timetable)
    for place in [place for trips in rounds for trip in trips for place in trip]:
        without = [[[stop for stop in trip if stop != place] for trip in trips] for trips in rounds]
        state = ruin._state(timetable, [[trip for trip in trips if trip] for trips in without], 1)
        assert all(kernel.note_times(day, state, v) for v in range(len(rounds)))
        yield day, state, place


def places_for_one(state: kernel.State) -> Iterator[tuple[int, int, int]]:
    """Vehicle, position and kind of every place there is between two others."""
    for v in range(len(state.rounds)):
        for k in range(state.rounds[v, kernel.LENGTH] - 1):
            yield v, k, IN_THE_TRIP
            if state.route[v, k + 1] != STATION:
                yield v, k, RELOAD_AFTER
            if state.route[v, k] != STATION:
                yield v, k, RELOAD_BEFORE


@pytest.mark.parametrize("seed", range(6))
def test_a_place_for_late_goods_is_judged_as_driving_the_round_would_judge_it(seed: int) -> None:
    verdicts = set()
    for day, state, place in each_taken_out(late_goods(seed)):
        for seat in places_for_one(state):
            is_driven = kernel.driven_cost(day, state, *seat[:2], place, seat[2]) != kernel.NEVER
            assert kernel.is_in_time(day, state, *seat[:2], place, seat[2]) == is_driven, seat
            verdicts.add(is_driven)
    assert verdicts == {True, False}


@pytest.mark.parametrize("seed", range(6))
def test_late_goods_go_where_driving_every_round_in_full_would_find_them_cheapest(seed: int) -> None:
    """Where every vehicle holds everything, so that only time decides."""
    for day, state, place in each_taken_out(late_goods(seed, capacity=ROOMY)):
        state.counts[2] = ROOMY  # no place is overlooked
        costs = [kernel.driven_cost(day, state, v, k, place, kind) for v, k, kind in places_for_one(state)]
        before = state.rounds[:, kernel.COST].sum()
        assert kernel.put_back(day, state, place)
        assert state.rounds[:, kernel.COST].sum() - before == min(costs)


@pytest.mark.parametrize("iterations", [1, 7, 1_999, 4_001])
@pytest.mark.parametrize("comes_late", [True, False])
def test_every_turn_asked_for_is_taken_and_each_heat_cools_to_the_last_temperature(
    iterations: int, comes_late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One cooling for plain days; six where goods come late, each colder at its end than at its beginning."""
    timetable = Timetable(late_goods(1) if comes_late else zone(16, 1))
    taken, heats = 0, []

    def turns(day, state, route, length, costs, first, last, hot_s, cooling) -> None:  # type: ignore[no-untyped-def]
        nonlocal taken
        taken += last - first
        if first == 0:
            heats.append(hot_s)
        assert cooling < 0

    monkeypatch.setattr(kernel, "turns", turns)
    ruin.improve(timetable, greedy.insert(timetable, greedy.build(timetable)), iterations, 1)
    assert taken == iterations
    if iterations > 7:
        assert len(heats) == (6 if comes_late else 1)
        assert heats == sorted(heats, reverse=True)

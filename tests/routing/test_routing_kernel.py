"""The compiled search judges a place in a round by notes; driven in full the round must say the same."""

from dataclasses import replace

import numpy as np
import pytest

from routing import Problem, greedy, kernel, ruin
from routing.timetable import Timetable
from tests.routing.courier_zones import HOUR, zone

KINDS = (0, 1, 2)


def late_goods(seed: int) -> Problem:
    """A zone of sixteen doors on small vehicles, where goods come until noon and some doors open twice."""
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
    vehicles = tuple(replace(one, capacity=6, shift=(8 * HOUR, 22 * HOUR)) for one in day.vehicles)
    return replace(day, stops=stops, vehicles=vehicles)


@pytest.mark.parametrize("seed", range(6))
def test_a_place_for_late_goods_is_judged_as_driving_the_round_would_judge_it(seed: int) -> None:
    timetable = Timetable(late_goods(seed))
    rounds = greedy.insert(timetable, greedy.build(timetable))
    day, verdicts = ruin._day(timetable), set()
    for place in [place for trips in rounds for trip in trips for place in trip]:
        without = [[[stop for stop in trip if stop != place] for trip in trips] for trips in rounds]
        state = ruin._state(timetable, [[trip for trip in trips if trip] for trips in without], 1)
        for v in range(len(rounds)):
            assert kernel.note_times(day, state, v)
            for k in range(state.rounds[v, kernel.LENGTH] - 1):
                for kind in KINDS:
                    said = kernel.is_in_time(day, state, v, k, place, kind)
                    driven = kernel.driven_cost(day, state, v, k, place, kind) != kernel.NEVER
                    assert said == driven, (v, k, kind)
                    verdicts.add(said)
    assert verdicts == {True, False}

"""Trips met in good plans are put together anew: for less, each stop once, and so that vehicles can drive."""

from dataclasses import replace

import numpy as np
import pytest

from routing import Matrix, Problem, Stop, Vehicle, check, solve
from routing.choosing import TripsMet, dealt_out, may_choose
from routing.plan import Stopped
from routing.solve import Found, plan_of
from routing.timetable import Rounds, Timetable, served_places
from tests.routing.courier_zones import HOUR
from tests.routing.test_routing_kernel import late_goods

A, B, C, D, E = range(1, 6)
CROSSED: Rounds = [[[A, C], [B, D]], []]


def pairs(shift_s: int = HOUR, vehicles: int = 2) -> Timetable:
    """A and B are neighbours, C and D are, D and E are; everything else is ten times as far."""
    seconds = np.full((6, 6), 600)
    np.fill_diagonal(seconds, 0)
    for here, there in ((A, B), (C, D), (D, E)):
        seconds[here, there] = seconds[there, here] = 60
    stops = tuple(Stop(name, 1, 1, 60, (0, 24 * HOUR), HOUR) for name in "abcde")
    fleet = tuple(Vehicle(f"v{k}", "p", 3, 2, (0, shift_s)) for k in range(vehicles))
    return Timetable(Problem(stops, fleet, 60, {"p": Matrix(seconds, seconds)}))


def with_met(timetable: Timetable, *trips: list[int]) -> TripsMet:
    met = TripsMet(timetable)
    for trip in trips:
        met.note(np.array([[0, *trip, 0]]), np.array([len(trip) + 2]))
    return met


def test_two_trips_are_given_up_for_two_that_were_met_apart_and_cost_less() -> None:
    found = with_met(pairs(), [B, A], [C, D]).cheaper(CROSSED)
    assert found is not None
    assert sorted(trip for trips in found for trip in trips) == [[B, A], [C, D]]


@pytest.mark.parametrize("met", [[], [[A, B]], [[A, B], [D]], [[A, B], [C, D, A]], [[A], [B], [C], [D]]])
def test_nothing_is_given_up_where_the_rest_would_be_left_or_served_twice_or_cost_more(
    met: list[list[int]],
) -> None:
    assert with_met(pairs(), *met).cheaper(CROSSED) is None


def test_no_stop_is_served_twice_even_if_that_were_cheaper() -> None:
    rounds: Rounds = [[[A, C, E], [B, D]], []]
    assert with_met(pairs(24 * HOUR), [A, B], [C, D], [D, E]).cheaper(rounds) is None
    found = with_met(pairs(24 * HOUR), [A, B], [C, D], [D, E], [E]).cheaper(rounds)
    assert found is not None
    assert sorted(trip for trips in found for trip in trips) == [[A, B], [C, D], [E]]


def test_trips_that_the_vehicles_have_no_time_for_are_not_chosen() -> None:
    """Each of them fits a shift by itself; both fit one vehicle's only if that is long enough."""
    one_after_the_other = 2 * (600 + 60 + 600 + 2 * 60) + 60
    tight = pairs(one_after_the_other - 1, vehicles=1)
    assert with_met(tight, [A, B], [C, D]).cheaper([[[A, C], [B, D]]]) is None
    assert with_met(pairs(one_after_the_other, vehicles=1), [A, B], [C, D]).cheaper([[[A, C], [B, D]]])
    assert dealt_out(tight, [[A, B], [C, D]]) is None


def test_a_vehicle_is_given_no_more_trips_than_it_may_drive() -> None:
    timetable = pairs(24 * HOUR, vehicles=1)
    assert dealt_out(timetable, [[A], [B]]) is not None
    assert dealt_out(timetable, [[A], [B], [C]]) is None


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_chosen_holds_serves_the_same_stops_and_costs_less(seed: int) -> None:
    """Many a trip of one to three stops was met, drawn at random; the greedy rounds have others."""
    problem = late_goods(seed)
    timetable = Timetable(problem)
    met = TripsMet(timetable)
    rounds: Rounds = [[] for _ in problem.vehicles]
    lots = np.random.default_rng(seed)
    for _ in range(400):
        trip = [int(place) for place in lots.choice(timetable.servable, lots.integers(1, 4), replace=False)]
        if timetable.fits(0, [trip]):
            met.note(np.array([[0, *trip, 0]]), np.array([len(trip) + 2]))
    for place in timetable.servable:
        dealt = dealt_out(timetable, [trip for trips in rounds for trip in trips] + [[place]])
        rounds = rounds if dealt is None else dealt
    found = met.cheaper(rounds)
    assert found is not None
    assert served_places(found) == served_places(rounds)
    assert timetable.objective(found) < timetable.objective(rounds)
    assert check(problem, plan_of(timetable, Found(found, Stopped.ITERATIONS), 1, 1, None)) == ()


@pytest.mark.parametrize(
    "change",
    [
        {"capacity": 5},
        {"max_trips": 3},
        {"shift": (9 * HOUR, 22 * HOUR)},
        {"aboard": 1},
    ],
)
def test_trips_are_not_put_together_anew_where_one_vehicle_is_not_like_the_others(
    change: dict[str, object],
) -> None:
    problem = late_goods(1)
    other = replace(problem.vehicles[-1], **change)  # type: ignore[arg-type]
    vehicles = (replace(problem.vehicles[0], id="first"), other)
    alike = (vehicles[0], replace(vehicles[0], id=other.id))
    assert may_choose(Timetable(replace(problem, vehicles=alike)))
    assert not may_choose(Timetable(replace(problem, vehicles=vehicles)))


def test_nor_where_a_stop_is_one_vehicles_only_or_lateness_has_a_price() -> None:
    problem = late_goods(1)
    first, *rest = problem.stops
    alike = tuple(replace(problem.vehicles[0], id=f"v{k}") for k in range(2))
    problem = replace(problem, vehicles=alike)
    bound = replace(first, only_vehicles=frozenset({"v0"}))
    late = replace(first, due_s=first.window[0], late_weight=2)
    assert not may_choose(Timetable(replace(problem, stops=(bound, *rest))))
    assert not may_choose(Timetable(replace(problem, stops=(late, *rest))))


def test_the_same_search_puts_the_same_trips_together() -> None:
    problem = late_goods(2)
    plans = [solve(problem, 3_000, 5) for _ in range(2)]
    assert plans[0] == plans[1]
    assert check(problem, plans[0]) == ()

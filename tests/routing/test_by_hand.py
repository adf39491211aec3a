"""One stop put to another place by hand: the routes, the plan of them, and what each vehicle then does.

The street of the other tests: the station, then a, b, c, d at 100 s (400 m) further each.
"""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing import Plan, Problem, Seat, check, days, plan_of_routes, put, solve
from tests.routing.courier_zones import MORNING, TRIKE, TRUCK, household, lane, tiny

TWO = {"trike-1": (("a", "b"), ("c",)), "truck-1": (("d",),)}
STREET = lane(*(household(name) for name in "abcd"), vehicles=(TRIKE, TRUCK))


@pytest.mark.parametrize(
    ("stop", "seat", "after"),
    [
        ("c", Seat("trike-1", 1, "a"), {"trike-1": (("c", "a", "b"),), "truck-1": (("d",),)}),
        ("b", Seat("trike-1", 1, "a"), {"trike-1": (("b", "a"), ("c",)), "truck-1": (("d",),)}),
        ("a", Seat("trike-1", 1), {"trike-1": (("b", "a"), ("c",)), "truck-1": (("d",),)}),
        ("a", Seat("truck-1", 1), {"trike-1": (("b",), ("c",)), "truck-1": (("d", "a"),)}),
        ("d", Seat("trike-1", 3), {"trike-1": (("a", "b"), ("c",), ("d",))}),
        ("new", Seat("trike-1", 2, "c"), {"trike-1": (("a", "b"), ("new", "c")), "truck-1": (("d",),)}),
        ("a", Seat("van", 1), {"trike-1": (("b",), ("c",)), "truck-1": (("d",),), "van": (("a",),)}),
    ],
)
def test_one_stop_is_put_there_and_nothing_else_is_moved(
    stop: str, seat: Seat, after: dict[str, tuple[tuple[str, ...], ...]]
) -> None:
    assert put(TWO, stop, seat) == after


@pytest.mark.parametrize(
    "seat", [Seat("trike-1", 0), Seat("trike-1", 4), Seat("trike-1", 1, "c"), Seat("truck-1", 1, "a")]
)
def test_a_place_that_is_none_is_refused(seat: Seat) -> None:
    with pytest.raises(ValueError, match="expected"):
        put(TWO, "a", seat)


def test_the_plan_of_routes_passes_the_checker_and_says_what_each_vehicle_does() -> None:
    plan = plan_of_routes(STREET, TWO)
    assert check(STREET, plan) == ()
    assert (plan.engine, plan.routes) == ("by_hand", TWO)
    done = days(STREET, plan)
    trike = done["trike-1"]
    assert (trike.distance_m, trike.travel_s, trike.stops) == (2 * 800 + 2 * 1200, 1000, 3)
    assert [(trip.number, trip.load, trip.reserved) for trip in trike.trips] == [(1, 2, 2), (2, 1, 1)]
    assert sum(day.distance_m for day in done.values()) == plan.distance_m
    assert sum(day.travel_s for day in done.values()) == plan.travel_s


def test_empties_keep_room_and_a_door_after_its_moment_counts_as_late() -> None:
    fetched = household("a", delivers=1, collects=3)
    promised = household("b", due_s=MORNING + 300, late_weight=1)
    street = lane(fetched, promised)
    done = days(street, plan_of_routes(street, {"trike-1": (("a", "b"),)}))["trike-1"]
    assert [(trip.load, trip.reserved) for trip in done.trips] == [(2, 4)]
    assert (done.late, done.late_s) == (1, 100 + 360 + 100 - 300)
    assert days(street, plan_of_routes(street, {}))["trike-1"].return_s is None


def test_what_is_on_board_takes_room_on_the_first_trip_only() -> None:
    begun = replace(TRIKE, aboard=2, loaded=frozenset({"a"}))
    street = lane(household("a"), household("b"), vehicles=(begun,))
    done = days(street, plan_of_routes(street, {"trike-1": (("a",), ("b",))}))["trike-1"]
    assert [trip.reserved for trip in done.trips] == [3, 1]


@settings(max_examples=60, deadline=None)
@given(problem=tiny(), lots=st.randoms(use_true_random=False))
def test_whatever_a_hand_does_is_refused_by_name_or_makes_a_plan_that_passes(
    problem: Problem, lots: object
) -> None:
    before = solve(problem, 0, 0)
    stops = [stop.id for stop in problem.stops]
    if not stops or not problem.vehicles:
        return
    stop, vehicle = lots.choice(stops), lots.choice(problem.vehicles).id  # type: ignore[attr-defined]
    trips = len(before.routes.get(vehicle, ()))
    after = put(before.routes, stop, Seat(vehicle, lots.randint(1, trips + 1)))  # type: ignore[attr-defined]
    if not check(problem, after):
        plan: Plan = plan_of_routes(problem, after)
        assert check(problem, plan) == ()
        assert plan.distance_m == sum(day.distance_m for day in days(problem, plan).values())

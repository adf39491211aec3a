"""The solver: every plan passes the checker, accounts for every stop, and is the same one every time.

Each plan here goes through ``solved``, which runs the independent checker on it.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise, permutations
from typing import Any

import pytest
from hypothesis import given, settings

from routing import Plan, Problem, Reason, check, engine, greedy, solve
from routing.timetable import Timetable
from tests.routing.courier_zones import EVENING, HOUR, MORNING, TRIKE, TRUCK, household, lane, tiny, zone


def solved(problem: Problem, iterations: int = 20_000, seed: int = 1, **more: Any) -> Plan:
    plan = solve(problem, iterations, seed, **more)
    assert check(problem, plan) == ()
    return plan


def reasons(plan: Plan) -> dict[str, Reason]:
    return {left.stop: left.reason for left in plan.unserved}


@settings(max_examples=120, deadline=None, derandomize=True)
@given(tiny())
def test_any_small_problem_gets_a_plan_without_a_fault(problem: Problem) -> None:
    """Searched and greedy alike; and "cannot be served even alone" is what the checker says of it alone."""
    plan = solved(problem, iterations=1_500)
    assert plan.objective <= solved(problem, iterations=0).objective
    assert Plan.from_plain(json.loads(json.dumps(plan.to_plain()))) == plan
    for stop, reason in reasons(plan).items():
        drives_alone = any(check(problem, {vehicle.id: [[stop]]}) == () for vehicle in problem.vehicles)
        assert drives_alone == (reason in {Reason.NO_CAPACITY_LEFT, Reason.PENALTY_BELOW_TRAVEL})


@pytest.mark.parametrize(("n", "seed"), [(25, 1), (60, 2), (100, 3)])
def test_a_zones_day_gets_a_plan_without_a_fault(n: int, seed: int) -> None:
    solved(zone(n, seed))


# Trips


def test_a_load_for_several_trips_is_driven_in_several_trips() -> None:
    plan = solved(lane(*(household(f"h{k}") for k in range(20))))
    assert plan.unserved == ()
    assert [trip.number for trip in plan.trips] == [1, 2, 3]
    assert sum(trip.load for trip in plan.trips) == 20


def test_a_trip_begins_when_the_reload_after_the_one_before_is_done() -> None:
    plan = solved(lane(*(household(f"h{k}") for k in range(9))))
    first, second = plan.trips
    assert first.leave_s == MORNING
    assert second.leave_s == first.return_s + 480


@pytest.mark.parametrize("more", [{}, {"iterations": 0}, {"iterations": 0, "warm": {"trike-1": [["a"]]}}])
def test_the_reload_counts_against_the_shift_however_the_plan_is_made(more: dict[str, Any]) -> None:
    """a takes 560 s and b 760 s, one bottle a trip: with the reload between them 1,800 s."""
    for shift_s, served in ((1_800, 2), (1_799, 1)):
        small = replace(TRIKE, capacity=1, shift=(MORNING, MORNING + shift_s))
        plan = solved(lane(household("a"), household("b"), vehicles=(small,)), **more)
        assert len(plan.trips) == served


def test_the_search_opens_a_trip_that_its_start_did_not_have() -> None:
    """From warm routes with one stop of nine, where the trike holds eight."""
    problem = lane(*(household(f"h{k}") for k in range(9)))
    plan = solved(problem, warm={"trike-1": [["h0"]]})
    assert plan.unserved == ()
    assert len(plan.trips) == 2


def test_fifty_kilo_stops_ride_the_truck_only() -> None:
    """They are farthest from the truck's other work and nearest to the trike's."""
    restaurants = [
        household(f"r{k}", delivers=6, collects=6, only_vehicles=frozenset({"truck-1"})) for k in range(3)
    ]
    plan = solved(lane(*(household(f"h{k}") for k in range(6)), *restaurants, vehicles=(TRIKE, TRUCK)))
    drivers = {visit.stop: trip.vehicle for trip in plan.trips for visit in trip.visits}
    assert [drivers[f"r{k}"] for k in range(3)] == ["truck-1"] * 3
    assert plan.unserved == ()


def test_a_bound_stop_is_not_given_to_the_vehicle_that_passes_its_door() -> None:
    """The truck must go out for one bottle that the trike drives past twice."""
    bound = household("r", only_vehicles=frozenset({"truck-1"}))
    far = household("h", only_vehicles=frozenset({"trike-1"}))
    plan = solved(lane(bound, far, vehicles=(TRIKE, TRUCK)))
    assert plan.routes == {"trike-1": (("h",),), "truck-1": (("r",),)}


def test_no_vehicle_drives_the_trips_that_belong_to_another() -> None:
    """The early trike has trips to spare but no time for them; the late one has time but leaves once."""
    early = replace(TRIKE, id="early", capacity=2, max_trips=5, shift=(MORNING, MORNING + 1_200))
    late = replace(TRIKE, id="late", capacity=2, max_trips=1)
    plan = solved(lane(*(household(f"h{k}") for k in range(6)), vehicles=(early, late)))
    assert [trip.vehicle for trip in plan.trips] == ["early", "late"]
    assert set(reasons(plan).values()) == {Reason.NO_CAPACITY_LEFT}
    assert len(plan.unserved) == 2


def test_a_stop_that_the_search_passed_over_is_put_where_there_is_room() -> None:
    """The search alone leaves one stop of this zone behind; looking once more finds its place."""
    assert solved(zone(50, seed=1), seed=0).unserved == ()


def test_a_load_only_the_truck_can_hold_rides_the_truck_without_being_told() -> None:
    plan = solved(lane(household("canteen", delivers=9, collects=9), vehicles=(TRIKE, TRUCK)))
    assert [trip.vehicle for trip in plan.trips] == ["truck-1"]


def test_a_way_that_does_not_exist_is_never_driven() -> None:
    """Every leg to b is missing but from a, where it would be dear; the plan goes that way and no other."""
    problem = lane(household("a"), household("b"), household("c"), holes=[(2, 1), (2, 3), (3, 2), (1, 3)])
    plan = solved(problem)
    driven = {pair for trip in plan.trips for pair in pairwise(trip.visits)}
    assert plan.unserved == ()
    assert {(a.stop, b.stop) for a, b in driven} <= {("a", "b"), ("c", "a")}


def test_a_courier_waits_for_the_window_and_the_plan_says_so() -> None:
    (trip,) = solved(lane(household("a", window=(9 * HOUR, 10 * HOUR)))).trips
    assert (trip.visits[0].arrive_s, trip.visits[0].start_s) == (MORNING + 100, 9 * HOUR)


# Stops that stay behind


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"delivers": 9}, Reason.NO_VEHICLE_CAN_CARRY),
        ({"collects": 9}, Reason.NO_VEHICLE_CAN_CARRY),
        ({"only_vehicles": frozenset()}, Reason.NO_VEHICLE_CAN_CARRY),
        ({"only_vehicles": frozenset({"sold last year"})}, Reason.NO_VEHICLE_CAN_CARRY),
        ({"window": (MORNING, MORNING + 199)}, Reason.WINDOW_UNREACHABLE),
        ({"window": (18 * HOUR - 559, EVENING)}, Reason.BEYOND_SHIFT),
        ({"window": (18 * HOUR, EVENING)}, Reason.BEYOND_SHIFT),
        ({"window": (18 * HOUR + 1, EVENING)}, Reason.NO_CREW_AT_THAT_TIME),
        ({"window": (0, 1), "other_windows": ((2, MORNING - 1),)}, Reason.NO_CREW_AT_THAT_TIME),
        ({"release_s": 18 * HOUR - 559}, Reason.BEYOND_SHIFT),
        ({"release_s": 12 * HOUR, "window": (MORNING, 12 * HOUR + 199)}, Reason.WINDOW_UNREACHABLE),
        ({"not_vehicles": frozenset({"trike-1"})}, Reason.NO_VEHICLE_CAN_CARRY),
        ({"due_s": 0, "late_weight": 1}, Reason.PENALTY_BELOW_TRAVEL),
        ({"service_s": 11 * HOUR}, Reason.BEYOND_SHIFT),
        ({"penalty": 199}, Reason.PENALTY_BELOW_TRAVEL),
    ],
)
def test_a_stop_that_stays_behind_says_why(changes: dict[str, Any], reason: Reason) -> None:
    """b is 200 s from the station by a trike for eight; a beside it is served all the same."""
    plan = solved(lane(household("a"), household("b", **changes)))
    assert reasons(plan) == {"b": reason}
    assert [visit.stop for trip in plan.trips for visit in trip.visits] == ["a"]


@pytest.mark.parametrize(
    "changes",
    [
        {"delivers": 8},
        {"window": (MORNING, MORNING + 200)},
        {"window": (18 * HOUR - 560, EVENING)},
        {"penalty": 201},
    ],
)
def test_a_stop_that_just_fits_is_served(changes: dict[str, Any]) -> None:
    """The same edges from the inside; max_trips leaves room for both stops to be driven alone."""
    assert solved(lane(household("a"), household("b", **changes))).unserved == ()


@pytest.mark.parametrize("hole", [(0, 2), (2, 0)])
def test_a_stop_without_a_way_there_or_back_is_unreachable(hole: tuple[int, int]) -> None:
    assert reasons(solved(lane(household("a"), household("b"), holes=[hole]))) == {"b": Reason.UNREACHABLE}


def test_a_full_day_leaves_the_cheapest_stop_behind() -> None:
    once = replace(TRIKE, capacity=2, max_trips=1)
    stops = [household("a"), household("b", penalty=HOUR), household("c")]
    assert reasons(solved(lane(*stops, vehicles=(once,)))) == {"b": Reason.NO_CAPACITY_LEFT}


def test_the_reason_is_about_the_vehicles_that_could_carry_it() -> None:
    """The trike could come in time, but only the truck may, and its shift begins after the window."""
    late_truck = replace(TRUCK, shift=(12 * HOUR, 18 * HOUR))
    bound = household("r", only_vehicles=frozenset({"truck-1"}), window=(MORNING, 10 * HOUR))
    plan = solved(lane(bound, vehicles=(TRIKE, late_truck)))
    assert reasons(plan) == {"r": Reason.NO_CREW_AT_THAT_TIME}


def test_a_zone_without_stops_is_answered_at_once() -> None:
    plan = solved(lane(), iterations=10**12)
    assert (plan.trips, plan.unserved, plan.objective, plan.stopped) == ((), (), 0, "nothing_to_search")


def test_a_zone_without_vehicles_is_answered_at_once() -> None:
    plan = solved(lane(household("a"), vehicles=()), iterations=10**12)
    assert (plan.trips, plan.stopped) == ((), "nothing_to_search")
    assert reasons(plan) == {"a": Reason.NO_VEHICLE_CAN_CARRY}
    assert plan.objective == 2 * HOUR


# The same again


def test_the_same_problem_and_seed_give_the_same_plan() -> None:
    problem = zone(60, seed=4)
    assert solved(problem, 10_000, seed=7) == solved(problem, 10_000, seed=7)


def test_another_seed_is_another_search() -> None:
    problem = zone(60, seed=4)
    objectives = {solved(problem, 2_000, seed=seed).objective for seed in range(4)}
    assert len(objectives) == 4


def test_no_seed_makes_the_start_dearer() -> None:
    timetable = Timetable(zone(60, seed=4))
    start = greedy.insert(timetable, greedy.build(timetable))
    assert engine.dealt(timetable, start, seed=0) == start
    for seed in range(1, 6):
        assert timetable.objective(engine.dealt(timetable, start, seed)) <= timetable.objective(start)


def test_a_plan_names_what_it_answers_and_how_it_was_made() -> None:
    problem = zone(25, seed=1)
    plan = solved(problem, 2_000, seed=5)
    assert plan.problem == problem.digest
    assert (plan.engine, plan.seed, plan.iterations, plan.warm) == ("ortools", 5, 2_000, None)
    assert (plan.stopped, plan.is_reproducible) == ("iterations", True)
    assert solved(problem, 0).engine == "greedy"


def test_a_search_cut_by_the_clock_says_that_it_is_not_reproducible() -> None:
    plan = solved(zone(25, seed=1), iterations=10**12, expired=lambda: True)
    assert (plan.stopped, plan.is_reproducible) == ("time", False)


@pytest.mark.parametrize("bad", [{"iterations": -1}, {"seed": -1}, {"iterations": 0.5}, {"seed": True}])
def test_a_budget_or_seed_that_is_no_count_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="to be a whole number from 0"):
        solve(lane(), **{"iterations": 1, "seed": 1, **bad})


# Starting from an earlier plan


def test_an_urgent_order_joins_the_plan_of_the_morning() -> None:
    before = lane(*(household(f"h{k}") for k in range(7)))
    morning = solved(before)
    urgent = household("urgent", window=(MORNING, 10 * HOUR), penalty=4 * HOUR)
    after = lane(*before.stops, urgent)
    plan = solved(after, iterations=0, warm=morning.routes)
    assert plan.unserved == ()
    assert plan.warm is not None
    assert [stop for stop in plan.routes["trike-1"][0] if stop != "urgent"] == list(
        morning.routes["trike-1"][0]
    )


def test_what_no_longer_holds_of_a_warm_start_is_left_out_of_it() -> None:
    """A stop and a vehicle that are gone, a repeated stop, one that is now bound, and too much in a trip."""
    stops = [household(f"h{k}") for k in range(9)]
    stops[0] = replace(stops[0], only_vehicles=frozenset({"truck-1"}))
    warm = {
        "trike-1": [["h0", "cancelled", "h1", "h1", *(f"h{k}" for k in range(2, 9))], ["h1"]],
        "sold last year": [["h2"]],
    }
    assert solved(lane(*stops, vehicles=(TRIKE, TRUCK)), iterations=0, warm=warm).unserved == ()


def test_a_plan_is_not_worse_than_the_warm_start_it_was_given() -> None:
    problem = zone(60, seed=5)
    first = solved(problem, 30_000)
    assert solved(problem, 5_000, warm=first.routes).objective <= first.objective


def test_a_start_the_solver_refuses_loses_only_the_stop_that_spoils_it() -> None:
    """``read`` stands for the solver: it refuses any route with an odd number after an even one."""

    def read(routes: list[list[int]]) -> list[list[int]] | None:
        spoiled = any(a % 2 == 0 and b % 2 for route in routes for a, b in pairwise(route))
        return None if spoiled else routes

    assert engine.acceptable_assignment(read, [[1, 3], [2, 5, 4, 7]]) == [[1, 3], [2, 4]]


def test_the_solver_itself_refuses_an_overloaded_start_and_takes_the_rest_of_it(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Straight to the engine, past the repair: nine stops in one trip of a trike for eight."""
    timetable = Timetable(lane(*(household(f"h{k}") for k in range(9))))
    improved = engine.improve(timetable, [[list(timetable.places)]], 1_000, 1)
    assert timetable.fits(0, improved.rounds[0])
    assert sum(map(len, improved.rounds[0])) >= 8
    capfd.readouterr()  # the solver logs its refusal to stderr


# How good


def every_round(stops: Sequence[str], capacity: int) -> Iterator[list[list[str]]]:
    """All ways to serve some of ``stops`` by one vehicle, as lists of trips in order."""
    for count in range(len(stops) + 1):
        for order in permutations(stops, count):
            yield from splits(list(order), capacity)


def splits(order: list[str], capacity: int) -> Iterator[list[list[str]]]:
    if not order:
        yield []
    for size in range(1, min(capacity, len(order)) + 1):
        for rest in splits(order[size:], capacity):
            yield [order[:size], *rest]


@pytest.mark.parametrize("seed", range(6))
def test_a_zone_of_five_stops_gets_the_best_plan_there_is(seed: int) -> None:
    """Against every order and every split into trips, each judged by the checker: the optimum, 6 of 6.

    At 5,000 looks zone 1 is still one second above it; 20,000 find it.
    """
    problem = five_stops(seed)
    seconds = problem.travel["etrike"].seconds
    place = {stop.id: k for k, stop in enumerate(problem.stops, start=1)}
    penalty = {stop.id: stop.penalty for stop in problem.stops}

    def objective(trips: list[list[str]]) -> int:
        ways = [[0, *(place[stop] for stop in trip), 0] for trip in trips]
        travel_s = sum(int(seconds[leg]) for way in ways for leg in pairwise(way))
        return travel_s + sum(penalty.values()) - sum(penalty[stop] for trip in trips for stop in trip)

    candidates = sorted(every_round(list(place), 2), key=objective)
    best = next(trips for trips in candidates if check(problem, {"trike-1": trips}) == ())
    assert solved(problem).objective == objective(best)


def five_stops(seed: int) -> Problem:
    drawn = zone(5, seed)
    stops = tuple(replace(stop, delivers=1, collects=1) for stop in drawn.stops)
    return type(drawn)(stops, (replace(TRIKE, capacity=2, max_trips=4),), drawn.reload_s, drawn.travel)


@pytest.mark.parametrize(("seed", "measured"), [(1, 0.945), (2, 0.828), (3, 0.593)])
def test_a_zone_of_25_stops_is_much_better_than_by_hand(seed: int, measured: float) -> None:
    """5,000 turns ÷ greedy; 200,000 turns find nothing better in any of the three.

    Zone 1 has five stops that nobody can reach, whose penalties stand in both numbers.
    """
    problem = zone(25, seed)
    by_hand, searched = solved(problem, 0).objective, solved(problem, 5_000).objective
    assert searched <= by_hand * measured * 1.001


@pytest.mark.parametrize("seed", [0, 3])
def test_the_names_of_stops_make_no_difference(seed: int) -> None:
    """The same orders under fresh ids give the same plan, whatever the seed."""
    problem = zone(25, 1)
    renamed = replace(problem, stops=tuple(replace(stop, id=f"renamed-{stop.id}") for stop in problem.stops))
    as_named = solve(problem, 2_000, seed).routes
    as_renamed = solve(renamed, 2_000, seed).routes
    assert {
        vehicle: [[f"renamed-{stop}" for stop in trip] for trip in trips]
        for vehicle, trips in as_named.items()
    } == {vehicle: [list(trip) for trip in trips] for vehicle, trips in as_renamed.items()}

"""Days with more to them: goods that come late, prices of lateness, several windows, rounds under way.

``rich`` draws small problems with all of that at once; whatever it draws, the plan has no fault.
"""

import json
import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing import Note, Plan, Problem, Reason, Stop, Vehicle, check, engine, solve
from routing.timetable import Timetable
from tests.routing.courier_zones import (
    HOUR,
    MORNING,
    TRIKE,
    TRUCK,
    household,
    lane,
    matrix_of,
    tiny,
    zone,
)


@st.composite
def rich(draw: st.DrawFn) -> Problem:
    """A tiny problem made richer: each stop and vehicle may have any of what a day that has begun has."""
    plain = draw(tiny())
    stops = tuple(draw(_richer_stop(stop)) for stop in plain.stops)
    begun = draw(st.booleans())
    vehicles = tuple(draw(_begun(vehicle, stops, begun)) for vehicle in plain.vehicles)
    vehicles = _without_shared(vehicles)
    legs = st.lists(st.integers(-1, 7).map(lambda leg: leg * 60 or 5), min_size=90, max_size=90)
    places = tuple(draw(st.integers(1, 7)) for _ in stops)
    travel = {profile: matrix_of(10, draw(legs)) for profile in ("etrike", "small_truck")}
    return Problem(stops, vehicles, plain.reload_s, travel, places)


@st.composite
def _richer_stop(draw: st.DrawFn, stop: Stop) -> Stop:
    changes: dict[str, Any] = {"release_s": draw(st.sampled_from((0, 0, 900, 3_000)))}
    if draw(st.booleans()):
        changes |= {"due_s": draw(st.integers(0, 2 * HOUR)), "late_weight": draw(st.sampled_from((1, 5)))}
    if draw(st.booleans()) and stop.window[1] + 61 < 2 * HOUR:
        opens = draw(st.integers(stop.window[1] + 1, 2 * HOUR))
        changes["other_windows"] = ((opens, draw(st.integers(opens, 2 * HOUR))),)
    changes["not_vehicles"] = draw(st.sampled_from((frozenset(), frozenset(), frozenset({"v0"}))))
    return replace(stop, **changes)


@st.composite
def _begun(draw: st.DrawFn, vehicle: Vehicle, stops: tuple[Stop, ...], begun: bool) -> Vehicle:
    if not begun or not draw(st.booleans()):
        return vehicle
    mine = [stop.id for stop in stops if stop.may_ride(vehicle.id)]
    loaded = draw(st.frozensets(st.sampled_from(mine), max_size=3)) if mine else frozenset()
    units = {stop.id: stop.delivers for stop in stops}
    while loaded and sum(units[stop] for stop in loaded) > vehicle.capacity:
        loaded -= {min(loaded)}
    room = vehicle.capacity - sum(units[stop] for stop in loaded)
    locked = draw(st.permutations(sorted(loaded))) if loaded else []
    return replace(
        vehicle,
        stands_at=draw(st.sampled_from((0, 8, 9, 3))),
        aboard=draw(st.integers(0, min(room, 2))),
        loaded=loaded,
        locked=tuple(locked[: draw(st.integers(0, 2))]),
    )


def _without_shared(vehicles: tuple[Vehicle, ...]) -> tuple[Vehicle, ...]:
    """No bottle is on two vehicles."""
    taken: frozenset[str] = frozenset()
    apart = []
    for vehicle in vehicles:
        locked = tuple(stop for stop in vehicle.locked if stop not in taken)
        apart.append(replace(vehicle, loaded=vehicle.loaded - taken, locked=locked))
        taken |= vehicle.loaded
    return tuple(apart)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(rich())
def test_any_rich_problem_gets_a_plan_without_a_fault(problem: Problem) -> None:
    by_hand, searched = solve(problem, 0, 1), solve(problem, 300, 1)
    assert check(problem, by_hand) == ()
    assert check(problem, searched) == ()
    assert searched.objective <= by_hand.objective
    assert Note.NOT_PROVED not in searched.notes
    assert Plan.from_plain(json.loads(json.dumps(searched.to_plain()))) == searched
    assert Problem.from_plain(json.loads(json.dumps(problem.to_plain()))) == problem


def solved(problem: Problem, iterations: int = 5_000, **more: Any) -> Plan:
    plan = solve(problem, iterations, 1, **more)
    assert check(problem, plan) == ()
    return plan


def order(plan: Plan, vehicle: str = "trike-1") -> list[list[str]]:
    return [list(trip) for trip in plan.routes.get(vehicle, ())]


def test_a_trip_waits_for_its_goods_and_the_others_do_not_wait_with_it() -> None:
    """a to c at eight; d's bottle comes at ten, and one trip more is cheaper than three late doors."""
    early = [household(name, window=(MORNING, MORNING + HOUR)) for name in "abc"]
    plan = solved(lane(*early, household("d", release_s=10 * HOUR)))
    assert [sorted(trip) for trip in order(plan)] == [["a", "b", "c"], ["d"]]
    assert [trip.leave_s for trip in plan.trips] == [MORNING, 10 * HOUR]


def test_being_late_is_weighed_against_the_way() -> None:
    """d first costs 200 s of way in the wrong order; a minute late at ten a second costs more."""
    due = {"due_s": MORNING + 400, "late_weight": 10}
    assert order(solved(lane(*(household(name) for name in "abc"), household("d", **due))))[0][0] == "d"
    late = solved(lane(household("a"), household("b", due_s=MORNING, late_weight=1), vehicles=(TRIKE,)))
    assert late.late_cost == 200
    assert late.objective == late.travel_s + 200


def test_a_door_with_two_windows_is_served_in_either() -> None:
    twice = household("a", window=(MORNING, MORNING + 50), other_windows=((16 * HOUR, 17 * HOUR),))
    (trip,) = solved(lane(twice)).trips
    assert trip.visits[0].start_s == 16 * HOUR


def test_a_stop_forbidden_to_a_crew_goes_to_the_other() -> None:
    never = household("a", not_vehicles=frozenset({"trike-1"}))
    assert solved(lane(never, household("b"), vehicles=(TRIKE, TRUCK))).routes["truck-1"]


def test_what_is_loaded_stays_on_its_vehicle_even_if_another_is_nearer() -> None:
    late = replace(TRIKE, loaded=frozenset({"a"}), shift=(12 * HOUR, 18 * HOUR))
    plan = solved(lane(household("a"), household("b"), vehicles=(late, TRUCK)))
    assert "a" in order(plan)[0]


def test_a_vehicle_on_the_road_ends_its_trip_before_it_fetches_anything_new() -> None:
    """It stands at d with the bottle for c; a and b are loaded at the station afterwards."""
    out = replace(TRIKE, stands_at=4, loaded=frozenset({"c"}))
    plan = solved(lane(*(household(name) for name in "abcd"), vehicles=(out,)))
    first, second = plan.trips
    assert [visit.stop for visit in first.visits] == ["c"]
    assert first.visits[0].arrive_s == MORNING + 100
    assert {visit.stop for visit in second.visits} == {"a", "b", "d"}


def test_an_empty_vehicle_on_the_road_comes_home_first() -> None:
    plan = solved(lane(household("a"), household("b"), vehicles=(replace(TRIKE, stands_at=2),)))
    assert (plan.trips[0].visits, plan.trips[0].return_s) == ((), MORNING + 200)


def test_a_promised_order_is_kept_though_another_is_shorter() -> None:
    plan = solved(lane(*(household(name) for name in "abcd"), vehicles=(replace(TRIKE, locked=("d", "a")),)))
    assert order(plan)[0][:2] == ["d", "a"]
    assert plan.unserved == ()


def test_a_promise_that_cannot_be_kept_is_left_and_the_rest_is_planned() -> None:
    missed = household("d", window=(MORNING, MORNING + 399))
    plan = solved(lane(household("a"), missed, vehicles=(replace(TRIKE, locked=("d", "a")),)))
    assert {left.stop for left in plan.unserved} <= {"d"}
    assert "a" in order(plan)[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"release_s": 9 * HOUR},
        {"due_s": 9 * HOUR, "late_weight": 2},
        {"window": (MORNING, 9 * HOUR), "other_windows": ((15 * HOUR, 16 * HOUR),)},
    ],
)
def test_the_second_solver_states_it_too(changes: dict[str, Any]) -> None:
    """Every fifth door of a day is so; the plan is proved, and the second solver alone finds one too."""
    day = zone(25, 2)
    stops = tuple(replace(stop, **changes) if k % 5 == 0 else stop for k, stop in enumerate(day.stops))
    problem = Problem(stops, day.vehicles, day.reload_s, day.travel)
    plan = solved(problem)
    assert plan.engine == "ortools"
    assert plan.improver is not None
    alone = engine.improve(Timetable(problem), Timetable(problem).empty_rounds(), 2_000, 1)
    rounds = {
        vehicle.id: [[problem.stops[place - 1].id for place in trip] for trip in trips]
        for vehicle, trips in zip(problem.vehicles, alone.rounds, strict=True)
    }
    assert check(problem, rounds) == ()


# What nobody can do is named, and the rest is planned


def test_ten_thousand_orders_on_one_point_are_all_accounted_for() -> None:
    """Two trikes of nine trips carry at most 144; the others are left for want of room, none is lost."""
    stops = tuple(household(f"h{k}") for k in range(10_000))
    crews = tuple(replace(TRIKE, id=f"trike-{k}") for k in (1, 2))
    travel = {"etrike": lane(household("a")).travel["etrike"]}
    problem = Problem(stops, crews, 480, travel, places=(1,) * len(stops))
    plan = solved(problem, 200)
    served = sum(len(trip.visits) for trip in plan.trips)
    assert served >= 130
    assert served + len(plan.unserved) == 10_000
    assert {left.reason for left in plan.unserved} == {Reason.NO_CAPACITY_LEFT}


def test_one_bad_order_of_each_kind_is_named_and_the_rest_is_planned() -> None:
    plan = solved(
        lane(
            household("too-big", delivers=31),
            household("nobody-may", only_vehicles=frozenset()),
            household("at-night", window=(21 * HOUR, 23 * HOUR)),
            household("fine"),
            household("island"),
            vehicles=(TRIKE, TRUCK),
            holes=[(0, 5)],
        )
    )
    assert {left.stop: left.reason for left in plan.unserved} == {
        "too-big": Reason.NO_VEHICLE_CAN_CARRY,
        "nobody-may": Reason.NO_VEHICLE_CAN_CARRY,
        "at-night": Reason.NO_CREW_AT_THAT_TIME,
        "island": Reason.UNREACHABLE,
    }
    assert [visit.stop for trip in plan.trips for visit in trip.visits] == ["fine"]


# Without the compiled search


def test_without_numba_there_is_a_plan_and_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "routing.ruin", None)
    problem = zone(25, seed=1)
    plan = solved(problem, 5_000)
    assert (plan.engine, plan.improver, plan.notes) == ("ortools", None, (Note.WITHOUT_COMPILED_SEARCH,))
    out = replace(TRIKE, stands_at=1, loaded=frozenset({"a"}))
    begun = solved(lane(household("a"), household("b"), vehicles=(out,)), 1_000)
    assert (begun.engine, begun.unserved) == ("greedy", ())

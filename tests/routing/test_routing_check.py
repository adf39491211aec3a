"""The checker: a good plan has no fault, and each fault made on purpose is named, and nothing else.

The street: station, then a, b, c, d at 100 s (400 m) further each. The trike holds two, so it goes twice:
a and b, home at 29,920; reload; c and d, home at 31,920.
"""

from dataclasses import replace
from typing import Any

import pytest

from routing import Driven, Plan, Problem, Reason, Trip, Unserved, Violation, Visit, check
from routing.check import Fault
from routing.plan import Stopped
from tests.routing.courier_zones import (
    EVENING,
    HOUR,
    MORNING,
    TRIKE,
    TRUCK,
    household,
    lane,
    later,
    with_trip,
    with_visit,
)

SMALL_TRIKE = replace(TRIKE, capacity=2, max_trips=2)
STREET = lane(*(household(name) for name in "abcd"), vehicles=(SMALL_TRIKE, TRUCK))
FIRST = Trip(
    vehicle="trike-1",
    number=1,
    leave_s=28_800,
    return_s=29_920,
    load=2,
    visits=(Visit("a", 28_900, 28_900, 29_260), Visit("b", 29_360, 29_360, 29_720)),
)
SECOND = Trip(
    vehicle="trike-1",
    number=2,
    leave_s=30_400,
    return_s=31_920,
    load=2,
    visits=(Visit("c", 30_700, 30_700, 31_060), Visit("d", 31_160, 31_160, 31_520)),
)
GOOD = Plan(
    problem=STREET.digest,
    engine="by hand",
    engine_version="1",
    seed=0,
    iterations=0,
    warm=None,
    stopped=Stopped.ITERATIONS,
    trips=(FIRST, SECOND),
    unserved=(),
    travel_s=1_200,
    distance_m=4_800,
    objective=1_200,
)
WITHOUT_D = replace(
    with_trip(GOOD, 1, load=1, return_s=31_360, visits=SECOND.visits[:1]),
    unserved=(Unserved("d", Reason.NO_CAPACITY_LEFT),),
    travel_s=1_000,
    distance_m=4_000,
    objective=1_000 + 2 * HOUR,
)


def test_good_plans_have_no_fault() -> None:
    assert check(STREET, GOOD) == ()
    assert check(STREET, WITHOUT_D) == ()


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"delivers": 9}, Reason.NO_VEHICLE_CAN_CARRY),
        ({"collects": 9}, Reason.NO_VEHICLE_CAN_CARRY),
        ({"only_vehicles": frozenset({"sold last year"})}, Reason.NO_VEHICLE_CAN_CARRY),
        ({"window": (MORNING, MORNING + 199)}, Reason.WINDOW_UNREACHABLE),
        ({"service_s": 11 * HOUR}, Reason.BEYOND_SHIFT),
    ],
)
def test_what_cannot_be_served_even_alone_is_left_for_that_reason_only(
    changed: dict[str, Any], why: Reason
) -> None:
    street = lane(household("a"), household("b", **changed), vehicles=(SMALL_TRIKE,))
    for reason in Reason:
        plan = replace(
            GOOD,
            problem=street.digest,
            trips=(replace(FIRST, load=1, return_s=29_360, visits=FIRST.visits[:1]),),
            unserved=(Unserved("b", reason),),
            travel_s=200,
            distance_m=800,
            objective=200 + street.stops[1].penalty,
        )
        assert check(street, plan) == (() if reason is why else of("wrong_reason", stop="b"))


def of(code: str, **where: Any) -> tuple[Violation, ...]:
    return (Violation(Fault(code), **where),)


ON_SECOND = {"vehicle": "trike-1", "trip": 2}


@pytest.mark.parametrize(
    ("plan", "faults"),
    [
        (replace(GOOD, problem="0" * 64), of("other_problem")),
        (replace(GOOD, travel_s=1_199, objective=1_199), of("wrong_travel_sum", expected=1_200, found=1_199)),
        (replace(GOOD, distance_m=0), of("wrong_distance_sum", expected=4_800, found=0)),
        (replace(WITHOUT_D, objective=1_000), of("wrong_objective", expected=8_200, found=1_000)),
        (replace(WITHOUT_D, unserved=()), of("not_accounted_for", stop="d")),
        (
            replace(WITHOUT_D, unserved=WITHOUT_D.unserved * 2),
            of("duplicate_stop", stop="d", expected=1, found=2),
        ),
        *(
            (replace(WITHOUT_D, unserved=(Unserved("d", untrue),)), of("wrong_reason", stop="d"))
            for untrue in Reason
            if untrue not in (Reason.NO_CAPACITY_LEFT, Reason.PENALTY_BELOW_TRAVEL)
        ),
        (replace(GOOD, unserved=WITHOUT_D.unserved), of("served_and_unserved", stop="d")),
        (
            replace(GOOD, unserved=(Unserved("ghost", Reason.UNREACHABLE),)),
            of("unknown_stop", stop="ghost"),
        ),
        (
            replace(with_visit(GOOD, 1, 1, stop="ghost"), unserved=WITHOUT_D.unserved),
            of("unknown_stop", stop="ghost", **ON_SECOND),
        ),
        (
            with_trip(GOOD, 1, number=3),
            of("wrong_trip_number", vehicle="trike-1", trip=3, expected=2, found=3),
        ),
        (with_trip(GOOD, 1, load=1), of("wrong_load", expected=2, found=1, **ON_SECOND)),
        (
            with_trip(GOOD, 1, return_s=31_919),
            of("wrong_return", expected=31_920, found=31_919, **ON_SECOND),
        ),
        (
            with_visit(GOOD, 1, 0, arrive_s=30_699),
            of("wrong_arrival", stop="c", expected=30_700, found=30_699, **ON_SECOND),
        ),
        (
            replace(GOOD, trips=(FIRST, later(SECOND, -1))),
            of("reload_too_short", expected=480, found=479, **ON_SECOND),
        ),
        (
            replace(GOOD, trips=(later(FIRST, -1), SECOND)),
            of("before_shift", vehicle="trike-1", trip=1, expected=28_800, found=28_799),
        ),
        (
            replace(GOOD, trips=(FIRST, later(SECOND, 18 * HOUR - 31_920 + 1))),
            of("after_shift", expected=18 * HOUR, found=18 * HOUR + 1, **ON_SECOND),
        ),
        (
            replace(GOOD, late_cost=1, objective=1_201),
            of("wrong_late_cost", expected=0, found=1),
        ),
        (
            replace(GOOD, trips=(*GOOD.trips, Trip("truck-1", 1, 28_800, 28_800, 0, ()))),
            of("empty_trip", vehicle="truck-1", trip=1),
        ),
    ],
    ids=lambda value: str(value[0].code) if isinstance(value, tuple) else "",
)
def test_a_fault_made_on_purpose_is_the_only_one_named(plan: Plan, faults: tuple[Violation, ...]) -> None:
    assert check(STREET, plan) == faults


def test_service_before_arrival_and_a_departure_before_it_is_done_are_named() -> None:
    """Both keep the rest of the trip's times as it says, so that only the moment itself is wrong."""
    early = with_visit(GOOD, 1, 1, start_s=31_159, leave_s=31_519)
    assert check(STREET, with_trip(early, 1, return_s=31_919)) == of(
        "wrong_start", stop="d", expected=31_160, found=31_159, **ON_SECOND
    )
    hasty = with_visit(GOOD, 1, 1, leave_s=31_519)
    assert check(STREET, with_trip(hasty, 1, return_s=31_919)) == of(
        "wrong_leave", stop="d", expected=31_520, found=31_519, **ON_SECOND
    )


def test_one_trip_too_many_is_named() -> None:
    once_only = lane(*STREET.stops, vehicles=(replace(SMALL_TRIKE, max_trips=1), TRUCK))
    faults = check(once_only, replace(GOOD, problem=once_only.digest))
    assert faults == of("too_many_trips", vehicle="trike-1", expected=1, found=2)


def test_a_vehicle_nobody_knows_is_named_once_and_its_rules_are_not_guessed() -> None:
    stranger = replace(GOOD, trips=tuple(replace(trip, vehicle="trike-9") for trip in GOOD.trips))
    assert check(STREET, stranger) == of("unknown_vehicle", vehicle="trike-9")


def with_stop(name: str, **changes: Any) -> tuple[Problem, Plan]:
    """The street with one stop changed, and the good plan claiming to answer it."""
    stops = [replace(stop, **changes) if stop.id == name else stop for stop in STREET.stops]
    problem = lane(*stops, vehicles=STREET.vehicles)
    return problem, replace(GOOD, problem=problem.digest)


def test_a_start_outside_the_window_is_named_with_the_bound_it_broke() -> None:
    problem, plan = with_stop("c", window=(30_701, EVENING))
    assert check(problem, plan) == of("before_window", stop="c", expected=30_701, found=30_700, **ON_SECOND)
    problem, plan = with_stop("c", window=(MORNING, 30_699))
    assert check(problem, plan) == of("after_window", stop="c", expected=30_699, found=30_700, **ON_SECOND)
    assert check(*with_stop("c", window=(30_700, 30_700))) == ()


@pytest.mark.parametrize(
    "changes", [{"only_vehicles": frozenset({"truck-1"})}, {"not_vehicles": frozenset({"trike-1"})}]
)
def test_a_bound_or_forbidden_stop_on_another_vehicle_is_named(changes: dict[str, Any]) -> None:
    problem, plan = with_stop("c", **changes)
    assert check(problem, plan) == of("vehicle_not_allowed", stop="c", **ON_SECOND)


def test_a_start_between_two_windows_is_too_early_for_the_next() -> None:
    between = {"window": (MORNING, 30_699), "other_windows": ((30_701, 40_000), (50_000, EVENING))}
    problem, plan = with_stop("c", **between)
    assert check(problem, plan) == of("before_window", stop="c", expected=30_701, found=30_700, **ON_SECOND)
    assert check(*with_stop("c", window=(0, 1), other_windows=((30_700, 30_700),))) == ()
    problem, plan = with_stop("c", window=(0, 1), other_windows=((2, 3),))
    assert check(problem, plan) == of("after_window", stop="c", expected=3, found=30_700, **ON_SECOND)


def test_a_trip_that_leaves_before_its_goods_are_there_is_named_at_the_stop_that_lacks_them() -> None:
    problem, plan = with_stop("d", release_s=30_401)
    faults = check(problem, plan)
    assert faults == of("left_before_release", stop="d", expected=30_401, found=30_400, **ON_SECOND)
    assert check(*with_stop("d", release_s=30_400)) == ()


def test_lateness_is_summed_by_its_weight_and_belongs_to_the_objective() -> None:
    problem, plan = with_stop("d", due_s=31_150, late_weight=3)
    assert check(problem, replace(plan, late_cost=30, objective=1_230)) == ()
    assert check(problem, replace(plan, late_cost=30)) == of("wrong_objective", expected=1_230, found=1_200)


# A day that has begun


def begun(**changes: Any) -> Problem:
    """The street, with the trike as ``changes`` say; its shift begins when it is free."""
    return lane(*STREET.stops, vehicles=(replace(SMALL_TRIKE, **changes), TRUCK))


ON_FIRST = {"vehicle": "trike-1", "trip": 1}


def test_what_is_on_board_goes_with_its_vehicle_on_its_first_trip() -> None:
    problem = begun(loaded=frozenset("ab"))
    assert check(problem, {"trike-1": [["a", "b"], ["c", "d"]]}) == ()
    assert check(problem, {"trike-1": [["b"]], "truck-1": [["a"]]}) == of(
        "loaded_elsewhere", vehicle="truck-1", trip=1, stop="a"
    )
    assert check(problem, {"trike-1": [["b"], ["a"]]}) == of("loaded_elsewhere", stop="a", **ON_SECOND)


def test_a_vehicle_on_the_road_goes_on_from_where_it_stands_and_brings_what_it_has() -> None:
    """It stands at c with the bottle for b: 100 s to it, not 200 from the station."""
    problem = begun(stands_at=3, loaded=frozenset("b"), shift=(MORNING, MORNING + 100 + 360 + 200))
    assert check(problem, {"trike-1": [["b"]]}) == ()
    faults = check(begun(stands_at=3, loaded=frozenset("b")), {"trike-1": [["b", "d"]]})
    assert faults == of("not_on_board", stop="d", **ON_FIRST)
    only_home = begun(stands_at=3, shift=(MORNING, MORNING + 300))
    assert check(only_home, {"trike-1": [[]]}) == ()


def test_what_is_on_board_takes_its_room_whether_it_is_brought_or_not() -> None:
    problem = begun(loaded=frozenset("a"), aboard=1)
    assert check(problem, {"trike-1": [["a"]]}) == ()
    assert check(problem, {"trike-1": [["b"]]}) == of(
        "over_capacity_leaving", expected=2, found=3, **ON_FIRST
    )


def test_a_promised_stop_that_is_not_at_the_head_is_named_with_its_place() -> None:
    problem = begun(locked=("b", "a"))
    assert check(problem, {"trike-1": [["b", "a"], ["c"]]}) == ()
    assert check(problem, {"trike-1": [["a", "b"]]}) == of(
        "lock_broken", stop="b", expected=1, found=2, **ON_FIRST
    )
    assert check(problem, {"trike-1": [["b", "c"]], "truck-1": [["a"]]}) == ()
    assert check(problem, {"trike-1": [["b", "c"], ["a"]]}) == of(
        "lock_broken", stop="a", expected=2, found=None, **ON_FIRST
    )


def test_too_much_on_leaving_is_named() -> None:
    problem, plan = with_stop("c", delivers=2)
    faults = check(problem, with_trip(plan, 1, load=3))
    assert faults == of("over_capacity_leaving", expected=2, found=3, **ON_SECOND)


def test_too_much_on_the_way_is_named_at_the_stop_where_it_comes_aboard() -> None:
    """One full bottle and one empty returned at c, where only one was brought: three on a trike for two."""
    problem, plan = with_stop("c", collects=2)
    assert check(problem, plan) == of("over_capacity_on_the_way", stop="c", expected=2, found=3, **ON_SECOND)
    problem, plan = with_stop("d", delivers=0, collects=0)
    assert check(problem, with_trip(plan, 1, load=1)) == ()


def test_empties_fit_where_full_bottles_have_left() -> None:
    """c is brought two and gives none back; d gives two back: never more than two aboard."""
    stops = [
        household("c", delivers=2, collects=0),
        household("d", delivers=0, collects=2),
    ]
    assert check(lane(*stops, vehicles=(SMALL_TRIKE,)), {"trike-1": [["c", "d"]]}) == ()
    assert [v.code for v in check(lane(*stops, vehicles=(SMALL_TRIKE,)), {"trike-1": [["d", "c"]]})] == [
        "over_capacity_on_the_way"
    ]


def test_a_leg_without_a_way_is_named_also_the_one_home() -> None:
    problem = lane(*STREET.stops, vehicles=STREET.vehicles, holes=[(3, 4), (4, 0)])
    faults = check(problem, replace(GOOD, problem=problem.digest))
    assert faults == (
        *of("unreachable_leg", stop="d", **ON_SECOND),
        *of("unreachable_leg", stop=None, **ON_SECOND),
    )


def test_a_stop_served_twice_is_named_where_it_is_served_again() -> None:
    assert check(STREET, {"trike-1": [["a", "b"]], "truck-1": [["c", "a"]]}) == of(
        "duplicate_stop", vehicle="truck-1", trip=1, stop="a", expected=1, found=2
    )


def test_bare_routes_are_timed_at_the_earliest_and_judged_by_the_rules() -> None:
    assert check(STREET, {"trike-1": [["a", "b"], ["c", "d"]]}) == ()
    assert [v.code for v in check(STREET, {"trike-1": [["a", "b", "c"]]})] == ["over_capacity_leaving"]
    short = lane(*STREET.stops, vehicles=(replace(SMALL_TRIKE, shift=(MORNING, 31_919)),))
    assert check(short, {"trike-1": [["a", "b"], ["c", "d"]]}) == of(
        "after_shift", expected=31_919, found=31_920, **ON_SECOND
    )
    assert [v.code for v in check(STREET, {"trike-9": [["ghost"]]})] == ["unknown_stop", "unknown_vehicle"]


def test_a_round_as_driven_may_be_slower_or_faster_than_the_travel_times() -> None:
    fast = replace(FIRST, visits=(Visit("a", 28_810, 28_900, 29_000), FIRST.visits[1]))
    assert check(STREET, Driven((fast, later(SECOND, 600)))) == ()


def test_a_round_as_driven_is_not_asked_for_the_stops_of_others() -> None:
    assert check(STREET, Driven((FIRST,))) == ()


def test_a_round_as_driven_is_held_to_the_window_by_the_time_it_really_had() -> None:
    problem, _ = with_stop("b", window=(MORNING, 29_360))
    assert check(problem, Driven((FIRST,))) == ()
    late = replace(FIRST, visits=(FIRST.visits[0], Visit("b", 29_360, 29_361, 29_720)))
    assert check(problem, Driven((late,))) == of(
        "after_window", vehicle="trike-1", trip=1, stop="b", expected=29_360, found=29_361
    )


def test_a_round_as_driven_may_carry_more_than_its_stops_need_but_not_less() -> None:
    alone = replace(FIRST, visits=FIRST.visits[:1])
    assert check(STREET, Driven((alone,))) == ()
    faults = check(STREET, Driven((replace(FIRST, load=1),)))
    assert faults == of("wrong_load", vehicle="trike-1", trip=1, expected=2, found=1)


def test_time_that_runs_backwards_is_named_at_every_moment_it_does() -> None:
    odd = replace(FIRST, visits=(FIRST.visits[0], Visit("b", 29_360, 29_359, 29_720)), return_s=29_000)
    on_first = {"vehicle": "trike-1", "trip": 1}
    assert check(STREET, Driven((odd,))) == (
        *of("time_runs_backwards", stop="b", expected=29_360, found=29_359, **on_first),
        *of("time_runs_backwards", stop=None, expected=29_720, found=29_000, **on_first),
    )


def test_every_code_has_a_case_here() -> None:
    """A code nobody has seen fire is a promise nobody has kept."""
    with open(__file__, encoding="utf-8") as this_file:
        text = this_file.read()
    assert [fault for fault in Fault if f'"{fault}"' not in text] == []


def test_a_violation_is_plain_json() -> None:
    (violation,) = of("wrong_load", expected=2, found=1, **ON_SECOND)
    assert violation.to_plain() == {
        "code": "wrong_load",
        "vehicle": "trike-1",
        "trip": 2,
        "stop": None,
        "expected": 2,
        "found": 1,
    }

"""A plan under way: an urgent order, a lost crew, and how much those who drive it notice."""

import json
from dataclasses import replace

import pytest

from routing import Churn, Plan, Reason, Replanned, check, churn, insert_urgent, solve, without_crew
from tests.routing.courier_zones import HOUR, TRIKE, household, lane, zone

CREWS = tuple(replace(TRIKE, id=f"trike-{k}") for k in (1, 2))


def crew_of(plan: Plan) -> dict[str, str]:
    return {visit.stop: trip.vehicle for trip in plan.trips for visit in trip.visits}


def test_an_urgent_order_goes_between_the_others_and_moves_none() -> None:
    day = lane(*(household(f"h{k}") for k in range(6)), household("urgent"))
    running = {"trike-1": [["h0", "h1", "h2"], ["h5", "h4", "h3"]]}
    done = insert_urgent(day, running, "urgent")
    assert check(day, done.plan) == ()
    assert "urgent" in crew_of(done.plan)
    assert done.churn == Churn(other_crew=0, other_trip=0, other_order=0, dropped=0)


def test_where_trips_are_full_it_opens_one() -> None:
    day = lane(*(household(f"h{k}") for k in range(8)), household("urgent"))
    done = insert_urgent(day, {"trike-1": [[f"h{k}" for k in range(8)]]}, "urgent")
    assert len(done.plan.routes["trike-1"]) == 2
    assert done.churn.dropped == 0


def test_where_there_is_no_room_a_cheaper_stop_is_left_for_it_and_named() -> None:
    once = replace(TRIKE, capacity=2, max_trips=1)
    stops = [household("a"), household("b", penalty=HOUR), household("urgent", penalty=4 * HOUR)]
    day = lane(*stops, vehicles=(once,))
    done = insert_urgent(day, {"trike-1": [["a", "b"]]}, "urgent")
    assert check(day, done.plan) == ()
    assert [(left.stop, left.reason) for left in done.plan.unserved] == [("b", Reason.NO_CAPACITY_LEFT)]
    assert done.churn.dropped == 1


@pytest.mark.parametrize("seed", [3, 4, 5, 6])
def test_no_stop_leaves_its_crew_for_an_urgent_one(seed: int) -> None:
    """Full days: the urgent order has two hours, and often no place as things stand."""
    day = zone(60, seed)
    urgent = replace(day.stops[-1], window=(12 * HOUR, 14 * HOUR), penalty=4 * HOUR)
    day = replace(day, stops=(*day.stops[:-1], urgent))
    before = solve(replace(day, stops=(*day.stops[:-1], replace(urgent, penalty=0))), 3_000, 1)
    routes = {
        vehicle: [[stop for stop in trip if stop != urgent.id] for trip in trips]
        for vehicle, trips in before.routes.items()
    }
    done = insert_urgent(day, routes, urgent.id)
    assert check(day, done.plan) == ()
    assert done.churn.other_crew == 0
    assert insert_urgent(day, routes, urgent.id) == done


def test_a_stop_that_is_not_in_the_problem_cannot_be_urgent() -> None:
    with pytest.raises(ValueError, match="expected a stop of the problem, got 'ghost'"):
        insert_urgent(lane(household("a")), {}, "ghost")


def test_a_lost_crew_keeps_what_it_has_loaded_and_the_others_take_the_rest() -> None:
    lost = replace(CREWS[0], loaded=frozenset({"h0", "h1"}), shift=(9 * HOUR, 18 * HOUR))
    day = lane(*(household(f"h{k}") for k in range(9)), vehicles=(lost, CREWS[1]))
    running = {"trike-1": [["h0", "h1"], ["h2", "h3"]], "trike-2": [["h4", "h5"], ["h6", "h7", "h8"]]}
    done = without_crew(day, running, "trike-1", 2_000, 1)
    assert check(done.problem, done.plan) == ()
    assert done.stranded == ("h0", "h1")
    assert crew_of(done.plan) == {f"h{k}": "trike-2" for k in range(2, 9)}
    assert (done.churn.other_crew, done.churn.dropped) == (0, 0)


def test_where_there_are_no_others_all_is_named() -> None:
    day = lane(household("h0"), household("h1"), vehicles=(CREWS[0],))
    done = without_crew(day, {"trike-1": [["h0", "h1"]]}, "trike-1", 500, 1)
    assert check(done.problem, done.plan) == ()
    assert {left.stop for left in done.plan.unserved} == {"h0", "h1"}
    assert Replanned.from_plain(json.loads(json.dumps(done.to_plain()))) == done


def test_what_the_others_cannot_take_is_named() -> None:
    small = replace(CREWS[1], capacity=2, max_trips=1)
    day = lane(*(household(f"h{k}") for k in range(4)), vehicles=(CREWS[0], small))
    done = without_crew(day, {"trike-1": [["h0", "h1"]], "trike-2": [["h2", "h3"]]}, "trike-1", 500, 1)
    assert check(done.problem, done.plan) == ()
    assert len(done.plan.unserved) == 2
    with pytest.raises(ValueError, match="expected a vehicle of the problem, got 'trike-9'"):
        without_crew(day, {}, "trike-9", 1, 1)


def test_churn_counts_what_a_crew_notices() -> None:
    before = {"x": [["a", "b", "c"], ["d"]], "y": [["e", "f"]]}
    assert churn(before, before) == Churn(0, 0, 0, 0)
    assert churn(before, {"x": [["a", "new", "b", "c"], ["d"]], "y": [["e", "f"]]}) == Churn(0, 0, 0, 0)
    assert churn(before, {"x": [["b", "a", "c"], ["d"]], "y": [["e"]]}) == Churn(0, 0, 2, 1)
    assert churn(before, {"x": [["a", "b"], ["c", "d"]], "y": [["f", "e"]]}) == Churn(0, 1, 3, 0)
    assert churn(before, {"x": [["a", "b", "c"]], "y": [["e", "f", "d"]]}) == Churn(1, 0, 0, 0)

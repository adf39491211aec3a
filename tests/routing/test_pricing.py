"""What fixed zones cost: free crews are never worse, each side keeps its own rules, nothing is lost."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing import Fault, Plan, Priced, PricedZone, Problem, bound, check, days
from routing.__main__ import answer
from routing.pricing import price
from tests.routing.courier_zones import TRIKE, household, lane, tiny, zone

EAST, WEST = replace(TRIKE, id="east"), replace(TRIKE, id="west")


def zones_of(**members: tuple[set[str], set[str]]) -> list[PricedZone]:
    return [
        PricedZone(name, frozenset(stops), frozenset(vehicles)) for name, (stops, vehicles) in members.items()
    ]


def judged(problem: Problem, zones: list[PricedZone], priced: Priced) -> Priced:
    assert check(bound(problem, zones), priced.fixed) == ()
    assert check(problem, priced.free) == ()
    assert priced.free.objective <= priced.fixed.objective
    return priced


def vehicles(problem: Problem, plan: Plan) -> set[str]:
    return {vehicle for vehicle, one in days(problem, plan).items() if one.trips}


def test_neighbours_in_two_zones_take_two_crews_in_zones_and_one_that_is_free() -> None:
    street = lane(*(household(f"h{n}") for n in range(4)), vehicles=(WEST, EAST))
    zones = zones_of(w=({"h0", "h2"}, {"west"}), e=({"h1", "h3"}, {"east"}))
    priced = judged(street, zones, price(street, zones, 200, 1))
    assert (priced.fixed.travel_s, priced.free.travel_s) == (600 + 800, 800)
    assert vehicles(street, priced.fixed) == {"west", "east"}
    assert len(vehicles(street, priced.free)) == 1
    assert (priced.notes, priced.is_cut) == ((), False)


def test_a_zone_without_a_crew_is_left_in_fixed_zones_and_served_by_free_crews() -> None:
    street = lane(*(household(f"h{n}") for n in range(3)), vehicles=(WEST,))
    zones = zones_of(w=({"h0"}, {"west"}), e=({"h1", "h2"}, set()))
    priced = judged(street, zones, price(street, zones, 100, 1))
    assert [left.stop for left in priced.fixed.unserved] == ["h1", "h2"]
    assert priced.free.unserved == ()


def test_a_crew_without_a_stop_is_no_zone_to_plan_and_helps_when_free() -> None:
    early = replace(WEST, shift=(8 * 3600, 8 * 3600 + 1200))
    street = lane(*(household(f"h{n}") for n in range(3)), vehicles=(early, EAST))
    zones = zones_of(w=({"h0", "h1", "h2"}, {"west"}), e=(set(), {"east"}))
    priced = judged(street, zones, price(street, zones, 100, 1))
    assert len(priced.fixed.unserved) == 1
    assert priced.free.unserved == ()


def test_the_same_again_gives_the_same_and_goes_through_json_in_a_child() -> None:
    day = zone(30, 3)
    stops, crews = [stop.id for stop in day.stops], [vehicle.id for vehicle in day.vehicles]
    zones = zones_of(a=(set(stops[::2]), set(crews[:1])), b=(set(stops[1::2]), set(crews[1:])))
    order = {"problem": day.to_plain(), "zones": [one.to_plain() for one in zones]}
    told = answer(json.loads(json.dumps({"price": order | {"iterations": 500, "seed": 3}})))
    assert Priced.from_plain(json.loads(json.dumps(told))) == judged(day, zones, price(day, zones, 500, 3))


@pytest.mark.parametrize(
    ("members", "what"),
    [
        ({"w": ({"h0", "h1"}, {"west"}), "e": ({"h1"}, set())}, "stop"),
        ({"w": ({"h0"}, {"west"})}, "stop"),
        ({"w": ({"h0", "h1"}, {"west"}), "e": (set(), {"west"})}, "vehicle"),
        ({"w": ({"h0", "h1"}, {"west", "other"})}, "vehicle"),
    ],
)
def test_what_lies_in_no_zone_or_in_two_is_no_question(
    members: dict[str, tuple[set[str], set[str]]], what: str
) -> None:
    street = lane(household("h0"), household("h1"), vehicles=(WEST,))
    with pytest.raises(ValueError, match=f"expected every {what} in one zone"):
        price(street, zones_of(**members), 10, 1)


def test_a_plan_that_leaves_its_zones_is_no_fixed_plan() -> None:
    street = lane(household("h0"), household("h1"), vehicles=(WEST, EAST))
    zones = zones_of(w=({"h0"}, {"west"}), e=({"h1"}, {"east"}))
    faults = check(bound(street, zones), {"west": [["h0", "h1"]]})
    assert [fault.code for fault in faults] == [Fault.VEHICLE_NOT_ALLOWED]


@settings(max_examples=25, deadline=None)
@given(tiny(), st.data())
def test_of_any_day_cut_into_any_zones_both_plans_hold_and_the_free_is_never_worse(
    problem: Problem, data: st.DataObject
) -> None:
    names = ("w", "e")
    of_stop = {stop.id: data.draw(st.sampled_from(names)) for stop in problem.stops}
    of_vehicle = {vehicle.id: data.draw(st.sampled_from(names)) for vehicle in problem.vehicles}
    zones = zones_of(
        **{
            name: (
                {stop for stop, at in of_stop.items() if at == name},
                {vehicle for vehicle, at in of_vehicle.items() if at == name},
            )
            for name in names
        }
    )
    judged(problem, zones, price(problem, zones, 50, 1))

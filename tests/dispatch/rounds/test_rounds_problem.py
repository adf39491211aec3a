"""What a zone's day looks like to routing: units, windows, limits and who may carry what."""

from dataclasses import replace
from datetime import date, time
from uuid import UUID

import pytest

from core import clock
from core.geo import Point
from cylinders.models import CylinderType
from dispatch.rounds.unserved import WORDS
from dispatch.rounds.zone_day import Crew, Door, problem_of, units_of
from routing import GreatCircle, Problem, Reason, check, solve

DAY = date(2024, 6, 12)
SITE = Point(121.41, 31.21)
SMALL = CylinderType(model="YSP35.5", units=1, nominal_g=15_000, needs_truck=False)
LARGE = CylinderType(model="YSP118", units=3, nominal_g=50_000, needs_truck=True)


def door(number: int, *brings: CylinderType, fetches: tuple[CylinderType, ...] | None = None) -> Door:
    return Door(
        order_id=UUID(int=number),
        point=Point(121.41 + number / 1000, 31.215),
        starts_at=clock.at(DAY, time(10)),
        ends_at=clock.at(DAY, time(12)),
        brings=brings,
        fetches=brings if fetches is None else fetches,
    )


def crew(number: int = 1, **changed: object) -> Crew:
    facts: dict[str, object] = {
        "binding_id": UUID(int=1000 + number),
        "profile": "etrike",
        "max_cylinders": 8,
        "max_nominal_g": 120_000,
        "max_trips": 6,
        "carries_50kg": False,
        "shift": (8 * 3600, 18 * 3600),
    }
    return Crew(**facts | changed)  # type: ignore[arg-type]  # a row of facts, changed by name


def problem(doors: list[Door], crews: list[Crew]) -> Problem:
    return problem_of(SITE, doors, crews, DAY, GreatCircle())


def test_a_stop_counts_units_and_its_window_in_seconds_of_the_day() -> None:
    [stop] = problem([door(1, LARGE, SMALL, fetches=(SMALL,))], [crew()]).stops
    assert (stop.delivers, stop.collects) == (4, 1)
    assert stop.window == (10 * 3600, 12 * 3600)


def test_a_card_without_a_bottle_gives_nothing_to_collect() -> None:
    [stop] = problem([door(1, SMALL, fetches=())], [crew()]).stops
    assert (stop.delivers, stop.collects) == (1, 0)


@pytest.mark.parametrize(
    ("most_bottles", "most_g", "heaviest_g", "units"),
    [
        (8, 120_000, 15_000, 8),
        (8, 60_000, 15_000, 4),
        (30, 600_000, 16_667, 30),
        (30, 200_000, 16_667, 11),
        (8, 14_999, 15_000, 0),
    ],
)
def test_units_never_promise_more_than_bottles_or_grams_allow(
    most_bottles: int, most_g: int, heaviest_g: int, units: int
) -> None:
    assert units_of(crew(max_cylinders=most_bottles, max_nominal_g=most_g), heaviest_g) == units


def test_doors_of_one_house_share_a_place() -> None:
    doors = [door(1, SMALL), door(2, SMALL), door(3, SMALL)]
    doors[2] = replace(doors[2], point=doors[0].point)
    shared = problem(doors, [crew()])
    assert shared.places == (1, 2, 1)
    assert shared.travel["etrike"].places == 3
    assert problem(doors[:2], [crew()]).places is None
    assert check(shared, solve(shared, 100, 1)) == ()


def test_a_vehicle_that_may_carry_nothing_ordered_is_left_at_home() -> None:
    assert problem([door(1, SMALL)], [crew(max_nominal_g=1_000)]).vehicles == ()


def test_a_50_kg_bottle_rides_only_where_it_may() -> None:
    trike, truck = crew(1), crew(2, profile="small_truck", carries_50kg=True, max_nominal_g=600_000)
    small, large = problem([door(1, SMALL), door(2, LARGE)], [trike, truck]).stops
    assert small.only_vehicles is None
    assert large.only_vehicles == frozenset({str(truck.binding_id)})


def test_without_a_truck_a_50_kg_order_comes_back_with_its_reason() -> None:
    found = problem([door(1, SMALL), door(2, LARGE)], [crew(max_nominal_g=600_000)])
    plan = solve(found, 100, 1)
    assert [(left.stop, left.reason) for left in plan.unserved] == [
        (str(UUID(int=2)), Reason.NO_VEHICLE_CAN_CARRY)
    ]
    assert not check(found, plan)


def test_the_order_of_doors_and_crews_does_not_change_the_problem() -> None:
    doors, crews = [door(n, SMALL) for n in (1, 2, 3)], [crew(n) for n in (1, 2)]
    assert problem(doors, crews) == problem(doors[::-1], crews[::-1])


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_of_routing_is_worded_in_both_languages(reason: Reason) -> None:
    assert WORDS[reason].zh
    assert WORDS[reason].en

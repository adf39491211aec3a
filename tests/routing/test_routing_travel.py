"""Providers made of others: what is remembered, and what is marked when the first choice fails."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from numpy.typing import ArrayLike

from routing import Cached, Fallback, GreatCircle, Matrix, Note, TravelTimes, TravelTimesFailed, check, solve
from tests.routing.courier_zones import household, lane

DOORS = [[121.40, 31.20], [121.41, 31.20], [121.40, 31.21]]


@dataclass
class Counting:
    """A provider that counts how often it is asked, and can be out of order."""

    name: str = "counting"
    datum: str = "wgs84"
    asked: list[str] = field(default_factory=list)
    is_broken: bool = False

    def matrix(self, points: ArrayLike, profile: str) -> Matrix:
        self.asked.append(profile)
        if self.is_broken:
            raise TravelTimesFailed("out of order")
        return GreatCircle().matrix(points, profile)


def test_the_same_doors_are_asked_for_once_and_others_anew() -> None:
    inner = Counting()
    cached: TravelTimes = Cached(inner)
    first = cached.matrix(DOORS, "etrike")
    assert cached.matrix(np.array(DOORS) + 1e-9, "etrike") is first
    assert inner.asked == ["etrike"]
    cached.matrix(DOORS, "small_truck")
    cached.matrix(DOORS[:2], "etrike")
    assert len(inner.asked) == 3
    assert (cached.name, cached.datum) == ("counting", "wgs84")


def test_the_longest_unasked_is_forgotten() -> None:
    inner = Counting()
    cached = Cached(inner, kept=2)
    for doors in (DOORS[:1], DOORS[:2], DOORS[:1], DOORS, DOORS[:1], DOORS[:2]):
        cached.matrix(doors, "etrike")
    assert len(inner.asked) == 4


def test_where_the_first_fails_the_second_answers_and_the_times_are_marked() -> None:
    first = Counting()
    times = Cached(Fallback(first, GreatCircle()))
    first.is_broken = True
    assert times.matrix(DOORS, "etrike").fell_back
    first.is_broken = False
    assert not times.matrix(DOORS, "etrike").fell_back
    assert times.name == "counting, else great-circle"


def test_what_the_second_refuses_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a profile"):
        Fallback(Counting(), GreatCircle()).matrix(DOORS, "walk")


def test_providers_of_two_datums_are_not_mixed() -> None:
    with pytest.raises(ValueError, match="expected providers of one datum, got 'gcj02' and 'wgs84'"):
        Fallback(Counting(datum="gcj02"), GreatCircle())


def test_a_plan_by_other_times_than_wanted_says_so() -> None:
    problem = replace(lane(household("a")), fell_back=True)
    plan = solve(problem, 10, 1)
    assert check(problem, plan) == ()
    assert plan.notes == (Note.TRAVEL_TIMES_FELL_BACK,)
    assert problem.digest != lane(household("a")).digest

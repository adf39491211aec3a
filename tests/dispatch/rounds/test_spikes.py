"""Fixes that cannot be true, and spans of a track: pure arithmetic, whatever the order of arrival."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from core.geo import Point
from dispatch.rounds.road_watch import Span, span_silent, spans_outside, spans_stopped
from dispatch.rounds.spikes import Fix, Limits, spikes
from tests.conftest import THE_DAY

LIMITS = Limits(most_kmh=90, least_m=300)
STREET_M = 0.0011
"""Some hundred metres, in degrees of latitude."""


def at(minute: float, hundreds: float, accuracy_m: int = 0) -> Fix:
    """A fix so many minutes into the day, so many hundred metres north of the station."""
    point = Point(121.41, 31.20 + hundreds * STREET_M)
    return Fix(THE_DAY + timedelta(minutes=minute), point, accuracy_m)


def found(track: Sequence[Fix]) -> str:
    return "".join("x" if one else "." for one in spikes(track, LIMITS))


@pytest.mark.parametrize(
    ("track", "expected"),
    [
        ([], ""),
        ([at(0, 0)], "."),
        ([at(0, 0), at(1, 3), at(2, 6)], "..."),
        ([at(0, 0), at(1, 200), at(2, 2)], ".x."),
        ([at(0, 0), at(1, 200)], ".x"),
        ([at(0, 0), at(1, 1), at(2, 200), at(3, 201)], "...."),
        ([at(0, 0), at(1, 200), at(2, 400), at(3, 1), at(4, 2)], ".xx.."),
        ([at(0, 200), at(1, 0), at(2, 1)], "x.."),
        ([at(0, 0), at(0, 200), at(0, 0)], ".x."),
        ([at(0, 0), at(0, 2), at(0, 3)], "..."),
        ([at(0, 0), at(1, 20, accuracy_m=2000), at(2, 1)], "..."),
        ([at(0, 0), at(20, 200), at(40, 0)], "..."),
    ],
    ids=[
        "nothing",
        "one",
        "a drive",
        "a spike",
        "the newest, not confirmed",
        "the newest, confirmed",
        "two in a row",
        "a first one that is contradicted",
        "far away in the same instant",
        "near in the same instant",
        "its own accuracy explains it",
        "far, with time to get there",
    ],
)
def test_a_fix_is_judged_by_its_neighbours_in_time(track: list[Fix], expected: str) -> None:
    assert found(track) == expected


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(-3, 3)), unique_by=lambda one: one[0], max_size=12))
def test_a_drive_through_streets_has_no_spike(steps: list[tuple[int, int]]) -> None:
    assert "x" not in found([at(minute, hundreds) for minute, hundreds in sorted(steps)])


ZONE = shapely.box(121.40, 31.195, 121.42, 31.21)
FIVE, HALF_AN_HOUR = timedelta(minutes=5), timedelta(minutes=30)


def moment(minute: float) -> datetime:
    return THE_DAY + timedelta(minutes=minute)


def test_outside_counts_only_for_long_enough_and_beyond_the_fixs_own_accuracy() -> None:
    def outside(*track: Fix) -> list[Span]:
        return list(spans_outside(track, ZONE, 300, FIVE))

    away, home = 30, 0
    assert outside(at(0, home), at(1, away), at(7, away), at(8, home)) == [Span(moment(1), moment(8))]
    assert outside(at(0, home), at(1, away), at(7, away)) == [Span(moment(1), None)]
    assert outside(at(1, away), at(4, away), at(8, home)) == [], "three minutes are a detour"
    assert outside(at(1, away, 3000), at(9, away, 3000)) == [], "it may well be inside"
    assert outside(at(1, 11), at(9, 11)) == [], "within the margin"


def test_stopped_is_in_one_place_and_not_at_the_station() -> None:
    station = at(0, 0).point

    def stopped(*track: Fix) -> list[Span]:
        return list(spans_stopped(track, station, 100, HALF_AN_HOUR))

    stand = [at(minute, 8) for minute in (10, 20, 30, 41)]
    assert stopped(at(0, 4), *stand, at(50, 15)) == [Span(moment(10), moment(50))]
    assert stopped(at(0, 4), *stand) == [Span(moment(10), None)]
    assert stopped(at(0, 0), at(60, 0)) == [], "at the station vehicles stand as long as they like"
    assert stopped(at(0, 4), at(10, 8), at(29, 8), at(31, 15)) == [], "a long visit"


def test_silence_counts_from_the_last_fix_and_from_the_start_of_who_has_sent_none() -> None:
    assert span_silent([], moment(600), FIVE) is None, "nobody knows when it set out"
    assert span_silent([], moment(7), FIVE, moment(3)) is None
    assert span_silent([], moment(8), FIVE, moment(3)) == Span(moment(3), None)
    assert span_silent([at(6, 0)], moment(8), FIVE, moment(0)) is None, "it has spoken since"
    assert span_silent([at(0, 0)], moment(4), FIVE) is None
    assert span_silent([at(0, 0)], moment(5), FIVE) == Span(moment(0), None)

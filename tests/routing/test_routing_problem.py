"""What a problem is: checked when built, never changed afterwards, named by its content."""

import json
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest

from routing import GreatCircle, Matrix, Problem, TravelTimes
from tests.routing.courier_zones import HOUR, MORNING, TRIKE, household, lane, zone

HOME = household("home")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"id": ""}, "a stop's id to be a string that is not empty"),
        ({"delivers": -1}, "delivers of stop 'home' to be a whole number from 0"),
        ({"collects": 1.0}, "collects of stop 'home' to be a whole number"),
        ({"delivers": True}, "delivers of stop 'home' to be a whole number"),
        ({"service_s": -60}, "service_s of stop 'home'"),
        ({"window": (MORNING + 1, MORNING)}, f"the last of window of stop 'home', .* from {MORNING + 1} to"),
        ({"window": (0, 1_718_000_000)}, "seconds since midnight to be a whole number from 0 to 172800"),
        ({"window": MORNING}, "window of stop 'home' to be a pair"),
        ({"penalty": -1}, "penalty of stop 'home'"),
        ({"only_vehicles": "truck-1"}, "only_vehicles of stop 'home' to be a set of ids"),
    ],
)
def test_a_bad_stop_is_refused_with_what_was_expected(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        replace(HOME, **changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"capacity": 0}, "capacity of vehicle 'trike-1' to be a whole number from 1"),
        ({"max_trips": 0}, "max_trips of vehicle 'trike-1' to be a whole number from 1"),
        ({"shift": (2 * HOUR, HOUR)}, "the last of shift of vehicle 'trike-1'"),
        ({"profile": None}, "profile of vehicle 'trike-1' to be a string"),
    ],
)
def test_a_bad_vehicle_is_refused_with_what_was_expected(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        replace(TRIKE, **changes)


def test_stops_and_vehicles_have_ids_of_their_own() -> None:
    with pytest.raises(ValueError, match=r"expected every stop once, got \['home'\]"):
        lane(HOME, HOME)
    with pytest.raises(ValueError, match=r"expected every vehicle once, got \['trike-1'\]"):
        lane(HOME, vehicles=(TRIKE, TRIKE))


def test_every_vehicle_needs_a_matrix_and_every_matrix_all_places() -> None:
    good = lane(HOME)
    with pytest.raises(ValueError, match="expected a travel matrix for 'helicopter'"):
        replace_problem(good, vehicles=(replace(TRIKE, profile="helicopter"),))
    with pytest.raises(ValueError, match=r"over 2 places \(station, stops\), got 3"):
        replace_problem(good, travel={"etrike": Matrix(np.zeros((3, 3), int), np.zeros((3, 3), int))})


@pytest.mark.parametrize(
    ("seconds", "metres", "expected"),
    [
        ([[0, 5]], [[0, 5]], "whole numbers"),
        ([[0, 5], [5]], [[0, 5], [5, 0]], "whole numbers"),
        ([[0, 5.5], [5, 0]], [[0, 5], [5, 0]], "whole numbers"),
        ([[0, None], [5, 0]], [[0, 5], [5, 0]], "whole numbers"),
        ([[0, -2], [5, 0]], [[0, -2], [5, 0]], "-1 or more"),
        ([[0, 2**31], [5, 0]], [[0, 5], [5, 0]], "got 0 to 2147483648"),
        ([[1, 5], [5, 0]], [[0, 5], [5, 0]], "zero from a place to itself"),
        ([[0, -1], [5, 0]], [[0, 5], [5, 0]], "at the same pairs"),
        ([[0]], [[0, 5], [5, 0]], "of one shape"),
    ],
)
def test_a_bad_matrix_is_refused_with_what_was_expected(seconds: Any, metres: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        Matrix(seconds, metres)


def test_a_pair_without_a_way_is_not_reachable() -> None:
    matrix = Matrix(np.array([[0, -1], [5, 0]]), np.array([[0, -1], [20, 0]]))
    assert matrix.reachable.tolist() == [[True, False], [True, True]]


def test_nothing_in_a_problem_can_be_changed() -> None:
    seconds = np.array([[0, 5], [5, 0]])
    matrix = Matrix(seconds, seconds)
    seconds[0, 1] = 99
    assert matrix.seconds.tolist() == [[0, 5], [5, 0]]
    with pytest.raises(ValueError, match="read-only"):
        matrix.seconds[0, 1] = 99
    problem = lane(HOME)
    with pytest.raises(FrozenInstanceError):
        problem.reload_s = 0  # type: ignore[misc]  # that it fails is the point
    with pytest.raises(TypeError):
        problem.travel["walk"] = matrix  # type: ignore[index]  # likewise


def test_the_digest_names_all_of_the_content() -> None:
    problem = lane(HOME, household("other"))
    assert problem.digest == lane(HOME, household("other")).digest
    assert problem == lane(HOME, household("other"))
    changed = [
        replace_problem(problem, reload_s=481),
        replace_problem(problem, stops=tuple(reversed(problem.stops))),
        replace_problem(problem, vehicles=(replace(TRIKE, capacity=9),)),
        replace_problem(problem, travel={**problem.travel, "walk": problem.travel["etrike"]}),
        lane(HOME, household("other"), holes=[(1, 2)]),
        replace_problem(problem, travel={"etrike": farther(problem.travel["etrike"])}),
        replace_problem(problem, travel={"etrike": problem.travel["etrike"]}),
        lane(replace(HOME, only_vehicles=frozenset({"trike-1"})), household("other")),
    ]
    assert len({problem.digest, *(other.digest for other in changed)}) == len(changed) + 1


def test_a_problem_survives_json() -> None:
    problem = zone(80, seed=1)
    again = Problem.from_plain(json.loads(json.dumps(problem.to_plain())))
    assert again == problem
    assert again.stops == problem.stops
    assert again.vehicles == problem.vehicles
    assert again.travel == problem.travel


def test_json_with_a_missing_or_an_unknown_key_is_refused() -> None:
    plain = lane(HOME).to_plain()
    with pytest.raises(ValueError, match=r"missing \['reload_s'\], unknown \['reload'\]"):
        Problem.from_plain({**{k: v for k, v in plain.items() if k != "reload_s"}, "reload": 480})
    with pytest.raises(ValueError, match="expected a stop to be an object"):
        Problem.from_plain({**plain, "stops": [["home"]]})


STATION_AND_TWO_DOORS = [[121.40, 31.20], [121.41, 31.20], [121.40, 31.21]]


def test_great_circle_travel_follows_from_circuity_speed_and_overhead() -> None:
    """A hundredth of a degree of latitude is 1,112 m: × 1.35 at 14 km/h and 25 s, or at 19 km/h and 45 s."""
    provider: TravelTimes = GreatCircle()
    assert (provider.name, provider.datum) == ("great-circle", "wgs84")
    trike = provider.matrix(STATION_AND_TWO_DOORS, "etrike")
    truck = provider.matrix(STATION_AND_TWO_DOORS, "small_truck")
    assert trike.metres[0].tolist() == [0, 1284, 1501]
    assert trike.seconds[0].tolist() == [0, 355, 411]
    assert truck.seconds[0].tolist() == [0, 288, 329]
    assert (trike.seconds == trike.seconds.T).all()
    assert trike.reachable.all()


def test_two_households_at_one_point_are_no_time_apart() -> None:
    matrix = GreatCircle().matrix([[121.4, 31.2], [121.4, 31.2]], "etrike")
    assert not matrix.seconds.any()


@pytest.mark.parametrize("points", [[[31.2, 121.4]], [[121.4, float("nan")]], [121.4, 31.2], [[121.4]]])
def test_points_that_are_no_lon_lat_are_refused(points: Any) -> None:
    with pytest.raises(ValueError, match=r"\[lon, lat\]"):
        GreatCircle().matrix(points, "etrike")


def test_a_profile_nobody_drives_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected a profile of \['etrike', 'small_truck'\], got 'walk'"):
        GreatCircle().matrix(STATION_AND_TWO_DOORS, "walk")


def farther(matrix: Matrix) -> Matrix:
    """The same seconds over twice the metres."""
    return Matrix(matrix.seconds, matrix.metres * 2)


def replace_problem(problem: Problem, **changes: Any) -> Problem:
    kept = {name: getattr(problem, name) for name in ("stops", "vehicles", "reload_s", "travel")}
    return Problem(**{**kept, **changes})

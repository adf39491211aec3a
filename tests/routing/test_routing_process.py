"""One problem, one process: what dispatch runs for each zone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from routing import Plan, check, solve
from tests.routing.courier_zones import household, lane, zone

CHECKOUT = Path(__file__).parents[2]


def run(text: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "routing"]
    return subprocess.run(command, cwd=CHECKOUT, input=text, capture_output=True, text=True, check=False)


def test_a_fresh_process_gives_the_same_plan() -> None:
    """Twice, since each process has its own hash seed and its own memory layout."""
    problem = zone(60, seed=4)
    order = json.dumps({"problem": problem.to_plain(), "iterations": 10_000, "seed": 7})
    here = solve(problem, 10_000, 7)
    for _ in range(2):
        done = run(order)
        assert done.returncode == 0, done.stderr
        assert Plan.from_plain(json.loads(done.stdout)) == here
    assert check(problem, here) == ()


def test_warm_routes_reach_the_solver() -> None:
    problem = lane(household("a"), household("b"))
    warm = {"trike-1": [["b"], ["a"]]}
    order = {"problem": problem.to_plain(), "iterations": 0, "seed": 1, "warm": warm}
    plan = Plan.from_plain(json.loads(run(json.dumps(order)).stdout))
    assert plan.routes == {"trike-1": (("b",), ("a",))}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "Expecting value"),
        ("[]", "expected the input to be an object"),
        ('{"iterations": 1}', "missing ['problem', 'seed']"),
        ('{"problem": {}, "iterations": 1, "seed": 1}', "expected a problem to have"),
        ('{"problem": 1, "iterations": 1, "seed": 1, "warm": []}', "expected routes to be an object"),
    ],
)
def test_bad_input_is_one_line_and_exit_two(text: str, expected: str) -> None:
    done = run(text)
    assert done.returncode == 2
    assert done.stdout == ""
    assert expected in done.stderr
    assert done.stderr.startswith("routing: ")
    assert done.stderr.count("\n") == 1

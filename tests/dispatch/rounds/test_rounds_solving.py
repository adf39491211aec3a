"""The solver's process: whatever it does, we get a plan or a "try again", and nothing of it lives on."""

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.problems import Busy
from dispatch.rounds import solving
from routing import check
from tests.dispatch.rounds.test_rounds_problem import SMALL, crew, door, problem

pytestmark = pytest.mark.solver_apart

PROBLEM = problem([door(number, SMALL) for number in (1, 2, 3)], [crew()])


def child(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(solving, "SOLVER", (sys.executable, "-c", program))


def test_a_problem_is_solved_in_a_process_of_its_own() -> None:
    plan = solving.solve_apart(PROBLEM, 200, 1)
    assert not check(PROBLEM, plan)
    assert plan.problem == PROBLEM.digest


def test_a_child_that_answers_another_order_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    another = (
        "import json, sys\n"
        "from routing.__main__ import answer\n"
        "order = json.load(sys.stdin)\n"
        "print(json.dumps(answer(order | {'seed': order['seed'] + 1})))"
    )
    child(monkeypatch, another)
    with pytest.raises(Busy):
        solving.solve_apart(PROBLEM, 10, 1)


def test_the_child_is_given_none_of_our_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LPG_OWNER_URL", "postgresql://secret")
    seen = tmp_path / "environ"
    child(monkeypatch, f"import os; open({str(seen)!r}, 'w').write(repr(dict(os.environ)))")
    with pytest.raises(Busy):
        solving.solve_apart(PROBLEM, 10, 1)
    assert "LPG_" not in seen.read_text()


@pytest.mark.parametrize(
    "program",
    [
        "raise SystemExit(1)",
        "print('no plan at all')",
        "print('{\"problem\": 1}')",
        "print('[' * 100000)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "",
    ],
)
def test_a_child_that_fails_is_busy_and_never_an_error_of_ours(
    monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    child(monkeypatch, program)
    with pytest.raises(Busy):
        solving.solve_apart(PROBLEM, 10, 1)


def test_a_child_that_never_stops_talking_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving, "MOST_ANSWER_BYTES", 100_000)
    child(monkeypatch, "while True: print('x' * 10000)")
    with pytest.raises(Busy):
        solving.solve_apart(PROBLEM, 10, 1)


def test_a_child_that_hangs_is_killed_with_all_it_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pids, guard = tmp_path / "pids", solving._guard

    def once_both_hang(*given: Any) -> None:
        wait_until(lambda: pids.exists() and " " in pids.read_text())
        guard(*given)

    monkeypatch.setattr(solving, "_guard", once_both_hang)
    monkeypatch.setattr(solving, "WALL_GUARD_S", 0.2)
    child(
        monkeypatch,
        "import os, subprocess, sys, time\n"
        "other = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(90)'])\n"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{other.pid}}')\n"
        "time.sleep(90)",
    )
    with pytest.raises(Busy):
        solving.solve_apart(PROBLEM, 10, 1)
    wait_until(lambda: not [pid for pid in pids.read_text().split() if is_running(int(pid))])


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """A signal is sent at once and heeded soon."""
    given_up_at = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < given_up_at
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """A killed process may stay a zombie until its new parent looks."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


def test_more_plans_at_once_than_there_are_places_are_asked_to_wait(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    child(monkeypatch, f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)")
    answers: list[Exception] = []

    def solve() -> None:
        try:
            solving.solve_apart(PROBLEM, 10, 1)
        except Busy as busy:
            answers.append(busy)

    waiting = [threading.Thread(target=solve) for _ in range(solving.AT_ONCE)]
    for thread in waiting:
        thread.start()
    while solving._places.acquire(blocking=False):
        solving._places.release()
        time.sleep(0.01)
    with pytest.raises(Busy):
        solving.solve_apart(PROBLEM, 10, 1)
    gate.touch()
    for thread in waiting:
        thread.join(timeout=30)
    assert len(answers) == solving.AT_ONCE
    assert solving._places.acquire(blocking=False)  # the places are free again
    solving._places.release()

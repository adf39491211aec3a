"""Have one problem solved in a process of its own, so that no solver can harm the service.

The child gets the problem on stdin and answers on stdout. It is killed, with all it started, when it takes
longer than the guard or says more than it may. What it answers is believed only after ``routing.check``.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

import structlog

import routing
from core.problems import Busy
from routing import Plan, Problem

SOLVER = (sys.executable, "-m", "routing")
WALL_GUARD_S = 60.0
MOST_ANSWER_BYTES = 16 * 1024 * 1024
AT_ONCE = 2
TRY_AGAIN_S = 30

_CHECKOUT = Path(routing.__file__).resolve().parent.parent
_places = threading.BoundedSemaphore(AT_ONCE)

log = structlog.get_logger()


class SolverFailed(Exception):
    """The child hung, died, or answered what is no plan."""


def solve_apart(problem: Problem, iterations: int, seed: int) -> Plan:
    """The child's plan, not yet checked. ``Busy`` when the solver cannot be had, or failed."""
    if not _places.acquire(blocking=False):
        raise Busy(TRY_AGAIN_S)
    try:
        return _plan_of(problem, iterations, seed)
    except SolverFailed as failed:
        log.error("solver.failed", why=str(failed), problem=problem.digest)
        raise Busy(TRY_AGAIN_S) from failed
    finally:
        _places.release()


def _plan_of(problem: Problem, iterations: int, seed: int) -> Plan:
    order = {"problem": problem.to_plain(), "iterations": iterations, "seed": seed}
    answer = _ask_child(json.dumps(order).encode())
    try:
        plan = Plan.from_plain(json.loads(answer))
    except (ValueError, TypeError, KeyError, RecursionError) as unreadable:
        raise SolverFailed(f"no plan: {type(unreadable).__name__}") from unreadable
    if (plan.iterations, plan.seed, plan.warm) != (iterations, seed, None):
        raise SolverFailed("answers another order: whoever repeats ours would find another plan")
    return plan


def _ask_child(order: bytes) -> bytes:
    """What the child wrote before it ended with exit 0."""
    # A file, not a pipe: a child that writes before it reads cannot make us wait for each other.
    with tempfile.TemporaryFile() as question:
        question.write(order)
        question.seek(0)
        return _answer(question)


def _answer(question: IO[bytes]) -> bytes:
    child = subprocess.Popen(
        SOLVER,
        stdin=question,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=_CHECKOUT,
        # Nothing of our settings: the child needs no database and no keys.
        env={"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"},
        start_new_session=True,
    )
    guard = threading.Timer(WALL_GUARD_S, _kill, [child])
    guard.daemon = True
    guard.start()
    assert child.stdout is not None
    try:
        answer = child.stdout.read(MOST_ANSWER_BYTES + 1)
        if len(answer) > MOST_ANSWER_BYTES:
            raise SolverFailed("the answer is too long")
        # Ended, but not yet reaped: until then its number cannot become another's, and may be killed.
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    finally:
        guard.cancel()
        guard.join()
        _kill(child)
        code = child.wait()
        child.stdout.close()
    if code != 0:
        raise SolverFailed(f"ended with {code}")
    return answer


def _kill(child: subprocess.Popen[bytes]) -> None:
    """The child and all it started; nothing if they are gone."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)

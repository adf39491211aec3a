"""Have one problem solved in a process of its own, so that no solver can harm the service.

The child gets the problem on stdin and answers on stdout. It is killed, with all it started, when it takes
longer than the guard or says more than it may, or when nobody wants its answer any more (``jobs.Unwanted``,
which is no failure). What it answers is believed only after ``routing.check``.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypeVar

import structlog

import routing
from core.jobs import Unwanted
from core.problems import Busy
from routing import (
    Crew,
    Districts,
    Need,
    Plan,
    Priced,
    PricedZone,
    Problem,
    Replanned,
    Roster,
    Routes,
    Unit,
)

SOLVER = (sys.executable, "-m", "routing")
WALL_GUARD_S = 60.0
MOST_ANSWER_BYTES = 16 * 1024 * 1024
AT_ONCE = 2
TRY_AGAIN_S = 30
LOOK_EVERY_S = 0.5

_CHECKOUT = Path(routing.__file__).resolve().parent.parent
_places = threading.BoundedSemaphore(AT_ONCE)

log = structlog.get_logger()

Answered = TypeVar("Answered")


class SolverFailed(Exception):
    """The child hung, died, or answered what is no plan."""


Wanted = Callable[[], bool]
Change = Mapping[str, str]
"""``urgent``: a stop's id, or ``lost``: a vehicle's."""


def solve_apart(problem: Problem, iterations: int, seed: int, is_wanted: Wanted | None = None) -> Plan:
    """The child's plan, not yet checked. ``Busy`` when the solver cannot be had, or failed.

    ``is_wanted`` is asked now and then; where it says no the child is killed, and that is ``Unwanted``.
    """
    with _a_place(problem=problem.digest):
        return _plan_of(problem, iterations, seed, is_wanted)


def replan_apart(problem: Problem, standing: Routes, change: Change, iterations: int, seed: int) -> Replanned:
    """A day under way with this change, by a child, not yet checked. ``Busy`` as ``solve_apart``."""
    order = {
        "problem": problem.to_plain(),
        "iterations": iterations,
        "seed": seed,
        "standing": {vehicle: [list(trip) for trip in trips] for vehicle, trips in standing.items()},
        **change,
    }
    with _a_place(problem=problem.digest):
        return _read(Replanned.from_plain, _ask_child(json.dumps(order).encode()))


def districts_apart(
    units: Sequence[Unit], zones: int, seed: int, is_wanted: Wanted | None = None
) -> Districts:
    """The child's division of the ground into zones. ``Busy`` as ``solve_apart``, and ``is_wanted`` too."""
    order = {"districts": {"units": [unit.to_plain() for unit in units], "zones": zones, "seed": seed}}
    with _a_place(units=len(units), zones=zones):
        found = _read(Districts.from_plain, _ask_child(json.dumps(order).encode(), is_wanted))
        if found.zone_of.keys() != {unit.id for unit in units} or len(found.loads) != zones:
            raise SolverFailed("divides other ground than was asked")
        return found


def roster_apart(
    crews: Sequence[Crew], needs: Sequence[Need], seed: int, is_wanted: Wanted | None = None
) -> Roster:
    """The child's roster: every crew once at most, where it may work. ``Busy`` as ``solve_apart``."""
    order = {
        "roster": {
            "crews": [crew.to_plain() for crew in crews],
            "needs": [need.to_plain() for need in needs],
            "seed": seed,
        }
    }
    with _a_place(crews=len(crews), needs=len(needs)):
        found = _read(Roster.from_plain, _ask_child(json.dumps(order).encode(), is_wanted))
        able = {crew.id: crew for crew in crews}
        asked = {(need.zone, need.shift) for need in needs}
        if len({line.crew for line in found.lines}) != len(found.lines) or any(
            line.crew not in able
            or (line.zone, line.shift) not in asked
            or not able[line.crew].may_work(line.shift)
            for line in found.lines
        ):
            raise SolverFailed("rosters somebody twice, or where they may not work")
        return found


def price_apart(
    problem: Problem,
    zones: Sequence[PricedZone],
    iterations: int,
    seed: int,
    is_wanted: Wanted | None = None,
) -> Priced:
    """The day with every crew in its zone, and with the same crews free; not yet checked, as all plans."""
    order = {
        "price": {
            "problem": problem.to_plain(),
            "zones": [zone.to_plain() for zone in zones],
            "iterations": iterations,
            "seed": seed,
        }
    }
    with _a_place(problem=problem.digest):
        return _read(Priced.from_plain, _ask_child(json.dumps(order).encode(), is_wanted))


@contextmanager
def _a_place(**what: Any) -> Iterator[None]:
    """One of the few places for solvers; a failure in it is an alarm for us, and ``Busy`` for who asked."""
    if not _places.acquire(blocking=False):
        raise Busy(TRY_AGAIN_S)
    try:
        yield
    except SolverFailed as failed:
        log.error("solver.failed", why=str(failed), **what)
        raise Busy(TRY_AGAIN_S) from failed
    finally:
        _places.release()


def _plan_of(problem: Problem, iterations: int, seed: int, is_wanted: Wanted | None) -> Plan:
    order = {"problem": problem.to_plain(), "iterations": iterations, "seed": seed}
    plan = _read(Plan.from_plain, _ask_child(json.dumps(order).encode(), is_wanted))
    if (plan.iterations, plan.seed, plan.warm) != (iterations, seed, None):
        raise SolverFailed("answers another order: whoever repeats ours would find another plan")
    return plan


def _read(from_plain: Callable[[Any], Answered], answer: bytes) -> Answered:
    try:
        return from_plain(json.loads(answer))
    except (ValueError, TypeError, KeyError, RecursionError) as unreadable:
        raise SolverFailed(f"no answer: {type(unreadable).__name__}") from unreadable


def _ask_child(order: bytes, is_wanted: Wanted | None = None) -> bytes:
    """What the child wrote before it ended with exit 0."""
    # A file, not a pipe: a child that writes before it reads cannot make us wait for each other.
    with tempfile.TemporaryFile() as question:
        question.write(order)
        question.seek(0)
        return _answer(question, is_wanted)


def _answer(question: IO[bytes], is_wanted: Wanted | None) -> bytes:
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
    # Should we be killed ourselves, nobody guards it any more: then it ends when it has worked too long.
    with suppress(ProcessLookupError):
        resource.prlimit(child.pid, resource.RLIMIT_CPU, (int(WALL_GUARD_S) + 1,) * 2)
    ended, unwanted = threading.Event(), threading.Event()
    guard = threading.Thread(target=_guard, args=(child, ended, is_wanted, unwanted), daemon=True)
    guard.start()
    assert child.stdout is not None
    try:
        answer = child.stdout.read(MOST_ANSWER_BYTES + 1)
        if len(answer) > MOST_ANSWER_BYTES:
            raise SolverFailed("the answer is too long")
        # Ended, but not yet reaped: until then its number cannot become another's, and may be killed.
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    finally:
        ended.set()
        guard.join()
        _kill(child)
        code = child.wait()
        child.stdout.close()
    if unwanted.is_set():
        raise Unwanted
    if code != 0:
        raise SolverFailed(f"ended with {code}")
    return answer


def _guard(
    child: subprocess.Popen[bytes],
    ended: threading.Event,
    is_wanted: Wanted | None,
    unwanted: threading.Event,
) -> None:
    """Kill a child that takes too long, or whose answer nobody wants any more: then ``unwanted`` is set."""
    left_s = WALL_GUARD_S
    while left_s > 0:
        if is_wanted is not None and not is_wanted():
            unwanted.set()
            break
        pause_s = min(LOOK_EVERY_S if is_wanted else left_s, left_s)
        if ended.wait(pause_s):
            return
        left_s -= pause_s
    _kill(child)


def _kill(child: subprocess.Popen[bytes]) -> None:
    """The child and all it started; nothing if they are gone."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)

"""Application and raw psycopg by turns, on two clones of one database that must end alike.

Raw psycopg sends what the application sent one turn before, with the same parameters, so that both do the
same work with the same effect; who goes first alternates, so that the noise of a shared machine hits both.
The warm-up is run in the same way and left out of the figures. At the end the two databases must hold the
same rows, to the last column.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from bench.operation import Operation
from bench.recorded import Recorder, Step, replay, statements, transactions
from bench.stand import Stand
from cylinders.ask_log import ASKS

T = TypeVar("T")

ASKS_EVERY = 100
"""Turns between two writings of the log of asks; it would write by itself at 500."""


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds on the wall, and of them those in which this process worked (it did not wait)."""

    wall_s: float
    cpu_s: float


@dataclass(slots=True)
class Race:
    """One figure an operation. ``sent`` and ``transactions`` are of the application and of raw alike."""

    operation: str
    warm_up: int
    app: list[Took] = field(default_factory=list)
    raw: list[Took] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)
    transactions: list[int] = field(default_factory=list)
    asks_s: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """How many times as long the application takes, median by median."""
        return median_wall_s(self.app) / median_wall_s(self.raw)

    @property
    def cpu_ratio(self) -> float:
        return median_cpu_s(self.app) / median_cpu_s(self.raw)


def median_wall_s(figures: Sequence[Took]) -> float:
    return statistics.median(one.wall_s for one in figures)


def median_cpu_s(figures: Sequence[Took]) -> float:
    return statistics.median(one.cpu_s for one in figures)


class Unlike(Exception):
    """The two databases do not hold the same after the same work."""


def race(stand: Stand, operation: Operation, *, warm_up: int, count: int, first: int = 0) -> Race:
    """``count`` measured operations after ``warm_up``; the operations are numbered from ``first``."""
    ours, theirs = stand.clone(), stand.clone()
    run = Race(operation.name, warm_up)
    with stand.house(ours) as house, stand.raw(theirs) as connection:
        recorder = Recorder(house.ground.sessions.kw["bind"])
        before: list[Step] = []
        for turn in range(warm_up + count + 1):
            ready = operation.ready(house, first + turn) if turn < warm_up + count else None
            recorder.take()

            def app_turn(ready: Callable[[], object] | None = ready) -> None:
                if ready is not None:
                    took, outcome = _timed(ready)
                    operation.check(outcome)
                    run.app.append(took)

            def raw_turn(before: list[Step] = before) -> None:
                if before:
                    run.raw.append(_timed(lambda: replay(connection, before))[0])
                    run.sent.append(len(statements(before)))
                    run.transactions.append(transactions(before))

            for take_turn in (app_turn, raw_turn) if turn % 2 else (raw_turn, app_turn):
                take_turn()
            before = recorder.take()
            if turn % ASKS_EVERY == 0 or turn == warm_up + count:
                _write_asks(run, recorder, lambda steps: replay(connection, steps))
        recorder.close()
    _must_be_alike(stand, ours, theirs)
    return _without(run, warm_up)


def _timed(work: Callable[[], T]) -> tuple[Took, T]:
    wall_s, cpu_s = time.perf_counter(), time.thread_time()
    outcome = work()
    return Took(time.perf_counter() - wall_s, time.thread_time() - cpu_s), outcome


def _write_asks(run: Race, recorder: Recorder, do_again: Callable[[list[Step]], None]) -> None:
    """What a thread writes behind the answers every second is written here, by turns and apart."""
    took, written = _timed(ASKS.flush)
    if written:
        run.asks_s.append(took.wall_s / written)
        do_again(recorder.take())


def _must_be_alike(stand: Stand, ours: str, theirs: str) -> None:
    held, replayed = stand.contents(ours), stand.contents(theirs)
    unlike = {name: (held[name], replayed[name]) for name in held if held[name] != replayed[name]}
    if unlike:
        raise Unlike(f"rows and their digest (application, raw psycopg): {unlike}")


def _without(run: Race, warm_up: int) -> Race:
    for figures in (run.app, run.raw, run.sent, run.transactions):
        del figures[:warm_up]
    return run

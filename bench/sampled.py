"""Where the application's own time goes: its stack looked at every millisecond while it works.

A signal asks the main thread where it is; the time between two looks goes to the innermost frame that
belongs to somebody we name. Unlike a tracing profiler this costs what is called often no more than what is
called once, so that the shares are those of the real run (a percent or so goes to the looking).

Looked at twice: by the wall's clock, which also runs while we wait for PostgreSQL or for a core, and by the
process's own, which runs only while it works.
"""

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType

from bench.operation import Operation
from bench.stand import Stand
from core.config import CHECKOUT

EVERY_S = 0.001

_PACKAGES = {
    "sqlalchemy": "SQLAlchemy",
    # One word for both: psycopg waits in C, and a signal is heard only when it is back in Python.
    "psycopg": "psycopg, and PostgreSQL behind it",
    "flask": "Flask and Werkzeug",
    "werkzeug": "Flask and Werkzeug",
    "flask_smorest": "marshmallow, webargs, flask-smorest",
    "marshmallow": "marshmallow, webargs, flask-smorest",
    "webargs": "marshmallow, webargs, flask-smorest",
    "apispec": "marshmallow, webargs, flask-smorest",
    "structlog": "structlog",
    "cattrs": "rulebook and gates",
    "rfc8785": "evidence",
}
_ROOMS = ("core", "evidence", "registry", "cylinders", "dispatch", "oversight", "web")


@dataclass(slots=True)
class Looks:
    """``own`` by whom we name, ``within`` by function of ours (all that it called included)."""

    is_open: bool = False
    count: int = 0
    own: Counter[str] = field(default_factory=Counter)
    within: Counter[str] = field(default_factory=Counter)

    def share(self, name: str) -> float:
        return (self.own[name] + self.within[name]) / max(self.count, 1)


@dataclass(frozen=True, slots=True)
class Sampled:
    wall: Looks
    cpu: Looks

    def owners(self) -> list[str]:
        """Whoever has a part of the time, the largest first."""
        return [name for name, _ in self.wall.own.most_common()]

    def longest(self, most: int) -> list[str]:
        """The functions of ours in which the most time is spent."""
        return [name for name, _ in self.wall.within.most_common(most)]


def sample(stand: Stand, operation: Operation, *, warm_up: int, count: int) -> Sampled:
    wall = _looks(stand, operation, warm_up, count, signal.ITIMER_REAL, signal.SIGALRM)
    return Sampled(wall, _looks(stand, operation, warm_up, count, signal.ITIMER_PROF, signal.SIGPROF))


def _looks(
    stand: Stand,
    operation: Operation,
    warm_up: int,
    count: int,
    timer: int,
    told_by: signal.Signals,
) -> Looks:
    found = Looks()
    with stand.house(stand.clone()) as house, _every_moment(found, timer, told_by):
        for i in range(warm_up + count):
            ready = operation.ready(house, i)
            found.is_open = i >= warm_up
            outcome = ready()
            found.is_open = False
            operation.check(outcome)
    return found


@contextmanager
def _every_moment(found: Looks, timer: int, told_by: signal.Signals) -> Iterator[None]:
    def look(_: int, frame: FrameType | None) -> None:
        if found.is_open:
            _note(found, frame)

    before = signal.signal(told_by, look)
    signal.setitimer(timer, EVERY_S, EVERY_S)
    try:
        yield
    finally:
        signal.setitimer(timer, 0)
        signal.signal(told_by, before)


def _note(found: Looks, frame: FrameType | None) -> None:
    found.count += 1
    owner, within = None, set()
    while frame is not None:
        named, ours = _belongs(frame.f_code.co_filename, frame.f_code.co_qualname)
        owner = owner or named
        if ours:
            within.add(ours)
        frame = frame.f_back
    found.own[owner or "other"] += 1
    found.within.update(within)


@cache
def _belongs(file: str, function: str) -> tuple[str | None, str | None]:
    """To whom a frame's own time goes (None: to its caller), and our function's name if it is ours."""
    path = Path(file)
    if path.is_relative_to(CHECKOUT) and ".venv" not in path.parts:
        return _ours(path.relative_to(CHECKOUT), function)
    if "site-packages" not in path.parts:
        return None, None
    package = path.parts[path.parts.index("site-packages") + 1]
    return _PACKAGES.get(package), None


def _ours(path: Path, function: str) -> tuple[str | None, str | None]:
    room = path.parts[0]
    name = f"{path.with_suffix('').as_posix().replace('/', '.')}.{function}"
    if room == "rulebook" or path.stem.endswith("_gate"):
        return "rulebook and gates", name
    if room in _ROOMS:
        return room, name
    return ("core", name) if path.name == "app.py" else (None, None)

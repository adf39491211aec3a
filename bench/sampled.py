"""Where the application's own time goes: its stack looked at every millisecond while it works.

A signal asks the main thread where it is; the time between two looks goes to the innermost frame that
belongs to somebody we name. Unlike a tracing profiler this costs what is called often no more than what is
called once, so that the shares are those of the real run (a percent or so goes to the looking).
"""

import signal
import time
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
class Sampled:
    """``own`` by whom we name, ``within`` by function of ours (all that it called included): looks each."""

    operations: int
    looks: int = 0
    took_s: float = 0.0
    own: Counter[str] = field(default_factory=Counter)
    within: Counter[str] = field(default_factory=Counter)

    def shares(self) -> list[tuple[str, float]]:
        return [(name, count / self.looks) for name, count in self.own.most_common()]

    def longest(self, most: int) -> list[tuple[str, float]]:
        return [(name, count / self.looks) for name, count in self.within.most_common(most)]


def sample(stand: Stand, operation: Operation, *, warm_up: int, count: int, first: int = 0) -> Sampled:
    found = Sampled(count)
    with stand.house(stand.clone()) as house:
        for i in range(first, first + warm_up + count):
            ready = operation.ready(house, i)
            if i < first + warm_up:
                operation.check(ready())
                continue
            with _looking(found):
                outcome = ready()
            operation.check(outcome)
    return found


@contextmanager
def _looking(found: Sampled) -> Iterator[None]:
    def look(_: int, frame: FrameType | None) -> None:
        _note(found, frame)

    before = signal.signal(signal.SIGALRM, look)
    started_at = time.perf_counter()
    # The first look falls at any time within a millisecond, so that short operations are seen evenly.
    signal.setitimer(signal.ITIMER_REAL, EVERY_S * (0.05 + time.perf_counter_ns() % 1000 / 1000), EVERY_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        found.took_s += time.perf_counter() - started_at
        signal.signal(signal.SIGALRM, before)


def _note(found: Sampled, frame: FrameType | None) -> None:
    found.looks += 1
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

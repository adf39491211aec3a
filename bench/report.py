"""The table a person reads, ratios first, and the same as JSON."""

import os
import platform
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
import psycopg
import sqlalchemy as sa

from bench.claim import Measured
from bench.race import Race, Took, median_cpu_s, median_wall_s
from core import clock

RAW_DOES_NOT = (
    "Raw psycopg only sends again what the application sent: the same statements with the same parameters, "
    "in the same transactions and savepoints, every answer read. It parses no request and writes no JSON, "
    "checks no rights, builds no facts, asks no gate, words no reason, makes no canonical bytes and no hash, "
    "opens no seal, and takes its connection from no pool."
)
LONGEST = 14
COMMANDS = ("statement", "savepoint", "begin", "commit", "rollback", "ping")


@dataclass(slots=True)
class Circumstances:
    """When and on what it was measured; without these a figure in milliseconds says nothing."""

    at: datetime
    cores: int
    python: str
    libraries: str
    load: float
    server: dict[str, str] = field(default_factory=dict)

    @classmethod
    def here(cls) -> "Circumstances":
        return cls(
            clock.now(),
            len(os.sched_getaffinity(0)),
            platform.python_version(),
            f"SQLAlchemy {sa.__version__}, psycopg {psycopg.__version__} ({psycopg.pq.__impl__})",
            os.getloadavg()[0],
        )

    def lines(self) -> Iterator[str]:
        yield f"{clock.stamp(self.at)}  {self.cores} cores, load {self.load:.1f} before"
        yield f"Python {self.python}, {self.libraries}"
        if self.server:
            yield "PostgreSQL " + ", ".join(f"{name} {value}" for name, value in self.server.items())


def printed(circumstances: Circumstances, done: Sequence[Measured]) -> str:
    lines = [
        *circumstances.lines(),
        "",
        *_wrapped(RAW_DOES_NOT),
    ]
    for one in done:
        lines += ["", *_claim(one)]
    return "\n".join(lines)


def _claim(done: Measured) -> Iterator[str]:
    yield f"{done.claim.title}  (warm-up of {done.races[0].warm_up} left out)"
    yield ""
    heads = f"  {'':<28}{'application / raw':>18}{'application, ms':>24}"
    heads += f"{'raw psycopg, ms':>24}{'statements':>12}"
    yield heads
    parts = f"{'median':>8}{'p95':>8}{'CPU':>8}"
    yield f"  {'':<28}{'time':>10}{'CPU':>8}{parts}{parts}{'each':>6}{'a s':>6}"
    for race in done.races:
        yield f"  {race.operation:<28}{race.ratio:>10.2f}{race.cpu_ratio:>8.2f}" + _figures(race)
    yield ""
    yield from _commands(done)
    yield from _asks(done)
    yield ""
    yield from _sampled(done)


def _figures(race: Race) -> str:
    times = "".join(
        f"{figure:>8.2f}"
        for took in (race.app, race.raw)
        for figure in (1000 * median_wall_s(took), 1000 * _p95_wall_s(took), 1000 * median_cpu_s(took))
    )
    return f"{times}{statistics.median(race.sent):>6.0f}{_a_second(race):>6.0f}"


def _commands(done: Measured) -> Iterator[str]:
    yield "  Commands the server ran for one operation, by its own log:"
    yield f"  {'':<30}" + "".join(f"{kind:>11}" for kind in (*COMMANDS, "all"))
    for name, counted in done.commands.items():
        numbers = [counted[kind] for kind in COMMANDS]
        yield f"  {name:<30}" + "".join(f"{number:>11}" for number in (*numbers, sum(numbers)))
    if done.claim.hot_path is not None:
        hottest = next(iter(done.commands.values()))["statement"]
        kept = "kept" if hottest <= done.claim.hot_path else "MISSED"
        yield f"  The design allows {done.claim.hot_path} statements on the hot path: {hottest}, {kept}."


def _asks(done: Measured) -> Iterator[str]:
    asks_s = [figure for race in done.races for figure in race.asks_s]
    if asks_s:
        yield (
            f"  Not in the figures: the log of asks, written in batches behind the answers, "
            f"{statistics.median(asks_s) * 1000:.2f} ms an ask."
        )


def _sampled(done: Measured) -> Iterator[str]:
    sampled = done.sampled
    looks = f"({sampled.wall.count} and {sampled.cpu.count} looks)"
    yield f"  {'Where the time goes at the door ' + looks:<72}{'time':>8}{'CPU':>8}"
    for name in sampled.owners():
        yield f"  {name:<72}{sampled.wall.share(name):>8.1%}{sampled.cpu.share(name):>8.1%}"
    yield "  within these functions of ours, all that they call included:"
    for name in sampled.longest(LONGEST):
        yield f"  {name:<72}{sampled.wall.share(name):>8.1%}{sampled.cpu.share(name):>8.1%}"


def to_json(circumstances: Circumstances, done: Sequence[Measured]) -> str:
    whole = {"circumstances": circumstances, "claims": {one.claim.name: _plain(one) for one in done}}
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2).decode() + "\n"


def _plain(done: Measured) -> dict[str, Any]:
    shared = done.sampled.owners() + done.sampled.longest(10 * LONGEST)
    return {
        "races": [
            {
                "operation": race.operation,
                "ratio": race.ratio,
                "operations": len(race.app),
                "warm_up": race.warm_up,
                "cpu_ratio": race.cpu_ratio,
                "app_ms": _spread(race.app),
                "raw_ms": _spread(race.raw),
                "statements": statistics.median(race.sent),
                "transactions": statistics.median(race.transactions),
                "statements_a_second": _a_second(race),
            }
            for race in done.races
        ],
        "commands": done.commands,
        "hot_path": done.claim.hot_path,
        "time_share": {name: done.sampled.wall.share(name) for name in shared},
        "cpu_share": {name: done.sampled.cpu.share(name) for name in shared},
    }


def _spread(figures: Sequence[Took]) -> dict[str, float]:
    return {
        "median": 1000 * median_wall_s(figures),
        "p95": 1000 * _p95_wall_s(figures),
        "least": 1000 * min(one.wall_s for one in figures),
        "most": 1000 * max(one.wall_s for one in figures),
        "cpu": 1000 * median_cpu_s(figures),
    }


def _p95_wall_s(figures: Sequence[Took]) -> float:
    """The nearest rank: a time that was really taken."""
    return sorted(one.wall_s for one in figures)[-(-len(figures) * 95 // 100) - 1]


def _a_second(race: Race) -> float:
    """Statements the application gets through in a second of its own time."""
    return sum(race.sent) / sum(one.wall_s for one in race.app)


def _wrapped(text: str, width: int = 108) -> Iterator[str]:
    line = ""
    for word in text.split():
        if len(line) + len(word) + 1 > width:
            yield line
            line = ""
        line = f"{line} {word}".strip()
    yield line

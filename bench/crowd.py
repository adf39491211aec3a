"""Eight residents book at once; the same booking sent again; the gates alone.

Eight clients are eight processes, each booking for homes of its own, in process: the whole deed with gates,
decisions, evidence and idempotency key, against the same statements sent again by eight processes of raw
psycopg on a clone that stood alike. The turns alternate. Beside it, the same bookings over HTTP, eight
connections to the product's own server. Then each home books once and sends the same booking again under
a new key: what of the processor and of PostgreSQL the second takes. Then the two pages of law alone.
"""

import argparse
import multiprocessing
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import orjson
import psycopg
import sqlalchemy as sa

from bench.booking import BOOKING
from bench.memory import served
from bench.number import number_up_to
from bench.operation import Operation, WrongOutcome, at_the_door
from bench.recorded import Recorder, Step, replay
from bench.register import Line
from bench.report import Circumstances
from bench.stand import BEGINS_AT, House, Stand, stand
from core import clock
from rulebook import current
from rulebook.gate import facts_from_plain, judge
from rulebook.models import Decision

CLIENTS = 8
TURNS, EACH = 4, 12
AGAIN, AGAIN_TURNS = 100, 3
MOST = 60
GATES_S = 1.0
WARM_UP = 2
"""Bookings of each client before its turn: a new process compiles its statements once."""
GOAL, AGAIN_GOAL = 0.5, 0.2

_fork = multiprocessing.get_context("fork")
Share = Callable[[Barrier], None]


@dataclass(slots=True)
class Crowd:
    """Bookings a second, turn by turn; seconds of processor and database a booking; judgings a second."""

    app: list[float] = field(default_factory=list)
    raw: list[float] = field(default_factory=list)
    http: list[float] = field(default_factory=list)
    cpu_s: dict[str, list[float]] = field(default_factory=lambda: {"first": [], "again": []})
    database_s: dict[str, list[float]] = field(default_factory=lambda: {"first": [], "again": []})
    gates: dict[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        return statistics.median(self.app) / statistics.median(self.raw)

    def again_ratio(self, of: dict[str, list[float]]) -> float:
        """The median of the turns' own: what stands beside each other met the same machine."""
        return statistics.median(again / first for first, again in zip(of["first"], of["again"], strict=True))


# --- eight at once ----------------------------------------------------------------------------------------


def _at_once(shares: Sequence[Share], bookings: int) -> float:
    """All done together, in a process each: bookings a second from the common start to the last end."""
    barrier = _fork.Barrier(len(shares) + 1)
    workers = [_fork.Process(target=share, args=(barrier,)) for share in shares]
    for worker in workers:
        worker.start()
    barrier.wait(120)
    begun = time.perf_counter()
    barrier.wait(300)
    took = time.perf_counter() - begun
    for worker in workers:
        worker.join(30)
    if any(worker.exitcode for worker in workers):
        raise WrongOutcome("a client did not come to its end")
    return bookings / took


def _books(built: Stand, database: str, operation: Operation, numbers: range) -> Share:
    def share(barrier: Barrier) -> None:
        with built.house(database) as house:
            ready = [operation.ready(house, number) for number in numbers]
            for warming in ready[:WARM_UP]:
                operation.check(warming())
            ready = ready[WARM_UP:]
            barrier.wait(120)
            outcomes = [one() for one in ready]
            barrier.wait(300)
            for outcome in outcomes:
                operation.check(outcome)

    return share


def _sends_again(built: Stand, database: str, recorded: Sequence[Sequence[Step]]) -> Share:
    def share(barrier: Barrier) -> None:
        with built.raw(database) as connection:
            for steps in recorded[:WARM_UP]:
                replay(connection, steps)
            barrier.wait(120)
            for steps in recorded[WARM_UP:]:
                replay(connection, steps)
            barrier.wait(300)

    return share


def _recorded(built: Stand, operation: Operation, count: int) -> list[list[Step]]:
    """What the application sends for each booking, on a clone of its own."""
    found = []
    with built.house(built.clone()) as house:
        recorder = Recorder(house.ground.sessions.kw["bind"])
        for number in range(count):
            ready = operation.ready(house, number)
            recorder.take()
            operation.check(ready())
            found.append(recorder.take())
        recorder.close()
    return found


def measure_at_once(built: Stand, told: Crowd, turns: int, each: int) -> None:
    operation = BOOKING.service(built.town)
    own = WARM_UP + each
    a_turn = CLIENTS * own
    steps = _recorded(built, operation, a_turn * turns)
    ours, theirs = built.clone(), built.clone()
    for turn in range(turns):
        starts = [turn * a_turn + client * own for client in range(CLIENTS)]
        ranges = [range(start, start + own) for start in starts]
        books = [_books(built, ours, operation, one) for one in ranges]
        sends = [_sends_again(built, theirs, steps[one.start : one.stop]) for one in ranges]
        for shares, figures in ((books, told.app), (sends, told.raw))[:: 1 if turn % 2 else -1]:
            figures.append(_at_once(shares, CLIENTS * each))


# --- over HTTP --------------------------------------------------------------------------------------------


def measure_http(built: Stand, told: Crowd, turns: int, each: int) -> None:
    """The server's clock is the real one: the town's slots are moved to its tomorrow."""
    database = built.clone()
    real_today = clock.day_of(clock.shifted(timedelta())())
    days = (real_today - clock.day_of(BEGINS_AT)).days
    with psycopg.connect(built.cluster.conninfo(database), autocommit=True) as owner:
        owner.execute(
            "UPDATE slot SET day = day + %s, starts_at = starts_at + make_interval(days => %s),"
            " ends_at = ends_at + make_interval(days => %s)",
            (days, days, days),
        )
    with tempfile.TemporaryDirectory(prefix="lpg-", dir="/tmp") as folder:
        built.save_keys(Path(folder) / "keyring.json")
        settings = {
            "LPG_STATE_DIR": folder,
            "LPG_DATABASE_URL": built.cluster.url(database, role="lpg_app"),
            "LPG_OWNER_URL": built.cluster.url(database),
        }
        with served([sys.executable, "-m", "web.serve"], settings) as (_, port):
            _over_http(built, port, turns * CLIENTS * each, WARM_UP)
            for turn in range(turns):
                told.http.append(_over_http(built, port, turn * CLIENTS * each, each))


def _over_http(built: Stand, port: int, first: int, each: int) -> float:
    wrong: list[str] = []

    def client(number: int) -> None:
        line = Line(port, created=True)
        try:
            for i in range(first + number * each, first + (number + 1) * each):
                line.ask(_request(built, i))
        except WrongOutcome as error:
            wrong.append(str(error))
        finally:
            line.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - begun
    if wrong:
        raise WrongOutcome(wrong[0])
    return CLIENTS * each / took


def _body(built: Stand, i: int) -> dict[str, Any]:
    town, home = built.town, built.town.homes[i]
    return {
        "household_id": home.household_id,
        "slot_id": town.slots[i % len(town.slots)],
        "purpose": "cooking",
        "channel": "web",
        "card_ids": [home.card_id],
    }


def _path(built: Stand) -> str:
    return f"/api/v1/districts/{built.town.district}/orders"


def _request(built: Stand, i: int) -> bytes:
    body = orjson.dumps(_body(built, i))
    head = f"POST {_path(built)} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
    head += f"Authorization: Bearer {built.town.homes[i].token}\r\nIdempotency-Key: bench-crowd-{i:06d}\r\n"
    return (head + f"Content-Length: {len(body)}\r\n\r\n").encode() + body


# --- the same booking again -------------------------------------------------------------------------------


def measure_again(built: Stand, told: Crowd, count: int) -> None:
    """One turn, at the door. What each new engine compiles once is compiled before."""
    database = built.clone()
    for name, status in (("first", 201), ("again", 200)):
        before = _active_s(built, database)
        with built.house(database) as house:
            _book_all(built, house, name, status, range(count, count + WARM_UP))
            told.cpu_s[name].append(_book_all(built, house, name, status, range(count)) / count)
        told.database_s[name].append((_active_s(built, database) - before) / (count + WARM_UP))


def _book_all(built: Stand, house: House, name: str, status: int, numbers: range) -> float:
    """The process's own seconds for all of them."""
    ready = [
        at_the_door(
            house.app,
            "POST",
            _path(built),
            built.town.homes[i].token,
            body=_body(built, i),
            key=f"bench-{name}-{i:06d}",
        )
        for i in numbers
    ]
    begun = time.process_time()
    answers = [one() for one in ready]
    took = time.process_time() - begun
    for answer in answers:
        if answer.status != status:
            raise WrongOutcome(f"{name}: expected {status}, got {answer.status} {answer.body[:400]!r}")
    return took


def _active_s(built: Stand, database: str) -> float:
    """How long PostgreSQL has worked for anybody in this database; sessions that are over count whole."""
    time.sleep(1.2)  # what a session did is told once it has ended, or a second later
    asked = "SELECT active_time FROM pg_stat_database WHERE datname = %s"
    with psycopg.connect(built.cluster.conninfo("postgres"), autocommit=True) as owner:
        row = owner.execute(asked, (database,)).fetchone()
    return float(row[0]) / 1000 if row else 0.0


# --- the pages of law alone -------------------------------------------------------------------------------


def measure_gates(built: Stand, told: Crowd) -> None:
    """The town's own facts of a booking, judged for a second by each page."""
    operation = BOOKING.service(built.town)
    with built.house(built.clone()) as house:
        operation.check(operation.ready(house, 0)())
        with house.ground.sessions() as db:
            rows = db.scalars(sa.select(Decision).where(Decision.gate.in_(["booking", "premises"]))).all()
    for row in rows:
        facts, edition = facts_from_plain(row.gate, row.facts), current()
        times, end = 0, time.perf_counter() + GATES_S
        while time.perf_counter() < end:
            judge(row.gate, facts, row.place, row.day, edition)
            times += 1
        told.gates[row.gate] = times / GATES_S


# --- telling it -------------------------------------------------------------------------------------------


def printed(circumstances: Circumstances, told: Crowd) -> str:
    return "\n".join(_lines(circumstances, told))


def _lines(circumstances: Circumstances, told: Crowd) -> Iterator[str]:
    yield from circumstances.lines()
    yield ""
    for name, figures in (("in process", told.app), ("raw psycopg", told.raw), ("over HTTP", told.http)):
        turns = ", ".join(f"{one:.0f}" for one in figures)
        yield f"  {CLIENTS} clients, {name:<12}{statistics.median(figures):>8.1f} bookings a second ({turns})"
    yield f"  in process / raw: {told.ratio:.2f} (goal {GOAL} or more)"
    yield ""
    for what, of in (("processor", told.cpu_s), ("PostgreSQL", told.database_s)):
        first, again = (1000 * statistics.median(of[name]) for name in ("first", "again"))
        yield f"  {what:<11} a first booking {first:>7.2f} ms, the same again {again:>7.2f} ms: " + (
            f"{told.again_ratio(of):.2f} (goal {AGAIN_GOAL} or less)"
        )
    yield ""
    for gate, a_second in sorted(told.gates.items()):
        yield f"  the gate {gate!r} alone: {a_second:.0f} judgings a second"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.crowd", description=__doc__)
    few, some = number_up_to(20), number_up_to(MOST)
    parser.add_argument("--turns", type=few, default=TURNS, metavar="N", help=f"{TURNS}")
    parser.add_argument("--each", type=some, default=EACH, metavar="N", help=f"a client and turn; {EACH}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there too")
    wanted = parser.parse_args(argv)
    circumstances, told = Circumstances.here(), Crowd()
    homes = max(CLIENTS * (WARM_UP + wanted.each) * wanted.turns, WARM_UP + AGAIN)
    with stand(homes, 1) as built:
        circumstances.server = built.server_settings()
        measure_at_once(built, told, wanted.turns, wanted.each)
        measure_http(built, told, wanted.turns, wanted.each)
        for _ in range(AGAIN_TURNS):
            measure_again(built, told, AGAIN)
        measure_gates(built, told)
    print(printed(circumstances, told))
    if wanted.json is not None:
        figures = {
            name: getattr(told, name) for name in ("app", "raw", "http", "cpu_s", "database_s", "gates")
        }
        figures |= {"at": clock.stamp(circumstances.at), "load": circumstances.load, "ratio": told.ratio}
        wanted.json.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
    return 0


if __name__ == "__main__":
    sys.exit(main())

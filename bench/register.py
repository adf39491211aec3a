"""May this bottle be filled? Over HTTP, with a million bottles and their inspections on file.

The product in its own server, asks logged in batches as in production, against a bare read of one row through
the same server and the same pool of connections: no token, no gate, no words. Both are asked over as many
connections as there are threads, by turns, for codes taken from all over the register. Then a thousand
verdicts in one request. All of it at each size, so that the growth shows.
"""

import argparse
import os
import random
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import orjson
import psycopg

from bench.bare_read import BARE
from bench.memory import THREADS, WORKERS, served
from bench.number import number_up_to
from bench.operation import WrongOutcome
from bench.report import Circumstances
from bench.stand import BEGINS_AT, Stand, stand
from bench.town import MODEL, OVERDUE_EVERY, Town, is_overdue
from core import clock
from core.ids import new_ids_in_hex
from cylinders.code import new_code

SMALL, LARGE = 10_000, 1_000_000
MOST_BOTTLES = 5_000_000
TURNS, SECONDS = 6, 5
CONNECTIONS = WORKERS * THREADS
WARM_UP = 400
ASKED = 20_000
BATCH, BATCHES = 1000, 20
THROUGHPUT_GOAL, P99_GOAL = 0.8, 1.5
COPIED_AT_ONCE = 50_000


@dataclass(slots=True)
class Asked:
    """One kind of question: seconds of each answer, answers a second turn by turn, and CPU seconds an answer.

    CPU is what can be compared where others use the machine.
    """

    took: list[float] = field(default_factory=list)
    a_second: list[float] = field(default_factory=list)
    served_s: list[float] = field(default_factory=list)
    database_s: list[float] = field(default_factory=list)

    @property
    def cpu_s(self) -> tuple[float, float]:
        """Of one answer: the server's processes, and PostgreSQL with all that writes behind it."""
        return statistics.median(self.served_s), statistics.median(self.database_s)

    def per_cent(self, share: int) -> float:
        return statistics.quantiles(self.took, n=100)[share - 1] if len(self.took) > 1 else self.took[0]


@dataclass(slots=True)
class Sized:
    """``batches``: seconds of each request of a thousand codes."""

    bottles: int
    filed_s: float
    verdict: Asked = field(default_factory=Asked)
    bare: Asked = field(default_factory=Asked)
    batches: list[float] = field(default_factory=list)

    @property
    def throughput(self) -> float:
        return statistics.median(self.verdict.a_second) / statistics.median(self.bare.a_second)

    @property
    def cpu(self) -> float:
        return sum(self.verdict.cpu_s) / sum(self.bare.cpu_s)

    @property
    def p99(self) -> float:
        return self.verdict.per_cent(99) / self.bare.per_cent(99)


# --------------------------------------------------------------------------------------------------------
# The register


def file_bottles(built: Stand, database: str, count: int) -> tuple[float, list[tuple[str, bool]]]:
    """``count`` bottles at the town's station, by COPY; some of their codes, and whether each is overdue.

    Facts of custody are left out: no verdict reads them.
    """
    begun = time.perf_counter()
    known: list[tuple[str, bool]] = []
    with psycopg.connect(built.cluster.conninfo(database)) as owner:
        # the rows are sound: triggers and foreign keys would only say so once more
        owner.execute("SET session_replication_role = replica")
        for start in range(0, count, COPIED_AT_ONCE):
            numbers = range(start, min(start + COPIED_AT_ONCE, count))
            known += _copy(owner, built.town, numbers, ASKED * len(numbers) // count + 1)
        owner.commit()
        owner.autocommit = True
        owner.execute("VACUUM ANALYZE")
        owner.execute("CHECKPOINT")
    return time.perf_counter() - begun, known


_CYLINDER = (
    "cylinder (cylinder_id, model, state, owner_firm_id, registered_by_firm_id, registered_on, standard,"
    " phase, tare_g, max_fill_g, made_on, made_precision, design_life_months, extension_assessed,"
    " extension_registered, bought_on, embossed_owner_mark, refurbished, illegal_make, screwed_guard,"
    " scrap_ordered, recorded_at)"
)
_IDENTIFIER = "cylinder_identifier (scheme, value, cylinder_id, active_from)"
_INSPECTION = (
    "inspection (cylinder_id, id, inspected_on, day_precision, passed, agency, report_no, recorded_at)"
)
_STATE = (
    'cylinder_state (cylinder_id, holder_kind, holder_id, "full", district, version, effective_at,'
    " last_fact_id)"
)


def _copy(owner: psycopg.Connection, town: Town, numbers: range, sampled: int) -> Iterator[tuple[str, bool]]:
    at, ids = clock.stamp(BEGINS_AT), new_ids_in_hex(2 * len(numbers))
    bottles = [(next(ids), next(ids), new_code(), is_overdue(number), number) for number in numbers]
    rows: dict[str, Iterator[tuple[object, ...]]] = {
        _CYLINDER: (
            (one, MODEL, "in_service", town.firm, town.firm, "2019-01-01", "GB 5842-2006", "vapour", 16_500,
             14_900, "2016-05-01" if late else "2018-05-01", "month", 96, "f", "f", "2018-06-01", "t", "f",
             "f", "f", "f", at)
            for one, _, _, late, _ in bottles
        ),
        _IDENTIFIER: chain.from_iterable(
            (("platform", code, one, at), ("stamp", f"BENCH-{number}", one, at))
            for one, _, code, _, number in bottles
        ),
        _INSPECTION: (
            (one, other, "2018-04-01" if late else "2022-04-01", "month", "t", "BENCH", f"R-{number}", at)
            for one, other, _, late, number in bottles
        ),
        _STATE: (
            (one, "site", town.station, "f", town.district, 1, at, other) for one, other, _, _, _ in bottles
        ),
    }  # fmt: skip
    for table, lines in rows.items():
        text = "\n".join("\t".join(map(str, cells)) for cells in lines)
        with owner.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN".encode()) as copy:
            copy.write(text + "\n")
    yield from (
        (code, late)
        for _, _, code, late, _ in random.Random(numbers.start).sample(bottles, min(sampled, len(bottles)))
    )


# --------------------------------------------------------------------------------------------------------
# Asking


class Line:
    """One kept connection, asking as little of this process as can be: the server has the same two cores."""

    def __init__(self, port: int, *, created: bool = False):
        self._expected = 201 if created else 200
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> bytes:
        self._socket.sendall(request)
        answer = self._socket.recv(1 << 16)
        while (end := answer.find(b"\r\n\r\n")) < 0:
            answer += self._more()
        head = answer[:end].lower()
        if not head.startswith(f"http/1.1 {self._expected}".encode()):
            raise WrongOutcome(f"expected {self._expected}, got {answer[:400]!r}")
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        while len(answer) < end + 4 + length:
            answer += self._more()
        return answer[end + 4 :]

    def _more(self) -> bytes:
        got = self._socket.recv(1 << 16)
        if not got:
            raise WrongOutcome("the server hung up")
        return got

    def close(self) -> None:
        self._socket.close()


Request = Callable[[str], bytes]


def _get(path: str, token: str | None = None) -> bytes:
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\n{bearer}\r\n".encode()


def _verdict(town: Town) -> Request:
    return lambda code: _get(f"/api/v1/cylinders/by-code/{code}/verdict?purpose=fill", town.filler)


def _bare(code: str) -> bytes:
    return _get(f"{BARE}/{code}")


def _ask_all(
    port: int, request: Request, known: Sequence[tuple[str, bool]], seconds: float, check: bool
) -> tuple[int, list[float]]:
    """Over all connections at once for so long; each answer's seconds."""
    took: list[list[float]] = [[] for _ in range(CONNECTIONS)]
    wrong: list[str] = []
    end = time.perf_counter() + seconds

    def ask(number: int) -> None:
        line, order = Line(port), random.Random(f"{number} {time.perf_counter_ns()}")
        try:
            while (begun := time.perf_counter()) < end and not wrong:
                code, is_late = order.choice(known)
                answer = line.ask(request(code))
                took[number].append(time.perf_counter() - begun)
                if check and (b'"allowed":false' in answer) is not is_late:
                    wrong.append(f"{code}: expected allowed to be {not is_late}, got {answer[:400]!r}")
        except WrongOutcome as error:
            wrong.append(str(error))
        finally:
            line.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise WrongOutcome(wrong[0])
    answers = list(chain.from_iterable(took))
    return len(answers), answers


def _ask_batches(port: int, town: Town, known: Sequence[tuple[str, bool]]) -> Iterator[float]:
    line, order = Line(port), random.Random(BATCH)
    for _ in range(BATCHES):
        some = [order.choice(known) for _ in range(BATCH)]
        body = orjson.dumps({"codes": [code for code, _ in some], "purpose": "fill"})
        head = f"POST /api/v1/verdicts HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {town.filler}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        begun = time.perf_counter()
        answer = line.ask(head.encode() + body)
        yield time.perf_counter() - begun
        said = [one["allowed"] for one in orjson.loads(answer)["items"]]
        if said != [not late for _, late in some]:
            raise WrongOutcome("a thousand verdicts were not those expected")
    line.close()


_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def _cpu_s(pid: int) -> float:
    """What a process and all that it started have worked so far."""
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    children = chain.from_iterable(
        one.read_text().split() for one in Path(f"/proc/{pid}/task").glob("*/children")
    )
    return (int(ticks[11]) + int(ticks[12])) * _TICK_S + sum(_cpu_s(int(child)) for child in children)


def measure(built: Stand, bottles: int, turns: int, seconds: float) -> Sized:
    database = built.clone()
    filed_s, known = file_bottles(built, database, bottles)
    found = Sized(bottles, filed_s)
    with tempfile.TemporaryDirectory(prefix="lpg-", dir="/tmp") as folder:
        built.save_keys(Path(folder) / "keyring.json")
        settings = {
            "LPG_STATE_DIR": folder,
            "LPG_DATABASE_URL": built.cluster.url(database, role="lpg_app"),
            "LPG_OWNER_URL": built.cluster.url(database),
        }
        command = [sys.executable, "-m", "bench.bare_read", "PORT", str(WORKERS), str(THREADS)]
        with served(command, settings) as (pid, port):
            kinds = [(found.verdict, _verdict(built.town), True), (found.bare, _bare, False)]
            for _, request, check in kinds:
                _ask_all(port, request, known[:WARM_UP], min(seconds, 2), check)
            for turn in range(turns):
                for kind, request, check in kinds if turn % 2 else reversed(kinds):
                    before = _cpu_s(pid), _cpu_s(built.cluster.pid)
                    count, took = _ask_all(port, request, known, seconds, check)
                    kind.served_s.append((_cpu_s(pid) - before[0]) / count)
                    kind.database_s.append((_cpu_s(built.cluster.pid) - before[1]) / count)
                    kind.took += took
                    kind.a_second.append(count / seconds)
            found.batches = list(_ask_batches(port, built.town, known))
    return found


# --------------------------------------------------------------------------------------------------------
# Telling it


def printed(circumstances: Circumstances, done: Sequence[Sized]) -> str:
    return "\n".join(_lines(circumstances, done))


def _lines(circumstances: Circumstances, done: Sequence[Sized]) -> Iterator[str]:
    yield from circumstances.lines()
    yield f"{WORKERS} workers of {THREADS} threads, {CONNECTIONS} connections; one in {OVERDUE_EVERY} overdue"
    yield ""
    yield f"  {'bottles':>9}{'':<10}{'answers a s':>13}{'median ms':>11}{'p99 ms':>9}" + (
        f"{'CPU ms: server':>17}{'PostgreSQL':>12}"
    )
    for one in done:
        for name, kind in (("verdict", one.verdict), ("bare row", one.bare)):
            figures = f"{statistics.median(kind.a_second):>13.0f}"
            figures += f"{1000 * kind.per_cent(50):>11.2f}{1000 * kind.per_cent(99):>9.2f}"
            figures += f"{1000 * kind.cpu_s[0]:>17.2f}{1000 * kind.cpu_s[1]:>12.2f}"
            yield f"  {one.bottles:>9} {name:<9}{figures}"
        yield f"  {'':>9} verdict / bare: {one.throughput:.2f} (goal {THROUGHPUT_GOAL} or more), " + (
            f"p99 {one.p99:.2f} (goal {P99_GOAL} or less), CPU of an answer {one.cpu:.2f}"
        )
        batch = statistics.median(one.batches)
        of_batch = f"{1000 * batch:.0f} ms, {BATCH / batch:.0f} a second"
        yield f"  {'':>9} {BATCH} verdicts in one request: {of_batch}"
        yield f"  {'':>9} filed by COPY in {one.filed_s:.0f} s"
    if len(done) > 1:
        first, last = done[0], done[-1]
        grown = last.verdict.per_cent(50) / first.verdict.per_cent(50)
        bare = last.bare.per_cent(50) / first.bare.per_cent(50)
        yield ""
        yield (
            f"  From {first.bottles} to {last.bottles} bottles a verdict takes {grown:.2f} times as long"
            + (f", a bare row {bare:.2f} times.")
        )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.register", description=__doc__)
    many, some = number_up_to(MOST_BOTTLES), number_up_to(600)
    parser.add_argument("--bottles", type=many, default=LARGE, metavar="N", help=f"{LARGE}")
    parser.add_argument("--from", dest="small", type=many, default=SMALL, metavar="N", help=f"{SMALL}")
    parser.add_argument("--turns", type=number_up_to(100), default=TURNS, metavar="N", help=f"{TURNS}")
    parser.add_argument("--seconds", type=some, default=SECONDS, metavar="N", help=f"a turn; {SECONDS}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there too")
    wanted = parser.parse_args(argv)
    circumstances = Circumstances.here()
    with stand(0, 1) as built:
        circumstances.server = built.server_settings()
        sizes = sorted({wanted.small, wanted.bottles})
        done = [measure(built, size, wanted.turns, wanted.seconds) for size in sizes]
    print(printed(circumstances, done))
    if wanted.json is not None:
        figures = [
            {
                "bottles": one.bottles,
                "filed_s": one.filed_s,
                "throughput_ratio": one.throughput,
                "p99_ratio": one.p99,
                "cpu_ratio": one.cpu,
                "batches_s": one.batches,
                **{
                    name: {
                        "a_second": kind.a_second,
                        "p50_s": kind.per_cent(50),
                        "p99_s": kind.per_cent(99),
                        "cpu_s": kind.cpu_s,
                    }
                    for name, kind in (("verdict", one.verdict), ("bare", one.bare))
                },
            }
            for one in done
        ]
        told = {"at": clock.stamp(circumstances.at), "load": circumstances.load, "sizes": figures}
        wanted.json.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    return 0


if __name__ == "__main__":
    sys.exit(main())

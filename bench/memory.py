"""How much memory the server takes: its processes as they start, and after they have answered many requests.

The product as ``./lpg run`` serves it, on a town of its own, asked for verdicts over real connections; and in
the same server, started in the same way, a Flask application of one route. RSS is what the kernel says is
resident of a process; of PSS each process has only its part of what several share, so that PSS may be added.
"""

import argparse
import http.client
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from bench.number import number_up_to
from bench.report import Circumstances
from bench.stand import Stand, stand
from core import clock
from core.config import CHECKOUT

WORKERS, THREADS = 2, 4
REQUESTS = 4000
MOST_REQUESTS = 200_000
BOTTLES = 200
WELL_WITHIN_S = 180.0
CONNECTIONS = 8  # as many as there are threads: each worker gets its part
MIB = 1024


@dataclass(frozen=True, slots=True)
class Memory:
    """Of the processes that answer: how many, the largest and all their RSS, and all their PSS, in KiB."""

    processes: int
    rss_each_kib: float
    pss_all_kib: int


@dataclass(frozen=True, slots=True)
class Grown:
    name: str
    started: Memory
    requests: int
    after: Memory


class NotWell(Exception):
    """A server did not answer, or not as it should."""


def measure_product(built: Stand, requests: int) -> Grown:
    with tempfile.TemporaryDirectory(prefix="lpg-", dir="/tmp") as folder:
        built.save_keys(Path(folder) / "keyring.json")
        database = built.clone()
        settings = {
            "LPG_STATE_DIR": folder,
            "LPG_DATABASE_URL": built.cluster.url(database, role="lpg_app"),
            "LPG_OWNER_URL": built.cluster.url(database),
        }
        token, codes = built.town.filler, built.town.codes
        paths = [f"/api/v1/cylinders/by-code/{code}/verdict?purpose=fill" for code in codes]
        with served([sys.executable, "-m", "web.serve"], settings) as (pid, port):
            return _grown("the product", pid, port, paths, {"Authorization": f"Bearer {token}"}, requests)


def measure_bare(requests: int) -> Grown:
    command = [sys.executable, "-m", "bench.bare", "PORT", str(WORKERS), str(THREADS)]
    with served(command, {}) as (pid, port):
        return _grown("one bare route", pid, port, ["/healthz"], {}, requests)


@contextmanager
def served(command: Sequence[str], settings: dict[str, str]) -> Iterator[tuple[int, int]]:
    """The server's pid and port, once it answers."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = int(one.getsockname()[1])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LPG_")}
    if settings:
        settings = settings | {
            "LPG_BIND_PORT": str(port),
            "LPG_WORKERS": str(WORKERS),
            "LPG_THREADS": str(THREADS),
            "LPG_LOG_LEVEL": "error",
        }
    server = subprocess.Popen(
        [str(port) if word == "PORT" else word for word in command],
        cwd=CHECKOUT,
        env=kept | settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        _await_all(server, port)
        yield server.pid, port
    finally:
        server.terminate()
        server.wait(30)


def _await_all(server: "subprocess.Popen[bytes]", port: int) -> None:
    """Until it answers and every worker has loaded: their memory stands still for a second."""
    end, before = time.monotonic() + WELL_WITHIN_S, -1
    while time.monotonic() < end:
        if server.poll() is not None:
            raise NotWell(f"the server ended with {server.returncode}")
        time.sleep(1)
        standing = sum(_rss_kib(pid) for pid in workers_of(server.pid))
        if standing and standing == before and _answers(port):
            return
        before = standing
    raise NotWell(f"the server did not come to rest in {WELL_WITHIN_S:.0f} s")


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _grown(
    name: str, pid: int, port: int, paths: Sequence[str], headers: dict[str, str], requests: int
) -> Grown:
    started = memory_of(pid)
    connections = [http.client.HTTPConnection("127.0.0.1", port, timeout=60) for _ in range(CONNECTIONS)]
    for i in range(requests):
        connection = connections[i % CONNECTIONS]
        connection.request("GET", paths[i % len(paths)], headers=headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise NotWell(f"{name}: expected 200, got {answer.status}")
    after = memory_of(pid)
    for connection in connections:
        connection.close()
    return Grown(name, started, requests, after)


def memory_of(pid: int) -> Memory:
    workers = workers_of(pid)
    return Memory(
        len(workers),
        statistics.mean(_rss_kib(one) for one in workers),
        sum(_kib(Path(f"/proc/{one}/smaps_rollup"), "Pss:") for one in workers),
    )


def workers_of(pid: int) -> list[int]:
    """The processes that answer: forked from the server, and so under its own command line."""
    command = Path(f"/proc/{pid}/cmdline").read_bytes()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in children if Path(f"/proc/{one}/cmdline").read_bytes() == command]


def _rss_kib(pid: int) -> int:
    return _kib(Path(f"/proc/{pid}/status"), "VmRSS:")


def _kib(path: Path, name: str) -> int:
    line = next(line for line in path.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1])


def printed(circumstances: Circumstances, done: Sequence[Grown]) -> str:
    return "\n".join(_lines(circumstances, done))


def _lines(circumstances: Circumstances, done: Sequence[Grown]) -> Iterator[str]:
    yield from circumstances.lines()
    yield ""
    yield f"Memory of a server of {WORKERS} workers with {THREADS} threads each, MiB"
    yield ""
    yield f"  {'':<16}{'started':>20}{'after requests':>20}{'requests':>10}{'growth of PSS':>15}"
    yield f"  {'':<16}" + f"{'RSS each':>11}{'PSS all':>9}" * 2
    for one in done:
        figures = "".join(
            f"{held.rss_each_kib / MIB:>11.1f}{held.pss_all_kib / MIB:>9.1f}"
            for held in (one.started, one.after)
        )
        grown = (one.after.pss_all_kib - one.started.pss_all_kib) / MIB
        yield f"  {one.name:<16}{figures}{one.requests:>10}{grown:>15.1f}"
    product, bare = done
    yield ""
    ratio = product.after.pss_all_kib / bare.after.pss_all_kib
    yield f"  The product takes {ratio:.1f} times the bare route's PSS."


def to_json(circumstances: Circumstances, done: Sequence[Grown]) -> bytes:
    figures = {"at": clock.stamp(circumstances.at), "load": circumstances.load, "servers": list(done)}
    return orjson.dumps(figures, option=orjson.OPT_INDENT_2)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument(
        "--requests", type=number_up_to(MOST_REQUESTS), default=REQUESTS, metavar="N", help=f"{REQUESTS}"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there too")
    wanted = parser.parse_args(argv)
    circumstances = Circumstances.here()
    with stand(0, BOTTLES) as built:
        circumstances.server = built.server_settings()
        done = [measure_product(built, wanted.requests), measure_bare(wanted.requests)]
    print(printed(circumstances, done))
    if wanted.json is not None:
        wanted.json.write_bytes(to_json(circumstances, done))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What is counted of a running house: how often and how long, never who or what about.

Every label is a word of the program (a route's template, a verb, a refusal's code). No id, no name and no
address as it was asked for ever becomes one: such a label would be personal data, and a series without end.

prometheus_client decides when it is imported whether it counts in memory or in files that the workers share.
It is therefore imported at the first count, in the worker, and never by the process that starts them.
"""

import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram
    from prometheus_client.registry import Collector

_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Meters:
    requests: "Counter"
    seconds: "Histogram"
    deeds: "Counter"
    refusals: "Counter"


def _meters() -> Meters:
    """Made by whoever counts first; the first requests of a process come several at once."""
    with _making:
        return _made()


_making = threading.Lock()


@cache
def _made() -> Meters:
    from prometheus_client import Counter, Histogram

    return Meters(
        Counter("lpg_http_requests", "Requests answered.", ("method", "route", "status")),
        Histogram("lpg_http_request_seconds", "Time to the answer.", ("method", "route"), buckets=BUCKETS_S),
        Counter("lpg_deeds", "Deeds recorded, by verb and outcome.", ("verb", "outcome")),
        Counter("lpg_refusals", "Reasons of refused deeds, by code.", ("code",)),
    )


def count_request(method: str, route: str | None, status: int, took_s: float) -> None:
    """``route`` is the template; what matches none is counted together, and so are invented methods."""
    meters = _meters()
    method = method if method in METHODS else "other"
    route = route or "unmatched"
    meters.requests.labels(method, route, str(status)).inc()
    meters.seconds.labels(method, route).observe(took_s)


def count_deed(verb: str, outcome: str, reason_codes: Iterable[str] = ()) -> None:
    meters = _meters()
    meters.deeds.labels(verb, outcome).inc()
    for code in reason_codes:
        meters.refusals.labels(code).inc()


def share_in(folder: Path) -> None:
    """Before the workers start: they count together, in this folder, and begin at nought."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in folder.glob("*.db"):
        left.unlink()
    os.environ[_DIRECTORY] = str(folder)


def exposed(*others: "Collector") -> bytes:
    """The counts of all workers, and what ``others`` find when they are asked."""
    from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    _meters()
    together = CollectorRegistry()
    if os.environ.get(_DIRECTORY):
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        text = generate_latest(together)
    else:
        text = generate_latest(REGISTRY)
    beside = CollectorRegistry()
    for other in others:
        beside.register(other)
    return text + generate_latest(beside)

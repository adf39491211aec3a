"""Street times from an OSRM server: its /table over HTTP. Here, since routing/ does no input or output.

Points are WGS-84, as the server's map is (OpenStreetMap). What it does not know a way for is no way, never
zero. A server that is away, slow, or says what is no table has failed (``TravelTimesFailed``), and whoever
asked may fall back. The seconds a stop costs to park and walk in come on top, as for the great circle.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException
from typing import Any, NoReturn
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import numpy as np
import structlog
from numpy.typing import ArrayLike, NDArray

from routing import Cached, Fallback, GreatCircle, Matrix, TravelTimes, TravelTimesFailed
from routing.matrix import NO_WAY, PACES, lon_lat

PROFILES = {"etrike": "bike", "small_truck": "driving"}
"""Ours to the server's: an e-trike rides as a bicycle does."""

MOST_A_REQUEST = 100  # places; what a server takes when it is not told otherwise
WAIT_S = 5.0  # for a whole answer
MOST_BYTES = 8 * 1024 * 1024
CHUNK_BYTES = 64 * 1024

_opener = build_opener(ProxyHandler({}))  # the server is ours, and no proxy's business
log = structlog.get_logger()


@cache
def travel_times(osrm_url: str | None) -> TravelTimes:
    """By the streets where a server is named, else, and where it fails, by the great circle."""
    great_circle = GreatCircle()
    if osrm_url is None:
        return great_circle
    return Cached(Fallback(OsrmHttp(osrm_url), great_circle))


def named(osrm_url: str | None, fell_back: bool) -> str:
    """Named in every plan: nobody shall take the great circle's times for street times."""
    great_circle = f"{GreatCircle().name} x {GreatCircle().circuity}"
    if osrm_url is None:
        return great_circle
    return f"{great_circle} (osrm failed)" if fell_back else "osrm"


@dataclass(frozen=True, slots=True)
class OsrmHttp:
    url: str  # without a slash at its end
    wait_s: float = WAIT_S
    name: str = "osrm"
    datum: str = "wgs84"

    def matrix(self, points: ArrayLike, profile: str) -> Matrix:
        if profile not in PROFILES:
            raise ValueError(f"expected a profile of {sorted(PROFILES)}, got {profile!r}")
        degrees = lon_lat(points)
        places = len(degrees)
        seconds = np.zeros((places, places))
        metres = np.zeros((places, places))
        deadline_s = time.monotonic() + self.wait_s
        for rows, columns in _blocks(places):
            table = self._table(degrees, rows, columns, profile, deadline_s)
            seconds[np.ix_(rows, columns)] = _numbers(table, "durations", len(rows), len(columns))
            metres[np.ix_(rows, columns)] = _numbers(table, "distances", len(rows), len(columns))
        return _matrix(seconds, metres, PACES[profile].stop_overhead_s)

    def _table(
        self,
        degrees: NDArray[np.float64],
        rows: list[int],
        columns: list[int],
        profile: str,
        deadline_s: float,
    ) -> Any:
        asked = list(dict.fromkeys([*rows, *columns]))
        number = {place: k for k, place in enumerate(asked)}
        where = ";".join(f"{degrees[place, 0]:.6f},{degrees[place, 1]:.6f}" for place in asked)
        sources = ";".join(str(number[place]) for place in rows)
        destinations = ";".join(str(number[place]) for place in columns)
        query = f"annotations=duration,distance&sources={sources}&destinations={destinations}"
        answer = self._get(f"{self.url}/table/v1/{PROFILES[profile]}/{where}?{query}", deadline_s)
        if not isinstance(answer, dict) or answer.get("code") != "Ok":
            _fail("no table")
        return answer

    def _get(self, address: str, deadline_s: float) -> Any:
        """The whole answer before the deadline, however slowly it drips."""
        try:
            with _opener.open(address, timeout=max(0.01, deadline_s - time.monotonic())) as answer:
                body = bytearray()
                while chunk := answer.read1(CHUNK_BYTES):
                    body += chunk
                    if time.monotonic() > deadline_s or len(body) > MOST_BYTES:
                        _fail("too slow, or too long")
            return json.loads(body)
        except (URLError, HTTPException, OSError, ValueError, RecursionError) as failed:
            # The address holds where people live: it goes into no log.
            _fail(type(failed).__name__, failed)


def _blocks(places: int) -> Iterator[tuple[list[int], list[int]]]:
    """Rows and columns of the parts that are small enough to be asked for at once."""
    size = places if places <= MOST_A_REQUEST else MOST_A_REQUEST // 2
    parts = [list(range(k, min(k + size, places))) for k in range(0, places, max(1, size))]
    for rows in parts:
        for columns in parts:
            yield rows, columns


def _numbers(table: Any, name: str, rows: int, columns: int) -> NDArray[np.float64]:
    """One of the answer's tables; null, which is no way, as NaN."""
    try:
        numbers = np.array(table[name], dtype=np.float64)
    except (KeyError, TypeError, ValueError) as unfit:
        _fail(f"no {name}", unfit)
    if numbers.shape != (rows, columns) or (numbers < 0).any() or np.isinf(numbers).any():
        _fail(f"{name} that are none")
    return numbers


def _matrix(seconds: NDArray[np.float64], metres: NDArray[np.float64], overhead_s: int) -> Matrix:
    np.fill_diagonal(seconds, 0)
    np.fill_diagonal(metres, 0)
    no_way = np.isnan(seconds) | np.isnan(metres)
    seconds = seconds + overhead_s * (metres > 0)
    if (np.nan_to_num(seconds) > np.iinfo(np.int32).max).any() or (np.nan_to_num(metres) > 10**9).any():
        _fail("ways longer than the earth")
    return Matrix(
        np.where(no_way, NO_WAY, np.rint(np.nan_to_num(seconds))).astype(np.int32),
        np.where(no_way, NO_WAY, np.rint(np.nan_to_num(metres))).astype(np.int32),
    )


def _fail(why: str, cause: BaseException | None = None) -> NoReturn:
    log.warning("osrm.failed", why=why)
    raise TravelTimesFailed(why) from cause

"""Street times asked of a real HTTP server that answers as OSRM does, well and badly."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from dispatch.rounds.streets import MOST_A_REQUEST, OsrmHttp, named, travel_times
from routing import GreatCircle, TravelTimesFailed
from routing.matrix import great_circle_m

DOORS = [[121.40, 31.20], [121.41, 31.20], [121.40, 31.21]]
Answer = Callable[[dict[str, Any]], bytes]


class Osrm:
    """What a test makes of the server: ``answer`` turns the right table into the bytes that are sent."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.answer: Answer = lambda table: json.dumps(table).encode()
        self.status = 200
        self.drips = False
        osrm = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                osrm.paths.append(self.path)
                body = osrm.answer(table_for(self.path))
                self.send_response(osrm.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                for byte in body if osrm.drips else []:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(0.05)
                if not osrm.drips:
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing on the console."""

            def handle(self) -> None:
                try:
                    super().handle()
                except ConnectionError:
                    return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def table_for(path: str) -> dict[str, Any]:
    """Ten metres and two seconds for every metre of the crow's way, so that it can be checked."""
    parts = urlsplit(path)
    _, _, _, profile, where = parts.path.split("/")
    points = [[float(x) for x in pair.split(",")] for pair in where.split(";")]
    query = parse_qs(parts.query)
    rows = [int(k) for k in query["sources"][0].split(";")]
    columns = [int(k) for k in query["destinations"][0].split(";")]
    metres = great_circle_m(points)[np.ix_(rows, columns)]
    slow = 2 if profile == "bike" else 1
    return {"code": "Ok", "distances": (metres * 10).tolist(), "durations": (metres * slow).tolist()}


@pytest.fixture
def osrm() -> Iterator[Osrm]:
    served = Osrm()
    yield served
    served.server.shutdown()
    served.server.server_close()


def test_the_table_is_read_as_whole_seconds_and_metres_with_the_time_a_stop_costs(osrm: Osrm) -> None:
    trike = OsrmHttp(osrm.url).matrix(DOORS, "etrike")
    crow_m = great_circle_m(DOORS)
    assert trike.metres.tolist() == np.rint(crow_m * 10).astype(int).tolist()
    assert trike.seconds[0, 1] == round(crow_m[0, 1] * 2 + 25)
    assert trike.seconds[1, 1] == 0
    truck = OsrmHttp(osrm.url).matrix(DOORS, "small_truck")
    assert truck.seconds[0, 1] == round(crow_m[0, 1] + 45)
    assert [path.split("/")[3] for path in osrm.paths] == ["bike", "driving"]
    assert "/121.400000,31.200000;121.410000,31.200000;" in osrm.paths[0]


def test_no_way_is_no_way_and_never_zero(osrm: Osrm) -> None:
    def with_holes(table: dict[str, Any]) -> bytes:
        table["durations"][0][2] = None
        table["distances"][1][2] = None
        return json.dumps(table).encode()

    osrm.answer = with_holes
    matrix = OsrmHttp(osrm.url).matrix(DOORS, "etrike")
    assert matrix.reachable.tolist() == [[True, True, False], [True, True, False], [True, True, True]]
    assert matrix.metres[0, 2] == matrix.seconds[1, 2] == -1


def test_more_doors_than_a_request_takes_are_asked_for_in_parts(osrm: Osrm) -> None:
    doors = [[121.40 + k * 1e-4, 31.20] for k in range(MOST_A_REQUEST + 5)]
    matrix = OsrmHttp(osrm.url, wait_s=60).matrix(doors, "etrike")
    assert len(osrm.paths) == 9
    assert all(path.count(",") <= MOST_A_REQUEST + 1 for path in osrm.paths)
    assert np.abs(matrix.metres - great_circle_m(doors) * 10).max() < 2


@pytest.mark.parametrize(
    "answer",
    [
        lambda table: b"",
        lambda table: b"<html>",
        lambda table: b"[" * 100_000,
        lambda table: json.dumps([table]).encode(),
        lambda table: json.dumps(table | {"code": "NoTable"}).encode(),
        lambda table: json.dumps({"code": "Ok", "durations": table["durations"]}).encode(),
        lambda table: json.dumps(table | {"distances": [[0]]}).encode(),
        lambda table: json.dumps(table | {"durations": [["x"] * 3] * 3}).encode(),
        lambda table: json.dumps(table | {"durations": [[-1.0] * 3] * 3}).encode(),
        lambda table: json.dumps(table | {"durations": [[1e300] * 3] * 3}).encode(),
        lambda table: json.dumps(table | {"durations": [[1], [1, 2], 3]}).encode(),
        lambda table: json.dumps(table | {"durations": None}).encode(),
    ],
)
def test_whatever_is_no_table_has_failed(osrm: Osrm, answer: Answer) -> None:
    osrm.answer = answer
    with pytest.raises(TravelTimesFailed):
        OsrmHttp(osrm.url).matrix(DOORS, "etrike")


def test_a_server_that_errs_drips_or_is_away_has_failed(osrm: Osrm) -> None:
    osrm.status = 500
    with pytest.raises(TravelTimesFailed):
        OsrmHttp(osrm.url).matrix(DOORS, "etrike")
    osrm.status, osrm.drips = 200, True
    began_s = time.monotonic()
    with pytest.raises(TravelTimesFailed):
        OsrmHttp(osrm.url, wait_s=0.3).matrix(DOORS, "etrike")
    assert time.monotonic() - began_s < 5
    with pytest.raises(TravelTimesFailed):
        OsrmHttp("http://127.0.0.1:9", wait_s=2).matrix(DOORS, "etrike")


def test_then_the_great_circle_answers_and_the_plan_is_named_so(osrm: Osrm) -> None:
    osrm.status = 500
    times = travel_times(osrm.url)
    fallen = times.matrix(DOORS, "etrike")
    assert fallen.fell_back
    assert (fallen.seconds == GreatCircle().matrix(DOORS, "etrike").seconds).all()
    osrm.status = 200
    assert not times.matrix(DOORS, "etrike").fell_back
    assert named(osrm.url, True) == "great-circle x 1.35 (osrm failed)"
    assert (named(osrm.url, False), named(None, False)) == ("osrm", "great-circle x 1.35")


@pytest.mark.parametrize("points", [[[31.2, 121.4]], [[121.4]], [[float("nan"), 31.0]]])
def test_points_that_are_no_lon_lat_are_not_asked_for(osrm: Osrm, points: Any) -> None:
    with pytest.raises(ValueError, match=r"\[lon, lat\]"):
        OsrmHttp(osrm.url).matrix(points, "etrike")
    with pytest.raises(ValueError, match="expected a profile"):
        OsrmHttp(osrm.url).matrix(DOORS, "walk")
    assert osrm.paths == []

"""Public instances with best known solutions, from PyVRP/Instances (MIT, licence in bench/data).

Solomon (C, R, RC), Gehring and Homberger with 200 and 400 stops, Uchoa's X without windows, and several trips
with windows and release dates after Yang (names with R0). Ways and times with windows are ten times the
crow's, cut off; without windows rounded: as their authors count.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from routing import Matrix, Problem, Stop, Vehicle

DATA = Path(__file__).with_name("data")
MUST = 10_000_000  # penalty of a stop that has to be served
ALL_DAY = 172_800
SPARE_VEHICLES = 4  # beyond what the best known solution drives, where a file names no fleet


@dataclass(frozen=True, slots=True)
class Instance:
    name: str
    problem: Problem
    best_known: int
    best_routes: dict[str, list[list[str]]]

    @property
    def is_multi_trip(self) -> bool:
        return self.problem.vehicles[0].max_trips > 1


def names() -> list[str]:
    return sorted(path.stem for path in DATA.glob("*.vrp"))


def instance(name: str) -> Instance:
    header, sections = _read((DATA / f"{name}.vrp").read_text())
    points = np.array([row[1:] for row in sections["NODE_COORD_SECTION"]], dtype=float)
    crow = np.hypot(*(points[:, None] - points).T)
    has_windows = "TIME_WINDOW_SECTION" in sections
    ways = np.trunc(crow * 10).astype(int) if has_windows else np.rint(crow).astype(int)
    routes = _solution((DATA / f"{name}.sol").read_text())
    scale = 10 if has_windows else 1
    windows = [[int(x) * scale for x in row[1:]] for row in sections.get("TIME_WINDOW_SECTION", [])]
    windows = windows or [[0, ALL_DAY]] * len(points)
    releases = [int(row[1]) * scale for row in sections.get("RELEASE_TIME_SECTION", [])] or [0] * len(points)
    units = [int(row[1]) for row in sections["DEMAND_SECTION"]]
    service = int(header.get("SERVICE_TIME", 0)) * scale
    stops = tuple(
        Stop(str(k), units[k], 0, service, (windows[k][0], windows[k][1]), MUST, release_s=releases[k])
        for k in range(1, len(points))
    )
    trips = len(stops) if "VEHICLES_RELOAD_DEPOT_SECTION" in sections else 1
    count = int(header.get("VEHICLES", len(routes) + SPARE_VEHICLES))
    day = (windows[0][0], windows[0][1])
    vehicles = tuple(Vehicle(f"v{k}", "way", int(header["CAPACITY"]), trips, day) for k in range(count))
    best = {f"v{k}": trips_of for k, trips_of in enumerate(routes)}
    matrix = Matrix(ways, ways)
    return Instance(name, Problem(stops, vehicles, 0, {"way": matrix}), _length(best, ways), best)


def _read(text: str) -> tuple[dict[str, str], dict[str, list[list[str]]]]:
    header: dict[str, str] = {}
    sections: dict[str, list[list[str]]] = {}
    rows: list[list[str]] | None = None
    for line in text.splitlines():
        name, colon, value = (part.strip() for part in line.partition(":"))
        if line.strip().endswith("_SECTION"):
            rows = sections.setdefault(line.strip(), [])
        elif colon and rows is None:
            header[name] = value
        elif rows is not None and line.strip() != "EOF":
            rows.append(line.split())
    return header, sections


def _solution(text: str) -> list[list[list[str]]]:
    """Routes of trips: a 0 within a route is a reload."""
    routes = []
    for found in re.finditer(r"Route #\d+:\s*([\d ]+)", text):
        trips: list[list[str]] = [[]]
        for stop in found.group(1).split():
            if stop == "0":
                trips.append([])
            else:
                trips[-1].append(stop)
        routes.append(trips)
    return routes


def _length(routes: dict[str, list[list[str]]], ways: np.ndarray) -> int:
    """Counted anew, so that ours and theirs are counted alike."""
    total = 0
    for trips in routes.values():
        for trip in trips:
            places = [0, *map(int, trip), 0]
            total += int(ways[places[:-1], places[1:]].sum())
    return total

"""The search: Google OR-Tools' routing solver with guided local search, started from rounds that hold.

Several trips per shift. A vehicle that may leave k more times gets k copies of the station, bound to it. A
copy gives back the vehicle's whole capacity (its load transit is -capacity; only copies have slack, so the
load after it is zero). Reload time stands on the legs stop → copy, so an unused copy costs nothing.

Determinism. A budget in seconds is another search on a busier machine. Here the budget is the number of
looks the solver takes at its limit, which is about one for every neighbouring plan it tries; the solver's own
clocks are set far beyond. A CPU guard stops a runaway, and then the plan says so.

Traps, each met and measured:
- ``SetAllowedVehiclesForIndex`` raises TypeError in ortools 9.15; ``VehicleVar(i).SetValues([-1, …])`` says
  the same, where -1 keeps the stop optional.
- A copy's transit must be its own vehicle's capacity: with the fleet's largest, 9.9 to 9.14 drop the copy.
- ``ReadAssignmentFromRoutes`` answers None if any stop does not fit; None must never be passed on.
- Insertion heuristics never open a reload (it costs and gains nothing by itself): hence the start.
- Neighbour sampling and switching operators off made plans much worse: the defaults stay.
- Python callbacks cost 2 to 4 times the CPU time of registered matrices.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import ortools
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from routing import greedy
from routing.matrix import NO_WAY
from routing.plan import Stopped
from routing.timetable import STATION, Rounds, Timetable, served_places

NAME = "ortools"
VERSION: str = ortools.__version__

SPARE_RELOADS = 1  # trips a vehicle may open beyond those of its start; more copies made no better plans
LOOKS_PER_CLOCK = 256
NEVER_S = 7 * 24 * 3600  # for the solver's own clocks: they must not decide


@dataclass(frozen=True, slots=True)
class Improved:
    rounds: Rounds
    stopped: Stopped


def improve(timetable: Timetable, start: Rounds, iterations: int, seed: int, guard_s: float) -> Improved:
    """The best rounds found from ``start`` in ``iterations`` looks, and at most ``guard_s`` CPU seconds.

    One long search, not several restarted from the best so far: measured on 24 zones of 25 to 100 stops at
    200,000 looks, restarts came out 0.7 to 2.1 % dearer on average and up to 31 % in one zone.
    """
    budget = _Budget(iterations, guard_s)
    start = dealt(timetable, start, seed)
    rounds = _Model(timetable, start).search(start, budget)
    return Improved(rounds, Stopped.TIME if budget.is_over_guard else Stopped.ITERATIONS)


def dealt(timetable: Timetable, rounds: Rounds, seed: int) -> Rounds:
    """``rounds`` with a third of their stops, as the seed deals them, each put anew where it costs least.

    This is all that a seed can change: the solver draws no lots, and in what order it is given its nodes
    turned out to make no difference. Seed 0 leaves the rounds as they are; no seed makes them dearer.
    """
    stops = timetable.problem.stops

    def lot(place: int) -> bytes:
        return hashlib.sha256(f"{seed}:{place}".encode()).digest()

    drawn = sorted(served_places(rounds), key=lot)[: len(stops) // 3] if seed else []
    for place in drawn:
        rounds = greedy.moved(timetable, rounds, place)
    return rounds


class _Model:
    """Nodes: 0 the station, then the stops that can be served, then the station's copies."""

    def __init__(self, timetable: Timetable, start: Rounds) -> None:
        self.timetable = timetable
        self.vehicles = timetable.problem.vehicles
        self.places = timetable.servable
        self.copy_owners = [v for v, trips in enumerate(start) for _ in range(self._copies(v, len(trips)))]
        self.first_copy = 1 + len(self.places)
        self.place_of_node = [STATION, *self.places, *(STATION for _ in self.copy_owners)]
        self.index = pywrapcp.RoutingIndexManager(len(self.place_of_node), len(self.vehicles), STATION)
        self.routing = pywrapcp.RoutingModel(self.index)
        self._add_travel()
        self._add_load()
        self._add_stops()
        self._add_copies()

    def _copies(self, v: int, trips: int) -> int:
        return min(self.vehicles[v].max_trips, max(trips, 1) + SPARE_RELOADS) - 1

    def _add_travel(self) -> None:
        """Arc costs and the dimension of time. A pair without a way lasts longer than the day."""
        horizon_s = max(vehicle.shift[1] for vehicle in self.vehicles)
        here = np.array(self.place_of_node)
        service_s = np.array(self.timetable.service_s)[here]
        nodes = np.arange(len(here))
        is_stop = (nodes > 0) & (nodes < self.first_copy)
        reload_s = np.where(np.outer(is_stop, nodes >= self.first_copy), self.timetable.problem.reload_s, 0)
        cost_of, time_of = {}, {}
        for profile in sorted({vehicle.profile for vehicle in self.vehicles}):
            seconds = self.timetable.problem.travel[profile].seconds.astype(np.int64)[np.ix_(here, here)]
            seconds[seconds == NO_WAY] = horizon_s + 1
            cost_of[profile] = self.routing.RegisterTransitMatrix(seconds.tolist())
            time_of[profile] = self.routing.RegisterTransitMatrix(
                (seconds + service_s[:, None] + reload_s).tolist()
            )
        for v, vehicle in enumerate(self.vehicles):
            self.routing.SetArcCostEvaluatorOfVehicle(cost_of[vehicle.profile], v)
        transits = [time_of[vehicle.profile] for vehicle in self.vehicles]
        self.routing.AddDimensionWithVehicleTransits(transits, horizon_s, horizon_s, False, "time")
        self.time = self.routing.GetDimensionOrDie("time")
        for v, vehicle in enumerate(self.vehicles):
            self.time.CumulVar(self.routing.Start(v)).SetRange(*vehicle.shift)
            self.time.CumulVar(self.routing.End(v)).SetRange(*vehicle.shift)

    def _add_load(self) -> None:
        capacities = [vehicle.capacity for vehicle in self.vehicles]
        units = [self.timetable.load[place] for place in (STATION, *self.places)]
        units += [-capacities[v] for v in self.copy_owners]
        transit = self.routing.RegisterUnaryTransitVector(units)
        self.routing.AddDimensionWithVehicleCapacity(transit, max(capacities), capacities, True, "load")
        self.load = self.routing.GetDimensionOrDie("load")
        for v in range(len(self.vehicles)):
            self.load.SlackVar(self.routing.Start(v)).SetValue(0)

    def _add_stops(self) -> None:
        horizon_s = max(vehicle.shift[1] for vehicle in self.vehicles)
        for node, place in enumerate(self.places, start=1):
            at = self.index.NodeToIndex(node)
            close_s = min(self.timetable.close_s[place], horizon_s)
            self.time.CumulVar(at).SetRange(self.timetable.open_s[place], close_s)
            self.load.SlackVar(at).SetValue(0)
            self.routing.AddDisjunction([at], self.timetable.penalty[place])
            if len(self.timetable.able[place]) < len(self.vehicles):
                self.routing.VehicleVar(at).SetValues([-1, *self.timetable.able[place]])

    def _add_copies(self) -> None:
        for node, v in enumerate(self.copy_owners, start=self.first_copy):
            at = self.index.NodeToIndex(node)
            self.routing.AddDisjunction([at], 0)
            self.routing.VehicleVar(at).SetValues([-1, v])

    def search(self, start: Rounds, budget: "_Budget") -> Rounds:
        parameters = pywrapcp.DefaultRoutingSearchParameters()
        parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
        parameters.time_limit.FromSeconds(NEVER_S)
        parameters.lns_time_limit.FromSeconds(NEVER_S)
        self.routing.AddSearchMonitor(self.routing.solver().CustomLimit(budget))
        self.routing.CloseModelWithParameters(parameters)
        assignment = acceptable_assignment(self._read, self._node_routes(start))
        solution = self.routing.SolveFromAssignmentWithParameters(assignment, parameters)
        return start if solution is None else self._rounds(solution)

    def _read(self, routes: list[list[int]]) -> Any:
        indices = [[self.index.NodeToIndex(node) for node in route] for route in routes]
        return self.routing.ReadAssignmentFromRoutes(indices, True)

    def _node_routes(self, rounds: Rounds) -> list[list[int]]:
        """Trips joined by the vehicle's own copies of the station."""
        node_of = {place: node for node, place in enumerate(self.places, start=1)}
        copies: list[list[int]] = [[] for _ in self.vehicles]
        for node, v in enumerate(self.copy_owners, start=self.first_copy):
            copies[v].append(node)
        routes: list[list[int]] = []
        for v, trips in enumerate(rounds):
            route: list[int] = []
            for number, trip in enumerate(trips):
                route += [copies[v][number - 1]] if number else []
                route += [node_of[place] for place in trip]
            routes.append(route)
        return routes

    def _rounds(self, solution: Any) -> Rounds:
        rounds: Rounds = []
        for v in range(len(self.vehicles)):
            trips: list[list[int]] = [[]]
            at = solution.Value(self.routing.NextVar(self.routing.Start(v)))
            while not self.routing.IsEnd(at):
                place = self.place_of_node[self.index.IndexToNode(at)]
                if place == STATION:
                    trips.append([])
                else:
                    trips[-1].append(place)
                at = solution.Value(self.routing.NextVar(at))
            rounds.append([trip for trip in trips if trip])
        return rounds


def acceptable_assignment(read: Callable[[list[list[int]]], Any], routes: list[list[int]]) -> Any:
    """The solver's reading of ``routes``, without the nodes it does not accept where they stand.

    ``read`` answers None when any node does not fit and does not say which, so the first one that spoils
    its route is looked for and left out, until the rest is accepted. Empty routes always are.
    """
    routes = [list(route) for route in routes]
    while (assignment := read(routes)) is None:
        spoiler = _first_spoiler(read, routes)
        if spoiler is None:
            return read([[] for _ in routes])
        v, position = spoiler
        del routes[v][position]
    return assignment


def _first_spoiler(read: Callable[[list[list[int]]], Any], routes: list[list[int]]) -> tuple[int, int] | None:
    for v, route in enumerate(routes):
        for length in range(1, len(route) + 1):
            alone = [route[:length] if other == v else [] for other in range(len(routes))]
            if read(alone) is None:
                return v, length - 1
    return None


class _Budget:
    """Asked by the solver at every look: enough? Counts looks; the clock only guards."""

    def __init__(self, looks: int, guard_s: float) -> None:
        self.left = looks
        self.guard_end_s = time.thread_time() + guard_s
        self.is_over_guard = False

    def __call__(self) -> bool:
        self.left -= 1
        if self.left > 0 and self.left % LOOKS_PER_CLOCK == 0:
            self.is_over_guard = self.is_over_guard or time.thread_time() > self.guard_end_s
        return self.left <= 0 or self.is_over_guard

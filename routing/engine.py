"""The second solver: Google OR-Tools' routing solver, which states the whole problem in a model of its own.

    prove      does a plan hold in that model? Then it is polished a little by guided local search
    improve    the whole search by guided local search, where the compiled search is missing

It is given fresh days only. A day that has begun (goods on board, promised stops) is judged by ``check``.

Several trips per shift. A vehicle that may leave k more times gets k copies of the station, bound to it. A
copy gives back the vehicle's whole capacity (its load transit is -capacity; only copies have slack, so the
load after it is zero). Reload time stands on the legs stop → copy, so an unused copy costs nothing.

Determinism. A budget in seconds is another search on a busier machine. Here the budget is the number of
looks the solver takes at its limit, which is about one for every neighbouring plan it tries; the solver's own
clocks are set far beyond. Whoever calls may stop a runaway, and then the plan says so.

Goods that come late. A dimension "goods" has, all along a trip, the moment at which it is taken to leave the
station: at least the release of each stop on it, at most the time at the station before it. (A sum with the
slack there would not do: bounds of sums are not carried on to what they are made of.)

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
from collections.abc import Callable
from importlib.metadata import version
from itertools import pairwise
from typing import Any

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from routing import greedy
from routing.matrix import NO_WAY
from routing.plan import Stopped
from routing.problem import Problem
from routing.timetable import STATION, Improved, Rounds, Timetable, served_places

NAME = "ortools"
VERSION = version("ortools")

SPARE_RELOADS = 1  # trips a vehicle may open beyond those of its start; more copies made no better plans
POLISH_LOOKS = 2_000
LOOKS_PER_CLOCK = 256
NEVER_S = 7 * 24 * 3600  # for the solver's own clocks: they must not decide

Expired = Callable[[], bool]


def can_state(problem: Problem) -> bool:
    """Has no vehicle begun its day?"""
    return not any(vehicle.holds_first for vehicle in problem.vehicles)


def prove(timetable: Timetable, rounds: Rounds) -> Rounds | None:
    """``rounds`` or better ones, which hold in the solver's own model; None if it does not take them."""
    model = _Model(timetable, rounds)
    found = model.search(rounds, _Budget(POLISH_LOOKS, None), is_whole=True)
    if found is None:
        return None
    holds = all(timetable.fits(v, trips) for v, trips in enumerate(found))
    return min(rounds, found, key=timetable.objective) if holds else rounds


def improve(
    timetable: Timetable, start: Rounds, iterations: int, seed: int, expired: Expired | None = None
) -> Improved:
    """The best rounds found from ``start`` in ``iterations`` looks, cut when ``expired`` says so.

    One long search, not several restarted from the best so far: measured on 24 zones of 25 to 100 stops at
    200,000 looks, restarts came out 0.7 to 2.1 % dearer on average and up to 31 % in one zone.
    """
    budget = _Budget(iterations, expired)
    start = dealt(timetable, start, seed)
    rounds = _Model(timetable, start).search(start, budget)
    return Improved(rounds or start, Stopped.TIME if budget.is_expired else Stopped.ITERATIONS)


def dealt(timetable: Timetable, rounds: Rounds, seed: int) -> Rounds:
    """``rounds`` with a third of their stops, as the seed deals them, each put anew where it costs least.

    This is all that a seed can change: the solver draws no lots, and in what order it is given its nodes
    turned out to make no difference. Seed 0 leaves the rounds as they are; no seed makes them dearer.
    """

    def lot(place: int) -> bytes:
        return hashlib.sha256(f"{seed}:{place}".encode()).digest()

    drawn = sorted(served_places(rounds), key=lot)[: len(timetable.stops) // 3] if seed else []
    for place in drawn:
        rounds = greedy.moved(timetable, rounds, place)
    return rounds


class _Model:
    """Nodes: 0 the station, then the stops that can be served, then the station's copies."""

    def __init__(self, timetable: Timetable, start: Rounds) -> None:
        self.timetable = timetable
        self.vehicles = timetable.vehicles
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
        if any(stop.release_s for stop in timetable.stops):
            self._add_goods()

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
            grid = self.timetable.grids[self.timetable.profiles[self._first_of(profile)]]
            seconds = grid.astype(np.int64)[np.ix_(here, here)]
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

    def _first_of(self, profile: str) -> int:
        return next(v for v, vehicle in enumerate(self.vehicles) if vehicle.profile == profile)

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
            stop = self.timetable.stops[place - 1]
            self.time.CumulVar(at).SetRange(stop.window[0], min(stop.windows[-1][1], horizon_s))
            for (_, close_s), (open_s, _) in pairwise(stop.windows):
                self.time.CumulVar(at).RemoveInterval(close_s + 1, open_s - 1)
            if stop.due_s is not None:
                self.time.SetCumulVarSoftUpperBound(at, stop.due_s, stop.late_weight)
            self.load.SlackVar(at).SetValue(0)
            self.routing.AddDisjunction([at], self.timetable.penalty[place])
            if len(self.timetable.able[place]) < len(self.vehicles):
                self.routing.VehicleVar(at).SetValues([-1, *self.timetable.able[place]])

    def _add_copies(self) -> None:
        for node, v in enumerate(self.copy_owners, start=self.first_copy):
            at = self.index.NodeToIndex(node)
            self.routing.AddDisjunction([at], 0)
            self.routing.VehicleVar(at).SetValues([-1, v])

    def _add_goods(self) -> None:
        """The moment each trip is taken to leave at: steady along the trip, and only a station changes it."""
        horizon_s = max(vehicle.shift[1] for vehicle in self.vehicles)
        nothing = self.routing.RegisterUnaryTransitVector([0] * len(self.place_of_node))
        self.routing.AddDimension(nothing, horizon_s, horizon_s, False, "goods")
        goods = self.routing.GetDimensionOrDie("goods")
        for node, place in enumerate(self.places, start=1):
            at = self.index.NodeToIndex(node)
            goods.SlackVar(at).SetValue(0)
            goods.CumulVar(at).SetMin(self.timetable.release_s[place])
        stations = [self.routing.Start(v) for v in range(len(self.vehicles))]
        stations += [self.index.NodeToIndex(node) for node in range(self.first_copy, len(self.place_of_node))]
        solver, everywhere = self.routing.solver(), range(self.routing.Size() + len(self.vehicles))
        goods_at = [goods.CumulVar(at) for at in everywhere]
        for at in stations:
            self.time.SlackVar(at).SetValue(0)  # who waits, waits before leaving: its moment is the time here
            solver.Add(solver.Element(goods_at, self.routing.NextVar(at)) <= self.time.CumulVar(at))

    def search(self, start: Rounds, budget: "_Budget", is_whole: bool = False) -> Rounds | None:
        """The best rounds met; with ``is_whole`` None if the start is not accepted as it stands."""
        parameters = pywrapcp.DefaultRoutingSearchParameters()
        parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
        parameters.time_limit.FromSeconds(NEVER_S)
        parameters.lns_time_limit.FromSeconds(NEVER_S)
        self.routing.AddSearchMonitor(self.routing.solver().CustomLimit(budget))
        self.routing.CloseModelWithParameters(parameters)
        routes = self._node_routes(start)
        assignment = self._read(routes) if is_whole else acceptable_assignment(self._read, routes)
        if assignment is None:
            return None
        solution = self.routing.SolveFromAssignmentWithParameters(assignment, parameters)
        return None if solution is None else self._rounds(solution)

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
    """Asked by the solver at every look: enough? Counts looks; ``expired`` only guards."""

    def __init__(self, looks: int, expired: Expired | None) -> None:
        self.left = looks
        self.expired = expired
        self.is_expired = False

    def __call__(self) -> bool:
        self.left -= 1
        if self.expired is not None and self.left > 0 and self.left % LOOKS_PER_CLOCK == 0:
            self.is_expired = self.is_expired or self.expired()
        return self.left <= 0 or self.is_expired

"""Other planners on the same problems: PyVRP and VROOM (``pip install -e ".[bench]"``).

Both are given our load rule, max(delivers, collects), so that all choose among the same plans; with ``exact``
PyVRP counts the true load instead. Neither states everything: a stop that a vehicle may not serve is a very
long way to PyVRP, and VROOM, which knows no reload, fetches each order from the station by itself, once its
goods are there, and may break the limit of trips. Where every vehicle leaves once its orders are plain jobs.
What they answer is judged by our checker and counted by our sums.
"""

import time
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

from routing import Problem, Routes, Stop, Vehicle, check
from routing.matrix import NO_WAY
from routing.problem import LATEST_S
from routing.timetable import Timetable

VERY_FAR = 10_000_000
MOST_PRIORITY = 100


@dataclass(frozen=True, slots=True)
class Answer:
    objective: int
    unserved: int
    faults: int
    cpu_s: float


def judged(problem: Problem, routes: Routes, cpu_s: float) -> Answer:
    timetable = Timetable(problem, most=len(problem.stops))
    rounds = [
        [[timetable.place_of[stop] for stop in trip] for trip in routes.get(vehicle.id, ())]
        for vehicle in problem.vehicles
    ]
    served = {stop for trips in routes.values() for trip in trips for stop in trip}
    left = sum(stop.id not in served for stop in problem.stops)
    return Answer(timetable.objective(rounds), left, len(check(problem, routes)), cpu_s)


class _CpuStop:
    """PyVRP's stopping rule, by the processor's clock."""

    def __init__(self, budget_s: float) -> None:
        self.end_s = time.process_time() + budget_s

    def __call__(self, best_cost: float) -> bool:
        return time.process_time() >= self.end_s

    def fraction_remaining(self) -> float | None:
        return None


def pyvrp(problem: Problem, budget_s: float, seed: int = 1, exact: bool = False) -> Answer:
    import pyvrp as rival

    began_s = time.process_time()
    model = rival.Model()
    depot, reload_depot = _depots(model, problem)
    doors = [model.add_location(k + 1, 0) for k in range(len(problem.stops))]
    locations = [depot[0], *doors, reload_depot[0]]
    place = [0, *problem.stop_places, 0]
    alike = _alike(problem)
    for kind, ids in alike.items():
        vehicle, barred = kind
        profile = model.add_profile()
        seconds = problem.travel[vehicle.profile].seconds
        for a, here in enumerate(locations):
            for b, there in enumerate(locations):
                leg = int(seconds[place[a], place[b]])
                far = leg == NO_WAY or a in barred or b in barred
                if a != b:
                    leg = VERY_FAR if far else leg
                    model.add_edge(here, there, distance=leg, duration=leg, profile=profile)
        model.add_vehicle_type(
            len(ids),
            capacity=vehicle.capacity,
            start_depot=depot[1],
            end_depot=depot[1],
            tw_early=vehicle.shift[0],
            tw_late=vehicle.shift[1],
            reload_depots=[reload_depot[1]] if vehicle.max_trips > 1 else [],
            max_reloads=vehicle.max_trips - 1,
            profile=profile,
        )
    for door, stop in zip(doors, problem.stops, strict=True):
        most = max(stop.delivers, stop.collects)
        model.add_client(
            door,
            delivery=stop.delivers if exact else most,
            pickup=stop.collects if exact else most,
            service_duration=stop.service_s,
            tw_early=stop.window[0],
            tw_late=stop.window[1],
            release_time=stop.release_s,
            prize=stop.penalty,
            required=False,
        )
    found = model.solve(_CpuStop(budget_s - (time.process_time() - began_s)), seed=seed, display=False)
    routes: dict[str, list[list[str]]] = {}
    idle = [list(ids) for ids in alike.values()]
    for route in found.best.routes():
        stops = [0 if act.is_depot() else act.idx + 1 for act in _activities(route)]
        routes[idle[route.vehicle_type()].pop()] = _trips(problem, stops)
    return judged(problem, routes, time.process_time() - began_s)


def _alike(problem: Problem) -> dict[tuple[Vehicle, frozenset[int]], list[str]]:
    """Vehicles by what tells them apart, and the places each kind may not serve: the fewer, the faster."""
    alike: defaultdict[tuple[Vehicle, frozenset[int]], list[str]] = defaultdict(list)
    for vehicle in problem.vehicles:
        barred = {k + 1 for k, stop in enumerate(problem.stops) if not stop.may_ride(vehicle.id)}
        alike[(replace(vehicle, id="any"), frozenset(barred))].append(vehicle.id)
    return alike


def _depots(model: Any, problem: Problem) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Where a vehicle starts it loses no time; where it comes to reload it does."""
    start, again = model.add_location(0, 0), model.add_location(0, 0)
    return (start, model.add_depot(start)), (again, model.add_depot(again, service_duration=problem.reload_s))


def _activities(route: Any) -> list[Any]:
    return list(route.activities() if callable(getattr(route, "activities", None)) else route)


def _trips(problem: Problem, stops: list[int]) -> list[list[str]]:
    """Cut at every visit to the station, which is 0."""
    trips: list[list[str]] = [[]]
    for stop in stops:
        if stop == 0:
            trips.append([])
        else:
            trips[-1].append(problem.stops[stop - 1].id)
    return [trip for trip in trips if trip]


def vroom(problem: Problem, budget_s: float) -> Answer:
    """Each order is fetched at the station by itself; a stay there is paid once."""
    from datetime import timedelta

    import numpy as np
    import vroom as rival

    began_s = time.process_time()
    given = rival.Input()
    for profile, matrix in problem.travel.items():
        seconds = matrix.seconds.astype(np.int64)
        given.set_durations_matrix(profile, np.where(seconds == NO_WAY, VERY_FAR, seconds).astype(np.uint32))
    for v, vehicle in enumerate(problem.vehicles):
        given.add_vehicle(
            rival.Vehicle(
                v + 1,
                start=0,
                end=0,
                profile=vehicle.profile,
                capacity=[vehicle.capacity],
                time_window=rival.TimeWindow(*vehicle.shift),
                skills={k + 1 for k, stop in enumerate(problem.stops) if _is_bound(stop, vehicle.id)},
            )
        )
    may_reload = any(vehicle.max_trips > 1 for vehicle in problem.vehicles)
    for k, stop in enumerate(problem.stops):
        amount = rival.Amount([max(stop.delivers, stop.collects)])
        urgency = {
            "skills": set() if stop.only_vehicles is None else {k + 1},
            "priority": min(MOST_PRIORITY, stop.penalty // 300),
        }
        at_door = {
            "location": problem.stop_places[k],
            "default_service": stop.service_s,
            "time_windows": [rival.TimeWindow(*stop.window)],
        }
        if not may_reload:
            given.add_job(rival.Job(k + 1, delivery=amount, **at_door, **urgency))
            continue
        goods = [rival.TimeWindow(stop.release_s, LATEST_S)]
        fetch = rival.ShipmentStep(k + 1, 0, default_setup=problem.reload_s, time_windows=goods)
        given.add_shipment(fetch, rival.ShipmentStep(k + 1, **at_door), amount=amount, **urgency)
    found = given.solve(exploration_level=5, nb_threads=1, timeout=timedelta(seconds=4 * budget_s))
    routes: dict[str, list[list[str]]] = {}
    for number, steps in found.routes.groupby("vehicle_id"):
        order: list[int] = []
        for kind, stop in zip(steps.type, steps.id, strict=True):
            if kind in ("delivery", "job"):
                order.append(int(stop))
            elif kind == "pickup" and order and order[-1] != 0:
                order.append(0)
        routes[problem.vehicles[int(number) - 1].id] = _trips(problem, order)
    return judged(problem, routes, time.process_time() - began_s)


def _is_bound(stop: Stop, vehicle_id: str) -> bool:
    return stop.only_vehicles is not None and vehicle_id in stop.only_vehicles

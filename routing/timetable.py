"""A problem laid out for arithmetic, and the rules a solver builds under.

Places are numbers here: 0 the station, then the stops, then where vehicles on the road stand. Vehicles are
numbers. A round is one vehicle's trips, a trip a list of places; a first trip under way is always there, if
need be without stops. All is earliest start: nobody waits who could drive, except for a window to open or for
goods to come.

Load rule: a stop takes max(delivers, collects) units of its trip. That is exact for stops that swap one for
one and for stops that only collect; where a stop only delivers it reserves room for an empty that never
comes, so a trip may look full a little too early, never too late. What is on board already takes its room
from the vehicle for all of the first trip, whether its stop is served or not.

Of more stops than anybody could drive the most urgent and nearest are considered, the others are left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from routing.matrix import NO_WAY
from routing.plan import Reason, Stopped
from routing.problem import Problem, Stop, Vehicle

STATION = 0
NOBODY = -1
MOST_CONSIDERED = 800

Trip: TypeAlias = list[int]
Round: TypeAlias = list[Trip]
Rounds: TypeAlias = list[Round]  # by vehicle number


@dataclass(frozen=True, slots=True)
class Improved:
    """What a search found, and what ended it."""

    rounds: Rounds
    stopped: Stopped


class Timetable:
    def __init__(self, problem: Problem, most: int = MOST_CONSIDERED) -> None:
        self.problem = problem
        self.vehicles = problem.vehicles
        self.alone = Alone(problem)
        self.indices = self._considered(most)  # of the stops that have a place here
        self.stops = [problem.stops[index] for index in self.indices]
        self.places = range(1, len(self.stops) + 1)
        self.place_of = {stop.id: place for place, stop in enumerate(self.stops, start=1)}
        self._lay_out_places()
        self._lay_out_stops()
        self.locked: list[Trip] = [[] for _ in self.vehicles]
        # On the road, and not home within the shift whatever it does: nothing is planned for it.
        self.stuck = {v for v, one in enumerate(self.vehicles) if one.is_out and not self.fits(v, [[]])}
        self.able = [(), *(self._able(index) for index in self.indices)]
        self.shut: set[int] = set()
        self._lock()

    def _considered(self, most: int) -> list[int]:
        stops, held = self.problem.stops, self.alone.owner
        every = range(len(stops))
        if len(stops) <= most:
            return list(every)
        first = sorted(every, key=lambda i: (i not in held, -stops[i].penalty, self.alone.far_s(i), i))
        return sorted(first[:most])

    def _lay_out_places(self) -> None:
        """Matrices over the places that are considered; single numbers are read from lists, and quicker."""
        there = [self.problem.stop_places[index] for index in self.indices]
        stands = [vehicle.stands_at for vehicle in self.vehicles if vehicle.is_out]
        numbers = iter(range(len(there) + 1, len(there) + 1 + len(stands)))
        self.stands = [next(numbers) if vehicle.is_out else STATION for vehicle in self.vehicles]
        self.where = np.array([STATION, *there, *stands])
        profiles = sorted({vehicle.profile for vehicle in self.vehicles})
        self.profiles = [profiles.index(vehicle.profile) for vehicle in self.vehicles]
        self.grids = [self._grid(profile) for profile in profiles]
        lists = [grid.tolist() for grid in self.grids]
        self.seconds: list[list[list[int]]] = [lists[number] for number in self.profiles]

    def _grid(self, profile: str) -> NDArray[np.int32]:
        seconds: NDArray[np.int32] = self.problem.travel[profile].seconds[np.ix_(self.where, self.where)]
        return seconds

    def _lay_out_stops(self) -> None:
        owner = self.alone.owner
        self.owner = [NOBODY, *(owner.get(index, NOBODY) for index in self.indices)]
        taken = [max(stop.delivers, stop.collects) for stop in self.stops]
        self.load = [0, *(0 if mine != NOBODY else n for n, mine in zip(taken, self.owner[1:], strict=True))]
        self.service_s = [0, *(stop.service_s for stop in self.stops)]
        self.release_s = [0, *(stop.release_s for stop in self.stops)]
        self.penalty = [0, *(stop.penalty for stop in self.stops)]
        self.room_first = [self.alone.room_first(v) for v in range(len(self.vehicles))]

    def _able(self, index: int) -> tuple[int, ...]:
        return tuple(v for v in self.alone.able(index) if v not in self.stuck)

    def _lock(self) -> None:
        """Keep at the head of each round what is promised and still holds; what does not is left out."""
        for v, vehicle in enumerate(self.vehicles):
            for stop_id in vehicle.locked:
                place = self.place_of[stop_id]
                may = v in self.able[place] and self.may_join(v, 0, place)
                if may and self.fits(v, [[*self.locked[v], place]]):
                    self.locked[v].append(place)
                else:
                    self.shut.add(place)

    @property
    def left_unconsidered(self) -> int:
        """Penalties of the stops that have no place here."""
        return sum(stop.penalty for stop in self.problem.stops) - sum(self.penalty)

    @property
    def servable(self) -> list[int]:
        """Places that some vehicle could serve if it had nothing else to do."""
        return [place for place in self.places if self.able[place] and place not in self.shut]

    def empty_rounds(self) -> Rounds:
        """Nothing but what has begun."""
        return [
            [list(locked)] if locked or self.begins_out(v) else [] for v, locked in enumerate(self.locked)
        ]

    def begins_out(self, v: int) -> bool:
        return self.vehicles[v].is_out and v not in self.stuck

    def may_join(self, v: int, t: int, place: int) -> bool:
        """May this stop be on trip ``t`` (from 0) of ``v``, as far as goods on board have a say?"""
        if self.owner[place] != NOBODY:
            return self.owner[place] == v and t == 0
        return t > 0 or not self.vehicles[v].is_out or self.stops[place - 1].delivers == 0

    def room(self, v: int, t: int) -> int:
        return self.vehicles[v].capacity if t else self.room_first[v]

    def legs(self, v: int, t: int, trip: Sequence[int]) -> list[tuple[int, int]]:
        """From where trip ``t`` begins along the places and home."""
        start = STATION if t else self.stands[v]
        return list(zip((start, *trip), (*trip, STATION), strict=True))

    def leave_s(self, ready_s: int, trip: Trip) -> int:
        """A trip leaves when the vehicle is ready and all its goods are there."""
        return max([ready_s, *(self.release_s[place] for place in trip)])

    def trip_return_s(self, v: int, t: int, ready_s: int, trip: Trip) -> int | None:
        """When ``v`` is back; None if a window is missed, a leg has no way or the load is too much."""
        if trip and sum(self.load[place] for place in trip) > self.room(v, t):
            return None
        now, seconds = self.leave_s(ready_s, trip), self.seconds[v]
        for here, there in self.legs(v, t, trip):
            leg_s = seconds[here][there]
            if leg_s == NO_WAY:
                return None
            now += leg_s
            if there != STATION:
                start_s = start_after(self.stops[there - 1], now)
                if start_s is None:
                    return None
                now = start_s + self.service_s[there]
        return now

    def fits(self, v: int, trips: Round) -> bool:
        """Can ``v`` drive these trips, one after the other, within its shift?"""
        vehicle = self.vehicles[v]
        if len(trips) > vehicle.max_trips:
            return False
        back: int | None = vehicle.shift[0]
        for t, trip in enumerate(trips):
            assert back is not None
            back = self.trip_return_s(v, t, back + (self.problem.reload_s if t else 0), trip)
            if back is None:
                return False
        return back is not None and back <= vehicle.shift[1]

    def travel_s(self, v: int, trips: Round) -> int:
        seconds = self.seconds[v]
        return sum(seconds[a][b] for t, trip in enumerate(trips) for a, b in self.legs(v, t, trip))

    def late_cost(self, v: int, trips: Round) -> int:
        """What starting after the due moments costs, on trips that fit."""
        if all(stop.due_s is None for stop in self.stops):
            return 0
        cost, ready_s = 0, self.vehicles[v].shift[0]
        for t, trip in enumerate(trips):
            now = self.leave_s(ready_s, trip)
            for here, there in self.legs(v, t, trip):
                now += self.seconds[v][here][there]
                if there != STATION:
                    stop = self.stops[there - 1]
                    now = start_after(stop, now) or now
                    cost += stop.late_cost(now)
                    now += stop.service_s
            ready_s = now + self.problem.reload_s
        return cost

    def objective(self, rounds: Rounds) -> int:
        """Travel seconds, what lateness costs, and the penalties of all stops that are in no trip."""
        served = served_places(rounds)
        driven = sum(self.travel_s(v, trips) + self.late_cost(v, trips) for v, trips in enumerate(rounds))
        left = sum(self.penalty[place] for place in self.places if place not in served)
        return driven + left + self.left_unconsidered


class Alone:
    """What each vehicle could do for a stop if it had nothing else to do. Stops by their index."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        index = {stop.id: i for i, stop in enumerate(problem.stops)}
        self.owner = {
            index[stop_id]: v for v, vehicle in enumerate(problem.vehicles) for stop_id in vehicle.loaded
        }
        self.out_s, self.home_s = {}, {}
        places = np.array(problem.stop_places, dtype=int)
        for profile, matrix in problem.travel.items():
            self.out_s[profile] = matrix.seconds[STATION][places].tolist()
            self.home_s[profile] = matrix.seconds[:, STATION][places].tolist()

    def room_first(self, v: int) -> int:
        """What may join the first trip beside what is on board, by the load rule."""
        taken = sum(max(stop.delivers, stop.collects) for stop in self._loaded(v))
        return self.problem.vehicles[v].capacity - self.problem.vehicles[v].aboard - taken

    def room_beside(self, v: int) -> int:
        """What is really free on the first trip now."""
        taken = sum(stop.delivers for stop in self._loaded(v))
        return self.problem.vehicles[v].capacity - self.problem.vehicles[v].aboard - taken

    def _loaded(self, v: int) -> list[Stop]:
        return [self.problem.stops[i] for i, mine in self.owner.items() if mine == v]

    def far_s(self, i: int) -> int:
        """The shortest way there; those that nobody can reach come last."""
        ways = [out[i] for out in self.out_s.values() if out[i] != NO_WAY]
        return min(ways, default=1 << 40)

    def able(self, i: int) -> tuple[int, ...]:
        return tuple(v for v in range(len(self.problem.vehicles)) if self._is_able(v, i))

    def why_not(self, i: int) -> Reason | None:
        """Why no vehicle could serve this stop even if it had nothing else to do; None if one could."""
        if self.able(i):
            return None
        vehicles, stop = self.problem.vehicles, self.problem.stops[i]
        carriers = [v for v in range(len(vehicles)) if self._may_carry(v, i)]
        if not carriers:
            return Reason.NO_VEHICLE_CAN_CARRY
        reaching = [v for v in carriers if self._begin(v, i) is not None]
        if not reaching:
            return Reason.UNREACHABLE
        if not any(meets(vehicles[v], stop) for v in reaching):
            return Reason.NO_CREW_AT_THAT_TIME
        if all(self._start_s(v, i) is None for v in reaching):
            return Reason.WINDOW_UNREACHABLE
        return Reason.BEYOND_SHIFT

    def _may_carry(self, v: int, i: int) -> bool:
        vehicle, stop = self.problem.vehicles[v], self.problem.stops[i]
        if self.owner.get(i, v) != v or not stop.may_ride(vehicle.id):
            return False
        if i in self.owner:
            return stop.collects - stop.delivers <= self.room_beside(v)
        return max(stop.delivers, stop.collects) <= vehicle.capacity

    def _is_able(self, v: int, i: int) -> bool:
        if not self._may_carry(v, i) or self._begin(v, i) is None:
            return False
        start_s, vehicle = self._start_s(v, i), self.problem.vehicles[v]
        if start_s is None or (self._needs_second(v, i) and vehicle.max_trips < 2):
            return False
        back_s = start_s + self.problem.stops[i].service_s + self.home_s[vehicle.profile][i]
        return bool(back_s <= vehicle.shift[1])

    def _needs_second(self, v: int, i: int) -> bool:
        """Is it no stop for the first trip?"""
        vehicle, stop = self.problem.vehicles[v], self.problem.stops[i]
        if i in self.owner or not vehicle.holds_first:
            return False
        if vehicle.is_out and stop.delivers:
            return True
        return max(stop.delivers, stop.collects) > self.room_beside(v)

    def _begin(self, v: int, i: int) -> tuple[int, int] | None:
        """When ``v`` could set out for the stop, and how long it drives; None where there is no way."""
        vehicle = self.problem.vehicles[v]
        ready_s, out_s = vehicle.shift[0], self.out_s[vehicle.profile][i]
        seconds = self.problem.travel[vehicle.profile].seconds[vehicle.stands_at]
        if self._needs_second(v, i):
            way_home_s = int(seconds[STATION])
            ready_s += way_home_s + self.problem.reload_s
            if way_home_s == NO_WAY:
                return None
        elif vehicle.is_out:
            out_s = int(seconds[self.problem.stop_places[i]])
        if NO_WAY in (out_s, self.home_s[vehicle.profile][i]):
            return None
        return max(ready_s, self.problem.stops[i].release_s), out_s

    def _start_s(self, v: int, i: int) -> int | None:
        begin = self._begin(v, i)
        return None if begin is None else start_after(self.problem.stops[i], sum(begin))


def start_after(stop: Stop, arrive_s: int) -> int | None:
    """When service can start: at once, or when the next window opens; None after the last has closed."""
    for open_s, close_s in stop.windows:
        if arrive_s <= close_s:
            return max(arrive_s, open_s)
    return None


def meets(vehicle: Vehicle, stop: Stop) -> bool:
    """Is the crew at work at any moment at which the stop may be served?"""
    return any(close_s >= vehicle.shift[0] and open_s <= vehicle.shift[1] for open_s, close_s in stop.windows)


def served_places(rounds: Rounds) -> set[int]:
    return {place for trips in rounds for trip in trips for place in trip}

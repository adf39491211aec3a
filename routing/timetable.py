"""A problem laid out for arithmetic, and the rules a solver builds under.

Places are numbers: 0 the station, i the i-th stop. Vehicles are numbers. A round is one vehicle's trips, a
trip a list of places. All is earliest start: nobody waits who could drive, except for a window to open.

Load rule: a stop takes max(delivers, collects) units of its trip. That is exact for stops that swap one for
one and for stops that only collect; where a stop only delivers it reserves room for an empty that never
comes, so a trip may look full a little too early, never too late.
"""

from collections.abc import Sequence
from typing import TypeAlias

from routing.matrix import NO_WAY
from routing.plan import Reason
from routing.problem import Problem

STATION = 0

Trip: TypeAlias = list[int]
Round: TypeAlias = list[Trip]
Rounds: TypeAlias = list[Round]  # by vehicle number


class Timetable:
    def __init__(self, problem: Problem) -> None:
        stops, vehicles = problem.stops, problem.vehicles
        self.problem = problem
        self.places = range(1, len(stops) + 1)
        self.load = [0, *(max(stop.delivers, stop.collects) for stop in stops)]
        self.service_s = [0, *(stop.service_s for stop in stops)]
        self.open_s = [0, *(stop.window[0] for stop in stops)]
        self.close_s = [0, *(stop.window[1] for stop in stops)]
        self.penalty = [0, *(stop.penalty for stop in stops)]
        # Lists, not arrays: single numbers are read from them a million times over.
        seconds = {profile: matrix.seconds.tolist() for profile, matrix in problem.travel.items()}
        self.seconds: list[list[list[int]]] = [seconds[vehicle.profile] for vehicle in vehicles]
        self.able = [(), *(self._able_alone(place) for place in self.places)]

    def _able_alone(self, place: int) -> tuple[int, ...]:
        return tuple(
            v for v in range(len(self.seconds)) if self.may_carry(v, place) and self.fits(v, [[place]])
        )

    def may_carry(self, v: int, place: int) -> bool:
        vehicle, only = self.problem.vehicles[v], self.problem.stops[place - 1].only_vehicles
        return (only is None or vehicle.id in only) and self.load[place] <= vehicle.capacity

    @property
    def servable(self) -> list[int]:
        """Places that some vehicle could serve if it had nothing else to do."""
        return [place for place in self.places if self.able[place]]

    def trip_return_s(self, v: int, leave_s: int, trip: Trip) -> int | None:
        """When ``v`` is back; None if a window is missed, a leg has no way or the load is too much."""
        if sum(self.load[place] for place in trip) > self.problem.vehicles[v].capacity:
            return None
        now, here, seconds = leave_s, STATION, self.seconds[v]
        for place in trip:
            leg_s = seconds[here][place]
            now = max(now + leg_s, self.open_s[place])
            if leg_s == NO_WAY or now > self.close_s[place]:
                return None
            now += self.service_s[place]
            here = place
        leg_s = seconds[here][STATION]
        return None if leg_s == NO_WAY else now + leg_s

    def fits(self, v: int, trips: Round) -> bool:
        """Can ``v`` drive these trips, one after the other, within its shift?"""
        vehicle = self.problem.vehicles[v]
        if len(trips) > vehicle.max_trips:
            return False
        back: int | None = vehicle.shift[0]
        for number, trip in enumerate(trips):
            assert back is not None
            back = self.trip_return_s(v, back + (self.problem.reload_s if number else 0), trip)
            if back is None:
                return False
        return back is not None and back <= vehicle.shift[1]

    def travel_s(self, v: int, trips: Round) -> int:
        seconds = self.seconds[v]
        return sum(seconds[a][b] for trip in trips for a, b in legs(trip))

    def objective(self, rounds: Rounds) -> int:
        """Travel seconds, and the penalties of all stops that are in no trip."""
        served = served_places(rounds)
        travel_s = sum(self.travel_s(v, trips) for v, trips in enumerate(rounds))
        return travel_s + sum(self.penalty[place] for place in self.places if place not in served)

    def why_not_alone(self, place: int) -> Reason | None:
        """Why no vehicle could serve this stop even if it had nothing else to do; None if one could."""
        if self.able[place]:
            return None
        carriers = [v for v in range(len(self.seconds)) if self.may_carry(v, place)]
        if not carriers:
            return Reason.NO_VEHICLE_CAN_CARRY
        reaching = [v for v in carriers if self._has_way(v, place)]
        if not reaching:
            return Reason.UNREACHABLE
        if all(self._arrive_alone_s(v, place) > self.close_s[place] for v in reaching):
            return Reason.WINDOW_UNREACHABLE
        return Reason.BEYOND_SHIFT

    def _has_way(self, v: int, place: int) -> bool:
        return NO_WAY not in (self.seconds[v][STATION][place], self.seconds[v][place][STATION])

    def _arrive_alone_s(self, v: int, place: int) -> int:
        return self.problem.vehicles[v].shift[0] + self.seconds[v][STATION][place]


def legs(trip: Sequence[int]) -> list[tuple[int, int]]:
    """From the station along the places and home again."""
    return list(zip((STATION, *trip), (*trip, STATION), strict=True))


def served_places(rounds: Rounds) -> set[int]:
    return {place for trips in rounds for trip in trips for place in trip}

"""One zone's day as a problem for routing: doors and crews in, ``routing.Problem`` out. Pure arithmetic.

Units on the vehicle are those of the cylinder types: a household cylinder takes one, a 50 kg cylinder three.
A load limit in bottles and one in nominal grams become one limit in units, by the heaviest gram per unit
that is ordered: never looser than either. The limits themselves are judged again at each load.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from core import clock
from core.geo import Point
from cylinders.models import CylinderType
from routing import Problem, Stop, TravelTimes, Vehicle

# Planning figures, not law: the time at a door, between two trips, and what leaving a door out is worth
# (2 hours of driving, and 10 minutes more for each bottle after the first).
SERVICE_S = 7 * 60
EACH_MORE_BOTTLE_S = 2 * 60
RELOAD_S = 8 * 60
LEFT_OUT_S = 2 * 3600
LEFT_OUT_PER_BOTTLE_S = 10 * 60
# What a crew has been told to do: worth a working day of driving, and late rather than not at all.
PROMISED_S = 8 * 3600
LATE_WEIGHT = 1


@dataclass(frozen=True, slots=True)
class Door:
    """An order to plan: what it is brought, what it hands back, and between when and when."""

    order_id: UUID
    point: Point
    starts_at: datetime
    ends_at: datetime
    brings: tuple[CylinderType, ...]
    fetches: tuple[CylinderType, ...]


@dataclass(frozen=True, slots=True)
class Begun:
    """A crew that is driving. ``heads_for``: the door it is next at, None while it stands at the station.

    ``loaded``: orders whose bottles are on board. ``aboard``: units on board that are for no order.
    """

    heads_for: UUID | None = None
    loaded: frozenset[UUID] = frozenset()
    aboard: int = 0


@dataclass(frozen=True, slots=True)
class Crew:
    """A binding's courier and vehicle on the day. Shift in seconds since midnight, already clipped."""

    binding_id: UUID
    profile: str
    max_cylinders: int
    max_nominal_g: int
    max_trips: int
    carries_50kg: bool
    shift: tuple[int, int]
    begun: Begun = Begun()


def problem_of(
    site: Point,
    doors: Sequence[Door],
    crews: Sequence[Crew],
    day: date,
    travel: TravelTimes,
    promised_until_s: int | None = None,
) -> Problem:
    """Stops are named by order id, vehicles by binding id; the same facts give the same problem.

    ``promised_until_s``: of a day under way, where the end of a slot is a wish and this the end.
    """
    doors = sorted(doors, key=lambda door: door.order_id)
    crews = sorted(crews, key=lambda crew: crew.binding_id)
    heaviest_g = max((grams_per_unit(kind) for door in doors for kind in door.brings), default=1)
    truck_ids = frozenset(str(crew.binding_id) for crew in crews if crew.carries_50kg)
    spots = list(dict.fromkeys(door.point for door in doors))
    place_of = {spot: place for place, spot in enumerate(spots, start=1)}
    door_of = {door.order_id: door for door in doors}
    stops = tuple(_stop(door, day, truck_ids) for door in doors)
    if promised_until_s is not None:
        stops = tuple(_promised(stop, promised_until_s) for stop in stops)
    vehicles = []
    for crew in crews:
        head = door_of.get(crew.begun.heads_for) if crew.begun.heads_for is not None else None
        aboard = crew.begun.aboard + sum(
            kind.units for order_id in crew.begun.loaded for kind in door_of[order_id].brings
        )
        capacity = max(units_of(crew, heaviest_g), aboard)
        if capacity > 0:
            vehicles.append(_vehicle(crew, capacity, place_of[head.point] if head is not None else 0))
    points = [(place.lon, place.lat) for place in (site, *spots)]
    travel_by_profile = {
        profile: travel.matrix(points, profile)
        for profile in sorted({vehicle.profile for vehicle in vehicles})
    }
    return Problem(
        stops=stops,
        vehicles=tuple(vehicles),
        reload_s=RELOAD_S,
        travel=travel_by_profile,
        # Neighbours in one house share a place: many doors are few places, and few travel times.
        places=None
        if len(spots) == len(doors) and not any(one.stands_at for one in vehicles)
        else tuple(place_of[door.point] for door in doors),
        fell_back=any(matrix.fell_back for matrix in travel_by_profile.values()),
    )


def units_of(crew: Crew, heaviest_g: int) -> int:
    """What the vehicle may carry at once, in units."""
    return min(crew.max_cylinders, crew.max_nominal_g // heaviest_g)


def grams_per_unit(kind: CylinderType) -> int:
    """Rounded up, so that units never promise more than the grams allow."""
    return -(-kind.nominal_g // kind.units)


def seconds_into(day: date, instant: datetime) -> int:
    """Seconds from the day's local midnight to ``instant``."""
    return int((instant - clock.at(day)).total_seconds())


def _vehicle(crew: Crew, capacity: int, stands_at: int) -> Vehicle:
    begun = crew.begun
    return Vehicle(
        id=str(crew.binding_id),
        profile=crew.profile,
        capacity=capacity,
        max_trips=crew.max_trips,
        shift=crew.shift,
        stands_at=stands_at,
        aboard=begun.aboard,
        loaded=frozenset(map(str, begun.loaded)),
        locked=() if begun.heads_for is None else (str(begun.heads_for),),
    )


def _promised(stop: Stop, until_s: int) -> Stop:
    opens_s, closes_s = stop.window
    return replace(
        stop,
        window=(opens_s, max(closes_s, until_s)),
        due_s=closes_s,
        late_weight=LATE_WEIGHT,
        penalty=stop.penalty + PROMISED_S,
    )


def _stop(door: Door, day: date, truck_ids: frozenset[str]) -> Stop:
    more = len(door.brings) - 1
    return Stop(
        id=str(door.order_id),
        delivers=sum(kind.units for kind in door.brings),
        collects=sum(kind.units for kind in door.fetches),
        service_s=SERVICE_S + more * EACH_MORE_BOTTLE_S,
        window=(seconds_into(day, door.starts_at), seconds_into(day, door.ends_at)),
        penalty=LEFT_OUT_S + more * LEFT_OUT_PER_BOTTLE_S,
        only_vehicles=truck_ids if any(kind.needs_truck for kind in door.brings) else None,
    )

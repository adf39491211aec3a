"""A round as it was really driven, judged by the checker that judges plans: windows, loads, shift, trips.

Nothing is held against anybody here: it is for a person to look at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.geo import Point
from dispatch.rounds.models import Round
from dispatch.rounds.queries import crew_of
from dispatch.rounds.unserved import Words
from dispatch.rounds.zone_day import Door, problem_of, seconds_into
from registry.crew_queries import BoundCrew, binding_with_people
from registry.models import Zone
from registry.queries import site
from registry.rosters import seconds_bound
from routing import Driven, Fault, GreatCircle, Trip, Violation, Visit, check

WORDS: dict[Fault, Words] = {
    Fault.BEFORE_WINDOW: Words("比预约时段早", "earlier than its slot"),
    Fault.AFTER_WINDOW: Words("过了预约时段", "after its slot had closed"),
    Fault.BEFORE_SHIFT: Words("当班之前就出了站", "left before the shift began"),
    Fault.AFTER_SHIFT: Words("下班之后还在送", "still out after the shift had ended"),
    Fault.TOO_MANY_TRIPS: Words("趟数超过这辆车的上限", "more trips than the vehicle may drive"),
    Fault.RELOAD_TOO_SHORT: Words("两趟之间不够回站装车", "no time between two trips to go back and load"),
    Fault.OVER_CAPACITY_LEAVING: Words("出站时超载", "left with more than the vehicle may carry"),
    Fault.OVER_CAPACITY_ON_THE_WAY: Words("路上超载（含空瓶）", "overloaded on the way, empties among it"),
    Fault.VEHICLE_NOT_ALLOWED: Words("这种规格不许装这辆车", "a size that may not ride on this vehicle"),
    Fault.WRONG_LOAD: Words("送出的比装上的多", "more was delivered than was on board"),
    Fault.TIME_RUNS_BACKWARDS: Words("记录的时间前后颠倒", "the recorded moments run backwards"),
}
"""What a round as driven can break; of anything else the checker's own code is told."""


@dataclass(frozen=True, slots=True)
class DrivenTrip:
    """When it left, with how many units for its doors, and when it was at each of them."""

    left_at: datetime
    units: int
    visits: tuple[tuple[UUID, datetime], ...]


def faults_of(
    db: Session, round: Round, doors: Sequence[Door], trips: Sequence[DrivenTrip]
) -> list[dict[str, Any]]:
    """Every rule that was broken. A trip is back at its last door at the earliest: no more is known."""
    if not trips:
        return []
    station = site(db, round.supply_site_id)
    if station is None:
        raise LookupError(f"round {round.id}: its supply site {round.supply_site_id} is not on file")
    zone = db.get_one(Zone, (round.district, round.zone_id))
    people = binding_with_people(db, round.binding_district, round.binding_id)
    from_s, until_s = seconds_bound(people.binding, round.day)
    shift = max(from_s, zone.opens_s), min(until_s, zone.closes_s)
    if shift[0] > shift[1]:  # its binding was withdrawn
        shift = zone.opens_s, zone.closes_s
    bound = BoundCrew(people.binding, people.courier, people.vehicle, *shift)
    crew = crew_of(bound, shift, people.vehicle.max_trips)
    problem = problem_of(Point(station.lon, station.lat), doors, [crew], round.day, GreatCircle())
    driven = Driven(tuple(_trip(round, number, one) for number, one in enumerate(trips, start=1)))
    return [_told(fault) for fault in check(problem, driven)]


def _trip(round: Round, number: int, one: DrivenTrip) -> Trip:
    visits = [(str(order_id), seconds_into(round.day, at)) for order_id, at in one.visits]
    return Trip(
        vehicle=str(round.binding_id),
        number=number,
        leave_s=seconds_into(round.day, one.left_at),
        return_s=visits[-1][1],
        load=one.units,
        visits=tuple(Visit(order_id, at_s, at_s, at_s) for order_id, at_s in visits),
    )


OF_THE_DAY = (Fault.BEFORE_WINDOW, Fault.AFTER_WINDOW, Fault.BEFORE_SHIFT, Fault.AFTER_SHIFT)


def _told(fault: Violation) -> dict[str, Any]:
    words = WORDS.get(
        fault.code, Words("独立核验不通过", f"the independent check refuses it: {fault.code.value}")
    )
    amounts = (fault.expected, fault.found)
    expected, found = (_said(one, fault.code in OF_THE_DAY) for one in amounts)
    return {
        "code": fault.code.value,
        "zh": words.zh,
        "en": words.en,
        "trip": fault.trip,
        "order_id": fault.stop,
        "expected": expected,
        "found": found,
    }


def _said(amount: int | None, is_moment: bool) -> str | None:
    if amount is None:
        return None
    return f"{amount // 3600:02d}:{amount % 3600 // 60:02d}" if is_moment else str(amount)

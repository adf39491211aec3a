"""Reads of changes to a day under way, behind our own routes."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.doing import Doing
from core.problems import NotFound
from dispatch.orders.queries import to_plan
from dispatch.rounds.models import RoundChange, RoundPlan
from dispatch.rounds.plan_notes import notes_of
from dispatch.rounds.queries import orders_on_rounds, trips_view, worded, zone_in_reach
from dispatch.rounds.states import ChangeState, PlanState
from dispatch.rounds.under_way import first_of_each_crew, rounds_under_way, standing
from registry.models import Zone
from routing import Plan


def version_of(db: Session, zone: Zone, day: date) -> int:
    """How often the zone's day has been given rounds, or other ones: who looks at it names what he saw."""
    plans = sa.select(sa.func.count()).where(
        RoundPlan.district == zone.district,
        RoundPlan.zone_id == zone.id,
        RoundPlan.day == day,
        RoundPlan.state == PlanState.APPLIED,
    )
    changes = sa.select(sa.func.count()).where(
        RoundChange.district == zone.district,
        RoundChange.zone_id == zone.id,
        RoundChange.day == day,
        RoundChange.state == ChangeState.APPLIED,
    )
    return db.scalars(plans).one() + db.scalars(changes).one()


def day_under_way(doing: Doing, zone_id: UUID) -> dict[str, Any]:
    """Today's rounds as they can be changed: the one each crew drives now, or next, and what waits."""
    day, now = clock.today(), clock.now()
    with doing.ground.sessions() as db:
        zone = zone_in_reach(db, doing, zone_id)
        version = version_of(db, zone, day)
        whole = standing(db, zone, day, now)
        driving = first_of_each_crew(rounds_under_way(db, zone, day))
        waiting = [order.order_id for order in to_plan(db, zone.district, zone.id, day)]
        taken = orders_on_rounds(db, zone.district, waiting)
    crews = []
    for crew in whole.crews:
        vehicle = str(crew.binding_id)
        one = driving.get(vehicle)
        trips = whole.routes.get(vehicle, ())
        crews.append(
            {
                "binding_id": crew.binding_id,
                "is_out": one is not None and one.is_out,
                "on_board": [] if one is None else [stop.order_id for stop in one.loaded],
                "trips": [
                    {"number": number, "order_ids": [UUID(stop) for stop in trip]}
                    for number, trip in enumerate(trips, start=whole.firsts[vehicle])
                ],
                "next_trip": whole.firsts[vehicle] + len(trips),
            }
        )
    return {
        "zone_id": zone.id,
        "day": day,
        "version": version,
        "crews": crews,
        "waiting": [order_id for order_id in waiting if order_id not in taken],
    }


def change_in_reach(db: Session, doing: Doing, change_id: UUID) -> RoundChange:
    found = db.get(RoundChange, (doing.district, change_id))
    if found is None:
        raise NotFound
    doing.actor.must_reach(firm=found.firm_id, district=found.district)
    return found


def change(doing: Doing, change_id: UUID) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        row = change_in_reach(db, doing, change_id)
        plan = Plan.from_plain(row.plan)
        names = ("id", "zone_id", "day", "kind", "order_id", "binding_id", "state", "churn", "recorded_at")
        place = ("version", "before_order_id", "to_binding_id", "to_trip")
        return {
            **{name: getattr(row, name) for name in (*names, *place)},
            "notes": notes_of(plan),
            "stranded": row.stranded,
            "moved": list(_moved(row, plan)),
            "trips": trips_view(plan, row.day),
            "unserved": [worded(left) for left in row.unserved],
        }


def _moved(row: RoundChange, plan: Plan) -> Iterator[dict[str, Any]]:
    """Orders that would be another crew's, or get one at all."""
    was = {stop: crew for crew, trips in row.standing.items() for trip in trips for stop in trip}
    midnight = clock.at(row.day)
    for trip in plan.trips:
        for visit in trip.visits:
            if was.get(visit.stop) != trip.vehicle:
                yield {
                    "order_id": visit.stop,
                    "from_binding_id": was.get(visit.stop),
                    "to_binding_id": trip.vehicle,
                    "start_at": midnight + timedelta(seconds=visit.start_s),
                }

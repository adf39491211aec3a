"""Reads of changes to a day under way, behind our own routes."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core import clock
from core.doing import Doing
from core.problems import NotFound
from dispatch.rounds.models import RoundChange
from dispatch.rounds.queries import trips_view, worded
from routing import Plan


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
        return {
            **{name: getattr(row, name) for name in names},
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

"""What is known of a round as it was driven: its loads and its visits, each with its moment.

A visit begins a new trip where a bottle was loaded since the visit before; a trip leaves with its last load.
What is wrong with it, ``rounds.driven`` has the checker say.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.doing import Doing
from core.geo import Point
from cylinders.models import Cylinder, CylinderType
from cylinders.queries import types
from dispatch.deliveries.models import Delivery, LineLoad, VisitOutcome
from dispatch.orders.models import Order, Slot
from dispatch.rounds.driven import DrivenTrip, faults_of
from dispatch.rounds.models import Round
from dispatch.rounds.queries import round_in_reach
from dispatch.rounds.zone_day import Door
from registry.models import Premises


@dataclass(frozen=True, slots=True)
class _Load:
    line_id: UUID
    at: datetime
    units: int


@dataclass(frozen=True, slots=True)
class _Visit:
    """One door, and its lines that were visited."""

    order_id: UUID
    at: datetime
    line_ids: tuple[UUID, ...]


def judgement(doing: Doing, round_id: UUID) -> dict[str, Any]:
    """Every fault of the round so far; none where nobody has been anywhere yet."""
    with doing.ground.reads() as db:
        round = round_in_reach(db, doing, round_id)
        done = _deliveries(db, round)
        visits = _visits(done)
        trips = _trips(_loads(db, round), visits)
        faults = faults_of(db, round, list(_doors(db, round, done)), trips)
    return {"round_id": round.id, "visits": len(visits), "trips": len(trips), "faults": faults}


def _deliveries(db: Session, round: Round) -> list[Delivery]:
    return list(
        db.scalars(
            sa.select(Delivery)
            .where(
                Delivery.district == round.district,
                Delivery.round_id == round.id,
                Delivery.outcome.in_((VisitOutcome.DELIVERED, VisitOutcome.WITHHELD)),
            )
            .order_by(Delivery.happened_at, Delivery.id)
        )
    )


def _loads(db: Session, round: Round) -> list[_Load]:
    known = types(db)
    rows = db.execute(
        sa.select(LineLoad.line_id, LineLoad.loaded_at, Cylinder.model)
        .join(Cylinder, Cylinder.cylinder_id == LineLoad.cylinder_id)
        .where(LineLoad.district == round.district, LineLoad.round_id == round.id)
        .order_by(LineLoad.loaded_at, LineLoad.id)
    )
    return [_Load(row.line_id, row.loaded_at, known[row.model].units) for row in rows]


def _visits(done: Sequence[Delivery]) -> list[_Visit]:
    """One a door, at the first of its moments, in the order they were made."""
    by_order: dict[UUID, list[Delivery]] = {}
    for one in done:
        by_order.setdefault(one.order_id, []).append(one)
    return [
        _Visit(order_id, own[0].happened_at, tuple(one.line_id for one in own))
        for order_id, own in by_order.items()
    ]


def _trips(loads: Sequence[_Load], visits: Sequence[_Visit]) -> list[DrivenTrip]:
    trips: list[list[_Visit]] = []
    for visit in visits:
        since = trips[-1][-1].at if trips else None
        if since is None or any(since < load.at <= visit.at for load in loads):
            trips.append([])
        trips[-1].append(visit)
    return [_trip(loads, own) for own in trips]


def _trip(loads: Sequence[_Load], own: Sequence[_Visit]) -> DrivenTrip:
    served = {line_id for visit in own for line_id in visit.line_ids}
    left_at = max((load.at for load in loads if load.at <= own[0].at), default=own[0].at)
    units = sum(load.units for load in loads if load.line_id in served and load.at <= left_at)
    return DrivenTrip(left_at, units, tuple((visit.order_id, visit.at) for visit in own))


def _doors(db: Session, round: Round, done: Sequence[Delivery]) -> Iterator[Door]:
    """What was really left and taken at each door; where gas was withheld neither."""
    known, models = types(db), _models(db, done)
    rows = db.execute(
        sa.select(Order.id, Slot.starts_at, Slot.ends_at, Premises.lon, Premises.lat)
        .join(Slot, sa.and_(Slot.district == Order.district, Slot.id == Order.slot_id))
        .join(Premises, sa.and_(Premises.district == Order.district, Premises.id == Order.premises_id))
        .where(Order.district == round.district, Order.id.in_({one.order_id for one in done}))
    )
    for row in rows:
        own = [one for one in done if one.order_id == row.id and one.outcome is VisitOutcome.DELIVERED]

        def kinds(bottles: Sequence[UUID | None]) -> tuple[CylinderType, ...]:
            return tuple(known[models[one]] for one in bottles if one is not None and one in models)

        yield Door(
            order_id=row.id,
            point=Point(row.lon, row.lat),
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            brings=kinds([one.full_cylinder_id for one in own]),
            fetches=kinds([one.empty_cylinder_id for one in own]),
        )


def _models(db: Session, done: Sequence[Delivery]) -> dict[UUID, str]:
    bottles = {one for row in done for one in (row.full_cylinder_id, row.empty_cylinder_id) if one}
    rows = db.execute(
        sa.select(Cylinder.cylinder_id, Cylinder.model).where(Cylinder.cylinder_id.in_(bottles))
    )
    return {row.cylinder_id: row.model for row in rows}

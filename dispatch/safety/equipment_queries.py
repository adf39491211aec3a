"""Reads of the registers of hoses, regulators and alarms: of a household, and what is due in a district."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.doing import Doing
from core.paging import Page
from core.problems import NotFound
from dispatch.safety.equipment_law import Standing, is_rubber_barred, life_months, standing_of
from dispatch.safety.equipment_models import Equipment, EquipmentKind, HoseMaterial
from dispatch.safety.queries import pager, reach_of_household, with_premises, within
from registry.models import Premises
from rulebook import current
from rulebook.edition import Law

KINDS = (
    (EquipmentKind.HOSE, HoseMaterial.RUBBER),
    (EquipmentKind.HOSE, HoseMaterial.METAL),
    (EquipmentKind.REGULATOR, None),
    (EquipmentKind.ALARM, None),
)


def standing_equipment(db: Session, household_id: UUID, law: Law) -> list[Standing]:
    """What hangs there now, oldest first. The caller has judged the reach."""
    rows = db.scalars(
        sa.select(Equipment)
        .where(
            Equipment.district == int(law.place),
            Equipment.household_id == household_id,
            Equipment.ended_on.is_(None),
        )
        .order_by(Equipment.installed_on, Equipment.id)
    )
    return [standing_of(piece, law) for piece in rows]


def alarm_in_place(db: Session, household_id: UUID, law: Law, seen: bool | None) -> bool | None:
    """Is there a leak alarm that is good on the law's day? The register says it, and nothing else does.

    One in date: yes. All past their day, or taken away: no. Where none was ever entered, a survey that saw
    none is believed; one that saw an alarm of unknown age leaves it open: unknown.
    """
    entered = db.scalars(
        sa.select(Equipment).where(
            Equipment.district == int(law.place),
            Equipment.household_id == household_id,
            Equipment.kind == EquipmentKind.ALARM,
        )
    ).all()
    if not entered:
        return False if seen is False else None
    return any(piece.ended_on is None and not standing_of(piece, law).is_due for piece in entered)


def equipment_of(doing: Doing, household_id: UUID) -> list[dict[str, Any]]:
    """Everything ever fitted there, what hangs there now first."""
    law = current().at(str(doing.district), clock.today())
    with doing.ground.sessions() as db:
        doing.actor.must_reach(**reach_of_household(db, doing.actor, doing.district, household_id))
        rows = db.scalars(
            sa.select(Equipment)
            .where(Equipment.district == doing.district, Equipment.household_id == household_id)
            .order_by(Equipment.ended_on.is_not(None), Equipment.installed_on.desc(), Equipment.id)
        )
        return [view(standing_of(piece, law)) for piece in rows]


def one_piece(doing: Doing, equipment_id: UUID) -> dict[str, Any]:
    law = current().at(str(doing.district), clock.today())
    with doing.ground.sessions() as db:
        piece = db.get(Equipment, (doing.district, equipment_id))
        if piece is None:
            raise NotFound
        doing.actor.must_reach(**reach_of_household(db, doing.actor, doing.district, piece.household_id))
        return view(standing_of(piece, law))


def due(doing: Doing, *, within_days: int, limit: int, cursor: str | None = None) -> Page:
    """What must be replaced by that day, or may not hang at all; the longest on file first."""
    law = current().at(str(doing.district), clock.today())
    query = with_premises(Equipment).add_columns(Premises.street_code, Premises.committee_code)
    query = query.where(
        Equipment.district == doing.district,
        Equipment.ended_on.is_(None),
        sa.or_(*due_columns(law, within_days)),
    )
    with doing.ground.sessions() as db:
        page = pager(doing, f"equipment:{within_days}").page(
            db,
            query.where(within(db, doing.actor, Equipment)),
            Equipment.recorded_at.expression,
            Equipment.id.expression,
            limit=limit,
            cursor=cursor,
            position=lambda row: (row.Equipment.recorded_at, row.Equipment.id),
        )
        rows = [
            view(standing_of(row.Equipment, law))
            | {"street_code": row.street_code, "committee_code": row.committee_code}
            for row in page.items
        ]
        return Page(rows, page.next_cursor)


def due_columns(law: Law, within_days: int) -> Iterator[sa.ColumnElement[bool]]:
    """The same as ``standing_of``, said to the database; both clip a month that has no such day."""
    horizon = law.day + timedelta(days=within_days)
    yield Equipment.stated_until < horizon
    if is_rubber_barred(law):
        yield Equipment.material == HoseMaterial.RUBBER
    for kind, material in KINDS:
        months = life_months(law, kind, material)
        if months is not None:
            ends = Equipment.installed_on + sa.func.make_interval(0, months)
            yield sa.and_(
                Equipment.kind == kind, Equipment.material.is_not_distinct_from(material), ends < horizon
            )


def view(standing: Standing) -> dict[str, Any]:
    return {
        "piece": standing.piece,
        "due_on": standing.due_on,
        "is_due": standing.is_due,
        "is_barred": standing.is_barred,
    }

"""Reads of lettings: the one that stands, those of a home, those of a landlord, whose name is masked."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.ground import Ground
from core.sealed import mask_name
from registry import sealing
from registry.letting_models import Letting
from registry.models import Person
from registry.stops import stopped_among


def living(db: Session, district: int, household_id: UUID, *, lock: bool = False) -> Letting | None:
    """The one that was not ended; its last day may be over."""
    query = _of_home(district, household_id).where(Letting.ended_at.is_(None))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return db.scalars(query).first()


def living_view(db: Session, ground: Ground, district: int, household_id: UUID) -> dict[str, Any] | None:
    row = living(db, district, household_id)
    return _seen(db, ground, [row])[0] if row is not None else None


def lettings_of(
    db: Session, ground: Ground, district: int, household_id: UUID, most: int
) -> list[dict[str, Any]]:
    """Of one home, for whoever was found to read its file; the latest first."""
    rows = db.scalars(_of_home(district, household_id).order_by(Letting.id.desc()).limit(most))
    return _seen(db, ground, rows)


def let_by(db: Session, district: int, person_id: UUID) -> list[Letting]:
    """What one person lets or let, for themselves; of who lives there nothing is read."""
    return list(
        db.scalars(
            sa.select(Letting)
            .where(Letting.district == district, Letting.landlord_id == person_id)
            .order_by(Letting.id.desc())
        )
    )


def _of_home(district: int, household_id: UUID) -> sa.Select[Letting]:
    return sa.select(Letting).where(Letting.district == district, Letting.household_id == household_id)


def _seen(db: Session, ground: Ground, rows: Iterable[Letting]) -> list[dict[str, Any]]:
    rows = list(rows)
    ids = {row.landlord_id for row in rows}
    people = {one.person_id: one for one in db.scalars(sa.select(Person).where(Person.person_id.in_(ids)))}
    names = sealing.all_opened(db, ground, [sealing.name_of(one) for one in people.values()])
    masked = {one: name and mask_name(name) for one, name in zip(people, names, strict=True)}
    masked |= dict.fromkeys(stopped_among(db, ids))
    return [
        {column.key: getattr(row, column.key) for column in sa.inspect(Letting).column_attrs}
        | {
            "landlord_masked": masked.get(row.landlord_id),
            "lapsed": row.ended_at is None and row.until_on < clock.today(),
        }
        for row in rows
    ]

"""Verb: the safety training of a firm's staff, course by course; what holds is read for a day.

Without training in force nobody fills (F20), is bound (D10), loads or hands over.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.ids import new_id
from core.problems import NotFound, WrongField
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry.models import Staff, Training

TrainingGiven = Mapping[str, Any]
"""``course``, ``reference``, ``trained_on``, ``valid_until`` (both days included)."""


@does("staff.train")
def record_trainings(deed: Deed, staff_id: UUID, *, trainings: Sequence[TrainingGiven]) -> Answer:
    member = deed.db.get(Staff, (deed.district, staff_id))
    if member is None:
        raise NotFound
    deed.actor.must_reach(firm=member.firm_id, district=deed.district)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=member.firm_id)
    enter_trainings(deed, staff_id, trainings)
    return {"staff_id": str(staff_id)}


def enter_trainings(deed: Deed, staff_id: UUID, trainings: Sequence[TrainingGiven]) -> None:
    today = clock.day_of(deed.recorded_at)
    for position, one in enumerate(trainings):
        if one["trained_on"] > today:
            raise WrongField(
                f"/trainings/{position}/trained_on", "future", "培训日期不能在将来", "expected a day gone by"
            )
        deed.db.add(
            Training(
                district=deed.district, id=new_id(), staff_id=staff_id, recorded_at=deed.recorded_at, **one
            )
        )
    deed.note(
        staff_id=staff_id,
        trainings=[f"{one['course']}:{one['trained_on']}:{one['valid_until']}" for one in trainings],
    )


def training_span(db: Session, district: int, staff_id: UUID, day: date) -> tuple[date, date] | None:
    """The days of the training that covers ``day``; of the latest where none does."""
    covers = sa.and_(Training.trained_on <= day, Training.valid_until >= day)
    row = db.execute(
        sa.select(Training.trained_on, Training.valid_until)
        .where(Training.district == district, Training.staff_id == staff_id)
        .order_by(covers.desc(), Training.valid_until.desc())
        .limit(1)
    ).first()
    return (row.trained_on, row.valid_until) if row is not None else None


def is_trained(db: Session, district: int, staff_id: UUID, from_on: date, until_on: date) -> bool:
    """Whether every day of the span is one of a training that holds."""
    spans = db.execute(
        sa.select(Training.trained_on, Training.valid_until)
        .where(Training.district == district, Training.staff_id == staff_id, Training.valid_until >= from_on)
        .order_by(Training.trained_on, Training.valid_until)
    ).all()
    reached = from_on.toordinal() - 1  # the last day known to be covered
    for span in spans:
        if span.trained_on.toordinal() <= reached + 1:
            reached = max(reached, span.valid_until.toordinal())
    return reached >= until_on.toordinal()


def trainings_of(db: Session, district: int, staff_id: UUID) -> list[Training]:
    return list(
        db.scalars(
            sa.select(Training)
            .where(Training.district == district, Training.staff_id == staff_id)
            .order_by(Training.trained_on, Training.id)
        )
    )

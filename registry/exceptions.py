"""Exceptions from a rule for one home (复核同意的例外): given by a review of a refusal, for days, on record.

The gate is not gone round: it is told which rules a review has lifted for this home, asks everything else as
before, and its decision says so. Which rules may be lifted at all is written in the rulebook (J03).
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session

from core.db import Base, District, Group, NewId, grouped
from core.ids import new_id
from core.prepared import Prepared
from evidence.deed import Deed


class RuleException(Base):
    """One rule that does not bind one home, both days included. ``review_id``: the review that gave it."""

    __tablename__ = "rule_exception"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "household_id"], ["household.district", "household.id"]),
        sa.CheckConstraint("valid_until >= valid_from", name="span"),
        sa.Index("ix_rule_exception_household_id", "district", "household_id"),
        append_only=True,
    )

    district: Mapped[District]
    id: Mapped[NewId]
    household_id: Mapped[UUID]
    rule: Mapped[str]
    review_id: Mapped[UUID]
    valid_from: Mapped[date]
    valid_until: Mapped[date]
    granted_by: Mapped[UUID]
    recorded_at: Mapped[datetime]


def except_from(
    deed: Deed, household_id: UUID, rules: Sequence[str], *, review_id: UUID, on: date, until_on: date
) -> None:
    """Lift these rules for this home from ``on`` to ``until_on``, in the open deed."""
    for rule in rules:
        deed.db.add(
            RuleException(
                district=deed.district,
                id=new_id(),
                household_id=household_id,
                rule=rule,
                review_id=review_id,
                valid_from=on,
                valid_until=until_on,
                granted_by=deed.actor.principal_id,
                recorded_at=deed.recorded_at,
            )
        )


def excepted_rules(db: Session, district: int, household_id: UUID, day: date) -> tuple[str, ...]:
    """The rules that a review has lifted for this home and that day, each once, by number."""
    rows = _EXCEPTED.within(db, district=district, household_id=household_id, day=day)
    return tuple(row.rule for row in rows)


_DAY = sa.bindparam("day", type_=sa.Date)
_EXCEPTED = Prepared(
    sa.select(RuleException.rule)
    .where(
        RuleException.district == sa.bindparam("district"),
        RuleException.household_id == sa.bindparam("household_id"),
        RuleException.valid_from <= _DAY,
        RuleException.valid_until >= _DAY,
    )
    .distinct()
    .order_by(RuleException.rule)
)

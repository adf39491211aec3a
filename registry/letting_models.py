"""The table of lettings: who lets a home to its registrant, by which lease (出租登记)."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, District, Group, NewId, grouped


class Letting(Base):
    """A registered person lets this home from a day to a day, both included; one at a time.

    That its last day is over ends no row: whether it has lapsed is computed for a day.
    """

    __tablename__ = "letting"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "household_id"], ["household.district", "household.id"]),
        sa.CheckConstraint("until_on >= from_on", name="span"),
        sa.Index("ix_letting_household_id", "district", "household_id"),
        sa.Index("ix_letting_landlord_id", "landlord_id"),
        sa.Index(
            "uq_letting_living",
            "district",
            "household_id",
            unique=True,
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    household_id: Mapped[UUID]
    landlord_id: Mapped[UUID]
    reference: Mapped[str]
    from_on: Mapped[date]
    until_on: Mapped[date]
    recorded_by: Mapped[UUID]
    recorded_at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_by: Mapped[UUID | None] = mapped_column(default=None)

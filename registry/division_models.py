"""Table of divisions: what addresses are made of (区 → 街镇 → 村居 → 小区 → 楼), each from a day to a day."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, District, Group, NewId, grouped


class DivisionLevel(StrEnum):
    """Below the district; the home itself (户) is a premises."""

    STREET = "street"
    COMMITTEE = "committee"
    ESTATE = "estate"
    BUILDING = "building"


class Division(Base):
    """A street, committee, estate or building under its code; ``valid_until`` None: until it is ended.

    ``parent_code``: of the level above; None for a street, whose parent is the district. A code may come back
    for another unit, never for two at once.
    """

    __tablename__ = "division"
    __table_args__ = grouped(
        Group.DISTRICT,
        ExcludeConstraint(
            ("district", "="),
            ("level", "="),
            ("code", "="),
            (sa.text("daterange(valid_from, valid_until, '[]')"), "&&"),
            name="ex_division_code",
            using="gist",
        ),
        sa.CheckConstraint("(level = 'street') = (parent_code IS NULL)", name="parent"),
        sa.CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name="span"),
        sa.Index("ix_division_parent_code", "district", "level", "parent_code"),
        sa.Index("ix_division_recorded_at", "district", "recorded_at", "id"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    level: Mapped[DivisionLevel]
    code: Mapped[str]
    name: Mapped[str]
    parent_code: Mapped[str | None]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None] = mapped_column(default=None)
    entered_by: Mapped[UUID]
    recorded_at: Mapped[datetime]

"""Table of what stands between bottle and burner: hoses, regulators, alarms (器具台账)."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, District, Group, NewId, grouped


class EquipmentKind(StrEnum):
    """软管, 调压阀, 报警器."""

    HOSE = "hose"
    REGULATOR = "regulator"
    ALARM = "alarm"


class HoseMaterial(StrEnum):
    RUBBER = "rubber"
    METAL = "metal"


class EndReason(StrEnum):
    REPLACED = "replaced"
    REMOVED = "removed"


class Equipment(Base):
    """A piece fitted at a household, from a day to a day. Whether it is due is computed, never stored.

    ``stated_until``: the last day printed on the piece itself, where there is one.
    """

    __tablename__ = "equipment"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.CheckConstraint("(kind = 'hose') = (material IS NOT NULL)", name="material"),
        sa.CheckConstraint("stated_until IS NULL OR stated_until >= installed_on", name="stated"),
        sa.CheckConstraint("ended_on IS NULL OR ended_on >= installed_on", name="span"),
        sa.CheckConstraint("(ended_on IS NULL) = (ended_why IS NULL)", name="ended"),
        sa.Index("ix_equipment_household_id", "district", "household_id"),
        sa.Index(
            "ix_equipment_standing",
            "district",
            "recorded_at",
            "id",
            postgresql_where=sa.text("ended_on IS NULL"),
        ),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    household_id: Mapped[UUID]
    kind: Mapped[EquipmentKind]
    material: Mapped[HoseMaterial | None]
    maker: Mapped[str]
    model: Mapped[str]
    installed_on: Mapped[date]
    stated_until: Mapped[date | None]
    entered_by: Mapped[UUID]
    recorded_at: Mapped[datetime]
    ended_on: Mapped[date | None] = mapped_column(default=None)
    ended_why: Mapped[EndReason | None] = mapped_column(default=None)
    ended_by: Mapped[UUID | None] = mapped_column(default=None)

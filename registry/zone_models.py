"""Tables beside zones and bindings: drafts of sets that are not in force, and who stands in for whom."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, District, Group, JsonList, NewId, grouped


class ZoneDraft(Base):
    """固定配送范围草案: zones as they might be, to be looked at before they bind anybody.

    ``zones``: as in a set, outlines in WGS-84 whatever ``datum`` they were drawn on. ``zone_set_id``: the set
    it was published as, once.
    """

    __tablename__ = "zone_draft"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "zone_set_id"], ["zone_set.district", "zone_set.id"]),
        sa.UniqueConstraint("district", "zone_set_id"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    name: Mapped[str]
    datum: Mapped[str]
    zones: Mapped[JsonList]
    drawn_by: Mapped[UUID]
    zone_set_id: Mapped[UUID | None] = mapped_column(default=None)
    recorded_at: Mapped[datetime]


class SubstitutionReason(StrEnum):
    """Why another than the bound courier, vehicle or device. A word, never free text."""

    COURIER_SICK = "courier_sick"
    COURIER_ON_LEAVE = "courier_on_leave"
    VEHICLE_IN_REPAIR = "vehicle_in_repair"
    DEVICE_OUT_OF_ORDER = "device_out_of_order"
    MORE_ORDERS = "more_orders"


class Substitution(Base):
    """替班: from one instant to another ``stand_in_id`` holds in the place of ``binding_id``.

    ``resumed_id``: the binding that goes on as before after it; none where the binding would have ended.
    """

    __tablename__ = "substitution"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "binding_id"], ["binding.district", "binding.id"]),
        sa.ForeignKeyConstraint(["district", "stand_in_id"], ["binding.district", "binding.id"]),
        sa.ForeignKeyConstraint(["district", "resumed_id"], ["binding.district", "binding.id"]),
        sa.CheckConstraint("until_at > from_at", name="span"),
        sa.Index("ix_substitution_until_at", "district", "until_at"),
        append_only=True,
    )

    district: Mapped[District]
    id: Mapped[NewId]
    firm_id: Mapped[UUID]
    binding_id: Mapped[UUID]
    stand_in_id: Mapped[UUID]
    resumed_id: Mapped[UUID | None]
    reason: Mapped[SubstitutionReason]
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    decided_by: Mapped[UUID]
    recorded_at: Mapped[datetime]

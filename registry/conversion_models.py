"""Tables of conversion plans (改造计划): homes of a street go over to piped gas or electricity."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, District, Group, NewId, grouped
from registry.states import ConversionState


class ConversionTarget(StrEnum):
    PIPED_GAS = "piped_gas"
    ELECTRICITY = "electricity"


class ConversionPlan(Base):
    """From a day to a day, by a published paper. ``committee_code`` None: the whole street.

    Whether it is late, and how much of it is done, is computed from its homes and never stored.
    """

    __tablename__ = "conversion_plan"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.UniqueConstraint("district", "plan_no"),
        sa.CheckConstraint("due_on >= starts_on", name="span"),
        sa.Index("ix_conversion_plan_street_code", "district", "street_code"),
        sa.Index("ix_conversion_plan_recorded_at", "district", "recorded_at", "id"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    plan_no: Mapped[str]
    street_code: Mapped[str]
    committee_code: Mapped[str | None]
    target: Mapped[ConversionTarget]
    starts_on: Mapped[date]
    due_on: Mapped[date]
    state: Mapped[ConversionState]
    entered_by: Mapped[UUID]
    recorded_at: Mapped[datetime]
    ended_on: Mapped[date | None] = mapped_column(default=None)


class ConversionHome(Base):
    """A home or business that the plan is about: it had an account when it was put on the plan."""

    __tablename__ = "conversion_home"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "plan_id"], ["conversion_plan.district", "conversion_plan.id"]),
        sa.ForeignKeyConstraint(["district", "account_id"], ["account.district", "account.id"]),
        sa.Index("ix_conversion_home_account_id", "district", "account_id"),
        append_only=True,
    )

    district: Mapped[District]
    plan_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    recorded_at: Mapped[datetime]

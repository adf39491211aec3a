"""Tables of duty: who is away and for how long, and a firm's roster of a day (排班)."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, District, Group, JsonList, NewId, grouped
from registry.states import RosterState


class AbsenceReason(StrEnum):
    """Why somebody does not work, or a vehicle is not driven. A word, never free text."""

    DAY_OFF = "day_off"
    ON_LEAVE = "on_leave"
    SICK = "sick"
    IN_TRAINING = "in_training"
    IN_REPAIR = "in_repair"


class Absence(Base):
    """不出勤: a member of staff or a vehicle that is away on these days, both included.

    ``withdrawn_at``: it was a mistake, or they are back early; what was rostered by it stays as it is.
    """

    __tablename__ = "absence"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "staff_id"], ["staff.district", "staff.id"]),
        sa.ForeignKeyConstraint(["district", "vehicle_id"], ["vehicle.district", "vehicle.id"]),
        sa.CheckConstraint("until_on >= from_on", name="span"),
        sa.CheckConstraint("(staff_id IS NULL) <> (vehicle_id IS NULL)", name="one_of_both"),
        sa.Index("ix_absence_until_on", "district", "firm_id", "until_on"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    firm_id: Mapped[UUID]
    staff_id: Mapped[UUID | None]
    vehicle_id: Mapped[UUID | None]
    reason: Mapped[AbsenceReason]
    from_on: Mapped[date]
    until_on: Mapped[date]
    entered_by: Mapped[UUID]
    recorded_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class Roster(Base):
    """排班: which bound crews of a firm work where on a day, and when. ``district``: the firm's home.

    ``shifts``: spans of the day in seconds since midnight. ``needs``: what each zone asks for in each shift.
    ``lines``: binding, zone and the shift's place in ``shifts``; a binding stands in one line at most.
    ``apart``: who could not be rostered, with every reason. ``moved_m``: metres between the zones that crews
    know and those they were proposed for.
    """

    __tablename__ = "roster"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.Index("ix_roster_day", "district", "firm_id", "day"),
        sa.Index(
            "uq_roster_confirmed",
            "district",
            "firm_id",
            "day",
            unique=True,
            postgresql_where=sa.text("state = 'confirmed'"),
        ),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    firm_id: Mapped[UUID]
    day: Mapped[date]
    state: Mapped[RosterState]
    shifts: Mapped[JsonList]
    needs: Mapped[JsonList]
    lines: Mapped[JsonList]
    apart: Mapped[JsonList]
    moved_m: Mapped[int]
    optimal: Mapped[bool]
    seed: Mapped[int]
    proposed_by: Mapped[UUID]
    recorded_at: Mapped[datetime]
    confirmed_by: Mapped[UUID | None] = mapped_column(default=None)
    confirmed_at: Mapped[datetime | None] = mapped_column(default=None)

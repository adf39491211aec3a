"""Tables of where vehicles are: positions as they were reported on duty, and what was found on the road.

Where somebody was is sensitive (行踪轨迹, PIPL 28): kept apart, for days only (rule G05), shown to
dispatchers while it is live, and afterwards by a deed with its reason.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, District, Group, NewId, grouped


class PositionMark(StrEnum):
    """Why a position is kept and believed by nobody."""

    SPIKE = "spike"
    CLOCK_AHEAD = "clock_ahead"


class PositionBatch(Base):
    """What one request brought of one device. ``salt``: of the commitment that stands in the evidence.

    It goes with the positions: what is left then says that there were so many, and nothing of where.
    """

    __tablename__ = "position_batch"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "device_id"], ["device.district", "device.id"]),
        sa.Index("ix_position_batch_recorded_at", "district", "recorded_at"),
        erasable=True,
    )

    district: Mapped[District]
    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[NewId]
    salt: Mapped[bytes]
    positions: Mapped[int]
    from_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class CourierPosition(Base):
    """A place at a time, of a round that was being driven then. Once a device and number of its sequence.

    ``occurred_at`` is the phone's word. ``mark``: looked at anew when a neighbour in time comes in.
    """

    __tablename__ = "courier_position"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.CheckConstraint("device_seq >= 1", name="seq"),
        sa.ForeignKeyConstraint(["district", "device_id"], ["device.district", "device.id"]),
        sa.Index("ix_courier_position_round_id", "district", "round_id", "occurred_at"),
        sa.Index("ix_courier_position_recorded_at", "recorded_at", postgresql_using="brin"),
        erasable=True,
    )

    district: Mapped[District]
    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    device_seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    batch_id: Mapped[UUID]
    round_id: Mapped[UUID]
    binding_id: Mapped[UUID]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    lon: Mapped[float]
    lat: Mapped[float]
    accuracy_m: Mapped[int | None]
    mark: Mapped[PositionMark | None]


class RoadAlarmKind(StrEnum):
    OUT_OF_ZONE = "out_of_zone"
    STOPPED_TOO_LONG = "stopped_too_long"
    NO_POSITION = "no_position"


class RoadAlarm(Base):
    """What was found on the road: from when, and when it was over. One a round, kind and instant."""

    __tablename__ = "road_alarm"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "round_id"], ["round.district", "round.id"]),
        sa.UniqueConstraint("district", "round_id", "kind", "since"),
        sa.Index("ix_road_alarm_since", "district", "since"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    kind: Mapped[RoadAlarmKind]
    round_id: Mapped[UUID]
    firm_id: Mapped[UUID]
    zone_id: Mapped[UUID]
    binding_id: Mapped[UUID]
    since: Mapped[datetime]
    over_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime]

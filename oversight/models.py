"""What oversight owns itself: tips from below, the log of looks, and what was done about alarms."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, District, Group, Json, NewId, grouped


class Tip(Base):
    """Something a regulator should look at: an unknown or foreign bottle was seen at a site or a door."""

    __tablename__ = "tip"
    __table_args__ = grouped(Group.DISTRICT)

    district: Mapped[District]
    id: Mapped[NewId]
    kind: Mapped[str]
    event_id: Mapped[UUID]
    facts: Mapped[Json]
    seen_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class LookKind(StrEnum):
    CYLINDER = "cylinder"
    HAZARD = "hazard"
    HOUSEHOLD = "household"
    ORDER = "order"
    TRACK = "track"


class Look(Base):
    """Somebody of the authority, or at a desk, looked: at what, when, under which grant (您的查询会被记录).

    Shown to nobody in the house; kept for whoever asks later who looked at a household.
    """

    __tablename__ = "look"
    __table_args__ = grouped(
        Group.DISTRICT, sa.Index("ix_look_subject_id", "district", "kind", "subject_id"), append_only=True
    )

    district: Mapped[District]
    id: Mapped[NewId]
    principal_id: Mapped[UUID]
    grant_id: Mapped[UUID | None]
    kind: Mapped[LookKind]
    subject_id: Mapped[UUID]
    looked_at: Mapped[datetime]


class AlarmKind(StrEnum):
    """What a dispatcher should look at. An alarm is read from the rows of its room, never stored."""

    VISIT_FAILED = "visit_failed"
    GAS_WITHHELD = "gas_withheld"
    ORDER_LATE = "order_late"
    CREW_SILENT = "crew_silent"
    CUSTODY_CONFLICT = "custody_conflict"
    CODES_PROBED = "codes_probed"
    REVIEW_OVERDUE = "review_overdue"
    ROUND_WITHOUT_CREW = "round_without_crew"
    OUT_OF_ZONE = "out_of_zone"
    STOPPED_TOO_LONG = "stopped_too_long"
    NO_POSITION = "no_position"


class AlarmAction(StrEnum):
    """What was done about it, in a word; the note says more where that is needed."""

    USER_CALLED = "user_called"
    CREW_CALLED = "crew_called"
    REBOOKED = "rebooked"
    PASSED_ON = "passed_on"
    NOTHING_NEEDED = "nothing_needed"


class AlarmNote(Base):
    """That somebody saw an alarm and what they did. ``subject_id``: the line, round, or conflict it names."""

    __tablename__ = "alarm_note"
    __table_args__ = grouped(Group.DISTRICT, append_only=True)

    district: Mapped[District]
    kind: Mapped[AlarmKind] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    action: Mapped[AlarmAction]
    note: Mapped[str | None]
    acknowledged_by: Mapped[UUID]
    recorded_at: Mapped[datetime]


class CodeProbe(Base):
    """Somebody went through codes on the public page: more that are nobody's than an honest hand mistypes.

    ``seen_from`` is a keyed index of the address, never the address; a row in each district with bottles.
    """

    __tablename__ = "code_probe"
    __table_args__ = grouped(
        Group.DISTRICT, sa.UniqueConstraint("district", "seen_from", "window_from"), append_only=True
    )

    district: Mapped[District]
    id: Mapped[NewId]
    seen_from: Mapped[bytes]
    window_from: Mapped[datetime]
    unconfirmed: Mapped[int]
    found_at: Mapped[datetime]

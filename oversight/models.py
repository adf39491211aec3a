"""What oversight owns itself: tips that the rooms below raised, and the log of looks."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

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


class Look(Base):
    """Somebody of the authority looked: at what, when, under which grant (您的查询会被记录).

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

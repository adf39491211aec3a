"""What oversight owns itself: tips that the rooms below raised."""

from datetime import datetime
from uuid import UUID

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

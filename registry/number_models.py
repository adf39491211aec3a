"""The table of what somebody said from home about their telephone, until it was looked up."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from core.db import Base, Group, NewId, grouped


class NumberApplication(Base):
    """Written alike whoever asks, and gone with its key once the house has looked whether it agrees."""

    __tablename__ = "number_application"
    __table_args__ = grouped(
        Group.EXEMPT, sa.Index("ix_number_application_asked_at", "asked_at"), erasable=True
    )

    id: Mapped[NewId]
    said_sealed: Mapped[bytes]
    asked_at: Mapped[datetime]

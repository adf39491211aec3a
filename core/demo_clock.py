"""The demo's clock: one row with an offset, read by every process, moved forward only.

Never used together with LPG_DATABASE_URL (``core/config.py`` refuses the pair).
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import clock
from core.db import Base, Group, Sessions, grouped


class DemoClock(Base):
    __tablename__ = "demo_clock"
    __table_args__ = grouped(Group.EXEMPT, sa.CheckConstraint("id = 1", name="one_row"))

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    offset_ms: Mapped[int] = mapped_column(sa.BigInteger)


_OFFSET = sa.select(DemoClock.offset_ms)


def follow(sessions: Sessions) -> None:
    """Let this process's clock run as the row says; without a row, as the system's does."""
    with sessions() as db:
        offset_ms = db.scalar(_OFFSET)
    clock.set_source(clock.shifted(timedelta(milliseconds=offset_ms)) if offset_ms is not None else None)


def move_to(db: Session, instant: datetime) -> None:
    """Set the clock to ``instant``; raises ValueError where that would be backward."""
    row = db.get(DemoClock, 1, with_for_update=True)
    offset_ms = round((instant - clock.shifted(timedelta())()).total_seconds() * 1000)
    if row is None:
        db.add(DemoClock(id=1, offset_ms=offset_ms))
    elif offset_ms < row.offset_ms:
        raise ValueError(f"expected a later time: the demo clock only moves forward, got {instant}")
    else:
        row.offset_ms = offset_ms
    db.commit()

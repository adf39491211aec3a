"""How often something may be tried: counted in a table, so that it holds over workers and restarts.

Counting is committed at once, in a transaction of its own (rate limits are one of the few other committers
that house rule names): a try that goes wrong must stay counted. Who or what is counted is kept as a keyed
blind index, never as a telephone number or a name.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import clock
from core.db import Base, Group, grouped, table_of
from core.ground import Ground
from core.problems import TooMany
from core.sealed import blind_index


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``most`` tries by one subject within a window of ``within``."""

    name: str
    most: int
    within: timedelta


def per_address(ground: Ground, name: str) -> tuple[Limit, Limit]:
    """What one address may ask for in an hour and in a day, by the settings: a carrier, or a whole estate,
    may stand behind one. What one person may ask for is bound elsewhere."""
    return (
        Limit(f"{name}_address", ground.config.per_address_hour, timedelta(hours=1)),
        Limit(f"{name}_address_day", ground.config.per_address_day, timedelta(days=1)),
    )


class Tried(Base):
    """Tries of one subject within one window."""

    __tablename__ = "tried"
    __table_args__ = grouped(Group.EXEMPT, sa.Index("ix_tried_window_from", "window_from"), erasable=True)

    name: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[bytes] = mapped_column(primary_key=True)
    window_from: Mapped[datetime] = mapped_column(primary_key=True)
    times: Mapped[int]


_COUNT = insert(table_of(Tried)).values(times=1)
_COUNTED = _COUNT.on_conflict_do_update(
    index_elements=["name", "subject", "window_from"], set_={"times": table_of(Tried).c.times + 1}
).returning(table_of(Tried).c.times)


def count(ground: Ground, limit: Limit, subject: str) -> None:
    """Count one try; ``TooMany`` from the one after the last that is allowed."""
    now = clock.now()
    window_from = window(now, limit.within)
    row = {
        "name": limit.name,
        "subject": subject_of(ground, limit, subject),
        "window_from": window_from,
    }
    with ground.sessions() as db:
        times = db.scalar(_COUNTED, row)
        db.commit()
    if times is not None and times > limit.most:
        raise TooMany(max(1, int((window_from + limit.within - now).total_seconds())))


def must_not_be_spent(ground: Ground, limit: Limit, subject: str) -> None:
    """``TooMany`` where it has been tried too often already; this one is not counted."""
    now = clock.now()
    window_from = window(now, limit.within)
    with ground.reads() as db:
        times = db.scalar(
            sa.select(Tried.times).where(
                Tried.name == limit.name,
                Tried.subject == subject_of(ground, limit, subject),
                Tried.window_from == window_from,
            )
        )
    if times is not None and times > limit.most:
        raise TooMany(max(1, int((window_from + limit.within - now).total_seconds())))


def subject_of(ground: Ground, limit: Limit, subject: str) -> bytes:
    """What stands for an address or a number where tries are counted."""
    return blind_index(ground.keyring, "limit", limit.name, subject).digest


def count_in(db: Session, ground: Ground, name: str, subject: str, window_from: datetime) -> int:
    """Count one more within an open deed, and how many that makes: a deed that is refused does not count.

    The row is held until the deed ends, so that two at once cannot both be the last.
    """
    digest = blind_index(ground.keyring, "limit", name, subject).digest
    row = {"name": name, "subject": digest, "window_from": window_from}
    return db.scalar(_COUNTED, row) or 0


def forget_before(ground: Ground, instant: datetime) -> int:
    """Windows that are over say nothing any more. Returns how many rows went."""
    table = table_of(Tried)
    with ground.sessions() as db:
        gone = db.execute(sa.delete(table).where(table.c.window_from < instant).returning(table.c.name)).all()
        db.commit()
    return len(gone)


def window(now: datetime, within: timedelta) -> datetime:
    """When the window began in which ``now`` lies."""
    seconds = int(within.total_seconds())
    return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)

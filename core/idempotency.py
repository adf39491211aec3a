"""The same key answers as it first did. Locked first in every deed, outside its savepoint.

A row holds the fingerprint of the body and the answer as ids and words, or the refusal; never a rendered
page, so that a repeated request is shown under the caller's present rights.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg.errors
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, District, Group, grouped, table_of
from core.problems import Busy, KeyReused


class Idempotency(Base):
    __tablename__ = "idempotency"
    __table_args__ = grouped(Group.DISTRICT)

    district: Mapped[District]
    actor_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    verb: Mapped[str]
    fingerprint: Mapped[bytes]
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    reasons: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    refusal_no: Mapped[str | None]
    entry_id: Mapped[UUID | None]
    recorded_at: Mapped[datetime]


_CLAIM = insert(table_of(Idempotency)).on_conflict_do_nothing().returning(Idempotency.key)


def claim(db: Session, row: dict[str, Any]) -> Idempotency | None:
    """Take the key for this deed. None: it is ours. A row: it has already answered; answer alike.

    A second request with the same key waits here until the first has committed or gone; not for long:
    ``Busy``, since it holds a thread.
    """
    try:
        return _claim(db, row)
    except OperationalError as error:
        if isinstance(error.orig, psycopg.errors.LockNotAvailable):
            raise Busy from error
        raise


def _claim(db: Session, row: dict[str, Any]) -> Idempotency | None:
    if db.execute(_CLAIM, row).first() is not None:
        return None
    standing = db.get_one(Idempotency, (row["district"], row["actor_id"], row["key"]), with_for_update=True)
    if standing.fingerprint != row["fingerprint"] or standing.verb != row["verb"]:
        raise KeyReused
    return standing


def settle(db: Session, district: int, actor_id: UUID, key: str, **answer: Any) -> None:
    """Write down what this key answered."""
    db.execute(
        sa.update(Idempotency)
        .where(Idempotency.district == district, Idempotency.actor_id == actor_id, Idempotency.key == key)
        .values(**answer)
    )

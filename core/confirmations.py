"""That whoever holds a session or a token has just shown once more who they are.

A cookie or a token may be in other hands; what is sensitive asks for the password (and the code) again, and
takes the proof for a few minutes. The proof belongs to the one session or token it was given under, not to
the person: a copy of another one gains nothing by it. Part of signing in, committed by itself.
"""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import clock
from core.db import Base, Group, grouped, table_of
from core.ground import Ground


class Confirmation(Base):
    """``credential``: the hash of the session's secret or of the token."""

    __tablename__ = "confirmation"
    __table_args__ = grouped(
        Group.EXEMPT, sa.Index("ix_confirmation_confirmed_at", "confirmed_at"), erasable=True
    )

    credential: Mapped[bytes] = mapped_column(primary_key=True)
    principal_id: Mapped[UUID]
    confirmed_at: Mapped[datetime]


def confirm(ground: Ground, principal_id: UUID, credential: bytes) -> None:
    row = {"credential": credential, "principal_id": principal_id, "confirmed_at": clock.now()}
    statement = insert(table_of(Confirmation)).values(row)
    again = statement.on_conflict_do_update(
        index_elements=["credential"], set_={"confirmed_at": statement.excluded.confirmed_at}
    )
    with ground.sessions() as db:
        db.execute(again)
        db.commit()


def is_fresh(db: Session, credential: bytes, principal_id: UUID, within: timedelta) -> bool:
    row = db.get(Confirmation, credential, populate_existing=True)
    return row is not None and row.principal_id == principal_id and clock.now() - row.confirmed_at <= within


def forget_before(ground: Ground, instant: datetime) -> int:
    with ground.sessions() as db:
        gone = db.execute(
            sa.delete(Confirmation)
            .where(Confirmation.confirmed_at < instant)
            .returning(Confirmation.credential)
        ).all()
        db.commit()
    return len(gone)

"""Who is signed in on a page: a random secret in a signed cookie, its hash and dates in a table.

A session is ended by signing out, by being idle, by its age, or by whoever revokes the principal's grants
(without a grant there is nothing to act as). Sign-in sessions commit for themselves: house rule names them.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import clock
from core.auth import hash_token
from core.db import Base, Group, grouped
from core.ground import Ground


class SignedInBy(StrEnum):
    """What was shown at sign-in."""

    PASSWORD = "password"
    PASSWORD_AND_CODE = "password_and_code"
    PHONE_CODE = "phone_code"


LONGEST = timedelta(hours=8)
IDLE = {
    SignedInBy.PASSWORD: timedelta(hours=2),
    SignedInBy.PASSWORD_AND_CODE: timedelta(hours=2),
    SignedInBy.PHONE_CODE: timedelta(hours=8),
}
SEEN_EVERY = timedelta(minutes=1)
"""How exactly it is written down when somebody was last seen: not with every request."""


class WebSession(Base):
    """``grant_id``: as which of the principal's grants the session acts, once that was chosen."""

    __tablename__ = "web_session"
    __table_args__ = grouped(
        Group.EXEMPT, sa.Index("ix_web_session_principal_id", "principal_id"), erasable=True
    )

    secret_hash: Mapped[bytes] = mapped_column(primary_key=True)
    principal_id: Mapped[UUID]
    signed_in_by: Mapped[SignedInBy]
    grant_id: Mapped[UUID | None]
    opened_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A living session, as a request sees it."""

    principal_id: UUID
    signed_in_by: SignedInBy
    grant_id: UUID | None
    opened_at: datetime


def open_session(ground: Ground, principal_id: UUID, by: SignedInBy) -> str:
    """A new session; its secret is for the cookie and is seen nowhere else."""
    secret = secrets.token_urlsafe(32)
    now = clock.now()
    with ground.sessions() as db:
        db.add(
            WebSession(
                secret_hash=hash_token(secret),
                principal_id=principal_id,
                signed_in_by=by,
                grant_id=None,
                opened_at=now,
                seen_at=now,
                ended_at=None,
            )
        )
        db.commit()
    return secret


def living(ground: Ground, secret: str) -> SignedIn | None:
    """The session behind a cookie, or None where it ended, idled too long or grew too old."""
    with ground.sessions() as db:
        row = db.get(WebSession, hash_token(secret))
        if row is None or not _lives(row):
            return None
        if clock.now() - row.seen_at >= SEEN_EVERY:
            row.seen_at = clock.now()
            db.commit()
        return SignedIn(row.principal_id, row.signed_in_by, row.grant_id, row.opened_at)


def act_as(ground: Ground, secret: str, grant_id: UUID) -> None:
    with ground.sessions() as db:
        row = db.get_one(WebSession, hash_token(secret))
        row.grant_id = grant_id
        db.commit()


def end_session(ground: Ground, secret: str) -> None:
    with ground.sessions() as db:
        row = db.get(WebSession, hash_token(secret))
        if row is not None and row.ended_at is None:
            row.ended_at = clock.now()
            db.commit()


def ended_by_id(ground: Ground, principal_id: UUID, session_id: str) -> bool:
    """End one of the principal's own, by the id it is listed with."""
    with ground.sessions() as db:
        for row in db.scalars(_standing(principal_id)):
            if _lives(row) and id_of(row.secret_hash) == session_id:
                row.ended_at = clock.now()
                db.commit()
                return True
    return False


def end_others(ground: Ground, principal_id: UUID, secret: str) -> int:
    """End every session of the principal but this one."""
    with ground.sessions() as db:
        others = [row for row in db.scalars(_standing(principal_id)) if row.secret_hash != hash_token(secret)]
        for row in others:
            row.ended_at = clock.now()
        db.commit()
    return len(others)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One of somebody's sessions as they may see it. ``id`` opens nothing."""

    id: str
    signed_in_by: SignedInBy
    opened_at: datetime
    seen_at: datetime
    is_this: bool


def open_sessions(ground: Ground, principal_id: UUID, secret: str) -> list[OpenSession]:
    """The living ones, the latest first."""
    with ground.reads() as db:
        return [
            OpenSession(
                id_of(row.secret_hash),
                row.signed_in_by,
                row.opened_at,
                row.seen_at,
                row.secret_hash == hash_token(secret),
            )
            for row in db.scalars(_standing(principal_id))
            if _lives(row)
        ]


def id_of(secret_hash: bytes) -> str:
    """What a session is called on a page: its hash, hashed once more and cut."""
    return hashlib.sha256(secret_hash).hexdigest()[:16]


def _standing(principal_id: UUID) -> sa.Select[WebSession]:
    return (
        sa.select(WebSession)
        .where(WebSession.principal_id == principal_id, WebSession.ended_at.is_(None))
        .order_by(WebSession.opened_at.desc(), WebSession.secret_hash)
    )


def forget_before(ground: Ground, instant: datetime) -> int:
    """Sessions opened before this are long over. Returns how many rows went."""
    with ground.sessions() as db:
        gone = db.execute(
            sa.delete(WebSession).where(WebSession.opened_at < instant).returning(WebSession.secret_hash)
        ).all()
        db.commit()
    return len(gone)


def end_all(db: Session, principal_id: UUID) -> int:
    """Within an open deed: a password was changed, a grant revoked. How many there were."""
    ended = db.execute(
        sa.update(WebSession)
        .where(WebSession.principal_id == principal_id, WebSession.ended_at.is_(None))
        .values(ended_at=clock.now())
        .returning(WebSession.secret_hash)
    )
    return len(ended.all())


def _lives(row: WebSession) -> bool:
    now = clock.now()
    return (
        row.ended_at is None and now - row.opened_at < LONGEST and now - row.seen_at < IDLE[row.signed_in_by]
    )

"""Passwords of staff: argon2id, one a principal, found by a login name.

A wrong name and a wrong password take the same path: a hash is computed either way.
"""

import unicodedata
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import clock
from core.db import Base, Group, grouped
from core.fields import seen

LEAST_LENGTH = 12
MOST_LENGTH = 200

# 19 MiB, two passes: about 15 ms, where the library's default takes 64 MiB of every login
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NOBODYS = _HASHER.hash("nobody's password")


class Password(Base):
    __tablename__ = "password"
    __table_args__ = grouped(Group.EXEMPT, sa.UniqueConstraint("principal_id"), erasable=True)

    login: Mapped[str] = mapped_column(primary_key=True)
    principal_id: Mapped[UUID]
    hash: Mapped[str]
    set_at: Mapped[datetime]


def hashed(password: str) -> str:
    return _HASHER.hash(_as_typed(password))


def whose(db: Session, login: str, password: str) -> UUID | None:
    """The principal behind this name and password; None, after the same work, for everybody else."""
    row = db.get(Password, plain_login(login))
    try:
        _HASHER.verify(row.hash if row else _NOBODYS, _as_typed(password))
    except (VerifyMismatchError, InvalidHashError):
        return None
    return row.principal_id if row else None


def enter(db: Session, principal_id: UUID, login: str, password: str) -> None:
    """Set the principal's name and password; the former ones are gone."""
    db.execute(sa.delete(Password).where(Password.principal_id == principal_id))
    db.add(
        Password(
            login=plain_login(login), principal_id=principal_id, hash=hashed(password), set_at=clock.now()
        )
    )


def _as_typed(password: str) -> str:
    """The same password from any keyboard: accents composed, no space pasted around it."""
    return unicodedata.normalize("NFC", password).strip()


def plain_login(login: str) -> str:
    return seen(login).casefold()

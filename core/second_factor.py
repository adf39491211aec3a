"""The second factor of staff: a code that changes every thirty seconds (TOTP, RFC 6238), and recovery codes.

The secret is sealed under the principal's own subject key. A code is taken once: the step it belongs to is
written down in the same statement that takes it, so that whoever read it over a shoulder, or sends it to
another process, is told no. Recovery codes are known by their hash only, and each is good once.
"""

import base64
import secrets
from datetime import datetime
from uuid import UUID

import pyotp
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import clock, sealed
from core.auth import hash_token
from core.db import Base, Group, grouped
from core.ground import Ground
from core.sealed import Subject, SubjectType

STEP_S = 30
SLACK_STEPS = 1
"""A code of the step before and the step after is taken too: clocks of telephones differ."""
RECOVERY_CODES = 10
ISSUER = "LPG"


class SecondFactor(Base):
    """``last_step``: the latest step a code was taken of. No ``confirmed_at``: not yet in force."""

    __tablename__ = "second_factor"
    __table_args__ = grouped(Group.EXEMPT, erasable=True)

    principal_id: Mapped[UUID] = mapped_column(primary_key=True)
    secret_sealed: Mapped[bytes]
    begun_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(sa.BigInteger)


class RecoveryCode(Base):
    __tablename__ = "recovery_code"
    __table_args__ = grouped(Group.EXEMPT, erasable=True)

    principal_id: Mapped[UUID] = mapped_column(primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(primary_key=True)
    used_at: Mapped[datetime | None]


def new_secret() -> str:
    return pyotp.random_base32()


def begin(db: Session, ground: Ground, principal_id: UUID, secret: str) -> None:
    """Write a secret down; it is in force once a code of it was shown (``confirm``)."""
    drop(db, principal_id)
    db.add(
        SecondFactor(
            principal_id=principal_id,
            secret_sealed=sealed.seal(db, ground.keyring, *_place(principal_id), secret),
            begun_at=clock.now(),
            confirmed_at=None,
            last_step=0,
        )
    )
    db.flush()


def drop(db: Session, principal_id: UUID) -> bool:
    """Within an open deed: lost telephones, and whoever begins anew. True if there was one in force."""
    db.execute(sa.delete(RecoveryCode).where(RecoveryCode.principal_id == principal_id))
    gone = db.execute(
        sa.delete(SecondFactor)
        .where(SecondFactor.principal_id == principal_id)
        .returning(SecondFactor.confirmed_at)
    ).first()
    return gone is not None and gone.confirmed_at is not None


def begun_secret(db: Session, ground: Ground, principal_id: UUID) -> str | None:
    """The secret of an enrolment that was begun and is not in force yet: it is shown until it is."""
    row = db.get(SecondFactor, principal_id)
    if row is None or row.confirmed_at is not None:
        return None
    return sealed.open_sealed(db, ground.keyring, *_place(principal_id), row.secret_sealed)


def is_in_force(db: Session, principal_id: UUID) -> bool:
    confirmed = sa.select(SecondFactor.confirmed_at).where(SecondFactor.principal_id == principal_id)
    return db.scalar(confirmed) is not None


def confirm(db: Session, ground: Ground, principal_id: UUID, code: str) -> list[str] | None:
    """The first code: from now on the factor is in force. The recovery codes, seen this once; None: wrong."""
    if not _take(db, ground, principal_id, code, in_force=False):
        return None
    db.execute(
        sa.update(SecondFactor)
        .where(SecondFactor.principal_id == principal_id)
        .values(confirmed_at=clock.now())
    )
    codes = [_new_recovery_code() for _ in range(RECOVERY_CODES)]
    db.add_all(RecoveryCode(principal_id=principal_id, code_hash=_hash(code), used_at=None) for code in codes)
    return codes


def take(db: Session, ground: Ground, principal_id: UUID, typed: str) -> bool:
    """Whether this is the present code or an unused recovery code; either is used up by it."""
    return _take(db, ground, principal_id, typed, in_force=True) or _take_recovery(db, principal_id, typed)


def recovery_codes_left(db: Session, principal_id: UUID) -> int:
    unused = sa.select(sa.func.count()).where(
        RecoveryCode.principal_id == principal_id, RecoveryCode.used_at.is_(None)
    )
    return db.scalar(unused) or 0


def uri(secret: str, login: str) -> str:
    """What the enrolment's QR code says, for an authenticator to read."""
    return pyotp.TOTP(secret, interval=STEP_S).provisioning_uri(name=login, issuer_name=ISSUER)


def code_at(secret: str, at: datetime) -> str:
    """The code of that moment: for the sample and for tests, which have no telephone."""
    return pyotp.TOTP(secret, interval=STEP_S).at(int(at.timestamp()))


def _take(db: Session, ground: Ground, principal_id: UUID, typed: str, *, in_force: bool) -> bool:
    row = db.get(SecondFactor, principal_id, with_for_update=True, populate_existing=True)
    code = "".join(mark for mark in typed if not mark.isspace())
    if row is None or (row.confirmed_at is not None) is not in_force or not code.isascii():
        return False
    secret = sealed.open_sealed(db, ground.keyring, *_place(principal_id), row.secret_sealed)
    totp, now = pyotp.TOTP(secret, interval=STEP_S), int(clock.now().timestamp()) // STEP_S
    for step in range(now - SLACK_STEPS, now + SLACK_STEPS + 1):
        if step > row.last_step and pyotp.utils.strings_equal(totp.at(step * STEP_S), code):
            row.last_step = step
            db.flush()
            return True
    return False


def _take_recovery(db: Session, principal_id: UUID, typed: str) -> bool:
    used = db.execute(
        sa.update(RecoveryCode)
        .where(
            RecoveryCode.principal_id == principal_id,
            RecoveryCode.code_hash == _hash(typed),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=clock.now())
        .returning(RecoveryCode.used_at)
    )
    return used.first() is not None


def _new_recovery_code() -> str:
    """Eighty bits in groups of four; too many to be tried against a hash."""
    symbols = base64.b32encode(secrets.token_bytes(10)).decode()
    return "-".join(symbols[at : at + 4] for at in range(0, len(symbols), 4))


def _hash(code: str) -> bytes:
    return hash_token("".join(mark for mark in code.upper() if mark.isalnum()))


def _place(principal_id: UUID) -> tuple[Subject, str, str, UUID]:
    return Subject(SubjectType.STAFF, principal_id), "second_factor", "secret_sealed", principal_id

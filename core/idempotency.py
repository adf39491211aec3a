"""The same key answers as it first did. Locked first in every deed, outside its savepoint.

A row holds the fingerprint of the body and the answer as ids and words, or the refusal; never a rendered
page, so that a repeated request is shown under the caller's present rights.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg.errors
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, District, Group, Sessions, grouped, table_of
from core.prepared import Prepared
from core.problems import Busy, KeyReused
from core.sealed import Keyring


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


def fingerprint(keyring: Keyring, parts: Iterable[bytes]) -> bytes:
    """Of what was asked. Keyed, since a body may hold a document's number or a password, and few enough of
    them fit a plain hash; by the oldest key that lives, so that changing keys changes no repetition."""
    versions = keyring.index.by_version
    digest = hmac.new(versions[min(versions)], b"idempotency", hashlib.sha256)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


_table = table_of(Idempotency)
_TAKEN = insert(_table).on_conflict_do_nothing()
_CLAIM = Prepared(_TAKEN.returning(_table.c.key))


def claim(db: Session, row: dict[str, Any]) -> Idempotency | None:
    """Take the key for this deed. None: it is ours. A row: it has already answered; answer alike.

    A second request with the same key waits here until the first has committed or gone; not for long:
    ``Busy``, since it holds a thread.
    """
    with _not_for_long():
        return _claim(db, row)


_KEEP = Prepared(
    _TAKEN.returning(
        _table.c.key, sa.func.set_config("synchronous_commit", "off", sa.true()).label("waits_for_disk")
    )
)


def keep(sessions: Sessions, row: dict[str, Any]) -> bool:
    """Take the key and write down its answer at once, for what stood before; False: it was taken already.

    A transaction of its own that does not wait for the disk: whoever asks again after a crash is answered by
    what stands, as this was (docs/adr/0023).
    """
    with _not_for_long():
        return bool(_KEEP.ask(sessions, **row))


_NOT_HAD_IN_TIME = (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled)


@contextmanager
def _not_for_long() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if isinstance(error.orig, _NOT_HAD_IN_TIME):
            raise Busy from error
        raise


def _claim(db: Session, row: dict[str, Any]) -> Idempotency | None:
    if _CLAIM.within(db, **row):
        return None
    standing = db.get_one(Idempotency, (row["district"], row["actor_id"], row["key"]), with_for_update=True)
    if standing.fingerprint != row["fingerprint"] or standing.verb != row["verb"]:
        raise KeyReused
    return standing


_SETTLE = Prepared(
    sa.update(_table)
    .where(
        _table.c.district == sa.bindparam("b_district"),
        _table.c.actor_id == sa.bindparam("b_actor_id"),
        _table.c.key == sa.bindparam("b_key"),
    )
    .values({name: sa.bindparam(name) for name in ("answer", "reasons", "refusal_no", "entry_id")})
)


def settle(
    db: Session,
    district: int,
    actor_id: UUID,
    key: str,
    *,
    entry_id: UUID | None,
    answer: dict[str, Any] | None = None,
    reasons: list[Any] | None = None,
    refusal_no: str | None = None,
) -> None:
    """Write down what this key answered: an answer, or reasons with their number. No entry: it stood."""
    settled = {"answer": answer, "reasons": reasons, "refusal_no": refusal_no, "entry_id": entry_id}
    _SETTLE.within(db, b_district=district, b_actor_id=actor_id, b_key=key, **settled)

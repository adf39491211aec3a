"""Reading chains: a subject's entries in order, each checked against its bytes and the one before."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from evidence.entry import Subject, leaf_hash
from evidence.models import Entry, Head, Link, SubjectType


@dataclass(frozen=True, slots=True)
class ChainEntry:
    """One entry as it stands in one chain: what its own bytes say, nothing from the columns beside them."""

    subject: Subject
    seq: int
    said: dict[str, Any]
    hash: bytes

    @property
    def entry_id(self) -> UUID:
        return UUID(self.said["id"])

    @property
    def recorded_at(self) -> datetime:
        return datetime.fromisoformat(self.said["recorded_at"])

    @property
    def occurred_at(self) -> datetime:
        return datetime.fromisoformat(self.said["occurred_at"])

    @property
    def subjects(self) -> list[Subject]:
        return [Subject(SubjectType(one["type"]), one["key"]) for one in self.said["subjects"]]


@dataclass(frozen=True, slots=True)
class Chain:
    """A subject's entries 1..n as known at a time.

    ``intact``: hashes, sequence and head agree, and each entry claims the very place it stands in.
    """

    subject: Subject
    entries: tuple[ChainEntry, ...]
    intact: bool


def chain(db: Session, subject: Subject, as_of: datetime | None = None) -> Chain:
    """Entries up to the first that was recorded after ``as_of``: a chain is known from its beginning on."""
    rows = db.execute(
        sa.select(Link.seq, Link.previous, Entry.written, Entry.hash)
        .join(Entry, Entry.id == Link.entry_id, isouter=True)
        .where(Link.subject_type == subject.type, Link.subject_key == subject.key)
        .order_by(Link.seq)
    ).all()
    head = db.get(Head, (subject.type, subject.key))
    readable = [row for row in rows if row.written is not None]
    entries = [ChainEntry(subject, row.seq, json.loads(row.written), row.hash) for row in readable]
    known = list(_known(entries, as_of))
    whole = len(readable) == len(rows) and _is_intact(subject, readable, entries, head)
    return Chain(subject, tuple(known), whole)


def _known(entries: Sequence[ChainEntry], as_of: datetime | None) -> Sequence[ChainEntry]:
    if as_of is None:
        return entries
    later = (place for place, entry in enumerate(entries) if entry.recorded_at > as_of)
    return entries[: next(later, len(entries))]


def _is_intact(
    subject: Subject, rows: Sequence[Any], entries: Sequence[ChainEntry], head: Head | None
) -> bool:
    last_seq, last_hash = 0, None
    for row, entry in zip(rows, entries, strict=True):
        claims = {"type": subject.type.value, "key": subject.key, "seq": row.seq}
        claims["prev"] = row.previous.hex() if row.previous else None
        follows = row.seq == last_seq + 1 and row.previous == last_hash
        if not follows or leaf_hash(row.written) != row.hash or claims not in entry.said["subjects"]:
            return False
        last_seq, last_hash = row.seq, row.hash
    return (head.seq, head.hash) == (last_seq, last_hash) if head else last_seq == 0

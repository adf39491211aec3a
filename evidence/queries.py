"""Reading chains: a subject's entries in order, each checked against the one before."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from evidence.entry import Subject, leaf_hash
from evidence.models import Entry, Link, Outcome, SubjectType


@dataclass(frozen=True, slots=True)
class ChainEntry:
    """One entry as it stands in one chain. ``said`` is the entry's own content."""

    subject: Subject
    seq: int
    entry_id: UUID
    verb: str
    outcome: Outcome
    role: str
    actor_id: UUID
    district: int
    refusal_no: str | None
    occurred_at: datetime
    recorded_at: datetime
    said: dict[str, Any]
    hash: bytes

    @property
    def payload(self) -> dict[str, Any]:
        return dict(self.said["payload"])

    @property
    def reasons(self) -> list[dict[str, Any]]:
        return list(self.said["reasons"])

    @property
    def subjects(self) -> list[Subject]:
        return [Subject(SubjectType(one["type"]), one["key"]) for one in self.said["subjects"]]


@dataclass(frozen=True, slots=True)
class Chain:
    """A subject's entries 1..n as known at a time; ``intact`` says that hashes and sequence agree."""

    subject: Subject
    entries: tuple[ChainEntry, ...]
    intact: bool


def chain(db: Session, subject: Subject, as_of: datetime | None = None) -> Chain:
    rows = db.execute(
        sa.select(Link.seq, Link.previous, Entry)
        .join(Entry, Entry.id == Link.entry_id)
        .where(Link.subject_type == subject.type, Link.subject_key == subject.key)
        .order_by(Link.seq)
    ).all()
    known = [row for row in rows if as_of is None or row.Entry.recorded_at <= as_of]
    entries = tuple(_chain_entry(subject, row.seq, row.Entry) for row in known)
    return Chain(subject, entries, _is_intact([(row.seq, row.previous, row.Entry) for row in rows]))


def _chain_entry(subject: Subject, seq: int, entry: Entry) -> ChainEntry:
    return ChainEntry(
        subject,
        seq,
        entry.id,
        entry.verb,
        entry.outcome,
        entry.role,
        entry.actor_id,
        entry.district,
        entry.refusal_no,
        entry.occurred_at,
        entry.recorded_at,
        json.loads(entry.written),
        entry.hash,
    )


def _is_intact(rows: Iterable[tuple[int, bytes | None, Entry]]) -> bool:
    last_seq, last_hash = 0, None
    for seq, previous, entry in rows:
        if seq != last_seq + 1 or previous != last_hash or leaf_hash(entry.written) != entry.hash:
            return False
        last_seq, last_hash = seq, entry.hash
    return True

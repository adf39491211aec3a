"""The verifier: reads every entry and chain again and names what was changed, added, is missing or was moved.

It trusts no stored hash, no head and no column: everything is computed again from the entries' bytes. It
reads one snapshot of the database, so that deeds done meanwhile are no findings. What it cannot see: the
newest entries of a chain rewritten together with all that follows from them (docs/adr/0002).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import table_of
from evidence.entry import leaf_hash
from evidence.models import Entry, Head, Link


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was written. ``code`` is changed | added | missing | reordered | head."""

    code: str
    where: str
    zh: str
    en: str


@dataclass(slots=True)
class Tally:
    entries: int = 0
    chains: int = 0


@dataclass(slots=True)
class _Read:
    """What the entries' bytes say: their hashes, and which place in which chain each claims."""

    hashes: dict[str, bytes] = field(default_factory=dict)
    claims: dict[tuple[str, str, int], tuple[str, str | None]] = field(default_factory=dict)


# Columns as text, so that a value that no longer parses is a finding and not an error of ours.
_entry, _link, _head = table_of(Entry), table_of(Link), table_of(Head)
_COLUMNS = (
    "id", "verb", "outcome", "district", "actor_id", "role", "refusal_no",
    "firm_id", "site_id", "zone_id", "round_id",
)  # fmt: skip
_INSTANTS = ("occurred_at", "recorded_at")


def _text(column: sa.Column[Any]) -> sa.ColumnElement[str]:
    return sa.cast(column, sa.Text)


def _shanghai(column: sa.Column[Any]) -> sa.ColumnElement[str]:
    """An instant as entries write it, with whatever lies below its milliseconds left standing."""
    local = sa.func.timezone("Asia/Shanghai", column)
    return sa.func.to_char(local, 'YYYY-MM-DD"T"HH24:MI:SS.US')


_ENTRIES = sa.select(
    _entry.c.written,
    _entry.c.hash,
    *(_text(_entry.c[name]).label(name) for name in _COLUMNS),
    *(_shanghai(_entry.c[name]).label(name) for name in _INSTANTS),
).order_by(_entry.c.recorded_at, _entry.c.id)
_LINKS = sa.select(
    _text(_link.c.subject_type).label("type"),
    _link.c.subject_key.label("key"),
    _link.c.seq,
    _text(_link.c.entry_id).label("entry_id"),
    _link.c.previous,
).order_by(_link.c.subject_type, _link.c.subject_key, _link.c.seq)
_HEADS = sa.select(
    _text(_head.c.subject_type).label("type"), _head.c.subject_key.label("key"), _head.c.seq, _head.c.hash
)


def verify(db: Session, tally: Tally | None = None) -> Iterator[Finding]:
    """Every finding, entries first, then chains. An empty answer means nothing was touched."""
    tally = tally if tally is not None else Tally()
    db.rollback()  # the snapshot begins here
    db.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
    db.execute(sa.text("SET LOCAL statement_timeout = 0"))
    read = _Read()
    for row in db.execute(_ENTRIES.execution_options(yield_per=1000)):
        tally.entries += 1
        yield from _check_entry(row, read)
    yield from _check_chains(db, read, tally)
    db.rollback()


def _check_entry(row: sa.Row[Any], read: _Read) -> Iterator[Finding]:
    name = f"entry {row.id}"
    read.hashes[row.id] = leaf_hash(row.written)
    if read.hashes[row.id] != row.hash:
        yield Finding("changed", name, "条目内容与其哈希不符", "its bytes do not give its hash")
    said = _parsed(row.written)
    if said is None:
        yield Finding("changed", name, "条目内容已无法读懂", "its bytes can no longer be read as an entry")
        return
    for column in _COLUMNS:
        if _as_text(said.get(column)) != getattr(row, column):
            yield _column_changed(name, column)
    for column in _INSTANTS:
        if f"{getattr(row, column)}" != f"{said.get(column)}".removesuffix("+08:00") + "000":
            yield _column_changed(name, column)
    if not said["subjects"]:
        yield Finding("added", name, "条目不在任何链上", "it stands in no chain")
    for chain in said["subjects"]:
        place = (chain["type"], chain["key"], chain["seq"])
        if place in read.claims:
            other = read.claims[place][0]
            yield Finding("added", name, f"与条目 {other} 自称同一位置", f"claims the place of entry {other}")
        read.claims[place] = (row.id, chain["prev"])


def _column_changed(name: str, column: str) -> Finding:
    return Finding("changed", name, f"列 {column} 与条目内容不符", f"column {column} differs from its bytes")


def _parsed(written: bytes) -> dict[str, Any] | None:
    """The entry, if its bytes still have an entry's shape."""
    try:
        said = json.loads(written)
        places = [(one["type"], one["key"], one["seq"], one["prev"]) for one in said["subjects"]]
    except (ValueError, TypeError, KeyError):
        return None
    well_formed = isinstance(said, dict) and all(isinstance(place[2], int) for place in places)
    return said if well_formed else None


def _check_chains(db: Session, read: _Read, tally: Tally) -> Iterator[Finding]:
    heads = {(row.type, row.key): (row.seq, row.hash) for row in db.execute(_HEADS)}
    seen: dict[tuple[str, str], tuple[int, bytes | None]] = {}
    linked = set()
    for link in db.execute(_LINKS.execution_options(yield_per=1000)):
        chain = (link.type, link.key)
        linked.add((*chain, link.seq))
        yield from _check_link(link, seen.get(chain, (0, None)), read)
        seen[chain] = (link.seq, read.hashes.get(link.entry_id))
    for place, (entry_id, _) in read.claims.items():
        if place not in linked:
            where = f"{place[0]} {place[1]} #{place[2]}"
            yield Finding(
                "missing", where, f"条目 {entry_id} 的链环不见了", f"the link of entry {entry_id} is gone"
            )
    tally.chains = len(heads)
    for chain in sorted(heads.keys() | seen.keys()):
        if heads.get(chain) != seen.get(chain):
            yield Finding("head", " ".join(chain), "链头与条目不符", "its head does not match its last entry")


def _check_link(link: sa.Row[Any], last: tuple[int, bytes | None], read: _Read) -> Iterator[Finding]:
    last_seq, last_hash = last
    name = f"{link.type} {link.key} #{link.seq}"
    for gone in range(last_seq + 1, link.seq):
        yield Finding("missing", f"{link.type} {link.key} #{gone}", "链上缺少一环", "the chain lacks a link")
    claimed_by, claimed_previous = read.claims.get((link.type, link.key, link.seq), (None, None))
    if link.entry_id not in read.hashes:
        yield Finding("missing", name, f"条目 {link.entry_id} 不见了", f"entry {link.entry_id} is gone")
    elif claimed_by != link.entry_id:
        yield Finding(
            "reordered", name, "条目自述的位置与链上不符", f"entry {link.entry_id} says it stands elsewhere"
        )
    elif link.seq == last_seq + 1 and link.previous != last_hash:
        yield Finding("changed", name, "与前一环的哈希不符", "does not follow from the link before it")
    elif (link.previous.hex() if link.previous else None) != claimed_previous:
        yield Finding("changed", name, "前一环哈希与条目内容不符", "its previous hash differs from its bytes")


def _as_text(value: Any) -> str | None:
    return None if value is None else str(value)

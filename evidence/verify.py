"""The verifier: reads every entry and chain again and names what was changed, is missing or was moved.

It trusts no stored hash, no head and no column: everything is computed again from the entries' bytes.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.refusal import plain
from evidence.entry import leaf_hash
from evidence.models import Entry, Head, Link


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was written. ``code`` is changed | missing | reordered | added | head."""

    code: str
    where: str
    zh: str
    en: str


@dataclass(slots=True)
class Tally:
    entries: int = 0
    chains: int = 0


_COLUMNS = (
    "id", "verb", "outcome", "district", "actor_id", "role", "refusal_no",
    "firm_id", "site_id", "zone_id", "round_id", "occurred_at", "recorded_at",
)  # fmt: skip


def verify(db: Session, tally: Tally | None = None) -> Iterator[Finding]:
    """Every finding, entries first, then chains. An empty answer means nothing was touched."""
    tally = tally if tally is not None else Tally()
    hashes: dict[str, bytes] = {}
    claimed: dict[tuple[str, str, int], tuple[str, str | None]] = {}
    for entry in db.scalars(
        sa.select(Entry).order_by(Entry.recorded_at, Entry.id).execution_options(yield_per=1000)
    ):
        tally.entries += 1
        hashes[str(entry.id)] = leaf_hash(entry.written)
        yield from _check_entry(entry, claimed)
    yield from _check_chains(db, hashes, claimed, tally)


def _check_entry(
    entry: Entry, claimed: dict[tuple[str, str, int], tuple[str, str | None]]
) -> Iterator[Finding]:
    name = f"entry {entry.id}"
    if leaf_hash(entry.written) != entry.hash:
        yield Finding("changed", name, "条目内容与其哈希不符", "its bytes do not give its hash")
    try:
        said: dict[str, Any] = json.loads(entry.written)
    except ValueError:
        yield Finding("changed", name, "条目内容已不是合法的 JSON", "its bytes are no JSON any more")
        return
    for column in _COLUMNS:
        if said.get(column) != _as_written(getattr(entry, column)):
            yield Finding(
                "changed", name, f"列 {column} 与条目内容不符", f"column {column} differs from its bytes"
            )
    for chain in said.get("subjects", ()):
        claimed[chain["type"], chain["key"], chain["seq"]] = (str(entry.id), chain["prev"])


def _check_chains(
    db: Session,
    hashes: dict[str, bytes],
    claimed: dict[tuple[str, str, int], tuple[str, str | None]],
    tally: Tally,
) -> Iterator[Finding]:
    heads = {
        (head.subject_type.value, head.subject_key): (head.seq, head.hash)
        for head in db.scalars(sa.select(Head))
    }
    seen: dict[tuple[str, str], tuple[int, bytes | None]] = {}
    linked = set()
    order = (Link.subject_type, Link.subject_key, Link.seq)
    for link in db.scalars(sa.select(Link).order_by(*order).execution_options(yield_per=1000)):
        chain = (link.subject_type.value, link.subject_key)
        name = f"{chain[0]} {chain[1]} #{link.seq}"
        last_seq, last_hash = seen.get(chain, (0, None))
        place = (*chain, link.seq)
        linked.add(place)
        for gone in range(last_seq + 1, link.seq):
            yield Finding(
                "missing", f"{chain[0]} {chain[1]} #{gone}", "链上缺少一环", "the chain lacks a link"
            )
        if str(link.entry_id) not in hashes:
            yield Finding("missing", name, f"条目 {link.entry_id} 不见了", f"entry {link.entry_id} is gone")
        elif claimed.get(place, (None, None))[0] != str(link.entry_id):
            yield Finding(
                "reordered",
                name,
                "条目自述的位置与链上不符",
                f"entry {link.entry_id} says it stands elsewhere",
            )
        elif link.seq == last_seq + 1 and link.previous != last_hash:
            yield Finding("changed", name, "与前一环的哈希不符", "does not follow from the link before it")
        elif (link.previous.hex() if link.previous else None) != claimed[place][1]:
            yield Finding(
                "changed", name, "前一环哈希与条目内容不符", "its previous hash differs from its bytes"
            )
        seen[chain] = (link.seq, hashes.get(str(link.entry_id)))
    for place, (entry_id, _) in claimed.items():
        if place not in linked:
            yield Finding(
                "missing", f"{place[0]} {place[1]} #{place[2]}",
                f"条目 {entry_id} 的链环不见了", f"the link of entry {entry_id} is gone",
            )  # fmt: skip
    tally.chains = len(heads)
    for chain in sorted(heads.keys() | seen.keys()):
        if heads.get(chain) != seen.get(chain):
            yield Finding(
                "head", f"{chain[0]} {chain[1]}", "链头与条目不符", "its head does not match its last entry"
            )


def _as_written(value: Any) -> Any:
    return clock.stamp(value) if hasattr(value, "tzinfo") else plain(value)

"""What a promise is, and what it is checked against."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from evidence.models import Entry

Refused = dict[str, list[Any]]
"""Refusal number → its reasons as they came over HTTP: code, rule, facts."""


@dataclass
class Promise:
    zh: str
    en: str
    how: str
    looked_at: int = 0
    broken: list[str] = field(default_factory=list)

    @property
    def is_held(self) -> bool:
        """A promise about nothing was not checked."""
        return not self.broken and self.looked_at > 0


@dataclass(frozen=True)
class Audit:
    """What the promises are checked against, besides the tables."""

    db: Session
    heard: Refused
    listed: Refused
    """The refusals that the districts' lists show, read over HTTP."""
    secrets: frozenset[bytes]
    """Names, phones, document numbers, addresses, tokens and card codes of the sample."""
    server_log: Path


def entries(audit: Audit, verb: str) -> Iterator[dict[str, Any]]:
    """What the entries of a verb say, in the order in which they were written down."""
    for entry in audit.db.scalars(sa.select(Entry).where(Entry.verb == verb).order_by(Entry.recorded_at)):
        yield orjson.loads(entry.written)

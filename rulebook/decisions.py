"""Keep what was decided, and judge it again later.

A decision is judged again by its own edition, to see that we would still say the same; or by another
edition, to see whom a change of rule would have touched.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import clock
from rulebook.edition import Edition
from rulebook.gate import Verdict, facts_from_plain, facts_to_plain, judge
from rulebook.models import Decision, RulebookEdition

REPLAY_ROWS = 500


@dataclass(frozen=True, slots=True)
class Difference:
    """A stored decision that would be answered otherwise. Reasons as kept: code, rule, facts, basis."""

    id: UUID
    before: list[dict[str, Any]]
    after: list[dict[str, Any]]


def keep_edition(db: Session, edition: Edition) -> None:
    """Store the edition's text if this database has not seen it. Call before keeping its decisions."""
    row = {"digest": edition.digest, "text": edition.text, "first_seen_at": clock.now()}
    db.execute(insert(RulebookEdition).values(row).on_conflict_do_nothing(index_elements=["digest"]))


def decision_of(verdict: Verdict, district: int) -> Decision:
    """The row that keeps a verdict. ``district`` is the caller's shard key, an integer division code."""
    return Decision(
        gate=verdict.gate,
        district=district,
        place=verdict.place,
        day=verdict.day,
        edition=verdict.edition_digest,
        facts=facts_to_plain(verdict.facts),
        allowed=verdict.allowed,
        reasons=[refusal.to_plain() for refusal in verdict.reasons],
        decided_at=clock.now(),
    )


def judged_again(decision: Decision, edition: Edition) -> Verdict:
    facts = facts_from_plain(decision.gate, decision.facts)
    return judge(decision.gate, facts, decision.place, decision.day, edition)


def replay(db: Session, edition: Edition | None = None) -> Iterator[Difference]:
    """Judge every stored decision again, by its own edition or by ``edition``; yield what differs.

    The gates must be registered: import the rooms that own them first (app.py does).
    """
    rows = db.scalars(sa.select(Decision).order_by(Decision.id).execution_options(yield_per=REPLAY_ROWS))
    own = _OwnEditions(db)
    for decision in rows:
        after = [
            refusal.to_plain() for refusal in judged_again(decision, edition or own[decision.edition]).reasons
        ]
        if after != decision.reasons:
            yield Difference(decision.id, decision.reasons, after)


class _OwnEditions(dict[str, Edition]):
    """Editions by digest, each read from the database once."""

    def __init__(self, db: Session):
        super().__init__()
        self._db = db

    def __missing__(self, digest: str) -> Edition:
        self[digest] = Edition.from_text(self._db.get_one(RulebookEdition, digest).text)
        return self[digest]

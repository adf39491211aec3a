"""Keep what was decided, and judge it again later.

A decision is judged again by its own edition, to see that we would still say the same; or by that edition
with a proposed rule laid over it, to see whom the proposal would have touched.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from cattrs.errors import BaseValidationError
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import clock
from core.db import table_of
from core.ids import new_id
from core.prepared import Prepared
from rulebook.edition import Edition
from rulebook.gate import Verdict, facts_from_plain, facts_to_plain, judge, not_stored
from rulebook.models import Decision, RulebookEdition

REPLAY_ROWS = 500


@dataclass(frozen=True, slots=True)
class Which:
    """The decisions asked about: by the day on which they were made, both included, and by district."""

    from_on: date | None = None
    until_on: date | None = None
    district: int | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """A stored decision judged again. Reasons as kept: code, rule, facts, basis.

    ``after`` None: it could not be judged. ``lacking``: the facts the page of law asks and the row does not
    hold; ``unreadable``: why what it holds is not understood any more.
    """

    id: UUID
    gate: str
    street: str | None
    before: list[dict[str, Any]]
    after: list[dict[str, Any]] | None
    lacking: tuple[str, ...] = ()
    unreadable: str = ""

    @property
    def differs(self) -> bool:
        return self.after != self.before


def keep_edition(db: Session, edition: Edition) -> None:
    """Store the edition's text if this database has not seen it. Call before keeping its decisions."""
    row = {"digest": edition.digest, "text": edition.text, "first_seen_at": clock.now()}
    db.execute(insert(RulebookEdition).values(row).on_conflict_do_nothing(index_elements=["digest"]))


def decision_of(verdict: Verdict, district: int, street: str | None = None) -> Decision:
    """The row that keeps a verdict. ``district`` is the caller's shard key, an integer division code.

    ``street``: where the place that was judged stands, for what is told street by street; a site has none.
    """
    return Decision(**columns_of(verdict, district, street))


def columns_of(verdict: Verdict, district: int, street: str | None) -> dict[str, Any]:
    return {
        "id": new_id(),
        "gate": verdict.gate,
        "district": district,
        "place": verdict.place,
        "day": verdict.day,
        "edition": verdict.edition_digest,
        "facts": facts_to_plain(verdict.facts),
        "allowed": verdict.allowed,
        "reasons": [refusal.to_plain() for refusal in verdict.reasons],
        "decided_at": clock.now(),
        "street": street,
    }


DECIDED = Prepared(sa.insert(table_of(Decision)))
"""For a gate that is asked often: takes ``columns_of`` a verdict."""


def replay(db: Session, which: Which = Which()) -> Iterator[Again]:
    """Judge each stored decision again by the rules of its own day; yield what is answered otherwise.

    A fact that the page has learnt to ask since is judged as its default, which is how the page of that day
    saw it. The gates must be registered: import the rooms that own them first (app.py does).
    """
    for again in judged_again(db, which, lambda own: own):
        if again.differs:
            yield again


def judged_again(db: Session, which: Which, by: Callable[[Edition], Edition]) -> Iterator[Again]:
    """Every decision asked about, by ``by`` of its own edition."""
    editions = _Editions(db, by)
    for decision in db.scalars(_asked_for(which).execution_options(yield_per=REPLAY_ROWS)):
        yield _again(decision, editions[decision.edition])


def proposed(db: Session, which: Which, over: Callable[[Edition], Edition]) -> Iterator[Again]:
    """As ``judged_again``, never by a guess: where a fact the page asks is not stored, it is not judged."""
    for again in judged_again(db, which, over):
        if again.lacking:
            yield Again(again.id, again.gate, again.street, again.before, None, again.lacking)
        else:
            yield again


def _again(decision: Decision, edition: Edition) -> Again:
    head = (decision.id, decision.gate, decision.street, decision.reasons)
    try:
        facts = facts_from_plain(decision.gate, decision.facts)
    except BaseValidationError as error:
        return Again(*head, None, unreadable=type(error).__name__)
    except KeyError:
        return Again(*head, None, unreadable=f"no gate {decision.gate}")
    verdict = judge(decision.gate, facts, decision.place, decision.day, edition)
    after = [refusal.to_plain() for refusal in verdict.reasons]
    return Again(*head, after, not_stored(facts, decision.facts))


def _asked_for(which: Which) -> sa.Select[Decision]:
    query = sa.select(Decision).order_by(Decision.id)
    if which.district is not None:
        query = query.where(Decision.district == which.district)
    if which.from_on is not None:
        query = query.where(Decision.decided_at >= clock.at(which.from_on))
    if which.until_on is not None:
        query = query.where(Decision.decided_at < clock.at(which.until_on + timedelta(days=1)))
    return query


class _Editions(dict[str, Edition]):
    """Editions by the digest of the stored one, each read from the database and made ready once."""

    def __init__(self, db: Session, by: Callable[[Edition], Edition]):
        super().__init__()
        self._db, self._by = db, by

    def __missing__(self, digest: str) -> Edition:
        self[digest] = self._by(Edition.from_text(self._db.get_one(RulebookEdition, digest).text))
        return self[digest]

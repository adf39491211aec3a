"""The deed: one unit of work, one entry, one commit. Nothing else in the program commits business rows.

    @does("cylinder.fill")
    def fill(deed: Deed, station_id: UUID, code: str) -> Answer:
        ...

    fill(doing, station_id=…, code=…)

The work runs in a savepoint and is flushed inside it. Done: work and entry are committed together.
Refused: the work is undone, the entry with all its reasons (and what was ``kept``) is committed, and the
refusal travels on. Anything else that goes wrong undoes everything and leaves no trace.

What is asked for may stand already (the same booking again): the work raises ``Stands``, and only the key and
its answer are written. Nothing was done, so there is no entry; asking a hundred times costs little.

A lost race against a constraint of the database becomes a refusal by the constraint's name
(``held_by``). A deadlock or a lock not had in time makes the whole deed run again, a few times.
"""

import functools
import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Concatenate, ParamSpec
from uuid import UUID

import psycopg.errors
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from core import clock, idempotency, metrics, outbox
from core.auth import Actor
from core.db import Base, table_of
from core.doing import Doing
from core.ground import Ground
from core.ids import new_id
from core.machine import ILLEGAL_MOVE
from core.prepared import Prepared
from core.problems import Busy
from core.refusal import Reason, Refusal, Refused, plain, with_basis
from evidence.entry import Place, Subject, entry_bytes, leaf_hash
from evidence.models import Entry, Head, Link, Outcome, SubjectType

Answer = dict[str, Any]
"""What a deed answers: ids and words only, so that it can be kept and said again."""

P = ParamSpec("P")

TRIES = 4
_RETRIED = (
    psycopg.errors.DeadlockDetected,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.SerializationFailure,
)
_REFUSAL_SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

_reasons_by_constraint: dict[str, Reason] = {}


def held_by(constraint: str, reason: Reason) -> None:
    """Say which refusal it is when the database itself refuses under this constraint's name."""
    if _reasons_by_constraint.setdefault(constraint, reason) is not reason:
        raise ValueError(f"{constraint} is held by {_reasons_by_constraint[constraint].code} already")


def _reason_held_by(constraint: str) -> Reason | None:
    """A machine's trigger says no in every room alike."""
    if constraint.startswith("machine_"):
        return ILLEGAL_MOVE
    return _reasons_by_constraint.get(constraint)


@dataclass(slots=True)
class Deed:
    """The open deed, as the work sees it. Acts of lower rooms take it and never commit."""

    db: Session
    doing: Doing
    verb: str
    id: UUID
    recorded_at: datetime
    occurred_at: datetime
    columns: dict[str, UUID] = field(default_factory=dict)
    subjects: set[Subject] = field(default_factory=set)
    payload: dict[str, Any] = field(default_factory=dict)
    kept: list[Base] = field(default_factory=list)
    kept_statements: list[Callable[[], object]] = field(default_factory=list)
    kept_news: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def actor(self) -> Actor:
        return self.doing.actor

    @property
    def ground(self) -> Ground:
        return self.doing.ground

    @property
    def district(self) -> int:
        return self.doing.district

    def about(self, type: SubjectType, key: UUID | str) -> None:
        """This deed touches the chain of that subject."""
        self.subjects.add(Subject(type, str(key)))

    def note(self, **facts: Any) -> None:
        """Put facts into the entry: ids, codes, days, amounts. Never personal data, never free text."""
        self.payload.update({name: plain(value) for name, value in facts.items()})

    def at(
        self,
        *,
        firm: UUID | None = None,
        site: UUID | None = None,
        zone: UUID | None = None,
        round: UUID | None = None,
    ) -> None:
        """Columns of the entry: where in the trade it happened."""
        named = {"firm_id": firm, "site_id": site, "zone_id": zone, "round_id": round}
        self.columns.update({name: value for name, value in named.items() if value is not None})

    def keep(self, row: Base) -> None:
        """Write this new row also when the deed is refused (a decision)."""
        if not sa.inspect(row).transient:
            raise ValueError("expected a new row: a change to a standing one is undone with the work")
        self.kept.append(row)

    def keep_by(self, statement: sa.Executable | Prepared, **given: Any) -> None:
        """Run this statement also when the deed is refused (a count, as INSERT … ON CONFLICT).

        ``given``: the values that a prepared one takes.
        """
        if isinstance(statement, Prepared):
            self.kept_statements.append(functools.partial(statement.within, self.db, **given))
        else:
            self.kept_statements.append(functools.partial(self.db.execute, statement))

    def tell(self, topic: str, *, even_if_refused: bool = False, **facts: Any) -> None:
        """Tell the rooms above, in this same transaction; what was seen is a fact also in a refused deed."""
        payload = {name: plain(value) for name, value in facts.items()}
        if even_if_refused:
            self.kept_news.append((topic, payload))
        else:
            outbox.tell(self.db, self.district, topic, payload)


def does(
    verb: str,
) -> Callable[[Callable[Concatenate[Deed, P], Answer]], Callable[Concatenate[Doing, P], Answer]]:
    """Make a function of an open deed into a verb that opens, records and commits it."""

    def decorate(work: Callable[Concatenate[Deed, P], Answer]) -> Callable[Concatenate[Doing, P], Answer]:
        @functools.wraps(work)
        def verb_of_the_trade(doing: Doing, /, *args: P.args, **kwargs: P.kwargs) -> Answer:
            return run(doing, verb, lambda deed: work(deed, *args, **kwargs))

        return verb_of_the_trade

    return decorate


class Stands(Exception):
    """What is asked for was done before, by another deed: it is answered, and nothing else is written."""

    def __init__(self, answer: Answer):
        self.answer = answer
        super().__init__()


def answered_by_what_stands(doing: Doing, verb: str, answer: Answer) -> bool:
    """As after ``Stands``, but seen before anything was opened: only the key and its answer are kept.

    False: the key was used before. Open the deed: it answers as that key first did.
    """
    if doing.key is None:
        return True
    row = _key_of(doing, verb, _to_milliseconds(clock.now()))
    return idempotency.keep(doing.ground.sessions, row | {"answer": answer})


def run(doing: Doing, verb: str, work: Callable[[Deed], Answer]) -> Answer:
    for attempt in range(TRIES):
        try:
            return _once(doing, verb, work)
        except _KeptRowCollided as collided:
            if attempt == TRIES - 1:
                raise collided.error from None
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.errors.QueryCanceled):
                raise Busy from error
            if not isinstance(error.orig, _RETRIED):
                raise
            time.sleep(random.uniform(0.01, 0.05) * 2**attempt)
    raise Busy


def _once(doing: Doing, verb: str, work: Callable[[Deed], Answer]) -> Answer:
    with doing.ground.sessions() as db:
        at = _to_milliseconds(clock.now())
        deed = Deed(db, doing, verb, new_id(), at, at)
        standing = _claim(deed)
        if standing is not None:
            doing.replayed = True
            return _say_again(standing)
        try:
            answer = _work(deed, work)
        except Refused as refused:
            raise _keep_refusal(deed, refused) from None
        except Stands as stands:
            return _keep_key_only(deed, stands.answer)
        _write_entry(deed, Outcome.DONE, (), None)
        _settle(deed, answer=answer)
        db.commit()
        metrics.count_deed(verb, Outcome.DONE.value)
        return answer


def _work(deed: Deed, work: Callable[[Deed], Answer]) -> Answer:
    """The work, in its savepoint; a constraint's "no" becomes a refusal by name."""
    try:
        with deed.db.begin_nested():
            answer = work(deed)
            deed.db.flush()
    except IntegrityError as error:
        name = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
        reason = _reason_held_by(name or "")
        if reason is None:
            raise
        raise Refused([reason()]) from error
    _write_kept(deed)
    return answer


class _KeptRowCollided(Exception):
    """Two deeds kept the same row at once: the loser runs again and finds it standing."""

    def __init__(self, error: IntegrityError):
        self.error = error
        super().__init__()


def _write_kept(deed: Deed) -> None:
    """What stands whether the work was done or refused."""
    try:
        deed.db.add_all(deed.kept)
        deed.db.flush()
        for run_it in deed.kept_statements:
            run_it()
    except IntegrityError as error:
        raise _KeptRowCollided(error) from error
    for topic, payload in deed.kept_news:
        outbox.tell(deed.db, deed.district, topic, payload)


def _to_milliseconds(instant: datetime) -> datetime:
    """As instants are written: what stands in a column is exactly what stands in the entry."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def _keep_refusal(deed: Deed, refused: Refused) -> Refused:
    """The work is undone; what must outlive it is written, with every reason."""
    refusals = with_basis(refused.refusals, str(deed.district), clock.day_of(deed.recorded_at))
    deed.db.expunge_all()
    _write_kept(deed)
    if not deed.subjects:  # refused before the work named one
        deed.about(SubjectType.REGISTER, str(deed.district))
    number = _new_refusal_number(deed.recorded_at)
    _write_entry(deed, Outcome.REFUSED, refusals, number)
    _settle(deed, reasons=[refusal.to_plain() for refusal in refusals], refusal_no=number)
    deed.db.commit()
    metrics.count_deed(deed.verb, Outcome.REFUSED.value, [refusal.code for refusal in refusals])
    return Refused(refusals, number)


def _keep_key_only(deed: Deed, answer: Answer) -> Answer:
    deed.db.expunge_all()
    if deed.doing.key is not None:
        key_district, actor_id = deed.doing.actor.key_district, deed.actor.principal_id
        idempotency.settle(deed.db, key_district, actor_id, deed.doing.key, entry_id=None, answer=answer)
    deed.db.commit()
    return answer


def _new_refusal_number(at: datetime) -> str:
    """Date and six symbols, short enough to be read out over the telephone."""
    return f"{clock.day_of(at):%Y%m%d}-" + "".join(secrets.choice(_REFUSAL_SYMBOLS) for _ in range(6))


def _claim(deed: Deed) -> idempotency.Idempotency | None:
    if deed.doing.key is None:
        return None
    return idempotency.claim(deed.db, _key_of(deed.doing, deed.verb, deed.recorded_at))


def _key_of(doing: Doing, verb: str, at: datetime) -> dict[str, Any]:
    return {
        "district": doing.actor.key_district,
        "actor_id": doing.actor.principal_id,
        "key": doing.key,
        "verb": verb,
        "fingerprint": doing.fingerprint,
        "recorded_at": at,
    }


def _settle(deed: Deed, **answer: Any) -> None:
    doing = deed.doing
    if doing.key is not None:
        idempotency.settle(
            deed.db, doing.actor.key_district, doing.actor.principal_id, doing.key, entry_id=deed.id, **answer
        )


def _say_again(standing: idempotency.Idempotency) -> Answer:
    if standing.reasons is not None:
        raise Refused([Refusal.from_plain(row) for row in standing.reasons], standing.refusal_no)
    return standing.answer or {}


def _write_entry(deed: Deed, outcome: Outcome, reasons: tuple[Refusal, ...], number: str | None) -> None:
    if not deed.subjects:
        raise LookupError(f"{deed.verb}: expected at least one subject with a chain, found none")
    places = _lock_heads(deed.db, sorted(deed.subjects))
    actor = deed.actor
    columns = {
        "id": deed.id,
        "verb": deed.verb,
        "outcome": outcome,
        "district": deed.district,
        "actor_id": actor.principal_id,
        "role": actor.role.value,
        "refusal_no": number,
        "occurred_at": deed.occurred_at,
        "recorded_at": deed.recorded_at,
        **{name: deed.columns.get(name) for name in ("firm_id", "site_id", "zone_id", "round_id")},
    }
    fields: dict[str, Any] = {name: _written(value) for name, value in columns.items()}
    fields["payload"] = deed.payload
    fields["reasons"] = [refusal.to_plain() for refusal in reasons]
    written = entry_bytes(fields, places)
    hashed = leaf_hash(written)
    _ENTRY.within(
        deed.db,
        **columns,
        written=written,
        hash=hashed,
        hashed=hashed,
        entry=deed.id,
        type=[place.subject.type.value for place in places],
        key=[place.subject.key for place in places],
        seq=[place.seq for place in places],
        previous=[place.previous for place in places],
    )


_heads, _links = table_of(Head), table_of(Link)


def _unnested(**columns: Any) -> sa.TableValuedAlias:
    """Lists of equal length as rows, numbered by ``n``: so many subjects in one statement."""
    lists = [sa.bindparam(name, type_=ARRAY(kind)) for name, kind in columns.items()]
    rows = sa.func.unnest(*lists).table_valued(
        *(sa.column(name, kind) for name, kind in columns.items()), with_ordinality="n"
    )
    return rows.render_derived(name="subject")


_subjects = _unnested(type=sa.Text, key=sa.Text)
_OPEN_HEADS = Prepared(
    insert(_heads)
    .from_select(
        ["subject_type", "subject_key", "seq"],
        sa.select(_subjects.c.type, _subjects.c.key, sa.literal(0)).order_by(_subjects.c.n),
    )
    .on_conflict_do_nothing()
)
_head = (
    sa.select(_heads.c.seq, _heads.c.hash)
    .where(
        sa.type_coerce(_heads.c.subject_type, sa.Text) == _subjects.c.type,
        _heads.c.subject_key == _subjects.c.key,
    )
    .with_for_update()
    .lateral("head")
)
_LOCK_HEADS = Prepared(
    sa.select(_head.c.seq, _head.c.hash).select_from(_subjects.join(_head, sa.true())).order_by(_subjects.c.n)
)
_places = _unnested(type=sa.Text, key=sa.Text, seq=sa.Integer, previous=sa.LargeBinary)
_moved = insert(_heads).from_select(
    ["subject_type", "subject_key", "seq", "hash"],
    sa.select(
        _places.c.type, _places.c.key, _places.c.seq, sa.bindparam("hashed", type_=sa.LargeBinary)
    ).order_by(_places.c.n),
)
_linked = sa.insert(_links).from_select(
    ["subject_type", "subject_key", "seq", "entry_id", "previous"],
    sa.select(
        _places.c.type,
        _places.c.key,
        _places.c.seq,
        sa.bindparam("entry", type_=sa.Uuid),
        _places.c.previous,
    ),
)
_ENTRY = Prepared(
    _moved.on_conflict_do_update(
        index_elements=["subject_type", "subject_key"],
        set_={"seq": _moved.excluded.seq, "hash": _moved.excluded.hash},
    ).add_cte(sa.insert(table_of(Entry)).cte("entry"), _linked.cte("link"))
)
"""The entry, its place in each chain, and the chains' new heads: one statement."""


def _lock_heads(db: Session, subjects: list[Subject]) -> list[Place]:
    """Lock the heads one after the other, ascending: the last locks any deed takes (house rule 14)."""
    asked = {"type": [one.type.value for one in subjects], "key": [one.key for one in subjects]}
    _OPEN_HEADS.within(db, **asked)
    heads = _LOCK_HEADS.within(db, **asked)
    return [Place(subject, head.seq + 1, head.hash) for subject, head in zip(subjects, heads, strict=True)]


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return clock.stamp(value)
    return plain(value)

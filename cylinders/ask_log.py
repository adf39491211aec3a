"""Who asked about which bottle, and what was answered: an append log, written in batches.

Asking is not failing and is no deed: no entry, no decision. Answers put their rows into a buffer of this
process; a thread of its own writes them every second, or as soon as 500 wait. No answer ever waits for
it. A crash may lose the last second of asks; a database that is away loses asks only, counted in the log
line ``asks.dropped``.

This is one of the few committers besides the deed, named so in the house's plan.
"""

import atexit
import hashlib
import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import orjson
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.exc import SQLAlchemyError

from core.db import Sessions, table_of
from core.ids import new_id
from core.refusal import Refusal
from cylinders.models import VerdictAsk
from rulebook.gate import Verdict, facts_to_plain

log = structlog.get_logger()

EVERY_S = 1.0
BATCH = 500
MOST_WAITING = 20_000


@dataclass(frozen=True, slots=True)
class Ask:
    """One question and its answer. ``code`` is as it may stand on record (``code.Scanned.on_record``).

    ``start``: of the station's gas, scale and stops, where a known bottle was asked about for filling.
    ``id`` is the record's number: the answer says it before the record is written.
    """

    asked_at: datetime
    actor_id: UUID
    district: int
    site_id: UUID | None
    purpose: str
    code: str
    cylinder_id: UUID | None
    verdict: Verdict
    start: Verdict | None = None
    id: UUID = field(default_factory=new_id)

    @property
    def reasons(self) -> tuple[Refusal, ...]:
        return self.verdict.reasons + (self.start.reasons if self.start else ())

    @property
    def allowed(self) -> bool:
        return not self.reasons

    def to_row(self) -> dict[str, object]:
        plain = facts_to_plain(self.verdict.facts)
        if self.start is not None:
            plain = {self.verdict.gate: plain, self.start.gate: facts_to_plain(self.start.facts)}
        facts = orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)
        return {
            "id": self.id,
            "asked_at": self.asked_at,
            "actor_id": self.actor_id,
            "district": self.district,
            "site_id": self.site_id,
            "purpose": self.purpose,
            "code": self.code,
            "cylinder_id": self.cylinder_id,
            "allowed": self.allowed,
            "reasons": [refusal.code for refusal in self.reasons],
            "edition": self.verdict.edition_digest,
            "facts_digest": hashlib.sha256(facts).hexdigest(),
        }


class AskLog:
    """The buffer and its writer. One per process is enough; rows remember whose database they are for."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Sessions, Ask]] = deque()
        self._writing = threading.Lock()
        self._enough = threading.Event()
        self._starting = threading.Lock()
        self._writer: threading.Thread | None = None

    def put(self, sessions: Sessions, asks: list[Ask]) -> None:
        """Take these asks; never waits for the database."""
        room = MOST_WAITING - len(self._waiting)
        if room < len(asks):
            log.error("asks.dropped", dropped=len(asks) - max(room, 0), why="too many waiting")
        self._waiting.extend((sessions, ask) for ask in asks[: max(room, 0)])
        self._be_running()
        if len(self._waiting) >= BATCH:
            self._enough.set()

    def flush(self) -> int:
        """Write all that waits, now. Returns how many rows were written."""
        written = 0
        with self._writing:
            while self._waiting:
                written += self._write(self._next_batch())
        return written

    def _next_batch(self) -> list[tuple[Sessions, Ask]]:
        """The longest run of asks for one database, at most a batch."""
        first = self._waiting.popleft()
        batch = [first]
        while self._waiting and self._waiting[0][0] is first[0] and len(batch) < BATCH:
            batch.append(self._waiting.popleft())
        return batch

    def _write(self, batch: list[tuple[Sessions, Ask]]) -> int:
        sessions = batch[0][0]
        try:
            with sessions() as db:
                rows = [ask.to_row() for _, ask in batch]
                db.execute(_INSERT, {"asks": orjson.dumps(rows).decode()})
                db.commit()
        except SQLAlchemyError as error:
            log.error("asks.dropped", dropped=len(batch), why=type(error).__name__)
            return 0
        return len(batch)

    def _be_running(self) -> None:
        """Start the writer with the first ask; again in a child process, where threads do not survive."""
        if self._writer is not None and self._writer.is_alive():
            return
        with self._starting:
            if self._writer is None or not self._writer.is_alive():
                self._writer = threading.Thread(target=self._run, name="ask-log", daemon=True)
                self._writer.start()

    def _run(self) -> None:
        while True:
            self._enough.wait(EVERY_S)
            self._enough.clear()
            try:
                self.flush()
            except Exception:
                log.exception("asks.bug")


_asks = table_of(VerdictAsk)
_given = sa.cast(sa.bindparam("asks", type_=sa.Text), JSON)
_rows = (
    sa.func.json_to_recordset(_given)
    .table_valued(*(sa.column(one.name, one.type) for one in _asks.c))
    .render_derived(name="given", with_types=True)
)
_INSERT = sa.insert(_asks).from_select([one.name for one in _asks.c], sa.select(*_rows.c))
"""The whole batch as one value: row by row the driver would take as long as the answers themselves."""

ASKS = AskLog()
atexit.register(ASKS.flush)

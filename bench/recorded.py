"""What the application sends to PostgreSQL, written down as it goes out, and replayed by raw psycopg.

Recorded are the text and parameters as SQLAlchemy hands them to the driver, savepoints included, and where
each transaction ends. Not recorded is what the connection pool sends by itself: the ping before each use.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class Statement:
    """``sql`` is bytes: psycopg takes only literal text. ``many``: one call, several parameter sets."""

    sql: bytes
    parameters: Any
    many: bool

    @property
    def is_savepoint(self) -> bool:
        return self.sql.startswith((b"SAVEPOINT", b"RELEASE", b"ROLLBACK TO"))


Step = Statement | Literal["commit", "rollback"]


class NotReplayable(Exception):
    """Two transactions were open at once: raw psycopg on one connection would not do the same."""


class Recorder:
    """Everything this thread sends through ``engine``, until ``close``."""

    def __init__(self, engine: sa.Engine):
        self._engine = engine
        self._thread = threading.get_ident()
        self._sent: list[tuple[str, Any, bool] | Literal["commit", "rollback"]] = []
        self._open = 0
        self._heard: dict[str, Callable[..., None]] = {
            "before_cursor_execute": self._statement,
            "begin": self._begin,
            "commit": self._commit,
            "rollback": self._rollback,
        }
        for event, listener in self._heard.items():
            sa.event.listen(engine, event, listener)

    def close(self) -> None:
        for event, listener in self._heard.items():
            sa.event.remove(self._engine, event, listener)

    def take(self) -> list[Step]:
        """What was sent since the last call."""
        sent, self._sent = self._sent, []
        return [one if isinstance(one, str) else Statement(one[0].encode(), *one[1:]) for one in sent]

    def _statement(self, _: Any, __: Any, sql: str, parameters: Any, ___: Any, many: bool) -> None:
        self._must_be_ours()
        self._sent.append((sql, parameters, many))

    def _begin(self, _: Any) -> None:
        self._must_be_ours()
        self._open += 1
        if self._open > 1:
            raise NotReplayable

    def _commit(self, _: Any) -> None:
        self._open -= 1
        self._sent.append("commit")

    def _rollback(self, _: Any) -> None:
        self._open -= 1
        self._sent.append("rollback")

    def _must_be_ours(self) -> None:
        if threading.get_ident() != self._thread:
            raise NotReplayable


def replay(connection: psycopg.Connection, steps: Iterable[Step]) -> None:
    """Send the same again; every answer is read to its end."""
    with connection.cursor() as cursor:
        for step in steps:
            if step == "commit":
                connection.commit()
            elif step == "rollback":
                connection.rollback()
            elif step.many:
                cursor.executemany(step.sql, step.parameters)
            elif isinstance(step.parameters, list):  # of a ``core.prepared`` statement
                raw = psycopg.RawCursor(connection)
                raw.execute(step.sql, step.parameters, prepare=True, binary=True)
                _read(raw)
            else:
                cursor.execute(step.sql, step.parameters)
                _read(cursor)


def _read(cursor: psycopg.Cursor[Any]) -> None:
    if cursor.pgresult is not None and cursor.pgresult.status == psycopg.pq.ExecStatus.TUPLES_OK:
        cursor.fetchall()  # asked so since a ``description`` is made anew, and dear


def statements(steps: Sequence[Step]) -> list[Statement]:
    """Those that ask or write; without savepoints and ends of transactions."""
    return [step for step in steps if isinstance(step, Statement) and not step.is_savepoint]


def transactions(steps: Sequence[Step]) -> int:
    return sum(isinstance(step, str) for step in steps)

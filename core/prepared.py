"""A statement that is asked often: worded by SQLAlchemy, compiled once, and sent by the driver alone.

A session is made for work: it begins a transaction, finds the compiled statement again by its key, keeps a
result open, and makes an object of each row that it watches for changes. A look-up of one row spends most of
its time on that. Here the text is made once; the server prepares it once on each connection; rows come back
as named tuples, with the database's words turned into ours by the same types.

    Prepared(…).ask(sessions, …)     alone: its own snapshot, and no transaction but the statement's own
    Prepared(…).within(db, …)        in the transaction of an open session, which is flushed before

Also what writes can be prepared: an INSERT names all its values, since nobody fills in defaults here.
"""

from collections import namedtuple
from collections.abc import Callable, Sequence
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.orm import Session

from core.db import Base, Sessions, table_of

_DIALECT = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
Processor = Callable[[Any], Any]
Statement = sa.SelectBase | sa.UpdateBase


class Prepared:
    """``statement`` names each column once and takes no list of changing length."""

    def __init__(self, statement: Statement):
        self.statement = statement
        compiled = statement.compile(dialect=_DIALECT)
        self._text = str(compiled).encode()
        self._binds: list[tuple[str, Any, Processor | None]] = [
            (name, compiled.binds[name].value, _to_database(compiled.binds[name].type))
            for name in compiled.positiontup or ()
        ]
        columns = list(statement.exported_columns)
        self._answers = bool(columns)
        self._named = self._named_by([column.key or "" for column in columns])
        self._words = [
            (place, process)
            for place, column in enumerate(columns)
            if (process := _to_ours(column.type)) is not None
        ]

    def _named_by(self, names: list[str]) -> Callable[[Sequence[Any]], Any]:
        row: Any = namedtuple("row", names)  # type: ignore[misc]
        made: Callable[[Sequence[Any]], Any] = row._make
        return made

    def ask(self, sessions: Sessions, **given: Any) -> list[Any]:
        """All rows; ``given`` are the values of the statement's parameters."""
        engine: sa.Engine = sessions.kw["bind"]
        lent = engine.raw_connection()
        connection: psycopg.Connection[Any] = lent.driver_connection  # type: ignore[assignment]
        try:
            connection.autocommit = True
            return self._answered(engine, lent, given)
        except psycopg.Error as error:
            if connection.closed:
                lent.invalidate(error)
                engine.dispose()  # the others were opened before it went
            raise self._as_told(error, connection.closed) from error
        finally:
            if not connection.closed:
                connection.autocommit = False
            lent.close()

    def within(self, db: Session, **given: Any) -> list[Any]:
        """All rows, as the session's transaction sees them. What the session still holds is sent first."""
        db.flush()
        ours = db.connection()
        lent = ours.connection
        try:
            return self._answered(ours.engine, lent, given)
        except psycopg.Error as error:
            is_gone = bool(lent.driver_connection and lent.driver_connection.closed)
            if is_gone:
                ours.invalidate(error)
                ours.engine.dispose()
            raise self._as_told(error, is_gone) from error

    def _answered(
        self, engine: sa.Engine, lent: sa.PoolProxiedConnection, given: dict[str, Any]
    ) -> list[Any]:
        values = [self._value(given, *bind) for bind in self._binds]
        cursor = self._cursor_on(lent)
        for heard in engine.dispatch.before_cursor_execute:
            heard(None, cursor, self._text.decode(), values, None, False)
        cursor.execute(self._text, values, prepare=True, binary=True)
        return [self._in_our_words(row) for row in cursor.fetchall()] if self._answers else []

    def _cursor_on(self, lent: sa.PoolProxiedConnection) -> "psycopg.RawCursor[Any]":
        """One for the connection's whole life: it has learned how to write and to read each value."""
        cursor = lent.info.get(self)
        if cursor is None:
            cursor = lent.info[self] = psycopg.RawCursor(lent.driver_connection)  # type: ignore[arg-type]
        return cast("psycopg.RawCursor[Any]", cursor)

    def _as_told(self, error: psycopg.Error, is_gone: bool) -> BaseException:
        """As SQLAlchemy tells it."""
        return sa.exc.DBAPIError.instance(
            self._text.decode(),
            None,
            error,
            psycopg.Error,
            hide_parameters=True,
            connection_invalidated=is_gone,
            dialect=_DIALECT,
        )

    @staticmethod
    def _value(given: dict[str, Any], name: str, fixed: Any, process: Processor | None) -> Any:
        value = given.get(name, fixed)
        return process(value) if process else value

    def _in_our_words(self, row: tuple[Any, ...]) -> Any:
        if not self._words:
            return self._named(row)
        cells = list(row)
        for place, process in self._words:
            cells[place] = process(cells[place])
        return self._named(cells)


Part = type[Base] | tuple[sa.ColumnElement[Any], ...]


class Joined(Prepared):
    """Several tables at once: each row is a tuple of rows, one of each part, and each has its own names.

    A part is a model, or some columns of one. ``joined`` makes the statement of all their columns.
    """

    def __init__(self, parts: Sequence[Part], joined: Callable[..., sa.Select[Any]]):
        columns = [tuple(table_of(part).c) if isinstance(part, type) else part for part in parts]
        self._parts = [[column.key or "" for column in part] for part in columns]
        labelled = [
            column.label(f"{column.key}_{place}") for place, part in enumerate(columns) for column in part
        ]
        super().__init__(joined(*labelled))

    def _named_by(self, names: list[str]) -> Callable[[Sequence[Any]], Any]:
        made, start = [], 0
        for part in self._parts:
            made.append((slice(start, start + len(part)), super()._named_by(part)))
            start += len(part)
        return lambda cells: tuple(make(cells[place]) for place, make in made)


_DOUBLE = 701
"""PostgreSQL's number of the only type with a fraction that we keep; a Numeric asks which it is."""


def _to_database(kind: sa.types.TypeEngine[Any]) -> Processor | None:
    return kind.dialect_impl(_DIALECT).bind_processor(_DIALECT)


def _to_ours(kind: sa.types.TypeEngine[Any]) -> Processor | None:
    return kind.dialect_impl(_DIALECT).result_processor(_DIALECT, _DOUBLE)

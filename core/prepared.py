"""A statement that every scan asks: worded by SQLAlchemy, compiled once, and sent by the driver alone.

A session is made for work: it begins a transaction, finds the compiled statement again by its key, keeps a
result open. A look-up of one row spends most of its time on that. Here the text is made once; the server
prepares it once on each connection; rows come back as named tuples, with the database's words turned into
ours by the same types. Each question has its own snapshot and no transaction.

For reads only. What is read inside a deed is read in its session, by the same statement.
"""

from collections import namedtuple
from collections.abc import Callable
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from core.db import Sessions

_DIALECT = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
Processor = Callable[[Any], Any]


class Prepared:
    """``statement`` names each column once and takes no list of changing length."""

    def __init__(self, statement: sa.SelectBase):
        self.statement = statement
        compiled = statement.compile(dialect=_DIALECT)
        self._text = str(compiled).encode()
        self._binds: list[tuple[str, Any, Processor | None]] = [
            (name, compiled.binds[name].value, _to_database(compiled.binds[name].type))
            for name in compiled.positiontup or ()
        ]
        columns = list(statement.selected_columns)
        row: Any = namedtuple("row", [column.key for column in columns])  # type: ignore[misc]
        self._row = row._make
        self._words = [
            (place, process)
            for place, column in enumerate(columns)
            if (process := _to_ours(column.type)) is not None
        ]

    def ask(self, sessions: Sessions, **given: Any) -> list[Any]:
        """All rows; ``given`` are the values of the statement's parameters."""
        engine: sa.Engine = sessions.kw["bind"]
        values = [self._value(given, *bind) for bind in self._binds]
        lent = engine.raw_connection()
        connection: psycopg.Connection[Any] = lent.driver_connection  # type: ignore[assignment]
        try:
            connection.autocommit = True
            cursor = self._cursor_on(lent, connection)
            for heard in engine.dispatch.before_cursor_execute:
                heard(None, cursor, self._text.decode(), values, None, False)
            cursor.execute(self._text, values, prepare=True, binary=True)
            rows = cursor.fetchall()
        except psycopg.Error as error:
            raise self._as_told(error, engine, lent) from error
        finally:
            if not connection.closed:
                connection.autocommit = False
            lent.close()
        return [self._named(row) for row in rows]

    def _cursor_on(
        self, lent: sa.PoolProxiedConnection, connection: "psycopg.Connection[Any]"
    ) -> "psycopg.RawCursor[Any]":
        """One for the connection's whole life: it has learned how to write and to read each value."""
        cursor = lent.info.get(self)
        if cursor is None:
            cursor = lent.info[self] = psycopg.RawCursor(connection)
        return cast("psycopg.RawCursor[Any]", cursor)

    def _as_told(
        self, error: psycopg.Error, engine: sa.Engine, lent: sa.PoolProxiedConnection
    ) -> BaseException:
        """As SQLAlchemy tells it, with the pool emptied where the server is gone."""
        is_gone = bool(lent.driver_connection and lent.driver_connection.closed)
        if is_gone:
            lent.invalidate(error)
            engine.dispose()  # the others were opened before it went
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

    def _named(self, row: tuple[Any, ...]) -> Any:
        if not self._words:
            return self._row(row)
        cells = list(row)
        for place, process in self._words:
            cells[place] = process(cells[place])
        return self._row(cells)


def _to_database(kind: sa.types.TypeEngine[Any]) -> Processor | None:
    return kind.dialect_impl(_DIALECT).bind_processor(_DIALECT)


def _to_ours(kind: sa.types.TypeEngine[Any]) -> Processor | None:
    return kind.dialect_impl(_DIALECT).result_processor(_DIALECT, None)

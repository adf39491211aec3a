"""The database: one dialect (PostgreSQL 15+), one Base, connection settings in one place.

Every table names its *group*, the key by which it could be sharded later: district, cylinder, person,
identifier, reference, or exempt. ``tests/test_house.py`` holds keys to it.
"""

import enum
import time
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, cast
from uuid import UUID

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, sessionmaker

from core.ids import new_id


class Group(StrEnum):
    """The shard key that stands first in every primary, unique and foreign key of a table."""

    DISTRICT = "district"
    CYLINDER = "cylinder_id"
    PERSON = "person_id"
    IDENTIFIER = "scheme"
    REFERENCE = "reference"
    EXEMPT = "exempt"


Json = Annotated[dict[str, Any], mapped_column(JSONB)]
JsonList = Annotated[list[Any], mapped_column(JSONB)]
District = Annotated[int, mapped_column(sa.Integer, primary_key=True, autoincrement=False)]
NewId = Annotated[UUID, mapped_column(primary_key=True, default=new_id)]


class Base(DeclarativeBase):
    """Every table. Words (enums) are kept as text, so that the row reads like the JSON."""

    metadata = sa.MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy's own way to say it)
        datetime: sa.DateTime(timezone=True),
        date: sa.Date(),
        UUID: sa.Uuid(),
        str: sa.Text(),
        bytes: sa.LargeBinary(),
        enum.Enum: sa.Enum(
            enum.Enum,
            native_enum=False,
            create_constraint=False,
            length=32,
            values_callable=lambda words: [word.value for word in words],
        ),
    }


def table_of(model: type[Base]) -> sa.Table:
    """The model's table, for statements in Core (hot ones are prebuilt at module level)."""
    return cast(sa.Table, model.__table__)


def grouped(
    group: Group, *constraints: sa.schema.SchemaItem, append_only: bool = False, erasable: bool = False
) -> tuple[Any, ...]:
    """``__table_args__`` that declare the table's group and what the application's role may do to its rows.

    ``append_only``: insert and read. ``erasable``: also delete. Otherwise: insert, read, update.
    """
    info = {"group": group, "append_only": append_only, "erasable": erasable}
    return (*constraints, {"info": info})


# The queue of jobs has a schema of its own, and names its tables without it.
SESSION_SETTINGS = (
    "-c search_path=public,procrastinate"
    " -c timezone=UTC -c lock_timeout=5s -c statement_timeout=30s"
    " -c idle_in_transaction_session_timeout=60s -c client_connection_check_interval=500ms"
)


def engine(url: str, *, pool_size: int = 5, application: str = "lpg") -> sa.Engine:
    """An engine whose connections give up in seconds when the network or the server is gone."""
    made = sa.create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=5,
        hide_parameters=True,  # values of rows are nobody's in a log
        connect_args={
            "connect_timeout": 3,
            "tcp_user_timeout": 3000,
            "keepalives_idle": 1,
            "keepalives_interval": 1,
            "keepalives_count": 3,
            "application_name": application,
            "options": SESSION_SETTINGS,
        },
    )
    sa.event.listen(made, "checkin", _note_when_used)
    sa.event.listen(made, "checkout", _ping_unless_just_used)
    return made


TRUSTED_S = 1.0
"""A connection that answered so short a time ago is used without asking whether it still does."""


def _note_when_used(_: Any, record: Any) -> None:
    record.info["used_at"] = time.monotonic()


def _ping_unless_just_used(connection: Any, record: Any, _: Any) -> None:
    """The pool's own ping would be a way to the server and back before every use, the busiest too."""
    used_at = record.info.get("used_at")
    if used_at is None or time.monotonic() - used_at < TRUSTED_S:
        return  # new, or used a moment ago
    try:
        connection.execute("SELECT 1")
    except psycopg.Error as gone:
        # also the others were opened before it went
        raise sa.exc.InvalidatePoolError from gone
    if not connection.autocommit:
        connection.rollback()


Sessions = sessionmaker[Session]


def sessions(bind: sa.Engine) -> Sessions:
    return sessionmaker(bind, expire_on_commit=False)


def reading_sessions(made: Sessions) -> Sessions:
    """The same engine without BEGIN and ROLLBACK. Each statement has its own snapshot, as it has anyway."""
    bind: sa.Engine = made.kw["bind"]
    return sessionmaker(bind.execution_options(isolation_level="AUTOCOMMIT"), expire_on_commit=False)

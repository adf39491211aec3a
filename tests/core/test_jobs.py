"""The queue stands in a schema of its own, as its package has it; the application only uses it."""

import importlib.resources
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from core.postgres import Cluster

THINGS = """
SELECT 'table', relname, string_agg(attname || ' ' || format_type(atttypid, atttypmod), ',' ORDER BY attname)
  FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0
  WHERE relnamespace = %(schema)s::text::regnamespace GROUP BY relname
UNION ALL SELECT 'function', proname, md5(prosrc)
  FROM pg_proc WHERE pronamespace = %(schema)s::text::regnamespace
UNION ALL SELECT 'index', indexname, replace(indexdef, %(schema)s::text || '.', '')
  FROM pg_indexes WHERE schemaname = %(schema)s::text
UNION ALL SELECT 'trigger', tgname, tgenabled::text
  FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
  WHERE relnamespace = %(schema)s::text::regnamespace AND NOT tgisinternal
"""


@pytest.fixture
def owner(cluster: Cluster, database: str) -> Iterator[psycopg.Connection]:
    """Whose work is undone at the end."""
    with psycopg.connect(cluster.conninfo(database)) as connection:
        yield connection
        connection.rollback()


def things(owner: psycopg.Connection, schema: str) -> set[tuple[str, ...]]:
    return {
        tuple(part.replace(f"{schema}.", "") for part in row)
        for row in owner.execute(THINGS, {"schema": schema})
    }


def test_the_queue_is_that_of_its_package(owner: psycopg.Connection) -> None:
    packaged = importlib.resources.files("procrastinate").joinpath("sql/schema.sql").read_text("utf-8")
    owner.execute("CREATE SCHEMA packaged")
    owner.execute("SET LOCAL search_path = packaged")
    owner.execute(packaged.encode())
    migrated = things(owner, "procrastinate")
    assert len(migrated) > 30
    assert migrated == things(owner, "packaged")


def test_nothing_of_the_queue_stands_among_our_tables(owner: psycopg.Connection) -> None:
    assert not {name for _, name, _ in things(owner, "public") if name.startswith("procrastinate")}


@pytest.mark.parametrize("act", ["CREATE TABLE procrastinate.mine (id int)", "DROP TABLE procrastinate_jobs"])
def test_the_application_changes_nothing_of_its_making(db: Session, act: str) -> None:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
        db.execute(sa.text(act))

"""Whether ``alembic upgrade head`` gives exactly what the code's tables say, by comparing pg_dump's text.

Alembic's own comparison misses CHECK and EXCLUDE; a dump misses nothing. The queue of jobs is not ours: its
schema is left out by name, and a test compares it with its package.
"""

import difflib
import re
import subprocess
import tempfile
from pathlib import Path

import sqlalchemy as sa

import app
from core.db import Base
from core.fences import fences
from core.migrate import migrate
from core.postgres import FAST_TEST_SETTINGS, Cluster, find_bindir
from web.opening import make_database

_NOISE = re.compile(r"^(--.*|SET .*|SELECT pg_catalog.*|\\(un)?restrict .*|)$")


def drift() -> list[str]:
    """Lines of the difference; empty when there is none."""
    assert app.ROOMS
    with tempfile.TemporaryDirectory() as folder, Cluster(Path(folder), FAST_TEST_SETTINGS) as cluster:
        make_database(cluster, "migrated")
        make_database(cluster, "described")
        migrate(cluster.url("migrated"))
        describe(cluster.url("described"))
        before, after = (_dump(cluster, name) for name in ("migrated", "described"))
    return [
        line
        for line in difflib.unified_diff(before, after, "migrations", "tables of the code", n=0, lineterm="")
        if not line.startswith("@@")
    ]


def describe(owner_url: str) -> None:
    """Make the schema straight from the code's tables and fences."""
    engine = sa.create_engine(owner_url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE EXTENSION IF NOT EXISTS btree_gist"))
        Base.metadata.create_all(connection)
        connection.exec_driver_sql(fences(Base.metadata).replace("%", "%%"))
    engine.dispose()


def _dump(cluster: Cluster, database: str) -> list[str]:
    """The schema as text, in an order of its own: statements sorted, columns as they stand."""
    dumped = subprocess.run(
        [str(find_bindir() / "pg_dump"), "--schema-only", "--no-owner", "--exclude-table=alembic_version",
         "--exclude-schema=procrastinate",
         "-d", cluster.conninfo(database)],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    lines = "\n".join(line for line in dumped.splitlines() if not _NOISE.match(line))
    statements = sorted(one.strip() for one in lines.split(";\n"))
    return [line for one in statements for line in one.splitlines()]

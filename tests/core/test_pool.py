"""The pool asks a connection whether it still lives only where it has rested."""

from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa

from core import db
from core.postgres import Cluster
from tests.conftest import DATABASE, SEND_HOME

LONG = 3600.0


@pytest.fixture
def engine(cluster: Cluster, database: str) -> Iterator[sa.Engine]:
    made = db.engine(cluster.url(database, role="lpg_app"), pool_size=2)
    yield made
    made.dispose()


def asked(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(sa.text("SELECT pg_backend_pid()")) or 0)


def cut_off(janitor: psycopg.Connection) -> None:
    """Every connection but the janitor's is closed by the server."""
    assert janitor.info.dbname == DATABASE
    janitor.execute(SEND_HOME)


def test_a_connection_that_rested_is_replaced_if_the_server_has_closed_it(
    engine: sa.Engine, janitor: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "TRUSTED_S", 0.0)
    before = asked(engine)
    assert asked(engine) == before
    cut_off(janitor)
    assert asked(engine) not in (0, before)


def test_one_used_a_moment_ago_is_not_asked_and_costs_one_failure_at_most(
    engine: sa.Engine, janitor: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "TRUSTED_S", LONG)
    before = asked(engine)
    cut_off(janitor)
    with pytest.raises(sa.exc.OperationalError):
        asked(engine)
    assert asked(engine) not in (0, before)


def test_with_a_rested_connection_the_others_that_were_open_then_go_too(
    engine: sa.Engine, janitor: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine.connect() as one, engine.connect() as other:
        pids = {
            one.scalar(sa.text("SELECT pg_backend_pid()")),
            other.scalar(sa.text("SELECT pg_backend_pid()")),
        }
    cut_off(janitor)
    monkeypatch.setattr(db, "TRUSTED_S", 0.0)
    asked(engine)
    monkeypatch.setattr(db, "TRUSTED_S", LONG)
    with engine.connect() as one, engine.connect() as other:
        assert not pids & {
            connection.scalar(sa.text("SELECT pg_backend_pid()")) for connection in (one, other)
        }

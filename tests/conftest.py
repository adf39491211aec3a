"""One real PostgreSQL per test process; each test that asks for a database gets a fresh clone."""

import itertools
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

import app as application
import rulebook
from core import clock, config, db
from core.auth import Actor, Reach, Role, ScopeKind
from core.db import Base
from core.doing import Doing
from core.fences import fences
from core.ground import Ground
from core.ids import new_id
from core.postgres import FAST_TEST_SETTINGS, Cluster
from core.sealed import Keyring
from rulebook.decisions import keep_edition
from tests.desk import Desk

CHANGNING = 310105
THE_DAY = datetime(2024, 6, 12, 1, 0, tzinfo=UTC)  # 09:00 in Shanghai

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """In /tmp itself: where root may not have user namespaces the server runs as nobody."""
    with (
        tempfile.TemporaryDirectory(prefix="lpg-", dir="/tmp") as folder,
        Cluster(folder, FAST_TEST_SETTINGS) as running,
    ):
        with psycopg.connect(running.conninfo("postgres"), autocommit=True) as owner:
            owner.execute("CREATE DATABASE template_lpg")
        _build(running.url("template_lpg"))
        yield running


def _build(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE EXTENSION btree_gist"))
        Base.metadata.create_all(connection)
        connection.exec_driver_sql(fences(Base.metadata).replace("%", "%%"))
    with Session(engine) as opened:
        keep_edition(opened, rulebook.current())
        opened.commit()
    engine.dispose()


@pytest.fixture
def database(cluster: Cluster) -> Iterator[str]:
    """The name of a fresh, migrated database; dropped afterwards."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as owner:
        owner.execute(f"CREATE DATABASE {name} TEMPLATE template_lpg")
    yield name
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as owner:
        owner.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def owner_engine(cluster: Cluster, database: str) -> Iterator[sa.Engine]:
    """As the owner: for tests that tamper, or look where the application may not."""
    engine = sa.create_engine(cluster.url(database))
    yield engine
    engine.dispose()


@pytest.fixture
def ground(cluster: Cluster, database: str, tmp_path: Path) -> Iterator[Ground]:
    """What the application stands on, as its own role, with keys of its own."""
    engine = db.engine(cluster.url(database, role="lpg_app"), pool_size=20)
    settings = config.read({"LPG_STATE_DIR": str(tmp_path)})
    yield Ground(settings, db.sessions(engine), Keyring.fresh())
    engine.dispose()


@pytest.fixture
def session(ground: Ground) -> Iterator[Session]:
    with ground.sessions() as opened:
        yield opened


@pytest.fixture(name="db")
def db_session(session: Session) -> Session:
    return session


@pytest.fixture(autouse=True)
def the_day() -> Iterator[None]:
    """Tests live on 2024-06-12, 09:00 in Shanghai, unless they say otherwise."""
    with clock.standing_at(THE_DAY):
        yield


@pytest.fixture
def app(ground: Ground) -> Flask:
    made = application.create_app(ground)
    made.testing = False
    return made


@pytest.fixture
def desk(app: Flask, ground: Ground) -> Desk:
    """Sign people in and send their requests: ``desk.sign_in(Role.CLERK, firm=…)``."""
    return Desk(app, ground)


@pytest.fixture
def doing(ground: Ground) -> Doing:
    """An administrator of everything, for tests below HTTP."""
    return doing_as(ground, Role.ADMINISTRATOR, ScopeKind.ALL, "")


def doing_as(ground: Ground, role: Role, kind: ScopeKind, code: str, district: int = CHANGNING) -> Doing:
    actor = Actor(new_id(), Reach(role, kind, code, district), district)
    return Doing(ground, actor, district, request_id="test")

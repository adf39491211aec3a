"""One real PostgreSQL per test process, migrated once; each test that asks for a database gets it empty."""

import itertools
import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, settings
from sqlalchemy.orm import Session

import app as application
import rulebook
from core import clock, config, db
from core.auth import Actor, Reach, Role, ScopeKind
from core.db import Base
from core.doing import Doing
from core.ground import Ground
from core.ids import new_id
from core.migrate import migrate
from core.postgres import FAST_TEST_SETTINGS, Cluster
from core.sealed import Keyring
from cylinders.ask_log import ASKS
from dispatch.rounds import solving
from routing import __main__ as solver
from tests.desk import Desk

settings.register_profile(
    "by chance", deadline=None, derandomize=False, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("the same", settings.get_profile("by chance"), derandomize=True)
settings.load_profile("the same")
"""However busy the machine, the same examples; ``--hypothesis-profile="by chance"`` looks further."""

CHANGNING = 310105
THE_DAY = datetime(2024, 6, 12, 1, 0, tzinfo=UTC)  # 09:00 in Shanghai

DATABASE = "test_lpg"
SEND_HOME = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
QUEUE = ("jobs", "events", "workers", "periodic_defers")
TABLES = [
    *(f'"{name}"' for name in Base.metadata.tables),
    *(f"procrastinate.procrastinate_{name}" for name in QUEUE),
]
AS_NEW = f"""
CREATE TEMPORARY TABLE first_edition (LIKE rulebook_edition);
CREATE FUNCTION pg_temp.as_new() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    stray text;
BEGIN
    FOR stray IN SELECT tablename FROM pg_tables WHERE schemaname = 'public'
        AND tablename <> ALL ('{{alembic_version,{",".join(Base.metadata.tables)}}}')
    LOOP
        EXECUTE format('DROP TABLE %I', stray);
    END LOOP;
    {"".join(f"DELETE FROM {table};" for table in TABLES)}
    INSERT INTO rulebook_edition SELECT * FROM first_edition;
END $$
"""
WITHOUT_ROOM = f"TRUNCATE {', '.join(TABLES)} CASCADE"
AGAIN_AFTER = 100
_turns = itertools.count(1)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """In /tmp itself: where root may not have user namespaces the server runs as nobody.

    Nothing learns of its tables in passing, at an hour of its own: how a statement is planned hangs on what
    this process has filled before, and on nothing else.
    """
    unlearned = (*FAST_TEST_SETTINGS, "autovacuum=off")
    with (
        tempfile.TemporaryDirectory(prefix="lpg-", dir="/tmp") as folder,
        Cluster(folder, unlearned) as running,
    ):
        with psycopg.connect(running.conninfo("postgres"), autocommit=True) as owner:
            owner.execute(f"CREATE DATABASE {DATABASE}")
        migrate(running.url(DATABASE))
        yield running


@pytest.fixture(scope="session")
def janitor(cluster: Cluster) -> Iterator[psycopg.Connection]:
    """The owner's connection that empties the database between tests, past triggers and foreign keys.

    It does so by a function of its own, whose hundred and fifty statements are read and planned once.
    """
    with psycopg.connect(cluster.conninfo(DATABASE), autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute(AS_NEW)
        owner.execute(
            "INSERT INTO first_edition (digest, text, first_seen_at) VALUES (%s, %s, %s)",
            (rulebook.current().digest, rulebook.current().text, THE_DAY),
        )
        yield owner


@pytest.fixture
def database(janitor: psycopg.Connection) -> str:
    """The name of a migrated, empty database: emptied in milliseconds, where a clone takes a tenth second."""
    janitor.execute(SEND_HOME)
    if next(_turns) % AGAIN_AFTER == 0:
        janitor.execute(WITHOUT_ROOM)  # nobody else takes back where deleted rows stood
    janitor.execute("SELECT pg_temp.as_new()")
    return DATABASE


@pytest.fixture
def owner_engine(cluster: Cluster, database: str) -> Iterator[sa.Engine]:
    """As the owner: for tests that tamper, or look where the application may not."""
    engine = sa.create_engine(cluster.url(database))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def worded(cluster: Cluster) -> sa.Engine:
    """One engine for all tests, without their connections: it knows how statements are worded."""
    return db.engine(cluster.url(DATABASE, role="lpg_app"), pool_size=20)


@pytest.fixture
def ground(worded: sa.Engine, database: str, tmp_path: Path) -> Iterator[Ground]:
    """What the application stands on, as its own role, with keys of its own."""
    settings = config.read({"LPG_STATE_DIR": str(tmp_path)})
    yield Ground(settings, db.sessions(worded), Keyring.fresh())
    ASKS.flush()  # what this test asked is not the next one's
    worded.dispose()


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


@pytest.fixture(autouse=True)
def _solver_at_hand(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The solver's own main works in this process: to start one takes longer than most tests.

    Marked ``solver_apart`` it is a child of its own, as it is served.
    """
    if request.node.get_closest_marker("solver_apart"):
        return
    monkeypatch.setattr(solver, "is_over_guard", lambda: False)  # it counts this process's CPU
    monkeypatch.setattr(solving, "_ask_child", _answered_here)


def _answered_here(order: bytes, is_wanted: solving.Wanted | None = None) -> bytes:
    try:
        return json.dumps(solver.answer(json.loads(order))).encode()
    except ValueError as unfit:
        raise solving.SolverFailed("ended with 2") from unfit


@pytest.fixture(scope="session")
def made_app() -> Flask:
    """Built once: its document takes longer to print than most tests to run."""
    nowhere = db.sessions(sa.create_engine("postgresql+psycopg://"))
    return application.create_app(Ground(config.read({}), nowhere, Keyring.fresh()))


@pytest.fixture
def app(made_app: Flask, ground: Ground) -> Flask:
    """The application, standing on this test's ground."""
    made_app.extensions["ground"] = ground
    return made_app


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: one left for the end would keep one worker busy and the rest idle."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """A test that did not run is counted aloud."""
    without = [
        report
        for report in terminalreporter.stats.get("skipped", [])
        if "no chromium" in str(report.longrepr)
    ]
    if without:
        terminalreporter.write_line(f"NOT RUN: {len(without)} browser tests, for there is no chromium here")

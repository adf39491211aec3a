"""Opening the house: the database (brought along or given), its schema, the keys, the edition in force."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psycopg
from sqlalchemy.engine import make_url

import rulebook
from core import db, demo_clock
from core.config import Config
from core.ground import Ground
from core.migrate import is_current, migrate
from core.postgres import AlreadyRuns, Cluster
from core.sealed import Keyring
from cylinders import marks
from rulebook.decisions import keep_edition

DATABASE = "lpg"
EMBEDDED_URL = "_LPG_EMBEDDED_URL"
"""How a serving parent tells its workers where its own server listens. Not a setting."""


class NotMigrated(Exception):
    """The database stands at an older schema than this checkout."""


@dataclass(frozen=True, slots=True)
class Opened:
    ground: Ground
    owner_url: str
    app_url: str


@contextmanager
def opened(config: Config, *, database: str = DATABASE, migrate_first: bool = True) -> Iterator[Opened]:
    """The ground to stand on; an embedded server lives as long as this block, unless it ran already.

    Without ``migrate_first`` a database that is not at the newest schema is ``NotMigrated``.
    """
    if config.database_url is not None:
        owner_url = _psycopg_url(config.owner_url or config.database_url)
        yield _open(config, owner_url, _psycopg_url(config.database_url), migrate_first)
        return
    cluster = Cluster(config.state_dir / "postgres")
    with suppress(AlreadyRuns):
        cluster.start()
    try:
        make_database(cluster, database)
        yield _open(config, cluster.url(database), cluster.url(database, role="lpg_app"), migrate_first)
    finally:
        cluster.stop()


def make_database(cluster: Cluster, name: str, template: str = "template1") -> None:
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as owner:
        known = owner.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
        if known is None:
            statement = psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            owner.execute(statement.format(psycopg.sql.Identifier(name), psycopg.sql.Identifier(template)))


def _open(config: Config, owner_url: str, app_url: str, migrate_first: bool) -> Opened:
    if migrate_first:
        migrate(owner_url)
    elif not is_current(owner_url):
        raise NotMigrated("the database is not at the newest schema: run ./lpg manage migrate")
    keyring = Keyring.load_or_make(config.keyring_path)
    ground = ground_on(config, app_url, keyring)
    with ground.sessions() as session:
        keep_edition(session, rulebook.current())
        session.commit()
    if config.demo_clock:
        demo_clock.follow(ground.sessions)
    return Opened(ground, owner_url, app_url)


def ground_on(config: Config, app_url: str, keyring: Keyring) -> Ground:
    marks.use(config.state_dir)
    # one connection a thread, and one more for what runs beside the requests
    bind = db.engine(app_url, pool_size=config.threads + 1)
    return Ground(config, db.sessions(bind), keyring)


def worker_ground(config: Config) -> Ground:
    """In a serving worker: the parent has migrated and made the keys."""
    app_url = os.environ.get(EMBEDDED_URL) or config.database_url
    if app_url is None:
        raise LookupError("a worker is started by ./lpg run, which tells it where the database is")
    return ground_on(config, _psycopg_url(app_url), Keyring.load(config.keyring_path))


def _psycopg_url(given: str) -> str:
    return make_url(given).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)

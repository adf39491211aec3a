"""Where it is measured: a server of its own with production's settings, and clones of one built town.

The server lies in a temporary folder and writes as durably as in production (fsync on). The town is built
once, through the application; every database measured on is a clone of it, taken before.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path

import psycopg
import structlog
from flask import Flask
from psycopg import sql

import app as application
import rulebook
from bench.town import Town, build
from core import clock, config
from core.config import Config
from core.db import SESSION_SETTINGS
from core.ground import Ground
from core.migrate import migrate
from core.postgres import Cluster
from core.sealed import Keyring
from cylinders import ask_log
from rulebook.decisions import keep_edition
from web.opening import ground_on, make_database

BEGINS_AT = clock.at(date(2024, 6, 12), time(9))
NEVER_S = 10**6
_BUILT = "town"
_END_OTHERS = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_CONTENTS = sql.SQL(
    "SELECT count(*), coalesce(sum(hashtextextended(one::text, 0)::numeric), 0)::text FROM {} AS one"
)


@dataclass(frozen=True, slots=True)
class House:
    """The application on one database."""

    database: str
    ground: Ground
    app: Flask


class Stand:
    def __init__(self, cluster: Cluster, settings: Config, keyring: Keyring):
        self.cluster = cluster
        self.town: Town
        self._settings = settings
        self._keyring = keyring
        self._clones = 0
        self._app: Flask | None = None

    def build(self, homes: int, bottles: int) -> None:
        make_database(self.cluster, _BUILT)
        migrate(self.cluster.url(_BUILT))
        with self.house(_BUILT) as house:
            with house.ground.sessions() as db:
                keep_edition(db, rulebook.current())
                db.commit()
            self.town = build(house.app, house.ground, homes, bottles)
        with psycopg.connect(self.cluster.conninfo(_BUILT), autocommit=True) as owner:
            owner.execute("VACUUM ANALYZE")
            # The engine that migrated sleeps on in a pool; while anybody is connected there are no clones.
            owner.execute(_END_OTHERS)

    def save_keys(self, path: Path) -> None:
        """For a server in a process of its own."""
        self._keyring.save(path)

    def clone(self, settings: Sequence[tuple[str, str]] = ()) -> str:
        """A fresh copy of the town; its name. ``settings`` hold for the application's role in it."""
        self._clones += 1
        name = f"clone_{self._clones}"
        make_database(self.cluster, name, _BUILT)
        with psycopg.connect(self.cluster.conninfo(name), autocommit=True) as owner:
            for setting, value in settings:
                statement = sql.SQL("ALTER ROLE lpg_app IN DATABASE {} SET {} = {}")
                owner.execute(
                    statement.format(sql.Identifier(name), sql.Identifier(setting), sql.Literal(value))
                )
            owner.execute("CHECKPOINT")
        return name

    @contextmanager
    def house(self, database: str) -> Iterator[House]:
        ground = ground_on(self._settings, self.cluster.url(database, role="lpg_app"), self._keyring)
        try:
            yield House(database, ground, self._app_on(ground))
        finally:
            ask_log.ASKS.flush()
            ground.sessions.kw["bind"].dispose()

    def _app_on(self, ground: Ground) -> Flask:
        """Built once and moved from house to house, as only one is open at a time."""
        if self._app is None:
            self._app = application.create_app(ground)
        self._app.extensions["ground"] = ground
        return self._app

    @contextmanager
    def raw(self, database: str) -> Iterator[psycopg.Connection]:
        """Raw psycopg with the same role and the same session settings."""
        conninfo = self.cluster.conninfo(database, role="lpg_app")
        with psycopg.connect(conninfo, options=SESSION_SETTINGS) as connection:
            yield connection

    def contents(self, database: str) -> dict[str, tuple[int, str]]:
        """Of each table how many rows it holds, and a digest of all that stands in them, in any order."""
        with psycopg.connect(self.cluster.conninfo(database)) as owner:
            tables = owner.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
            ).fetchall()
            return {
                name: owner.execute(_CONTENTS.format(sql.Identifier(name))).fetchall()[0]
                for (name,) in tables
            }

    def server_settings(self) -> dict[str, str]:
        """What makes a commit durable, and what a reader needs to judge the figures."""
        names = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers")
        with psycopg.connect(self.cluster.conninfo("postgres")) as owner:
            return {name: owner.execute(f"SHOW {name}".encode()).fetchall()[0][0] for name in names}


@contextmanager
def stand(homes: int, bottles: int) -> Iterator[Stand]:
    """The clock starts at ``BEGINS_AT`` and runs; log lines are written, to nowhere."""
    started_at = clock.now()
    clock.set_source(clock.shifted(BEGINS_AT - started_at))
    # Left alone, a thread writes the log of asks and slows whoever has the turn; the race writes it apart.
    ask_log.EVERY_S = NEVER_S
    try:
        with (
            Path(os.devnull).open("w") as nowhere,
            tempfile.TemporaryDirectory(prefix="lpg-", dir="/tmp") as folder,
            Cluster(folder) as cluster,
        ):
            structlog.configure(logger_factory=structlog.PrintLoggerFactory(nowhere))
            settings = config.read({"LPG_STATE_DIR": folder})
            made = Stand(cluster, settings, Keyring.fresh())
            made.build(homes, bottles)
            yield made
    finally:
        clock.set_source(None)

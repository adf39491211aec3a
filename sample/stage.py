"""Where the demo plays: its databases on the embedded server, its clock, and the process people talk to.

    lpg_demo                      what is served; made anew by every start
    lpg_sample_built_<digest>     a copy of it right after building
    lpg_sample_lived_<digest>     a copy of it after the day
    demo/<digest>-….json          what the demo has to remember beside them: ids, tokens, answers (0600)
    demo/<digest>-outcomes.txt    what was asked of the server in the day, and what it answered, a line each
    demo/<digest>-server.log      what the server said

The digest is over everything the copies came from, the product's own code and law and the keyring included:
whatever is changed makes new copies, and the old ones are dropped.
"""

import hashlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import psycopg
import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

import rulebook
from core import clock, db, demo_clock
from core.config import CHECKOUT, Config
from core.db import Sessions
from core.migrate import migrate
from core.postgres import Cluster
from core.sealed import Keyring
from rulebook.decisions import keep_edition
from web.opening import EMBEDDED_URL, make_database

LIVING, NEW_YEAR = "lpg_demo", "lpg_demo_new_year"
PREFIX = "lpg_sample_"
Act = Literal["built", "lived"]

ROOMS = (
    "core", "evidence", "rulebook", "registry", "cylinders", "routing", "dispatch", "oversight", "web",
    "sample", "migrations",
)  # fmt: skip
FILES = ("app.py", "constraints.txt", "pyproject.toml")
READ_SUFFIXES = (".py", ".toml", ".csv", ".geojson")

WELL_WITHIN_S = 60
STOPPED_WITHIN_S = 15


class NoStage(Exception):
    """The demo cannot play here; one line for the person at the keyboard."""


class Stage:
    """The embedded server is running. At most one database is served at a time."""

    def __init__(self, config: Config, cluster: Cluster, sample: str):
        self.config = config
        self.cluster = cluster
        self.folder = config.state_dir / "demo"
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.keyring = Keyring.load_or_make(config.keyring_path)
        self.digest = digest_of_everything(cluster, config.keyring_path, sample)
        self.server_log = self.folder / f"{self.digest}-server.log"
        self.outcomes = self.folder / f"{self.digest}-outcomes.txt"
        self._server: subprocess.Popen[bytes] | None = None
        self.database = LIVING

    # --- databases and their copies -----------------------------------------------------------------------

    def make_anew(self) -> None:
        """An empty database at the newest schema, with the edition in force."""
        self.drop(LIVING)
        make_database(self.cluster, LIVING)
        migrate(self.cluster.url(LIVING))
        with self.session(LIVING) as session:
            keep_edition(session, rulebook.current())
            session.commit()

    def has_kept(self, act: Act) -> bool:
        return self._name(act) in self._databases() and self._file(act).exists()

    def keep(self, act: Act, remembered: Mapping[str, Any]) -> None:
        """Copy what stands. The file comes first: a copy without its file is never taken for whole."""
        half_written = self._file(act).with_suffix(".new")
        half_written.touch(mode=0o600)
        half_written.write_text(json.dumps(remembered, ensure_ascii=False))
        half_written.rename(self._file(act))
        self.copy(LIVING, self._name(act))

    def return_to(self, act: Act) -> Any:
        """Start from the copy; what was remembered beside it."""
        self.copy(self._name(act), LIVING)
        return json.loads(self._file(act).read_text())

    def copy(self, source: str, target: str) -> None:
        """Nobody may be connected to ``source``: PostgreSQL refuses, and waits for nobody."""
        self.drop(target)
        make_database(self.cluster, target, source)

    def drop(self, name: str) -> None:
        with psycopg.connect(self.cluster.conninfo("postgres"), autocommit=True) as owner:
            statement = psycopg.sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            owner.execute(statement.format(psycopg.sql.Identifier(name)))

    def forget(self, *, also_ours: bool = False) -> None:
        """Drop the copies that another code, law or keyring made."""
        ours = () if also_ours else tuple(self._name(act) for act in ("built", "lived"))
        for name in self._databases():
            if name.startswith(PREFIX) and name not in ours:
                self.drop(name)
        for file in self.folder.iterdir():
            if also_ours or not file.name.startswith(self.digest):
                file.unlink()

    def _name(self, act: Act) -> str:
        return f"{PREFIX}{act}_{self.digest}"

    def _file(self, act: Act) -> Path:
        return self.folder / f"{self.digest}-{act}.json"

    def _databases(self) -> set[str]:
        with psycopg.connect(self.cluster.conninfo("postgres")) as owner:
            return {name for (name,) in owner.execute("SELECT datname FROM pg_database")}

    def session(self, database: str | None = None) -> Session:
        """As the owner, who alone sets the clock; leaves no connection behind, which would bar a copy."""
        return Session(sa.create_engine(self.cluster.url(database or self.database), poolclass=NullPool))

    def sessions(self, database: str | None = None) -> Sessions:
        """As the application."""
        url = self.cluster.url(database or self.database, role="lpg_app")
        return db.sessions(sa.create_engine(url, poolclass=NullPool))

    # --- the clock ---------------------------------------------------------------------------------------

    def begin_time(self, instant: datetime) -> None:
        """For a database nobody has seen yet: its clock starts here, also where its original's was later."""
        with self.session() as owner:
            owner.execute(sa.delete(demo_clock.DemoClock))
            demo_clock.move_to(owner, instant)
            demo_clock.follow(self.sessions())

    def wait_until(self, instant: datetime) -> None:
        """Move the clock forward; if it is later already, leave it."""
        if instant <= clock.now():
            return
        # An instant that is only just to come may have passed before the row is written.
        with self.session() as owner, suppress(ValueError):
            demo_clock.move_to(owner, instant)
        demo_clock.follow(self.sessions())

    def empty_the_message_box(self) -> None:
        """Of what a former day sent to the sample's telephones."""
        (self.config.state_dir / "messages.jsonl").unlink(missing_ok=True)

    # --- the server --------------------------------------------------------------------------------------

    def serve(self, database: str = LIVING) -> None:
        """Start the server on a database; returns when it is well."""
        self.database = database
        settings = {
            "LPG_STATE_DIR": str(self.config.state_dir),
            "LPG_KEYRING_PATH": str(self.config.keyring_path),
            "LPG_BIND_HOST": self.config.bind_host,
            "LPG_BIND_PORT": str(self.config.bind_port),
            "LPG_PUBLIC_URL": self.config.public_url,
            # Whoever answers as well is the only one: a worker that still loads would not hear us say stop.
            "LPG_WORKERS": "1",
            "LPG_DEMO_CLOCK": "1",
            # the copy's messages are of another year: nobody looks for them in the box
            "LPG_MESSAGES": "off" if database == NEW_YEAR else self.config.messages,
            EMBEDDED_URL: self.cluster.url(database, role="lpg_app"),
        }
        demo_clock.follow(self.sessions())
        with self.server_log.open("ab") as log:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "sample.server", str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=CHECKOUT,
                env=os.environ | settings,
                start_new_session=True,  # Ctrl-C ends the demo, which then ends the server
            )
        self._await_health(self._server)

    def stop_serving(self) -> None:
        if self._server is None:
            return
        self._server.terminate()
        try:
            self._server.wait(STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._server = None

    def wait_for_the_server(self) -> int:
        """Until the server ends by itself."""
        assert self._server is not None
        return self._server.wait()

    @property
    def address(self) -> tuple[str, int]:
        return self.config.bind_host, self.config.bind_port

    def _await_health(self, server: subprocess.Popen[bytes]) -> None:
        host, port = self.address
        given_up_at = time.monotonic() + WELL_WITHIN_S
        while not _is_well(host, port):
            if server.poll() is not None or time.monotonic() > given_up_at:
                raise NoStage(f"the server did not start; what it said: {self.server_log}")
            time.sleep(0.05)


def _is_well(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@contextmanager
def stage(config: Config, sample: str) -> Iterator[Stage]:
    """The embedded server, ours alone, until the block ends. Raises NotStarted where another runs it."""
    _must_be_free(config)
    with Cluster(config.state_dir / "postgres") as cluster:
        made = Stage(config, cluster, sample)
        try:
            yield made
        finally:
            made.stop_serving()
            clock.set_source(None)


def on_a_free_port(config: Config) -> Config:
    """For a demo nobody is going to look at in a browser."""
    with socket.socket() as probe:
        probe.bind((config.bind_host, 0))
        port = probe.getsockname()[1]
    return replace(config, bind_port=port, public_url=f"http://{config.bind_host}:{port}")


def _must_be_free(config: Config) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.bind_host, config.bind_port))
        except OSError as error:
            raise NoStage(
                f"{config.bind_host}:{config.bind_port} cannot be listened on ({error.strerror}): "
                "set LPG_BIND_PORT to another port"
            ) from None


def digest_of_everything(cluster: Cluster, keyring: Path, sample: str) -> str:
    """Of all that a copy came from: code, law, data, versions, keys, and which sample."""
    digest = hashlib.sha256()
    made_by = (cluster.data / "PG_VERSION").read_text().strip()
    for part in (sample, sys.version, f"PostgreSQL {made_by}"):
        digest.update(part.encode() + b"\0")
    digest.update(hashlib.sha256(keyring.read_bytes()).digest())
    for file in _sources():
        digest.update(str(file.relative_to(CHECKOUT)).encode() + b"\0")
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _sources() -> list[Path]:
    found = [CHECKOUT / name for name in FILES]
    for room in ROOMS:
        found += [file for file in (CHECKOUT / room).rglob("*") if file.suffix in READ_SUFFIXES]
    return sorted(found)

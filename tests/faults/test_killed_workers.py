"""A worker that is killed in the middle of a job, with real processes: the job runs again, and once only."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import jobs
from core.config import CHECKOUT
from core.ground import Ground
from core.jobs import Fault, Job, JobState
from core.postgres import Cluster
from core.sealed import Keyring
from dispatch.rounds.models import RoundPlan
from tests.conftest import CHANGNING, DATABASE, THE_DAY
from tests.desk import Desk
from tests.dispatch.rounds.working_day import WorkingDay
from tests.due_jobs import run_due_jobs
from web.opening import EMBEDDED_URL

WITHIN_S = 60  # where many tests run at once a process takes long to begin

# The worker of the product, in the tests' time; SOLVER may stand for one that never ends.
WORKER = f"""
import os, sys
from datetime import datetime
from core import clock
from dispatch.rounds import solving
clock.set_source(lambda: datetime.fromisoformat({THE_DAY.isoformat()!r}))
if os.environ.pop("SLEEPING", ""):
    solving.SOLVER = (sys.executable, "-c", "import time; time.sleep(600)")
from web import worker
sys.argv = ["worker", str(os.getppid())]
worker.main()
"""


class Workers:
    def __init__(self, ground: Ground, cluster: Cluster) -> None:
        self.started: list[subprocess.Popen[bytes]] = []
        state_dir = ground.config.state_dir
        Keyring.load_or_make(state_dir / "keyring.json")
        self.environ = os.environ | {
            "PYTHONPATH": str(CHECKOUT),
            "LPG_STATE_DIR": str(state_dir),
            EMBEDDED_URL: cluster.url(DATABASE, role="lpg_app"),
        }

    def start(self, *, sleeping: bool = False) -> subprocess.Popen[bytes]:
        environ = self.environ | ({"SLEEPING": "1"} if sleeping else {})
        self.started.append(subprocess.Popen([sys.executable, "-c", WORKER], env=environ, cwd=CHECKOUT))
        return self.started[-1]

    def end(self) -> None:
        for process in self.started:
            process.kill()
            process.wait()


@pytest.fixture
def workers(ground: Ground, cluster: Cluster) -> Iterator[Workers]:
    made = Workers(ground, cluster)
    yield made
    made.end()


@pytest.fixture
def day(desk: Desk) -> WorkingDay:
    return WorkingDay(desk)


def eventually(what: Callable[[], bool]) -> None:
    until = time.monotonic() + WITHIN_S
    while not what():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.05)


def ask(day: WorkingDay) -> UUID:
    day.order()
    return UUID(day.dispatcher.post(day.at("plan-jobs"), day.plan_body()).get_json()["id"])


def job_of(ground: Ground, job_id: UUID) -> Job:
    with ground.sessions() as db:
        return db.get_one(Job, (CHANGNING, job_id))


def test_a_job_whose_worker_is_killed_runs_again_and_makes_one_plan(
    day: WorkingDay, workers: Workers, ground: Ground, db: Session
) -> None:
    job_id = ask(day)
    first = workers.start(sleeping=True)
    eventually(lambda: job_of(ground, job_id).step == "solving")
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert job_of(ground, job_id).state is JobState.RUNNING, "nobody could say that it died"
    workers.start()
    eventually(lambda: job_of(ground, job_id).state is JobState.DONE)
    [plan] = db.scalars(sa.select(RoundPlan))
    assert plan.id == job_of(ground, job_id).result_id


def test_a_job_that_keeps_killing_its_worker_is_given_up(
    day: WorkingDay, ground: Ground, cluster: Cluster, db: Session
) -> None:
    job_id = ask(day)
    with psycopg.connect(cluster.conninfo(DATABASE)) as owner:
        owner.execute(
            "UPDATE procrastinate.procrastinate_jobs SET status = 'doing', attempts = %s",
            (jobs.MOST_RUNS - 1,),
        )
    run_due_jobs(ground)
    job = job_of(ground, job_id)
    assert (job.state, job.fault) == (JobState.FAILED, Fault.WORKER_DIED)
    assert not list(db.scalars(sa.select(RoundPlan)))


def test_a_worker_ends_with_whoever_started_it(workers: Workers, cluster: Cluster) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, WORKER],
        env=workers.environ,
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    worker_pid = int(parent.stdout.readline())
    eventually(lambda: beating(cluster) == 1)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    eventually(lambda: not is_alive(worker_pid))


PARENT = """
import subprocess, sys, time
worker = subprocess.Popen([sys.executable, "-c", sys.argv[1]])
print(worker.pid, flush=True)
time.sleep(600)
"""


def beating(cluster: Cluster) -> int:
    with psycopg.connect(cluster.conninfo(DATABASE)) as owner:
        found = owner.execute("SELECT count(*) FROM procrastinate.procrastinate_workers").fetchone()
    assert found is not None
    return int(found[0])


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

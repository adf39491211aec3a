"""A worker that is killed in the middle of an import, with real processes: nothing is published twice."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.config import CHECKOUT
from core.ground import Ground
from core.postgres import Cluster
from core.sealed import Keyring
from cylinders.import_models import StagedBottle
from cylinders.models import Cylinder, CylinderImport
from evidence.models import Entry
from tests.cast import Cast
from tests.conftest import DATABASE, THE_DAY
from tests.cylinders.cast import Bottles
from tests.cylinders.test_cylinders_file_imports import ask, jsonl, look
from tests.desk import Desk
from tests.faults.test_killed_workers import eventually
from web.opening import EMBEDDED_URL

# The worker of the product, in the tests' time, reading two lines at a time. LINGERS_AT: where it is slow.
WORKER = f"""
import os, sys, time
from datetime import datetime
from core import clock
from cylinders import imports
clock.set_source(lambda: datetime.fromisoformat({THE_DAY.isoformat()!r}))
imports.LINES_AT_ONCE = 2
lingers_at = os.environ.pop("LINGERS_AT", "")
does, turns = getattr(imports, lingers_at, None), []
def lingers(*given, **named):
    turns.append(given)
    if len(turns) == 2 or lingers_at == "publish":
        time.sleep(600)
    return does(*given, **named)
if lingers_at:
    setattr(imports, lingers_at, lingers)
from web import worker
sys.argv = ["worker", str(os.getppid())]
worker.main()
"""


@pytest.fixture
def environ(ground: Ground, cluster: Cluster) -> dict[str, str]:
    Keyring.load_or_make(ground.config.state_dir / "keyring.json")
    return os.environ | {
        "PYTHONPATH": str(CHECKOUT),
        "LPG_STATE_DIR": str(ground.config.state_dir),
        EMBEDDED_URL: cluster.url(DATABASE, role="lpg_app"),
    }


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()


def reached(told: dict[str, Any]) -> tuple[str, int]:
    return told["step"], told["read_lines"]


@pytest.mark.parametrize(
    ("lingers_at", "step", "staged"),
    [("stage", "reading", 2), pytest.param("publish", "publishing", 5, marks=pytest.mark.slow)],
)
def test_an_import_whose_worker_is_killed_goes_on_and_publishes_once(
    desk: Desk,
    environ: dict[str, str],
    started: list[subprocess.Popen[bytes]],
    db: Session,
    lingers_at: str,
    step: str,
    staged: int,
) -> None:
    bottles = Bottles(Cast(desk))
    import_id = ask(bottles, jsonl([bottles.row() for _ in range(5)]))

    def start(**more: str) -> None:
        started.append(subprocess.Popen([sys.executable, "-c", WORKER], env=environ | more, cwd=CHECKOUT))

    start(LINGERS_AT=lingers_at)
    eventually(lambda: reached(look(bottles, import_id)) == (step, staged))
    started[0].send_signal(signal.SIGKILL)
    started[0].wait()
    assert look(bottles, import_id)["state"] == "running", "nobody could say that it died"
    assert db.scalar(sa.select(sa.func.count()).select_from(Cylinder)) == 0
    assert db.scalar(sa.select(sa.func.count()).select_from(StagedBottle)) == staged
    db.rollback()

    start()
    eventually(lambda: look(bottles, import_id)["state"] == "done")
    assert look(bottles, import_id)["accepted"] == 5
    assert db.scalar(sa.select(sa.func.count()).select_from(Cylinder)) == 5
    assert db.scalar(sa.select(sa.func.count()).select_from(CylinderImport)) == 1
    [entry] = db.scalars(sa.select(Entry).where(Entry.verb == "cylinder.import"))
    assert orjson.loads(entry.written)["payload"]["rows"] == 5

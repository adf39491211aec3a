"""The worker's part in a test: run the jobs that are due and come back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import UUID

from core import jobs
from core.ground import Ground

if TYPE_CHECKING:
    from tests.desk import Person


def run_due_jobs(ground: Ground) -> None:
    """In a thread of its own: where a browser test has run, this one's event loop is the browser's."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(jobs.work, ground, wait=False).result()


def worked(ground: Ground, asking: Person, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Asked for, and done at once by the worker's hand without its queue: the job as it then stands."""
    answer = asking.post(path, body)
    assert answer.status_code == 202, answer.text
    job = answer.get_json()
    jobs.run(ground, int(path.split("/districts/")[1].split("/")[0]), UUID(job["id"]))
    return dict(asking.get(answer.headers["Location"]).get_json())


def planned(ground: Ground, asking: Person, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The plan that came of it."""
    done = worked(ground, asking, path, body)
    assert done["state"] == "done", done
    return dict(asking.get(f"{path}/{done['plan_id']}").get_json())

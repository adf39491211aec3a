"""The worker's part in a test: run the jobs that are due and come back."""

from concurrent.futures import ThreadPoolExecutor

from core import jobs
from core.ground import Ground


def run_due_jobs(ground: Ground) -> None:
    """In a thread of its own: where a browser test has run, this one's event loop is the browser's."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(jobs.work, ground, wait=False).result()

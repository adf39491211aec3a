"""./lpg manage as an operator types it: in this process, where a test asks what it says and does.

A process of its own takes seconds to begin; it is for tests of what only a process has: its beginning, its
death, its exit status as a shell sees it.
"""

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import structlog

from cylinders import marks
from web.manage import main

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Said:
    returncode: int
    stdout: str
    stderr: str


def typed(*words: str, **settings: str) -> Said:
    """With these settings and no others; what the command changed for its process is put back."""
    out, err, logs = io.StringIO(), io.StringIO(), structlog.get_config()
    with (
        patch.dict(os.environ, _env(settings), clear=True),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            status = main(words)
        except SystemExit as left:
            status = left.code if isinstance(left.code, int) else 1
        finally:
            structlog.configure(**logs)
            marks.use(Path("/nonexistent"))
    return Said(status, out.getvalue(), err.getvalue())


def run(*words: str, **settings: str) -> Said:
    """In a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "web.manage", *words],
        cwd=CHECKOUT,
        env=_env(settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def _env(settings: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LPG_")}
    return kept | settings

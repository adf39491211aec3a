"""The terminal's benchmark: in a real browser, or a plain word that there is none. No speed is asserted."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench import terminal
from core.config import CHECKOUT


def run(*words: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LPG_")}
    command = [sys.executable, "-m", "bench.terminal", *words]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=600, cwd=CHECKOUT, env=environ, check=False
    )


@pytest.mark.long
def test_the_verdict_is_measured_against_a_bare_round_trip(tmp_path: Path) -> None:
    if shutil.which("chromium") is None:
        pytest.skip("no chromium: apt install chromium")
    done = run("--turns", "2", "--bottles", "10", "--json", str(tmp_path / "report.json"))
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert len(report["verdict_ms"]) == len(report["bare_ms"]) == 2
    assert all(figure > 0 for figure in report["verdict_ms"] + report["bare_ms"])
    assert "Enter to a painted verdict" in done.stdout


def test_without_a_browser_it_says_so_and_measures_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert terminal.main([]) == 1
    out, err = capsys.readouterr()
    assert "no chromium here" in err
    assert out == ""


def test_no_turns_are_refused_before_anything_is_built(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        terminal.main(["--turns", "0"])
    assert ended.value.code == 2
    assert "at least one turn" in capsys.readouterr().err

"""The benchmarks run, end with both databases alike, and tell their ratios. How fast is never asserted."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench import bulk, command, memory, plan, register, routing
from bench.booking import BOOKING
from bench.claim import Claim
from bench.verdict import VERDICT
from core.config import CHECKOUT


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """As a person would, from the checkout, with none of our settings around."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LPG_")}
    command = [sys.executable, "-m", *words]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=600, cwd=CHECKOUT, env=environ, check=False
    )


def races_of(report: dict[str, Any], claim: str) -> list[dict[str, Any]]:
    races: list[dict[str, Any]] = report["claims"][claim]["races"]
    return races


@pytest.mark.long
def test_both_claims_are_measured_and_end_with_the_same_rows_in_both_databases(tmp_path: Path) -> None:
    done = run("bench", "--operations", "3", "--bottles", "40", "--json", str(tmp_path / "report.json"))
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    for claim in ("verdict", "booking"):
        races = races_of(report, claim)
        assert [race["operations"] for race in races] == [3, 3]
        assert all(race["ratio"] > 0 and race["cpu_ratio"] > 0 and race["statements"] > 0 for race in races)
    assert "Raw psycopg only sends again" in done.stdout
    assert report["circumstances"]["server"]["fsync"] == "on"


@pytest.mark.parametrize("claims", [(VERDICT, BOOKING), (VERDICT,), (BOOKING,)])
def test_each_command_says_what_it_measures(
    claims: tuple[Claim, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(*claims, argv=["--help"])
    assert ended.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "raw psycopg" in said
    assert all(claim.name in said for claim in claims)


def test_a_wrong_number_of_operations_is_refused_before_anything_is_built(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(VERDICT, argv=["--operations", "0"])
    assert ended.value.code == 2
    assert "expected a number between 1 and" in capsys.readouterr().err


@pytest.mark.long
def test_a_zones_day_is_planned_in_every_way_and_the_search_drives_no_further(tmp_path: Path) -> None:
    done = run("bench.plan", "--days", "1", "--json", str(tmp_path / "report.json"))
    assert done.returncode == 0, done.stderr
    sizes = json.loads((tmp_path / "report.json").read_text())["sizes"]
    assert list(sizes) == ["15", "25", "50"]
    for ways in sizes.values():
        assert all(ways[way]["wall_ms"] > 0 and ways[way]["cpu_ms"] > 0 for way in ways)
        assert ways["search"] | {"wall_ms": 0, "cpu_ms": 0} == ways["apart"] | {"wall_ms": 0, "cpu_ms": 0}
        assert ways["search"]["served"] >= ways["greedy"]["served"]


@pytest.mark.long
def test_memory_is_measured_of_every_worker_of_both_servers(tmp_path: Path) -> None:
    done = run("bench.memory", "--requests", "16", "--json", str(tmp_path / "report.json"))
    assert done.returncode == 0, done.stderr
    product, bare = json.loads((tmp_path / "report.json").read_text())["servers"]
    for server in (product, bare):
        assert server["started"]["processes"] == server["after"]["processes"] == 2
    assert product["after"]["pss_all_kib"] > bare["after"]["pss_all_kib"] > 0


@pytest.mark.parametrize("main", [plan.main, memory.main, bulk.main, register.main])
def test_each_further_command_says_what_it_measures(
    main: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "usage: python -m bench." in capsys.readouterr().out


@pytest.mark.long
def test_an_import_is_measured_against_copy_and_both_end_with_the_same_rows(tmp_path: Path) -> None:
    done = run("bench.bulk", "--rows", "60", "--turns", "1", "--json", str(tmp_path / "report.json"))
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["bulk"]["rows"] == 60
    assert report["ratio"] > 0
    assert "import / COPY" in done.stdout


@pytest.mark.long
def test_a_register_is_asked_at_two_sizes_against_a_bare_row(tmp_path: Path) -> None:
    words = ("--bottles", "40", "--from", "20", "--turns", "1", "--seconds", "1")
    done = run("bench.register", *words, "--json", str(tmp_path / "report.json"))
    assert done.returncode == 0, done.stderr
    sizes = json.loads((tmp_path / "report.json").read_text())["sizes"]
    assert [one["bottles"] for one in sizes] == [20, 40]
    assert all(one["throughput_ratio"] > 0 and one["p99_ratio"] > 0 and one["batches_s"] for one in sizes)


def test_the_planner_is_measured_and_every_plan_of_it_checked(tmp_path: Path) -> None:
    """Without the other planners, which are extras of their own."""
    report = tmp_path / "routing.json"
    words = ["public", "city", "urgent", "--quick", "--alone", "--seeds", "1", "--sizes", "25"]
    assert routing.main([*words, "--doors", "50", "--json", str(report)]) == 0
    columns = [line["columns"] for line in json.loads(report.read_text()) if "columns" in line]
    assert [line[0] for line in columns] == ["name", "doors", "doors"]

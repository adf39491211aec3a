"""The benchmarks of many bookings and many places: run whole when asked for; their help says what they do."""

import json
from pathlib import Path
from types import ModuleType

import pytest

from bench import crowd, growth, places
from tests.bench.test_bench import run


@pytest.mark.parametrize(
    ("bench", "said"),
    [(crowd, "Eight residents book at once"), (growth, "up to a million"), (places, "hundred thousand")],
)
def test_each_says_what_it_measures(bench: ModuleType, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        bench.main(["--help"])
    assert ended.value.code == 0
    assert said in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("bench", "option"), [(crowd, "--each"), (growth, "--accounts"), (places, "--points")]
)
@pytest.mark.parametrize("given", ["0", "-1", "many", "99999999"])
def test_a_wrong_number_is_refused_before_anything_is_built(
    bench: ModuleType, option: str, given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        bench.main([option, given])
    assert ended.value.code == 2
    assert "expected a number between 1 and" in capsys.readouterr().err


def test_every_point_lies_where_shapely_says() -> None:
    told = places.measure(500)
    assert 0 < told.in_none < told.points


@pytest.mark.long
def test_a_crowd_books_and_sends_again(tmp_path: Path) -> None:
    done = run("bench.crowd", "--turns", "1", "--each", "2", "--json", str(tmp_path / "crowd.json"))
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "crowd.json").read_text())
    assert len(told["app"]) == len(told["raw"]) == len(told["http"]) == 1
    assert told["cpu_s"]["again"] < told["cpu_s"]["first"]
    assert set(told["gates"]) == {"booking", "premises"}


@pytest.mark.long
def test_the_register_grows_and_people_book(tmp_path: Path) -> None:
    done = run("bench.growth", "--accounts", "1000", "--bookings", "3", "--json", str(tmp_path / "g.json"))
    assert done.returncode == 0, done.stderr
    [size] = json.loads((tmp_path / "g.json").read_text())["sizes"]
    assert (size["accounts"], len(size["booked_s"])) == (1000, 3)

"""./lpg manage as an operator runs it, in a state folder of its own."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.postgres import Cluster
from tests import console
from web.manage import main


@pytest.fixture(scope="module")
def state() -> Iterator[Path]:
    """A house of its own, migrated; its server stays up, so that no command has to start it."""
    with tempfile.TemporaryDirectory(prefix="lpg-", dir="/tmp") as folder:
        assert console.run("migrate", LPG_STATE_DIR=folder).returncode == 0
        with Cluster(Path(folder) / "postgres"):
            yield Path(folder)


def in_its_own_process(state: Path, *words: str) -> console.Said:
    """Where other tests' tables and refusals would be seen too; and once as it is really run."""
    return console.run(*words, LPG_STATE_DIR=str(state))


def manage(state: Path, *words: str, **settings: str) -> console.Said:
    return console.typed(*words, LPG_STATE_DIR=str(state), **settings)


def test_help_names_every_command(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = manage(state, "--help").stdout
    for command in ("migrate", "tokens", "import", "rules", "verify", "decisions", "outbox", "docs", "drift"):
        assert command in said
        with pytest.raises(SystemExit) as left:
            main([command, "--help"])
        assert left.value.code == 0
        assert f"./lpg manage {command}" in capsys.readouterr().out


def test_an_empty_house_is_migrated_verified_and_replayed(state: Path) -> None:
    verified = in_its_own_process(state, "verify")
    assert (verified.returncode, "0 findings" in verified.stdout) == (0, True)
    assert manage(state, "decisions", "replay").returncode == 0


def test_a_proposed_rule_is_judged_by_a_real_process(state: Path, tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text('place = "310105"\nwithdrawn = ["A02"]\n', encoding="utf-8")
    done = manage(state, "decisions", "replay", "--with", str(file), "--from", "2024-06-01")
    assert (done.returncode, "0 newly refused, 0 newly allowed" in done.stdout) == (0, True)

    file.write_text('place = "310105"\n[[rule]]\nname = "A13.limit_kg"\nvalue = 50\n', encoding="utf-8")
    refused = manage(state, "decisions", "replay", "--with", str(file))
    assert refused.returncode == 2
    assert (
        refused.stderr.strip() == f"{file}:2: A13.limit_kg: rule A13 has no such value; expected A13.limit_g"
    )


def test_days_that_run_backwards_are_refused(state: Path) -> None:
    given = manage(state, "decisions", "replay", "--from", "2024-06-12", "--until", "2024-06-11")
    assert (given.returncode, given.stdout) == (2, "")
    assert "expected 2024-06-12 or later" in given.stderr


def test_a_token_is_printed_once_and_works_nowhere_in_clear(state: Path) -> None:
    given = manage(
        state, "tokens", "--role", "regulator", "--scope", "district:310105", "--district", "310105"
    )
    assert given.returncode == 0
    token = given.stdout.strip()
    assert token.startswith("lpg_")
    for path in (state / "postgres" / "data").rglob("*"):
        if path.is_file():
            assert token.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("scope", ["planet:1", "district", "firm:"])
def test_a_scope_that_means_nothing_is_named(state: Path, scope: str) -> None:
    given = manage(state, "tokens", "--role", "clerk", "--scope", scope, "--district", "310105")
    assert given.returncode == 2
    assert "expected KIND:CODE" in given.stderr
    assert not given.stdout


def test_a_scope_that_does_not_exist_is_one_line(state: Path) -> None:
    given = manage(
        state, "tokens", "--role", "regulator", "--scope", "district:310118", "--district", "310105"
    )
    assert given.returncode == 2
    [line] = given.stderr.strip().splitlines()
    assert line.startswith("/scope_code")


def test_a_house_that_was_never_migrated_says_how(state: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="lpg-", dir="/tmp") as empty:
        refused = manage(Path(empty), "verify")
    assert (refused.returncode, "./lpg manage migrate" in refused.stderr) == (2, True)


def test_the_law_of_changning_on_the_first_day_of_the_moratorium(state: Path) -> None:
    said = manage(state, "rules", "show", "--place", "310105", "--on", "2023-08-01").stdout
    [line] = [line for line in said.splitlines() if line.startswith("A02 = ")]
    assert "effective 2023-08-01, issued 2023-09-11" in line
    before = manage(state, "rules", "show", "--place", "310105", "--on", "2023-07-31").stdout
    assert not [line for line in before.splitlines() if line.startswith("A02 = ")]
    qingpu = manage(state, "rules", "show", "--place", "310118", "--on", "2023-08-01").stdout
    assert not [line for line in qingpu.splitlines() if line.startswith("A02 = ")]


def test_a_place_without_law_is_said_plainly(state: Path) -> None:
    shown = manage(state, "rules", "show", "--place", "999999", "--on", "2023-08-01")
    assert shown.returncode == 1
    assert "no rule binds" in shown.stderr


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"LPG_BIND_PORT": "abc"}, "LPG_BIND_PORT"),
        ({"LPG_DATABASE_URL": "mysql://x"}, "LPG_DATABASE_URL"),
        ({"LPG_COLOUR": "red"}, "LPG_COLOUR"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(state: Path, settings: dict[str, str], named: str) -> None:
    refused = manage(state, "verify", **settings)
    assert refused.returncode == 2
    [line] = refused.stderr.strip().splitlines()
    assert line.startswith(named)


@pytest.mark.both_ends
@pytest.mark.long  # on the newest PostgreSQL `./lpg check` asks the same
def test_the_migrations_give_exactly_the_tables_of_the_code(state: Path) -> None:
    compared = in_its_own_process(state, "drift")
    assert compared.returncode == 0, compared.stdout

"""Each rule of the bottle, of booking and of the place four ways (kinds.toml); the bar's first instant."""

import os
import time
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core import clock
from registry.account_gate import AccountBusiness, AccountFacts
from rulebook.gate import judge
from tests.policy.test_policy_tables import CASES, EDITION, Case

KINDS = tomllib.loads((Path(__file__).parent / "kinds.toml").read_text(encoding="utf-8"))
WAYS = {"holds", "just_not", "boundary", "unknown"}
OF_BOTTLES = [f"F{number:02d}" for number in range(1, 17)]
RULES = (
    OF_BOTTLES + [f"A{number:02d}" for number in range(1, 17)] + [f"P{number:02d}" for number in range(1, 15)]
)


def named(rule: str, it: str) -> Case:
    [case] = [case for case in CASES if (case.rule, case.it) == (rule, it)]
    return case


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_has_its_cases_in_four_ways(rule: str) -> None:
    ways = KINDS[rule]
    assert ways.keys() == WAYS
    met = {way: named(rule, it) for way, it in ways.items() if not it.startswith("none: ")}
    assert {"holds", "just_not"} <= met.keys()
    assert met["holds"].refused
    assert not met["just_not"].refused
    if rule in OF_BOTTLES and "unknown" in met:
        assert met["unknown"].refused, "of a bottle what nobody knows is no"


def test_no_rule_is_left_out_of_the_ways() -> None:
    assert list(KINDS) == RULES


# --- 2023-08-01T00:00+08:00, whatever the server's own time zone ------------------------------------------

MIDNIGHT = datetime(2023, 7, 31, 16, tzinfo=UTC)
A_MILLISECOND = timedelta(milliseconds=1)


@pytest.fixture(params=["UTC", "Pacific/Kiritimati", "Etc/GMT+12", "Asia/Shanghai"])
def somewhere(request: pytest.FixtureRequest) -> Iterator[str]:
    """The process's own time zone: UTC, fourteen hours before it, twelve behind it, and ours."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()


@pytest.mark.parametrize(
    ("instant", "refused"),
    [
        (MIDNIGHT - A_MILLISECOND, []),
        (MIDNIGHT, ["account.opening_barred"]),
        (MIDNIGHT + A_MILLISECOND, ["account.opening_barred"]),
    ],
)
def test_the_bar_begins_at_midnight_in_shanghai(
    somewhere: str, instant: datetime, refused: list[str]
) -> None:
    assert time.tzname
    with clock.standing_at(instant):
        day = clock.today()
        assert day == clock.day_of(clock.now())
    verdict = judge("account.open", AccountFacts(day, AccountBusiness.OPENING), "310105", day, EDITION)
    assert [refusal.code for refusal in verdict.reasons] == refused

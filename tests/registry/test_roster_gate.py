"""May this crew work this shift? A row a rule; what is said is all of it, in the rules' order."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

import rulebook
from registry.roster_gate import CrewFacts, Shift, paper_refusals, shift_refusals

DAY = date(2024, 6, 12)
LAW = rulebook.current().at("310105", DAY)
MORNING = Shift(7 * 3600, 14 * 3600)
HOLDS, LAPSED, TO_COME = (
    (date(2023, 1, 1), DAY),
    (date(2023, 1, 1), date(2024, 6, 11)),
    (date(2024, 6, 13), date(2025, 1, 1)),
)
SOUND = CrewFacts(
    from_s=0,
    until_s=24 * 3600,
    certificate=HOLDS,
    permit=HOLDS,
    trained=True,
    device_revoked=False,
    courier_away=False,
    vehicle_away=False,
    licence=HOLDS,
)


def said(facts: CrewFacts) -> list[str]:
    return [reason.code for reason in shift_refusals(facts, MORNING, DAY, LAW)]


def test_a_crew_whose_papers_hold_to_the_end_of_that_day_may_work() -> None:
    assert said(SOUND) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"licence": None}, "roster.firm_unlicensed"),
        ({"licence": LAPSED}, "roster.firm_unlicensed"),
        ({"certificate": LAPSED}, "binding.certificate_not_in_force"),
        ({"certificate": TO_COME}, "binding.certificate_not_in_force"),
        ({"permit": LAPSED}, "binding.permit_not_in_force"),
        ({"trained": False}, "binding.training_not_in_force"),
        ({"device_revoked": True}, "binding.device_revoked"),
        ({"courier_away": True}, "roster.courier_away"),
        ({"vehicle_away": True}, "roster.vehicle_away"),
        ({"from_s": 7 * 3600 + 1}, "roster.bound_for_part"),
        ({"until_s": 14 * 3600 - 1}, "roster.bound_for_part"),
    ],
)
def test_each_rule_says_no_by_itself(change: dict[str, Any], code: str) -> None:
    assert said(replace(SOUND, **change)) == [code]


def test_everything_is_said_at_once_and_only_papers_when_setting_out() -> None:
    worst = CrewFacts(0, 0, LAPSED, LAPSED, False, True, True, True, None)
    papers = [reason.code for reason in paper_refusals(worst, DAY, LAW)]
    assert papers == [
        "roster.firm_unlicensed",
        "binding.certificate_not_in_force",
        "binding.permit_not_in_force",
        "binding.training_not_in_force",
        "binding.device_revoked",
    ]
    assert said(worst) == [*papers, "roster.courier_away", "roster.vehicle_away", "roster.bound_for_part"]

"""What must hold of every gate, whatever the case: tried on facts made up from the tables' own rows."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
from cattrs.errors import ClassValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from rulebook.edition import Edition
from rulebook.gate import facts_from_plain, facts_to_plain, judge
from tests.policy.test_policy_tables import CASES, EDITION, Case

PLACES = ("100000", "310000", "310105", "310117", "310118", "310151")
# What a case is about rather than what is wrong with it: changing it changes which rules are in play.
CONTEXT = {
    "excepted",
    "purpose",
    "act",
    "kind",
    "account_class",
    "premises_kind",
    "has_cylinder_room",
    "quantity",
}


def clean(gate: str) -> Case:
    return next(case for case in CASES if case.gate == gate and not case.refused and not case.checks)


def changes(case: Case) -> dict[str, Any]:
    base = clean(case.gate).facts
    return {name: value for name, value in case.facts.items() if name not in base or base[name] != value}


def faults(gate: str) -> list[Case]:
    """Rows of the table that are refused on its own day and place, and differ in what is wrong only."""
    base = clean(gate)
    return [
        case
        for case in CASES
        if case.gate == gate
        and case.refused
        and (case.day, case.place, case.law) == (base.day, base.place, {})
        and not changes(case).keys() & CONTEXT
    ]


def rules_refused(case: Case, facts: dict[str, Any]) -> set[str]:
    verdict = judge(case.gate, facts_from_plain(case.gate, facts), case.place, case.day, EDITION)
    return {refusal.rule for refusal in verdict.reasons}


def pairs() -> Iterator[tuple[Case, Case]]:
    for gate in (
        "refill",
        "agency",
        "filling_start",
        "filling_check",
        "weighing",
        "premises",
        "booking",
        "load",
        "handover",
    ):
        for one, other in combinations(faults(gate), 2):
            if not changes(one).keys() & changes(other).keys():
                yield one, other


def test_a_second_fault_never_removes_a_rule_from_the_answer() -> None:
    tried = 0
    for one, other in pairs():
        both = one.facts | changes(other)
        expected = rules_refused(one, one.facts) | rules_refused(other, other.facts)
        assert expected <= rules_refused(one, both), (str(one), str(other))
        tried += 1
    assert tried > 500


@settings(max_examples=60, deadline=None)
@given(case=st.sampled_from(CASES), place=st.sampled_from(PLACES), days=st.integers(0, 2000))
def test_only_rules_that_the_edition_asks_there_and_then_are_in_the_answer(
    case: Case, place: str, days: int
) -> None:
    day = EDITION.first_day + timedelta(days=days)
    verdict = judge(case.gate, facts_from_plain(case.gate, case.facts), place, day, EDITION)
    law = EDITION.at(place, day)

    assert all(law.asks(refusal.rule) for refusal in verdict.reasons)
    assert all(law.asks(check.rule) and law.unknown(check.rule) == "at_door" for check in verdict.checks)
    assert not any("unknown" in r.facts and law.unknown(r.rule) == "at_door" for r in verdict.reasons)


@settings(max_examples=60, deadline=None)
@given(case=st.sampled_from(CASES), place=st.sampled_from(PLACES))
def test_judging_again_by_the_stored_text_gives_the_same_answer(case: Case, place: str) -> None:
    verdict = judge(case.gate, facts_from_plain(case.gate, case.facts), place, case.day, EDITION)
    kept = verdict.to_plain()
    again = judge(
        kept["gate"], facts_from_plain(kept["gate"], kept["facts"]), place, case.day, STORED_EDITION
    )

    assert again.to_plain() == kept


STORED_EDITION = Edition.from_text(EDITION.text)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_facts_survive_being_written_and_read(case: Case) -> None:
    facts = facts_from_plain(case.gate, case.facts)
    assert facts_from_plain(case.gate, facts_to_plain(facts)) == facts


def test_a_fact_we_no_longer_know_is_never_dropped_in_silence() -> None:
    case = clean("refill")
    with pytest.raises(ClassValidationError):
        facts_from_plain("refill", case.facts | {"colour": "grey"})

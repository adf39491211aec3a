"""Every row of every table in this folder, judged by the law in rulebook/law (README.md beside this)."""

import inspect
import re
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from core.refusal import Audience, Reason, Refusal
from cylinders import agency_gate, filling_gate, refill_gate, stock_gate, weighing_gate
from dispatch.deliveries import handover_gate
from dispatch.orders import booking_gate
from oversight import review_gate
from registry import account_gate, premises_gate, succession_gate
from rulebook.edition import ASKED, Edition, Rule
from rulebook.gate import GATES, facts_from_plain, judge

PAGES: tuple[Any, ...] = (
    account_gate,
    succession_gate,
    premises_gate,
    refill_gate,
    stock_gate,
    filling_gate,
    weighing_gate,
    agency_gate,
    booking_gate,
    handover_gate,
    review_gate,
)
EDITION = Edition.load()


@dataclass(frozen=True)
class Case:
    gate: str
    rule: str
    it: str
    place: str
    day: date
    facts: dict[str, Any]
    law: dict[str, Any]
    refused: list[str]
    checks: list[str]

    @property
    def edition(self) -> Edition:
        return Edition(EDITION.first_day, EDITION.places, [*_without(self), *_added(self)])

    def __str__(self) -> str:
        return f"{self.gate} {self.rule}: {self.it}"


def _without(case: Case) -> list[Rule]:
    return [rule for rule in EDITION.rules if rule.name not in case.law]


def _added(case: Case) -> list[Rule]:
    long_ago = EDITION.first_day
    return [
        Rule(
            name,
            case.place,
            value,
            long_ago,
            None,
            None,
            "a made-up rule",
            "1",
            "S",
            long_ago,
            "fixed",
            None,
            "",
        )
        for name, value in case.law.items()
    ]


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    return None if value == "?" else value


def cases() -> list[Case]:
    found = []
    for file in sorted(Path(__file__).parent.glob("*.toml")):
        table = tomllib.loads(file.read_text(encoding="utf-8"))
        if "case" not in table:  # kinds.toml, which only names cases
            continue
        found += [
            Case(
                gate=table["gate"],
                rule=row["rule"],
                it=row["it"],
                place=row.get("place", table["place"]),
                day=row.get("day", table["day"]),
                facts=plain(table["facts"] | row.get("change", {})),
                law=row.get("law", {}),
                refused=row["refused"],
                checks=row.get("checks", []),
            )
            for row in table["case"]
        ]
    return found


CASES = cases()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_gate_answers_as_the_table_says(case: Case) -> None:
    verdict = judge(case.gate, facts_from_plain(case.gate, case.facts), case.place, case.day, case.edition)

    assert [refusal.code for refusal in verdict.reasons] == case.refused
    assert [f"{check.rule} {check.unknown}" for check in verdict.checks] == case.checks
    assert verdict.allowed == (not case.refused)


@pytest.mark.parametrize("case", [case for case in CASES if case.refused], ids=str)
def test_every_reason_rests_on_an_entry_in_force(case: Case) -> None:
    verdict = judge(case.gate, facts_from_plain(case.gate, case.facts), case.place, case.day, case.edition)

    for refusal in verdict.reasons:
        if case.day >= EDITION.first_day:
            assert refusal.basis is not None
            assert refusal.basis.document
            assert refusal.basis.effective is not None
            assert refusal.basis.effective <= case.day


@pytest.mark.parametrize("rule", sorted({case.rule for case in CASES}))
def test_every_rule_has_a_case_that_refuses_and_one_that_does_not(rule: str) -> None:
    about = [case for case in CASES if case.rule == rule]

    assert any(case.refused for case in about)
    assert any(not case.refused for case in about)


def test_every_code_of_the_gates_is_met_in_some_case() -> None:
    met = {refusal.code for case in CASES for refusal in raw(case)}

    assert {reason.code for reason in written_on_the_pages()} - met == set()


def written_on_the_pages() -> list[Reason]:
    """Every reason that a page of law names: they are written ``no.SOMETHING`` there."""
    found = []
    for page in PAGES:
        names = re.findall(r"\bno\.([A-Z_]+)", inspect.getsource(page))
        found += [getattr(page.no, name) for name in names]
    return found


def raw(case: Case) -> list[Refusal]:
    """What the page of the gate says before the rulebook decides what is asked."""
    law = case.edition.at(case.place, case.day)
    return list(GATES[case.gate].page(facts_from_plain(case.gate, case.facts), law))


def test_no_text_asks_for_a_fact_that_its_gate_does_not_give() -> None:
    for case in CASES:
        for refusal in raw(case):
            asked = holes(refusal.reason.zh) | holes(refusal.reason.en)
            assert asked <= refusal.facts.keys(), refusal


def test_no_cure_has_a_hole() -> None:
    for reason in written_on_the_pages():
        for cure in reason.cures.values():
            assert not holes(cure.zh) | holes(cure.en), reason.code


def holes(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_the_bar_in_changning_shows_both_its_days() -> None:
    facts = facts_from_plain("account.open", {"applied_on": "2023-08-15", "kind": "opening"})
    verdict = judge("account.open", facts, "310105", date(2023, 8, 15), EDITION)

    (refusal,) = verdict.reasons
    assert refusal.basis is not None
    assert refusal.basis.effective == date(2023, 8, 1)
    assert refusal.basis.issued == date(2023, 9, 11)
    assert "2023-08-01" in refusal.worded(Audience.RESIDENT)["zh"]


def test_either_account_gate_catches_the_other_s_business() -> None:
    succession = facts_from_plain("account.open", {"applied_on": "2024-06-12", "kind": "succession"})

    assert not judge("account.open", succession, "310105", date(2024, 6, 12), EDITION).allowed
    assert not judge("account.transfer", succession, "310105", date(2024, 6, 12), EDITION).allowed


def test_the_weight_limit_rests_on_the_district_s_own_number() -> None:
    table = tomllib.loads((Path(__file__).parent / "booking.toml").read_text(encoding="utf-8"))
    over = {"premises_kind": "restaurant", "stored_after_g": 60001}
    facts = facts_from_plain("booking", plain(table["facts"] | over))

    (refusal,) = judge("booking", facts, "310105", date(2024, 6, 12), EDITION).reasons
    assert refusal.facts == {"limit_g": 60000, "stored_g": 60001}
    assert refusal.basis is not None
    assert refusal.basis.document == "长安委〔2023〕5号"


def test_asking_is_a_word_of_the_rulebook() -> None:
    assert {rule.value for rule in EDITION.rules if rule.name == rule.code} == {ASKED}

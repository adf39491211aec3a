"""Judging: what the edition does not ask is dropped, what it cannot tell refuses."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

import pytest

from core.refusal import CATALOGUE, Refusal, reason
from rulebook.edition import Edition, Law, Rule, Value
from rulebook.gate import GATES, gate, judge
from rulebook.printed import refusals_page, rulebook_page

DAY = date(2024, 6, 12)
FIRST = date(2022, 1, 1)


@dataclass(frozen=True, slots=True)
class KettleFacts:
    lid: bool | None
    litres: int


@pytest.fixture
def kettle() -> Iterator[str]:
    """A gate of this test's own, gone afterwards."""
    cure = ("look", "看", "look")
    no_lid = reason("kettle.no_lid", "K01", zh="没有盖", en="no lid", office=cure)
    lid_unknown = reason("kettle.lid_unknown", "K01", zh="不知道", en="not known", office=cure)
    too_big = reason("kettle.too_big", "K02", zh="太大", en="too big", office=cure)

    @gate("kettle", facts=KettleFacts)
    def kettle_refusals(c: KettleFacts, law: Law) -> Iterator[Refusal]:
        if c.lid is None:
            yield lid_unknown(unknown="lid")
        elif not c.lid:
            yield no_lid()
        limit = law.integer("K02.litres")
        if limit is not None and c.litres > limit:
            yield too_big().resting_on(law.basis("K02.litres"))

    yield "kettle"
    del GATES["kettle"]
    for code in ("kettle.no_lid", "kettle.lid_unknown", "kettle.too_big"):
        del CATALOGUE[code]


def entry(name: str, value: Value = "refuse", place: str = "100000") -> Rule:
    return Rule(
        name,
        place,
        value,
        FIRST,
        None,
        None,
        f"{name} of {place}",
        "1",
        "S",
        FIRST,
        "lower",
        None,
        "",
    )


def law_of(*rules: Rule) -> Edition:
    return Edition(FIRST, {}, [entry("R01"), *rules])


BOTH = (entry("K01"), entry("K02"), entry("K02.litres", 2))


def codes(facts: KettleFacts, edition: Edition, day: date = DAY) -> list[str]:
    return [refusal.code for refusal in judge("kettle", facts, "310105", day, edition).reasons]


def test_a_good_case_is_allowed_and_says_by_which_edition(kettle: str) -> None:
    edition = law_of(*BOTH)
    verdict = judge(kettle, KettleFacts(True, 2), "310105", DAY, edition)

    assert verdict.allowed
    assert verdict.edition_digest == edition.digest


@pytest.mark.usefixtures("kettle")
def test_every_reason_is_given_not_the_first() -> None:
    assert codes(KettleFacts(False, 3), law_of(*BOTH)) == ["kettle.no_lid", "kettle.too_big"]


@pytest.mark.usefixtures("kettle")
def test_a_rule_the_edition_does_not_list_is_not_asked() -> None:
    assert codes(KettleFacts(False, 3), law_of(entry("K02"), entry("K02.litres", 2))) == ["kettle.too_big"]


@pytest.mark.usefixtures("kettle")
def test_a_rule_whose_number_is_missing_refuses() -> None:
    edition = law_of(entry("K01"), entry("K02"))
    (refusal,) = judge("kettle", KettleFacts(True, 1), "310105", DAY, edition).reasons

    assert refusal.code == "rule.no_value"
    assert refusal.rule == "R01"
    assert refusal.facts == {"name": "K02.litres", "place": "310105"}


@pytest.mark.usefixtures("kettle")
def test_a_missing_number_of_a_rule_that_is_not_asked_does_not_matter() -> None:
    assert codes(KettleFacts(True, 1), law_of(entry("K01"))) == []


@pytest.mark.usefixtures("kettle")
def test_before_the_first_day_of_the_edition_nothing_is_allowed() -> None:
    assert codes(KettleFacts(True, 1), law_of(*BOTH), date(2021, 12, 31)) == ["rule.no_value"]
    assert codes(KettleFacts(True, 1), law_of(*BOTH), FIRST) == []


@pytest.mark.usefixtures("kettle")
def test_an_unknown_fact_refuses_unless_the_rulebook_sends_it_to_the_door() -> None:
    silent = judge("kettle", KettleFacts(None, 1), "310105", DAY, law_of(*BOTH))
    assert [refusal.code for refusal in silent.reasons] == ["kettle.lid_unknown"]
    assert silent.checks == ()

    at_door = replace(entry("K01"), unknown="at_door")
    told = judge("kettle", KettleFacts(None, 1), "310105", DAY, law_of(at_door, *BOTH[1:]))
    assert told.allowed
    assert [(check.rule, check.unknown) for check in told.checks] == [("K01", "lid")]


@pytest.mark.usefixtures("kettle")
def test_what_is_known_to_be_wrong_is_never_sent_to_the_door() -> None:
    at_door = replace(entry("K01"), unknown="at_door")
    assert codes(KettleFacts(False, 1), law_of(at_door, *BOTH[1:])) == ["kettle.no_lid"]


@pytest.mark.usefixtures("kettle")
def test_a_reason_rests_on_the_entry_of_its_rule_or_of_the_number_it_used() -> None:
    edition = law_of(*BOTH, entry("K01", place="310105"), entry("K02.litres", 1, place="310000"))
    reasons = judge("kettle", KettleFacts(False, 3), "310105", DAY, edition).reasons

    assert [refusal.basis and refusal.basis.document for refusal in reasons] == [
        "K01 of 310105",
        "K02.litres of 310000",
    ]


def test_a_gate_s_name_is_taken_once(kettle: str) -> None:
    with pytest.raises(ValueError, match="taken"):
        gate(kettle, facts=KettleFacts)(GATES[kettle].page)


def test_the_printed_rulebook_names_every_entry() -> None:
    edition = Edition.load()
    page = rulebook_page(edition)

    assert edition.digest in page
    for rule in edition.rules:
        assert f"| {rule.name} |" in page
    assert "| A02 | asked | 2023-08-01 |  | 2023-09-11 | 长安委〔2023〕5号 |" in page


def test_the_printed_refusals_name_every_code_with_both_texts_and_its_cures(kettle: str) -> None:
    page = refusals_page()

    assert kettle in page
    for one in CATALOGUE.values():
        assert f"### `{one.code}`" in page
        assert one.zh in page
        assert one.en in page
        assert all(cure.zh in page for cure in one.cures.values())

"""The reader of the law folder: places, days, what is missing, and what a district may do."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rulebook.edition import Edition, Rule, Tighter, Value, seats

LAW = Edition.load()
FIRST = date(2022, 1, 1)


def entry(
    name: str,
    place: str = "100000",
    value: Value = "refuse",
    effective: date = FIRST,
    until: date | None = None,
    tighter: Tighter = "fixed",
) -> Rule:
    document = f"law of {place}"
    return Rule(name, place, value, effective, until, None, document, "1", "S", FIRST, tighter, None, "")


def edition(*rules: Rule) -> Edition:
    return Edition(FIRST, {"100000": "nation"}, list(rules))


def test_the_narrowest_place_wins() -> None:
    law = edition(
        entry("A13.limit_g", "100000", 100000, tighter="lower"),
        entry("A13.limit_g", "310000", 80000, tighter="lower"),
        entry("A13.limit_g", "310105", 60000, tighter="lower"),
    )

    assert law.at("310105", FIRST).integer("A13.limit_g") == 60000
    assert law.at("310118", FIRST).integer("A13.limit_g") == 80000
    assert law.at("110101", FIRST).integer("A13.limit_g") == 100000


def test_the_narrowest_place_wins_even_where_the_wider_rule_is_younger() -> None:
    law = edition(
        entry("A13.limit_g", "100000", 100000, date(2024, 1, 1), tighter="lower"),
        entry("A13.limit_g", "310105", 60000, tighter="lower"),
    )
    assert law.at("310105", date(2024, 6, 1)).integer("A13.limit_g") == 60000


def test_a_town_lies_in_its_district() -> None:
    assert seats("310105102") == ("310105", "310100", "310000", "100000")


def test_of_two_entries_the_later_binds_from_its_day_and_the_old_one_before() -> None:
    law = edition(
        entry("P03.height_m", value=54, tighter="lower"),
        entry("P03.height_m", value=27, effective=date(2024, 1, 1), tighter="lower"),
    )

    assert law.at("310105", date(2023, 12, 31)).integer("P03.height_m") == 54
    assert law.at("310105", date(2024, 1, 1)).integer("P03.height_m") == 27


def test_until_is_the_first_day_a_rule_no_longer_binds() -> None:
    law = edition(entry("P10", until=date(2026, 2, 25)))

    assert law.at("310105", date(2026, 2, 24)).asks("P10")
    assert not law.at("310105", date(2026, 2, 25)).asks("P10")


def test_when_a_district_rule_ends_the_wider_one_binds_again() -> None:
    law = edition(entry("F03"), entry("F03", "310000", until=date(2026, 2, 25)))

    before, after = law.at("310105", date(2026, 2, 24)), law.at("310105", date(2026, 2, 25))
    assert before.basis("F03").document == "law of 310000"  # type: ignore[union-attr]  # it is asked
    assert after.basis("F03").document == "law of 100000"  # type: ignore[union-attr]  # it is asked


def test_a_rule_without_an_entry_is_not_asked() -> None:
    assert not edition(entry("F01")).at("310105", FIRST).asks("F02")


def test_a_value_without_a_number_is_missing_and_so_is_one_without_an_entry() -> None:
    law = edition(entry("A09"), entry("A09.gap_days", value=None)).at("310105", FIRST)

    assert law.integer("A09.gap_days") is None
    assert law.day_value("P07.last_day") is None
    assert law.missing == ("A09.gap_days", "P07.last_day")


def test_a_value_that_is_there_is_not_missing() -> None:
    law = LAW.at("310105", date(2024, 6, 12))

    assert law.integer("A13.limit_g") == 60000
    assert law.day_value("P07.last_day") == date(2024, 12, 31)
    assert law.flag("F03.entrusted_allowed") is False
    assert "succession" in law.words("A03.counts")
    assert law.table("F04.interval_months.GB 5842-2006") == {"0": 48}
    assert law.missing == ()


@pytest.mark.parametrize("ask", ["integer", "flag", "day_value", "table"])
def test_a_value_of_the_wrong_kind_is_our_bug_and_said_loudly(ask: str) -> None:
    law = edition(entry("P12.stopping_grades", value=["serious"])).at("310105", FIRST)
    with pytest.raises(TypeError, match=r"P12\.stopping_grades"):
        getattr(law, ask)("P12.stopping_grades")


def test_two_entries_from_the_same_day_in_the_same_place_are_refused() -> None:
    with pytest.raises(ValueError, match="expected one entry"):
        edition(entry("F01"), entry("F01"))


def test_a_rule_is_asked_by_one_word_only() -> None:
    with pytest.raises(ValueError, match="expected value 'refuse'"):
        edition(entry("F01", value="off"))


# --- a district may tighten, never loosen ---------------------------------------------------------


def test_no_place_of_the_folder_loosens_a_wider_place() -> None:
    assert [str(found) for found in LAW.loosenings()] == []


@pytest.mark.parametrize(
    ("tighter", "wider", "looser", "stricter"),
    [
        ("lower", 100, 101, 99),
        ("higher", 30, 29, 31),
        ("true", True, False, True),
        ("false", False, True, False),
        ("fixed", 48, 36, 48),
        ("lower", "2024-12-31", "2025-01-01", "2024-06-30"),
        ("lower", {"0": 48, "144": 36}, {"0": 48, "144": 48}, {"0": 36, "144": 36}),
        ("lower", {"0": 48, "144": 36}, {"0": 48}, {"0": 48, "144": 12}),
        ("higher", ["serious", "major"], ["major"], ["general", "serious", "major"]),
    ],
)
def test_a_looser_district_is_found_and_a_stricter_one_is_not(
    tighter: Tighter, wider: Value, looser: Value, stricter: Value
) -> None:
    nation = entry("X01.value", value=wider, tighter=tighter)

    assert list(edition(nation, entry("X01.value", "310105", looser, tighter=tighter)).loosenings())
    assert not list(edition(nation, entry("X01.value", "310105", stricter, tighter=tighter)).loosenings())


def test_a_district_that_becomes_looser_because_the_nation_tightened_is_found() -> None:
    law = edition(
        entry("A13.limit_g", value=100, tighter="lower"),
        entry("A13.limit_g", value=50, effective=date(2025, 1, 1), tighter="lower"),
        entry("A13.limit_g", "310105", 60, tighter="lower"),
    )
    assert [found.day for found in law.loosenings()] == [date(2025, 1, 1)]


def test_checking_at_the_door_where_the_city_refuses_is_a_loosening() -> None:
    city = replace(entry("P01", "310000"), unknown="refuses")
    district = replace(entry("P01", "310118"), unknown="at_door")

    assert len(list(edition(city, district).loosenings())) == 1


# --- the text that is stored ----------------------------------------------------------------------


def test_the_text_rebuilds_the_edition() -> None:
    again = Edition.from_text(LAW.text)

    assert again.digest == LAW.digest
    assert again.rules == LAW.rules
    assert again.first_day == LAW.first_day


@given(st.permutations(LAW.rules))
def test_the_order_of_entries_in_the_files_does_not_change_the_digest(rules: list[Rule]) -> None:
    assert Edition(LAW.first_day, LAW.places, rules).digest == LAW.digest


def test_every_word_of_an_entry_is_in_the_digest() -> None:
    first, *rest = LAW.rules
    for other in (replace(first, note="changed"), replace(first, until=date(2030, 1, 1))):
        assert Edition(LAW.first_day, LAW.places, [other, *rest]).digest != LAW.digest


def test_a_folder_that_does_not_say_its_first_day_is_refused(tmp_path: Path) -> None:
    (tmp_path / "100000.toml").write_text('place = "100000"\nname = "nation"\nrule = []\n', encoding="utf-8")
    with pytest.raises(ValueError, match="first_day"):
        Edition.load(tmp_path)


# --- the folder itself ----------------------------------------------------------------------------


def test_the_folder_holds_the_nation_the_city_and_three_districts() -> None:
    assert LAW.places.keys() == {"100000", "310000", "310105", "310117", "310118"}


def test_every_entry_says_document_article_and_how_sure_we_are() -> None:
    for rule in LAW.rules:
        assert rule.document, rule.name
        assert rule.article, rule.name
        assert rule.confidence in {"V", "V-open", "V2", "K", "S", "design"}, rule.name
        assert rule.checked >= rule.effective or rule.until, rule.name


def test_what_we_made_ourselves_says_so() -> None:
    for rule in LAW.rules:
        if rule.confidence == "design":
            assert rule.document == "本系统运行规则", rule.name


def test_no_value_stands_without_the_rule_it_belongs_to() -> None:
    codes = {rule.code for rule in LAW.rules if rule.name == rule.code}
    codes.add("check")  # items of the safety check: asked by D05, whose catalogue is in dispatch/safety
    assert {rule.code for rule in LAW.rules} - codes == set()


def test_every_gate_asks_something_from_the_first_day_on() -> None:
    for day in (LAW.first_day, LAW.first_day + timedelta(days=3000)):
        law = LAW.at("310151", day)
        assert all(law.asks(code) for code in ("F01", "A01", "P03", "D01", "R01"))


def test_rules_for_a_place_are_what_binds_there() -> None:
    found = {rule.name: rule for rule in LAW.rules_for("310105", date(2024, 6, 12))}

    assert found["A13.limit_g"].place == "310105"
    assert found["P03.height_m"].place == "100000"
    assert found["A11"].place == "310000"
    assert "P01" not in found


def test_a_table_of_steps_that_does_not_begin_at_nothing_is_refused_by_its_line(tmp_path: Path) -> None:
    """A bottle below its first step would have no value: that is found at load, not at the scale."""
    (tmp_path / "310105.toml").write_text(
        """place = "310105"
name = "x"
first_day = 2021-06-01
checked = 2024-06-12

[document.own]
title = "x"
effective = 2021-06-01
confidence = "design"

[[rule]]
name = "F17.over_g"
value = { 0 = 100, 40000 = 500 }
document = "own"
article = "1"

[[rule]]
name = "F17.under_g"
value = { 14000 = 100 }
document = "own"
article = "1"
"""
    )
    with pytest.raises(ValueError, match=r"310105\.toml, line 17: F17\.under_g: .*begins at 0"):
        Edition.load(tmp_path)
    with pytest.raises(ValueError, match=r"F17\.under_g in 310105: .*begins at 0"):
        edition(entry("F17.under_g", "310105", {"14000": 100}))
    assert edition(entry("F10.words", value={"phase": "vapour"}))

"""What the rulebook must say of every item, and what the catalogue must say of itself."""

from datetime import date

import pytest

from dispatch.safety.catalogue import ITEMS, default_grade, ruling, stopping_grades, worse
from dispatch.safety.models import Grade
from registry.premises_gate import HazardGrade
from rulebook import current
from rulebook.edition import Edition, Law

DAY = date(2024, 6, 12)


@pytest.fixture
def law() -> Law:
    return current().at("310105", DAY)


@pytest.mark.parametrize("item", ITEMS)
def test_the_rulebook_grades_every_item_and_says_whether_it_stops_supply(item: str) -> None:
    for place in ("100000", "310105", "310118"):
        for name in (f"check.{item}.grade", f"check.{item}.blocking"):
            assert current().look(name, place, current().first_day) is not None


def test_the_rulebook_names_no_item_that_the_catalogue_does_not_have() -> None:
    named = {
        rule.name.split(".")[1]
        for rule in current().rules
        if rule.name.startswith("check.") and rule.name.endswith((".grade", ".blocking"))
    }
    assert named == set(ITEMS)


@pytest.mark.parametrize("item", ITEMS)
def test_what_stops_at_the_door_also_stops_the_next_booking(item: str, law: Law) -> None:
    assert ruling(law, item).blocking == (default_grade(law, item) in stopping_grades(law))


def test_a_grade_may_be_raised_and_then_stops_supply(law: Law) -> None:
    assert not ruling(law, "cylinder_upright").blocking
    raised = ruling(law, "cylinder_upright", Grade.SERIOUS)
    assert (raised.grade, raised.blocking) == (Grade.SERIOUS, True)


def test_a_milder_grade_than_the_rulebook_s_counts_for_nothing(law: Law) -> None:
    assert ruling(law, "leak_test", Grade.GENERAL).grade is Grade.MAJOR


def test_the_graver_the_finding_the_sooner_it_is_mended(law: Law) -> None:
    days = [ruling(law, "cylinder_upright", grade).deadline_on for grade in Grade]
    assert days == sorted(days, reverse=True)
    assert days[-1] == DAY


def test_where_the_rulebook_says_nothing_the_finding_is_of_the_worst_kind() -> None:
    nothing = Edition(DAY, {}, []).at("310105", DAY)
    found = ruling(nothing, "cylinder_upright")
    assert (found.grade, found.blocking, found.deadline_on) == (Grade.MAJOR, True, DAY)


def test_grades_are_listed_mildest_first_and_are_those_of_the_premises_gate() -> None:
    assert worse(Grade.GENERAL, Grade.MAJOR) is worse(Grade.MAJOR, Grade.SERIOUS) is Grade.MAJOR
    assert [grade.value for grade in Grade] == [grade.value for grade in HazardGrade]

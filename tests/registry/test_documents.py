"""Numbers of people, firms and vehicles: what cannot be right is refused, what is unusual is only remarked.

No number here is a living person's: they are the standards' own printed examples, or born before 1850, or
from areas that were never assigned.
"""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registry.documents import (
    DocumentKind,
    WrongDocument,
    age_on,
    check_document,
    check_plate,
    check_uscc,
    normalise,
    resident_check_digit,
    uscc_check_character,
)

TODAY = date(2024, 6, 12)
STANDARD_EXAMPLE = "11010519491231002X"  # printed in GB 11643
CARD_SPECIMEN = "911124198108030024"  # printed on the specimen of the 2023 permanent residence card
USCC_EXAMPLE = "91350100M000100Y43"  # printed in GB 32100


def numbered(first_17: str) -> str:
    return first_17 + resident_check_digit(first_17)


def refused_code(kind: str, number: str) -> str:
    with pytest.raises(WrongDocument) as refused:
        check_document(kind, number, TODAY)
    assert refused.value.zh
    assert refused.value.en
    assert len(number) < 6 or number not in f"{refused.value} {refused.value.zh}"
    return refused.value.code


# --- resident ids


def test_the_standards_own_example_is_right() -> None:
    facts = check_document("resident_id", STANDARD_EXAMPLE, TODAY)

    assert (facts.kind, facts.normalised) == (DocumentKind.RESIDENT_ID, STANDARD_EXAMPLE)
    assert facts.born_on == date(1949, 12, 31)
    assert facts.warnings == ()


@pytest.mark.parametrize(
    "written",
    [
        "11010519491231002x",
        "１１０１０５１９４９１２３１００２Ｘ",
        " 110105 19491231 002X ",
        "110105\u300019491231002ｘ",
    ],
    ids=["small x", "full width", "spaces", "ideographic space"],
)
def test_a_number_written_in_another_way_is_the_same_number(written: str) -> None:
    assert check_document("resident_id", written, TODAY).normalised == STANDARD_EXAMPLE


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("", "document.missing"),
        ("  ", "document.missing"),
        ("11010519491231002", "document.shape"),
        ("11010519491231002XX", "document.shape"),
        ("110105491231002", "document.shape"),
        ("1101051949123100XX", "document.shape"),
        ("١١٠١٠٥١٩٤٩١٢٣١٠٠٢X", "document.shape"),
        ("11010519491231002\u0425", "document.shape"),
        ("110105194912310021", "document.check_digit"),
        ("110105194912310920", "document.check_digit"),
        (numbered("31010519990229001"), "document.birth_date"),
        (numbered("31010519991301001"), "document.birth_date"),
        (numbered("31010500000101001"), "document.birth_date"),
        (numbered("31010520990101001"), "document.born_in_future"),
        (numbered("31010520240613001"), "document.born_in_future"),
        (numbered("81000019900101001"), "document.other_kind"),
        (CARD_SPECIMEN, "document.other_kind"),
    ],
)
def test_a_resident_id_that_cannot_be_right_is_refused_by_name(number: str, code: str) -> None:
    assert refused_code("resident_id", number) == code


@pytest.mark.parametrize(
    "first_17",
    ["31099918990101001", "31015118990101001", "31010318990101001", "31022918990101001"],
    ids=["never assigned", "founded 2016", "dissolved 2011", "a county that became a district"],
)
def test_a_county_that_is_not_on_todays_list_does_not_refuse_anybody(first_17: str) -> None:
    assert check_document("resident_id", numbered(first_17), TODAY).born_on == date(1899, 1, 1)


def test_an_unknown_province_is_remarked_and_not_refused() -> None:
    facts = check_document("resident_id", numbered("99010119700101001".replace("9901", "0101", 1)), TODAY)

    assert facts.warnings == ("document.area_unknown",)


def test_an_age_beyond_anybodys_is_remarked_and_not_refused() -> None:
    assert check_document("resident_id", numbered("31019918990101001"), TODAY).warnings == (
        "document.age_unusual",
    )


def test_who_is_born_today_has_a_right_number() -> None:
    assert check_document("resident_id", numbered("31019920240612001"), TODAY).born_on == TODAY


@given(st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(place: int, by: int) -> None:
    wrong = str((int(STANDARD_EXAMPLE[place]) + by) % 10)
    number = STANDARD_EXAMPLE[:place] + wrong + STANDARD_EXAMPLE[place + 1 :]

    with pytest.raises(WrongDocument):
        check_document("resident_id", number, TODAY)


@given(st.text(), st.sampled_from([*DocumentKind, "library card", ""]))
@example("\u0390", "other")
def test_no_text_brings_the_check_down(number: str, kind: str) -> None:
    with suppress(WrongDocument):
        facts = check_document(kind, number, TODAY)
        assert normalise(facts.normalised) == facts.normalised


@given(st.text())
@example("¨¸")
def test_a_normalised_number_stays_as_it_is(number: str) -> None:
    assert normalise(normalise(number)) == normalise(number)


def test_the_number_does_not_show_in_a_repr() -> None:
    assert STANDARD_EXAMPLE not in repr(check_document("resident_id", STANDARD_EXAMPLE, TODAY))


# --- the other kinds


@pytest.mark.parametrize("area", ["810000", "820000", "830000"])
def test_residence_permits_of_hong_kong_macao_and_taiwan_are_right(area: str) -> None:
    facts = check_document("hk_macao_tw_permit", numbered(f"{area}19000101001"), TODAY)

    assert facts.born_on == date(1900, 1, 1)


@pytest.mark.parametrize("number", ["H00000017", "M0000001701", "00000017", "0000001701"])
def test_travel_permits_are_right_and_tell_no_birth(number: str) -> None:
    assert check_document("hk_macao_tw_permit", number, TODAY).born_on is None


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (STANDARD_EXAMPLE, "document.shape"),
        ("X00000017", "document.shape"),
        (numbered("81000019900101001")[:17] + "?", "document.shape"),
        ("810000199001010010", "document.check_digit"),
        (numbered("83000019900230001"), "document.birth_date"),
    ],
)
def test_a_permit_that_cannot_be_right_is_refused(number: str, code: str) -> None:
    assert refused_code("hk_macao_tw_permit", number) == code


def test_the_permanent_residence_card_is_right_in_its_new_and_its_old_form() -> None:
    assert check_document("foreign_pr", CARD_SPECIMEN, TODAY).born_on == date(1981, 8, 3)
    assert check_document("foreign_pr", "usa310000000017", TODAY).normalised == "USA310000000017"
    assert check_document("foreign_pr", "USA310000000017", TODAY).born_on is None


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (STANDARD_EXAMPLE, "document.shape"),
        (CARD_SPECIMEN[:17] + "5", "document.check_digit"),
        ("US31000000001", "document.shape"),
    ],
)
def test_a_permanent_residence_card_that_cannot_be_right_is_refused(number: str, code: str) -> None:
    assert refused_code("foreign_pr", number) == code


@pytest.mark.parametrize("number", ["E00000017", "123456789", "ab 1234 567"])
def test_a_passport_is_letters_and_digits(number: str) -> None:
    assert check_document("passport", number, TODAY).normalised == number.replace(" ", "").upper()


@pytest.mark.parametrize("number", ["E123", "A" * 21, "E1234567;", "NODIGITS", "护照12345"])
def test_a_passport_in_another_form_is_refused(number: str) -> None:
    assert refused_code("passport", number) == "document.shape"


def test_any_other_document_is_taken_as_it_is() -> None:
    assert check_document("other", "样字第0017号", TODAY).normalised == "样字第0017号"
    assert refused_code("other", "A") == "document.shape"
    assert refused_code("other", "A\x00B") == "document.shape"


def test_an_unknown_kind_is_refused_by_name() -> None:
    assert refused_code("library_card", STANDARD_EXAMPLE) == "document.unknown_kind"


# --- age


@pytest.mark.parametrize(
    ("born_on", "day", "years"),
    [
        (date(2006, 6, 12), date(2024, 6, 11), 17),
        (date(2006, 6, 12), date(2024, 6, 12), 18),
        (date(2004, 2, 29), date(2022, 2, 28), 17),
        (date(2004, 2, 29), date(2022, 3, 1), 18),
        (date(2004, 2, 29), date(2024, 2, 29), 20),
        (date(2024, 6, 12), date(2024, 6, 12), 0),
    ],
)
def test_age_is_counted_in_completed_years(born_on: date, day: date, years: int) -> None:
    assert age_on(born_on, day) == years


def test_nobody_has_an_age_before_birth() -> None:
    with pytest.raises(ValueError, match="on or after the birth"):
        age_on(date(2024, 6, 13), date(2024, 6, 12))


# --- firms


def test_the_credit_code_of_the_standard_is_right() -> None:
    assert check_uscc(USCC_EXAMPLE) == USCC_EXAMPLE
    assert check_uscc("９１３５０１００m000100y43") == USCC_EXAMPLE


@pytest.mark.parametrize(
    "department", ["A1", "N2", "92"], ids=["letter and digit", "rural collective", "individual"]
)
def test_a_department_letter_is_right(department: str) -> None:
    first_17 = f"{department}310199MA0000017"

    assert check_uscc(first_17 + uscc_check_character(first_17)).startswith(department)


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        ("", "uscc.shape"),
        (USCC_EXAMPLE[:17], "uscc.shape"),
        ("91350100I000100Y43", "uscc.shape"),
        ("9135O100M000100Y43", "uscc.shape"),
        ("91350100M000100Y44", "uscc.check_character"),
        ("19350100M000100Y43", "uscc.check_character"),
    ],
)
def test_a_credit_code_that_cannot_be_right_is_refused(code: str, refusal: str) -> None:
    with pytest.raises(WrongDocument) as refused:
        check_uscc(code)
    assert refused.value.code == refusal


@given(st.text())
def test_no_text_brings_the_credit_code_check_down(code: str) -> None:
    with pytest.raises(WrongDocument):
        check_uscc(code + "!")


# --- plates


@pytest.mark.parametrize("plate", ["沪A·00017", "沪a 00017", "沪Ａ-００017"])
def test_a_plate_is_stored_in_one_way(plate: str) -> None:
    assert check_plate(plate, motor=True).normalised == "沪A00017"
    assert check_plate(plate, motor=True).warnings == ()


def test_a_new_energy_plate_has_six_marks() -> None:
    assert check_plate("沪AD00017", motor=True).warnings == ()


@pytest.mark.parametrize("plate", ["沪AI0017", "沪A0O017", "12345", "沪A0001"])
def test_an_unusual_motor_plate_is_remarked_and_not_refused(plate: str) -> None:
    assert check_plate(plate, motor=True).warnings == ("plate.unusual",)


def test_a_plate_without_a_motor_may_have_any_form() -> None:
    assert check_plate("长宁样例017", motor=False).warnings == ()


@pytest.mark.parametrize("plate", ["", " · ", "A" * 21, "沪A;DROP"])
def test_what_is_no_plate_at_all_is_refused(plate: str) -> None:
    with pytest.raises(WrongDocument):
        check_plate(plate, motor=True)

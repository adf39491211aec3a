"""What a scanner reads, and the check symbol of our own codes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cylinders.code import (
    ALPHABET,
    MOST_SYMBOLS,
    RANDOM_SYMBOLS,
    check_symbol,
    classify,
    is_well_formed,
    new_code,
)
from cylinders.models import Scheme

CODE = "31XBW3A0A88K"  # the same in every test process
bodies = st.text(ALPHABET, min_size=RANDOM_SYMBOLS, max_size=RANDOM_SYMBOLS)


def test_the_check_symbol_is_that_of_iso_7064_mod_37_2() -> None:
    """The example of a blood donation number that the standard's users print: G1234 89 654321 Y."""
    assert check_symbol("G123489654321") == "Y"


@pytest.mark.parametrize(
    "scanned",
    [
        CODE,
        CODE.lower(),
        f"  {CODE}\r\n",
        f"{CODE[:4]}-{CODE[4:8]} {CODE[8:]}",
        "".join(chr(ord(symbol) + 0xFEE0) for symbol in CODE),
        f"HTTPS://LPG.EXAMPLE/C/{CODE}",
        f"https://lpg.example/c/{CODE.lower()}/0a1b2c3d4e5f6",
        f"HtTpS://lpg.example:8443/C/{CODE}/",
        f"\u202e{CODE}\u202c",
        f"\ufeff{CODE}\x1d",
    ],
)
def test_our_code_is_read_in_any_case_and_width_bare_or_from_its_label(scanned: str) -> None:
    read = classify(scanned)
    assert (read.code, read.scheme, read.readable) == (CODE, Scheme.PLATFORM, True)


@pytest.mark.parametrize("scanned", ["31YLA000123", "331YLA000123", "31yla000123", "31-YLA-000123"])
def test_a_use_registration_code_is_read_with_and_without_its_kind(scanned: str) -> None:
    assert classify(scanned).code == "31YLA000123"
    assert classify(scanned).scheme is Scheme.USE_REGISTRATION


def test_a_makers_mark_is_read_by_its_pattern() -> None:
    assert classify("https://id.maker.example/8003/06901234567892A17").scheme is Scheme.MAKER
    assert classify("https://maker.example/gp/YL0001234").code == "MAKER.EXAMPLE/GP/YL0001234"


@pytest.mark.parametrize(
    "scanned",
    [
        "WIFI:T:WPA;S:home;P:secret;;",
        "upi://pay?pa=someone@bank",
        "http://example.com/",
        "https://example.com/C/",
        "https://example.com/C/HELLO",
        "😀" * 500,
        "x" * MOST_SYMBOLS,
        "床前明月光",
        "A1234",
        "BEGIN:VCARD\nFN:Somebody\nEND:VCARD",
        "'; DROP TABLE cylinder; --",
    ],
)
def test_foreign_contents_are_nothing_of_ours(scanned: str) -> None:
    read = classify(scanned)
    assert read.scheme is None
    assert read.readable


@pytest.mark.parametrize("scanned", ["", "   ", "\r\n", "\u202e\u202c", "\ud800", "\x00"])
def test_an_empty_scan_is_unreadable(scanned: str) -> None:
    assert not classify(scanned).readable


def test_our_label_with_a_wrong_check_symbol_is_unreadable() -> None:
    wrong = CODE[:-1] + next(symbol for symbol in ALPHABET if symbol != CODE[-1])
    read = classify(f"HTTPS://LPG.EXAMPLE/C/{wrong}")
    assert (read.scheme, read.readable) == (Scheme.PLATFORM, False)
    assert classify(wrong).scheme is not Scheme.PLATFORM


@given(st.text(max_size=MOST_SYMBOLS))
def test_no_text_is_an_error_and_what_comes_back_can_be_stored(text: str) -> None:
    read = classify(text)
    assert "\x00" not in read.code
    read.code.encode("utf-8")
    assert len(read.on_record) <= 80
    assert read.on_record.isascii()


def test_the_contents_of_a_strangers_code_are_not_put_on_record() -> None:
    assert "Somebody" not in classify("BEGIN:VCARD\nFN:Somebody\nEND:VCARD").on_record
    assert classify("yl0001234").on_record == "YL0001234"


def test_a_thousand_new_codes_are_well_formed_and_all_different() -> None:
    codes = [new_code() for _ in range(1000)]
    assert len(set(codes)) == 1000
    assert all(is_well_formed(code) and set(code) <= set(ALPHABET) for code in codes)
    assert all(classify(code).scheme is Scheme.PLATFORM for code in codes)


@settings(deadline=None)
@given(bodies, st.integers(0, RANDOM_SYMBOLS), st.sampled_from(ALPHABET))
def test_any_one_wrong_symbol_is_found(body: str, place: int, symbol: str) -> None:
    code = body + check_symbol(body)
    wrong = code[:place] + symbol + code[place + 1 :]
    assert wrong == code or not is_well_formed(wrong)


@settings(deadline=None)
@given(bodies, st.integers(0, RANDOM_SYMBOLS - 1))
def test_any_two_neighbours_swapped_are_found(body: str, place: int) -> None:
    code = body + check_symbol(body)
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert swapped == code or not is_well_formed(swapped)

"""Makers' marks as the operator writes them: what they read, and that none can be hostile."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.config import WrongSetting
from cylinders import marks
from cylinders.code import MOST_SYMBOLS, classify
from cylinders.models import Scheme

OWN = """
[[mark]]
issuer = "Example Cylinder Works"
address = "qr.works.example/b?c={serial:6-20}&v=1"
keep = "works.example/{serial}"

[[mark]]
issuer = "a city's platform"
address = "{host}/t/{digits:8}{serial:4-12}.html"
keep = "city/{digits}{serial}"
"""


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "marks.toml").write_text(OWN, encoding="utf-8")
    marks.use(tmp_path)
    yield tmp_path
    marks.use(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("scanned", "code"),
    [
        ("https://qr.works.example/b?c=YL-000123&v=1", "WORKS.EXAMPLE/YL-000123"),
        ("HTTP://QR.WORKS.EXAMPLE/B?C=yl-000123&V=1", "WORKS.EXAMPLE/YL-000123"),
        (
            "ｈｔｔｐｓ：／／ｑｒ．ｗｏｒｋｓ．ｅｘａｍｐｌｅ／ｂ？ｃ＝ＹＬ０００１２３＆ｖ＝１",
            "WORKS.EXAMPLE/YL000123",
        ),
        ("\ufeffhttps://qr.works.example/b?c=YL000123&v=1\r\n", "WORKS.EXAMPLE/YL000123"),
        ("https://any.host.example:8443/t/20240612AB-1.html", "CITY/20240612AB-1"),
        ("https://id.maker.example/8003/06901234567892A17", "8003/06901234567892A17"),
        ("http://maker.example/qp/YL0001234/", "MAKER.EXAMPLE/QP/YL0001234"),
    ],
)
def test_a_mark_is_read_as_its_issuer_writes_it(own: Path, scanned: str, code: str) -> None:
    read = classify(scanned)
    assert (read.code, read.scheme) == (code, Scheme.MAKER)


@pytest.mark.parametrize(
    "scanned",
    [
        "https://qr.works.example/b?c=YL-1&v=1",
        "https://qr.works.example/b?c=YL-000123",
        "https://qr.works.example/b?c=YL 000123&v=1",
        "https://qr.works.example/b?c=YL-000123&v=1&w=2",
        "https://qr.works.example.evil/b?c=YL-000123&v=1",
        "https://qrXworks.example/b?c=YL-000123&v=1",
        "ftp://qr.works.example/b?c=YL-000123&v=1",
        "https://any.host.example/t/2024061ABCD.html",
        "https://a/b/t/20240612ABCD.html",
        "https://one\nhttps://any.host.example/t/20240612ABCD.html",
    ],
)
def test_what_only_looks_like_a_mark_is_none(own: Path, scanned: str) -> None:
    assert classify(scanned).scheme is None


def test_without_the_operators_file_only_the_marks_that_came_along_are_known(tmp_path: Path) -> None:
    marks.use(tmp_path)
    assert classify("https://qr.works.example/b?c=YL-000123&v=1").scheme is None
    assert classify("https://maker.example/gp/YL0001234").scheme is Scheme.MAKER


@pytest.mark.parametrize(
    ("address", "keep", "said"),
    [
        ("(a+)+{serial:6-40}", "x", "the whole number"),
        ("{host}/b/{serial:1-40}{digits:1-9}", "{serial}{digits}", "to be followed"),
        ("x.example/{serial:1-40}a{digits:3}", "{serial}{digits}", "to be followed"),
        ("{host}.cn/{serial:1-40}", "{serial}", "{host} to be followed"),
        ("x.example/{serial:1-400}", "{serial}", "1 to 80"),
        ("x.example/{serial:9-2}", "{serial}", "1 to 80"),
        ("x.example/{serial}", "{serial}", "expected {host}, {digits:14}"),
        ("x.example/{poem:3}", "{poem}", "expected {host}, {digits:14}"),
        ("x.example/{serial:3}/{serial:4}", "{serial}", "each kind of hole once"),
        ("{host}/always/the/same", "{host}", "own number"),
        ("x.example/{serial:3-9}", "{digits}", "holes of the address only"),
        ("x.example/{serial:3-9}", "{serial.__class__}", "holes of the address"),
        ("https://x.example/{serial:3-9}", "{serial}", "without its https://"),
        ("x.example/ {serial:3-9}", "{serial}", "visible ASCII"),
        ("x.example/{serial:3-9", "x", "visible ASCII"),
        ("", "{serial}", "texts of 1 to"),
    ],
)
def test_a_mark_that_could_be_misread_stops_the_start_and_is_named(
    tmp_path: Path, address: str, keep: str, said: str
) -> None:
    file = tmp_path / "marks.toml"
    file.write_text(f'[[mark]]\nissuer = "m"\naddress = "{address}"\nkeep = "{keep}"\n', encoding="utf-8")
    with pytest.raises(WrongSetting) as wrong:
        marks.use(tmp_path)
    assert str(wrong.value).startswith(f"{file}: mark 1: ")
    assert said in str(wrong.value)
    assert classify("https://maker.example/gp/YL0001234").scheme is Scheme.MAKER


@pytest.mark.parametrize(
    "text", ["[[mark", "marks = 3", "mark = 3", "mark = [3]", "[[mark]]\nissuer = 7", "\x00"]
)
def test_a_file_that_is_no_list_of_marks_stops_the_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "marks.toml").write_text(text, encoding="utf-8")
    with pytest.raises(WrongSetting):
        marks.use(tmp_path)


def test_no_scan_takes_long_whatever_is_held_before_the_scanner(tmp_path: Path) -> None:
    """A hundred marks, each with as many holes as it may have, and texts made to be nearly right."""
    row = '[[mark]]\nissuer = "m"\naddress = "{{host}}/{0}/{{digits:1-80}}/{{serial:1-80}}/{{text:1-80}}!"\n'
    keep = 'keep = "{digits}{serial}{text}"\n'
    (tmp_path / "marks.toml").write_text(
        "".join(row.format(number) + keep for number in range(100)), encoding="utf-8"
    )
    marks.use(tmp_path)
    hostile = ["https://" + "a" * 500, "https://a/1/" + "1" * 499, "https://a/1/1/1/" + "-" * 490]
    try:
        began = time.thread_time()
        for text in hostile * 10:
            assert classify(text[:MOST_SYMBOLS]).scheme is None
        assert (time.thread_time() - began) / 30 < 0.02
    finally:
        marks.use(tmp_path / "nowhere")


def test_what_is_longer_than_a_code_can_be_is_unreadable() -> None:
    assert not classify("x" * (MOST_SYMBOLS + 1)).readable
    assert not classify("\u200b" * 600 + "31XBW3A0A88K").readable


@pytest.mark.parametrize(
    "scanned",
    ["E2 00 34 12 01 23 45 67 89 AB CD EF", "e2003412:0123:4567:89ab:cdef", "E200341201234567\n89ABCDEF"],
)
def test_what_a_tag_answers_a_gun_is_a_code(scanned: str) -> None:
    read = classify(scanned)
    assert (read.code, read.scheme) == ("E20034120123456789ABCDEF", Scheme.RFID)


@pytest.mark.parametrize("scanned", ["E200-3412", "6222021234567890", "E200341201234567", "E2" * 40])
def test_other_hexadecimal_is_no_tag(scanned: str) -> None:
    assert classify(scanned).scheme is not Scheme.RFID

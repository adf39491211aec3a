"""Numbers that prove who somebody is: resident ids and their kin, firms' credit codes, plates.

    check_document   a person's document, by kind
    check_uscc       a firm's unified social credit code 统一社会信用代码
    check_plate      a vehicle's plate: never refused for its form, only warned about

A number that cannot be right is a ``WrongDocument`` with a stable code and both languages; one that is only
unusual comes back with warnings. Our own checks, because a library's that knew every county refused people
whose county was founded or dissolved, and answered unassigned ones with an error of its own.

Sources: GB 11643 (resident id), GB 32100 (credit code), GA 36 (plates). The forms of travel permits and of
the older permanent-residence card are common knowledge, not read in a standard: they are checked loosely.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class DocumentKind(StrEnum):
    RESIDENT_ID = "resident_id"
    HK_MACAO_TW_PERMIT = "hk_macao_tw_permit"
    FOREIGN_PR = "foreign_pr"
    PASSPORT = "passport"
    OTHER = "other"


class WrongDocument(ValueError):
    """A number that cannot be right. The message never repeats the number."""

    def __init__(self, code: str, zh: str, en: str):
        self.code, self.zh, self.en = code, zh, en
        super().__init__(en)


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """``normalised`` is how the number is stored and indexed; ``born_on`` only where the number says it."""

    kind: DocumentKind
    normalised: str
    born_on: date | None = None
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"DocumentFacts({self.kind}, …)"


@dataclass(frozen=True, slots=True)
class PlateFacts:
    normalised: str
    warnings: tuple[str, ...] = ()


def check_document(kind: DocumentKind | str, number: str, today: date) -> DocumentFacts:
    """The facts of a document, or ``WrongDocument``. ``today`` bounds the date of birth."""
    try:
        known = DocumentKind(kind)
    except ValueError:
        raise WrongDocument("document.unknown_kind", "证件类型不认识", "unknown kind of document") from None
    normalised = normalise(number)
    if not normalised:
        raise WrongDocument("document.missing", "缺少证件号码", "the document number is missing")
    return _CHECKS[known](normalised, today)


def normalise(number: str) -> str:
    """As stored: NFKC (full-width digits become plain ones), capitals, without spaces."""
    capitals = "".join(unicodedata.normalize("NFKC", number).upper().split())
    # Once more, because letters with accents may come apart as capitals, or meet when a space goes.
    return unicodedata.normalize("NFKC", capitals)


def age_on(born_on: date, day: date) -> int:
    """Completed years. Who was born on 29 February is a year older on 1 March of a common year."""
    if day < born_on:
        raise ValueError("expected a day on or after the birth")
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


def resident_check_digit(first_17: str) -> str:
    """The 18th character of a resident id (GB 11643, ISO 7064 MOD 11-2)."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(first_17, weights, strict=True))
    return "10X98765432"[total % 11]


def uscc_check_character(first_17: str) -> str:
    """The 18th character of a unified social credit code (GB 32100)."""
    total = sum(_USCC_ALPHABET.index(mark) * pow(3, place, 31) for place, mark in enumerate(first_17))
    return _USCC_ALPHABET[-total % 31]


def check_uscc(code: str) -> str:
    """The credit code as stored, or ``WrongDocument``. Letters may stand among the first eight marks."""
    normalised = normalise(code)
    if not _USCC.fullmatch(normalised):
        raise WrongDocument(
            "uscc.shape",
            "统一社会信用代码应为18位,第3至8位是数字,不用 I、O、S、V、Z",
            "expected 18 marks, digits in places 3 to 8, none of I O S V Z",
        )
    if uscc_check_character(normalised[:17]) != normalised[17]:
        raise WrongDocument(
            "uscc.check_character", "统一社会信用代码校验位不符", "the check character does not match"
        )
    return normalised


def check_plate(plate: str, *, motor: bool) -> PlateFacts:
    """The plate as stored. Cities give non-motor plates in forms of their own, so form only warns."""
    normalised = re.sub(r"[\s·.•-]", "", unicodedata.normalize("NFKC", plate).upper())
    if not 1 <= len(normalised) <= 20 or not normalised.isalnum():
        raise WrongDocument("plate.shape", "号牌应为文字和数字", "expected letters and digits, at most 20")
    is_usual = not motor or _MOTOR_PLATE.fullmatch(normalised)
    return PlateFacts(normalised, () if is_usual else ("plate.unusual",))


# --------------------------------------------------------------------------------------------------------
# One check per kind of document


def _resident_id(number: str, today: date) -> DocumentFacts:
    if not _EIGHTEEN.fullmatch(number):
        raise WrongDocument(
            "document.shape",
            "居民身份证号码应为18位:17位数字加一位数字或X",
            "expected 18 marks: 17 digits, then a digit or X",
        )
    if number.startswith((*_PERMIT_AREAS, "9")):
        raise WrongDocument(
            "document.other_kind",
            "这是港澳台居民居住证或外国人永久居留身份证号码,请改选证件类型",
            "this is the number of a residence permit or of a foreigner's permanent residence card",
        )
    born_on = _birth_in(number, today)
    return _facts(
        DocumentKind.RESIDENT_ID, number, born_on, today, is_area_known=bool(_PROVINCE.match(number))
    )


def _hk_macao_tw_permit(number: str, today: date) -> DocumentFacts:
    if _EIGHTEEN.fullmatch(number) and number.startswith(_PERMIT_AREAS):
        return _facts(DocumentKind.HK_MACAO_TW_PERMIT, number, _birth_in(number, today), today)
    if _TRAVEL_PERMIT.fullmatch(number):
        return DocumentFacts(DocumentKind.HK_MACAO_TW_PERMIT, number)
    raise WrongDocument(
        "document.shape",
        "应为以810000、820000或830000开头的18位居住证号码,或来往内地(大陆)通行证号码",
        "expected a residence permit of 18 marks from 810000, 820000 or 830000, or a travel permit number",
    )


def _foreign_pr(number: str, today: date) -> DocumentFacts:
    if _EIGHTEEN.fullmatch(number) and number.startswith("9"):
        return _facts(DocumentKind.FOREIGN_PR, number, _birth_in(number, today), today)
    if _OLD_FOREIGN_PR.fullmatch(number):
        return DocumentFacts(DocumentKind.FOREIGN_PR, number)
    raise WrongDocument(
        "document.shape",
        "应为以9开头的18位号码,或3个字母加12位数字",
        "expected 18 marks from 9, or three letters and twelve digits",
    )


def _passport(number: str, _: date) -> DocumentFacts:
    if not _PASSPORT.fullmatch(number) or number.isalpha():
        raise WrongDocument(
            "document.shape", "护照号码应为5至20位字母和数字", "expected 5 to 20 letters and digits"
        )
    return DocumentFacts(DocumentKind.PASSPORT, number)


def _other(number: str, _: date) -> DocumentFacts:
    if not 2 <= len(number) <= 40 or not number.isprintable():
        raise WrongDocument("document.shape", "证件号码应为2至40个字符", "expected 2 to 40 characters")
    return DocumentFacts(DocumentKind.OTHER, number)


_CHECKS: dict[DocumentKind, Callable[[str, date], DocumentFacts]] = {
    DocumentKind.RESIDENT_ID: _resident_id,
    DocumentKind.HK_MACAO_TW_PERMIT: _hk_macao_tw_permit,
    DocumentKind.FOREIGN_PR: _foreign_pr,
    DocumentKind.PASSPORT: _passport,
    DocumentKind.OTHER: _other,
}


def _birth_in(number: str, today: date) -> date:
    """The date of birth in an 18-mark number whose check digit is right."""
    if resident_check_digit(number[:17]) != number[17]:
        raise WrongDocument("document.check_digit", "证件号码校验位不符", "the check digit does not match")
    try:
        born_on = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise WrongDocument(
            "document.birth_date", "证件号码中的出生日期不存在", "the date of birth in it does not exist"
        ) from None
    if born_on > today:
        raise WrongDocument(
            "document.born_in_future",
            "证件号码中的出生日期在将来",
            "the date of birth in it is still to come",
        )
    return born_on


def _facts(
    kind: DocumentKind, number: str, born_on: date, today: date, *, is_area_known: bool = True
) -> DocumentFacts:
    warnings = []
    if not is_area_known:
        warnings.append("document.area_unknown")
    if age_on(born_on, today) > _OLDEST_EXPECTED:
        warnings.append("document.age_unusual")
    return DocumentFacts(kind, number, born_on, tuple(warnings))


# ``[0-9]``, never ``\d``, which takes the digits of every script.
_EIGHTEEN = re.compile(r"[0-9]{17}[0-9X]")
_PERMIT_AREAS = ("810000", "820000", "830000")
_TRAVEL_PERMIT = re.compile(r"[HM][0-9]{8}(?:[0-9]{2})?|[0-9]{8}(?:[0-9]{2})?")
_OLD_FOREIGN_PR = re.compile(r"[A-Z]{3}[0-9]{12}")
_PASSPORT = re.compile(r"[A-Z0-9]{5,20}")
_OLDEST_EXPECTED = 120

# GB/T 2260, province part. Counties are founded and dissolved and a number keeps the one of its day, so
# nothing finer is judged.
_PROVINCE = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]")

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC = re.compile(rf"[{_USCC_ALPHABET}]{{2}}[0-9]{{6}}[{_USCC_ALPHABET}]{{10}}")
_MOTOR_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][A-HJ-NP-Z0-9]{5,6}"
)

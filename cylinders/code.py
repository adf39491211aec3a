"""What a scanner reads: our labels, our bare codes, use-registration codes, makers' own marks, or anything.

    HTTPS://<host>/C/<code>[/<tag>]   our label, in any letter case; the tag is checked on the public page
    <code>                            the same code typed by hand: eleven symbols and a check symbol
    [3]31ABC000123                    气瓶使用登记代码: province, filling unit, serial; 3 is the kind (LPG)
    https://…                         a maker's electronic mark (GB 5842-2023), as cylinders/marks.py says
    E2 00 34 12 …                     what an RFID tag answers a gun that reads it: hexadecimal digits

A bottle may carry somebody else's mark, and a scanner may be held against anything: a payment code, a web
page, a poem. None of that is an error. ``classify`` never raises; of what is longer than 512 symbols nothing
can be made out.
"""

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from operator import getitem

from cylinders.marks import marks
from cylinders.models import Scheme

MOST_SYMBOLS = 512

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""32 letters and digits without I, L, O and U, which are misread or make words."""

RANDOM_SYMBOLS = 11
_CHECKED = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*"
_VALUES = {symbol: value for value, symbol in enumerate(_CHECKED)}
_SYMBOLS = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))
"""A random byte's symbol; each symbol stands for as many bytes as any other."""

_WEIGHED = [
    [_VALUES[chr(symbol)] * 2 ** (RANDOM_SYMBOLS - 1 - place) for symbol in _SYMBOLS]
    for place in range(RANDOM_SYMBOLS)
]
"""What a random byte adds to the check sum of ISO 7064 at each of the symbols' places."""

_LABEL = re.compile(r"https?://[^/?#\s]+/c/([^/?#\s]+)(?:/([0-9a-z]+))?/?", re.IGNORECASE)
_OURS = re.compile(f"[{ALPHABET}]{{{RANDOM_SYMBOLS + 1}}}")
_USE_REGISTRATION = re.compile(r"3?([1-8][0-9][0-9A-Z]{3}[0-9A-Z][0-9]{5})")
_RFID = re.compile(r"E0[0-9A-F]{14}|[0-9A-F]{24}|[0-9A-F]{32}")
_SPACED = re.compile(r"[\s-]")
_SPACED_CHIP = re.compile(r"[\s:]")
_LIKE_A_STAMP = re.compile(r"[0-9A-Z][0-9A-Z.-]{2,39}")


@dataclass(frozen=True, slots=True)
class Scanned:
    """A scanned text in its normal form. ``scheme`` None: no form of ours, it may still be on file.

    ``readable`` is false where nothing could be made out: an empty text, or one of our own codes whose
    check symbol is wrong.
    """

    code: str
    scheme: Scheme | None
    readable: bool = True

    @property
    def on_record(self) -> str:
        """As it may stand in an entry or a log: a bottle's code itself; of any other text only its hash.

        A payment code or a visiting card held before the scanner is nobody's bottle and somebody's data.
        """
        if self.scheme is not None or _LIKE_A_STAMP.fullmatch(self.code):
            return self.code
        return "sha256:" + hashlib.sha256(self.code.encode()).hexdigest()


def classify(text: str) -> Scanned:
    """What was scanned; identifiers are filed in this same form. Full-width letters and stray blanks are
    set right, the rest is left as it was."""
    read = _cleaned(text[:MOST_SYMBOLS])
    if len(text) > MOST_SYMBOLS:
        return Scanned(read, None, readable=False)
    is_address = "://" in read
    label = _LABEL.fullmatch(read) if is_address else None
    if label:
        code = label[1].upper()
        if _OURS.fullmatch(code):
            return Scanned(code, Scheme.PLATFORM, readable=is_well_formed(code))
    bare = _SPACED.sub("", read).upper()
    registration = _USE_REGISTRATION.fullmatch(bare)
    if registration:
        return Scanned(registration[1], Scheme.USE_REGISTRATION)
    if _OURS.fullmatch(bare) and is_well_formed(bare):
        return Scanned(bare, Scheme.PLATFORM)
    chip = _SPACED_CHIP.sub("", read).upper()
    if _RFID.fullmatch(chip):
        return Scanned(chip, Scheme.RFID)
    for mark in marks() if is_address else ():
        if (found := mark.read(read)) is not None:
            return Scanned(found, Scheme.MAKER)
    as_stamped = read.upper() if _LIKE_A_STAMP.fullmatch(read.upper()) else read
    return Scanned(as_stamped, None, readable=bool(read))


def label_parts(text: str) -> tuple[str, str | None] | None:
    """Code and tag of our own label, or the code alone as it was typed; None where it is neither."""
    read = classify(text)
    if read.scheme is not Scheme.PLATFORM or not read.readable:
        return None
    label = _LABEL.fullmatch(_cleaned(text))
    return read.code, label[2].upper() if label and label[2] else None


def in_symbols(value: int, length: int) -> str:
    """A number in our alphabet, five bits a symbol."""
    symbols = ""
    for _ in range(length):
        value, left = divmod(value, len(ALPHABET))
        symbols = ALPHABET[left] + symbols
    return symbols


def from_symbols(symbols: str) -> int:
    """The number again; ValueError where a symbol is none of ours."""
    value = 0
    for symbol in symbols:
        value = value * len(ALPHABET) + ALPHABET.index(symbol)
    return value


def is_well_formed(code: str) -> bool:
    """Is this a platform code, by its alphabet and its check symbol?"""
    return bool(_OURS.fullmatch(code)) and not _USE_REGISTRATION.fullmatch(code) and _remainder(code) == 1


def new_code() -> str:
    """A fresh platform code, not sequential."""
    return next(new_codes(1))


def new_codes(count: int) -> Iterator[str]:
    """So many fresh codes; for all of them chance is asked in one go, and once more for those thrown away.

    One whose check symbol would be I, L, O, U or * is thrown away, and so is one that could be taken for a
    use-registration code.
    """
    missing = count
    while missing:
        chance = secrets.token_bytes(RANDOM_SYMBOLS * missing)
        bodies = chance.translate(_SYMBOLS).decode()
        for at in range(0, len(chance), RANDOM_SYMBOLS):
            remainder = sum(map(getitem, _WEIGHED, chance[at : at + RANDOM_SYMBOLS]))
            code = bodies[at : at + RANDOM_SYMBOLS] + _CHECKED[(1 - 2 * remainder) % 37]
            if _OURS.fullmatch(code) and not _USE_REGISTRATION.fullmatch(code):
                missing -= 1
                yield code


def check_symbol(body: str) -> str:
    """ISO 7064 MOD 37-2: finds every single wrong symbol and every swap of neighbours."""
    return _CHECKED[(1 - 2 * _remainder(body)) % 37]


def _remainder(symbols: str) -> int:
    """Of ISO 7064 MOD 37-2; 1 for a code that ends in its check symbol."""
    sum_so_far = 0
    for symbol in symbols:
        sum_so_far = (2 * sum_so_far + _VALUES[symbol]) % 37
    return sum_so_far


def _cleaned(text: str) -> str:
    """NFKC, trimmed, without control and formatting symbols (a scanner's separators, marks of direction)."""
    if text.isascii() and text.isprintable():
        return text.strip()
    kept = "".join(
        symbol
        for symbol in unicodedata.normalize("NFKC", text)
        if unicodedata.category(symbol) not in _SILENT
    )
    return kept.strip()


_SILENT = ("Cc", "Cf", "Cs")

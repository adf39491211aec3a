"""Makers' and other issuers' marks: what their QR codes look like, as the operator writes it down.

    [[mark]]
    issuer = "a maker"                               who puts it on bottles; for people only
    address = "qr.maker.example/b?c={serial:6-20}"   the address without its https://, with holes
    keep = "maker.example/{serial}"                  the identifier it is filed as, in capitals

A hole is filled by symbols of one kind, as many as it says:

    {host}          any host           {serial:6-40}   letters, digits and -
    {digits:14}     digits             {text:1-16}     letters, digits and . _ % -

Nobody writes a regular expression. It is made from the template, and a template whose expression could be
read in two ways (a hole next to a hole, or next to a symbol that the hole itself may hold) is refused: what
remains is matched in one pass, whatever is held before the scanner (docs/adr/0014).
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from core.config import WrongSetting

SHIPPED = Path(__file__).with_name("marks.toml")
OPERATORS = "marks.toml"
MOST_MARKS = 100
LONGEST_TEMPLATE = 200
LONGEST_HOLE = 80

_SYMBOLS = {
    "host": "0-9A-Za-z.:_-",
    "digits": "0-9",
    "serial": "0-9A-Za-z-",
    "text": "0-9A-Za-z._%-",
}
_ANY_HOST = (1, 253)
_HOLE = re.compile(r"\{([a-z]+)(?::([0-9]{1,3})(?:-([0-9]{1,3}))?)?\}")
_PLAIN = re.compile(r"[!-z|~]*")
_KEPT_HOLE = re.compile(r"\{([a-z]+)\}")


@dataclass(frozen=True, slots=True)
class Mark:
    """One issuer's mark, ready to be looked for."""

    issuer: str
    looks: re.Pattern[str]
    keep: str

    def read(self, text: str) -> str | None:
        """The identifier in this text, in capitals; None if it is no mark of this kind."""
        found = self.looks.fullmatch(text)
        return self.keep.format_map(found.groupdict()).upper() if found else None


class _Wrong(Exception):
    """What is wrong with a mark, in a few words."""


def load(path: Path) -> tuple[Mark, ...]:
    """The marks of a file. ``WrongSetting`` names the file, the mark and what was expected."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WrongSetting(f"{path}: expected a TOML file of marks: {error}") from None
    rows = table.get("mark", [])
    if set(table) - {"mark"} or not isinstance(rows, list) or len(rows) > MOST_MARKS:
        raise WrongSetting(f"{path}: expected nothing but at most {MOST_MARKS} [[mark]]")
    found = []
    for number, row in enumerate(rows, start=1):
        try:
            found.append(_mark(row))
        except _Wrong as wrong:
            raise WrongSetting(f"{path}: mark {number}: {wrong}") from None
    return tuple(found)


def _mark(row: Any) -> Mark:
    if not isinstance(row, Mapping) or set(row) != {"issuer", "address", "keep"}:
        raise _Wrong("expected issuer, address and keep")
    if not all(isinstance(said, str) and 0 < len(said) <= LONGEST_TEMPLATE for said in row.values()):
        raise _Wrong(f"expected texts of 1 to {LONGEST_TEMPLATE} symbols")
    pieces = _pieces(row["address"])
    names = [piece.name for piece in pieces if isinstance(piece, Hole)]
    if len(set(names)) != len(names) or not set(names) - {"host"}:
        raise _Wrong("expected a bottle's own number, each kind of hole once")
    kept = _KEPT_HOLE.findall(row["keep"])
    if not _PLAIN.fullmatch(_KEPT_HOLE.sub("", row["keep"])) or not set(kept) <= set(names):
        raise _Wrong("expected keep to have holes of the address only, by name")
    if not set(names) - {"host"} <= set(kept):
        raise _Wrong("expected keep to hold the whole number: two bottles must not become one")
    return Mark(row["issuer"], _expression(pieces), row["keep"])


@dataclass(frozen=True, slots=True)
class Hole:
    name: str
    least: int
    most: int

    @property
    def symbols(self) -> str:
        return f"[{_SYMBOLS[self.name]}]"

    def may_hold(self, symbol: str) -> bool:
        return re.fullmatch(self.symbols, symbol) is not None


def _pieces(address: str) -> list[Hole | str]:
    """Holes and what stands between them, in order."""
    pieces: list[Hole | str] = []
    at = 0
    for found in _HOLE.finditer(address):
        if address[at : found.start()]:
            pieces.append(address[at : found.start()])
        pieces.append(_hole(*found.groups()))
        at = found.end()
    if address[at:]:
        pieces.append(address[at:])
    if not all(_PLAIN.fullmatch(piece) for piece in pieces if isinstance(piece, str)):
        raise _Wrong("expected visible ASCII, and holes like {serial:6-40}")
    if "://" in address:
        raise _Wrong("expected the address without its https://")
    return pieces


def _hole(name: str, least: str | None, most: str | None) -> Hole:
    if name not in _SYMBOLS or (name == "host") != (least is None):
        raise _Wrong("expected {host}, {digits:14}, {serial:6-40} or {text:1-16}")
    if least is None:
        return Hole(name, *_ANY_HOST)
    hole = Hole(name, int(least), int(most or least))
    if not 1 <= hole.least <= hole.most <= LONGEST_HOLE:
        raise _Wrong(f"expected a hole of 1 to {LONGEST_HOLE} symbols")
    return hole


def _expression(pieces: Sequence[Hole | str]) -> re.Pattern[str]:
    """Read in one way only: where a hole of varying length ends is told by the next symbol."""
    for piece, after in pairwise(pieces):
        if isinstance(piece, str) or piece.least == piece.most:
            continue
        if isinstance(after, Hole) or piece.may_hold(after[0]):
            raise _Wrong(f"expected {{{piece.name}}} to be followed by a symbol it cannot hold")
    body = "".join(
        f"(?P<{piece.name}>{piece.symbols}{{{piece.least},{piece.most}}})"
        if isinstance(piece, Hole)
        else re.escape(piece)
        for piece in pieces
    )
    return re.compile(f"https?://{body}/?", re.IGNORECASE | re.ASCII)


_marks = load(SHIPPED)


def use(state_dir: Path) -> None:
    """Look from now on also for the operator's own marks, where there is such a file."""
    global _marks
    own = state_dir / OPERATORS
    _marks = (*(load(own) if own.exists() else ()), *load(SHIPPED))


def marks() -> tuple[Mark, ...]:
    return _marks

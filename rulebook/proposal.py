"""A rule that is only proposed, laid over an edition to see whom it would touch.

The file has the form of one file of `rulebook/law/`, and names one place:

    place = "310105"
    withdrawn = ["A09"]            # entries of this place that would no longer stand

    [[rule]]
    name = "A13.limit_g"
    value = 50000                  # grams, as the rulebook has it

What is left out (document, article, how sure we are) need not be known of a proposal. It is judged as if it
had been in force all along: its own day lies in the future, and the question is about the past.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, get_args

from core.refusal import CATALOGUE
from rulebook.edition import ASKED, Edition, Rule, Stance, Value

# What a page of law can ask and no place of ours has yet; a test holds that there is nothing else.
UNSET: Mapping[str, Value] = {"A09": ASKED, "A09.gap_days": 0}

_OF_A_FILE = {"place", "name", "checked", "document", "rule", "withdrawn"}
_OF_A_RULE = {
    "name", "value", "document", "article", "effective", "until", "issued", "confidence", "checked",
    "tighter", "unknown", "note",
}  # fmt: skip
_UNITS = {
    "_g": "grams", "_m": "metres", "_mm": "millimetres", "_days": "days", "_months": "months",
    "_minutes": "minutes", "_s": "seconds", "_years": "years",
}  # fmt: skip


MOST = 10**9
_MOST = {"_days": 36_500, "_months": 1_200, "_years": 200, "_minutes": 525_600, "_hours": 8_760}
"""More days than a calendar has would break off the judging in its middle."""


class WrongProposal(ValueError):
    """What is wrong with the file, in one line that begins with the file and its line."""


@dataclass(frozen=True, slots=True)
class Proposal:
    place: str
    rules: tuple[Rule, ...]
    withdrawn: frozenset[str]

    def over(self, edition: Edition) -> Edition:
        """``edition`` as it would be: in its place, the proposal is all there is of the names it gives."""
        said = {rule.name for rule in self.rules} | self.withdrawn
        standing = [rule for rule in edition.rules if rule.place != self.place or rule.name not in said]
        proposed = [
            replace(rule, effective=edition.first_day, tighter=_tighter(edition, rule)) for rule in self.rules
        ]
        return Edition(edition.first_day, edition.places, [*standing, *proposed])


def read_proposal(path: Path, edition: Edition) -> Proposal:
    """The file, held against what ``edition`` knows. ``WrongProposal`` names file and line."""
    try:
        text = path.read_text(encoding="utf-8")
        book = tomllib.loads(text)
    except OSError as error:
        raise WrongProposal(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise WrongProposal(f"{path}: expected UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise WrongProposal(f"{path}: not TOML: {error}") from None
    wrong = next(_wrong(book, text, edition), None)
    if wrong is not None:
        line, said = wrong
        raise WrongProposal(f"{path}:{line}: {said}")
    proposal = Proposal(
        book["place"],
        tuple(_rule(row, book["place"], edition) for row in book.get("rule", ())),
        frozenset(book.get("withdrawn", ())),
    )
    try:
        loose = _loosened(proposal, edition)
    except ValueError as error:  # what no edition may hold
        raise WrongProposal(f"{path}: {error}") from None
    if loose is not None:
        raise WrongProposal(f"{path}: {loose}: a place may tighten, not loosen")
    return proposal


Wrong = tuple[int, str]


def _wrong(book: Mapping[str, Any], text: str, edition: Edition) -> Iterator[Wrong]:
    for key in book.keys() - _OF_A_FILE:
        yield _line_of(text, key), f"{key}: expected one of {', '.join(sorted(_OF_A_FILE))}"
    place = book.get("place")
    if not isinstance(place, str) or place not in edition.places:
        known = ", ".join(sorted(edition.places))
        yield _line_of(text, "place"), f"place: expected one of {known}, got {place!r}"
    rows, withdrawn = book.get("rule", []), book.get("withdrawn", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        yield _line_of(text, "rule"), "rule: expected entries, each under [[rule]]"
        return
    if not _are_words(withdrawn) or not (rows or withdrawn):
        yield 1, "expected a [[rule]], or a list of entries withdrawn"
        return
    here = {rule.name for rule in edition.rules if rule.place == place}
    for name in withdrawn:
        if name not in here:
            yield _line_of(text, "withdrawn"), f"{name}: {place} has no such entry to withdraw"
    lines = [number for number, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\[\[\s*rule", line)]
    named = [row.get("name") for row in rows]
    for number, row in enumerate(rows):
        line = lines[number] if number < len(lines) else 1
        if named.index(row.get("name")) != number:
            yield line, f"{row.get('name')}: named twice"
        yield from ((line, said) for said in _wrong_in(row, edition))


def _wrong_in(row: Mapping[str, Any], edition: Edition) -> Iterator[str]:
    for key in row.keys() - _OF_A_RULE:
        yield f"{key}: expected one of {', '.join(sorted(_OF_A_RULE))}"
    if row.get("unknown") not in (None, *get_args(Stance)):
        yield f"unknown: expected one of {', '.join(get_args(Stance))}, got {row['unknown']!r}"
    name = row.get("name")
    if not isinstance(name, str) or not name:
        yield "expected a name"
        return
    code = name.partition(".")[0]
    if code not in _codes(edition):
        yield f"{name}: unknown rule {code}"
    elif (standing := _standing_value(name, edition)) is _NOTHING:
        values = sorted(one for one in {*edition.names, *UNSET} if one.startswith(f"{code}."))
        yield f"{name}: rule {code} has no such value; expected {' or '.join(values) or code}"
    elif said := _wrong_value(name, row.get("value", ASKED if name == code else None), standing):
        yield said


def _wrong_value(name: str, value: Any, standing: Any) -> str | None:
    """The proposal's value must be of the kind, and so of the unit, that the rulebook has."""
    unit = next((f" ({word})" for ending, word in _UNITS.items() if _stem(name).endswith(ending)), "")
    if standing == ASKED:
        return None if value == ASKED else f"{name}: expected {ASKED!r} or nothing, got {value!r}"
    if isinstance(standing, bool):
        return None if isinstance(value, bool) else f"{name}: expected true or false, got {value!r}"
    if isinstance(standing, int):
        most = next((most for ending, most in _MOST.items() if _stem(name).endswith(ending)), MOST)
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if whole and value > most:
            return f"{name}: expected an integer up to {most}{unit}, got {value!r}"
        return None if whole else f"{name}: expected an integer from 0{unit}, got {value!r}"
    if isinstance(standing, list):
        return None if _are_words(value) else f"{name}: expected a list of words, got {value!r}"
    if isinstance(standing, dict):
        whole = isinstance(value, dict) and all(
            isinstance(one, int) and not isinstance(one, bool) for one in value.values()
        )
        return None if whole else f"{name}: expected a table of integers{unit}, got {value!r}"
    if _is_day(standing):
        return None if _is_day(value) else f"{name}: expected a day (YYYY-MM-DD), got {value!r}"
    return None if isinstance(value, str) else f"{name}: expected a word, got {value!r}"


_NOTHING: Any = object()


def _standing_value(name: str, edition: Edition) -> Any:
    if name in UNSET:
        return UNSET[name]
    known = (rule.value for rule in edition.rules if rule.name == name and rule.value is not None)
    code = name.partition(".")[0]
    return next(known, ASKED if name == code and code in _codes(edition) else _NOTHING)


def _codes(edition: Edition) -> set[str]:
    return {rule.code for rule in edition.rules} | {reason.rule for reason in CATALOGUE.values()}


def _stem(name: str) -> str:
    """``F04.interval_months.GB 5842-2006`` is in months as ``F04.interval_months`` is."""
    return ".".join(name.split(".")[:2])


def _are_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _is_day(value: Any) -> bool:
    """An instant is none, though it is a kind of date."""
    if isinstance(value, datetime):
        return False
    try:
        return isinstance(value, date) or bool(isinstance(value, str) and date.fromisoformat(value))
    except ValueError:
        return False


def _rule(row: Mapping[str, Any], place: str, edition: Edition) -> Rule:
    value = row.get("value", ASKED)
    return Rule(
        name=row["name"],
        place=place,
        value=value.isoformat() if isinstance(value, date) else value,
        effective=edition.first_day,
        until=None,
        issued=None,
        document=str(row.get("document", "拟议")),
        article=str(row.get("article", row["name"])),
        confidence="design",
        checked=edition.first_day,
        tighter="fixed",
        unknown=row.get("unknown"),
        note="",
    )


def _tighter(edition: Edition, rule: Rule) -> Any:
    return next((one.tighter for one in edition.rules if one.name == rule.name), rule.tighter)


def _loosened(proposal: Proposal, edition: Edition) -> str | None:
    """What the proposal loosens against a wider place, and no entry of today does."""
    before = {(one.rule.name, one.rule.place) for one in edition.loosenings()}
    return next(
        (
            str(one)
            for one in proposal.over(edition).loosenings()
            if (one.rule.name, one.rule.place) not in before
        ),
        None,
    )


def _line_of(text: str, key: str) -> int:
    lines = enumerate(text.splitlines(), 1)
    return next((number for number, line in lines if re.match(rf"\s*\[*\s*{re.escape(key)}\b", line)), 1)

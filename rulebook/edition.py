"""Read the folder of law, and answer what binds in a place on a day.

    Rule      one dated entry: a rule that is asked, or a value that a rule needs
    Edition   all entries of one state of the folder, with a digest
    Law       an edition seen from one place on one day: what a gate is handed

A place is a six-digit division code (GB/T 2260): the nation is "100000", Shanghai "310000". The
narrowest place that has an entry in force wins; of several, the one that came into force last.
"""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property, lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Literal, Self

import orjson
import rfc8785

from core.refusal import Basis

NATION = "100000"
MOST_REMEMBERED = 4096
ASKED = "refuse"

Value = bool | int | str | list[Any] | dict[str, Any] | None
Confidence = Literal["V", "V-open", "V2", "K", "S", "design"]
Tighter = Literal["lower", "higher", "true", "false", "fixed"]
Stance = Literal["refuses", "at_door"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of the rulebook.

    ``name`` is a rule code ("F04", value "refuse": the rule is asked) or a value of a rule
    ("P03.height_m"). A value None means the law asks and we have no number: the gate refuses.
    ``until`` is the first day it no longer binds; None is an open end. ``issued`` may be later than
    ``effective`` (a rule can reach back) or None (not known). ``confidence``: V read in the text,
    V-open only its opening read, V2 read in a secondary text, K own knowledge, S one of the local
    plans, design made by this system. ``tighter`` says which way a district may move the value.
    ``unknown``: whether a fact nobody knows refuses, or is checked at the door.
    """

    name: str
    place: str
    value: Value
    effective: date
    until: date | None
    issued: date | None
    document: str
    article: str
    confidence: Confidence
    checked: date
    tighter: Tighter
    unknown: Stance | None
    note: str

    @property
    def code(self) -> str:
        """The rule this entry belongs to: "P03" for "P03.height_m"."""
        return self.name.partition(".")[0]

    @property
    def basis(self) -> Basis:
        return Basis(self.document, self.article, self.issued, self.effective)

    def binds_on(self, day: date) -> bool:
        return self.effective <= day and (self.until is None or day < self.until)

    def to_plain(self) -> dict[str, Any]:
        row = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> Self:
        given: dict[str, Any] = {name: _day(value) if name in _DAYS else value for name, value in row.items()}
        return cls(**given)


_DAYS = {"effective", "until", "issued", "checked"}


@dataclass(frozen=True, slots=True)
class Loosening:
    """A district's entry that asks less than the wider place it stands in."""

    rule: Rule
    wider: Rule
    day: date

    def __str__(self) -> str:
        return (
            f"{self.rule.name} in {self.rule.place} is {self.rule.value!r} on {self.day}, "
            f"looser than {self.wider.value!r} in {self.wider.place}"
        )


class Edition:
    """One state of the law folder. Two editions with the same digest say the same in every place."""

    def __init__(self, first_day: date, places: Mapping[str, str], rules: list[Rule]):
        self._first_day = first_day
        self.places = dict(places)
        self.rules = tuple(sorted(rules, key=lambda rule: (rule.name, rule.place, rule.effective)))
        self._by_name: dict[str, list[Rule]] = {}
        for rule in self.rules:
            self._by_name.setdefault(rule.name, []).append(rule)
        # an edition never changes: what was looked up once need not be looked for again
        self._looked = lru_cache(MOST_REMEMBERED)(self._look)
        self._refuse_doubtful()

    @classmethod
    def load(cls, folder: Traversable | None = None) -> Self:
        """Read every .toml of ``folder`` (a path; the product's own ``rulebook/law`` if not given)."""
        folder = folder or resources.files("rulebook").joinpath("law")
        first_day: date | None = None
        places: dict[str, str] = {}
        rules: list[Rule] = []
        for file in sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name):
            text = file.read_text(encoding="utf-8")
            book = tomllib.loads(text)
            _refuse_unstepped(file.name, text, book)
            places[book["place"]] = book["name"]
            first_day = book.get("first_day", first_day)
            rules += [_read(row, book) for row in book["rule"]]
        if first_day is None:
            raise ValueError("expected first_day in one file of the law folder")
        return cls(first_day, places, rules)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The edition whose ``.text`` this was."""
        book = orjson.loads(text)
        rules = [Rule.from_plain(row) for row in book["rules"]]
        return cls(date.fromisoformat(book["first_day"]), book["places"], rules)

    @cached_property
    def text(self) -> str:
        """Canonical JSON (RFC 8785) of everything this edition says."""
        book: dict[str, Any] = {
            "first_day": self._first_day.isoformat(),
            "places": self.places,
            "rules": [rule.to_plain() for rule in self.rules],
        }
        return rfc8785.dumps(book).decode()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of ``text``, in hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def first_day(self) -> date:
        """Before this day the edition does not know the law, and every gate refuses."""
        return self._first_day

    @property
    def names(self) -> list[str]:
        return list(self._by_name)

    def look(self, name: str, place: str, day: date) -> Rule | None:
        """The entry that binds: the narrowest place that has one, then the latest; None if there is none."""
        return self._looked(name, place, day)

    def _look(self, name: str, place: str, day: date) -> Rule | None:
        binding = [rule for rule in self._by_name.get(name, ()) if rule.binds_on(day)]
        for seat in seats(place):
            if here := [rule for rule in binding if rule.place == seat]:
                return max(here, key=lambda rule: rule.effective)
        return None

    def rules_for(self, place: str, day: date) -> list[Rule]:
        """Everything that binds in ``place`` on ``day``, by name."""
        found = (self.look(name, place, day) for name in self.names)
        return [rule for rule in found if rule is not None]

    def at(self, place: str, day: date) -> "Law":
        return Law(self, place, day)

    def loosenings(self) -> Iterator[Loosening]:
        """Entries that ask less than a wider place does. A district may tighten, never loosen."""
        for rule in self.rules:
            for around in seats(rule.place)[1:2]:
                for day in self._days_of_change(rule):
                    wider = self.look(rule.name, around, day)
                    if wider is not None and _looser(rule, wider):
                        yield Loosening(rule, wider, day)

    def _days_of_change(self, rule: Rule) -> list[date]:
        """The days in the entry's own time on which it, or an entry above it, begins or ends."""
        edges = {day for other in self._by_name[rule.name] for day in (other.effective, other.until) if day}
        return sorted(day for day in edges | {rule.effective} if rule.binds_on(day))

    def _refuse_doubtful(self) -> None:
        seen = set()
        for rule in self.rules:
            key = (rule.name, rule.place, rule.effective)
            if key in seen:
                raise ValueError(f"{rule.name} in {rule.place}: expected one entry from {rule.effective}")
            seen.add(key)
            if rule.name == rule.code and rule.value != ASKED:
                raise ValueError(f"{rule.name} in {rule.place}: expected value {ASKED!r}, got {rule.value!r}")
            if _lacks_first_step(rule.value):
                raise ValueError(f"{rule.name} in {rule.place}: {EXPECTED_STEPS}")
        for name, rows in self._by_name.items():
            if len({rule.tighter for rule in rows}) > 1:
                raise ValueError(f"{name}: expected the same `tighter` in every place")


class Law:
    """What binds in one place on one day.

    Asking for a value that no entry gives returns None and is noted in ``missing``; ``judge`` turns
    it into the refusal ``rule.no_value``: what the law asks and we cannot tell is refused.
    """

    def __init__(self, edition: Edition, place: str, day: date):
        self.edition = edition
        self.place = place
        self.day = day
        self._missing: dict[str, None] = {}

    @property
    def missing(self) -> tuple[str, ...]:
        """The values asked for and not found, in the order they were asked."""
        return tuple(self._missing)

    def asks(self, rule_code: str) -> bool:
        return self.edition.look(rule_code, self.place, self.day) is not None

    def unknown(self, rule_code: str) -> Stance:
        """Does a fact nobody knows refuse under this rule, or is it checked at the door?"""
        rule = self.edition.look(rule_code, self.place, self.day)
        return (rule and rule.unknown) or "refuses"

    def basis(self, name: str) -> Basis | None:
        rule = self.edition.look(name, self.place, self.day)
        return rule.basis if rule else None

    def integer(self, name: str) -> int | None:
        value = self._value(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise TypeError(f"{name}: expected an integer, the rulebook has {value!r}")
        return value

    def flag(self, name: str) -> bool | None:
        value = self._value(name)
        if value is not None and not isinstance(value, bool):
            raise TypeError(f"{name}: expected true or false, the rulebook has {value!r}")
        return value

    def day_value(self, name: str) -> date | None:
        value = self._value(name)
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{name}: expected a day, the rulebook has {value!r}")
        return _day(value)

    def words(self, name: str) -> tuple[str, ...]:
        value = self._value(name)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise TypeError(f"{name}: expected a list of words, the rulebook has {value!r}")
        return tuple(value)

    def table(self, name: str) -> Mapping[str, Any] | None:
        value = self._value(name)
        if value is not None and not isinstance(value, dict):
            raise TypeError(f"{name}: expected a table, the rulebook has {value!r}")
        return value

    def _value(self, name: str) -> Value:
        rule = self.edition.look(name, self.place, self.day)
        if rule is None or rule.value is None:
            self._missing[name] = None
            return None
        return rule.value


def seats(place: str) -> tuple[str, ...]:
    """The places whose law binds in ``place``, narrowest first: district, city, nation."""
    return tuple(dict.fromkeys((place[:6], place[:4] + "00", place[:2] + "0000", NATION)))


EXPECTED_STEPS = "expected a table of steps that begins at 0, so that every bottle has a value"


def _lacks_first_step(value: Value) -> bool:
    """A table by steps ("from 14000 g on") that says nothing of what lies below its first."""
    steps = [name for name in value if name.isdecimal()] if isinstance(value, dict) else []
    return bool(steps) and "0" not in steps


def _refuse_unstepped(file: str, text: str, book: Mapping[str, Any]) -> None:
    """As ``Edition`` does, but by the line of the file, for whoever has just written it."""
    heads = [number for number, line in enumerate(text.splitlines(), 1) if line.startswith("[[rule]]")]
    for row, line in zip(book["rule"], heads, strict=False):
        if _lacks_first_step(row.get("value")):
            raise ValueError(f"{file}, line {line}: {row['name']}: {EXPECTED_STEPS}")


def _read(row: dict[str, Any], book: dict[str, Any]) -> Rule:
    """One [[rule]] of a file, completed from the document it names and the file's own head."""
    document = book["document"][row.pop("document")]
    given = {
        "value": ASKED if "." not in row["name"] else None,
        "until": document.get("until"),
        "effective": document["effective"],
        "issued": document.get("issued"),
        "confidence": document["confidence"],
        "checked": book["checked"],
        "tighter": "fixed",
        "unknown": None,
        "note": "",
        **row,
    }
    if isinstance(given["value"], date):
        given["value"] = given["value"].isoformat()
    return Rule(place=book["place"], document=document["title"], **given)


def _looser(rule: Rule, wider: Rule) -> bool:
    if rule.unknown == "at_door" and wider.unknown == "refuses":
        return True
    if isinstance(rule.value, dict) and isinstance(wider.value, dict):
        return any(
            name not in rule.value or _asks_less(rule.tighter, rule.value[name], value)
            for name, value in wider.value.items()
        )
    return _asks_less(rule.tighter, rule.value, wider.value)


def _asks_less(tighter: Tighter, here: Any, wider: Any) -> bool:
    """Is ``here`` a step the forbidden way? An absent value refuses all, so it is never looser."""
    if here is None or here == wider:
        return False
    if wider is None:
        return True
    if tighter == "higher" and isinstance(here, list):
        return not set(here) >= set(wider)
    match tighter:
        case "lower":
            return bool(here > wider)
        case "higher":
            return bool(here < wider)
        case "true":
            return here is not True
        case "false":
            return here is not False
        case "fixed":
            return True


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None

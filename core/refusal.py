"""A "no" is an answer of the law, not a failure of the program.

    Reason    one entry of the catalogue: stable code, the rule it rests on, texts, cures
    Refusal   a reason with the facts of this case (and, once judged, its basis in law)
    Refused   raised inside a deed to undo the work; the deed keeps the record

A code, once published, keeps its meaning for ever; a new meaning takes a new code.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import Enum, StrEnum
from typing import Any
from uuid import UUID


class Audience(StrEnum):
    """To whom a cure is worded."""

    RESIDENT = "resident"
    COURIER = "courier"
    STATION = "station"
    OFFICE = "office"


@dataclass(frozen=True, slots=True)
class Cure:
    """What to do next. ``action`` is a word a page can turn into its main button."""

    action: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Basis:
    """Where the rule stands, from when it binds, and when it was published (either may be later)."""

    document: str
    article: str
    issued: date | None
    effective: date | None

    def to_plain(self) -> dict[str, str | None]:
        return {
            "document": self.document,
            "article": self.article,
            "issued": self.issued.isoformat() if self.issued else None,
            "effective": self.effective.isoformat() if self.effective else None,
        }

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> "Basis":
        def day(text: str | None) -> date | None:
            return date.fromisoformat(text) if text else None

        return cls(row["document"], row["article"], day(row["issued"]), day(row["effective"]))


@dataclass(frozen=True, slots=True)
class Reason:
    """One entry of the catalogue. Call it with the facts of a case to get a ``Refusal``."""

    code: str
    rule: str
    zh: str
    en: str
    cures: Mapping[Audience, Cure]

    def __call__(self, **facts: Any) -> "Refusal":
        return Refusal(self, {name: plain(value) for name, value in facts.items()})

    def cure_for(self, audience: Audience) -> Cure:
        return self.cures.get(audience) or self.cures[Audience.OFFICE]


CATALOGUE: dict[str, Reason] = {}


def reason(code: str, rule: str, *, zh: str, en: str, **cures: tuple[str, str, str]) -> Reason:
    """Enter a reason in the catalogue.

    ``cures`` are (action, zh, en) by audience: ``office=`` is mandatory and stands in for the others.
    """
    if code in CATALOGUE:
        raise ValueError(f"refusal code {code!r} is taken")
    by_audience = {Audience(who): Cure(*cure) for who, cure in cures.items()}
    if Audience.OFFICE not in by_audience:
        raise ValueError(f"refusal {code!r} says nobody what to do: expected a cure for the office")
    CATALOGUE[code] = Reason(code, rule, zh, en, by_audience)
    return CATALOGUE[code]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reason with this case's facts: strings, integers, booleans, null, and lists of them."""

    reason: Reason
    facts: Mapping[str, Any] = field(default_factory=dict)
    basis: Basis | None = None

    @property
    def code(self) -> str:
        return self.reason.code

    @property
    def rule(self) -> str:
        return self.reason.rule

    def resting_on(self, basis: Basis | None) -> "Refusal":
        return replace(self, basis=basis)

    def about(self, **facts: Any) -> "Refusal":
        """The same refusal, saying also which card, line or bottle it is about."""
        return replace(self, facts={**self.facts, **{name: plain(value) for name, value in facts.items()}})

    def to_plain(self) -> dict[str, Any]:
        """As kept in decisions and entries: code, rule, facts, basis; no sentences."""
        return {
            "code": self.code,
            "rule": self.rule,
            "facts": dict(self.facts),
            "basis": self.basis and self.basis.to_plain(),
        }

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> "Refusal":
        basis = row.get("basis")
        return cls(CATALOGUE[row["code"]], dict(row["facts"]), Basis.from_plain(basis) if basis else None)

    def worded(self, audience: Audience) -> dict[str, Any]:
        """As the world reads it, worded for one kind of person."""
        cure = self.reason.cure_for(audience)
        return {
            **self.to_plain(),
            "zh": self.reason.zh.format_map(_shown(self.facts, _said_in_chinese)),
            "en": self.reason.en.format_map(_shown(self.facts, str)),
            "cure": {"action": cure.action, "zh": cure.zh, "en": cure.en},
        }


BasisOf = Callable[[str, str, date], Basis | None]

_basis_of: BasisOf = lambda rule, place, day: None  # noqa: E731 (replaced by the rulebook, two floors up)


def find_basis_by(lookup: BasisOf) -> None:
    """The rulebook says here how to find what a rule rests on, at a place on a day."""
    global _basis_of
    _basis_of = lookup


def with_basis(refusals: Iterable[Refusal], place: str, day: date) -> tuple[Refusal, ...]:
    """The same refusals; those no gate has judged (a lost race, an illegal move) get their basis too."""
    return tuple(
        refusal if refusal.basis else refusal.resting_on(_basis_of(refusal.rule, place, day))
        for refusal in refusals
    )


class Refused(Exception):
    """Refused by law or by state, with every reason. Raised only inside a deed; 409 at the door."""

    def __init__(self, refusals: Iterable[Refusal], number: str | None = None):
        self.refusals = tuple(refusals)
        self.number = number
        if not self.refusals:
            raise ValueError("expected at least one reason: a refusal without a reason is a bug")
        super().__init__(", ".join(refusal.code for refusal in self.refusals))


def plain(value: Any) -> Any:
    """A fact as JSON can hold it without loss: days and instants as text, enums by their word."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, list | tuple | set | frozenset):
        items = [plain(item) for item in value]
        return sorted(items) if isinstance(value, set | frozenset) else items
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    raise TypeError(f"expected a plain fact, got {type(value).__name__}")


_chinese: dict[str, str] = {}


def in_chinese(words: Mapping[str, str]) -> None:
    """What the words that facts hold (states, kinds, grades) are called in a Chinese sentence."""
    _chinese.update(words)


def _said_in_chinese(value: Any) -> str:
    if isinstance(value, list):
        return "、".join(_said_in_chinese(item) for item in value)
    return _chinese.get(value, value) if isinstance(value, str) else str(value)


def _shown(facts: Mapping[str, Any], say: Callable[[Any], str]) -> "_Holes":
    return _Holes({name: "?" if value is None else say(value) for name, value in facts.items()})


class _Holes(dict[str, Any]):
    """A hole without a fact is shown as a question mark, never as an error at the door."""

    def __missing__(self, name: str) -> str:
        return "?"

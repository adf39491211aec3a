"""Judge a case: facts, a place, a day and an edition in; a verdict with every reason out.

A gate is a page of law: a generator that yields all the reasons it finds, in the law's order. It
touches no database, no clock and no request. A refusal whose facts name what is ``unknown`` is a
question: the rulebook says whether it refuses or becomes a check at the door. A rule that the
edition does not list for the place and day is not asked.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from typing import Any, TypeVar

import cattrs
from cattrs.preconf.json import make_converter

from core.refusal import Basis, Refusal
from rulebook.edition import Edition, Law
from rulebook.refusals import NO_VALUE

Facts = TypeVar("Facts")

NONE_THEN = {"none_then": True}
"""Metadata of a fact about something there was none of before the page asked: its absence is known."""
Page = Callable[[Any, Law], Iterator[Refusal]]


@dataclass(frozen=True, slots=True)
class Gate:
    name: str
    facts: type[Any]
    page: Page


@dataclass(frozen=True, slots=True)
class Check:
    """What nobody knows yet and the courier must see at the door before handing over."""

    rule: str
    unknown: str
    basis: Basis | None

    def to_plain(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "unknown": self.unknown,
            "basis": self.basis and self.basis.to_plain(),
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of one gate, with all it was judged by, so that it can be judged again."""

    gate: str
    place: str
    day: date
    edition_digest: str
    facts: Any
    reasons: tuple[Refusal, ...] = ()
    checks: tuple[Check, ...] = ()

    @property
    def allowed(self) -> bool:
        return not self.reasons

    def to_plain(self) -> dict[str, Any]:
        return {
            "gate": self.gate,
            "place": self.place,
            "day": self.day.isoformat(),
            "edition": self.edition_digest,
            "facts": facts_to_plain(self.facts),
            "allowed": self.allowed,
            "reasons": [refusal.to_plain() for refusal in self.reasons],
            "checks": [check.to_plain() for check in self.checks],
        }


GATES: dict[str, Gate] = {}


def gate(
    name: str, facts: type[Facts]
) -> Callable[[Callable[[Facts, Law], Iterator[Refusal]]], Callable[[Facts, Law], Iterator[Refusal]]]:
    """Enter a page of law in ``GATES`` under a name that decisions will keep for ever."""

    def register(
        page: Callable[[Facts, Law], Iterator[Refusal]],
    ) -> Callable[[Facts, Law], Iterator[Refusal]]:
        if name in GATES:
            raise ValueError(f"gate {name!r} is taken")
        GATES[name] = Gate(name, facts, page)
        return page

    return register


def judge(gate_name: str, facts: Any, place: str, day: date, edition: Edition) -> Verdict:
    """Every reason of the gate that the edition asks in ``place`` on ``day``, each with its basis."""
    law = edition.at(place, day)
    page = GATES[gate_name].page
    asked = [_with_basis(refusal, law) for refusal in page(facts, law) if law.asks(refusal.rule)]
    checks = tuple(_check(refusal) for refusal in asked if _is_for_the_door(refusal, law))
    reasons = [refusal for refusal in asked if not _is_for_the_door(refusal, law)]
    reasons += [_with_basis(NO_VALUE(name=name, place=place), law) for name in _without_value(gate_name, law)]
    return Verdict(gate_name, place, day, edition.digest, facts, tuple(reasons), checks)


def _without_value(gate_name: str, law: Law) -> Iterator[str]:
    """What the law asks here and the edition cannot tell: values of asked rules, or the whole day."""
    if law.day < law.edition.first_day:
        yield gate_name
    yield from (name for name in law.missing if law.asks(name.partition(".")[0]))


def _with_basis(refusal: Refusal, law: Law) -> Refusal:
    return refusal if refusal.basis else refusal.resting_on(law.basis(refusal.rule))


def _is_for_the_door(refusal: Refusal, law: Law) -> bool:
    return "unknown" in refusal.facts and law.unknown(refusal.rule) == "at_door"


def _check(refusal: Refusal) -> Check:
    return Check(refusal.rule, refusal.facts["unknown"], refusal.basis)


_converter: cattrs.Converter = make_converter(forbid_extra_keys=True)
_converter.register_structure_hook(date, lambda text, _: date.fromisoformat(text))
_converter.register_unstructure_hook(date, lambda day: day.isoformat())


def facts_to_plain(facts: Any) -> dict[str, Any]:
    """Facts as JSON holds them; ``facts_from_plain`` gives the same value back."""
    plain: dict[str, Any] = _converter.unstructure(facts)
    return plain


def facts_from_plain(gate_name: str, plain: dict[str, Any]) -> Any:
    """The facts of ``gate_name``. A field we no longer know is an error, never dropped in silence."""
    return _converter.structure(plain, GATES[gate_name].facts)


def not_stored(facts: Any, plain: Any) -> tuple[str, ...]:
    """The paths of the facts that ``plain`` does not hold: only their defaults stand in ``facts``."""
    if isinstance(facts, tuple) and isinstance(plain, list):
        found = [name for one, row in zip(facts, plain, strict=True) for name in not_stored(one, row)]
        return tuple(dict.fromkeys(found))
    if not is_dataclass(facts) or not isinstance(plain, dict):
        return ()
    lacking: list[str] = []
    for one in fields(facts):
        if one.name in plain:
            within = not_stored(getattr(facts, one.name), plain[one.name])
            lacking += [f"{one.name}.{name}" for name in within]
        elif not one.metadata.get("none_then"):
            lacking.append(one.name)
    return tuple(lacking)

"""What else can be wrong with a request besides the law: shape, reach, haste.

These end the deed without a trace (nothing below 409 is kept); ``core/http.py`` words them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One wrong field: a JSON pointer, a stable code, and what was expected."""

    pointer: str
    code: str
    zh: str
    en: str

    def to_plain(self) -> dict[str, str]:
        return {"pointer": self.pointer, "code": self.code, "zh": self.zh, "en": self.en}


class WrongField(Exception):
    """422: understood, but a field does not have the shape or meaning it must have."""

    def __init__(self, pointer: str, code: str, zh: str, en: str):
        self.faults: tuple[FieldFault, ...] = (FieldFault(pointer, code, zh, en),)
        super().__init__(f"{pointer}: {en}")

    @classmethod
    def all(cls, faults: Sequence[FieldFault]) -> "WrongField":
        """Every fault at once, at least one."""
        first = faults[0]
        wrong = cls(first.pointer, first.code, first.zh, first.en)
        wrong.faults = tuple(faults)
        return wrong


def faults_in(messages: Any, pointer: str = "", *, stranger: str | None = None) -> Iterator[FieldFault]:
    """marshmallow's tree of "code|中文|English" as faults with JSON pointers.

    ``stranger``: what is said of an unknown field. Where it is given such a name is not repeated: it may hold
    anything, and some answers are kept.
    """
    if isinstance(messages, Mapping):
        for name, branch in messages.items():
            unnamed = name == "_schema" or (stranger is not None and branch == [stranger])
            below = pointer if unnamed else f"{pointer}/{_escaped(str(name))}"
            yield from faults_in(branch, below, stranger=stranger)
    elif isinstance(messages, list):
        for leaf in messages:
            yield from faults_in(leaf, pointer, stranger=stranger)
    else:
        code, _, words = str(messages).partition("|")
        zh, _, en = words.partition("|")
        yield (
            FieldFault(pointer, code, zh, en)
            if en
            else FieldFault(pointer, "invalid", "填写有误", str(messages))
        )


def _escaped(name: str) -> str:
    """A pointer's step; an unknown field's name may hold anything, also what UTF-8 cannot."""
    safe = name.encode("utf-8", "replace").decode()
    return safe.replace("~", "~0").replace("/", "~1")[:200]


class NotFound(Exception):
    """404: it does not exist, or it is not the caller's to see. Both answer alike."""


class KeyReused(Exception):
    """422: this idempotency key has already answered another body."""


class KeyMissing(Exception):
    """428: every POST that writes names an Idempotency-Key."""


class Busy(Exception):
    """503 with Retry-After: locks or the server were not to be had in time. Never a refusal."""

    def __init__(self, retry_after_s: int = 2):
        self.retry_after_s = retry_after_s
        super().__init__("busy")


class TooMany(Exception):
    """429 with Retry-After: tried too often within a window."""

    def __init__(self, retry_after_s: int):
        self.retry_after_s = retry_after_s
        super().__init__("too many")

"""Reading plain JSON values strictly: every message says what was expected and what came."""

from collections.abc import Iterable, Mapping
from typing import Any


def fields(
    plain: Any, what: str, names: Iterable[str], absent: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """``plain`` as a dict with exactly these keys; ValueError otherwise.

    ``absent``: keys that may be missing, and what then holds. So what an older version wrote is read too.
    """
    absent = absent or {}
    expected = set(names)
    if not isinstance(plain, Mapping):
        raise ValueError(
            f"expected {what} to be an object with {sorted(expected)}, got {type(plain).__name__}"
        )
    missing, unknown = sorted(expected - absent.keys() - plain.keys()), plain.keys() - expected
    if missing or unknown:
        extra = sorted(map(str, unknown))
        raise ValueError(f"expected {what} to have {sorted(expected)}: missing {missing}, unknown {extra}")
    return {**absent, **plain}


def said(values: Mapping[str, Any], absent: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` without those that are what holds when nothing is said."""
    return {name: value for name, value in values.items() if name not in absent or value != absent[name]}


def rows(plain: Any, what: str) -> list[Any]:
    if not isinstance(plain, list | tuple):
        raise ValueError(f"expected {what} to be a list, got {type(plain).__name__}")
    return list(plain)


def text(value: Any, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"expected {what} to be a string that is not empty, got {value!r}")
    return value


def whole(value: Any, what: str, least: int, most: int) -> int:
    """A whole number from ``least`` to ``most``; true and false are not numbers here."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"expected {what} to be a whole number from {least} to {most}, got {value!r}")
    return value


def pair(value: Any, what: str) -> tuple[Any, Any]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError(f"expected {what} to be a pair, got {value!r}")
    return value[0], value[1]


def names(value: Any, what: str) -> frozenset[str]:
    """A set of ids; one text is no set of its letters."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ValueError(f"expected {what} to be a set of ids, got {value!r}")
    return frozenset(text(one, what) for one in value)

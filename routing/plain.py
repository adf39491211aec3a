"""Reading plain JSON values strictly: every message says what was expected and what came."""

from collections.abc import Iterable, Mapping
from typing import Any


def fields(plain: Any, what: str, names: Iterable[str]) -> dict[str, Any]:
    """``plain`` as a dict with exactly these keys; ValueError otherwise."""
    expected = set(names)
    if not isinstance(plain, Mapping):
        raise ValueError(
            f"expected {what} to be an object with {sorted(expected)}, got {type(plain).__name__}"
        )
    if plain.keys() != expected:
        missing, unknown = sorted(expected - plain.keys()), sorted(map(str, plain.keys() - expected))
        raise ValueError(f"expected {what} to have {sorted(expected)}: missing {missing}, unknown {unknown}")
    return dict(plain)


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

"""JSON that somebody sent, read at one place: whatever takes it from outside reads it here.

What is nested without end is no use of ours, and would end in whoever walks it by calling itself: a shape's
coordinates, a form's parts, canonical bytes.
"""

from typing import Any

import orjson

DEEPEST = 32
"""Far above what anybody means: a map file's coordinates stand nine deep."""


class NotJson(ValueError):
    """Not JSON in UTF-8, or nested deeper than anything of ours; why, in both languages."""

    def __init__(self, zh: str, en: str):
        super().__init__(en)
        self.zh, self.en = zh, en


def read_json(given: bytes | str) -> Any:
    """orjson instead of the standard library: no NaN, no lone surrogates."""
    try:
        read = orjson.loads(given)
    except orjson.JSONDecodeError:
        raise NotJson("不是UTF-8的JSON", "expected JSON in UTF-8") from None
    if _brackets(given) > DEEPEST and not _ends_within(read, DEEPEST):
        raise NotJson(f"JSON嵌套超过{DEEPEST}层", f"expected JSON nested at most {DEEPEST} deep")
    return read


def _brackets(given: bytes | str) -> int:
    """Most of what is sent has too few to be deep: then nobody need look at what was read."""
    if isinstance(given, str):
        return given.count("[") + given.count("{")
    return given.count(b"[") + given.count(b"{")


def _ends_within(read: Any, levels: int) -> bool:
    """Level by level, without calling itself."""
    level = [read]
    for _ in range(levels):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return True
    return False

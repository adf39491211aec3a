"""The privacy notice, by version: read from ``privacy_notice.toml``, shown before somebody is registered."""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Notice:
    """In force from ``effective`` until a later version is."""

    version: str
    effective: date
    zh: tuple[str, ...]
    en: tuple[str, ...]


@cache
def notices() -> tuple[Notice, ...]:
    """Every version there ever was, the oldest first."""
    text = resources.files("registry").joinpath("privacy_notice.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)["notice"]
    found = (Notice(row["version"], row["effective"], tuple(row["zh"]), tuple(row["en"])) for row in rows)
    return tuple(sorted(found, key=lambda one: one.effective))


def in_force(day: date) -> Notice:
    """The version to be shown on that day; before the first one, the first."""
    begun = [one for one in notices() if one.effective <= day]
    return begun[-1] if begun else notices()[0]

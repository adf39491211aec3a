"""What has been answered of a visit that is not yet a deed: in the courier's own signed cookie.

Nothing of it is a fact before the fourth step sends it. It is kept for the last few lines, so that a courier
may look at another stop and come back; it goes with the cookie when the courier signs out. Of a check only
what is not plain is kept (passed is plain), so that the cookie stays small.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any
from uuid import UUID

from flask import session

from dispatch.safety.catalogue import ITEMS

COOKIE = "visits"
MOST_KEPT = 3


@dataclass
class Draft:
    """``check``: item → what was answered, None while the home has not been looked at."""

    card: str | None = None
    check: dict[str, dict[str, Any]] | None = None
    briefed: bool = False
    by_video: bool = False
    full: str | None = None
    empty: str | None = None
    exception: str | None = None
    connected: bool = True
    leak: str | None = None
    swapped: bool = False
    items: list[str] = field(default_factory=list)

    def answers(self) -> list[dict[str, Any]]:
        """The check's answers as the API takes them."""
        return [
            {"item": item, "result": "pass", **(self.check or {}).get(item, {})}
            for item in self.items
            if item in ITEMS
        ]


def draft_of(line_id: UUID) -> Draft:
    kept: Mapping[str, Any] = session.get(COOKIE) or {}
    row = kept.get(str(line_id))
    names = {one.name for one in fields(Draft)}
    return Draft(**{name: value for name, value in row.items() if name in names}) if row else Draft()


def keep(line_id: UUID, draft: Draft) -> None:
    """The newest last; the oldest goes when there are too many."""
    blank = asdict(Draft())
    row = {name: value for name, value in asdict(draft).items() if value != blank[name]}
    kept = {key: value for key, value in (session.get(COOKIE) or {}).items() if key != str(line_id)}
    kept[str(line_id)] = row
    session[COOKIE] = dict(list(kept.items())[-MOST_KEPT:])


def drop(line_id: UUID) -> None:
    kept = {key: value for key, value in (session.get(COOKIE) or {}).items() if key != str(line_id)}
    session[COOKIE] = kept


def forget_check(line_id: UUID) -> None:
    """The check is on record now, whatever became of the handover: it is not made twice."""
    draft = draft_of(line_id)
    draft.check, draft.items = None, []
    keep(line_id, draft)

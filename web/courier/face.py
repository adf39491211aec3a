"""The blueprint of the courier's pages, and how each of them is drawn."""

from typing import Any
from uuid import UUID

from flask import abort, render_template, request

from core.http import doing
from core.refusal import Refusal
from dispatch.safety.catalogue import ITEMS
from web import left_at_door
from web.courier import words
from web.pages import Face, No

face = Face("courier", __name__, prefix="/courier")


def drawn(template: str, no: No | None = None, **shown: Any) -> tuple[str, int]:
    """The page; with what stands against it the status is that of the "no"."""
    page = render_template(
        f"courier/{template}.html", no=no, said=words, left_at_door=left_at_door, items=ITEMS, **shown
    )
    return page, no.status if no is not None else 200


def told(refusals: list[Refusal]) -> No | None:
    """A "no" that was said in advance: nothing was asked for yet, so that nothing is on record."""
    if not refusals:
        return None
    return No(409, tuple(refusal.worded(doing().actor.audience) for refusal in refusals))


def typed(name: str, most: int = 512) -> str:
    return request.form.get(name, "").strip()[:most]


def id_of(name: str) -> UUID:
    """An id out of a form; one that is none is nobody's."""
    try:
        return UUID(typed(name))
    except ValueError:
        abort(404)

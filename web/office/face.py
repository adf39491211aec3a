"""The blueprint of the office's pages, how each is drawn, and what their addresses ask for."""

from datetime import date
from typing import Any, cast
from uuid import UUID

from flask import g, render_template, request

from core import clock
from core.http import doing
from core.problems import NotFound
from cylinders import office_queries
from cylinders.office_queries import MOST_PAGES, Office
from rulebook.words import WORDS
from web import trace_words
from web.office import said
from web.pages import Face, No, day_said
from web.rights import RIGHTS

face = Face("office", __name__, prefix="/office")


@face.context_processor
def around() -> dict[str, Any]:
    return {"words": WORDS, "trace_words": trace_words, "said": said, "may": may, "now": clock.now()}


def office() -> Office:
    """Whose office this is; read once a request."""
    if "office" not in g:
        g.office = office_queries.office_of(doing())
    return cast(Office, g.office)


def may(verb: str) -> bool:
    """Whether who looks has this right too: what they may not do is not offered."""
    return verb in RIGHTS[doing().actor.role]


def drawn(template: str, no: No | None = None, **shown: Any) -> tuple[str, int]:
    """The page; with what stands against it the status is that of the "no"."""
    page = render_template(f"office/{template}.html", no=no, office=office(), **shown)
    return page, no.status if no is not None else 200


def number_asked() -> int:
    return max(1, min(MOST_PAGES, request.args.get("page", 1, type=int) or 1))


def day_asked() -> date:
    return day_said(request.args.get("on")) or clock.today()


def site_asked() -> UUID | None:
    """One of the office's own sites; None where the address names none."""
    given = request.args.get("site", "")
    if not given:
        return None
    try:
        wanted = UUID(given)
    except ValueError:
        raise NotFound from None
    if all(site.id != wanted for site in office().sites):
        raise NotFound
    return wanted


def kept(**changed: Any) -> dict[str, str]:
    """The filters of an address, for a link to another page of the list or to its file."""
    asked = {name: value for name, value in request.args.items() if name != "page" and value}
    return asked | {name: str(value) for name, value in changed.items() if value is not None}

"""Reviews of refusals and their statistics at a desk: the regulator's pages, and what the office's share.

Both faces show the same queue and the same table, each within its own reach (``office/reviews.py``).
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue

import rulebook
from core import clock
from core.auth import Role, ScopeKind
from core.doing import Doing
from core.http import doing
from core.refusal import CATALOGUE
from oversight import review_queries, reviews
from oversight.review_schemas import MOST_DAYS, ReviewAnswerIn
from web import review_words, trace_words
from web.pages import Face, No, day_said, form_of, tried

face = Face("refusal_reviews", __name__, prefix="/oversight/reviews")

LAST_DAYS = 30


@face.context_processor
def _frame() -> dict[str, Any]:
    whole = "doing" in g and doing().actor.reach.kind in (ScopeKind.ALL, ScopeKind.DISTRICT)
    return {"district_wide": whole, "now": clock.now()}


@face.page("/", "review.read")
def queue() -> ResponseReturnValue:
    return _page()


@face.page("/<uuid:review_id>/taking", "review.answer", methods=("POST",))
def take(review_id: UUID) -> ResponseReturnValue:
    done, no = taken(review_id)
    return _page(no, review_id) if done is None else redirect("/oversight/reviews/", 303)


@face.page("/<uuid:review_id>/answer", "review.answer", methods=("POST",))
def answer(review_id: UUID) -> ResponseReturnValue:
    done, no = answered(review_id)
    return _page(no, review_id) if done is None else redirect("/oversight/reviews/", 303)


@face.page("/statistics", "refusal.count")
def statistics() -> str:
    return render_template("regulator/refusal_statistics.html", **counted(doing(), request.args))


def _page(no: No | None = None, tried_on: UUID | None = None) -> ResponseReturnValue:
    page = render_template("regulator/reviews.html", no=no, **waiting(doing(), tried_on))
    return page, no.status if no else 200


# --- what both faces do -------------------------------------------------------------------------------------


def waiting(here: Doing, tried_on: UUID | None = None) -> dict[str, Any]:
    """The queue by the day each is due, and the latest answers. ``tried_on``: whose form was not accepted."""
    law = rulebook.current().at(str(here.district), clock.today())
    return {
        "waiting": review_queries.reviews(here),
        "decided": review_queries.reviews(here, open_only=False, limit=30),
        "tried_on": tried_on,
        "may_except": law.words("J03.may_except") if here.actor.role is Role.REGULATOR else (),
        "review_words": review_words,
        "verb_said": trace_words.verb,
        "me": here.actor.principal_id,
    }


def taken(review_id: UUID) -> tuple[Any, No | None]:
    return tried(lambda: reviews.take(doing(), review_id=review_id))


def answered(review_id: UUID) -> tuple[Any, No | None]:
    form = request.form
    said: dict[str, Any] = {
        "outcome": form.get("outcome", ""),
        "finding": form.get("finding", ""),
        "said": form.get("said", "").strip() or None,
        "excepted": form.getlist("excepted"),
        "excepted_until": form.get("excepted_until", "").strip() or None,
    }
    return tried(lambda: reviews.answer(doing(), review_id=review_id, **form_of(ReviewAnswerIn, said)))


def counted(here: Doing, asked: Mapping[str, str]) -> dict[str, Any]:
    """By reason, with its streets; a span that makes no sense is the last thirty days."""
    from_on, until_on = _span(asked)
    rows = review_queries.statistics(here, from_on, until_on)
    by_reason: dict[str, list[review_queries.Refusals]] = {}
    for row in rows:
        by_reason.setdefault(row.code, []).append(row)
    found = [
        (CATALOGUE[code], sum(row.times for row in streets), streets) for code, streets in by_reason.items()
    ]
    found.sort(key=lambda one: (-one[1], one[0].code))
    return {
        "from_on": from_on,
        "until_on": until_on,
        "found": found,
        "notices": review_queries.notices_counted(here, from_on, until_on),
        "reason_said": trace_words.reason,
    }


def _span(asked: Mapping[str, str]) -> tuple[date, date]:
    until_on = day_said(asked.get("until_on")) or clock.today()
    from_on = day_said(asked.get("from_on")) or until_on - timedelta(days=LAST_DAYS - 1)
    if not timedelta(0) <= until_on - from_on < timedelta(days=MOST_DAYS):
        from_on = until_on - timedelta(days=LAST_DAYS - 1)
    return from_on, until_on

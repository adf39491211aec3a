"""What was refused to oneself, having a person look at it again, and the answer read and confirmed."""

from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from core.http import doing
from dispatch.safety.models import ReceivedHow
from dispatch.safety.signing import Receipt
from oversight import review_queries, reviews
from oversight.review_models import Ground
from oversight.review_schemas import ReviewAskIn
from web import review_words, trace_words
from web.pages import No, form_of, tried
from web.resident.pages import face


@face.page("/refusals", "own_refusal.read")
def refusals() -> ResponseReturnValue:
    return _page()


@face.page("/refusals", "review.ask", methods=("POST",))
def ask_for_review() -> ResponseReturnValue:
    said: dict[str, Any] = {name: request.form.get(name, "").strip() for name in ("refusal_no", "ground")}
    said["said"] = request.form.get("said", "").strip() or None
    _, no = tried(lambda: reviews.ask(doing(), **form_of(ReviewAskIn, said)))
    return _page(no) if no is not None else redirect(url_for(".refusals", asked="1"))


@face.page("/reviews/<uuid:review_id>/withdraw", "review.withdraw", methods=("POST",))
def withdraw_review(review_id: UUID) -> ResponseReturnValue:
    _, no = tried(lambda: reviews.withdraw(doing(), review_id=review_id))
    return _page(no) if no is not None else redirect(url_for(".refusals"))


@face.page("/reviews/<uuid:review_id>/seen", "review.receive", methods=("POST",))
def review_seen(review_id: UUID) -> ResponseReturnValue:
    receipt = Receipt(ReceivedHow.ELECTRONIC)
    _, no = tried(lambda: reviews.receive(doing(), review_id=review_id, receipt=receipt))
    return _page(no) if no is not None else redirect(url_for(".refusals"))


def _page(no: No | None = None) -> ResponseReturnValue:
    """``chosen``: the refusal whose form was sent and not accepted."""
    page = render_template(
        "resident/refusals.html",
        refusals=review_queries.own_refusals(doing()),
        review_words=review_words,
        verb_said=trace_words.verb,
        grounds=list(Ground),
        no=no,
        chosen=request.form.get("refusal_no", ""),
        form_said=request.form,
        asked=request.args.get("asked") == "1",
    )
    return page, no.status if no is not None else 200

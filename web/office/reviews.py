"""Refusals that somebody wants looked at again, and how often what was refused, in the office's reach."""

from uuid import UUID

from flask import redirect, request
from flask.typing import ResponseReturnValue

from core.http import doing
from web import reviews
from web.office.face import drawn, face
from web.pages import No


@face.page("/reviews", "review.read")
def review_queue() -> ResponseReturnValue:
    return _page()


@face.page("/reviews/<uuid:review_id>/taking", "review.answer", methods=("POST",))
def take_review(review_id: UUID) -> ResponseReturnValue:
    done, no = reviews.taken(review_id)
    return _page(no, review_id) if done is None else redirect("/office/reviews", 303)


@face.page("/reviews/<uuid:review_id>/answer", "review.answer", methods=("POST",))
def answer_review(review_id: UUID) -> ResponseReturnValue:
    done, no = reviews.answered(review_id)
    return _page(no, review_id) if done is None else redirect("/office/reviews", 303)


@face.page("/refusals", "refusal.count")
def refusal_statistics() -> ResponseReturnValue:
    return drawn("refusal_statistics", **reviews.counted(doing(), request.args))


def _page(no: No | None = None, tried_on: UUID | None = None) -> ResponseReturnValue:
    return drawn("reviews", no, **reviews.waiting(doing(), tried_on))

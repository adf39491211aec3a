"""Thin: load the query or the body, ask or do, dump the answer."""

# mypy: disallow-untyped-decorators=False

from typing import Any
from uuid import UUID

from core.http import Room, doing
from core.refusal import CATALOGUE
from dispatch.safety.schemas import ReceiptIn
from oversight import review_queries, review_schemas, reviews
from oversight.review_queries import OwnRefusal, ReviewView
from registry.schemas import NothingIn

room = Room("reviews", __name__, description="Refusals looked at again by a person, and how many there were")

Json = dict[str, Any]


@room.get("/districts/<int:district>/own-refusals")
@room.may("own_refusal.read")
@room.response(200, review_schemas.OwnRefusalsOut)
def own_refusals(district: int) -> Json:
    """What was refused to oneself or to one's home, with one's review of it; the latest first."""
    return {"items": [_own_view(one) for one in review_queries.own_refusals(doing())]}


@room.post("/districts/<int:district>/refusal-reviews")
@room.may("review.ask", writes=True)
@room.arguments(review_schemas.ReviewAskIn)
@room.response(201, review_schemas.ReviewOut)
def ask_for_review(body: Json, district: int) -> Json:
    """Have a person look at a refusal again."""
    return _view_of(reviews.ask(doing(), **body))


@room.get("/districts/<int:district>/refusal-reviews")
@room.may("review.read")
@room.arguments(review_schemas.ReviewQuery, location="query")
@room.response(200, review_schemas.ReviewsOut)
def list_reviews(query: Json, district: int) -> Json:
    """Those that wait within one's reach, by the day they are due; at most 300."""
    found = review_queries.reviews(doing(), open_only=query["decided"] != "true")
    return {"items": [review_view(one) for one in found]}


@room.get("/districts/<int:district>/refusal-reviews/<uuid:review_id>")
@room.may("review.read")
@room.response(200, review_schemas.ReviewOut)
def read_review(district: int, review_id: UUID) -> Json:
    return review_view(review_queries.review(doing(), review_id))


@room.post("/districts/<int:district>/refusal-reviews/<uuid:review_id>/takings")
@room.may("review.answer", writes=True)
@room.arguments(NothingIn)
@room.response(201, review_schemas.ReviewOut)
def take_review(body: Json, district: int, review_id: UUID) -> Json:
    return _view_of(reviews.take(doing(), review_id=review_id))


@room.post("/districts/<int:district>/refusal-reviews/<uuid:review_id>/answers")
@room.may("review.answer", writes=True)
@room.arguments(review_schemas.ReviewAnswerIn)
@room.response(201, review_schemas.ReviewOut)
def answer_review(body: Json, district: int, review_id: UUID) -> Json:
    """Upheld, overturned, or partly; from what may be excepted the authority may except the home for days."""
    return _view_of(reviews.answer(doing(), review_id=review_id, **body))


@room.post("/districts/<int:district>/refusal-reviews/<uuid:review_id>/withdrawals")
@room.may("review.withdraw", writes=True)
@room.arguments(NothingIn)
@room.response(201, review_schemas.ReviewOut)
def withdraw_review(body: Json, district: int, review_id: UUID) -> Json:
    return _view_of(reviews.withdraw(doing(), review_id=review_id))


@room.post("/districts/<int:district>/refusal-reviews/<uuid:review_id>/receipts")
@room.may("review.receive", writes=True)
@room.arguments(ReceiptIn)
@room.response(201, review_schemas.ReviewOut)
def receive_answer(body: Json, district: int, review_id: UUID) -> Json:
    """Proof that the answer reached who asked: signed, refused before a witness, or opened by the user."""
    return _view_of(reviews.receive(doing(), review_id=review_id, **body))


@room.get("/districts/<int:district>/refusal-statistics")
@room.may("refusal.count")
@room.arguments(review_schemas.StatisticsQuery, location="query")
@room.response(200, review_schemas.StatisticsOut)
def refusal_statistics(query: Json, district: int) -> Json:
    """How often what was refused, by reason and street: of a firm its own, of a street its own."""
    items = [
        {
            "code": one.code,
            "rule": one.rule,
            "zh": CATALOGUE[one.code].zh,
            "en": CATALOGUE[one.code].en,
            "street_code": one.street_code,
            "times": one.times,
            "homes": one.homes,
        }
        for one in review_queries.statistics(doing(), **query)
    ]
    return {**query, "items": items, "notices": review_queries.notices_counted(doing(), **query)}


def _view_of(done: dict[str, Any]) -> Json:
    return review_view(review_queries.review(doing(), UUID(done["review_id"])))


def _own_view(one: OwnRefusal) -> Json:
    audience = doing().actor.audience
    return {
        "refusal_no": one.entry.refusal_no,
        "verb": one.entry.verb,
        "recorded_at": one.entry.recorded_at,
        "reasons": [refusal.worded(audience) for refusal in one.reasons],
        "review": one.review and review_view(one.review),
        "notice": one.notice,
        "may_ask": one.may_ask,
    }


def review_view(one: ReviewView) -> Json:
    audience, row = doing().actor.audience, one.review
    shown = (
        "id", "refusal_no", "verb", "rules", "refused_at", "household_id", "street_code", "ground", "state",
        "asked_at", "due_on", "taken_at", "finding", "excepted", "excepted_until", "answered_at",
    )  # fmt: skip
    return {
        **{name: getattr(row, name) for name in shown},
        "reasons": [refusal.worded(audience) for refusal in one.reasons],
        "said": one.said,
        "answer": one.answer,
        "overdue": one.is_overdue,
        "answer_notice_no": one.answer_notice_no,
        "receipts": one.receipts,
    }

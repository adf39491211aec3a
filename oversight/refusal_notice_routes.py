"""Thin: load the body, ask or do, dump the answer."""

# mypy: disallow-untyped-decorators=False

from typing import Any
from uuid import UUID

from core.http import Room, doing
from core.refusal import Audience
from dispatch.safety.schemas import ReceiptIn
from oversight import refusal_notice_queries, refusal_notice_schemas, refusal_notices
from oversight.review_models import RefusalReview

room = Room(
    "refusal_notices", __name__, description="Refusals of supply told in writing, with proof of receipt"
)

Json = dict[str, Any]


@room.post("/districts/<int:district>/refusal-notices")
@room.may("refusal_notice.issue", writes=True)
@room.arguments(refusal_notice_schemas.RefusalNoticeIn)
@room.response(201, refusal_notice_schemas.RefusalNoticeOut)
def issue_notice(body: Json, district: int) -> Json:
    """Tell a refusal of supply in writing; once for each refusal."""
    return _view(UUID(refusal_notices.issue(doing(), **body)["notice_id"]))


@room.get("/districts/<int:district>/refusal-notices/<uuid:notice_id>")
@room.may("refusal_notice.read")
@room.response(200, refusal_notice_schemas.RefusalNoticeOut)
def read_notice(district: int, notice_id: UUID) -> Json:
    """The whole text of a notice, for a page to print; worded for who it is given to."""
    return _view(notice_id)


@room.post("/districts/<int:district>/refusal-notices/<uuid:notice_id>/receipts")
@room.may("refusal_notice.receive", writes=True)
@room.arguments(ReceiptIn)
@room.response(201, refusal_notice_schemas.RefusalNoticeOut)
def receive_notice(body: Json, district: int, notice_id: UUID) -> Json:
    """Proof that it reached the home: signed, refused or left before a witness, or opened by the user."""
    refusal_notices.receive(doing(), notice_id=notice_id, **body)
    return _view(notice_id)


def _view(notice_id: UUID) -> Json:
    shown = refusal_notice_queries.printed(doing(), notice_id)
    refusal, notice, appeal = shown.told.refusal, shown.told.notice, shown.appeal
    return {
        "id": notice.id,
        "number": notice.number,
        "refusal_no": refusal.refusal_no,
        "verb": shown.entry.verb,
        "refused_at": shown.entry.recorded_at,
        "household_id": refusal.household_id,
        "firm_id": refusal.firm_id,
        "firm": shown.firm,
        "reasons": [reason.worded(Audience.RESIDENT) for reason in shown.reasons],
        "ask_until_on": appeal.until_on,
        "may_ask": appeal.may_ask,
        "is_overturned": appeal.is_overturned,
        "review": appeal.review and _review(appeal.review, appeal.answer_no),
        "answer_days": shown.answer_days,
        "told_at": notice.told_at,
        "received_how": notice.received_how,
        "code": shown.code,
        "address": shown.address,
        "receipts": shown.told.receipts,
    }


def _review(review: RefusalReview, answer_no: str | None) -> Json:
    return {
        "state": review.state,
        "due_on": review.due_on,
        "answered_at": review.answered_at,
        "answer_no": answer_no,
    }

"""A refusal as it was told in writing: read, printed, and confirmed as received."""

from uuid import UUID

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from core.http import doing
from dispatch.safety.models import ReceivedHow
from dispatch.safety.signing import Receipt
from oversight import refusal_notice_queries as queries
from oversight import refusal_notices
from web import qr, review_words, trace_words
from web.pages import No, tried
from web.resident.pages import face


@face.page("/refusal-notices/<uuid:notice_id>", "refusal_notice.read")
def refusal_notice(notice_id: UUID) -> ResponseReturnValue:
    """That it was read is said by a button, never by opening a page."""
    return _page(notice_id)


@face.page("/refusal-notices/<uuid:notice_id>/seen", "refusal_notice.receive", methods=("POST",))
def refusal_notice_seen(notice_id: UUID) -> ResponseReturnValue:
    receipt = Receipt(ReceivedHow.ELECTRONIC)
    _, no = tried(lambda: refusal_notices.receive(doing(), notice_id=notice_id, receipt=receipt))
    return _page(notice_id, no) if no else redirect(url_for(".refusal_notice", notice_id=notice_id), 303)


def _page(notice_id: UUID, no: No | None = None) -> ResponseReturnValue:
    text = queries.printed(doing(), notice_id)
    page = render_template(
        "resident/refusal_notice.html",
        text=text,
        qr=qr.drawn(text.address),
        trace_words=trace_words,
        outcomes=review_words.OUTCOMES,
        no=no,
    )
    return page, no.status if no else 200

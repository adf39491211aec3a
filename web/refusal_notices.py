"""Written notices of refusals: as they are printed, at a desk and for the authority, and is one genuine.

The page behind a notice's QR code is for anybody who holds the paper: whose home it is about is not on it.
Counted and stopped as the page behind a voucher is.
"""

import hashlib
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from core import clock
from core.auth import ScopeKind
from core.http import doing, fingerprint_by, ground
from cylinders.paper_code import LENGTH
from dispatch.safety.models import ReceivedHow
from dispatch.safety.schemas import ReceiptIn
from evidence.deed import Answer
from oversight import probes, refusal_notices
from oversight import refusal_notice_queries as queries
from web import qr, review_words, trace_words
from web.pages import Face, No, form_of, tried

room = Blueprint("refusal_papers", __name__)
face = Face("refusal_notice_pages", __name__, prefix="/oversight/refusal-notices")

BY_HAND = (ReceivedHow.SIGNED, ReceivedHow.REFUSED_TO_SIGN, ReceivedHow.LEFT)
MOST_BYTES = 8 * 1024 * 1024


@face.context_processor
def _frame() -> dict[str, Any]:
    whole = "doing" in g and doing().actor.reach.kind in (ScopeKind.ALL, ScopeKind.DISTRICT)
    return {"district_wide": whole, "now": clock.now()}


@face.page("/<uuid:notice_id>", "refusal_notice.read")
def notice(notice_id: UUID) -> ResponseReturnValue:
    return _page(notice_id)


@face.page("/<uuid:notice_id>/receipts", "refusal_notice.receive", methods=("POST",))
def receive(notice_id: UUID) -> ResponseReturnValue:
    done, no = tried(lambda: received(notice_id))
    return _page(notice_id, no) if done is None else redirect(f"/oversight/refusal-notices/{notice_id}", 303)


@room.get("/N/<code>", strict_slashes=False)
@room.get("/n/<code>", strict_slashes=False)
def is_it_genuine(code: str) -> ResponseReturnValue:
    asker = request.remote_addr or ""
    probes.admit(ground(), asker)
    found = queries.look(ground(), code[: LENGTH + 1])
    if found is None:
        probes.count_unconfirmed(ground(), asker)
    page = render_template("public/refusal_notice.html", notice=found, review_words=review_words)
    answer = Response(page, 200 if found else 404)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _page(notice_id: UUID, no: No | None = None) -> ResponseReturnValue:
    page = render_template("regulator/refusal_notice.html", no=no, **shown(notice_id))
    return page, no.status if no else 200


# --- what both desks do -------------------------------------------------------------------------------------


def shown(notice_id: UUID) -> dict[str, Any]:
    text = queries.printed(doing(), notice_id)
    return {
        "text": text,
        "qr": qr.drawn(text.address),
        "by_hand": BY_HAND,
        "trace_words": trace_words,
        "outcomes": review_words.OUTCOMES,
        "given": request.form,
    }


def received(notice_id: UUID) -> Answer:
    """``paper``: a photograph of what was signed, by the user or by the witness; its hash is the proof."""
    how, witness = request.form.get("received_how", ""), request.form.get("witness", "")
    signed = _hash_of_paper()
    fingerprint_by("\n".join([how, witness, signed]))
    asked = {"received_how": how, "witness": witness}
    asked["signature_sha256" if how == ReceivedHow.SIGNED.value else "witness_sha256"] = signed
    return refusal_notices.receive(doing(), notice_id=notice_id, **form_of(ReceiptIn, asked))


def _hash_of_paper() -> str:
    file = request.files.get("paper")
    raw = file.stream.read(MOST_BYTES) if file is not None and file.filename else b""
    return hashlib.sha256(raw).hexdigest() if raw else ""

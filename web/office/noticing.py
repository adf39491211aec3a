"""书面告知: a refusal read at the desk, told in writing after a second look, and proved received."""

from typing import Any
from uuid import UUID

from flask import redirect, request
from flask.typing import ResponseReturnValue

from core.http import doing
from core.problems import NotFound
from oversight import refusal_notice_queries as queries
from oversight import refusal_notices
from oversight.lookup import REFUSAL_NO
from web import refusal_notices as pages
from web.office.face import drawn, face
from web.pages import No, tried


@face.page("/refusals/find", "refusal_notice.issue")
def find_refusal() -> ResponseReturnValue:
    return redirect(f"/office/refusals/{_number(request.args.get('number', '').strip().upper())}")


@face.page("/refusals/<number>", "refusal_notice.issue")
def refusal(number: str) -> ResponseReturnValue:
    return drawn("refusal", **_shown(number))


@face.page("/refusals/<number>/notice", "refusal_notice.issue")
def look_before_telling(number: str) -> ResponseReturnValue:
    """The text as it will be printed; nothing is told by looking at it."""
    return drawn("tell_in_writing", **_shown(number))


@face.page("/refusals/<number>/notice", "refusal_notice.issue", methods=("POST",))
def tell_in_writing(number: str) -> ResponseReturnValue:
    done, no = tried(lambda: refusal_notices.issue(doing(), refusal_no=_number(number)))
    if done is None:
        return drawn("tell_in_writing", no, **_shown(number))
    return redirect(f"/office/refusal-notices/{done['notice_id']}", 303)


@face.page("/refusal-notices/<uuid:notice_id>", "refusal_notice.read")
def refusal_notice(notice_id: UUID) -> ResponseReturnValue:
    return _notice_page(notice_id)


@face.page("/refusal-notices/<uuid:notice_id>/receipts", "refusal_notice.receive", methods=("POST",))
def received(notice_id: UUID) -> ResponseReturnValue:
    done, no = tried(lambda: pages.received(notice_id))
    return (
        _notice_page(notice_id, no) if done is None else redirect(f"/office/refusal-notices/{notice_id}", 303)
    )


def _notice_page(notice_id: UUID, no: No | None = None) -> ResponseReturnValue:
    return drawn("refusal_notice", no, **pages.shown(notice_id))


def _shown(number: str) -> dict[str, Any]:
    return {"found": queries.unwritten(doing(), _number(number)), "number": number}


def _number(number: str) -> str:
    if not REFUSAL_NO.fullmatch(number):
        raise NotFound
    return number

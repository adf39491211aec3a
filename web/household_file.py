"""一户一档: a household's whole file to read, to print, and as a download; for a desk and the authority."""

from typing import Any
from uuid import UUID

import orjson
from flask import Response, render_template
from flask.typing import ResponseReturnValue

from core import clock
from core.auth import Role
from core.http import doing
from oversight.file_schemas import WholeFileView
from oversight.refusal_notice_queries import OF_SUPPLY
from oversight.whole_file import whole_file
from rulebook.words import WORDS
from web import book_words, left_at_door, review_words, trace_words
from web.office import said as office_words
from web.pages import Face
from web.resident import said as resident_words

face = Face("files", __name__, prefix="/files")

UNKEPT = {"Cache-Control": "no-store"}
BACK = {Role.CLERK: "/office/households/", Role.REGULATOR: "/oversight/households/"}
"""Each role's own page of the household, where something can be done about it."""
NOTICES = {Role.CLERK: "/office/refusal-notices/", Role.REGULATOR: "/oversight/refusal-notices/"}


@face.page("/households/<uuid:household_id>", "household.file")
def whole(household_id: UUID) -> ResponseReturnValue:
    page = render_template(
        "files/whole.html",
        file=whole_file(doing(), household_id),
        said=office_words,
        resident_said=resident_words,
        words=trace_words,
        review_words=review_words,
        book_words=book_words,
        left_at_door=left_at_door,
        state_zh=lambda code: WORDS.get(code, code),
        back=BACK[doing().actor.role] + str(household_id),
        noticed_verbs=OF_SUPPLY,
        notices_at=NOTICES[doing().actor.role],
        now=clock.now(),
    )
    return page, 200, UNKEPT


@face.page("/households/<uuid:household_id>/export", "household.file")
def export(household_id: UUID) -> ResponseReturnValue:
    """The same, as the API gives it."""
    body: Any = WholeFileView().dump(whole_file(doing(), household_id))
    answer = Response(orjson.dumps(body, option=orjson.OPT_INDENT_2), mimetype="application/json")
    answer.headers["Content-Disposition"] = f"attachment; filename=household-{str(household_id)[-8:]}.json"
    answer.headers["Cache-Control"] = "no-store"
    return answer

"""What is on record about oneself, who looked at it, and asking to have it corrected or erased."""

from typing import Any
from uuid import UUID

import orjson
from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from core.doing import Doing
from core.http import doing
from core.problems import WrongField
from oversight import own_data
from registry import privacy
from registry.privacy_models import CorrectedField
from registry.privacy_schemas import CopyView, RequestIn
from web.pages import No, form_of
from web.resident.pages import face


@face.page("/my-data", "own_data.read")
def my_data() -> ResponseReturnValue:
    return _page(asked=request.args.get("asked") == "1")


@face.page("/my-data/copy", "own_data.copy", methods=("POST",))
def my_copy() -> ResponseReturnValue:
    """A file to keep: JSON, as the API gives it."""
    here: Doing = doing()
    body: Any = CopyView().dump(own_data.copied(here, own_data.copy_own_data(here)))
    answer = Response(orjson.dumps(body, option=orjson.OPT_INDENT_2), mimetype="application/json")
    answer.headers["Content-Disposition"] = "attachment; filename=my-gas-data.json"
    answer.headers["Cache-Control"] = "no-store"
    return answer


@face.page("/my-data/requests", "own_data.ask", methods=("POST",))
def ask_about_my_data() -> ResponseReturnValue:
    asked = {name: request.form.get(name, "") for name in ("kind", "field", "said", "household_id")}
    try:
        privacy.ask(doing(), **form_of(RequestIn, asked))
    except WrongField as wrong:
        return _page(No(422, errors=wrong.faults)), 422
    return redirect(url_for(".my_data", asked="1"))


@face.page("/my-data/requests/<uuid:request_id>/withdraw", "own_data.withdraw", methods=("POST",))
def withdraw_my_request(request_id: UUID) -> ResponseReturnValue:
    privacy.withdraw(doing(), request_id)
    return redirect(url_for(".my_data"))


def _page(no: No | None = None, *, asked: bool = False) -> str:
    return render_template(
        "resident/my_data.html",
        **own_data.own_data(doing()),
        looks=own_data.looks(doing()),
        requests=own_data.own_requests(doing()),
        fields=list(CorrectedField),
        no=no,
        asked=asked,
        chosen_field=request.form.get("field", ""),
        typed=request.form.get("said", ""),
    )

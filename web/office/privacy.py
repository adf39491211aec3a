"""What is masked, shown with a reason to who has just shown who they are; what people ask about their data.

What is revealed is drawn in the answer to the form itself and never stands at an address of its own.
"""

from typing import Any
from urllib.parse import quote
from uuid import UUID

from flask import redirect, request
from flask.typing import ResponseReturnValue

from core.doing import Doing
from core.http import doing
from evidence.deed import Answer
from oversight import own_data
from registry import household_file_queries, people, privacy, second_factors
from registry.people import RevealField, RevealPurpose, RevealReason
from registry.people_refusals import NOT_CONFIRMED
from registry.privacy_models import CorrectedField, RequestKind, RequestReason
from registry.privacy_schemas import DecisionIn, RequestIn
from registry.schemas import ConfirmationIn, RevealIn
from web.book_words import DEPOSITS
from web.office.face import drawn, face
from web.pages import No, form_of, tried
from web.trace_words import failed

UNKEPT = {"Cache-Control": "no-store"}
HERE = "/office/"


# --- showing again who one is -----------------------------------------------------------------------------


@face.page("/confirm", "presence.confirm")
def confirm_form() -> ResponseReturnValue:
    return drawn("confirm", onward=_onward(request.args.get("next", "")))


@face.page("/confirm", "presence.confirm", methods=("POST",))
def confirm() -> ResponseReturnValue:
    onward = _onward(request.form.get("next", ""))
    asked = {name: request.form.get(name, "") for name in ("password", "code")}
    _, no = tried(lambda: second_factors.confirm(doing(), **form_of(ConfirmationIn, asked)))
    return redirect(onward) if no is None else drawn("confirm", no, onward=onward)


def _onward(said: str) -> str:
    """A page of this office, and nothing else."""
    inside = said.startswith(HERE) and "\\" not in said and "//" not in said and said.isprintable()
    return said if inside else HERE


# --- reveals ----------------------------------------------------------------------------------------------


@face.page("/households/<uuid:household_id>/reveals", "person.reveal")
def reveal_form(household_id: UUID) -> ResponseReturnValue:
    household_file_queries.must_reach_household(doing(), household_id)
    return _reveal_page(household_id)


@face.page("/households/<uuid:household_id>/reveals", "person.reveal", methods=("POST",))
def reveal(household_id: UUID) -> ResponseReturnValue:
    here: Doing = doing()
    asked = {name: request.form.get(name, "").strip() for name in ("reason", "purpose", "case_no")}

    def act() -> Answer:
        body = form_of(RevealIn, asked | {"fields": request.form.getlist("fields")})
        return people.reveal_household(here, household_id, fields=body.pop("fields_asked"), **body)

    done, no = tried(act)
    if done is None:
        return _reveal_page(household_id, no)
    return _reveal_page(household_id, shown=household_file_queries.revealed(here, done))


def _reveal_page(
    household_id: UUID, no: No | None = None, shown: dict[str, Any] | None = None
) -> ResponseReturnValue:
    page, status = drawn(
        "reveal",
        no,
        household_id=household_id,
        shown=shown,
        fields=list(RevealField),
        reasons=[one for one in RevealReason if one is not RevealReason.OWN_REQUEST],
        purposes=list(RevealPurpose),
        form=request.form,
        chosen=request.form.getlist("fields"),
        to_confirm=_to_confirm(no, f"/office/households/{household_id}/reveals"),
    )
    return page, status, UNKEPT


def _to_confirm(no: No | None, back: str) -> str | None:
    """Where to show again who one is, if that is what stands against it."""
    if no is None or NOT_CONFIRMED.code not in {reason["code"] for reason in no.reasons}:
        return None
    return f"/office/confirm?next={quote(back)}"


# --- what people ask about their data ---------------------------------------------------------------------


@face.page("/privacy-requests", "own_data.decide")
def privacy_requests() -> ResponseReturnValue:
    return _queue_page()


@face.page("/privacy-requests/<uuid:request_id>/decisions", "own_data.decide", methods=("POST",))
def decide_privacy_request(request_id: UUID) -> ResponseReturnValue:
    """Granted, it is done at once; a copy is printed from the answer."""
    here: Doing = doing()
    asked = {"granted": request.form.get("granted") == "yes", "reason": request.form.get("reason", "")}
    done, no = tried(lambda: own_data.decide(here, request_id, **form_of(DecisionIn, asked)))
    if done is None:
        return _queue_page(no, request_id)
    if "copy" in done:
        page, status = drawn("copy", copy=done["copy"], deposits=DEPOSITS, failed=failed)
        return page, status, UNKEPT
    return redirect(f"/office/privacy-requests?done={done['outcome']}")


@face.page("/households/<uuid:household_id>/privacy-requests", "own_data.ask", methods=("POST",))
def ask_for_registrant(household_id: UUID) -> ResponseReturnValue:
    """The registrant stands at the counter, or has written."""
    asked = {name: request.form.get(name, "").strip() for name in ("kind", "field", "said")}
    if asked["kind"] != RequestKind.CORRECTION.value:
        asked |= {"field": "", "said": ""}
    _, no = tried(
        lambda: privacy.ask(doing(), **form_of(RequestIn, asked | {"household_id": str(household_id)}))
    )
    if no is not None:
        return _ask_page(household_id, no)
    return redirect("/office/privacy-requests")


@face.page("/households/<uuid:household_id>/privacy-requests", "own_data.ask")
def ask_form(household_id: UUID) -> ResponseReturnValue:
    household_file_queries.must_reach_household(doing(), household_id)
    return _ask_page(household_id)


def _ask_page(household_id: UUID, no: No | None = None) -> ResponseReturnValue:
    return drawn(
        "ask_about_data",
        no,
        household_id=household_id,
        kinds=list(RequestKind),
        fields=list(CorrectedField),
        form=request.form,
    )


def _queue_page(no: No | None = None, tried_on: UUID | None = None) -> ResponseReturnValue:
    page, status = drawn(
        "privacy_requests",
        no,
        requests=privacy.waiting(doing()),
        reasons=list(RequestReason),
        tried_on=tried_on,
        outcome=request.args.get("done", ""),
        to_confirm=_to_confirm(no, "/office/privacy-requests"),
    )
    return page, status, UNKEPT

"""户内继承 at the desk: asked for with its papers by one person; decided by another, from the list."""

from collections.abc import Callable
from uuid import UUID

from flask import redirect, request
from flask.typing import ResponseReturnValue

from core.http import doing
from dispatch.deliveries import succeeding
from evidence.deed import Answer
from oversight.looks import keep_desk_look
from registry import people, successions
from registry.household_file_queries import household_view, must_reach_household
from registry.states import SuccessionState
from registry.succession_models import Kinship, RejectedFor, SuccessionGround
from registry.succession_schemas import RejectionIn, SuccessionIn
from web.office.face import drawn, face
from web.pages import No, form_of, tried

SHOWN = 200
NAMES = ("person_id", "ground", "kinship", "evidence", "membership")
LIST = "/office/successions"


@face.page("/households/<uuid:household_id>/successions", "succession.read")
def successions_of_household(household_id: UUID) -> ResponseReturnValue:
    """``person``: who is to take it over, identified a moment ago."""
    return _home_page(household_id)


@face.page("/households/<uuid:household_id>/successions", "succession.ask", methods=("POST",))
def ask_succession(household_id: UUID) -> ResponseReturnValue:
    account = household_view(doing(), household_id)["account"]
    asked = {name: request.form.get(name, "").strip() for name in NAMES}

    def act() -> Answer:
        return successions.ask(doing(), account["id"], **form_of(SuccessionIn, asked))

    _, no = tried(act)
    return _home_page(household_id, no) if no else redirect(f"/office/households/{household_id}/successions")


@face.page("/successions", "succession.read")
def waiting_successions() -> ResponseReturnValue:
    return _list_page()


@face.page("/successions/<uuid:succession_id>/approvals", "succession.decide", methods=("POST",))
def approve_succession(succession_id: UUID) -> ResponseReturnValue:
    return _decided(lambda: succeeding.approve(doing(), succession_id))


@face.page("/successions/<uuid:succession_id>/rejections", "succession.decide", methods=("POST",))
def reject_succession(succession_id: UUID) -> ResponseReturnValue:
    asked = {"reason": request.form.get(f"reason-{succession_id}", "")}
    return _decided(lambda: successions.reject(doing(), succession_id, **form_of(RejectionIn, asked)))


@face.page("/successions/<uuid:succession_id>/withdrawals", "succession.ask", methods=("POST",))
def withdraw_succession(succession_id: UUID) -> ResponseReturnValue:
    return _decided(lambda: successions.withdraw(doing(), succession_id))


def _decided(act: Callable[[], Answer]) -> ResponseReturnValue:
    _, no = tried(act)
    return _list_page(no) if no else redirect(LIST)


def _list_page(no: No | None = None) -> ResponseReturnValue:
    page = successions.successions(doing(), limit=SHOWN, state=SuccessionState.ASKED)
    return drawn(
        "successions", no, rows=page.items, more=page.next_cursor is not None, reasons=list(RejectedFor)
    )


def _home_page(household_id: UUID, no: No | None = None) -> ResponseReturnValue:
    """It shows who holds the account and who is to: that it was opened is kept first."""
    must_reach_household(doing(), household_id)
    keep_desk_look(doing(), household_id)
    named = request.values.get("person_id") or request.args.get("person", "")
    page, status = drawn(
        "succession_of",
        no,
        file=household_view(doing(), household_id),
        rows=successions.successions_of(doing(), household_id),
        successor=people.masked_person(doing(), named),
        grounds=list(SuccessionGround),
        kinships=list(Kinship),
        form=request.form,
    )
    return page, status, {"Cache-Control": "no-store"}

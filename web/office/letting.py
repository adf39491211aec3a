"""出租登记 at the desk: who lets a home to its registrant, by which lease; ending it."""

from uuid import UUID

from flask import redirect, request
from flask.typing import ResponseReturnValue

from core import clock
from core.http import doing
from oversight.looks import keep_desk_look
from registry import lettings, people
from registry.household_file_queries import household_view, must_reach_household
from registry.letting_schemas import LettingIn
from registry.states import AccountState
from web.office.face import drawn, face
from web.pages import No, form_of, tried

ASKED = ("person_id", "reference", "from_on", "until_on")


@face.page("/households/<uuid:household_id>/letting", "letting.read")
def letting_of_household(household_id: UUID) -> ResponseReturnValue:
    """``person``: who is to be the landlord, identified a moment ago."""
    return _page(household_id)


@face.page("/households/<uuid:household_id>/letting", "letting.enter", methods=("POST",))
def enter_letting_at_desk(household_id: UUID) -> ResponseReturnValue:
    asked = {name: request.form.get(name, "").strip() for name in ASKED}
    _, no = tried(lambda: lettings.enter(doing(), household_id, **form_of(LettingIn, asked)))
    return _page(household_id, no) if no else redirect(f"/office/households/{household_id}/letting")


@face.page("/households/<uuid:household_id>/letting/<uuid:letting_id>/ends", "letting.end", methods=("POST",))
def end_letting_at_desk(household_id: UUID, letting_id: UUID) -> ResponseReturnValue:
    _, no = tried(lambda: lettings.end(doing(), household_id, letting_id))
    return _page(household_id, no) if no else redirect(f"/office/households/{household_id}/letting")


def _page(household_id: UUID, no: No | None = None) -> ResponseReturnValue:
    """It shows who lets the home to whom: that it was opened is kept first."""
    must_reach_household(doing(), household_id)
    keep_desk_look(doing(), household_id)
    file = household_view(doing(), household_id)
    rows = lettings.lettings(doing(), household_id)
    page, status = drawn(
        "letting",
        no,
        file=file,
        living=[one for one in rows if one["ended_at"] is None],
        over=[one for one in rows if one["ended_at"] is not None],
        is_open=file["account"] is not None and file["account"]["state"] is not AccountState.CLOSED,
        landlord=people.masked_person(
            doing(), request.form.get("person_id") or request.args.get("person", "")
        ),
        form=request.form,
        today=clock.today(),
    )
    return page, status, {"Cache-Control": "no-store"}

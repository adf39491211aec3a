"""The second step of signing in: the code of an authenticator; whoever must have one and has none takes one.

Between the two steps nobody is signed in: the browser's signed cookie says whose password was right, for some
minutes. Who is signed in by password alone, and comes to act in a role that needs more, is asked here too.
"""

from datetime import datetime, timedelta
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, session
from flask.typing import ResponseReturnValue

from core import clock, limits, second_factor, sessions
from core.auth import Actor, actors_of_principal
from core.doing import Doing
from core.http import doing, ground
from core.problems import WrongField
from core.sessions import SignedInBy
from registry import second_factors
from web import qr
from web.pages import COOKIE_SECRET, Face, No, csrf, signed_in, to_sign_in
from web.signing_in import BY_ADDRESS, HALF_WAY, HALF_WAY_LASTS, home_of, let_in, wanted

room = Blueprint("second_step", __name__)
own = Face("own_sessions", __name__, prefix="/sessions")


@room.get("/sign-in/code")
def form() -> ResponseReturnValue:
    principal_id = _half_way()
    if principal_id is None:
        return to_sign_in("/sign-in")
    if not _is_in_force(principal_id):
        return redirect("/sign-in/enrol")
    return _code_page()


@room.post("/sign-in/code")
def answer() -> ResponseReturnValue:
    csrf.protect()
    principal_id = _half_way()
    if principal_id is None:
        return to_sign_in("/sign-in")
    limits.count(ground(), BY_ADDRESS, request.remote_addr or "")
    if not second_factors.take(ground(), principal_id, request.form.get("code", "")[:40]):
        return _code_page(No(422, errors=second_factors.wrong_code().faults)), 422
    return let_in(principal_id, SignedInBy.PASSWORD_AND_CODE)


@room.get("/sign-in/enrol")
def enrol_form() -> ResponseReturnValue:
    principal_id = _half_way()
    return to_sign_in("/sign-in") if principal_id is None else _enrol_page(principal_id)


@room.post("/sign-in/enrol")
def enrol() -> ResponseReturnValue:
    """First a secret, to be read by the authenticator; then its first code, which puts it in force."""
    csrf.protect()
    principal_id = _half_way()
    if principal_id is None:
        return to_sign_in("/sign-in")
    here = _as(principal_id)
    if here is None or _is_in_force(principal_id):
        return redirect("/sign-in/code")
    if "code" not in request.form:
        second_factors.begin(here)
        return redirect("/sign-in/enrol")
    try:
        codes = second_factors.enrol(here, code=request.form["code"][:40])
    except WrongField as wrong:
        return _enrol_page(principal_id, No(422, errors=wrong.faults))
    let_in(principal_id, SignedInBy.PASSWORD_AND_CODE)
    return render_template("second/recovery.html", codes=codes, onward=wanted() or home_of(principal_id))


# --- one's own sessions -----------------------------------------------------------------------------------


@own.page("", "session.own")
def own_sessions() -> ResponseReturnValue:
    principal_id = doing().actor.principal_id
    with ground().reads() as db:
        has_factor = second_factor.is_in_force(db, principal_id)
        codes_left = second_factor.recovery_codes_left(db, principal_id)
    return render_template(
        "second/sessions.html",
        sessions=sessions.open_sessions(ground(), principal_id, session[COOKIE_SECRET]),
        has_factor=has_factor,
        codes_left=codes_left,
        ended=request.args.get("ended", ""),
    )


@own.page("/end", "session.own", methods=("POST",))
def end_session() -> ResponseReturnValue:
    """One that is named, or every other one."""
    principal_id, named = doing().actor.principal_id, request.form.get("session_id", "")
    if named:
        ended = int(sessions.ended_by_id(ground(), principal_id, named))
    else:
        ended = sessions.end_others(ground(), principal_id, session[COOKIE_SECRET])
    return redirect(f"/sessions?ended={ended}")


# --- who stands between the steps -------------------------------------------------------------------------


def _half_way() -> UUID | None:
    """Whose password was right a moment ago here, or who is signed in by password alone."""
    if isinstance(said := session.get(HALF_WAY), list) and len(said) == 2:
        principal_id, at = said
        if clock.now() - datetime.fromisoformat(at) < timedelta(minutes=HALF_WAY_LASTS):
            return UUID(principal_id)
    here = signed_in()
    return here.principal_id if here is not None and here.signed_in_by is SignedInBy.PASSWORD else None


def _is_in_force(principal_id: UUID) -> bool:
    with ground().reads() as db:
        return second_factor.is_in_force(db, principal_id)


def _as(principal_id: UUID) -> Doing | None:
    """Taking a second factor is one's own deed, filed where the first of one's grants files."""
    with ground().reads() as db:
        actors: list[Actor] = actors_of_principal(db, principal_id)
    return Doing(ground(), actors[0], actors[0].district, "second-step") if actors else None


def _code_page(no: No | None = None) -> str:
    return render_template("second/code.html", no=no, next=wanted())


def _enrol_page(principal_id: UUID, no: No | None = None) -> ResponseReturnValue:
    if _is_in_force(principal_id):
        return redirect("/sign-in/code")
    begun = second_factors.begun(ground(), principal_id)
    page = render_template(
        "second/enrol.html",
        no=no,
        secret=begun.secret,
        code=qr.drawn(begun.uri) if begun.uri else None,
        next=wanted(),
    )
    return page, no.status if no else 200

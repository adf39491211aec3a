"""Signing in and out, choosing as whom to act, and how large the letters are."""

from datetime import timedelta
from urllib.parse import quote, unquote, urlsplit
from uuid import UUID

from flask import Blueprint, abort, current_app, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from core import clock, confirmations, limits, passwords, second_factor, sessions
from core.auth import Actor, actors_of_principal, hash_token
from core.http import doing, ground
from core.limits import Limit
from core.sessions import SignedInBy
from registry import passwords as passwords_of_staff
from registry import second_factors
from registry.schemas import NewPasswordIn
from web.pages import (
    COOKIE_SECRET,
    HOMES,
    LARGE_COOKIE,
    LARGE_STEPS,
    Face,
    csrf,
    form_of,
    signed_in,
    to_sign_in,
    tried,
)

room = Blueprint("signing_in", __name__)
own = Face("own", __name__, prefix="/password")

BY_NAME = Limit("sign_in.name", 10, timedelta(minutes=15))
BY_ADDRESS = Limit("sign_in.address", 60, timedelta(minutes=15))
HALF_WAY, HALF_WAY_LASTS = "half_way", 10
"""In the browser's signed cookie: whose password was right, and when; for how many minutes that counts."""
YEAR_S = 365 * 24 * 3600


@room.get("/sign-in")
def form() -> ResponseReturnValue:
    return render_template("sign_in.html", login="", wrong=False, next=wanted())


@room.post("/sign-in")
def sign_in() -> ResponseReturnValue:
    """One answer for a wrong name and a wrong password, after the same work; both are counted."""
    csrf.protect()
    login, password = request.form.get("login", "")[:200], request.form.get("password", "")[:200]
    limits.count(ground(), BY_ADDRESS, request.remote_addr or "")
    limits.count(ground(), BY_NAME, passwords.plain_login(login))
    with ground().reads() as db:
        principal_id = passwords.whose(db, login, password)
        has_factor = principal_id is not None and second_factor.is_in_force(db, principal_id)
    if principal_id is None:
        return render_template("sign_in.html", login=login, wrong=True, next=wanted()), 422
    if has_factor or any(second_factors.is_required(actor) for actor in _actors(principal_id)):
        return _half_in(principal_id, "/sign-in/code" if has_factor else "/sign-in/enrol")
    return let_in(principal_id, SignedInBy.PASSWORD)


def _half_in(principal_id: UUID, step: str) -> ResponseReturnValue:
    """The password was right, and more is asked: until then nobody is signed in here."""
    going = wanted()
    _leave()
    session[HALF_WAY] = [str(principal_id), clock.now().isoformat()]
    return redirect(f"{step}?next={quote(going)}" if going else step)


def let_in(principal_id: UUID, by: SignedInBy) -> ResponseReturnValue:
    """A new session, never one that was there before, which ends; then where they wanted to go, or home.

    Who signs in has just shown who they are: for some minutes they need not show it again.
    """
    going = wanted()
    _leave()
    secret = sessions.open_session(ground(), principal_id, by)
    confirmations.confirm(ground(), principal_id, hash_token(secret))
    session[COOKIE_SECRET] = secret
    return redirect(going or home_of(principal_id))


@room.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    csrf.protect()
    _leave()
    return redirect("/")


def _leave() -> None:
    """Whoever was signed in here is so no more, not even by a copy of the cookie."""
    if isinstance(secret := session.get(COOKIE_SECRET), str):
        sessions.end_session(ground(), secret)
    session.clear()


@room.get("/act-as")
def choose() -> ResponseReturnValue:
    here = signed_in()
    if here is None:
        return to_sign_in("/sign-in")
    return render_template("act_as.html", actors=_actors(here.principal_id), next=wanted())


@room.post("/act-as")
def act_as() -> ResponseReturnValue:
    csrf.protect()
    here = signed_in()
    if here is None:
        return to_sign_in("/sign-in")
    named = request.form.get("grant_id", "")
    actor = next((one for one in _actors(here.principal_id) if str(one.grant_id) == named), None)
    if actor is None or actor.grant_id is None:
        abort(404)
    sessions.act_as(ground(), session[COOKIE_SECRET], actor.grant_id)
    return redirect(wanted() or HOMES.get(actor.role, "/"))


@own.page("", "password.change")
def password() -> ResponseReturnValue:
    return render_template("password.html", no=None)


@own.page("", "password.change", methods=("POST",))
def change_password() -> ResponseReturnValue:
    """Every session ends with the old password, this one too: sign in with the new one."""
    limits.count(ground(), BY_NAME, str(doing().actor.principal_id))
    asked = {name: request.form.get(name, "") for name in ("old", "new")}
    _, no = tried(lambda: passwords_of_staff.change_password(doing(), **form_of(NewPasswordIn, asked)))
    if no is not None:
        return render_template("password.html", no=no), no.status
    session.clear()
    return redirect("/sign-in")


@room.post("/large-type")
def large_type() -> ResponseReturnValue:
    """The next step of size; kept in a cookie, so that the server draws the page that way."""
    csrf.protect()
    step = request.form.get("step", "")
    answer = redirect(wanted() or "/")
    answer.set_cookie(
        LARGE_COOKIE, step if step in LARGE_STEPS else "", max_age=YEAR_S, samesite="Lax", httponly=True
    )
    return answer


def _actors(principal_id: UUID) -> list[Actor]:
    with ground().reads() as db:
        return actors_of_principal(db, principal_id)


def home_of(principal_id: UUID) -> str:
    homes = {HOMES[actor.role] for actor in _actors(principal_id) if actor.role in HOMES}
    return homes.pop() if len(homes) == 1 else "/act-as"


def wanted() -> str:
    """Where they were going: a page of ours that can be loaded, never another house's address."""
    given = request.values.get("next", "")
    ours = given.startswith("/") and not given.startswith(("//", "/\\")) and given.isprintable()
    return given if ours and _is_page(given) else ""


def _is_page(address: str) -> bool:
    """Where a form goes there is nothing to come back to."""
    try:
        current_app.url_map.bind("").match(unquote(urlsplit(address).path), method="GET")
    except (HTTPException, ValueError):
        return False
    return True

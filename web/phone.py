"""Residents sign in by telephone: a number, then the code that was sent there, then who of the family it is.

The browser keeps the challenge in its signed cookie; the page after a number is the same whether or not the
number is anybody's.
"""

from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, session
from flask.typing import ResponseReturnValue

from core import limits
from core.fields import Form
from core.http import ground
from core.limits import Limit
from core.problems import WrongField
from core.sealed import mask_phone
from core.sessions import SignedInBy
from registry import phone_codes
from registry.fields import Phone
from registry.phone_codes import Checked
from registry.sealing import plain_phone
from web.openings import barred_places
from web.pages import No, csrf, form_of
from web.signing_in import let_in, wanted

room = Blueprint("phone", __name__)

ASKED_OF_PHONE = Limit("sign_in.phone", 5, timedelta(hours=1))
ASKED_OF_PHONE_A_DAY = Limit("sign_in.phone_day", 10, timedelta(days=1))
TYPED_FROM_ADDRESS = Limit("sign_in.code_address", 60, timedelta(minutes=15))

CHALLENGE, SHOWN = "phone_challenge", "phone_shown"


class PhoneIn(Form):
    phone = Phone(required=True)


@room.get("/sign-in/phone")
def form() -> ResponseReturnValue:
    return _number_page()


@room.post("/sign-in/phone")
def ask() -> ResponseReturnValue:
    """Counted by number and by address before anything is looked up."""
    csrf.protect()
    typed = request.form.get("phone", "")[:40]
    try:
        phone = plain_phone(form_of(PhoneIn, {"phone": typed.strip()})["phone"])
    except WrongField as wrong:
        return _number_page(typed, No(422, errors=wrong.faults)), 422
    for limit in limits.per_address(ground(), "sign_in.phone"):
        limits.count(ground(), limit, request.remote_addr or "")
    for limit in (ASKED_OF_PHONE, ASKED_OF_PHONE_A_DAY):
        limits.count(ground(), limit, phone)
    session[CHALLENGE] = str(phone_codes.challenge(ground(), phone))
    session[SHOWN] = mask_phone(phone)
    return redirect(_on("/sign-in/phone/code"))


@room.get("/sign-in/phone/code")
def code_form() -> ResponseReturnValue:
    return _code_page() if _challenge() else redirect(_on("/sign-in/phone"))


@room.post("/sign-in/phone/code")
def answer() -> ResponseReturnValue:
    csrf.protect()
    challenge_id = _challenge()
    if challenge_id is None:
        return redirect(_on("/sign-in/phone"))
    limits.count(ground(), TYPED_FROM_ADDRESS, request.remote_addr or "")
    typed = "".join(mark for mark in request.form.get("code", "")[:40] if mark.isascii() and mark.isdigit())
    checked = phone_codes.check(ground(), challenge_id, typed)
    if checked is not Checked.RIGHT:
        return _code_page(checked)
    people = phone_codes.candidates(ground(), challenge_id)
    if len(people) == 1:
        return _as(challenge_id, people[0].person_id)
    return redirect(_on("/sign-in/phone/who"))


@room.get("/sign-in/phone/who")
def who_form() -> ResponseReturnValue:
    """Several people are reached under one number: a family."""
    challenge_id = _challenge()
    people = phone_codes.candidates(ground(), challenge_id) if challenge_id else []
    if not people:
        return redirect(_on("/sign-in/phone"))
    return render_template("phone/who.html", people=people, next=wanted())


@room.post("/sign-in/phone/who")
def who() -> ResponseReturnValue:
    csrf.protect()
    challenge_id, named = _challenge(), _uuid(request.form.get("person_id", ""))
    if challenge_id is None or named is None:
        return redirect(_on("/sign-in/phone/who"))
    return _as(challenge_id, named)


def _as(challenge_id: UUID, person_id: UUID) -> ResponseReturnValue:
    principal_id = phone_codes.use(ground(), challenge_id, person_id)
    if principal_id is None:
        return redirect(_on("/sign-in/phone"))
    return let_in(principal_id, SignedInBy.PHONE_CODE)


def _number_page(phone: str = "", no: No | None = None) -> str:
    return render_template("phone/number.html", no=no, phone=phone, next=wanted(), barred=barred_places())


def _code_page(checked: Checked | None = None) -> ResponseReturnValue:
    page = render_template(
        "phone/code.html",
        shown=session.get(SHOWN, ""),
        checked=checked.value if checked else "",
        next=wanted(),
    )
    return page, 422 if checked else 200


def _challenge() -> UUID | None:
    return _uuid(session.get(CHALLENGE))


def _uuid(text: object) -> UUID | None:
    try:
        return UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _on(path: str) -> str:
    """The next step, carrying along where they were going."""
    going = wanted()
    return f"{path}?next={quote(going)}" if going else path

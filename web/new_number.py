"""网上登记: a registered user says, from home, which telephone is theirs; one question a page (faces.md 7.2).

    /register        who you are, your card, your telephone, then all of it to be checked
    /register/sent   the same page whoever asked: what happens next

What was answered before travels in the form and nowhere else: not in a cookie, an address or a log. Tries are
counted by address and by document; whether it agrees with the file is looked up after it was answered.
"""

from collections.abc import Mapping
from datetime import timedelta

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema

from core import clock, limits
from core.fields import Form, Scanned, Text, Word
from core.http import ground
from core.limits import Limit
from core.problems import WrongField
from registry import new_numbers
from registry.documents import DocumentFacts, DocumentKind, WrongDocument, check_document
from registry.fields import Phone
from registry.new_numbers import Said
from registry.sealing import plain_phone
from web.office.said import DOCUMENTS
from web.openings import barred_places
from web.pages import No, csrf, form_of

room = Blueprint("new_number", __name__)

BY_DOCUMENT = Limit("register.document", 5, timedelta(days=1))


class WhoIn(Form):
    name = Text(required=True, most=60)
    kind = Word(DocumentKind, required=True)
    number = Text(required=True, most=64)


class CardIn(Form):
    card = Scanned(required=True)


class PhoneIn(Form):
    phone = Phone(required=True)


STEPS: dict[str, type[Schema]] = {"who": WhoIn, "card": CardIn, "phone": PhoneIn}
CHECK = "check"
NAMES = ("name", "kind", "number", "card", "phone")


@room.get("/register")
def begin() -> ResponseReturnValue:
    return _page("who", {}), 200


@room.post("/register")
def go_on() -> ResponseReturnValue:
    """Every page sends all that was answered so far; the first that cannot be read is asked again."""
    csrf.protect()
    said = {name: request.form.get(name, "").strip()[:200] for name in NAMES}
    answered = request.form.get("step", "")
    for step, shape in STEPS.items():
        if request.form.get("back") == step:
            return _page(step, said), 200
        try:
            form_of(shape, {name: said[name] for name in shape().fields})
            facts = _facts(said)
        except WrongField as wrong:
            return _page(step, said, No(422, errors=wrong.faults)), 422
        if step == answered:
            return _page(_after(step), said), 200
    return _ask(said, facts)


@room.get("/register/sent")
def sent() -> ResponseReturnValue:
    return render_template("phone/register_sent.html", hotline=ground().config.hotline)


def _ask(said: Mapping[str, str], facts: DocumentFacts) -> ResponseReturnValue:
    for limit in limits.per_address(ground(), "register.number"):
        limits.count(ground(), limit, request.remote_addr or "")
    limits.count(ground(), BY_DOCUMENT, f"{facts.kind.value}:{facts.normalised}")
    named = {name: said[name] for name in ("name", "card")}
    phone = plain_phone(said["phone"])
    new_numbers.apply(ground(), Said(kind=facts.kind.value, number=facts.normalised, phone=phone, **named))
    return redirect("/register/sent", 303)


def _facts(said: Mapping[str, str]) -> DocumentFacts:
    try:
        return check_document(DocumentKind(said["kind"]), said["number"], clock.today())
    except WrongDocument as wrong:
        raise WrongField("/number", wrong.code, wrong.zh, wrong.en) from None


def _after(step: str) -> str:
    steps = [*STEPS, CHECK]
    return steps[steps.index(step) + 1]


def _page(step: str, said: Mapping[str, str], no: No | None = None) -> str:
    """``kept``: what is not asked on this page and was answered before, or will be."""
    asked = STEPS[step]().fields if step in STEPS else {}
    return render_template(
        "phone/register.html",
        step=step,
        steps=[*STEPS, CHECK],
        said=said,
        kept={name: said.get(name, "") for name in NAMES if name not in asked},
        no=no,
        kinds=DOCUMENTS,
        barred=barred_places(),
    )

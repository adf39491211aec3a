"""Pages: the same verbs, rights and services as the API's routes, for people in a browser.

    face = Face("station", __name__, prefix="/station")

    @face.page("/", "cylinder.ask")
    def desk() -> str:
        return render_template("station/desk.html", …)

A page names its verb, as a route does. Who is not signed in is sent to sign in and comes back; without the
right it is 403; ``doing()`` is who acts, as in the API. A POST must carry the form's CSRF token and its
``form_key`` (both from the macro ``form``): the key is the idempotency key, so that a form sent twice is one
deed. A page that does two deeds at once names the parts: ``doing_part("load")``.

What a service refuses comes back through ``tried`` as a ``No`` for the page to show beside its form; what is
not caught becomes a page of its own (``problem_page``).
"""

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import wraps
from typing import Any, TypeVar, cast
from unicodedata import normalize
from urllib.parse import quote

import marshmallow as ma
from flask import Blueprint, Flask, Response, current_app, g, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect
from jinja2 import StrictUndefined
from werkzeug.exceptions import Forbidden

from core import idempotency, sessions
from core.auth import Actor, Role, actors_of_principal, hash_token, with_verb
from core.doing import Doing
from core.fields import Day
from core.http import doing, ground, loaded
from core.problems import FieldFault, WrongField
from core.refusal import Audience, Refused
from core.sessions import SignedIn, SignedInBy
from registry.second_factors import is_required
from web import map_tiles, words

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

COOKIE_SECRET = "secret"
LARGE_COOKIE, LARGE_STEPS = "large", ("", "large", "larger")
CSP = (
    "default-src 'none'; script-src 'self'{wasm}; style-src 'self'; img-src 'self' data:{tiles}; "
    "connect-src 'self'; media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_DAY = Day()
_KILOGRAMS = re.compile(r"([0-9]{1,4})(?:\.([0-9]{1,3}))?(?: ?kg)?", re.IGNORECASE)

csrf = CSRFProtect()
frame = Blueprint("web", __name__, template_folder="templates", static_folder="static")

HOMES: dict[Role, str] = {
    Role.RESIDENT: "/resident/",
    Role.FILLER: "/station/",
    Role.COURIER: "/courier/",
    Role.DISPATCHER: "/dispatch/",
    Role.REGULATOR: "/oversight/",
    Role.CLERK: "/office/",
}
"""Where a role begins. A role that is not here has no pages yet."""


# --- faces ------------------------------------------------------------------------------------------------


class Face(Blueprint):
    """The pages of one kind of person."""

    def __init__(self, name: str, import_name: str, *, prefix: str, sign_in: str = "/sign-in"):
        super().__init__(name, import_name, url_prefix=prefix)
        self.sign_in = sign_in

    def page(
        self, rule: str, verb: str, *, methods: tuple[str, ...] = ("GET",), most_bytes: int | None = None
    ) -> Callable[[F], F]:
        """Let in whoever is signed in and has the verb; a POST needs the form's token and key.

        ``most_bytes``: how much a form may bring that brings a file, where that is more than any other may.
        """

        def decorate(view: F) -> F:
            @wraps(view)
            def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
                here = signed_in()
                if here is None:
                    return to_sign_in(self.sign_in)
                if request.method == "POST":
                    request.max_content_length = most_bytes or request.max_content_length
                    csrf.protect()
                able = able_to(here, verb)
                if here.signed_in_by is SignedInBy.PASSWORD and any(map(is_required, able)):
                    return redirect(f"/sign-in/code?next={quote(request.full_path)}")
                actor = _chosen(here, able)
                if actor is None:
                    return redirect(f"/act-as?next={quote(request.full_path)}")
                key = _form_key() if request.method == "POST" else None
                mark, credential = _fingerprint() if key else b"", hash_token(session[COOKIE_SECRET])
                g.doing = Doing(
                    ground(), actor, actor.district, g.request_id, key, mark, credential=credential
                )
                return cast(ResponseReturnValue, view(*args, **kwargs))

            guarded.verb = verb  # type: ignore[attr-defined]  # read by the matrix test and the docs
            self.add_url_rule(rule, view.__name__, guarded, methods=list(methods))
            return cast(F, guarded)

        return decorate


def signed_in() -> SignedIn | None:
    """Who is signed in in this browser; asked once a request."""
    if "signed_in" not in g:
        secret = session.get(COOKIE_SECRET)
        g.signed_in = sessions.living(ground(), secret) if isinstance(secret, str) else None
    return cast("SignedIn | None", g.signed_in)


def to_sign_in(address: str) -> ResponseReturnValue:
    """To sign in, and back here afterwards; what a form said is asked for again."""
    wanted = request.full_path if request.method == "GET" else request.path
    return redirect(f"{address}?next={quote(wanted.rstrip('?'))}")


def able_to(here: SignedIn, verb: str) -> list[Actor]:
    with ground().reads() as db:
        actors = actors_of_principal(db, here.principal_id)
    able = with_verb(actors, verb, current_app.extensions["rights"])
    if not able:
        raise Forbidden(f"none of your roles has the verb {verb}")
    return able


def _chosen(here: SignedIn, able: list[Actor]) -> Actor | None:
    """Whoever has several grants for a verb has said which: we do not guess for whom."""
    if len(able) == 1:
        return able[0]
    return next((actor for actor in able if actor.grant_id == here.grant_id), None)


def _form_key() -> str:
    key = request.form.get("form_key") or request.headers.get("Idempotency-Key", "")
    if not 8 <= len(key) <= 200 or not key.isascii() or not key.isprintable():
        raise WrongField(
            "/form_key", "key", "表单已失效，请刷新页面再试", "this form has expired: load the page again"
        )
    return key


def _fingerprint() -> bytes:
    """Of what was asked: the same form sent twice has the same, whatever its CSRF token."""
    said = [
        f"{name}={value}".encode()
        for name, value in sorted(request.form.items(multi=True))
        if name != "csrf_token"
    ]
    body = request.get_data() if request.is_json else b""
    asked = (request.method.encode(), request.full_path.encode(), *said, body)
    return idempotency.fingerprint(ground().keyring, asked)


def open_form() -> tuple[str, bytes]:
    """Key and fingerprint of a form that anybody may send who was shown its page."""
    csrf.protect()
    return _form_key(), _fingerprint()


def doing_part(part: str) -> Doing:
    """The same doing for one of several deeds of a form: its own idempotency key, and answered flag."""
    here = doing()
    return replace(here, key=here.key and f"{here.key}:{part}")


# --- saying no on a page ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class No:
    """What stands against it, as a template shows it: reasons of law or state, or faults of fields."""

    status: int
    reasons: tuple[Mapping[str, Any], ...] = ()
    refusal_no: str | None = None
    errors: tuple[FieldFault, ...] = ()

    def at(self, pointer: str) -> FieldFault | None:
        """The first fault of this field or of what is within it."""
        return next(
            (one for one in self.errors if one.pointer == pointer or one.pointer.startswith(f"{pointer}/")),
            None,
        )


def tried(act: Callable[[], T]) -> tuple[T | None, No | None]:
    """Do it; or what stands against it. Anything else (not found, busy, our bugs) travels on."""
    try:
        return act(), None
    except Refused as refused:
        audience = doing().actor.audience
        reasons = tuple(refusal.worded(audience) for refusal in refused.refusals)
        return None, No(409, reasons, refused.number)
    except WrongField as wrong:
        return None, No(422, errors=wrong.faults)


def day_said(text: str | None) -> date | None:
    """A day as an address or a field names it, within the years the API takes; None where it is none."""
    try:
        return _DAY.deserialize(text)
    except ma.ValidationError:
        return None


def number_said(text: str | None) -> int | str | None:
    """Digits as the API takes a number; anything else, or too many, is left for the schema to refuse."""
    return int(text) if text and len(text) < 10 and text.isascii() and text.isdigit() else text


def grams_said(pointer: str, text: str) -> int | str:
    """What a scale or a stamp shows, in kilograms with up to three decimals; empty stays empty."""
    read = normalize("NFKC", text).strip()
    if not read:
        return ""
    shown = _KILOGRAMS.fullmatch(read)
    if shown is None:
        raise WrongField(
            pointer,
            "kg",
            "应为公斤数，最多三位小数，如 16.5",
            "expected kilograms with at most three decimals, as 16.5",
        )
    return 1000 * int(shown[1]) + int((shown[2] or "").ljust(3, "0"))


def form_of(schema: type[ma.Schema] | ma.Schema, body: Mapping[str, Any]) -> dict[str, Any]:
    """A form's fields through the API's own schema; ``WrongField`` with every fault. Empty is absent."""
    return loaded(schema, {name: value for name, value in body.items() if value not in ("", None)})


# --- the frame --------------------------------------------------------------------------------------------


def furnish(app: Flask) -> None:
    """Give the application its pages' frame: templates, static files, cookies, CSRF, errors as pages."""
    here: Any = app.extensions["ground"]
    app.config.update(
        SECRET_KEY=hashlib.blake2b(here.keyring.signing.current_key, person=b"lpg web cookie").digest(),
        SESSION_COOKIE_NAME="lpg",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=here.config.public_url.startswith("https:"),
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
    )
    csrf.init_app(app)
    app.register_blueprint(frame)
    app.extensions["problem_page"] = problem_page
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(words.FILTERS)
    app.jinja_env.filters["on_tiles"] = map_tiles.on_tiles
    app.jinja_env.filters["place_on_tiles"] = map_tiles.place_on_tiles
    app.jinja_env.globals["new_form_key"] = lambda: secrets.token_urlsafe(16)  # macros see globals only
    app.context_processor(_frame_context)
    app.after_request(_secure)


def _frame_context() -> dict[str, Any]:
    """What every template may use. ``who``: the actor whose page this is, if it is somebody's.

    ``at_counter``: it is a clerk's, also where it is drawn in another face's frame.
    """
    step = request.cookies.get(LARGE_COOKIE, "")
    return {
        "who": doing().actor if "doing" in g else None,
        "at_counter": "doing" in g and doing().actor.role is Role.CLERK,
        "signed_in": signed_in(),
        "large": step if step in LARGE_STEPS else "",
        "demo_day": words.demo_day() if ground().config.demo_clock else None,
        "request_id": g.get("request_id", ""),
        "hotline": ground().config.hotline,
    }


def _secure(response: Response) -> Response:
    if request.path.startswith("/static/"):
        response.headers["Cache-Control"] = "no-cache"
    if response.mimetype == "text/html":
        wasm = " 'wasm-unsafe-eval'" if request.path.startswith("/courier/") else ""
        response.headers.setdefault(
            "Content-Security-Policy", CSP.format(wasm=wasm, tiles=map_tiles.origins(ground().config))
        )
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Permissions-Policy"] = "camera=(self), geolocation=(self), microphone=()"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    return response


def problem_page(body: dict[str, Any], headers: dict[str, str]) -> Response:
    """A problem for who reads pages: what is known, what to do, and the number to quote.

    Where the database is away nobody can be asked who is signed in: the page is drawn without.
    """
    if body["status"] >= 500:
        g.signed_in = None
    answer = Response(render_template("problem.html", problem=body), body["status"], headers)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def audience() -> Audience:
    return doing().actor.audience

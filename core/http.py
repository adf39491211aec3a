"""The door: how requests come in and answers go out. Nothing else words an error.

Room      a blueprint whose routes name their verb: ``@room.may("order.book", writes=True)``
doing()   who is doing something in this request, for the services
Api       flask-smorest's, with every error as problem+json (RFC 9457)
"""

import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar, cast

import flask_smorest
import marshmallow as ma
import orjson
import structlog
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_cls
from flask import Flask, Request, Response, current_app, g, request
from flask.json.provider import JSONProvider
from flask_smorest import Blueprint
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import (
    BadRequest,
    Forbidden,
    HTTPException,
    NotAcceptable,
    Unauthorized,
    UnsupportedMediaType,
)

from core import fields as own
from core import idempotency, metrics
from core.auth import Actor, Role, actors_in, grants_of_token, hash_token, with_verb
from core.doing import Doing
from core.ground import Ground
from core.nesting import NotJson, read_json
from core.problems import Busy, FieldFault, KeyMissing, KeyReused, NotFound, TooMany, WrongField, faults_in
from core.refusal import Audience, Refused

log = structlog.get_logger()

PROBLEM = "application/problem+json"
FILE = "application/octet-stream"
_TYPE = "urn:lpg-trace:problem:"
_KEY = re.compile(r"[\x21-\x7e]{8,200}")
# as tracing tools make them; nothing that could be a telephone number, a document's or a token
_REQUEST_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

API = "/api/"
ProblemPage = Callable[[dict[str, Any], dict[str, str]], Response]
"""How a problem is shown to who reads pages: ``app.extensions["problem_page"]``, given by web/."""

Rights = Mapping[Role, frozenset[str]]
Beside = Callable[..., tuple[Sequence[Any], Any]]
"""``beside(ground, token_hash, …what the view gets)``: rows with the columns of ``auth.GRANTS_OF_TOKEN``, and
whatever the same statement found besides, for the view (``doing().beside``)."""
F = TypeVar("F", bound=Callable[..., Any])


def doing() -> Doing:
    """Who is doing something in this request; its ``replayed`` flag reaches the answer's header."""
    return cast(Doing, g.doing)


def ground() -> Ground:
    return cast(Ground, current_app.extensions["ground"])


class Parser(FlaskParser):
    """Unknown fields are refused wherever they come from."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {  # noqa: RUF012 (webargs' own way to say it)
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "json": ma.RAISE,
        "query": ma.RAISE,
    }

    def load_querystring(self, req: Request, schema: ma.Schema) -> Any:
        """A plain dict, but where a field takes several values: of each absent one the proxy would make an
        exception."""
        if any(isinstance(field, (ma.fields.List, ma.fields.Tuple)) for field in schema.fields.values()):
            return super().load_querystring(req, schema)
        return req.args.to_dict()

    def _raw_load_json(self, req: Request) -> Any:
        try:
            return read_json(req.get_data())
        except NotJson as wrong:
            raise BadRequest(f"请求内容无法读取：{wrong.zh} / the body cannot be read: {wrong.en}") from None


class Room(Blueprint):
    """The routes of one room. Every route says which verb of the trade it is."""

    ARGUMENTS_PARSER = Parser()

    def __init__(self, name: str, import_name: str, **kwargs: Any):
        super().__init__(name, import_name, url_prefix=API + "v1", **kwargs)

    def arguments(self, schema: Any, *, location: str = "json", **kwargs: Any) -> Callable[[F], F]:
        """Whoever takes a body says also how it answers one that cannot be read."""
        schema = schema() if isinstance(schema, type) else schema  # or webargs makes one at each request
        taking: Callable[[F], F] = super().arguments(schema, location=location, **kwargs)
        if location != "json":
            return taking
        answers = {status: f"Problem{status}" for status in _ANSWERS_OF_BODIES}
        described: Callable[[F], F] = self.doc(responses=answers)
        return lambda view: described(taking(view))

    def may(
        self,
        verb: str,
        *,
        writes: bool = False,
        takes_file: bool = False,
        gives_file: bool = False,
        beside: Beside | None = None,
    ) -> Callable[[F], F]:
        """Let in whoever has the verb. ``writes``: the request must carry an Idempotency-Key.

        ``takes_file``: the body is a file of any size, read as it comes; the view says by
        ``fingerprint_by`` what it was. ``gives_file``: the answer is one, whatever kind it is.
        ``beside``: the question of a route so busy that it is asked in one statement with the grants; nobody
        sees what it found before the grants have let him in.
        """

        def decorate(view: F) -> F:
            @wraps(view)
            def guarded(*args: Any, **kwargs: Any) -> Any:
                district = kwargs.get("district")
                credential = _credential()
                rows, found = (
                    beside(ground(), credential, *args, **kwargs)
                    if beside
                    else (grants_of_token(ground().reads, credential), None)
                )
                actor = _admit(rows, verb, district)
                key = _idempotency_key() if writes else None
                if takes_file and request.mimetype != FILE:
                    raise UnsupportedMediaType(f"expected {FILE}")
                mark = _fingerprint() if key and not takes_file else b""
                where = actor.district if district is None else district
                g.doing = Doing(
                    ground(), actor, where, g.request_id, key, mark, credential=credential, beside=found
                )
                answer = current_app.make_response(view(*args, **kwargs))
                if g.doing.replayed:
                    answer.headers["Idempotency-Replayed"] = "true"
                return answer

            guarded.takes_file = takes_file  # type: ignore[attr-defined]  # read before each request
            guarded.gives_file = gives_file  # type: ignore[attr-defined]  # as above
            guarded.verb = verb  # type: ignore[attr-defined]  # read by the matrix test and the docs
            documented = self.doc(**_documented(verb, writes, takes_file))(guarded)
            documented.verb = verb
            return cast(F, documented)

        return decorate


def _credential() -> bytes:
    """The hash of the token that came; 401 for none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized("expected a bearer token")
    return hash_token(token.strip())


def _admit(grants: Sequence[Any], verb: str, district: int | None) -> Actor:
    """Who acts: 401 for nobody, 403 without the verb, 404 where none of the grants acts."""
    actors = actors_in(grants)
    if not actors:
        raise Unauthorized("this token is unknown, spent or revoked")
    rights: Rights = current_app.extensions["rights"]
    able = with_verb(actors, verb, rights)
    if not able:
        raise Forbidden(f"none of your roles has the verb {verb}")
    if district is not None:
        if not 100_000 <= district <= 999_999:
            raise NotFound
        able = [actor for actor in able if actor.reach.acts_in(district)]
    return _the_one_named(able)


def _the_one_named(able: list[Actor]) -> Actor:
    """Whoever may act under several grants says which (``Acting-As``): we do not guess for whom."""
    named = request.headers.get("Acting-As")
    if named is not None:
        able = [actor for actor in able if str(actor.grant_id) == named]
    if not able:
        raise NotFound
    if len(able) > 1:
        grants = ", ".join(f"{actor.grant_id} ({actor.role} {actor.reach.code})" for actor in able)
        raise WrongField(
            "/headers/Acting-As", "ambiguous", f"请指明以哪项授权办理：{grants}", f"expected one of {grants}"
        )
    return able[0]


def _idempotency_key() -> str:
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        raise KeyMissing
    if not _KEY.fullmatch(key):
        raise WrongField(
            "/headers/Idempotency-Key",
            "key",
            "应为8至200个可见ASCII字符",
            "expected 8 to 200 visible ASCII characters",
        )
    return key


def _fingerprint() -> bytes:
    return _fingerprint_of(request.get_data())


def _fingerprint_of(body: bytes) -> bytes:
    asked = (request.method.encode(), request.full_path.encode(), body)
    return idempotency.fingerprint(ground().keyring, asked)


def fingerprint_by(digest: str) -> None:
    """The file that this request brought, by its hash: the same key with another file is refused."""
    doing().fingerprint = _fingerprint_of(digest.encode())


def _documented(verb: str, writes: bool, takes_file: bool) -> dict[str, Any]:
    """Every answer that is no success is a problem; those that this kind of route can give are listed."""
    statuses = [*_ANSWERS_OF_ALL, *(_ANSWERS_OF_WRITES if writes else ())]
    statuses += _ANSWERS_OF_BODIES if takes_file else ()
    doc: dict[str, Any] = {
        "security": [{"bearer": []}],
        "x-verb": verb,
        "responses": {status: f"Problem{status}" for status in statuses} | {"default": "Problem"},
    }
    if writes:
        doc["parameters"] = ["IdempotencyKey"]
    if takes_file:
        doc["requestBody"] = {
            "required": True,
            "content": {FILE: {"schema": {"type": "string", "format": "binary"}}},
        }
    return doc


class Json(JSONProvider):
    """orjson, in and out."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return orjson.dumps(obj, default=str).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return read_json(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        return answered(self._prepare_response_obj(args, kwargs))


def answered(body: Any, status: int = 200) -> Response:
    """A body that is as the document says already, of plain values, ids and days: no schema goes over it."""
    return Response(orjson.dumps(body, default=str), status, mimetype="application/json")


def _schema_name(schema: type[ma.Schema] | ma.Schema | str) -> str:
    """A form's name in the document: its room's and its own, since rooms may use the same word."""
    kind = resolve_schema_cls(schema)
    one = kind[0] if isinstance(kind, list) else kind
    cut = "Short" if getattr(schema, "only", None) or getattr(schema, "exclude", None) else ""
    return one.__module__.removesuffix(".schemas").rpartition(".")[2].capitalize() + one.__name__ + cut


_FIELD_TYPES = (
    (own.Text, "string", None),
    (own.Scanned, "string", None),
    (own.Verbatim, "string", None),
    (own.Number, "integer", None),
    (own.Flag, "boolean", None),
    (own.Id, "string", "uuid"),
    (own.Day, "string", "date"),
    (own.Month, "string", None),
    (own.Instant, "string", "date-time"),
    (own.Degrees, "number", None),
    (own.Word, "string", None),
)


class Api(flask_smorest.Api):
    """Registers rooms, keeps the document, and words every error."""

    def init_app(self, app: Flask, **kwargs: Any) -> None:
        plugin = MarshmallowPlugin(schema_name_resolver=_schema_name)
        super().init_app(app, spec_kwargs={"marshmallow_plugin": plugin}, **kwargs)
        for field, kind, form in _FIELD_TYPES:
            self.register_field(field, kind, form)
        components = self.spec.components
        components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
        components.parameter(
            "IdempotencyKey",
            "header",
            {
                "name": "Idempotency-Key",
                "required": True,
                "schema": {"type": "string", "minLength": 8, "maxLength": 200},
                "description": "The same key answers as it first did; kept at least 30 days.",
            },
        )
        components.schema("Problem", _PROBLEM_SCHEMA)
        components.response("Problem", _problem_response("A problem (RFC 9457)"))

    def _register_responses(self) -> None:
        """Instead of flask-smorest's own error shape, which nothing here answers with."""
        for status, (zh, en) in _WORDS.items():
            described = _problem_response(f"{zh} · {en}")
            if after := _HEADERS.get(status):
                described["headers"] = after
            self.spec.components.response(f"Problem{status}", described, lazy=True)
            self.spec.components.response(HTTPStatus(status).name, described, lazy=True)

    def _register_error_handlers(self) -> None:
        app = self._app
        app.register_error_handler(HTTPException, _http_error)
        app.register_error_handler(Refused, _refused)
        app.register_error_handler(WrongField, _wrong_field)
        app.register_error_handler(NotFound, lambda _: problem(404, "not_found", *_WORDS[404]))
        app.register_error_handler(KeyMissing, lambda _: problem(428, "key_missing", *_WORDS[428]))
        app.register_error_handler(KeyReused, lambda _: problem(422, "key_reused", *_KEY_REUSED))
        app.register_error_handler(TooMany, _too_many)
        app.register_error_handler(Busy, _busy)
        app.register_error_handler(PoolTimeout, _busy)
        app.register_error_handler(OperationalError, _database_away)
        app.register_error_handler(Exception, _our_bug)


_WORDS = {
    400: ("无法读懂的请求", "the request cannot be read"),
    401: ("请先登录", "sign in first"),
    403: ("没有这项权限", "your role does not have this right"),
    404: ("找不到", "not found"),
    405: ("此地址不支持该方法", "this address does not take that method"),
    406: ("无法按要求的格式回答", "no answer in the format asked for"),
    409: ("不予办理", "refused"),
    413: ("请求过大", "the request is too large"),
    415: ("内容类型不对", "the content type is another than expected"),
    422: ("填写有误", "some fields are wrong"),
    428: ("缺少 Idempotency-Key", "expected an Idempotency-Key header"),
    429: ("请求太频繁", "too many requests"),
    500: ("系统内部错误", "an error of ours"),
    503: ("系统繁忙，请稍后再试", "busy: try again shortly"),
}
_ANSWERS_OF_ALL = (401, 403, 404, 406, 422, 429, 503)
_ANSWERS_OF_BODIES = (400, 413, 415)
_ANSWERS_OF_WRITES = (409, 428)
_HEADERS = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}, "required": True}},
    429: {"Retry-After": {"schema": {"type": "string", "pattern": "^[0-9]+$"}, "required": True}},
    503: {"Retry-After": {"schema": {"type": "string", "pattern": "^[0-9]+$"}, "required": True}},
}
_KEY_REUSED = ("同一个 Idempotency-Key 已用于另一请求", "this key has answered another request")


def _problem_response(description: str) -> dict[str, Any]:
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": description, "content": content}


def problem(
    status: int,
    name: str,
    title_zh: str,
    title_en: str,
    *,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> Response:
    body = {
        "type": _TYPE + name,
        "title": title_en,
        "title_zh": title_zh,
        "status": status,
        "instance": request.path,
        "request_id": g.get("request_id"),
        **members,
    }
    if not request.path.startswith(API):
        page: ProblemPage | None = current_app.extensions.get("problem_page")
        if page is not None:
            return page(body, dict(headers or {}))
    return Response(orjson.dumps(body), status, headers, content_type=PROBLEM)


def _refused(refused: Refused) -> Response:
    audience = doing().actor.audience if "doing" in g else Audience.OFFICE
    reasons = [refusal.worded(audience) for refusal in refused.refusals]
    headers = {"Idempotency-Replayed": "true"} if "doing" in g and doing().replayed else None
    return problem(
        409,
        "refused",
        *_WORDS[409],
        detail="；".join(reason["zh"] for reason in reasons),
        refusal_no=refused.number,
        reasons=reasons,
        headers=headers,
    )


def _wrong_field(wrong: WrongField) -> Response:
    return problem(422, "wrong_field", *_WORDS[422], errors=[fault.to_plain() for fault in wrong.faults])


def _too_many(error: TooMany) -> Response:
    return problem(429, "too_many", *_WORDS[429], headers={"Retry-After": str(error.retry_after_s)})


def _busy(error: Exception) -> Response:
    after = error.retry_after_s if isinstance(error, Busy) else 2
    return problem(503, "busy", *_WORDS[503], headers={"Retry-After": str(after)})


def _database_away(error: OperationalError) -> Response:
    log.error("database.away", error=type(error.orig).__name__)
    return problem(503, "database_away", *_WORDS[503], headers={"Retry-After": "5"})


def _our_bug(error: Exception) -> Response:
    """What happened is told to the log without a row's values (``core/logs.py``), and to nobody else."""
    log.error("bug", exc_info=(type(error), error, error.__traceback__))
    return problem(500, "internal", *_WORDS[500])


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    messages = getattr(error, "data", {}).get("messages") if hasattr(error, "data") else None
    if messages is not None:
        return problem(422, "wrong_field", *_WORDS[422], errors=_faults(messages))
    zh, en = _WORDS.get(status, ("请求未能完成", error.name))
    kept = ("Allow", "Retry-After", "WWW-Authenticate")
    headers = {name: value for name, value in error.get_headers() if name in kept}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return problem(status, _slug(error.name), zh, en, detail=error.description, headers=headers)


def _slug(name: str) -> str:
    return re.sub(r"[^a-z]+", "_", name.lower()).strip("_")


def _faults(messages: Mapping[str, Any]) -> list[dict[str, str]]:
    return [fault.to_plain() for fault in _found_faults(messages)]


def _found_faults(messages: Mapping[str, Any]) -> list[FieldFault]:
    """marshmallow's tree of messages as a flat list with JSON pointers (query fields: /query/…)."""
    return [
        fault
        for location, tree in messages.items()
        for fault in faults_in(tree, "" if location == "json" else f"/{location}")
    ]


def loaded(schema: type[ma.Schema] | ma.Schema, body: Mapping[str, Any]) -> dict[str, Any]:
    """What came by another way than our routes (a page's form, a signed scan), through the same schema."""
    form = schema() if isinstance(schema, type) else schema
    try:
        return cast(dict[str, Any], form.load(body))
    except ma.ValidationError as error:
        raise WrongField.all(_found_faults({"json": error.messages})) from None


_PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "title_zh": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": ["string", "null"]},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "refusal_no": {"type": ["string", "null"]},
        "reasons": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "code": {"type": "string"},
                    "rule": {"type": "string"},
                    "zh": {"type": "string"},
                    "en": {"type": "string"},
                    "facts": {"type": "object"},
                    "basis": {
                        "type": ["object", "null"],
                        "properties": {
                            "document": {"type": "string"},
                            "article": {"type": "string"},
                            "issued": {"type": ["string", "null"], "format": "date"},
                            "effective": {"type": ["string", "null"], "format": "date"},
                        },
                    },
                    "cure": {
                        "type": "object",
                        "properties": {
                            "action": {"type": "string"},
                            "zh": {"type": "string"},
                            "en": {"type": "string"},
                        },
                    },
                },
            },
        },
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string"},
                    "code": {"type": "string"},
                    "zh": {"type": "string"},
                    "en": {"type": "string"},
                },
            },
        },
    },
}


def before_request() -> None:
    """Name the request; a body must say what it is (a wrong type would silently be an empty body)."""
    g.begun_s = time.perf_counter()
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(12)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    if not request.path.startswith(API):
        return
    accepted = request.accept_mimetypes
    takes_json = accepted.accept_json or accepted.quality(PROBLEM) > 0
    if accepted and not takes_json and not _is_said_of_view("gives_file"):
        raise NotAcceptable("answers are application/json")
    writes = request.method in ("POST", "PUT", "PATCH")
    if writes and request.mimetype != "application/json" and not _is_said_of_view("takes_file"):
        raise UnsupportedMediaType("expected application/json")


def _is_said_of_view(what: str) -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return bool(getattr(view, what, False))


def after_request(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.get("request_id", "")
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    route = str(request.url_rule) if request.url_rule else None
    took_s = time.perf_counter() - g.begun_s
    metrics.count_request(request.method, route, response.status_code, took_s)
    log.info(
        "request",
        method=request.method,
        route=route,
        status=response.status_code,
        took_ms=round(1000 * took_s),
    )
    return response

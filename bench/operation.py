"""One operation on a house, as something that can be made ready, timed, and checked afterwards."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Flask
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from bench.stand import House
from core.auth import actors_of
from core.doing import Doing

Ready = Callable[[], Any]
"""Does it once; what it returns is for ``check``."""


@dataclass(frozen=True, slots=True)
class Operation:
    """``ready(house, i)`` prepares the i-th, untimed; ``check`` raises unless its outcome is as expected."""

    name: str
    ready: Callable[[House, int], Ready]
    check: Callable[[Any], None]


class WrongOutcome(Exception):
    """The operation did something else than what is measured; the message is what it answered."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


def at_the_door(
    app: Flask, method: str, path: str, token: str, *, body: Any = None, key: str | None = None
) -> Ready:
    """A request through the whole application as its server calls it: WSGI, without a socket."""
    headers = {"Authorization": f"Bearer {token}"}
    if key is not None:
        headers["Idempotency-Key"] = key
    data = None if body is None else orjson.dumps(body)
    content_type = None if body is None else "application/json"
    path, _, query = path.partition("?")
    environ = EnvironBuilder(
        path,
        method=method,
        query_string=query,
        headers=Headers(headers),
        data=data,
        content_type=content_type,
    ).get_environ()
    environ["wsgi.errors"] = io.StringIO()

    def ask() -> Answer:
        status = ""

        def start_response(given: str, _: Any, __: Any = None) -> Callable[[bytes], object]:
            nonlocal status
            status = given
            return lambda _: None

        answered = app.wsgi_app(environ, start_response)
        return Answer(int(status[:3]), b"".join(answered))

    return ask


def must_answer(status: int) -> Callable[[Answer], None]:
    def check(answer: Answer) -> None:
        if answer.status != status:
            raise WrongOutcome(f"expected {status}, got {answer.status} {answer.body.decode()[:2000]}")

    return check


def doing_as(house: House, token: str, key: str | None = None) -> Doing:
    """Who stands behind the token, as the door would pass them on. In the town everybody has one grant."""
    [actor] = actors_of(house.ground.reads, token)
    return Doing(house.ground, actor, actor.district, "bench", key, b"bench" if key else b"")

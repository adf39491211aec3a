"""Text messages by an HTTP gateway: one POST of JSON each, which the gateway takes (any 2xx) or does not.

    {"at", "to", "topic", "reference", "zh", "en"}     Idempotency-Key: the reference

What it does not take raises, and the outbox tries again: ``GatewayAway`` (nobody there, too slow, 5xx, busy)
or ``GatewayRefused`` (it will not have this one; so it is called in the list of what was given up on). The
gateway's answer is not read, and nothing of the message stands in an error: both could end in a log.
"""

from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

import orjson

WAIT_S = 5.0
LATER = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)


class GatewayAway(Exception):
    """Nobody answered, or not now."""


class GatewayRefused(Exception):
    """It answered that it will not have the message."""


class _StayHere(HTTPRedirectHandler):
    """A message is for the gateway that was named, and for nobody to whom that one points."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_opener = build_opener(ProxyHandler({}), _StayHere())  # no proxy of the environment reads our messages


def hand_on(url: str, token: str | None, message: Mapping[str, str]) -> None:
    headers = {"Content-Type": "application/json", "User-Agent": "lpg"}
    if message["reference"]:
        headers["Idempotency-Key"] = message["reference"]
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    try:
        _opener.open(Request(url, orjson.dumps(message), headers, method="POST"), timeout=WAIT_S).close()
    except HTTPError as error:
        error.close()
        is_later = error.code >= HTTPStatus.INTERNAL_SERVER_ERROR or error.code in LATER
        raise (GatewayAway if is_later else GatewayRefused)(f"status {error.code}") from None
    except (URLError, HTTPException, OSError) as error:
        raise GatewayAway(type(error).__name__) from None

"""Text messages by an HTTP gateway: one POST of JSON each, which the gateway takes (any 2xx) or does not.

    {"at", "to", "topic", "reference", "zh", "en"}     Idempotency-Key: the reference

A message may be posted again although it was taken: the answer was lost, or whoever sent it was killed. The
reference is the same then, and no other message's; the text and ``at`` may have moved on. A gateway that
drops what bears a reference it has taken sends nobody a message twice.

What it does not take raises, and the outbox tries again: ``GatewayAway`` (nobody there, not done within
``WAIT_S`` from first to last, 5xx, busy) or ``GatewayRefused`` (it will not have this one; so it is called in
the list of what was given up on). The gateway's answer is not read and nothing of the message stands in an
error: both could end in a log. Another address that it names is not followed, and no proxy of the environment
reads our messages.
"""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import SplitResult, urlsplit

import orjson

WAIT_S = 5.0
LATER = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)


class GatewayAway(OSError):
    """Nobody answered, or not now."""


class GatewayRefused(Exception):
    """It answered that it will not have the message."""


def hand_on(url: str, token: str | None, message: Mapping[str, str]) -> None:
    headers = {"Content-Type": "application/json", "User-Agent": "lpg"}
    if message["reference"]:
        headers["Idempotency-Key"] = message["reference"]
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    try:
        status = _posted(urlsplit(url), orjson.dumps(message), headers)
    except (HTTPException, OSError) as error:
        raise GatewayAway(type(error).__name__) from None
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        is_later = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in LATER
        raise (GatewayAway if is_later else GatewayRefused)(f"status {status}")


def _posted(url: SplitResult, body: bytes, headers: Mapping[str, str]) -> int:
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    connection = kind(url.hostname or "", url.port, timeout=WAIT_S)
    with closing(connection), _cut_off(connection) as is_over:
        connection.connect()
        if is_over():
            raise TimeoutError
        connection.request("POST", target, body, headers)
        return connection.getresponse().status


@contextmanager
def _cut_off(connection: HTTPConnection) -> Iterator[Callable[[], bool]]:
    """The connection's own time-out is for each wait; who says a word now and then is under this one.

    What is not connected yet cannot be cut: whoever connects asks afterwards whether the time is over.
    """
    over = threading.Event()

    def cut() -> None:
        over.set()  # before looking: a connection made this moment is either seen here or asks there
        with suppress(OSError, TypeError):  # closed this moment, or not connected yet
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    timer = threading.Timer(WAIT_S, cut)
    timer.daemon = True
    timer.start()
    try:
        yield over.is_set
    finally:
        timer.cancel()

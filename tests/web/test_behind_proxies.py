"""Whose address counts, behind a proxy of ours and behind none."""

import pytest
from flask import Flask, request

from web.wsgi import behind

HEADERS = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7", "X-Forwarded-Proto": "https"}


@pytest.mark.parametrize(
    ("proxies", "seen"), [(0, "127.0.0.1 http"), (1, "198.51.100.7 https"), (2, "203.0.113.9 http")]
)
def test_only_as_many_proxies_are_believed_as_there_are(proxies: int, seen: str) -> None:
    """What an asker writes into the header himself stands further left than what our proxies add."""
    app = behind(Flask(__name__), proxies)
    app.add_url_rule("/", "seen", lambda: f"{request.remote_addr} {request.scheme}")
    assert app.test_client().get("/", headers=HEADERS).text == seen

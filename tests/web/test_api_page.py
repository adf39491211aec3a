"""The API as pages: every route with verb, roles, form, answers and an example; open, closed in itself."""

import html
import re

from flask import Flask

from tests.document import document_of
from web.api_document import Document


def page(app: Flask, path: str) -> str:
    answer = app.test_client().get(path)
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "text/html"
    return html.unescape(str(answer.text))


def test_the_contents_list_every_route_of_the_document(app: Flask) -> None:
    listed = page(app, "/api/docs")
    for path in document_of(app)["paths"]:
        assert f">{path}<" in listed


def test_each_room_says_of_each_route_who_may_what_it_takes_and_answers(app: Flask) -> None:
    document = Document(document_of(app))
    for room in document.rooms:
        assert re.search(r"[\u4e00-\u9fff]", room.zh), room.name
        said = page(app, f"/api/docs/{room.name}")
        for route in room.routes:
            assert f'id="{route.anchor}"' in said
            assert route.verb in said
            assert route.successes, route.path
            assert all(line.path in said for line in (*route.parameters, *route.body))


def test_a_booking_is_described_line_by_line(app: Flask) -> None:
    [orders] = [room for room in Document(document_of(app)).rooms if room.name == "orders"]
    [book] = [route for route in orders.routes if route.verb == "order.book"]
    assert book.zh == "预约订气"
    assert "居民 resident" in book.roles
    lines = {line.path: line for line in book.body}
    assert (lines["card_ids"].kind, lines["card_ids"].is_required) == ("uuid[]", True)
    assert "cooking" in lines["purpose"].limits
    assert [one.status for one in book.successes] == ["200", "201"]
    assert {"409", "422", "428"} <= {one.status for one in book.problems}
    assert "lines[].state" in {line.path for line in book.successes[1].lines}
    assert "curl -X POST" in book.example
    assert "Idempotency-Key" in book.example
    assert '"card_ids"' in book.example


def test_nothing_on_it_is_fetched_from_elsewhere_or_run(app: Flask) -> None:
    answer = app.test_client().get("/api/docs/orders")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    sources = re.findall(r'(?:src|href|action)="([^"]*)"', answer.text)
    assert all(source.startswith(("/", "#")) for source in sources), sources
    assert not re.search(r"<script(?! src=)|\son\w+=|\sstyle=", answer.text)


def test_a_room_that_is_none_is_not_found(app: Flask) -> None:
    assert app.test_client().get("/api/docs/nowhere").status_code == 404

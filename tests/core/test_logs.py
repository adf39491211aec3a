"""Lines of the log: an exception tells its kind and places, a library its template; neither a person."""

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from flask import Flask

from core import clock, http, logs, outbox
from core.db import table_of
from core.ground import Ground
from core.ids import new_id
from web import worker

NAME, PHONE = "王样例", "13900001111"


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """All that our own lines say, whichever room says it."""
    heard = io.StringIO()
    processors = structlog.get_config()["processors"]
    logger = structlog.wrap_logger(structlog.PrintLogger(heard), processors=processors)
    for room in (http, logs, outbox, worker):
        monkeypatch.setattr(room, "log", logger)
    yield heard
    assert NAME not in heard.getvalue()
    assert PHONE not in heard.getvalue()


def lines(said: io.StringIO, event: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in said.getvalue().splitlines()]
    return [line for line in found if line["event"] == event]


def a_deep_fault(name: str) -> None:
    phones: dict[str, str] = {}
    try:
        phones[name + PHONE]
    except KeyError as error:
        raise ValueError(f"{name} has no number like {PHONE}") from error


def broken(*_: Any, **__: Any) -> None:
    a_deep_fault(NAME)


def test_a_bug_is_told_by_kind_and_place_with_what_it_came_from(
    app: Flask, said: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.view_functions, "health.healthz", broken)
    answer = app.test_client().get("/healthz")
    assert answer.status_code == 500
    assert NAME not in answer.text
    [line] = lines(said, "bug")
    assert [one["kind"] for one in line["exception"]] == ["ValueError", "KeyError"]
    assert line["exception"][0]["at"][-1].endswith(" a_deep_fault")
    assert line["request_id"] == answer.headers["X-Request-ID"]


def test_a_database_error_names_table_and_constraint_and_no_row(
    app: Flask, ground: Ground, said: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def twice() -> None:
        event = {"district": 310105, "id": new_id(), "topic": NAME, "payload": {"phone": PHONE}}
        insert = sa.insert(table_of(outbox.OutboxEvent)).values(recorded_at=clock.now(), **event)
        with ground.sessions() as db:
            db.execute(insert)
            db.execute(insert)

    monkeypatch.setitem(app.view_functions, "health.healthz", twice)
    assert app.test_client().get("/healthz").status_code == 500
    [line] = lines(said, "bug")
    told = line["exception"][0]
    assert (told["sqlstate"], told["table"]) == ("23505", "outbox_event")
    assert told["constraint"].startswith("pk_")


def test_a_database_that_is_away_is_told_without_its_address(
    app: Flask, said: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        engine = sa.create_engine(f"postgresql+psycopg://{PHONE}@/{PHONE}?host=/nowhere")
        engine.connect()

    monkeypatch.setitem(app.view_functions, "health.healthz", away)
    assert app.test_client().get("/healthz").status_code == 503
    assert len(lines(said, "database.away")) == 1


def test_a_failing_answer_is_told_by_its_kind(
    app: Flask, said: io.StringIO, monkeypatch: pytest.MonkeyPatch, library: logging.Logger
) -> None:
    """What fails after the view is logged by Flask itself, with the address as it was asked for."""
    monkeypatch.setattr(http.metrics, "count_request", broken)
    answer = app.test_client().get(f"/nobody/{NAME}")
    assert answer.status_code == 500
    told = lines(said, "library")
    assert [line["template"] for line in told] == [None, None]  # that, and Flask's giving up
    assert all(line["exception"][0]["kind"] == "ValueError" for line in told)


@pytest.fixture
def library(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    """A library's logger (Flask's own among them) as a worker has it."""
    before = logging.root.handlers[:], logging.root.level, threading.excepthook, sys.unraisablehook
    own = app.logger.handlers[:]
    logs.take_over()
    app.logger.handlers.clear()
    yield logging.getLogger("a.library")
    logging.root.handlers[:], app.logger.handlers[:] = before[0], own
    logging.root.setLevel(before[1])
    threading.excepthook, sys.unraisablehook = before[2:]


def test_a_library_is_told_by_its_template(said: io.StringIO, library: logging.Logger) -> None:
    library.warning("cannot reach %s", NAME)
    library.error(f"cannot reach {NAME}")
    library.info("a detail")
    try:
        broken()
    except ValueError:
        library.exception("while reaching %s", PHONE)
    told = lines(said, "library")
    assert [line["template"] for line in told] == ["cannot reach %s", None, "while reaching %s"]
    assert [line["level"] for line in told] == ["warning", "error", "error"]
    assert all(line["logger"] == "a.library" and "test_logs.py:" in line["at"] for line in told)
    assert told[2]["exception"][0]["kind"] == "ValueError"


def test_a_dying_thread_is_told_by_kind_and_place(said: io.StringIO, library: logging.Logger) -> None:
    thread = threading.Thread(target=broken)
    thread.start()
    thread.join()
    [line] = lines(said, "thread.died")
    assert line["exception"][0]["kind"] == "ValueError"


def test_an_error_nobody_can_catch_is_told_by_kind(said: io.StringIO, library: logging.Logger) -> None:
    class Falling:
        def __del__(self) -> None:
            broken()

    Falling()
    [line] = lines(said, "unraisable")
    assert line["exception"][0]["kind"] == "ValueError"


@pytest.mark.parametrize(
    "given", ["13900001111", "310105198005120019", "lpg_" + "a1B2c3D4" * 5, NAME, "", "g" * 32]
)
def test_a_name_for_the_request_that_could_be_somebodys_is_not_taken(
    app: Flask, said: io.StringIO, given: str
) -> None:
    answer = app.test_client().get("/healthz", headers={"X-Request-ID": given.encode().decode("latin-1")})
    assert answer.headers["X-Request-ID"] != given
    assert not given or given not in said.getvalue()


@pytest.mark.parametrize(
    "given", ["0af7651916cd43dd8448eb211c80319c", "0af76519-16cd-43dd-8448-eb211c80319c"]
)
def test_a_tracing_tools_name_for_the_request_is_kept(app: Flask, given: str) -> None:
    assert app.test_client().get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given

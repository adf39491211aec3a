"""Bad input of every kind, at every door: 4xx as problem+json with the field named, nothing written.

Generated from the API's own document, so that a new route is tried without being listed here.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from core.auth import Role
from evidence.models import Entry
from tests.desk import Desk, Person
from web.rights import RIGHTS

NUL = "a\u0000b"
SURROGATE = '"\\ud800"'
HUGE = 10**40

BAD_BY_TYPE: dict[str, list[Any]] = {
    "string": [7, True, ["x"], {"x": 1}, NUL, "\u202e\u0007", "x" * 100_000, ""],
    "integer": ["7", "７", 1.5, True, HUGE, -HUGE, [1], {"x": 1}, None],
    "number": ["7", True, [1], {"x": 1}],
    "boolean": ["true", 1, 0, [True]],
    "array": ["x", 7, {"x": 1}],
    "object": ["x", 7, [1]],
}
BAD_BY_FORMAT: dict[str, list[Any]] = {
    "date-time": ["2024-06-12T10:20:00", "2024-06-12", "yesterday", "2024-13-40T00:00:00+08:00"],
    "date": ["2024-6-1", "２０２４-０６-１２", "2024-02-30", "1850-01-01", "9999-12-31"],
}


@dataclass(frozen=True)
class Door:
    """One writing or asking POST of the document."""

    path: str
    verb: str
    schema: dict[str, Any]

    def address(self) -> str:
        return filled(self.path)


def filled(path: str) -> str:
    """With a real district, a label's number, and ids of nothing."""
    path = path.replace("{district}", "310105").replace("{number}", "1")
    return re.sub(r"\{[a-z_]+\}", lambda _: str(uuid4()), path)


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if "allOf" in schema and len(schema["allOf"]) == 1:
        return {**resolved(document, schema["allOf"][0]), **{k: v for k, v in schema.items() if k != "allOf"}}
    return schema


def doors(document: dict[str, Any]) -> Iterator[Door]:
    for path, operations in document["paths"].items():
        post = operations.get("post")
        taken = post.get("requestBody", {}).get("content", {}) if post else {}
        if "application/json" in taken:  # a file is tried where it is taken
            schema = taken["application/json"]["schema"]
            yield Door(path, post["x-verb"], resolved(document, schema))


def type_of(schema: dict[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next(one for one in kind if one != "null")
    return kind or "string"


def bad_values(schema: dict[str, Any]) -> list[Any]:
    """Values that no field of this type takes. A nullable field may take null, so null is left out there."""
    if schema.get("x-scanned"):  # a scan is never at fault for what it holds
        return [7, True, ["x"], {"x": 1}, "x" * 100_000]
    nullable = isinstance(schema.get("type"), list) or schema.get("nullable")
    values = BAD_BY_TYPE[type_of(schema)] + BAD_BY_FORMAT.get(schema.get("format", ""), [])
    return [one for one in values if not (one is None and nullable)]


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    found: dict[str, Any] = app.test_client().get("/api/openapi.json").json
    return found


@pytest.fixture
def people(desk: Desk) -> dict[Role, Person]:
    return {role: desk.sign_in(role) for role in Role}


def who_may(people: dict[Role, Person], verb: str) -> Person:
    return next(person for role, person in people.items() if verb in RIGHTS[role])


def test_every_field_of_every_form_refuses_what_it_cannot_be(
    document: dict[str, Any], people: dict[Role, Person], db: Session
) -> None:
    tried = 0
    for door in doors(document):
        person = who_may(people, door.verb)
        for name, given in door.schema.get("properties", {}).items():
            schema = resolved(document, given)
            for bad in bad_values(schema):
                answer = person.post(door.address(), {name: bad})
                where = f"{door.path} {name}={str(bad)[:40]!r}"
                assert answer.status_code == 422, f"{where}: {answer.status_code} {answer.text[:200]}"
                assert answer.mimetype == "application/problem+json"
                pointers = [error["pointer"] for error in answer.json["errors"]]
                assert any(one.startswith(f"/{name}") for one in pointers), f"{where}: {pointers}"
                tried += 1
    assert tried > 100
    assert db.scalar(sa.select(sa.func.count()).select_from(Entry)) == 0


def test_an_unknown_field_is_named(document: dict[str, Any], people: dict[Role, Person]) -> None:
    for door in doors(document):
        answer = who_may(people, door.verb).post(door.address(), {"no_such_field": 1})
        assert answer.status_code == 422, (door.path, answer.text)
        faults = [(error["pointer"], error["code"]) for error in answer.json["errors"]]
        assert ("/no_such_field", "unknown_field") in faults, door.path


def test_a_body_that_is_not_json_is_400_and_another_content_type_415(
    app: Flask, document: dict[str, Any], people: dict[Role, Person]
) -> None:
    client = app.test_client()
    for door in doors(document):
        person = who_may(people, door.verb)
        headers = {"Authorization": f"Bearer {person.token}", "Idempotency-Key": "bad-input-1"}
        for body in (b"{", b"", b"\xff\xfe", b"[1,2", SURROGATE.encode()[:-1], b'{"a": NaN}'):
            answer = client.post(door.address(), data=body, headers=headers, content_type="application/json")
            assert answer.status_code in (400, 422), (door.path, body, answer.status_code)
            assert answer.mimetype == "application/problem+json"
        answer = client.post(door.address(), data=b"a=1", headers=headers, content_type="text/plain")
        assert answer.status_code == 415, door.path


def test_a_lone_surrogate_and_deep_nesting_are_refused(
    app: Flask, document: dict[str, Any], people: dict[Role, Person]
) -> None:
    client = app.test_client()
    deep = "[" * 900 + "]" * 900  # as deep as a parser still takes
    for door in doors(document):
        person = who_may(people, door.verb)
        headers = {"Authorization": f"Bearer {person.token}", "Idempotency-Key": "bad-input-2"}
        for name in door.schema.get("properties", {}):
            for value in (SURROGATE, deep):
                body = f"{{{json.dumps(name)}: {value}}}"
                answer = client.post(
                    door.address(), data=body, headers=headers, content_type="application/json"
                )
                assert answer.status_code == 400, (door.path, name, value[:9], answer.status_code)
                assert value != deep or "嵌套超过32层" in answer.get_json()["detail"]


def test_a_writing_request_without_a_key_is_428(
    app: Flask, document: dict[str, Any], people: dict[Role, Person]
) -> None:
    for path, operations in document["paths"].items():
        post = operations.get("post", {})
        if not any(one.get("name") == "Idempotency-Key" for one in _parameters(document, post)):
            continue
        person = who_may(people, post["x-verb"])
        answer = app.test_client().post(
            filled(path), json={}, headers={"Authorization": f"Bearer {person.token}"}
        )
        assert answer.status_code == 428, path


def _parameters(document: dict[str, Any], operation: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for one in operation.get("parameters", []):
        if "$ref" in one:
            one = document["components"]["parameters"][one["$ref"].rsplit("/", 1)[1]]
        found.append(one)
    return found


def test_unknown_query_fields_and_bad_cursors_are_named(desk: Desk) -> None:
    regulator = desk.sign_in(Role.REGULATOR)
    for query in (
        {"limit": "0"},
        {"limit": "５"},
        {"limit": "201"},
        {"cursor": "nonsense"},
        {"colour": "red"},
    ):
        answer = regulator.get("/api/v1/districts/310105/refusals", **query)
        assert answer.status_code == 422, query
        [name] = query
        assert any(error["pointer"].endswith(name) for error in answer.json["errors"]), answer.json

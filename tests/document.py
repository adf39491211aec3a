"""Holds every answer that a test gets to the API's own document: status, content type, headers and shape.

``Person`` (tests/desk.py) asks it after each request, so that what the whole suite ever sees is described.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import jsonschema_rs
from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

_documents: dict[int, dict[str, Any]] = {}


def document_of(app: Flask) -> dict[str, Any]:
    """Made once an application: it takes longer than most tests."""
    if id(app) not in _documents:
        found = app.extensions["flask-smorest"]["apis"][""]["ext_obj"].spec.to_dict()
        _documents[id(app)] = found
    return _documents[id(app)]


def must_be_described(app: Flask, answer: TestResponse) -> None:
    """Fails where the document does not foresee this answer. Addresses that are not the API's are let be."""
    method = answer.request.method
    template = _template(app, method, answer.request.path)
    operation = document_of(app)["paths"].get(template, {}).get(method.lower())
    if operation is None:
        return
    where = f"{method} {template}: {answer.status_code}"
    described = _resolved(app, operation["responses"].get(str(answer.status_code)))
    assert described, f"{where} is not in the document"
    assert answer.mimetype in described.get("content", {}), (
        f"{where}: {answer.mimetype} is not in the document"
    )
    for name, header in described.get("headers", {}).items():
        assert name in answer.headers or not header.get("required"), f"{where} lacks the header {name}"
    validator = _validator(id(app), template, method.lower(), str(answer.status_code), answer.mimetype)
    faults = [f"{fault.instance_path}: {fault.message}" for fault in validator.iter_errors(answer.get_json())]
    assert not faults, f"{where}: {faults[:5]}"


def _template(app: Flask, method: str, path: str) -> str | None:
    try:
        rule, _ = app.url_map.bind("").match(path, method, return_rule=True)
    except HTTPException:
        return None
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)


def _resolved(app: Flask, described: dict[str, Any] | None) -> dict[str, Any]:
    if described and "$ref" in described:
        return dict(document_of(app)["components"]["responses"][described["$ref"].rsplit("/", 1)[1]])
    return described or {}


@cache
def _validator(app_id: int, template: str, method: str, status: str, mimetype: str) -> Any:
    document = _documents[app_id]
    described = document["paths"][template][method]["responses"][status]
    if "$ref" in described:
        described = document["components"]["responses"][described["$ref"].rsplit("/", 1)[1]]
    schema = described["content"][mimetype].get("schema", {})
    whole = {"allOf": [schema], "components": document["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)

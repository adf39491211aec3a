"""Every address of the house, read from the application itself: method, address, verb, who has it, one line.

Both the routes of the API and the pages of the faces say their verb (``view.verb``), so that one walk finds
all of them; what says none (the document, health, files of the pages) is open to whoever reaches the machine.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask
from werkzeug.routing import Rule

from core.auth import Role
from web.rights import RIGHTS
from web.verbs import SAID

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True)
class Address:
    room: str
    method: str
    path: str
    verb: str | None
    roles: tuple[Role, ...]
    endpoint: str
    says: str


def addresses(app: Flask) -> list[Address]:
    """In the order in which the rooms were registered, and within a room as its page has them."""
    return [address for rule in app.url_map.iter_rules() for address in _of_rule(app, rule)]


def _of_rule(app: Flask, rule: Rule) -> Iterator[Address]:
    view = app.view_functions[rule.endpoint]
    verb: str | None = getattr(view, "verb", None)
    for method in METHODS:
        if method in (rule.methods or ()):
            yield Address(
                room=rule.endpoint.rpartition(".")[0] or "app",
                method=method,
                path=re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule),
                verb=verb,
                roles=roles_with(verb) if verb else (),
                endpoint=rule.endpoint,
                says=_says(view, verb),
            )


def roles_with(verb: str) -> tuple[Role, ...]:
    return tuple(role for role, verbs in RIGHTS.items() if verb in verbs)


def _says(view: object, verb: str | None) -> str:
    """The view's own first line; without one what its verb means; without either its name."""
    words = (getattr(view, "__doc__", None) or "").strip().split("\n")[0].replace("``", "`")
    named = SAID[verb][1] if verb in SAID else str(getattr(view, "__name__", "")).replace("_", " ")
    return words or named

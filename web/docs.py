"""The generated pages of docs/: states, refusals, rulebook, routes. `./lpg check` holds them fresh."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

import app as application
import rulebook
from core import config, db
from core.ground import Ground
from core.machine import MACHINES
from core.sealed import Keyring
from rulebook.printed import refusals_page, rulebook_page
from web.addresses import Address, addresses
from web.verbs import SAID

DOCS = Path(__file__).resolve().parent.parent / "docs"
HEADER = "<!-- printed by ./lpg manage docs; do not edit -->\n\n"


def pages() -> dict[str, str]:
    """File name → text, from what the application has registered."""
    return {
        "states.md": HEADER + states_page(),
        "refusals.md": HEADER + refusals_page(),
        "rulebook.md": HEADER + rulebook_page(rulebook.current()),
        "routes.md": HEADER + routes_page(addresses(unopened())),
    }


def stale_pages() -> list[str]:
    return [name for name, text in pages().items() if _on_disk(name) != text]


def write_pages() -> list[str]:
    stale = stale_pages()
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
    return stale


def states_page() -> str:
    return "\n".join(["# States", "", *_machines()])


def _machines() -> Iterator[str]:
    for _, machine in sorted(MACHINES.items()):
        yield f"## {machine.thing}\n\n```mermaid\n{machine.mermaid()}\n```\n"


def unopened() -> Flask:
    """The application on no database: to be read, not asked."""
    nowhere = db.sessions(sa.create_engine("postgresql+psycopg://"))
    return application.create_app(Ground(config.read({}), nowhere, Keyring.fresh()))


def routes_page(found: Iterable[Address]) -> str:
    return "\n".join(_routes(found))


def _routes(found: Iterable[Address]) -> Iterator[str]:
    yield "# Every address"
    yield ""
    yield "The verb is what the caller's role must have; whose rows it reaches is judged row by row after"
    yield "that. What has no verb is open to whoever reaches the machine."
    for room, rows in groupby(sorted(found, key=lambda one: one.room), lambda one: one.room):
        yield f"\n## {room}\n"
        yield "| method | address | verb | 中文 | roles | what it does |"
        yield "| --- | --- | --- | --- | --- | --- |"
        yield from map(_route, rows)
    yield ""


def _route(one: Address) -> str:
    verb = f"`{one.verb}`" if one.verb else "–"
    roles = ", ".join(one.roles) or "–"
    zh, _ = SAID.get(one.verb or "", ("–", ""))
    return f"| {one.method} | `{one.path}` | {verb} | {zh} | {roles} | {one.says} |"


def _on_disk(name: str) -> str | None:
    path = DOCS / name
    return path.read_text(encoding="utf-8") if path.exists() else None

"""The generated pages of docs/: states, refusals, rulebook, routes. A test holds them fresh."""

from collections.abc import Iterator
from pathlib import Path

import rulebook
from core.machine import MACHINES
from rulebook.printed import refusals_page, rulebook_page

DOCS = Path(__file__).resolve().parent.parent / "docs"
HEADER = "<!-- printed by ./lpg manage docs; do not edit -->\n\n"


def pages() -> dict[str, str]:
    """File name → text, from what is registered in this process (import app first)."""
    return {
        "states.md": HEADER + states_page(),
        "refusals.md": HEADER + refusals_page(),
        "rulebook.md": HEADER + rulebook_page(rulebook.current()),
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


def _on_disk(name: str) -> str | None:
    path = DOCS / name
    return path.read_text(encoding="utf-8") if path.exists() else None

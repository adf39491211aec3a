"""The two pages printed for readers of docs/: the rulebook by place, and every refusal.

Both are pure: the same edition and catalogue give the same text, so that a test can hold them fresh.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from core.refusal import CATALOGUE, Reason
from rulebook.edition import ASKED, Edition, Rule

CONFIDENCE = {
    "V": "read in the text",
    "V-open": "only the opening of the document was read",
    "V2": "read in a secondary text",
    "K": "own knowledge, not verified",
    "S": "a local plan",
    "design": "made by this system",
}
STANCE = {None: "", "refuses": "unknown refuses", "at_door": "unknown is checked at the door"}


def rulebook_page(edition: Edition) -> str:
    """Markdown: every entry by place, with value, days, basis and how sure we are."""
    return "\n".join(_rulebook_lines(edition)) + "\n"


def refusals_page() -> str:
    """Markdown: every code of the catalogue with its rule, both texts, and what each reader can do.

    Only what is imported is in the catalogue: import the whole house first (app.py does).
    """
    return "\n".join(_refusal_lines(CATALOGUE.values())) + "\n"


def _rulebook_lines(edition: Edition) -> Iterator[str]:
    yield "# The rulebook"
    yield ""
    yield "Printed from `rulebook/law/`; do not edit here. The narrowest place that has an entry binds."
    yield "The system is modelled on these texts; where it had to choose, the entry says so."
    yield ""
    yield f"Edition `{edition.digest}`. It judges nothing before {edition.first_day}."
    yield ""
    yield from (f"- **{mark}**: {meaning}" for mark, meaning in CONFIDENCE.items())
    for place, name in sorted(edition.places.items()):
        rules = [rule for rule in edition.rules if rule.place == place]
        yield ""
        yield f"## {name} ({place})"
        yield ""
        yield from _table(
            ("rule", "value", "from", "until", "issued", "document", "article", "sure", "checked", "note"),
            (_entry(rule) for rule in rules),
        )


def _entry(rule: Rule) -> tuple[str, ...]:
    remarks = (_tighter(rule), STANCE[rule.unknown], rule.note)
    return (
        rule.name,
        _value(rule.value),
        str(rule.effective),
        str(rule.until or ""),
        str(rule.issued or ""),
        rule.document,
        rule.article,
        rule.confidence,
        str(rule.checked),
        "; ".join(remark for remark in remarks if remark),
    )


def _value(value: Any) -> str:
    if value is None:
        return "not known: refuses"
    if value == ASKED:
        return "asked"
    if isinstance(value, dict):
        return ", ".join(f"from {key}: {item}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _tighter(rule: Rule) -> str:
    return "" if rule.name == rule.code else f"tighter: {rule.tighter}"


def _refusal_lines(reasons: Iterable[Reason]) -> Iterator[str]:
    yield "# Every refusal"
    yield ""
    yield "Printed from the catalogue; do not edit here. A code, once published, keeps its meaning for ever."
    yield "Where a reader has no cure of their own, the office's is shown to them."
    for rule, members in groupby(
        sorted(reasons, key=lambda one: (one.rule, one.code)), key=lambda one: one.rule
    ):
        yield ""
        yield f"## {rule}"
        for reason in members:
            yield ""
            yield f"### `{reason.code}`"
            yield ""
            yield f"- {reason.zh}"
            yield f"- {reason.en}"
            yield ""
            rows = ((who.value, cure.action, cure.zh, cure.en) for who, cure in sorted(reason.cures.items()))
            yield from _table(("for", "action", "zh", "en"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _row(head)
    yield _row(tuple("---" for _ in head))
    yield from (_row(row) for row in rows)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

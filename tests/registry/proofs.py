"""What a test of a "no" must show: the reasons, that nothing was written, and that the refusal is kept."""

import json
from typing import Any

import sqlalchemy as sa
from werkzeug.test import TestResponse

from core.db import Base
from core.ground import Ground
from evidence.models import Entry, Outcome


def reasons_of(answer: TestResponse) -> list[dict[str, Any]]:
    assert answer.status_code == 409, answer.text
    reasons: list[dict[str, Any]] = answer.get_json()["reasons"]
    return reasons


def codes(answer: TestResponse) -> list[str]:
    return [reason["code"] for reason in reasons_of(answer)]


def faults(answer: TestResponse) -> list[tuple[str, str]]:
    """(pointer, code) of a 422."""
    assert answer.status_code == 422, answer.text
    return [(fault["pointer"], fault["code"]) for fault in answer.get_json()["errors"]]


def count(ground: Ground, model: type[Base]) -> int:
    with ground.sessions() as db:
        return db.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def entries(ground: Ground, verb: str) -> list[dict[str, Any]]:
    """The written entries of a verb, oldest first, as JSON."""
    with ground.sessions() as db:
        rows = db.scalars(sa.select(Entry).where(Entry.verb == verb).order_by(Entry.recorded_at, Entry.id))
        return [json.loads(row.written) for row in rows]


def was_refused(ground: Ground, verb: str, answer: TestResponse) -> bool:
    """Is this very refusal, with all its reasons and its number, the verb's last entry?"""
    last = entries(ground, verb)[-1]
    assert last["outcome"] == Outcome.REFUSED.value
    assert last["refusal_no"] == answer.get_json()["refusal_no"]
    return [reason["code"] for reason in last["reasons"]] == codes(answer)

"""The front page: which face is yours. In the demo it also says with what to sign in, and shows messages."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from core import clock, second_factor
from core.http import ground

room = Blueprint("start", __name__)
LAST_MESSAGES = 30


@room.get("/")
def start() -> ResponseReturnValue:
    return render_template("start.html", sign_ins=_sign_ins())


@room.get("/demo/messages")
def messages() -> ResponseReturnValue:
    """The sample's message box: what would have gone to telephones. There is none outside the demo."""
    if not _is_demo():
        abort(404)
    path = ground().config.state_dir / "messages.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    sent = [json.loads(line) for line in lines[-LAST_MESSAGES:]]
    return render_template("demo_messages.html", messages=list(reversed(sent)), codes=_present_codes())


def _present_codes() -> list[tuple[str, str]]:
    """What the sample people's authenticators show now: (name, code)."""
    rows = _sign_ins()
    secrets = [(row["login"], row["second_factor"]) for row in rows if row.get("second_factor")]
    return [(login, second_factor.code_at(secret, clock.now())) for login, secret in secrets]


def _sign_ins() -> list[Mapping[str, Any]]:
    return _rows(ground().config.state_dir / "demo" / "sign-ins.json") if _is_demo() else []


def _is_demo() -> bool:
    return ground().config.demo_clock


def _rows(path: Path) -> list[Mapping[str, Any]]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []

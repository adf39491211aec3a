"""Text messages: where they leave the house, after the commit, sent by the outbox outside of any transaction.

The wording stands in the room whose topic it is; it is composed at delivery time from sealed data and is
never in the outbox. Where messages go is LPG_MESSAGES: a file in the state folder that only its owner
reads, the console, a gateway over HTTP, or nowhere. A message is handed on at least once: ``reference`` tells
a repeated one, and no two messages share it.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import orjson

from core import clock, gateway
from core.ground import Ground

FILE = "messages.jsonl"


AT_ONCE = {"http": 8}
"""How many are under way at a time where others keep us waiting; else one after the other, in their order."""
LONGEST = timedelta(seconds=gateway.WAIT_S + 1)
"""No sink takes longer over one message."""


@dataclass(frozen=True, slots=True)
class Message:
    """Worded for one telephone; what it says stands in no log."""

    to_phone: str = field(repr=False)
    zh: str = field(repr=False)
    en: str = field(repr=False)
    topic: str
    reference: str = ""


def send(ground: Ground, message: Message) -> None:
    """Hand one message on; what the sink cannot take raises, and the outbox tries again later."""
    said = {
        "at": clock.stamp(clock.now()),
        "to": message.to_phone,
        "topic": message.topic,
        "reference": message.reference,
        "zh": message.zh,
        "en": message.en,
    }
    SINKS[ground.config.messages](ground, said)


def at_once(ground: Ground) -> int:
    return AT_ONCE.get(ground.config.messages, 1)


def clock_zh(instant: datetime) -> str:
    """6月12日 10:20, as it is said in Shanghai."""
    local = instant.astimezone(clock.SHANGHAI)
    return f"{local.month}月{local.day}日 {local:%H:%M}"


def clock_en(instant: datetime) -> str:
    """12 June 10:20."""
    local = instant.astimezone(clock.SHANGHAI)
    return f"{local.day} {_MONTHS[local.month - 1]} {local:%H:%M}"


_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def _to_file(ground: Ground, message: dict[str, str]) -> None:
    """One line in one write, so that processes writing at once do not mix their lines."""
    folder = ground.config.state_dir
    folder.mkdir(parents=True, exist_ok=True)
    file = os.open(folder / FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        line = orjson.dumps(message, option=orjson.OPT_APPEND_NEWLINE)
        if os.write(file, line) != len(line):
            raise OSError("the message was cut short")
    finally:
        os.close(file)


def _to_console(_: Ground, message: dict[str, str]) -> None:
    print(f"[{message['topic']} → {message['to']}] {message['zh']} / {message['en']}", file=sys.stderr)


def _to_gateway(ground: Ground, message: dict[str, str]) -> None:
    url = ground.config.message_url
    if url is None:
        raise LookupError("LPG_MESSAGE_URL: expected the gateway's address")
    gateway.hand_on(url, ground.config.message_token, message)


def _nowhere(_: Ground, message: dict[str, str]) -> None:
    return None


SINKS: dict[str, Callable[[Ground, dict[str, str]], None]] = {
    "console": _to_console,
    "file": _to_file,
    "http": _to_gateway,
    "off": _nowhere,
}

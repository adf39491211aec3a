"""Text messages: where they go, who may read the file, and that a failure is not lost in silence."""

import dataclasses
import json
import stat
import threading

import pytest

from core import messages
from core.ground import Ground
from core.sealed import Keyring


def going_to(ground: Ground, sink: str) -> Ground:
    return Ground(dataclasses.replace(ground.config, messages=sink), ground.sessions, Keyring.fresh())


def send(ground: Ground, to: str = "13900000000", reference: str = "") -> None:
    messages.send(ground, to, "您好", "hello", "test.told", reference=reference)


def lines(ground: Ground) -> list[dict[str, str]]:
    text = (ground.config.state_dir / messages.FILE).read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_a_message_is_a_line_in_a_file_that_only_its_owner_reads(ground: Ground) -> None:
    send(ground, reference="event-1")
    (line,) = lines(ground)
    assert line == {
        "at": "2024-06-12T09:00:00.000+08:00",
        "to": "13900000000",
        "topic": "test.told",
        "reference": "event-1",
        "zh": "您好",
        "en": "hello",
    }
    assert stat.S_IMODE((ground.config.state_dir / messages.FILE).stat().st_mode) == 0o600


def test_messages_sent_at_once_do_not_mix_their_lines(ground: Ground) -> None:
    senders = [threading.Thread(target=send, args=(ground, f"1390000{n:04}")) for n in range(16)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert sorted(line["to"] for line in lines(ground)) == [f"1390000{n:04}" for n in range(16)]


def test_the_console_prints_and_writes_no_file(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    send(going_to(ground, "console"))
    assert "您好 / hello" in capsys.readouterr().err
    assert not (ground.config.state_dir / messages.FILE).exists()


def test_off_sends_nothing(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    send(going_to(ground, "off"))
    assert capsys.readouterr().err == ""
    assert not (ground.config.state_dir / messages.FILE).exists()


def test_what_cannot_be_written_raises_so_that_the_outbox_tries_again(ground: Ground) -> None:
    (ground.config.state_dir / messages.FILE).mkdir()
    with pytest.raises(OSError, match="directory"):
        send(ground)

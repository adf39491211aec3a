"""Text messages: where they go, who may read the file, and that a failure is not lost in silence."""

import dataclasses
import json
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from core import gateway, messages
from core.gateway import GatewayAway, GatewayRefused
from core.ground import Ground
from core.messages import Message
from core.sealed import Keyring


def going_to(ground: Ground, sink: str) -> Ground:
    return Ground(dataclasses.replace(ground.config, messages=sink), ground.sessions, Keyring.fresh())


def send(ground: Ground, to: str = "13900000000", reference: str = "") -> None:
    messages.send(ground, Message(to, "您好", "hello", "test.told", reference))


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


# --- a gateway over HTTP ----------------------------------------------------------------------------------


class Gateway(HTTPServer):
    """Keeps what it was sent and answers each with ``status``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.status = 200
        self.taken: list[tuple[str, dict[str, str], dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/send"


class _Answer(BaseHTTPRequestHandler):
    server: Gateway

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, dict(self.headers), json.loads(body)))
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("Location", f"{self.server.url}/elsewhere")
        self.end_headers()

    def do_GET(self) -> None:
        self.server.taken.append((self.path, dict(self.headers), {}))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def at_work() -> Iterator[Gateway]:
    with Gateway() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def through(ground: Ground, url: str) -> Ground:
    settings = dataclasses.replace(ground.config, messages="http", message_url=url, message_token="tok-1")
    return Ground(settings, ground.sessions, Keyring.fresh())


def test_a_gateway_is_posted_each_message_with_its_token_and_reference(
    ground: Ground, at_work: Gateway
) -> None:
    send(through(ground, at_work.url), reference="event-1")
    [(path, headers, body)] = at_work.taken
    assert path == "/send"
    assert headers["Authorization"] == "Bearer tok-1"
    assert headers["Idempotency-Key"] == "event-1"
    assert body == {
        "at": "2024-06-12T09:00:00.000+08:00",
        "to": "13900000000",
        "topic": "test.told",
        "reference": "event-1",
        "zh": "您好",
        "en": "hello",
    }
    assert not (ground.config.state_dir / messages.FILE).exists()


@pytest.mark.parametrize(
    ("status", "error"),
    [(503, GatewayAway), (429, GatewayAway), (400, GatewayRefused), (401, GatewayRefused)],
)
def test_what_a_gateway_does_not_take_raises_and_says_nothing_of_the_message(
    ground: Ground, at_work: Gateway, status: int, error: type[Exception]
) -> None:
    at_work.status = status
    with pytest.raises(error) as raised:
        send(through(ground, at_work.url))
    assert str(raised.value) == f"status {status}"


def test_a_gateway_that_points_elsewhere_is_not_followed(ground: Ground, at_work: Gateway) -> None:
    at_work.status = 302
    with pytest.raises(GatewayRefused):
        send(through(ground, at_work.url))
    assert [path for path, _, _ in at_work.taken] == ["/send"]


def test_a_gateway_that_is_away_or_never_answers_is_tried_later(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "WAIT_S", 0.1)
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as silent:  # takes the call, says nothing
        url = f"http://127.0.0.1:{silent.server_port}/send"
        with pytest.raises(GatewayAway):
            send(through(ground, url))
    with pytest.raises(GatewayAway):
        send(through(ground, url))

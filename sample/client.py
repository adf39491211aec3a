"""How the demo talks to the server: as anybody would, over HTTP, with a token and an idempotency key.

Every answer to a deed is written down in order: what was asked for, and what came back. That list, without
ids and times, is the same on every run of the same sample; its digest says so.
"""

import hashlib
import http.client
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

TIMEOUT_S = 120
TRIES_WHEN_BUSY = 8


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a token. ``name`` is the demo's own word for them."""

    name: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any

    @property
    def is_done(self) -> bool:
        return 200 <= self.status < 300

    @property
    def reasons(self) -> list[dict[str, Any]]:
        return list(self.body.get("reasons") or ()) if self.status == 409 else []

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(reason["code"] for reason in self.reasons)

    @property
    def rules(self) -> set[str]:
        return {reason["rule"] for reason in self.reasons}

    @property
    def refusal_no(self) -> str | None:
        return self.body.get("refusal_no") if self.status == 409 else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One deed as the demo saw it. ``what`` names no id and no time."""

    who: str
    what: str
    status: int
    codes: tuple[str, ...] = ()
    refusal_no: str | None = None

    @property
    def line(self) -> str:
        return f"{self.who}: {self.what}: {self.status} {','.join(self.codes)}"


class Unexpected(Exception):
    """The server answered otherwise than the sample's story says. The message shows both."""


class Api:
    """One connection to the server, kept alive."""

    def __init__(self, host: str, port: int):
        self._address = host, port
        self._connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        # A key is used once for ever; the demo may come back to a database that has seen its first keys.
        self._keys = secrets.token_hex(6)
        self._sent = 0
        self.outcomes: list[Outcome] = []
        self.refused_answers: list[Answer] = []

    def close(self) -> None:
        self._connection.close()

    def read(self, who: Caller, path: str, **query: Any) -> Any:
        """The body of a GET that has to succeed."""
        asked = f"{path}?{urlencode(query)}" if query else path
        answer = self._send("GET", who, asked, None, {})
        if not answer.is_done:
            raise Unexpected(_said(who, f"GET {asked}", answer, "an answer"))
        return answer.body

    def pages(self, who: Caller, path: str, **query: Any) -> Iterable[Any]:
        """Every item of a list, page by page."""
        cursor: dict[str, Any] = {}
        while True:
            page = self.read(who, path, **{"limit": 200, **query, **cursor})
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            cursor = {"cursor": page["next_cursor"]}

    def ask(self, who: Caller, path: str, body: Any, what: str) -> Any:
        """A POST that writes nothing."""
        answer = self._send("POST", who, path, body, {})
        self._note(who, what, answer)
        if not answer.is_done:
            raise Unexpected(_said(who, what, answer, "an answer"))
        return answer.body

    def carry(self, who: Caller, path: str, body: Any, what: str) -> Any:
        """A POST whose own numbers are its key: a phone's scans."""
        return self.ask(who, path, body, what)

    def do(self, who: Caller, path: str, body: Any, what: str) -> Any:
        """A deed that has to succeed: its answer's body."""
        answer = self.attempt(who, path, body, what)
        if not answer.is_done:
            raise Unexpected(_said(who, what, answer, "that it is done"))
        return answer.body

    def must_refuse(self, who: Caller, path: str, body: Any, what: str, rules: Iterable[str]) -> Answer:
        """A deed that the law forbids: it has to be refused for these rules, all of them and no other."""
        answer, expected = self.attempt(who, path, body, what), set(rules)
        if answer.status != 409 or answer.rules != expected:
            raise Unexpected(_said(who, what, answer, f"a refusal by {sorted(expected)}"))
        return answer

    def attempt(self, who: Caller, path: str, body: Any, what: str) -> Answer:
        """A deed, whatever comes of it."""
        self._sent += 1
        answer = self._send("POST", who, path, body, {"Idempotency-Key": f"demo-{self._keys}-{self._sent}"})
        self._note(who, what, answer)
        return answer

    def at_once(self, asked: Sequence[tuple[Caller, Any]], path: str, what: str) -> list[Answer]:
        """The same deed asked for by several at the same instant, each over a connection of their own.

        Who was first differs from run to run: the answers come, and are noted, by their status.
        """
        together = threading.Barrier(len(asked))
        lanes = [Api(*self._address) for _ in asked]

        def ask(lane: "Api", who: Caller, body: Any) -> Answer:
            together.wait(TIMEOUT_S)
            return lane.attempt(who, path, body, what)

        with ThreadPoolExecutor(len(asked)) as threads:
            answers = list(threads.map(ask, lanes, [who for who, _ in asked], [body for _, body in asked]))
        for lane in lanes:
            lane.close()
        several = Caller(" and ".join(who.name for who, _ in asked), "")
        answers.sort(key=lambda answer: (answer.status, answer.codes))
        for answer in answers:
            self._note(several, what, answer)
        return answers

    def _note(self, who: Caller, what: str, answer: Answer) -> None:
        self.outcomes.append(Outcome(who.name, what, answer.status, answer.codes, answer.refusal_no))
        if answer.status == 409:
            self.refused_answers.append(answer)

    def _send(self, method: str, who: Caller, path: str, body: Any, headers: dict[str, str]) -> Answer:
        """A request; again with the same key while the server is busy, or if the connection broke."""
        sent = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {who.token}", **headers}
        if sent is not None:
            headers["Content-Type"] = "application/json"
        for tries_left in reversed(range(TRIES_WHEN_BUSY)):
            try:
                self._connection.request(method, f"/api/v1{path}", sent, headers)
                response = self._connection.getresponse()
                text = response.read()
            except (http.client.HTTPException, ConnectionError):
                self._connection.close()
                if not tries_left:
                    raise
                continue
            if response.status != 503 or not tries_left:
                break
            time.sleep(float(response.headers.get("Retry-After", 1)))
        return Answer(response.status, json.loads(text) if text else None)


def digest_of(outcomes: Iterable[Outcome]) -> str:
    """Of the sequence of deeds and answers; ids, times and refusal numbers are not in it."""
    digest = hashlib.sha256()
    for outcome in outcomes:
        digest.update(outcome.line.encode() + b"\n")
    return digest.hexdigest()


def refusals_by_code(outcomes: Iterable[Outcome]) -> Counter[str]:
    return Counter(code for outcome in outcomes for code in outcome.codes)


def _said(who: Caller, what: str, answer: Answer, expected: str) -> str:
    shown = json.dumps(answer.body, ensure_ascii=False)[:2000]
    return f"{who.name}: {what}: expected {expected}, got {answer.status} {shown}"

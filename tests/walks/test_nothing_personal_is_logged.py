"""A served day with everything that could go wrong, and not a word of anybody's in what the server says.

The real server with its workers, told to say all it can (debug, access lines of the server included), on a
database that we break on purpose. Read afterwards: all that any of its processes wrote, and what PostgreSQL
wrote meanwhile.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlencode
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from core import clock, demo_clock
from core.auth import Role
from core.config import CHECKOUT
from core.ground import Ground
from core.postgres import Cluster
from core.sealed import Keyring
from tests.cast import Cast, made, resident_number
from tests.conftest import DATABASE, THE_DAY
from tests.cylinders.cast import Bottles
from tests.desk import Desk, Person
from tests.dispatch.checklist import answers
from web.opening import EMBEDDED_URL

pytestmark = pytest.mark.slow

NAME, PHONE, NUMBER = "欧阳样例甲", "13800009876", resident_number(777, "19810513")
ANOTHER = resident_number(778, "19810513")
ADDRESS = "样例市无名路九弄九号九〇九室"
ASKED = {"fields": ["name", "phone"], "reason": "delivery", "purpose": "call"}
LOGIN, PASSWORD = "ouyang.yangli", "correct horse battery"
WELL_WITHIN_S = 90


@dataclass
class Answer:
    """As much of werkzeug's ``TestResponse`` as the cast looks at."""

    status_code: int
    text: str
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    def get_json(self) -> Any:
        return self.json


@dataclass
class Client:
    """As much of Flask's test client as the desk uses, over the wire."""

    port: int

    def get(
        self, path: str, *, headers: dict[str, str], query_string: dict[str, Any] | None = None
    ) -> Answer:
        query = f"?{urlencode(query_string)}" if query_string else ""
        return self.send("GET", path + query, headers)

    def post(self, path: str, *, data: str, headers: dict[str, str], content_type: str) -> Answer:
        return self.send("POST", path, headers | {"Content-Type": content_type}, data.encode())

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
        address = f"http://127.0.0.1:{self.port}{quote(path, safe='/?&=%')}"
        request = urllib.request.Request(address, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as got:
                return Answer(got.status, got.read().decode(), dict(got.headers))
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read().decode(), dict(error.headers))


@dataclass
class Served:
    port: int
    log: Path
    desk: Desk = field(init=False)

    def test_client(self) -> Client:
        return Client(self.port)


@pytest.fixture
def served(cluster: Cluster, ground: Ground, tmp_path: Path) -> Iterator[Served]:
    """The server on this test's database and clock."""
    with ground.sessions() as db:
        demo_clock.move_to(db, THE_DAY)
    Keyring.load_or_make(tmp_path / "keyring.json")
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LPG_", "PROMETHEUS"))}
    settings = {
        "LPG_STATE_DIR": str(tmp_path),
        "LPG_BIND_PORT": str(port),
        "LPG_WORKERS": "2",
        "LPG_LOG_LEVEL": "debug",
        "LPG_DEMO_CLOCK": "1",
        "PYTHONWARNINGS": "always",
        EMBEDDED_URL: cluster.url(DATABASE, role="lpg_app"),
    }
    served = Served(port, tmp_path / "server.log")
    served.desk = Desk(cast(Flask, served), ground)
    with served.log.open("wb") as log:
        command = [sys.executable, "-m", "sample.server", str(os.getpid())]
        server = subprocess.Popen(
            command, cwd=CHECKOUT, env=kept | settings, stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
    try:
        await_health(served, server)
        yield served
    finally:
        server.terminate()
        server.wait(30)


def await_health(served: Served, server: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + WELL_WITHIN_S
    while True:
        assert server.poll() is None, served.log.read_text()
        assert time.monotonic() < end, served.log.read_text()
        try:
            if served.test_client().get("/healthz", headers={}).status_code == 200:
                return
        except OSError:
            time.sleep(0.2)


def at(hours: float) -> str:
    return clock.stamp(THE_DAY + timedelta(hours=hours))


def test_what_the_server_says_names_nobody(
    served: Served, cluster: Cluster, janitor: psycopg.Connection
) -> None:
    begun_at, cast = cluster.log.stat().st_size, Cast(served.desk)
    home, on_the_way = live_a_visit(cast)
    secrets = [NAME, PHONE, NUMBER, ANOTHER, ADDRESS, LOGIN, PASSWORD, *on_the_way]
    ask_wrongly(served, cast, secrets)
    sign_in(served)
    with Broken(janitor, "person"):
        assert cast.clerk.post(cast.at("people"), somebody(ANOTHER)).status_code == 500
    with Broken(janitor, "premises"):
        place = cast.place_body(address=f"{ADDRESS}之二")
        assert cast.clerk.post(cast.at("premises"), place).status_code == 500
    janitor.execute("UPDATE sealed_key SET wrapped = 'broken'")
    assert confirmed(cast.clerk).post(cast.at(f"households/{home}/reveals"), ASKED).status_code == 500

    served_log, database_log = said_by(served), cluster.log.read_bytes()[begun_at:].decode(errors="replace")
    assert len(re.findall(r'"event":"bug"', served_log)) == 3
    assert '"sqlstate":"23514"' in served_log
    assert "violates check constraint" in database_log
    for text in (served_log, database_log):
        for secret in secrets:
            assert secret not in text, (secret, around(text, secret))
        for shape in SHAPES:
            assert not re.search(shape, text), around(text, re.search(shape, text)[0])  # type: ignore[index]


# the cast's people, and whatever looks like a token or a telephone number
SHAPES = (
    r"样例住户\d",
    r"送气工样例\d",
    r"样例路",
    r"319999\d{6}",
    r"\blpg_[\w-]{43}",
    r"\b1[3-9]\d{9}\b",
)


def said_by(served: Served) -> str:
    """Every line, without its instant, whose digits might look like a code's."""
    text = served.log.read_text(errors="replace")
    return re.sub(r'"timestamp": ?"[^"]*"', "", text).replace('": ', '":')


def around(text: str, found: str) -> str:
    where = text.index(found)
    return text[max(0, where - 300) : where + 300]


def somebody(number: str, **changed: Any) -> dict[str, Any]:
    document = {"kind": "resident_id", "number": number}
    seen = {"method": "document_seen", "notice_version": "2021-11"}
    return {"document": document, "name": NAME, "phone": PHONE} | seen | changed


def cast_json(answer: TestResponse) -> dict[str, Any]:
    return cast(dict[str, Any], answer.json)


@dataclass
class Broken:
    """While it lasts, every new row of the table is a database error that shows the row."""

    owner: psycopg.Connection
    table: str

    def __enter__(self) -> None:
        self.owner.execute(f"ALTER TABLE {self.table} ADD CONSTRAINT taken_away CHECK (false) NOT VALID")  # type: ignore[arg-type]

    def __exit__(self, *_: object) -> None:
        self.owner.execute(f"ALTER TABLE {self.table} DROP CONSTRAINT taken_away")  # type: ignore[arg-type]


def planned_by_its_own_worker(cast: Cast, wanted: dict[str, Any]) -> str:
    job = cast_json(cast.dispatcher.post(cast.at("plans"), wanted))
    until = time.monotonic() + WELL_WITHIN_S
    while job["state"] in ("asked", "running") and time.monotonic() < until:
        time.sleep(0.1)
        job = cast_json(cast.dispatcher.get(cast.at(f"plan-jobs/{job['id']}")))
    assert job["state"] == "done", job
    return str(job["plan_id"])


def live_a_visit(cast: Cast) -> tuple[UUID, list[str]]:
    """Registered, booked, planned, loaded, delivered, revealed: the household, and what was secret."""
    bottles, bound = Bottles(cast), cast.bind()
    person = {"document": {"kind": "resident_id", "number": NUMBER}, "name": NAME, "phone": PHONE}
    home = cast.household(exception=None, person=person, address=ADDRESS)
    hers = bottles.on_card(home)
    card = cast.at(f"cards/{home.card_ids[0]}")
    assert cast.clerk.post(f"{card}/losses").status_code in (200, 201)
    qr = made(cast.clerk.post(f"{card}/replacements"))["qr"]
    resident, courier = cast.resident(cast.registrant_of(home)), cast.signed_in_courier(bound.courier_id)
    bottle = bottles.filled()
    assert bottles.receive(bottle.code, site_id=cast.supply_point(), who=cast.clerk).status_code == 201
    slot = {"zone_id": str(bound.zone_id), "starts_at": at(1), "ends_at": at(4), "capacity": 5}
    booking = {
        "household_id": str(home.household_id),
        "slot_id": made(cast.dispatcher.post(cast.at("slots"), slot))["id"],
        "purpose": "cooking",
        "channel": "web",
        "card_ids": [str(home.card_ids[0])],
    }
    order = made(resident.post(cast.at("orders"), booking))
    line = order["lines"][0]["id"]
    wanted = {"zone_id": str(bound.zone_id), "day": "2024-06-12", "wave": 1, "iterations": 500}
    plan_id = planned_by_its_own_worker(cast, wanted)
    [round_id] = made(cast.dispatcher.post(cast.at(f"plans/{plan_id}/applications")))["round_ids"]
    drive = cast.at(f"rounds/{round_id}")
    made(courier.post(f"{drive}/starts", {"plate": cast_json(courier.get(drive))["plate"]}))
    made(courier.post(f"{drive}/loads", {"line_id": line, "code": bottle.code}))
    with cast.desk.ground.sessions() as db:
        demo_clock.move_to(db, THE_DAY + timedelta(hours=1.5))
    made(courier.post(cast.at(f"orders/{order['id']}/arrivals")))
    code = cast_json(resident.get(cast.at(f"orders/{order['id']}/door-code")))["code"]
    visit = {
        "line_id": line,
        "card_credential": qr,
        "check": {"mode": "on_site", "items": answers(), "user_signed": True, "briefed": True},
        "full_code": bottle.code,
        "empty_code": hers.code,
        "proof": {"kind": "door_code", "value": code},
        "connected": True,
        "leak_test_passed": True,
        "occurred_at": at(1.5),
    }
    done = made(courier.post(cast.at(f"orders/{order['id']}/deliveries"), visit))
    assert done["outcome"] == "delivered"
    again = resident.post(cast.at("orders"), booking)  # not due yet: refused
    assert again.status_code == 409
    named = {"principal_id": str(cast.clerk.principal_id), "login": LOGIN, "password": PASSWORD}
    made(cast.admin.post("/api/v1/passwords", named))
    reveal = confirmed(cast.clerk).post(cast.at(f"households/{home.household_id}/reveals"), ASKED)
    assert reveal.status_code == 201, reveal.text
    assert NAME in reveal.text
    return home.household_id, [qr, code, resident.token, courier.token, cast.clerk.token]


def confirmed(person: Person) -> Person:
    assert person.post("/api/v1/confirmations", {"password": PASSWORD}).status_code == 200
    return person


def sign_in(served: Served) -> None:
    """By name and password on the page: wrongly, with the two exchanged, and rightly."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    address = f"http://127.0.0.1:{served.port}/sign-in"
    page = browser.open(address).read().decode()
    [token] = set(re.findall(r'name="csrf_token" value="([^"]+)"', page))
    for login, password, status in (
        (LOGIN, PASSWORD + "!", 422),
        (PASSWORD, LOGIN, 422),
        (LOGIN, PASSWORD, 303),
    ):
        form = urlencode({"csrf_token": token, "login": login, "password": password, "next": "/healthz"})
        if status == 303:
            assert browser.open(address, form.encode()).geturl().endswith("/healthz")
        else:
            with pytest.raises(urllib.error.HTTPError, match=str(status)):
                browser.open(address, form.encode())


def ask_wrongly(served: Served, cast: Cast, secrets: list[str]) -> None:
    """Personal data, codes and tokens wherever they do not belong."""
    clerk, client = cast.clerk, served.test_client()
    bearer = {"Authorization": f"Bearer {clerk.token}"}
    wrong = {"document": {"kind": NAME, "number": NAME}, "name": {"x": NAME}, "phone": NAME, ADDRESS: PHONE}
    assert clerk.post(cast.at("people"), wrong).status_code == 422
    assert clerk.post(
        cast.at("people"), somebody(NUMBER[:-1] + ("7" if NUMBER[-1] != "7" else "8"))
    ).status_code in (409, 422)
    for secret in secrets:
        answer = clerk.get(f"/api/v1/cylinders/by-code/{quote(secret, safe='')}/verdict", purpose="dispatch")
        assert answer.status_code in (200, 422), answer.text
        assert clerk.get(cast.at("orders"), household_id=secret).status_code == 422
        assert client.get(f"/nowhere/{secret}", headers=bearer).status_code == 404
        assert client.get(f"/healthz?name={quote(secret)}", headers={}).status_code == 200
        shut = {"Authorization": f"Bearer x{secret.encode().hex()}", "User-Agent": secret.encode().hex()}
        assert client.get(cast.at("orders"), headers=shut).status_code == 401
        in_the_body = client.post(
            cast.at("people"),
            data=f'{{"name": "{secret}"',
            headers=bearer | {"Idempotency-Key": "not-a-secret-1"},
            content_type="application/json",
        )
        assert in_the_body.status_code == 400
    for name in ("Idempotency-Key", "X-Request-ID", "User-Agent", "Referer"):
        headers = bearer | {"Idempotency-Key": "not-a-secret-2", name: PHONE}
        body = json.dumps(somebody(NUMBER))
        answer = client.post(cast.at("people"), data=body, headers=headers, content_type="application/json")
        assert answer.status_code in (200, 201, 422), answer.text
    assert cast.desk.sign_in(Role.REGULATOR).get(cast.at("refusals")).status_code == 200

"""/metrics: what is counted, who may read it, and that no label says of whom."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest
from flask import Flask

from core import outbox
from core.auth import Role
from core.config import CHECKOUT
from core.ground import Ground
from core.refusal import CATALOGUE
from tests.cast import Cast
from tests.cylinders.cast import Bottles
from tests.desk import Desk
from web.rights import RIGHTS

HEALTH = 'lpg_http_requests_total{method="GET",route="/healthz",status="200"}'


def read(app: Flask, address: str = "127.0.0.1", **headers: str) -> str:
    answer = app.test_client().get("/metrics", environ_base={"REMOTE_ADDR": address}, headers=headers)
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def value(text: str, series: str) -> float:
    """0 where it was never counted."""
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.M)
    return float(found[1]) if found else 0.0


def status(app: Flask, who: str, address: str, **headers: str) -> int:
    standing = app.extensions["ground"]
    app.extensions["ground"] = Ground(
        replace(standing.config, metrics=who), standing.sessions, standing.keyring
    )
    client = app.test_client()
    answer = client.get("/metrics", environ_base={"REMOTE_ADDR": address}, headers=headers)
    return int(answer.status_code)


def test_a_request_is_counted_by_its_template_and_never_by_its_address(desk: Desk) -> None:
    series = 'lpg_http_requests_total{method="GET",route="/api/v1/cylinders/<uuid:cylinder_id>",status="404"}'
    lasting = 'lpg_http_request_seconds_count{method="GET",route="/api/v1/cylinders/<uuid:cylinder_id>"}'
    before = read(desk.app)
    asked = "019012ab-0000-7000-8000-00000000abcd"
    desk.sign_in(Role.REGULATOR).get(f"/api/v1/cylinders/{asked}")
    after = read(desk.app)
    assert value(after, series) == value(before, series) + 1
    assert value(after, lasting) == value(before, lasting) + 1
    assert asked not in after


def test_what_matches_nothing_and_invented_methods_make_no_series_of_their_own(app: Flask) -> None:
    client = app.test_client()
    client.get("/no/such/張三")
    client.open("/healthz", method="INVENTED")
    text = read(app)
    assert value(text, 'lpg_http_requests_total{method="GET",route="unmatched",status="404"}') >= 1
    assert 'method="other"' in text
    assert "張三" not in text
    assert "INVENTED" not in text


def test_deeds_and_the_reasons_of_refused_ones_are_counted(desk: Desk) -> None:
    cast = Cast(desk)
    bottles = Bottles(cast)
    bottle = bottles.empty()
    bottles.fill(bottle)
    before = read(desk.app)
    refused = bottles.fill(bottle)
    after = read(desk.app)
    assert refused.status_code == 409
    assert value(before, 'lpg_deeds_total{outcome="done",verb="cylinder.fill"}') >= 1
    series = 'lpg_deeds_total{outcome="refused",verb="cylinder.fill"}'
    assert value(after, series) == value(before, series) + 1
    for reason in refused.json["reasons"]:
        series = f'lpg_refusals_total{{code="{reason["code"]}"}}'
        assert value(after, series) == value(before, series) + 1


def test_a_repeated_request_is_one_deed(desk: Desk) -> None:
    cast = Cast(desk)
    body = cast.firm_body()
    series = 'lpg_deeds_total{outcome="done",verb="firm.register"}'
    before = value(read(desk.app), series)
    for _ in range(3):
        cast.admin.post("/api/v1/firms", body, key="the-same-key")
    assert value(read(desk.app), series) == before + 1


def test_what_waits_in_the_outbox_and_what_was_given_up_on_is_told(
    app: Flask, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(outbox.SUBSCRIBERS, "a.topic", {"one": lambda *_: None, "two": lambda *_: None})
    with ground.sessions() as db:
        outbox.tell(db, 310105, "a.topic", {})
        db.commit()
        [one, _] = db.query(outbox.OutboxDelivery).all()
        one.state = outbox.DeliveryState.DEAD
        db.commit()
    text = read(app)
    assert value(text, 'lpg_outbox_deliveries{state="due"}') == 1
    assert value(text, 'lpg_outbox_deliveries{state="dead"}') == 1
    assert value(text, "lpg_database_answers") == 1
    assert re.search(r"^lpg_outbox_oldest_due_seconds 0", text, re.M)


def test_labels_are_words_of_the_program(desk: Desk) -> None:
    """Whatever this process has counted: methods, templates, statuses, verbs, outcomes, codes."""
    desk.sign_in(Role.CLERK).get("/api/v1/districts/310105/orders")
    text = read(desk.app)
    verbs = {verb for verbs in RIGHTS.values() for verb in verbs}
    templates = {str(rule) for rule in desk.app.url_map.iter_rules()} | {"unmatched"}
    for name, label in re.findall(r'(?<=[{,])(\w+)="((?:[^"\\]|\\.)*)"', text):
        if name == "code":
            assert label in CATALOGUE
        elif name == "route":
            assert label in templates
        elif name == "verb":
            assert label in verbs or re.fullmatch(r"[a-z_]+\.[a-z_]+", label)
        elif name != "implementation":
            assert re.fullmatch(r"[A-Za-z0-9.+_]{1,16}", label), (name, label)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_the_machine_itself_may_read_by_default(app: Flask, ground: Ground, address: str) -> None:
    assert ground.config.metrics == "loopback"
    assert status(app, "loopback", address) == 200


@pytest.mark.parametrize("address", ["192.0.2.7", "10.0.0.1", "2001:db8::1", "::ffff:192.0.2.7", "", "unix:"])
def test_nobody_else_finds_it(app: Flask, ground: Ground, address: str) -> None:
    assert status(app, "loopback", address) == 404


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
def test_what_a_proxy_of_this_machine_passes_on_finds_nothing(
    app: Flask, ground: Ground, header: str
) -> None:
    assert status(app, "loopback", "127.0.0.1", **{header: "192.0.2.7"}) == 404


def test_it_can_be_opened_or_shut(app: Flask, ground: Ground) -> None:
    assert status(app, "open", "192.0.2.7") == 200
    assert status(app, "off", "127.0.0.1") == 404


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def fetched(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        return str(answer.read().decode())


def until_it_answers(port: int, server: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 90
    while time.monotonic() < end:
        assert server.poll() is None, "the server ended"
        try:
            fetched(port, "/healthz")
            return
        except HTTPError:
            return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    raise AssertionError("the server did not answer in 90 s")


def workers_in(folder: Path) -> set[str]:
    """Those that have counted something."""
    return {path.stem.rpartition("_")[2] for path in folder.glob("counter_*.db")}


@pytest.mark.slow
def test_the_workers_of_a_server_count_together_and_begin_at_nought(tmp_path: Path) -> None:
    port = free_port()
    left = tmp_path / "metrics" / str(port) / "counter_1.db"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"what an earlier run left")
    kept = {name: held for name, held in os.environ.items() if not name.startswith(("LPG_", "PROMETHEUS"))}
    settings = {"LPG_STATE_DIR": str(tmp_path), "LPG_BIND_PORT": str(port), "LPG_WORKERS": "2"}
    server = subprocess.Popen(
        [sys.executable, "-m", "web.serve"],
        env=kept | settings,
        cwd=CHECKOUT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until_it_answers(port, server)
        assert not left.exists()
        before, asked = value(fetched(port, "/metrics"), HEALTH), 0
        while asked < 40 or (len(workers_in(left.parent)) < 2 and asked < 2000):
            fetched(port, "/healthz")
            asked += 1
        assert len(workers_in(left.parent)) == 2
        for _ in range(4):  # whichever is asked tells of both
            assert value(fetched(port, "/metrics"), HEALTH) == before + asked
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)


FIRST_AT_ONCE = """
import threading
from core import metrics
start, faults = threading.Barrier(8), []
def count():
    start.wait()
    try:
        metrics.count_request("GET", "/", 200, 0.1)
    except Exception as fault:
        faults.append(fault)
threads = [threading.Thread(target=count) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not faults, faults
"""


def test_the_first_requests_of_a_process_may_come_at_once() -> None:
    subprocess.run([sys.executable, "-c", FIRST_AT_ONCE], cwd=CHECKOUT, check=True, timeout=60)

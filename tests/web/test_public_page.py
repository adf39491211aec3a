"""The page behind a label: what it says, what it never says, and who goes through codes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from core import clock
from core.ground import Ground
from core.outbox import deliver_due
from cylinders.code import new_code
from cylinders.label_address import TAG_SYMBOLS
from evidence.models import Entry, Link, SubjectType
from evidence.verify import verify
from oversight.models import CodeProbe, Tip
from oversight.probes import UNCONFIRMED, network_of
from tests.cast import Cast, made
from tests.conftest import THE_DAY
from tests.cylinders.cast import Bottle, Bottles
from tests.desk import Desk

TYPED_WRONG = "0" * TAG_SYMBOLS


@pytest.fixture
def bottles(desk: Desk) -> Bottles:
    return Bottles(Cast(desk))


def look(app: Flask, path: str, *, address: str = "192.0.2.7") -> TestResponse:
    return app.test_client().get(path, environ_base={"REMOTE_ADDR": address})


def labelled(bottles: Bottles, bottle: Bottle) -> str:
    """The path on the bottle's first label."""
    batch = made(bottles.cast.clerk.post("/api/v1/label-batches", {"codes": [bottle.code]}))
    return "/C/" + batch["items"][0]["address"].split("/C/")[1]


def word(answer: TestResponse) -> str:
    """The heading, in Chinese."""
    found = re.search(r'<h1 id="word">.*?</span> (.*?) <span', answer.text)
    assert found, answer.text
    return found[1]


@contextmanager
def statements(ground: Ground) -> Iterator[list[str]]:
    """Everything that is said to the database meanwhile."""
    engine: Any = ground.sessions.kw["bind"]
    said: list[str] = []

    def hear(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    sa.event.listen(engine, "before_cursor_execute", hear)
    yield said
    sa.event.remove(engine, "before_cursor_execute", hear)


# --- what it says -----------------------------------------------------------------------------------------


def test_a_sound_bottle_says_who_filled_it_and_until_when_it_is_good(app: Flask, bottles: Bottles) -> None:
    bottle = bottles.filled()
    path = labelled(bottles, bottle)
    for asked in (path, path.lower(), f"{path}/", f"/c/{bottle.code.lower()}", f"/C/{bottle.code}"):
        answer = look(app, asked)
        assert (answer.status_code, word(answer)) == (200, "可以使用"), asked
        for said in ("样例燃气", "2024年6月12日", "14.6 kg", "2028年5月31日"):
            assert said in answer.text, said
    assert "没有核对标签真假" in look(app, f"/C/{bottle.code}").text
    assert "没有核对标签真假" not in look(app, path).text
    assert look(app, path).headers["X-Robots-Tag"] == "noindex, nofollow"


def test_it_never_says_who_has_the_bottle_or_where_it_is(app: Flask, bottles: Bottles, db: Session) -> None:
    users = bottles.cast.household()
    bottle = bottles.on_card(users)
    text = look(app, f"/C/{bottle.code}").text
    for secret in (str(users.household_id), str(users.card_ids[0]), str(bottle.id), str(bottles.cast.firm())):
        assert secret not in text
    assert "310105" not in text
    assert "长宁" not in text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"last_inspection": None, "made_on": "2015-05-01", "design_life_months": 180}, "超期未检，不要使用"),
        ({"made_on": "2010-05-01"}, "超过使用年限，不要使用"),
        ({"refurbished": True}, "不符合供应条件，不要接收"),
        ({"scrap_ordered": True}, "已报废"),
        ({"owner_firm_id": None}, "不符合供应条件，不要接收"),
    ],
)
def test_what_is_wrong_with_a_bottle_is_one_word(
    app: Flask, bottles: Bottles, changed: dict[str, Any], said: str
) -> None:
    answer = look(app, f"/C/{bottles.empty(**changed).code}")
    assert (answer.status_code, word(answer)) == (200, said)


def test_a_seized_bottle_is_not_said_to_be_at_inspection(app: Flask, bottles: Bottles) -> None:
    bottle = bottles.empty()
    path = labelled(bottles, bottle)
    body = {"agency_id": str(bottles.agency_id), "why": "past_life", "receipt_no": "CK-1"}
    made(bottles.cast.regulator.post(f"/api/v1/cylinders/{bottle.id}/seizures", body))
    assert word(look(app, path)) == "已被监管部门查扣，不要接收"
    failed = {"inspected_on": "2024-06-12", "passed": False, "report_no": "R-1"}
    made(bottles.agency.post(f"/api/v1/cylinders/{bottle.id}/inspections", failed))
    assert word(look(app, path)) == "已被监管部门查扣，不要接收"


def test_held_at_inspection_and_scrapped(app: Flask, bottles: Bottles) -> None:
    bottle = bottles.empty()
    path = labelled(bottles, bottle)
    hold = made(bottles.cast.regulator.post(
        f"/api/v1/cylinders/{bottle.id}/holds", {"kind": "recall", "reference": "ZH-1"}
    ))  # fmt: skip
    assert word(look(app, path)) == "暂停使用，不要接收"
    lifted = {"hold_id": hold["holds"][0]["id"], "reference": "ZH-1"}
    made(bottles.cast.regulator.post(f"/api/v1/cylinders/{bottle.id}/releases", lifted))
    assert word(look(app, path)) == "可以使用"
    body = {"certificate_no": "BF-1", "scrapped_on": "2024-06-12", "method": "cut"}
    made(bottles.agency.post(f"/api/v1/cylinders/{bottles.sent(bottle).id}/scrappings", body))
    assert word(look(app, path)) == word(look(app, f"/C/{bottle.code}")) == "已报废"


def test_a_replaced_label_is_void_although_its_bottle_is_sound(app: Flask, bottles: Bottles) -> None:
    bottle = bottles.empty()
    path = labelled(bottles, bottle)
    replacing = f"/api/v1/cylinders/{bottle.id}/labels/1/replacements"
    fresh = made(bottles.cast.clerk.post(replacing, {"reason": "damaged"}))["items"][0]["address"]
    assert word(look(app, path)) == "已报废"
    assert word(look(app, "/C/" + fresh.split("/C/")[1])) == "可以使用"
    assert word(look(app, f"/C/{bottle.code}")) == "可以使用"


# --- unknown and wrong look alike -------------------------------------------------------------------------


def test_an_unknown_code_and_a_wrong_tag_are_one_answer_by_the_same_statements(
    app: Flask, bottles: Bottles, ground: Ground
) -> None:
    bottle = bottles.filled()
    right = labelled(bottles, bottle)
    other = labelled(bottles, bottles.empty()).split("/")[-1]
    asked = {
        "unknown": f"/C/{new_code()}/{TYPED_WRONG}",
        "wrong tag": f"/C/{bottle.code}/{TYPED_WRONG}",
        "another's tag": f"/C/{bottle.code}/{other}",
        "not even a code": f"/C/000000000000/{TYPED_WRONG}",
    }
    heard: dict[str, list[str]] = {}
    pages: dict[str, tuple[int, str]] = {}
    for name, path in asked.items():
        look(app, path, address="198.51.100.9")  # the address is counted in a row that stands
        with statements(ground) as said:
            answer = look(app, path, address="198.51.100.9")
        heard[name] = said
        code = path.split("/")[2]
        in_fours = "\u202f".join(code[at : at + 4] for at in (0, 4, 8))
        text = answer.text.replace(path, "PATH").replace(in_fours, "CODE")
        text = re.sub(r'name="(csrf_token|form_key)" value="[^"]*"', "", text)
        pages[name] = (answer.status_code, text)
    assert heard["unknown"]
    assert all(said == heard["unknown"] for said in heard.values())
    assert pages["unknown"] == pages["wrong tag"] == pages["another's tag"]
    assert pages["unknown"][0] == 404
    look(app, right, address="198.51.100.9")
    with statements(ground) as said:
        assert look(app, right, address="198.51.100.9").status_code == 200
    asked_of_bottles = [one for one in said if "tried" not in one]
    assert (
        asked_of_bottles == [one for one in heard["unknown"] if "tried" not in one][: len(asked_of_bottles)]
    )


@pytest.mark.parametrize(
    "path",
    [
        "/C/%00",
        "/C/" + "x" * 3000,
        "/C/%F0%9F%98%80/%E2%80%AE",
        "/C/a/" + "b" * 3000,
        "/C/'; DROP TABLE cylinder; --",
        "/C/<script>alert(1)</script>",
        "/C/%ED%A0%80",
    ],
)
def test_whatever_is_asked_for_is_answered_plainly(app: Flask, desk: Desk, path: str) -> None:
    answer = look(app, path)
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text


# --- typing it --------------------------------------------------------------------------------------------


def post(app: Flask, page: str, path: str, form: dict[str, str]) -> TestResponse:
    """From the form on ``page``, with its token and key."""
    client = app.test_client()
    text = client.get(page).text
    hidden = dict(re.findall(r'name="(csrf_token|form_key)" value="([^"]*)"', text))
    return client.post(path, data=hidden | form)


def test_a_code_is_typed_in_groups_or_the_whole_address_pasted(app: Flask, bottles: Bottles) -> None:
    bottle = bottles.empty()
    path = labelled(bottles, bottle)
    grouped = f"{bottle.code[:4]} {bottle.code[4:8]}-{bottle.code[8:]}".lower()
    for typed, leads_to in ((grouped, f"/C/{bottle.code}"), (f"HTTPS://LPG.EXAMPLE{path}", path)):
        answer = post(app, "/C/", "/C/", {"code": typed})
        assert (answer.status_code, answer.location) == (303, leads_to)
    for wrong in ("", "31YLA000123", "x" * 600, "\x00", "https://pay.example/1234"):
        answer = post(app, "/c", "/C/", {"code": wrong})
        assert answer.status_code == 422
        assert "不是标签上的12位编码" in answer.text
    assert app.test_client().post("/C/", data={"code": bottle.code}).status_code == 400


# --- reporting --------------------------------------------------------------------------------------------


def test_a_problem_is_a_tip_for_the_districts_regulator_and_in_no_bottles_chain(
    app: Flask, bottles: Bottles, ground: Ground, db: Session
) -> None:
    bottle = bottles.empty()
    path = labelled(bottles, bottle)
    chained = sa.select(sa.func.count()).where(Link.subject_type == SubjectType.CYLINDER)
    before = db.scalar(chained)
    answer = post(app, path, path, {"problem": "leak"})
    assert (answer.status_code, answer.location) == (303, f"{path}?told=1")
    assert "已转给监管部门" in look(app, f"{path}?told=1").text
    deliver_due(ground, 310105)
    tip = db.scalars(sa.select(Tip)).one()
    assert tip.kind == "cylinder.problem_reported"
    assert {name: tip.facts[name] for name in ("code", "problem", "seen", "cylinder_id")} == {
        "code": bottle.code,
        "problem": "leak",
        "seen": "confirmed",
        "cylinder_id": str(bottle.id),
    }
    assert db.scalar(chained) == before
    written = b"".join(db.scalars(sa.select(Entry.written)))
    assert b"127.0.0.1" not in written
    assert not list(verify(db))


def test_a_label_that_is_nobodys_is_reported_too(
    app: Flask, bottles: Bottles, ground: Ground, db: Session
) -> None:
    bottles.cast.filling_station()
    bottles.cast.supply_point()
    path = f"/C/{new_code()}/{TYPED_WRONG}"
    assert post(app, path, path, {"problem": "label_suspect"}).status_code == 303
    deliver_due(ground, 310105)
    tip = db.scalars(sa.select(Tip)).one()
    assert (tip.facts["seen"], tip.facts["cylinder_id"]) == ("unconfirmed", None)


def test_a_form_without_its_token_a_word_or_a_key_tells_nobody(
    app: Flask, bottles: Bottles, db: Session
) -> None:
    path = f"/C/{bottles.empty().code}"
    entries = db.scalar(sa.select(sa.func.count()).select_from(Entry))
    assert app.test_client().post(path, data={"problem": "leak"}).status_code == 400
    for wrong in ({}, {"problem": "poem"}, {"problem": ""}, {"problem": "leak", "form_key": "x"}):
        assert post(app, path, path, wrong).status_code == 422, wrong
    assert db.scalar(sa.select(sa.func.count()).select_from(Entry)) == entries


def test_reports_end_after_a_few_an_hour_and_the_same_form_tells_once(
    app: Flask, bottles: Bottles, ground: Ground, db: Session
) -> None:
    path = f"/C/{bottles.empty().code}"
    client = app.test_client()
    hidden = dict(re.findall(r'name="(csrf_token|form_key)" value="([^"]*)"', client.get(path).text))
    for _ in range(2):
        assert client.post(path, data=hidden | {"problem": "other"}).status_code == 303
    statuses = [post(app, path, path, {"problem": "other"}).status_code for _ in range(4)]
    assert statuses == [303, 303, 303, 429]
    deliver_due(ground, 310105)
    assert db.scalar(sa.select(sa.func.count()).select_from(Tip)) == 4


# --- going through codes ----------------------------------------------------------------------------------


def test_who_tries_codes_is_stopped_and_told_of_once_an_hour_over_restarts(
    app: Flask, bottles: Bottles, ground: Ground, db: Session
) -> None:
    bottle = bottles.empty()
    prober, honest = "203.0.113.5", "203.0.113.6"
    for _ in range(UNCONFIRMED.most):
        assert look(app, f"/C/{new_code()}", address=prober).status_code == 404
    assert db.scalar(sa.select(sa.func.count()).select_from(CodeProbe)) == 0
    stopped = look(app, f"/C/{new_code()}", address=prober)
    assert stopped.status_code == 429
    assert 0 < int(stopped.headers["Retry-After"]) <= 3600
    for path in (f"/C/{new_code()}", f"/C/{bottle.code}"):
        assert look(app, path, address=prober).status_code == 429
    assert look(app, f"/C/{bottle.code}", address=honest).status_code == 200
    probe = db.scalars(sa.select(CodeProbe)).one()
    assert (probe.district, probe.unconfirmed) == (310105, 21)
    assert prober.encode() not in probe.seen_from
    alarms = bottles.cast.dispatcher.get("/api/v1/districts/310105/alarms").json["items"]
    assert [(one["kind"], one["subject_id"]) for one in alarms] == [("codes_probed", str(probe.id))]
    done = {"day": "2024-06-12", "kind": "codes_probed", "subject_id": str(probe.id), "action": "passed_on"}
    path = "/api/v1/districts/310105/alarm-notes"
    made(bottles.cast.dispatcher.post(path, done))
    deliver_due(ground, 310105)
    assert [tip.kind for tip in db.scalars(sa.select(Tip))] == ["code.probed"]
    with clock.standing_at(THE_DAY + timedelta(hours=1)):
        assert look(app, f"/C/{bottle.code}", address=prober).status_code == 200
    assert not list(verify(db))


def test_an_ipv6_house_is_one_asker() -> None:
    assert network_of("2001:db8:1:2:aaaa::1") == network_of("2001:db8:1:2:bbbb::9")
    assert network_of("2001:db8:1:3::1") != network_of("2001:db8:1:2::1")
    assert network_of("::ffff:192.0.2.7") == network_of("192.0.2.7")
    assert network_of("") == ""

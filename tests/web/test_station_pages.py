"""The filling station's pages over HTTP: who may see them, what they answer to page and script, bad input."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from core import sessions
from core.auth import Role
from core.ground import Ground
from core.ids import new_id
from core.sessions import SignedInBy
from cylinders.ask_log import ASKS
from cylinders.filling_models import FillingWeighing
from cylinders.models import CustodyFact, Filling, VerdictAsk
from evidence.models import Entry, Outcome
from tests.cast import Cast, made
from tests.cylinders.cast import AFTER, BEFORE, TARE_G, Bottle, Bottles
from tests.desk import Desk

PAGES = ("", "batch", "receive", "means", "stock", "day")
JSON = {"Accept": "application/json"}


class Terminal:
    """A browser at a station: its pages' tokens and keys are sent back as a form would."""

    def __init__(self, app: Flask, ground: Ground, principal_id: UUID):
        self.client: FlaskClient = app.test_client()
        secret = sessions.open_session(ground, principal_id, SignedInBy.PASSWORD_AND_CODE)
        signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
        self.client.set_cookie("lpg", signer.dumps({"secret": secret}))
        self.keys = 0

    def get(self, path: str) -> TestResponse:
        return self.client.get(f"/station/{path}")

    def post(
        self,
        path: str,
        form: Mapping[str, Any],
        *,
        key: str | None = None,
        page: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        token = re.findall(r'name="csrf_token" value="([^"]+)"', self.get(page).text)[0]
        self.keys += 1
        hidden = {"csrf_token": token, "form_key": key or f"form-key-{self.keys:04d}"}
        return self.client.post(f"/station/{path}", data={**hidden, **form}, headers=dict(headers or {}))

    def ask(self, code: str) -> TestResponse:
        return self.post("verdicts", {"code": code})

    def begin(self, bottles: Bottles, code: str, **changed: str) -> TestResponse:
        form = {"code": code, "filler_id": str(bottles.filler_id), "scale": "S-1"} | changed
        return self.post("authorisations", form)

    def look(self, begun: TestResponse, **changed: str) -> TestResponse:
        checks = {f"before-{item}": "pass" for item in BEFORE}
        form = {"tare_weighed_g": "16.5", "residue_g": "0.2"} | checks | changed
        return self.post("checks", hidden(begun) | form)

    def weigh(self, looked: TestResponse, *, key: str | None = None, **changed: str) -> TestResponse:
        checks = {f"after-{item}": "pass" for item in AFTER}
        form = {"gross_g": "31.3", "seal_no": "F-000001"} | checks | changed
        return self.post("weighings", hidden(looked) | form, key=key)

    def fill(self, bottles: Bottles, code: str) -> TestResponse:
        return self.weigh(self.look(self.begin(bottles, code)))


@pytest.fixture
def cast(desk: Desk) -> Cast:
    return Cast(desk)


@pytest.fixture
def bottles(cast: Cast) -> Bottles:
    return Bottles(cast)


@pytest.fixture
def terminal(app: Flask, ground: Ground, cast: Cast, bottles: Bottles) -> Terminal:
    return Terminal(app, ground, cast.filler.principal_id)


def hidden(page: TestResponse) -> dict[str, str]:
    """Which filling the step on this page belongs to."""
    names = ("authorisation_id", "token", "scale")
    return {name: re.findall(rf'name="{name}" value="([^"]*)"', page.text)[0] for name in names}


def fillings(ground: Ground) -> list[Filling]:
    with ground.sessions() as db:
        return list(db.scalars(sa.select(Filling)))


def test_who_is_not_signed_in_is_sent_to_sign_in_and_comes_back(app: Flask) -> None:
    for page in PAGES:
        answer = app.test_client().get(f"/station/{page}")
        assert answer.status_code == 302
        assert answer.location.startswith("/sign-in?next=/station/")


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_sees_no_page_of_a_station(
    app: Flask, ground: Ground, desk: Desk, bottles: Bottles, page: str
) -> None:
    """Without the verb 403; with the verb but for no site, or for a site that is not there, 404."""
    for role in (Role.RESIDENT, Role.REGULATOR, Role.DISPATCHER, Role.COURIER):
        stranger = Terminal(app, ground, desk.sign_in(role).principal_id)
        assert stranger.get(page).status_code in (403, 404), role
    lost = Terminal(app, ground, desk.sign_in(Role.FILLER, site=new_id()).principal_id)
    assert lost.get(page).status_code == 404


def test_a_sound_bottle_is_green_with_its_weights_to_enter(terminal: Terminal, bottles: Bottles) -> None:
    answer = terminal.ask(bottles.empty().code)
    assert answer.status_code == 200
    assert 'class="verdict allowed"' in answer.text
    assert "可以充装" in answer.text
    begun = terminal.begin(bottles, bottles.empty().code)
    assert 'class="verdict checking"' in begun.text
    assert 'name="tare_weighed_g"' in begun.text
    for page in (begun, terminal.look(begun)):
        assert re.search(r'type="radio"[^>]* checked', page.text) is None  # nothing passes by itself


@pytest.mark.parametrize("written", ["lower", "full_width", "label", "spaced"])
def test_a_gun_may_write_the_code_in_many_ways(terminal: Terminal, bottles: Bottles, written: str) -> None:
    code = bottles.empty().code
    forms = {
        "lower": code.lower(),
        "full_width": "".join(chr(ord(symbol) + 0xFEE0) for symbol in code),
        "label": f"HTTPS://LPG.EXAMPLE/C/{code}/1a2b",
        "spaced": f"  {code[:4]} {code[4:]}\t",
    }
    assert 'class="verdict allowed"' in terminal.ask(forms[written]).text


def test_a_forbidden_bottle_is_red_with_every_reason_and_no_form(
    terminal: Terminal, bottles: Bottles
) -> None:
    bottle = bottles.spoilt(refurbished=True, scrap_ordered=True)
    answer = terminal.ask(bottle.code)
    assert 'class="verdict refused"' in answer.text
    for reason in bottles.verdict(bottle.code)["reasons"]:
        assert reason["zh"] in answer.text
        assert reason["cure"]["zh"] in answer.text
    assert 'name="gross_g"' not in answer.text


@pytest.mark.parametrize(
    "scanned", ["NOTHING", "<script>alert(1)</script>", "https://pay.example/q?x=1", "🙂"]
)
def test_a_text_that_is_no_bottle_is_red(terminal: Terminal, scanned: str) -> None:
    answer = terminal.ask(scanned)
    assert 'class="verdict refused"' in answer.text
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize("scanned", ["", "   ", "x" * 513])
def test_an_empty_or_endless_scan_is_grey(terminal: Terminal, scanned: str) -> None:
    answer = terminal.ask(scanned)
    assert answer.status_code == 422
    assert 'class="verdict wrong"' in answer.text
    assert "不要充装" in answer.text


def test_what_was_asked_stands_in_the_log_and_on_the_screen_under_its_number(
    terminal: Terminal, bottles: Bottles, cast: Cast, ground: Ground
) -> None:
    said = terminal.post("verdicts", {"code": bottles.empty().code}, headers=JSON).get_json()
    ASKS.flush()
    with ground.sessions() as db:
        [ask] = db.scalars(sa.select(VerdictAsk))
    assert (ask.site_id, ask.purpose, ask.allowed) == (cast.filling_station(), "fill", True)
    assert str(ask.id) in said["row"]
    assert f'data-ask="{ask.id}"' in terminal.get("").text


def test_the_script_gets_the_parts_of_the_page_with_its_key_as_echo(
    terminal: Terminal, bottles: Bottles
) -> None:
    green = terminal.post("verdicts", {"code": bottles.empty().code}, key="my-own-key-1", headers=JSON)
    assert green.mimetype == "application/json"
    said = green.get_json()
    assert (said["echo"], said["state"], said["reasons"]) == ("my-own-key-1", "allowed", 0)
    red = terminal.post("verdicts", {"code": bottles.spoilt(refurbished=True).code}, headers=JSON).get_json()
    assert (red["state"], red["reasons"]) == ("refused", 1)
    assert red["work"].strip() == ""


def test_a_question_without_the_forms_token_or_key_is_not_answered(
    terminal: Terminal, bottles: Bottles
) -> None:
    code = bottles.empty().code
    answer = terminal.client.post("/station/verdicts", data={"code": code, "form_key": "a-key-of-8"})
    assert answer.status_code == 400
    token = re.findall(r'name="csrf_token" value="([^"]+)"', terminal.get("").text)[0]
    assert (
        terminal.client.post("/station/verdicts", data={"code": code, "csrf_token": token}).status_code == 422
    )
    headers = {**JSON, "X-CSRFToken": token}
    by_header = terminal.client.post(
        "/station/verdicts", data={"code": code, "form_key": "a-key-of-9"}, headers=headers
    )
    assert by_header.get_json()["state"] == "allowed"


def test_a_filling_is_recorded_as_the_api_records_it(
    terminal: Terminal, bottles: Bottles, ground: Ground, cast: Cast
) -> None:
    bottle = bottles.empty()
    answer = terminal.fill(bottles, bottle.code)
    assert answer.status_code == 302
    [filling] = fillings(ground)
    assert (filling.cylinder_id, filling.site_id) == (bottle.id, cast.filling_station())
    assert (filling.tare_weighed_g, filling.residue_g, filling.gross_g) == (TARE_G, 200, 31_300)
    assert filling.net_g == 14_600
    assert [one["item"] for one in filling.checks_after] == list(AFTER)
    page = terminal.client.get(answer.location).text
    assert "已记录充装" in page
    assert "14.6 kg" in page
    # who fills and on which scale is remembered
    assert re.search(r'value="S-1" selected', terminal.ask(bottles.empty().code).text)


def test_a_form_sent_twice_fills_once(terminal: Terminal, bottles: Bottles, ground: Ground) -> None:
    looked = terminal.look(terminal.begin(bottles, bottles.empty().code))
    for _ in range(2):
        assert terminal.weigh(looked, key="one-and-the-same").status_code == 302
    assert len(fillings(ground)) == 1


def test_what_has_begun_goes_on_where_it_was_when_it_is_scanned_again(
    terminal: Terminal, bottles: Bottles, ground: Ground
) -> None:
    code = bottles.empty().code
    terminal.begin(bottles, code)
    looked = terminal.look(terminal.ask(code))
    assert "可以充气" in looked.text
    assert terminal.weigh(terminal.ask(code)).status_code == 302
    assert len(fillings(ground)) == 1


def test_an_overfilled_bottle_is_red_until_it_was_bled_and_weighed_again(
    terminal: Terminal, bottles: Bottles, ground: Ground
) -> None:
    code = bottles.empty().code
    over = terminal.weigh(terminal.look(terminal.begin(bottles, code)), gross_g="35")
    assert 'class="verdict refused"' in over.text
    assert "过量充装" in over.text
    assert "抽出后重新称" in over.text
    assert fillings(ground) == []
    assert "过量充装" in terminal.get("day").text
    assert terminal.weigh(terminal.ask(code)).status_code == 302
    assert len(fillings(ground)) == 1


def test_a_failed_check_is_recorded_and_said_in_chinese_words(
    terminal: Terminal, bottles: Bottles, ground: Ground
) -> None:
    begun = terminal.begin(bottles, bottles.empty().code)
    answer = terminal.look(begun, **{"before-valve": "fail"})
    assert "不合格，已记录" in answer.text
    assert "充前检查不合格：瓶阀" in answer.text
    assert 'name="gross_g"' not in answer.text
    leak = terminal.look(terminal.begin(bottles, bottles.empty().code))
    assert "检漏" in terminal.weigh(leak, **{"after-leak": "fail"}).text
    assert fillings(ground) == []


def test_a_bottle_that_is_left_is_not_full_and_may_be_begun_again(
    terminal: Terminal, bottles: Bottles, ground: Ground
) -> None:
    code = bottles.empty().code
    left = terminal.post("abortions", hidden(terminal.begin(bottles, code)))
    assert 'class="verdict idle"' in left.text
    assert terminal.fill(bottles, code).status_code == 302
    assert len(fillings(ground)) == 1


def test_a_bottle_that_may_not_be_filled_gets_no_leave_and_no_form(
    terminal: Terminal, bottles: Bottles, ground: Ground
) -> None:
    answer = terminal.begin(bottles, bottles.spoilt(refurbished=True).code)
    assert answer.status_code == 409
    with ground.sessions() as db:
        entry = db.scalars(sa.select(Entry).where(Entry.outcome == Outcome.REFUSED)).one()
    assert entry.refusal_no is not None
    assert entry.refusal_no in answer.text
    assert 'name="token"' not in answer.text
    assert fillings(ground) == []


def test_a_stopped_station_is_red_whatever_is_scanned(terminal: Terminal, bottles: Bottles) -> None:
    stops = f"/api/v1/sites/{bottles.cast.filling_station()}/filling-stops"
    made(bottles.cast.regulator.post(stops, {"reason": "unsafe", "reference": "TC-2024-7"}))
    for page in PAGES:
        assert "责令本站停止充装" in terminal.get(page).text
        assert "TC-2024-7" in terminal.get(page).text
    answer = terminal.ask(bottles.empty().code)
    assert 'class="verdict refused"' in answer.text
    assert 'action="/station/authorisations"' not in answer.text
    assert terminal.begin(bottles, bottles.empty().code).status_code == 409
    assert "可以充装" not in terminal.post("batch/verdicts", {"codes": bottles.empty().code}).text


def test_over_a_scale_that_is_not_in_order_it_is_red_and_another_may_be_chosen(
    terminal: Terminal, bottles: Bottles, cast: Cast
) -> None:
    site = f"/api/v1/sites/{cast.filling_station()}"
    made(cast.clerk.post(f"{site}/scales", cast.scale_body(number="S-2")))
    terminal.begin(bottles, bottles.empty().code)
    scales = cast.clerk.get(f"{site}/filling-means").get_json()["scales"]
    chosen = next(one["id"] for one in scales if one["number"] == "S-1")
    stop = {"reason": "unsafe", "reference": "TC-2024-8", "scale_id": chosen}
    made(cast.regulator.post(f"{site}/filling-stops", stop))
    code = bottles.empty().code
    answer = terminal.ask(code)
    assert 'class="verdict refused"' in answer.text
    assert "filling.scale_stopped" in answer.text
    assert 'action="/station/authorisations"' in answer.text
    assert 'class="verdict checking"' in terminal.begin(bottles, code, scale="S-2").text
    assert 'class="verdict allowed"' in terminal.ask(bottles.empty().code).text


def test_another_batch_is_put_in_use_on_the_page_of_scales_and_gas(
    terminal: Terminal, bottles: Bottles, cast: Cast
) -> None:
    site = f"/api/v1/sites/{cast.filling_station()}"
    new = made(cast.clerk.post(f"{site}/gas-batches", cast.batch_body(number="B-NEW", test=None)))
    page = terminal.get("means").text
    assert "没有检验" in page
    batch = new["batches"][0]["id"]
    assert terminal.post("batches", {"batch_id": batch}, page="means").status_code == 302
    assert re.search(r"B-NEW.*使用中", terminal.get("means").text, re.DOTALL)
    assert "没有加臭和二甲醚的检验结果" in terminal.begin(bottles, bottles.empty().code).text
    for wrong in ("", "x", str(new_id())):
        assert terminal.post("batches", {"batch_id": wrong}, page="means").status_code == 404


@pytest.mark.parametrize(
    ("step", "field", "value"),
    [
        ("begin", "scale", ""),
        ("begin", "scale", "x" * 65),
        ("begin", "filler_id", "nobody"),
        ("begin", "filler_id", "0190163d-8694-739b-aea5-966c26f8ad91"),
        ("look", "tare_weighed_g", ""),
        ("look", "tare_weighed_g", "sixteen"),
        ("look", "tare_weighed_g", "-16.5"),
        ("look", "residue_g", "1_0"),
        ("look", "before-valve", ""),
        ("look", "token", "0"),
        ("weigh", "gross_g", "31.3001"),
        ("weigh", "gross_g", "1e3"),
        ("weigh", "gross_g", "99999"),
        ("weigh", "seal_no", "封口 1"),
        ("weigh", "after-leak", "perhaps"),
    ],
)
def test_a_wrong_field_is_said_and_nothing_is_recorded(
    terminal: Terminal, bottles: Bottles, ground: Ground, step: str, field: str, value: str
) -> None:
    code = bottles.empty().code
    if step == "begin":
        answer = terminal.begin(bottles, code, **{field: value})
    elif step == "look":
        answer = terminal.look(terminal.begin(bottles, code), **{field: value})
    else:
        answer = terminal.weigh(terminal.look(terminal.begin(bottles, code)), **{field: value})
    assert answer.status_code == 422
    assert "有几处要改" in answer.text
    assert fillings(ground) == []
    with ground.sessions() as db:
        assert db.scalars(sa.select(FillingWeighing)).all() == []


def test_a_step_of_another_stations_filling_is_not_there(
    app: Flask, ground: Ground, cast: Cast, bottles: Bottles, terminal: Terminal
) -> None:
    begun = terminal.begin(bottles, bottles.empty().code)
    elsewhere = Terminal(app, ground, Cast(cast.desk).filler.principal_id)
    assert elsewhere.look(begun).status_code == 404
    for wrong in ("x", str(new_id())):
        form = hidden(begun) | {"authorisation_id": wrong}
        assert terminal.post("abortions", form).status_code == 404


def test_another_sites_filling_is_not_shown(
    app: Flask, ground: Ground, cast: Cast, bottles: Bottles, terminal: Terminal
) -> None:
    location = terminal.fill(bottles, bottles.empty().code).location
    elsewhere = cast.desk.sign_in(Role.FILLER, cast.district, site=cast.supply_point())
    assert Terminal(app, ground, elsewhere.principal_id).client.get(location).status_code == 404
    for made_up in ("x.y", f"{new_id()}.{new_id()}", f"{new_id()}"):
        assert terminal.client.get(f"/station/?filled={made_up}").status_code == 404


def test_an_empty_comes_in_and_the_stock_shows_it(
    terminal: Terminal, bottles: Bottles, cast: Cast, ground: Ground
) -> None:
    bottle = bottles.full()
    said = terminal.post("receipts", {"code": bottle.code}, headers=JSON).get_json()
    assert said["state"] == "received"
    with ground.sessions() as db:
        fact = db.scalars(
            sa.select(CustodyFact).where(CustodyFact.cylinder_id == bottle.id).order_by(CustodyFact.id.desc())
        ).first()
    assert fact is not None
    assert fact.to_id == cast.filling_station()
    bottles.empty()
    assert re.search(r"● 1.*○ 1", terminal.get("stock").text, re.DOTALL)


def test_a_foreign_bottle_is_not_received(terminal: Terminal, bottles: Bottles, cast: Cast) -> None:
    foreign = bottles.spoilt(owner_firm_id=str(cast.another_firm()))
    answer = terminal.post("receipts", {"code": foreign.code})
    assert answer.status_code == 409
    assert "不收这只瓶" in answer.text
    assert "拒绝编号" in answer.text


def batch_of(bottles: Bottles, *filled: Bottle) -> dict[str, Any]:
    form: dict[str, Any] = {
        "row": [bottle.code for bottle in filled],
        "filler_id": str(bottles.filler_id),
        "scale": "S-1",
    }
    for number in range(len(filled)):
        form |= {
            f"tare_weighed_g-{number}": "16.5",
            f"residue_g-{number}": "0",
            f"gross_g-{number}": "31.3",
            f"seal_no-{number}": f"F-{number}",
            f"before-{number}": "yes",
            f"after-{number}": "yes",
        }
    return form


def test_a_batch_shows_the_forbidden_first_and_sums_them(terminal: Terminal, bottles: Bottles) -> None:
    good, bad = [bottles.empty() for _ in range(2)], bottles.spoilt(refurbished=True)
    lines = "\r\n".join([good[0].code, bad.code, "", good[1].code.lower(), good[0].code])
    answer = terminal.post("batch/verdicts", {"codes": lines}, page="batch").text
    assert "2 可充" in answer
    assert "1 禁止" in answer
    assert answer.index("禁止充装") < answer.index("可以充装")
    assert "确认充装 2 瓶" in answer


def test_a_batch_is_asked_for_again_over_another_scale(
    terminal: Terminal, bottles: Bottles, cast: Cast
) -> None:
    """A scale that may not be used turns all red; another is chosen there, and kept for the shift."""
    scales = f"/api/v1/sites/{cast.filling_station()}/scales"
    made(cast.clerk.post(scales, {"number": "S-NEW"}))
    codes = "\n".join(bottles.empty().code for _ in range(2))
    red = terminal.post("batch/verdicts", {"codes": codes, "scale": "S-NEW"}, page="batch").text
    assert ("2 禁止" in red, "换一台秤再查" in red, "确认充装" in red) == (True, True, False)
    sent = re.findall(r'name="codes" value="([^"]+)"', red)[0]
    green = terminal.post("batch/verdicts", {"codes": sent, "scale": "S-1"}, page="batch").text
    assert ("2 可充" in green, "确认充装 2 瓶" in green) == (True, True)
    assert "2 可充" in terminal.post("batch/verdicts", {"codes": sent}, page="batch").text


def test_a_batch_fills_each_weighed_bottle_as_a_deed_of_its_own(
    terminal: Terminal, bottles: Bottles, ground: Ground
) -> None:
    """The second is overfilled, the third was not weighed, the fourth's checks were not ticked."""
    four = [bottles.empty() for _ in range(4)]
    form = batch_of(bottles, *four) | {"gross_g-1": "36", "before-3": ""}
    form |= {f"{name}-2": "" for name in ("tare_weighed_g", "residue_g", "gross_g", "seal_no")}
    answer = terminal.post("batch/fillings", form, page="batch", key="the-batch-key")
    assert answer.status_code == 200
    assert [one.cylinder_id for one in fillings(ground)] == [four[0].id]
    assert "1 已充" in answer.text
    assert "过量充装" in answer.text
    with ground.sessions() as db:
        outcomes = list(db.scalars(sa.select(Entry.outcome).where(Entry.verb == "cylinder.fill")))
    assert outcomes == [Outcome.DONE, Outcome.DONE]
    # sent again, it fills nothing twice
    terminal.post("batch/fillings", form, page="batch", key="the-batch-key")
    assert len(fillings(ground)) == 1


def test_a_batch_of_too_many_or_of_none_is_grey(terminal: Terminal) -> None:
    many = "\n".join(f"BOTTLE-{number}" for number in range(61))
    for lines in (many, "", "\n \n", "x" * 513):
        answer = terminal.post("batch/verdicts", {"codes": lines}, page="batch")
        assert answer.status_code == 422, lines[:20]
        assert "不要充装" in answer.text


def test_the_day_lists_what_was_filled_and_what_was_refused(terminal: Terminal, bottles: Bottles) -> None:
    assert "今天还没有充装" in terminal.get("day").text
    terminal.fill(bottles, bottles.empty().code)
    terminal.begin(bottles, bottles.spoilt(refurbished=True).code)
    terminal.post("receipts", {"code": bottles.full().code})
    page = terminal.get("day").text
    assert "14.6 kg" in page
    assert re.search(r"[0-9]{8}-[0-9A-Z]{6}", page)
    assert page.count("<tr>") == 4  # two heads, one filling, one refusal

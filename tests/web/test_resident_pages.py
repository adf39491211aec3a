"""The resident's pages by HTTP: the whole way from booking to the last word, and what is not theirs."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from core import clock, outbox, sessions
from core.ground import Ground
from core.sessions import SignedInBy
from dispatch.deliveries.models import Confirmation, Delivery
from dispatch.orders.models import Order, OrderLine, Slot
from dispatch.safety.models import Hazard, NoticeReceipt
from evidence.models import Entry
from oversight.models import Tip
from registry.models import Account, Card
from registry.states import AccountState, CardState
from tests.cast import made
from tests.conftest import THE_DAY
from tests.desk import Desk
from tests.dispatch.rounds.working_day import Home, WorkingDay, a_check_that_finds

CHANGNING = 310105


@pytest.fixture
def day(desk: Desk) -> WorkingDay:
    return WorkingDay(desk)


@dataclass
class Reader:
    """A resident in a browser."""

    app: Flask
    ground: Ground
    cookie: str

    def get(self, path: str) -> TestResponse:
        return self._client().get(path)

    def post(self, path: str, page: str = "/resident/", **form: Any) -> TestResponse:
        """As the form of ``page`` sends it: with its token, and a new key unless one is given."""
        client = self._client()
        token = re.findall(r'name="csrf_token" value="([^"]+)"', client.get(page).text)[0]
        data = {"csrf_token": token, "form_key": form.pop("form_key", uuid4().hex), **form}
        return client.post(path, data=data)

    def _client(self) -> Any:
        client = self.app.test_client()
        client.set_cookie("lpg", self.cookie)
        return client


def reader(day: WorkingDay, home: Home) -> Reader:
    app, ground = day.desk.app, day.desk.ground
    secret = sessions.open_session(ground, day.resident(home).principal_id, SignedInBy.PHONE_CODE)
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    return Reader(app, ground, str(signer.dumps({"secret": secret})))


def rows(ground: Ground, model: Any) -> list[Any]:
    with ground.sessions() as db:
        return list(db.scalars(sa.select(model)))


def booking(home: Home, slot: str, **changed: str) -> dict[str, str]:
    return {"household": str(home.users.household_id), "slot": slot, "purpose": "cooking"} | changed


def test_nothing_booked_yet_says_so_and_offers_to_book(day: WorkingDay) -> None:
    me = reader(day, day.home())
    page = me.get("/resident/").text
    assert "您还没有预约" in page
    assert "自2023年8月1日起不办新开户和过户" in page, "said before anything"
    assert page.index("不办新开户") < page.index("预约换气")
    assert page.count('class="button primary"') == 1
    assert "样例住户" not in page, "the name is masked"


def test_a_resident_books_looks_again_and_sends_it_twice(day: WorkingDay, ground: Ground) -> None:
    home = day.home()
    me, slot = reader(day, home), day.slot()
    page = me.get("/resident/book").text
    assert "10:00–12:00" in page
    assert "可约" in page
    household = str(home.users.household_id)
    check = me.get(f"/resident/book/check?household={household}&slot={slot}&purpose=cooking").text
    assert "核对一下" in check
    assert "做饭" in check
    assert rows(ground, Order) == []
    form = booking(home, slot, form_key="the-same-form-1")
    first, second = me.post("/resident/book", **form), me.post("/resident/book", **form)
    [order] = rows(ground, Order)
    assert first.status_code == second.status_code == 302
    assert first.location == second.location == f"/resident/orders/{order.id}?booked=1"
    page = me.get(first.location).text
    assert "约好了" in page
    assert order.id.hex[-8:].upper() in page
    assert order.channel.value == "web"


def test_what_was_left_out_is_said_at_the_fields_and_the_rest_is_kept(
    day: WorkingDay, ground: Ground
) -> None:
    home = day.home()
    me, slot = reader(day, home), day.slot()
    household = str(home.users.household_id)
    page = me.get(f"/resident/book/check?household={household}&slot={slot}")
    assert page.status_code == 422
    assert "请选一个用途" in page.text
    assert re.search(rf'value="{slot}" checked', page.text)
    page = me.get(f"/resident/book/check?household={household}&purpose=cooking")
    assert "请选一个时段" in page.text
    assert re.search(r'value="cooking" checked', page.text)
    assert rows(ground, Order) == []


@pytest.mark.parametrize(
    "wrong", [{"slot": "x"}, {"slot": str(UUID(int=3))}, {"purpose": "' OR 1=1"}, {"card": "y"}]
)
def test_bad_input_books_nothing_and_is_no_error_of_ours(
    day: WorkingDay, ground: Ground, wrong: dict[str, str]
) -> None:
    home = day.home()
    me, form = reader(day, home), booking(home, day.slot()) | wrong
    checked = me.get("/resident/book/check?" + "&".join(f"{name}={text}" for name, text in form.items()))
    assert checked.status_code in (409, 422)
    assert me.post("/resident/book", **form).status_code == 422
    assert rows(ground, Order) == []


def test_a_slot_lost_meanwhile_is_chosen_anew_on_the_same_page(day: WorkingDay, ground: Ground) -> None:
    home = day.home()
    me, slot = reader(day, home), day.slot()
    with ground.sessions() as db:
        row = db.get_one(Slot, (CHANGNING, UUID(slot)))
        row.taken = row.capacity
        db.commit()
    page = me.post("/resident/book", **booking(home, slot))
    assert page.status_code == 409
    assert "这个时段刚被约满" in page.text
    assert re.search(r'value="cooking" checked', page.text), "the purpose is kept"
    assert re.search(rf'value="{slot}" disabled', page.text)
    assert rows(ground, Order) == []


def test_every_reason_is_said_with_what_to_do_first(day: WorkingDay, ground: Ground) -> None:
    home = day.home(lift=True, height_m=40)
    me, slot = reader(day, home), day.slot()
    with ground.sessions() as db:
        db.get_one(Card, (CHANGNING, home.users.card_ids[0])).state = CardState.LOST
        db.get_one(Account, (CHANGNING, home.users.account_id)).state = AccountState.SUSPENDED
        db.commit()
    page = me.post("/resident/book", **booking(home, slot))
    assert page.status_code == 409
    said = page.text
    assert "这次不能为您换气" in said
    assert said.index("您可以这样做") < said.index("为什么")
    [entry] = [one for one in rows(ground, Entry) if one.verb == "order.book"]
    assert entry.refusal_no in said
    for code in ("A01", "A04"):
        assert f"· {code}" in said
    assert said.count('class="button primary"') == 1
    assert rows(ground, Order) == []


def test_another_persons_home_order_and_hazard_are_not_there(day: WorkingDay, ground: Ground) -> None:
    mine, theirs = day.home(), day.home()
    me, slot = reader(day, mine), day.slot()
    booked = day.order(theirs)
    assert me.post("/resident/book", **booking(theirs, slot)).status_code == 404
    assert me.get(f"/resident/book?household={theirs.users.household_id}").status_code == 404
    for page in ("", "/cancel", "/problem"):
        assert me.get(f"/resident/orders/{booked.order_id}{page}").status_code == 404, page
    for act in ("cancel", "confirm", "problem"):
        answer = me.post(f"/resident/orders/{booked.order_id}/{act}", problem="not_checked")
        assert answer.status_code == 404, act
    assert me.post(f"/resident/hazards/{uuid4()}/mended").status_code == 404
    assert "没有预约过" in me.get("/resident/orders").text
    [line] = rows(ground, OrderLine)
    assert line.state.value == "booked"
    assert rows(ground, Confirmation) == []


def test_the_card_of_another_home_books_nothing(day: WorkingDay, ground: Ground) -> None:
    mine, theirs = day.home(), day.home()
    me, form = reader(day, mine), booking(mine, day.slot())
    answer = me.post("/resident/book", **form, card=str(theirs.users.card_ids[0]))
    assert answer.status_code == 422
    assert rows(ground, Order) == []


def test_the_delivery_is_followed_from_the_plan_to_the_door(day: WorkingDay) -> None:
    first, mine = day.home(), day.home()
    me = reader(day, mine)
    booked, other = day.order(mine), day.order(first)
    path = f"/resident/orders/{booked.order_id}"
    assert "At your door about" not in me.get(path).text
    round_id = day.planned_round()
    page = me.get(path).text
    assert "At your door about" in page, "as planned"
    assert "来的是谁" not in page, "nobody comes yet"
    made(day.start(round_id))
    for one in (other, booked):
        made(day.load(round_id, one.line_ids[0], day.bottle().code))
    page = me.get(path).text
    assert "来的是谁" in page
    assert day.plate in page
    assert "前面还有 1 户" in page or "下一户就是您家" in page
    assert "送气工样例" not in page, "the courier's name is masked"
    assert "签收码" not in page
    made(day.arrive(booked))
    code = day.door_code(booked)
    page = me.get(path).text
    assert f"{code[:3]} {code[3:]}" in page
    assert "先看瓶号对" in page
    assert 'http-equiv="refresh"' in page
    with clock.standing_at(THE_DAY + timedelta(minutes=10)):
        assert f"{code[:3]} {code[3:]}" not in me.get(path).text, "the code lives ten minutes"


def test_what_was_delivered_is_shown_and_confirmed_once(day: WorkingDay, ground: Ground) -> None:
    mine = day.home()
    me = reader(day, mine)
    booked, bottle, _ = day.loaded(mine)
    path = f"/resident/orders/{booked.order_id}"
    early = me.post(f"{path}/confirm")
    assert early.status_code == 409
    assert "还不能确认" in early.text
    assert rows(ground, Confirmation) == []
    made(day.deliver(booked, day.report(booked, bottle)))
    page = me.get(path).text
    assert "来的是谁" not in page, "after the handover the courier is nobody's to follow"
    shown = "\u202f".join(bottle.code[at : at + 4] for at in range(0, len(bottle.code), 4))
    assert shown in page
    assert "没有发现问题" in page
    assert "接好，不漏" in page
    assert "请确认" in me.get("/resident/").text
    assert me.post(f"{path}/confirm").status_code == me.post(f"{path}/confirm").status_code == 302
    [word] = rows(ground, Confirmation)
    assert (word.said.value, word.problem) == ("received", None)
    assert "您已在" in me.get(path).text
    assert "请确认" not in me.get("/resident/").text
    assert shown in me.get("/resident/").text, "the card now holds what was brought"


def test_a_problem_reaches_the_regulator_as_a_tip(day: WorkingDay, ground: Ground) -> None:
    mine = day.home()
    me = reader(day, mine)
    booked, bottle, _ = day.loaded(mine)
    made(day.deliver(booked, day.report(booked, bottle)))
    path = f"/resident/orders/{booked.order_id}"
    for wrong in ({}, {"problem": "free text"}):
        assert me.post(f"{path}/problem", **wrong).status_code == 422
    assert me.post(f"{path}/problem", problem="asked_for_money").status_code == 302
    assert "另外收钱" in me.get(path).text
    outbox.deliver_due(ground, CHANGNING)
    [tip] = rows(ground, Tip)
    assert (tip.kind, tip.facts["order_id"]) == ("order.problem_reported", booked.order_id)
    assert tip.facts["problem"] == "asked_for_money"


def test_gas_withheld_shows_the_hazard_and_mending_is_claimed_by_the_resident(
    day: WorkingDay, ground: Ground
) -> None:
    mine = day.home()
    me = reader(day, mine)
    booked, bottle, _ = day.loaded(mine)
    report = day.report(booked, bottle, check=a_check_that_finds("hose_unaged", grade="serious"))
    made(day.deliver(booked, report))
    [delivery] = rows(ground, Delivery)
    assert delivery.outcome.value == "withheld"
    page = me.get(f"/resident/orders/{booked.order_id}").text
    assert "没有供气" in page
    assert "软管无老化破损" in page
    assert "停止供气" in me.get("/resident/").text
    refused = me.post("/resident/book", **booking(mine, day.slot(14)))
    assert "这次不能为您换气" in refused.text
    assert 'href="/resident/hazards"' in refused.text
    [hazard] = rows(ground, Hazard)
    page = me.get("/resident/hazards").text
    notice = re.findall(r'href="(/resident/notices/[^"]+)"', page)[0]
    assert "要求改好" in page
    text = me.get(notice).text
    assert "整改通知书" in text
    assert "停止供应瓶装液化石油气" in text
    before = len(rows(ground, NoticeReceipt))
    assert me.post(f"{notice}/seen").status_code == 302
    assert len(rows(ground, NoticeReceipt)) == before + 1
    assert "说看过了" in me.get(notice).text
    stranger = reader(day, day.home())
    assert stranger.get(notice).status_code == 404
    assert stranger.post(f"{notice}/seen").status_code == 404
    assert me.post(f"/resident/hazards/{hazard.id}/mended").status_code == 302
    assert "等复查" in me.get("/resident/hazards").text
    again = me.post(f"/resident/hazards/{hazard.id}/mended")
    assert again.status_code == 409
    still = me.post("/resident/book", **booking(mine, day.slot(16)))
    assert still.status_code == 409, "a claim lifts nothing"


def test_a_booking_is_cancelled_and_what_is_on_the_road_is_not(day: WorkingDay, ground: Ground) -> None:
    mine = day.home()
    me = reader(day, mine)
    booked = day.order(mine)
    path = f"/resident/orders/{booked.order_id}"
    assert "取消这次预约" in me.get(path).text
    assert me.post(f"{path}/cancel").status_code == 302
    assert "已取消" in me.get(path).text
    [line] = rows(ground, OrderLine)
    assert line.state.value == "cancelled"
    on_road, _, _ = day.loaded(mine)
    path = f"/resident/orders/{on_road.order_id}"
    assert "取消这次预约" not in me.get(path).text
    refused = me.post(f"{path}/cancel")
    assert refused.status_code == 409
    assert "现在不能取消" in refused.text


def test_old_orders_are_paged_and_a_foreign_mark_is_nothing(day: WorkingDay) -> None:
    mine = day.home()
    me = reader(day, mine)
    for _ in range(21):
        booked = day.order(mine)
        made(day.cast.clerk.post(day.at(f"orders/{booked.order_id}/cancellations")))
    page = me.get("/resident/orders").text
    assert page.count("/resident/orders/") == 20
    older = re.findall(r'href="(/resident/orders\?before=[^"]+)"', page)[0]
    assert me.get(older).text.count("/resident/orders/") == 1
    assert me.get("/resident/orders?before=rubbish").status_code == 200


def test_the_same_reads_are_behind_the_api(day: WorkingDay) -> None:
    mine = day.home()
    booked, bottle, _ = day.loaded(mine)
    person = day.resident(mine)
    [home] = person.get(day.at("homes")).get_json()["items"]
    assert home["file"]["household_id"] == str(mine.users.household_id)
    assert home["bottles"][0]["code"] == mine.empties[0]
    slots = person.get(day.at(f"households/{mine.users.household_id}/slots")).get_json()["items"]
    assert [one["id"] for one in slots] == [day.slot()]
    progress = person.get(day.at(f"orders/{booked.order_id}/progress")).get_json()
    assert (progress["step"], progress["courier"]["plate"]) == ("under_way", day.plate)
    made(day.deliver(booked, day.report(booked, bottle)))
    [visit] = person.get(day.at(f"orders/{booked.order_id}/deliveries")).get_json()["items"]
    assert (visit["outcome"], visit["code"], visit["failed"]) == ("delivered", bottle.code, [])
    word = made(person.post(day.at(f"orders/{booked.order_id}/confirmations"), {"said": "received"}))
    assert word["said"] == "received"
    for wrong in ({"said": "received", "problem": "not_checked"}, {"said": "problem"}):
        assert person.post(day.at(f"orders/{booked.order_id}/confirmations"), wrong).status_code == 422
    stranger = day.resident(day.home())
    for path in ("progress", "deliveries"):
        assert stranger.get(day.at(f"orders/{booked.order_id}/{path}")).status_code == 404
    assert stranger.get(day.at(f"households/{mine.users.household_id}/slots")).status_code == 404
    word = stranger.post(day.at(f"orders/{booked.order_id}/confirmations"), {"said": "received"})
    assert word.status_code == 404


def test_a_restaurant_says_which_bottles_and_an_owner_of_two_places_which_one(
    day: WorkingDay, ground: Ground
) -> None:
    place = day.restaurant()
    me, slot = reader(day, place), day.slot()
    page = me.get("/resident/book").text
    assert page.count('type="checkbox" name="card"') == 2
    assert "餐饮经营" in page
    none = me.post("/resident/book", **booking(place, slot, purpose="catering"))
    assert none.status_code == 422
    assert "至少选一张卡" in none.text
    one = me.post(
        "/resident/book", **booking(place, slot, purpose="catering"), card=str(place.users.card_ids[0])
    )
    assert one.status_code == 302
    [line] = rows(ground, OrderLine)
    assert line.card_id == place.users.card_ids[0]
    with ground.sessions() as db:
        another = day.home()
        owner = db.get_one(Account, (CHANGNING, place.users.account_id)).person_id
        db.get_one(Account, (CHANGNING, another.users.account_id)).person_id = owner
        db.commit()
    which = me.get("/resident/book").text
    assert which.count('name="household"') == 2
    assert me.get(f"/resident/book?household={another.users.household_id}").status_code == 200
    assert me.get("/resident/book?household=rubbish").status_code == 404


def test_nobody_was_home_and_it_can_be_booked_again(day: WorkingDay) -> None:
    mine = day.home()
    me = reader(day, mine)
    booked, _, _ = day.loaded(mine)
    body = {"line_id": booked.line_ids[0], "reason": "nobody_home"}
    made(day.courier.post(day.at(f"orders/{booked.order_id}/failures"), body))
    page = me.get(f"/resident/orders/{booked.order_id}").text
    assert "家中没有人" in page
    assert "再约一次" in page
    assert "没有送成" in me.get("/resident/orders").text


def test_a_closed_account_and_no_account_are_said(day: WorkingDay, ground: Ground) -> None:
    mine = day.home()
    me = reader(day, mine)
    with ground.sessions() as db:
        db.get_one(Account, (CHANGNING, mine.users.account_id)).state = AccountState.SUSPENDED
        db.commit()
    assert "暂停供气" in me.get("/resident/").text
    with ground.sessions() as db:
        db.get_one(Account, (CHANGNING, mine.users.account_id)).person_id = uuid4()
        db.commit()
    assert "没有用气户" in me.get("/resident/").text
    assert me.get("/resident/book").status_code == 404

"""The courier's face in a real browser: a round to its end on a phone, and what can go wrong at a door."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from core.sessions import SignedInBy
from dispatch.deliveries.models import Delivery, VisitOutcome
from dispatch.orders.models import OrderLine
from dispatch.orders.states import LineState
from dispatch.rounds.models import ManifestReveal, Round
from dispatch.safety.models import Hazard, SafetyCheck
from tests.browser.conftest import Browse, House
from tests.dispatch.rounds.working_day import Booked, Bottle, WorkingDay

BAR = "how => document.querySelectorAll('.bar').forEach(bar => bar.style.position = how)"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


@dataclass
class Trip:
    """A planned round of some doors, the courier signed in on a phone."""

    house: House
    browse: Browse
    day: WorkingDay
    page: Page
    booked: list[Booked]
    bottles: list[Bottle]
    round_id: str

    def go(self, path: str) -> None:
        self.page.goto(self.house.at(path))

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()

    def send(self, name: str) -> None:
        """The answer has come: what is typed next is typed into it."""
        with self.page.expect_navigation():
            self.press(name)

    def follow(self, name: str) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=name).first.click()

    def look(self, name: str) -> None:
        """axe, reflow, targets of 60 px, contrast of 7:1; and a picture to look at."""
        # what has been scrolled half under the bar is no small target: it is measured with the bar unstuck
        self.page.evaluate(BAR, "static")
        self.browse.is_accessible(self.page, strong_contrast=True)
        self.page.evaluate(BAR, "")
        has_large_targets(self.page)
        has_one_main_button(self.page)
        self.browse.shot(self.page, f"courier-{name}")
        self.browse.reflows(self.page)

    def set_out(self) -> None:
        self.go(f"/courier/rounds/{self.round_id}")
        self.page.fill("#plate", self.day.plate)
        self.press("核对，出车")
        self.page.wait_for_url("**/loads")

    def load(self, bottle: Bottle) -> None:
        self.page.fill("#code", bottle.code)
        self.send("装这一瓶")

    def on_the_road(self) -> None:
        """Everything loaded, the door numbers opened."""
        self.set_out()
        for bottle in self.bottles:
            self.load(bottle)
        self.press("装好了，出发")
        expect(self.page.locator("#next")).to_be_visible()

    def first(self) -> Booked:
        """The order of the next door."""
        [booked] = [one for one in self.booked if f"/orders/{one.order_id}" in self._next_link()]
        return booked

    def _next_link(self) -> str:
        return str(self.page.get_by_role("link", name="去下一户").get_attribute("href"))

    def show_card(self, booked: Booked) -> None:
        self.page.fill("#card", self.day.credential(booked.home.users.card_ids[0]))
        self.press("卡对，去安检")
        self.page.wait_for_url("**/check")

    def pass_check(self) -> None:
        self.press("全部合格")
        self.page.fill('[id="hose_length.measured"]', "1500")
        self.page.fill('[id="burner_distance.measured"]', "800")
        self.press("查完了")

    def swap(self, booked: Booked) -> None:
        expected = self.page.locator("#full-hint").inner_text().split("是")[1].split("expected")[0]
        self.page.fill("#full", expected.replace("\u202f", "").strip())
        self.page.fill("#empty", booked.home.empties[0])
        self.page.get_by_text("不漏").click()
        self.press("下一步：签收")
        self.page.wait_for_url("**/receipt")

    def row(self, model: Any, **columns: Any) -> Any:
        with self.house.ground.sessions() as db:
            return db.scalars(sa.select(model).filter_by(**columns)).one()

    def line(self, booked: Booked) -> OrderLine:
        found: OrderLine = self.row(OrderLine, id=booked.line_ids[0])
        return found


Begin = Callable[[int], Trip]


@pytest.fixture
def begin(house: House, browse: Browse) -> Begin:
    def begun(doors: int, **options: Any) -> Trip:
        day = WorkingDay(house.desk)
        booked = [day.order() for _ in range(doors)]
        round_id = day.planned_round()
        bottles = [day.bottle() for _ in range(doors)]
        cookie = house.cookie_of(day.courier.principal_id, SignedInBy.PASSWORD_AND_CODE)
        return Trip(house, browse, day, browse.page(cookie, **PHONE | options), booked, bottles, round_id)

    return begun


def has_large_targets(page: Page) -> None:
    """Everything in the page's own part that is pressed is 60 px high."""
    small = page.evaluate(
        "() => [...document.querySelectorAll('main button, main a.button, main .choice, main summary, "
        "main input:not([type=hidden]):not([type=radio]):not([type=checkbox]), main select, .rows a')]"
        ".filter(e => e.getClientRects().length && e.getBoundingClientRect().height < 60)"
        ".map(e => e.outerHTML.slice(0, 120))"
    )
    assert small == []


def has_one_main_button(page: Page) -> None:
    main = page.locator("main .primary:visible, main .danger:visible")
    expect(main).to_have_count(1)


def test_a_round_is_driven_to_its_end(begin: Begin) -> None:
    trip = begin(2)
    page = trip.page
    trip.go("/courier/")
    trip.look("today")
    trip.follow("开始这一趟")
    trip.look("start")
    trip.set_out()
    trip.look("load")
    for bottle in trip.bottles:
        trip.load(bottle)
    expect(page.locator(".counter")).to_contain_text("2/2")
    trip.look("loaded")
    trip.send("装好了，出发")
    assert trip.row(ManifestReveal, round_id=trip.round_id).revealed_by == trip.day.courier.principal_id
    trip.look("road")
    expect(page.get_by_role("link", name="导航")).to_have_attribute("href", "geo:31.215,121.41")

    for number in range(2):
        booked = trip.first()
        trip.follow("去下一户")
        if number == 0:
            trip.look("door")
        trip.press("我到门口了")
        page.wait_for_url("**/who")
        if number == 0:
            trip.look("who")
        trip.show_card(booked)
        trip.press("全部合格")
        if number == 0:
            trip.look("check")
        trip.pass_check()
        page.wait_for_url("**/bottles")
        if number == 0:
            trip.look("bottles")
        trip.swap(booked)
        page.fill("#code", trip.day.door_code(booked))
        if number == 0:
            trip.look("receipt")
        trip.press("签收，完成")
        expect(page.get_by_role("status").first).to_contain_text("送到了")
        assert trip.line(booked).state is LineState.DELIVERED
        if number == 0:
            trip.look("delivered")
        trip.follow("下一户")

    trip.look("all-done")
    trip.follow("回站还瓶")
    trip.look("returns")
    for booked in trip.booked:
        page.fill("#code", booked.home.empties[0])
        trip.send("还这一只")
    trip.look("returned")
    trip.press("收车")
    expect(page.locator("h1")).to_contain_text("收车了")
    trip.look("finished")
    assert trip.row(Round, id=trip.round_id).state.value == "finished"


# --- what can go wrong ------------------------------------------------------------------------------------


def test_another_vehicle_is_a_red_stop(begin: Begin) -> None:
    trip = begin(1)
    trip.go(f"/courier/rounds/{trip.round_id}")
    trip.page.fill("#plate", "沪样99999")
    trip.press("核对，出车")
    alert = trip.page.get_by_role("alert")
    expect(alert).to_contain_text("停！现在不能出车")
    expect(alert).to_contain_text("车牌不对")
    expect(alert).to_be_focused()
    trip.look("wrong-vehicle")
    assert trip.row(Round, id=trip.round_id).state.value == "planned"


def test_a_bottle_that_may_not_be_loaded_is_red_with_all_its_reasons(begin: Begin) -> None:
    trip = begin(1)
    trip.set_out()
    overdue = trip.day.bottle(inspected_on=datetime(2015, 1, 1, tzinfo=UTC).date(), full=False)
    trip.load(overdue)
    alert = trip.page.get_by_role("alert")
    expect(alert).to_contain_text("这只不能装")
    expect(alert).not_to_contain_text("refill.")
    assert alert.locator(".reason").count() >= 2
    expect(trip.page.locator("#code")).to_have_value(overdue.code)
    trip.look("load-refused")
    assert trip.line(trip.booked[0]).state is LineState.BOOKED


def test_names_and_phones_stay_masked_until_they_are_opened_on_record(begin: Begin) -> None:
    trip = begin(1)
    trip.set_out()
    trip.load(trip.bottles[0])
    trip.go(f"/courier/rounds/{trip.round_id}")
    expect(trip.page.locator("main")).to_contain_text("***")
    expect(trip.page.get_by_role("link", name="打电话")).to_have_count(0)
    trip.look("masked")
    trip.press("打开门牌和电话")
    expect(trip.page.get_by_role("link", name="打电话")).to_have_attribute("href", re.compile("tel:138"))
    expect(trip.page.locator("main")).not_to_contain_text("***")


def at_the_door(trip: Trip) -> Booked:
    trip.on_the_road()
    booked = trip.first()
    trip.follow("去下一户")
    trip.press("我到门口了")
    trip.page.wait_for_url("**/who")
    return booked


def test_a_wrong_card_goes_no_further(begin: Begin) -> None:
    trip = begin(2)
    booked = at_the_door(trip)
    [other] = [one for one in trip.booked if one is not booked]
    trip.page.fill("#card", trip.day.credential(other.home.users.card_ids[0]))
    trip.press("卡对，去安检")
    expect(trip.page.get_by_role("alert")).to_contain_text("出示的卡不是这一单的卡")
    trip.look("wrong-card")
    trip.show_card(booked)


def test_an_unfinished_check_says_what_is_missing_before_and_after_it_is_sent(begin: Begin) -> None:
    trip = begin(1)
    trip.show_card(at_the_door(trip))
    expect(trip.page.locator("[data-missing]")).to_contain_text("项没查")
    expect(trip.page.get_by_role("button", name="查完了")).to_be_disabled()
    trip.press("全部合格")
    expect(trip.page.locator("[data-missing]")).to_contain_text("还有 2 处没量")
    trip.page.fill('[id="hose_length.measured"]', "9000")
    trip.page.fill('[id="burner_distance.measured"]', "800")
    trip.press("查完了")
    expect(trip.page.get_by_role("alert")).to_contain_text("应为不合格")
    expect(trip.page.locator("#hose_length")).to_have_class(re.compile("wrong"))
    expect(trip.page.locator('[id="burner_distance.measured"]')).to_have_value("800")
    trip.look("check-wrong")


def test_a_finding_that_stops_supply_withholds_the_gas(begin: Begin) -> None:
    trip = begin(1)
    booked = at_the_door(trip)
    trip.show_card(booked)
    trip.press("全部合格")
    trip.page.fill('[id="hose_length.measured"]', "1500")
    trip.page.fill('[id="burner_distance.measured"]', "800")
    item = trip.page.locator("#leak_test")
    item.get_by_text("不合格").click()
    photo: Any = {"name": "leak.jpg", "mimeType": "image/jpeg", "buffer": b"a photograph"}
    trip.page.set_input_files('[id="leak_test.file"]', files=[photo])
    expect(item.get_by_role("status")).to_contain_text("照片指纹已记下")
    trip.press("查完了")
    expect(trip.page.locator("h1")).to_contain_text("不予供气")
    trip.look("withheld-screen")
    assert trip.line(booked).state is LineState.LOADED
    trip.press("停止交接，带回气瓶")
    expect(trip.page.locator("main")).to_contain_text("不予供气，气瓶带回")
    trip.look("withheld")
    assert trip.line(booked).state is LineState.WITHHELD
    delivery = trip.row(Delivery, line_id=booked.line_ids[0])
    assert (delivery.outcome, delivery.proof_kind) == (VisitOutcome.WITHHELD, None)
    hazard = trip.row(Hazard, household_id=booked.home.users.household_id)
    assert (hazard.item, hazard.blocking) == ("leak_test", True)
    # back at the site the bottle is scanned in; the round can be finished
    trip.go(f"/courier/rounds/{trip.round_id}/returns")
    trip.page.fill("#code", trip.bottles[0].code)
    trip.send("还这一只")
    trip.press("收车")
    expect(trip.page.locator(".done")).to_contain_text("不予供气 1")


def test_a_household_that_refuses_the_check_gets_no_gas_and_that_is_on_record(begin: Begin) -> None:
    trip = begin(1)
    booked = at_the_door(trip)
    trip.go(f"/courier/orders/{booked.order_id}/undone")
    trip.look("undone")
    trip.follow("不让安检")
    trip.look("no-check")
    trip.press("停止交接，带回气瓶")
    expect(trip.page.locator("main")).to_contain_text("不予供气，气瓶带回")
    assert trip.line(booked).state is LineState.WITHHELD
    check = trip.row(SafetyCheck, order_id=booked.order_id)
    assert (check.outcome.value, check.user_signed) == ("refused", False)


def test_nobody_home_is_one_touch_and_the_dispatcher_sees_it(begin: Begin) -> None:
    trip = begin(1)
    trip.on_the_road()
    booked = trip.first()
    trip.follow("去下一户")
    trip.follow("没人 · 不让查 · 有隐患")
    trip.press("没人在家")
    expect(trip.page.locator("main")).to_contain_text("没送成：没人在家")
    trip.look("nobody-home")
    line = trip.line(booked)
    assert (line.state, line.failure) == (LineState.FAILED, "nobody_home")
    seen = trip.day.dispatcher.get(trip.day.at(f"orders/{booked.order_id}")).json
    assert seen["state"] == "failed"


def at_the_swap(trip: Trip) -> Booked:
    booked = at_the_door(trip)
    trip.show_card(booked)
    trip.pass_check()
    trip.page.wait_for_url("**/bottles")
    trip.page.get_by_text("不漏").click()
    return booked


@pytest.mark.parametrize(
    ("kind", "said", "way_out"),
    [
        ("foreign", "不是本单位的瓶", "把这只外来瓶留在住户家"),
        ("other_card", "记在别的卡上", "这只记在别人的卡上"),
        ("tag_damaged", "空瓶标签损坏", "看瓶上的钢印"),
        ("missing", "没有交回空瓶", "真丢了"),
    ],
)
def test_an_empty_that_does_not_fit_has_its_own_way_out(
    begin: Begin, kind: str, said: str, way_out: str
) -> None:
    trip = begin(1)
    booked = at_the_swap(trip)
    trip.page.fill("#full", trip.bottles[0].code)
    if kind == "foreign":
        trip.page.fill("#empty", "HTTPS://OTHER.EXAMPLE/CYL/ABC-123456")
    elif kind == "other_card":
        trip.page.fill("#empty", trip.day.home().empties[0])
    else:
        trip.page.get_by_text({"tag_damaged": "码坏了", "missing": "瓶不在"}[kind]).click()
    trip.press("下一步：签收")
    expect(trip.page.get_by_role("alert")).to_contain_text(said)
    expect(trip.page.locator(".ways-out")).to_contain_text(way_out)
    trip.look(f"empty-{kind}")
    assert trip.line(booked).state is LineState.LOADED
    if kind in ("foreign", "other_card"):
        trip.page.fill("#empty", booked.home.empties[0])
        trip.press("下一步：签收")
        trip.page.wait_for_url("**/receipt")


def test_another_lines_full_bottle_is_not_handed_over(begin: Begin) -> None:
    trip = begin(2)
    booked = at_the_swap(trip)
    expected = trip.page.locator("#full-hint").inner_text().replace("\u202f", "")
    [other] = [one for one in trip.bottles if one.code not in expected]
    trip.page.fill("#full", other.code)
    trip.page.fill("#empty", booked.home.empties[0])
    trip.press("下一步：签收")
    expect(trip.page.get_by_role("alert")).to_contain_text("这不是为这一单装的瓶")
    trip.look("other-bottle")


def test_a_wrong_code_says_how_many_tries_are_left_and_the_right_one_ends_it(begin: Begin) -> None:
    trip = begin(1)
    booked = at_the_swap(trip)
    trip.page.fill("#full", trip.bottles[0].code)
    trip.page.fill("#empty", booked.home.empties[0])
    trip.press("下一步：签收")
    main = trip.page.get_by_role("button", name="签收，完成")
    expect(main).to_be_disabled()
    expect(trip.page.locator("[data-missing]")).to_contain_text("还差六位签收码")
    code = trip.day.door_code(booked)
    trip.page.fill("#code", f"{(int(code) + 1) % 1_000_000:06}")
    main.click()
    expect(trip.page.get_by_role("alert")).to_contain_text("还可以试 4 次")
    trip.look("wrong-code")
    trip.page.fill("#code", code)
    main.click()
    expect(trip.page.locator("main")).to_contain_text("送到了")
    with trip.house.ground.sessions() as db:
        outcomes = list(db.scalars(sa.select(Delivery.outcome).order_by(Delivery.id)))
        checks = list(db.scalars(sa.select(SafetyCheck)))
    assert outcomes == [VisitOutcome.WRONG_CODE, VisitOutcome.DELIVERED]
    assert len(checks) == 1


def test_a_signature_is_drawn_and_only_its_hash_is_sent(begin: Begin) -> None:
    trip = begin(1)
    booked = at_the_swap(trip)
    page = trip.page
    page.fill("#full", trip.bottles[0].code)
    page.fill("#empty", booked.home.empties[0])
    trip.press("下一步：签收")
    page.get_by_text("住户在屏幕上签名").click()
    expect(page.locator("[data-missing]")).to_contain_text("还差住户签名")
    pad = page.locator("[data-sign]")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 60, steps=5)
    page.mouse.up()
    expect(page.get_by_role("button", name="签收，完成")).to_be_enabled()
    trip.look("signature")
    trip.press("签收，完成")
    expect(page.locator("main")).to_contain_text("送到了")
    delivery = trip.row(Delivery, line_id=booked.line_ids[0])
    assert (delivery.proof_kind.value, len(delivery.proof_sha256)) == ("signature", 64)
    assert trip.row(SafetyCheck, order_id=booked.order_id).user_signed


def test_a_visit_can_be_left_and_taken_up_again_where_it_stood(begin: Begin) -> None:
    trip = begin(2)
    booked = at_the_swap(trip)
    [other] = [one for one in trip.booked if one is not booked]
    trip.go(f"/courier/orders/{other.order_id}")
    trip.go(f"/courier/orders/{booked.order_id}/lines/{booked.line_ids[0]}/receipt")
    trip.page.wait_for_url("**/bottles")
    trip.go(f"/courier/orders/{other.order_id}/lines/{other.line_ids[0]}/receipt")
    trip.page.wait_for_url("**/who")


# --- other hands ------------------------------------------------------------------------------------------


def test_the_whole_visit_works_without_scripts(begin: Begin) -> None:
    trip = begin(1, java_script_enabled=False)
    booked = at_the_door(trip)
    trip.show_card(booked)
    trip.pass_check()
    trip.page.wait_for_url("**/bottles")
    trip.swap(booked)
    expect(trip.page.get_by_text("住户在屏幕上签名")).to_be_hidden()
    trip.page.fill("#code", trip.day.door_code(booked))
    trip.press("签收，完成")
    expect(trip.page.locator("main")).to_contain_text("送到了")


def test_a_round_is_begun_with_the_keyboard_alone(begin: Begin) -> None:
    trip = begin(1)
    keys = trip.page.keyboard
    trip.go(f"/courier/rounds/{trip.round_id}")
    expect(trip.page.locator("#plate")).to_be_focused()
    keys.type(trip.day.plate)
    keys.press("Enter")
    trip.page.wait_for_url("**/loads")
    expect(trip.page.locator("#code")).to_be_focused()
    keys.type(trip.bottles[0].code)
    keys.press("Enter")
    expect(trip.page.locator(".counter")).to_contain_text("1/1")
    trip.page.get_by_role("button", name="装好了，出发").focus()
    keys.press("Enter")
    expect(trip.page.locator("#next")).to_be_visible()
    trip.page.get_by_role("link", name="去下一户").focus()
    keys.press("Enter")
    trip.page.wait_for_url("**/courier/orders/*")
    trip.page.get_by_role("button", name="我到门口了").focus()
    keys.press("Enter")
    trip.page.wait_for_url("**/who")
    expect(trip.page.locator("#card")).to_be_focused()
    keys.type(trip.day.credential(trip.booked[0].home.users.card_ids[0]))
    keys.press("Enter")
    trip.page.wait_for_url("**/check")


def test_large_type_keeps_the_main_button_in_reach(begin: Begin) -> None:
    trip = begin(1)
    trip.page.context.add_cookies([{"name": "large", "value": "larger", "url": trip.house.address}])
    at_the_door(trip)
    expect(trip.page.locator("html")).to_have_class("larger")
    trip.browse.is_accessible(trip.page)
    trip.browse.shot(trip.page, "courier-who-larger")
    box = trip.page.get_by_role("button", name="卡对，去安检").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 844

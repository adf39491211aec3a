"""The resident's face in a real browser: sign in by telephone, book, be refused, follow, confirm."""

import json
import re
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from core import clock, outbox
from core.sessions import SignedInBy
from dispatch.deliveries.models import Confirmation
from dispatch.orders.models import Order, OrderLine, Slot
from registry import phone_codes
from registry.models import Card
from registry.states import CardState
from tests.browser.conftest import Browse, House
from tests.cast import made
from tests.dispatch.rounds.working_day import Home, WorkingDay, a_check_that_finds

CHANGNING = 310105
PHONE = "13800004321"
ON_A_PHONE = {"viewport": {"width": 390, "height": 844}}


@pytest.fixture
def day(house: House) -> WorkingDay:
    return WorkingDay(house.desk)


def with_phone(day: WorkingDay, name: str = "样例住户") -> Home:
    users = day.cast.household(person=day.cast.registrant(phone=PHONE, name=name), exception=None)
    return day._with_bottles(users, ["YSP35.5"])


def as_resident(house: House, browse: Browse, day: WorkingDay, home: Home, **options: object) -> Page:
    cookie = house.cookie_of(day.resident(home).principal_id, SignedInBy.PHONE_CODE)
    return browse.page(cookie, **(ON_A_PHONE | options))


def code_sent(house: House) -> str:
    for district in outbox.districts_due(house.ground):
        outbox.deliver_due(house.ground, district)
    lines = (house.ground.config.state_dir / "messages.jsonl").read_text().splitlines()
    sent = [one["zh"] for one in map(json.loads, lines) if one["topic"] == phone_codes.TOPIC]
    return re.findall(r"\d{6}", sent[-1])[0]


def looked_at(browse: Browse, page: Page, name: str) -> None:
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, f"resident-{name}")
    page.evaluate("() => document.documentElement.className = 'large'")
    browse.is_accessible(page)
    browse.shot(page, f"resident-{name}-large")
    page.evaluate("() => document.documentElement.className = ''")


def orders(house: House) -> list[Order]:
    with house.ground.sessions() as db:
        return list(db.scalars(sa.select(Order)))


def test_a_new_telephone_is_said_from_home_one_question_a_page(
    house: House, browse: Browse, day: WorkingDay
) -> None:
    person = day.cast.registrant(phone=PHONE)
    users = day.cast.household(person=person)
    with house.ground.sessions() as db:
        card = db.get_one(Card, (CHANGNING, users.card_ids[0])).credential
    page = browse.page(**ON_A_PHONE)
    page.goto(house.at("/sign-in/phone"))
    page.get_by_role("link", name="网上登记").click()
    page.fill("#name", person["name"])
    page.fill("#number", "110105194912310021")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    looked_at(browse, page, "register-wrong")
    page.fill("#number", person["document"]["number"])
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("您的用户卡")
    page.fill("#card", card)
    looked_at(browse, page, "register-card")
    page.keyboard.press("Enter")
    page.fill("#phone", "13800001234")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("核对一遍")
    looked_at(browse, page, "register-check")
    page.get_by_role("button", name="提交").click()
    expect(page.locator("h1")).to_contain_text("已收到")
    looked_at(browse, page, "register-sent")


def test_a_family_signs_in_by_telephone(house: House, browse: Browse, day: WorkingDay) -> None:
    with_phone(day, "样例甲")
    with_phone(day, "例乙")
    page = browse.page(**ON_A_PHONE)
    page.goto(house.at("/resident/"))
    page.wait_for_url("**/sign-in/phone**")
    looked_at(browse, page, "phone")
    page.get_by_role("button", name="发验证码").click()
    assert "/sign-in/phone?" in page.url, "an empty number is not sent"
    page.fill("#phone", "12")
    page.get_by_role("button", name="发验证码").click()
    expect(page.get_by_role("alert")).to_be_focused()
    looked_at(browse, page, "phone-wrong")
    page.fill("#phone", "138 0000 4321")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in/phone/code**")
    expect(page.locator("main")).to_contain_text("138****4321")
    looked_at(browse, page, "code")
    page.fill("#code", "000000" if code_sent(house) != "000000" else "111111")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("验证码不对")
    looked_at(browse, page, "code-wrong")
    page.locator("#code").focus()
    page.keyboard.type(code_sent(house))
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in/phone/who**")
    looked_at(browse, page, "who")
    page.get_by_label("例*", exact=True).check()
    page.get_by_role("button", name="登录").click()
    page.wait_for_url(house.at("/resident/"))
    expect(page.locator("h1")).to_contain_text("我家用气")


def test_a_refill_is_booked_with_the_keyboard_alone(house: House, browse: Browse, day: WorkingDay) -> None:
    home = day.home()
    for hour in (10, 14, 16):
        day.slot(hour)
    full = UUID(day.slot(14))
    with house.ground.sessions() as db:
        row = db.get_one(Slot, (CHANGNING, full))
        row.taken = row.capacity
        few = db.get_one(Slot, (CHANGNING, UUID(day.slot(16))))
        few.taken = few.capacity - 2
        db.commit()
    page = as_resident(house, browse, day, home)
    page.goto(house.at("/resident/"))
    looked_at(browse, page, "home-empty")
    page.get_by_role("link", name="预约换气").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/resident/book")
    expect(page.locator("main")).to_contain_text("已约满")
    expect(page.locator("main")).to_contain_text("剩 2 个")
    looked_at(browse, page, "book")
    page.get_by_role("button", name="下一步").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    looked_at(browse, page, "book-wrong")
    page.locator('input[name="slot"]').first.focus()
    page.keyboard.press("Space")
    page.locator('input[name="purpose"]').first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("核对一下")
    looked_at(browse, page, "check")
    assert orders(house) == []
    page.get_by_role("button", name="确认预约").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**booked=1")
    looked_at(browse, page, "booked")
    [order] = orders(house)
    expect(page.locator(".done")).to_contain_text(order.id.hex[-8:].upper())
    page.goto(house.at("/resident/orders"))
    looked_at(browse, page, "orders")
    page.goto(house.at("/resident/"))
    looked_at(browse, page, "home-booked")
    page.goto(house.at(f"/resident/orders/{order.id}"))
    page.get_by_role("link", name="取消这次预约").click()
    looked_at(browse, page, "cancel")
    page.get_by_role("button", name="取消预约").click()
    page.wait_for_url(f"**/resident/orders/{order.id}")
    expect(page.locator("main")).to_contain_text("已取消")
    with house.ground.sessions() as db:
        assert [line.state.value for line in db.scalars(sa.select(OrderLine))] == ["cancelled"]


def test_a_no_says_what_to_do_before_why(house: House, browse: Browse, day: WorkingDay) -> None:
    home = day.home(height_m=60)
    slot = day.slot()
    page = as_resident(house, browse, day, home)
    page.goto(house.at(f"/resident/book/check?slot={slot}&purpose=cooking"))
    with house.ground.sessions() as db:
        db.get_one(Card, (CHANGNING, home.users.card_ids[0])).state = CardState.LOST
        db.commit()
    page.get_by_role("button", name="确认预约").click()
    heading = page.locator("h1")
    expect(heading).to_contain_text("这次不能为您换气")
    expect(heading).to_be_focused()
    headings = page.locator("h2").all_inner_texts()
    assert "您可以这样做" in headings[0]
    assert "为什么" in headings[1]
    assert page.locator(".button.primary").count() == 1
    looked_at(browse, page, "refused")
    assert orders(house) == []


def test_a_delivery_is_followed_to_the_door_and_confirmed(
    house: House, browse: Browse, day: WorkingDay
) -> None:
    home = day.home()
    booked, bottle, _ = day.loaded(home)
    page = as_resident(house, browse, day, home)
    page.goto(house.at("/resident/"))
    looked_at(browse, page, "home-under-way")
    page.get_by_role("link", name="看送到哪了").click()
    expect(page.locator("#live")).to_contain_text("来的是谁")
    looked_at(browse, page, "under-way")
    page.clock.install()
    page.reload()
    made(day.arrive(booked))
    page.clock.run_for(16_000)
    code = day.door_code(booked)
    expect(page.locator(".door-code .digits")).to_have_text(f"{code[:3]} {code[3:]}")
    looked_at(browse, page, "at-the-door")
    report = day.report(booked, bottle, proof={"kind": "door_code", "value": code})
    made(day.deliver(booked, report))
    page.clock.run_for(16_000)
    expect(page.get_by_role("button", name="对，确认收到")).to_be_visible()
    looked_at(browse, page, "delivered")
    page.get_by_role("button", name="对，确认收到").click()
    expect(page.locator("main")).to_contain_text("您已在")
    with house.ground.sessions() as db:
        [word] = db.scalars(sa.select(Confirmation))
        assert (str(word.order_id), word.said.value) == (booked.order_id, "received")
    page.get_by_role("link", name="有问题").click()
    looked_at(browse, page, "problem")
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_label("另外收钱").check()
    page.get_by_role("button", name="提交").click()
    expect(page.locator("main")).to_contain_text("监管已收到")
    looked_at(browse, page, "problem-told")


def test_gas_withheld_and_what_is_to_be_mended(house: House, browse: Browse, day: WorkingDay) -> None:
    home = day.home()
    booked, bottle, _ = day.loaded(home)
    check = a_check_that_finds("hose_unaged", grade="serious")
    made(day.deliver(booked, day.report(booked, bottle, check=check)))
    page = as_resident(house, browse, day, home)
    page.goto(house.at(f"/resident/orders/{booked.order_id}"))
    looked_at(browse, page, "withheld")
    page.goto(house.at("/resident/"))
    looked_at(browse, page, "home-hazard")
    page.get_by_role("link", name="看怎么办").click()
    looked_at(browse, page, "hazards")
    page.locator("dd a.code").click()
    looked_at(browse, page, "notice")
    page.get_by_role("button", name="我看过了").click()
    expect(page.locator("main")).to_contain_text("说看过了")
    page.get_by_role("link", name="回到隐患").click()
    page.get_by_role("button", name="已经改好").click()
    expect(page.locator("main")).to_contain_text("等复查")
    looked_at(browse, page, "hazards-claimed")


def test_everything_of_a_booking_works_without_scripts(house: House, browse: Browse, day: WorkingDay) -> None:
    with_phone(day)
    day.slot()
    page = browse.page(**ON_A_PHONE, java_script_enabled=False)
    page.goto(house.at("/resident/book"))
    page.fill("#phone", PHONE)
    page.get_by_role("button", name="发验证码").click()
    page.wait_for_url("**/sign-in/phone/code**")
    page.fill("#code", code_sent(house))
    page.get_by_role("button", name="登录").click()
    page.wait_for_url(house.at("/resident/book"))
    page.locator('input[name="slot"]').first.check()
    page.locator('input[name="purpose"]').first.check()
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("button", name="确认预约").click()
    page.wait_for_url("**booked=1")
    assert len(orders(house)) == 1
    page.get_by_role("link", name="取消这次预约").click()
    page.get_by_role("button", name="取消预约").click()
    expect(page.locator("main")).to_contain_text("已取消")


def test_the_same_again_another_slot_a_voucher_and_a_proxy(
    house: House, browse: Browse, day: WorkingDay
) -> None:
    home = day.home()
    booked, bottle, _ = day.loaded(home)
    made(day.deliver(booked, day.report(booked, bottle)))
    tomorrow = clock.today() + timedelta(days=1)
    day.slot(10, tomorrow), day.slot(14, tomorrow)
    with house.ground.sessions() as db:
        db.get_one(Slot, (CHANGNING, UUID(day.slot(10)))).closed = True
        db.commit()
    page = as_resident(house, browse, day, home)
    page.goto(house.at("/resident/"))
    looked_at(browse, page, "home-again")
    page.get_by_role("button", name="就这样约").click()
    page.wait_for_url("**booked=1")
    page.get_by_role("link", name="换个时段送").click()
    page.get_by_role("button", name="改到这个时段").click()
    expect(page.get_by_role("alert")).to_be_focused()
    looked_at(browse, page, "other-slot")
    page.get_by_label("14:00").check()
    page.get_by_role("button", name="改到这个时段").click()
    page.wait_for_url("**moved=1")
    expect(page.get_by_role("status").first).to_contain_text("时段改好了")
    with house.ground.sessions() as db:
        slots = [order.slot_id for order in db.scalars(sa.select(Order).order_by(Order.id))]
    assert str(slots[-1]) == day.slot(14, tomorrow)
    page.goto(house.at(f"/resident/orders/{booked.order_id}"))
    page.get_by_role("link", name="购气凭证").click()
    looked_at(browse, page, "voucher")
    code = "".join(page.locator(".voucher-code").inner_text().split())
    page.goto(house.at(f"/V/{code}"))
    expect(page.locator("h1")).to_contain_text("凭证属实")
    looked_at(browse, page, "voucher-public")
    page.goto(house.at("/resident/proxies"))
    page.fill("#phone", PHONE)
    page.fill("#until_on", "2024-12-31")
    page.get_by_role("button", name="委托").click()
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_label("在家收气").check()
    page.get_by_role("button", name="委托").click()
    expect(page.get_by_role("status")).to_contain_text("记下了")
    looked_at(browse, page, "proxies")


def test_main_targets_are_sixty_pixels_in_large_type(house: House, browse: Browse, day: WorkingDay) -> None:
    home = day.home()
    day.slot()
    page = as_resident(house, browse, day, home)
    page.context.add_cookies([{"name": "large", "value": "large", "url": house.address}])
    for path in ("/resident/", "/resident/book"):
        page.goto(house.at(path))
        small = page.evaluate(
            "() => [...document.querySelectorAll('main .button, main button, main .choice')]"
            ".filter(e => e.getBoundingClientRect().height < 60).map(e => e.outerHTML)"
        )
        assert small == []

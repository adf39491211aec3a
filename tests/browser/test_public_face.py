"""The page behind a label in a real browser: on a small phone, without a script, by keyboard, on paper."""

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from core.outbox import deliver_due
from oversight.models import Tip
from tests.browser.conftest import Browse, House
from tests.cast import Cast, made
from tests.cylinders.cast import Bottles

PHONE = {"width": 360, "height": 740}


@pytest.fixture
def bottles(house: House) -> Bottles:
    return Bottles(Cast(house.desk))


def test_a_scanned_bottle_is_green_and_a_leak_is_reported_without_a_script(
    house: House, browse: Browse, bottles: Bottles
) -> None:
    bottle = bottles.filled()
    batch = made(bottles.cast.clerk.post("/api/v1/label-batches", {"codes": [bottle.code]}))
    path = "/C/" + batch["items"][0]["address"].split("/C/")[1]
    page = browse.page(viewport=PHONE, java_script_enabled=False)
    page.goto(house.at(path))
    expect(page.locator("h1")).to_contain_text("可以使用")
    browse.shot(page, "public-sound")
    page.locator("summary").click()
    page.get_by_label("漏气、有气味").check()
    browse.shot(page, "public-report")
    page.get_by_role("button", name="反映").click()
    expect(page.get_by_role("status")).to_contain_text("已转给监管部门")
    deliver_due(house.ground, 310105)
    with house.ground.sessions() as db:
        assert db.scalars(sa.select(Tip)).one().facts["problem"] == "leak"
    scripted = browse.page(viewport=PHONE)
    scripted.goto(house.at(path))
    browse.is_accessible(scripted)
    browse.reflows(scripted)
    scripted.emulate_media(media="print")
    browse.shot(scripted, "public-print")
    expect(scripted.locator("details")).to_be_hidden()


def test_a_code_typed_by_keyboard_that_is_nobodys_is_red_in_large_type_too(
    house: House, browse: Browse, bottles: Bottles
) -> None:
    page = browse.page(viewport=PHONE)
    page.goto(house.at("/c"))
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "public-entry")
    page.locator("#code").focus()
    page.keyboard.type("31xb w3a0 a88")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("不是标签上的12位编码")
    browse.is_accessible(page)
    page.locator("#code").focus()
    page.keyboard.press("End")
    page.keyboard.type("k")
    page.keyboard.press("Enter")
    page.wait_for_url("**/C/31XBW3A0A88K")
    expect(page.locator("h1")).to_contain_text("无法确认")
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "public-unconfirmed")
    page.get_by_role("button", name="大字").click()
    expect(page.locator("html")).to_have_class("large")
    page.goto(house.at("/C/31XBW3A0A88K"))
    browse.shot(page, "public-unconfirmed-large")

"""The office's labels in a real browser: issued, drawn to the millimetre, and read back by a decoder."""

import io
import re

import pytest
import sqlalchemy as sa
import zxingcpp
from PIL import Image
from playwright.sync_api import Page, expect

from cylinders.label_models import Label
from tests.browser.conftest import Browse, House
from tests.cast import Cast, made
from tests.cylinders.cast import Bottles


@pytest.fixture
def bottles(house: House) -> Bottles:
    return Bottles(Cast(house.desk))


def office(house: House, browse: Browse, bottles: Bottles) -> Page:
    return browse.page(house.cookie_of(bottles.cast.clerk.principal_id), device_scale_factor=2)


def read(picture: bytes) -> set[str]:
    """Every symbol in a screenshot."""
    image = Image.open(io.BytesIO(picture)).convert("L")
    return {one.text for one in zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.QRCode)}


def test_twelve_bottles_are_labelled_with_the_keyboard_and_all_24_labels_read_from_the_sheet(
    house: House, browse: Browse, bottles: Bottles
) -> None:
    row = bottles.row(identifiers=[], holder=None, last_inspection=None)
    body = {"firm_id": str(bottles.cast.firm()), "evidence": {"document": "ledger", "reference": "book-1"}}
    made(
        bottles.cast.clerk.post(
            "/api/v1/cylinder-imports", {**body, "on_error": "proceed", "rows": [row] * 12}
        )
    )
    page = office(house, browse, bottles)
    page.goto(house.at("/office/labels/"))
    browse.is_accessible(page)
    browse.shot(page, "labels-issue")
    page.locator("#codes").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/office/labels/sheets/*")
    page.set_viewport_size({"width": 900, "height": 1200})
    browse.is_accessible(page)
    browse.shot(page, "labels-sheet")
    with house.ground.sessions() as db:
        rows = db.scalars(sa.select(Label)).all()
    batch = bottles.cast.clerk.get(f"/api/v1/label-batches/{rows[0].batch_id}").json["items"]
    expected = {one["address"] for one in batch}
    assert len(expected) == 24
    assert read(page.locator(".sheet").screenshot()) == expected
    page.emulate_media(media="print")
    browse.shot(page, "labels-sheet-print")
    assert read(page.screenshot(full_page=True)) == expected
    box = page.locator(".sheet").bounding_box()
    assert box is not None
    assert (box["x"], box["width"]) == pytest.approx((0, 210 * 96 / 25.4), abs=0.2)
    expect(page.locator(".sheet .label").first).to_have_attribute("transform", "translate(7.0 8.5)")
    assert page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") == 1
    page.emulate_media(media="null")  # on the screen as on a screen, on paper as on paper
    page.fill("#dx", "1.5")
    page.fill("#first", "3")
    page.get_by_role("button", name="按此重排").click()
    page.wait_for_url(re.compile("dx=1.5"))
    expect(page.locator(".sheet")).to_have_count(2)
    expect(page.locator(".sheet .label").first).to_have_attribute("transform", "translate(140.5 8.5)")
    assert page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") == 2
    page.goto(house.at(f"/office/labels/rolls/{rows[0].batch_id}"))
    browse.is_accessible(page)
    expect(page.locator(".one")).to_have_count(24)
    assert page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") == 24
    browse.reflows(page)


def test_the_calibration_page_and_offsets_that_are_none(
    house: House, browse: Browse, bottles: Bottles
) -> None:
    page = office(house, browse, bottles)
    page.goto(house.at("/office/labels/calibration?dx=99&dy=x"))
    expect(page.get_by_role("alert")).to_contain_text("毫米")
    browse.is_accessible(page)
    page.goto(house.at("/office/labels/calibration?dx=-1.5&dy=0.5"))
    expect(page.locator(".sheet rect").first).to_have_attribute("x", "5.5")
    browse.reflows(page)
    browse.shot(page, "labels-calibration")


def test_a_lost_label_and_a_further_code_on_a_bottles_own_page(
    house: House, browse: Browse, bottles: Bottles
) -> None:
    bottle = bottles.empty(identifiers=[{"scheme": "stamp", "value": "YL-7"}])
    page = office(house, browse, bottles)
    page.goto(house.at("/office/labels/"))
    page.fill("#codes", "nothing of ours")
    page.get_by_role("button", name="发标签并打印").click()
    expect(page.get_by_role("alert")).to_contain_text("查不到")
    browse.is_accessible(page)
    page.fill("#codes", "yl-7")
    page.get_by_role("button", name="发标签并打印").click()
    page.wait_for_url("**/sheets/*")
    page.goto(house.at("/office/labels/"))
    page.fill("#code", "yl-7")
    page.get_by_role("button", name="查这只瓶").click()
    page.wait_for_url(f"**/office/labels/{bottle.id}")
    first = page.get_by_label("标签 2", exact=True)
    first.locator("summary").click()
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "labels-bottle")
    first.locator("#replace-2").select_option("lost")
    first.get_by_role("button", name="换发").click()
    page.wait_for_url("**/sheets/*")
    expect(page.locator(".sheet .label")).to_have_count(2)
    page.goto(house.at(f"/office/labels/{bottle.id}"))
    expect(page.get_by_label("标签 1", exact=True)).to_contain_text("编码已作废")
    page.select_option("#scheme", "rfid")
    page.fill("#value", "E200 3412 0123 4567 89AB CDEF")
    page.get_by_role("button", name="补登").click()
    expect(page.get_by_label("编码 E20034120123456789ABCDEF")).to_be_visible()
    for kind in ("svg", "png"):
        answer = page.request.get(house.at(f"/office/labels/{bottle.id}/3.{kind}"))
        assert answer.ok
    assert len(read(page.request.get(house.at(f"/office/labels/{bottle.id}/3.png")).body())) == 1
    assert page.request.get(house.at(f"/office/labels/{bottle.id}/1.png")).status == 404

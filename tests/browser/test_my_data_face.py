"""The resident's own data in a real browser, without scripts too: who looked, a copy, a correction."""

import json

from playwright.sync_api import expect

from core.sessions import SignedInBy
from registry.privacy_models import PrivacyRequest
from tests.browser.conftest import Browse, House
from tests.cast import Cast, made

REVEAL = {"fields": ["name", "phone"], "reason": "safety", "purpose": "call", "case_no": "YL-0612"}


def test_a_resident_sees_who_looked_takes_a_copy_and_has_a_phone_corrected(
    house: House, browse: Browse
) -> None:
    cast = Cast(house.desk)
    users = cast.household(person=cast.registrant(phone="13800005678"))
    made(cast.confirmed(cast.clerk).post(cast.at(f"households/{users.household_id}/reveals"), REVEAL))
    resident = cast.resident(cast.registrant_of(users))
    cookie = house.cookie_of(resident.principal_id, SignedInBy.PHONE_CODE)
    page = browse.page(cookie, viewport={"width": 390, "height": 844})
    page.goto(house.at("/resident/my-data"))
    expect(page.get_by_text("YL-0612")).to_be_visible()
    expect(page.get_by_text("样例燃气").first).to_be_visible()
    with page.expect_download() as copied:
        page.get_by_role("button", name="下载我的全部信息").click()
    assert json.loads(copied.value.path().read_text())["person"]["phone"] == "13800005678"
    page.select_option("#field", "phone")
    page.fill("#said", "not a number")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    browse.is_accessible(page)
    page.fill("#said", "13900001111")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("已经提交")
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "resident-my-data")
    with house.ground.sessions() as db:
        [row] = db.query(PrivacyRequest).all()
        assert (row.field, row.state.value) == ("phone", "asked")
    plain = browse.page(cookie, java_script_enabled=False)
    plain.goto(house.at("/resident/my-data"))
    plain.get_by_role("button", name="撤回").click()
    expect(plain.get_by_text("已撤回")).to_be_visible()
    plain.goto(house.at("/privacy"))
    expect(plain.get_by_role("heading", name="个人信息告知书")).to_be_visible()
    page.goto(house.at("/privacy"))
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "privacy-notice")

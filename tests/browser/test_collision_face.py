"""The regulator's page of codes that two bottles carry, in a real browser."""

from playwright.sync_api import expect

from tests.browser.conftest import Browse, House
from tests.cast import Cast, made
from tests.cylinders.cast import Bottles


def test_a_regulator_says_whose_the_stamp_is_and_both_bottles_serve_again(
    house: House, browse: Browse
) -> None:
    bottles = Bottles(Cast(house.desk))
    stamp = {"scheme": "stamp", "value": "YL-55"}
    first, second = bottles.empty(identifiers=[stamp]), bottles.empty()
    made(bottles.cast.clerk.post(f"/api/v1/cylinders/{second.id}/identifiers", stamp))
    assert not bottles.verdict(first.code)["allowed"]
    page = browse.page(house.cookie_of(bottles.cast.regulator.principal_id))
    page.goto(house.at("/oversight/tips"))
    page.goto(house.at("/oversight/"))
    page.get_by_role("link", name="重码").click()
    expect(page.locator("article")).to_contain_text("YL-55")
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "regulator-collisions")
    page.get_by_label("是后来这只瓶的").check()
    page.get_by_role("button", name="已看过").click()
    expect(page.locator(".empty")).to_contain_text("没有待查清的重码")
    browse.is_accessible(page)
    assert bottles.verdict(first.code)["allowed"]
    assert bottles.verdict("YL-55")["cylinder_id"] == str(second.id)

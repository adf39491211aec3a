"""The regulator's page of filling stations, in a real browser."""

from playwright.sync_api import expect

from tests.browser.conftest import Browse, House
from tests.cast import Cast
from tests.cylinders.cast import Bottles


def test_a_regulator_stops_a_station_by_its_scale_and_lets_it_go_on(house: House, browse: Browse) -> None:
    bottles = Bottles(Cast(house.desk))
    bottles.cast.filling_station()
    page = browse.page(house.cookie_of(bottles.cast.regulator.principal_id))
    page.goto(house.at("/oversight/"))
    page.get_by_role("link", name="充装站").click()
    page.get_by_label("停什么").select_option(label="秤 Scale S-1")
    page.get_by_label("原因").select_option("scale_wrong")
    page.get_by_label("通知文号").fill("TC-11")
    page.get_by_role("button", name="责令停充").click()
    expect(page.locator("article")).to_contain_text("TC-11")
    browse.is_accessible(page)
    browse.reflows(page)
    assert not bottles.verdict(bottles.empty().code, purpose="fill")["allowed"]
    page.get_by_label("解除文号").fill("JC-11")
    page.get_by_role("button", name="解除停充").click()
    expect(page.get_by_label("解除文号")).to_have_count(0)
    assert bottles.verdict(bottles.empty().code, purpose="fill")["allowed"]

"""Zones drawn on the map in a real browser: corners moved, added, removed, undone; or by keyboard."""

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from core.geo import Datum, area_from_geojson
from registry.models import Zone
from registry.zone_models import ZoneDraft
from tests.browser.conftest import Browse, House
from tests.dispatch.rounds.working_day import WorkingDay


@pytest.fixture
def day(house: House) -> WorkingDay:
    return WorkingDay(house.desk)


def corners(page: Page, place: int = 0) -> list[str]:
    return page.locator(f"#corners-{place}").input_value().split()


def drag(page: Page, selector: str, by: tuple[int, int], nth: int = 0) -> None:
    page.locator(selector).nth(nth).scroll_into_view_if_needed()
    box = page.locator(selector).nth(nth).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by[0] / 2, y + by[1] / 2)
    page.mouse.move(x + by[0], y + by[1])
    page.mouse.up()


def test_a_zone_is_drawn_on_the_map_and_becomes_a_draft(
    house: House, browse: Browse, day: WorkingDay
) -> None:
    page = browse.page(house.cookie_of(day.dispatcher.principal_id))
    page.goto(house.at("/dispatch/zones/"))
    page.get_by_role("link", name="从现行片区画起").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("画片区")
    before = corners(page)
    page.locator("#drawing").scroll_into_view_if_needed()
    page.locator("#drawing path").last.click(force=True)
    expect(page.locator(".corner")).to_have_count(4)
    expect(page.locator(".midpoint")).to_have_count(4)
    expect(page.get_by_role("status")).to_contain_text("4 个角")
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "dispatch-zone-drawing")

    drag(page, ".corner", (30, 20))
    moved = corners(page)
    assert len(set(moved) & set(before)) == 3, "one corner moved, the others to the last digit as they were"
    drag(page, ".midpoint", (0, 15))
    expect(page.locator(".corner")).to_have_count(5)
    page.get_by_role("button", name="删角").click()
    expect(page.locator(".corner")).to_have_count(4)
    assert corners(page) == moved
    for _ in range(2):
        page.get_by_role("button", name="撤销一步").click()
    assert corners(page) == moved
    page.get_by_role("button", name="撤销一步").click()
    assert corners(page) == before

    # a new zone beside it
    page.get_by_role("button", name="画新片区").click()
    expect(page.locator(".corner")).to_have_count(0)
    page.locator("#drawing").scroll_into_view_if_needed()
    box = page.locator("#drawing").bounding_box()
    assert box is not None
    for x, y in ((0.9, 0.1), (0.97, 0.1), (0.94, 0.3)):
        page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
    page.get_by_role("button", name="画完").click()
    expect(page.locator("#number-1")).to_be_focused()
    page.keyboard.type("2")
    page.fill("#name-1", "新画的")
    page.locator("#site-1").select_option(str(day.cast.supply_point()))
    page.fill("#name", "画出来的")
    page.get_by_role("button", name="存成新草案并检查").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("画出来的")
    with house.ground.reads() as db:
        [draft] = db.scalars(sa.select(ZoneDraft))
        assert draft.zones[0]["outline"] == db.scalars(sa.select(Zone)).one().outline
        assert [one["name"] for one in draft.zones][1:] == ["新画的"]
        assert area_from_geojson(draft.zones[1]["outline"], Datum.WGS84).is_valid


def test_by_keyboard_and_without_scripts_the_corners_are_lines(
    house: House, browse: Browse, day: WorkingDay
) -> None:
    cookie = house.cookie_of(day.dispatcher.principal_id)
    page = browse.page(cookie, java_script_enabled=False)
    page.goto(house.at("/dispatch/zones/drawing"))
    expect(page.locator("#drawing")).to_be_hidden()
    before = corners(page)
    page.fill("#name", "键盘画的")
    page.fill("#corners-0", "不是坐标")
    page.get_by_role("button", name="存成新草案并检查").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("第 1 行不是")
    page.fill("#corners-0", "\n".join(before[:3]))
    page.get_by_role("button", name="存成新草案并检查").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("键盘画的")
    expect(page.locator(".warning")).to_contain_text("现行有、草案没有的地")

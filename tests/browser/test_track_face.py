"""A past track before the regulator, and what fixed zones cost before the dispatcher, in a real browser."""

from datetime import timedelta

from playwright.sync_api import expect

from core import clock
from tests.browser.conftest import Browse, House
from tests.conftest import THE_DAY
from tests.dispatch.rounds.two_zones import TwoZones
from tests.dispatch.rounds.working_day import WorkingDay
from tests.due_jobs import run_due_jobs
from tests.web.test_price_and_track_pages import report


def test_a_track_is_seen_on_the_map_after_its_reason_and_as_a_list_without_scripts(
    house: House, browse: Browse
) -> None:
    day = WorkingDay(house.desk)
    day.order()
    path = f"/oversight/rounds/{day.round()}/track"
    report(day, *((n, n, n * 0.0005) for n in range(1, 25)), (25, 25, 0.5), minute=30)
    regulator = house.cookie_of(day.cast.regulator.principal_id)
    with clock.standing_at(THE_DAY + timedelta(minutes=40)):
        page = browse.page(regulator)
        page.goto(house.at(path))
        browse.is_accessible(page)
        page.get_by_role("combobox", name="理由").select_option("complaint")
        page.get_by_role("button", name="查看轨迹").click()
        expect(page.locator(".map canvas")).to_be_attached()
        expect(page.locator(".map .vehicle")).to_have_text(
            ["09:01 迟到", "09:11 迟到", "09:21 迟到", "09:25 跳点"]
        )
        expect(page.get_by_role("row")).to_have_count(26)
        browse.is_accessible(page)
        browse.reflows(page)
        browse.shot(page, "regulator-track")

        plain = browse.page(regulator, java_script_enabled=False)
        plain.goto(house.at(path))
        plain.get_by_role("combobox", name="理由").select_option("inspection")
        plain.get_by_role("button", name="查看轨迹").click()
        expect(plain.get_by_role("row")).to_have_count(26)


def test_a_plan_shows_what_fixed_zones_cost_once_somebody_asked(house: House, browse: Browse) -> None:
    town = TwoZones(house.desk)
    for zone in (0, 1):
        town.order(zone)
    day = town.day
    plan = day.plan(zone_id=str(town.zones[0]))
    page = browse.page(house.cookie_of(day.dispatcher.principal_id))
    page.goto(house.at(f"/dispatch/plans/{plan['id']}"))
    page.get_by_role("button", name="算一算").click()
    expect(page.get_by_role("button", name="不算了")).to_be_visible()
    browse.is_accessible(page)
    run_due_jobs(house.ground)
    expect(page.get_by_role("heading", name="固定片区的代价")).to_be_visible()
    expect(page.get_by_role("row", name="出车")).to_contain_text("−1")
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "dispatch-price")
    page.goto(house.at(f"/dispatch/plans/{plan['id']}"))
    expect(page.get_by_role("row", name="出车")).to_contain_text("−1")
    browse.is_accessible(page)

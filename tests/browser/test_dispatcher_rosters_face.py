"""The dispatcher's rosters in a real browser: somebody is away, a roster is proposed, changed, confirmed."""

from playwright.sync_api import expect

from tests.browser.conftest import Browse, House
from tests.dispatch.rounds.working_day import WorkingDay
from tests.due_jobs import run_due_jobs


def test_a_roster_is_proposed_changed_by_hand_and_confirmed(house: House, browse: Browse) -> None:
    day = WorkingDay(house.desk)
    day.cast.bind()
    away = day.plate_of(day.cast.bind().vehicle_id)
    page = browse.page(house.cookie_of(day.dispatcher.principal_id))
    page.goto(house.at("/dispatch/rosters"))
    expect(page.locator(".empty").first).to_contain_text("排线按人车对应")
    page.get_by_label("谁或哪辆车").select_option(label=away)
    page.get_by_label("原因").select_option("in_repair")
    page.get_by_role("button", name="登记").click()
    expect(page.locator("#away ~ ul")).to_contain_text(away)
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "dispatch-rosters")

    page.get_by_role("button", name="拟一个").click()
    expect(page.get_by_role("status")).to_contain_text("排队中")
    run_due_jobs(house.ground)
    page.wait_for_url("**/dispatch/rosters/*")
    expect(page.get_by_role("heading", name="不能排的")).to_be_visible()
    expect(page.locator("main")).to_contain_text("停驶")
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "dispatch-roster")

    page.get_by_label("哪一组人车").select_option(index=0)
    page.get_by_label("排到").select_option("off")
    page.get_by_role("button", name="调整").click()
    page.get_by_role("link", name="去确认").click()
    expect(page.get_by_role("button", name="确认排班")).to_be_visible()
    browse.is_accessible(page)
    page.get_by_role("button", name="确认排班").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("已确认")
    page.goto(house.at("/dispatch/plans"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("排线")

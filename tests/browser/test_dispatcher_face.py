"""The dispatcher's face in a real browser: look, plan, review, apply; book for a caller; see to an alarm."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core import clock
from dispatch.rounds import service, zoning
from routing import solve
from routing.districting import propose
from tests.browser.conftest import Browse, House
from tests.cast import EAST, WEST, made, square
from tests.conftest import THE_DAY
from tests.dispatch.rounds.working_day import LARGE, POINT, WorkingDay
from tests.due_jobs import run_due_jobs


@pytest.fixture
def day(house: House) -> WorkingDay:
    return WorkingDay(house.desk)


@pytest.fixture
def page(house: House, browse: Browse, day: WorkingDay) -> Page:
    """The dispatcher of the cast's firm, signed in."""
    return browse.page(house.cookie_of(day.dispatcher.principal_id))


def homes(day: WorkingDay, count: int) -> None:
    """Booked homes, spread over the zone, morning and afternoon."""
    for n in range(count):
        point = POINT | {
            "lon": POINT["lon"] + 0.004 * (n % 3 - 1),
            "lat": POINT["lat"] + 0.003 * (n // 3 - 1),
        }
        day.order(day.home(point=point), hour=10 if n % 2 else 14)


def looks_sound(browse: Browse, page: Page, name: str) -> None:
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, f"dispatch-{name}")


def test_the_main_job_look_plan_review_apply(
    house: House, browse: Browse, page: Page, day: WorkingDay
) -> None:
    homes(day, 7)
    left = day.order(day.restaurant((LARGE,)))
    page.goto(house.at("/dispatch/"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("2024年6月12日")
    expect(page.locator(".map .stop")).to_have_count(8)
    looks_sound(browse, page, "board-before")

    page.get_by_role("link", name="排线").click()
    looks_sound(browse, page, "plans-empty")
    page.get_by_role("button", name="排").first.click()
    expect(page.get_by_role("status")).to_contain_text("排队中")
    browse.is_accessible(page)
    browse.shot(page, "dispatch-planning")
    run_due_jobs(house.ground)

    page.wait_for_url("**/dispatch/plans/*")
    expect(page.locator(".figures")).to_contain_text("7")
    expect(page.get_by_role("heading", name="送不了的单")).to_be_visible()
    expect(page.locator(".warning")).to_contain_text(left.order_id[-8:].upper())
    expect(page.locator(".map .stop")).to_have_count(8)
    looks_sound(browse, page, "review")

    page.get_by_role("link", name="去下发").click()
    looks_sound(browse, page, "apply")
    page.get_by_role("button", name="下发给送气工").click()
    expect(page.locator(".done")).to_contain_text("已下发")

    page.goto(house.at("/dispatch/"))
    expect(page.locator("#live")).to_contain_text("0/7")
    looks_sound(browse, page, "board-planned")


def test_the_board_looks_again_by_itself(house: House, browse: Browse, page: Page, day: WorkingDay) -> None:
    page.goto(house.at("/dispatch/"))
    expect(page.locator(".figures dd").first).to_have_text("0")
    day.order()
    expect(page.locator(".figures dd").first).to_have_text("1")


def test_an_empty_day_and_a_day_without_zones_say_so(
    house: House, browse: Browse, page: Page, day: WorkingDay
) -> None:
    page.goto(house.at("/dispatch/"))
    expect(page.locator("#live")).to_contain_text("这一天还没有预约")
    looks_sound(browse, page, "board-empty")
    page.goto(house.at("/dispatch/?day=2001-01-01"))
    expect(page.locator("#live")).to_contain_text("这一天还没有片区划分")
    browse.is_accessible(page)


def test_booking_for_a_caller_with_the_keyboard_alone(
    house: House, browse: Browse, page: Page, day: WorkingDay
) -> None:
    home = day.home()
    day.slot()
    page.goto(house.at("/dispatch/hotline"))
    looks_sound(browse, page, "hotline")
    page.locator("#card").focus()
    page.keyboard.type(day.credential(home.users.card_ids[0]).lower())
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="来电的用户")).to_be_visible()
    looks_sound(browse, page, "hotline-caller")
    page.locator("input[name=slot_id]").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="约上了")).to_be_visible()
    expect(page.locator(".script")).to_contain_text("10:00到12:00")
    looks_sound(browse, page, "hotline-booked")


def test_a_refused_booking_tells_what_to_say(
    house: House, browse: Browse, page: Page, day: WorkingDay
) -> None:
    home = day.home()
    day.order(home)
    day.slot(14)
    page.goto(house.at("/dispatch/hotline"))
    page.fill("#card", day.credential(home.users.card_ids[0]))
    page.get_by_role("button", name="查用户").click()
    page.locator("input[name=slot_id]").last.check()
    page.locator("input[name=purpose]").first.check()
    page.get_by_role("button", name="替他约上").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.locator(".script")).to_contain_text("对不起")
    looks_sound(browse, page, "hotline-refused")


def test_an_alarm_is_seen_and_acknowledged_with_a_note(house: House, browse: Browse, day: WorkingDay) -> None:
    booked, _, _ = day.loaded()
    day.order(hour=10)
    failed = {"line_id": booked.line_ids[0], "reason": "nobody_home"}
    made(day.courier.post(day.at(f"orders/{booked.order_id}/failures"), failed))
    with clock.standing_at(THE_DAY + timedelta(hours=4)):
        page = browse.page(house.cookie_of(day.dispatcher.principal_id))
        page.goto(house.at("/dispatch/"))
        browse.shot(page, "dispatch-board-late")
        page.goto(house.at("/dispatch/alarms"))
        expect(page.locator(".alarm")).to_have_count(2)
        looks_sound(browse, page, "alarms")
        failed_visit = page.locator(".alarm", has_text="没送成")
        failed_visit.get_by_label("怎么处理的").select_option("user_called")
        failed_visit.get_by_label("说明").fill("下午三点以后在家")
        failed_visit.get_by_role("button").click()
        expect(page.locator(".alarm", has_text="没送成")).to_contain_text("下午三点以后在家")
        browse.shot(page, "dispatch-alarms-acknowledged")


def test_slots_crews_and_bookings(house: House, browse: Browse, page: Page, day: WorkingDay) -> None:
    day.order()
    day.order(hour=14)
    page.goto(house.at("/dispatch/slots"))
    page.fill("#starts", "16:00")
    page.fill("#ends", "18:00")
    page.fill("#capacity", "20")
    page.get_by_role("button", name="开时段").click()
    expect(page.locator("table")).to_contain_text("16:00–18:00")
    looks_sound(browse, page, "slots")
    page.get_by_role("link", name="人车").click()
    looks_sound(browse, page, "crews")
    page.get_by_role("button", name="结束").click()
    expect(page.locator("table")).to_contain_text("已结束")
    page.get_by_role("link", name="预约", exact=False).first.click()
    expect(page.locator("tbody tr")).to_have_count(2)
    looks_sound(browse, page, "bookings")
    page.get_by_label("时段").select_option(index=1)
    page.get_by_role("button", name="筛选").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    assert "slot=" in page.url


def test_without_scripts_all_but_the_map_works(house: House, browse: Browse, day: WorkingDay) -> None:
    homes(day, 2)
    cookie = house.cookie_of(day.dispatcher.principal_id)
    page = browse.page(cookie, java_script_enabled=False)
    page.goto(house.at("/dispatch/plans"))
    page.get_by_role("button", name="排").first.click()
    expect(page.get_by_role("status")).to_contain_text("排队中")
    run_due_jobs(house.ground)
    page.wait_for_url("**/dispatch/plans/*")
    page.get_by_role("link", name="去下发").click()
    page.get_by_role("button", name="下发给送气工").click()
    expect(page.locator(".done")).to_contain_text("已下发")


def test_an_urgent_order_is_added_and_a_lost_crew_s_doors_are_handed_on(
    house: House, browse: Browse, page: Page, day: WorkingDay
) -> None:
    on_board = day.order()
    homes(day, 3)
    round_id = day.round()
    made(day.load(round_id, on_board.line_ids[0], day.bottle().code))
    urgent = day.order()
    short = urgent.order_id[-8:].upper()

    page.goto(house.at("/dispatch/bookings?state=unplanned"))
    page.get_by_role("button", name=f"紧急加送 {short}").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("紧急加送")
    expect(page.get_by_role("list").filter(has_text=short)).to_contain_text(day.plate)
    looks_sound(browse, page, "change-urgent")
    page.get_by_role("button", name="改派").click()
    expect(page.locator(".done")).to_contain_text("已改派")

    other = day.cast.bind()
    page.goto(house.at("/dispatch/crews"))
    looks_sound(browse, page, "crews-under-way")
    page.get_by_role("button", name=f"停运改派 {day.plate}").click()
    expect(page.get_by_role("heading", name="瓶还在停运的车上")).to_be_visible()
    expect(page.locator(".warning")).to_contain_text(on_board.order_id[-8:].upper())
    expect(page.get_by_role("list").filter(has_text=short)).to_contain_text(day.plate_of(other.vehicle_id))
    looks_sound(browse, page, "change-lost-crew")
    page.get_by_role("button", name="改派").click()
    expect(page.locator(".done")).to_contain_text("已改派")

    page.get_by_role("link", name="人车对应").first.click()
    page.get_by_role("button", name=f"停运改派 {day.plate}").click()  # only what is on board is left
    expect(page.locator(".figures dd").first).to_have_text("0")


def test_a_door_is_dragged_looked_at_proposed_and_done_and_a_plan_changed_before_it_is_sent(
    house: House, browse: Browse, page: Page, day: WorkingDay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "solve_apart", lambda problem, _, seed, *more: solve(problem, 0, seed))
    homes(day, 3)
    other = day.cast.bind()
    plan = day.plan()
    page.goto(house.at(f"/dispatch/plans/{plan['id']}"))
    page.get_by_role("link", name="手工调整").click()
    doors = page.locator(".door[data-order]")
    expect(doors).to_have_count(3)
    expect(page.locator(".map .stop")).to_have_count(3)
    looks_sound(browse, page, "lanes-plan")
    moved = doors.last.get_attribute("data-order")
    theirs = page.locator(".lane", has_text=day.plate_of(other.vehicle_id)).locator(".end").last
    doors.last.drag_to(theirs)
    verdict = page.locator("#verdict")
    expect(verdict).to_contain_text("这样改会怎样")
    expect(verdict).to_contain_text(day.plate_of(other.vehicle_id))
    looks_sound(browse, page, "lanes-verdict")
    verdict.get_by_role("button", name="就这样改方案").click()
    page.wait_for_url(lambda url: plan["id"] not in url)
    lane = page.locator(".lane", has_text=day.plate_of(other.vehicle_id))
    expect(lane.locator(f'[data-order="{moved}"]')).to_be_visible()
    page.get_by_role("link", name="去下发").click()
    page.get_by_role("button", name="下发给送气工").click()
    expect(page.locator(".done")).to_contain_text("已下发")

    page.goto(house.at("/dispatch/"))
    page.get_by_role("link", name="调整").first.click()
    looks_sound(browse, page, "lanes-today")
    page.locator(f'[data-order="{moved}"]').get_by_role("link", name="移动").focus()  # no dragging at all
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="移动一户")).to_be_visible()
    looks_sound(browse, page, "move-where-to")
    first = page.locator("#place option[value^='before:']").first.get_attribute("value")
    page.locator("#place").select_option(first)
    page.get_by_role("button", name="看看会怎样").press("Enter")
    expect(page.get_by_role("heading", name="这样改会怎样")).to_be_visible()
    looks_sound(browse, page, "move-verdict")
    page.get_by_role("button", name="提出改派").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("移动一户")
    looks_sound(browse, page, "change-moved")
    page.get_by_role("button", name="改派").press("Enter")
    expect(page.locator(".done")).to_contain_text("已改派")


def test_zones_from_a_file_to_their_publication_and_a_proposal(
    house: House,
    browse: Browse,
    page: Page,
    day: WorkingDay,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        zoning, "districts_apart", lambda units, zones, seed, *more: propose(units, zones, seed)
    )
    homes(day, 4)
    page.goto(house.at("/dispatch/zones/"))
    looks_sound(browse, page, "zones")
    half = (WEST + EAST) / 2
    outlines = (square(east=half), square(west=half, east=EAST - 0.004))
    features = [{"type": "Feature", "geometry": one, "properties": {}} for one in outlines]
    file = tmp_path / "zones.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    page.fill("#name", "东西两片")
    page.set_input_files("#file", file)
    page.get_by_role("button", name="拟成草案").click()
    expect(page.get_by_role("alert")).to_contain_text("datum")
    looks_sound(browse, page, "zones-refused")
    page.fill("#name", "东西两片")
    page.locator("#datum").select_option("wgs84")
    page.set_input_files("#file", file)
    page.get_by_role("button", name="拟成草案").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("东西两片")
    expect(page.locator(".warning")).to_contain_text("现行有、草案没有的地")
    expect(page.locator(".map .stop")).to_have_count(1)
    looks_sound(browse, page, "zone-draft")
    page.get_by_role("link", name="去发布").click()
    looks_sound(browse, page, "zone-publish")
    page.get_by_role("button", name="发布").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("已发布")

    page.goto(house.at("/dispatch/zones/"))
    page.fill("#proposal_name", "请系统分")
    page.fill("#zones", "2")
    page.locator("#weigh_by").select_option("homes")
    page.get_by_role("button", name="开始划分").click()
    expect(page.get_by_role("status")).to_contain_text("排队中")
    browse.is_accessible(page)
    browse.shot(page, "dispatch-zone-job")
    run_due_jobs(house.ground)
    page.wait_for_url("**/dispatch/zones/drafts/*")
    expect(page.get_by_role("heading", level=1)).to_contain_text("请系统分")


def test_what_earlier_days_left_stands_with_its_reason_and_what_to_do(
    house: House, browse: Browse, day: WorkingDay
) -> None:
    """One in vain, one that no crew could take, one that nobody planned; two days later."""
    failed, _ = day.order(), day.order(day.restaurant((LARGE,)))
    first = day.round()
    in_vain = {"line_id": failed.line_ids[0], "reason": "no_access"}
    made(day.courier.post(day.at(f"orders/{failed.order_id}/failures"), in_vain))
    made(day.finish(first))
    day.order(hour=14)
    with clock.standing_at(THE_DAY + timedelta(days=2)):
        page = browse.page(house.cookie_of(day.dispatcher.principal_id))
        page.goto(house.at("/dispatch/left-over?day=2024-06-12"))
        expect(page.get_by_role("link", name="改时段")).to_have_count(2)
        expect(page.get_by_role("link", name="重新预约")).to_have_count(1)
        looks_sound(browse, page, "left-over")

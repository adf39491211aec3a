"""The regulator's face in a real browser: search, timeline and map, hazards, the evidence verified."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from core import clock
from core.auth import Role, ScopeKind
from core.ids import new_id
from cylinders.custody import Errand, Holder, record
from cylinders.models import CustodyConflict, Cylinder, FactKind, Hold
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from oversight.models import Look
from registry.models import HolderKind
from tests.browser.conftest import Browse, House
from tests.cast import CHANGNING, made
from tests.conftest import THE_DAY, doing_as
from tests.dispatch.checklist import answers, check, from_afar
from tests.dispatch.rounds.working_day import Booked, WorkingDay, a_check_that_finds

SIGNED = "d" * 64


@pytest.fixture
def day(house: House) -> WorkingDay:
    return WorkingDay(house.desk)


@pytest.fixture
def open_page(house: House, browse: Browse) -> Callable[..., Page]:
    """A page of the district's regulator; the same person each time."""
    person = house.desk.sign_in(Role.REGULATOR, district=f"{CHANGNING}")

    def opened(path: str = "/oversight/", **options: Any) -> Page:
        page = browse.page(house.cookie_of(person.principal_id), **options)
        page.goto(house.at(path))
        return page

    return opened


def looked_at(browse: Browse, page: Page, name: str) -> None:
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, f"regulator-{name}")


def a_leak(day: WorkingDay) -> tuple[Booked, Any, dict[str, Any]]:
    """A delivery withheld for a leak: its order, the bottle, the hazard that stands."""
    booked, bottle, _ = day.loaded()
    finds = a_check_that_finds("leak_test") | {"user_signature_sha256": SIGNED}
    made(day.deliver(booked, day.report(booked, bottle, check=finds, leak_test_passed=False)))
    [hazard] = day.cast.clerk.get(day.at("hazards")).get_json()["items"]
    return booked, bottle, hazard


@does("test.contradict")
def contradict(deed: Deed, cylinder_id: UUID) -> Answer:
    """Somebody who never had the bottle says they handed it to a household."""
    deed.about(SubjectType.CYLINDER, cylinder_id)
    cylinder = deed.db.get_one(Cylinder, cylinder_id)
    record(
        deed,
        cylinder,
        FactKind.DELIVER,
        giver=Holder(HolderKind.COURIER, new_id()),
        taker=Holder(HolderKind.HOUSEHOLD, new_id()),
        errand=Errand(),
    )
    return {}


def test_by_keyboard_from_a_code_to_the_trace_of_its_bottle(
    day: WorkingDay, open_page: Callable[..., Page], browse: Browse, db: Session
) -> None:
    booked, bottle, _ = day.loaded()
    made(day.deliver(booked, day.report(booked, bottle)))
    page = open_page()
    expect(page.locator("#q")).to_be_focused()
    looked_at(browse, page, "home")
    page.locator("#q").focus()
    page.keyboard.type(bottle.code)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/oversight/cylinders/{bottle.cylinder_id}")
    assert bottle.code not in page.url
    expect(page.locator(".tag.good").first).to_contain_text("审计链校验通过")
    steps = page.locator(".trace-steps > li")
    expect(steps.filter(has_text="上门配送")).to_have_count(1)
    expect(steps.filter(has_text=day.plate).first).to_be_visible()
    expect(page.locator("#map .stop").first).to_be_visible()
    looked_at(browse, page, "trace-cylinder")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement !== document.body")
    looks = db.scalars(sa.select(Look.subject_id)).all()
    assert looks == [bottle.cylinder_id]


def test_a_withheld_delivery_is_red_and_leads_to_its_hazard_and_the_printed_notice(
    day: WorkingDay, open_page: Callable[..., Page], browse: Browse
) -> None:
    booked, _, hazard = a_leak(day)
    page = open_page(f"/oversight/orders/{booked.order_id}")
    red = page.locator(".trace-steps > li.bad")
    expect(red).to_contain_text("不予供气")
    expect(red).to_contain_text("接口检漏无泄漏")
    looked_at(browse, page, "trace-order")
    red.get_by_role("link", name="隐患").click()
    page.wait_for_url(f"**/oversight/hazards/{hazard['id']}")
    expect(page.locator(".tag.bad").filter(has_text="停止供气")).to_be_visible()
    expect(page.get_by_text("签收").first).to_be_visible()
    looked_at(browse, page, "hazard")
    page.get_by_role("link", name="查看与打印").click()
    expect(page.locator("h1")).to_contain_text("整改通知书")
    expect(page.get_by_text("停止供应")).to_be_visible()
    looked_at(browse, page, "notice")
    page.emulate_media(media="print")
    expect(page.locator("header.top")).to_be_hidden()
    expect(page.locator(".print-only").first).to_be_visible()
    browse.shot(page, "regulator-notice-printed")


def test_a_household_s_file_is_masked_and_its_check_shows_who_signed(
    day: WorkingDay, open_page: Callable[..., Page], browse: Browse
) -> None:
    booked, _, _ = a_leak(day)
    household = str(booked.home.users.household_id)
    address = made(
        day.cast.confirmed(day.cast.clerk).post(
            day.at(f"households/{household}/reveals"),
            {"fields": ["address"], "reason": "audit", "purpose": "visit"},
        )
    )["address"]
    page = open_page()
    page.fill("#q", address)
    page.get_by_role("button", name="查询").click()
    page.wait_for_url(f"**/oversight/households/{household}")
    assert address not in page.content()
    expect(page.locator(".tag.bad").filter(has_text="停止供气")).to_be_visible()
    looked_at(browse, page, "trace-household")
    page.emulate_media(media="print")
    browse.shot(page, "regulator-trace-printed")
    page.emulate_media(media="screen")
    page.get_by_role("link", name="安检记录").first.click()
    expect(page.locator(".tag.good").first).to_contain_text("与签名时一致")
    expect(page.get_by_role("row", name="接口检漏无泄漏")).to_contain_text("缺照片")
    looked_at(browse, page, "check")


def test_the_register_shows_the_longest_overdue_first_and_closes_by_a_re_check(
    day: WorkingDay, house: House, open_page: Callable[..., Page], browse: Browse
) -> None:
    booked, _, hazard = a_leak(day)
    day.cast.clerk.post(day.at(f"hazards/{hazard['id']}/mendings"))
    inspector = house.desk.sign_in(Role.REGULATOR, district=f"{CHANGNING}")
    other = day.home()
    made(inspector.post(day.at("checks"), check(other.users.household_id, items=answers(hose_whole={}))))
    far = day.home()
    made(inspector.post(day.at("checks"), check(far.users.household_id, **from_afar("phone"))))
    later = THE_DAY + timedelta(days=9)
    with clock.standing_at(later):
        seen = check(booked.home.users.household_id, reason="recheck", checked_at=clock.stamp(later))
        made(inspector.post(day.at("checks"), seen))
        page = open_page("/oversight/hazards?overdue=1")
        rows = page.locator("tbody tr")
        expect(rows).to_have_count(2)
        expect(rows.first).to_contain_text("逾期 9 天")
        expect(rows.nth(1)).to_contain_text("逾期 2 天")
        looked_at(browse, page, "hazards")
        page.select_option("#grade", "major")
        page.get_by_role("button", name="筛选").click()
        assert "grade=major" in page.url
        expect(rows).to_have_count(1)
        rows.first.get_by_role("link").first.click()
        looked_at(browse, page, "hazard-mended")
        page.get_by_role("button", name="销号").click()
        expect(page.locator(".tag.good").first).to_contain_text("已销号")
        looked_at(browse, page, "hazard-closed")
        page.goto(house.at("/oversight/follow-ups"))
        expect(page.locator("tbody tr")).to_have_count(1)
        looked_at(browse, page, "follow-ups")
        page.goto(house.at("/oversight/hazards?untold=1&grade=general"))
        expect(page.locator(".empty")).to_contain_text("没有符合条件的隐患")


def test_a_re_check_is_recorded_on_its_form_and_closes_the_hazard(
    day: WorkingDay, house: House, open_page: Callable[..., Page], browse: Browse
) -> None:
    booked, _, hazard = a_leak(day)
    made(day.cast.clerk.post(day.at(f"hazards/{hazard['id']}/mendings")))
    with clock.standing_at(THE_DAY + timedelta(hours=1)):
        page = open_page(f"/oversight/hazards/{hazard['id']}")
        page.get_by_role("link", name="登记复查").click()
        looked_at(browse, page, "new-check")
        page.get_by_role("radio", name="复查").check()
        page.get_by_role("radio", name="到场").check()
        page.get_by_role("button", name="全部合格").click()
        page.fill("#burner_distance-measured", "800")
        page.fill("#hose_length-measured", "2300")
        page.get_by_role("button", name="登记", exact=False).last.click()
        summary = page.get_by_role("alert")
        expect(summary).to_contain_text("测量值超出规定")
        expect(summary).to_be_focused()
        looked_at(browse, page, "new-check-wrong")
        summary.get_by_role("link").click()
        page.fill("#hose_length-measured", "1500")
        page.get_by_role("button", name="登记", exact=False).last.click()
        page.wait_for_url("**/oversight/checks/*")
        expect(page.locator(".tag.good").first).to_contain_text("没有发现隐患")
        page.goto(house.at(f"/oversight/hazards/{hazard['id']}"))
        page.get_by_role("button", name="销号").click()
        expect(page.locator(".tag.good").first).to_contain_text("已销号")
    household = day.cast.clerk.get(day.at(f"households/{booked.home.users.household_id}/safety")).get_json()
    assert household["supply_stopped"] is False


def test_who_found_a_hazard_is_told_why_it_stays_open(day: WorkingDay, house: House, browse: Browse) -> None:
    home = day.home()
    finder = house.desk.sign_in(Role.REGULATOR, district=f"{CHANGNING}")
    [hazard] = made(
        finder.post(day.at("checks"), check(home.users.household_id, items=answers(leak_test={})))
    )["hazards"]
    made(day.cast.clerk.post(day.at(f"hazards/{hazard['id']}/mendings")))
    later = THE_DAY + timedelta(hours=3)
    with clock.standing_at(later):
        seen = check(home.users.household_id, reason="recheck", checked_at=clock.stamp(later))
        made(finder.post(day.at("checks"), seen))
        page = browse.page(house.cookie_of(finder.principal_id))
        page.goto(house.at(f"/oversight/hazards/{hazard['id']}"))
        page.get_by_role("button", name="销号").click()
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("不能由同一人复查或销号")
        expect(alert).to_be_focused()
        looked_at(browse, page, "hazard-not-closed")


def stands_on_hold(db: Session, cylinder_id: UUID) -> bool:
    standing = sa.exists().where(Hold.cylinder_id == cylinder_id, Hold.until_at.is_(None))
    return bool(db.scalar(sa.select(standing)))


def test_a_missing_link_is_a_row_of_its_own_and_the_conflict_is_settled_with_a_reason(
    day: WorkingDay, house: House, open_page: Callable[..., Page], browse: Browse, db: Session
) -> None:
    bottle = day.bottle()
    contradict(doing_as(house.ground, Role.ADMINISTRATOR, ScopeKind.ALL, ""), bottle.cylinder_id)
    page = open_page(f"/oversight/cylinders/{bottle.cylinder_id}")
    gap = page.locator(".trace-steps > li.gap")
    expect(gap).to_contain_text("缺一环")
    expect(gap).to_contain_text("去向矛盾")
    looked_at(browse, page, "trace-gap")
    page.goto(house.at("/oversight/conflicts"))
    looked_at(browse, page, "conflicts")
    before = db.scalars(sa.select(CustodyConflict)).one()
    page.locator(f"input[value='{before.fact_id}']").check()
    page.get_by_label("怎么查清的").select_option("seen_on_the_spot")
    page.get_by_role("button", name="已查清").click()
    expect(page.locator(".empty")).to_contain_text("没有待查清的气瓶")
    db.expire_all()
    conflict = db.scalars(sa.select(CustodyConflict)).one()
    assert (conflict.resolution, conflict.true_fact_id) == ("seen_on_the_spot", before.fact_id)
    assert not stands_on_hold(db, bottle.cylinder_id)
    looked_at(browse, page, "conflicts-settled")


def test_refusals_by_reason_tips_and_the_empty_states(
    day: WorkingDay, house: House, open_page: Callable[..., Page], browse: Browse
) -> None:
    page = open_page("/oversight/tips")
    expect(page.locator(".empty")).to_be_visible()
    looked_at(browse, page, "tips-empty")
    page.goto(house.at("/oversight/refusals"))
    expect(page.locator(".empty")).to_be_visible()
    booked = day.order()
    again = {
        "household_id": str(booked.home.users.household_id),
        "slot_id": day.slot(14),
        "purpose": "cooking",
        "channel": "counter",
        "card_ids": [str(booked.home.users.card_ids[0])],
    }
    number = day.cast.clerk.post(day.at("orders"), again).get_json()["refusal_no"]
    page.goto(house.at("/oversight/"))
    page.fill("#q", number)
    page.get_by_role("button", name="查询").click()
    page.wait_for_url(f"**/oversight/refusals/{number}")
    expect(page.locator(".marked")).to_contain_text(number)
    looked_at(browse, page, "refusals")
    page.goto(house.at("/oversight/"))
    page.fill("#q", "沪A00000")
    page.get_by_role("button", name="查询").click()
    expect(page.locator(".empty")).to_contain_text("没有查到")
    looked_at(browse, page, "nothing-found")
    page.fill("#q", day.plate)
    page.get_by_role("button", name="查询").click()
    page.wait_for_url(f"**/oversight/vehicles/{day.vehicle_id}")
    looked_at(browse, page, "vehicle")


def test_the_evidence_is_verified_and_a_touched_entry_is_named(
    day: WorkingDay, house: House, open_page: Callable[..., Page], browse: Browse, owner_engine: sa.Engine
) -> None:
    booked = day.order()
    page = open_page("/oversight/chain")
    page.get_by_role("button", name="现在校验").click()
    expect(page.get_by_role("status")).to_contain_text("审计链校验通过")
    looked_at(browse, page, "chain")
    with owner_engine.begin() as connection:
        connection.execute(sa.text("SET session_replication_role = replica"))
        touched = connection.scalar(
            sa.text(
                "UPDATE evidence_entry SET written = written || ' ' WHERE verb = 'order.book' RETURNING id"
            )
        )
    page.get_by_role("button", name="现在校验").click()
    expect(page.get_by_role("alert")).to_contain_text(f"{touched}")
    looked_at(browse, page, "chain-broken")
    page.goto(house.at(f"/oversight/orders/{booked.order_id}"))
    expect(page.locator(".tag.bad").first).to_contain_text("审计链校验未通过")


def test_without_script_the_trace_still_reads_and_only_the_map_is_missing(
    day: WorkingDay, open_page: Callable[..., Page]
) -> None:
    booked, bottle, _ = day.loaded()
    made(day.deliver(booked, day.report(booked, bottle)))
    page = open_page(f"/oversight/orders/{booked.order_id}", java_script_enabled=False)
    expect(page.locator(".trace-steps > li").filter(has_text="上门配送")).to_have_count(1)
    expect(page.locator(".places li").first).to_be_visible()


def test_a_street_s_curve_and_its_plan_are_read_without_a_script(
    house: House, open_page: Callable[..., Page], browse: Browse, day: WorkingDay
) -> None:
    day.home()
    page = open_page("/oversight/clear-out/", java_script_enabled=False)
    expect(page.get_by_role("img", name="月末在册户数")).to_be_visible()
    page = open_page("/oversight/clear-out/")
    looked_at(browse, page, "clear-out")
    page.get_by_role("link", name="改造计划", exact=False).first.click()
    page.get_by_label("计划编号").fill("GZ-2024-9")
    page.get_by_label("街镇代码").fill("310105001")
    page.select_option("#target", "electricity")
    page.get_by_label("开始").fill("2024-06-12")
    page.get_by_label("期限").fill("2024-12-31")
    looked_at(browse, page, "conversions")
    page.get_by_role("button", name="登记计划").click()
    page.get_by_role("button", name="开始实施").click()
    page.get_by_role("button", name="改造完毕").click()
    expect(page.get_by_role("alert")).to_contain_text("没有退户")
    looked_at(browse, page, "conversion")

"""Banned uses from report to notice by keyboard; the review list, the deposit, a document at the door."""

from playwright.sync_api import expect

from core.auth import Role
from tests.browser.conftest import Browse, House
from tests.cast import CHANGNING
from tests.dispatch.rounds.working_day import WorkingDay


def test_a_street_reports_a_use_and_gives_notice_of_it(house: House, browse: Browse) -> None:
    street = house.desk.sign_in(Role.REGULATOR, CHANGNING, street="310105001")
    page = browse.page(house.cookie_of(street.principal_id))
    page.goto(house.at("/oversight/bans/uses"))
    browse.is_accessible(page)
    page.get_by_label("何处").select_option("garage")
    for label, said in (("街镇代码", "310105001"), ("村居代码", "310105001001"), ("经度", "east")):
        page.get_by_label(label).fill(said)
    page.get_by_label("纬度").fill("31.2")
    page.get_by_label("坐标来自").select_option("wgs84")
    page.get_by_label("发现日").fill("2024-06-10")
    page.get_by_label("凭据编号").fill("PIC-7")
    page.get_by_role("button", name="上报").click()
    expect(page.locator(".summary")).to_be_focused()
    browse.is_accessible(page)
    page.get_by_label("经度").fill("121.4")
    page.get_by_role("button", name="上报").click()
    card = page.locator("article")
    expect(card).to_contain_text("待通知")
    card.locator("summary").focus()
    page.keyboard.press("Enter")
    page.get_by_label("通知书编号").fill("TZ-1")
    page.keyboard.press("Enter")
    expect(card).to_contain_text("限期清理")
    browse.is_accessible(page)
    browse.reflows(page)
    page.goto(house.at("/oversight/bans/accounts"))
    browse.is_accessible(page)
    authority = browse.page(
        house.cookie_of(house.desk.sign_in(Role.REGULATOR, CHANGNING, district="310105").principal_id)
    )
    authority.goto(house.at("/oversight/bans/areas"))
    for label, said in (
        ("名称", "样例片"),
        ("公告文号", "GG-1"),
        ("公告日", "2024-06-12"),
        ("生效日", "2024-12-31"),
    ):
        authority.get_by_label(label).fill(said)
    authority.get_by_label("坐标来自").select_option("wgs84")
    ring = "[[121.3, 31.1], [121.5, 31.1], [121.5, 31.3], [121.3, 31.1]]"
    authority.get_by_label("范围").fill(f'{{"type": "Polygon", "coordinates": [{ring}]}}')
    authority.get_by_role("button", name="公告").click()
    expect(authority.locator("article")).to_contain_text("未生效")
    authority.locator("article summary").click()
    browse.is_accessible(authority)
    browse.reflows(authority)
    browse.shot(authority, "regulator-areas")


def test_the_deposit_and_the_document_at_the_door(house: House, browse: Browse) -> None:
    day = WorkingDay(house.desk)
    booked, _, _ = day.loaded()
    desk = browse.page(house.cookie_of(day.cast.clerk.principal_id))
    desk.goto(house.at(f"/office/households/{booked.home.users.household_id}/deposit"))
    desk.get_by_label("事项").select_option("paid")
    desk.get_by_label("金额").fill("120.50")
    desk.get_by_label("收据编号").fill("SJ-1")
    desk.keyboard.press("Enter")
    expect(desk.locator("table")).to_contain_text("¥120.50")
    browse.is_accessible(desk)
    browse.reflows(desk)
    landlord = day.cast.person()
    desk.goto(house.at(f"/office/households/{booked.home.users.household_id}/letting?person={landlord}"))
    desk.locator("#reference").fill("ZL-1")
    desk.locator("#from_on").fill("2024-01-01")
    browse.is_accessible(desk)
    desk.locator("#until_on").fill("2025-12-31")
    desk.keyboard.press("Enter")
    expect(desk.locator("main")).to_contain_text("ZL-1")
    browse.is_accessible(desk)
    browse.reflows(desk)
    browse.shot(desk, "office-letting")
    phone = browse.page(house.cookie_of(day.courier.principal_id))
    phone.goto(house.at(f"/courier/orders/{booked.order_id}/identity"))
    phone.get_by_label("证件种类").select_option("passport")
    phone.get_by_label("证件号码").fill("E12345678")
    phone.keyboard.press("Enter")
    expect(phone.locator(".warning")).to_contain_text("不是登记人的证件")
    browse.is_accessible(phone)
    browse.reflows(phone)

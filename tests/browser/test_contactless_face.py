"""Without contact in a real browser: ticked when booking, left at the door, told on the voucher."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from core.sessions import SignedInBy
from dispatch.deliveries.models import Delivery
from dispatch.safety.models import SafetyCheck
from tests.browser.conftest import Browse, House
from tests.browser.test_courier_face import PHONE, Trip
from tests.browser.test_resident_face import as_resident, looked_at
from tests.cast import made
from tests.dispatch.rounds.working_day import Booked, WorkingDay


def booked_on_the_page(house: House, page: Page, day: WorkingDay, browse: Browse, home: Any) -> Booked:
    page.goto(house.at("/resident/book"))
    page.locator('input[name="slot"]').first.check()
    page.locator('input[name="purpose"]').first.check()
    page.get_by_label("无接触交接").check()
    page.get_by_role("button", name="下一步").click()
    expect(page.locator("main")).to_contain_text("安检仍需进屋")
    page.get_by_role("button", name="确认预约").click()
    page.wait_for_url("**/resident/orders/**")
    looked_at(browse, page, "contactless-booked")
    order_id = page.url.split("/orders/")[1].split("?")[0]
    found = day.resident(home).get(day.at(f"orders/{order_id}")).json
    return Booked(order_id, [line["id"] for line in found["lines"]], home)


def test_a_refill_is_ordered_left_at_the_door_and_its_voucher_says_so(house: House, browse: Browse) -> None:
    day = WorkingDay(house.desk)
    home = day.home()
    day.slot()
    resident = as_resident(house, browse, day, home)
    booked = booked_on_the_page(house, resident, day, browse, home)
    round_id, bottle = day.round(), day.bottle()
    made(day.load(round_id, booked.line_ids[0], bottle.code))

    cookie = house.cookie_of(day.courier.principal_id, SignedInBy.PASSWORD_AND_CODE)
    trip = Trip(house, browse, day, browse.page(cookie, **PHONE), [booked], [bottle], round_id)
    trip.go(f"/courier/orders/{booked.order_id}")
    expect(trip.page.get_by_role("note")).to_contain_text("无接触交接")
    trip.look("contactless-door")
    trip.press("我到门口了")
    trip.page.wait_for_url("**/who")
    trip.show_card(booked)
    trip.page.get_by_text("视频查的").click()
    trip.pass_check()
    trip.page.wait_for_url("**/bottles")
    trip.swap(booked)
    expect(trip.page.get_by_text("还差放好的气瓶的照片")).to_be_visible()
    photo = {"name": "door.jpg", "mimeType": "image/jpeg", "buffer": b"a photograph"}
    trip.page.set_input_files("#drop_file", files=[photo])  # type: ignore[list-item]
    trip.page.fill("#code", day.door_code(booked))
    trip.look("contactless-receipt")
    trip.press("签收，完成")
    expect(trip.page.get_by_role("status").first).to_contain_text("放在户门口")

    visit, check = trip.row(Delivery), trip.row(SafetyCheck)
    assert (visit.drop_place, len(visit.drop_photo_sha256), visit.proof_kind) == ("doorstep", 64, "door_code")
    assert (check.mode, check.follow_up_on is not None) == ("video", True)
    resident.goto(house.at(f"/resident/orders/{booked.order_id}"))
    expect(resident.locator("main")).to_contain_text("户门口")
    resident.get_by_role("link", name="购气凭证").click()
    expect(resident.locator("dl")).to_contain_text("无接触交接")
    looked_at(browse, resident, "contactless-voucher")

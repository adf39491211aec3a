"""无接触交接 on pages: ticked when booking, seen on the way; and slots whose rest is kept for others."""

import re
from datetime import timedelta
from uuid import UUID

import pytest

from core import clock, outbox
from core.ground import Ground
from dispatch.orders.models import Order, Slot
from tests.cast import made
from tests.conftest import THE_DAY
from tests.desk import Desk
from tests.dispatch.deliveries.test_left_at_the_door import DROP, left, switched_off
from tests.dispatch.rounds.working_day import WorkingDay
from tests.web.dispatcher_desk import DispatcherDesk
from tests.web.test_booking_pages import CHANGNING, TOMORROW, at_noon
from tests.web.test_resident_pages import booking, reader, rows


@pytest.fixture
def day(desk: Desk) -> WorkingDay:
    return WorkingDay(desk)


def kept_for_others(ground: Ground, slot: str) -> None:
    """What is left of it, one place, is kept for homes looked after first."""
    with ground.sessions() as db:
        row = db.get_one(Slot, (CHANGNING, UUID(slot)))
        row.taken, row.kept, row.kept_until = row.capacity - 1, 1, row.starts_at
        db.commit()


def test_a_tick_is_carried_from_the_form_to_the_order_and_to_who_waits_for_it(
    day: WorkingDay, ground: Ground
) -> None:
    home, slot = day.home(), day.slot()
    me = reader(day, home)
    page = me.get("/resident/book").text
    assert "无接触交接" in page
    assert "安检仍需进屋" in page
    asked = f"household={home.users.household_id}&slot={slot}&purpose=cooking&contactless=yes"
    page = me.get(f"/resident/book/check?{asked}").text
    assert '<input type="hidden" name="contactless" value="yes">' in page
    assert "安检仍需进屋" in page
    assert re.search(r'name="contactless"[^>]* checked', me.get(f"/resident/book?{asked}").text)
    booked = me.post("/resident/book", **booking(home, slot, contactless="yes"))
    [order] = rows(ground, Order)
    assert (booked.status_code, order.contactless) == (302, True)
    assert "无接触交接" in me.get(booked.location).text
    assert "无接触交接" in me.get(f"/resident/orders/{order.id}/slot").text
    outbox.deliver_due(ground, CHANGNING)
    assert "无接触交接：空瓶和用气卡请放门口" in (ground.config.state_dir / "messages.jsonl").read_text()
    here = DispatcherDesk(day.desk, day.dispatcher)
    assert "无接触交接" in here.look("/dispatch/bookings")


def test_the_same_once_more_keeps_the_wish_and_the_file_and_the_trace_tell_it(
    day: WorkingDay, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = day.home()
    booked, bottle, _ = day.loaded(home, contactless=True)
    made(day.arrive(booked))
    made(day.deliver(booked, left(day, booked, bottle, drop=DROP)))
    day.slot(10, TOMORROW)
    me = reader(day, home)
    page = at_noon(me)
    offer = page.split('aria-labelledby="again-1"')[1].split("</form>")[0]
    assert 'name="contactless" value="yes"' in offer
    assert "户门口" in me.get(f"/resident/orders/{booked.order_id}").text
    path = day.at(f"households/{home.users.household_id}")
    assert [one["contactless"] for one in day.cast.clerk.get(f"{path}/file").json["orders"]] == [True]
    with clock.standing_at(THE_DAY + timedelta(hours=3)):
        switched_off(monkeypatch)
        [again] = day.resident(home).get(f"{path}/repeats").json["items"]
    assert again["contactless"] is False, "what the place does not allow is not offered"
    assert "无接触交接" not in me.get("/resident/book").text
    outbox.deliver_due(ground, CHANGNING)
    assert "已送达1瓶，放在户门口，安检已做" in (ground.config.state_dir / "messages.jsonl").read_text()


def test_a_slot_whose_rest_is_kept_is_chosen_anew_with_everything_else_still_there(
    day: WorkingDay, ground: Ground
) -> None:
    home, slot = day.home(), day.slot(10, TOMORROW)
    day.slot(14, TOMORROW)
    kept_for_others(ground, slot)
    page = reader(day, home).post("/resident/book", **booking(home, slot, contactless="yes"))
    assert page.status_code == 409
    assert "余下的名额先留给重点照顾的家庭" in page.text
    assert re.search(r'value="cooking" checked', page.text)
    assert re.search(r'name="contactless"[^>]* checked', page.text)
    assert rows(ground, Order) == []


def test_the_hotline_tells_the_room_that_is_the_callers_and_books_without_contact(
    day: WorkingDay, desk: Desk, ground: Ground
) -> None:
    home, slot, kept = day.home(), day.slot(), day.slot(10, TOMORROW)
    kept_for_others(ground, kept)
    here, card = DispatcherDesk(desk, day.dispatcher), home.users.card_ids[0]
    found = here.send("/dispatch/hotline", "/dispatch/hotline/card", {"card": day.credential(card)}).text
    form = {
        "card": day.credential(card),
        "household_id": str(home.users.household_id),
        "card_ids": str(card),
        "slot_id": slot,
        "purpose": "cooking",
        "contactless": "yes",
    }
    booked = here.send("/dispatch/hotline", "/dispatch/hotline", form)
    said = here.look(booked.headers["Location"])
    assert "空瓶和用气卡请放门口" in said
    assert "安检仍需进屋" in said
    [order] = rows(ground, Order)
    assert (order.channel.value, order.contactless) == ("hotline", True)
    for page in (found, here.look(f"/dispatch/hotline/{order.id}/slot")):
        assert re.search(rf'value="{kept}" required disabled', page)
        assert "余下的留给重点户" in page
        assert "剩 1 瓶" not in page

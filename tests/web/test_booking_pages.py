"""Pages about a booking: another slot, the same once more, the voucher, somebody who books for another."""

import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.ground import Ground
from core.outbox import deliver_due
from dispatch.orders.models import Order, OrderLine, Slot
from evidence.models import Entry
from registry.models import Account
from registry.proxy_models import ProxyConsent
from registry.states import AccountState
from tests.cast import made
from tests.conftest import THE_DAY
from tests.desk import Desk
from tests.dispatch.rounds.working_day import Booked, Bottle, Home, WorkingDay
from tests.web.dispatcher_desk import DispatcherDesk
from tests.web.test_resident_pages import Reader, booking, reader, rows

CHANGNING = 310105
TOMORROW = THE_DAY.date() + timedelta(days=1)


@pytest.fixture
def day(desk: Desk) -> WorkingDay:
    return WorkingDay(desk)


def handed_over(day: WorkingDay, home: Home) -> tuple[Booked, Bottle]:
    booked, bottle, _ = day.loaded(home)
    made(day.deliver(booked, day.report(booked, bottle)))
    return booked, bottle


def at_noon(me: Reader, path: str = "/resident/") -> str:
    """When the slot it was delivered in has begun."""
    with clock.standing_at(THE_DAY + timedelta(hours=3)):
        return str(me.get(path).text)


def hidden(text: str) -> dict[str, str]:
    """What the offer's form would send."""
    form = text.split('aria-labelledby="again-1"')[1].split("</form>")[0]
    fields = re.findall(r'type="hidden" name="(household|slot|purpose|card)" value="([^"]*)"', form)
    return dict(fields)


# --- another slot -----------------------------------------------------------------------------------------


def test_a_resident_moves_a_booking_and_reads_when_it_is_now(day: WorkingDay, ground: Ground) -> None:
    home = day.home()
    booked, later = day.order(home), day.slot(14)
    me, path = reader(day, home), f"/resident/orders/{booked.order_id}"
    assert f"{path}/slot" in me.get(path).text
    page = me.get(f"{path}/slot").text
    assert "现在约的" in page
    assert re.search(rf'value="{day.slot(10)}" disabled', page)
    nothing = me.post(f"{path}/slot")
    assert nothing.status_code == 422
    assert "请选一个时段" in nothing.text
    moved = me.post(f"{path}/slot", slot=later)
    assert (moved.status_code, moved.location) == (302, f"{path}?moved=1")
    page = me.get(moved.location).text
    assert "时段改好了" in page
    assert "14:00–16:00" in page
    [order] = rows(ground, Order)
    assert order.slot_id == UUID(later)
    deliver_due(ground, CHANGNING)
    sent = (ground.config.state_dir / "messages.jsonl").read_text().splitlines()
    assert "预约已改时段：6月12日 14:00至16:00" in sent[-1]


def test_a_slot_lost_meanwhile_leaves_the_one_they_had(day: WorkingDay, ground: Ground) -> None:
    home = day.home()
    booked, later = day.order(home), day.slot(14)
    with ground.sessions() as db:
        row = db.get_one(Slot, (CHANGNING, UUID(later)))
        row.taken = row.capacity
        db.commit()
    me, path = reader(day, home), f"/resident/orders/{booked.order_id}/slot"
    day.slot(16)
    page = me.post(path, slot=later)
    assert page.status_code == 409
    assert "这个时段刚被约满" in page.text
    assert "原来的时段还在" in page.text
    assert rows(ground, Order)[0].slot_id == UUID(day.slot(10))


def test_bad_input_moves_nothing(day: WorkingDay, ground: Ground) -> None:
    home = day.home()
    booked = day.order(home)
    me = reader(day, home)
    day.slot(14)
    for slot in ("noon", "' OR 1=1", str(uuid4())):
        assert me.post(f"/resident/orders/{booked.order_id}/slot", slot=slot).status_code == 422, slot
    assert me.post(f"/resident/orders/{uuid4()}/slot", slot=day.slot(14)).status_code == 404
    assert [one for one in rows(ground, Entry) if one.verb == "order.change_slot"] == []


def test_the_hotline_moves_it_and_says_what_to_read_out(day: WorkingDay, desk: Desk, db: Session) -> None:
    booked, later = day.order(), day.slot(14)
    here = DispatcherDesk(desk, day.dispatcher)
    card = day.credential(booked.home.users.card_ids[0])
    found = here.send("/dispatch/hotline", "/dispatch/hotline/card", {"card": card}).text
    path = f"/dispatch/hotline/{booked.order_id}/slot"
    assert path in found
    moved = here.send(path, path, {"slot_id": later})
    assert moved.headers["Location"] == f"/dispatch/hotline/{booked.order_id}?moved=1"
    assert "给您改好了，6月12日14:00到16:00" in here.look(moved.headers["Location"])
    assert db.scalars(sa.select(Order)).one().slot_id == UUID(later)
    day.planned_round()
    theirs, own = reader(day, booked.home), f"/resident/orders/{booked.order_id}"
    assert f"{own}/slot" not in theirs.get(own).text, "what is planned has no link"
    page = theirs.post(f"{own}/slot", slot=day.slot(10))
    assert page.status_code == 409
    assert "已经排进配送趟次" in page.text
    assert page.text.count('class="button primary"') == 1
    refused = here.send(path, path, {"slot_id": day.slot(16)})
    assert refused.status_code == 409
    assert "对不起，这一单改不了：这一单已经排进配送趟次" in refused.text


# --- the same once more -----------------------------------------------------------------------------------


def test_the_last_delivery_is_offered_again_and_booked_by_one_button(day: WorkingDay, ground: Ground) -> None:
    home = day.home()
    handed_over(day, home)
    day.slot(14, TOMORROW)
    alike = day.slot(10, TOMORROW)
    me = reader(day, home)
    page = at_noon(me)
    assert "和上次一样再约一次" in page
    assert "2024年6月13日" in page
    assert "10:00–12:00" in page, "the same time of day, though another slot is free"
    assert page.count('class="primary"') + page.count('class="button primary"') == 1
    form = hidden(page)
    assert form == {
        "household": str(home.users.household_id),
        "slot": alike,
        "purpose": "cooking",
        "card": str(home.users.card_ids[0]),
    }
    again = me.post("/resident/book", **form)
    assert again.status_code == 302
    assert len(rows(ground, Order)) == 2
    assert "和上次一样再约一次" not in me.get("/resident/").text, "it is booked"


def test_what_is_offered_follows_what_there_is_and_a_voucher_is_printed(
    day: WorkingDay, ground: Ground
) -> None:
    home = day.home()
    me: Reader = reader(day, home)
    assert "和上次一样" not in at_noon(me), "nothing was delivered yet"
    booked, bottle = handed_over(day, home)
    assert "和上次一样" not in at_noon(me), "no slot is left"
    path = f"/api/v1/districts/310105/households/{home.users.household_id}/repeats"
    with ground.sessions() as db:
        row = db.get_one(Slot, (CHANGNING, UUID(day.slot(10, TOMORROW))))
        row.taken = row.capacity
        db.commit()
    other = day.slot(14, TOMORROW)
    page = at_noon(me)
    assert hidden(page)["slot"] == other
    assert "和上次同样时间的已约满" in page
    with clock.standing_at(THE_DAY + timedelta(hours=3)):
        [offer] = day.resident(home).get(path).json["items"]
        assert day.resident(day.home()).get(path).status_code == 404
    assert (offer["purpose"], offer["card_ids"]) == ("cooking", [str(home.users.card_ids[0])])
    with ground.sessions() as db:
        db.get_one(Account, (CHANGNING, home.users.account_id)).state = AccountState.SUSPENDED
        db.commit()
    assert "和上次一样" not in at_noon(me)
    order = f"/resident/orders/{booked.order_id}"
    link = re.findall(rf'href="({order}/vouchers/[^"]+)"', me.get(order).text)[0]
    page = me.get(link).text
    assert bottle.code[:4] in page
    assert 'class="qr"' in page
    assert "样例住户" not in page
    code = re.sub(r"\s", "", re.findall(r'voucher-code">([^<]+)<', page)[0])
    shown = me.get(f"/V/{code}")
    assert (shown.status_code, "凭证属实" in shown.text) == (200, True)
    assert reader(day, day.home()).get(link).status_code == 404
    assert me.get(f"{order}/vouchers/{uuid4()}").status_code == 404


# --- a proxy ----------------------------------------------------------------------------------------------


def test_a_proxy_is_named_agrees_and_books_on_pages(day: WorkingDay, ground: Ground) -> None:
    phone = "13800007777"
    elder, other = day.home(), day.cast.household(person=day.cast.registrant(phone=phone), exception=None)
    giver, proxy, slot = reader(day, elder), reader(day, day._with_bottles(other, ["YSP35.5"])), day.slot()
    assert "委托一位代办人" in giver.get("/resident/proxies").text
    nothing = giver.post("/resident/proxies", phone="", until_on="")
    assert nothing.status_code == 422
    form = {"phone": phone, "act": ["book", "receive"], "until_on": "2024-12-31"}
    assert giver.post("/resident/proxies", **form).status_code == 302
    assert "等对方同意" in giver.get("/resident/proxies").text
    assert "有人请您代办" in proxy.get("/resident/").text
    page = proxy.get("/resident/proxies").text
    answer = re.findall(r'action="(/resident/proxies/[^"]+/answer)"', page)[0]
    stranger = reader(day, day.home())
    assert stranger.post(answer, answer="yes").status_code == 404
    assert proxy.post(answer, answer="yes").status_code == 302
    household = str(elder.users.household_id)
    assert f"/resident/book?household={household}" in proxy.get("/resident/proxies").text
    assert proxy.get(f"/resident/book?household={household}").status_code == 200
    assert stranger.get(f"/resident/book?household={household}").status_code == 404
    assert proxy.post("/resident/book", **booking(elder, slot)).status_code == 302
    [order] = rows(ground, Order)
    assert str(order.household_id) == household
    assert order.id.hex[-8:].upper() in giver.get("/resident/orders").text
    assert proxy.get(f"/resident/orders/{order.id}").status_code == 200
    said = "这是您替别人家办的"
    assert (said in proxy.get("/resident/").text, said in giver.get("/resident/").text) == (True, False)
    with ground.sessions() as db:  # it is delivered; and they are to book only
        for state in ("loaded", "delivered"):
            db.execute(sa.update(OrderLine).where(OrderLine.order_id == order.id).values(state=state))
        db.execute(sa.update(ProxyConsent).values(may_receive=False))
        db.commit()
    for path, offered in (("/resident/", "气送到了，请确认"), (f"/resident/orders/{order.id}", "确认收到")):
        assert (offered in giver.get(path).text, offered in proxy.get(path).text) == (True, False), path
    end = re.findall(r'action="(/resident/proxies/[^"]+/end)"', giver.get("/resident/proxies").text)[0]
    assert stranger.post(end).status_code == 404
    assert giver.post(end).status_code == 302
    assert proxy.get(f"/resident/orders/{order.id}").status_code == 404
    assert "已经结束的" in proxy.get("/resident/proxies").text

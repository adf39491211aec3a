"""Pages about a booking that stands: another slot."""

import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.ground import Ground
from core.outbox import deliver_due
from dispatch.orders.models import Order, Slot
from evidence.models import Entry
from tests.conftest import THE_DAY
from tests.desk import Desk
from tests.dispatch.rounds.working_day import WorkingDay
from tests.web.dispatcher_desk import DispatcherDesk
from tests.web.test_resident_pages import reader, rows

CHANGNING = 310105
TOMORROW = THE_DAY.date() + timedelta(days=1)


@pytest.fixture
def day(desk: Desk) -> WorkingDay:
    return WorkingDay(desk)


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


def test_what_is_planned_has_no_link_and_says_why(day: WorkingDay, ground: Ground) -> None:
    home = day.home()
    booked, later = day.order(home), day.slot(14)
    day.planned_round()
    me, path = reader(day, home), f"/resident/orders/{booked.order_id}"
    assert f"{path}/slot" not in me.get(path).text
    page = me.post(f"{path}/slot", slot=later)
    assert page.status_code == 409
    assert "已经排进配送趟次" in page.text
    assert page.text.count('class="button primary"') == 1
    assert rows(ground, Order)[0].slot_id == UUID(day.slot(10))


@pytest.mark.parametrize("slot", ["noon", "' OR 1=1", str(uuid4())])
def test_bad_input_moves_nothing(day: WorkingDay, ground: Ground, slot: str) -> None:
    home = day.home()
    booked = day.order(home)
    me = reader(day, home)
    day.slot(14)
    assert me.post(f"/resident/orders/{booked.order_id}/slot", slot=slot).status_code == 422
    assert me.post(f"/resident/orders/{uuid4()}/slot", slot=slot).status_code in (404, 422)
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
    refused = here.send(path, path, {"slot_id": day.slot(16)})
    assert refused.status_code == 409
    assert "对不起，这一单改不了：这一单已经排进配送趟次" in refused.text

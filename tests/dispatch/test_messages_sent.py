"""Text messages of a day: sent after the commit, to the registrant, from what stands when they are sent."""

import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock, messages, outbox
from core.ground import Ground
from core.outbox import DeliveryState, OutboxDelivery, OutboxEvent
from evidence.models import Entry
from registry.models import Person
from registry.queries import phone_of
from tests.cast import made
from tests.conftest import CHANGNING, THE_DAY
from tests.desk import Desk
from tests.dispatch.rounds.working_day import Home, WorkingDay, a_check_that_finds


@pytest.fixture
def day(desk: Desk) -> WorkingDay:
    return WorkingDay(desk)


def hand_out(ground: Ground) -> None:
    outbox.deliver_due(ground, CHANGNING)


def sent(ground: Ground, topic: str = "") -> list[dict[str, Any]]:
    """What has left the house, oldest first."""
    hand_out(ground)
    file = ground.config.state_dir / messages.FILE
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    return [line for line in lines if line["topic"].startswith(topic)]


def phone(day: WorkingDay, home: Home, db: Session) -> str:
    found = phone_of(db, day.desk.ground, day.cast.registrant_of(home.users))
    assert found is not None
    return found


def test_a_booking_is_told_to_the_registrant(day: WorkingDay, ground: Ground, db: Session) -> None:
    booked = day.order()
    [message] = sent(ground)
    assert message["to"] == phone(day, booked.home, db)
    assert message["topic"] == "order.booked"
    assert "6月12日 10:00至12:00，1瓶" in message["zh"]
    assert "12 June 10:00 to 12:00" in message["en"]


def test_a_refused_booking_is_told_to_nobody(day: WorkingDay, ground: Ground) -> None:
    booked = day.order()
    sent(ground)
    again = {
        "household_id": str(booked.home.users.household_id),
        "slot_id": day.slot(14),
        "purpose": "cooking",
        "channel": "hotline",
        "card_ids": [str(card) for card in booked.home.users.card_ids],
    }
    assert day.cast.clerk.post(day.at("orders"), again).status_code == 409
    assert len(sent(ground)) == 1


def test_an_order_cancelled_before_it_is_told_is_not_told(day: WorkingDay, ground: Ground) -> None:
    booked = day.order()
    made(day.cast.clerk.post(day.at(f"orders/{booked.order_id}/cancellations")))
    assert sent(ground) == []


def test_the_door_code_reaches_the_registrant_and_nobody_else(
    day: WorkingDay, ground: Ground, db: Session
) -> None:
    booked, _, _ = day.loaded()
    made(day.arrive(booked))
    [message] = sent(ground, "door_code")
    code = day.door_code(booked)
    assert message["to"] == phone(day, booked.home, db)
    assert code in message["zh"]
    assert code in message["en"]
    told = db.scalars(sa.select(OutboxEvent.payload).where(OutboxEvent.topic == "door_code.issued")).one()
    assert code not in json.dumps(told)


def test_a_code_that_has_expired_meanwhile_is_not_told(day: WorkingDay, ground: Ground) -> None:
    booked, _, _ = day.loaded()
    made(day.arrive(booked))
    with clock.standing_at(THE_DAY + timedelta(minutes=11)):
        assert sent(ground, "door_code") == []


def test_a_handover_is_told(day: WorkingDay, ground: Ground) -> None:
    booked, bottle, _ = day.loaded()
    assert made(day.deliver(booked, day.report(booked, bottle)))["outcome"] == "delivered"
    [message] = sent(ground, "order.delivered")
    assert "6月12日 09:00已送达1瓶" in message["zh"]


def test_gas_withheld_and_its_notice_are_told(day: WorkingDay, ground: Ground) -> None:
    booked, bottle, _ = day.loaded()
    report = day.report(booked, bottle, check=a_check_that_finds("flame_failure_device", grade="major"))
    assert made(day.deliver(booked, report))["outcome"] == "withheld"
    [withheld], [notice] = sent(ground, "order.withheld"), sent(ground, "hazard.told")
    assert "不能供气" in withheld["zh"]
    assert "复查合格前暂停供气" in notice["zh"]
    assert "until a re-check has passed" in notice["en"]


def test_no_message_and_no_phone_stands_in_the_outbox_or_the_evidence(
    day: WorkingDay, ground: Ground, db: Session
) -> None:
    booked, bottle, _ = day.loaded()
    made(day.arrive(booked))
    made(day.deliver(booked, day.report(booked, bottle)))
    number = phone(day, booked.home, db)
    assert {message["to"] for message in sent(ground)} == {number}
    assert number not in json.dumps([row.payload for row in db.scalars(sa.select(OutboxEvent))])
    assert not [row for row in db.scalars(sa.select(Entry)) if number.encode() in row.written]


def test_the_erased_are_sent_nothing_and_nothing_is_stuck(
    day: WorkingDay, ground: Ground, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    day.order()
    monkeypatch.setattr("dispatch.orders.messages.phone_of", lambda *_: None)
    assert sent(ground) == []
    assert set(db.scalars(sa.select(OutboxDelivery.state))) == {DeliveryState.DONE}


def test_what_the_sink_cannot_take_is_tried_again(day: WorkingDay, ground: Ground, db: Session) -> None:
    day.order()
    broken = ground.config.state_dir / messages.FILE
    broken.mkdir()
    hand_out(ground)
    assert db.scalars(sa.select(OutboxDelivery.state)).one() is DeliveryState.DUE
    broken.rmdir()
    with clock.standing_at(THE_DAY + timedelta(seconds=10)):
        assert len(sent(ground)) == 1
    assert db.scalar(sa.select(sa.func.count()).select_from(Person)) == 1

"""Alarms of a dispatcher's day: each stands while its facts do, and is acknowledged once."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import Role
from core.ids import new_id
from cylinders.models import CustodyConflict, CustodyFact
from evidence.models import Entry, Outcome
from evidence.verify import verify
from oversight.models import AlarmNote
from tests.cast import made
from tests.conftest import CHANGNING, THE_DAY
from tests.desk import Desk
from tests.dispatch.rounds.working_day import WorkingDay, a_check_that_finds, codes


@pytest.fixture
def day(desk: Desk) -> WorkingDay:
    return WorkingDay(desk)


def alarms(day: WorkingDay, on: str = "2024-06-12") -> list[dict[str, Any]]:
    answer = day.dispatcher.get(day.at("alarms"), day=on)
    assert answer.status_code == 200, answer.text
    return list(answer.get_json()["items"])


def note(day: WorkingDay, alarm: dict[str, Any], **changed: Any) -> Any:
    said = {
        "day": "2024-06-12",
        "kind": alarm["kind"],
        "subject_id": alarm["subject_id"],
        "action": "user_called",
    }
    return day.dispatcher.post(day.at("alarm-notes"), said | changed)


def test_a_quiet_day_has_no_alarm(day: WorkingDay) -> None:
    day.loaded()
    assert alarms(day) == []


def test_an_order_is_late_once_its_slot_is_over_and_no_more_once_it_is_brought(day: WorkingDay) -> None:
    booked, bottle, _ = day.loaded()
    with clock.standing_at(THE_DAY + timedelta(hours=3)):
        [late] = [one for one in alarms(day) if one["kind"] == "order_late"]
        assert (late["order_id"], late["since"]) == (booked.order_id, "2024-06-12T12:00:00.000+08:00")
        made(day.deliver(booked, day.report(booked, bottle)))
        assert alarms(day) == []


def test_a_crew_on_the_road_that_says_nothing_for_long_is_silent(day: WorkingDay) -> None:
    _, _, round_id = day.loaded()
    planned = clock.at(clock.today()) + timedelta(hours=10)
    with clock.standing_at(planned + timedelta(minutes=44)):
        assert alarms(day) == []
    with clock.standing_at(planned + timedelta(minutes=46)):
        [silent] = alarms(day)
    assert (silent["kind"], silent["round_id"]) == ("crew_silent", round_id)


def test_gas_withheld_is_an_alarm(day: WorkingDay) -> None:
    booked, bottle, _ = day.loaded()
    check = a_check_that_finds("flame_failure_device", grade="major")
    made(day.deliver(booked, day.report(booked, bottle, check=check)))
    [alarm] = alarms(day)
    assert (alarm["kind"], alarm["subject_id"]) == ("gas_withheld", booked.line_ids[0])


def test_a_conflict_about_a_bottle_stands_until_it_is_resolved(day: WorkingDay, db: Session) -> None:
    bottle = day.bottle()
    fact_id = db.scalars(sa.select(CustodyFact.id).where(CustodyFact.cylinder_id == bottle.cylinder_id)).one()
    conflict = CustodyConflict(
        cylinder_id=bottle.cylinder_id,
        id=new_id(),
        fact_id=fact_id,
        district=CHANGNING,
        found_at=clock.now(),
    )
    db.add(conflict)
    db.commit()
    [alarm] = alarms(day)
    assert (alarm["kind"], alarm["cylinder_id"]) == ("custody_conflict", str(bottle.cylinder_id))
    assert alarms(day, "2024-06-13") == [], "it is today's, whatever day is looked at"
    conflict.resolved_at = clock.now()
    db.commit()
    assert alarms(day) == []


def test_what_was_done_is_kept_and_said_once(day: WorkingDay, db: Session) -> None:
    booked, _, _ = day.loaded()
    failed = {"line_id": booked.line_ids[0], "reason": "nobody_home"}
    made(day.courier.post(day.at(f"orders/{booked.order_id}/failures"), failed))
    [alarm] = alarms(day)
    assert (alarm["kind"], alarm["code"], alarm["note"]) == ("visit_failed", "nobody_home", None)
    done = made(note(day, alarm, note="改到下午"))
    assert (done["action"], done["note"]) == ("user_called", "改到下午")
    assert codes(note(day, alarm, action="rebooked")) == ["alarm.acknowledged_already"]
    [kept] = db.scalars(sa.select(AlarmNote))
    assert kept.action.value == "user_called"
    [seen] = alarms(day)
    assert seen["note"]["action"] == "user_called"
    entries = day.entries(db, "alarm.acknowledge")
    assert [entry.outcome for entry in entries] == [Outcome.DONE, Outcome.REFUSED]
    assert not list(verify(db))


def test_the_note_stands_in_no_evidence(day: WorkingDay, db: Session) -> None:
    booked = day.order()
    with clock.standing_at(THE_DAY + timedelta(hours=3)):
        [alarm] = alarms(day)
        made(note(day, alarm, note="a word nobody else says"))
    assert booked.order_id == alarm["order_id"]
    assert not [row for row in db.scalars(sa.select(Entry)) if b"nobody else says" in row.written]


def test_what_does_not_stand_cannot_be_acknowledged(day: WorkingDay, db: Session) -> None:
    booked = day.order()
    nothing = {"kind": "order_late", "subject_id": booked.order_id}
    assert note(day, nothing).status_code == 404
    assert note(day, nothing | {"subject_id": str(new_id())}).status_code == 404
    assert not list(db.scalars(sa.select(AlarmNote)))


def test_another_firms_alarms_are_not_there(day: WorkingDay, desk: Desk, db: Session) -> None:
    day.order()
    stranger = desk.sign_in(Role.DISPATCHER, firm=day.cast.another_firm())
    with clock.standing_at(THE_DAY + timedelta(hours=3)):
        [alarm] = alarms(day)
        assert stranger.get(day.at("alarms")).get_json()["items"] == []
        said = {"day": "2024-06-12", "action": "user_called", "kind": "order_late"}
        answer = stranger.post(day.at("alarm-notes"), said | {"subject_id": alarm["subject_id"]})
    assert answer.status_code == 404
    assert not list(db.scalars(sa.select(AlarmNote)))
    assert UUID(alarm["subject_id"])

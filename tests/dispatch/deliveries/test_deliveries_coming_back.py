"""Visits that supplied nobody, bottles that come back, and the story of a whole round."""

import threading
import time
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from core.auth import Role
from core.outbox import OutboxEvent
from cylinders.code import new_code
from dispatch.deliveries.models import CylinderLoad, LineLoad
from dispatch.orders.models import OrderLine
from dispatch.rounds.models import Round
from evidence.verify import verify
from tests.cast import CHANGNING, made
from tests.desk import Desk
from tests.dispatch.rounds.working_day import WorkingDay, a_check, codes


def line(db: Session, line_id: str) -> tuple[str, str | None]:
    row = db.scalars(sa.select(OrderLine).where(OrderLine.id == UUID(line_id))).one()
    db.refresh(row)
    return row.state.value, row.failure


def active_loads(db: Session) -> int:
    return len(list(db.scalars(sa.select(LineLoad).where(LineLoad.active)))) + len(
        list(db.scalars(sa.select(CylinderLoad).where(CylinderLoad.active)))
    )


def fail(day: WorkingDay, order_id: str, line_id: str, reason: str = "nobody_home") -> TestResponse:
    return day.courier.post(day.at(f"orders/{order_id}/failures"), {"line_id": line_id, "reason": reason})


def test_a_failed_visit_keeps_the_bottle_on_the_vehicle_until_it_is_scanned_back(
    day: WorkingDay, db: Session
) -> None:
    booked, bottle, round_id = day.loaded()
    failed = made(fail(day, booked.order_id, booked.line_ids[0]))
    assert (failed["state"], failed["failure"]) == ("failed", "nobody_home")
    assert day.holder(bottle.cylinder_id) == ("courier", day.bound.courier_id)
    assert codes(day.finish(round_id)) == ["round.bottles_on_vehicle"]
    made(day.bring_back(round_id, bottle.code))
    assert day.holder(bottle.cylinder_id) == ("site", day.cast.supply_point())
    assert line(db, booked.line_ids[0]) == ("failed", "nobody_home")
    assert active_loads(db) == 0
    assert made(day.finish(round_id))["state"] == "finished"
    assert not list(verify(db))


def test_a_withheld_bottle_comes_back_and_can_be_loaded_for_somebody_else(
    day: WorkingDay, db: Session
) -> None:
    booked, bottle, round_id = day.loaded()
    refused = day.report(booked, bottle, check=a_check(refused=True, items=[]))
    assert made(day.deliver(booked, refused))["outcome"] == "withheld"
    made(day.bring_back(round_id, bottle.code))
    made(day.finish(round_id))
    other = day.order()
    second = day.round(wave=2)
    made(day.load(second, other.line_ids[0], bottle.code))


def test_an_unvisited_bottle_brought_back_leaves_its_line_booked(day: WorkingDay, db: Session) -> None:
    booked, bottle, round_id = day.loaded()
    made(day.bring_back(round_id, bottle.code))
    assert line(db, booked.line_ids[0]) == ("booked", None)
    made(day.load(round_id, booked.line_ids[0], day.bottle().code))


def test_the_sites_clerk_may_take_a_bottle_back(day: WorkingDay, desk: Desk) -> None:
    _, bottle, round_id = day.loaded()
    clerk = desk.sign_in(Role.CLERK, site=day.cast.supply_point())
    made(clerk.post(day.at(f"rounds/{round_id}/returns"), {"code": bottle.code}))
    assert day.holder(bottle.cylinder_id) == ("site", day.cast.supply_point())


def test_a_bottle_that_is_not_on_the_vehicle_does_not_come_back_from_it(day: WorkingDay) -> None:
    _, _, round_id = day.loaded()
    standing = day.bottle()
    assert codes(day.bring_back(round_id, standing.code)) == ["return.not_on_vehicle"]
    assert codes(day.bring_back(round_id, "nothing of ours")) == ["return.not_on_vehicle"]
    assert day.holder(standing.cylinder_id) == ("site", day.cast.supply_point())


def test_a_bottle_received_at_the_sites_own_desk_frees_its_line_when_the_round_ends(
    day: WorkingDay, db: Session
) -> None:
    booked, bottle, round_id = day.loaded()
    clerk = day.desk.sign_in(Role.CLERK, site=day.cast.supply_point())
    made(clerk.post(f"/api/v1/sites/{day.cast.supply_point()}/receipts", {"code": bottle.code}))
    made(day.finish(round_id))
    assert line(db, booked.line_ids[0]) == ("booked", None)
    assert active_loads(db) == 0


def test_a_line_that_was_never_loaded_can_fail_too(day: WorkingDay, db: Session) -> None:
    booked = day.order()
    day.round()
    made(fail(day, booked.order_id, booked.line_ids[0], "no_bottle"))
    assert line(db, booked.line_ids[0]) == ("failed", "no_bottle")


def test_a_visit_is_made_on_the_road_a_courier_fails_none_before(day: WorkingDay, db: Session) -> None:
    booked = day.order()
    day.planned_round()
    assert codes(fail(day, booked.order_id, booked.line_ids[0])) == ["delivery.round_not_started"]
    assert line(db, booked.line_ids[0]) == ("booked", None)
    path, body = day.at(f"orders/{booked.order_id}/failures"), {"line_id": booked.line_ids[0]}
    made(day.dispatcher.post(path, body | {"reason": "vehicle_trouble"}))
    assert line(db, booked.line_ids[0]) == ("failed", "vehicle_trouble")


def test_a_bottle_reloaded_while_it_was_being_brought_back_frees_nobody_elses_line(
    day: WorkingDay, db: Session
) -> None:
    booked, bottle, round_id = day.loaded()
    moment = threading.Event()
    answers: list[TestResponse] = []

    def bring_back() -> None:
        moment.set()
        answers.append(day.bring_back(round_id, bottle.code))

    with day.desk.ground.sessions() as other:
        other.get_one(OrderLine, (CHANGNING, UUID(booked.line_ids[0])), with_for_update=True)
        desk = threading.Thread(target=bring_back)
        desk.start()
        moment.wait()
        wait_until_somebody_waits(day)
        other.execute(sa.update(CylinderLoad).values(line_id=uuid4()))
        other.commit()
        desk.join()
    assert codes(answers[0]) == ["state.changed_meanwhile"]
    assert line(db, booked.line_ids[0]) == ("loaded", None)
    assert day.holder(bottle.cylinder_id) == ("courier", day.bound.courier_id)


def wait_until_somebody_waits(day: WorkingDay) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with day.desk.ground.sessions() as db:
        while not db.scalar(sa.text(waiting)):
            db.rollback()
            time.sleep(0.01)


def test_a_label_that_is_nobodys_does_not_come_back_and_is_told(day: WorkingDay, db: Session) -> None:
    _, _, round_id = day.loaded()
    strange = new_code()
    assert codes(day.bring_back(round_id, strange)) == ["return.not_on_vehicle"]
    [event] = db.scalars(sa.select(OutboxEvent).where(OutboxEvent.topic == "cylinder.stranger_seen"))
    assert (event.payload["code"], event.payload["round_id"]) == (strange, round_id)


def test_a_delivered_line_does_not_fail(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    made(day.deliver(booked, day.report(booked, bottle)))
    assert codes(fail(day, booked.order_id, booked.line_ids[0])) == ["state.move_not_allowed"]
    assert line(db, booked.line_ids[0]) == ("delivered", None)


@pytest.mark.parametrize("who", ["colleague", "another firm's dispatcher"])
def test_strangers_fail_nothing(day: WorkingDay, desk: Desk, db: Session, who: str) -> None:
    booked, _, _ = day.loaded()
    stranger = (
        desk.sign_in(Role.COURIER, courier=day.cast.courier())
        if who == "colleague"
        else desk.sign_in(Role.DISPATCHER, firm=day.cast.another_firm())
    )
    body = {"line_id": booked.line_ids[0], "reason": "nobody_home"}
    assert stranger.post(day.at(f"orders/{booked.order_id}/failures"), body).status_code == 404
    assert line(db, booked.line_ids[0]) == ("loaded", None)


def test_the_dispatcher_may_fail_a_line_with_a_word_of_the_list(day: WorkingDay, db: Session) -> None:
    booked, _, _ = day.loaded()
    path = day.at(f"orders/{booked.order_id}/failures")
    body = {"line_id": booked.line_ids[0], "reason": "he was rude"}
    assert day.dispatcher.post(path, body).status_code == 422
    made(day.dispatcher.post(path, body | {"reason": "wrong_address"}))
    assert line(db, booked.line_ids[0]) == ("failed", "wrong_address")


def test_a_whole_round(day: WorkingDay, db: Session) -> None:
    """One delivered by door code, one withheld, one nobody home; the vehicle comes back empty."""
    orders = [day.order() for _ in range(3)]
    round_id = day.round()
    carried = [day.bottle() for _ in orders]
    for order, bottle in zip(orders, carried, strict=True):
        made(day.load(round_id, order.line_ids[0], bottle.code))
    made(day.arrive(orders[0]))
    proof: dict[str, Any] = {"proof": {"kind": "door_code", "value": day.door_code(orders[0])}}
    outcomes = [
        made(day.deliver(orders[0], day.report(orders[0], carried[0], **proof)))["outcome"],
        made(
            day.deliver(orders[1], day.report(orders[1], carried[1], check=a_check(refused=True, items=[])))
        )["outcome"],
        made(fail(day, orders[2].order_id, orders[2].line_ids[0]))["state"],
    ]
    assert outcomes == ["delivered", "withheld", "failed"]
    still_there = codes(day.finish(round_id))
    assert still_there == ["round.bottles_on_vehicle"]
    for code in (carried[1].code, carried[2].code, orders[0].home.empties[0]):
        made(day.bring_back(round_id, code))
    made(day.finish(round_id))
    assert [one.state.value for one in db.scalars(sa.select(Round))] == ["finished"]
    assert active_loads(db) == 0
    assert not list(verify(db))

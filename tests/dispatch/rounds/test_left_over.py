"""Nothing is lost: an order whose day passed is listed with its reason until it has another slot."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import Role
from core.ids import new_id
from core.outbox import OutboxEvent
from dispatch.rounds.models import RoundPlan
from dispatch.rounds.states import PlanState
from tests.cast import made
from tests.conftest import THE_DAY
from tests.desk import Desk, Person
from tests.dispatch.rounds.working_day import LARGE, Home, WorkingDay
from tests.web.dispatcher_desk import DispatcherDesk

TOMORROW = THE_DAY + timedelta(days=1)
THE_DAY_AFTER = TOMORROW + timedelta(days=1)


def left(day: WorkingDay, by: Person | None = None) -> dict[str, tuple[str, str | None, bool]]:
    answer = (by or day.dispatcher).get(day.at("left-over-orders"))
    assert answer.status_code == 200, answer.text
    items = answer.get_json()["items"]
    assert all(one["zh"] and one["en"] for one in items)
    return {one["order_id"]: (one["why"], one["detail"], one["may_move"]) for one in items}


def balance(day: WorkingDay, of: str = "2024-06-12") -> dict[str, Any]:
    answer = day.dispatcher.get(day.at("day-balances"), day=of)
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def test_what_a_day_left_is_listed_on_the_next_with_its_reason_until_it_has_another_slot(
    day: WorkingDay, desk: Desk, db: Session
) -> None:
    failed, back, large = day.order(), day.order(), day.order(day.restaurant((LARGE,)))
    first = day.round()
    [line] = failed.line_ids
    made(
        day.courier.post(
            day.at(f"orders/{failed.order_id}/failures"), {"line_id": line, "reason": "no_access"}
        )
    )
    made(day.finish(first))
    unbegun = day.order(hour=14)
    day.planned_round(wave=2)
    # the round that came back has let it go: the second plan has it again, with what was booked since
    unplanned = day.order(hour=14)
    assert left(day) == {}, "today's board has today's orders"
    assert balance(day, "2024-06-13")["carried"] == 0, "today's are not left before today is over"
    with clock.standing_at(TOMORROW):
        found = left(day)
        assert found == {
            failed.order_id: ("visit_failed", "no_access", False),
            back.order_id: ("not_set_out", None, True),
            large.order_id: ("not_in_the_plan", "no_vehicle_can_carry", True),
            unbegun.order_id: ("not_set_out", None, True),
            unplanned.order_id: ("not_planned", None, True),
        }
        sums = balance(day)
        assert (sums["booked"], sums["by_state"], sums["waiting"], sums["left"]) == (5, {"failed": 1}, 0, 4)
        assert sums["left_why"] == {"not_set_out": 2, "not_in_the_plan": 1, "not_planned": 1}
        assert (sums["rounds"], sums["rounds_not_in"], sums["is_closed"]) == (2, 1, False)
        assert balance(day, "2024-06-13")["carried"] == 4
        here = DispatcherDesk(desk, day.dispatcher)
        board, page = here.look("/dispatch/"), here.look("/dispatch/left-over?day=2024-06-12")
        for shown in (board, page):
            assert unplanned.order_id[-8:].upper() in shown
            assert "没有排进任何方案" in shown
            assert "进不去" in shown
        assert "前几天没送到" not in here.look("/dispatch/?day=2024-06-12")

        told = sa.select(sa.func.count()).select_from(OutboxEvent).where(OutboxEvent.topic == "order.moved")
        before = db.scalar(told)
        wanted = {"slot_id": day.slot(16)}
        for order in (unplanned, unbegun):
            made(day.dispatcher.post(day.at(f"orders/{order.order_id}/slot-changes"), wanted))
        assert set(left(day)) == set(found) - {unplanned.order_id, unbegun.order_id}
        assert db.scalar(told) == (before or 0) + 2, "the household is told"
        made(day.cast.clerk.post(day.at(f"orders/{back.order_id}/cancellations")))
        again = day.order(failed.home, hour=16)
        assert set(left(day)) == {large.order_id}, "done, or booked again"
        assert again.order_id not in left(day)
        rival = desk.sign_in(Role.DISPATCHER, firm=day.cast.another_firm())
        assert left(day, rival) == {}, "another firm's are its own"


@pytest.mark.parametrize("way", ["no_crew", "still_out"])
def test_where_nobody_could_come_or_nobody_came_back_it_says_so(day: WorkingDay, way: str) -> None:
    if way == "no_crew":
        assert day.dispatcher.post(day.at(f"bindings/{day.bound.binding_id}/end")).status_code == 200
    order = day.order()
    if way == "still_out":
        day.round()
    with clock.standing_at(TOMORROW):
        assert left(day) == {order.order_id: (way, None, way == "no_crew")}


def test_a_day_is_closed_once_each_of_its_orders_stands_elsewhere(day: WorkingDay) -> None:
    """A round that never set out holds no day open; an order moved on is judged by its new day."""
    unbegun = day.order(hour=14)
    day.planned_round()
    back = day.order(hour=14)
    made(day.finish(day.round(wave=2)))
    with clock.standing_at(TOMORROW):
        assert left(day) == {
            back.order_id: ("brought_back", None, True),
            unbegun.order_id: ("not_set_out", None, True),
        }
        made(day.cast.clerk.post(day.at(f"orders/{unbegun.order_id}/cancellations")))
        assert not balance(day)["is_closed"]
        made(day.dispatcher.post(day.at(f"orders/{back.order_id}/slot-changes"), {"slot_id": day.slot(10)}))
        sums = balance(day)
        assert (sums["rounds"], sums["rounds_not_in"], sums["left"], sums["is_closed"]) == (2, 0, 0, True)
    with clock.standing_at(THE_DAY_AFTER):
        assert left(day) == {back.order_id: ("not_planned", None, True)}, "that round was of another day"


def test_a_visit_in_vain_is_listed_until_that_card_is_booked_again(day: WorkingDay) -> None:
    """Another card of the same kitchen, or a booking that was cancelled, hides nothing."""
    home = day.restaurant()
    first, second = home.users.card_ids
    failed = made(day.cast.clerk.post(day.at("orders"), booking(day, home, first)))
    day.round()
    body = {"line_id": failed["lines"][0]["id"], "reason": "no_access"}
    made(day.courier.post(day.at(f"orders/{failed['id']}/failures"), body))
    made(day.cast.clerk.post(day.at("orders"), booking(day, home, second)))
    with clock.standing_at(TOMORROW):
        again = made(day.cast.clerk.post(day.at("orders"), booking(day, home, first)))
        assert failed["id"] not in left(day)
        made(day.cast.clerk.post(day.at(f"orders/{again['id']}/cancellations")))
        assert left(day)[failed["id"]] == ("visit_failed", "no_access", False)


def booking(day: WorkingDay, home: Home, card: UUID) -> dict[str, Any]:
    said = {"purpose": "cooking", "channel": "hotline", "card_ids": [str(card)]}
    return said | {"household_id": str(home.users.household_id), "slot_id": day.slot(16)}


def test_the_last_plans_word_counts_and_an_applied_ones_before_it(day: WorkingDay, db: Session) -> None:
    """What a later plan found room for is not left out by the plans of that day."""
    large = day.order(day.restaurant((LARGE,)))
    day.plan()
    found = {large.order_id: ("not_in_the_plan", "no_vehicle_can_carry", True)}
    with clock.standing_at(TOMORROW):
        assert left(day) == found
    [plan] = db.scalars(sa.select(RoundPlan))
    copied = {column.key: getattr(plan, column.key) for column in RoundPlan.__table__.columns}
    copied |= {"id": new_id(), "unserved": [], "recorded_at": plan.recorded_at + timedelta(minutes=1)}
    copied["problem"] = plan.problem | {"stops": [{"id": large.order_id}]}
    db.add(RoundPlan(**copied))
    db.commit()
    with clock.standing_at(TOMORROW):
        assert left(day) == {large.order_id: ("not_planned", None, True)}
    plan.state = PlanState.APPLIED
    db.commit()
    with clock.standing_at(TOMORROW):
        assert left(day) == found

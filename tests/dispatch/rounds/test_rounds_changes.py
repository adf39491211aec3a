"""A day under way, changed: an order that cannot wait, a crew lost; proposed first, then done, or not."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from core import clock
from core.auth import Role
from dispatch.rounds.models import Round, RoundChange, RoundStop
from evidence.models import Link, SubjectType
from routing import Plan, Problem, check
from tests.cast import Bound, made
from tests.desk import Person
from tests.dispatch.rounds.working_day import Booked, WorkingDay, codes


def propose(day: WorkingDay, **event: Any) -> TestResponse:
    body = {"zone_id": str(day.bound.zone_id)} | {name: str(value) for name, value in event.items()}
    return day.dispatcher.post(day.at("round-changes"), body)


def apply(day: WorkingDay, change: dict[str, Any]) -> TestResponse:
    return day.dispatcher.post(day.at(f"round-changes/{change['id']}/applications"))


def stands_on(db: Session, order: Booked) -> UUID | None:
    """The round the order stands on now."""
    db.expire_all()
    return db.scalar(
        sa.select(RoundStop.round_id).where(RoundStop.order_id == UUID(order.order_id), RoundStop.active)
    )


def seats(db: Session, round_id: Any) -> list[tuple[int, int, UUID]]:
    db.expire_all()
    rows = db.scalars(
        sa.select(RoundStop)
        .where(RoundStop.round_id == UUID(str(round_id)), RoundStop.active)
        .order_by(RoundStop.trip, RoundStop.position)
    )
    return [(row.trip, row.position, row.order_id) for row in rows]


def another_crew(day: WorkingDay) -> tuple[Bound, Person]:
    bound = day.cast.bind()
    return bound, day.cast.signed_in_courier(bound.courier_id)


def lose(day: WorkingDay) -> dict[str, Any]:
    return made(propose(day, binding_id=day.bound.binding_id))


def end(day: WorkingDay) -> None:
    """The courier's binding, now."""
    ended = day.dispatcher.post(day.at(f"bindings/{day.bound.binding_id}/end"))
    assert ended.status_code == 200, ended.text


# --- an urgent order --------------------------------------------------------------------------------------


def test_an_urgent_order_joins_a_round_and_nobody_else_changes_crew(day: WorkingDay, db: Session) -> None:
    told = [day.order() for _ in range(3)]
    round_id, urgent = day.round(), day.order()

    change = made(propose(day, order_id=urgent.order_id))
    assert (change["kind"], change["state"], change["churn"]["other_crew"]) == ("urgent_order", "proposed", 0)
    [moved] = change["moved"]
    assert (moved["order_id"], moved["from_binding_id"]) == (urgent.order_id, None)
    assert stands_on(db, urgent) is None  # a proposal sends nobody anywhere

    assert made(apply(day, change))["round_ids"] == [round_id]
    assert str(stands_on(db, urgent)) == round_id
    assert {order for _, _, order in seats(db, round_id)} == {UUID(one.order_id) for one in [*told, urgent]}
    [kept] = db.scalars(sa.select(RoundChange))
    assert not check(Problem.from_plain(kept.problem), Plan.from_plain(kept.plan))

    view = day.courier.get(day.at(f"rounds/{round_id}")).get_json()
    arrivals = [stop["arrive_at"] for stop in view["stops"]]
    assert arrivals == sorted(arrivals)
    assert len(arrivals) == 4
    bottle = day.bottle()
    made(day.load(round_id, urgent.line_ids[0], bottle.code))  # and it is brought like any other


def test_the_same_change_is_made_once(day: WorkingDay, db: Session) -> None:
    day.order()
    round_id, urgent = day.round(), day.order()
    first, second = (made(propose(day, order_id=urgent.order_id)) for _ in range(2))
    made(apply(day, first))
    before = seats(db, round_id)
    assert codes(apply(day, second)) == ["plan.stale"]
    assert codes(apply(day, first)) == ["plan.stale"]
    assert seats(db, round_id) == before


def test_what_is_on_the_road_is_joined_by_nothing_that_is_not_on_board(day: WorkingDay, db: Session) -> None:
    first, second = day.order(), day.order()
    round_id = day.round()
    for order in (first, second):
        made(day.load(round_id, order.line_ids[0], day.bottle().code))
    made(day.courier.post(day.at(f"rounds/{round_id}/manifests")))
    urgent = day.order()

    change = made(propose(day, order_id=urgent.order_id))
    made(apply(day, change))
    by_order = {order: trip for trip, _, order in seats(db, round_id)}
    assert by_order[UUID(first.order_id)] == by_order[UUID(second.order_id)] == 1
    assert by_order[UUID(urgent.order_id)] == 2


def test_who_has_set_out_since_the_proposal_takes_nothing_more(day: WorkingDay, db: Session) -> None:
    order = day.order()
    round_id, urgent = day.round(), day.order()
    change = made(propose(day, order_id=urgent.order_id))
    made(day.load(round_id, order.line_ids[0], day.bottle().code))
    made(day.courier.post(day.at(f"rounds/{round_id}/manifests")))
    assert codes(apply(day, change)) == ["plan.stale"]
    assert stands_on(db, urgent) is None


def test_a_door_that_is_done_with_meanwhile_is_no_hindrance(day: WorkingDay, db: Session) -> None:
    day.order()
    booked, bottle, round_id = day.loaded()
    urgent = day.order(hour=14)
    change = made(propose(day, order_id=urgent.order_id))
    with clock.standing_at(clock.now() + timedelta(hours=1)):
        made(day.arrive(booked))
        made(day.deliver(booked, day.report(booked, bottle)))
        made(apply(day, change))
    assert str(stands_on(db, urgent)) == round_id
    assert str(stands_on(db, booked)) == round_id


# --- a crew lost ------------------------------------------------------------------------------------------


def test_what_a_lost_crew_has_not_loaded_goes_to_the_others(day: WorkingDay, db: Session) -> None:
    orders = [day.order() for _ in range(3)]
    lost_round = day.round()
    made(day.load(lost_round, orders[0].line_ids[0], day.bottle().code))
    bound, courier = another_crew(day)

    change = lose(day)
    assert change["stranded"] == [orders[0].order_id]
    assert {one["order_id"] for one in change["moved"]} == {one.order_id for one in orders[1:]}
    assert {one["to_binding_id"] for one in change["moved"]} == {str(bound.binding_id)}
    made(apply(day, change))

    assert str(stands_on(db, orders[0])) == lost_round
    rounds = {stands_on(db, one) for one in orders[1:]}
    assert len(rounds) == 1
    [other] = rounds
    assert db.get_one(Round, (day.cast.district, other)).binding_id == bound.binding_id
    shown = day.courier.get(day.at(f"rounds/{lost_round}")).get_json()["stops"]
    assert [stop["order_id"] for stop in shown] == [orders[0].order_id]

    plate = day.plate_of(bound.vehicle_id)
    made(courier.post(day.at(f"rounds/{other}/starts"), {"plate": plate}))
    made(day.load(str(other), orders[1].line_ids[0], day.bottle().code, by=courier))


def test_what_nobody_can_take_may_be_planned_again(day: WorkingDay, db: Session) -> None:
    orders = [day.order() for _ in range(2)]
    day.round()
    change = lose(day)
    assert {one["order_id"] for one in change["unserved"]} == {one.order_id for one in orders}
    made(apply(day, change))
    assert [stands_on(db, one) for one in orders] == [None, None]

    another_crew(day)
    again = day.plan(wave=2)
    assert {stop["order_id"] for trip in again["trips"] for stop in trip["stops"]} == {
        one.order_id for one in orders
    }


def test_a_crew_whose_binding_has_ended_hands_on_what_it_never_began(day: WorkingDay, db: Session) -> None:
    order = day.order()
    round_id = day.planned_round()
    bound, _ = another_crew(day)
    end(day)
    assert codes(day.start(round_id)) == ["round.no_binding"]
    made(apply(day, lose(day)))
    round = db.get_one(Round, (day.cast.district, stands_on(db, order)))
    assert (str(round.id) != round_id, round.binding_id) == (True, bound.binding_id)
    assert codes(propose(day, binding_id=day.bound.binding_id)) == ["change.nothing_to_hand_on"]


def test_what_a_crew_that_is_gone_leaves_to_nobody_waits_again(day: WorkingDay, db: Session) -> None:
    first = day.order()
    day.planned_round()
    second = day.order()
    day.planned_round(wave=2)
    end(day)
    for _ in range(2):  # one round after the other
        made(apply(day, lose(day)))
    assert [stands_on(db, one) for one in (first, second)] == [None, None]
    another_crew(day)
    again = day.plan(wave=3)
    assert {stop["order_id"] for trip in again["trips"] for stop in trip["stops"]} == {
        first.order_id,
        second.order_id,
    }


def test_a_round_nobody_began_on_its_day_lets_an_order_go_that_is_moved(day: WorkingDay, db: Session) -> None:
    order = day.order()
    round_id = day.planned_round()
    tomorrow = clock.today() + timedelta(days=1)
    path, slot = day.at(f"orders/{order.order_id}/slot-changes"), {"slot_id": day.slot(day=tomorrow)}
    assert codes(day.dispatcher.post(path, slot)) == ["order.planned_already"]
    with clock.standing_at(clock.now() + timedelta(days=1)):
        assert codes(day.start(round_id)) == ["round.not_today"]
        made(day.dispatcher.post(path, slot))
        assert stands_on(db, order) is None
        again = day.plan()
    assert [stop["order_id"] for trip in again["trips"] for stop in trip["stops"]] == [order.order_id]


def test_what_a_round_was_relieved_of_may_come_back_to_it(day: WorkingDay, db: Session) -> None:
    first, second = day.order(), day.order()
    round_id = day.round()
    made(apply(day, lose(day)))
    for order in (second, first):  # the vehicle is mended
        made(apply(day, made(propose(day, order_id=order.order_id))))
    assert {order for _, _, order in seats(db, round_id)} == {UUID(first.order_id), UUID(second.order_id)}
    assert [position for _, position, _ in seats(db, round_id)] == [1, 2]


def test_a_proposal_of_yesterday_moves_nothing(day: WorkingDay, db: Session) -> None:
    day.order()
    day.round()
    urgent = day.order()
    change = made(propose(day, order_id=urgent.order_id))
    with clock.standing_at(clock.now() + timedelta(days=1)):
        assert codes(apply(day, change)) == ["plan.stale"]
    assert stands_on(db, urgent) is None


def test_a_door_added_to_an_open_list_is_shown_on_record(day: WorkingDay, db: Session) -> None:
    order = day.order()
    round_id = day.round()
    made(day.load(round_id, order.line_ids[0], day.bottle().code))
    made(day.courier.post(day.at(f"rounds/{round_id}/manifests")))
    urgent = day.order()
    made(apply(day, made(propose(day, order_id=urgent.order_id))))
    entry = day.entries(db, "plan.apply")[-1]
    named = db.scalars(
        sa.select(Link.subject_key).where(
            Link.entry_id == entry.id, Link.subject_type == SubjectType.HOUSEHOLD
        )
    )
    assert list(named) == [str(urgent.home.users.household_id)]
    assert json.loads(entry.written)["payload"]["revealed"] == "manifest"


def test_a_bottle_loaded_since_stays_where_it_is(day: WorkingDay, db: Session) -> None:
    order = day.order()
    round_id = day.round()
    another_crew(day)
    change = lose(day)
    made(day.load(round_id, order.line_ids[0], day.bottle().code))
    assert codes(apply(day, change)) == ["plan.stale"]
    assert str(stands_on(db, order)) == round_id


def test_a_crew_that_is_gone_takes_nothing(day: WorkingDay, db: Session) -> None:
    order = day.order()
    round_id = day.round()
    bound, _ = another_crew(day)
    change = lose(day)
    assert day.dispatcher.post(day.at(f"bindings/{bound.binding_id}/end")).status_code == 200
    assert codes(apply(day, change)) == ["plan.crew_changed"]
    assert str(stands_on(db, order)) == round_id


# --- what cannot be asked ---------------------------------------------------------------------------------


def test_what_does_not_wait_and_who_does_not_drive_are_named(day: WorkingDay, db: Session) -> None:
    order = day.order()
    assert codes(propose(day, binding_id=day.bound.binding_id)) == ["change.nothing_to_hand_on"]
    day.round()
    assert codes(propose(day, order_id=order.order_id)) == ["change.order_not_waiting"]
    tomorrow = day.order(day=clock.today() + timedelta(days=1))
    assert codes(propose(day, order_id=tomorrow.order_id)) == ["change.order_not_waiting"]
    assert codes(propose(day, order_id=uuid4())) == ["change.order_not_waiting"]
    assert codes(propose(day, binding_id=uuid4())) == ["change.no_such_crew"]
    assert db.scalar(sa.select(sa.func.count()).select_from(RoundChange)) == 0


@pytest.mark.parametrize("event", [{}, {"order_id": uuid4(), "binding_id": uuid4()}])
def test_one_event_at_a_time(day: WorkingDay, event: dict[str, Any]) -> None:
    answer = propose(day, **event)
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.get_json()["errors"]] == ["/order_id"]


def test_another_firm_neither_proposes_nor_reads_nor_applies(day: WorkingDay) -> None:
    day.order()
    day.round()
    change = made(propose(day, order_id=day.order().order_id))
    stranger = day.desk.sign_in(Role.DISPATCHER, firm=str(day.cast.another_firm()))
    asked = {"zone_id": str(day.bound.zone_id), "order_id": str(uuid4())}
    assert stranger.post(day.at("round-changes"), asked).status_code == 422
    assert stranger.get(day.at(f"round-changes/{change['id']}")).status_code == 404
    assert stranger.post(day.at(f"round-changes/{change['id']}/applications")).status_code == 404

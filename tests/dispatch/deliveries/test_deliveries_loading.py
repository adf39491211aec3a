"""Loading: one bottle for one order line, on a vehicle that may carry it, by a courier who may drive it."""

import threading
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from core import clock
from core.auth import Role
from core.outbox import OutboxEvent
from cylinders import acts as bottles
from cylinders.code import new_code
from cylinders.models import CustodyConflict
from dispatch.deliveries import loads
from dispatch.deliveries.models import CylinderLoad, LineLoad
from dispatch.orders.models import Order, OrderLine
from evidence.models import Link, Outcome, SubjectType
from evidence.verify import verify
from registry.models import Binding, Staff, Vehicle
from rulebook.models import Decision
from tests.cast import CHANGNING, made
from tests.conftest import THE_DAY
from tests.desk import Desk
from tests.dispatch.rounds.working_day import LARGE, SMALL, Bottle, WorkingDay, codes


def change(day: WorkingDay, model: type[Any], key: UUID, **columns: Any) -> None:
    with day.desk.ground.sessions() as db:
        row = db.get_one(model, (CHANGNING, key))
        for name, value in columns.items():
            setattr(row, name, value)
        db.commit()


def line_state(db: Session, line_id: str) -> str:
    return db.scalars(sa.select(OrderLine.state).where(OrderLine.id == UUID(line_id))).one().value


def nothing_was_loaded(day: WorkingDay, db: Session, line_id: str, bottle: Bottle) -> bool:
    stands = day.holder(bottle.cylinder_id) == ("site", day.cast.supply_point())
    loaded = list(db.scalars(sa.select(LineLoad))) + list(db.scalars(sa.select(CylinderLoad)))
    return stands and not loaded and line_state(db, line_id) == "booked"


# --- it is done -------------------------------------------------------------------------------------------


def test_a_loaded_bottle_is_with_the_courier_and_bound_to_its_line(day: WorkingDay, db: Session) -> None:
    booked, bottle, round_id = day.loaded()
    assert day.holder(bottle.cylinder_id) == ("courier", day.bound.courier_id)
    assert line_state(db, booked.line_ids[0]) == "loaded"
    [line_load], [bottle_load] = (
        list(db.scalars(sa.select(LineLoad))),
        list(db.scalars(sa.select(CylinderLoad))),
    )
    assert (line_load.id, line_load.cylinder_id) == (bottle_load.id, bottle.cylinder_id)
    [entry] = day.entries(db, "cylinder.load")
    assert str(entry.round_id) == round_id
    links = db.execute(sa.select(Link.subject_type, Link.subject_key).where(Link.entry_id == entry.id)).all()
    assert set(links) == {
        (SubjectType.CYLINDER, str(bottle.cylinder_id)),
        (SubjectType.ORDER, booked.order_id),
        (SubjectType.BINDING, str(day.bound.binding_id)),
    }
    assert not list(verify(db))


def test_the_sites_clerk_may_release_a_bottle(day: WorkingDay, desk: Desk) -> None:
    booked = day.order()
    round_id, bottle = day.round(), day.bottle()
    of_the_site = desk.sign_in(Role.CLERK, site=day.cast.supply_point())
    made(day.load(round_id, booked.line_ids[0], bottle.code, by=of_the_site))
    assert day.holder(bottle.cylinder_id) == ("courier", day.bound.courier_id)


def test_a_label_is_read_as_well_as_a_bare_code(day: WorkingDay) -> None:
    booked = day.order()
    round_id, bottle = day.round(), day.bottle()
    made(day.load(round_id, booked.line_ids[0], f"https://gas.example/C/{bottle.code}/3f2a"))


@pytest.mark.parametrize("role", [Role.CLERK, Role.COURIER])
def test_strangers_find_no_such_round(day: WorkingDay, desk: Desk, db: Session, role: Role) -> None:
    booked = day.order()
    round_id, bottle = day.round(), day.bottle()
    stranger = (
        desk.sign_in(role, firm=day.cast.another_firm())
        if role is Role.CLERK
        else desk.sign_in(role, courier=day.cast.courier())
    )
    assert day.load(round_id, booked.line_ids[0], bottle.code, by=stranger).status_code == 404
    assert nothing_was_loaded(day, db, booked.line_ids[0], bottle)


# --- it is refused ----------------------------------------------------------------------------------------


def test_d01_a_line_of_no_round_gets_no_bottle(day: WorkingDay, db: Session) -> None:
    day.order()
    round_id, bottle = day.round(), day.bottle()
    later = day.order()
    assert codes(day.load(round_id, later.line_ids[0], bottle.code)) == ["load.no_order_line"]
    assert nothing_was_loaded(day, db, later.line_ids[0], bottle)


def test_a_line_that_is_nowhere_is_a_wrong_field(day: WorkingDay) -> None:
    day.order()
    answer = day.load(day.round(), str(UUID(int=1)), day.bottle().code)
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["pointer"] == "/line_id"


def test_d02_no_binding_in_force(day: WorkingDay, db: Session) -> None:
    booked = day.order()
    round_id, bottle = day.round(), day.bottle()
    day.dispatcher.post(day.at(f"bindings/{day.bound.binding_id}/end"))
    answer = day.load(round_id, booked.line_ids[0], bottle.code)
    assert "delivery.no_binding" in codes(answer)
    assert nothing_was_loaded(day, db, booked.line_ids[0], bottle)


def test_d03_a_binding_to_another_zone(day: WorkingDay, db: Session) -> None:
    booked = day.order()
    round_id, bottle = day.round(), day.bottle()
    change(day, Binding, day.bound.binding_id, zone_id=UUID(int=5))
    assert codes(day.load(round_id, booked.line_ids[0], bottle.code)) == ["delivery.outside_zone"]
    assert nothing_was_loaded(day, db, booked.line_ids[0], bottle)


@pytest.mark.parametrize(
    ("model", "key", "columns", "code"),
    [
        (Vehicle, "vehicle_id", {"permit_until": date(2024, 6, 11)}, "vehicle.no_permit"),
        (Staff, "courier_id", {"certificate_until": date(2024, 6, 11)}, "courier.no_certificate"),
        (Vehicle, "vehicle_id", {"max_nominal_g": 14_999}, "vehicle.too_heavy"),
    ],
)
def test_d07_papers_and_limits(
    day: WorkingDay, db: Session, model: type[Any], key: str, columns: dict[str, Any], code: str
) -> None:
    booked = day.order()
    round_id, bottle = day.round(), day.bottle()
    change(day, model, getattr(day.bound, key), **columns)
    assert codes(day.load(round_id, booked.line_ids[0], bottle.code)) == [code]
    assert nothing_was_loaded(day, db, booked.line_ids[0], bottle)


def test_d07_the_ninth_bottle_of_eight_is_refused_until_one_is_handed_over(desk: Desk) -> None:
    day = WorkingDay(desk, max_cylinders=2)
    booked = [day.order(day.new_home()) for _ in range(3)]
    round_id = day.round()
    carried = [day.bottle() for _ in range(3)]
    for order, bottle in zip(booked[:2], carried, strict=False):
        made(day.load(round_id, order.line_ids[0], bottle.code))
    answer = day.load(round_id, booked[2].line_ids[0], carried[2].code)
    assert codes(answer) == ["vehicle.too_many_bottles"]
    assert answer.get_json()["reasons"][0]["facts"] == {"bottles": 3, "limit": 2}
    made(day.deliver(booked[0], day.report(booked[0], carried[0])))
    made(day.load(round_id, booked[2].line_ids[0], carried[2].code))


def test_d07_empties_on_board_count_as_bottles(desk: Desk) -> None:
    day = WorkingDay(desk, max_cylinders=1)
    first, second = day.order(), day.order()
    round_id, bottle, next_bottle = day.round(), day.bottle(), day.bottle()
    made(day.load(round_id, first.line_ids[0], bottle.code))
    made(day.deliver(first, day.report(first, bottle)))
    assert codes(day.load(round_id, second.line_ids[0], next_bottle.code)) == ["vehicle.too_many_bottles"]
    made(day.bring_back(round_id, first.home.empties[0]))
    made(day.load(round_id, second.line_ids[0], next_bottle.code))


def test_d07_a_50_kg_bottle_does_not_ride_a_trike(desk: Desk, db: Session) -> None:
    day = WorkingDay(desk, kind="small_truck", carries_50kg=True, max_cylinders=20, max_nominal_g=400_000)
    booked = day.order(day.restaurant((LARGE,)))
    round_id, bottle = day.round(), day.bottle(model=LARGE)
    change(day, Vehicle, day.vehicle_id, carries_50kg=False)
    assert codes(day.load(round_id, booked.line_ids[0], bottle.code)) == ["vehicle.size_not_allowed"]
    assert nothing_was_loaded(day, db, booked.line_ids[0], bottle)


def test_d08_an_overdue_bottle_is_refused_with_the_bottles_own_reason(day: WorkingDay, db: Session) -> None:
    booked = day.order()
    round_id, bottle = day.round(), day.bottle(inspected_on=date(2020, 6, 1), made_on=date(2018, 5, 1))
    refused = day.load(round_id, booked.line_ids[0], bottle.code)
    assert codes(refused) == ["delivery.bottle_refused", "refill.inspection_overdue"]
    assert nothing_was_loaded(day, db, booked.line_ids[0], bottle)
    [entry] = day.entries(db, "cylinder.load")
    assert (entry.outcome, entry.refusal_no) == (Outcome.REFUSED, refused.get_json()["refusal_no"])
    [decision] = db.scalars(sa.select(Decision).where(Decision.gate == "load"))
    assert not decision.allowed


def test_d09_an_empty_bottle_and_one_of_another_type(day: WorkingDay, db: Session) -> None:
    booked = day.order()
    round_id, empty, large = day.round(), day.bottle(full=False), day.bottle(model=LARGE)
    assert codes(day.load(round_id, booked.line_ids[0], empty.code)) == ["delivery.not_full"]
    assert "delivery.wrong_type" in codes(day.load(round_id, booked.line_ids[0], large.code))
    assert nothing_was_loaded(day, db, booked.line_ids[0], empty)


def test_all_reasons_are_said_at_once(day: WorkingDay) -> None:
    booked = day.order()
    round_id, bottle = day.round(), day.bottle(full=False, inspected_on=date(2020, 6, 1), scrap_ordered=True)
    change(day, Vehicle, day.vehicle_id, permit_until=date(2024, 6, 11))
    assert {
        "vehicle.no_permit",
        "delivery.bottle_refused",
        "delivery.not_full",
        "refill.inspection_overdue",
        "refill.scrap_ordered",
    } <= set(codes(day.load(round_id, booked.line_ids[0], bottle.code)))


def test_nothing_is_loaded_before_the_round_is_started(day: WorkingDay, db: Session) -> None:
    booked = day.order()
    round_id, bottle = day.planned_round(), day.bottle()
    assert codes(day.load(round_id, booked.line_ids[0], bottle.code)) == ["delivery.round_not_started"]
    assert nothing_was_loaded(day, db, booked.line_ids[0], bottle)


def test_a_bottle_is_loaded_once_and_a_line_gets_one(day: WorkingDay) -> None:
    first, second = day.order(), day.order()
    round_id, bottle, other = day.round(), day.bottle(), day.bottle()
    made(day.load(round_id, first.line_ids[0], bottle.code))
    assert codes(day.load(round_id, second.line_ids[0], bottle.code)) == ["load.bottle_taken"]
    assert codes(day.load(round_id, first.line_ids[0], other.code)) == ["load.line_taken"]


def test_a_bottle_that_stands_at_a_household_is_not_loaded(day: WorkingDay) -> None:
    booked = day.order()
    round_id = day.round()
    found = codes(day.load(round_id, booked.line_ids[0], booked.home.empties[0]))
    assert found == ["delivery.not_full", "load.bottle_not_at_site"]


def test_an_unknown_bottle_at_the_site_is_refused_and_still_told(day: WorkingDay, db: Session) -> None:
    booked = day.order()
    code = new_code()
    assert "delivery.bottle_refused" in codes(day.load(day.round(), booked.line_ids[0], code))
    [event] = db.scalars(sa.select(OutboxEvent).where(OutboxEvent.topic == "cylinder.stranger_seen"))
    assert (event.payload["where"], event.payload["code"]) == ("site", code)


# --- many at once -----------------------------------------------------------------------------------------


def statuses(acts: Sequence[Callable[[], TestResponse]]) -> list[int]:
    start = threading.Barrier(len(acts))
    answers: list[int] = []

    def go(act: Callable[[], TestResponse]) -> None:
        start.wait()
        answers.append(act().status_code)

    threads = [threading.Thread(target=go, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(answers)


@pytest.mark.both_ends
@pytest.mark.parametrize("checked", [True, False], ids=["checked", "by the database alone"])
def test_fifty_loads_of_one_bottle_for_fifty_lines_bind_it_once(
    desk: Desk, db: Session, monkeypatch: pytest.MonkeyPatch, checked: bool
) -> None:
    day = WorkingDay(desk, kind="small_truck", max_cylinders=60, max_nominal_g=900_000)
    lines = [line for _ in range(5) for line in day.order(day.restaurant((SMALL,) * 10)).line_ids]
    round_id, bottle = day.round(), day.bottle()
    if not checked:
        monkeypatch.setattr(loads, "standing_refusals", lambda *_: [])
        monkeypatch.setattr(bottles, "_where_it_is_not", lambda *_: [])
    acts = [partial(day.load, round_id, line, bottle.code) for line in lines]
    assert statuses(acts) == [201] + [409] * 49
    assert len(list(db.scalars(sa.select(LineLoad)))) == 1
    assert len(list(db.scalars(sa.select(CylinderLoad)))) == 1
    assert sorted(line_state(db, line) for line in lines) == ["booked"] * 49 + ["loaded"]
    assert not list(db.scalars(sa.select(CustodyConflict)))
    assert not list(verify(db))


def test_the_day_a_paper_ends_is_still_good(day: WorkingDay) -> None:
    booked = day.order()
    round_id, bottle = day.round(), day.bottle()
    change(day, Vehicle, day.vehicle_id, permit_until=date(2024, 6, 12))
    change(day, Staff, day.bound.courier_id, certificate_until=date(2024, 6, 12))
    late: datetime = THE_DAY + timedelta(hours=14, minutes=59)
    with clock.standing_at(late):
        made(day.load(round_id, booked.line_ids[0], bottle.code))


def test_a_line_of_another_firms_order_is_not_there(day: WorkingDay, db: Session) -> None:
    mine, theirs = day.order(), day.order()
    round_id, bottle = day.round(), day.bottle()
    change(day, Order, UUID(theirs.order_id), firm_id=day.cast.another_firm())
    answer = day.load(round_id, theirs.line_ids[0], bottle.code)
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/line_id")
    assert nothing_was_loaded(day, db, theirs.line_ids[0], bottle)
    assert not day.entries(db, "cylinder.load")
    made(day.load(round_id, mine.line_ids[0], bottle.code))

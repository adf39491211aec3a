"""A round as driven is judged by the checker that plans must pass: what it finds is said, nothing else."""

from datetime import time
from typing import Any

import pytest

from core import clock
from core.auth import Role
from registry.models import Vehicle
from tests.cast import CHANGNING, made
from tests.desk import Desk, Person
from tests.dispatch.rounds.working_day import Booked, WorkingDay


class Driving:
    def __init__(self, day: WorkingDay):
        self.day = day
        self.orders = [day.order(), day.order()]
        self.round_id = day.round()

    def load(self, booked: Booked, hm: str) -> Any:
        with clock.standing_at(clock.at(clock.today(), time.fromisoformat(hm))):
            bottle = self.day.bottle()
            made(self.day.load(self.round_id, booked.line_ids[0], bottle.code))
            return bottle

    def visit(self, booked: Booked, bottle: Any, hm: str) -> None:
        with clock.standing_at(clock.at(clock.today(), time.fromisoformat(hm))):
            made(self.day.deliver(booked, self.day.report(booked, bottle)))

    def judged(self, by: Person | None = None, status: int = 200) -> dict[str, Any]:
        answer = (by or self.day.dispatcher).get(self.day.at(f"rounds/{self.round_id}/judgement"))
        assert answer.status_code == status, answer.text
        return dict(answer.get_json())


@pytest.fixture
def driving(day: WorkingDay) -> Driving:
    return Driving(day)


def said(judged: dict[str, Any]) -> list[tuple[str, int, str | None, str | None]]:
    return [(one["code"], one["trip"], one["expected"], one["found"]) for one in judged["faults"]]


def test_a_round_driven_as_it_should_be_has_no_fault(driving: Driving, desk: Desk) -> None:
    assert (driving.judged()["visits"], driving.judged()["faults"]) == (0, [])
    first, second = driving.orders
    bottles = [driving.load(one, "09:30") for one in (first, second)]
    driving.visit(first, bottles[0], "10:10")
    driving.visit(second, bottles[1], "10:40")
    judged = driving.judged()
    assert (judged["visits"], judged["trips"], judged["faults"]) == (2, 1, [])
    driving.judged(desk.sign_in(Role.DISPATCHER, firm=driving.day.cast.another_firm()), 404)


def test_what_was_late_and_what_was_not_gone_back_for_is_named(driving: Driving) -> None:
    first, second = driving.orders
    one = driving.load(first, "09:30")
    driving.visit(first, one, "12:30")
    other = driving.load(second, "12:33")
    driving.visit(second, other, "12:36")
    judged = driving.judged()
    assert (judged["visits"], judged["trips"]) == (2, 2)
    assert sorted(said(judged)) == [
        ("after_window", 1, "12:00", "12:30"),
        ("after_window", 2, "12:00", "12:36"),
        ("reload_too_short", 2, "480", "180"),
    ]
    assert {fault["order_id"] for fault in judged["faults"]} == {first.order_id, second.order_id, None}


def test_more_on_the_vehicle_than_it_may_carry_is_named(desk: Desk) -> None:
    day = WorkingDay(desk, max_cylinders=2)
    driving = Driving(day)
    bottles = [driving.load(one, "09:30") for one in driving.orders]
    with desk.ground.sessions() as db:
        vehicle = db.get_one(Vehicle, (CHANGNING, day.vehicle_id))
        vehicle.max_cylinders = 1  # as if two had been let on a vehicle for one
        db.commit()
    for booked, bottle, hm in zip(driving.orders, bottles, ("10:10", "10:40"), strict=True):
        driving.visit(booked, bottle, hm)
    assert said(driving.judged()) == [("over_capacity_leaving", 1, "1", "2")]

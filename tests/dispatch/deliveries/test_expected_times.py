"""When a door is served, by what happened: late where the round is late, and never before now."""

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest

from core import clock
from dispatch.deliveries.following import DoorToCome, expected
from tests.cast import made
from tests.dispatch.rounds.working_day import Booked, WorkingDay


def at(hm: str) -> datetime:
    return clock.at(clock.today(), time.fromisoformat(hm))


def doors(*said: tuple[str, str]) -> list[DoorToCome]:
    """Planned arrival and slot of each."""
    return [DoorToCome(UUID(int=n), at(due), at(slot)) for n, (due, slot) in enumerate(said)]


NINE = ("09:20", "09:00"), ("09:35", "09:00"), ("09:50", "09:00")


@pytest.mark.parametrize(
    ("to_come", "behind_min", "now", "when"),
    [
        (NINE, 0, "09:05", ["09:20", "09:35", "09:50"]),
        (NINE, 20, "09:05", ["09:40", "09:55", "10:10"]),
        # nobody has been at the first door, and it is overdue: so is all that comes after it
        (NINE, 0, "10:00", ["10:00", "10:15", "10:30"]),
        (NINE, 50, "10:00", ["10:10", "10:25", "10:40"]),
        # who is late waits the less for the slot of a later door, and is in time again after it
        (
            (("09:20", "09:00"), ("09:35", "11:00"), ("11:15", "11:00")),
            60,
            "09:30",
            ["10:20", "11:00", "11:15"],
        ),
        ((("09:20", "10:00"),), 0, "08:00", ["10:00"]),
        ((), 30, "09:00", []),
    ],
)
def test_what_is_to_come_is_as_late_as_what_came_before(
    to_come: Any, behind_min: int, now: str, when: list[str]
) -> None:
    found = expected(doors(*to_come), timedelta(minutes=behind_min), at(now))
    assert list(found.values()) == [at(one) for one in when]


def due(day: WorkingDay, booked: Booked) -> datetime | None:
    answer = day.cast.clerk.get(day.at(f"orders/{booked.order_id}/progress"))
    assert answer.status_code == 200, answer.text
    said = answer.get_json()["due_at"]
    return said and datetime.fromisoformat(said)


def test_a_resident_is_not_told_now_while_others_still_come_first(day: WorkingDay) -> None:
    orders = {one.order_id: one for one in (day.order(hour=10), day.order(hour=10))}
    round_id = day.planned_round()
    stops = day.dispatcher.get(day.at(f"rounds/{round_id}")).get_json()["stops"]
    first, second = (orders[stop["order_id"]] for stop in stops)
    apart = datetime.fromisoformat(stops[1]["arrive_at"]) - max(
        datetime.fromisoformat(stops[0]["arrive_at"]), at("10:00")
    )
    with clock.standing_at(at("10:40")):  # nobody has set out
        assert due(day, first) == at("10:40")
    made(day.start(round_id))
    with clock.standing_at(at("11:30")):
        assert due(day, first) == at("11:30")
        assert due(day, second) == at("11:30") + apart
    bottle = day.bottle()
    made(day.load(round_id, first.line_ids[0], bottle.code))
    with clock.standing_at(at("11:40")):
        made(day.deliver(first, day.report(first, bottle)))
        assert due(day, first) is None, "what is over is expected no more"
        assert due(day, second) == at("11:40") + apart


def test_nobody_is_expected_any_more_on_a_round_that_was_not_begun_on_its_day(day: WorkingDay) -> None:
    booked = day.order()
    day.planned_round()
    with clock.standing_at(at("12:00") + timedelta(days=1)):
        assert due(day, booked) is None

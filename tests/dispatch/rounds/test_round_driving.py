"""A first story to see the day work."""

import pytest

from tests.desk import Desk
from tests.dispatch.rounds.working_day import WorkingDay
from tests.cast import made


@pytest.fixture
def day(desk: Desk) -> WorkingDay:
    return WorkingDay(desk)


def test_smoke(day: WorkingDay) -> None:
    booked, bottle, round_id = day.loaded()
    done = made(day.deliver(booked, day.report(booked, bottle)))
    print(done)
    assert done["outcome"] == "delivered"

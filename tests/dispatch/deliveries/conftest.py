"""A working day stands in every test of deliveries that asks for it."""

import pytest

from tests.desk import Desk
from tests.dispatch.rounds.working_day import WorkingDay


@pytest.fixture
def day(desk: Desk) -> WorkingDay:
    return WorkingDay(desk)

"""The registry's tests: the cast at the desk."""

import pytest

from tests.cast import Cast
from tests.desk import Desk


@pytest.fixture
def cast(desk: Desk) -> Cast:
    return Cast(desk)

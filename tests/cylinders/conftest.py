import pytest

from tests.cast import Cast
from tests.cylinders.cast import Bottles
from tests.desk import Desk


@pytest.fixture
def cast(desk: Desk) -> Cast:
    return Cast(desk)


@pytest.fixture
def bottles(cast: Cast) -> Bottles:
    return Bottles(cast)

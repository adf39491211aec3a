"""The town stands in every test of dispatch that asks for it."""

import pytest

from core.ground import Ground
from tests.dispatch.town import Town


@pytest.fixture
def town(ground: Ground) -> Town:
    return Town(ground)

"""How many crews a zone's shift asks for: by what is booked, else by what is usual; nobody is left alone."""

import pytest

from dispatch.rounds.roster_needs import Asked, needs_of, way_s
from registry.roster_gate import Shift

MORNING, AFTERNOON = Shift(7 * 3600, 13 * 3600), Shift(13 * 3600, 19 * 3600)
BOTH = (MORNING, AFTERNOON)


def asked(hour: int, *, bottles: int = 1, truck: bool = False) -> Asked:
    return Asked(hour * 3600, (hour + 2) * 3600, bottles, bottles * (3 if truck else 1), truck)


def needs(orders: list[Asked], usual: int = 0, way: int = 600) -> list[tuple[int, int, int]]:
    return [(one.orders, one.crews, one.trucks) for one in needs_of(orders, usual, BOTH, way, 8)]


@pytest.mark.parametrize(
    ("orders", "usual", "expected"),
    [
        ([], 0, [(0, 1, 0), (0, 0, 0)]),
        ([], 3, [(2, 1, 0), (1, 1, 0)]),
        ([asked(8)], 50, [(1, 1, 0), (0, 0, 0)]),
        ([asked(14)], 0, [(0, 0, 0), (1, 1, 0)]),
        ([asked(8, truck=True), asked(9)], 0, [(2, 1, 1), (0, 0, 0)]),
        ([asked(8)] * 40, 0, [(40, 2, 0), (0, 0, 0)]),
        ([asked(12)], 0, [(1, 1, 0), (0, 0, 0)]),
        ([asked(21)], 0, [(0, 0, 0), (1, 1, 0)]),
    ],
    ids=["nothing", "usual", "booked beats usual", "afternoon", "a truck", "many", "straddling", "outside"],
)
def test_a_zone_asks_for_crews(orders: list[Asked], usual: int, expected: list[tuple[int, int, int]]) -> None:
    assert needs(orders, usual) == expected


def test_trucks_asked_for_are_among_the_crews_and_a_long_way_asks_for_more() -> None:
    for one in needs_of([asked(8, bottles=4, truck=True)] * 30, 0, BOTH, 600, 8):
        assert one.trucks <= one.crews
    near, far = needs([asked(8)] * 40, way=0), needs([asked(8)] * 40, way=way_s(10_000))
    assert near[0][1] < far[0][1]

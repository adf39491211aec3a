"""Who works where and when: needs filled before metres, crews kept whole, what is lacking named."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.__main__ import answer
from routing.crews import Crew, Line, Need, Roster, Short
from routing.rostering import assign


def crew(id: str, x_m: float = 0, *, truck: bool = False, zone: str | None = None) -> Crew:
    return Crew(id, x_m, 0, truck, zone)


def need(zone: str, x_m: float = 0, *, shift: int = 0, crews: int = 1, trucks: int = 0) -> Need:
    return Need(zone, shift, x_m, 0, crews, trucks)


def test_a_crew_works_only_the_shifts_it_may() -> None:
    mornings = Crew("a", 0, 0, False, "west", shifts=frozenset({0}))
    roster = assign([mornings], [need("west", shift=0), need("west", shift=1)], 1)
    assert roster.lines == (Line("a", "west", 0),)
    assert assign([mornings], [need("west", shift=1)], 1).short == (Short("west", 1, 1, 0),)


def test_what_is_asked_and_answered_survives_the_way_to_a_process_and_back() -> None:
    crews = [crew("a", zone="west"), Crew("b", 1.5, 0, True, None, shifts=frozenset({1}))]
    needs = [need("west", crews=2, trucks=1)]
    order = {
        "roster": {
            "crews": [one.to_plain() for one in crews],
            "needs": [one.to_plain() for one in needs],
            "seed": 1,
        }
    }
    assert Roster.from_plain(answer(json.loads(json.dumps(order)))) == assign(crews, needs, 1)
    assert [Crew.from_plain(one.to_plain()) for one in crews] == crews
    with pytest.raises(ValueError, match="expected"):
        answer({"roster": {"crews": [{"id": "a"}], "needs": [], "seed": 1}})


def test_crews_stay_in_the_zone_they_know_and_the_shift_beside_is_filled_from_near() -> None:
    crews = [crew("a", 0, zone="west"), crew("b", 0, zone="west"), crew("c", 5000, zone="east")]
    needs = [need("west"), need("west", shift=1), need("east", 5000)]
    roster = assign(crews, needs, 1)
    assert {(line.crew, line.zone) for line in roster.lines} == {("a", "west"), ("b", "west"), ("c", "east")}
    assert (roster.moved_m, roster.short, roster.optimal) == (0, (), True)


def test_a_truck_goes_where_one_is_needed_however_far() -> None:
    crews = [crew("trike", 5000, zone="east"), crew("truck", 0, truck=True, zone="west")]
    roster = assign(crews, [need("west"), need("east", 5000, trucks=1)], 1)
    assert set(roster.lines) == {Line("trike", "west", 0), Line("truck", "east", 0)}


def test_what_is_lacking_is_named_and_the_rest_is_filled() -> None:
    roster = assign([crew("a")], [need("west", crews=2, trucks=1), need("east", 5000, shift=1)], 1)
    assert len(roster.lines) == 1
    assert sum(one.crews for one in roster.short) == 2
    assert assign([], [need("west", crews=2, trucks=1)], 1).short == (Short("west", 0, 2, 1),)
    assert assign([crew("a")], [], 1).lines == ()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    crews=st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=8),
    needs=st.dictionaries(
        st.tuples(st.integers(0, 3), st.integers(0, 1)),
        st.tuples(st.integers(0, 3), st.booleans()),
        max_size=6,
    ),
)
def test_every_roster_keeps_its_rules(
    crews: list[tuple[int, bool]], needs: dict[tuple[int, int], tuple[int, bool]]
) -> None:
    people = [crew(f"c{n}", at * 1000, truck=truck, zone=f"z{at}") for n, (at, truck) in enumerate(crews)]
    wanted = [
        need(f"z{at}", at * 1000, shift=shift, crews=count, trucks=int(truck and count > 0))
        for (at, shift), (count, truck) in needs.items()
    ]
    roster = assign(people, wanted, 1)
    assert len({line.crew for line in roster.lines}) == len(roster.lines), "a crew works once"
    short = {(one.zone, one.shift): one for one in roster.short}
    trucks = {one.id for one in people if one.has_truck}
    for one in wanted:
        lines = [line for line in roster.lines if (line.zone, line.shift) == (one.zone, one.shift)]
        lacking = short.get((one.zone, one.shift), Short(one.zone, one.shift, 0, 0))
        assert len(lines) + lacking.crews == one.crews
        assert sum(line.crew in trucks for line in lines) + lacking.trucks >= one.trucks
    assert len(roster.lines) == min(len(people), sum(one.crews for one in wanted))


@pytest.mark.parametrize(
    ("crews", "needs"),
    [
        ([crew("a"), crew("a")], []),
        ([], [need("west"), need("west")]),
        ([], [need("west", crews=1, trucks=2)]),
        ([crew("a", float("inf"))], []),
    ],
)
def test_what_makes_no_sense_is_a_value_error(crews: list[Crew], needs: list[Need]) -> None:
    with pytest.raises(ValueError, match="expected"):
        assign(crews, needs, 1)

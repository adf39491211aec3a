"""Who works where and when: bound crews and needs in, the roster with the least moving about out.

A crew is a courier and the vehicle bound to them, and stays one: a swap is an exception of its own. Each crew
works one shift at most. Needs come before metres; trucks are needed among the crews, not beside them. A zone
where a crew drove before costs nothing; any other costs the way between the two.

``linearization_level = 2``: on 200 crews, 60 zones and 2 shifts the solver's default proves nothing in a
minute. Same crews, needs and seed, same roster: one worker, and a budget in the solver's own steps.
"""

import math
from collections.abc import Sequence

from ortools.sat.python import cp_model

from routing.crews import Crew, Line, Need, Roster, Short

NEAREST_ZONES = 25
STEPS = 20.0
SHORT_M = 100_000
"""What a missing crew costs in metres: more than any way in a city, so needs come first."""
SHORT_TRUCK_M = 100_000


def assign(crews: Sequence[Crew], needs: Sequence[Need], seed: int) -> Roster:
    """The best roster found; ValueError where crews or needs make no sense."""
    crews = sorted(crews, key=lambda crew: crew.id)
    needs = sorted(needs, key=lambda need: (need.zone, need.shift))
    _must_be_sound(crews, needs)
    model = cp_model.CpModel()
    works = {
        (c, n): model.new_bool_var("")
        for c, crew in enumerate(crews)
        for n in _near(crew, needs)
        if crew.may_work(needs[n].shift)
    }
    for c in range(len(crews)):
        model.add_at_most_one(here for (crew, _), here in works.items() if crew == c)
    missing, trucks_missing = [], []
    for n, need in enumerate(needs):
        own = {c: here for (c, at), here in works.items() if at == n}
        crews_short = model.new_int_var(0, need.crews, "")
        trucks_short = model.new_int_var(0, need.trucks, "")
        model.add(sum(own.values()) + crews_short == need.crews)
        model.add(sum(here for c, here in own.items() if crews[c].has_truck) + trucks_short >= need.trucks)
        missing.append(crews_short)
        trucks_missing.append(trucks_short)
    ways = {(c, n): _way_m(crews[c], needs[n]) for c, n in works}
    moved = sum(ways[key] * here for key, here in works.items())
    model.minimize(moved + SHORT_M * sum(missing) + SHORT_TRUCK_M * sum(trucks_missing))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed
    solver.parameters.linearization_level = 2
    solver.parameters.max_deterministic_time = STEPS
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return _nobody(needs)
    chosen = [key for key, here in works.items() if solver.value(here)]
    return Roster(
        lines=tuple(Line(crews[c].id, needs[n].zone, needs[n].shift) for c, n in chosen),
        short=tuple(
            Short(need.zone, need.shift, solver.value(crews_short), solver.value(trucks_short))
            for need, crews_short, trucks_short in zip(needs, missing, trucks_missing, strict=True)
            if solver.value(crews_short) or solver.value(trucks_short)
        ),
        moved_m=sum(ways[key] for key in chosen),
        optimal=status == cp_model.OPTIMAL,
    )


def _nobody(needs: Sequence[Need]) -> Roster:
    """Nothing was found in time: everything is lacking, and says so."""
    short = tuple(Short(need.zone, need.shift, need.crews, need.trucks) for need in needs if need.crews)
    return Roster((), short, 0, optimal=False)


def _must_be_sound(crews: Sequence[Crew], needs: Sequence[Need]) -> None:
    if len({crew.id for crew in crews}) != len(crews):
        raise ValueError("expected every crew once")
    if len({(need.zone, need.shift) for need in needs}) != len(needs):
        raise ValueError("expected every zone and shift once")
    for need in needs:
        if not 0 <= need.trucks <= need.crews:
            raise ValueError(f"expected from 0 to {need.crews} trucks in {need.zone}, got {need.trucks}")
    places = [(one.x_m, one.y_m) for one in crews] + [(one.x_m, one.y_m) for one in needs]
    if not all(math.isfinite(x_m) and math.isfinite(y_m) for x_m, y_m in places):
        raise ValueError("expected every crew and zone to have a place")


def _way_m(crew: Crew, need: Need) -> int:
    return 0 if crew.zone == need.zone else round(math.hypot(crew.x_m - need.x_m, crew.y_m - need.y_m))


def _near(crew: Crew, needs: Sequence[Need]) -> list[int]:
    """The shifts of the nearest zones; a crew is not sent across the city."""
    zones = sorted(
        {need.zone: _way_m(crew, need) for need in needs}.items(), key=lambda one: (one[1], one[0])
    )
    near = {zone for zone, _ in zones[:NEAREST_ZONES]}
    return [n for n, need in enumerate(needs) if need.zone in near]

"""Solve one problem in a process of its own: ``python -m routing < order.json > plan.json``.

In:  {"problem": …, "iterations": n, "seed": n} and, if wanted, "warm": {vehicle: [[stop, …], …]}
Or   {"districts": {"units": [unit, …], "zones": n, "seed": n}}
Or   {"roster": {"crews": [crew, …], "needs": [need, …], "seed": n}}
Or   {"price": {"problem": …, "zones": [zone, …], "iterations": n, "seed": n}}
Out: the plan, the districts, the roster or the price, as one JSON object and exit 0; bad input: one line on
     stderr and exit 2.

In:  {"problem": …, "iterations": n, "seed": n, "standing": {vehicle: [[stop, …], …]}} and either
     "urgent": stop or "lost": vehicle, of a day that is being driven
Out: {"problem": …, "plan": …, "churn": …, "stranded": [stop, …]}: see ``replan``

``python -m routing compile`` compiles the search and keeps it beside its source: no plan waits for it.
"""

import json
import sys
import time
from collections.abc import Mapping
from typing import Any

from routing.crews import Crew, Need
from routing.ground import Unit
from routing.plain import fields, rows, text, whole
from routing.plan import routes_from_plain
from routing.pricing import Zone, price
from routing.problem import Problem
from routing.replan import Replanned, insert_urgent, without_crew
from routing.solve import compiled_search, solve

GUARD_S = 45.0  # of CPU: less than anybody waits for an answer


def answer(order: Any) -> dict[str, Any]:
    """The plain plan for a plain order; ValueError says what was expected."""
    if isinstance(order, Mapping) and "districts" in order:
        return _districts(fields(order, "the input", ("districts",))["districts"])
    if isinstance(order, Mapping) and "roster" in order:
        return _roster(fields(order, "the input", ("roster",))["roster"])
    if isinstance(order, Mapping) and "price" in order:
        return _price(fields(order, "the input", ("price",))["price"])
    if isinstance(order, Mapping):
        if "standing" in order:
            return replanned(order).to_plain()
        order = {"warm": None, **order}
    asked = fields(order, "the input", ("problem", "iterations", "seed", "warm"))
    warm = None if asked["warm"] is None else routes_from_plain(asked["warm"])
    problem = Problem.from_plain(asked["problem"])
    return solve(problem, asked["iterations"], asked["seed"], warm, is_over_guard).to_plain()


def _districts(order: Any) -> dict[str, Any]:
    from routing.districting import propose  # here: a solver of its own, which no plan waits for

    asked = fields(order, "what districts are asked for", ("units", "zones", "seed"))
    units = [Unit.from_plain(unit) for unit in rows(asked["units"], "the units")]
    zones = whole(asked["zones"], "the number of zones", 1, len(units))
    return propose(units, zones, whole(asked["seed"], "the seed", 0, 2**31 - 1)).to_plain()


def _roster(order: Any) -> dict[str, Any]:
    from routing.rostering import assign  # here: as above

    asked = fields(order, "what a roster is asked for", ("crews", "needs", "seed"))
    crews = [Crew.from_plain(crew) for crew in rows(asked["crews"], "the crews")]
    needs = [Need.from_plain(need) for need in rows(asked["needs"], "the needs")]
    return assign(crews, needs, whole(asked["seed"], "the seed", 0, 2**31 - 1)).to_plain()


def _price(order: Any) -> dict[str, Any]:
    asked = fields(order, "what a price is asked for", ("problem", "zones", "iterations", "seed"))
    zones = [Zone.from_plain(zone) for zone in rows(asked["zones"], "the zones")]
    problem = Problem.from_plain(asked["problem"])
    return price(problem, zones, asked["iterations"], asked["seed"], is_over_guard).to_plain()


def replanned(order: Mapping[str, Any]) -> Replanned:
    usual = {"urgent": None, "lost": None}
    asked = fields(order, "the input", ("problem", "iterations", "seed", "standing", *usual), usual)
    problem, standing = Problem.from_plain(asked["problem"]), routes_from_plain(asked["standing"])
    urgent, lost = asked["urgent"], asked["lost"]
    if (urgent is None) == (lost is None):
        raise ValueError("expected either an urgent stop or a lost vehicle")
    if urgent is not None:
        return insert_urgent(problem, standing, text(urgent, "urgent"))
    return without_crew(problem, standing, text(lost, "lost"), asked["iterations"], asked["seed"])


def is_over_guard() -> bool:
    return time.process_time() > GUARD_S


def main(words: list[str]) -> int:
    if words == ["compile"]:
        return _compile()
    try:
        plan = answer(json.load(sys.stdin))
    except ValueError as unfit:  # json's own decoding error is one too
        print(f"routing: {' '.join(str(unfit).split())}", file=sys.stderr)
        return 2
    json.dump(plan, sys.stdout, ensure_ascii=False)
    return 0


def _compile() -> int:
    """Nothing to be done without numba: plans come all the same, and say so."""
    ruin = compiled_search()
    if ruin is not None:
        ruin.compile_all()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

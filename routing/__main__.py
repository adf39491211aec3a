"""Solve one problem in a process of its own: ``python -m routing < order.json > plan.json``.

In:  {"problem": …, "iterations": n, "seed": n} and, if wanted, "warm": {vehicle: [[stop, …], …]}
Out: the plan as one JSON object and exit 0; bad input: one line on stderr and exit 2.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any

from routing.plain import fields
from routing.plan import routes_from_plain
from routing.problem import Problem
from routing.solve import solve


def answer(order: Any) -> dict[str, Any]:
    """The plain plan for a plain order; ValueError says what was expected."""
    if isinstance(order, Mapping):
        order = {"warm": None, **order}
    asked = fields(order, "the input", ("problem", "iterations", "seed", "warm"))
    warm = None if asked["warm"] is None else routes_from_plain(asked["warm"])
    return solve(Problem.from_plain(asked["problem"]), asked["iterations"], asked["seed"], warm).to_plain()


def main() -> int:
    try:
        plan = answer(json.load(sys.stdin))
    except ValueError as unfit:  # json's own decoding error is one too
        print(f"routing: {' '.join(str(unfit).split())}", file=sys.stderr)
        return 2
    json.dump(plan, sys.stdout, ensure_ascii=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The commands: what was asked for, built and measured, printed, and written as JSON if wished."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from bench.claim import Claim, Measured, measure
from bench.number import number_up_to
from bench.report import RAW_DOES_NOT, Circumstances, printed, to_json
from bench.stand import stand

BOTTLES, MOST_BOTTLES = 500, 20_000
MOST_OPERATIONS = 5000  # the town's slots hold no more


def main(*claims: Claim, argv: Sequence[str] | None = None) -> int:
    named = claims[0].name if len(claims) == 1 else None
    parser = argparse.ArgumentParser(
        prog=f"python -m bench.{named}" if named else "python -m bench",
        description=f"Measures {' and '.join(claim.name for claim in claims)} in process against the same "
        "statements in raw psycopg, by turns, on a durable PostgreSQL of its own in a temporary folder.",
        epilog=RAW_DOES_NOT,
    )
    usual = ", ".join(f"{claim.operations} for a {claim.name}" for claim in claims)
    parser.add_argument(
        "--operations",
        type=number_up_to(MOST_OPERATIONS),
        metavar="N",
        help=f"measured of each kind, after the warm-up; {usual}",
    )
    parser.add_argument(
        "--bottles",
        type=number_up_to(MOST_BOTTLES),
        default=BOTTLES,
        metavar="N",
        help=f"on file; usually {BOTTLES}",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there too")
    wanted = parser.parse_args(argv)
    how_many = {claim.name: wanted.operations or claim.operations for claim in claims}
    homes = max(claim.homes_needed(how_many[claim.name]) for claim in claims)
    circumstances = Circumstances.here()
    done: list[Measured] = []
    with stand(homes, wanted.bottles) as built:
        circumstances.server = built.server_settings()
        for claim in claims:
            done.append(measure(built, claim, how_many[claim.name]))
    print(printed(circumstances, done))
    if wanted.json is not None:
        wanted.json.write_text(to_json(circumstances, done))
    return 0

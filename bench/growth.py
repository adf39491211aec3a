"""How a booking grows with the register: a thousand accounts on file, up to a million.

Premises, households, people, identity checks, accounts, cards, bottles on cards and registrants are filed by
PostgreSQL itself as copies of one home under ids of their own, in the town's district and zone. At each size
residents of the town book as ever; the same homes' bookings on a clone of each size. What grows is only what
a booking reads, not its evidence.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
import psycopg
from psycopg import sql

from bench.booking import BOOKING
from bench.number import number_up_to
from bench.report import Circumstances
from bench.stand import Stand, stand
from core import clock

SIZES = (1_000, 10_000, 100_000, 1_000_000)
MOST = 2_000_000
BOOKINGS, WARM_UP = 60, 10
FILED_AT_ONCE = 100_000

# table -> its own key, and what of its row is another of the home's ids or must differ
_COPIES: tuple[tuple[str, str, str], ...] = (
    (
        "premises",
        "one.id = household.premises_id",
        "'id', new.premises, 'address_index', '\\x' || replace(new.premises::text, '-', '')",
    ),
    ("household", "one.id = household.id", "'id', new.household, 'premises_id', new.premises"),
    ("person", "one.person_id = account.person_id", "'person_id', new.person, 'principal_id', new.principal"),
    ("identity_check", "one.person_id = account.person_id", "'person_id', new.person, 'id', new.checked"),
    (
        "account",
        "one.id = account.id",
        "'id', new.account, 'household_id', new.household, 'person_id', new.person",
    ),
    (
        "resident_registration",
        "one.person_id = account.person_id",
        "'person_id', new.person, 'id', new.registered, 'account_id', new.account",
    ),
    (
        "card",
        "one.account_id = account.id",
        "'id', new.card, 'account_id', new.account, 'household_id', new.household,"
        " 'credential', new.card::text",
    ),
    (
        "card_holding",
        "one.card_id = card.id",
        "'id', new.held, 'card_id', new.card, 'cylinder_id', new.bottle",
    ),
)
_NEW = (
    "premises",
    "household",
    "person",
    "principal",
    "checked",
    "account",
    "registered",
    "card",
    "held",
    "bottle",
)


@dataclass(frozen=True, slots=True)
class Sized:
    accounts: int
    filed_s: float
    booked_s: list[float]

    @property
    def median_s(self) -> float:
        return statistics.median(self.booked_s)


def file_accounts(built: Stand, database: str, count: int) -> float:
    """Beside those of the town, so that there are ``count`` in all."""
    begun = time.perf_counter()
    with psycopg.connect(built.cluster.conninfo(database)) as owner:
        # the rows are copies of sound ones: triggers and foreign keys would only say so once more
        owner.execute("SET session_replication_role = replica")
        left = count - len(built.town.homes)
        while left > 0:
            _copy(owner, built.town.homes[0].household_id, min(left, FILED_AT_ONCE))
            left -= FILED_AT_ONCE
        owner.commit()
        owner.autocommit = True
        owner.execute("VACUUM ANALYZE")
        owner.execute("CHECKPOINT")
    return time.perf_counter() - begun


def _copy(owner: psycopg.Connection, household_id: str, count: int) -> None:
    ids = sql.SQL(", ").join(sql.SQL("uuidv7() AS {}").format(sql.Identifier(name)) for name in _NEW)
    owner.execute("DROP TABLE IF EXISTS new_home")
    owner.execute(
        sql.SQL("CREATE TEMPORARY TABLE new_home AS SELECT {} FROM generate_series(1, {})").format(
            ids, sql.Literal(count)
        )
    )
    for table, of_the_home, changed in _COPIES:
        owner.execute(
            f"INSERT INTO {table} SELECT (jsonb_populate_record(one, jsonb_build_object({changed}))).*"
            f" FROM new_home AS new, {table} AS one, household"
            " JOIN account ON account.household_id = household.id JOIN card ON card.account_id = account.id"
            f" WHERE household.id = %s AND {of_the_home}".encode(),
            (household_id,),
        )


def measure(built: Stand, accounts: int, bookings: int) -> Sized:
    database = built.clone()
    filed_s = file_accounts(built, database, accounts)
    operation, took = BOOKING.service(built.town), []
    with built.house(database) as house:
        for number in range(WARM_UP + bookings):
            ready = operation.ready(house, number)
            begun = time.perf_counter()
            outcome = ready()
            took.append(time.perf_counter() - begun)
            operation.check(outcome)
        _must_be_filed(built, database, accounts)
    return Sized(accounts, filed_s, took[WARM_UP:])


def _must_be_filed(built: Stand, database: str, accounts: int) -> None:
    with psycopg.connect(built.cluster.conninfo(database)) as owner:
        row = owner.execute("SELECT count(*) FROM account").fetchone()
    if row is None or row[0] != accounts:
        raise ValueError(f"expected {accounts} accounts on file, found {row}")


def printed(circumstances: Circumstances, done: Sequence[Sized]) -> str:
    return "\n".join(_lines(circumstances, done))


def _lines(circumstances: Circumstances, done: Sequence[Sized]) -> Iterator[str]:
    yield from circumstances.lines()
    yield ""
    yield f"  {'accounts':>9}{'a booking, ms':>15}{'least':>9}{'most':>9}{'filed in s':>12}"
    for one in done:
        least, most = min(one.booked_s), max(one.booked_s)
        figures = f"{1000 * one.median_s:>15.1f}{1000 * least:>9.1f}{1000 * most:>9.1f}"
        yield f"  {one.accounts:>9}{figures}{one.filed_s:>12.0f}"
    if len(done) > 1:
        grown = done[-1].median_s / done[0].median_s
        said = f"From {done[0].accounts} to {done[-1].accounts} accounts a booking takes"
        yield f"  {said} {grown:.2f} times as long."


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    many = number_up_to(MOST)
    parser.add_argument("--accounts", type=many, default=SIZES[-1], metavar="N", help=f"at most; {SIZES[-1]}")
    parser.add_argument(
        "--bookings", type=number_up_to(500), default=BOOKINGS, metavar="N", help=f"{BOOKINGS}"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there too")
    wanted = parser.parse_args(argv)
    circumstances = Circumstances.here()
    with stand(WARM_UP + wanted.bookings, 1) as built:
        circumstances.server = built.server_settings()
        sizes = [size for size in SIZES if size <= wanted.accounts] or [wanted.accounts]
        done = [measure(built, size, wanted.bookings) for size in sizes]
    print(printed(circumstances, done))
    if wanted.json is not None:
        sizes_told = [
            {"accounts": one.accounts, "filed_s": one.filed_s, "booked_s": one.booked_s} for one in done
        ]
        told = {"at": clock.stamp(circumstances.at), "load": circumstances.load, "sizes": sizes_told}
        wanted.json.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    return 0


if __name__ == "__main__":
    sys.exit(main())

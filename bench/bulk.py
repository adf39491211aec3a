"""A register taken in from a file, against COPY of the very same rows into the same indexed tables.

By turns on clones of one town. First the application imports a file of as many bottles as are asked for:
read, judged, published in one deed, as the worker does it. Then raw psycopg copies what came of it, the same
rows of the same tables with their keys, indexes and constraints, in one transaction. In the end both
databases hold the same rows of those tables to the last column, or the run fails.
"""

import argparse
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import orjson
import psycopg
from psycopg import sql

from bench.number import number_up_to
from bench.operation import WrongOutcome
from bench.report import Circumstances
from bench.stand import House, Stand, stand
from bench.town import Town, bottle_row
from core import clock
from core.auth import Actor, Reach, Role, ScopeKind
from core.doing import Doing
from core.ids import new_id
from cylinders import imports
from cylinders.import_models import FileEncoding, FileForm
from cylinders.register_lines import MOST_LINES, written
from cylinders.schemas import BottleRow

ROWS, TURNS = 100_000, 3
TABLES = ("cylinder", "cylinder_identifier", "inspection", "custody_fact", "cylinder_state")
GOAL = 0.5


@dataclass(slots=True)
class Bulk:
    """Seconds, turn by turn. ``reading`` and the rest are parts of ``imported``."""

    rows: int
    form: str
    imported: list[float] = field(default_factory=list)
    imported_cpu: list[float] = field(default_factory=list)
    copied: list[float] = field(default_factory=list)
    reading: list[float] = field(default_factory=list)
    most_memory_mb: float = 0

    @property
    def ratio(self) -> float:
        return statistics.median(self.copied) / statistics.median(self.imported)

    def rows_a_second(self, took: Sequence[float]) -> float:
        return self.rows / statistics.median(took)


def measure(built: Stand, rows: int, form: FileForm, turns: int) -> Bulk:
    found = Bulk(rows, form.value)
    with tempfile.TemporaryDirectory(prefix="lpg-", dir="/tmp") as folder:
        file = Path(folder) / "register"
        with file.open("wb") as opened:
            opened.writelines(written(form, _register(built.town, rows)))
        for _ in range(turns):
            ours, raw = built.clone(), built.clone()
            with built.house(ours) as house:
                _import(house, built.town, file, form, found)
            _copy(built, ours, raw, Path(folder), found)
            _must_be_alike(built, ours, raw)
    return found


def _register(town: Town, rows: int) -> Iterator[dict[str, object]]:
    """Bottles of the town's kind, each with its own registration code, as a firm's own system has them."""
    absent = {name: one.load_default for name, one in BottleRow().fields.items() if not one.required}
    for number in range(rows):
        row = absent | bottle_row(town.firm, number, {"site_id": town.station})
        code = {"scheme": "use_registration", "value": _use_registration(number)}
        own = {"identifiers": [code], "made_precision": "month", "tare_g": 16_200 + 7 * number % 600}
        yield row | own | _inspected(row)


def _inspected(row: dict[str, object]) -> dict[str, object]:
    inspection = row["last_inspection"]
    return (
        {"last_inspection": {"day_precision": "month", **inspection}} if isinstance(inspection, dict) else {}
    )


def _use_registration(number: int) -> str:
    series, serial = divmod(number, 100_000)
    return f"31B{series // 36:01X}Z{'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'[series % 36]}{serial:05d}"


def _import(house: House, town: Town, file: Path, form: FileForm, found: Bulk) -> None:
    actor = Actor(new_id(), Reach(Role.ADMINISTRATOR, ScopeKind.ALL, "", town.district), town.district)
    doing = Doing(house.ground, actor, town.district, request_id="bench")
    read_at = [0.0]
    begun, cpu = time.perf_counter(), time.process_time()

    def progress(_: int) -> None:
        read_at[0] = time.perf_counter()

    import_id, refused = imports.import_file(
        doing,
        file,
        firm_id=UUID(town.firm),
        evidence={"document": "BENCH", "reference": "2024-06-01"},
        on_error="rollback",
        form=form,
        encoding=FileEncoding.UTF_8,
        progress=progress,
    )
    found.imported.append(time.perf_counter() - begun)
    found.imported_cpu.append(time.process_time() - cpu)
    found.reading.append(read_at[0] - begun)
    found.most_memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if refused is not None:
        raise WrongOutcome(f"import {import_id}: {refused}")


def _copy(built: Stand, ours: str, raw: str, folder: Path, found: Bulk) -> None:
    """What the import made, copied; reading it out of the first database is not timed."""
    with psycopg.connect(built.cluster.conninfo(ours)) as owner:
        for table in TABLES:
            with (folder / table).open("wb") as out, owner.cursor() as cursor:
                statement = sql.SQL("COPY (SELECT one.* FROM {} AS one WHERE {}) TO STDOUT")
                with cursor.copy(statement.format(sql.Identifier(table), _IMPORTED)) as copy:
                    out.writelines(copy)
    with built.raw(raw) as connection:
        connection.execute("SET statement_timeout = 0")
        begun = time.perf_counter()
        for table in TABLES:
            into = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))
            with (
                (folder / table).open("rb") as rows,
                connection.cursor() as cursor,
                cursor.copy(into) as copy,
            ):
                while chunk := rows.read(1 << 18):
                    copy.write(chunk)
        connection.commit()
        found.copied.append(time.perf_counter() - begun)


_IMPORTED = sql.SQL(
    "EXISTS (SELECT FROM cylinder WHERE cylinder.cylinder_id = one.cylinder_id"
    " AND import_id = (SELECT max(id::text)::uuid FROM register_file))"
)


def _must_be_alike(built: Stand, ours: str, raw: str) -> None:
    one, other = built.contents(ours), built.contents(raw)
    unlike = [table for table in TABLES if one[table] != other[table]]
    if unlike:
        raise WrongOutcome(f"expected the same rows on both sides, they differ in {', '.join(unlike)}")


def printed(circumstances: Circumstances, found: Bulk) -> str:
    middle = statistics.median
    checked = middle(found.imported) - middle(found.reading)
    return "\n".join(
        [
            *circumstances.lines(),
            "",
            f"{found.rows} bottles as {found.form}, {len(found.imported)} turns; medians",
            "",
            f"  {'':<44}{'s':>9}{'rows a second':>16}",
            f"  {'imported: read, judged, published':<44}{middle(found.imported):>9.2f}"
            f"{found.rows_a_second(found.imported):>16.0f}",
            f"    {'of that reading and staging':<42}{middle(found.reading):>9.2f}",
            f"    {'of that judging and publishing':<42}{checked:>9.2f}",
            f"    {'CPU of this process':<42}{middle(found.imported_cpu):>9.2f}",
            f"    {'most memory of this process, MB':<42}{found.most_memory_mb:>9.0f}",
            f"  {'raw COPY of the same rows':<44}{middle(found.copied):>9.2f}"
            f"{found.rows_a_second(found.copied):>16.0f}",
            f"  {'import / COPY, rows a second':<44}{found.ratio:>9.2f}   (goal: {GOAL} or more)",
        ]
    )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.bulk", description=__doc__)
    parser.add_argument("--rows", type=number_up_to(MOST_LINES), default=ROWS, metavar="N", help=f"{ROWS}")
    parser.add_argument("--turns", type=number_up_to(20), default=TURNS, metavar="N", help=f"{TURNS}")
    parser.add_argument("--form", choices=[one.value for one in FileForm], default=FileForm.JSONL.value)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there too")
    wanted = parser.parse_args(argv)
    circumstances = Circumstances.here()
    with stand(0, 1) as built:
        circumstances.server = built.server_settings()
        found = measure(built, wanted.rows, FileForm(wanted.form), wanted.turns)
    print(printed(circumstances, found))
    if wanted.json is not None:
        figures = {"at": clock.stamp(circumstances.at), "load": circumstances.load, "bulk": found}
        wanted.json.write_bytes(orjson.dumps(figures | {"ratio": found.ratio}, option=orjson.OPT_INDENT_2))
    return 0


if __name__ == "__main__":
    sys.exit(main())

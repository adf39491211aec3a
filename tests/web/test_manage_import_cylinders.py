"""./lpg manage import cylinders FILE.jsonl, as an operator runs it: all kinds of files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.postgres import Cluster
from cylinders.models import Cylinder, CylinderImport
from evidence.models import Entry, Outcome
from evidence.verify import verify
from tests import console
from tests.cast import Cast
from tests.cylinders.cast import Bottles
from tests.desk import Desk

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Import = Callable[..., console.Said]


@pytest.fixture
def bottles(desk: Desk) -> Bottles:
    return Bottles(Cast(desk))


@pytest.fixture
def run_import(cluster: Cluster, database: str, bottles: Bottles, tmp_path: Path) -> Import:
    """Import this file into this test's database."""

    def run(content: bytes, *, on_error: str = "proceed", firm: str = "") -> console.Said:
        file = tmp_path / "cylinders.jsonl"
        file.write_bytes(content)
        firm = firm or str(bottles.cast.firm())
        words = ["import", "cylinders", str(file), "--firm", firm, "--district", "310105"]
        words += ["--document", "ledger-2024", "--reference", "disk-1", "--on-error", on_error]
        settings = {
            "LPG_STATE_DIR": str(tmp_path),
            "LPG_DATABASE_URL": cluster.url(database, role="lpg_app"),
            "LPG_OWNER_URL": cluster.url(database),
        }
        return console.typed(*words, **settings)

    return run


def lines(*rows: Any) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def on_file(db: Session) -> int:
    return len(list(db.scalars(sa.select(Cylinder))))


def entry_of_the_import(db: Session) -> Entry:
    return db.scalars(sa.select(Entry).where(Entry.verb == "cylinder.import")).one()


def test_a_good_file_is_taken_whole_also_with_a_byte_order_mark(
    bottles: Bottles, db: Session, run_import: Import
) -> None:
    done = run_import(BYTE_ORDER_MARK + lines(bottles.row(), bottles.row()))
    assert (done.returncode, done.stdout) == (0, "accepted 2, refused 0\n"), done.stderr
    assert on_file(db) == 2
    [kept] = db.scalars(sa.select(CylinderImport))
    assert (kept.accepted, kept.refused, kept.evidence["document"]) == (2, 0, "ledger-2024")
    assert entry_of_the_import(db).outcome is Outcome.DONE
    assert not list(verify(db))


def test_bad_lines_are_named_and_the_good_ones_stand(
    bottles: Bottles, db: Session, run_import: Import
) -> None:
    in_gb18030 = json.dumps(bottles.row(material="钢"), ensure_ascii=False).encode("gb18030")
    content = b"{ no json\n\n" + lines(bottles.row(), bottles.row(model="YSP99")) + in_gb18030
    done = run_import(content)
    assert done.returncode == 1
    first, *said = done.stdout.splitlines()
    assert first == "accepted 1, refused 3"
    assert [line.split(": ")[0] for line in said] == ["  line 1", "  line 4", "  line 5"]
    assert "/model: " in said[1]
    assert "Traceback" not in done.stderr
    assert on_file(db) == 1


def test_rolled_back_nothing_is_written_and_every_bad_line_is_named(
    bottles: Bottles, db: Session, run_import: Import
) -> None:
    code = [{"scheme": "stamp", "value": "YL-100"}]
    content = lines(bottles.row(identifiers=code), "no row", bottles.row(identifiers=code))
    done = run_import(content, on_error="rollback")
    assert (done.returncode, done.stdout) == (1, "")
    [head, *said] = done.stderr.splitlines()[-3:]
    assert "refused, nothing was written" in head
    assert said[0].startswith("  line 2: object: ")
    assert said[1].startswith("  line 3: cylinder.identifier_taken: ")
    assert on_file(db) == 0
    assert not list(db.scalars(sa.select(CylinderImport)))
    assert entry_of_the_import(db).outcome is Outcome.REFUSED


@pytest.mark.parametrize("content", [b"", b"\n \n", BYTE_ORDER_MARK], ids=["empty", "blank", "a mark only"])
def test_a_file_without_rows_is_said_in_one_line(db: Session, run_import: Import, content: bytes) -> None:
    done = run_import(content)
    assert (done.returncode, done.stdout) == (2, "")
    [line] = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert line.startswith("/file: ")
    assert not list(db.scalars(sa.select(CylinderImport)))
    assert not list(db.scalars(sa.select(Entry).where(Entry.verb == "cylinder.import")))


def test_a_firm_nobody_knows_is_said_in_one_line(bottles: Bottles, db: Session, run_import: Import) -> None:
    done = run_import(lines(bottles.row()), firm=str(uuid4()))
    assert (done.returncode, done.stdout) == (2, "")
    [line] = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert line.startswith("/firm_id: ")
    assert on_file(db) == 0

"""./lpg manage import users FILE.jsonl, as an operator runs it: all kinds of files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from core.ground import Ground
from core.postgres import Cluster
from registry.models import Account, Household
from tests import console
from tests.cast import Cast
from tests.desk import Desk
from tests.registry.proofs import count, entries
from web.manage import main

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Import = Callable[..., console.Said]


@pytest.fixture
def cast(desk: Desk) -> Cast:
    return Cast(desk)


@pytest.fixture
def run_import(cluster: Cluster, database: str, cast: Cast, tmp_path: Path) -> Import:
    """Import these lines into this test's database."""

    def run(*lines: Any, on_error: str = "proceed", firm: str = "", raw: bytes | None = None) -> console.Said:
        file = tmp_path / "users.jsonl"
        text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
        file.write_bytes(text.encode() if raw is None else raw)
        words = ["import", "users", str(file), "--firm", firm or str(cast.firm()), "--district", "310105"]
        words += ["--document", "ledger-2022", "--reference", "disk-1", "--on-error", on_error]
        settings = {
            "LPG_STATE_DIR": str(tmp_path),
            "LPG_DATABASE_URL": cluster.url(database, role="lpg_app"),
            "LPG_OWNER_URL": cluster.url(database),
        }
        return console.typed(*words, **settings)

    return run


def test_a_good_file_is_taken_whole_also_with_a_byte_order_mark(
    cast: Cast, ground: Ground, run_import: Import
) -> None:
    rows = [json.dumps(cast.user_row()).encode() for _ in range(2)]
    done = run_import(raw=BYTE_ORDER_MARK + b"\r\n".join(rows))
    assert (done.returncode, done.stdout) == (0, "accepted 2, refused 0\n"), done.stderr
    assert count(ground, Account) == 2
    [entry] = entries(ground, "account.import")
    assert (entry["payload"]["document"], entry["payload"]["rows"]) == ("ledger-2022", 2)


def test_bad_lines_are_named_and_the_good_ones_stand(cast: Cast, ground: Ground, run_import: Import) -> None:
    two_faults = cast.user_row() | {"opened_on": "yesterday", "cards": []}
    in_gb18030 = json.dumps(cast.user_row(), ensure_ascii=False).encode("gb18030")
    good = json.dumps(cast.user_row()).encode()
    done = run_import(raw=b"\n".join([b"{ no json", b"", good, json.dumps(two_faults).encode(), in_gb18030]))
    assert done.returncode == 1
    first, *said = done.stdout.splitlines()
    assert first == "accepted 1, refused 3"
    assert [line.split(": ")[0] for line in said] == ["  line 1", "  line 4", "  line 4", "  line 5"]
    assert said[0].endswith("expected JSON in UTF-8 on this line")
    assert "/opened_on: " in done.stdout
    assert "Traceback" not in done.stderr
    assert count(ground, Account) == 1


def test_rolled_back_nothing_is_written_and_every_bad_line_is_named(
    cast: Cast, ground: Ground, run_import: Import
) -> None:
    barred = cast.user_row(opened_on="2023-08-01")
    done = run_import(cast.user_row(), barred, "[]", on_error="rollback")
    assert (done.returncode, done.stdout) == (1, "")
    [head, *said] = done.stderr.splitlines()[-3:]
    assert "refused, nothing was written" in head
    assert said[0].startswith("  line 2: account.opening_barred: ")
    assert said[1].startswith("  line 3: import.row_wrong: ")
    assert (count(ground, Account), count(ground, Household)) == (0, 0)
    [entry] = entries(ground, "account.import")
    assert entry["outcome"] == "refused"


def test_a_file_without_rows_and_a_firm_nobody_knows_are_said_in_one_line(
    cast: Cast, ground: Ground, run_import: Import
) -> None:
    empty, stranger = run_import(), run_import(cast.user_row(), firm=str(uuid4()))
    for done, named in ((empty, "/rows: "), (stranger, "/firm_id: ")):
        assert (done.returncode, done.stdout) == (2, "")
        [line] = [line for line in done.stderr.splitlines() if not line.startswith("{")]
        assert line.startswith(named)
    assert not entries(ground, "account.import")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"--document": "样例王小明的台账"}, "3 to 40 letters, digits"),
        ({"--reference": "a page"}, "3 to 40 letters, digits"),
        ({"--district": "31"}, "six digits"),
        ({"file": "nobody.jsonl"}, "nobody.jsonl: No such file or directory"),
        ({"file": "tests"}, "tests: Is a directory"),
    ],
)
def test_a_wrong_word_is_said_before_the_house_is_opened(
    changed: dict[str, str],
    expected: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What goes into the evidence is a code, as through HTTP, and the file is there."""
    monkeypatch.chdir(console.CHECKOUT)
    given = {"--firm": str(uuid4()), "--district": "310105", "--document": "book-1", "--reference": "p-1"}
    given |= {"file": "README.md"} | changed
    file = given.pop("file")
    words = [word for pair in given.items() for word in pair]
    with pytest.raises(SystemExit) as left:
        main(["import", "users", file, *words])
    assert left.value.code == 2
    assert expected in capsys.readouterr().err

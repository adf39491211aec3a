"""What we ship to browsers is what its authors made: every vendored file is hashed again."""

import json
from pathlib import Path

import pytest

from tools.vendor import LOCK, PACKAGES, VENDOR, hash_of

ROWS = json.loads(LOCK.read_text(encoding="utf-8"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_each_vendored_file_is_the_one_that_was_fetched(row: dict[str, object]) -> None:
    folder = VENDOR / f"{row['name']}-{row['version']}"
    there = {str(path.relative_to(folder)): hash_of(path) for path in folder.rglob("*") if path.is_file()}
    assert there == row["files"]
    assert "LICENSE" in there


def test_the_lock_names_what_the_tool_fetches_and_nothing_else_stands_there() -> None:
    assert [(row["name"], row["version"], row["licence"]) for row in ROWS] == [
        (one.name, one.version, one.licence) for one in PACKAGES
    ]
    named = {f"{row['name']}-{row['version']}" for row in ROWS}
    assert {path.name for path in VENDOR.iterdir()} == named | {Path(LOCK).name}

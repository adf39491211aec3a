"""The office's page for a register that comes as a file: sent, followed, its faults fetched; refused."""

import csv
import io
import re
from typing import Any
from uuid import uuid4

import orjson
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from core import sessions
from core.auth import Role
from core.ground import Ground
from core.sessions import SignedInBy
from cylinders import imports
from cylinders.import_models import RegisterFile
from cylinders.models import Cylinder
from evidence.models import Entry
from tests.cast import Cast
from tests.cylinders.cast import Bottles
from tests.desk import Desk
from tests.due_jobs import run_due_jobs
from web.office import importing


class Clerk:
    def __init__(self, app: Flask, ground: Ground, principal_id: Any):
        self.client = app.test_client()
        secret = sessions.open_session(ground, principal_id, SignedInBy.PASSWORD_AND_CODE)
        signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
        self.client.set_cookie("lpg", signer.dumps({"secret": secret}))

    def get(self, path: str) -> TestResponse:
        return self.client.get(f"/office/{path}")

    def post(self, path: str, **form: Any) -> TestResponse:
        token = re.findall(r'name="csrf_token" value="([^"]+)"', self.get("search").text)[0]
        body = {"csrf_token": token, "form_key": uuid4().hex, **form}
        return self.client.post(f"/office/{path}", data=body, content_type="multipart/form-data")

    def send(self, file: bytes | None, **changed: Any) -> TestResponse:
        form = {"form": "jsonl", "encoding": "utf-8", "on_error": "proceed"}
        form |= {"document": "ledger-2024", "reference": "book-1"} | changed
        if file is not None:
            form["file"] = (io.BytesIO(file), "register.jsonl")  # type: ignore[assignment]
        return self.post("imports", **form)


@pytest.fixture
def bottles(desk: Desk) -> Bottles:
    return Bottles(Cast(desk))


@pytest.fixture
def clerk(app: Flask, ground: Ground, bottles: Bottles) -> Clerk:
    return Clerk(app, ground, bottles.cast.clerk.principal_id)


def filed(db: Session) -> list[int]:
    """Bottles, files taken, entries: what a refused form leaves as it was."""
    return [
        db.scalar(sa.select(sa.func.count()).select_from(table)) or 0
        for table in (Cylinder, RegisterFile, Entry)
    ]


def lines(*rows: Any) -> bytes:
    return b"".join((row if isinstance(row, bytes) else orjson.dumps(row)) + b"\n" for row in rows)


def test_a_file_is_sent_followed_and_its_faults_are_fetched(
    clerk: Clerk, bottles: Bottles, ground: Ground, db: Session
) -> None:
    assert "还没有导入过" in clerk.get("imports").text
    answer = clerk.send(lines(bottles.row(), bottles.row(model="YSP99"), b"{", bottles.row()))
    assert answer.status_code == 302
    path = answer.location.removeprefix("/office/")
    waiting = clerk.get(path).text
    assert "排队中" in waiting
    assert "data-live" in waiting
    assert filed(db)[0] == 0
    db.rollback()

    run_due_jobs(ground)
    done = clerk.get(path).text
    assert "data-live" not in done
    figures = re.findall(r"<strong[^>]*>(\d+)</strong>(\S+)", done)
    assert figures == [("2", "已入账"), ("2", "有错，没有入账")]
    table = list(csv.reader(io.StringIO(clerk.get(f"{path}/faults.csv").data.decode("utf-8-sig"))))
    assert [row[:3] for row in table[1:]] == [["2", "/model", "unknown"], ["3", "", "json"]]
    assert filed(db)[0] == 2
    before = clerk.get("imports").text
    assert path in before
    assert "ledger-2024 book-1" in before


def test_one_wrong_line_refuses_the_file_where_that_was_asked(
    clerk: Clerk, bottles: Bottles, ground: Ground, db: Session
) -> None:
    path = clerk.send(lines(bottles.row(), b"{"), on_error="rollback").location.removeprefix("/office/")
    run_due_jobs(ground)
    told = clerk.get(path).text
    assert "没有入账" in told
    assert "怎么办" in told
    assert filed(db)[0] == 0


def test_an_import_nobody_wants_is_stopped(
    clerk: Clerk, bottles: Bottles, ground: Ground, db: Session
) -> None:
    path = clerk.send(lines(bottles.row())).location.removeprefix("/office/")
    assert clerk.post(f"{path}/cancel").status_code == 302
    run_due_jobs(ground)
    assert "什么也没有入账" in clerk.get(path).text
    assert filed(db)[0] == 0
    assert clerk.post(f"{path}/cancel").status_code == 409


@pytest.mark.parametrize(
    ("file", "changed", "says"),
    [
        (None, {}, "请选一个文件"),
        (b"\n\n", {}, "文件里没有一行"),
        (b"PK\x03\x04\x14\x00", {"form": "csv"}, "第1列的名称不认识"),
        (b"{}", {"form": "xlsx"}, "应为以下之一"),
        (b"{}", {"encoding": "latin-1"}, "应为以下之一"),
        (b"{}", {"on_error": "guess"}, "proceed"),
        (b"{}", {"document": ""}, "必须填写"),
        (b"{}", {"reference": "a name of somebody"}, 'id="reference-fault"'),
    ],
)
def test_what_is_wrong_with_the_form_is_said_and_nothing_is_kept(
    clerk: Clerk, ground: Ground, db: Session, file: bytes | None, changed: dict[str, str], says: str
) -> None:
    before = filed(db)
    answer = clerk.send(file, **changed)
    assert answer.status_code == 422
    assert says in answer.text
    db.rollback()
    assert filed(db) == before
    folder = imports.folder_of(ground)
    assert not folder.is_dir() or not list(folder.iterdir())


def test_the_same_form_with_another_file_is_another_form(
    clerk: Clerk, bottles: Bottles, ground: Ground, db: Session
) -> None:
    key, file = uuid4().hex, lines(bottles.row())
    first = clerk.send(file, form_key=key)
    assert clerk.send(file, form_key=key).location == first.location
    assert clerk.send(lines(bottles.row(), bottles.row()), form_key=key).status_code == 422
    assert clerk.send(file, form_key=key, on_error="rollback").status_code == 422
    assert filed(db)[1] == 1


def test_what_is_too_large_is_said_plainly_and_not_kept(
    clerk: Clerk, bottles: Bottles, ground: Ground, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = clerk.get("imports").text
    assert "1000000 行" in limits
    assert "1024 MiB" in limits
    file = lines(*[bottles.row() for _ in range(5)])
    before = filed(db)
    monkeypatch.setattr(imports, "MOST_LINES", 2)
    answer = clerk.send(file)
    assert answer.status_code == 413
    assert "文件太大" in answer.text
    too_long = clerk.client.post(
        "/office/imports",
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"CONTENT_LENGTH": str(2 * importing.MOST_BYTES)},
    )
    assert too_long.status_code == 413
    assert "能收多大" in too_long.text
    db.rollback()
    assert filed(db) == before
    assert not list(imports.folder_of(ground).iterdir())


def test_a_large_file_is_taken_by_this_page_and_by_no_other(
    clerk: Clerk, bottles: Bottles, ground: Ground, db: Session
) -> None:
    """More than any other form may bring."""
    padding = b" " * (16 * 1024 - 2) + b"\n"
    file = lines(bottles.row()) + padding * 600
    assert len(file) > 8 * 2**20
    path = clerk.send(file).location.removeprefix("/office/")
    run_due_jobs(ground)
    assert "已入账" in clerk.get(path).text
    assert filed(db)[0] == 1
    assert clerk.post("search", q="x", file=(io.BytesIO(file), "x")).status_code == 413


def test_a_register_is_its_firms_and_nobody_elses(
    app: Flask, ground: Ground, clerk: Clerk, bottles: Bottles
) -> None:
    cast = bottles.cast
    path = clerk.send(lines(bottles.row())).location.removeprefix("/office/")
    stranger = Clerk(app, ground, cast.clerk_of(cast.another_firm()).principal_id)
    assert [stranger.get(path + end).status_code for end in ("", "/faults.csv")] == [404, 404]
    assert stranger.post(f"{path}/cancel").status_code == 404
    assert path not in stranger.get("imports").text
    at_a_site = Clerk(
        app, ground, cast.desk.sign_in(Role.CLERK, cast.district, site=cast.supply_point()).principal_id
    )
    assert at_a_site.get("imports").status_code == 404
    assert at_a_site.send(lines(bottles.row())).status_code == 404
    assert "/office/imports" not in at_a_site.get("").text
    assert at_a_site.get("register.csv").status_code == 404
    for role in (Role.COURIER, Role.DISPATCHER):
        assert Clerk(app, ground, cast.desk.sign_in(role).principal_id).get("imports").status_code == 403


def test_the_empty_table_is_one_that_the_import_takes_and_the_register_comes_back(
    clerk: Clerk, bottles: Bottles, ground: Ground, db: Session
) -> None:
    head = clerk.get("imports/columns.csv").data.decode("utf-8-sig").splitlines()[0]
    columns = head.split(",")
    cells = ["YSP35.5" if name == "型号" else "" for name in columns]
    file = f"{head}\n{','.join(cells)}\n".encode()
    path = clerk.send(file, form="csv").location.removeprefix("/office/")
    run_due_jobs(ground)
    assert "每一行都对" in clerk.get(path).text
    assert filed(db)[0] == 1
    owned = bottles.empty()
    rows = list(csv.DictReader(io.StringIO(clerk.get("register.csv").data.decode("utf-8-sig"))))
    assert [row["platform"] for row in rows] == [owned.code]
    every = list(csv.DictReader(io.StringIO(clerk.get("register.csv?rows=all").data.decode("utf-8-sig"))))
    assert [row["standing"] for row in every] == ["in_service"]

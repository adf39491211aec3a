"""A register that comes as a file: taken in by the worker, once, or refused with what is wrong and where."""

import csv
import hashlib
import io
import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import marshmallow as ma
import orjson
import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from core import clock, jobs
from core.auth import Role, ScopeKind
from core.ground import Ground
from core.outbox import OutboxEvent, deliver_due
from core.problems import WrongField
from core.refusal import Refused
from cylinders import import_leftovers, imports, publishing, register_lines, staging
from cylinders.import_models import FileEncoding, FileForm, RegisterFault, RegisterFile, StagedBottle
from cylinders.models import (
    CardHolding,
    CustodyFact,
    Cylinder,
    CylinderClaim,
    CylinderCustody,
    CylinderIdentifier,
    CylinderImport,
    CylinderType,
    Inspection,
    Phase,
)
from cylinders.states import CylinderState
from evidence.models import Entry, Outcome
from evidence.verify import verify
from oversight.models import Tip
from tests.cast import Cast
from tests.conftest import doing_as
from tests.cylinders.cast import Bottles
from tests.due_jobs import run_due_jobs
from web import manage, retention

PAPER = {"document": "ledger-2024", "reference": "book-1"}
FILED = (Cylinder, CylinderIdentifier, Inspection, CustodyFact, CylinderCustody, CylinderImport)


def counts(db: Session) -> list[int]:
    return [db.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in FILED]


def jsonl(rows: list[Any]) -> bytes:
    return b"".join((row if isinstance(row, bytes) else orjson.dumps(row)) + b"\n" for row in rows)


def send(bottles: Bottles, file: bytes, *, key: str | None = None, **changed: Any) -> TestResponse:
    asked = {"firm_id": str(bottles.cast.firm()), **PAPER, "on_error": "proceed", "form": "jsonl"}
    path = "/api/v1/districts/310105/cylinder-file-imports"
    return bottles.cast.clerk.send(path, file, key=key, **asked | changed)


def ask(bottles: Bottles, file: bytes, **changed: Any) -> str:
    answer = send(bottles, file, **changed)
    assert answer.status_code == 202, answer.text
    return str(answer.json["id"])


def look(bottles: Bottles, import_id: str) -> dict[str, Any]:
    answer = bottles.cast.clerk.get(f"/api/v1/districts/310105/cylinder-file-imports/{import_id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def faults(bottles: Bottles, import_id: str, form: str = "jsonl") -> str:
    path = f"/api/v1/districts/310105/cylinder-file-imports/{import_id}/faults"
    answer = bottles.cast.clerk.get(path, form=form)
    assert answer.status_code == 200, answer.text
    return answer.get_data(as_text=True)


def export(bottles: Bottles, form: str, **asked: str) -> bytes:
    answer = bottles.cast.clerk.get(
        "/api/v1/districts/310105/cylinder-register", firm_id=str(bottles.cast.firm()), form=form, **asked
    )
    assert answer.status_code == 200, answer.text
    return answer.get_data()


def mixed(bottles: Bottles) -> list[Any]:
    """Lines 1 and 8 are sound; between them one of each fault there is."""
    code = [{"scheme": "stamp", "value": "YL-100"}]
    return [
        bottles.row(identifiers=code),
        bottles.row(model="YSP99", owner_firm_id=str(uuid4())),
        b"{not json",
        bottles.row(identifiers=code),
        bottles.row(surprise=1, tare_g=True),
        bottles.row(holder={"site_id": str(uuid4())}),
        b"",
        bottles.row(),
        bottles.row(identifiers=code * 2),
        bottles.row(holder={"district": 310105, "card_id": str(uuid4())}),
    ]


# --- taken in -------------------------------------------------------------------------------------------


def test_a_file_is_taken_in_by_the_worker_as_one_deed(bottles: Bottles, ground: Ground, db: Session) -> None:
    users = bottles.cast.household()
    on_card = {"district": 310105, "card_id": str(users.card_ids[0])}
    file = jsonl([bottles.row(), bottles.row(holder=on_card), bottles.row(holder=None, last_inspection=None)])
    import_id = ask(bottles, file)
    asked = look(bottles, import_id)
    assert (asked["state"], asked["lines"], asked["read_lines"]) == ("asked", 3, 0)
    assert counts(db) == [0] * 6, "nothing is filed while somebody waits for an answer"

    run_due_jobs(ground)
    done = look(bottles, import_id)
    assert (done["state"], done["accepted"], done["refused"], done["read_lines"]) == ("done", 3, 0, 3)
    assert counts(db) == [3, 6, 2, 2, 2, 1]
    entry = db.scalars(sa.select(Entry).where(Entry.verb == "cylinder.import")).one()
    said = json.loads(entry.written)["payload"]
    assert said["file"] == hashlib.sha256(file).hexdigest() == done["sha256"]
    assert (said["root"], said["rows"]) == (done["root"], 3)
    assert {one.import_id for one in db.scalars(sa.select(Cylinder))} == {UUID(import_id)}
    assert {one.entry_id for one in db.scalars(sa.select(CustodyFact))} == {entry.id}
    [holding], [claim] = db.scalars(sa.select(CardHolding)), db.scalars(sa.select(CylinderClaim))
    assert (holding.card_id, holding.active) == (claim.card_id, claim.active) == (users.card_ids[0], True)
    assert not list(verify(db))
    assert not db.scalar(sa.select(sa.func.count()).select_from(StagedBottle))
    assert not list(imports.folder_of(ground).iterdir()), "what was taken in is not kept twice"


def test_a_bottle_from_a_file_is_filled_and_projected_as_any_other(
    bottles: Bottles, ground: Ground, db: Session
) -> None:
    code = [{"scheme": "use_registration", "value": "31YLT900001"}]
    ask(bottles, jsonl([bottles.row(identifiers=code)]))
    run_due_jobs(ground)
    assert bottles.verdict("31YLT900001")["allowed"]
    single = bottles.empty()
    [imported] = db.scalars(sa.select(Cylinder.cylinder_id).where(Cylinder.cylinder_id != single.id))
    one, other = db.get_one(CylinderCustody, imported), db.get_one(CylinderCustody, single.id)
    own = {"cylinder_id", "last_fact_id", "since_fact_id"}
    for column in CylinderCustody.__table__.c:
        assert column.name in own or getattr(one, column.name) == getattr(other, column.name), column.name
    first, second = db.scalars(sa.select(CustodyFact).order_by(CustodyFact.recorded_at, CustodyFact.id))
    own = {"cylinder_id", "id", "entry_id"}
    for column in CustodyFact.__table__.c:
        assert column.name in own or getattr(first, column.name) == getattr(second, column.name), column.name


def test_the_same_register_as_csv_in_chinese_gives_the_same_bottles(
    bottles: Bottles, ground: Ground, db: Session
) -> None:
    site = str(bottles.cast.filling_station())
    header = "型号,使用登记代码,皮重克,翻新,检验日期,检验合格,检验机构,检验报告号,所在站点"
    table = f"{header}\r\nYSP35.5,31YLT910001,16500,否,2024-05-01,是,JY-01,R-1,{site}\r\n"
    for encoding in ("gb18030", "utf-8"):
        text = table.replace("910001", "910002") if encoding == "utf-8" else table
        file = text.encode("utf-8-sig" if encoding == "utf-8" else encoding)
        import_id = ask(bottles, file, form="csv", encoding=encoding)
        run_due_jobs(ground)
        assert look(bottles, import_id)["accepted"] == 1, faults(bottles, import_id)
    one, other = db.scalars(sa.select(Cylinder).order_by(Cylinder.cylinder_id))
    assert (one.tare_g, one.refurbished, one.max_fill_g) == (16_500, False, 14_900)
    assert (other.tare_g, other.refurbished, other.max_fill_g) == (16_500, False, 14_900)
    assert [one.passed for one in db.scalars(sa.select(Inspection))] == [True, True]


def test_what_is_wrong_is_told_line_by_line_and_the_rest_is_filed(
    bottles: Bottles, ground: Ground, db: Session
) -> None:
    import_id = ask(bottles, jsonl(mixed(bottles)))
    run_due_jobs(ground)
    done = look(bottles, import_id)
    assert (done["state"], done["accepted"], done["refused"]) == ("done", 2, 7)
    found = [orjson.loads(line) for line in faults(bottles, import_id).splitlines()]
    assert [(one["line"], one["field"], one["code"]) for one in found] == [
        (2, "/model", "unknown"),
        (2, "/owner_firm_id", "unknown"),
        (3, "", "json"),
        (4, "", "cylinder.identifier_taken"),
        (5, "/tare_g", "integer"),
        (5, "", "unknown_field"),
        (6, "/holder/site_id", "unknown"),
        (9, "", "cylinder.identifier_twice"),
        (10, "/holder/card_id", "unknown"),
    ]
    assert all(one["zh"] and one["en"] for one in found)
    table = list(csv.DictReader(io.StringIO(faults(bottles, import_id, "csv").removeprefix("\ufeff"))))
    assert [int(row["line"]) for row in table] == [one["line"] for one in found]
    assert counts(db)[0] == 2
    entry = db.scalars(sa.select(Entry).where(Entry.verb == "cylinder.import")).one()
    assert json.loads(entry.written)["payload"]["refused_by_code"]["unknown"] == 3


@pytest.mark.parametrize("many", [1, publishing.MANY_LINES])
def test_whatever_a_line_points_at_is_looked_for_however_many_lines_there_are(
    bottles: Bottles, ground: Ground, db: Session, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    """Few lines are looked up one by one, many are joined at once: the same is found."""
    monkeypatch.setattr(publishing, "MANY_LINES", many)
    users = bottles.cast.household()
    on_card = {"district": 310105, "card_id": str(users.card_ids[0])}
    bottles.empty(identifiers=[{"scheme": "stamp", "value": "YL-500"}])
    db.get_one(CylinderType, "YSP118").phase = Phase.TWO_PHASE
    db.commit()
    rows = [
        bottles.row(registered_by_firm_id=str(uuid4())),
        bottles.row(entrusted_to_firm_id=str(uuid4())),
        bottles.row(model="YSP118", phase="vapour"),
        bottles.row(identifiers=[{"scheme": "stamp", "value": "YL-500"}]),
        bottles.row(holder=on_card),
        bottles.row(holder=on_card),
        bottles.row(identifiers=[{"scheme": "stamp", "value": "YL-501"}]),
        bottles.row(identifiers=[{"scheme": "stamp", "value": "YL-501"}]),
    ]
    before = counts(db)[0]
    import_id = ask(bottles, jsonl(rows))
    run_due_jobs(ground)
    found = [orjson.loads(line) for line in faults(bottles, import_id).splitlines()]
    assert [(one["line"], one["field"], one["code"]) for one in found] == [
        (1, "/registered_by_firm_id", "unknown"),
        (2, "/entrusted_to_firm_id", "unknown"),
        (3, "", "cylinder.contradicts_type"),
        (4, "", "cylinder.identifier_taken"),
        (6, "", "holding.card_holds_another"),
        (8, "", "cylinder.identifier_taken"),
    ]
    db.rollback()
    assert counts(db)[0] == before + 2


def test_only_many_lines_are_joined_at_once(ground: Ground) -> None:
    for lines, nested in ((publishing.MANY_LINES - 1, "on"), (publishing.MANY_LINES, "off")):
        with ground.sessions() as db:
            publishing.take_your_time(db, lines)
            assert db.scalar(sa.text("SHOW enable_nestloop")) == nested


def test_on_rollback_one_bad_line_refuses_the_file_and_says_which(
    bottles: Bottles, ground: Ground, db: Session
) -> None:
    import_id = ask(bottles, jsonl(mixed(bottles)), on_error="rollback")
    run_due_jobs(ground)
    refused = look(bottles, import_id)
    assert (refused["state"], refused["refused"], refused["published_at"]) == ("refused", 7, None)
    assert [(one["code"], one["facts"]) for one in refused["reasons"]] == [
        ("import.rows_wrong", {"lines": 7})
    ]
    assert len(faults(bottles, import_id).splitlines()) == 9
    assert counts(db) == [0] * 6
    entry = db.scalars(sa.select(Entry).where(Entry.verb == "cylinder.import")).one()
    assert (entry.outcome, entry.refusal_no) == (Outcome.REFUSED, refused["refusal_no"])
    assert not db.scalar(sa.select(sa.func.count()).select_from(StagedBottle))

    again = ask(bottles, jsonl(mixed(bottles)), on_error="rollback")
    assert again != import_id, "what was refused may be tried again"


# --- once -----------------------------------------------------------------------------------------------


def test_the_same_file_is_imported_once(bottles: Bottles, ground: Ground, db: Session) -> None:
    file = jsonl([bottles.row()])
    first = ask(bottles, file, key="file-key-1")
    assert ask(bottles, file, key="file-key-1") == first
    assert ask(bottles, file) == first, "another key, the same file: on its way"
    run_due_jobs(ground)
    assert ask(bottles, file) == first, "and published"
    assert counts(db)[0] == 1
    other = send(bottles, file + b" ", key="file-key-1")
    assert other.status_code == 422
    assert other.json["type"].endswith("key_reused")
    assert not list(imports.folder_of(ground).iterdir())


def test_a_file_that_was_read_in_the_wrong_encoding_is_sent_again_in_the_right_one(
    bottles: Bottles, ground: Ground, db: Session
) -> None:
    header = "model,use_registration,inspected_on,inspection_passed,inspection_agency,inspection_report_no"
    file = f"{header}\r\nYSP35.5,31YLT910001,2024-05-01,是,JY-01,R-1\r\n".encode("gb18030")
    misread = ask(bottles, file, form="csv", encoding="utf-8")
    run_due_jobs(ground)
    assert look(bottles, misread)["accepted"] == 0
    right = ask(bottles, file, form="csv", encoding="gb18030")
    run_due_jobs(ground)
    assert look(bottles, right)["accepted"] == 1, faults(bottles, right)
    assert [one.agency for one in db.scalars(sa.select(Inspection))] == ["JY-01"]
    assert ask(bottles, file, form="csv", encoding="gb18030") == right


def test_two_asked_at_once_publish_the_file_once(bottles: Bottles, ground: Ground, db: Session) -> None:
    """The database says so, should both have been asked before either was known."""
    file = jsonl([bottles.row(identifiers=[])])
    first = ask(bottles, file)
    run_due_jobs(ground)
    db.execute(sa.update(RegisterFile).values(published_at=None))
    db.commit()
    second = ask(bottles, file)
    assert second != first
    db.execute(
        sa.update(RegisterFile).where(RegisterFile.id == UUID(first)).values(published_at=sa.func.now())
    )
    db.commit()
    run_due_jobs(ground)
    assert [one["code"] for one in look(bottles, second)["reasons"]] == ["import.file_imported"]
    assert counts(db)[0] == 1


def test_of_two_imports_with_the_same_codes_one_wins_by_the_database(
    bottles: Bottles, ground: Ground, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both were checked before either was published: the loser's lines say that the codes are taken."""
    other = Bottles(Cast(bottles.cast.desk))
    codes = [[{"scheme": "stamp", "value": f"YL-20{number}"}] for number in range(3)]
    files = {
        ask(mine, jsonl([mine.row(identifiers=code) for code in (*codes, [])])): mine
        for mine in (bottles, other)
    }
    both, tried = threading.Barrier(2), list[UUID]()
    check = staging.check

    def checked_together(db: Session, batch: staging.Batch) -> None:
        check(db, batch)
        db.commit()
        if batch.file_id not in tried:
            tried.append(batch.file_id)
            both.wait(30)

    monkeypatch.setattr(imports, "check", checked_together)
    run_due_jobs(ground)
    told = [look(mine, import_id) for import_id, mine in files.items()]
    assert [one["state"] for one in told] == ["done", "done"]
    assert sorted((one["accepted"], one["refused"]) for one in told) == [(1, 3), (4, 0)]
    loser = next(one["id"] for one in told if one["refused"])
    assert {orjson.loads(line)["code"] for line in faults(files[loser], loser).splitlines()} == {
        "identifier.registered_elsewhere"
    }
    [claim] = claims(db)
    assert (claim["import_id"], claim["claimed"], len(claim["codes"])) == (loser, 3, 3)
    assert counts(db)[:2] == [5, 3 + 5]
    assert not list(verify(db))


def claims(db: Session) -> list[dict[str, Any]]:
    told = sa.select(OutboxEvent.payload).where(OutboxEvent.topic == "identifier.collision_found")
    return list(db.scalars(told))


@pytest.mark.parametrize("on_error", ["proceed", "rollback"])
@pytest.mark.parametrize("in_a_file", [True, False])
def test_a_register_that_claims_another_firms_codes_is_told_of_also_when_it_is_refused(
    bottles: Bottles, ground: Ground, db: Session, on_error: str, in_a_file: bool
) -> None:
    def stamped(*values: str) -> list[Any]:
        return [[{"scheme": "stamp", "value": value}] for value in values]

    rival = Bottles(Cast(bottles.cast.desk))
    for code in stamped("YL-301", "YL-302", "YL-303"):
        rival.register(rival.row(identifiers=code))
    void = {"scheme": "stamp", "value": "YL-303", "reason": "wrongly_entered"}
    third = rival.verdict("YL-303")["cylinder_id"]
    assert rival.cast.clerk.post(f"/api/v1/cylinders/{third}/identifier-voidings", void).status_code == 201
    bottles.empty(identifiers=stamped("YL-304")[0])
    rows = [
        bottles.row(identifiers=code) for code in stamped("YL-301", "YL-302", "YL-303", "YL-304", "YL-305")
    ]
    before = counts(db)[0]
    if in_a_file:
        import_id = ask(bottles, jsonl(rows), on_error=on_error)
        run_due_jobs(ground)
        found = [orjson.loads(line)["code"] for line in faults(bottles, import_id).splitlines()]
    else:
        asked = {"firm_id": str(bottles.cast.firm()), "evidence": PAPER, "on_error": on_error, "rows": rows}
        said = bottles.cast.clerk.post("/api/v1/cylinder-imports", asked).json
        reasons = [row["reasons"] for row in said["items"]] if on_error == "proceed" else [said["reasons"]]
        found = [one["code"] for row in reasons for one in row]
    taken, elsewhere = "cylinder.identifier_taken", "identifier.registered_elsewhere"
    assert found == [elsewhere, elsewhere, taken, taken]
    [told] = claims(db)
    assert [one["value"] for one in told["codes"]] == ["YL-301", "YL-302"]
    assert (told["claimed"], told["claimed_by_firm_id"]) == (2, str(bottles.cast.firm()))
    assert counts(db)[0] == before + (on_error == "proceed")
    deliver_due(ground, 310105)
    [tip] = db.scalars(sa.select(Tip))
    assert tip.facts == told


# --- resumed, cancelled ---------------------------------------------------------------------------------


def register_file(ground: Ground, import_id: str) -> RegisterFile:
    with ground.sessions() as db:
        return db.get_one(RegisterFile, (310105, UUID(import_id)))


@pytest.mark.parametrize("lost", [False, True])
def test_reading_goes_on_where_it_was_left_or_from_the_beginning_where_that_is_lost(
    bottles: Bottles,
    ground: Ground,
    db: Session,
    monkeypatch: pytest.MonkeyPatch,
    janitor: psycopg.Connection,
    lost: bool,
) -> None:
    monkeypatch.setattr(imports, "LINES_AT_ONCE", 2)
    rows = [bottles.row() for _ in range(3)]
    import_id = ask(bottles, jsonl([rows[0], b"{", *rows[1:], b"", bottles.row()]))
    path = imports.folder_of(ground) / import_id
    assert next(imports.read_in(ground, register_file(ground, import_id), path)) == 2
    if lost:
        janitor.execute("TRUNCATE staged_bottle")
    reached = list(imports.read_in(ground, register_file(ground, import_id), path))
    assert reached == ([2, 4, 6] if lost else [4, 6])
    assert db.scalars(sa.select(StagedBottle.line).order_by(StagedBottle.line)).all() == [1, 2, 3, 4, 6]
    assert db.scalars(sa.select(RegisterFault.line)).all() == [2]
    run_due_jobs(ground)
    assert (look(bottles, import_id)["accepted"], counts(db)[0]) == (4, 4)


def test_of_two_workers_at_one_import_the_one_that_comes_later_gives_up(
    bottles: Bottles, ground: Ground, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that stood still is taken for dead; then it goes on, beside the one that has its job now."""
    monkeypatch.setattr(imports, "LINES_AT_ONCE", 2)
    import_id = ask(bottles, jsonl([b"{", *[bottles.row() for _ in range(4)], bottles.row(model="YSP99")]))
    path = imports.folder_of(ground) / import_id
    stood_still = imports.read_in(ground, register_file(ground, import_id), path)
    assert next(stood_still) == 2
    assert list(imports.read_in(ground, register_file(ground, import_id), path)) == [4, 6]
    with pytest.raises(jobs.Unwanted):
        list(stood_still)
    run_due_jobs(ground)
    told, wrong = look(bottles, import_id), faults(bottles, import_id)
    assert (told["state"], told["accepted"], told["refused"], counts(db)[0]) == ("done", 4, 2, 4)
    path.write_bytes(b"{")
    with pytest.raises(jobs.Unwanted):
        list(imports.read_in(ground, register_file(ground, import_id), path))
    assert (faults(bottles, import_id), look(bottles, import_id)["read_lines"]) == (wrong, 6)


def test_lines_that_a_crash_took_since_they_were_read_are_not_said_to_be_on_file(
    bottles: Bottles,
    ground: Ground,
    db: Session,
    monkeypatch: pytest.MonkeyPatch,
    janitor: psycopg.Connection,
) -> None:
    import_id = ask(bottles, jsonl([bottles.row()]))

    def checked_before_the_crash(*given: Any) -> None:
        janitor.execute("DELETE FROM staged_bottle")

    monkeypatch.setattr(imports, "check", checked_before_the_crash)
    run_due_jobs(ground)
    told = look(bottles, import_id)
    assert (told["state"], told["fault"], told["accepted"], counts(db)[5]) == ("failed", "busy", None, 0)


def test_a_cancelled_import_files_nothing(bottles: Bottles, ground: Ground, db: Session) -> None:
    import_id = ask(bottles, jsonl([bottles.row()]))
    path = f"/api/v1/districts/310105/cylinder-file-imports/{import_id}/cancellations"
    assert bottles.cast.clerk.post(path).json["state"] == "cancelled"
    run_due_jobs(ground)
    assert look(bottles, import_id)["state"] == "cancelled"
    assert counts(db) == [0] * 6
    assert not list(imports.folder_of(ground).iterdir())
    assert bottles.cast.clerk.post(path).status_code == 409


@pytest.mark.parametrize("ends", ["done", "failed", "asked", "unasked", "just_come"])
def test_what_imports_left_lying_goes_once_nobody_will_read_it(
    bottles: Bottles,
    ground: Ground,
    db: Session,
    janitor: psycopg.Connection,
    ends: str,
) -> None:
    """Files and staged lines of an import that is over, and files nobody asked for in a day; no others."""
    folder = imports.folder_of(ground)
    import_id = ask(bottles, jsonl([bottles.row(), bottles.row()]))
    next(imports.read_in(ground, register_file(ground, import_id), folder / import_id))
    if ends in ("done", "failed"):
        janitor.execute("UPDATE job SET state = 'running'")
        janitor.execute(f"UPDATE job SET state = '{ends}'".encode())
    if ends in ("unasked", "just_come"):
        for table in ("staged_bottle", "register_file", "job"):
            janitor.execute(f"DELETE FROM {table}".encode())
    (folder / "a-note-of-somebody.txt").touch()
    # an id is never before an earlier one of its process, whose tests may have lived on a later day
    came = max(clock.now(), import_leftovers.came_at(UUID(import_id)))
    later = came + (timedelta(hours=23) if ends == "just_come" else timedelta(hours=25))
    with clock.standing_at(later):
        gone = retention.retain(ground)
    goes = ends not in ("asked", "just_come")
    assert (gone["import_files"], gone["staged_imports"]) == (goes, ends in ("done", "failed"))
    left = {"a-note-of-somebody.txt", *([] if goes else [import_id])}
    assert {path.name for path in folder.iterdir()} == left
    staged = db.scalar(sa.select(sa.func.count()).select_from(StagedBottle))
    assert staged == (2 if ends == "asked" else 0)


def test_lines_staged_at_the_console_go_after_two_days(
    bottles: Bottles, ground: Ground, db: Session, janitor: psycopg.Connection
) -> None:
    import_id = ask(bottles, jsonl([bottles.row()]))
    path = imports.folder_of(ground) / import_id
    list(imports.read_in(ground, register_file(ground, import_id), path))
    janitor.execute("UPDATE register_file SET job_id = NULL")
    for days, gone in ((1, 0), (3, 1)):
        with clock.standing_at(clock.now() + timedelta(days=days)):
            assert import_leftovers.forget_staged(ground) == gone
        db.rollback()
        assert db.scalar(sa.select(sa.func.count()).select_from(StagedBottle)) == 1 - gone


# --- the door -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "changed", "expected"),
    [
        (b"", {}, ("/file", "empty")),
        (b"\n\n", {}, ("/file", "empty")),
        (b"", {"form": "csv"}, ("/file", "header")),
        (b"model,colour\n", {"form": "csv"}, ("/file", "header")),
        (b"model,model\n", {"form": "csv"}, ("/file", "header")),
        (b"stamp\nA-1\n", {"form": "csv"}, ("/file", "header")),
        (b"model\n", {"form": "csv"}, ("/file", "empty")),
        ("型号\nYSP35.5\n".encode("gb18030"), {"form": "csv"}, ("/file", "header")),
        (b"{}\n", {"firm_id": str(uuid4())}, ("/firm_id", "unknown")),
        (b"{}\n", {"form": "xlsx"}, ("/query/form", "word")),
        (b"{}\n", {"encoding": "big5"}, ("/query/encoding", "word")),
        (b"{}\n", {"on_error": "ignore"}, ("/query/on_error", "pattern")),
        (b"{}\n", {"document": "王小明"}, ("/query/document", "pattern")),
        (b"{}\n", {"surprise": "1"}, ("/query/surprise", "unknown_field")),
    ],
)
def test_what_can_be_no_register_is_said_at_the_door(
    bottles: Bottles,
    ground: Ground,
    db: Session,
    file: bytes,
    changed: dict[str, Any],
    expected: tuple[str, str],
) -> None:
    answer = send(bottles, file, **changed)
    assert answer.status_code == 422, answer.text
    assert [(one["pointer"], one["code"]) for one in answer.json["errors"]] == [expected]
    assert not db.scalar(sa.select(sa.func.count()).select_from(RegisterFile))
    folder = imports.folder_of(ground)
    assert not folder.exists() or not list(folder.iterdir()), "nothing is left lying about"


def test_above_the_limits_a_file_is_too_large_and_the_limits_are_told_before(
    bottles: Bottles, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/api/v1/districts/310105/cylinder-file-imports"
    announced = bottles.cast.desk.app.test_client().options(path)
    assert announced.headers["Upload-Limit"] == "max-size=1073741824, max-lines=1000000"
    told = bottles.cast.clerk.get("/api/v1/cylinder-imports/limits").json
    assert (told["most_bytes"], told["most_lines"]) == (2**30, 1_000_000)
    monkeypatch.setattr(imports, "MOST_LINES", 3)
    assert send(bottles, b"{}\n" * 4).status_code == 202
    assert send(bottles, b"{}\n" * 5).status_code == 413
    monkeypatch.setattr("cylinders.routes.MOST_BYTES", 100)
    assert send(bottles, b"{" + b" " * 100).status_code == 413
    assert len(list(imports.folder_of(ground).iterdir())) == 1


def test_another_kind_of_body_another_firm_and_no_key_are_refused(bottles: Bottles, db: Session) -> None:
    path = "/api/v1/districts/310105/cylinder-file-imports"
    clerk, query = bottles.cast.clerk, {"firm_id": str(bottles.cast.firm()), **PAPER}
    assert clerk.post(path, {}).status_code == 415
    header = {"Authorization": f"Bearer {clerk.token}", "Content-Type": "application/octet-stream"}
    client = bottles.cast.desk.app.test_client()
    assert client.post(path, data=b"{}", headers=header, query_string=query).status_code == 428
    assert send(bottles, b"{}\n", firm_id=str(bottles.cast.another_firm())).status_code == 422
    import_id = ask(bottles, jsonl([bottles.row()]))
    stranger = bottles.cast.desk.sign_in(Role.CLERK, firm=bottles.cast.another_firm())
    for rest in ("", "/faults"):
        assert stranger.get(f"{path}/{import_id}{rest}").status_code == 404
        assert clerk.get(f"{path}/{uuid4()}{rest}").status_code == 404
    assert stranger.post(f"{path}/{import_id}/cancellations").status_code == 404
    register = "/api/v1/districts/310105/cylinder-register"
    assert stranger.get(register, firm_id=str(bottles.cast.firm())).status_code == 422
    assert look(bottles, import_id)["state"] == "asked"


# --- there and back -------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_what_is_exported_can_be_imported_and_is_the_same_register(
    bottles: Bottles, ground: Ground, db: Session, janitor: psycopg.Connection, form: str
) -> None:
    users = bottles.cast.household()
    bottles.empty(standard='GB "5842", 2023', made_on=None, refurbished=None)
    bottles.full(identifiers=[{"scheme": "maker", "value": "https://maker.example/qp/AB-1234567"}])
    bottles.on_card(users)
    bottles.empty(holder=None, last_inspection=None, embossed_owner_mark=True, tare_g=None)
    before = export(bottles, form)
    assert len(before.splitlines()) == 4 + (form == "csv")
    for table in (*FILED, CylinderClaim, CardHolding):
        janitor.execute(f"DELETE FROM {table.__tablename__}".encode())
    assert len(export(bottles, form).splitlines()) == (form == "csv")
    import_id = ask(bottles, before, form=form, on_error="rollback")
    run_due_jobs(ground)
    assert look(bottles, import_id)["accepted"] == 4, faults(bottles, import_id)
    assert export(bottles, form) == before


def test_a_bottle_that_is_not_in_use_goes_out_with_its_standing_or_not_at_all(
    bottles: Bottles, ground: Ground, db: Session
) -> None:
    """As a clean row it would come out of the next import as sound."""
    sound, held, at_agency, cancelled = (bottles.empty() for _ in range(4))
    for bottle, state in ((held, CylinderState.HELD), (at_agency, CylinderState.AT_INSPECTION)):
        db.execute(sa.update(Cylinder).where(Cylinder.cylinder_id == bottle.id).values(state=state))
    db.commit()
    cancellation = {"why": "lost", "document_no": "ZX-1", "cancelled_on": "2024-06-01"}
    path = f"/api/v1/cylinders/{cancelled.id}/registration-cancellations"
    assert bottles.cast.clerk.post(path, cancellation).status_code == 201

    clean = [orjson.loads(line) for line in export(bottles, "jsonl").splitlines()]
    assert [one["identifiers"][0]["value"] for one in clean] == [sound.code]
    assert "standing" not in clean[0]
    told = [orjson.loads(line) for line in export(bottles, "jsonl", rows="all").splitlines()]
    assert {one["identifiers"][0]["value"]: one["standing"] for one in told} == {
        sound.code: "in_service",
        held.code: "held",
        at_agency.code: "at_inspection",
        cancelled.code: "registration_cancelled",
    }
    table = export(bottles, "csv", rows="all")
    assert [row["standing"] for row in csv.DictReader(io.StringIO(table.decode("utf-8-sig")))] == [
        one["standing"] for one in told
    ]
    assert send(bottles, table, form="csv").status_code == 422, "a file to be read is none to import"


def test_a_long_register_is_read_some_rows_at_a_time(
    bottles: Bottles, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(bottles, jsonl([bottles.row(holder=None) for _ in range(5)]))
    run_due_jobs(ground)
    whole = export(bottles, "jsonl")
    monkeypatch.setattr("cylinders.import_queries.ROWS_AT_ONCE", 2)
    assert export(bottles, "jsonl") == whole
    assert len(whole.splitlines()) == 5


def test_the_console_imports_by_the_same_way(
    bottles: Bottles, ground: Ground, db: Session, tmp_path: Path
) -> None:
    file = tmp_path / "register.jsonl"
    file.write_bytes(jsonl(mixed(bottles)))
    office = doing_as(ground, Role.ADMINISTRATOR, ScopeKind.ALL, "")
    told: list[int] = []
    papers: dict[str, Any] = {"firm_id": bottles.cast.firm(), "evidence": PAPER, "form": FileForm.JSONL}
    papers |= {"encoding": FileEncoding.UTF_8, "progress": told.append}
    _, refused = imports.import_file(office, file, on_error="rollback", **papers)
    assert refused is not None
    assert counts(db) == [0] * 6
    import_id, refused = imports.import_file(office, file, on_error="proceed", **papers)
    assert (refused, counts(db)[0], told) == (None, 2, [10, 10])
    assert imports.import_file(office, file, on_error="proceed", **papers) == (import_id, None)
    assert counts(db)[0] == 2
    assert file.exists()


# --- remembered fields ----------------------------------------------------------------------------------


def as_a_whole(row: Any) -> Any:
    """What the schema makes of it, or what it raises."""
    try:
        return staging._read_as_a_whole(row)
    except (ma.ValidationError, WrongField, Refused) as error:
        return type(error)


@pytest.mark.parametrize(
    "field", ["tare_g", "full", "made_on", "phase", "model", "owner_firm_id", "standard"]
)
@pytest.mark.parametrize(
    "value",
    [
        1,
        1.0,
        True,
        "1",
        "１",
        None,
        "",
        " x ",
        "2020-05-01",
        "vapour",
        [],
        {},
        "a\\b",
        "\N{ZERO WIDTH SPACE}",
    ],
)
def test_a_remembered_field_reads_a_value_as_the_schema_does(field: str, value: Any) -> None:
    """Twice: fresh and remembered. Where the quick way gives up, the schema is asked."""
    row = {"model": "YSP35.5", "tare_g": 1, "full": True, "identifiers": [], field: value}
    for _ in range(2):
        [quick] = staging._read_as_remembered([row])
        assert quick is None or quick == as_a_whole(row)


def test_what_is_wrong_is_not_remembered() -> None:
    """It may be as long as a line, and ten thousand such values of a field would never be let go."""
    texts = staging._Texts(staging._ROW.fields["standard"])
    assert texts.of(["GB 5842-2006", "x" * 10_000]) == ["GB 5842-2006", None]
    assert list(texts) == [(str, "GB 5842-2006")]


@pytest.mark.parametrize(
    "given",
    [
        {"scheme": "stamp", "value": "A-1"},
        {"scheme": "stamp", "value": " A-1"},
        {"scheme": "stamp", "value": "Ａ-１"},
        {"scheme": "stamp", "value": "A\\\"{1},'"},
        {"scheme": "stamp", "value": "x" * 129},
        {"scheme": "stamp", "value": 7},
        {"scheme": "wing", "value": "A-1"},
        {"scheme": "stamp"},
        {"scheme": "stamp", "value": "A-1", "more": 1},
        "A-1",
    ],
)
def test_a_code_is_read_quickly_as_the_schema_reads_it(given: Any) -> None:
    row = {"model": "YSP35.5", "identifiers": [given]}
    [quick] = staging._read_as_remembered([row])
    assert quick is None or quick == as_a_whole(row)
    batch, faults = staging.Batch(310105, uuid4(), uuid4()), list[dict[str, Any]]()
    [read] = staging._read(batch, [register_lines.Line.of_request(1, row)], faults)
    assert read == (None if isinstance(as_a_whole(row), type) else as_a_whole(row))
    assert (read is None) == bool(faults)


def test_codes_with_marks_of_every_kind_are_filed_as_they_are(
    bottles: Bottles, ground: Ground, db: Session
) -> None:
    """What has a meaning to COPY or in an array has none in a code."""
    strange = ["a\\nb\"c{d},e'f", "\\.", "NULL", "\\N", "{}", "钢印 七"]
    file = jsonl(
        [bottles.row(identifiers=[{"scheme": "rfid", "value": one}], standard=one) for one in strange]
    )
    import_id = ask(bottles, file)
    run_due_jobs(ground)
    assert look(bottles, import_id)["accepted"] == len(strange), faults(bottles, import_id)
    filed = db.scalars(sa.select(CylinderIdentifier.value).where(CylinderIdentifier.scheme == "rfid"))
    assert sorted(filed) == sorted(one.upper() if one == "NULL" else one for one in strange)
    assert sorted(db.scalars(sa.select(Cylinder.standard))) == sorted(strange)


def test_a_usual_row_goes_the_quick_way(bottles: Bottles) -> None:
    on_card = {"district": 310105, "card_id": str(uuid4())}
    for row in (bottles.row(), bottles.row(holder=on_card), bottles.row(holder=None, last_inspection=None)):
        assert staging._read_as_remembered([row]) == [staging._read_as_a_whole(row)]


def test_lines_that_name_their_fields_differently_keep_their_places(bottles: Bottles) -> None:
    """They are read column by column with those alike; one that is wrong spoils no neighbour."""
    whole = bottles.row()
    rows = [
        whole,
        dict(reversed(whole.items())),
        {"model": "YSP35.5", "tare_g": [1]},
        {"tare_g": 16_400, "model": "YSP35.5"},
        {"model": "YSP35.5", "tare_g": 16_300},
        {"tare_g": 16_200},
        {"model": "YSP35.5", "surprise": 1},
        bottles.row(last_inspection={**whole["last_inspection"], "holder": None}),
        bottles.row(holder={"site_id": None}),
        whole,
    ]
    expected = [as_a_whole(row) for row in rows]
    found = staging._read_as_remembered(rows)
    assert [one is None for one in found] == [isinstance(one, type) for one in expected]
    assert [one for one in found if one] == [one for one in expected if not isinstance(one, type)]


NO_ROWS = [
    (b"\xff\xfe", "encoding"),
    (b"{" + b" " * register_lines.MOST_LINE_BYTES + b"}", "too_long"),
    (b"[1, 2]", "object"),
    (b"null", "object"),
    (b'{"model": NaN}', "json"),
    (b'{"model": "\\ud800"}', "json"),
    (b'{"model": "\\u0000"}', "symbols"),
]
NO_CELLS = [
    ('"YSP35.5,1', ("", "csv")),
    ("YSP35.5,1,2", ("", "cells")),
    ("YSP35.5,eleven", ("/tare_g", "integer")),
    (",1", ("/model", "required")),
]


def test_a_line_that_is_no_row_is_a_fault_of_its_own(bottles: Bottles, ground: Ground) -> None:
    import_id = ask(bottles, jsonl([bottles.row(), *[line for line, _ in NO_ROWS], bottles.row()]))
    run_due_jobs(ground)
    assert look(bottles, import_id)["accepted"] == 2
    found = [orjson.loads(one) for one in faults(bottles, import_id).splitlines()]
    assert [(one["line"], one["code"]) for one in found] == [
        (number, code) for number, (_, code) in enumerate(NO_ROWS, start=2)
    ]


def test_cells_that_are_no_row_say_so(bottles: Bottles, ground: Ground) -> None:
    lines = "\n".join(["model,tare_g", *[cells for cells, _ in NO_CELLS], "YSP35.5,16500"])
    import_id = ask(bottles, lines.encode(), form="csv")
    run_due_jobs(ground)
    assert look(bottles, import_id)["accepted"] == 1
    found = [orjson.loads(one) for one in faults(bottles, import_id).splitlines()]
    assert [(one["line"], (one["field"], one["code"])) for one in found] == [
        (number, fault) for number, (_, fault) in enumerate(NO_CELLS, start=2)
    ]


def test_users_come_as_jsonl_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "users.csv"
    file.touch()
    words = ["import", "users", str(file), "--firm", str(uuid4()), "--district", "310105"]
    words += ["--document", "ledger", "--reference", "book-1", "--form", "csv"]
    assert manage.main(words) == 2
    assert "JSONL" in capsys.readouterr().err

"""Looking at an import while it runs and after, and a register as a file: scope is judged here."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from core.db import table_of
from core.doing import Doing
from core.ground import Ground
from core.jobs import Job, JobState
from core.refusal import Audience, Refusal
from cylinders.import_models import FileEncoding, FileForm, RegisterFile, RegisterRows
from cylinders.imports import as_found, batch_of, file_in_reach, in_lines
from cylinders.life_models import RegistrationAct, RegistrationKind, Seizure
from cylinders.models import Cylinder, CylinderCustody, CylinderIdentifier, Inspection
from cylinders.register_lines import (
    COLUMNS,
    MOST_BYTES,
    MOST_LINE_BYTES,
    MOST_LINES,
    STAMPED,
    STANDING,
    written,
)
from cylinders.schemas import MOST_ROWS
from cylinders.service import firm_in_reach
from cylinders.states import CylinderState
from registry.models import HolderKind

ROWS_AT_ONCE = 2000

LIMITS = {
    "most_bytes": MOST_BYTES,
    "most_lines": MOST_LINES,
    "most_line_bytes": MOST_LINE_BYTES,
    "most_rows_of_a_request": MOST_ROWS,
    "forms": [form.value for form in FileForm],
    "encodings": [encoding.value for encoding in FileEncoding],
    "columns": list(COLUMNS),
}


def file_import(doing: Doing, import_id: UUID) -> dict[str, Any]:
    """How far it is; once ended, what came of it. One from the console has no job: it has ended."""
    with doing.ground.reads() as db:
        row = file_in_reach(db, doing, import_id)
        job = db.get(Job, (row.district, row.job_id)) if row.job_id else None
    return _told(doing, row, job)


MOST_IMPORTS = 50


def file_imports(doing: Doing, firm_id: UUID) -> list[dict[str, Any]]:
    """The firm's imports of late, the latest first."""
    with doing.ground.reads() as db:
        firm_in_reach(db, doing, firm_id)
        rows = db.execute(
            sa.select(RegisterFile, Job)
            .outerjoin(Job, sa.and_(Job.district == RegisterFile.district, Job.id == RegisterFile.job_id))
            .where(RegisterFile.district == doing.district, RegisterFile.firm_id == firm_id)
            .order_by(RegisterFile.id.desc())
            .limit(MOST_IMPORTS)
        ).all()
    return [_told(doing, row, job) for row, job in rows]


def _told(doing: Doing, row: RegisterFile, job: Job | None) -> dict[str, Any]:
    audience = doing.actor.audience
    reasons = job.reasons if job is not None else None
    ended = JobState.DONE if row.published_at else JobState.REFUSED
    return {
        **{column.name: getattr(row, column.name) for column in table_of(type(row)).c},
        "state": job.state if job is not None else ended,
        "step": job.step if job is not None else None,
        "fault": job.fault if job is not None else None,
        "refusal_no": job.refusal_no if job is not None else None,
        "reasons": [Refusal.from_plain(one).worded(audience) for one in reasons or []],
    }


# --------------------------------------------------------------------------------------------------------
# What is wrong, as a file


def faults(doing: Doing, import_id: UUID, form: FileForm) -> Iterator[bytes]:
    """A line for each thing that is wrong: line, field, code, and what to say of it in two languages."""
    rows = fault_rows(doing, import_id)
    if form is FileForm.JSONL:
        return (orjson.dumps(row) + b"\n" for row in rows)
    return _fault_table(rows)


def fault_rows(doing: Doing, import_id: UUID) -> Iterator[dict[str, Any]]:
    with doing.ground.reads() as db:
        batch = batch_of(file_in_reach(db, doing, import_id))
    return (_fault(row, doing.actor.audience) for row in in_lines(doing.ground, batch))


_FAULT_COLUMNS = ("line", "field", "code", "zh", "en")


def _fault(row: Any, audience: Audience) -> dict[str, Any]:
    found = as_found(row)
    said = found.worded(audience) if isinstance(found, Refusal) else found.to_plain()
    pointer = "" if isinstance(found, Refusal) else found.pointer
    return {"line": row.line, "field": pointer, "code": said["code"], "zh": said["zh"], "en": said["en"]}


def _fault_table(rows: Iterator[Mapping[str, Any]]) -> Iterator[bytes]:
    yield b"\xef\xbb\xbf" + (",".join(_FAULT_COLUMNS) + "\r\n").encode()
    for row in rows:
        line = io.StringIO()
        csv.writer(line, lineterminator="\r\n").writerow(row[name] for name in _FAULT_COLUMNS)
        yield line.getvalue().encode()


# --------------------------------------------------------------------------------------------------------
# The register, as a file

_cylinder, _identifier, _inspection = table_of(Cylinder), table_of(CylinderIdentifier), table_of(Inspection)
_custody, _seizure, _act = table_of(CylinderCustody), table_of(Seizure), table_of(RegistrationAct)
_codes = (
    sa.select(
        sa.func.jsonb_agg(
            aggregate_order_by(
                sa.func.jsonb_build_object("scheme", _identifier.c.scheme, "value", _identifier.c.value),
                _identifier.c.scheme,
            ),
            type_=JSONB,
        )
    )
    .where(_identifier.c.cylinder_id == _cylinder.c.cylinder_id, _identifier.c.voided_at.is_(None))
    .scalar_subquery()
    .label("identifiers")
)
_latest = (
    sa.select(_inspection)
    .where(_inspection.c.cylinder_id == _cylinder.c.cylinder_id)
    .order_by(_inspection.c.inspected_on.desc(), _inspection.c.id.desc())
    .limit(1)
    .lateral("latest")
)
_seized = sa.exists().where(_seizure.c.cylinder_id == _cylinder.c.cylinder_id)
_cancelled = sa.exists().where(
    _act.c.cylinder_id == _cylinder.c.cylinder_id, _act.c.kind == RegistrationKind.CANCELLED
)
_standing = sa.case((_seized, "seized"), (_cancelled, "registration_cancelled"), else_=_cylinder.c.state)
_OF_FIRM = (
    sa.select(
        _cylinder.c.cylinder_id,
        sa.cast(_standing, sa.Text).label(STANDING),
        *(_cylinder.c[name] for name in STAMPED if name != "full"),
        _codes,
        *(_latest.c[name] for name in ("inspected_on", "day_precision", "passed", "agency", "report_no")),
        _custody.c.holder_kind,
        _custody.c.holder_id,
        _custody.c.district,
        _custody.c.card_id,
        _custody.c.full,
    )
    .select_from(
        _cylinder.outerjoin(_latest, sa.true()).outerjoin(
            _custody, _custody.c.cylinder_id == _cylinder.c.cylinder_id
        )
    )
    .where(
        sa.or_(
            _cylinder.c.owner_firm_id == sa.bindparam("firm_id", type_=sa.Uuid),
            _cylinder.c.entrusted_to_firm_id == sa.bindparam("firm_id", type_=sa.Uuid),
        ),
        _cylinder.c.state != CylinderState.SCRAPPED,
        _cylinder.c.cylinder_id > sa.bindparam("after", type_=sa.Uuid),
    )
    .order_by(_cylinder.c.cylinder_id)
    .limit(ROWS_AT_ONCE)
)
_IN_USE = _OF_FIRM.where(_cylinder.c.state == CylinderState.IN_SERVICE, ~_seized, ~_cancelled)


def register(
    doing: Doing, firm_id: UUID, form: FileForm, rows: RegisterRows = RegisterRows.IN_USE
) -> Iterator[bytes]:
    """The bottles a firm owns or is entrusted with and that are in use, as they could be imported.

    One that is held, at inspection, seized or whose registration was cancelled would come out of an import as
    sound: it is given only to whoever asks for all, and then with its standing. A scrapped one never is.

    Read some thousand at a time, in the order of registration, each as it stands when its turn comes. A
    bottle that is with a courier just now has no holder in the file.
    """
    with doing.ground.reads() as db:
        firm_in_reach(db, doing, firm_id)
    wants_all = rows is RegisterRows.ALL
    return written(form, _bottles(doing.ground, firm_id, wants_all), with_standing=wants_all)


def _bottles(ground: Ground, firm_id: UUID, wants_all: bool) -> Iterator[dict[str, Any]]:
    after = UUID(int=0)
    while True:
        with ground.reads() as db:
            rows = db.execute(_OF_FIRM if wants_all else _IN_USE, {"firm_id": firm_id, "after": after}).all()
        for row in rows:
            standing = {STANDING: row.standing} if wants_all else {}
            yield _as_row(row._mapping) | standing
        if len(rows) < ROWS_AT_ONCE:
            return
        after = rows[-1].cylinder_id


def _as_row(bottle: Mapping[Any, Any]) -> dict[str, Any]:
    inspection = None
    if bottle["inspected_on"] is not None:
        named = ("inspected_on", "day_precision", "passed", "agency", "report_no")
        inspection = {name: bottle[name] for name in named}
    return {
        "identifiers": bottle["identifiers"] or [],
        **{name: bottle[name] for name in STAMPED if name != "full"},
        "last_inspection": inspection,
        "holder": _holder(bottle),
        "full": bool(bottle["full"]),
    }


def _holder(bottle: Mapping[Any, Any]) -> dict[str, Any] | None:
    if bottle["holder_kind"] is HolderKind.SITE:
        return {"site_id": bottle["holder_id"]}
    if bottle["card_id"] is not None:
        return {"district": bottle["district"], "card_id": bottle["card_id"]}
    return None

"""台账导入: a register of bottles as a file, taken in by the worker; and the firm's own, fetched as one."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

from flask import Response, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from core.http import doing, fingerprint_by, ground
from core.jobs import JobState
from core.problems import FieldFault, NotFound, WrongField
from cylinders import import_queries, imports
from cylinders.import_models import FileEncoding, FileForm, RegisterRows
from cylinders.import_schemas import FileQuery
from cylinders.register_lines import COLUMNS, IN_CHINESE, MOST_BYTES, MOST_LINES
from web.office.face import drawn, face, office
from web.office.sheets import Cell, sheet
from web.pages import No, form_of, tried

MOST_SHOWN = 50
"""Faults on the page; the file has them all."""

BESIDE_THE_FILE = 64 * 1024
"""What the form's own fields may take."""

ASKED = ("form", "encoding", "on_error", "document", "reference")


@face.page("/imports", "cylinder.import")
def new_import() -> ResponseReturnValue:
    return _imports_page({})


@face.page("/imports", "cylinder.import", methods=("POST",), most_bytes=MOST_BYTES + BESIDE_THE_FILE)
def ask_import() -> ResponseReturnValue:
    firm_id = _firm()
    try:
        done, no = tried(lambda: _ask(firm_id, request.files.get("file")))
    except RequestEntityTooLarge:
        done, no = None, No(413, errors=(_too_large(),))
    if done is not None:
        return redirect(f"/office/imports/{done['import_id']}")
    return _imports_page(request.form, no)


def _ask(firm_id: UUID, file: FileStorage | None) -> dict[str, Any]:
    """All that is wrong with the form is said before a large file is written down."""
    body = {name: request.form.get(name, "").strip() for name in ASKED}
    asked = form_of(FileQuery, {**body, "firm_id": str(firm_id)})
    if file is None or not file.filename:
        raise WrongField("/file", "required", "请选一个文件", "choose a file")
    received = imports.receive(file.stream, imports.folder_of(ground()), asked["form"], asked["encoding"])
    fingerprint_by("\n".join([received.sha256, *body.values()]))
    evidence = {name: asked.pop(name) for name in ("document", "reference")}
    return imports.ask_file(doing(), received, evidence=evidence, **asked)


def _too_large() -> FieldFault:
    most = f"{MOST_BYTES // 2**20} MiB"
    return FieldFault(
        "/file",
        "too_large",
        f"文件太大：最多 {MOST_LINES} 行、{most}，请分成几份",
        f"the file is too large: at most {MOST_LINES} lines and {most}; send it in parts",
    )


def _imports_page(said: Any, no: No | None = None) -> ResponseReturnValue:
    return drawn(
        "imports",
        no,
        asked=said,
        imports=import_queries.file_imports(doing(), _firm()),
        forms=list(FileForm),
        encodings=list(FileEncoding),
        limits=import_queries.LIMITS,
    )


@face.page("/imports/<uuid:import_id>", "cylinder.import")
def one_import(import_id: UUID) -> ResponseReturnValue:
    return _import_page(import_id)


def _import_page(import_id: UUID, no: No | None = None) -> ResponseReturnValue:
    told = import_queries.file_import(doing(), import_id)
    return drawn(
        "import",
        no,
        told=told,
        is_live=told["state"] in (JobState.ASKED, JobState.RUNNING),
        faults=list(islice(import_queries.fault_rows(doing(), import_id), MOST_SHOWN + 1)),
        most_shown=MOST_SHOWN,
    )


@face.page("/imports/<uuid:import_id>/cancel", "cylinder.import", methods=("POST",))
def cancel_import(import_id: UUID) -> ResponseReturnValue:
    _, no = tried(lambda: imports.cancel(doing(), import_id=import_id))
    return redirect(f"/office/imports/{import_id}") if no is None else _import_page(import_id, no)


@face.page("/imports/<uuid:import_id>/faults.csv", "cylinder.import")
def import_faults(import_id: UUID) -> Response:
    heads = ("行 Line", "列 Field", "代码 Code", "怎么了", "What is wrong")
    return sheet(f"faults-{import_id}", heads, _faults(import_queries.fault_rows(doing(), import_id)))


def _faults(rows: Iterator[dict[str, Any]]) -> Iterator[Sequence[Cell]]:
    for row in rows:
        yield row["line"], row["field"], row["code"], row["zh"], row["en"]


@face.page("/imports/columns.csv", "cylinder.import")
def empty_register() -> Response:
    """A file with nothing but its header, to be filled: a column for each thing a register may say."""
    _firm()
    in_chinese = {name: zh for zh, name in IN_CHINESE.items()}
    return sheet("register", [in_chinese[name] for name in COLUMNS], ())


@face.page("/register.csv", "cylinder.export")
def fetch_register() -> Response:
    """The firm's bottles as the import takes them, or all with their standing."""
    rows = RegisterRows.ALL if request.args.get("rows") == RegisterRows.ALL.value else RegisterRows.IN_USE
    answer = Response(import_queries.register(doing(), _firm(), FileForm.CSV, rows), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="register-{rows.value}.csv"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _firm() -> UUID:
    """A register is a firm's: a site's office has none."""
    firm_id = office().firm_id
    if firm_id is None:
        raise NotFound
    return firm_id

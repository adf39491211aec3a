"""Thin: load the form, call one service, dump the answer."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from flask import Response, request
from flask.blueprints import BlueprintSetupState
from werkzeug.routing import BaseConverter

from core import clock
from core.fields import PageQuery
from core.http import FILE, Room, answered, doing, fingerprint_by, ground
from core.paging import Page
from core.refusal import Refusal
from cylinders import (
    ask_queries,
    bottle_file_queries,
    corrections,
    count_queries,
    counts,
    custody_queries,
    identifiers,
    import_queries,
    import_schemas,
    imports,
    label_queries,
    label_schemas,
    labels,
    queries,
    schemas,
    service,
    station_queries,
)
from cylinders.import_models import FileForm
from cylinders.register_lines import MOST_BYTES, MOST_LINES


class ScannedConverter(BaseConverter):
    """Whatever was scanned, as a part of the address: also slashes, blanks, line ends, even nothing."""

    regex = r"(?s:.*?)"
    part_isolating = False
    weight = 300


room = Room("cylinders", __name__)

_KINDS = {FileForm.CSV: "text/csv", FileForm.JSONL: "application/jsonl"}
_FILE_ANSWER = {
    "description": "a line for each",
    "content": {kind: {"schema": {}} for kind in _KINDS.values()},
}


@room.record_once
def _read_scanned_codes(setup: BlueprintSetupState) -> None:
    setup.app.url_map.converters["scanned"] = ScannedConverter


@room.post("/cylinder-types")
@room.may("cylinder_type.enter", writes=True)
@room.arguments(schemas.TypeIn)
@room.response(201, schemas.TypeOut)
def enter_type(body: dict[str, Any]) -> Any:
    done = service.enter_type(doing(), **body)
    return queries.type_of(doing(), done["model"])


@room.post("/cylinders")
@room.may("cylinder.register", writes=True)
@room.arguments(schemas.CylinderIn)
@room.response(201, schemas.FiledOut)
def register(body: dict[str, Any]) -> Any:
    return service.register(doing(), **body)


@room.post("/cylinder-imports")
@room.may("cylinder.import", writes=True)
@room.arguments(schemas.ImportIn)
@room.response(201, schemas.ImportOut)
def import_rows(body: dict[str, Any]) -> Any:
    done = imports.import_rows(doing(), **body)
    return {**done, "items": [_worded(item) for item in done["items"]]}


def _worded(item: dict[str, Any]) -> dict[str, Any]:
    audience = doing().actor.audience
    return {**item, "reasons": [Refusal.from_plain(one).worded(audience) for one in item["reasons"]]}


@room.get("/cylinder-imports/limits")
@room.may("cylinder.import")
@room.response(200, import_schemas.LimitsOut)
def limits() -> Any:
    """How much a request and a file may hold, and the columns of a file."""
    return import_queries.LIMITS


@room.post("/districts/<int:district>/cylinder-file-imports")
@room.may("cylinder.import", writes=True, takes_file=True)
@room.arguments(import_schemas.FileQuery, location="query")
@room.response(202, import_schemas.FileImportOut)
def ask_file_import(query: dict[str, Any], district: int) -> Any:
    """Have a register imported that comes as a file, of any size up to the limits; look how far it is."""
    request.max_content_length = MOST_BYTES
    form, encoding = query["form"], query["encoding"]
    received = imports.receive(request.stream, imports.folder_of(ground()), form, encoding)
    fingerprint_by(received.sha256)
    evidence = {name: query.pop(name) for name in ("document", "reference")}
    done = imports.ask_file(doing(), received, evidence=evidence, **query)
    return import_queries.file_import(doing(), UUID(done["import_id"]))


@room.get("/districts/<int:district>/cylinder-file-imports/<uuid:import_id>")
@room.may("cylinder.import")
@room.response(200, import_schemas.FileImportOut)
def read_file_import(district: int, import_id: UUID) -> Any:
    return import_queries.file_import(doing(), import_id)


@room.post("/districts/<int:district>/cylinder-file-imports/<uuid:import_id>/cancellations")
@room.may("cylinder.import", writes=True)
@room.arguments(import_schemas.Nothing)
@room.response(201, import_schemas.FileImportOut)
def cancel_file_import(body: dict[str, Any], district: int, import_id: UUID) -> Any:
    """Nobody wants it any more; what is on file already stays."""
    imports.cancel(doing(), import_id=import_id)
    return import_queries.file_import(doing(), import_id)


@room.get("/districts/<int:district>/cylinder-file-imports/<uuid:import_id>/faults")
@room.may("cylinder.import", gives_file=True)
@room.arguments(import_schemas.FormQuery, location="query")
@room.doc(responses={"200": _FILE_ANSWER})
def read_faults(query: dict[str, Any], district: int, import_id: UUID) -> Response:
    """What is wrong with which line, as a file: line, field, code, and words in two languages."""
    return _file(import_queries.faults(doing(), import_id, query["form"]), query["form"], "faults")


@room.get("/districts/<int:district>/cylinder-register")
@room.may("cylinder.export", gives_file=True)
@room.arguments(import_schemas.RegisterQuery, location="query")
@room.doc(responses={"200": _FILE_ANSWER})
def export(query: dict[str, Any], district: int) -> Response:
    """A firm's bottles in use as a file that could be imported, or all of them, each with its standing."""
    return _file(import_queries.register(doing(), **query), query["form"], "register")


def _file(lines: Iterable[bytes], form: FileForm, name: str) -> Response:
    answer = Response(lines, mimetype=_KINDS[form])
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.{form.value}"'
    return answer


@room.after_request
def announce_limits(answer: Response) -> Response:
    """OPTIONS says how much a file may hold before anybody sends one."""
    if request.method == "OPTIONS" and request.path.endswith("/cylinder-file-imports"):
        answer.headers["Upload-Limit"] = f"max-size={MOST_BYTES}, max-lines={MOST_LINES}"
        answer.headers["Accept-Post"] = FILE
    return answer


@room.get("/cylinders/<uuid:cylinder_id>")
@room.may("cylinder.read")
@room.response(200, schemas.BottleOut)
def read(cylinder_id: UUID) -> Any:
    return bottle_file_queries.cylinder_file(doing(), cylinder_id)


@room.get("/cylinders/by-code/<scanned:code>/verdict")
@room.arguments(schemas.VerdictQuery, location="query")
@room.may("cylinder.ask", beside=ask_queries.beside_grants)
@room.response(200, schemas.VerdictOut)
def ask(query: dict[str, Any], code: str) -> Any:
    # the query is read before the grants are: one statement asks for them and for what it names
    return answered(ask_queries.verdict(doing(), **query).to_plain())


@room.post("/verdicts")
@room.may("cylinder.ask")
@room.arguments(schemas.VerdictsIn)
@room.response(200, schemas.VerdictsOut)
def ask_many(body: dict[str, Any]) -> Any:
    return answered({"items": [one.to_plain() for one in ask_queries.verdicts(doing(), **body)]})


@room.post("/sites/<uuid:site_id>/receipts")
@room.may("cylinder.receive", writes=True)
@room.arguments(schemas.ReceiptIn)
@room.response(201, schemas.ReceiptOut)
def receive(body: dict[str, Any], site_id: UUID) -> Any:
    return service.receive(doing(), site_id=site_id, **body)


@room.get("/sites/<uuid:site_id>/stock")
@room.may("stock.read")
@room.response(200, schemas.StockOut)
def stock(site_id: UUID) -> Any:
    """What custody says stands here now, by model, full and empty apart."""
    return count_queries.stock(doing(), site_id)


@room.get("/sites/stocks")
@room.may("stock.read")
@room.response(200, schemas.StocksOut)
def stocks() -> Any:
    """The stock of every site within reach, with its cap and whether it is more."""
    return {"items": count_queries.stocks(doing())}


@room.get("/sites/<uuid:site_id>/day")
@room.may("stock.read")
@room.arguments(schemas.SiteDayQuery, location="query")
@room.response(200, schemas.SiteDayOut)
def site_day(query: dict[str, Any], site_id: UUID) -> Any:
    """What a site filled, refused and received on a day."""
    return station_queries.site_day(doing(), site_id, query["on"] or clock.today())


@room.post("/sites/<uuid:site_id>/counts")
@room.may("stock.count", writes=True)
@room.arguments(schemas.CountIn)
@room.response(201, schemas.CountOut)
def count(body: dict[str, Any], site_id: UUID) -> Any:
    """盘点, at the end of a day: what stands here against what custody says, bottle by bottle."""
    done = counts.count(doing(), site_id=site_id, **body)
    return count_queries.one_count(doing(), site_id, UUID(done["count_id"]))


@room.get("/sites/<uuid:site_id>/counts")
@room.may("stock.read")
@room.arguments(schemas.CountsQuery, location="query")
@room.response(200, schemas.CountPage)
def list_counts(query: dict[str, Any], site_id: UUID) -> Page:
    return count_queries.counts(doing(), site_id, **query)


@room.get("/sites/<uuid:site_id>/counts/<uuid:count_id>")
@room.may("stock.read")
@room.response(200, schemas.CountOut)
def read_count(site_id: UUID, count_id: UUID) -> Any:
    return count_queries.one_count(doing(), site_id, count_id)


@room.post("/sites/<uuid:site_id>/counts/<uuid:count_id>/explanations")
@room.may("stock.explain", writes=True)
@room.arguments(schemas.ExplanationIn)
@room.response(201, schemas.CountOut)
def explain(body: dict[str, Any], site_id: UUID, count_id: UUID) -> Any:
    """Why a difference is one. Custody changes by a scan only, never by an explanation."""
    counts.explain(doing(), site_id=site_id, count_id=count_id, **body)
    return count_queries.one_count(doing(), site_id, count_id)


@room.post("/districts/<int:district>/cards/<uuid:card_id>/bottle-losses")
@room.may("cylinder.report_lost", writes=True)
@room.arguments(schemas.LossIn)
@room.response(201, schemas.LossOut)
def report_lost(body: dict[str, Any], district: int, card_id: UUID) -> Any:
    """The card's bottle is nowhere to be found: the card may be supplied without an empty."""
    return service.report_lost(doing(), card_id=card_id, **body)


@room.post("/cylinders/<uuid:cylinder_id>/holds")
@room.may("cylinder.hold", writes=True)
@room.arguments(schemas.HoldIn)
@room.response(201, schemas.BottleOut)
def hold(body: dict[str, Any], cylinder_id: UUID) -> Any:
    service.hold(doing(), cylinder_id=cylinder_id, **body)
    return bottle_file_queries.cylinder_file(doing(), cylinder_id)


@room.post("/cylinders/<uuid:cylinder_id>/releases")
@room.may("cylinder.release", writes=True)
@room.arguments(schemas.ReleaseIn)
@room.response(201, schemas.BottleOut)
def release(body: dict[str, Any], cylinder_id: UUID) -> Any:
    service.release(doing(), cylinder_id=cylinder_id, **body)
    return bottle_file_queries.cylinder_file(doing(), cylinder_id)


@room.get("/cylinders/<uuid:cylinder_id>/facts")
@room.may("custody.read")
@room.response(200, schemas.FactsOut)
def read_facts(cylinder_id: UUID) -> Any:
    """Every fact of custody in its order, with what became of it; errors and their declarations stay."""
    return custody_queries.facts(doing(), cylinder_id)


@room.get("/cylinders/conflicts")
@room.may("custody.read")
@room.arguments(PageQuery, location="query")
@room.response(200, schemas.ConflictPage)
def list_conflicts(query: dict[str, Any]) -> Any:
    """Open contradictions of the firm's bottles, or of the district: each holds its bottle."""
    page = custody_queries.open_conflicts(doing(), limit=query["limit"], cursor=query.get("cursor"))
    return {"items": page.items, "next_cursor": page.next_cursor}


@room.post("/cylinders/<uuid:cylinder_id>/conflicts/<uuid:conflict_id>/resolutions")
@room.may("cylinder.resolve_conflict", writes=True)
@room.arguments(schemas.ResolutionIn)
@room.response(201, schemas.ConflictOut)
def resolve_conflict(body: dict[str, Any], cylinder_id: UUID, conflict_id: UUID) -> Any:
    """Which of the two facts is true, and how that was found out."""
    corrections.resolve_conflict(doing(), cylinder_id=cylinder_id, conflict_id=conflict_id, **body)
    return custody_queries.one_conflict(doing(), cylinder_id, conflict_id)


@room.post("/cylinders/<uuid:cylinder_id>/facts/<uuid:fact_id>/error-declarations")
@room.may("cylinder.declare_error", writes=True)
@room.arguments(schemas.ErrorIn)
@room.response(201, schemas.FactsOut)
def declare_error(body: dict[str, Any], cylinder_id: UUID, fact_id: UUID) -> Any:
    """The fact did not happen so. It stays, with this declaration; custody is told without it."""
    corrections.declare_error(doing(), cylinder_id=cylinder_id, fact_id=fact_id, **body)
    return custody_queries.facts(doing(), cylinder_id)


@room.post("/cylinders/<uuid:cylinder_id>/identifiers")
@room.may("identifier.attach", writes=True)
@room.arguments(label_schemas.AttachIn)
@room.response(201, label_schemas.AttachedOut)
def attach_identifier(body: dict[str, Any], cylinder_id: UUID) -> Any:
    """One more code that the bottle carries. Found on another bottle of the firm, both stop."""
    return identifiers.attach(doing(), cylinder_id=cylinder_id, **body)


@room.post("/cylinders/<uuid:cylinder_id>/identifier-voidings")
@room.may("identifier.void", writes=True)
@room.arguments(label_schemas.CodeVoidIn)
@room.response(201, label_schemas.AttachedOut)
def void_identifier(body: dict[str, Any], cylinder_id: UUID) -> Any:
    """The code identifies nothing any more, for ever; with a platform code its labels are void."""
    return identifiers.void(doing(), cylinder_id=cylinder_id, **body)


@room.get("/districts/<int:district>/identifier-collisions")
@room.may("collision.read")
@room.arguments(PageQuery, location="query")
@room.response(200, label_schemas.CollisionPage)
def list_collisions(query: dict[str, Any], district: int) -> Any:
    """Codes that two bottles carry, and nobody has said yet whose they are."""
    page = label_queries.collisions(doing(), limit=query["limit"], cursor=query.get("cursor"))
    return {"items": page.items, "next_cursor": page.next_cursor}


@room.post("/districts/<int:district>/identifier-collisions/<uuid:collision_id>/resolutions")
@room.may("identifier.resolve", writes=True)
@room.arguments(label_schemas.CollisionIn)
@room.response(201, label_schemas.CollisionOut)
def resolve_collision(body: dict[str, Any], district: int, collision_id: UUID) -> Any:
    """Whose the code is: the bottle's that has it on file, the other's, or neither's."""
    identifiers.resolve_collision(doing(), collision_id=collision_id, **body)
    return label_queries.collision(doing(), collision_id)


@room.post("/label-batches")
@room.may("label.issue", writes=True)
@room.arguments(label_schemas.BatchIn)
@room.response(201, label_schemas.BatchOut)
def issue_labels(body: dict[str, Any]) -> Any:
    """The labels that these bottles lack; a bottle whose platform code is void gets a fresh one."""
    return _batch(UUID(labels.issue(doing(), **body)["batch_id"]))


@room.get("/label-batches/<uuid:batch_id>")
@room.may("label.read")
@room.response(200, label_schemas.BatchOut)
def read_batch(batch_id: UUID) -> Any:
    return _batch(batch_id)


@room.get("/cylinders/<uuid:cylinder_id>/labels")
@room.may("label.read")
@room.response(200, label_schemas.LabelsOut)
def read_labels(cylinder_id: UUID) -> Any:
    """Every label the bottle ever had, the latest first."""
    return {"items": label_queries.labels_of(doing(), cylinder_id)}


@room.post("/cylinders/<uuid:cylinder_id>/labels/<int:number>/replacements")
@room.may("label.replace", writes=True)
@room.arguments(label_schemas.LabelVoidIn)
@room.response(201, label_schemas.BatchOut)
def replace_label(body: dict[str, Any], cylinder_id: UUID, number: int) -> Any:
    """A new label for one that is no good; for one that is lost a new code with two labels."""
    done = labels.replace(doing(), cylinder_id=cylinder_id, number=number, **body)
    return _batch(UUID(done["batch_id"]))


@room.post("/cylinders/<uuid:cylinder_id>/labels/<int:number>/voidings")
@room.may("label.void", writes=True)
@room.arguments(label_schemas.LabelVoidIn)
@room.response(201, label_schemas.LabelOut)
def void_label(body: dict[str, Any], cylinder_id: UUID, number: int) -> Any:
    labels.void(doing(), cylinder_id=cylinder_id, number=number, **body)
    return label_queries.label(doing(), cylinder_id, number)


def _batch(batch_id: UUID) -> Any:
    return {"batch_id": batch_id, "items": label_queries.batch(doing(), batch_id)}

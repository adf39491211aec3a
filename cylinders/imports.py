"""Taking over a register of bottles, a row a bottle, through HTTP or from a JSONL file.

One import is one deed and one entry, which commits to every row as sent by a Merkle root (RFC 9162) and says
which rows were refused and why, by code; each bottle names its import. Every row runs in a savepoint of its
own: what is wrong with it is its own answer. ``proceed`` keeps the good rows, ``rollback`` keeps none unless
all are good.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import marshmallow as ma
import orjson
from sqlalchemy.exc import IntegrityError

from core import clock
from core.doing import Doing
from core.ids import new_id
from core.problems import FieldFault, WrongField
from core.refusal import Refusal, Refused, with_basis
from cylinders import refusals as no
from cylinders.models import CylinderImport
from cylinders.schemas import BottleRow
from cylinders.service import Books, file_bottle, open_books
from evidence.deed import Answer, Deed, does
from evidence.entry import leaf_hash
from evidence.models import SubjectType
from registry.imports import (
    MAX_LINES,
    PROGRESS_EVERY,
    ImportReport,
    LineFault,
    Progress,
    faults_in,
    merkle_root,
    said_of,
)
from registry.refusals import ROW_WRONG

PROCEED, ROLLBACK = "proceed", "rollback"

NumberedRows = Sequence[tuple[int, Any]]

_ROW = BottleRow()


def import_rows(
    doing: Doing, *, firm_id: UUID, evidence: Mapping[str, str], on_error: str, rows: Sequence[Any]
) -> Answer:
    """A request's rows, numbered from 0, in the shape of ``schemas.BottleRow``.

    Answers ``import_id``, ``accepted``, ``refused``, ``root`` and ``items``: for each row, in order, its
    bottle and platform code, or its ``errors`` and ``reasons``. On rollback one bad row refuses all:
    ``Refused`` with every bad row, each reason's row in its facts.
    """
    return _import(
        doing, firm_id=firm_id, evidence=dict(evidence), on_error=on_error, rows=list(enumerate(rows))
    )


@does("cylinder.import")
def _import(
    deed: Deed,
    *,
    firm_id: UUID,
    evidence: dict[str, str],
    on_error: str,
    rows: NumberedRows,
    progress: Progress | None = None,
) -> Answer:
    deed.about(SubjectType.REGISTER, str(deed.district))
    books = open_books(deed, firm_id)
    deed.at(firm=firm_id)
    import_id = new_id()
    root = merkle_root([leaf_hash(_as_sent(given)) for _, given in rows]).hex()
    deed.note(import_id=import_id, rows=len(rows), root=root, on_error=on_error, **evidence)
    items = []
    for done, (number, given) in enumerate(rows, start=1):
        items.append({"index": number, **_take(deed, books, given, import_id)})
        if progress is not None and (done % PROGRESS_EVERY == 0 or done == len(rows)):
            progress(done)
    bad = [item for item in items if not item["ok"]]
    deed.note(accepted=len(items) - len(bad), refused=len(bad))
    if bad and on_error == ROLLBACK:
        raise Refused([refusal for item in bad for refusal in _as_refusals(item)])
    deed.note(refused_rows=[_in_short(item) for item in bad])
    deed.db.add(
        CylinderImport(
            id=import_id,
            firm_id=firm_id,
            district=deed.district,
            evidence=evidence,
            rows_root=root,
            accepted=len(items) - len(bad),
            refused=len(bad),
            recorded_at=deed.recorded_at,
        )
    )
    return {
        "import_id": str(import_id),
        "accepted": len(items) - len(bad),
        "refused": len(bad),
        "root": root,
        "items": items,
    }


def _take(deed: Deed, books: Books, given: Any, import_id: UUID) -> dict[str, Any]:
    """One row in its savepoint: the bottle, or what is wrong with the row."""
    try:
        row = _ROW.load(given)
        with deed.db.begin_nested():
            filed = file_bottle(deed, books, row, import_id)
    except ma.ValidationError as error:
        return _bad(errors=faults_in(error.messages, ""))
    except WrongField as wrong:
        return _bad(errors=wrong.faults)
    except Refused as refused:
        return _bad(reasons=_resting(deed, refused.refusals))
    except IntegrityError as error:
        reason = no.BY_CONSTRAINT.get(getattr(getattr(error.orig, "diag", None), "constraint_name", ""))
        if reason is None:
            raise
        return _bad(reasons=_resting(deed, [reason()]))
    codes = {"cylinder_id": str(filed.cylinder_id), "platform_code": filed.platform_code}
    return {"ok": True, **codes, "errors": [], "reasons": []}


def _resting(deed: Deed, reasons: Iterable[Refusal]) -> Iterable[Refusal]:
    """A row's reasons with the basis of their rules, as every refusal has it."""
    return with_basis(reasons, str(deed.district), clock.day_of(deed.recorded_at))


def _in_short(item: Mapping[str, Any]) -> dict[str, Any]:
    """Which row, and why it was refused: the codes alone."""
    return {"row": item["index"], "codes": sorted({one["code"] for one in item["errors"] + item["reasons"]})}


def _bad(*, errors: Iterable[FieldFault] = (), reasons: Iterable[Refusal] = ()) -> dict[str, Any]:
    return {
        "ok": False,
        "cylinder_id": None,
        "platform_code": None,
        "errors": [fault.to_plain() for fault in errors],
        "reasons": [refusal.to_plain() for refusal in reasons],
    }


def _as_refusals(item: Mapping[str, Any]) -> Iterator[Refusal]:
    for one in item["reasons"]:
        yield Refusal.from_plain(one).about(row=item["index"])
    for fault in item["errors"]:
        yield ROW_WRONG(row=item["index"], pointer=fault["pointer"], fault=fault["code"])


def _as_sent(given: Any) -> bytes:
    """A row as its leaf is hashed: JSON with its names sorted."""
    return orjson.dumps(given, option=orjson.OPT_SORT_KEYS)


# --------------------------------------------------------------------------------------------------------
# From a file


def import_cylinders(
    doing: Doing,
    lines: Iterable[str],
    *,
    firm_id: UUID,
    document: str,
    reference: str,
    on_error: str = ROLLBACK,
    progress: Progress | None = None,
) -> ImportReport:
    """``./lpg manage import cylinders FILE.jsonl``: one JSON object a line, blank lines are passed over.

    The whole file is one deed of at most 10,000 rows (``WrongField`` at ``/rows`` beyond, or with none),
    numbered by line from 1. Raises ``Refused`` with every bad line where ``on_error`` is "rollback",
    ``WrongField`` where the firm is not on file.
    """
    rows = [(number, _read(line)) for number, line in enumerate(lines, start=1) if line.strip()]
    if not 1 <= len(rows) <= MAX_LINES:
        raise WrongField("/rows", "length", f"应有1至{MAX_LINES}行", f"expected 1 to {MAX_LINES} rows")
    answer = _import(
        doing,
        firm_id=firm_id,
        evidence={"document": document, "reference": reference},
        on_error=on_error,
        rows=rows,
        progress=progress,
    )
    faults = [LineFault(item["index"], text) for item in answer["items"] for text in said_of(item)]
    return ImportReport(answer["accepted"], faults)


def _read(line: str) -> Any:
    """The line's object; a line that is not JSON stays text, and text is no row."""
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return line

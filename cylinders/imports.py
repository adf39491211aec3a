"""Taking over a register of bottles: some rows in a request, or a file of a million lines by the worker.

    import_rows(…)     a request's rows, answered row by row
    ask_file(…)        a file as it comes in, kept aside and queued; read, judged and published as a job
    do_import_job(…)   the worker's part
    import_file(…)     the same at the console, without the queue

Both ways are one: lines are staged by COPY, judged all at once, and copied into the register in one deed
(``staging``, ``publishing``). Its entry commits to every line as sent by a Merkle root (RFC 9162), to the
file by its hash, and to what was refused; each bottle names its import. ``proceed`` keeps the good lines,
``rollback`` keeps none unless all are good.

A killed worker's job goes on from the last lines it had staged. What is published is published with the
job's end and under its key, in one transaction: it happens once, whoever dies when.
"""

import gc
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.exceptions import RequestEntityTooLarge

from core import clock, jobs
from core.db import table_of
from core.doing import Doing
from core.ground import Ground
from core.ids import new_id
from core.jobs import Job, JobState
from core.problems import Busy, FieldFault, NotFound, WrongField
from core.refusal import Refusal, Refused, with_basis
from cylinders import register_refusals as no
from cylinders.code import classify
from cylinders.identifiers import tell_of_register
from cylinders.import_models import FileEncoding, FileForm, RegisterFault, RegisterFile, StagedBottle
from cylinders.label_refusals import REGISTERED_ELSEWHERE
from cylinders.models import CylinderImport
from cylinders.publishing import Overtaken, publish, take_your_time
from cylinders.register_lines import MOST_BYTES, MOST_LINES, Line, RegisterReader, check_header
from cylinders.service import firm_in_reach
from cylinders.staging import Batch, Written, check, forget_faults, stage, throw_away, write
from evidence.deed import Answer, Deed, does, held_by
from evidence.entry import leaf_hash
from evidence.merkle import merkle_root
from evidence.models import SubjectType
from registry.import_refusals import ROW_WRONG

PROCEED, ROLLBACK = "proceed", "rollback"
IMPORT_JOB = "cylinder_import"
LINES_AT_ONCE = 10_000
"""Read, staged and committed together: what a killed worker has to do once more."""

READ_AT_ONCE = 1000

MOST_NAMED = 100
"""Other firms' codes that one tip names; how many there are it says, however many."""

TRIES = 4
"""How often lines are checked anew because somebody took one of their codes meanwhile."""

_faults = table_of(RegisterFault)
_staged = table_of(StagedBottle)

held_by("uq_register_file_published", no.FILE_IMPORTED)

# --------------------------------------------------------------------------------------------------------
# A request's rows


@does("cylinder.import")
def import_rows(
    deed: Deed, *, firm_id: UUID, evidence: Mapping[str, str], on_error: str, rows: Sequence[Any]
) -> Answer:
    """A request's rows, numbered from 0, in the shape of ``schemas.BottleRow``.

    Answers ``import_id``, ``accepted``, ``refused``, ``root`` and ``items``: for each row, in order, its
    bottle and platform code, or its ``errors`` and ``reasons``. On rollback one bad row refuses all:
    ``Refused`` with every bad row, each reason's row in its facts.
    """
    deed.about(SubjectType.REGISTER, str(deed.district))
    firm = firm_in_reach(deed.db, deed.doing, firm_id)
    deed.at(firm=firm.id)
    batch = Batch(deed.district, new_id(), firm.id)
    stage(deed.db, write(batch, [Line.of_request(number, given) for number, given in enumerate(rows)]))
    root = root_of(deed.db, batch)
    deed.note(import_id=batch.file_id, rows=len(rows), root=root, on_error=on_error, **evidence)
    items = _publish_rows(deed, batch, on_error)
    accepted = sum(item["ok"] for item in items)
    deed.note(refused_rows=[_in_short(item) for item in items if not item["ok"]])
    deed.db.add(_record(deed, batch, dict(evidence), root, accepted, len(items) - accepted))
    for forget in (throw_away, forget_faults):
        forget(deed.db, batch)
    return {
        "import_id": str(batch.file_id),
        "accepted": accepted,
        "refused": len(items) - accepted,
        "root": root,
        "items": items,
    }


def _publish_rows(deed: Deed, batch: Batch, on_error: str) -> list[dict[str, Any]]:
    """The rows as they are answered, once those without a fault are on file."""
    for _ in range(TRIES):
        check(deed.db, batch)
        items = _items(deed, batch)
        bad = [item for item in items if not item["ok"]]
        deed.note(accepted=len(items) - len(bad), refused=len(bad))
        if bad and on_error == ROLLBACK:
            _tell_of_claims(deed, batch)
            raise Refused([refusal for item in bad for refusal in _as_refusals(item)])
        with suppress(Overtaken):
            publish(deed, batch)
            _tell_of_claims(deed, batch)
            return items
    raise Busy


def _items(deed: Deed, batch: Batch) -> list[dict[str, Any]]:
    wrong = dict(faults_by_line(deed.db, batch))
    staged = deed.db.execute(
        sa.select(_staged.c.line, _staged.c.cylinder_id, _staged.c.platform_code)
        .where(*_of(_staged, batch))
        .order_by(_staged.c.line)
    )
    return [
        _bad(deed, row.line, wrong[row.line])
        if row.line in wrong
        else {
            "index": row.line,
            "ok": True,
            "cylinder_id": str(row.cylinder_id),
            "platform_code": row.platform_code,
            "errors": [],
            "reasons": [],
        }
        for row in staged
    ]


def _bad(deed: Deed, line: int, found: Sequence[FieldFault | Refusal]) -> dict[str, Any]:
    reasons = [one for one in found if isinstance(one, Refusal)]
    resting = with_basis(reasons, str(deed.district), clock.day_of(deed.recorded_at))
    return {
        "index": line,
        "ok": False,
        "cylinder_id": None,
        "platform_code": None,
        "errors": [one.to_plain() for one in found if isinstance(one, FieldFault)],
        "reasons": [one.to_plain() for one in resting],
    }


def _in_short(item: Mapping[str, Any]) -> dict[str, Any]:
    """Which row, and why it was refused: the codes alone."""
    return {"row": item["index"], "codes": sorted({one["code"] for one in item["errors"] + item["reasons"]})}


def _as_refusals(item: Mapping[str, Any]) -> Iterator[Refusal]:
    for one in item["reasons"]:
        about = {"row": item["index"]}
        if "value" in one["facts"]:
            about["value"] = classify(one["facts"]["value"]).on_record
        yield Refusal.from_plain(one).about(**about)
    for fault in item["errors"]:
        yield ROW_WRONG(row=item["index"], pointer=fault["pointer"], fault=fault["code"])


# --------------------------------------------------------------------------------------------------------
# A file, as it comes in


@dataclass(frozen=True, slots=True)
class Received:
    """A file that came in whole: where it lies, its hash, its size, and how many line ends it has.

    ``id`` will be the import's, so that the file lies where the worker looks before the worker is asked.
    """

    id: UUID
    path: Path
    sha256: str
    size_bytes: int
    lines: int


_CHUNK = 256 * 1024


def receive(stream: IO[bytes], folder: Path, form: FileForm, encoding: FileEncoding) -> Received:
    """Write the stream to a file of its own, never holding more than a chunk.

    Raises ``RequestEntityTooLarge`` above the limits, ``WrongField`` where it can be no register at all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file_id = new_id()
    path = folder / str(file_id)
    try:
        received = _written(stream, file_id, path)
        with path.open("rb") as file:
            check_header(file, form, encoding)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return received


def _written(stream: IO[bytes], file_id: UUID, path: Path) -> Received:
    digest, size, lines = hashlib.sha256(), 0, 0
    with path.open("wb") as file:
        while chunk := stream.read(_CHUNK):
            size, lines = size + len(chunk), lines + chunk.count(b"\n")
            if size > MOST_BYTES or lines > MOST_LINES + 1:
                raise RequestEntityTooLarge(f"expected at most {MOST_BYTES} bytes and {MOST_LINES} lines")
            digest.update(chunk)
            file.write(chunk)
    return Received(file_id, path, digest.hexdigest(), size, lines)


def folder_of(ground: Ground) -> Path:
    """Where files wait for the worker: beside all else that must outlive a restart."""
    return ground.config.state_dir / "imports"


def ask_file(
    doing: Doing,
    received: Received,
    *,
    firm_id: UUID,
    evidence: Mapping[str, str],
    on_error: str,
    form: FileForm,
    encoding: FileEncoding,
) -> Answer:
    """Have the file imported. The same file, firm and mode again is answered with the import that stands."""
    asked = _Asked(received.sha256, firm_id, dict(evidence), on_error, form, encoding)
    is_wanted = False
    try:
        done = _ask(doing, asked=asked, received=received, queued=True)
        is_wanted = done["import_id"] == str(received.id)
    finally:
        if not is_wanted:
            received.path.unlink(missing_ok=True)
    return done


@dataclass(frozen=True, slots=True)
class _Asked:
    sha256: str
    firm_id: UUID
    evidence: dict[str, str]
    on_error: str
    form: FileForm
    encoding: FileEncoding


@does("cylinder.ask_import")
def _ask(deed: Deed, *, asked: _Asked, received: Received, queued: bool) -> Answer:
    deed.about(SubjectType.REGISTER, str(deed.district))
    firm = firm_in_reach(deed.db, deed.doing, asked.firm_id)
    deed.at(firm=firm.id)
    deed.note(file=asked.sha256, bytes=received.size_bytes, on_error=asked.on_error, **asked.evidence)
    standing = _standing(deed.db, deed.district, asked)
    if standing is not None:
        deed.note(import_id=standing)
        return {"import_id": str(standing)}
    row = RegisterFile(
        district=deed.district,
        id=received.id,
        firm_id=firm.id,
        form=asked.form,
        encoding=asked.encoding,
        on_error=asked.on_error,
        evidence=asked.evidence,
        sha256=asked.sha256,
        size_bytes=received.size_bytes,
        lines=received.lines,
        read_bytes=0,
        read_lines=0,
        staged=0,
        recorded_at=deed.recorded_at,
    )
    deed.db.add(row)
    if queued:
        lock = f"{IMPORT_JOB}:{deed.district}:{firm.id}"
        wanted = {"file_id": str(row.id)}
        row.job_id = jobs.ask(deed.db, deed.doing, IMPORT_JOB, wanted, firm_id=firm.id, lock=lock).id
    deed.note(import_id=row.id)
    return {"import_id": str(row.id)}


def _standing(db: Session, district: int, asked: _Asked) -> UUID | None:
    """An import of this very file, read this way, for this firm, in this mode: published, or on its way."""
    ends_well = sa.or_(
        RegisterFile.published_at.is_not(None), Job.state.in_([JobState.ASKED, JobState.RUNNING])
    )
    return db.scalar(
        sa.select(RegisterFile.id)
        .outerjoin(Job, sa.and_(Job.district == RegisterFile.district, Job.id == RegisterFile.job_id))
        .where(
            RegisterFile.district == district,
            RegisterFile.firm_id == asked.firm_id,
            RegisterFile.sha256 == asked.sha256,
            RegisterFile.on_error == asked.on_error,
            RegisterFile.form == asked.form,
            RegisterFile.encoding == asked.encoding,
            ends_well,
        )
        .order_by(RegisterFile.id)
        .limit(1)
    )


def cancel(doing: Doing, *, import_id: UUID) -> Answer:
    """Nobody wants it any more: what was staged is thrown away, nothing is published."""
    done = _cancel(doing, import_id=import_id)
    (folder_of(doing.ground) / str(import_id)).unlink(missing_ok=True)
    return done


@does("cylinder.cancel_import")
def _cancel(deed: Deed, *, import_id: UUID) -> Answer:
    row = file_in_reach(deed.db, deed.doing, import_id)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=row.firm_id)
    deed.note(import_id=row.id)
    if row.job_id is None:
        raise Refused([no.FILE_IMPORTED()])
    jobs.cancel(deed.db, deed.district, row.job_id)
    throw_away(deed.db, batch_of(row))
    return {"import_id": str(row.id)}


def file_in_reach(db: Session, doing: Doing, import_id: UUID) -> RegisterFile:
    row = db.get(RegisterFile, (doing.district, import_id))
    if row is None:
        raise NotFound
    doing.actor.must_reach(firm=row.firm_id, district=row.district)
    return row


# --------------------------------------------------------------------------------------------------------
# Read, judged, published


def do_import_job(job: jobs.Running) -> None:
    """In the worker, for whoever asked."""
    with job.ground.reads() as db:
        row = db.get_one(RegisterFile, (job.district, UUID(job.asked["file_id"])))
    path = folder_of(job.ground) / str(row.id)

    def stop_if_unwanted() -> None:
        if not job.is_wanted():
            with job.ground.sessions() as db:
                throw_away(db, batch_of(row))
                db.commit()
            path.unlink(missing_ok=True)
            raise jobs.Unwanted

    try:
        _take_in(job.doing(), row, path, say=job.say, look_up=lambda _: stop_if_unwanted(), job_id=job.id)
    except Refused:
        path.unlink(missing_ok=True)
        raise
    path.unlink(missing_ok=True)


def import_file(
    doing: Doing,
    path: Path,
    *,
    firm_id: UUID,
    evidence: Mapping[str, str],
    on_error: str,
    form: FileForm,
    encoding: FileEncoding,
    progress: Callable[[int], None],
) -> tuple[UUID, Refused | None]:
    """At the console: the file is read where it lies. The import's id, and what refused it if it was."""
    with path.open("rb") as file:
        check_header(file, form, encoding)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    received = Received(new_id(), path, digest, path.stat().st_size, _count_lines(path))
    if received.size_bytes > MOST_BYTES or received.lines > MOST_LINES + 1:
        words = (
            f"最多{MOST_LINES}行、{MOST_BYTES}字节",
            f"expected at most {MOST_LINES} lines and {MOST_BYTES} bytes",
        )
        raise WrongField("/file", "too_large", *words)
    asked = _Asked(digest, firm_id, dict(evidence), on_error, form, encoding)
    done = _ask(doing, asked=asked, received=received, queued=False)
    import_id = UUID(done["import_id"])
    if import_id == received.id:
        with doing.ground.reads() as db:
            row = db.get_one(RegisterFile, (doing.district, import_id))
        try:
            _take_in(doing, row, path, say=lambda _: None, look_up=progress, job_id=None)
        except Refused as refused:
            return import_id, refused
    return import_id, None


def _count_lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(_CHUNK), b""))


def _take_in(
    doing: Doing,
    row: RegisterFile,
    path: Path,
    *,
    say: Callable[[str], None],
    look_up: Callable[[int], None],
    job_id: UUID | None,
) -> None:
    """``look_up`` is told after each batch of lines how far it is, and raises where nobody wants it."""
    batch = batch_of(row)
    say("reading")
    for line in read_in(doing.ground, row, path):
        look_up(line)
    for _ in range(TRIES):
        say("checking")
        with doing.ground.sessions() as db:
            take_your_time(db, db.get_one(RegisterFile, (row.district, row.id)).staged)
            _in_hand(db, batch)
            check(db, batch)
            db.commit()
        say("publishing")
        with suppress(Overtaken):
            _publish_file(doing, file_id=row.id, job_id=job_id)
            return
    raise Busy


def batch_of(row: RegisterFile) -> Batch:
    return Batch(row.district, row.id, row.firm_id)


def read_in(ground: Ground, row: RegisterFile, path: Path) -> Iterator[int]:
    """Stage the file from where it was left, some thousand lines a commit; the line reached, each time.

    Staged lines are a job's own scratch: their commits are the job's, no deed and no fact.
    """
    batch = batch_of(row)
    with ground.sessions() as db:
        take_your_time(db, 0)
        at_byte, at_line, staged = _left_at(db, batch)
        db.commit()
    with path.open("rb") as file, ThreadPoolExecutor(1) as beside:
        reader = RegisterReader(file, row.form, row.encoding, at_byte=at_byte, at_line=at_line)
        before: Future[int] | None = None
        while True:
            written = _next_written(reader, batch)
            if before is not None:
                yield before.result()
            if not written.lines:
                return
            standing = {"read_bytes": reader.at_byte, "read_lines": reader.at_line}
            before = beside.submit(_stage, ground, batch, written, standing, staged)
            staged += written.lines


def _next_written(reader: RegisterReader, batch: Batch) -> Written:
    """What is committed together, read by the thousand.

    Nothing a line is made of points back at it: there is nothing to collect, and looking for it through all
    that lives cost a fifth of the reading.
    """
    written = Written()
    gc.disable()
    try:
        while missing := min(LINES_AT_ONCE - written.lines, READ_AT_ONCE):
            lines = reader.read(missing)
            if not lines:
                break
            written.take(write(batch, lines))
    finally:
        gc.enable()
    return written


def _stage(ground: Ground, batch: Batch, written: Written, standing: Mapping[str, int], staged: int) -> int:
    """Beside the reading of the next lines: this waits for the server. The line reached."""
    with ground.sessions() as db:
        if _in_hand(db, batch).staged != staged:
            raise jobs.Unwanted
        stage(db, written)
        db.execute(_row_of(batch).values(**standing, staged=staged + written.lines))
        db.commit()
    return standing["read_lines"]


def _in_hand(db: Session, batch: Batch) -> RegisterFile:
    """The import's row, locked: a worker that was only thought dead may still be at it.

    Of two the one that comes later to the same lines, or to an import that has ended, gives up.
    """
    key = (batch.district, batch.file_id)
    row = db.get_one(RegisterFile, key, with_for_update=True, populate_existing=True)
    if row.accepted is not None:
        raise jobs.Unwanted
    return row


def _row_of(batch: Batch) -> sa.Update:
    return sa.update(RegisterFile).where(
        RegisterFile.district == batch.district, RegisterFile.id == batch.file_id
    )


def _left_at(db: Session, batch: Batch) -> tuple[int, int, int]:
    """Where reading goes on. A server that crashed has lost what was staged: then from the beginning."""
    row = _in_hand(db, batch)
    if _count_staged(db, batch) == row.staged:
        return row.read_bytes, row.read_lines, row.staged
    throw_away(db, batch)
    forget_faults(db, batch)
    db.execute(_row_of(batch).values(read_bytes=0, read_lines=0, staged=0))
    return 0, 0, 0


def _count_staged(db: Session, batch: Batch) -> int:
    return db.scalar(sa.select(sa.func.count()).select_from(_staged).where(*_of(_staged, batch))) or 0


@does("cylinder.import")
def _publish_file(deed: Deed, *, file_id: UUID, job_id: UUID | None) -> Answer:
    deed.about(SubjectType.REGISTER, str(deed.district))
    row = file_in_reach(deed.db, deed.doing, file_id)
    batch = batch_of(row)
    take_your_time(deed.db, row.staged)
    if _in_hand(deed.db, batch).staged != _count_staged(deed.db, batch):
        raise Busy  # the server crashed since they were read
    deed.at(firm=row.firm_id)
    root, rows = root_of(deed.db, batch), row.staged
    refused, by_code, refused_root = _what_is_refused(deed.db, batch)
    deed.note(import_id=row.id, file=row.sha256, bytes=row.size_bytes, form=row.form, **row.evidence)
    deed.note(rows=rows, root=root, on_error=row.on_error, accepted=rows - refused, refused=refused)
    deed.note(refused_by_code=by_code, refused_root=refused_root)
    _tell_of_claims(deed, batch)
    deed.keep_by(_row_of(batch).values(accepted=rows - refused, refused=refused, root=root))
    deed.keep_by(sa.delete(_staged).where(*_of(_staged, batch)).execution_options(synchronize_session=False))
    if refused and row.on_error == ROLLBACK:
        raise Refused([no.ROWS_WRONG(lines=refused)])
    publish(deed, batch)
    deed.db.add(_record(deed, batch, {**row.evidence, "file": row.sha256}, root, rows - refused, refused))
    row.published_at = deed.recorded_at
    deed.db.flush()
    if job_id is not None:
        jobs.finish(deed.db, deed.district, job_id, row.id)
    return {"import_id": str(row.id)}


def _tell_of_claims(deed: Deed, batch: Batch) -> None:
    """Lines with a code of another firm's bottle: the authority is told, as of a single registration."""
    claims = (*_of(_faults, batch), _faults.c.code == REGISTERED_ELSEWHERE.code)
    count = deed.db.scalar(sa.select(sa.func.count()).where(*claims)) or 0
    first = sa.select(_faults).where(*claims).order_by(_faults.c.line, _faults.c.number).limit(MOST_NAMED)
    named = [found for row in deed.db.execute(first) if isinstance(found := as_found(row), Refusal)]
    tell_of_register(deed, batch.firm_id, batch.file_id, named, count)


def _what_is_refused(db: Session, batch: Batch) -> tuple[int, dict[str, int], str]:
    """How many lines, how often for which code, and the root over each line with its codes."""
    leaves, counted = [], Counter[str]()
    for line, found in faults_by_line(db, batch):
        codes = sorted({one.code for one in found})
        counted.update(codes)
        leaves.append(leaf_hash(orjson.dumps({"codes": codes, "row": line}, option=orjson.OPT_SORT_KEYS)))
    return len(leaves), dict(counted), merkle_root(leaves).hex()


def _record(
    deed: Deed, batch: Batch, evidence: dict[str, str], root: str, accepted: int, refused: int
) -> CylinderImport:
    return CylinderImport(
        id=batch.file_id,
        firm_id=batch.firm_id,
        district=batch.district,
        evidence=evidence,
        rows_root=root,
        accepted=accepted,
        refused=refused,
        recorded_at=deed.recorded_at,
    )


# --------------------------------------------------------------------------------------------------------
# Looking at it


def root_of(db: Session, batch: Batch) -> str:
    """Over every line as it was sent, good or bad, in their order."""
    leaves = db.scalars(
        sa.select(_staged.c.leaf).where(*_of(_staged, batch)).order_by(_staged.c.line),
        execution_options={"yield_per": 10_000},
    )
    return merkle_root(leaves).hex()


def faults_by_line(db: Session, batch: Batch) -> Iterator[tuple[int, list[FieldFault | Refusal]]]:
    """Every line with something wrong, in order, and all that is wrong with it."""
    rows = db.execute(_in_order(batch), execution_options={"yield_per": 5000})
    for line, found in groupby(rows, key=lambda row: row.line):
        yield line, [as_found(row) for row in found]


def in_lines(ground: Ground, batch: Batch) -> Iterator[Any]:
    """The same for whoever fetches them, some thousand a statement: no slow line holds a transaction."""
    after = (-1, -1)
    while True:
        page = _in_order(batch).where(sa.tuple_(_faults.c.line, _faults.c.number) > after).limit(5000)
        with ground.reads() as db:
            rows = db.execute(page).all()
        yield from rows
        if len(rows) < 5000:
            return
        after = (rows[-1].line, rows[-1].number)


def _in_order(batch: Batch) -> sa.Select[Any]:
    return sa.select(_faults).where(*_of(_faults, batch)).order_by(_faults.c.line, _faults.c.number)


def as_found(row: Any) -> FieldFault | Refusal:
    if row.facts is not None:
        return Refusal.from_plain({"code": row.code, "facts": row.facts})
    return FieldFault(row.pointer or "", row.code, row.zh or "", row.en or "")


def _of(table: sa.Table, batch: Batch) -> Iterable[sa.ColumnElement[bool]]:
    return (table.c.district == batch.district, table.c.file_id == batch.file_id)

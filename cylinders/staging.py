"""Lines on their way into the register: read into ``staged_bottle`` by COPY, then judged there all at once.

    stage(db, …)     the shape of each line, by the same fields as a single row's (``schemas.BottleRow``)
    check(db, …)     what lines point at and whether their codes and cards are free: a few statements for all
    throw_away(db,…) the staged lines, once they are published or nobody wants them

A register says the same few words a million times (its models, firms, standards, days): what a field made of
a value is remembered, so that only what is new is read by the field. A line that does not go that way is
read as a whole by the schema, which then says all that is wrong with it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

import marshmallow as ma
import orjson
import psycopg
import psycopg.sql
import sqlalchemy as sa
from marshmallow import fields
from sqlalchemy.orm import Session

from core.db import table_of
from core.ids import new_ids_in_hex
from core.problems import FieldFault, WrongField
from core.refusal import Refusal, Refused
from cylinders.at_site import NOT_ON_FILE
from cylinders.code import new_code
from cylinders.import_models import FoundBy, RegisterFault, StagedBottle
from cylinders.models import Scheme
from cylinders.register_lines import STAMPED, Line
from cylinders.schemas import BottleRow, HolderIn, IdentifierIn, LastInspectionIn
from cylinders.service import codes_of
from evidence.entry import leaf_hash
from registry.imports import faults_in

REMEMBERED = 10_000
"""Values of a field that are remembered; of what differs from line to line no more is worth the room."""


class Batch(NamedTuple):
    """The lines of one import: the district they file in, the import's id, the firm whose books they are."""

    district: int
    file_id: UUID
    firm_id: UUID

    @property
    def key(self) -> dict[str, Any]:
        return {"district": self.district, "file_id": self.file_id, "firm_id": self.firm_id}


# --------------------------------------------------------------------------------------------------------
# The shape of a line

_NULL = r"\N"
_PLAIN = re.compile(r"[0-9A-Za-z./()_ -]+")


class _Texts(dict[tuple[type, Any], str]):
    """A field's values as COPY writes them. Keyed with their type, since to a dict 1 and true are one."""

    def __init__(self, field: fields.Field[Any]):
        super().__init__()
        self._field = field

    def __missing__(self, key: tuple[type, Any]) -> str:
        text = _as_text(self._field.deserialize(key[1]))
        if len(self) < REMEMBERED:
            self[key] = text
        return text


def _as_text(value: Any) -> str:
    if value is None:
        return _NULL
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, date):
        return value.isoformat()
    text = str(value.value if isinstance(value, Enum) else value)
    return text if _PLAIN.fullmatch(text) else text.replace("\\", "\\\\")


def _as_array(texts: Iterable[str]) -> str:
    return '{"' + '","'.join([text if _PLAIN.fullmatch(text) else _quoted(text) for text in texts]) + '"}'


def _quoted(text: str) -> str:
    """For the array first, then for COPY."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\\", "\\\\")


_PARTS = frozenset({"identifiers", "last_inspection", "holder"})


class _Shape:
    """A schema's fields, each remembering; ``defaults`` are of those that may be absent."""

    def __init__(self, schema: ma.Schema, names: Iterable[str]):
        self.texts = {name: _Texts(schema.fields[name]) for name in names}
        absent = {name: schema.fields[name].load_default for name in self.texts}
        self.defaults = {name: _as_text(value) for name, value in absent.items() if value is not ma.missing}
        self.required = {name for name in self.texts if schema.fields[name].required}

    def read(self, given: Mapping[str, Any]) -> dict[str, str]:
        """All but a row's parts. Raises where an unknown name, a missing or a wrong value stands."""
        read, texts = self.defaults.copy(), self.texts
        for name, value in given.items():
            if name not in _PARTS:
                read[name] = texts[name][value.__class__, value]
        if not self.required <= read.keys():
            raise KeyError
        return read


_ROW = BottleRow()
_STAMPED = _Shape(_ROW, STAMPED)
_INSPECTION = _Shape(LastInspectionIn(), LastInspectionIn().fields)
_HOLDER = _Shape(HolderIn(), HolderIn().fields)
_IDENTIFIER = IdentifierIn()
_HOLDERS = ({"site_id"}, {"district", "card_id"})
_MOST_CODES = 8
_MOST_SYMBOLS = 128
_SCHEMES = {scheme.value: scheme for scheme in Scheme}


@dataclass(frozen=True, slots=True)
class _Read:
    """A line whose shape is right, as COPY writes it."""

    stamped: Mapping[str, str]
    codes: Mapping[Scheme, str]
    inspection: Mapping[str, str] | None
    holder: Mapping[str, str] | None


def _read(given: Any) -> _Read:
    """Raises ``ValidationError``, ``WrongField`` or ``Refused`` with all that is wrong with its shape."""
    try:
        return _read_as_remembered(given)
    except (ma.ValidationError, KeyError, TypeError, AttributeError):
        return _read_as_a_whole(given)


def _read_as_remembered(given: Any) -> _Read:
    inspection, holder = given.get("last_inspection"), given.get("holder")
    if holder is not None and holder.keys() not in _HOLDERS:
        raise KeyError
    return _Read(
        _STAMPED.read(given),
        codes_of([_identifier(one) for one in _few(given.get("identifiers", ()))]),
        None if inspection is None else _INSPECTION.read(inspection),
        None if holder is None else _HOLDER.read({**holder}),
    )


def _few(given: Sequence[Any]) -> Sequence[Any]:
    if not isinstance(given, list | tuple) or len(given) > _MOST_CODES:
        raise TypeError
    return given


def _identifier(given: Mapping[str, Any]) -> dict[str, Any]:
    """Visible ASCII without blanks around it is what the field would make of it."""
    value = given["value"]
    plain = value.isascii() and value.isprintable() and value.strip() == value
    if len(given) != 2 or not plain or not 0 < len(value) <= _MOST_SYMBOLS:
        return dict(_IDENTIFIER.load(given))
    return {"scheme": _SCHEMES[given["scheme"]], "value": value}


def _read_as_a_whole(given: Any) -> _Read:
    row = _ROW.load(given)

    def texts(part: Mapping[str, Any] | None) -> dict[str, str] | None:
        return None if part is None else {name: _as_text(value) for name, value in part.items()}

    stamped = {name: _as_text(row[name]) for name in STAMPED}
    return _Read(stamped, codes_of(row["identifiers"]), texts(row["last_inspection"]), texts(row["holder"]))


# --------------------------------------------------------------------------------------------------------
# Into the staged lines

_staged = table_of(StagedBottle)
_faults = table_of(RegisterFault)
_COLUMNS = [column.name for column in _staged.c]
_COPY = psycopg.sql.SQL("COPY staged_bottle ({}) FROM STDIN").format(
    psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, _COLUMNS))
)
_OF_LINE = _COLUMNS[: _COLUMNS.index("cylinder_id")]
_OF_BOTTLE = _COLUMNS[_COLUMNS.index("model") : _COLUMNS.index("inspection_id")]
_OF_INSPECTION = ("inspected_on", "day_precision", "passed", "agency", "report_no")
_IDS_A_LINE = 4

assert {*_OF_BOTTLE, "full"} == {*STAMPED}, "a register's row and what is staged of it have grown apart"


def stage(db: Session, batch: Batch, lines: Sequence[Line]) -> None:
    """These lines, with what is wrong with the shape of any. Within the caller's transaction."""
    faults: list[dict[str, Any]] = []
    connection = db.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    text = "".join(_written(batch, lines, faults))  # before COPY begins: the server's patience runs from then
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.write(text)
    if faults:
        db.execute(sa.insert(_faults), faults)


def _written(batch: Batch, lines: Sequence[Line], faults: list[dict[str, Any]]) -> Iterator[str]:
    ids = new_ids_in_hex(_IDS_A_LINE * len(lines))
    head = f"{batch.district}\t{batch.file_id}"
    for line in lines:
        leaf = leaf_hash(orjson.dumps(line.given, option=orjson.OPT_SORT_KEYS)).hex()
        given_ids = [next(ids) for _ in range(_IDS_A_LINE)]
        try:
            if line.fault is not None:
                raise WrongField.all([line.fault])
            cells = _cells(_read(line.given), given_ids)
        except (ma.ValidationError, WrongField, Refused) as error:
            faults += _found(batch, line.number, error)
            cells = _NO_CELLS
        yield f"{head}\t{line.number}\t\\\\x{leaf}\t{cells}\n"


_NO_CELLS = "\t".join([_NULL] * (len(_COLUMNS) - len(_OF_LINE)))


def _cells(read: _Read, ids: Sequence[str]) -> str:
    codes = read.codes if Scheme.PLATFORM in read.codes else {Scheme.PLATFORM: new_code(), **read.codes}
    stamped, inspection, holder = read.stamped, read.inspection, read.holder
    cells = [
        ids[0],
        ids[1] if holder else _NULL,
        codes[Scheme.PLATFORM],
        _as_array(scheme.value for scheme in codes),
        _as_array(codes.values()),
        *[stamped[name] for name in _OF_BOTTLE],
    ]
    if inspection is None:
        cells += [_NULL] * 6
    else:
        cells.append(ids[2])
        cells += [inspection[name] for name in _OF_INSPECTION]
    if holder is None:
        cells += [_NULL] * 4
    elif "site_id" in holder:
        cells += [holder["site_id"], _NULL, _NULL, _NULL]
    else:
        cells += [_NULL, holder["district"], holder["card_id"], ids[3]]
    cells.append(stamped["full"])
    return "\t".join(cells)


def _found(
    batch: Batch, line: int, error: ma.ValidationError | WrongField | Refused
) -> Iterator[dict[str, Any]]:
    found: Sequence[FieldFault | Refusal]
    if isinstance(error, Refused):
        found = error.refusals
    else:
        found = error.faults if isinstance(error, WrongField) else list(faults_in(error.messages, ""))
    for number, one in enumerate(found):
        row = {"district": batch.district, "file_id": batch.file_id, "line": line, "number": number}
        row |= {"found_by": FoundBy.SHAPE, "code": one.code}
        if isinstance(one, Refusal):
            yield row | {"pointer": None, "facts": dict(one.facts), "zh": None, "en": None}
        else:
            yield row | {"pointer": one.pointer, "facts": None, "zh": one.zh, "en": one.en}


# --------------------------------------------------------------------------------------------------------
# Judged all at once

_FORGET_CHECKED = sa.delete(_faults).where(
    _faults.c.district == sa.bindparam("district"),
    _faults.c.file_id == sa.bindparam("file_id", type_=sa.Uuid),
    _faults.c.found_by == FoundBy.CHECK,
)
_INTO_FAULTS = """
INSERT INTO register_fault (district, file_id, line, number, found_by, pointer, code, facts, zh, en)
SELECT :district, :file_id, line, row_number() OVER (PARTITION BY line ORDER BY place, pointer),
       'check', pointer, code, facts,
       CASE WHEN facts IS NULL THEN :zh END, CASE WHEN facts IS NULL THEN :en END
FROM found
"""
_POINTS_NOWHERE_OR_IS_TAKEN = sa.text(
    """
WITH staged AS (
  SELECT * FROM staged_bottle
  WHERE district = :district AND file_id = :file_id AND cylinder_id IS NOT NULL
), found (line, place, pointer, code, facts) AS (
  SELECT line, 1, '/model', 'unknown', NULL::jsonb FROM staged
  WHERE NOT EXISTS (SELECT FROM cylinder_type WHERE cylinder_type.model = staged.model)
UNION ALL
  SELECT line, 2, '/' || one.name, 'unknown', NULL FROM staged
  CROSS JOIN LATERAL (VALUES
    ('owner_firm_id', owner_firm_id), ('registered_by_firm_id', registered_by_firm_id),
    ('entrusted_to_firm_id', entrusted_to_firm_id)
  ) AS one (name, id)
  WHERE one.id IS NOT NULL AND NOT EXISTS (SELECT FROM firm WHERE firm.id = one.id)
UNION ALL
  SELECT line, 3, '/holder/site_id', 'unknown', NULL FROM staged
  WHERE site_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM site WHERE site.id = staged.site_id AND site.firm_id = :firm_id)
UNION ALL
  SELECT line, 3, '/holder/card_id', 'unknown', NULL FROM staged
  WHERE card_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM card JOIN account ON account.district = card.district AND account.id = card.account_id
    WHERE card.district = staged.card_district AND card.id = staged.card_id
      AND account.firm_id = :firm_id AND account.state <> 'closed')
UNION ALL
  SELECT line, 4, NULL,
         CASE WHEN standing.voided_at IS NULL AND has_it.owner_firm_id IS DISTINCT FROM :firm_id
              THEN 'identifier.registered_elsewhere' ELSE 'cylinder.identifier_taken' END,
         jsonb_build_object('scheme', standing.scheme, 'value', standing.value)
  FROM staged CROSS JOIN LATERAL unnest(schemes, codes) AS one (scheme, value)
  JOIN cylinder_identifier AS standing ON standing.scheme = one.scheme AND standing.value = one.value
  JOIN cylinder AS has_it ON has_it.cylinder_id = standing.cylinder_id
UNION ALL
  SELECT line, 4, NULL, 'cylinder.contradicts_type',
         jsonb_build_object('name', one.name, 'given', one.given, 'model', model, 'catalogue', one.catalogue)
  FROM staged JOIN cylinder_type AS kind USING (model) CROSS JOIN LATERAL (VALUES
    ('phase', staged.phase, kind.phase), ('material', staged.material, kind.material),
    ('standard', staged.standard, kind.standard)
  ) AS one (name, given, catalogue)
  WHERE one.given <> one.catalogue
UNION ALL
  SELECT staged.line, 5, NULL, 'holding.card_holds_another', '{}' FROM staged
  JOIN card_holding AS held
    ON held.district = staged.card_district AND held.card_id = staged.card_id AND held.active
)"""
    + _INTO_FAULTS
)
_GIVEN_TWICE = sa.text(
    """
WITH staged AS (
  SELECT * FROM staged_bottle
  WHERE district = :district AND file_id = :file_id AND cylinder_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM register_fault AS fault
    WHERE fault.district = :district AND fault.file_id = :file_id AND fault.line = staged_bottle.line)
), code AS MATERIALIZED (
  SELECT line, one.scheme, one.value
  FROM staged CROSS JOIN LATERAL unnest(schemes, codes) AS one (scheme, value)
), code_twice AS (
  SELECT scheme, value, min(line) AS first FROM code GROUP BY scheme, value HAVING count(*) > 1
), card_twice AS (
  SELECT card_district, card_id, min(line) AS first FROM staged
  WHERE card_id IS NOT NULL GROUP BY card_district, card_id HAVING count(*) > 1
), found (line, place, pointer, code, facts) AS (
  SELECT code.line, 4, NULL, 'cylinder.identifier_taken',
         jsonb_build_object('scheme', code.scheme, 'value', code.value, 'first_row', first)
  FROM code JOIN code_twice USING (scheme, value) WHERE code.line > first
UNION ALL
  SELECT staged.line, 5, NULL, 'holding.card_holds_another', jsonb_build_object('first_row', first)
  FROM staged JOIN card_twice USING (card_district, card_id) WHERE staged.line > first
)"""
    + _INTO_FAULTS
)


def check(db: Session, batch: Batch) -> None:
    """Against the register as it stands now; again, where it has changed meanwhile.

    Of lines with the same code or card the first is taken, if nothing else is wrong with it.
    """
    _, zh, en = NOT_ON_FILE
    db.execute(_FORGET_CHECKED, batch.key)
    for statement in (_POINTS_NOWHERE_OR_IS_TAKEN, _GIVEN_TWICE):
        db.execute(statement, {**batch.key, "zh": zh, "en": en})


def throw_away(db: Session, batch: Batch) -> None:
    db.execute(
        sa.delete(_staged).where(_staged.c.district == batch.district, _staged.c.file_id == batch.file_id)
    )


def forget_faults(db: Session, batch: Batch) -> None:
    db.execute(
        sa.delete(_faults).where(_faults.c.district == batch.district, _faults.c.file_id == batch.file_id)
    )

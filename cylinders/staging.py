"""Lines on their way into the register: read into ``staged_bottle`` by COPY, then judged there all at once.

    stage(db, …)     the shape of each line, by the same fields as a single row's (``schemas.BottleRow``)
    check(db, …)     what lines point at and whether their codes and cards are free: a few statements for all
    throw_away(db,…) the staged lines, once they are published or nobody wants them

A register says the same few words a million times (its models, firms, standards, days): what a field made of
a value is remembered, so that only what is new is read by the field. A line that does not go that way is
read as a whole by the schema, which then says all that is wrong with it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from itertools import compress
from typing import Any, NamedTuple
from uuid import UUID

import marshmallow as ma
import psycopg
import psycopg.sql
import sqlalchemy as sa
from marshmallow import fields
from sqlalchemy.orm import Session

from core.db import table_of
from core.ids import new_ids_in_hex
from core.problems import FieldFault, WrongField, faults_in
from core.refusal import Refusal, Refused
from cylinders.at_site import NOT_ON_FILE
from cylinders.code import new_codes
from cylinders.import_models import FoundBy, RegisterFault, StagedBottle
from cylinders.models import Scheme
from cylinders.register_lines import STAMPED, Line
from cylinders.schemas import BottleRow, HolderIn, IdentifierIn, LastInspectionIn
from cylinders.service import codes_of

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


class _Texts(dict[tuple[type, Any], str | None]):
    """A field's values as COPY writes them, None of a wrong one.

    Keyed with their type, since to a dict 1 and true are one.
    """

    def __init__(self, field: fields.Field[Any]):
        super().__init__()
        self._field = field

    def of(self, column: Sequence[Any]) -> list[str | None]:
        try:
            return list(map(self.__getitem__, zip(map(type, column), column, strict=True)))
        except TypeError:  # a list or an object among them, which no dict knows
            return [self._read(value) for value in column]

    def __missing__(self, key: tuple[type, Any]) -> str | None:
        text = self._read(key[1])
        if text is not None and len(self) < REMEMBERED:  # what is wrong may be as long as a line
            self[key] = text
        return text

    def _read(self, value: Any) -> str | None:
        try:
            return _as_text(self._field.deserialize(value))
        except ma.ValidationError:
            return None


def _as_text(value: Any) -> str:
    if value is None:
        return _NULL
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, date):
        return value.isoformat()
    return str(value.value if isinstance(value, Enum) else value).replace("\\", "\\\\")


def _as_array(texts: Collection[str]) -> str:
    together = "".join(texts)
    if "\\" in together or '"' in together:
        texts = [_quoted(text) for text in texts]
    return '{"' + '","'.join(texts) + '"}'


def _quoted(text: str) -> str:
    """For the array first, then for COPY."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\\", "\\\\")


_PARTS = frozenset({"identifiers", "last_inspection", "holder"})


class _Shape:
    """A schema's fields, each remembering, in the order in which they are written.

    ``absent``: what is written of a field that is not there, if not its default. ``beside``: names that are
    read elsewhere.
    """

    def __init__(
        self,
        schema: ma.Schema,
        names: Sequence[str],
        *,
        absent: str | None = None,
        beside: frozenset[str] = frozenset(),
    ):
        self._beside = beside
        self._texts = {name: _Texts(schema.fields[name]) for name in names}
        self._absent = {name: absent or self._default(schema.fields[name]) for name in names}
        self._required = {name for name in names if self._absent[name] is None}

    @staticmethod
    def _default(field: fields.Field[Any]) -> str | None:
        return None if field.load_default is ma.missing else _as_text(field.load_default)

    def written(self, rows: Sequence[dict[str, Any]]) -> list[str | None]:
        """All but a row's parts, as COPY writes it; None where the whole schema is to be asked.

        Rows with the same names in the same order are read column by column.
        """
        places = defaultdict[tuple[str, ...], list[int]](list)
        for place, row in enumerate(rows):
            places[tuple(row)].append(place)
        found: list[str | None] = [None] * len(rows)
        for names, alike in places.items():
            if self._required <= {*names} <= {*self._texts} | self._beside:
                for place, text in zip(alike, self._joined(names, [rows[one] for one in alike]), strict=True):
                    found[place] = text
        return found

    def _joined(self, names: Sequence[str], rows: Sequence[dict[str, Any]]) -> list[str | None]:
        columns = dict(zip(names, zip(*map(dict.values, rows), strict=True), strict=True))
        cells = zip(
            *[
                texts.of(columns[name]) if name in columns else [self._absent[name]] * len(rows)
                for name, texts in self._texts.items()
            ],
            strict=True,
        )
        return [None if None in row else "\t".join(row) for row in cells]

    def as_loaded(self, part: Mapping[str, Any]) -> str:
        """What the schema made of it."""
        return "\t".join([_as_text(part.get(name)) for name in self._texts])


_staged = table_of(StagedBottle)
_faults = table_of(RegisterFault)
_COLUMNS = [column.name for column in _staged.c]
_OF_BOTTLE = _COLUMNS[_COLUMNS.index("model") : _COLUMNS.index("inspection_id")]
_OF_INSPECTION = ["inspected_on", "day_precision", "passed", "agency", "report_no"]
_OF_HOLDER = ["site_id", "district", "card_id"]

assert {*_OF_BOTTLE, "full"} == {*STAMPED}, "a register's row and what is staged of it have grown apart"

_ROW = BottleRow()
_STAMPED = _Shape(_ROW, [*_OF_BOTTLE, "full"], beside=_PARTS)
_INSPECTION = _Shape(LastInspectionIn(), _OF_INSPECTION)
_HOLDER = _Shape(HolderIn(), _OF_HOLDER, absent=_NULL)
_IDENTIFIER = IdentifierIn()
_HOLDERS = ({"site_id"}, {"district", "card_id"})
_MOST_CODES = 8
_MOST_SYMBOLS = 128
_UNKNOWN = _ROW.error_messages["unknown"]
_SCHEMES = {scheme.value: scheme for scheme in Scheme}


class _Read(NamedTuple):
    """A line whose shape is right, as COPY writes it."""

    codes: Mapping[Scheme, str]
    stamped: str
    inspection: str | None
    holder: str | None


def _read_as_remembered(rows: Sequence[dict[str, Any]]) -> list[_Read | None]:
    """None where a line does not go that way."""
    parts = zip(
        map(_usual_codes, rows),
        _STAMPED.written(rows),
        _parts(_INSPECTION, [row.get("last_inspection") for row in rows]),
        _parts(_HOLDER, [row.get("holder") for row in rows]),
        strict=True,
    )
    return [
        None if codes is None or stamped is None or inspection is _UNUSUAL or holder is _UNUSUAL
        else _Read(codes, stamped, inspection, holder)
        for codes, stamped, inspection, holder in parts
    ]  # fmt: skip


_UNUSUAL = ""
"""In a part's place: not read. None says that there is no such part."""


def _parts(shape: _Shape, parts: Sequence[Any]) -> list[str | None]:
    usual = [part.__class__ is dict and (shape is not _HOLDER or _names_one(part)) for part in parts]
    texts = iter(shape.written(list(compress(parts, usual))))
    return [
        (next(texts) or _UNUSUAL) if is_usual else None if part is None else _UNUSUAL
        for part, is_usual in zip(parts, usual, strict=True)
    ]


def _names_one(holder: Mapping[str, Any]) -> bool:
    return holder.keys() in _HOLDERS and None not in holder.values()


def _usual_codes(row: Mapping[str, Any]) -> Mapping[Scheme, str] | None:
    given = row.get("identifiers", ())
    if not isinstance(given, list | tuple) or len(given) > _MOST_CODES:
        return None
    try:
        return codes_of([_identifier(one) for one in given])
    except (ma.ValidationError, KeyError, TypeError, AttributeError, WrongField, Refused):
        return None


def _identifier(given: Mapping[str, Any]) -> dict[str, Any]:
    """Visible ASCII without blanks around it is what the field would make of it."""
    value = given["value"]
    plain = value.isascii() and value.isprintable() and value.strip() == value
    if len(given) != 2 or not plain or not 0 < len(value) <= _MOST_SYMBOLS:
        return dict(_IDENTIFIER.load(given))
    return {"scheme": _SCHEMES[given["scheme"]], "value": value}


def _read_as_a_whole(given: Any) -> _Read:
    """Raises ``ValidationError``, ``WrongField`` or ``Refused`` with all that is wrong with its shape."""
    row = _ROW.load(given)
    inspection, holder = row["last_inspection"], row["holder"]
    return _Read(
        codes_of(row["identifiers"]),
        _STAMPED.as_loaded(row),
        None if inspection is None else _INSPECTION.as_loaded(inspection),
        None if holder is None else _HOLDER.as_loaded(holder),
    )


# --------------------------------------------------------------------------------------------------------
# Into the staged lines


@dataclass(slots=True)
class Written:
    """So many lines as COPY takes them, and what is wrong with the shape of any; no database was asked."""

    lines: int = 0
    texts: list[str] = field(default_factory=list)
    faults: list[dict[str, Any]] = field(default_factory=list)

    def take(self, other: "Written") -> None:
        self.lines += other.lines
        self.texts += other.texts
        self.faults += other.faults


_OF_LINE = ["district", "file_id", "line", "leaf"]
_OF_IDS = ["cylinder_id", "fact_id", "inspection_id", "holding_id"]
_WRITTEN = [
    *_OF_LINE, *_OF_IDS, "platform_code", "schemes", "codes", *_OF_BOTTLE, "full", *_OF_INSPECTION,
    "site_id", "card_district", "card_id",
]  # fmt: skip
_COPY = psycopg.sql.SQL("COPY staged_bottle ({}) FROM STDIN").format(
    psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, _WRITTEN))
)
_NOT_ITS = "\t".join([_NULL] * (len(_WRITTEN) - len(_OF_LINE)))
_NO_INSPECTION = "\t".join([_NULL] * len(_OF_INSPECTION))
_NO_HOLDER = "\t".join([_NULL] * len(_OF_HOLDER))

assert sorted(_WRITTEN) == sorted(_COLUMNS), "what is staged of a line and what is written have grown apart"


def stage(db: Session, written: Written) -> None:
    """Within the caller's transaction."""
    connection = db.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for text in written.texts:
            copy.write(text)
    if written.faults:
        db.execute(sa.insert(_faults), written.faults)


def write(batch: Batch, lines: Sequence[Line]) -> Written:
    """The lines as they will be staged."""
    faults: list[dict[str, Any]] = []
    ids = new_ids_in_hex(len(_OF_IDS) * len(lines))
    fresh = new_codes(len(lines))
    head = f"{batch.district}\t{batch.file_id}\t"
    text = [
        f"{head}{line.number}\t\\\\x{line.leaf.hex()}\t"
        f"{_NOT_ITS if read is None else _cells(read, given_ids, code)}\n"
        for line, read, given_ids, code in zip(
            lines, _read(batch, lines, faults), zip(ids, ids, ids, ids, strict=True), fresh, strict=True
        )
    ]
    return Written(len(lines), ["".join(text)], faults)


def _read(batch: Batch, lines: Sequence[Line], faults: list[dict[str, Any]]) -> Iterator[_Read | None]:
    """None of those that are wrong."""
    usual = [line.fault is None and line.given.__class__ is dict for line in lines]
    remembered = iter(_read_as_remembered([line.given for line in compress(lines, usual)]))
    for line, is_usual in zip(lines, usual, strict=True):
        read = next(remembered) if is_usual else None
        if read is None:
            try:
                if line.fault is not None:
                    raise WrongField.all([line.fault])
                read = _read_as_a_whole(line.given)
            except (ma.ValidationError, WrongField, Refused) as error:
                faults += _found(batch, line.number, error)
        yield read


def _cells(read: _Read, ids: Sequence[str], fresh: str) -> str:
    codes = read.codes if Scheme.PLATFORM in read.codes else {Scheme.PLATFORM: fresh, **read.codes}
    is_held, on_card = read.holder is not None, read.holder is not None and read.holder.startswith(_NULL)
    return "\t".join(
        [
            ids[0],
            ids[1] if is_held else _NULL,
            ids[2] if read.inspection is not None else _NULL,
            ids[3] if on_card else _NULL,
            codes[Scheme.PLATFORM],
            _as_array(codes),
            _as_array(codes.values()),
            read.stamped,
            read.inspection or _NO_INSPECTION,
            read.holder or _NO_HOLDER,
        ]
    )


def _found(
    batch: Batch, line: int, error: ma.ValidationError | WrongField | Refused
) -> Iterator[dict[str, Any]]:
    found: Sequence[FieldFault | Refusal]
    if isinstance(error, Refused):
        found = error.refusals
    else:
        found = (
            error.faults
            if isinstance(error, WrongField)
            else list(faults_in(error.messages, stranger=_UNKNOWN))
        )
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
WITH suspect AS MATERIALIZED (
  SELECT staged.line, staged.model, kind.model IS NULL AS has_no_type, owner_firm_id, registered_by_firm_id,
         entrusted_to_firm_id, site_id, card_district, card_id,
         staged.phase, kind.phase AS its_phase, staged.material, kind.material AS its_material,
         staged.standard, kind.standard AS its_standard
  FROM staged_bottle AS staged LEFT JOIN cylinder_type AS kind ON kind.model = staged.model
  WHERE district = :district AND file_id = :file_id AND cylinder_id IS NOT NULL AND (
    kind.model IS NULL OR card_id IS NOT NULL OR site_id NOT IN (SELECT id FROM site WHERE firm_id = :firm_id)
    OR owner_firm_id NOT IN (SELECT id FROM firm) OR registered_by_firm_id NOT IN (SELECT id FROM firm)
    OR entrusted_to_firm_id NOT IN (SELECT id FROM firm) OR staged.phase <> kind.phase
    OR staged.material <> kind.material OR staged.standard <> kind.standard)
), code AS (
  SELECT line, unnest(schemes) AS scheme, unnest(codes) AS value FROM staged_bottle
  WHERE district = :district AND file_id = :file_id AND cylinder_id IS NOT NULL
), found (line, place, pointer, code, facts) AS (
  SELECT line, 1, '/model', 'unknown', NULL::jsonb FROM suspect WHERE has_no_type
UNION ALL
  SELECT line, 2, '/' || one.name, 'unknown', NULL FROM suspect
  CROSS JOIN LATERAL (VALUES
    ('owner_firm_id', owner_firm_id), ('registered_by_firm_id', registered_by_firm_id),
    ('entrusted_to_firm_id', entrusted_to_firm_id)
  ) AS one (name, id)
  WHERE one.id IS NOT NULL AND NOT EXISTS (SELECT FROM firm WHERE firm.id = one.id)
UNION ALL
  SELECT line, 3, '/holder/site_id', 'unknown', NULL FROM suspect
  WHERE site_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM site WHERE site.id = suspect.site_id AND site.firm_id = :firm_id)
UNION ALL
  SELECT line, 3, '/holder/card_id', 'unknown', NULL FROM suspect
  WHERE card_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM card JOIN account ON account.district = card.district AND account.id = card.account_id
    WHERE card.district = suspect.card_district AND card.id = suspect.card_id
      AND account.firm_id = :firm_id AND account.state <> 'closed')
UNION ALL
  SELECT line, 4, NULL,
         CASE WHEN standing.voided_at IS NULL AND has_it.owner_firm_id IS DISTINCT FROM :firm_id
              THEN 'identifier.registered_elsewhere' ELSE 'cylinder.identifier_taken' END,
         jsonb_build_object('scheme', standing.scheme, 'value', standing.value)
  FROM code
  JOIN cylinder_identifier AS standing ON standing.scheme = code.scheme AND standing.value = code.value
  JOIN cylinder AS has_it ON has_it.cylinder_id = standing.cylinder_id
UNION ALL
  SELECT line, 4, NULL, 'cylinder.contradicts_type',
         jsonb_build_object('name', one.name, 'given', one.given, 'model', model, 'catalogue', one.catalogue)
  FROM suspect CROSS JOIN LATERAL (VALUES
    ('phase', phase, its_phase), ('material', material, its_material), ('standard', standard, its_standard)
  ) AS one (name, given, catalogue)
  WHERE one.given <> one.catalogue
UNION ALL
  SELECT suspect.line, 5, NULL, 'holding.card_holds_another', '{}' FROM suspect
  JOIN card_holding AS held
    ON held.district = suspect.card_district AND held.card_id = suspect.card_id AND held.active
)"""
    + _INTO_FAULTS
)
_GIVEN_TWICE = sa.text(
    """
WITH sound AS NOT MATERIALIZED (
  SELECT line, schemes, codes, card_district, card_id FROM staged_bottle
  WHERE district = :district AND file_id = :file_id AND cylinder_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM register_fault AS fault
    WHERE fault.district = :district AND fault.file_id = :file_id AND fault.line = staged_bottle.line)
), code AS MATERIALIZED (
  SELECT line, unnest(schemes) AS scheme, unnest(codes) AS value FROM sound
), code_twice AS (
  SELECT scheme, value, min(line) AS first FROM code GROUP BY scheme, value HAVING count(*) > 1
), card AS MATERIALIZED (
  SELECT line, card_district, card_id FROM sound WHERE card_id IS NOT NULL
), card_twice AS (
  SELECT card_district, card_id, min(line) AS first FROM card
  GROUP BY card_district, card_id HAVING count(*) > 1
), found (line, place, pointer, code, facts) AS (
  SELECT code.line, 4, NULL, 'cylinder.identifier_taken',
         jsonb_build_object('scheme', code.scheme, 'value', code.value, 'first_row', first)
  FROM code JOIN code_twice USING (scheme, value) WHERE code.line > first
UNION ALL
  SELECT card.line, 5, NULL, 'holding.card_holds_another', jsonb_build_object('first_row', first)
  FROM card JOIN card_twice USING (card_district, card_id) WHERE card.line > first
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

"""A register as a file: which columns it has, how a line is read as a row, how a row is written as a line.

    JSONL   an object a line, in the shape of ``schemas.BottleRow``
    CSV     a header with the names below, in English or Chinese, in any order; an empty cell is not known

Both ways are the same columns, so that what was exported can be imported. A line is one line: nothing that
a register says of a bottle holds a line break.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

import orjson

from core.fields import Flag, Number
from core.nesting import NotJson, read_json
from core.problems import FieldFault, WrongField
from cylinders.import_models import FileEncoding, FileForm
from cylinders.models import Scheme
from cylinders.schemas import BottleRow
from evidence.entry import begun_leaf, leaf_hash

MOST_BYTES = 2**30
MOST_LINES = 1_000_000
MOST_LINE_BYTES = 16 * 1024

IDENTIFIERS = tuple(scheme.value for scheme in Scheme)
INSPECTION = {
    "inspected_on": "inspected_on",
    "inspection_precision": "day_precision",
    "inspection_passed": "passed",
    "inspection_agency": "agency",
    "inspection_report_no": "report_no",
}
HOLDER = {"holder_site_id": "site_id", "holder_district": "district", "holder_card_id": "card_id"}
STAMPED = tuple(
    name for name in BottleRow().fields if name not in ("identifiers", "last_inspection", "holder")
)
COLUMNS = (*IDENTIFIERS, *STAMPED, *INSPECTION, *HOLDER)

IN_CHINESE = {
    "平台编码": "platform",
    "使用登记代码": "use_registration",
    "钢印号": "stamp",
    "设备代码": "equipment",
    "制造单位标识": "maker",
    "电子标签": "rfid",
    "型号": "model",
    "产权单位": "owner_firm_id",
    "登记单位": "registered_by_firm_id",
    "登记日期": "registered_on",
    "受托单位": "entrusted_to_firm_id",
    "产品标准": "standard",
    "相态": "phase",
    "材质": "material",
    "皮重克": "tare_g",
    "最大充装量克": "max_fill_g",
    "制造日期": "made_on",
    "制造日期精度": "made_precision",
    "设计使用月数": "design_life_months",
    "延长使用至": "extended_until",
    "延期已评定": "extension_assessed",
    "延期已变更登记": "extension_registered",
    "购置日期": "bought_on",
    "有产权标志": "embossed_owner_mark",
    "翻新": "refurbished",
    "非法制造": "illegal_make",
    "螺纹护罩": "screwed_guard",
    "责令报废": "scrap_ordered",
    "满瓶": "full",
    "检验日期": "inspected_on",
    "检验日期精度": "inspection_precision",
    "检验合格": "inspection_passed",
    "检验机构": "inspection_agency",
    "检验报告号": "inspection_report_no",
    "所在站点": "holder_site_id",
    "所在区划": "holder_district",
    "用户卡": "holder_card_id",
}
_FLAGS = {"true": True, "false": False, "是": True, "否": False}


class Line(NamedTuple):
    """What it gives, and what is wrong with it where it gives no row. ``leaf`` commits to it as it was sent:

    of a file's line, counted from 1, to its bytes with the line's end; of a request's row to its JSON with
    names in order.
    """

    number: int
    leaf: bytes
    given: Any
    fault: FieldFault | None = None

    @classmethod
    def of_request(cls, number: int, given: Any) -> "Line":
        return cls(number, leaf_hash(orjson.dumps(given, option=orjson.OPT_SORT_KEYS)), given)


_NOT_TEXT = FieldFault("", "encoding", "这一行不是所声明的编码", "expected text in the encoding declared")
_TOO_LONG = FieldFault(
    "", "too_long", f"一行最多{MOST_LINE_BYTES}字节", f"expected a line of at most {MOST_LINE_BYTES} bytes"
)
_NOT_JSON = FieldFault("", "json", "这一行不是一个JSON对象", "expected one JSON object on this line")
_NOT_CSV = FieldFault("", "csv", "这一行的引号不成对", "expected quotes in pairs on this line")
_CELLS = FieldFault("", "cells", "列数与表头不同", "expected as many cells as the header has")


_NOTHING = FieldFault("", "blank", "空行", "nothing on this line")
"""No fault: the line is passed over."""


class _Endless(NamedTuple):
    """A line longer than any may be, of which only this is known."""

    leaf: bytes


class RegisterReader:
    """Reads on from a byte and a line, and knows where it stands."""

    def __init__(
        self, file: BinaryIO, form: FileForm, encoding: FileEncoding, *, at_byte: int = 0, at_line: int = 0
    ):
        self.at_byte, self.at_line = 0, 0
        self._file = file
        self._codec = encoding.value
        self._mark = "\ufeff".encode(self._codec)
        file.seek(0)
        if form is FileForm.CSV:
            self._given = _given_by_cells(self._codec, self._header())
        else:
            self._given = _given_by_json if encoding is FileEncoding.UTF_8 else _given_by_text(self._codec)
        if at_line > self.at_line:
            file.seek(at_byte)
            self.at_byte, self.at_line = at_byte, at_line

    def read(self, count: int) -> list[Line]:
        """The next lines that hold something, at most so many; none at the end."""
        found: list[Line] = []
        while len(found) < count and (raw := self._next()):
            if isinstance(raw, _Endless):
                found.append(Line(self.at_line, raw.leaf, None, _TOO_LONG))
            elif not raw.isspace():
                given = self._given(raw.removeprefix(self._mark) if self.at_line == 1 else raw)
                if not isinstance(given, FieldFault):
                    found.append(Line(self.at_line, leaf_hash(raw), given))
                elif given is not _NOTHING:
                    found.append(Line(self.at_line, leaf_hash(raw), None, given))
        return found

    def _next(self) -> "bytes | _Endless":
        raw = self._file.readline(MOST_LINE_BYTES)
        self.at_line += bool(raw)
        self.at_byte += len(raw)
        if len(raw) < MOST_LINE_BYTES or raw.endswith(b"\n"):
            return raw
        return self._rest_of(raw)

    def _rest_of(self, raw: bytes) -> "_Endless":
        """To the line's end, or the file's, never holding more than a piece."""
        digest = begun_leaf(raw)
        while not raw.endswith(b"\n") and (raw := self._file.readline(MOST_LINE_BYTES)):
            self.at_byte += len(raw)
            digest.update(raw)
        return _Endless(digest.digest())

    def _header(self) -> list[str]:
        raw = self._next()
        line = None if isinstance(raw, _Endless) else _decoded(raw.removeprefix(self._mark), self._codec)
        cells = None if line is None else _cells(line)
        if cells is None:
            raise _wrong_header("表头无法读懂", "expected a header that can be read")
        columns = [_column(cell) for cell in cells]
        if None in columns:
            number = columns.index(None) + 1
            raise _wrong_header(f"第{number}列的名称不认识", f"column {number} has a name we do not know")
        named = [one for one in columns if one is not None]
        if "model" not in named or len(set(named)) != len(named):
            raise _wrong_header(
                "表头须有model（型号），且每列只出现一次", "expected a column model, and each column once"
            )
        return named


def check_header(file: BinaryIO, form: FileForm, encoding: FileEncoding) -> None:
    """``WrongField`` at ``/file`` where nothing below the header could be read."""
    if not RegisterReader(file, form, encoding).read(1):
        raise WrongField("/file", "empty", "文件里没有一行", "expected at least one row")


def _wrong_header(zh: str, en: str) -> WrongField:
    return WrongField("/file", "header", zh, en)


def _column(cell: str) -> str | None:
    name = cell.strip()
    name = IN_CHINESE.get(name, name)
    return name if name in COLUMNS else None


def _cells(line: str) -> list[str] | None:
    line = line.rstrip("\r\n")
    if '"' not in line and "\r" not in line:
        return line.split(",")
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error:
        return None


def _decoded(raw: bytes, codec: str) -> str | None:
    try:
        return raw.decode(codec)
    except UnicodeDecodeError:
        return None


def _given_by_json(raw: bytes) -> Any:
    """UTF-8 is read as it is; only of what is no JSON is it asked what else it may be."""
    try:
        return read_json(raw)
    except NotJson:
        text = _decoded(raw, "utf-8")
        return _NOT_TEXT if text is None else _NOT_JSON if text.strip() else _NOTHING


def _given_by_text(codec: str) -> Callable[[bytes], Any]:
    def given(raw: bytes) -> Any:
        text = _decoded(raw, codec)
        return _NOT_TEXT if text is None else _given_by_json(text.encode())

    return given


def _given_by_cells(codec: str, columns: Sequence[str]) -> Callable[[bytes], Any]:
    row = _row_of_cells(columns)

    def given(raw: bytes) -> Any:
        text = _decoded(raw, codec)
        return _NOT_TEXT if text is None else row(text) if text.strip() else _NOTHING

    return given


def _row_of_cells(columns: Sequence[str]) -> Callable[[str], Any]:
    reads = [(place, column, _kind(column)) for place, column in enumerate(columns)]

    def row(line: str) -> Any:
        cells = _cells(line)
        if cells is None:
            return _NOT_CSV
        if len(cells) != len(reads):
            return _CELLS
        given: dict[str, Any] = {}
        parts: dict[str, dict[str, Any]] = {}
        identifiers = []
        for place, column, kind in reads:
            cell = cells[place]
            if not cell:
                continue
            value = kind.read(cell) if kind.read else cell
            if kind.part is None:
                given[kind.name] = value
            elif kind.part == "identifiers":
                identifiers.append({"scheme": column, "value": value})
            else:
                parts.setdefault(kind.part, {})[kind.name] = value
        if identifiers:
            given["identifiers"] = identifiers
        return given | parts

    return row


@dataclass(frozen=True, slots=True)
class _Kind:
    """Where a column's cell stands in the row, and how it is read where it is not text."""

    part: str | None
    name: str
    read: Callable[[str], Any] | None = None


def _kind(column: str) -> _Kind:
    if column in IDENTIFIERS:
        return _Kind("identifiers", column)
    if column in INSPECTION:
        return _Kind("last_inspection", INSPECTION[column], _flag if column == "inspection_passed" else None)
    if column in HOLDER:
        return _Kind("holder", HOLDER[column], _number if column == "holder_district" else None)
    field = BottleRow().fields[column]
    if isinstance(field, Number):
        return _Kind(None, column, _number)
    return _Kind(None, column, _flag if isinstance(field, Flag) else None)


def _flag(cell: str) -> Any:
    """What is neither yes nor no stays as it is, and the field says what it expected."""
    return _FLAGS.get(cell.strip().lower(), cell)


def _number(cell: str) -> Any:
    digits = cell.strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 12 else cell


# --------------------------------------------------------------------------------------------------------
# Writing


STANDING = "standing"
"""What stands against a bottle: a column of what is fetched to be read, and of nothing that is imported."""


def written(
    form: FileForm, rows: Iterator[Mapping[str, Any]], *, with_standing: bool = False
) -> Iterator[bytes]:
    """The file, a line at a time, in UTF-8; CSV with a byte order mark, since spreadsheets look for one."""
    if form is FileForm.JSONL:
        yield from (orjson.dumps(row) + b"\n" for row in rows)
        return
    own = (STANDING,) if with_standing else ()
    yield b"\xef\xbb\xbf" + _csv_line([*COLUMNS, *own])
    yield from (_csv_line([*_cells_of(row), *[row[name] for name in own]]) for row in rows)


def _csv_line(cells: Sequence[Any]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().encode()


def _cells_of(row: Mapping[str, Any]) -> list[str]:
    codes = {one["scheme"]: one["value"] for one in row["identifiers"]}
    inspection, holder = row["last_inspection"] or {}, row["holder"] or {}
    cells = {
        **codes,
        **{name: row[name] for name in STAMPED},
        **{column: inspection.get(name) for column, name in INSPECTION.items()},
        **{column: holder.get(name) for column, name in HOLDER.items()},
    }
    return [_cell(cells.get(column)) for column in COLUMNS]


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)

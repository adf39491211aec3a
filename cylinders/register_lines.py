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
from core.problems import FieldFault, WrongField
from cylinders.import_models import FileEncoding, FileForm
from cylinders.models import Scheme
from cylinders.schemas import BottleRow

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
    """A line of the file, counted from 1: what it gives, and what is wrong with it where it gives no row."""

    number: int
    given: Any
    fault: FieldFault | None = None


_NOT_TEXT = FieldFault("", "encoding", "这一行不是所声明的编码", "expected text in the encoding declared")
_TOO_LONG = FieldFault(
    "", "too_long", f"一行最多{MOST_LINE_BYTES}字节", f"expected a line of at most {MOST_LINE_BYTES} bytes"
)
_NOT_JSON = FieldFault("", "json", "这一行不是一个JSON对象", "expected one JSON object on this line")
_NOT_CSV = FieldFault("", "csv", "这一行的引号不成对", "expected quotes in pairs on this line")
_CELLS = FieldFault("", "cells", "列数与表头不同", "expected as many cells as the header has")


class RegisterReader:
    """Reads on from a byte and a line, and knows where it stands."""

    def __init__(
        self, file: BinaryIO, form: FileForm, encoding: FileEncoding, *, at_byte: int = 0, at_line: int = 0
    ):
        self.at_byte, self.at_line = 0, 0
        self._file = file
        self._codec = encoding.value
        file.seek(0)
        self._row = _row_of_json if form is FileForm.JSONL else _row_of_cells(self._header())
        if at_line > self.at_line:
            file.seek(at_byte)
            self.at_byte, self.at_line = at_byte, at_line

    def read(self, count: int) -> list[Line]:
        """The next lines that hold something, at most so many; none at the end."""
        found: list[Line] = []
        while len(found) < count and (line := self._next()) is not None:
            if isinstance(line, FieldFault):
                found.append(Line(self.at_line, None, line))
            elif line.strip():
                found.append(self._read(line))
        return found

    def _read(self, line: str) -> Line:
        given = self._row(line)
        if isinstance(given, FieldFault):
            return Line(self.at_line, line, given)
        return Line(self.at_line, given)

    def _next(self) -> str | FieldFault | None:
        raw = self._file.readline(MOST_LINE_BYTES)
        if not raw:
            return None
        self.at_line += 1
        self.at_byte += len(raw)
        too_long = len(raw) == MOST_LINE_BYTES and not raw.endswith(b"\n")
        while too_long and not raw.endswith(b"\n") and (raw := self._file.readline(MOST_LINE_BYTES)):
            self.at_byte += len(raw)
        if too_long:
            return _TOO_LONG
        try:
            text = raw.decode(self._codec)
        except UnicodeDecodeError:
            return _NOT_TEXT
        return text.removeprefix("\ufeff") if self.at_line == 1 else text

    def _header(self) -> list[str]:
        line = self._next()
        cells = _cells(line) if isinstance(line, str) else None
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
    try:
        return next(csv.reader([line.rstrip("\r\n")], strict=True), [])
    except csv.Error:
        return None


def _row_of_json(line: str) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return _NOT_JSON


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


def written(form: FileForm, rows: Iterator[Mapping[str, Any]]) -> Iterator[bytes]:
    """The file, a line at a time, in UTF-8; CSV with a byte order mark, since spreadsheets look for one."""
    if form is FileForm.JSONL:
        yield from (orjson.dumps(row) + b"\n" for row in rows)
        return
    yield b"\xef\xbb\xbf" + _csv_line(COLUMNS)
    yield from (_csv_line(_cells_of(row)) for row in rows)


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

"""Lists as files that a spreadsheet opens: CSV in UTF-8 with a mark at its head, sent while it is read.

What somebody else wrote into a register must not run in the office's spreadsheet: a text that begins like a
formula is sent with a quote before it. So is a code that a spreadsheet would take for a number and round.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from flask import Response

BOM = "\ufeff"
LINES_AT_A_TIME = 200
_FORMULA = re.compile(r"[\s\x00]*[=+\-@＝＋－＠]|[\t\r\n]")
_NUMBER = re.compile(r"0[0-9]+|[0-9]{12,}|[0-9]+[eE][0-9]+|[0-9]+[-/][0-9]+")

Cell = str | int | None


def sheet(name: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """``name``: of the file, without its ending."""
    answer = Response(_parts(heads, iter(rows)), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _parts(heads: Sequence[str], rows: Iterator[Sequence[Cell]]) -> Iterator[str]:
    yield BOM + _lines([heads])
    while part := list(islice(rows, LINES_AT_A_TIME)):
        yield _lines(part)


def _lines(rows: Iterable[Sequence[Cell]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([guarded(cell) for cell in row] for row in rows)
    return text.getvalue()


def guarded(cell: Cell) -> str | int:
    if cell is None:
        return ""
    if isinstance(cell, int):
        return cell
    return f"'{cell}" if _FORMULA.match(cell) or _NUMBER.fullmatch(cell) else cell

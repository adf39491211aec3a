"""The office's labels: issue them, print them on sheets or a roll, replace and void them; a bottle's codes.

A scanned text may be somebody's payment code: it is sent in a body, never in an address. What is printed is
drawn to the millimetre as one SVG a sheet, so that a printer's offset is a number and nothing else.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from core.auth import ScopeKind
from core.http import doing
from core.problems import FieldFault, NotFound
from cylinders import identifiers, label_queries, label_schemas, labels
from cylinders.label_drawing import HEIGHT_MM, WIDTH_MM, Symbol, png, symbol
from cylinders.label_queries import CHOSEN_WHY, PLACE_WORDS, WHY_WORDS, LabelSeen
from cylinders.models import Scheme, WhyCodeVoid
from cylinders.schemas import ReceiptIn
from web.pages import Face, No, form_of, number_said, tried

face = Face("labels", __name__, prefix="/office/labels")

COLUMNS, ROWS = 3, 8
A_SHEET = COLUMNS * ROWS
SHEET_WIDTH_MM, SHEET_HEIGHT_MM = 210, 297
LEFT_MM, TOP_MM, GUTTER_MM = 7.0, 8.5, 2.0
FARTHEST_MM = 10.0
SUGGESTED = 12

CODE_WORDS: dict[Scheme, tuple[str, str]] = {
    Scheme.PLATFORM: ("平台编码", "platform code"),
    Scheme.USE_REGISTRATION: ("使用登记代码", "use registration"),
    Scheme.STAMP: ("钢印号", "stamp"),
    Scheme.EQUIPMENT: ("设备代码", "equipment code"),
    Scheme.MAKER: ("制造单位标识", "maker's mark"),
    Scheme.RFID: ("电子标签", "RFID tag"),
}
VOID_WORDS: dict[WhyCodeVoid, tuple[str, str]] = {
    WhyCodeVoid.WRONGLY_ENTERED: ("录错了", "wrongly entered"),
    WhyCodeVoid.LABEL_LOST: ("标签掉了", "its label was lost"),
    WhyCodeVoid.MARK_UNREADABLE: ("读不出了", "cannot be read any more"),
    WhyCodeVoid.REPLACED: ("已换新", "replaced"),
    WhyCodeVoid.CLAIMED_TWICE: ("一码两瓶", "on two bottles"),
}
CHOSEN_VOID = tuple(why for why in WhyCodeVoid if why is not WhyCodeVoid.CLAIMED_TWICE)


# --- issuing ----------------------------------------------------------------------------------------------


@face.page("/", "label.issue")
def home() -> ResponseReturnValue:
    return _home()


@face.page("/batches", "label.issue", methods=("POST",))
def issue() -> ResponseReturnValue:
    said = request.form.get("codes", "")[:60_000]
    codes = list(dict.fromkeys(line.strip() for line in said.splitlines() if line.strip()))
    done, no = tried(lambda: labels.issue(doing(), **form_of(label_schemas.BatchIn, {"codes": codes})))
    if done is None:
        return _home(no, codes=said)
    return redirect(f"/office/labels/sheets/{done['batch_id']}", 303)


@face.page("/find", "label.read", methods=("POST",))
def find() -> ResponseReturnValue:
    """By any code; a bottle whose labels are both gone is found by its stamp."""
    form, no = tried(lambda: form_of(ReceiptIn, {"code": request.form.get("code", "").strip()}))
    if form is None:
        return _home(no)
    try:
        return redirect(f"/office/labels/{label_queries.bottle_behind(doing(), form['code'])}", 303)
    except NotFound:
        return _home(_fault("/code", "查不到这只瓶，或不是本单位的", "no such bottle of yours is on file"))


def _home(no: No | None = None, codes: str | None = None) -> ResponseReturnValue:
    bare = []
    if doing().actor.reach.kind is ScopeKind.FIRM:
        bare = label_queries.without_labels(doing(), SUGGESTED)
    page = render_template(
        "labels/home.html", no=no, bare=bare, codes="\n".join(bare) if codes is None else codes
    )
    return page, no.status if no else 200


def _fault(pointer: str, zh: str, en: str) -> No:
    return No(422, errors=(FieldFault(pointer, "unknown", zh, en),))


# --- printing ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cell:
    """A label with its place on the sheet, in millimetres."""

    label: LabelSeen
    symbol: Symbol
    x: float
    y: float

    @property
    def firm_lines(self) -> list[str]:
        """The firm's name, in lines that fit beside the symbol."""
        name = self.label.firm or ""
        return [name[at : at + 12] for at in range(0, min(len(name), 24), 12)]


@dataclass(frozen=True, slots=True)
class Offsets:
    """How far this printer prints from where it should, and the first place still free on the sheet."""

    dx: float = 0.0
    dy: float = 0.0
    first: int = 1


@face.page("/sheets/<uuid:batch_id>", "label.read")
def sheet(batch_id: UUID) -> ResponseReturnValue:
    printable = _printable(batch_id)
    offsets, no = offsets_asked()
    return print_page(
        "labels/sheet.html", no, batch_id=batch_id, sheets=_sheets(printable, offsets), offsets=offsets
    )


@face.page("/rolls/<uuid:batch_id>", "label.read")
def roll(batch_id: UUID) -> ResponseReturnValue:
    """For a printer with a roll of labels: a page each."""
    cells = [Cell(one, symbol(one.address or ""), 0, 0) for one in _printable(batch_id)]
    return print_page("labels/roll.html", None, batch_id=batch_id, cells=cells)


@face.page("/calibration", "label.read")
def calibration() -> ResponseReturnValue:
    """The outlines of a sheet with rulers: printed on plain paper and held against a sheet of labels."""
    offsets, no = offsets_asked()
    places = [place_on_sheet(place, offsets) for place in range(A_SHEET)]
    return print_page("labels/calibration.html", no, places=places, offsets=offsets)


def _printable(batch_id: UUID) -> list[LabelSeen]:
    """Those of the batch that still stand; a label that was voided meanwhile is not printed again."""
    batch = label_queries.batch(doing(), batch_id)
    return [one for one in batch if one.voided_at is None and one.address is not None]


def print_page(template: str, no: No | None, **shown: Any) -> ResponseReturnValue:
    page = render_template(
        template,
        no=no,
        width=WIDTH_MM,
        height=HEIGHT_MM,
        places_zh=PLACE_WORDS,
        farthest=FARTHEST_MM,
        **shown,
    )
    return page, no.status if no else 200


def _sheets(printable: Sequence[LabelSeen], offsets: Offsets) -> list[list[Cell]]:
    sheets: list[list[Cell]] = []
    for place, one in enumerate(printable, start=offsets.first - 1):
        if place % A_SHEET == 0 or not sheets:
            sheets.append([])
        sheets[-1].append(Cell(one, symbol(one.address or ""), *place_on_sheet(place % A_SHEET, offsets)))
    return sheets


def place_on_sheet(place: int, offsets: Offsets) -> tuple[float, float]:
    row, column = divmod(place, COLUMNS)
    x = LEFT_MM + column * (WIDTH_MM + GUTTER_MM) + offsets.dx
    return round(x, 2), round(TOP_MM + row * HEIGHT_MM + offsets.dy, 2)


def offsets_asked() -> tuple[Offsets, No | None]:
    """From the address, where a bookmark keeps a printer's offsets."""
    faults: list[FieldFault] = []

    def said(name: str, understood: Callable[[str], Any], absent: Any, zh: str, en: str) -> Any:
        text = request.args.get(name, "").strip()
        if not text:
            return absent
        read = understood(text)
        if read is None:
            faults.append(FieldFault(f"/{name}", "range", zh, en))
        return absent if read is None else read

    most = f"{FARTHEST_MM:.0f}"
    zh, en = f"应为 -{most} 到 {most} 毫米", f"expected -{most} to {most} mm"
    found = Offsets(
        said("dx", _millimetres, 0.0, zh, en),
        said("dy", _millimetres, 0.0, zh, en),
        said("first", _place, 1, f"应为 1 到 {A_SHEET}", f"expected 1 to {A_SHEET}"),
    )
    return found, No(422, errors=tuple(faults)) if faults else None


def _millimetres(text: str) -> float | None:
    try:
        read = float(text) if len(text) < 10 else math.nan
    except ValueError:
        return None
    return round(read, 1) if abs(read) <= FARTHEST_MM else None


def _place(text: str) -> int | None:
    read = number_said(text)
    return read if isinstance(read, int) and 1 <= read <= A_SHEET else None


# --- one bottle -------------------------------------------------------------------------------------------


@face.page("/<uuid:cylinder_id>", "label.read")
def bottle(cylinder_id: UUID) -> ResponseReturnValue:
    return _bottle(cylinder_id)


@face.page("/<uuid:cylinder_id>/<int:number>.svg", "label.read")
def as_svg(cylinder_id: UUID, number: int) -> ResponseReturnValue:
    one = _standing(cylinder_id, number)
    drawn = render_template(
        "labels/label.svg", cell=Cell(one, symbol(one.address or ""), 0, 0), width=WIDTH_MM, height=HEIGHT_MM,
        places_zh=PLACE_WORDS,
    )  # fmt: skip
    return Response(drawn, mimetype="image/svg+xml")


@face.page("/<uuid:cylinder_id>/<int:number>.png", "label.read")
def as_png(cylinder_id: UUID, number: int) -> ResponseReturnValue:
    one = _standing(cylinder_id, number)
    return Response(png(one.address or "", one.code, one.number), mimetype="image/png")


def _standing(cylinder_id: UUID, number: int) -> LabelSeen:
    one = label_queries.label(doing(), cylinder_id, number)
    if one.voided_at is not None or one.address is None:
        raise NotFound
    return one


@face.page("/<uuid:cylinder_id>/<int:number>/replacements", "label.replace", methods=("POST",))
def replace(cylinder_id: UUID, number: int) -> ResponseReturnValue:
    done, no = tried(
        lambda: labels.replace(
            doing(),
            cylinder_id=cylinder_id,
            number=number,
            **form_of(label_schemas.LabelVoidIn, {"reason": request.form.get("reason", "")}),
        )
    )
    return (
        _bottle(cylinder_id, no)
        if done is None
        else redirect(f"/office/labels/sheets/{done['batch_id']}", 303)
    )


@face.page("/<uuid:cylinder_id>/<int:number>/voidings", "label.void", methods=("POST",))
def void(cylinder_id: UUID, number: int) -> ResponseReturnValue:
    done, no = tried(
        lambda: labels.void(
            doing(),
            cylinder_id=cylinder_id,
            number=number,
            **form_of(label_schemas.LabelVoidIn, {"reason": request.form.get("reason", "")}),
        )
    )
    return _bottle(cylinder_id, no) if done is None else redirect(f"/office/labels/{cylinder_id}", 303)


@face.page("/<uuid:cylinder_id>/codes", "identifier.attach", methods=("POST",))
def attach(cylinder_id: UUID) -> ResponseReturnValue:
    said = {name: request.form.get(name, "") for name in ("scheme", "value")}
    done, no = tried(
        lambda: identifiers.attach(doing(), cylinder_id=cylinder_id, **form_of(label_schemas.AttachIn, said))
    )
    if done is None:
        return _bottle(cylinder_id, no, said)
    twice = "?twice=1" if done["collision_id"] else ""
    return redirect(f"/office/labels/{cylinder_id}{twice}", 303)


@face.page("/<uuid:cylinder_id>/code-voidings", "identifier.void", methods=("POST",))
def void_code(cylinder_id: UUID) -> ResponseReturnValue:
    said = {name: request.form.get(name, "") for name in ("scheme", "value", "reason")}
    done, no = tried(
        lambda: identifiers.void(doing(), cylinder_id=cylinder_id, **form_of(label_schemas.CodeVoidIn, said))
    )
    return _bottle(cylinder_id, no) if done is None else redirect(f"/office/labels/{cylinder_id}", 303)


def _bottle(
    cylinder_id: UUID, no: No | None = None, said: dict[str, str] | None = None
) -> ResponseReturnValue:
    page = render_template(
        "labels/bottle.html",
        no=no,
        said=said or {},
        cylinder_id=cylinder_id,
        labels=label_queries.labels_of(doing(), cylinder_id),
        codes=label_queries.codes_of(doing(), cylinder_id),
        twice=request.args.get("twice") == "1",
        place_words=PLACE_WORDS,
        why_words=WHY_WORDS,
        chosen=CHOSEN_WHY,
        code_words=CODE_WORDS,
        void_words=VOID_WORDS,
        chosen_void=CHOSEN_VOID,
        schemes=[scheme for scheme in Scheme if scheme is not Scheme.PLATFORM],
    )
    return page, no.status if no else 200

"""The regulator's clear-out: each street's curve, who came under the bar, conversion plans; page and file.

The curve is drawn here, as an SVG of one line, without a script; the table beside it says the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from core import clock
from core.auth import ScopeKind
from core.http import doing
from registry import conversions
from registry.clear_out import CameBecause, ClearOut, MonthOf, StreetCurve, clear_out
from registry.clear_out_schemas import ClearOutQuery, ConversionIn
from registry.premises_models import ClosingReason
from registry.states import ConversionState
from web.book_words import TARGETS
from web.office.said import CLOSINGS
from web.office.sheets import Cell, sheet
from web.pages import Face, No, form_of, tried

face = Face("clear_out", __name__, prefix="/oversight/clear-out")

WIDTH, HEIGHT = 240, 48
SHOWN = 200
NAMES = ("plan_no", "street_code", "committee_code", "target", "starts_on", "due_on")

STATES: dict[str, tuple[str, str, str]] = {
    ConversionState.ANNOUNCED.value: ("quiet", "已公布", "announced"),
    ConversionState.UNDER_WAY.value: ("warn", "实施中", "under way"),
    ConversionState.CONVERTED.value: ("good", "改造完毕", "converted"),
    ConversionState.DROPPED.value: ("quiet", "已取消", "dropped"),
}
BECAUSE: dict[str, tuple[str, str, str]] = {
    CameBecause.APPLIED_BEFORE.value: ("warn", "禁令前已申请", "applied for before the bar"),
    CameBecause.EXCEPTED.value: ("warn", "复核同意的例外", "excepted by a review"),
    CameBecause.IMPORTED.value: ("warn", "台账导入", "imported from a register"),
    CameBecause.UNEXPLAINED.value: ("bad", "说不清", "unexplained"),
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A curve as an SVG's line; ``most`` is its top."""

    points: str
    most: int


@face.context_processor
def _frame() -> dict[str, Any]:
    whole = "doing" in g and doing().actor.reach.kind in (ScopeKind.ALL, ScopeKind.DISTRICT)
    return {"district_wide": whole, "now": clock.now()}


@face.page("/", "clear_out.read")
def curves() -> ResponseReturnValue:
    """Months and street stand in the address, so that the page can be sent on."""
    found, no = _asked()
    shown = found or clear_out(doing())
    page = render_template(
        "regulator/clear_out.html",
        no=no,
        found=shown,
        drawn={street.street_code: _drawn(street) for street in shown.streets},
        asked=request.args,
        kept={name: said for name, said in request.args.items() if said},
        because=BECAUSE,
        closings=CLOSINGS,
        size=(WIDTH, HEIGHT),
    )
    return page, no.status if no else 200


@face.page("/sheet", "clear_out.read")
def curves_sheet() -> ResponseReturnValue:
    """A line a street and month: what the page shows, for a spreadsheet."""
    found, _ = _asked()
    shown = found or clear_out(doing())
    reasons = list(ClosingReason)
    heads = ("街镇", "月份", "月末在册", "新开", "退户", *(CLOSINGS[one.value][0] for one in reasons))
    name = f"clear-out-{shown.from_month:%Y-%m}-{shown.until_month:%Y-%m}"
    return sheet(name, heads, _lines(shown, reasons))


def _lines(found: ClearOut, reasons: list[ClosingReason]) -> Iterator[list[Cell]]:
    for street in found.streets:
        for row in street.months:
            went = [row.closed_by.get(reason, 0) for reason in reasons]
            yield [street.street_code, f"{row.month:%Y年%m月}", row.open, row.opened, row.closed, *went]


def _asked() -> tuple[ClearOut | None, No | None]:
    asked = {
        name: request.args.get(name, "").strip() for name in ("from_month", "until_month", "street_code")
    }
    return tried(lambda: clear_out(doing(), **form_of(ClearOutQuery, asked)))


def _drawn(street: StreetCurve) -> Drawn:
    """From nought at the bottom to the most there were at the top; one month is a level line."""
    rows: list[MonthOf] = street.months if len(street.months) > 1 else street.months * 2
    most = max(row.open for row in rows)
    step = WIDTH / (len(rows) - 1)
    points = (
        f"{number * step:.1f},{HEIGHT - (HEIGHT - 2) * row.open / max(most, 1) - 1:.1f}"
        for number, row in enumerate(rows)
    )
    return Drawn(" ".join(points), most)


# --- conversion plans ---------------------------------------------------------------------------------------


@face.page("/plans", "conversion.read")
def plans() -> ResponseReturnValue:
    return _plans_page()


@face.page("/plans", "conversion.settle", methods=("POST",))
def enter_plan() -> ResponseReturnValue:
    asked = {name: request.form.get(name, "").strip() for name in NAMES}
    done, no = tried(lambda: conversions.enter(doing(), **form_of(ConversionIn, asked)))
    return _plans_page(no) if done is None else redirect(f"/oversight/clear-out/plans/{done['plan_id']}")


@face.page("/plans/<uuid:plan_id>", "conversion.read")
def plan(plan_id: UUID) -> ResponseReturnValue:
    return _plan_page(plan_id)


@face.page("/plans/<uuid:plan_id>/beginnings", "conversion.settle", methods=("POST",))
def begin_plan(plan_id: UUID) -> ResponseReturnValue:
    _, no = tried(lambda: conversions.begin(doing(), plan_id))
    return _plan_page(plan_id, no)


@face.page("/plans/<uuid:plan_id>/finishes", "conversion.settle", methods=("POST",))
def finish_plan(plan_id: UUID) -> ResponseReturnValue:
    _, no = tried(lambda: conversions.finish(doing(), plan_id))
    return _plan_page(plan_id, no)


@face.page("/plans/<uuid:plan_id>/drops", "conversion.settle", methods=("POST",))
def drop_plan(plan_id: UUID) -> ResponseReturnValue:
    _, no = tried(lambda: conversions.drop(doing(), plan_id))
    return _plan_page(plan_id, no)


def _plans_page(no: No | None = None) -> ResponseReturnValue:
    found = conversions.plans(doing(), limit=SHOWN)
    page = render_template(
        "regulator/conversions.html",
        no=no,
        rows=found.items,
        more=found.next_cursor is not None,
        targets=TARGETS,
        states=STATES,
        form=request.form,
    )
    return page, no.status if no else 200


def _plan_page(plan_id: UUID, no: No | None = None) -> ResponseReturnValue:
    """After a move: the page anew by its address, so that reloading moves nothing."""
    if no is None and request.method == "POST":
        return redirect(f"/oversight/clear-out/plans/{plan_id}")
    page = render_template(
        "regulator/conversion.html",
        no=no,
        plan=conversions.plan_view(doing(), plan_id),
        targets=TARGETS,
        states=STATES,
        closings=CLOSINGS,
        today=clock.today(),
    )
    return page, no.status if no else 200

"""The bans, for the authority: areas without bottled gas, gas where it may not be, accounts opened meanwhile.

禁用区     told of, in force from a day, ended; a place that cannot convert in time is exempted for a while
违规用气   seen, noticed with a day, cleared; after that day jointly, by several departments
禁令期开户 the accounts opened after the bar took effect, each looked at once
"""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from core import clock
from core.auth import ScopeKind
from core.geo import Datum
from core.http import doing
from core.nesting import NotJson, read_json
from core.problems import WrongField
from evidence.deed import Answer
from registry import account_reviews, areas, banned_uses
from registry.banned_uses import Department, Seen
from registry.premises_models import ExemptionGround, ReviewFinding
from registry.premises_schemas import (
    AreaEndIn,
    BannedUseIn,
    ExemptionIn,
    FreeAreaIn,
    JointClearingIn,
    ReviewIn,
    ShownByIn,
    UseNoticeIn,
)
from registry.states import BannedUseState
from web import book_words
from web.office.said import DATUMS
from web.pages import Face, No, form_of, tried
from web.rights import RIGHTS

face = Face("bans", __name__, prefix="/oversight/bans")

SHOWN = 200
AREA = ("name", "notice_no", "datum", "announced_on", "effective_on")
EXEMPTION = ("household_id", "ground", "document_no", "valid_from", "valid_until")
SEEN = ("kind", "street_code", "committee_code", "found_on", "evidence")

STATES: dict[str, tuple[str, str, str]] = {
    BannedUseState.FOUND.value: ("warn", "已发现，待通知", "found, no notice yet"),
    BannedUseState.TOLD.value: ("warn", "已通知，限期清理", "noticed, to be cleared"),
    BannedUseState.JOINT.value: ("bad", "联合清理中", "cleared jointly"),
    BannedUseState.CLEARED.value: ("good", "已清理", "cleared"),
    BannedUseState.DISMISSED.value: ("quiet", "不成立", "dismissed"),
}
DEPARTMENTS: dict[str, tuple[str, str]] = {
    Department.TOWN.value: ("街镇", "town office"),
    Department.HOUSING.value: ("房管", "housing"),
    Department.FIRE.value: ("消防", "fire service"),
    Department.MARKET.value: ("市场监管", "market regulator"),
    Department.POLICE.value: ("公安", "police"),
    Department.COMMITTEE.value: ("村居委", "committee"),
    Department.PROPERTY_MANAGER.value: ("物业", "property manager"),
}
GROUNDS: dict[str, tuple[str, str]] = {
    ExemptionGround.NO_PIPE_YET.value: ("管道还没通", "no pipe yet"),
    ExemptionGround.CANNOT_CONVERT.value: ("房屋不能改", "the house cannot be converted"),
    ExemptionGround.HARDSHIP.value: ("困难户", "hardship"),
}
FINDINGS: dict[str, tuple[str, str]] = {
    ReviewFinding.PROVEN.value: ("申请日属实", "the day is proven"),
    ReviewFinding.TO_CLOSE.value: ("应予退户", "to be closed"),
}


@face.context_processor
def _frame() -> dict[str, Any]:
    whole = "doing" in g and doing().actor.reach.kind in (ScopeKind.ALL, ScopeKind.DISTRICT)
    return {"district_wide": whole, "now": clock.now(), "form": request.form}


# --- 禁用区 -----------------------------------------------------------------------------------------------


@face.page("/areas", "area.read")
def free_areas() -> ResponseReturnValue:
    return _areas_page()


@face.page("/areas", "area.declare", methods=("POST",))
def declare_area() -> ResponseReturnValue:
    def act() -> Answer:
        body: dict[str, Any] = {name: request.form.get(name, "").strip() for name in AREA}
        return areas.declare_area(doing(), **form_of(FreeAreaIn, body | {"outline": _outline()}))

    return _then("areas", act)


@face.page("/areas/<uuid:area_id>/ends", "area.declare", methods=("POST",))
def end_area(area_id: UUID) -> ResponseReturnValue:
    asked = {"ended_on": request.form.get("ended_on", "")}
    return _then("areas", lambda: areas.end_area(doing(), area_id, **form_of(AreaEndIn, asked)), area_id)


@face.page("/areas/<uuid:area_id>/exemptions", "area.declare", methods=("POST",))
def exempt(area_id: UUID) -> ResponseReturnValue:
    asked = {name: request.form.get(name, "").strip() for name in EXEMPTION}
    return _then(
        "areas", lambda: areas.exempt_place(doing(), area_id, **form_of(ExemptionIn, asked)), area_id
    )


def _outline() -> Any:
    """What was pasted: a polygon, or a map file's only feature."""
    try:
        read = read_json(request.form.get("outline", ""))
    except NotJson:
        raise WrongField(
            "/outline", "json", "不是 GeoJSON，读不出来", "expected GeoJSON; this cannot be read"
        ) from None
    if isinstance(read, dict) and isinstance(read.get("features"), list) and len(read["features"]) == 1:
        read = read["features"][0]
    return read["geometry"] if isinstance(read, dict) and "geometry" in read else read


# --- 违规用气 ----------------------------------------------------------------------------------------------


@face.page("/uses", "banned_use.settle")
def uses() -> ResponseReturnValue:
    return _uses_page()


@face.page("/uses", "banned_use.report", methods=("POST",))
def report_use() -> ResponseReturnValue:
    """Where it was seen, by the datum the point was read in."""

    def act() -> Answer:
        body: dict[str, Any] = {name: request.form.get(name, "").strip() for name in SEEN}
        try:
            lon, lat = (float(request.form.get(name, "").strip()) for name in ("lon", "lat"))
        except ValueError:
            raise WrongField("/point", "number", "经纬度应为小数", "expected two decimal numbers") from None
        body["point"] = {"lon": lon, "lat": lat, "datum": request.form.get("datum", "")}
        return banned_uses.report_use(doing(), seen=cast(Seen, form_of(BannedUseIn, body)))

    return _then("uses", act)


@face.page("/uses/<uuid:use_id>/notices", "banned_use.settle", methods=("POST",))
def notify(use_id: UUID) -> ResponseReturnValue:
    asked = {"notice_no": request.form.get("notice_no", "").strip()}

    def act() -> Answer:
        return banned_uses.give_notice(doing(), use_id, **form_of(UseNoticeIn, asked))

    return _then("uses", act, use_id)


@face.page("/uses/<uuid:use_id>/joint-clearings", "banned_use.settle", methods=("POST",))
def clear_jointly(use_id: UUID) -> ResponseReturnValue:
    asked = {"departments": request.form.getlist("departments")}

    def act() -> Answer:
        return banned_uses.clear_jointly(doing(), use_id, **form_of(JointClearingIn, asked))

    return _then("uses", act, use_id)


@face.page("/uses/<uuid:use_id>/clearings", "banned_use.settle", methods=("POST",))
def clear(use_id: UUID) -> ResponseReturnValue:
    def act() -> Answer:
        return banned_uses.clear(doing(), use_id, **form_of(ShownByIn, _shown_by()))

    return _then("uses", act, use_id)


@face.page("/uses/<uuid:use_id>/dismissals", "banned_use.settle", methods=("POST",))
def dismiss(use_id: UUID) -> ResponseReturnValue:
    def act() -> Answer:
        return banned_uses.dismiss(doing(), use_id, **form_of(ShownByIn, _shown_by()))

    return _then("uses", act, use_id)


def _shown_by() -> dict[str, str]:
    return {"evidence": request.form.get("evidence", "").strip()}


# --- 禁令期开户 --------------------------------------------------------------------------------------------


@face.page("/accounts", "account.review")
def accounts() -> ResponseReturnValue:
    return _accounts_page()


@face.page("/accounts/<uuid:account_id>/reviews", "account.review", methods=("POST",))
def review(account_id: UUID) -> ResponseReturnValue:
    asked = _shown_by() | {"finding": request.form.get("finding", "")}
    return _then(
        "accounts",
        lambda: account_reviews.review_account(doing(), account_id, **form_of(ReviewIn, asked)),
        account_id,
    )


# --- both -------------------------------------------------------------------------------------------------


def _then(page: str, act: Callable[[], Answer], row_id: UUID | None = None) -> ResponseReturnValue:
    """Back to the list; or the list with what stands against it, beside the row it was about."""
    _, no = tried(act)
    if no is None:
        return redirect(f"/oversight/bans/{page}")
    pages = {"areas": _areas_page, "uses": _uses_page, "accounts": _accounts_page}
    return pages[page](no, row_id)


def _areas_page(no: No | None = None, row_id: UUID | None = None) -> ResponseReturnValue:
    """Those that were told of and have not ended."""
    known = areas.areas(doing(), None)
    return _page(
        "free_areas",
        no,
        row_id,
        rows=known["items"],
        today=known["day"],
        grounds=GROUNDS,
        datums=[(one.value, DATUMS[one.value]) for one in Datum],
        may_declare="area.declare" in RIGHTS[doing().actor.role],
    )


def _uses_page(no: No | None = None, row_id: UUID | None = None) -> ResponseReturnValue:
    """Those that are open first, the overdue before them all."""
    found = banned_uses.uses(doing(), state=None, limit=SHOWN)
    closed = (BannedUseState.CLEARED, BannedUseState.DISMISSED)
    rows = sorted(found.items, key=lambda one: (one["state"] in closed, not one["is_overdue"]))
    return _page(
        "banned_uses",
        no,
        row_id,
        rows=rows,
        more=found.next_cursor is not None,
        states=STATES,
        kinds=book_words.USES,
        departments=DEPARTMENTS,
        datums=[(one.value, DATUMS[one.value]) for one in Datum],
    )


def _accounts_page(no: No | None = None, row_id: UUID | None = None) -> ResponseReturnValue:
    """Those nobody has looked at yet first."""
    found = account_reviews.review_list(doing(), decided=None, limit=SHOWN)
    rows = sorted(found.items, key=lambda one: one["finding"] is not None)
    more = found.next_cursor is not None
    return _page("account_reviews", no, row_id, rows=rows, more=more, findings=FINDINGS)


def _page(template: str, no: No | None, row_id: UUID | None, **shown: Any) -> ResponseReturnValue:
    page = render_template(f"regulator/{template}.html", no=no, row_id=row_id, **shown)
    return page, no.status if no else 200

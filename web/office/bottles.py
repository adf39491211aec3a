"""A bottle's file by any of its codes, its trace, and what the agencies found."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from flask import Response, redirect, request
from flask.typing import ResponseReturnValue

from core import clock
from core.fields import seen
from core.http import doing
from core.problems import NotFound
from core.refusal import Audience
from cylinders import bottle_file_queries, custody_queries, office_queries
from evidence.entry import Subject
from evidence.models import SubjectType
from oversight import lookup
from oversight import queries as traces
from oversight.lookup import FoundKind
from oversight.timeline import Step, Timeline, timeline
from web.office.completing import lacking
from web.office.face import drawn, face, kept, number_asked, office
from web.office.sheets import Cell, sheet

PAGES = {FoundKind.CYLINDER: "/office/cylinders/", FoundKind.HOUSEHOLD: "/office/households/"}
RESULTS = {"passed": True, "failed": False}


@face.page("/search", "office.read")
def searching() -> ResponseReturnValue:
    return drawn("search", wanted="", missed=False, found=[])


@face.page("/search", "office.read", methods=("POST",))
def search() -> ResponseReturnValue:
    """By POST, so that a card or an address never stands in an address bar, a history or a log."""
    wanted = seen(request.form.get("q", ""))
    found = [one for one in lookup.find(doing(), wanted) if one.kind in PAGES and _is_ours(one)]
    if len(found) == 1:
        return redirect(PAGES[found[0].kind] + found[0].key)
    return drawn("search", wanted=wanted, missed=not found, found=[(one, PAGES[one.kind]) for one in found])


def _is_ours(found: lookup.Found) -> bool:
    """What another firm's bottle has on file is not said, nor that it is there."""
    if found.kind is not FoundKind.CYLINDER:
        return True
    try:
        bottle_file_queries.cylinder_file(doing(), UUID(found.key))
    except NotFound:
        return False
    return True


@face.page("/cylinders/<uuid:cylinder_id>", "cylinder.read")
def bottle(cylinder_id: UUID) -> ResponseReturnValue:
    """Everything on file about one bottle, and whether it may be supplied now."""
    file = bottle_file_queries.cylinder_file(doing(), cylinder_id)
    return drawn(
        "bottle",
        file=file,
        verdict=office_queries.may_be_supplied(doing(), cylinder_id),
        facts=custody_queries.facts(doing(), cylinder_id),
        is_own=office().firm_id == file.cylinder.owner_firm_id,
        lacks=lacking(file.cylinder),
        audience=Audience.OFFICE,
    )


@face.page("/cylinders/<uuid:cylinder_id>/trace", "trace.read")
def trace(cylinder_id: UUID) -> ResponseReturnValue:
    """The firm's own bottle as the evidence tells of it, verified."""
    found = traces.cylinder_trace(doing(), cylinder_id, None)
    return drawn(
        "trace",
        line=timeline(doing(), found),
        entries=len(found.events),
        audience=Audience.OFFICE,
        address_of=_address_of,
        leads_to=_leads_to,
        check_page=None,
    )


def _address_of(subject: Subject) -> str | None:
    return f"/office/cylinders/{subject.key}" if subject.type is SubjectType.CYLINDER else None


def _leads_to(line: Timeline, step: Step) -> list[Subject]:
    """A bottle's trace leads to other bottles; to whom it was brought stands in the household's own file."""
    return [one for one in step.entry.subjects if _address_of(one) and one != line.trace.subject]


@face.page("/inspections", "cylinder.read")
def inspections() -> ResponseReturnValue:
    result = RESULTS.get(request.args.get("result", ""))
    leaf = office_queries.inspections(doing(), result, number_asked())
    return drawn("inspections", leaf=leaf, result=result, kept=kept())


@face.page("/inspections.csv", "cylinder.read")
def inspections_sheet() -> Response:
    here, result = doing(), RESULTS.get(request.args.get("result", ""))
    office()
    heads = ("检验日期 Inspected", "编码 Code", "型号 Model", "结论 Result", "报告号 Report", "机构 Agency")
    found = office_queries.every_inspection(here, result)
    return sheet(f"inspections-{clock.today()}", heads, _inspections(found))


def _inspections(found: Iterator[office_queries.InspectedBottle]) -> Iterator[Sequence[Cell]]:
    for one in found:
        passed = "合格 passed" if one.inspection.passed else "不合格 failed"
        on = one.inspection.inspected_on.isoformat()
        if one.inspection.day_precision == "month":
            on = on[:7]
        yield on, one.code, one.model, passed, one.inspection.report_no, one.inspection.agency

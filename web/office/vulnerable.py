"""重点关照 at the desk: why a household is looked after first, and whom to visit first."""

from uuid import UUID

from flask import redirect, request
from flask.typing import ResponseReturnValue

from core.http import doing
from dispatch.safety.first_visits import MOST_ROWS, first_visits
from oversight.looks import keep_desk_look
from registry import vulnerability
from registry.household_file_queries import must_reach_household
from registry.vulnerability_schemas import VulnerabilityIn
from web.office.face import drawn, face
from web.pages import No, form_of, tried


@face.page("/first-visits", "vulnerability.read")
def visits_first() -> ResponseReturnValue:
    rows = first_visits(doing())
    return drawn("first_visits", rows=rows, cut=len(rows) == MOST_ROWS)


@face.page("/households/<uuid:household_id>/vulnerabilities", "vulnerability.read")
def why_first(household_id: UUID) -> ResponseReturnValue:
    return _page(household_id)


@face.page("/households/<uuid:household_id>/vulnerabilities", "vulnerability.enter", methods=("POST",))
def enter_vulnerability(household_id: UUID) -> ResponseReturnValue:
    asked = {name: request.form.get(name, "").strip() for name in ("ground", "since_on", "evidence")}
    _, no = tried(lambda: vulnerability.enter(doing(), household_id, **form_of(VulnerabilityIn, asked)))
    return _page(household_id, no) if no else redirect(f"/office/households/{household_id}/vulnerabilities")


@face.page(
    "/households/<uuid:household_id>/vulnerabilities/<uuid:vulnerability_id>/ends",
    "vulnerability.enter",
    methods=("POST",),
)
def end_vulnerability(household_id: UUID, vulnerability_id: UUID) -> ResponseReturnValue:
    _, no = tried(lambda: vulnerability.end(doing(), household_id, vulnerability_id))
    return _page(household_id, no) if no else redirect(f"/office/households/{household_id}/vulnerabilities")


def _page(household_id: UUID, no: No | None = None) -> ResponseReturnValue:
    """It tells of somebody's health or need: that it was opened is kept first."""
    must_reach_household(doing(), household_id)
    keep_desk_look(doing(), household_id)
    page, status = drawn(
        "vulnerabilities",
        no,
        household_id=household_id,
        rows=vulnerability.vulnerabilities(doing(), household_id),
        form=request.form,
    )
    return page, status, {"Cache-Control": "no-store"}

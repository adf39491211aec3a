"""The regulator's filling stations (停充): what each fills with, what is stopped and why; stop, release.

A stop counts from its instant, at every gun: the verdict turns red, and what has begun is not completed.
"""

from typing import Any
from uuid import UUID

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from core import clock
from core.auth import ScopeKind
from core.http import doing
from cylinders import filling_means, filling_queries
from cylinders.filling_models import StopReason
from cylinders.filling_schemas import StopIn, StopReleaseIn
from web.pages import Face, No, form_of, tried

face = Face("filling_stops", __name__, prefix="/oversight/stations")

REASONS: dict[StopReason, tuple[str, str]] = {
    StopReason.UNSAFE: ("不安全", "unsafe"),
    StopReason.UNLAWFUL_FILLING: ("违法充装", "unlawful filling"),
    StopReason.RECORDS_MISSING: ("充装记录缺失", "records are missing"),
    StopReason.SCALE_WRONG: ("秤不准", "the scale is wrong"),
    StopReason.GAS_WRONG: ("气质不合格", "the gas is wrong"),
    StopReason.INVESTIGATION: ("正在调查", "an investigation"),
}


@face.context_processor
def _frame() -> dict[str, Any]:
    whole = "doing" in g and doing().actor.reach.kind in (ScopeKind.ALL, ScopeKind.DISTRICT)
    return {"district_wide": whole, "now": clock.now()}


@face.page("/", "filling.stop")
def stations() -> ResponseReturnValue:
    return _page()


@face.page("/<uuid:site_id>/stops", "filling.stop", methods=("POST",))
def stop(site_id: UUID) -> ResponseReturnValue:
    """The whole station, or one of its scales."""
    said = {name: request.form.get(name, "").strip() for name in ("scale_id", "reason", "reference")}
    done, no = tried(lambda: filling_means.stop(doing(), site_id=site_id, **form_of(StopIn, said)))
    return _page(no, site_id) if done is None else redirect("/oversight/stations/", 303)


@face.page("/<uuid:site_id>/stops/<uuid:stop_id>/releases", "filling.release", methods=("POST",))
def release(site_id: UUID, stop_id: UUID) -> ResponseReturnValue:
    said = {"reference": request.form.get("reference", "").strip()}
    done, no = tried(
        lambda: filling_means.release(
            doing(), site_id=site_id, stop_id=stop_id, **form_of(StopReleaseIn, said)
        )
    )
    return _page(no, stop_id) if done is None else redirect("/oversight/stations/", 303)


def _page(no: No | None = None, tried_on: UUID | None = None) -> ResponseReturnValue:
    """``tried_on``: the station or the stop whose form was not accepted."""
    page = render_template(
        "regulator/stations.html",
        no=no,
        tried_on=tried_on,
        form_said=request.form,
        stations=filling_queries.stations_of(doing(), doing().district),
        reasons=REASONS,
    )
    return page, no.status if no else 200

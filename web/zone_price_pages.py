"""What fixed zones cost, for who reviews a plan: asked for, waited for, looked at. It changes nothing."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from core import clock
from core.http import doing
from core.jobs import JobState
from dispatch.rounds import zone_prices as pricing
from dispatch.rounds.zone_price_models import ZonePrice
from dispatch.rounds.zone_price_schemas import ZonePriceIn
from web import zone_price_words
from web.dispatcher import back, face
from web.pages import No, form_of, tried


def shown(template: str, no: No | None = None, **with_it: Any) -> ResponseReturnValue:
    drawn = render_template(f"dispatch/{template}.html", no=no, said=zone_price_words, **with_it)
    return drawn, no.status if no else 200


@face.page("/zone-prices", "zone_price.ask", methods=("POST",))
def ask_price() -> ResponseReturnValue:
    asked = {name: request.form.get(name) for name in ("supply_site_id", "day")}
    done, no = tried(lambda: pricing.ask_price(doing(), **form_of(ZonePriceIn, asked)))
    return back(f"/dispatch/zone-prices/jobs/{done['job_id']}") if done else shown("price_job", no, job=None)


@face.page("/zone-prices/jobs/<uuid:job_id>", "zone_price.read")
def price_job(job_id: UUID) -> ResponseReturnValue:
    """How far it is; a page that is done goes on to the price."""
    job = pricing.price_job(doing(), job_id)
    if job["state"] is JobState.DONE:
        return back(f"/dispatch/zone-prices/{job['zone_price_id']}")
    return shown("price_job", job=job, seconds=_seconds(job))


@face.page("/zone-prices/jobs/<uuid:job_id>/state", "zone_price.read")
def price_job_state(job_id: UUID) -> ResponseReturnValue:
    job = pricing.price_job(doing(), job_id)
    drawn = render_template("dispatch/_plan_job.html", job=job, seconds=_seconds(job), said=zone_price_words)
    answer = Response(drawn)
    if job["state"] not in (JobState.ASKED, JobState.RUNNING):
        answer.headers["HX-Redirect"] = f"/dispatch/zone-prices/jobs/{job_id}"
    return answer


@face.page("/zone-prices/jobs/<uuid:job_id>/cancel", "zone_price.ask", methods=("POST",))
def cancel_price(job_id: UUID) -> ResponseReturnValue:
    _, no = tried(lambda: pricing.cancel_price(doing(), job_id=job_id))
    if no is not None:
        job = pricing.price_job(doing(), job_id)
        return shown("price_job", no, job=job, seconds=_seconds(job))
    return back(f"/dispatch/zone-prices/jobs/{job_id}")


@face.page("/zone-prices/<uuid:price_id>", "zone_price.read")
def look_at_price(price_id: UUID) -> ResponseReturnValue:
    found: ZonePrice = pricing.price(doing(), price_id)
    return shown("price", price=found)


def _seconds(job: Mapping[str, Any]) -> int:
    return max(0, int((clock.now() - (job["started_at"] or job["recorded_at"])).total_seconds()))

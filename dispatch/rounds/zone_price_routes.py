"""Thin: have a day of a supply site priced, look how far it is, read what fixed zones cost."""

# mypy: disallow-untyped-decorators=False

from typing import Any
from uuid import UUID

from core.http import Room, doing
from dispatch.rounds import zone_prices
from dispatch.rounds.asked_jobs import AT_THE_JOB, Asked, asked
from dispatch.rounds.schemas import Nothing
from dispatch.rounds.zone_price_models import ZonePrice
from dispatch.rounds.zone_price_schemas import (
    ZonePriceIn,
    ZonePriceJobView,
    ZonePricesQuery,
    ZonePricesView,
    ZonePriceView,
)

room = Room("zone_prices", __name__)

Json = dict[str, Any]


@room.post("/districts/<int:district>/zone-price-jobs")
@room.may("zone_price.ask", writes=True)
@room.arguments(ZonePriceIn)
@room.response(202, ZonePriceJobView, headers=AT_THE_JOB)
def ask_price(body: Json, district: int) -> Asked:
    """Have it worked out what fixed zones cost on a day, without waiting; look at the job, or cancel it."""
    done = zone_prices.ask_price(doing(), **body)
    job = zone_prices.price_job(doing(), UUID(done["job_id"]))
    return asked(job, "zone_prices.read_price_job", district)


@room.get("/districts/<int:district>/zone-price-jobs/<uuid:job_id>")
@room.may("zone_price.read")
@room.response(200, ZonePriceJobView)
def read_price_job(district: int, job_id: UUID) -> Json:
    return zone_prices.price_job(doing(), job_id)


@room.post("/districts/<int:district>/zone-price-jobs/<uuid:job_id>/cancellations")
@room.may("zone_price.ask", writes=True)
@room.arguments(Nothing)
@room.response(201, ZonePriceJobView)
def cancel_price(body: Json, district: int, job_id: UUID) -> Json:
    """Nobody waits for it any more; prices that stand stay."""
    done = zone_prices.cancel_price(doing(), job_id=job_id)
    return zone_prices.price_job(doing(), UUID(done["job_id"]))


@room.get("/districts/<int:district>/zone-prices")
@room.may("zone_price.read")
@room.arguments(ZonePricesQuery, location="query")
@room.response(200, ZonePricesView)
def list_prices(query: Json, district: int) -> Json:
    """Of one day of one supply site, the latest first."""
    return {"items": zone_prices.prices(doing(), **query)}


@room.get("/districts/<int:district>/zone-prices/<uuid:price_id>")
@room.may("zone_price.read")
@room.response(200, ZonePriceView)
def read_price(district: int, price_id: UUID) -> ZonePrice:
    """What the day costs with every crew in its zone, and with the same crews free to go anywhere."""
    return zone_prices.price(doing(), price_id)

"""Thin: load the form, call one service, dump the answer."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import request

from core.ground import Ground
from core.http import Room, answered, doing
from core.paging import Page
from dispatch.orders import again, homes, queries, quotas, repeating, service
from dispatch.orders.models import Slot
from dispatch.orders.schemas import (
    BookIn,
    CancelIn,
    ClosingIn,
    HomeList,
    OrderOut,
    OrderPage,
    OrderQuery,
    QuotaOut,
    RepeatList,
    SlotIn,
    SlotList,
    SlotOut,
    SlotPage,
    SlotQuery,
)

room = Room("orders", __name__)


@room.post("/districts/<int:district>/slots")
@room.may("slot.open", writes=True)
@room.arguments(SlotIn)
@room.response(201, SlotOut)
def open_slot(body: dict[str, Any], district: int) -> Slot:
    done = service.open_slot(doing(), **body)
    return queries.slot(doing(), UUID(done["slot_id"]))


@room.post("/districts/<int:district>/slots/<uuid:slot_id>/closings")
@room.may("slot.close", writes=True)
@room.arguments(ClosingIn)
@room.response(201, SlotOut)
def close_slot(body: dict[str, Any], district: int, slot_id: UUID) -> Slot:
    service.close_slot(doing(), slot_id=slot_id)
    return queries.slot(doing(), slot_id)


@room.get("/districts/<int:district>/slots")
@room.may("slot.read")
@room.arguments(SlotQuery, location="query")
@room.response(200, SlotPage)
def slots(query: dict[str, Any], district: int) -> Page:
    return queries.slots(doing(), **query)


@room.get("/districts/<int:district>/households/<uuid:household_id>/slots")
@room.may("slot.read")
@room.response(200, SlotList)
def offered_slots(district: int, household_id: UUID) -> dict[str, Any]:
    """The slots to come of the household's own zone, full ones too."""
    return {"items": homes.offered_slots(doing(), household_id)}


@room.get("/districts/<int:district>/households/<uuid:household_id>/repeats")
@room.may("slot.read")
@room.response(200, RepeatList)
def repeats(district: int, household_id: UUID) -> dict[str, Any]:
    """The last delivery once more: what to book for it. None where there is nothing to repeat, or no room."""
    found = repeating.repeat_of(doing(), household_id)
    return {"items": [found] if found is not None else []}


@room.get("/districts/<int:district>/households/<uuid:household_id>/quota")
@room.may("order.read")
@room.response(200, QuotaOut)
def quota(district: int, household_id: UUID) -> dict[str, Any]:
    """What the household's class may have, in a period and at once, and what it has booked of it."""
    return quotas.quota_of(doing(), household_id)


@room.get("/districts/<int:district>/homes")
@room.may("home.read")
@room.response(200, HomeList)
def own_homes(district: int) -> dict[str, Any]:
    """One's own homes: card, bottle, next inspection, open hazards."""
    return {"items": homes.homes(doing())}


def _what_stands(
    ground: Ground, token_hash: bytes, district: int
) -> tuple[Sequence[Any], again.Beside | None]:
    is_short = (request.content_length or again.LONGEST + 1) <= again.LONGEST
    return again.beside_grants(ground, token_hash, request.get_data() if is_short else b"", district)


@room.post("/districts/<int:district>/orders")
@room.may("order.book", writes=True, beside=_what_stands)
@room.arguments(BookIn)
@room.response(201, OrderOut)
@room.alt_response(200, schema=OrderOut, description="The same booking already stands", success=True)
def book(body: dict[str, Any], district: int) -> Any:
    booked = service.book(doing(), **body)
    return answered(booked.order.to_plain(), 200 if booked.again else 201)


@room.get("/districts/<int:district>/orders")
@room.may("order.read")
@room.arguments(OrderQuery, location="query")
@room.response(200, OrderPage)
def orders(query: dict[str, Any], district: int) -> Page:
    return queries.orders(doing(), **query)


@room.get("/districts/<int:district>/orders/<uuid:order_id>")
@room.may("order.read")
@room.response(200, OrderOut)
def order(district: int, order_id: UUID) -> queries.OrderWithLines:
    return queries.order(doing(), order_id)


@room.post("/districts/<int:district>/orders/<uuid:order_id>/cancellations")
@room.may("order.cancel", writes=True)
@room.arguments(CancelIn)
@room.response(201, OrderOut)
def cancel(body: dict[str, Any], district: int, order_id: UUID) -> queries.OrderWithLines:
    service.cancel(doing(), order_id=order_id)
    return queries.order(doing(), order_id)

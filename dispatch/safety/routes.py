"""Thin: load the form, call one service, dump the answer."""

from typing import Any
from uuid import UUID

from core.http import Room, doing
from core.paging import Page
from dispatch.safety import queries, service
from dispatch.safety.schemas import (
    CheckIn,
    CheckOut,
    ClosingIn,
    HazardOut,
    HazardPage,
    HazardQuery,
    MendingIn,
    NoticeIn,
)

room = Room("safety", __name__)


@room.post("/districts/<int:district>/checks")
@room.may("check.record", writes=True)
@room.arguments(CheckIn)
@room.response(201, CheckOut)
def record(body: dict[str, Any], district: int) -> queries.CheckView:
    done = service.record(doing(), **body)
    return queries.check(doing(), UUID(done["check_id"]))


@room.get("/districts/<int:district>/hazards")
@room.may("hazard.read")
@room.arguments(HazardQuery, location="query")
@room.response(200, HazardPage)
def hazards(query: dict[str, Any], district: int) -> Page:
    return queries.hazards(doing(), **query)


@room.get("/districts/<int:district>/hazards/<uuid:hazard_id>")
@room.may("hazard.read")
@room.response(200, HazardOut)
def hazard(district: int, hazard_id: UUID) -> queries.HazardView:
    return queries.hazard(doing(), hazard_id)


@room.post("/districts/<int:district>/hazards/<uuid:hazard_id>/notices")
@room.may("hazard.tell", writes=True)
@room.arguments(NoticeIn)
@room.response(201, HazardOut)
def tell(body: dict[str, Any], district: int, hazard_id: UUID) -> queries.HazardView:
    service.tell(doing(), hazard_id=hazard_id, **body)
    return queries.hazard(doing(), hazard_id)


@room.post("/districts/<int:district>/hazards/<uuid:hazard_id>/mendings")
@room.may("hazard.claim_mended", writes=True)
@room.arguments(MendingIn)
@room.response(201, HazardOut)
def claim_mended(body: dict[str, Any], district: int, hazard_id: UUID) -> queries.HazardView:
    service.claim_mended(doing(), hazard_id=hazard_id)
    return queries.hazard(doing(), hazard_id)


@room.post("/districts/<int:district>/hazards/<uuid:hazard_id>/closings")
@room.may("hazard.close", writes=True)
@room.arguments(ClosingIn)
@room.response(201, HazardOut)
def close(body: dict[str, Any], district: int, hazard_id: UUID) -> queries.HazardView:
    service.close(doing(), hazard_id=hazard_id, **body)
    return queries.hazard(doing(), hazard_id)

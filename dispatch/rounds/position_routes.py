"""Thin: positions as they come in, and where vehicles are now."""

# mypy: disallow-untyped-decorators=False

from typing import Any
from uuid import UUID

from core.http import Room, doing
from dispatch.rounds import positions
from dispatch.rounds.position_schemas import LivePositionsView, PositionsIn, PositionsTakenView

room = Room("positions", __name__)


@room.post("/districts/<int:district>/devices/<uuid:device_id>/positions")
@room.may("position.report")
@room.arguments(PositionsIn)
@room.response(200, PositionsTakenView)
def report_positions(body: dict[str, Any], district: int, device_id: UUID) -> dict[str, Any]:
    """A batch of a phone's positions, late or twice; the numbers of its sequence are its key."""
    return positions.report(doing(), device_id=device_id, **body)


@room.get("/districts/<int:district>/positions")
@room.may("position.read")
@room.response(200, LivePositionsView)
def list_positions(district: int) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Where the vehicles on the road were last. Never cached."""
    return {"items": positions.live(doing())}, 200, {"Cache-Control": "no-store"}

"""Thin: what earlier days left undelivered, and what became of a day's orders."""

# mypy: disallow-untyped-decorators=False

from typing import Any

from core.http import Room, doing
from dispatch.rounds import left_over
from dispatch.rounds.left_over import Balance
from dispatch.rounds.left_over_schemas import BalanceQuery, BalanceView, LeftOverOrdersView

room = Room("left_over", __name__)


@room.get("/districts/<int:district>/left-over-orders")
@room.may("plan.read")
@room.response(200, LeftOverOrdersView)
def list_left_over(district: int) -> dict[str, Any]:
    """Orders that earlier days left undelivered, the oldest first, and why; until they have another slot."""
    left, _ = left_over.left_over_orders(doing())
    return {"items": [one.to_plain() for one in left]}


@room.get("/districts/<int:district>/day-balances")
@room.may("plan.read")
@room.arguments(BalanceQuery, location="query")
@room.response(200, BalanceView)
def read_balance(query: dict[str, Any], district: int) -> Balance:
    """What became of a day's orders, each counted once, and which of its rounds are not in."""
    return left_over.day_balance(doing(), query["day"])

"""States live on lines, one per card; an order's state is derived from its lines."""

from collections.abc import Collection
from enum import StrEnum

from core.machine import Machine, Move


class LineState(StrEnum):
    BOOKED = "booked"
    LOADED = "loaded"
    DELIVERED = "delivered"
    WITHHELD = "withheld"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN_STATES = (LineState.BOOKED, LineState.LOADED)

ORDER_LINE = Machine(
    "order line",
    "order_line",
    LineState.BOOKED,
    [
        Move("load", LineState.BOOKED, LineState.LOADED),
        Move("unload", LineState.LOADED, LineState.BOOKED),
        Move("deliver", LineState.LOADED, LineState.DELIVERED),
        Move("withhold", LineState.LOADED, LineState.WITHHELD),
        Move("fail", LineState.LOADED, LineState.FAILED),
        Move("fail", LineState.BOOKED, LineState.FAILED),
        Move("cancel", LineState.BOOKED, LineState.CANCELLED),
    ],
)


class OrderState(StrEnum):
    """What an order's lines say together. Never stored."""

    BOOKED = "booked"
    LOADED = "loaded"
    DELIVERED = "delivered"
    PARTLY_DELIVERED = "partly_delivered"
    WITHHELD = "withheld"
    FAILED = "failed"
    CANCELLED = "cancelled"


def order_state(lines: Collection[LineState]) -> OrderState:
    """The state of an order, from the states of its lines.

    While a line is open the order is: ``loaded`` once any line is on a vehicle, else ``booked``. When none
    is open: the lines' one word where they agree; ``partly_delivered`` where some were delivered; else the
    gravest of what is left: ``withheld``, then ``failed``.
    """
    for state in (LineState.LOADED, LineState.BOOKED):
        if state in lines:
            return OrderState(state.value)
    if len(set(lines)) == 1:
        return OrderState(next(iter(lines)).value)
    if LineState.DELIVERED in lines:
        return OrderState.PARTLY_DELIVERED
    return OrderState.WITHHELD if LineState.WITHHELD in lines else OrderState.FAILED

"""States live on lines, one per card; an order's state is derived from its lines."""

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

"""What the rooms above may do to an order's lines within their own deed. Nothing here opens or commits.

A visit that was made keeps its place in the slot: failing or withholding frees nothing.
"""

from dispatch.orders.models import OrderLine
from dispatch.orders.states import ORDER_LINE
from evidence.deed import Deed
from evidence.models import SubjectType


def mark_loaded(deed: Deed, line: OrderLine) -> None:
    """A bottle for this line is on the vehicle. The line is locked, as for every act here."""
    _move(deed, line, "load")


def mark_unloaded(deed: Deed, line: OrderLine) -> None:
    """Its bottle came back to the site; the line waits for another."""
    _move(deed, line, "unload")


def mark_delivered(deed: Deed, line: OrderLine) -> None:
    _move(deed, line, "deliver")


def mark_withheld(deed: Deed, line: OrderLine) -> None:
    """The bottle was at the door and was not handed over."""
    _move(deed, line, "withhold")


def mark_failed(deed: Deed, line: OrderLine, reason_code: str) -> None:
    """Nobody was supplied. ``reason_code``: a word, never free text."""
    _move(deed, line, "fail")
    line.failure = reason_code


def _move(deed: Deed, line: OrderLine, name: str) -> None:
    deed.about(SubjectType.ORDER, line.order_id)
    ORDER_LINE.move(deed.db, line, name)

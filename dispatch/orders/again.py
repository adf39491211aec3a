"""The same booking again: who is afraid that it did not work asks many times, and must cost little.

What stands is looked for together with the grants of who asks, in one statement; what it found is used only
once the grants have let them in, and only for the very booking that the form then says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import join

from core import clock
from core.auth import GRANTS_OF_TOKEN, grants_of_token
from core.db import table_of
from core.doing import Doing
from core.ground import Ground
from core.nesting import NotJson, read_json
from core.prepared import Joined
from dispatch.orders import queries
from dispatch.orders.models import Order, OrderLine, Purpose, Slot
from registry.models import Premises

LONGEST = 4096
"""Of a body that is looked into before anybody was let in; a booking says a quarter of that."""


@dataclass(frozen=True, slots=True)
class Like:
    """What a booking must have in common with another to be that one again, besides its cards."""

    district: int
    household_id: UUID
    slot_id: UUID
    purpose: Purpose | None
    contactless: bool

    def values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Beside:
    """What the statement with the asker's grants found of bookings like this one."""

    like: Like
    rows: Sequence[Any]


_granted = GRANTS_OF_TOKEN.subquery("granted")
_of_orders = join(
    join(join(OrderLine, Order, queries.ORDER_OF_LINE), Slot, queries.SLOT_OF_ORDER),
    Premises,
    queries.PREMISES_OF_ORDER,
)
_WITH_GRANTS = Joined(
    [tuple(_granted.c), *queries.SHOWN],
    lambda *columns: (
        sa.select(*columns)
        .select_from(sa.outerjoin(_granted, _of_orders, queries.IS_LIKE_IT))
        .order_by(table_of(OrderLine).c.order_id, table_of(OrderLine).c.id)
    ),
)


def beside_grants(
    ground: Ground, token_hash: bytes, body: bytes, district: int
) -> tuple[Sequence[Any], Beside | None]:
    """One way to the server. A body that says no booking asks for the grants alone, and hears what is wrong
    with it once they have let it in."""
    like = _said_in(body, district)
    if like is None:
        return grants_of_token(ground.reads, token_hash), None
    rows = _WITH_GRANTS.ask(ground.reads, token_hash=token_hash, at=clock.now(), **like.values())
    return [grant for grant, *_ in rows], Beside(like, rows)


def _said_in(body: bytes, district: int) -> Like | None:
    if len(body) > LONGEST or not 100_000 <= district <= 999_999:
        return None
    try:
        said = read_json(body)
        household_id, slot_id, purpose = UUID(said["household_id"]), UUID(said["slot_id"]), said["purpose"]
        return Like(district, household_id, slot_id, Purpose(purpose), said.get("contactless", False) is True)
    except (NotJson, AttributeError, KeyError, TypeError, ValueError):
        return None


def rows_like(doing: Doing, like: Like) -> Sequence[Any]:
    """For ``queries.shown``."""
    beside = doing.beside
    if not isinstance(beside, Beside) or beside.like != like:
        return queries.LIKE_IT.ask(doing.ground.reads, **like.values())
    return [shown for grant, *shown in beside.rows if grant.grant_id == doing.actor.grant_id and shown[0].id]

"""配额: what a household has booked of what its class may have (rules A09 and A14)."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.doing import Doing
from core.prepared import Prepared
from dispatch.orders.models import Order, OrderLine
from dispatch.orders.states import LineState
from registry.models import UserClass
from registry.queries import party_within_reach
from rulebook import current
from rulebook.edition import Law

COUNTED = (LineState.BOOKED, LineState.LOADED, LineState.DELIVERED)
"""Lines that brought a bottle or are to bring one."""


@dataclass(frozen=True, slots=True)
class BookedBefore:
    """``last_on``: the day of the last booking not cancelled. ``bottles``: in the days of A14 up to today;
    None where the place has no such period."""

    last_on: date | None
    bottles: int | None


def booked_before(
    db: Session, district: int, household_id: UUID, today: date, *, apart_from: UUID | None = None
) -> BookedBefore:
    """One statement: it is asked with every booking. ``apart_from``: an order that is moved is none."""
    days = current().at(str(district), today).integer("A14.period_days")
    [before] = _BEFORE.within(
        db,
        district=district,
        household_id=household_id,
        since=clock.at(today - timedelta(days=days - 1)) if days else None,
        apart_from=apart_from,
    )
    return BookedBefore(
        clock.day_of(before.last_at) if before.last_at else None, before.bottles if days else None
    )


_BEFORE = Prepared(
    sa.select(
        sa.func.max(Order.recorded_at).label("last_at"),
        sa.func.count()
        .filter(
            Order.recorded_at >= sa.bindparam("since"),
            sa.or_(*(OrderLine.state == state for state in COUNTED)),
        )
        .label("bottles"),
    )
    .join(OrderLine, sa.and_(OrderLine.district == Order.district, OrderLine.order_id == Order.id))
    .where(
        Order.district == sa.bindparam("district"),
        Order.household_id == sa.bindparam("household_id"),
        OrderLine.state != LineState.CANCELLED,
        Order.id.is_distinct_from(sa.bindparam("apart_from")),
    )
)


def quota_of(doing: Doing, household_id: UUID) -> dict[str, Any]:
    """For whoever reaches the household; null where this place sets no such number for its class."""
    law = current().at(str(doing.district), clock.today())
    with doing.ground.sessions() as db:
        party = party_within_reach(db, doing.actor, doing.district, household_id)
        before = booked_before(db, doing.district, household_id, law.day)
        user_class = party.household.user_class
        period_most = _of_class(law, "A14.period_bottles", user_class)
        return {
            "household_id": household_id,
            "user_class": user_class,
            "period_days": law.integer("A14.period_days"),
            "period_most": period_most,
            "period_booked": before.bottles,
            "period_left": None if period_most is None else max(0, period_most - (before.bottles or 0)),
            "at_once_most": _of_class(law, "A14.at_once_bottles", user_class),
            "stored_most_g": _stored_most(law, user_class, party.premises.has_cylinder_room is True),
        }


def _of_class(law: Law, name: str, user_class: UserClass) -> int | None:
    number: int | None = (law.table(name) or {}).get(user_class.value)
    return number


def _stored_most(law: Law, user_class: UserClass, has_room: bool) -> int | None:
    """As the booking gate says it, a restaurant's limit without a room (A13) among them."""
    if user_class is UserClass.RESIDENT:
        return None
    if has_room:
        return law.integer("A14.room_g")
    if user_class is UserClass.RESTAURANT:
        return law.integer("A13.limit_g")
    return _of_class(law, "A14.stored_g", user_class)

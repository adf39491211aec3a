"""Orders planned for a crew in whose fixed zone they do not lie: served only on an approval (D03)."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from dispatch.orders.models import Order, OrderLine
from dispatch.orders.states import OPEN_STATES
from dispatch.rounds.models import Round, RoundStop, ZoneApproval
from dispatch.rounds.states import RoundState
from registry.models import Binding, Premises
from registry.zone_queries import zone_id_at


@dataclass(frozen=True, slots=True)
class OutsideZone:
    """``lies_in``: the zone of its door, None where it lies in none; ``crew_zone``: that of its crew."""

    order_id: UUID
    round: Round
    lies_in: UUID | None
    crew_zone: UUID
    approval: ZoneApproval | None


def outside_zone_on(db: Session, district: int, day: date, firm_id: UUID | None) -> list[OutsideZone]:
    """Still to be served, on rounds of that day that are not finished; as the gate at the door sees it."""
    approved = sa.and_(
        ZoneApproval.district == RoundStop.district,
        ZoneApproval.round_id == RoundStop.round_id,
        ZoneApproval.order_id == RoundStop.order_id,
    )
    rows = db.execute(
        sa.select(RoundStop.order_id, Round, Binding.zone_id, Premises.lon, Premises.lat, ZoneApproval)
        .join(Round, sa.and_(Round.district == RoundStop.district, Round.id == RoundStop.round_id))
        .join(Binding, sa.and_(Binding.district == Round.binding_district, Binding.id == Round.binding_id))
        .join(Order, sa.and_(Order.district == RoundStop.district, Order.id == RoundStop.order_id))
        .join(Premises, sa.and_(Premises.district == Order.district, Premises.id == Order.premises_id))
        .outerjoin(ZoneApproval, approved)
        .where(
            Round.district == district,
            Round.day == day,
            Round.state != RoundState.FINISHED,
            sa.true() if firm_id is None else Round.firm_id == firm_id,
            RoundStop.active,
            sa.exists().where(
                OrderLine.district == RoundStop.district,
                OrderLine.order_id == RoundStop.order_id,
                OrderLine.state.in_(OPEN_STATES),
            ),
        )
        .order_by(RoundStop.arrive_at, RoundStop.order_id)
    ).all()
    found = (
        OutsideZone(order_id, round, zone_id_at(db, district, lon, lat, day), crew_zone, approval)
        for order_id, round, crew_zone, lon, lat, approval in rows
    )
    return [one for one in found if one.lies_in != one.crew_zone]

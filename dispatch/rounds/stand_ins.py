"""Verb: somebody else drives for a while (替班), and which rounds lose their crew by it.

A round belongs to the binding it was planned for. Where that binding is cut or ended, what is left of the
round is nobody's until it is handed on; that is said at once, and stands as an alarm until it is done.
"""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from dispatch.orders.models import Order, OrderLine, Slot
from dispatch.orders.states import OPEN_STATES
from dispatch.rounds.models import Round, RoundStop
from dispatch.rounds.states import RoundState
from evidence.deed import Answer, Deed, does
from registry.models import Binding
from registry.substitutions import stand_in
from registry.zone_models import Substitution, SubstitutionReason


@does("binding.substitute")
def substitute(
    deed: Deed,
    binding_id: UUID,
    *,
    reason: SubstitutionReason,
    until_at: datetime,
    from_at: datetime | None = None,
    courier_id: UUID | None = None,
    vehicle_id: UUID | None = None,
    device_id: UUID | None = None,
) -> Answer:
    """As the registry has it; the answer names the rounds whose crew is gone."""
    row = stand_in(
        deed,
        binding_id,
        reason=reason,
        until_at=until_at,
        from_at=from_at,
        courier_id=courier_id,
        vehicle_id=vehicle_id,
        device_id=device_id,
    )
    deed.db.flush()
    stranded = [str(round.id) for round in stranded_by(deed.db, row, deed.recorded_at)]
    deed.note(stranded_rounds=stranded)
    return {"substitution_id": str(row.id), "stranded_round_ids": stranded}


def stranded_by(db: Session, row: Substitution, now: datetime | None = None) -> list[Round]:
    """Rounds of the binding that was cut, with doors after its end, that nobody has taken over."""
    cut = sa.and_(Round.binding_id == row.binding_id, Round.binding_district == row.district)
    return [round for round, _ in rounds_without_crew(db, now or clock.now(), cut)]


def rounds_without_crew(
    db: Session, now: datetime, *which: sa.ColumnElement[bool]
) -> Iterator[tuple[Round, datetime | None]]:
    """Rounds of today or later with doors to visit after their binding has ended; and when it ended.

    ``which``: of these rounds. A round that was to be over is looked at as of now.
    """
    of_the_order = sa.and_(Order.district == RoundStop.district, Order.id == RoundStop.order_id)
    last = (
        sa.select(
            RoundStop.round_id,
            # Whoever arrives early waits for the slot.
            sa.func.max(sa.func.greatest(RoundStop.arrive_at, Slot.starts_at)).label("at"),
        )
        .join(Order, of_the_order)
        .join(Slot, sa.and_(Slot.district == Order.district, Slot.id == Order.slot_id))
        .where(
            RoundStop.district == Round.district,
            RoundStop.round_id == Round.id,
            RoundStop.active,
            RoundStop.position > 0,
            sa.exists().where(
                OrderLine.district == RoundStop.district,
                OrderLine.order_id == RoundStop.order_id,
                OrderLine.state.in_(OPEN_STATES),
            ),
        )
        .group_by(RoundStop.round_id)
        .lateral()
    )
    rows = db.execute(
        sa.select(Round, last.c.at, Binding.span)
        .select_from(Round)
        .join(last, sa.true())
        .join(
            Binding,
            sa.and_(Binding.district == Round.binding_district, Binding.id == Round.binding_id),
        )
        .where(Round.state != RoundState.FINISHED, Round.day >= clock.day_of(now), *which)
        .order_by(Round.id)
    )
    for round, at, span in rows:
        due = max(at, now) if round.day == clock.day_of(now) else at
        if due not in span:
            yield round, None if span.isempty else span.upper

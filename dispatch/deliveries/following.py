"""A delivery as who waits for it sees it: how far it is, who comes, and afterwards what was done.

Who comes is told only while the bottle is on its way: before that nobody is, and after it he is gone.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.doing import Doing
from core.sealed import mask_name
from cylinders.queries import labels_of
from dispatch.deliveries import door_code
from dispatch.deliveries.models import Confirmation, Delivery, VisitOutcome
from dispatch.orders.models import Order, OrderLine, Slot
from dispatch.orders.queries import OrderWithLines, order
from dispatch.orders.states import OPEN_STATES
from dispatch.rounds.models import Round, RoundStop
from dispatch.rounds.queries import round_of, stop_of, stops_of
from dispatch.rounds.states import RoundState
from dispatch.safety.models import CheckItem, CheckOutcome, Hazard, ItemResult, SafetyCheck
from registry import sealing
from registry.proxy_queries import ProxyAct
from registry.queries import staff, vehicle


class Step(StrEnum):
    """How far a delivery is."""

    BOOKED = "booked"
    PLANNED = "planned"
    UNDER_WAY = "under_way"
    AT_THE_DOOR = "at_the_door"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Coming:
    """Enough to tell the true courier from a false one."""

    name_masked: str | None
    certificate_tail: str
    plate: str | None


@dataclass(frozen=True, slots=True)
class Progress:
    """``due_at``: when the courier should be there, by the plan and how late the round runs, if known."""

    found: OrderWithLines
    step: Step
    due_at: datetime | None = None
    stops_before: int | None = None
    courier: Coming | None = None


@dataclass(frozen=True, slots=True)
class VisitDone:
    """What stands on record of a line's visit. ``findings``: what the check found, as it stands now.

    ``check``: None where a phone reported later that gas was handed over without one.
    """

    delivery: Delivery
    code: str | None
    check: SafetyCheck | None
    failed: list[str]
    findings: list[Hazard]

    @property
    def check_outcome(self) -> CheckOutcome | None:
        return self.check.outcome if self.check is not None else None


def progress(doing: Doing, order_id: UUID) -> Progress:
    found = order(doing, order_id)
    if all(line.state not in OPEN_STATES for line in found.lines):
        return Progress(found, Step.OVER)
    with doing.ground.sessions() as db:
        stop = stop_of(db, doing.district, order_id)
        round = round_of(db, doing.district, stop.round_id) if stop is not None else None
        if stop is None or round is None:
            return Progress(found, Step.BOOKED)
        due_at = expected_of(db, doing.district, [round.id], clock.now()).get(order_id)
        if round.state is RoundState.PLANNED:
            # Nobody sets out any more on a round of a day gone by.
            return Progress(found, Step.PLANNED, due_at if round.day >= clock.today() else None)
        ahead = _open_before(db, stop)
        step = Step.AT_THE_DOOR if _is_at_the_door(db, doing.district, order_id) else Step.UNDER_WAY
        return Progress(found, step, due_at, ahead, _coming(db, doing, round))


def visits(doing: Doing, order_id: UUID) -> list[VisitDone]:
    """What was handed over or withheld, line by line; a wrong code at the door is no visit of its own.

    What was found in the home is not for a proxy who only books.
    """
    order(doing, order_id, ProxyAct.RECEIVE)
    with doing.ground.sessions() as db:
        done = db.scalars(
            sa.select(Delivery)
            .where(
                Delivery.district == doing.district,
                Delivery.order_id == order_id,
                Delivery.outcome != VisitOutcome.WRONG_CODE,
            )
            .order_by(Delivery.happened_at, Delivery.id)
        ).all()
        codes = labels_of(db, [one.full_cylinder_id for one in done if one.full_cylinder_id])
        return [_visit(db, one, codes) for one in done]


def confirmations(doing: Doing, order_id: UUID) -> list[Confirmation]:
    """What the resident said of the order, or whoever received for them."""
    order(doing, order_id, ProxyAct.RECEIVE)
    with doing.ground.sessions() as db:
        query = sa.select(Confirmation).where(
            Confirmation.district == doing.district, Confirmation.order_id == order_id
        )
        return list(db.scalars(query.order_by(Confirmation.recorded_at)))


def _visit(db: Session, done: Delivery, codes: dict[UUID, str]) -> VisitDone:
    items = db.execute(
        sa.select(CheckItem.item, CheckItem.hazard_id)
        .where(
            CheckItem.district == done.district,
            CheckItem.check_id == done.check_id,
            CheckItem.result == ItemResult.FAIL,
        )
        .order_by(CheckItem.item)
    ).all()
    hazards = db.scalars(
        sa.select(Hazard)
        .where(Hazard.district == done.district, Hazard.id.in_([row.hazard_id for row in items]))
        .order_by(Hazard.item)
    )
    return VisitDone(
        done,
        codes.get(done.full_cylinder_id) if done.full_cylinder_id else None,
        db.get_one(SafetyCheck, (done.district, done.check_id)) if done.check_id is not None else None,
        [row.item for row in items],
        list(hazards),
    )


def _open_before(db: Session, stop: RoundStop) -> int:
    """Stops of the round that come before this one and are still to be served."""
    before = [
        one.order_id
        for one in stops_of(db, stop.district, stop.round_id)
        if (one.trip, one.position) < (stop.trip, stop.position)
    ]
    waiting = sa.select(OrderLine.order_id).where(
        OrderLine.district == stop.district,
        OrderLine.order_id.in_(before),
        OrderLine.state.in_(OPEN_STATES),
    )
    return len(set(db.scalars(waiting)))


@dataclass(frozen=True, slots=True)
class DoorToCome:
    """A door nobody has been to: when the plan has the courier there, and when its slot begins."""

    order_id: UUID
    arrive_at: datetime
    slot_from: datetime


def expected(doors: Sequence[DoorToCome], behind: timedelta, now: datetime) -> dict[UUID, datetime]:
    """When each door of one round, in the order they are driven, should be served. Pure.

    ``behind``: how late the last visit was. A door that is overdue makes all after it late, and a wait for
    a slot makes up for it.
    """
    found: dict[UUID, datetime] = {}
    late, reached = behind, now
    for door in doors:
        at = max(door.arrive_at + late, door.slot_from, reached)
        late = at - max(door.arrive_at, door.slot_from)
        found[door.order_id] = reached = at
    return found


def expected_of(
    db: Session, district: int, round_ids: Collection[UUID], now: datetime
) -> dict[UUID, datetime]:
    """Order → when its door should be served, for what is still to be done of these rounds."""
    is_open = sa.exists().where(
        OrderLine.district == RoundStop.district,
        OrderLine.order_id == RoundStop.order_id,
        OrderLine.state.in_(OPEN_STATES),
    )
    doors = db.execute(
        sa.select(RoundStop.round_id, RoundStop.order_id, RoundStop.arrive_at, Slot.starts_at)
        .join(Order, sa.and_(Order.district == RoundStop.district, Order.id == RoundStop.order_id))
        .join(Slot, sa.and_(Slot.district == Order.district, Slot.id == Order.slot_id))
        .where(
            RoundStop.district == district,
            RoundStop.round_id.in_(round_ids),
            RoundStop.active,
            RoundStop.position > 0,
            is_open,
        )
        .order_by(RoundStop.trip, RoundStop.position)
    )
    by_round: dict[UUID, list[DoorToCome]] = {}
    for round_id, order_id, arrive_at, slot_from in doors:
        by_round.setdefault(round_id, []).append(DoorToCome(order_id, arrive_at, slot_from))
    behind = _lateness_of(db, district, by_round)
    found: dict[UUID, datetime] = {}
    for round_id, own in by_round.items():
        found |= expected(own, behind.get(round_id, timedelta()), now)
    return found


def _lateness_of(db: Session, district: int, round_ids: Collection[UUID]) -> dict[UUID, timedelta]:
    """Round → by how much its last visit was behind its plan; never less than nothing.

    Who came early waited for the slot: that is no lateness.
    """
    due_at = sa.func.greatest(RoundStop.arrive_at, Slot.starts_at)
    visits = db.execute(
        sa.select(Delivery.round_id, Delivery.happened_at, due_at)
        .join(
            RoundStop,
            sa.and_(
                RoundStop.district == Delivery.district,
                RoundStop.round_id == Delivery.round_id,
                RoundStop.order_id == Delivery.order_id,
            ),
        )
        .join(Order, sa.and_(Order.district == Delivery.district, Order.id == Delivery.order_id))
        .join(Slot, sa.and_(Slot.district == Order.district, Slot.id == Order.slot_id))
        .where(Delivery.district == district, Delivery.round_id.in_(round_ids))
        .order_by(Delivery.happened_at)
    )
    # in their order: the last of a round is what remains
    return {one: max(happened_at - due, timedelta()) for one, happened_at, due in visits}


def _is_at_the_door(db: Session, district: int, order_id: UUID) -> bool:
    row = door_code.code_of(db, district, order_id)
    return row is not None and row.used_at is None and clock.now() < row.expires_at


def _coming(db: Session, doing: Doing, round: Round) -> Coming:
    courier = staff(db, round.binding_district, round.courier_id)
    driven = vehicle(db, round.binding_district, round.vehicle_id)
    name = sealing.opened(db, doing.ground, sealing.staff_name_of(courier)) if courier else None
    return Coming(
        mask_name(name) if name else None,
        courier.certificate_no[-4:] if courier else "",
        driven.plate if driven else None,
    )

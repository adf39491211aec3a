"""Nothing is lost: orders whose slot passed undelivered, why, and what became of a day's orders altogether.

    left_over_orders    of earlier days: still open, or visited in vain and not booked again since
    day_balance         a day's orders by what became of them; what is left of it, by why

An order keeps the slot it was booked for until it gets another (``moving.change_slot``, which tells the
household). Why it was left is read from what stands: plans, stops, rounds; nothing is stored for it.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from core import clock
from core.auth import ScopeKind
from core.doing import Doing
from core.problems import NotFound
from dispatch.orders.models import IS_OPEN, Order, OrderLine, Slot
from dispatch.orders.states import OPEN_STATES, LineState, OrderState, order_state
from dispatch.rounds.models import Round, RoundPlan, RoundStop
from dispatch.rounds.queries import lines_of
from dispatch.rounds.states import PlanState, RoundState
from dispatch.rounds.unfit import unfit
from dispatch.rounds.unserved import WORDS, Words
from dispatch.rounds.zone_day import seconds_into
from registry.crew_queries import BoundCrew
from registry.models import Zone
from registry.rosters import crews_for_zone
from routing import Reason

FAILED_WITHIN = timedelta(days=7)
"""A visit in vain is listed for so long, unless the household has booked again."""


class LeftWhy(StrEnum):
    NOT_PLANNED = "not_planned"
    NO_CREW = "no_crew"
    NOT_IN_THE_PLAN = "not_in_the_plan"
    NOT_SET_OUT = "not_set_out"
    STILL_OUT = "still_out"
    BROUGHT_BACK = "brought_back"
    VISIT_FAILED = "visit_failed"


SAID: dict[LeftWhy, Words] = {
    LeftWhy.NOT_PLANNED: Words("没有排进任何方案", "it was never planned"),
    LeftWhy.NO_CREW: Words("那天这个片区没有可用的人车", "its zone had no crew that might drive that day"),
    LeftWhy.NOT_IN_THE_PLAN: Words("方案里排不下", "the plan left it out"),
    LeftWhy.NOT_SET_OUT: Words("排给的趟次没有出车", "its round never set out"),
    LeftWhy.STILL_OUT: Words("排给的趟次没有收车，先收车", "its round was not brought in: finish it first"),
    LeftWhy.BROUGHT_BACK: Words("趟次收车时没有送到", "its round came back without having been there"),
    LeftWhy.VISIT_FAILED: Words("上门没送成，要重新预约", "the visit failed: it is to be booked anew"),
}


@dataclass(frozen=True, slots=True)
class LeftOver:
    """``detail``: the plan's own reason, or why the visit failed. ``may_move``: it can have another slot."""

    order_id: UUID
    household_id: UUID
    zone_id: UUID
    day: date
    starts_at: datetime
    ends_at: datetime
    bottles: int
    why: LeftWhy
    detail: str | None
    may_move: bool

    def to_plain(self) -> dict[str, Any]:
        names = ("order_id", "zone_id", "day", "starts_at", "ends_at", "bottles", "why", "detail", "may_move")
        words = SAID[self.why]
        return {name: getattr(self, name) for name in names} | {"zh": words.zh, "en": words.en}


@dataclass(frozen=True, slots=True)
class _Found:
    order: Order
    slot: Slot
    lines: Sequence[OrderLine]

    @property
    def state(self) -> OrderState:
        return order_state([line.state for line in self.lines])

    @property
    def is_open(self) -> bool:
        return any(line.state in OPEN_STATES for line in self.lines)


def _orders(db: Session, district: int, firm_id: UUID | None, *which: sa.ColumnElement[bool]) -> list[_Found]:
    rows = db.execute(
        sa.select(Order, Slot)
        .join(Slot, sa.and_(Slot.district == Order.district, Slot.id == Order.slot_id))
        .where(Order.district == district, sa.true() if firm_id is None else Order.firm_id == firm_id, *which)
        .order_by(Slot.starts_at, Order.id)
    ).all()
    lines: dict[UUID, list[OrderLine]] = {}
    for line in lines_of(db, district, [order.id for order, _ in rows]):
        lines.setdefault(line.order_id, []).append(line)
    return [_Found(order, slot, lines[order.id]) for order, slot in rows]


def _left_before(db: Session, district: int, firm_id: UUID | None, today: date) -> list[_Found]:
    """The oldest first."""
    open_ones = sa.select(OrderLine.order_id).where(OrderLine.district == district, IS_OPEN)
    again, its_order = aliased(OrderLine), aliased(Order)
    booked_again = (
        sa.exists()
        .where(
            its_order.district == Order.district,
            its_order.household_id == Order.household_id,
            again.district == its_order.district,
            again.order_id == its_order.id,
            again.card_id == OrderLine.card_id,
            again.recorded_at > OrderLine.recorded_at,  # a card has one open line: booked after the failure
            again.state != LineState.CANCELLED,
        )
        .correlate(Order, OrderLine)
    )
    # Asked apart: what is open is found by its index, however many days have gone by.
    left = [
        *_orders(db, district, firm_id, Slot.day < today, Order.id.in_(open_ones)),
        *_orders(
            db,
            district,
            firm_id,
            Slot.day.between(today - FAILED_WITHIN, today - timedelta(days=1)),
            sa.exists().where(
                OrderLine.district == Order.district,
                OrderLine.order_id == Order.id,
                OrderLine.state == LineState.FAILED,
                ~booked_again,
            ),
        ),
    ]
    once = {one.order.id: one for one in left}.values()
    return sorted(once, key=lambda one: (one.slot.starts_at, one.order.id))


def _why_left(db: Session, left: Sequence[_Found]) -> list[LeftOver]:
    if not left:
        return []
    district = left[0].order.district
    stops = _stops(db, district, {one.order.id: one.slot.day for one in left})
    # Asked only where nothing nearer says it, once a zone and day.
    left_out = cache(lambda zone_id, day: _left_out(db, district, zone_id, day))
    crews = cache(lambda zone_id, day: _crews(db, district, zone_id, day))
    found = []
    for one in left:
        why, detail = _why(one, stops.get(one.order.id), left_out, crews)
        found.append(
            LeftOver(
                order_id=one.order.id,
                household_id=one.order.household_id,
                zone_id=one.order.zone_id,
                day=one.slot.day,
                starts_at=one.slot.starts_at,
                ends_at=one.slot.ends_at,
                bottles=sum(line.state is not LineState.CANCELLED for line in one.lines),
                why=why,
                detail=detail,
                may_move=why not in (LeftWhy.STILL_OUT, LeftWhy.VISIT_FAILED),
            )
        )
    return found


def _why(
    one: _Found,
    at: tuple[RoundStop, Round] | None,
    left_out: Callable[[UUID, date], Mapping[UUID, str]],
    crews: Callable[[UUID, date], Sequence[BoundCrew]],
) -> tuple[LeftWhy, str | None]:
    """What stands nearest to the door comes first."""
    if not one.is_open:
        return LeftWhy.VISIT_FAILED, next((line.failure for line in one.lines if line.failure), None)
    if at is not None and at[0].active:
        is_out = at[1].state is not RoundState.PLANNED
        return (LeftWhy.STILL_OUT if is_out else LeftWhy.NOT_SET_OUT), None
    if at is not None and at[1].state is RoundState.FINISHED:
        return LeftWhy.BROUGHT_BACK, None
    where = (one.order.zone_id, one.slot.day)
    if detail := left_out(*where).get(one.order.id):
        return LeftWhy.NOT_IN_THE_PLAN, detail
    return (LeftWhy.NOT_PLANNED if _was_there_one(crews(*where), one.slot) else LeftWhy.NO_CREW), None


def _stops(db: Session, district: int, days: Mapping[UUID, date]) -> dict[UUID, tuple[RoundStop, Round]]:
    """The stop that an order stands on, else the last one it stood on that day, and its round."""
    rows = db.execute(
        sa.select(RoundStop, Round)
        .join(Round, sa.and_(Round.district == RoundStop.district, Round.id == RoundStop.round_id))
        .where(RoundStop.district == district, RoundStop.order_id.in_(days))
        .order_by(RoundStop.active, Round.recorded_at)
    )
    return {stop.order_id: (stop, round) for stop, round in rows if round.day == days[stop.order_id]}


def _left_out(db: Session, district: int, zone_id: UUID, day: date) -> dict[UUID, str]:
    """What the zone's plans of the day could not serve: the last one's word, an applied one's first."""
    plans = db.execute(
        sa.select(RoundPlan.problem["stops"], RoundPlan.unserved)
        .where(RoundPlan.district == district, RoundPlan.zone_id == zone_id, RoundPlan.day == day)
        .order_by(RoundPlan.state == PlanState.APPLIED, RoundPlan.recorded_at)
    )
    said: dict[UUID, str] = {}
    for stops, unserved in plans:
        for stop in stops:
            said.pop(UUID(stop["id"]), None)
        said |= {UUID(left["order_id"]): left["code"] for left in unserved}
    return said


def _crews(db: Session, district: int, zone_id: UUID, day: date) -> list[BoundCrew]:
    """Those that might have driven there that day."""
    zone = db.get_one(Zone, (district, zone_id))
    on_duty = crews_for_zone(db, district, zone_id, day).crews
    apart = unfit(db, zone, on_duty, day)
    return [crew for crew in on_duty if crew.binding.id not in apart]


def _was_there_one(crews: Sequence[BoundCrew], slot: Slot) -> bool:
    """While the slot lasted."""
    from_s, until_s = seconds_into(slot.day, slot.starts_at), seconds_into(slot.day, slot.ends_at)
    return any(crew.from_s < until_s and from_s < crew.until_s for crew in crews)


def detail_said(left: LeftOver) -> Words | None:
    """The plan's own reason in words; why a visit failed is worded where failures are."""
    if left.why is not LeftWhy.NOT_IN_THE_PLAN or left.detail is None:
        return None
    return WORDS[Reason(left.detail)]


# --- a day's balance ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Balance:
    """``booked`` is all of ``by_state`` (orders that are closed), ``waiting`` and ``left`` together.

    ``waiting``: its slot is not over yet. ``carried``: open orders of earlier days, counted in none of these.
    """

    day: date
    booked: int
    by_state: dict[OrderState, int]
    waiting: int
    left: int
    left_why: dict[LeftWhy, int]
    carried: int
    rounds: int
    rounds_not_in: int

    @property
    def is_closed(self) -> bool:
        """Whether the day is done: nobody is on the road, and no order is left without an answer."""
        return not (self.waiting or self.left or self.carried or self.rounds_not_in)


_HAS_OPEN_ORDERS = sa.exists().where(
    RoundStop.district == Round.district,
    RoundStop.round_id == Round.id,
    RoundStop.active,
    OrderLine.district == RoundStop.district,
    OrderLine.order_id == RoundStop.order_id,
    IS_OPEN,
)
"""A round that never set out cannot do so later: its orders elsewhere, nothing is awaited of it."""


def balance_of(db: Session, district: int, firm_id: UUID | None, day: date, now: datetime) -> Balance:
    found = _orders(db, district, firm_id, Slot.day == day)
    closed = Counter(one.state for one in found if not one.is_open)
    left = _why_left(db, [one for one in found if one.is_open and one.slot.ends_at <= now])
    earlier = _left_before(db, district, firm_id, min(day, clock.day_of(now)))
    rounds = db.execute(
        sa.select(Round.state, _HAS_OPEN_ORDERS).where(
            Round.district == district,
            Round.day == day,
            sa.true() if firm_id is None else Round.firm_id == firm_id,
        )
    ).all()
    return Balance(
        day=day,
        booked=len(found),
        by_state=dict(closed),
        waiting=sum(one.is_open and one.slot.ends_at > now for one in found),
        left=len(left),
        left_why=dict(Counter(one.why for one in left)),
        carried=sum(one.is_open for one in earlier),
        rounds=len(rounds),
        rounds_not_in=sum(state is RoundState.STARTED or has_orders for state, has_orders in rounds),
    )


# --- behind our own routes ----------------------------------------------------------------------------------


def firm_of(doing: Doing) -> UUID | None:
    """Whose orders; None: every firm's of the district."""
    match doing.actor.reach.kind:
        case ScopeKind.FIRM:
            return UUID(doing.actor.reach.code)
        case ScopeKind.ALL | ScopeKind.DISTRICT:
            return None
    raise NotFound


def left_over_orders(doing: Doing, most: int | None = None) -> tuple[list[LeftOver], int]:
    """The first ``most``, and how many there are. Of the days before today, the oldest first."""
    with doing.ground.sessions() as db:
        left = _left_before(db, doing.district, firm_of(doing), clock.today())
        return _why_left(db, left[:most]), len(left)


def day_balance(doing: Doing, day: date) -> Balance:
    with doing.ground.sessions() as db:
        return balance_of(db, doing.district, firm_of(doing), day, clock.now())

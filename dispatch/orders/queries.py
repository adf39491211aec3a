"""Reads of orders: exports for the rooms above, then the reads behind our own routes.

Nothing here holds personal data: household, account and card are ids.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from core import clock
from core.auth import Actor, ScopeKind
from core.db import table_of
from core.doing import Doing
from core.geo import Point
from core.paging import Page, Pager
from core.prepared import Joined, Part
from core.problems import NotFound
from dispatch.orders.models import Order, OrderLine, Slot
from dispatch.orders.states import OPEN_STATES, LineState, OrderState, order_state
from registry.models import Premises, Zone
from registry.proxy_models import ProxyConsent
from registry.proxy_queries import ProxyAct, proxy_of, stands
from registry.zone_queries import zone_at

ORDER_OF_LINE = sa.and_(Order.district == OrderLine.district, Order.id == OrderLine.order_id)
SLOT_OF_ORDER = sa.and_(Slot.district == Order.district, Slot.id == Order.slot_id)
PREMISES_OF_ORDER = sa.and_(Premises.district == Order.district, Premises.id == Order.premises_id)

# --- exports ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlanLine:
    line_id: UUID
    card_id: UUID
    model: str


@dataclass(frozen=True, slots=True)
class PlanOrder:
    """An order to bring: where, between when and when, and a bottle of which model for which card."""

    order_id: UUID
    point: Point
    starts_at: datetime
    ends_at: datetime
    lines: tuple[PlanLine, ...]


@dataclass(frozen=True, slots=True)
class OrderWithLines:
    """``lines`` ascending id; ``state`` is derived from them."""

    order: Order
    slot: Slot
    lines: list[OrderLine]

    @property
    def state(self) -> OrderState:
        return order_state([line.state for line in self.lines])

    @property
    def open_lines(self) -> list[OrderLine]:
        return [line for line in self.lines if line.state in OPEN_STATES]

    def to_plain(self) -> dict[str, Any]:
        """As ``schemas.OrderOut`` would write it, for every booking and whoever sends it again."""
        order, slot = self.order, self.slot
        return {
            "id": order.id,
            "household_id": order.household_id,
            "account_id": order.account_id,
            "premises_id": order.premises_id,
            "firm_id": order.firm_id,
            "zone_id": order.zone_id,
            "slot": {
                "id": slot.id,
                "day": slot.day,
                "starts_at": clock.stamp(slot.starts_at),
                "ends_at": clock.stamp(slot.ends_at),
            },
            "purpose": order.purpose,
            "channel": order.channel,
            "contactless": order.contactless,
            "state": self.state,
            "lines": [
                {
                    "id": line.id,
                    "card_id": line.card_id,
                    "cylinder_model": line.cylinder_model,
                    "state": line.state,
                    "failure": line.failure,
                }
                for line in self.lines
            ],
            "booked_at": clock.stamp(order.recorded_at),
        }


def to_plan(db: Session, district: int, zone_id: UUID, day: date) -> list[PlanOrder]:
    """Orders of a zone's day with a line still booked, by slot and id, and those lines of theirs.

    Which of them stand on a round already, only the room of rounds knows: it leaves those out. Where zones
    were drawn anew after an order was booked, it is planned where its door lies on that day.
    """
    return _of_zone(db, district, zone_id, day, OrderLine.state == LineState.BOOKED)


def of_day(db: Session, district: int, zone_id: UUID, day: date) -> list[PlanOrder]:
    """The same of all that was booked and not cancelled, whatever has become of it since."""
    return _of_zone(db, district, zone_id, day, OrderLine.state != LineState.CANCELLED)


def _of_zone(
    db: Session, district: int, zone_id: UUID, day: date, which: sa.ColumnElement[bool]
) -> list[PlanOrder]:
    asked = sa.and_(Slot.day == day, which)
    booked = _plan_orders(db, district, sa.and_(Slot.zone_id == zone_id, asked))
    zone = db.get(Zone, (district, zone_id))
    if zone is None:
        return booked
    of_other_sets = sa.select(Zone.id).where(Zone.district == district, Zone.zone_set_id != zone.zone_set_id)
    redrawn = sa.and_(Slot.zone_id.in_(of_other_sets), Order.firm_id == zone.firm_id, asked)
    come = [one for one in _plan_orders(db, district, redrawn) if _lies_in(db, zone, one.point, day)]
    return sorted(booked + come, key=lambda order: (order.starts_at, order.order_id))


def _lies_in(db: Session, zone: Zone, point: Point, day: date) -> bool:
    found = zone_at(db, zone.district, point.lon, point.lat, day)
    return found is not None and found.id == zone.id


def to_drive(db: Session, district: int, order_ids: Collection[UUID]) -> list[PlanOrder]:
    """Those of the orders with a line still booked or on a vehicle, by slot and id, and those lines."""
    is_open = sa.and_(OrderLine.order_id.in_(order_ids), OrderLine.state.in_(OPEN_STATES))
    return _plan_orders(db, district, is_open)


def _plan_orders(db: Session, district: int, which: sa.ColumnElement[bool]) -> list[PlanOrder]:
    rows = db.execute(
        sa.select(OrderLine, Slot.starts_at, Slot.ends_at, Premises.lon, Premises.lat)
        .join(Order, ORDER_OF_LINE)
        .join(Slot, SLOT_OF_ORDER)
        .join(Premises, PREMISES_OF_ORDER)
        .where(Order.district == district, which)
        .order_by(Slot.starts_at, OrderLine.order_id, OrderLine.id)
    ).all()
    found = []
    for order_id, group in groupby(rows, key=lambda row: row.OrderLine.order_id):
        own = list(group)
        lines = tuple(
            PlanLine(row.OrderLine.id, row.OrderLine.card_id, row.OrderLine.cylinder_model) for row in own
        )
        point = Point(own[0].lon, own[0].lat)
        found.append(PlanOrder(order_id, point, own[0].starts_at, own[0].ends_at, lines))
    return found


@dataclass(frozen=True, slots=True)
class OrderAt:
    """An order that was not cancelled: where and on which day, and how many bottles."""

    point: Point
    day: date
    bottles: int


def orders_between(
    db: Session, district: int, from_on: date, until_on: date, firm_id: UUID | None = None
) -> list[OrderAt]:
    """Orders of slots from a day to a day, both included, whatever became of them but cancelled.

    ``firm_id``: of this firm's users only.
    """
    rows = db.execute(
        sa.select(Premises.lon, Premises.lat, Slot.day, sa.func.count().label("bottles"))
        .select_from(OrderLine)
        .join(Order, ORDER_OF_LINE)
        .join(Slot, SLOT_OF_ORDER)
        .join(Premises, PREMISES_OF_ORDER)
        .where(
            Slot.district == district,
            Slot.day.between(from_on, until_on),
            OrderLine.state != LineState.CANCELLED,
            sa.true() if firm_id is None else Order.firm_id == firm_id,
        )
        .group_by(Order.id, Premises.lon, Premises.lat, Slot.day)
        .order_by(Order.id)
    )
    return [OrderAt(Point(row.lon, row.lat), row.day, row.bottles) for row in rows]


def usual_orders(db: Session, district: int, zone_id: UUID, days: Sequence[date]) -> int:
    """How many orders of these days, taken together, were for the zone and not cancelled."""
    counted = (
        sa.select(sa.func.count(sa.distinct(Order.id)))
        .join(Slot, sa.and_(Slot.district == Order.district, Slot.id == Order.slot_id))
        .join(OrderLine, sa.and_(OrderLine.district == Order.district, OrderLine.order_id == Order.id))
        .where(
            Slot.district == district,
            Slot.zone_id == zone_id,
            Slot.day.in_(days),
            OrderLine.state != LineState.CANCELLED,
        )
    )
    return db.scalar(counted) or 0


def order_with_lines(
    db: Session, district: int, order_id: UUID, *, lock: bool = False
) -> OrderWithLines | None:
    """``lock``: the lines FOR UPDATE, ascending id (of the order itself only its slot and zone change)."""
    order = db.get(Order, (district, order_id))
    if order is None:
        return None
    query = (
        sa.select(OrderLine)
        .where(OrderLine.district == district, OrderLine.order_id == order_id)
        .order_by(OrderLine.id)
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    slot = db.get_one(Slot, (district, order.slot_id))
    return OrderWithLines(order, slot, list(db.scalars(query)))


def open_lines(db: Session, district: int, card_ids: Sequence[UUID]) -> list[OrderLine]:
    """Lines of these cards that are not yet done with, ascending id."""
    return list(
        db.scalars(
            sa.select(OrderLine)
            .where(
                OrderLine.district == district,
                OrderLine.card_id.in_(card_ids),
                OrderLine.state.in_(OPEN_STATES),
            )
            .order_by(OrderLine.id)
        )
    )


# --- behind our own routes -------------------------------------------------------------------------------


def reach_of_order(db: Session, order: Order) -> dict[str, object]:
    """What a grant must cover to reach this order (for ``actor.must_reach``)."""
    premises = db.get_one(Premises, (order.district, order.premises_id))
    return {
        "district": order.district,
        "street": premises.street_code,
        "firm": order.firm_id,
        "person": order.person_id,
    }


def reaches_order(db: Session, actor: Actor, order: Order, act: ProxyAct | None = None) -> bool:
    """One's own, one's firm's, one's street's; or of a home one is named for (for ``act``, where one is)."""
    if actor.reach.covers(**reach_of_order(db, order)):
        return True
    return _is_named(db, actor, order.district, order.id, act)


def _is_named(db: Session, actor: Actor, district: int, order_id: UUID, act: ProxyAct | None) -> bool:
    proxy_id = proxy_of(actor)
    if proxy_id is None:
        return False
    this = sa.and_(Order.district == district, Order.id == order_id)
    return db.scalar(sa.select(Order.id).where(this, _as_proxy(Order, proxy_id, act))) is not None


def must_reach_order(db: Session, actor: Actor, order: Order, act: ProxyAct | None = None) -> None:
    if not reaches_order(db, actor, order, act):
        raise NotFound


def may_act(doing: Doing, order: Order, act: ProxyAct) -> bool:
    """Whether it is the caller's own to do, or they are named for it."""
    with doing.ground.sessions() as db:
        return reaches_order(db, doing.actor, order, act)


def _as_proxy(of: type[Order], proxy_id: UUID, act: ProxyAct | None) -> sa.ColumnElement[bool]:
    """Orders of those who named this person, from the day of the consent on, while it stands."""
    return sa.exists().where(
        ProxyConsent.district == of.district,
        ProxyConsent.household_id == of.household_id,
        ProxyConsent.person_id == of.person_id,
        ProxyConsent.proxy_id == proxy_id,
        stands(act, clock.today()),
        Slot.district == of.district,
        Slot.id == of.slot_id,
        Slot.day >= ProxyConsent.valid_from,
    )


def street_of_order(db: Session, order: Order) -> str:
    """Where the home stands, for the decisions that are made about it."""
    return db.get_one(Premises, (order.district, order.premises_id)).street_code


SHOWN: list[Part] = [OrderLine, Order, Slot, (table_of(Premises).c.street_code,)]
"""What is shown of an order, a row for each of its lines, and where its home stands."""


def _shown(*which: sa.ColumnElement[bool]) -> Joined:
    """In one statement; read its rows by ``shown``."""
    return Joined(
        SHOWN,
        lambda *columns: (
            sa.select(*columns)
            .select_from(OrderLine)
            .join(Order, ORDER_OF_LINE)
            .join(Slot, SLOT_OF_ORDER)
            .join(Premises, PREMISES_OF_ORDER)
            .where(*which)
            .order_by(OrderLine.order_id, OrderLine.id)
        ),
    )


_in_district = Order.district == sa.bindparam("district")
_ORDER = _shown(_in_district, OrderLine.order_id == sa.bindparam("order_id"))
IS_LIKE_IT = sa.and_(
    _in_district,
    Order.household_id == sa.bindparam("household_id"),
    Order.slot_id == sa.bindparam("slot_id"),
    Order.purpose == sa.bindparam("purpose"),
    Order.contactless == sa.bindparam("contactless"),
)
LIKE_IT = _shown(IS_LIKE_IT)
"""Orders of one household for one slot, purpose and mode: is it booked already? Takes these four and the
district. It is asked before every booking, and again where somebody is afraid."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An order as rows of a look-up, none of which can be changed; ``street`` is where its home stands."""

    found: OrderWithLines
    street: str

    def may_see(self, db: Session, doing: Doing, act: ProxyAct | None = None) -> bool:
        """Whoever reaches it, and proxies of whom it is for (for ``act``, where one is named)."""
        order = self.found.order
        is_own = doing.actor.reach.covers(
            district=doing.district, street=self.street, firm=order.firm_id, person=order.person_id
        )
        return is_own or _is_named(db, doing.actor, doing.district, order.id, act)


def shown(rows: Sequence[Any]) -> list[Shown]:
    found = []
    for _, group in groupby(rows, key=lambda row: row[1].id):
        lines, orders, slots, homes = zip(*group, strict=True)
        found.append(Shown(OrderWithLines(orders[0], slots[0], list(lines)), homes[0].street_code))
    return found


def order(doing: Doing, order_id: UUID, act: ProxyAct | None = None) -> OrderWithLines:
    """Within reach; ``act``: what a proxy must be named for."""
    found = shown(_ORDER.ask(doing.ground.reads, district=doing.district, order_id=order_id))
    with doing.ground.reads() as db:
        if not found or not found[0].may_see(db, doing, act):
            raise NotFound
    return found[0].found


def orders(
    doing: Doing,
    *,
    limit: int,
    cursor: str | None = None,
    household_id: UUID | None = None,
    day: date | None = None,
    open_only: bool = False,
) -> Page:
    """Orders within reach. ``day``: of the slot. ``open_only``: with a line not yet done with."""
    query = sa.select(Order).where(Order.district == doing.district, _within(doing.actor, doing.district))
    if household_id is not None:
        query = query.where(Order.household_id == household_id)
    if day is not None:
        query = query.where(Order.slot_id.in_(_slots_of(doing.district, day)))
    if open_only:
        query = query.where(Order.id.in_(_orders_open(doing.district)))
    name = f"orders:{doing.district}:{doing.actor.reach}:{household_id}:{day}:{open_only}"
    with doing.ground.sessions() as db:
        page = _pager(doing, name).page(
            db,
            query,
            Order.recorded_at.expression,
            Order.id.expression,
            limit=limit,
            cursor=cursor,
            position=lambda row: (row.Order.recorded_at, row.Order.id),
        )
        return Page(_whole(db, doing.district, [row.Order for row in page.items]), page.next_cursor)


def latest_orders(doing: Doing, *, limit: int, before: UUID | None = None) -> list[OrderWithLines]:
    """Orders within reach as people look back on them: the latest first, from ``before`` on backwards."""
    query = sa.select(Order).where(Order.district == doing.district, _within(doing.actor, doing.district))
    if before is not None:
        query = query.where(Order.id < before)
    with doing.ground.sessions() as db:
        found = db.scalars(query.order_by(Order.id.desc()).limit(limit)).all()
        return _whole(db, doing.district, found)


def latest_order(db: Session, doing: Doing, household_id: UUID, state: LineState) -> OrderWithLines | None:
    """The household's latest order within reach with a line in this state."""
    has_line = sa.exists().where(
        OrderLine.district == Order.district, OrderLine.order_id == Order.id, OrderLine.state == state
    )
    query = sa.select(Order).where(
        Order.district == doing.district,
        Order.household_id == household_id,
        has_line,
        _within(doing.actor, doing.district),
    )
    found = db.scalars(query.order_by(Order.id.desc()).limit(1)).all()
    return next(iter(_whole(db, doing.district, found)), None)


def _slots_of(district: int, day: date) -> sa.Select[UUID]:
    return sa.select(Slot.id).where(Slot.district == district, Slot.day == day)


def _orders_open(district: int) -> sa.Select[UUID]:
    return sa.select(OrderLine.order_id).where(
        OrderLine.district == district, OrderLine.state.in_(OPEN_STATES)
    )


def _of_person(district: int, person_id: UUID) -> sa.CompoundSelect[UUID]:
    """One's own, and theirs who named one: each found by its person, never by looking through all orders."""
    mine = aliased(Order)
    of_here = sa.select(mine.id).where(mine.district == district)
    return of_here.where(mine.person_id == person_id).union_all(
        of_here.where(_as_proxy(mine, person_id, None))
    )


def _within(actor: Actor, district: int) -> sa.ColumnElement[bool]:
    """The rows a grant reaches: one's own and theirs who named one, a firm's, a street's, a district's."""
    match actor.reach.kind:
        case ScopeKind.ALL:
            return sa.true()
        case ScopeKind.DISTRICT:
            return Order.district == int(actor.reach.code)
        case ScopeKind.FIRM:
            return Order.firm_id == UUID(actor.reach.code)
        case ScopeKind.PERSON:
            return Order.id.in_(_of_person(district, UUID(actor.reach.code)))
        case ScopeKind.STREET:
            of_street = sa.select(Premises.id).where(
                Premises.district == Order.district, Premises.street_code == actor.reach.code
            )
            return Order.premises_id.in_(of_street)
        case _:
            raise NotFound


def _whole(db: Session, district: int, orders: Sequence[Order]) -> list[OrderWithLines]:
    lines: dict[UUID, list[OrderLine]] = {one.id: [] for one in orders}
    for line in db.scalars(
        sa.select(OrderLine)
        .where(OrderLine.district == district, OrderLine.order_id.in_(lines))
        .order_by(OrderLine.id)
    ):
        lines[line.order_id].append(line)
    slots = {
        slot.id: slot
        for slot in db.scalars(
            sa.select(Slot).where(Slot.district == district, Slot.id.in_({one.slot_id for one in orders}))
        )
    }
    return [OrderWithLines(one, slots[one.slot_id], lines[one.id]) for one in orders]


def slot(doing: Doing, slot_id: UUID) -> Slot:
    with doing.ground.sessions() as db:
        found = db.get(Slot, (doing.district, slot_id))
        if found is None:
            raise NotFound
        return found


def slots(
    doing: Doing,
    *,
    limit: int,
    cursor: str | None = None,
    zone_id: UUID | None = None,
    day: date | None = None,
) -> Page:
    """Slots of the district with the room that is left. A firm's people see the slots of its own zones."""
    query = sa.select(Slot).where(Slot.district == doing.district)
    reach = doing.actor.reach
    if reach.kind is ScopeKind.FIRM:
        own = sa.select(Zone.id).where(Zone.district == Slot.district, Zone.firm_id == UUID(reach.code))
        query = query.where(Slot.zone_id.in_(own))
    if zone_id is not None:
        query = query.where(Slot.zone_id == zone_id)
    if day is not None:
        query = query.where(Slot.day == day)
    with doing.ground.sessions() as db:
        page = _pager(doing, f"slots:{doing.district}:{reach}:{zone_id}:{day}").page(
            db,
            query,
            Slot.recorded_at.expression,
            Slot.id.expression,
            limit=limit,
            cursor=cursor,
            position=lambda row: (row.Slot.recorded_at, row.Slot.id),
        )
        return Page([row.Slot for row in page.items], page.next_cursor)


def _pager(doing: Doing, name: str) -> Pager:
    return Pager(doing.ground.keyring.label.current_key, name)

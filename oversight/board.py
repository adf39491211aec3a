"""The dispatcher's board: one firm's day, read from the rows of the rooms below. Nothing is stored here.

    visits    the orders of a day with where they stand: slot, crew, place in its round
    crews     each binding of the day with how far it has come, worst first
    zones     the firm's zones of that day, with what is booked there and not yet planned

A dispatcher of a firm sees the firm's; one of the whole district every firm's.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock, jobs
from core.auth import ScopeKind
from core.doing import Doing
from core.geo import Point
from core.problems import NotFound
from core.sealed import mask_address, mask_name
from dispatch.deliveries.following import expected_of
from dispatch.deliveries.models import Delivery
from dispatch.orders.models import Channel, Order, OrderLine, Slot
from dispatch.orders.states import LineState, OrderState, order_state
from dispatch.rounds.models import Round, RoundPlan, RoundStop
from dispatch.rounds.queries import PLAN_JOB, job_view, lines_of, plan_in_reach
from dispatch.rounds.states import RoundState
from registry import sealing
from registry.crew_queries import BoundPeople, bindings_on
from registry.models import DeviceInbox, Household, Premises, Staff, Zone
from registry.zone_queries import zone_at, zone_set_at, zones_of

# Figures of the trade, not of the law: when a dispatcher should look.
SILENT_AFTER = timedelta(minutes=45)

OPEN = (OrderState.BOOKED, OrderState.LOADED)


@dataclass(frozen=True, slots=True)
class Visit:
    """An order of the day. ``failures``: why lines of it failed, by line."""

    order_id: UUID
    household_id: UUID
    zone_id: UUID
    slot_id: UUID
    starts_at: datetime
    ends_at: datetime
    channel: Channel
    contactless: bool
    state: OrderState
    bottles: int
    failures: dict[UUID, str]
    withheld: tuple[UUID, ...]
    point: Point
    round_id: UUID | None
    trip: int | None
    position: int | None
    arrive_at: datetime | None
    on_a_round: bool

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def is_unplanned(self) -> bool:
        return self.is_open and not self.on_a_round

    @property
    def expected_at(self) -> datetime | None:
        """When the plan has it served: whoever arrives early waits for the slot."""
        return max(self.arrive_at, self.starts_at) if self.arrive_at else None

    def is_late(self, now: datetime) -> bool:
        """The slot it was promised for is over, and nobody has been."""
        return self.is_open and self.ends_at <= now


@dataclass(frozen=True, slots=True)
class Crew:
    """A binding of the day and its round, if it has one."""

    bound: BoundPeople
    courier_name: str | None
    rounds: tuple[Round, ...]
    visits: tuple[Visit, ...]
    heard_at: datetime | None
    now: datetime

    @property
    def is_driving(self) -> bool:
        return any(round.state is RoundState.STARTED for round in self.rounds)

    @property
    def done(self) -> int:
        return sum(not visit.is_open for visit in self.visits)

    @property
    def late(self) -> int:
        return sum(visit.is_late(self.now) for visit in self.visits)

    @property
    def next(self) -> Visit | None:
        return next((visit for visit in self.visits if visit.is_open), None)

    @property
    def is_silent(self) -> bool:
        """On the road with doors to visit, and nothing recorded for long."""
        following = self.next
        if not self.is_driving or following is None:
            return False
        since = self.heard_at or following.expected_at
        return since is not None and since + SILENT_AFTER <= self.now


@dataclass(frozen=True, slots=True)
class ZoneRow:
    zone: Zone
    visits: tuple[Visit, ...]
    room: int
    taken: int

    @property
    def unplanned(self) -> int:
        return sum(visit.is_unplanned for visit in self.visits)

    @property
    def bottles(self) -> int:
        return sum(visit.bottles for visit in self.visits)


@dataclass(frozen=True, slots=True)
class Board:
    day: date
    now: datetime
    zones: tuple[ZoneRow, ...]
    crews: tuple[Crew, ...]
    visits: tuple[Visit, ...]
    expected: dict[UUID, datetime]
    """Order that is still to be served on a round → when, by the plan and by how late the round runs."""

    def expected_at(self, visit: Visit) -> datetime | None:
        return self.expected.get(visit.order_id, visit.expected_at)

    @property
    def is_today(self) -> bool:
        return self.day == clock.day_of(self.now)

    @property
    def done(self) -> int:
        return sum(not visit.is_open for visit in self.visits)

    @property
    def late(self) -> int:
        return sum(visit.is_late(self.now) for visit in self.visits)

    @property
    def unplanned(self) -> int:
        return sum(visit.is_unplanned for visit in self.visits)


def firm_of(doing: Doing) -> UUID | None:
    """Whose board it is; None: every firm's of the district."""
    match doing.actor.reach.kind:
        case ScopeKind.FIRM:
            return UUID(doing.actor.reach.code)
        case ScopeKind.ALL | ScopeKind.DISTRICT:
            return None
    raise NotFound


def board(doing: Doing, day: date) -> Board:
    with doing.ground.sessions() as db:
        return board_of(db, doing, day)


def board_of(db: Session, doing: Doing, day: date) -> Board:
    now = clock.now()
    seen = visits_of(db, doing, day)
    crews = _crews(db, doing, day, seen, now)
    zones, worst_first = tuple(_zones(db, doing, day, seen)), tuple(sorted(crews, key=_worst_first))
    ahead = [one.id for crew in crews for one in crew.rounds if one.state is not RoundState.FINISHED]
    expected = expected_of(db, doing.district, ahead, now) if day >= clock.day_of(now) else {}
    return Board(day, now, zones, worst_first, seen, expected)


def _worst_first(crew: Crew) -> tuple[int, bool, int, str]:
    left = len(crew.visits) - crew.done
    return (-crew.late, not crew.is_silent, -left, crew.bound.vehicle.plate)


# --- orders -----------------------------------------------------------------------------------------------


def visits_of(db: Session, doing: Doing, day: date) -> tuple[Visit, ...]:
    """Orders of the day that were not cancelled, by slot, then in the order they are driven."""
    firm_id = firm_of(doing)
    rows = db.execute(
        sa.select(Order, Slot.zone_id, Slot.starts_at, Slot.ends_at, Premises.lon, Premises.lat)
        .join(Slot, sa.and_(Slot.district == Order.district, Slot.id == Order.slot_id))
        .join(Premises, sa.and_(Premises.district == Order.district, Premises.id == Order.premises_id))
        .where(
            Order.district == doing.district,
            Slot.day == day,
            sa.true() if firm_id is None else Order.firm_id == firm_id,
        )
    ).all()
    order_ids = [row.Order.id for row in rows]
    lines = _lines(db, doing.district, order_ids)
    stops = _stops(db, doing.district, order_ids)
    zones = _zones_of_day(db, doing.district, day)
    found = [
        _visit(row, _zone_of(db, row, day, zones), lines.get(row.Order.id, []), stops.get(row.Order.id))
        for row in rows
    ]
    standing = [visit for visit in found if visit.state is not OrderState.CANCELLED]
    return tuple(sorted(standing, key=_in_order))


def _zones_of_day(db: Session, district: int, day: date) -> set[UUID]:
    standing = zone_set_at(db, district, day)
    return {zone.id for zone in zones_of(db, district, standing.id)} if standing is not None else set()


def _zone_of(db: Session, row: Any, day: date, zones: set[UUID]) -> UUID:
    """Its slot's; where zones were drawn anew since it was booked, the one that its door lies in."""
    booked: UUID = row.zone_id
    if booked in zones:
        return booked
    lies_in = zone_at(db, row.Order.district, row.lon, row.lat, day)
    return booked if lies_in is None else lies_in.id


def _visit(row: Any, zone_id: UUID, lines: list[OrderLine], stop: RoundStop | None) -> Visit:
    order: Order = row.Order
    standing = [line for line in lines if line.state is not LineState.CANCELLED]
    return Visit(
        order_id=order.id,
        household_id=order.household_id,
        zone_id=zone_id,
        slot_id=order.slot_id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        channel=order.channel,
        contactless=order.contactless,
        state=order_state([line.state for line in lines]),
        bottles=len(standing),
        failures={line.id: line.failure or "" for line in lines if line.state is LineState.FAILED},
        withheld=tuple(line.id for line in lines if line.state is LineState.WITHHELD),
        point=Point(row.lon, row.lat),
        round_id=stop.round_id if stop else None,
        trip=stop.trip if stop else None,
        position=stop.position if stop else None,
        arrive_at=stop.arrive_at if stop else None,
        on_a_round=stop is not None and stop.active,
    )


def _in_order(visit: Visit) -> tuple[datetime, datetime, UUID]:
    return (visit.starts_at, visit.expected_at or visit.ends_at, visit.order_id)


def _lines(db: Session, district: int, order_ids: Collection[UUID]) -> dict[UUID, list[OrderLine]]:
    found: dict[UUID, list[OrderLine]] = {}
    for line in lines_of(db, district, order_ids):
        found.setdefault(line.order_id, []).append(line)
    return found


def _stops(db: Session, district: int, order_ids: Collection[UUID]) -> dict[UUID, RoundStop]:
    """The stop an order stands on, else the last one it stood on."""
    rows = db.scalars(
        sa.select(RoundStop)
        .join(Round, sa.and_(Round.district == RoundStop.district, Round.id == RoundStop.round_id))
        .where(RoundStop.district == district, RoundStop.order_id.in_(order_ids))
        .order_by(RoundStop.active, Round.recorded_at)
    )
    return {stop.order_id: stop for stop in rows}


def addresses_of(doing: Doing, household_ids: Iterable[UUID]) -> dict[UUID, str | None]:
    """Masked, for lists of visits."""
    wanted = set(household_ids)
    with doing.ground.sessions() as db:
        rows = list(
            db.scalars(
                sa.select(Household).where(Household.district == doing.district, Household.id.in_(wanted))
            )
        )
        texts = sealing.all_opened(db, doing.ground, [sealing.address_of(row) for row in rows])
    return {row.id: text and mask_address(text) for row, text in zip(rows, texts, strict=True)}


# --- zones and crews --------------------------------------------------------------------------------------


def own_zones(db: Session, doing: Doing, day: date) -> list[Zone]:
    """The firm's zones in the set of that day, by number."""
    standing, firm_id = zone_set_at(db, doing.district, day), firm_of(doing)
    if standing is None:
        return []
    zones = zones_of(db, doing.district, standing.id)
    return [zone for zone in zones if firm_id is None or zone.firm_id == firm_id]


def _zones(db: Session, doing: Doing, day: date, seen: tuple[Visit, ...]) -> list[ZoneRow]:
    zones = own_zones(db, doing, day)
    slots = db.execute(
        sa.select(Slot.zone_id, sa.func.sum(Slot.capacity), sa.func.sum(Slot.taken))
        .where(Slot.district == doing.district, Slot.day == day, ~Slot.closed)
        .group_by(Slot.zone_id)
    )
    room = {zone_id: (int(capacity), int(taken)) for zone_id, capacity, taken in slots}
    return [
        ZoneRow(
            zone,
            tuple(visit for visit in seen if visit.zone_id == zone.id),
            *room.get(zone.id, (0, 0)),
        )
        for zone in zones
    ]


def slots_of(doing: Doing, day: date) -> dict[UUID, list[Slot]]:
    """Zone → its slots of the day, by time."""
    with doing.ground.sessions() as db:
        zones = [zone.id for zone in own_zones(db, doing, day)]
        rows = db.scalars(
            sa.select(Slot)
            .where(Slot.district == doing.district, Slot.day == day, Slot.zone_id.in_(zones))
            .order_by(Slot.starts_at)
        )
        found: dict[UUID, list[Slot]] = {zone_id: [] for zone_id in zones}
        for slot in rows:
            found[slot.zone_id].append(slot)
        return found


def _crews(db: Session, doing: Doing, day: date, seen: tuple[Visit, ...], now: datetime) -> list[Crew]:
    bound = bindings_on(db, doing.district, day, firm_of(doing))
    names = names_of(db, doing, [one.courier for one in bound])
    rounds = db.scalars(
        sa.select(Round)
        .where(Round.district == doing.district, Round.day == day)
        .order_by(Round.recorded_at, Round.id)
    )
    driven: dict[UUID, list[Round]] = {}
    for round in rounds:
        driven.setdefault(round.binding_id, []).append(round)
    heard = _heard_at(db, doing.district, bound, [one.id for many in driven.values() for one in many], day)
    return [
        _crew(one, names[one.courier.id], driven.get(one.binding.id, []), seen, heard, now) for one in bound
    ]


def _crew(
    bound: BoundPeople,
    name: str | None,
    rounds: list[Round],
    seen: tuple[Visit, ...],
    heard: dict[UUID, datetime],
    now: datetime,
) -> Crew:
    own = {round.id for round in rounds}
    visits = [visit for visit in seen if visit.round_id in own]
    said = [heard[key] for key in (*own, bound.device.id) if key in heard]
    return Crew(
        bound,
        name,
        tuple(rounds),
        tuple(sorted(visits, key=lambda visit: visit.arrive_at or visit.starts_at)),
        max(said, default=None),
        now,
    )


def names_of(db: Session, doing: Doing, staff: Collection[Staff]) -> dict[UUID, str | None]:
    """Masked names of staff."""
    texts = sealing.all_opened(db, doing.ground, [sealing.staff_name_of(one) for one in staff])
    return {one.id: text and mask_name(text) for one, text in zip(staff, texts, strict=True)}


def _heard_at(
    db: Session, district: int, bound: list[BoundPeople], round_ids: list[UUID], day: date
) -> dict[UUID, datetime]:
    """Round or device → when something of it was last recorded."""
    delivered = db.execute(
        sa.select(Delivery.round_id, sa.func.max(Delivery.recorded_at))
        .where(Delivery.district == district, Delivery.round_id.in_(round_ids))
        .group_by(Delivery.round_id)
    )
    received = db.execute(
        sa.select(DeviceInbox.device_id, sa.func.max(DeviceInbox.received_at))
        .where(
            DeviceInbox.district == district,
            DeviceInbox.device_id.in_([one.device.id for one in bound]),
            DeviceInbox.received_at >= clock.at(day),
        )
        .group_by(DeviceInbox.device_id)
    )
    return {key: at for rows in (delivered, received) for key, at in rows}


# --- plans ------------------------------------------------------------------------------------------------


def plans_of(doing: Doing, day: date) -> list[RoundPlan]:
    """Plans of the day, the latest first."""
    firm_id = firm_of(doing)
    with doing.ground.sessions() as db:
        return list(
            db.scalars(
                sa.select(RoundPlan)
                .where(
                    RoundPlan.district == doing.district,
                    RoundPlan.day == day,
                    sa.true() if firm_id is None else RoundPlan.firm_id == firm_id,
                )
                .order_by(RoundPlan.recorded_at.desc(), RoundPlan.id.desc())
            )
        )


def plan_jobs_of(doing: Doing, day: date) -> list[dict[str, Any]]:
    """The last plans that were asked for, and how they stand."""
    firm_id = firm_of(doing)
    with doing.ground.sessions() as db:
        found = jobs.latest(db, doing.district, PLAN_JOB, firm_id, day.isoformat())
        return [job_view(doing, job) for job in found]


@dataclass(frozen=True, slots=True)
class Change:
    """What a plan does otherwise than the one made before it for the same zone, day and wave."""

    made_at: datetime
    moved: int
    gained: int
    dropped: int
    distance_m: int
    travel_s: int


def change_of(doing: Doing, plan_id: UUID) -> Change | None:
    """Against the plan before it; None where it is the first."""
    with doing.ground.sessions() as db:
        plan = plan_in_reach(db, doing, plan_id)
        before = db.scalars(
            sa.select(RoundPlan)
            .where(
                RoundPlan.district == plan.district,
                RoundPlan.zone_id == plan.zone_id,
                RoundPlan.day == plan.day,
                RoundPlan.wave == plan.wave,
                RoundPlan.id < plan.id,
            )
            .order_by(RoundPlan.id.desc())
            .limit(1)
        ).first()
    if before is None:
        return None
    then, now = _who_serves(before), _who_serves(plan)
    return Change(
        made_at=before.recorded_at,
        moved=sum(now[order_id] != then[order_id] for order_id in now.keys() & then.keys()),
        gained=len(now.keys() - then.keys()),
        dropped=len(then.keys() - now.keys()),
        distance_m=plan.distance_m - before.distance_m,
        travel_s=plan.travel_s - before.travel_s,
    )


def _who_serves(plan: RoundPlan) -> dict[str, str]:
    """Order → the binding that would serve it."""
    return {visit["stop"]: trip["vehicle"] for trip in plan.plan["trips"] for visit in trip["visits"]}

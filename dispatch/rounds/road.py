"""The road: what a courier sees of their own rounds, on the page in their hand.

Names, phones and addresses stay masked until the courier has had them opened on record (``reveal_manifest``),
and are masked again once the round is finished. A name stays masked all the time: at the door it is enough.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import ScopeKind
from core.doing import Doing
from core.sealed import mask_name
from dispatch.orders.models import Order, OrderLine, Slot
from dispatch.orders.states import OPEN_STATES, LineState, OrderState, order_state
from dispatch.rounds.models import ManifestReveal, Round
from dispatch.rounds.queries import lines_of, manifest, one_round, round_in_reach, stops_of
from dispatch.rounds.states import RoundState
from dispatch.safety.models import Hazard
from dispatch.safety.queries import open_hazards
from registry.queries import site, vehicle


@dataclass(frozen=True, slots=True)
class RoundCard:
    """One round of the day, before it is opened. ``stops`` and ``done`` count orders, ``bottles`` lines."""

    id: UUID
    state: RoundState
    day: date
    plate: str | None
    site_name: str
    stops: int
    done: int
    bottles: int
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Stop:
    """One door. ``name``, ``address`` and ``phone`` are None where the registrant's data was erased."""

    order_id: UUID
    trip: int
    position: int
    arrive_at: datetime
    slot: Slot
    state: OrderState
    models: tuple[str, ...]
    open_lines: tuple[UUID, ...]
    loaded: int
    name: str | None
    address: str | None
    phone: str | None
    point: Mapping[str, Any] | None
    hazards: tuple[Hazard, ...]
    contactless: bool

    @property
    def is_open(self) -> bool:
        return bool(self.open_lines)


@dataclass(frozen=True, slots=True)
class Road:
    """A round with its stops in the order they are driven."""

    id: UUID
    state: RoundState
    day: date
    plate: str | None
    site_name: str
    is_revealed: bool
    stops: tuple[Stop, ...]

    @property
    def next_stop(self) -> Stop | None:
        """The first door with a bottle on the vehicle for it; without one the first not yet done with."""
        open_ones = [stop for stop in self.stops if stop.is_open]
        return next((stop for stop in open_ones if stop.loaded), next(iter(open_ones), None))

    @property
    def done(self) -> int:
        return sum(not stop.is_open for stop in self.stops)


def own_round(db: Session, doing: Doing, round_id: UUID) -> Round:
    """404 unless it is the caller's own: others of the firm read rounds elsewhere, and masked."""
    row = round_in_reach(db, doing, round_id)
    if doing.actor.reach.kind is not ScopeKind.ALL:
        doing.actor.must_reach(courier=row.courier_id)
    return row


def is_revealed(db: Session, round: Round) -> bool:
    opened = db.get(ManifestReveal, (round.district, round.id)) is not None
    return opened and round.state is RoundState.STARTED


def rounds_today(doing: Doing) -> list[RoundCard]:
    """The caller's rounds of today by their first door, and one of another day that is still being driven."""
    query = sa.select(Round).where(
        Round.district == doing.district,
        sa.or_(Round.day == clock.today(), Round.state == RoundState.STARTED),
    )
    if doing.actor.reach.kind is not ScopeKind.ALL:
        query = query.where(Round.courier_id == doing.actor.scope_id(ScopeKind.COURIER))
    with doing.ground.sessions() as db:
        cards = [_card(db, row) for row in db.scalars(query)]
    return sorted(cards, key=lambda one: (one.first_at or clock.at(one.day), one.id))


def road(doing: Doing, round_id: UUID) -> Road:
    with doing.ground.sessions() as db:
        row = own_round(db, doing, round_id)
        opened = is_revealed(db, row)
        view = manifest(doing, round_id) if opened else one_round(doing, round_id)
        found = _orders(db, row.district, [stop["order_id"] for stop in view["stops"]])
        return Road(
            id=row.id,
            state=row.state,
            day=row.day,
            plate=view["plate"],
            site_name=_site_name(db, row),
            is_revealed=opened,
            stops=tuple(_stop(db, row, stop, *found[stop["order_id"]]) for stop in view["stops"]),
        )


def _card(db: Session, row: Round) -> RoundCard:
    stops = stops_of(db, row.district, row.id)
    states = _states(lines_of(db, row.district, [stop.order_id for stop in stops]))
    driven = vehicle(db, row.binding_district, row.vehicle_id)
    return RoundCard(
        id=row.id,
        state=row.state,
        day=row.day,
        plate=driven.plate if driven is not None else None,
        site_name=_site_name(db, row),
        stops=len(stops),
        done=sum(not set(states.get(stop.order_id, ())) & set(OPEN_STATES) for stop in stops),
        bottles=sum(
            state is not LineState.CANCELLED for stop in stops for state in states.get(stop.order_id, ())
        ),
        first_at=stops[0].arrive_at if stops else None,
        last_at=stops[-1].arrive_at if stops else None,
    )


def _states(lines: Collection[OrderLine]) -> dict[UUID, list[LineState]]:
    found: dict[UUID, list[LineState]] = {}
    for line in lines:
        found.setdefault(line.order_id, []).append(line.state)
    return found


def _site_name(db: Session, row: Round) -> str:
    station = site(db, row.supply_site_id)
    return station.name if station is not None else ""


def _orders(db: Session, district: int, order_ids: Collection[UUID]) -> dict[UUID, tuple[Order, Slot]]:
    rows = db.execute(
        sa.select(Order, Slot)
        .join(Slot, sa.and_(Slot.district == Order.district, Slot.id == Order.slot_id))
        .where(Order.district == district, Order.id.in_(order_ids))
    ).all()
    return {row.Order.id: (row.Order, row.Slot) for row in rows}


def _stop(db: Session, row: Round, stop: Mapping[str, Any], order: Order, slot: Slot) -> Stop:
    lines = stop["lines"]
    states = [line["state"] for line in lines]
    name = stop["name"]
    return Stop(
        order_id=stop["order_id"],
        trip=stop["trip"],
        position=stop["position"],
        arrive_at=stop["arrive_at"],
        slot=slot,
        state=order_state(states) if states else OrderState.CANCELLED,
        models=tuple(line["cylinder_model"] for line in lines),
        open_lines=tuple(line["line_id"] for line in lines if line["state"] in OPEN_STATES),
        loaded=states.count(LineState.LOADED),
        name=mask_name(name) if name is not None else None,
        address=stop["address"],
        phone=stop["phone"],
        point=stop.get("point"),
        hazards=tuple(open_hazards(db, row.district, stop["household_id"])),
        contactless=order.contactless,
    )

"""A trace as somebody reads it: step by step, with place, vehicle, both times; and where a link is missing.

Steps come from the evidence alone; where and with which vehicle is looked up from the ids they name.
A gap (缺一环) is a fact of custody whose giver did not hold the bottle, or a bottle that turned up at a site
though nobody took it from the household where it was.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.doing import Doing
from core.geo import Point, distance_m
from core.refusal import Refusal
from cylinders.custody import Holder, Projection, after, giver_of, in_order, stands, taker_of
from cylinders.models import CustodyConflict, CustodyFact
from dispatch.deliveries.models import Delivery
from dispatch.orders.models import Order
from dispatch.rounds.models import Round
from evidence.entry import Subject
from evidence.models import Outcome, SubjectType
from evidence.queries import ChainEntry
from oversight.queries import Trace
from registry.models import HolderKind, Household, Premises, Site, Vehicle

LATE_AFTER = timedelta(minutes=5)
"""A fact written down later than this is shown with both its times."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A site by name, or a door. ``from_door_m``: how far from it the phone of the courier was."""

    lon: float
    lat: float
    site: str | None
    from_door_m: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    entry: ChainEntry
    spot: Spot | None
    plate: str | None
    courier_id: UUID | None
    delivery: Delivery | None
    reasons: tuple[Refusal, ...]

    @property
    def at(self) -> datetime:
        return self.entry.occurred_at

    @property
    def verb(self) -> str:
        return str(self.entry.said["verb"])

    @property
    def payload(self) -> dict[str, Any]:
        return dict(self.entry.said["payload"])

    @property
    def was_refused(self) -> bool:
        return bool(self.entry.said["outcome"] == Outcome.REFUSED)

    @property
    def is_late(self) -> bool:
        return self.entry.recorded_at - self.entry.occurred_at > LATE_AFTER

    @property
    def is_hazard(self) -> bool:
        return bool(self.payload.get("check_findings")) or self.payload.get("check_outcome") == "refused"


@dataclass(frozen=True, slots=True)
class Gap:
    """A missing link. ``held_by``: by all that was known; ``giver`` and ``taker``: as reported."""

    at: datetime
    cylinder_id: UUID
    fact: CustodyFact
    held_by: Holder | None
    giver: Holder | None
    taker: Holder | None
    contested: bool
    resolved: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    trace: Trace
    rows: tuple[Step | Gap, ...]
    """Steps and gaps, by when they happened."""

    @property
    def gaps(self) -> list[Gap]:
        return [row for row in self.rows if isinstance(row, Gap)]

    @property
    def steps(self) -> list[Step]:
        return [row for row in self.rows if isinstance(row, Step)]

    @property
    def broken(self) -> list[Subject]:
        return [one.subject for one in self.trace.chains if not one.intact]


def timeline(doing: Doing, trace: Trace) -> Timeline:
    with doing.ground.sessions() as db:
        steps = _steps(db, doing.district, trace.events)
        bottles = [UUID(one.subject.key) for one in trace.chains if one.subject.type is SubjectType.CYLINDER]
        gaps = [gap for bottle in bottles for gap in gaps_of(db, bottle, trace.as_of)]
    rows: list[Step | Gap] = [*steps, *gaps]
    return Timeline(trace, tuple(sorted(rows, key=lambda row: row.at)))


# --- steps ------------------------------------------------------------------------------------------------

Row = TypeVar("Row")


def _steps(db: Session, district: int, events: Sequence[ChainEntry]) -> list[Step]:
    """Everything the entries name is read at once, by kind."""
    deliveries = _rows(db, Delivery, district, _noted(events, "delivery_id"))
    rounds = _rows(
        db,
        Round,
        district,
        {*_columns(events, "round_id"), *_noted(events, "round_id")}
        | {one.round_id for one in deliveries.values()},
    )
    vehicles = _rows(db, Vehicle, district, {one.vehicle_id for one in rounds.values()})
    sites = {
        site.id: site for site in db.scalars(sa.select(Site).where(Site.id.in_(_columns(events, "site_id"))))
    }
    doors = _doors(db, district, events)
    steps = []
    for event in events:
        delivery = _named(deliveries, event.said["payload"].get("delivery_id"))
        round_id = event.said["round_id"] or event.said["payload"].get("round_id")
        drive = rounds.get(delivery.round_id) if delivery is not None else _named(rounds, round_id)
        vehicle = vehicles.get(drive.vehicle_id) if drive is not None else None
        steps.append(
            Step(
                entry=event,
                spot=_spot(event, delivery, sites, doors),
                plate=vehicle.plate if vehicle is not None else None,
                courier_id=drive.courier_id if drive is not None else None,
                delivery=delivery,
                reasons=tuple(Refusal.from_plain(row) for row in event.said["reasons"]),
            )
        )
    return steps


AT_A_DOOR = {"order.deliver", "check.record", "door_code.issue", "order.fail", "hazard.tell", "scan.record"}


def _spot(
    event: ChainEntry, delivery: Delivery | None, sites: dict[UUID, Site], doors: dict[Subject, Point]
) -> Spot | None:
    """The door of the household or order it was about; else the site of the entry."""
    door = next((doors[subject] for subject in event.subjects if subject in doors), None)
    if delivery is not None and delivery.lon is not None and delivery.lat is not None:
        seen = Point(delivery.lon, delivery.lat)
        return Spot(seen.lon, seen.lat, None, round(distance_m(seen, door)) if door is not None else None)
    if door is not None and event.said["verb"] in AT_A_DOOR:
        return Spot(door.lon, door.lat, None)
    site = _named(sites, event.said["site_id"])
    return Spot(site.lon, site.lat, site.name) if site is not None else None


def _doors(db: Session, district: int, events: Sequence[ChainEntry]) -> dict[Subject, Point]:
    subjects = {subject for event in events for subject in event.subjects}
    found: dict[Subject, Point] = {}
    for kind, model in ((SubjectType.HOUSEHOLD, Household), (SubjectType.ORDER, Order)):
        keys = [UUID(subject.key) for subject in subjects if subject.type is kind]
        rows = db.execute(
            sa.select(model.id, Premises.lon, Premises.lat)
            .join(Premises, sa.and_(Premises.district == model.district, Premises.id == model.premises_id))
            .where(model.district == district, model.id.in_(keys))
        )
        found |= {Subject(kind, str(row.id)): Point(row.lon, row.lat) for row in rows}
    return found


def _columns(events: Iterable[ChainEntry], name: str) -> set[UUID]:
    return {UUID(event.said[name]) for event in events if event.said.get(name)}


def _noted(events: Iterable[ChainEntry], name: str) -> set[UUID]:
    return {UUID(event.said["payload"][name]) for event in events if event.said["payload"].get(name)}


def _rows(db: Session, model: type[Row], district: int, ids: Iterable[UUID]) -> dict[UUID, Row]:
    table: Any = model
    query = sa.select(model).where(table.district == district, table.id.in_(list(ids)))
    return {row.id: row for row in db.scalars(query)}  # type: ignore[attr-defined]  # each has its id


def _named(rows: dict[UUID, Row], identity: str | None) -> Row | None:
    return rows.get(UUID(identity)) if identity else None


# --- gaps -------------------------------------------------------------------------------------------------


def gaps_of(db: Session, cylinder_id: UUID, as_of: datetime) -> Iterator[Gap]:
    """The holes in a bottle's custody as known at ``as_of``."""
    facts = db.scalars(
        sa.select(CustodyFact).where(CustodyFact.cylinder_id == cylinder_id, CustodyFact.recorded_at <= as_of)
    ).all()
    conflicts = {
        conflict.fact_id: conflict
        for conflict in db.scalars(
            sa.select(CustodyConflict).where(CustodyConflict.cylinder_id == cylinder_id)
        )
    }
    before: Projection | None = None
    for place, fact in in_order(facts):
        if before is not None and _misses_a_link(before, fact):
            conflict = conflicts.get(fact.id)
            yield Gap(
                at=place.effective_at,
                cylinder_id=cylinder_id,
                fact=fact,
                held_by=before.holder,
                giver=giver_of(fact),
                taker=taker_of(fact),
                contested=conflict is not None,
                resolved=conflict is not None and conflict.resolved_at is not None,
            )
        before = after(before, fact, place)


def _misses_a_link(before: Projection, fact: CustodyFact) -> bool:
    if not stands(before, fact):
        return True
    holder, taker = before.holder, taker_of(fact)
    was_out = holder is not None and holder.kind is HolderKind.HOUSEHOLD
    is_back = taker is not None and taker.kind in (HolderKind.SITE, HolderKind.AGENCY)
    return was_out and is_back

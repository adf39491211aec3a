"""Reads of bindings for the rooms above: who drives what where, and whom and what a firm may bind."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import Grant, ScopeKind
from registry.models import Binding, Device, Staff, StaffKind, Vehicle


@dataclass(frozen=True, slots=True)
class BoundCrew:
    """A binding on one day, with seconds since that day's midnight, clipped to the day."""

    binding: Binding
    courier: Staff
    vehicle: Vehicle
    from_s: int
    until_s: int


def binding_at(db: Session, district: int, at: datetime, *, courier_id: UUID) -> Binding | None:
    """The courier's binding in force at ``at``. ``district`` is the firm's home."""
    return db.scalars(
        sa.select(Binding).where(
            Binding.district == district, Binding.courier_id == courier_id, Binding.span.contains(at)
        )
    ).one_or_none()


def principal_of_courier(db: Session, courier_id: UUID) -> UUID | None:
    """As whom this courier signs in, by the latest right given; None who never could."""
    rights = sa.select(Grant.principal_id).where(
        Grant.scope_kind == ScopeKind.COURIER, Grant.scope_code == str(courier_id)
    )
    return db.scalars(rights.order_by(Grant.from_at.desc(), Grant.id.desc()).limit(1)).first()


def bindings_of_device(
    db: Session, district: int, device_id: UUID, earliest: datetime, latest: datetime
) -> list[Binding]:
    """Every binding of the device that touches this span, its ends included."""
    return list(
        db.scalars(
            sa.select(Binding)
            .where(
                Binding.district == district,
                Binding.device_id == device_id,
                Binding.span.overlaps(sa.func.tstzrange(earliest, latest, "[]")),
            )
            .order_by(sa.func.lower(Binding.span), Binding.id)
        )
    )


def bindings_for_zone(db: Session, zone_district: int, zone_id: UUID, day: date) -> list[BoundCrew]:
    """Who may drive in this zone on ``day``, by the time they begin."""
    midnight, next_midnight = clock.at(day), clock.at(day + timedelta(days=1))
    rows = db.execute(
        sa.select(Binding, Staff, Vehicle)
        .join(Staff, sa.and_(Staff.district == Binding.district, Staff.id == Binding.courier_id))
        .join(Vehicle, sa.and_(Vehicle.district == Binding.district, Vehicle.id == Binding.vehicle_id))
        .where(
            Binding.zone_district == zone_district,
            Binding.zone_id == zone_id,
            Binding.span.overlaps(sa.func.tstzrange(midnight, next_midnight)),
        )
        .order_by(sa.func.lower(Binding.span), Binding.id)
    )

    def seconds(at: datetime | None, otherwise: datetime) -> int:
        clipped = min(max(at or otherwise, midnight), next_midnight)
        return int((clipped - midnight).total_seconds())

    return [
        BoundCrew(
            row.Binding,
            row.Staff,
            row.Vehicle,
            seconds(row.Binding.span.lower, midnight),
            seconds(row.Binding.span.upper, next_midnight),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class BoundPeople:
    """A binding with whom and what it binds."""

    binding: Binding
    courier: Staff
    vehicle: Vehicle
    device: Device


def ids_bound_on(db: Session, district: int, day: date, firm_id: UUID) -> set[UUID]:
    """Ids only, to lock them by; ``district`` is the firm's home."""
    return set(db.scalars(sa.select(Binding.id).where(_hold_on(district, day, firm_id))))


def _hold_on(district: int, day: date, firm_id: UUID | None) -> sa.ColumnElement[bool]:
    midnight, next_midnight = clock.at(day), clock.at(day + timedelta(days=1))
    return sa.and_(
        Binding.district == district,
        Binding.span.overlaps(sa.func.tstzrange(midnight, next_midnight)),
        sa.true() if firm_id is None else Binding.firm_id == firm_id,
    )


def bindings_on(db: Session, district: int, day: date, firm_id: UUID | None) -> list[BoundPeople]:
    """Bindings that hold at some time of ``day``; ``district`` is the firm's home, None: every firm's."""
    rows = db.execute(
        sa.select(Binding, Staff, Vehicle, Device)
        .join(Staff, sa.and_(Staff.district == Binding.district, Staff.id == Binding.courier_id))
        .join(Vehicle, sa.and_(Vehicle.district == Binding.district, Vehicle.id == Binding.vehicle_id))
        .join(Device, sa.and_(Device.district == Binding.district, Device.id == Binding.device_id))
        .where(_hold_on(district, day, firm_id))
        .order_by(sa.func.lower(Binding.span), Binding.id)
    )
    return [BoundPeople(*row) for row in rows]


def binding_with_people(db: Session, district: int, binding_id: UUID) -> BoundPeople:
    binding = db.get_one(Binding, (district, binding_id))
    return BoundPeople(
        binding,
        db.get_one(Staff, (district, binding.courier_id)),
        db.get_one(Vehicle, (district, binding.vehicle_id)),
        db.get_one(Device, (district, binding.device_id)),
    )


@dataclass(frozen=True, slots=True)
class CrewChoices:
    """Who and what a firm may bind: couriers, vehicles, devices that are not revoked."""

    couriers: list[Staff]
    vehicles: list[Vehicle]
    devices: list[Device]


def crew_choices(db: Session, district: int, firm_id: UUID | None) -> CrewChoices:
    """Of one firm, or of every firm at home in the district."""

    def of(model: type[Staff] | type[Vehicle] | type[Device]) -> sa.ColumnElement[bool]:
        here = model.district == district
        return here if firm_id is None else sa.and_(here, model.firm_id == firm_id)

    couriers = sa.select(Staff).where(of(Staff), Staff.kind == StaffKind.COURIER).order_by(Staff.id)
    vehicles = sa.select(Vehicle).where(of(Vehicle)).order_by(Vehicle.plate)
    devices = sa.select(Device).where(of(Device), Device.revoked_at.is_(None)).order_by(Device.label)
    return CrewChoices(list(db.scalars(couriers)), list(db.scalars(vehicles)), list(db.scalars(devices)))

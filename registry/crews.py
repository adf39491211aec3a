"""Verbs: a firm's staff, vehicles and devices, and the bindings of the three (人车对应).

They are filed in the district of the firm's home, whose code must be the one in the address.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Range

from core import clock
from core.ids import new_id
from core.problems import NotFound, WrongField
from core.refusal import Refusal, Refused
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import crew_refusals as no
from registry import sealing
from registry.documents import WrongDocument, check_plate
from registry.mentions import my_home_firm, resting, unknown
from registry.models import Binding, Device, Staff, StaffKind, Vehicle, VehicleKind, Zone
from registry.trainings import TrainingGiven, enter_trainings, is_trained
from rulebook import current


@does("staff.register")
def register_staff(
    deed: Deed,
    *,
    firm_id: UUID,
    kind: StaffKind,
    name: str,
    phone: str,
    certificate_no: str,
    certificate_from: date,
    certificate_until: date,
    trainings: Sequence[TrainingGiven] = (),
) -> Answer:
    firm = my_home_firm(deed, firm_id)
    staff_id = new_id()
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=firm.id)
    deed.note(
        staff_id=staff_id,
        kind=kind,
        certificate_from=certificate_from,
        certificate_until=certificate_until,
    )
    deed.db.add(
        Staff(
            district=deed.district,
            id=staff_id,
            firm_id=firm.id,
            kind=kind,
            name_sealed=sealing.seal_staff(deed.db, deed.ground, staff_id, "name_sealed", name),
            phone_sealed=sealing.seal_staff(deed.db, deed.ground, staff_id, "phone_sealed", phone),
            certificate_no=certificate_no,
            certificate_from=certificate_from,
            certificate_until=certificate_until,
            recorded_at=deed.recorded_at,
        )
    )
    deed.db.flush()
    enter_trainings(deed, staff_id, trainings)
    return {"staff_id": str(staff_id)}


@does("vehicle.register")
def register_vehicle(
    deed: Deed,
    *,
    firm_id: UUID,
    kind: VehicleKind,
    plate: str,
    permit_no: str,
    permit_from: date,
    permit_until: date,
    max_cylinders: int,
    max_nominal_g: int,
    max_trips: int,
    carries_50kg: bool,
) -> Answer:
    firm = my_home_firm(deed, firm_id)
    vehicle = Vehicle(
        district=deed.district,
        id=new_id(),
        firm_id=firm.id,
        kind=kind,
        plate=_plate(plate, kind),
        permit_no=permit_no,
        permit_from=permit_from,
        permit_until=permit_until,
        max_cylinders=max_cylinders,
        max_nominal_g=max_nominal_g,
        max_trips=max_trips,
        carries_50kg=carries_50kg,
        recorded_at=deed.recorded_at,
    )
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=firm.id)
    deed.note(vehicle_id=vehicle.id, kind=kind, permit_from=permit_from, permit_until=permit_until)
    same_plate = sa.select(Vehicle.id).where(
        Vehicle.district == deed.district, Vehicle.plate == vehicle.plate
    )
    if deed.db.scalars(same_plate).first() is not None:
        raise Refused([no.PLATE_TAKEN()])
    deed.db.add(vehicle)
    return {"vehicle_id": str(vehicle.id)}


@does("binding.bind")
def bind(
    deed: Deed,
    *,
    firm_id: UUID,
    courier_id: UUID,
    vehicle_id: UUID,
    device_id: UUID,
    zone_district: int,
    zone_id: UUID,
    from_at: datetime,
    until_at: datetime | None = None,
) -> Answer:
    """From ``from_at`` up to, not including, ``until_at`` (None: until it is ended).

    It may begin earlier today, never on a day gone by: nobody may legalise yesterday's round.
    """
    firm = my_home_firm(deed, firm_id)
    _span_must_be_sound(deed, from_at, until_at)
    courier, vehicle, device = crew_named(deed, firm.id, courier_id, vehicle_id, device_id)
    zone = deed.db.get(Zone, (zone_district, zone_id))
    if zone is None or zone.firm_id != firm.id:
        raise unknown("/zone_id")
    binding = Binding(
        district=deed.district,
        id=new_id(),
        firm_id=firm.id,
        courier_id=courier.id,
        vehicle_id=vehicle.id,
        device_id=device.id,
        zone_district=zone.district,
        zone_id=zone.id,
        span=Range(from_at, until_at),
        recorded_at=deed.recorded_at,
    )
    deed.about(SubjectType.BINDING, binding.id)
    deed.at(firm=firm.id, zone=zone.id)
    deed.note(
        binding_id=binding.id,
        courier_id=courier.id,
        vehicle_id=vehicle.id,
        device_id=device.id,
        from_at=from_at,
        until_at=until_at,
    )
    reasons = [*paper_refusals(deed, courier, vehicle, device, from_at, until_at)]
    reasons += already_bound(deed, binding)
    if reasons:
        raise Refused(reasons)
    deed.db.add(binding)
    return {"binding_id": str(binding.id)}


@does("binding.end")
def end_binding(deed: Deed, binding_id: UUID, *, ended_at: datetime | None = None) -> Answer:
    """End it at ``ended_at`` (now, if not said). What has not begun is withdrawn: its span becomes empty."""
    seen = deed.db.get(Binding, (deed.district, binding_id))
    if seen is None:
        raise NotFound
    deed.actor.must_reach(firm=seen.firm_id, district=deed.district)
    binding = deed.db.get_one(
        Binding, (deed.district, binding_id), with_for_update=True, populate_existing=True
    )
    at = ended_at or deed.recorded_at
    if at < deed.recorded_at:
        raise WrongField(
            "/ended_at",
            "past",
            "结束时间不能早于现在：已经发生的配送有绑定为据",
            "expected now or later: what has been driven rests on the binding",
        )
    deed.about(SubjectType.BINDING, binding.id)
    deed.at(firm=binding.firm_id, zone=binding.zone_id)
    deed.note(binding_id=binding.id, ended_at=at)
    span = binding.span
    if span.isempty or (span.upper is not None and span.upper <= deed.recorded_at):
        raise Refused([no.BINDING_ENDED()])
    if span.lower is not None and at <= span.lower:
        binding.span = Range(empty=True)
    elif span.upper is None or at < span.upper:
        binding.span = Range(span.lower, at)
    return {"binding_id": str(binding.id)}


def crew_named(
    deed: Deed, firm_id: UUID, courier_id: UUID, vehicle_id: UUID, device_id: UUID
) -> tuple[Staff, Vehicle, Device]:
    """The firm's courier, vehicle and device that the body names."""
    courier = deed.db.get(Staff, (deed.district, courier_id))
    if courier is None or courier.firm_id != firm_id or courier.kind is not StaffKind.COURIER:
        raise unknown("/courier_id")
    vehicle = deed.db.get(Vehicle, (deed.district, vehicle_id))
    if vehicle is None or vehicle.firm_id != firm_id:
        raise unknown("/vehicle_id")
    device = deed.db.get(Device, (deed.district, device_id))
    if device is None or device.firm_id != firm_id:
        raise unknown("/device_id")
    return courier, vehicle, device


def _plate(plate: str, kind: VehicleKind) -> str:
    try:
        return check_plate(plate, motor=kind is VehicleKind.SMALL_TRUCK).normalised
    except WrongDocument as wrong:
        raise WrongField("/plate", wrong.code, wrong.zh, wrong.en) from None


def _span_must_be_sound(deed: Deed, from_at: datetime, until_at: datetime | None) -> None:
    if until_at is not None and until_at <= from_at:
        raise WrongField("/until_at", "order", "结束时间应晚于开始时间", "expected an instant after from_at")
    if clock.day_of(from_at) < clock.day_of(deed.recorded_at):
        raise WrongField(
            "/from_at",
            "past",
            "不能补办过去日子的绑定",
            "expected today or later: days gone by are not bound",
        )


def paper_refusals(
    deed: Deed,
    courier: Staff,
    vehicle: Vehicle,
    device: Device,
    from_at: datetime,
    until_at: datetime | None,
) -> Iterator[Refusal]:
    """The papers must hold on every day of the span; of an open span, on its first day."""
    from_on = clock.day_of(from_at)
    # The span does not include its end: ended at midnight, it never touched that day.
    until_on = clock.day_of(until_at - timedelta(microseconds=1)) if until_at else from_on
    papers = (
        (no.CERTIFICATE_NOT_IN_FORCE, courier.certificate_from, courier.certificate_until),
        (no.PERMIT_NOT_IN_FORCE, vehicle.permit_from, vehicle.permit_until),
    )
    for reason, valid_from, valid_until in papers:
        if not (valid_from <= from_on and until_on <= valid_until):
            refusal = reason(
                valid_from=valid_from, valid_until=valid_until, from_on=from_on, until_on=until_on
            )
            yield resting(deed, refusal)
    asks_training = current().look("D10", str(deed.district), from_on) is not None
    if asks_training and not is_trained(deed.db, courier.district, courier.id, from_on, until_on):
        yield resting(deed, no.TRAINING_NOT_IN_FORCE(from_on=from_on, until_on=until_on))
    if device.revoked_at is not None:
        yield resting(deed, no.DEVICE_REVOKED())


def already_bound(deed: Deed, binding: Binding) -> list[Refusal]:
    """Every clash at once; the database refuses the first it meets, also in a race."""
    clashes = (
        (no.COURIER_BOUND, Binding.courier_id == binding.courier_id),
        (no.VEHICLE_BOUND, Binding.vehicle_id == binding.vehicle_id),
        (no.DEVICE_BOUND, Binding.device_id == binding.device_id),
    )
    return [
        reason(binding=other)
        for reason, same in clashes
        if (other := _overlapping(deed, binding, same)) is not None
    ]


def _overlapping(deed: Deed, binding: Binding, same: sa.ColumnElement[bool]) -> UUID | None:
    return deed.db.scalars(
        sa.select(Binding.id)
        .where(Binding.district == deed.district, same, Binding.span.overlaps(binding.span))
        .order_by(Binding.id)
        .limit(1)
    ).first()

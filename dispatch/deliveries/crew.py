"""Who is on the road with what, as both gates ask it: binding, zone, papers, and what is on the vehicle.

All of it as it stood when the thing happened, not as it stands now.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.problems import NotFound
from core.refusal import Refusal
from cylinders.models import Cylinder, CylinderCustody
from dispatch.deliveries import refusals as no
from dispatch.deliveries.models import Delivery, LineLoad, VisitOutcome
from dispatch.orders.models import Order
from dispatch.rounds.models import Round
from dispatch.rounds.queries import round_of, zone_approval
from dispatch.rounds.states import RoundState
from evidence.deed import Deed
from evidence.models import SubjectType
from registry.crew_queries import binding_at
from registry.models import Binding, HolderKind, Premises, Vehicle
from registry.queries import staff, vehicle
from registry.trainings import training_span
from registry.zone_queries import zone_at
from rulebook.term import Term


@dataclass(frozen=True, slots=True)
class CrewFacts:
    """``binding`` is the round's own if it was in force; ``vehicle`` the round's.

    ``approved_outside_zone``: a dispatcher had approved this order on this round by then.
    """

    binding: Binding | None
    in_zone: bool | None
    approved_outside_zone: bool
    vehicle: Vehicle | None
    vehicle_permit: Term | None
    courier_certificate: Term | None
    courier_training: Term | None


@dataclass(frozen=True, slots=True)
class OnBoard:
    """A bottle that is with the round's courier by the last scan."""

    cylinder_id: UUID
    model: str
    full: bool


def crew_facts(db: Session, round: Round, order: Order, at: datetime) -> CrewFacts:
    bound = binding_at(db, round.binding_district, at, courier_id=round.courier_id)
    driven = vehicle(db, round.binding_district, round.vehicle_id)
    courier = staff(db, round.binding_district, round.courier_id)
    return CrewFacts(
        binding=bound if bound is not None and bound.id == round.binding_id else None,
        in_zone=_in_zone(db, order, bound, clock.day_of(at)),
        approved_outside_zone=_approved(db, round, order, at),
        vehicle=driven,
        vehicle_permit=Term(driven.permit_from, driven.permit_until) if driven is not None else None,
        courier_certificate=(
            Term(courier.certificate_from, courier.certificate_until) if courier is not None else None
        ),
        courier_training=_training(db, round, clock.day_of(at)),
    )


def _training(db: Session, round: Round, day: date) -> Term | None:
    span = training_span(db, round.binding_district, round.courier_id, day)
    return Term(*span) if span is not None else None


def _in_zone(db: Session, order: Order, bound: Binding | None, day: date) -> bool | None:
    """Whether the premises lie in the binding's zone, by the zones in force that day; None without one."""
    if bound is None:
        return None
    premises = db.get_one(Premises, (order.district, order.premises_id))
    zone = zone_at(db, order.district, premises.lon, premises.lat, day)
    return zone is not None and zone.id == bound.zone_id


def _approved(db: Session, round: Round, order: Order, at: datetime) -> bool:
    approval = zone_approval(db, round.district, round.id, order.id)
    return approval is not None and approval.approved_at <= at


def locked_round(deed: Deed, seen: Round) -> Round:
    """The round once more, locked after its binding, and named in the entry."""
    deed.db.execute(
        sa.select(Binding.id)
        .where(Binding.district == seen.binding_district, Binding.id == seen.binding_id)
        .with_for_update(read=True)
    )
    round = round_of(deed.db, seen.district, seen.id, lock=True)
    if round is None:
        raise NotFound
    deed.about(SubjectType.BINDING, round.binding_id)
    deed.at(firm=round.firm_id, site=round.supply_site_id, zone=round.zone_id, round=round.id)
    deed.note(round_id=round.id)
    return round


def round_refusals(round: Round) -> list[Refusal]:
    """Nothing is loaded, visited or brought back but on a round that is being driven."""
    if round.state is RoundState.STARTED:
        return []
    return [no.ROUND_NOT_STARTED(state=round.state)]


def on_board(db: Session, round: Round) -> list[OnBoard]:
    """Bottles loaded for the round, and empties taken on it, that the courier still has. Lock the round."""
    loaded = sa.select(LineLoad.cylinder_id).where(
        LineLoad.district == round.district, LineLoad.round_id == round.id, LineLoad.active
    )
    taken = sa.select(Delivery.empty_cylinder_id).where(
        Delivery.district == round.district,
        Delivery.round_id == round.id,
        Delivery.outcome == VisitOutcome.DELIVERED,
        Delivery.empty_cylinder_id.is_not(None),
    )
    touched = list(db.scalars(sa.union(loaded, taken)))
    rows = db.execute(
        sa.select(Cylinder.cylinder_id, Cylinder.model, CylinderCustody.full)
        .join(CylinderCustody, CylinderCustody.cylinder_id == Cylinder.cylinder_id)
        .where(
            Cylinder.cylinder_id.in_(touched),
            CylinderCustody.holder_kind == HolderKind.COURIER,
            CylinderCustody.holder_id == round.courier_id,
        )
        .order_by(Cylinder.cylinder_id)
    )
    return [OnBoard(row.cylinder_id, row.model, row.full) for row in rows]

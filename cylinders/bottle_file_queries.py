"""The file of a bottle, whole, and who may read it: its owner, its holder, an agency, its places."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.auth import ScopeKind
from core.doing import Doing
from core.problems import NotFound
from cylinders.life_models import InspectionSending, LifeExtension, RegistrationAct, Seizure
from cylinders.models import (
    Cylinder,
    CylinderCustody,
    CylinderIdentifier,
    CylinderType,
    Filling,
    Hold,
    Inspection,
    Scrapping,
)
from cylinders.queries import custody_of
from registry.models import Account, Card, Firm, HolderKind, Site, Staff


@dataclass(frozen=True, slots=True)
class BottleFile:
    """Everything filed about one bottle, oldest first, and who holds it now."""

    cylinder: Cylinder
    type: CylinderType | None
    identifiers: Sequence[CylinderIdentifier]
    inspections: Sequence[Inspection]
    fillings: Sequence[Filling]
    holds: Sequence[Hold]
    scrapping: Scrapping | None
    custody: CylinderCustody | None
    extensions: Sequence[LifeExtension]
    registration_acts: Sequence[RegistrationAct]
    sendings: Sequence[InspectionSending]
    seizure: Seizure | None


def cylinder_file(doing: Doing, cylinder_id: UUID) -> BottleFile:
    """The file, for the owner's firm, whoever holds the bottle, an agency, and the places it belongs to."""
    with doing.ground.sessions() as db:
        cylinder = db.get(Cylinder, cylinder_id)
        if cylinder is None:
            raise NotFound
        must_reach_bottle(db, doing, cylinder)

        def filed(model: Any, *order: Any) -> Sequence[Any]:
            return db.scalars(sa.select(model).where(model.cylinder_id == cylinder_id).order_by(*order)).all()

        return BottleFile(
            cylinder,
            db.get(CylinderType, cylinder.model),
            filed(CylinderIdentifier, CylinderIdentifier.scheme, CylinderIdentifier.value),
            filed(Inspection, Inspection.inspected_on, Inspection.id),
            filed(Filling, Filling.filled_at, Filling.id),
            filed(Hold, Hold.from_at, Hold.id),
            db.get(Scrapping, cylinder_id),
            custody_of(db, cylinder_id),
            filed(LifeExtension, LifeExtension.assessed_on, LifeExtension.id),
            filed(RegistrationAct, RegistrationAct.done_on, RegistrationAct.id),
            filed(InspectionSending, InspectionSending.sent_at, InspectionSending.id),
            db.get(Seizure, cylinder_id),
        )


def must_reach_bottle(db: Session, doing: Doing, cylinder: Cylinder) -> None:
    """404 unless the bottle is the caller's firm's, with the caller, in the caller's district, or was sent to
    the caller's agency."""
    reach = doing.actor.reach
    if reach.kind is ScopeKind.AGENCY:
        if not was_sent_to(db, cylinder.cylinder_id, UUID(reach.code)):
            raise NotFound
        return
    if not any(reach.covers(**ids) for ids in _belongs_to(db, cylinder)):
        raise NotFound


def was_sent_to(db: Session, cylinder_id: UUID, agency_id: UUID) -> bool:
    """By its owner or by an authority, at any time: what the agency then found, it may read for ever."""
    sent = sa.exists().where(
        InspectionSending.cylinder_id == cylinder_id, InspectionSending.agency_id == agency_id
    )
    return bool(db.scalar(sa.select(sent)))


def is_with_agency(db: Session, cylinder_id: UUID, agency_id: UUID) -> bool:
    """Sent or seized to this agency and not answered yet; or answered, and still there."""
    open_to = db.scalar(
        sa.select(InspectionSending.agency_id).where(
            InspectionSending.cylinder_id == cylinder_id, InspectionSending.answered_at.is_(None)
        )
    )
    if open_to is not None:
        return open_to == agency_id
    custody = custody_of(db, cylinder_id)
    return custody is not None and (custody.holder_kind, custody.holder_id) == (HolderKind.AGENCY, agency_id)


def _belongs_to(db: Session, cylinder: Cylinder) -> list[dict[str, object]]:
    """The sets of ids by which a scope can reach a bottle: its owner, who it is entrusted to, its holder."""
    reached: list[dict[str, object]] = []
    firms = [one for one in (cylinder.owner_firm_id, cylinder.entrusted_to_firm_id) if one]
    for firm in db.scalars(sa.select(Firm).where(Firm.id.in_(firms))):
        reached.append({"firm": firm.id, "district": firm.home_district})
    for site_id in db.scalars(sa.select(Site.id).where(Site.firm_id.in_(firms))):
        reached.append({"site": site_id})
    custody = custody_of(db, cylinder.cylinder_id)
    if custody is not None:
        reached.append({"district": custody.district})
        if custody.holder_kind is HolderKind.SITE and custody.holder_id:
            site = db.get_one(Site, custody.holder_id)
            reached.append({"site": site.id, "firm": site.firm_id, "district": site.district})
        if custody.holder_kind is HolderKind.COURIER:
            firm_id = db.scalar(sa.select(Staff.firm_id).where(Staff.id == custody.holder_id))
            reached.append({"courier": custody.holder_id, "firm": firm_id})
        if custody.card_id is not None:
            reached.append({"firm": _firm_of_card(db, custody.district, custody.card_id)})
    return reached


def _firm_of_card(db: Session, district: int, card_id: UUID) -> UUID | None:
    return db.scalar(
        sa.select(Account.firm_id)
        .join(Card, sa.and_(Card.district == Account.district, Card.account_id == Account.id))
        .where(Card.district == district, Card.id == card_id)
    )

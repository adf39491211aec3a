"""Verbs and reads of inspection agencies (检验机构), each under its approval. An administrator's."""

from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.doing import Doing
from core.ids import new_id
from core.problems import WrongField
from core.refusal import Refused
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import firm_refusals as no
from registry.mentions import unknown
from registry.models import InspectionAgency
from rulebook.term import Term


@does("agency.register")
def register_agency(
    deed: Deed,
    *,
    name: str,
    home_district: int,
    approval_no: str,
    approved_from: date,
    approved_until: date,
    id: UUID | None = None,
) -> Answer:
    """``id``: the one its grants already name, where it was given rights before there was a register."""
    if not deed.actor.reach.covers(district=home_district):
        raise unknown("/home_district")
    if approved_until < approved_from:
        raise WrongField("/approved_until", "range", "不能早于起始日", "expected a day not before the first")
    agency_id = id or new_id()
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.note(agency_id=agency_id, approval_no=approval_no, home_district=home_district)
    deed.note(approved_from=approved_from, approved_until=approved_until)
    if deed.db.get(InspectionAgency, agency_id) is not None:
        raise Refused([no.AGENCY_TAKEN()])
    deed.db.add(
        InspectionAgency(
            id=agency_id,
            home_district=home_district,
            name=name,
            approval_no=approval_no,
            approved_from=approved_from,
            approved_until=approved_until,
            recorded_at=deed.recorded_at,
        )
    )
    return {"agency_id": str(agency_id)}


def approval_of(db: Session, agency_id: UUID) -> Term | None:
    """From when till when the agency is approved; None if it is not on the register."""
    agency = db.get(InspectionAgency, agency_id)
    return Term(agency.approved_from, agency.approved_until) if agency is not None else None


def agency_view(doing: Doing, agency_id: str) -> InspectionAgency:
    with doing.ground.sessions() as db:
        return db.get_one(InspectionAgency, UUID(agency_id))


def agencies(doing: Doing) -> dict[str, Any]:
    """All of them, by name: whoever sends a bottle away must be able to say where."""
    with doing.ground.sessions() as db:
        found = db.scalars(sa.select(InspectionAgency).order_by(InspectionAgency.name, InspectionAgency.id))
        return {"items": list(found)}

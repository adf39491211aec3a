"""Lists of what is out of use or doubtful: sendings, anomalies, unfit bottles, seizures, sightings.

Each is for whom it concerns: the firm its own bottles', an agency what was sent to it, the authority its
district's, a street what concerns its homes: bottles on their cards, and what its own officers saw. Oldest
first, paged.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from core.auth import Grant, ScopeKind
from core.doing import Doing
from core.paging import Page, Pager
from core.problems import NotFound
from cylinders.life_models import InspectionAnomaly, InspectionSending, Seizure, Sighting, UnfitReport
from cylinders.models import Cylinder, CylinderCustody
from registry.models import HolderKind
from registry.queries import cards_of_street, households_of_street


def open_sendings(doing: Doing, *, limit: int, cursor: str | None = None) -> Page:
    """Sent to an agency and not answered yet; ``received_at`` null: still on its way."""
    query = sa.select(InspectionSending).where(InspectionSending.answered_at.is_(None))
    return _page(
        doing,
        "sendings",
        query,
        InspectionSending.sent_at,
        InspectionSending.id,
        limit,
        cursor,
        {
            ScopeKind.FIRM: InspectionSending.firm_id,
            ScopeKind.AGENCY: InspectionSending.agency_id,
            ScopeKind.DISTRICT: InspectionSending.district,
        },
        lambda street: _at_home(InspectionSending.cylinder_id, street),
    )


def anomalies(doing: Doing, *, limit: int, cursor: str | None = None) -> Page:
    """Reports that are doubtful. For the authority; an agency is not told what is held against it here."""
    return _page(
        doing,
        "anomalies",
        sa.select(InspectionAnomaly),
        InspectionAnomaly.found_at,
        InspectionAnomaly.id,
        limit,
        cursor,
        {ScopeKind.DISTRICT: InspectionAnomaly.district},
        lambda street: _at_home(InspectionAnomaly.cylinder_id, street),
    )


def unfit_reports(doing: Doing, *, limit: int, cursor: str | None = None) -> Page:
    """What was reported to the registering authority, and whose bottle it is."""
    return _page(
        doing,
        "unfit",
        sa.select(UnfitReport),
        UnfitReport.reported_at,
        UnfitReport.id,
        limit,
        cursor,
        {ScopeKind.FIRM: UnfitReport.registered_by_firm_id, ScopeKind.DISTRICT: UnfitReport.district},
        lambda street: _at_home(UnfitReport.cylinder_id, street),
    )


def seizures(doing: Doing, *, limit: int, cursor: str | None = None) -> Page:
    """Seized bottles with the agency's receipt; a firm sees those that were its own."""
    query = sa.select(Seizure).join(Cylinder, Cylinder.cylinder_id == Seizure.cylinder_id)
    return _page(
        doing,
        "seizures",
        query,
        Seizure.seized_at,
        Seizure.cylinder_id,
        limit,
        cursor,
        {
            ScopeKind.FIRM: Cylinder.owner_firm_id,
            ScopeKind.AGENCY: Seizure.agency_id,
            ScopeKind.DISTRICT: Seizure.district,
        },
        lambda street: sa.and_(
            Seizure.from_kind == HolderKind.HOUSEHOLD, Seizure.from_id.in_(households_of_street(street))
        ),
    )


def sightings(doing: Doing, *, limit: int, cursor: str | None = None) -> Page:
    """Bottles that should not be there, with the place and the photograph's hash. For the authority."""
    return _page(
        doing,
        "sightings",
        sa.select(Sighting),
        Sighting.recorded_at,
        Sighting.id,
        limit,
        cursor,
        {ScopeKind.DISTRICT: Sighting.district},
        lambda street: sa.or_(_seen_by(street), _at_home(Sighting.cylinder_id, street)),
    )


def one_sighting(doing: Doing, district: int, sighting_id: str) -> Sighting:
    """For whoever has just reported it."""
    with doing.ground.sessions() as db:
        return db.get_one(Sighting, (district, UUID(sighting_id)))


def _at_home(cylinder_id: Any, street: str) -> sa.ColumnElement[bool]:
    """The bottle stands with a household of that street now."""
    there = sa.select(CylinderCustody.cylinder_id).where(
        CylinderCustody.card_id.in_(cards_of_street(street)), CylinderCustody.district == int(street[:6])
    )
    at_home: sa.ColumnElement[bool] = cylinder_id.in_(there)
    return at_home


def _seen_by(street: str) -> sa.ColumnElement[bool]:
    officers = sa.select(Grant.principal_id).where(
        Grant.scope_kind == ScopeKind.STREET, Grant.scope_code == street
    )
    return Sighting.reported_by.in_(officers)


def _page(
    doing: Doing,
    name: str,
    query: sa.Select[Any],
    at: Any,
    row_id: Any,
    limit: int,
    cursor: str | None,
    within: Mapping[ScopeKind, Any],
    of_street: Callable[[str], sa.ColumnElement[bool]],
) -> Page:
    """``within``: the column that a scope of that kind is compared with, ``of_street``: what is a street's;
    any other scope finds nothing."""
    reach = doing.actor.reach
    if reach.kind is ScopeKind.STREET:
        query = query.where(of_street(reach.code))
    elif reach.kind is not ScopeKind.ALL:
        if reach.kind not in within:
            raise NotFound
        own = int(reach.code) if reach.kind is ScopeKind.DISTRICT else UUID(reach.code)
        query = query.where(within[reach.kind] == own)
    pager = Pager(doing.ground.keyring.signing.current_key, f"{name}:{reach.kind.value}:{reach.code}")
    with doing.ground.sessions() as db:
        page = pager.page(
            db,
            query,
            at.expression,
            row_id.expression,
            limit=limit,
            cursor=cursor,
            position=lambda row: (getattr(row[0], at.key), getattr(row[0], row_id.key)),
        )
        return Page([row[0] for row in page.items], page.next_cursor)

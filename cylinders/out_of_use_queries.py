"""Lists of what is out of use or doubtful: sendings, anomalies, unfit bottles, seizures, sightings.

Each is for whom it concerns: the firm its own bottles', an agency what was sent to it, the authority its
district's. Oldest first, paged.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from core.auth import ScopeKind
from core.doing import Doing
from core.paging import Page, Pager
from core.problems import NotFound
from cylinders.life_models import InspectionAnomaly, InspectionSending, Seizure, Sighting, UnfitReport
from cylinders.models import Cylinder


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
    )


def one_sighting(doing: Doing, district: int, sighting_id: str) -> Sighting:
    """For whoever has just reported it."""
    with doing.ground.sessions() as db:
        return db.get_one(Sighting, (district, UUID(sighting_id)))


def _page(
    doing: Doing,
    name: str,
    query: sa.Select[Any],
    at: Any,
    row_id: Any,
    limit: int,
    cursor: str | None,
    within: Mapping[ScopeKind, Any],
) -> Page:
    """``within``: the column that a scope of that kind is compared with; any other scope finds nothing."""
    reach = doing.actor.reach
    if reach.kind is not ScopeKind.ALL:
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

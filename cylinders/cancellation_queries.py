"""待注销: unfit bottles whose use registration nobody has cancelled yet, with the day by which it must be.

A bottle failed its last inspection, or was reported altered, unlawfully made or with a screwed-on guard. It
is held at once; that its registration ends is a paper somebody has to bring (特种设备安全法第48条). The day
is reckoned by the rulebook (F05.cancel_within_days) and never stored. A bottle that passed later is not in
the queue for the failure before; one that was scrapped stays until the paper is there.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from core import clock
from core.auth import Reach, ScopeKind
from core.doing import Doing
from core.paging import Page, Pager
from core.problems import NotFound
from core.refusal import Basis
from cylinders.life_models import RegistrationAct, RegistrationKind, UnfitReason, UnfitReport
from cylinders.models import Cylinder, CylinderCustody, Inspection
from cylinders.queries import labels_of
from cylinders.states import CylinderState
from registry.models import Firm
from registry.queries import cards_of_street
from rulebook import current
from rulebook.edition import Law

WITHIN = "F05.cancel_within_days"


@dataclass(frozen=True, slots=True)
class CancellationDue:
    """``days`` until the registration must be cancelled, negative once it should have been."""

    cylinder_id: UUID
    code: str | None
    model: str
    state: CylinderState
    registered_by_firm_id: UUID | None
    why: UnfitReason
    reference: str
    found_at: datetime
    due_on: date
    days: int


def cancellations_due(doing: Doing, *, limit: int, cursor: str | None = None) -> Page:
    """What has waited longest first."""
    reach, today = doing.actor.reach, clock.today()
    found = _unfit()
    query = (
        sa.select(
            found,
            Cylinder.model,
            Cylinder.state,
            Cylinder.registered_by_firm_id,
        )
        .join(Cylinder, Cylinder.cylinder_id == found.c.cylinder_id)
        .outerjoin(CylinderCustody, CylinderCustody.cylinder_id == found.c.cylinder_id)
        .where(~_cancelled(found.c.cylinder_id), *_in_reach(reach))
    )
    pager = Pager(doing.ground.keyring.signing.current_key, f"cancellations:{reach.kind.value}:{reach.code}")
    with doing.ground.sessions() as db:
        page = pager.page(
            db,
            query,
            found.c.found_at,
            found.c.cylinder_id,
            limit=limit,
            cursor=cursor,
            position=lambda row: (row.found_at, row.cylinder_id),
        )
        return Page(_views(db, page.items, law_of(doing), today), page.next_cursor)


def law_of(doing: Doing) -> Law:
    return current().at(str(doing.district), clock.today())


def basis_of(doing: Doing) -> Basis | None:
    """On what the day rests, for a page that shows it."""
    return law_of(doing).basis(WITHIN)


def within_days(law: Law) -> int:
    """Where no rule gives a number, it is due at once."""
    return law.integer(WITHIN) or 0


def _views(db: Session, rows: Any, law: Law, today: date) -> list[CancellationDue]:
    labels, days = labels_of(db, [row.cylinder_id for row in rows]), timedelta(days=within_days(law))
    found = []
    for row in rows:
        due_on = clock.day_of(row.found_at) + days
        found.append(
            CancellationDue(
                row.cylinder_id,
                labels.get(row.cylinder_id),
                row.model,
                row.state,
                row.registered_by_firm_id,
                UnfitReason(row.why),
                row.reference,
                row.found_at,
                due_on,
                (due_on - today).days,
            )
        )
    return found


def _in_reach(reach: Reach) -> list[sa.ColumnElement[bool]]:
    """Of the firm on whose name it is registered (or whose it is), of a street's homes, of the district's
    firms and places. An agency has said what it had to say."""
    match reach.kind:
        case ScopeKind.ALL:
            return []
        case ScopeKind.DISTRICT:
            at_home = sa.select(Firm.id).where(Firm.home_district == int(reach.code))
            return [
                sa.or_(
                    CylinderCustody.district == int(reach.code),
                    Cylinder.registered_by_firm_id.in_(at_home),
                )
            ]
        case ScopeKind.STREET:
            return [CylinderCustody.card_id.in_(cards_of_street(reach.code))]
        case ScopeKind.FIRM:
            firm_id = UUID(reach.code)
            return [sa.or_(Cylinder.registered_by_firm_id == firm_id, Cylinder.owner_firm_id == firm_id)]
    raise NotFound


def _unfit() -> sa.Subquery:
    """Each unfit bottle once, with what was found first of what still stands."""
    later = aliased(Inspection)
    overtaken = sa.exists().where(
        later.cylinder_id == Inspection.cylinder_id,
        sa.tuple_(later.inspected_on, later.id) > sa.tuple_(Inspection.inspected_on, Inspection.id),
    )
    failed = sa.select(
        Inspection.cylinder_id,
        sa.literal(UnfitReason.FAILED_INSPECTION.value).label("why"),
        Inspection.report_no.label("reference"),
        Inspection.recorded_at.label("found_at"),
    ).where(~Inspection.passed, ~overtaken)
    reported = sa.select(
        UnfitReport.cylinder_id,
        sa.cast(UnfitReport.why, sa.String).label("why"),
        UnfitReport.reference,
        UnfitReport.reported_at.label("found_at"),
    ).where(UnfitReport.why != UnfitReason.FAILED_INSPECTION)
    every = sa.union_all(failed, reported).subquery()
    first = sa.func.row_number().over(
        partition_by=every.c.cylinder_id, order_by=(every.c.found_at, every.c.reference)
    )
    ranked = sa.select(every, first.label("place")).subquery()
    return sa.select(
        ranked.c.cylinder_id, ranked.c.why, ranked.c.reference, ranked.c.found_at
    ).where(ranked.c.place == 1).subquery()  # fmt: skip


def _cancelled(cylinder_id: Any) -> sa.ColumnElement[bool]:
    return sa.exists().where(
        RegistrationAct.cylinder_id == cylinder_id, RegistrationAct.kind == RegistrationKind.CANCELLED
    )

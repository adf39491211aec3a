"""Reads of custody behind our own routes: a bottle's facts with what became of each, and open conflicts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from core.auth import ScopeKind
from core.doing import Doing
from core.paging import Page, Pager
from core.problems import NotFound
from cylinders.bottle_file_queries import must_reach_bottle
from cylinders.custody import facts_of, in_order, project, rulings_of
from cylinders.models import CustodyConflict, CustodyCorrection, CustodyFact, Cylinder


@dataclass(frozen=True, slots=True)
class ToldFact:
    """``standing``: "stands", "lost", or "withdrawn" by ``declaration``; both are told, always."""

    fact: CustodyFact
    effective_at: datetime
    standing: str
    declaration: CustodyCorrection | None


def facts(doing: Doing, cylinder_id: UUID) -> dict[str, Any]:
    """Every fact of the bottle in its order, errors and their declarations among them."""
    with doing.ground.sessions() as db:
        cylinder = db.get(Cylinder, cylinder_id)
        if cylinder is None:
            raise NotFound
        must_reach_bottle(db, doing, cylinder)
        known = facts_of(db, cylinder_id)
        rulings = rulings_of(db, cylinder_id)
        lost = set(project(known, rulings).lost) if known else set()
        declared = {
            one.fact_id: one
            for one in db.scalars(
                sa.select(CustodyCorrection).where(CustodyCorrection.cylinder_id == cylinder_id)
            )
        }
        told = [
            ToldFact(fact, place.effective_at, _standing(fact.id, lost, declared), declared.get(fact.id))
            for place, fact in in_order(known)
        ]
        conflicts = db.scalars(
            sa.select(CustodyConflict)
            .where(CustodyConflict.cylinder_id == cylinder_id)
            .order_by(CustodyConflict.found_at, CustodyConflict.id)
        ).all()
        return {"items": told, "conflicts": conflicts}


def _standing(fact_id: UUID, lost: set[UUID], declared: dict[UUID, CustodyCorrection]) -> str:
    if fact_id in declared:
        return "withdrawn"
    return "lost" if fact_id in lost else "stands"


def one_conflict(doing: Doing, cylinder_id: UUID, conflict_id: UUID) -> CustodyConflict:
    with doing.ground.sessions() as db:
        return db.get_one(CustodyConflict, (cylinder_id, conflict_id))


def open_conflicts(doing: Doing, *, limit: int, cursor: str | None) -> Page:
    """Of the firm's bottles, or found in the district: oldest first."""
    reach = doing.actor.reach
    query = sa.select(CustodyConflict).where(CustodyConflict.resolved_at.is_(None))
    match reach.kind:
        case ScopeKind.FIRM:
            query = query.join(Cylinder, Cylinder.cylinder_id == CustodyConflict.cylinder_id).where(
                Cylinder.owner_firm_id == doing.actor.scope_id(ScopeKind.FIRM)
            )
        case ScopeKind.DISTRICT:
            query = query.where(CustodyConflict.district == int(reach.code))
        case ScopeKind.ALL:
            pass
        case _:
            raise NotFound
    pager = Pager(doing.ground.keyring.signing.current_key, f"conflicts:{reach.kind.value}:{reach.code}")
    with doing.ground.sessions() as db:
        page = pager.page(
            db,
            query,
            CustodyConflict.found_at.expression,
            CustodyConflict.id.expression,
            limit=limit,
            cursor=cursor,
            position=lambda row: (row.CustodyConflict.found_at, row.CustodyConflict.id),
        )
        return Page([row.CustodyConflict for row in page.items], page.next_cursor)

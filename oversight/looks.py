"""The log of looks (您的查询会被记录): who read about whom, kept before the answer is given.

A look is no deed: it changes nothing that anybody's trace should show, and a household's chain is not to grow
by being read. It is committed by itself, first: what was not kept is not shown (docs/adr/0011).
"""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa

from core import clock
from core.auth import Role
from core.doing import Doing
from core.ids import new_id
from oversight.models import Look, LookKind


def keep_look(doing: Doing, kind: LookKind, subject_id: UUID) -> None:
    """Of a regulator only: what a firm's own clerk reads of its bottles and orders is the firm's."""
    if doing.actor.role is Role.REGULATOR:
        _keep(doing, kind, {subject_id})


def keep_desk_look(doing: Doing, household_id: UUID) -> None:
    """Of whoever opens a household's file at a desk, the firm's own clerk too: it is about people."""
    keep_desk_looks(doing, {household_id})


def keep_desk_looks(doing: Doing, household_ids: Collection[UUID]) -> None:
    _keep(doing, LookKind.HOUSEHOLD, household_ids)


def _keep(doing: Doing, kind: LookKind, subject_ids: Collection[UUID]) -> None:
    if not subject_ids:
        return
    with doing.ground.sessions() as db:
        db.add_all(
            Look(
                district=doing.district,
                id=new_id(),
                principal_id=doing.actor.principal_id,
                grant_id=doing.actor.grant_id,
                kind=kind,
                subject_id=subject_id,
                looked_at=clock.now(),
            )
            for subject_id in sorted(subject_ids)
        )
        db.commit()


def looks_by(doing: Doing) -> int:
    """How many looks this person has had kept in this district; which ones is shown to nobody."""
    with doing.ground.sessions() as db:
        counted = sa.select(sa.func.count()).where(
            Look.district == doing.district, Look.principal_id == doing.actor.principal_id
        )
        return db.scalar(counted) or 0

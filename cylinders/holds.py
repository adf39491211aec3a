"""Stops on a bottle, within an open deed: put one, is one standing, may it serve again?"""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.ids import new_id
from cylinders.life_models import Seizure
from cylinders.models import Cylinder, Hold, HoldKind, Inspection
from cylinders.states import CYLINDER, CylinderState
from evidence.deed import Deed


def put_hold(deed: Deed, cylinder: Cylinder, kind: HoldKind, reference: str) -> Hold:
    """From this instant on, until it is lifted. The bottle is locked."""
    put = Hold(
        cylinder_id=cylinder.cylinder_id,
        id=new_id(),
        kind=kind,
        reference=reference,
        from_at=deed.recorded_at,
    )
    if cylinder.state in (CylinderState.IN_SERVICE, CylinderState.SCRAPPED):
        CYLINDER.move(deed.db, cylinder, "hold")
    deed.db.add(put)
    return put


def lift_holds(deed: Deed, cylinder: Cylinder, kind: HoldKind) -> None:
    """Those of this kind are cured; the bottle serves again if nothing else holds it."""
    deed.db.execute(
        sa.update(Hold)
        .where(Hold.cylinder_id == cylinder.cylinder_id, Hold.kind == kind, Hold.until_at.is_(None))
        .values(until_at=deed.recorded_at)
    )
    release_if_free(deed, cylinder)


def stands_held(deed: Deed, cylinder_id: UUID) -> bool:
    """Is any hold on the bottle now? Half-open: no longer at the instant it is lifted."""
    standing = sa.exists().where(
        Hold.cylinder_id == cylinder_id,
        Hold.from_at <= deed.recorded_at,
        sa.or_(Hold.until_at.is_(None), Hold.until_at > deed.recorded_at),
    )
    return bool(deed.db.scalar(sa.select(standing)))


def release_if_free(deed: Deed, cylinder: Cylinder) -> None:
    """Back in service once nothing holds it: no hold stands, it was not seized, and did not fail last."""
    if cylinder.state is not CylinderState.HELD or stands_held(deed, cylinder.cylinder_id):
        return
    was_seized = deed.db.get(Seizure, cylinder.cylinder_id) is not None
    if not was_seized and not _failed_last_inspection(deed.db, cylinder.cylinder_id):
        CYLINDER.move(deed.db, cylinder, "release")


def _failed_last_inspection(db: Session, cylinder_id: UUID) -> bool:
    passed = db.scalar(
        sa.select(Inspection.passed)
        .where(Inspection.cylinder_id == cylinder_id)
        .order_by(Inspection.inspected_on.desc(), Inspection.id.desc())
        .limit(1)
    )
    return passed is False

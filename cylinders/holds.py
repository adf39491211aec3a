"""Stops on a bottle, within an open deed: is one standing, may it serve again?"""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cylinders.models import Cylinder, Hold, Inspection
from cylinders.states import CYLINDER, CylinderState
from evidence.deed import Deed


def stands_held(deed: Deed, cylinder_id: UUID) -> bool:
    """Is any hold on the bottle now? Half-open: no longer at the instant it is lifted."""
    standing = sa.exists().where(
        Hold.cylinder_id == cylinder_id,
        Hold.from_at <= deed.recorded_at,
        sa.or_(Hold.until_at.is_(None), Hold.until_at > deed.recorded_at),
    )
    return bool(deed.db.scalar(sa.select(standing)))


def release_if_free(deed: Deed, cylinder: Cylinder) -> None:
    """Back in service once nothing holds it: no hold stands, and its last inspection did not fail."""
    if cylinder.state is not CylinderState.HELD or stands_held(deed, cylinder.cylinder_id):
        return
    if not _failed_last_inspection(deed.db, cylinder.cylinder_id):
        CYLINDER.move(deed.db, cylinder, "release")


def _failed_last_inspection(db: Session, cylinder_id: UUID) -> bool:
    passed = db.scalar(
        sa.select(Inspection.passed)
        .where(Inspection.cylinder_id == cylinder_id)
        .order_by(Inspection.inspected_on.desc(), Inspection.id.desc())
        .limit(1)
    )
    return passed is False

"""What may be done with loads within an open deed. Nothing here opens or commits.

A load has two sides, the line's and the bottle's, in tables of two groups; they begin and end together.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from core.ids import new_id
from dispatch.deliveries.models import CylinderLoad, LineLoad
from evidence.deed import Deed


def begin_load(
    deed: Deed, *, line_id: UUID, round_id: UUID, cylinder_id: UUID, loaded_at: datetime | None = None
) -> UUID:
    """One bottle for one line; the database refuses a second of either. ``loaded_at``: now, if not said."""
    load_id = new_id()
    deed.db.add(
        LineLoad(
            district=deed.district,
            id=load_id,
            line_id=line_id,
            round_id=round_id,
            cylinder_id=cylinder_id,
            active=True,
            loaded_at=loaded_at or deed.recorded_at,
        )
    )
    deed.db.add(
        CylinderLoad(
            cylinder_id=cylinder_id, id=load_id, district=deed.district, line_id=line_id, active=True
        )
    )
    deed.db.flush()
    return load_id


def end_load(deed: Deed, cylinder_id: UUID) -> None:
    """The bottle was handed over or is back at a site. Nothing happens if it was loaded for nobody."""
    ended = deed.db.execute(
        sa.update(CylinderLoad)
        .where(CylinderLoad.cylinder_id == cylinder_id, CylinderLoad.active)
        .values(active=False)
        .returning(CylinderLoad.district, CylinderLoad.id)
    ).first()
    if ended is not None:
        deed.db.execute(
            sa.update(LineLoad)
            .where(LineLoad.district == ended.district, LineLoad.id == ended.id)
            .values(active=False)
        )

"""提醒: a household whose bottle falls due within the days of notice is told, once per bottle, kind and day.

A deed of the house itself, some bottles at a time; the worker asks for it each morning (``web/worker.py``).
The message goes through the outbox. A site or a firm reads the queue (``due_queries.py``), and is written
down as told of nothing: a bottle that a household gets after that morning is told of the next.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from core import clock
from core.doing import Doing
from core.ground import Ground
from core.outbox import house_of
from cylinders.due_queries import due_within, notice_days
from cylinders.life_models import DueKind, DueNotice
from cylinders.models import CylinderCustody
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from rulebook import current

DUE = "cylinder.due"
AT_A_TIME = 500


def notify_all(ground: Ground) -> int:
    """Every district's bottles; of how many a household was told."""
    told = 0
    for district in _districts(ground):
        while (now := _notify_some(house_of(ground, district))) > 0:
            told += now
            if now < AT_A_TIME:
                break
    return told


def _districts(ground: Ground) -> list[int]:
    with ground.reads() as db:
        return sorted(db.scalars(sa.select(CylinderCustody.district).distinct()))


def _notify_some(doing: Doing) -> int:
    """A deed only where there is somebody to tell."""
    with doing.ground.reads() as db:
        if db.execute(_due_and_not_told(doing.district, 1)).first() is None:
            return 0
    return int(notify(doing)["told"])


@does("due.notify")
def notify(deed: Deed) -> Answer:
    """One entry for these bottles; its root commits to which of them, for what and for which day."""
    found = deed.db.execute(_due_and_not_told(deed.district, AT_A_TIME)).all()
    # Another worker may be telling the same ones this moment: told is who is written down here.
    written = _write_down(deed, found)
    rows = [row for row in found if (row.cylinder_id, DueKind(row.kind), row.due_on) in written]
    deed.about(SubjectType.REGISTER, str(deed.district))
    lines = sorted(f"{row.cylinder_id} {row.kind} {row.due_on}" for row in rows)
    deed.note(told=len(rows), root=hashlib.sha256("\n".join(lines).encode()).hexdigest())
    for row in rows:
        deed.tell(DUE, cylinder_id=row.cylinder_id, kind=row.kind, due_on=row.due_on)
    return {"told": len(rows)}


def _write_down(deed: Deed, found: Sequence[sa.Row[Any]]) -> set[tuple[UUID, DueKind, date]]:
    if not found:
        return set()
    rows = [
        {
            "cylinder_id": row.cylinder_id,
            "kind": row.kind,
            "due_on": row.due_on,
            "district": deed.district,
            "firm_id": row.owner_firm_id,
            "holder_kind": row.holder_kind,
            "noticed_at": deed.recorded_at,
        }
        for row in found
    ]
    statement = insert(DueNotice).values(rows).on_conflict_do_nothing()
    told = deed.db.execute(statement.returning(DueNotice.cylinder_id, DueNotice.kind, DueNotice.due_on))
    return {(row.cylinder_id, row.kind, row.due_on) for row in told}


def _due_and_not_told(district: int, limit: int) -> sa.Select[Any]:
    law = current().at(str(district), clock.today())
    rows = due_within(law, None, law.day + timedelta(days=notice_days(law)))
    return (
        sa.select(rows)
        .where(rows.c.district == district, rows.c.card_id.is_not(None), rows.c.noticed_at.is_(None))
        .order_by(rows.c.position, rows.c.cylinder_id)
        .limit(limit)
    )

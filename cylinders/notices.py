"""提醒: who has a bottle that falls due within the days of notice is told.

    ask_all            the worker, each morning: one job a district and day, however many workers ask
    do_job             the job: the district's households, then its firms

A household is told once per bottle, kind, day and holding: one that gets a bottle of which somebody else was
told before is told itself. A firm's dispatchers are told once of each day that comes within the notice, how
many of the firm's bottles fall due by then; which they are stands in the queue (``due_queries.py``). Messages
go through the outbox. A job that is taken up again tells nobody twice: each deed asks whom it still owes.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from core import clock, jobs
from core.doing import Doing
from core.ground import Ground
from core.outbox import house_of
from cylinders.due_queries import due_within, notice_days
from cylinders.life_models import DueKind, DueNotice, FirmDueNotice
from cylinders.models import CylinderCustody
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry.models import Firm
from rulebook import current

DUE = "cylinder.due"
DUE_FOR_FIRM = "cylinder.due_for_firm"
DUE_JOB = "due.notify"
AT_A_TIME = 500

Told = tuple[UUID, DueKind, date, UUID]


# --- the morning's job --------------------------------------------------------------------------------------


def ask_all(ground: Ground, day: date) -> None:
    """Have every district's holders told. Asked again for that day, the same job is answered."""
    for district in _districts(ground):
        doing = house_of(ground, district)
        doing.key = f"{DUE_JOB}:{day}"
        doing.fingerprint = doing.key.encode()
        ask(doing, day)


def _districts(ground: Ground) -> list[int]:
    with ground.reads() as db:
        return sorted(
            {
                *db.scalars(sa.select(CylinderCustody.district).distinct()),
                *db.scalars(sa.select(Firm.home_district).distinct()),
            }
        )


@does("due.ask")
def ask(deed: Deed, day: date) -> Answer:
    lock = f"{DUE_JOB}:{deed.district}"
    job = jobs.ask(deed.db, deed.doing, DUE_JOB, {"day": day.isoformat()}, firm_id=None, lock=lock)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.note(job_id=job.id, day=day)
    return {"job_id": str(job.id)}


def do_job(job: jobs.Running) -> None:
    """In the worker. What an earlier run has told stays told."""
    tell_households(house_of(job.ground, job.district))
    tell_firms(job.doing(), job_id=job.id)


# --- households ---------------------------------------------------------------------------------------------


def tell_households(doing: Doing) -> int:
    """The district's, some at a time; how many were told of a bottle."""
    told = 0
    while (now := _tell_some(doing)) > 0:
        told += now
        if now < AT_A_TIME:
            break
    return told


def _tell_some(doing: Doing) -> int:
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
    rows = [row for row in found if _told(row) in written]
    deed.about(SubjectType.REGISTER, str(deed.district))
    lines = sorted(f"{row.cylinder_id} {row.kind} {row.due_on}" for row in rows)
    deed.note(told=len(rows), root=hashlib.sha256("\n".join(lines).encode()).hexdigest())
    for row in rows:
        deed.tell(
            DUE,
            cylinder_id=row.cylinder_id,
            kind=row.kind,
            due_on=row.due_on,
            holding_id=row.holding_id,
        )
    return {"told": len(rows)}


def _told(row: Any) -> Told:
    return row.cylinder_id, DueKind(row.kind), row.due_on, row.holding_id


def _write_down(deed: Deed, found: Sequence[sa.Row[Any]]) -> set[Told]:
    if not found:
        return set()
    rows = [
        {
            "cylinder_id": row.cylinder_id,
            "kind": row.kind,
            "due_on": row.due_on,
            "holding_id": row.holding_id,
            "district": deed.district,
            "firm_id": row.owner_firm_id,
            "holder_kind": row.holder_kind,
            "noticed_at": deed.recorded_at,
        }
        for row in found
    ]
    told = deed.db.execute(
        insert(DueNotice)
        .values(rows)
        .on_conflict_do_nothing()
        .returning(DueNotice.cylinder_id, DueNotice.kind, DueNotice.due_on, DueNotice.holding_id)
    )
    return {_told(row) for row in told}


def _due_and_not_told(district: int, limit: int) -> sa.Select[Any]:
    law = current().at(str(district), clock.today())
    rows = due_within(law, None, law.day + timedelta(days=notice_days(law)))
    return (
        sa.select(rows)
        .where(rows.c.district == district, rows.c.card_id.is_not(None), rows.c.noticed_at.is_(None))
        .order_by(rows.c.position, rows.c.cylinder_id)
        .limit(limit)
    )


# --- firms --------------------------------------------------------------------------------------------------


@does("due.notify_firms")
def tell_firms(deed: Deed, job_id: UUID) -> Answer:
    """Those at home in the district. Done together with the job: what runs twice tells once."""
    today = clock.today()
    law = current().at(str(deed.district), today)
    until = today + timedelta(days=notice_days(law))
    found = deed.db.execute(_coming_by_firm(deed, until)).all()
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.note(firms=len(found), until_on=until)
    for row in found:
        deed.db.add(
            FirmDueNotice(
                district=deed.district,
                firm_id=row.firm_id,
                until_on=until,
                inspections=row.inspections,
                lives=row.lives,
                noticed_at=deed.recorded_at,
            )
        )
        deed.tell(
            DUE_FOR_FIRM,
            firm_id=row.firm_id,
            inspections=row.inspections,
            lives=row.lives,
            until_on=until,
        )
    jobs.finish(deed.db, deed.district, job_id, deed.id)
    return {"firms": len(found)}


def _coming_by_firm(deed: Deed, until: date) -> sa.Select[Any, int, int]:
    """Each firm at home here with the bottles that have come within the notice since it was last told.

    A bottle is that firm's to send to inspection who owns it, or to whom it is entrusted.
    """
    law = current().at(str(deed.district), clock.today())
    rows = due_within(law, law.day, until)
    firm_id = sa.func.coalesce(rows.c.entrusted_to_firm_id, rows.c.owner_firm_id)
    told_until = (
        sa.select(sa.func.max(FirmDueNotice.until_on))
        .where(FirmDueNotice.district == deed.district, FirmDueNotice.firm_id == firm_id)
        .correlate(rows)
        .scalar_subquery()
    )
    at_home = sa.select(Firm.id).where(Firm.home_district == deed.district)
    return (
        sa.select(
            firm_id.label("firm_id"),
            sa.func.count().filter(rows.c.kind == DueKind.INSPECTION.value).label("inspections"),
            sa.func.count().filter(rows.c.kind == DueKind.LIFE.value).label("lives"),
        )
        .where(
            firm_id.in_(at_home), rows.c.due_on > sa.func.coalesce(told_until, law.day - timedelta(days=1))
        )
        .group_by(firm_id)
        .order_by(firm_id)
    )

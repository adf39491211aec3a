"""到期成隐患: what the register knows to be past its day, or barred, is a hazard that day, visit or no visit.

    ask_all         the worker, each morning: one job a district and day
    do_job          the job: each home with such a piece and no open hazard for it, a deed each

The user is told in writing at once, by message: nobody stands at the door. What stops supply is ruled as
when a courier finds it. A hazard stays until the piece is replaced and somebody has looked; a home that has
it is left alone, so that a job that runs again finds nothing more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from core import clock, jobs
from core.ground import Ground
from core.ids import new_id
from core.outbox import house_of
from dispatch.safety.acts import give_notice
from dispatch.safety.catalogue import ruling
from dispatch.safety.equipment_law import failing_items, standing_of
from dispatch.safety.equipment_models import Equipment
from dispatch.safety.equipment_queries import due_columns, standing_equipment
from dispatch.safety.models import Hazard, ReceivedHow
from dispatch.safety.signing import Receipt
from dispatch.safety.states import HazardState
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry.models import Household
from rulebook import current
from rulebook.edition import Law

HAZARDS_JOB = "equipment.hazards"


@dataclass(frozen=True, slots=True)
class Aged:
    """An item of the check that a household cannot pass, and the piece that says so."""

    household_id: UUID
    item: str
    equipment_id: UUID


# --- the morning's job ------------------------------------------------------------------------------------


def ask_all(ground: Ground, day: date) -> None:
    """Have every district's registers looked through. Asked again for that day, the same job is answered."""
    with ground.reads() as db:
        districts = db.scalars(sa.select(Equipment.district).distinct().order_by(Equipment.district)).all()
    for district in districts:
        doing = house_of(ground, district)
        doing.key = f"{HAZARDS_JOB}:{day}"
        doing.fingerprint = doing.key.encode()
        ask(doing, day)


@does("equipment.ask_hazards")
def ask(deed: Deed, day: date) -> Answer:
    lock = f"{HAZARDS_JOB}:{deed.district}"
    job = jobs.ask(deed.db, deed.doing, HAZARDS_JOB, {"day": day.isoformat()}, firm_id=None, lock=lock)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.note(job_id=job.id, day=day)
    return {"job_id": str(job.id)}


def do_job(job: jobs.Running) -> None:
    """In the worker. Whom an earlier run has told stays told."""
    with job.ground.reads() as db:
        households = sorted({one.household_id for one in without_hazard(db, job.district)})
    found = sum(
        int(find_hazards(house_of(job.ground, job.district), household_id)["found"])
        for household_id in households
    )
    finish(job.doing(), job.id, found)


@does("equipment.finish_hazards")
def finish(deed: Deed, job_id: UUID, found: int) -> Answer:
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.note(found=found)
    jobs.finish(deed.db, deed.district, job_id, deed.id)
    return {"found": found}


# --- one household ----------------------------------------------------------------------------------------


@does("equipment.find_hazards")
def find_hazards(deed: Deed, household_id: UUID) -> Answer:
    """Every aged or barred piece of the household that no open hazard stands for yet."""
    law = current().at(str(deed.district), clock.day_of(deed.recorded_at))
    deed.about(SubjectType.HOUSEHOLD, household_id)
    aged: dict[str, UUID] = {}
    for standing in standing_equipment(deed.db, household_id, law):
        for item in failing_items(standing):
            aged.setdefault(item, standing.piece.id)
    opened = [
        hazard
        for item, equipment_id in sorted(aged.items())
        if (hazard := _opened(deed, Aged(household_id, item, equipment_id), law)) is not None
    ]
    for hazard in opened:
        deed.about(SubjectType.HAZARD, hazard.id)
        give_notice(deed, hazard, Receipt(ReceivedHow.ELECTRONIC))
    deed.note(found=len(opened), items=[hazard.item for hazard in opened])
    return {"found": len(opened)}


def _opened(deed: Deed, aged: Aged, law: Law) -> Hazard | None:
    """A new hazard; None where one is open for this household and item: a check was first."""
    ruled = ruling(law, aged.item)
    return deed.db.scalars(
        insert(Hazard)
        .values(
            district=deed.district,
            id=new_id(),
            household_id=aged.household_id,
            check_id=None,
            equipment_id=aged.equipment_id,
            item=aged.item,
            grade=ruled.grade,
            blocking=ruled.blocking,
            state=HazardState.FOUND,
            deadline_on=ruled.deadline_on,
            found_at=deed.recorded_at,
            found_by=deed.actor.principal_id,
        )
        .on_conflict_do_nothing(
            index_elements=["district", "household_id", "item"], index_where=sa.text("state <> 'closed'")
        )
        .returning(Hazard)
    ).first()


def without_hazard(db: Session, district: int) -> list[Aged]:
    """Aged and barred pieces of the homes that stand, for which no hazard is open."""
    law = current().at(str(district), clock.today())
    pieces = db.scalars(
        sa.select(Equipment)
        .join(
            Household,
            sa.and_(Household.district == Equipment.district, Household.id == Equipment.household_id),
        )
        .where(
            Equipment.district == district,
            Equipment.ended_on.is_(None),
            Household.closed_at.is_(None),
            sa.or_(*due_columns(law, 0)),
        )
        .order_by(Equipment.id)
    ).all()
    aged = [
        Aged(piece.household_id, item, piece.id)
        for piece in pieces
        for item in failing_items(standing_of(piece, law))
    ]
    standing = _open_items(db, district, {one.household_id for one in aged})
    return [one for one in aged if one.item not in standing.get(one.household_id, ())]


def _open_items(db: Session, district: int, households: set[UUID]) -> Mapping[UUID, set[str]]:
    """One list to the statement, however many homes a new rule makes stand there at once."""
    found: dict[UUID, set[str]] = {}
    for row in db.execute(
        sa.select(Hazard.household_id, Hazard.item).where(
            Hazard.district == district,
            Hazard.household_id == sa.any_(sa.literal(list(households), ARRAY(sa.Uuid))),
            Hazard.state != HazardState.CLOSED,
        )
    ):
        found.setdefault(row.household_id, set()).add(row.item)
    return found

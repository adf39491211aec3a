"""What becomes of a recalled bottle's tasks when the bottle is seen or scrapped, within an open deed."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cylinders.life_models import RecallCampaign, RecallOutcome, RecallTask
from cylinders.states import RECALL, RECALL_TASK, RecallState, TaskState
from evidence.deed import Deed


def seen(deed: Deed, cylinder_id: UUID) -> None:
    """A site has the bottle: it is brought in. One that was given up as not found opens its recall again."""
    for task in tasks_of(deed.db, cylinder_id):
        if task.state in (TaskState.LISTED, TaskState.NOTIFIED):
            RECALL_TASK.move(deed.db, task, "bring_in")
        elif task.state is TaskState.SETTLED and task.outcome is RecallOutcome.NOT_FOUND:
            RECALL_TASK.move(deed.db, task, "reopen")
            task.settled_at, task.outcome, task.reference = None, None, None
            open_again(deed, campaign_of(deed.db, task))
        else:
            continue
        task.brought_in_at = deed.recorded_at
        _note(deed, task, "brought_in")


def scrapped(deed: Deed, cylinder_id: UUID, certificate_no: str) -> None:
    """The bottle is no more: whatever recall asked for it is settled."""
    for task in tasks_of(deed.db, cylinder_id):
        if task.state is not TaskState.SETTLED:
            settle(deed, task, RecallOutcome.SCRAPPED, certificate_no)
            _note(deed, task, "scrapped")


def settle(deed: Deed, task: RecallTask, outcome: RecallOutcome, reference: str) -> None:
    RECALL_TASK.move(deed.db, task, "settle")
    task.outcome, task.reference, task.settled_at = outcome, reference, deed.recorded_at


def open_again(deed: Deed, campaign: RecallCampaign) -> None:
    """A recall that was finished has something left to do after all."""
    if campaign.state is RecallState.RECALLED:
        RECALL.move(deed.db, campaign, "reopen")
        campaign.finished_at = None


def tasks_of(db: Session, cylinder_id: UUID) -> Sequence[RecallTask]:
    """Of every recall, locked after the bottle itself."""
    return db.scalars(
        sa.select(RecallTask)
        .where(RecallTask.cylinder_id == cylinder_id)
        .order_by(RecallTask.district, RecallTask.campaign_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def campaign_of(db: Session, task: RecallTask) -> RecallCampaign:
    return db.get_one(
        RecallCampaign, (task.district, task.campaign_id), with_for_update=True, populate_existing=True
    )


def is_open(db: Session, cylinder_id: UUID, hold_id: UUID) -> bool:
    """Does a recall that is not done with the bottle hold it by this hold?"""
    held = sa.exists().where(
        RecallTask.cylinder_id == cylinder_id,
        RecallTask.hold_id == hold_id,
        RecallTask.state != TaskState.SETTLED,
    )
    return bool(db.scalar(sa.select(held)))


def _note(deed: Deed, task: RecallTask, what: str) -> None:
    deed.payload.setdefault("recalls", []).append({"campaign_id": str(task.campaign_id), "task": what})

"""召回: verbs of recalling every bottle that meets a criterion.

    open         the list is made and frozen, each bottle with its holder, and each is held
    look_again   bottles that meet the criterion by now and are not on the list: late finds
    tell         holders are told
    settle       what became of one bottle
    finish       once every bottle is settled or explained

That a bottle is brought in follows from a site's scan (``recall_tasks.seen``). A list is made by a few
statements however long it is; the entry commits to it by its root, and stands in the chains of the bottles
themselves where these are few enough to lock one by one.
"""

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from core.auth import Role, ScopeKind
from core.db import table_of
from core.ids import new_id
from core.problems import NotFound
from core.refusal import Refused, plain
from cylinders import acts, recall_tasks
from cylinders import recall_refusals as no
from cylinders.holds import release_if_free
from cylinders.life_models import RecallCampaign, RecallOutcome, RecallTask
from cylinders.models import (
    Cylinder,
    CylinderCustody,
    CylinderType,
    Hold,
    HoldKind,
)
from cylinders.recall_queries import Criterion, meant, of_firm
from cylinders.states import CYLINDER, RECALL, RECALL_TASK, CylinderState, RecallState, TaskState
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType

TOLD = "recall.told"
MOST_NAMED = 200


@does("recall.open")
def open_recall(deed: Deed, *, criterion: Criterion, reference: str) -> Answer:
    """Within the firm's own bottles, or those of the authority's district."""
    campaign = RecallCampaign(
        district=deed.district,
        id=new_id(),
        firm_id=_recalling_firm(deed),
        reference=reference,
        criterion=plain(criterion),
        listed=0,
        root="",
        state=RecallState.RECALLING,
        opened_by=deed.actor.principal_id,
        opened_at=deed.recorded_at,
    )
    deed.about(SubjectType.REGISTER, str(deed.district))
    if campaign.firm_id is not None:
        deed.at(firm=campaign.firm_id)
    deed.note(campaign_id=campaign.id, reference=reference, criterion=campaign.criterion)
    rows = _matching(deed, campaign)
    if not rows:
        raise Refused([no.RECALL_EMPTY()])
    campaign.listed, campaign.root = len(rows), _root(rows)
    deed.db.add(campaign)
    deed.db.flush()
    _list(deed, campaign, rows, is_late=False)
    return {"district": campaign.district, "campaign_id": str(campaign.id)}


@does("recall.look_again")
def look_again(deed: Deed, *, campaign_id: UUID) -> Answer:
    """Bottles registered, moved or mended on file since. A recall that was finished goes on."""
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.note(campaign_id=campaign_id)
    rows = _matching(deed, _campaign(deed, campaign_id))  # bottles before tasks, tasks before the recall
    campaign = _of_mine(deed, campaign_id)
    if not rows:
        raise Refused([no.RECALL_EMPTY()])
    recall_tasks.open_again(deed, campaign)
    _list(deed, campaign, rows, is_late=True)
    return {"district": campaign.district, "campaign_id": str(campaign.id)}


@does("recall.tell")
def tell(deed: Deed, *, campaign_id: UUID, cylinder_ids: Sequence[UUID]) -> Answer:
    """Whoever has these bottles was told, or is told now: a household by a message."""
    campaign = _campaign(deed, campaign_id)
    acts.lock(deed, cylinder_ids)
    deed.note(campaign_id=campaign.id)
    for cylinder_id in sorted(set(cylinder_ids)):
        task = _task(deed, campaign, cylinder_id)
        RECALL_TASK.move(deed.db, task, "tell")
        task.told_at = deed.recorded_at
        if task.card_id is not None:
            deed.tell(TOLD, cylinder_id=cylinder_id, campaign_id=campaign.id)
    return {"district": campaign.district, "campaign_id": str(campaign.id)}


@does("recall.settle")
def settle(
    deed: Deed, *, campaign_id: UUID, cylinder_id: UUID, outcome: RecallOutcome, reference: str
) -> Answer:
    """Only a bottle that turns out not to be meant goes back to service; of a recall by the authority, only
    the authority may say so."""
    campaign = _campaign(deed, campaign_id)
    cylinder = acts.lock(deed, [cylinder_id])[cylinder_id]
    task = _task(deed, campaign, cylinder_id)
    deed.note(campaign_id=campaign.id, outcome=outcome, reference=reference)
    if outcome is RecallOutcome.SCRAPPED and cylinder.state is not CylinderState.SCRAPPED:
        raise Refused([no.RECALL_NOT_SCRAPPED()])
    frees = outcome is RecallOutcome.NOT_AFFECTED
    if frees and campaign.firm_id is None and deed.actor.role is not Role.REGULATOR:
        raise Refused([no.AUTHORITY_DECIDES()])
    recall_tasks.settle(deed, task, outcome, reference)
    if frees:
        _lift(deed, cylinder, task)
    return {"district": campaign.district, "campaign_id": str(campaign.id)}


@does("recall.finish")
def finish(deed: Deed, *, campaign_id: UUID) -> Answer:
    campaign = _of_mine(deed, campaign_id)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.note(campaign_id=campaign.id)
    still_open = deed.db.scalar(
        sa.select(sa.func.count()).where(
            RecallTask.district == campaign.district,
            RecallTask.campaign_id == campaign.id,
            RecallTask.state != TaskState.SETTLED,
        )
    )
    if still_open:
        raise Refused([no.RECALL_TASKS_OPEN(open=still_open)])
    RECALL.move(deed.db, campaign, "finish")
    campaign.finished_at = deed.recorded_at
    return {"district": campaign.district, "campaign_id": str(campaign.id)}


# --- whose recall it is -----------------------------------------------------------------------------------


def _recalling_firm(deed: Deed) -> UUID | None:
    """A firm recalls its own bottles, the authority its district's; of a site or a street nobody does."""
    if deed.actor.reach.kind is ScopeKind.FIRM:
        return deed.actor.scope_id(ScopeKind.FIRM)
    deed.actor.must_reach(district=deed.district)
    return None


def _campaign(deed: Deed, campaign_id: UUID) -> RecallCampaign:
    """Of this district. Whose bottles a firm may act on is judged task by task."""
    found = deed.db.get(RecallCampaign, (deed.district, campaign_id), populate_existing=True)
    if found is None:
        raise NotFound
    return found


def _of_mine(deed: Deed, campaign_id: UUID) -> RecallCampaign:
    """Locked; the firm's own, or the authority's."""
    found = deed.db.get(
        RecallCampaign, (deed.district, campaign_id), with_for_update=True, populate_existing=True
    )
    if found is None:
        raise NotFound
    deed.actor.must_reach(firm=found.firm_id, district=found.district)
    return found


def _task(deed: Deed, campaign: RecallCampaign, cylinder_id: UUID) -> RecallTask:
    found = deed.db.get(
        RecallTask,
        (campaign.district, campaign.id, cylinder_id),
        with_for_update=True,
        populate_existing=True,
    )
    if found is None:
        raise NotFound
    if deed.actor.reach.kind is ScopeKind.FIRM and _is_of_firm(deed, found):
        return found
    deed.actor.must_reach(district=found.district)
    return found


def _is_of_firm(deed: Deed, task: RecallTask) -> bool:
    """As the firm reads it (``recall_queries.of_firm``): what it sees open, it can bring to an end."""
    own = sa.select(RecallTask.cylinder_id).where(
        RecallTask.district == task.district,
        RecallTask.campaign_id == task.campaign_id,
        RecallTask.cylinder_id == task.cylinder_id,
        of_firm(deed.actor.scope_id(ScopeKind.FIRM)),
    )
    return deed.db.scalar(own) is not None


# --- the list ---------------------------------------------------------------------------------------------

Listed = Any


def _matching(deed: Deed, campaign: RecallCampaign) -> Sequence[Listed]:
    """Bottles that meet the criterion and are not on the list yet, locked, each with its holder."""
    known = sa.select(RecallTask.cylinder_id).where(
        RecallTask.district == campaign.district, RecallTask.campaign_id == campaign.id
    )
    query = (
        sa.select(
            Cylinder.cylinder_id,
            Cylinder.model,
            Cylinder.owner_firm_id,
            CylinderCustody.holder_kind,
            CylinderCustody.holder_id,
            CylinderCustody.district,
            CylinderCustody.card_id,
        )
        .outerjoin(CylinderCustody, CylinderCustody.cylinder_id == Cylinder.cylinder_id)
        .outerjoin(CylinderType, CylinderType.model == Cylinder.model)
        .where(
            *meant(campaign.firm_id, campaign.district, campaign.criterion),
            Cylinder.cylinder_id.not_in(known),
        )
        .order_by(Cylinder.cylinder_id)
        .with_for_update(of=Cylinder)
    )
    return deed.db.execute(query).all()


def _root(rows: Sequence[Listed]) -> str:
    lines = [f"{row.cylinder_id} {row.model} {plain(row.holder_kind)} {row.holder_id}" for row in rows]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _list(deed: Deed, campaign: RecallCampaign, rows: Sequence[Listed], *, is_late: bool) -> None:
    """Put these on the list and hold each of them, by as many statements as for one."""
    deed.note(listed=len(rows), root=_root(rows), is_late=is_late)
    if len(rows) <= MOST_NAMED:
        for row in rows:
            deed.about(SubjectType.CYLINDER, row.cylinder_id)
    hold_ids = {row.cylinder_id: new_id() for row in rows}
    deed.db.execute(
        sa.insert(table_of(Hold)),
        [
            {
                "cylinder_id": cylinder_id,
                "id": hold_id,
                "kind": HoldKind.RECALL,
                "reference": campaign.reference,
                "from_at": deed.recorded_at,
            }
            for cylinder_id, hold_id in hold_ids.items()
        ],
    )
    deed.db.execute(
        sa.insert(table_of(RecallTask)),
        [_task_row(deed, campaign, row, hold_ids[row.cylinder_id], is_late) for row in rows],
    )
    listed = Cylinder.cylinder_id == sa.any_(sa.cast(sorted(hold_ids), ARRAY(sa.Uuid)))
    CYLINDER.move_all(deed.db, Cylinder, "hold", listed)


def _task_row(
    deed: Deed, campaign: RecallCampaign, row: Listed, hold_id: UUID, is_late: bool
) -> dict[str, Any]:
    return {
        "district": campaign.district,
        "campaign_id": campaign.id,
        "cylinder_id": row.cylinder_id,
        "model": row.model,
        "owner_firm_id": row.owner_firm_id,
        "holder_kind": row.holder_kind,
        "holder_id": row.holder_id,
        "card_district": row.district if row.card_id else None,
        "card_id": row.card_id,
        "hold_id": hold_id,
        "is_late": is_late,
        "state": TaskState.LISTED,
        "recorded_at": deed.recorded_at,
    }


def _lift(deed: Deed, cylinder: Cylinder, task: RecallTask) -> None:
    hold = deed.db.get(Hold, (cylinder.cylinder_id, task.hold_id)) if task.hold_id else None
    if hold is not None and hold.until_at is None:
        hold.until_at = deed.recorded_at
        deed.db.flush()
    release_if_free(deed, cylinder)

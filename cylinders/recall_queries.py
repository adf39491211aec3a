"""Reads of recalls: how far each has come, and its tasks, bottle by bottle.

A firm reads its own recalls whole, and of the authority's those that list bottles of its own or entrusted to
it: then the counts and the tasks are of these only. A street reads of the bottles that stood with its homes.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.auth import ScopeKind
from core.doing import Doing
from core.paging import Page, Pager
from core.problems import NotFound
from core.refusal import plain
from cylinders.code import classify
from cylinders.life_models import RecallCampaign, RecallTask
from cylinders.models import Cylinder, CylinderCustody, CylinderIdentifier, CylinderType, Phase, Scheme
from cylinders.queries import labels_of
from cylinders.states import CylinderState, TaskState
from registry.models import Firm, HolderKind
from registry.queries import cards_of_street

MADE_BY = (Scheme.STAMP, Scheme.MAKER)

Criterion = Mapping[str, Any]
"""Any of ``phase``, ``maker``, ``model``, ``standard``, ``made_from``, ``made_until`` and ``codes``, as JSON
has them; all that are given must hold. ``maker``: how its stamps or its own marks begin."""


def how_many(doing: Doing, criterion: Criterion) -> int:
    """How many bottles a recall would list and hold now, before anybody opens it."""
    reach = doing.actor.reach
    firm_id = UUID(reach.code) if reach.kind is ScopeKind.FIRM else None
    if firm_id is None and not reach.covers(district=doing.district):
        raise NotFound
    counted = (
        sa.select(sa.func.count())
        .select_from(Cylinder)
        .outerjoin(CylinderCustody, CylinderCustody.cylinder_id == Cylinder.cylinder_id)
        .outerjoin(CylinderType, CylinderType.model == Cylinder.model)
        .where(*meant(firm_id, doing.district, plain(criterion)))
    )
    with doing.ground.sessions() as db:
        return db.scalar(counted) or 0


def meant(firm_id: UUID | None, district: int, criterion: Criterion) -> list[sa.ColumnElement[bool]]:
    """Of bottles joined with custody and type: those that a recall by a firm, or by the authority, means.

    A bottle's own file goes before what the catalogue says of its model.
    """
    phase = sa.func.coalesce(Cylinder.phase, CylinderType.phase)
    standard = sa.func.coalesce(Cylinder.standard, CylinderType.standard)
    conditions: dict[str, Callable[[Any], sa.ColumnElement[bool]]] = {
        "phase": lambda value: phase == Phase(value),
        "model": lambda value: Cylinder.model == value,
        "standard": lambda value: standard == value,
        "made_from": lambda value: Cylinder.made_on >= date.fromisoformat(value),
        "made_until": lambda value: Cylinder.made_on <= date.fromisoformat(value),
        "maker": lambda value: _bears(
            CylinderIdentifier.scheme.in_(MADE_BY),
            CylinderIdentifier.value.startswith(value, autoescape=True),
        ),
        "codes": lambda value: _bears(CylinderIdentifier.value.in_([classify(code).code for code in value])),
    }
    return [
        Cylinder.state != CylinderState.SCRAPPED,
        _within(firm_id, district),
        *(conditions[name](value) for name, value in criterion.items() if value is not None),
    ]


def _within(firm_id: UUID | None, district: int) -> sa.ColumnElement[bool]:
    if firm_id is not None:
        return sa.or_(Cylinder.owner_firm_id == firm_id, Cylinder.entrusted_to_firm_id == firm_id)
    at_home = sa.select(Firm.id).where(Firm.home_district == district)
    return sa.or_(CylinderCustody.district == district, Cylinder.owner_firm_id.in_(at_home))


def _bears(*which: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return Cylinder.cylinder_id.in_(sa.select(CylinderIdentifier.cylinder_id).where(*which))


def recalls(doing: Doing, *, limit: int, cursor: str | None = None) -> Page:
    """Oldest first, each with its progress."""
    query = sa.select(RecallCampaign).where(RecallCampaign.district == doing.district, *_readable(doing))
    pager = _pager(doing, "recalls")
    with doing.ground.sessions() as db:
        page = pager.page(
            db,
            query,
            RecallCampaign.opened_at.expression,
            RecallCampaign.id.expression,
            limit=limit,
            cursor=cursor,
            position=lambda row: (row.RecallCampaign.opened_at, row.RecallCampaign.id),
        )
        return Page(_views(db, doing, [row.RecallCampaign for row in page.items]), page.next_cursor)


def recall(doing: Doing, campaign_id: UUID | str) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        return _views(db, doing, [_campaign(db, doing, campaign_id)])[0]


def tasks(
    doing: Doing,
    campaign_id: UUID,
    *,
    limit: int,
    cursor: str | None = None,
    state: TaskState | None = None,
    holder_kind: HolderKind | None = None,
) -> Page:
    """A recall's bottles with their holder when the list was made. A household is named by its card only."""
    query = sa.select(RecallTask).where(
        RecallTask.district == doing.district, RecallTask.campaign_id == campaign_id, *_own(doing)
    )
    if state is not None:
        query = query.where(RecallTask.state == state)
    if holder_kind is not None:
        query = query.where(RecallTask.holder_kind == holder_kind)
    with doing.ground.sessions() as db:
        _campaign(db, doing, campaign_id)
        page = _pager(doing, f"recall:{campaign_id}:{state}:{holder_kind}").page(
            db,
            query,
            RecallTask.recorded_at.expression,
            RecallTask.cylinder_id.expression,
            limit=limit,
            cursor=cursor,
            position=lambda row: (row.RecallTask.recorded_at, row.RecallTask.cylinder_id),
        )
        rows = [row.RecallTask for row in page.items]
        labels = labels_of(db, [row.cylinder_id for row in rows])
        return Page([_task_view(row, labels.get(row.cylinder_id)) for row in rows], page.next_cursor)


def task(doing: Doing, campaign_id: UUID, cylinder_id: UUID) -> dict[str, Any]:
    """One bottle of a recall."""
    with doing.ground.sessions() as db:
        campaign = _campaign(db, doing, campaign_id)
        found = db.scalars(
            sa.select(RecallTask).where(
                RecallTask.district == campaign.district,
                RecallTask.campaign_id == campaign.id,
                RecallTask.cylinder_id == cylinder_id,
                *_own(doing),
            )
        ).one_or_none()
        if found is None:
            raise NotFound
        return _task_view(found, labels_of(db, [cylinder_id]).get(cylinder_id))


def _campaign(db: Session, doing: Doing, campaign_id: UUID | str) -> RecallCampaign:
    found = db.scalars(
        sa.select(RecallCampaign).where(
            RecallCampaign.district == doing.district,
            RecallCampaign.id == UUID(str(campaign_id)),
            *_readable(doing),
        )
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def _readable(doing: Doing) -> list[sa.ColumnElement[bool]]:
    reach = doing.actor.reach
    lists_own = sa.exists().where(
        RecallTask.district == RecallCampaign.district,
        RecallTask.campaign_id == RecallCampaign.id,
        *_own(doing),
    )
    if reach.kind is ScopeKind.FIRM:
        return [sa.or_(RecallCampaign.firm_id == UUID(reach.code), lists_own)]
    if reach.kind is ScopeKind.STREET:
        return [lists_own]
    if not reach.covers(district=doing.district):
        raise NotFound
    return []


def _own(doing: Doing) -> list[sa.ColumnElement[bool]]:
    """Of a recall's tasks those that the caller's scope reaches."""
    reach = doing.actor.reach
    match reach.kind:
        case ScopeKind.FIRM:
            return [of_firm(UUID(reach.code))]
        case ScopeKind.STREET:
            return [RecallTask.card_id.in_(cards_of_street(reach.code))]
    return []


def of_firm(firm_id: UUID) -> sa.ColumnElement[bool]:
    """Tasks that are a firm's to do: of its own bottles, of those entrusted to it, and of its own recalls."""
    entrusted = sa.select(Cylinder.cylinder_id).where(Cylinder.entrusted_to_firm_id == firm_id)
    recalled_by_it = sa.exists().where(
        RecallCampaign.district == RecallTask.district,
        RecallCampaign.id == RecallTask.campaign_id,
        RecallCampaign.firm_id == firm_id,
    )
    return sa.or_(RecallTask.owner_firm_id == firm_id, RecallTask.cylinder_id.in_(entrusted), recalled_by_it)


def _views(db: Session, doing: Doing, rows: Sequence[RecallCampaign]) -> list[dict[str, Any]]:
    counted = db.execute(
        sa.select(
            RecallTask.campaign_id,
            RecallTask.state,
            RecallTask.outcome,
            sa.func.count().label("bottles"),
            sa.func.count().filter(RecallTask.is_late).label("late"),
        )
        .where(
            RecallTask.district == doing.district,
            RecallTask.campaign_id.in_([row.id for row in rows]),
            *_own(doing),
        )
        .group_by(RecallTask.campaign_id, RecallTask.state, RecallTask.outcome)
    ).all()
    return [_view(row, [one for one in counted if one.campaign_id == row.id]) for row in rows]


def _view(row: RecallCampaign, counted: Sequence[Any]) -> dict[str, Any]:
    names = ("id", "firm_id", "reference", "criterion", "root", "state", "opened_at", "finished_at")
    by_state = {state.value: 0 for state in TaskState}
    outcomes: dict[str, int] = {}
    for one in counted:
        by_state[one.state.value] += one.bottles
        if one.outcome is not None:
            outcomes[one.outcome.value] = outcomes.get(one.outcome.value, 0) + one.bottles
    return {name: getattr(row, name) for name in names} | {
        "bottles": sum(one.bottles for one in counted),
        "late": sum(one.late for one in counted),
        "progress": by_state,
        "outcomes": outcomes,
    }


def _task_view(row: RecallTask, code: str | None) -> dict[str, Any]:
    names = (
        "cylinder_id", "model", "owner_firm_id", "holder_kind", "card_district", "card_id", "is_late",
        "state", "told_at", "brought_in_at", "settled_at", "outcome", "reference",
    )  # fmt: skip
    is_home = row.holder_kind is HolderKind.HOUSEHOLD
    return {name: getattr(row, name) for name in names} | {
        "code": code,
        "holder_id": None if is_home else row.holder_id,
    }


def _pager(doing: Doing, name: str) -> Pager:
    reach = doing.actor.reach
    binding = f"{name}:{doing.district}:{reach.kind.value}:{reach.code}"
    return Pager(doing.ground.keyring.signing.current_key, binding)

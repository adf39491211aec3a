"""Verbs: conversion plans (改造计划): entered with the accounts they are about, begun, finished or dropped.

A home is done when its account is closed; by which way it went is the closing's reason. A plan is finished
when none of its accounts is left: nobody can say it is while bottles still come.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.doing import Doing
from core.ids import new_id
from core.paging import Page, Pager
from core.problems import NotFound, WrongField
from core.refusal import Refused
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import conversion_refusals as no
from registry.conversion_models import ConversionHome, ConversionPlan, ConversionTarget
from registry.mentions import resting
from registry.models import Account, Household, Premises
from registry.premises_models import AccountClosing, ClosingReason
from registry.states import CONVERSION, AccountState, ConversionState

BY_WAY_OF = {
    ConversionTarget.PIPED_GAS: ClosingReason.PIPED_GAS,
    ConversionTarget.ELECTRICITY: ClosingReason.ELECTRICITY,
}


@does("conversion.enter")
def enter(
    deed: Deed,
    *,
    plan_no: str,
    street_code: str,
    target: ConversionTarget,
    starts_on: date,
    due_on: date,
    committee_code: str | None = None,
    household_ids: Sequence[UUID] | None = None,
) -> Answer:
    """About the homes named; where none is, about every account of the street or committee not closed."""
    deed.actor.must_reach(district=deed.district, street=street_code)
    _must_lie_in(deed, street_code, committee_code)
    accounts = _accounts_of(deed, street_code, committee_code, household_ids)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.note(
        plan_no=plan_no,
        street_code=street_code,
        committee_code=committee_code,
        target=target,
        starts_on=starts_on,
        due_on=due_on,
        homes=len(accounts),
    )
    if not accounts:
        raise Refused([resting(deed, no.CONVERSION_OF_NOBODY(street_code=street_code))])
    plan = ConversionPlan(
        district=deed.district,
        id=new_id(),
        plan_no=plan_no,
        street_code=street_code,
        committee_code=committee_code,
        target=target,
        starts_on=starts_on,
        due_on=due_on,
        state=ConversionState.ANNOUNCED,
        entered_by=deed.actor.principal_id,
        recorded_at=deed.recorded_at,
    )
    deed.db.add(plan)
    deed.db.flush()
    deed.db.add_all(
        ConversionHome(
            district=deed.district, plan_id=plan.id, account_id=account_id, recorded_at=deed.recorded_at
        )
        for account_id in accounts
    )
    deed.db.flush()
    deed.note(plan_id=plan.id)
    return {"plan_id": str(plan.id)}


@does("conversion.begin")
def begin(deed: Deed, plan_id: UUID) -> Answer:
    return _moved(deed, plan_id, "begin")


@does("conversion.finish")
def finish(deed: Deed, plan_id: UUID) -> Answer:
    """None of its accounts is left."""
    plan = _locked(deed, plan_id)
    left = deed.db.scalar(_counts(deed.district, plan_id).with_only_columns(_LEFT)) or 0
    if left and CONVERSION.can("finish", plan.state):
        raise Refused([resting(deed, no.CONVERSION_HOMES_LEFT(left=left))])
    return _moved(deed, plan_id, "finish")


@does("conversion.drop")
def drop(deed: Deed, plan_id: UUID) -> Answer:
    """It will not be carried out; its homes are no plan's any more."""
    return _moved(deed, plan_id, "drop")


def _moved(deed: Deed, plan_id: UUID, move: str) -> Answer:
    plan = _locked(deed, plan_id)
    CONVERSION.move(deed.db, plan, move)
    if move != "begin":
        plan.ended_on = clock.day_of(deed.recorded_at)
        deed.db.flush()
    return {"plan_id": str(plan.id)}


def _locked(deed: Deed, plan_id: UUID) -> ConversionPlan:
    plan = deed.db.get(ConversionPlan, (deed.district, plan_id), with_for_update=True, populate_existing=True)
    if plan is None:
        raise NotFound
    deed.actor.must_reach(district=deed.district, street=plan.street_code)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.note(plan_id=plan.id)
    return plan


def _must_lie_in(deed: Deed, street_code: str, committee_code: str | None) -> None:
    if street_code.isdigit() and not street_code.startswith(str(deed.district)):
        raise WrongField("/street_code", "not_here", "不是本区的街镇", "expected a street of this district")
    both_have_codes = street_code.isdigit() and (committee_code or "").isdigit()
    if both_have_codes and not str(committee_code).startswith(street_code):
        raise WrongField(
            "/committee_code", "not_here", "不是这个街镇的村居", "expected a committee of this street"
        )


def _accounts_of(
    deed: Deed, street_code: str, committee_code: str | None, household_ids: Sequence[UUID] | None
) -> list[UUID]:
    """Their accounts, ascending id; a home named that is not there, or has no account, is wrong."""
    query = (
        sa.select(Account.id, Account.household_id)
        .join(Household, _same(Household, Account.household_id))
        .join(Premises, _same(Premises, Household.premises_id))
        .where(
            Account.district == deed.district,
            Account.state != AccountState.CLOSED,
            Premises.street_code == street_code,
            sa.true() if committee_code is None else Premises.committee_code == committee_code,
        )
        .order_by(Account.id)
    )
    if household_ids is None:
        return [row.id for row in deed.db.execute(query)]
    found = deed.db.execute(query.where(Account.household_id.in_(household_ids))).all()
    there = {row.household_id for row in found}
    for number, household_id in enumerate(household_ids):
        if household_id not in there:
            raise WrongField(
                f"/household_ids/{number}",
                "unknown",
                "这一户不在此处，或没有账户",
                "expected a household of this street with an account",
            )
    return [row.id for row in found]


def _same(model: Any, row_id: Any) -> Any:
    return sa.and_(model.district == Account.district, model.id == row_id)


# --- reads ------------------------------------------------------------------------------------------------

_HOMES = sa.func.count()
_LEFT = sa.func.count().filter(Account.state != AccountState.CLOSED)


def _counted(db: Session, district: int, plan_ids: Sequence[UUID]) -> dict[UUID, tuple[int, int]]:
    """Plan → how many homes it is about, and how many of them are left; in one statement for a whole page."""
    query = _homes_of(district, ConversionHome.plan_id.in_(plan_ids))
    rows = db.execute(
        query.with_only_columns(ConversionHome.plan_id, _HOMES, _LEFT).group_by(ConversionHome.plan_id)
    )
    return dict.fromkeys(plan_ids, (0, 0)) | {plan_id: (homes, left) for plan_id, homes, left in rows}


def _counts(district: int, plan_id: UUID) -> sa.Select[Any]:
    return _homes_of(district, ConversionHome.plan_id == plan_id)


def _homes_of(district: int, which: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return (
        sa.select(ConversionHome.account_id)
        .join(
            Account,
            sa.and_(Account.district == ConversionHome.district, Account.id == ConversionHome.account_id),
        )
        .where(ConversionHome.district == district, which)
    )


def plans(
    doing: Doing,
    *,
    limit: int,
    cursor: str | None = None,
    state: ConversionState | None = None,
    street_code: str | None = None,
) -> Page:
    """Within reach, as they were entered; with how much of each is done."""
    query: Any = sa.select(ConversionPlan).where(ConversionPlan.district == doing.district, _within(doing))
    if state is not None:
        query = query.where(ConversionPlan.state == state)
    if street_code is not None:
        query = query.where(ConversionPlan.street_code == street_code)
    name = f"conversions:{doing.district}:{doing.actor.reach}:{state}:{street_code}"
    with doing.ground.sessions() as db:
        page = Pager(doing.ground.keyring.label.current_key, name).page(
            db,
            query,
            ConversionPlan.recorded_at.expression,
            ConversionPlan.id.expression,
            limit=limit,
            cursor=cursor,
            position=lambda row: (row.ConversionPlan.recorded_at, row.ConversionPlan.id),
        )
        found = [row.ConversionPlan for row in page.items]
        counted = _counted(db, doing.district, [plan.id for plan in found])
        return Page([_shown(plan, *counted[plan.id]) for plan in found], page.next_cursor)


def _within(doing: Doing) -> Any:
    reach = doing.actor.reach
    if reach.covers(district=doing.district):
        return sa.true()
    return ConversionPlan.street_code == reach.code


MOST_HOMES = 1000


def plan_view(doing: Doing, plan_id: UUID) -> dict[str, Any]:
    """With its homes, those that are left first."""
    with doing.ground.sessions() as db:
        plan = db.get(ConversionPlan, (doing.district, plan_id))
        if plan is None:
            raise NotFound
        doing.actor.must_reach(district=doing.district, street=plan.street_code)
        rows = db.execute(
            _counts(doing.district, plan_id)
            .with_only_columns(
                Account.id.label("account_id"),
                Account.household_id,
                Account.state,
                AccountClosing.reason,
                AccountClosing.closed_on,
            )
            .outerjoin(
                AccountClosing,
                sa.and_(AccountClosing.district == Account.district, AccountClosing.account_id == Account.id),
            )
            .order_by(Account.state == AccountState.CLOSED, Account.id)
            .limit(MOST_HOMES)
        ).all()
        homes, left = _counted(db, doing.district, [plan_id])[plan_id]
        return _shown(plan, homes, left) | {"items": [_home(plan, row) for row in rows]}


def _home(plan: ConversionPlan, row: Any) -> dict[str, Any]:
    return {
        "account_id": row.account_id,
        "household_id": row.household_id,
        "done": row.state is AccountState.CLOSED,
        "as_planned": row.reason is BY_WAY_OF[plan.target],
        "closed_on": row.closed_on,
        "reason": row.reason,
    }


def _shown(plan: ConversionPlan, homes: int, left: int) -> dict[str, Any]:
    columns = {column.key: getattr(plan, column.key) for column in sa.inspect(ConversionPlan).column_attrs}
    is_open = plan.state in (ConversionState.ANNOUNCED, ConversionState.UNDER_WAY)
    late = is_open and left > 0 and plan.due_on < clock.today()
    return columns | {"homes": homes, "left": left, "is_late": late}

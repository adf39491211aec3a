"""Verb: somebody looks at an account that was opened or passed on after the bar on new users took effect.

Between that day and its publication (the 41 days) nobody could know of it; later such an account rests on an
application from before. It is supplied; what proves its day is looked at once, and what was found is kept.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from core import clock
from core.doing import Doing
from core.paging import Page, Pager
from core.problems import NotFound
from core.refusal import Refused
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import account_refusals as no
from registry.mentions import resting
from registry.models import Account, Household, Premises
from registry.premises_models import AccountReview, ReviewFinding


@does("account.review")
def review_account(deed: Deed, account_id: UUID, *, finding: ReviewFinding, evidence: str) -> Answer:
    """Decided once, by the district's or the street's office."""
    account = deed.db.get(Account, (deed.district, account_id), with_for_update=True, populate_existing=True)
    if account is None:
        raise NotFound
    household = deed.db.get_one(Household, (deed.district, account.household_id))
    premises = deed.db.get_one(Premises, (deed.district, household.premises_id))
    deed.actor.must_reach(district=deed.district, street=premises.street_code)
    deed.about(SubjectType.HOUSEHOLD, household.id)
    deed.at(firm=account.firm_id)
    deed.note(account_id=account_id, finding=finding, evidence=evidence)
    if not account.to_review:
        raise Refused([resting(deed, no.NOT_TO_REVIEW())])
    deed.db.add(
        AccountReview(
            district=deed.district,
            account_id=account_id,
            finding=finding,
            evidence=evidence,
            decided_by=deed.actor.principal_id,
            decided_on=clock.day_of(deed.recorded_at),
            recorded_at=deed.recorded_at,
        )
    )
    deed.db.flush()
    return {"account_id": str(account_id)}


def review_list(doing: Doing, *, decided: bool | None, limit: int, cursor: str | None = None) -> Page:
    """The accounts that somebody must look at, street by street within the caller's reach, oldest first."""
    query: Any = (
        sa.select(Account, AccountReview, Premises.street_code)
        .join(Household, _same(Household, Account.household_id))
        .join(Premises, _same(Premises, Household.premises_id))
        .outerjoin(
            AccountReview,
            sa.and_(AccountReview.district == Account.district, AccountReview.account_id == Account.id),
        )
        .where(Account.district == doing.district, Account.to_review)
    )
    if not doing.actor.reach.covers(district=doing.district):
        query = query.where(Premises.street_code == doing.actor.reach.code)
    if decided is not None:
        query = query.where(
            AccountReview.account_id.is_not(None) if decided else AccountReview.account_id.is_(None)
        )
    pager = Pager(
        doing.ground.keyring.signing.current_key,
        f"account_reviews:{doing.actor.reach}:{doing.district}:{decided}",
    )
    with doing.ground.sessions() as db:
        page = pager.page(
            db,
            query,
            Account.recorded_at,
            Account.id,
            limit=limit,
            cursor=cursor,
            position=lambda row: (row[0].recorded_at, row[0].id),
        )
        return Page([_shown(*row) for row in page.items], page.next_cursor)


def review_view(doing: Doing, account_id: str) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        account = db.get_one(Account, (doing.district, UUID(account_id)))
        household = db.get_one(Household, (doing.district, account.household_id))
        premises = db.get_one(Premises, (doing.district, household.premises_id))
        review = db.scalars(
            sa.select(AccountReview).where(
                AccountReview.district == doing.district, AccountReview.account_id == account.id
            )
        ).one_or_none()
        return _shown(account, review, premises.street_code)


def _same(model: Any, row_id: Any) -> Any:
    return sa.and_(model.district == Account.district, model.id == row_id)


def _shown(account: Account, review: AccountReview | None, street_code: str) -> dict[str, Any]:
    return {
        "account_id": account.id,
        "household_id": account.household_id,
        "firm_id": account.firm_id,
        "street_code": street_code,
        "state": account.state,
        "origin": account.origin,
        "applied_on": account.applied_on,
        "opened_on": account.opened_on,
        "finding": review and review.finding,
        "evidence": review and review.evidence,
        "decided_on": review and review.decided_on,
    }

"""When a home was whose: from the day its account was applied for until it passed to another.

What was done in a home is read by whose it was then. A closed account closes the home with it, which is
nobody else's after: who comes to the same address is registered there anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from registry.models import Account
from registry.succession_models import FormerHolder


@dataclass(frozen=True, slots=True)
class Tenure:
    """``until``: the moment from which it was another's; None while it is nobody else's."""

    household_id: UUID
    since: datetime
    until: datetime | None

    def covers(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


def tenures_of(db: Session, district: int, person_id: UUID) -> list[Tenure]:
    """Every home of theirs in the district, of before too."""
    held = sa.select(Account).where(Account.district == district, Account.person_id == person_id)
    standing = [
        Tenure(one.household_id, passed_last(db, one) or _begin(one), None)
        for one in db.scalars(held.order_by(Account.id))
    ]
    return [*standing, *_passed_on(db, district, person_id)]


def passed_last(db: Session, account: Account, before: datetime | None = None) -> datetime | None:
    """When the account last passed from one to another, ``before`` a time; None where it never did."""
    query = sa.select(sa.func.max(FormerHolder.until_at)).where(
        FormerHolder.district == account.district, FormerHolder.account_id == account.id
    )
    return db.scalar(query if before is None else query.where(FormerHolder.until_at < before))


def _begin(account: Account) -> datetime:
    """An applicant may be refused first: who read that on the way to the account read of them."""
    return min(account.recorded_at, clock.at(account.applied_on))


def _passed_on(db: Session, district: int, person_id: UUID) -> Iterator[Tenure]:
    same = sa.and_(Account.district == FormerHolder.district, Account.id == FormerHolder.account_id)
    former = (
        sa.select(FormerHolder, Account)
        .join(Account, same)
        .where(FormerHolder.district == district, FormerHolder.person_id == person_id)
        .order_by(FormerHolder.until_at)
    )
    for held, account in db.execute(former).all():
        since = passed_last(db, account, held.until_at) or _begin(account)
        yield Tenure(account.household_id, since, held.until_at)

"""清零与零新增: how many accounts a street has at each month's end, who came, who went and why, and by when.

One count of openings and closings by street and month; everything else follows from it. Under a bar on new
users (A02) there is nothing to come: what came all the same is listed account by account, each with what
explains it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.doing import Doing
from core.problems import WrongField
from registry.conversion_models import ConversionPlan
from registry.exceptions import RuleException
from registry.models import Account, AccountOrigin, Household, Premises
from registry.premises_models import AccountClosing, ClosingReason
from registry.states import ConversionState
from registry.terms import months_after
from rulebook import current

MOST_MONTHS = 60
MOST_NAMED = 200
PACE_MONTHS = 6
"""A street goes on as it went these months: no more is claimed of the day that is foreseen."""
DAYS_A_MONTH = 30


class CameBecause(StrEnum):
    """What explains an account that was opened under the bar."""

    APPLIED_BEFORE = "applied_before"
    EXCEPTED = "excepted"
    IMPORTED = "imported"
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class MonthOf:
    """``open`` at the month's end; on the running month's line: today."""

    month: date
    open: int
    opened: int
    closed: int
    closed_by: dict[ClosingReason, int]


@dataclass(frozen=True, slots=True)
class StreetCurve:
    """``foreseen_on``: the day on which none is left if it goes on as in the last months; None: it does not.
    ``planned_on``: the last day of its conversion plans that stand; None: no plan."""

    street_code: str
    months: list[MonthOf]
    foreseen_on: date | None
    planned_on: date | None

    @property
    def open(self) -> int:
        return self.months[-1].open

    @property
    def is_behind(self) -> bool:
        if self.planned_on is None or not self.open:
            return False
        return self.foreseen_on is None or self.foreseen_on > self.planned_on


@dataclass(frozen=True, slots=True)
class Came:
    """An account opened since the bar."""

    account_id: UUID
    household_id: UUID
    street_code: str
    opened_on: date
    applied_on: date
    because: CameBecause


@dataclass(frozen=True, slots=True)
class ClearOut:
    """``barred_since``: the first day of the bar on new users; None where there is none."""

    from_month: date
    until_month: date
    barred_since: date | None
    streets: list[StreetCurve]
    came: list[Came]
    more: bool


def clear_out(
    doing: Doing,
    *,
    from_month: date | None = None,
    until_month: date | None = None,
    street_code: str | None = None,
) -> ClearOut:
    """Within reach, street by street; the last twelve months where none are named."""
    today = clock.today()
    until = until_month or today.replace(day=1)
    since = from_month or months_after(until, -11)
    _must_be_a_span(since, until, today)
    law = current().look("A02", str(doing.district), today)
    barred_since = law.effective if law else None
    reached = _within(doing, street_code)
    with doing.ground.sessions() as db:
        opened, closed = _openings(db, doing.district, reached), _closings(db, doing.district, reached)
        planned = _planned(db, doing.district)
        came = list(_came(db, doing.district, reached, barred_since)) if barred_since else []
    months = list(_months(since, until))
    streets = [
        _curve(street, months, opened[street], closed[street], planned.get(street), today)
        for street in sorted(opened)
    ]
    return ClearOut(since, until, barred_since, streets, came[:MOST_NAMED], len(came) > MOST_NAMED)


def _must_be_a_span(since: date, until: date, today: date) -> None:
    if until > today:
        raise WrongField("/until_month", "future", "不能晚于本月", "expected no month to come")
    if since > until:
        raise WrongField("/from_month", "order", "不能晚于截止月份", "expected no month after the last")
    if months_after(since, MOST_MONTHS) <= until:
        raise WrongField(
            "/from_month", "too_long", f"最多{MOST_MONTHS}个月", f"expected {MOST_MONTHS} months at most"
        )


def _months(since: date, until: date) -> Iterator[date]:
    month = since
    while month <= until:
        yield month
        month = months_after(month, 1)


@dataclass(slots=True)
class _Went:
    """Closings of a street, by month and reason."""

    by: Counter[tuple[date, ClosingReason]] = field(default_factory=Counter)

    def in_month(self, month: date) -> dict[ClosingReason, int]:
        return {reason: number for (when, reason), number in sorted(self.by.items()) if when == month}

    def until(self, month: date) -> int:
        return sum(number for (when, _), number in self.by.items() if when <= month)


def _curve(
    street: str,
    months: Sequence[date],
    opened: Counter[date],
    closed: _Went,
    planned_on: date | None,
    today: date,
) -> StreetCurve:
    rows = []
    for month in months:
        went = closed.in_month(month)
        standing = sum(number for when, number in opened.items() if when <= month) - closed.until(month)
        rows.append(MonthOf(month, standing, opened[month], sum(went.values()), went))
    return StreetCurve(street, rows, _foreseen(rows, today), planned_on)


def _foreseen(rows: Sequence[MonthOf], today: date) -> date | None:
    """By the mean fall of the last months shown, from the end of the last; none beyond the calendar."""
    last = rows[-PACE_MONTHS:]
    fall = sum(row.closed - row.opened for row in last)
    left, seen_on = rows[-1].open, min(today, months_after(rows[-1].month, 1) - timedelta(days=1))
    if left == 0:
        return seen_on
    days = -(-left * len(last) * DAYS_A_MONTH // fall) if fall > 0 else None
    return None if days is None or days > (date.max - seen_on).days else seen_on + timedelta(days=days)


# --- what is counted --------------------------------------------------------------------------------------


def _of_street(query: Any) -> Any:
    return query.join(
        Household, sa.and_(Household.district == Account.district, Household.id == Account.household_id)
    ).join(Premises, sa.and_(Premises.district == Household.district, Premises.id == Household.premises_id))


def _within(doing: Doing, street_code: str | None) -> list[Any]:
    reached: list[Any] = []
    if not doing.actor.reach.covers(district=doing.district):
        reached.append(Premises.street_code == doing.actor.reach.code)
    if street_code is not None:
        reached.append(Premises.street_code == street_code)
    return reached


def _month_of(day: Any) -> Any:
    return sa.cast(sa.func.date_trunc("month", day), sa.Date)


def _openings(db: Session, district: int, reached: Sequence[Any]) -> dict[str, Counter[date]]:
    month = _month_of(Account.opened_on)
    found: dict[str, Counter[date]] = defaultdict(Counter)
    query = _of_street(sa.select(Premises.street_code, month, sa.func.count()).select_from(Account))
    for street, when, number in db.execute(
        query.where(Account.district == district, *reached).group_by(Premises.street_code, month)
    ):
        found[street][when] += number
    return found


def _closings(db: Session, district: int, reached: Sequence[Any]) -> dict[str, _Went]:
    month = _month_of(AccountClosing.closed_on)
    found: dict[str, _Went] = defaultdict(_Went)
    query = _of_street(
        sa.select(Premises.street_code, month, AccountClosing.reason, sa.func.count())
        .select_from(AccountClosing)
        .join(
            Account,
            sa.and_(Account.district == AccountClosing.district, Account.id == AccountClosing.account_id),
        )
    )
    for street, when, reason, number in db.execute(
        query.where(AccountClosing.district == district, *reached).group_by(
            Premises.street_code, month, AccountClosing.reason
        )
    ):
        found[street].by[when, reason] += number
    return found


def _planned(db: Session, district: int) -> dict[str, date]:
    """Of each street, the last day of its plans that are not dropped."""
    rows = db.execute(
        sa.select(ConversionPlan.street_code, sa.func.max(ConversionPlan.due_on))
        .where(ConversionPlan.district == district, ConversionPlan.state != ConversionState.DROPPED)
        .group_by(ConversionPlan.street_code)
    )
    return {row[0]: row[1] for row in rows}


def _came(db: Session, district: int, reached: Sequence[Any], since: date) -> Iterator[Came]:
    """Opened since the bar, the latest first; one more than are named."""
    excepted = sa.exists().where(
        RuleException.district == Account.district,
        RuleException.household_id == Account.household_id,
        RuleException.rule == "A02",
        RuleException.valid_from <= Account.opened_on,
        RuleException.valid_until >= Account.opened_on,
    )
    query = _of_street(sa.select(Account, Premises.street_code, excepted.label("excepted")))
    rows = db.execute(
        query.where(Account.district == district, Account.opened_on >= since, *reached)
        .order_by(Account.opened_on.desc(), Account.id.desc())
        .limit(MOST_NAMED + 1)
    )
    for account, street, is_excepted in rows:
        yield Came(
            account.id,
            account.household_id,
            street,
            account.opened_on,
            account.applied_on,
            _because(account, is_excepted, since),
        )


def _because(account: Account, is_excepted: bool, since: date) -> CameBecause:
    if is_excepted:
        return CameBecause.EXCEPTED
    if account.origin is AccountOrigin.IMPORTED:
        return CameBecause.IMPORTED
    return CameBecause.APPLIED_BEFORE if account.applied_on < since else CameBecause.UNEXPLAINED

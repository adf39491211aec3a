"""重点户走访: households that are looked after first, the longest not checked on top."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from core import clock
from core.doing import Doing
from dispatch.safety.models import CheckOutcome, SafetyCheck
from dispatch.safety.queries import households_within
from registry.models import Household, Premises
from rulebook import current

MOST_ROWS = 200


def first_visits(doing: Doing) -> list[dict[str, Any]]:
    """Within reach, never checked first. ``due_on``: by when the rulebook wants the next; a check that was
    refused is none. At most ``MOST_ROWS``."""
    days = current().at(str(doing.district), clock.today()).integer("check.vulnerable_days")
    last = (
        sa.select(sa.func.max(SafetyCheck.checked_at))
        .where(
            SafetyCheck.district == Household.district,
            SafetyCheck.household_id == Household.id,
            SafetyCheck.outcome != CheckOutcome.REFUSED,
        )
        .scalar_subquery()
    )
    with doing.ground.sessions() as db:
        rows = db.execute(
            sa.select(Household.id, Premises.street_code, Premises.committee_code, last.label("last"))
            .join(
                Premises,
                sa.and_(Premises.district == Household.district, Premises.id == Household.premises_id),
            )
            .where(
                Household.district == doing.district,
                Household.vulnerable,
                Household.closed_at.is_(None),
                households_within(db, doing.actor),
            )
            .order_by(last.asc().nulls_first(), Household.id)
            .limit(MOST_ROWS)
        ).all()
    found = []
    for row in rows:
        due_on = clock.day_of(row.last) + timedelta(days=days) if row.last and days is not None else None
        found.append(
            {
                "household_id": row.id,
                "street_code": row.street_code,
                "committee_code": row.committee_code,
                "last_checked_at": row.last,
                "due_on": due_on,
                "is_due": due_on is None or due_on < clock.today(),
            }
        )
    return found

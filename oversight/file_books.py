"""What the registry's and the reviews' books say of one household: for its whole file (一户一档).

How its registrant was identified, who lets the home, its deposit, who passed it on to whom, why it is looked
after first, from which rules it is excepted and until when, whether it is to be converted, what was refused
in writing, and the reviews it asked for. Masked like the rest: ids, words and days; what people wrote is read
where it is decided.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.doing import Doing
from oversight.refusal_notice_queries import notices_of_home
from oversight.review_models import RefusalReview
from registry.conversion_models import ConversionHome, ConversionPlan
from registry.exceptions import RuleException
from registry.letting_queries import lettings_of
from registry.models import Account, IdentityCheck
from registry.premises_models import AreaExemption, BannedUse, DepositLine, FreeArea
from registry.queries import booking_party
from registry.succession_models import Succession
from registry.vulnerability import vulnerabilities


def books_of(doing: Doing, db: Session, household_id: UUID, most: int) -> dict[str, list[Any]]:
    """Of a household within reach; each list at most ``most`` rows, the latest first."""
    party = booking_party(db, doing.district, household_id)
    assert party is not None
    here = doing.district
    person_id = party.account.person_id if party.account else None
    accounts = sa.select(Account.id).where(Account.district == here, Account.household_id == household_id)
    queries: dict[str, sa.Select[Any]] = {
        "identity_checks": sa.select(IdentityCheck)
        .where(IdentityCheck.person_id == person_id)
        .order_by(IdentityCheck.id.desc()),
        "deposit": sa.select(DepositLine)
        .where(DepositLine.district == here, DepositLine.account_id.in_(accounts))
        .order_by(DepositLine.recorded_at.desc(), DepositLine.number.desc()),
        "successions": sa.select(Succession)
        .where(Succession.district == here, Succession.household_id == household_id)
        .order_by(Succession.id.desc()),
        "exceptions": sa.select(RuleException)
        .where(RuleException.district == here, RuleException.household_id == household_id)
        .order_by(RuleException.id.desc()),
        "banned_uses": sa.select(BannedUse)
        .where(BannedUse.district == here, BannedUse.household_id == household_id)
        .order_by(BannedUse.id.desc()),
        "reviews": sa.select(RefusalReview)
        .where(RefusalReview.district == here, RefusalReview.household_id == household_id)
        .order_by(RefusalReview.id.desc()),
    }
    found: dict[str, list[Any]] = {
        name: list(db.scalars(query.limit(most))) for name, query in queries.items()
    }
    found["area_exemptions"] = _area_exemptions(db, here, party.premises.id, most)
    found["conversions"] = _conversions(db, here, accounts, most)
    found["lettings"] = lettings_of(db, doing.ground, here, household_id, most)
    found["refusal_notices"] = notices_of_home(db, here, household_id, most)
    found["vulnerabilities"] = vulnerabilities(doing, household_id)[:most]
    return found


def _area_exemptions(db: Session, district: int, premises_id: UUID, most: int) -> list[dict[str, Any]]:
    rows = db.execute(
        sa.select(AreaExemption, FreeArea.name)
        .join(
            FreeArea,
            sa.and_(FreeArea.district == AreaExemption.district, FreeArea.id == AreaExemption.area_id),
        )
        .where(AreaExemption.district == district, AreaExemption.premises_id == premises_id)
        .order_by(AreaExemption.id.desc())
        .limit(most)
    )
    return [_columns(row.AreaExemption) | {"area": row.name} for row in rows]


def _conversions(db: Session, district: int, accounts: sa.Select[Any], most: int) -> list[ConversionPlan]:
    plans = (
        sa.select(ConversionPlan)
        .join(
            ConversionHome,
            sa.and_(
                ConversionHome.district == ConversionPlan.district,
                ConversionHome.plan_id == ConversionPlan.id,
            ),
        )
        .where(ConversionHome.district == district, ConversionHome.account_id.in_(accounts))
        .order_by(ConversionPlan.id.desc())
        .limit(most)
    )
    return list(db.scalars(plans))


def _columns(row: Any) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in sa.inspect(type(row)).column_attrs}

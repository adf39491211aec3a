"""What a home's books say, for the copy of whoever is its registrant (PIPL 45).

An account may have passed to them from another, of whom they read nothing: what was entered before that day
is left out, but for what hangs there now and what is not mended yet.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.ground import Ground
from core.refusal import plain
from dispatch.safety.equipment_models import Equipment
from dispatch.safety.models import Hazard, SafetyCheck
from dispatch.safety.states import HazardState
from registry.models import Account
from registry.premises_models import DepositLine
from registry.tenures import passed_last
from registry.vulnerability import entered_for


def books_of_home(db: Session, ground: Ground, account: Account) -> dict[str, Any]:
    since = _registrant_since(db, account)
    books = {
        "looked_after_first": [
            {"ground": one["ground"], "since_on": one["since_on"], "ended_on": one["ended_on"]}
            for one in entered_for(db, ground, account.district, account.household_id, since)
        ],
        "deposit": [
            {
                "kind": one.kind,
                "amount_fen": one.amount_fen,
                "balance_fen": one.balance_fen,
                "on": one.entered_on,
            }
            for one in db.scalars(
                sa.select(DepositLine)
                .where(DepositLine.district == account.district, DepositLine.account_id == account.id)
                .order_by(DepositLine.number)
            )
        ],
        "checks": [
            {"at": clock.stamp(one.checked_at), "mode": one.mode, "outcome": one.outcome}
            for one in db.scalars(_at_home(SafetyCheck, account).where(SafetyCheck.checked_at >= since))
        ],
        "hazards": [
            {"item": one.item, "grade": one.grade, "state": one.state, "found_at": clock.stamp(one.found_at)}
            for one in db.scalars(
                _at_home(Hazard, account).where(
                    sa.or_(Hazard.found_at >= since, Hazard.state != HazardState.CLOSED)
                )
            )
        ],
        "equipment": [
            {"kind": one.kind, "maker": one.maker, "model": one.model, "installed_on": one.installed_on}
            for one in db.scalars(_at_home(Equipment, account).where(Equipment.ended_on.is_(None)))
        ],
    }
    return {name: plain(rows) for name, rows in books.items()}


def _registrant_since(db: Session, account: Account) -> datetime:
    """When it passed to whoever holds it; the day of its opening where it never did."""
    return passed_last(db, account) or clock.at(account.opened_on)


def _at_home(model: Any, account: Account) -> sa.Select[Any]:
    return (
        sa.select(model)
        .where(model.district == account.district, model.household_id == account.household_id)
        .order_by(model.id)
    )

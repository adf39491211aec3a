"""Verbs: an account's deposit (押金), in fen: paid, refunded, forfeited, converted. Nothing is ever changed.

A line carries the balance it leaves, which the database keeps from falling below nothing; the lines of an
account are numbered, so that of two written at once only one stands. A moratorium bars no refund, and a
closed account is refunded like any other.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.doing import Doing
from core.problems import NotFound
from core.refusal import Refused
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import account_refusals as no
from registry.mentions import my_account, resting
from registry.models import Account
from registry.premises_models import DepositKind, DepositLine
from registry.states import AccountState


@does("deposit.enter")
def enter_deposit(
    deed: Deed, account_id: UUID, *, kind: DepositKind, amount_fen: int, receipt_no: str
) -> Answer:
    """``converted``: the deposit became part of the cost of going over to piped gas or electricity."""
    my_account(deed, account_id)
    account = deed.db.get_one(
        Account, (deed.district, account_id), with_for_update=True, populate_existing=True
    )
    deed.about(SubjectType.HOUSEHOLD, account.household_id)
    deed.at(firm=account.firm_id)
    deed.note(account_id=account_id, kind=kind, amount_fen=amount_fen, receipt_no=receipt_no)
    last = last_line(deed.db, deed.district, account_id)
    before_fen = last.balance_fen if last else 0
    reasons = []
    if kind is DepositKind.PAID and account.state is AccountState.CLOSED:
        reasons.append(resting(deed, no.DEPOSIT_OF_CLOSED()))
    if kind is not DepositKind.PAID and amount_fen > before_fen:
        reasons.append(resting(deed, no.DEPOSIT_TOO_SMALL(balance_fen=before_fen, amount_fen=amount_fen)))
    if reasons:
        raise Refused(reasons)
    balance_fen = before_fen + (amount_fen if kind is DepositKind.PAID else -amount_fen)
    deed.note(balance_fen=balance_fen)
    deed.db.add(
        DepositLine(
            district=deed.district,
            account_id=account_id,
            number=1 + (last.number if last else 0),
            kind=kind,
            amount_fen=amount_fen,
            balance_fen=balance_fen,
            receipt_no=receipt_no,
            entered_on=clock.day_of(deed.recorded_at),
            entered_by=deed.actor.principal_id,
            recorded_at=deed.recorded_at,
        )
    )
    deed.db.flush()
    return {"account_id": str(account_id)}


def last_line(db: Session, district: int, account_id: UUID) -> DepositLine | None:
    lines = sa.select(DepositLine).where(
        DepositLine.district == district, DepositLine.account_id == account_id
    )
    return db.scalars(lines.order_by(DepositLine.number.desc()).limit(1)).first()


def deposit_view(doing: Doing, account_id: UUID) -> dict[str, Any]:
    """Every line of an account within reach, and what is left."""
    with doing.ground.sessions() as db:
        account = _in_reach(db, doing, account_id)
        lines = db.scalars(
            sa.select(DepositLine)
            .where(DepositLine.district == account.district, DepositLine.account_id == account.id)
            .order_by(DepositLine.number)
        ).all()
        return {
            "account_id": account.id,
            "balance_fen": lines[-1].balance_fen if lines else 0,
            "lines": lines,
        }


def _in_reach(db: Session, doing: Doing, account_id: UUID) -> Account:
    account = db.get(Account, (doing.district, account_id))
    if account is None:
        raise NotFound
    doing.actor.must_reach(firm=account.firm_id, district=account.district, person=account.person_id)
    return account

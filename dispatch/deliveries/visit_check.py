"""The safety check of a visit: sent along with it, or on record already; kept also when gas is refused.

A check made at the door happened, whatever becomes of the bottle. Where the visit is recorded (handed over,
withheld, wrong code) the check stands in that same deed. Where the handover is refused, its deed undoes all
it wrote: then the check is recorded by a deed of its own, at once after it, once for the request's key.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.doing import Doing
from dispatch.orders.models import Order
from dispatch.rounds.models import Round
from dispatch.safety.acts import CheckDone, ItemAnswer, record_check
from dispatch.safety.models import CheckMode, CheckOutcome, CheckReason, SafetyCheck
from dispatch.safety.signing import Signatures
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType


@dataclass(frozen=True, slots=True)
class VisitCheck:
    """``aside`` holds what the entry will say of a check made just now: a refused deed must not say it."""

    done: CheckDone
    aside: Deed | None = None

    @property
    def was_refused(self) -> bool:
        return self.done.outcome is CheckOutcome.REFUSED

    def enter(self, deed: Deed) -> None:
        """The visit is recorded: so are the check's chains and notes."""
        if self.aside is not None:
            deed.subjects |= self.aside.subjects
            deed.payload |= self.aside.payload


def check_of_visit(
    deed: Deed,
    order: Order,
    round: Round,
    sent: Mapping[str, Any] | None,
    checked_at: datetime,
    checked_by: UUID | None = None,
) -> VisitCheck | None:
    """The check sent along; without one, the latest on record for this order since the round was made.

    ``checked_by``: who looked, where that is not who sends it.
    """
    if sent is not None:
        aside = replace(deed, subjects=set(), payload={})
        return VisitCheck(_recorded(aside, order, sent, checked_at, checked_by), aside)
    made = latest_check(deed.db, order, round)
    return VisitCheck(CheckDone(made.id, made.outcome, made.blocking, ())) if made is not None else None


def latest_check(db: Session, order: Order, round: Round) -> SafetyCheck | None:
    """The latest check on record for this order since the round was made."""
    return db.scalars(
        sa.select(SafetyCheck)
        .where(
            SafetyCheck.district == order.district,
            SafetyCheck.order_id == order.id,
            SafetyCheck.checked_at >= round.recorded_at,
        )
        .order_by(SafetyCheck.checked_at.desc(), SafetyCheck.id.desc())
        .limit(1)
    ).first()


def keep_check(
    doing: Doing, *, order_id: UUID, sent: Mapping[str, Any], checked_at: datetime, refusal_no: str | None
) -> None:
    """Record the check of a handover that was just refused under ``refusal_no``.

    Under a key made of the request's own (with a line end, which no request's key can hold), so that a
    repeated request repeats the refusal and makes no second check.
    """
    key = f"{doing.key}\ncheck" if doing.key is not None else None
    _record_alone(
        replace(doing, key=key), order_id=order_id, sent=sent, checked_at=checked_at, refusal_no=refusal_no
    )


@does("check.record")
def _record_alone(
    deed: Deed, *, order_id: UUID, sent: Mapping[str, Any], checked_at: datetime, refusal_no: str | None
) -> Answer:
    """The deed that refused has judged whose order it is, and that the check is whole."""
    deed.occurred_at = checked_at
    order = deed.db.get_one(Order, (deed.district, order_id))
    deed.about(SubjectType.ORDER, order.id)
    deed.at(firm=order.firm_id, zone=order.zone_id)
    deed.note(order_id=order.id, refusal_no=refusal_no)
    return {"check_id": str(_recorded(deed, order, sent, checked_at).check_id)}


def _recorded(
    deed: Deed, order: Order, sent: Mapping[str, Any], checked_at: datetime, checked_by: UUID | None = None
) -> CheckDone:
    items: Sequence[ItemAnswer] = sent["items"]
    return record_check(
        deed,
        household_id=order.household_id,
        order_id=order.id,
        reason=CheckReason.DELIVERY,
        mode=CheckMode(sent["mode"]),
        refused=sent["refused"],
        items=items,
        checked_by=checked_by or deed.actor.principal_id,
        user_signed=sent["user_signed"],
        briefed=sent["briefed"],
        checked_at=checked_at,
        place=str(order.district),
        remote_reason=sent.get("remote_reason"),
        signatures=Signatures(sent.get("checker_signature_sha256"), sent.get("user_signature_sha256")),
        pointer="/check/items",
    )

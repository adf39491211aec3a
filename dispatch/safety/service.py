"""The verbs of safety: record a check, tell, prove it was received, claim mended, close. Each one deed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from core import clock
from core.ids import new_id
from core.problems import NotFound, WrongField
from core.refusal import Refused
from dispatch.safety import acts, receipts
from dispatch.safety.acts import ItemAnswer
from dispatch.safety.closing_gate import ClosingFacts
from dispatch.safety.models import (
    CheckItem,
    CheckMode,
    CheckReason,
    Hazard,
    ItemResult,
    Notice,
    RemoteReason,
    SafetyCheck,
)
from dispatch.safety.queries import reach_of_household
from dispatch.safety.signing import Receipt, Signatures
from dispatch.safety.states import HAZARD
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from rulebook import current
from rulebook.decisions import decision_of
from rulebook.gate import judge


@does("check.record")
def record(
    deed: Deed,
    *,
    household_id: UUID,
    reason: CheckReason,
    mode: CheckMode,
    refused: bool,
    items: Sequence[ItemAnswer],
    user_signed: bool,
    briefed: bool,
    checked_at: datetime,
    remote_reason: RemoteReason | None,
    checker_signature_sha256: str | None,
    user_signature_sha256: str | None,
) -> Answer:
    """A check without an order: survey, look-back, re-check, the visit after a check from afar.

    "No finding" is a result; so is "refused".
    """
    try:
        deed.actor.must_reach(**reach_of_household(deed.db, deed.actor, deed.district, household_id))
    except NotFound:
        raise WrongField(
            "/household_id", "unknown", "没有这一户", "expected a household you may check"
        ) from None
    if checked_at > deed.recorded_at:
        raise WrongField("/checked_at", "future", "检查时间不能晚于现在", "expected a time that has passed")
    deed.occurred_at = checked_at.replace(microsecond=checked_at.microsecond // 1000 * 1000)
    done = acts.record_check(
        deed,
        household_id=household_id,
        order_id=None,
        reason=reason,
        mode=mode,
        refused=refused,
        items=items,
        checked_by=deed.actor.principal_id,
        user_signed=user_signed,
        briefed=briefed,
        checked_at=deed.occurred_at,
        place=str(deed.district),
        remote_reason=remote_reason,
        signatures=Signatures(checker_signature_sha256, user_signature_sha256),
    )
    return {"check_id": str(done.check_id)}


@does("hazard.tell")
def tell(deed: Deed, *, hazard_id: UUID, receipt: Receipt) -> Answer:
    """A written notice for a hazard that did not stop supply (those that do are told at once)."""
    hazard = _locked(deed, hazard_id)
    notice = acts.give_notice(deed, hazard, receipt)
    deed.note(notice_id=notice.id, number=notice.number, **receipts.noted(receipt))
    return {"hazard_id": str(hazard_id)}


@does("notice.receive")
def receive(deed: Deed, *, notice_id: UUID, receipt: Receipt) -> Answer:
    """Proof that a hazard's notice reached the user: signed, witnessed, or opened by the user."""
    notice = deed.db.get(Notice, (deed.district, notice_id))
    if notice is None or notice.hazard_id is None:
        raise NotFound
    _locked(deed, notice.hazard_id)
    receipts.must_be_theirs_to_say(deed, receipt)
    receipts.prove_received(deed, notice.id, receipt, deed.recorded_at)
    deed.note(notice_id=notice.id, number=notice.number, **receipts.noted(receipt))
    return {"notice_id": str(notice_id)}


@does("hazard.claim_mended")
def claim_mended(deed: Deed, *, hazard_id: UUID) -> Answer:
    """Somebody says it is mended. That lifts nothing: only a re-check does."""
    hazard = _locked(deed, hazard_id)
    HAZARD.move(deed.db, hazard, "claim_mended")
    hazard.mended_at = deed.recorded_at
    return {"hazard_id": str(hazard_id)}


@does("hazard.close")
def close(deed: Deed, *, hazard_id: UUID, check_id: UUID) -> Answer:
    """Close by a re-check that passed the item, after the claim, by another person than who found it."""
    hazard = _locked(deed, hazard_id)
    check = deed.db.get(SafetyCheck, (deed.district, check_id))
    if check is None:
        raise WrongField("/check_id", "unknown", "没有这次检查", "expected a check of this district")
    deed.note(check_id=check_id)
    facts = _closing_facts(deed, hazard, check)
    verdict = judge("hazard.close", facts, str(deed.district), clock.day_of(deed.recorded_at), current())
    decision = decision_of(verdict, deed.district)
    decision.id = new_id()
    deed.keep(decision)
    deed.note(decision_id=decision.id)
    if not verdict.allowed:
        raise Refused(verdict.reasons)
    HAZARD.move(deed.db, hazard, "close")
    hazard.closed_at = deed.recorded_at
    hazard.closed_by = deed.actor.principal_id
    hazard.closing_check_id = check_id
    return {"hazard_id": str(hazard_id)}


def _locked(deed: Deed, hazard_id: UUID) -> Hazard:
    """The hazard, locked and in reach; its chain and its household's are this deed's subjects."""
    hazard = deed.db.get(Hazard, (deed.district, hazard_id), with_for_update=True)
    if hazard is None:
        raise NotFound
    deed.actor.must_reach(**reach_of_household(deed.db, deed.actor, deed.district, hazard.household_id))
    deed.about(SubjectType.HAZARD, hazard_id)
    deed.about(SubjectType.HOUSEHOLD, hazard.household_id)
    deed.note(item=hazard.item, grade=hazard.grade)
    return hazard


def _closing_facts(deed: Deed, hazard: Hazard, check: SafetyCheck) -> ClosingFacts:
    result = deed.db.scalar(
        sa.select(CheckItem.result).where(
            CheckItem.district == deed.district,
            CheckItem.check_id == check.id,
            CheckItem.item == hazard.item,
        )
    )
    return ClosingFacts(
        item=hazard.item,
        on_site=check.mode is CheckMode.ON_SITE,
        is_recheck_of_household=check.reason is CheckReason.RECHECK
        and check.household_id == hazard.household_id,
        item_passed=result is ItemResult.PASS,
        after_claim=hazard.mended_at is not None and check.checked_at > hazard.mended_at,
        mended_at=clock.stamp(hazard.mended_at) if hazard.mended_at else None,
        checked_by_finder=check.checked_by == hazard.found_by,
        closed_by_finder=deed.actor.principal_id == hazard.found_by,
    )

"""What the rooms above may have safety do within their own deed. Nothing here opens or commits.

Hazards are locked here: in the order of locks after the round and before the cylinders.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NoReturn
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import clock
from core.ids import new_id
from core.problems import WrongField
from dispatch.safety import receipts
from dispatch.safety.catalogue import ITEMS, MANDATORY, Ruling, breaks_limit, default_grade, ruling, worse
from dispatch.safety.equipment_law import failing_items
from dispatch.safety.equipment_queries import standing_equipment
from dispatch.safety.models import (
    CheckItem,
    CheckMode,
    CheckOutcome,
    CheckReason,
    Grade,
    Hazard,
    ItemResult,
    Notice,
    ReceivedHow,
    RemoteReason,
    SafetyCheck,
)
from dispatch.safety.signing import NOTHING_DRAWN, Receipt, Signatures, content_hash, signatures_of
from dispatch.safety.states import HAZARD, HazardState
from evidence.deed import Deed
from evidence.models import SubjectType
from rulebook import current
from rulebook.edition import Law


@dataclass(frozen=True, slots=True)
class ItemAnswer:
    """One answered item. ``measured`` in the item's unit; ``grade`` only to raise a failed item's grade."""

    item: str
    result: ItemResult
    grade: Grade | None = None
    measured: int | None = None
    photo_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A failed item and the hazard it stands as: a new one, or the one already open."""

    item: str
    grade: Grade
    blocking: bool
    hazard_id: UUID


@dataclass(frozen=True, slots=True)
class CheckDone:
    """``blocking``: supply may not go on, by a finding or because the check was refused."""

    check_id: UUID
    outcome: CheckOutcome
    blocking: bool
    findings: tuple[Finding, ...]

    @property
    def hazard_ids(self) -> tuple[UUID, ...]:
        return tuple(finding.hazard_id for finding in self.findings)

    @property
    def blocking_items(self) -> tuple[str, ...]:
        return tuple(finding.item for finding in self.findings if finding.blocking)


def record_check(
    deed: Deed,
    *,
    household_id: UUID,
    order_id: UUID | None,
    reason: CheckReason,
    mode: CheckMode,
    refused: bool,
    items: Sequence[ItemAnswer],
    checked_by: UUID,
    user_signed: bool,
    briefed: bool,
    checked_at: datetime,
    place: str,
    remote_reason: RemoteReason | None = None,
    signatures: Signatures = NOTHING_DRAWN,
    pointer: str = "/items",
) -> CheckDone:
    """Write down a check with all its findings. Raises only WrongField (under ``pointer``), never a refusal.

    ``checked_by``: the principal who looked. ``place``: the premises' division code. A failed item opens a
    hazard, or is the standing one's again; what stops supply is told in writing at once. So does what the
    register of equipment knows to be past its day, whatever was answered: the answer stays as it was given.
    The entry holds the hash of all answers and of both signatures: who checked answers for what was written.
    """
    law = current().at(place, clock.day_of(checked_at))
    must_be_whole(items, refused, law, pointer)
    rulings = {
        answer.item: ruling(law, answer.item, answer.grade)
        for answer in items
        if answer.result is ItemResult.FAIL
    }
    by_register = {} if refused else _known_to_fail(deed.db, household_id, law, rulings)
    answered, rulings = rulings, rulings | by_register
    check = SafetyCheck(
        district=deed.district,
        id=new_id(),
        household_id=household_id,
        order_id=order_id,
        reason=reason,
        mode=mode,
        outcome=_outcome(refused, rulings),
        blocking=refused or any(one.blocking for one in rulings.values()),
        checked_by=checked_by,
        user_signed=user_signed,
        briefed=briefed,
        follow_up_on=_follow_up_on(mode, law),
        checked_at=checked_at,
        recorded_at=deed.recorded_at,
        remote_reason=remote_reason,
    )
    deed.db.add(check)
    deed.db.flush()
    receipt = Receipt(_received_how(mode, user_signed), signatures.user_sha256)
    findings = tuple(_found(deed, check, item, one, receipt) for item, one in sorted(rulings.items()))
    rows = _item_rows(check, items, answered, findings)
    content_sha256 = content_hash(check, rows)
    deed.db.add_all([*rows, *signatures_of(check, content_sha256, signatures)])
    deed.about(SubjectType.HOUSEHOLD, household_id)
    deed.note(
        check_id=check.id,
        check_reason=reason,
        check_mode=mode,
        check_outcome=check.outcome,
        check_findings=[finding.item for finding in findings],
        check_by_register=sorted(by_register),
        check_sha256=content_sha256,
        checker_signature=signatures.checker_sha256,
        user_signature=signatures.user_sha256,
    )
    return CheckDone(check.id, check.outcome, check.blocking, findings)


def foreseen(
    items: Sequence[ItemAnswer], place: str, day: date, pointer: str = "/items"
) -> dict[str, Ruling]:
    """What a check with these answers would find, item by item, before it is sent; WrongField as then."""
    law = current().at(place, day)
    must_be_whole(items, False, law, pointer)
    return {
        answer.item: ruling(law, answer.item, answer.grade)
        for answer in items
        if answer.result is ItemResult.FAIL
    }


def give_notice(deed: Deed, hazard: Hazard, receipt: Receipt, at: datetime | None = None) -> Notice:
    """Tell the user in writing; the hazard, locked, moves to told. ``at``: when the notice was signed."""
    notice = receipts.give(deed, receipt.received_how, hazard.id)
    HAZARD.move(deed.db, hazard, "tell")
    deed.about(SubjectType.HAZARD, hazard.id)
    deed.tell("hazard.told", hazard_id=hazard.id, notice_id=notice.id)
    if receipt.is_proof:
        receipts.prove_received(deed, notice.id, receipt, at or deed.recorded_at)
    return notice


# --- what a check must answer -----------------------------------------------------------------------------


def must_be_whole(items: Sequence[ItemAnswer], refused: bool, law: Law, pointer: str) -> None:
    """422 for what a checker must put right: each mandatory item answered once, no finding made milder."""
    if refused:
        if items:
            _wrong(pointer, "refused_check", "拒绝安检时没有检查结果", "a refused check has no results")
        return
    seen: set[str] = set()
    for number, answer in enumerate(items):
        _must_be_sound(answer, law, f"{pointer}/{number}")
        if answer.item in seen:
            _wrong(f"{pointer}/{number}/item", "twice", "同一项目只答一次", "expected each item once")
        seen.add(answer.item)
    if missing := [code for code in ITEMS if code in MANDATORY - seen]:
        named = ", ".join(missing)
        _wrong(pointer, "items_missing", f"还有项目没有检查：{named}", f"expected answers also for: {named}")


def _must_be_sound(answer: ItemAnswer, law: Law, pointer: str) -> None:
    item = ITEMS.get(answer.item)
    if item is None:
        _wrong(f"{pointer}/item", "unknown_item", "没有这个检查项目", "expected an item of the catalogue")
    if item.mandatory and answer.result is ItemResult.NOT_APPLICABLE:
        _wrong(
            f"{pointer}/result",
            "mandatory",
            "此项必须检查",
            "expected pass or fail: this item always applies",
        )
    failed = answer.result is ItemResult.FAIL
    if answer.grade is not None and not failed:
        _wrong(
            f"{pointer}/grade", "no_finding", "合格项目没有等级", "expected a grade only with a failed item"
        )
    default = default_grade(law, item.code)
    if answer.grade is not None and worse(answer.grade, default) is not answer.grade:
        _wrong(
            f"{pointer}/grade",
            "grade_lowered",
            f"等级只能提高，不能低于规定的等级（{default}）",
            f"a finding's grade may be raised, not lowered: expected {default} or worse",
        )
    if item.unit is None:
        if answer.measured is not None:
            _wrong(f"{pointer}/measured", "not_measured", "此项不填测量值", "this item is not measured")
        return
    if answer.result is ItemResult.NOT_APPLICABLE:
        return
    if answer.measured is None:
        _wrong(
            f"{pointer}/measured",
            "required",
            f"请填测量值（{item.unit}）",
            f"expected a measure in {item.unit}",
        )
    if not failed and breaks_limit(law, item.code, answer.measured):
        _wrong(
            f"{pointer}/result",
            "beyond_limit",
            "测量值超出规定，应为不合格",
            "the measure is beyond its limit: expected fail",
        )


def _wrong(pointer: str, code: str, zh: str, en: str) -> NoReturn:
    raise WrongField(pointer, code, zh, en)


def _known_to_fail(
    db: Session, household_id: UUID, law: Law, answered: Mapping[str, Ruling]
) -> dict[str, Ruling]:
    """What the register of equipment says of items that were not answered as failed."""
    known = {
        item
        for standing in standing_equipment(db, household_id, law)
        for item in failing_items(standing)
        if item not in answered
    }
    return {item: ruling(law, item) for item in sorted(known)}


def _outcome(refused: bool, rulings: dict[str, Ruling]) -> CheckOutcome:
    if refused:
        return CheckOutcome.REFUSED
    return CheckOutcome.FINDINGS if rulings else CheckOutcome.CLEAR


def _follow_up_on(mode: CheckMode, law: Law) -> date | None:
    """What was seen only by video or told by telephone is looked at on the spot later."""
    if mode is CheckMode.ON_SITE:
        return None
    return law.day + timedelta(days=law.integer("check.follow_up_days") or 0)


def _item_rows(
    check: SafetyCheck,
    items: Sequence[ItemAnswer],
    rulings: dict[str, Ruling],
    findings: Sequence[Finding],
) -> list[CheckItem]:
    hazards = {finding.item: finding.hazard_id for finding in findings}
    return [
        CheckItem(
            district=check.district,
            check_id=check.id,
            item=answer.item,
            result=answer.result,
            grade=rulings[answer.item].grade if answer.item in rulings else None,
            measured=answer.measured,
            photo_sha256=answer.photo_sha256,
            hazard_id=hazards.get(answer.item),
        )
        for answer in items
    ]


def _received_how(mode: CheckMode, user_signed: bool) -> ReceivedHow:
    if user_signed:
        return ReceivedHow.SIGNED
    return ReceivedHow.REFUSED_TO_SIGN if mode is CheckMode.ON_SITE else ReceivedHow.ELECTRONIC


# --- findings and hazards ---------------------------------------------------------------------------------


def _found(deed: Deed, check: SafetyCheck, item: str, found: Ruling, receipt: Receipt) -> Finding:
    hazard = None
    while hazard is None:  # the standing one may be closed between the two statements: then ours opens
        hazard = _opened(deed, check, item, found) or _found_again(deed, check, item, found)
    deed.about(SubjectType.HAZARD, hazard.id)
    if hazard.blocking and hazard.state is HazardState.FOUND:
        give_notice(deed, hazard, receipt, check.checked_at)
    return Finding(item, hazard.grade, hazard.blocking, hazard.id)


def _opened(deed: Deed, check: SafetyCheck, item: str, found: Ruling) -> Hazard | None:
    """A new hazard; None where one is open for this household and item. Two checks at once open one."""
    return deed.db.scalars(
        insert(Hazard)
        .values(
            district=deed.district,
            id=new_id(),
            household_id=check.household_id,
            check_id=check.id,
            item=item,
            grade=found.grade,
            blocking=found.blocking,
            state=HazardState.FOUND,
            deadline_on=found.deadline_on,
            found_at=check.checked_at,
            found_by=check.checked_by,
        )
        .on_conflict_do_nothing(
            index_elements=["district", "household_id", "item"], index_where=sa.text("state <> 'closed'")
        )
        .returning(Hazard)
    ).first()


def _found_again(deed: Deed, check: SafetyCheck, item: str, found: Ruling) -> Hazard | None:
    """The standing hazard: it may have become worse, never milder.

    Mending that was claimed is rejected, unless the check was made before the claim and only came in later.
    """
    hazard = deed.db.scalars(
        sa.select(Hazard)
        .where(
            Hazard.district == deed.district,
            Hazard.household_id == check.household_id,
            Hazard.item == item,
            Hazard.state != HazardState.CLOSED,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if hazard is None:
        return None
    seen_since = hazard.mended_at is None or check.checked_at > hazard.mended_at
    if hazard.state is HazardState.MENDED and seen_since:
        HAZARD.move(deed.db, hazard, "reject")
    if worse(found.grade, hazard.grade) is not hazard.grade:
        hazard.grade = found.grade
        hazard.deadline_on = min(found.deadline_on, hazard.deadline_on or found.deadline_on)
    hazard.blocking = hazard.blocking or found.blocking
    deed.db.flush()
    return hazard

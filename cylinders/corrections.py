"""Verbs of whoever found out: which of two facts is true, which fact is an error. None is ever erased."""

from collections.abc import Sequence
from uuid import UUID

from core.machine import LOST_RACE
from core.problems import NotFound, WrongField
from core.refusal import Refused
from cylinders import acts, conflicts
from cylinders import custody_refusals as no
from cylinders.bottle_file_queries import must_reach_bottle
from cylinders.custody import facts_of, refold
from cylinders.models import (
    CustodyConflict,
    CustodyCorrection,
    Cylinder,
    ErrorReason,
    ResolutionReason,
)
from evidence.deed import Answer, Deed, does


@does("cylinder.resolve_conflict")
def resolve_conflict(
    deed: Deed, *, cylinder_id: UUID, conflict_id: UUID, true_fact_id: UUID, reason: ResolutionReason
) -> Answer:
    """Name the true one of the two. The other is declared an error and custody is told again without it."""
    seen = deed.db.get(CustodyConflict, (cylinder_id, conflict_id))
    if seen is None:
        raise NotFound
    _locked(deed, {cylinder_id, seen.standing_cylinder_id or cylinder_id})
    _reached(deed, cylinder_id)
    conflict = deed.db.get_one(CustodyConflict, (cylinder_id, conflict_id), populate_existing=True)
    if conflict.standing_cylinder_id != seen.standing_cylinder_id:
        raise Refused([LOST_RACE(thing="cylinder")])
    deed.note(conflict_id=conflict_id, true_fact_id=true_fact_id, resolution=reason)
    if conflict.resolved_at is not None:
        raise Refused([no.CONFLICT_RESOLVED()])
    if true_fact_id not in (conflict.fact_id, conflict.standing_fact_id):
        raise WrongField(
            "/true_fact_id", "unknown", "应为矛盾双方之一", "expected one of the two facts in conflict"
        )
    conflict.true_fact_id, conflict.resolved_by = true_fact_id, deed.actor.principal_id
    deed.db.flush()
    lost_is_true = true_fact_id == conflict.fact_id
    false_fact_id = conflict.standing_fact_id if lost_is_true else conflict.fact_id
    false_cylinder_id = (conflict.standing_cylinder_id if lost_is_true else None) or cylinder_id
    if false_fact_id is not None:
        did_not_happen = reason is ResolutionReason.DID_NOT_HAPPEN
        _declare(
            deed,
            false_cylinder_id,
            false_fact_id,
            ErrorReason.DID_NOT_OCCUR if did_not_happen else ErrorReason.INCORRECT_DATA,
            [true_fact_id],
            conflict_id,
        )
    conflicts.close(deed, deed.db.get_one(Cylinder, cylinder_id), conflict, reason.value)
    # The bottle that was not there first: until it has left the card it would still contradict the other.
    for one in dict.fromkeys([false_cylinder_id, cylinder_id]):
        refold(deed, deed.db.get_one(Cylinder, one))
    return {"cylinder_id": str(cylinder_id), "conflict_id": str(conflict_id)}


@does("cylinder.declare_error")
def declare_error(
    deed: Deed,
    *,
    cylinder_id: UUID,
    fact_id: UUID,
    reason: ErrorReason,
    corrective_fact_ids: Sequence[UUID],
) -> Answer:
    """The fact stays as it is, told with this declaration; custody is told again without it."""
    if deed.db.get(Cylinder, cylinder_id) is None:
        raise NotFound
    _locked(deed, {cylinder_id})
    cylinder = _reached(deed, cylinder_id)
    known = {fact.id for fact in facts_of(deed.db, cylinder_id)}
    if fact_id not in known:
        raise NotFound
    if fact_id in corrective_fact_ids or not known.issuperset(corrective_fact_ids):
        raise WrongField(
            "/corrective_fact_ids",
            "unknown",
            "应为这只瓶的其他记录",
            "expected other facts of this bottle",
        )
    deed.note(fact_id=fact_id, error=reason, corrective_fact_ids=list(corrective_fact_ids))
    if deed.db.get(CustodyCorrection, (cylinder_id, fact_id)) is not None:
        raise Refused([no.ERROR_DECLARED()])
    _declare(deed, cylinder_id, fact_id, reason, corrective_fact_ids, None)
    refold(deed, cylinder)
    return {"cylinder_id": str(cylinder_id), "fact_id": str(fact_id)}


def _locked(deed: Deed, cylinder_ids: set[UUID]) -> None:
    """As for a late fact: every card that the bottles' facts name, then the bottles."""
    cards = acts.lock_cards_named(deed, cylinder_ids)
    try:
        acts.lock_late(deed, cylinder_ids, cards)
    except acts.StartOver:
        raise Refused([LOST_RACE(thing="cylinder")]) from None


def _reached(deed: Deed, cylinder_id: UUID) -> Cylinder:
    cylinder = deed.db.get_one(Cylinder, cylinder_id)
    must_reach_bottle(deed.db, deed.doing, cylinder)
    return cylinder


def _declare(
    deed: Deed,
    cylinder_id: UUID,
    fact_id: UUID,
    reason: ErrorReason,
    corrective_fact_ids: Sequence[UUID],
    conflict_id: UUID | None,
) -> None:
    if deed.db.get(CustodyCorrection, (cylinder_id, fact_id)) is not None:
        return
    deed.db.add(
        CustodyCorrection(
            cylinder_id=cylinder_id,
            fact_id=fact_id,
            reason=reason,
            corrective_fact_ids=[str(one) for one in corrective_fact_ids],
            conflict_id=conflict_id,
            declared_by=deed.actor.principal_id,
            entry_id=deed.id,
            recorded_at=deed.recorded_at,
        )
    )
    deed.db.flush()

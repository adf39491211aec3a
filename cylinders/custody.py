"""Who holds the bottle: facts in a fixed order, folded into a projection.

    in_order(facts)   the order that does not depend on when facts arrived
    project(facts)    who holds it now, and which facts lost against others: the fold, pure
    record(deed, …)   add a fact and move the projection, under the bottle's row lock
    rebuild(db, …)    the projection again from all facts; says the same

Order. A fact recorded online is placed by the server, behind everything that stands. Facts that a device
reports later bring their sequence: each takes the running maximum of ``occurred_at`` along it, so that a
clock set back moves nothing before what the same device had done. All sort by (effective_at, device,
sequence, id).

Which facts stand. A site or an agency that scans a bottle has it. Whoever hands a bottle on must hold it;
if another does, the fact is kept, loses, becomes a conflict, and the bottle is held until a person says
where it truly was.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.ids import new_id
from cylinders.models import (
    CardHolding,
    CustodyConflict,
    CustodyFact,
    Cylinder,
    CylinderClaim,
    CylinderCustody,
    FactKind,
    Hold,
    HoldKind,
)
from cylinders.states import CYLINDER, CylinderState
from evidence.deed import Deed
from registry.models import Binding, HolderKind

SCANNED_BY_A_SITE_OR_AGENCY = {
    FactKind.FILL,
    FactKind.RETURN,
    FactKind.SEND_TO_INSPECTION,
    FactKind.SCRAP,
}
PUTS_ON_A_CARD = {FactKind.REGISTER, FactKind.DELIVER}
NO_DEVICE = UUID(int=0)
A_MOMENT = timedelta(microseconds=1)


class Holder(NamedTuple):
    kind: HolderKind
    id: UUID


class Place(NamedTuple):
    """A fact's place in a bottle's order. No device is the nil UUID, no sequence is 0: they sort first."""

    effective_at: datetime
    device_id: UUID
    device_seq: int
    fact_id: UUID


@dataclass(frozen=True, slots=True)
class Projection:
    """Who holds the bottle, full or empty, and on which card of ``district``; told up to ``place``."""

    holder: Holder | None
    full: bool
    filled_at: datetime | None
    district: int
    card_id: UUID | None
    place: Place


@dataclass(frozen=True, slots=True)
class Custody:
    """The fold's answer. ``lost`` are the facts that others contradict, in order."""

    now: Projection
    lost: tuple[UUID, ...]


# --------------------------------------------------------------------------------------------------------
# The fold


def project(facts: Iterable[CustodyFact]) -> Custody:
    """``facts`` of one bottle, at least one, in whatever order they arrived."""
    now: Projection | None = None
    lost = []
    for place, fact in in_order(facts):
        if not stands(now, fact):
            lost.append(fact.id)
        now = after(now, fact, place)
    if now is None:
        raise ValueError("expected at least one fact of custody, found none")
    return Custody(now, tuple(lost))


def in_order(facts: Iterable[CustodyFact]) -> list[tuple[Place, CustodyFact]]:
    """Each fact with its place, first to last."""
    placed = []
    latest: dict[UUID, datetime] = {}
    for fact in sorted(facts, key=lambda one: (one.device_seq or 0, one.id)):
        if fact.device_id is None or fact.device_seq is None:
            placed.append((place_of(fact, fact.effective_at), fact))
        else:
            latest[fact.device_id] = max(fact.occurred_at, latest.get(fact.device_id, fact.occurred_at))
            placed.append((place_of(fact, latest[fact.device_id]), fact))
    return sorted(placed, key=lambda one: one[0])


def place_of(fact: CustodyFact, effective_at: datetime) -> Place:
    return Place(effective_at, fact.device_id or NO_DEVICE, fact.device_seq or 0, fact.id)


def stands(before: Projection | None, fact: CustodyFact) -> bool:
    """Is the fact believed? One who hands a bottle on must hold it."""
    if fact.kind in SCANNED_BY_A_SITE_OR_AGENCY or fact.kind is FactKind.REGISTER:
        return True
    return before is not None and before.holder is not None and before.holder == giver_of(fact)


def after(before: Projection | None, fact: CustodyFact, place: Place) -> Projection:
    """The projection with this fact told, whether it stands or not."""
    seen = before or Projection(None, False, None, fact.district, None, place)
    # A registration says where a bottle was before anybody scanned it.
    was_seen_already = fact.kind is FactKind.REGISTER and seen.holder is not None
    if was_seen_already or not stands(before, fact):
        return replace(seen, place=place)
    return Projection(
        holder=taker_of(fact),
        full=_full_after(seen, fact),
        filled_at=place.effective_at if fact.kind is FactKind.FILL else seen.filled_at,
        district=fact.district,
        card_id=fact.card_id if fact.kind in PUTS_ON_A_CARD else None,
        place=place,
    )


def _full_after(before: Projection, fact: CustodyFact) -> bool:
    """A bottle is full from its filling until it is taken back from a household."""
    match fact.kind:
        case FactKind.REGISTER:
            return fact.full
        case FactKind.FILL | FactKind.LOAD | FactKind.DELIVER:
            return True
        case FactKind.TAKE_EMPTY | FactKind.MISSING | FactKind.SCRAP:
            return False
        case FactKind.RETURN | FactKind.SEND_TO_INSPECTION:
            return before.full and (before.holder is None or before.holder.kind is not HolderKind.HOUSEHOLD)


def giver_of(fact: CustodyFact) -> Holder | None:
    return Holder(fact.from_kind, fact.from_id) if fact.from_kind and fact.from_id else None


def taker_of(fact: CustodyFact) -> Holder | None:
    return Holder(fact.to_kind, fact.to_id) if fact.to_kind and fact.to_id else None


# --------------------------------------------------------------------------------------------------------
# In the database


@dataclass(frozen=True, slots=True)
class Errand:
    """On which errand a bottle moved: columns of the fact, each null where it does not apply."""

    site_id: UUID | None = None
    binding: Binding | None = None
    round_id: UUID | None = None
    line_id: UUID | None = None
    card_id: UUID | None = None
    device_id: UUID | None = None
    device_seq: int | None = None
    uncertainty_s: int = 0
    flags: tuple[str, ...] = ()


def record(
    deed: Deed,
    cylinder: Cylinder,
    kind: FactKind,
    *,
    giver: Holder | None,
    taker: Holder | None,
    errand: Errand,
    full: bool = False,
    occurred_at: datetime | None = None,
    district: int | None = None,
) -> Custody:
    """Add a fact of this bottle and move its projection. The caller has locked the bottle (``acts.lock``).

    ``full`` is asked only of a registration. ``district`` is where the fact files, else the deed's.
    """
    standing = standing_custody(deed.db, cylinder.cylinder_id)
    before = projection_of(standing) if standing else None
    occurred_at = occurred_at or deed.occurred_at
    fact = CustodyFact(
        id=new_id(),
        cylinder_id=cylinder.cylinder_id,
        recorded_at=deed.recorded_at,
        kind=kind,
        from_kind=giver and giver.kind,
        from_id=giver and giver.id,
        to_kind=taker and taker.kind,
        to_id=taker and taker.id,
        full=full,
        district=district or deed.district,
        occurred_at=occurred_at,
        effective_at=occurred_at,
        uncertainty_s=errand.uncertainty_s,
        device_id=errand.device_id,
        device_seq=errand.device_seq,
        actor_id=deed.actor.principal_id,
        entry_id=deed.id,
        site_id=errand.site_id,
        binding_id=errand.binding and errand.binding.id,
        zone_id=errand.binding and errand.binding.zone_id,
        round_id=errand.round_id,
        line_id=errand.line_id,
        card_id=errand.card_id,
        flags=list(errand.flags),
    )
    if fact.device_seq is None:
        if before is not None:
            fact.effective_at = max(occurred_at, before.place.effective_at + A_MOMENT)
        now = after(before, fact, place_of(fact, fact.effective_at))
        custody = Custody(now, () if stands(before, fact) else (fact.id,))
        deed.db.add(fact)
    else:
        fact.effective_at = _running_maximum(deed.db, fact)
        deed.db.add(fact)
        deed.db.flush()
        custody = project(facts_of(deed.db, cylinder.cylinder_id))
    _write(deed.db, cylinder.cylinder_id, standing, custody.now)
    if custody.lost:
        _hold_for_conflict(deed, cylinder, custody.lost)
    return custody


def rebuild(db: Session, cylinder_id: UUID) -> Custody:
    """The projection, the claim and the holding once more from all facts. Locks the bottle."""
    db.execute(sa.select(Cylinder.cylinder_id).where(Cylinder.cylinder_id == cylinder_id).with_for_update())
    custody = project(facts_of(db, cylinder_id))
    _write(db, cylinder_id, standing_custody(db, cylinder_id), custody.now)
    return custody


def facts_of(db: Session, cylinder_id: UUID) -> Sequence[CustodyFact]:
    return db.scalars(sa.select(CustodyFact).where(CustodyFact.cylinder_id == cylinder_id)).all()


def known_before(
    db: Session, cylinder_id: UUID, at: datetime, device_id: UUID, device_seq: int
) -> Projection | None:
    """The projection as all facts placed before this moment of this device tell it, known late or not."""
    here = (at, device_id, device_seq)
    earlier = [fact for place, fact in in_order(facts_of(db, cylinder_id)) if place[:3] < here]
    return project(earlier).now if earlier else None


def standing_custody(db: Session, cylinder_id: UUID) -> CylinderCustody | None:
    """The projection as the database has it now, not as this session once read it."""
    return db.get(CylinderCustody, cylinder_id, populate_existing=True)


def projection_of(row: CylinderCustody) -> Projection:
    return Projection(
        holder=Holder(row.holder_kind, row.holder_id) if row.holder_kind and row.holder_id else None,
        full=row.full,
        filled_at=row.filled_at,
        district=row.district,
        card_id=row.card_id,
        place=Place(row.effective_at, row.device_id or NO_DEVICE, row.device_seq or 0, row.last_fact_id),
    )


def _running_maximum(db: Session, fact: CustodyFact) -> datetime:
    """Of ``occurred_at`` along the device's sequence up to this fact, within its bottle."""
    earlier = db.scalar(
        sa.select(sa.func.max(CustodyFact.occurred_at)).where(
            CustodyFact.cylinder_id == fact.cylinder_id,
            CustodyFact.device_id == fact.device_id,
            CustodyFact.device_seq < fact.device_seq,
        )
    )
    return max(fact.occurred_at, earlier) if earlier else fact.occurred_at


def _write(db: Session, cylinder_id: UUID, standing: CylinderCustody | None, now: Projection) -> None:
    """The projection's row, then the holding it implies: the old one ended before the new one begins."""
    row = standing or CylinderCustody(cylinder_id=cylinder_id, version=0)
    row.holder_kind, row.holder_id = now.holder or (None, None)
    row.full, row.filled_at = now.full, now.filled_at
    row.district, row.card_id = now.district, now.card_id
    row.effective_at, row.last_fact_id = now.place.effective_at, now.place.fact_id
    row.device_id = None if now.place.device_id == NO_DEVICE else now.place.device_id
    row.device_seq = now.place.device_seq or None
    row.version += 1
    db.add(row)
    db.flush()
    claim = db.scalars(
        sa.select(CylinderClaim).where(CylinderClaim.cylinder_id == cylinder_id, CylinderClaim.active)
    ).one_or_none()
    held = (claim.district, claim.card_id) if claim else None
    holds_now = (now.district, now.card_id) if now.card_id else None
    if held == holds_now:
        return
    if claim is not None:
        _end_holding(db, claim, now.place.effective_at)
    if now.card_id is not None:
        begun: dict[str, Any] = {
            "district": now.district,
            "card_id": now.card_id,
            "cylinder_id": cylinder_id,
            "active": True,
            "from_at": now.place.effective_at,
        }
        db.add(CylinderClaim(**begun))
        db.add(CardHolding(**begun))
        db.flush()


def _end_holding(db: Session, claim: CylinderClaim, at: datetime) -> None:
    claim.active, claim.until_at = False, at
    db.execute(
        sa.update(CardHolding)
        .where(
            CardHolding.district == claim.district,
            CardHolding.card_id == claim.card_id,
            CardHolding.cylinder_id == claim.cylinder_id,
            CardHolding.active,
        )
        .values(active=False, until_at=at)
    )
    db.flush()


def _hold_for_conflict(deed: Deed, cylinder: Cylinder, lost: tuple[UUID, ...]) -> None:
    """Write down each newly contradicted fact and stop the bottle until a person resolves it."""
    known = set(
        deed.db.scalars(
            sa.select(CustodyConflict.fact_id).where(CustodyConflict.cylinder_id == cylinder.cylinder_id)
        )
    )
    found = [
        fact for fact in facts_of(deed.db, cylinder.cylinder_id) if fact.id in lost and fact.id not in known
    ]
    for fact in found:
        deed.db.add(
            CustodyConflict(
                cylinder_id=cylinder.cylinder_id,
                fact_id=fact.id,
                district=fact.district,
                card_id=fact.card_id,
                found_at=deed.recorded_at,
            )
        )
        deed.db.add(
            Hold(
                cylinder_id=cylinder.cylinder_id,
                kind=HoldKind.CONFLICT,
                reference=str(fact.id),
                from_at=deed.recorded_at,
            )
        )
    deed.db.flush()
    if found and cylinder.state is CylinderState.IN_SERVICE:
        CYLINDER.move(deed.db, cylinder, "hold")

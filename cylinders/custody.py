"""Who holds the bottle: facts in a fixed order, folded into a projection.

    in_order(facts)   the order that does not depend on when facts arrived
    project(facts)    who holds it now, and which facts lost against others: the fold, pure
    record(deed, …)   add a fact and move the projection, under the bottle's row lock
    refold(deed, …)   the projection again from all facts, with the claims and conflicts that follow
    rebuild(db, …)    the same without a deed; says what stands

Order. A fact recorded online is placed by the server, behind everything that stands. Facts that a device
reports later bring their sequence: each takes the running maximum of ``occurred_at`` along it, so that a
clock set back moves nothing before what the same device had done. All sort by (effective_at, device,
sequence, id).

Which facts stand. A site or an agency that scans a bottle has it. Whoever hands a bottle on must hold it;
if another does, the fact is kept, loses, becomes a conflict, and the bottle is held until a person says
which fact is true. The same handover told twice, by the giver's and the taker's scan, is no contradiction.
What a person has said (``Rulings``) goes into the fold: a fact declared an error is left out of it, a fact
found true stands. What comes to light afterwards and contradicts it was not weighed then: that is a new
conflict. The facts themselves never change.

Two bottles on one card. The one that came to the card later holds it; the other's fact is a conflict too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.ids import new_id
from core.refusal import plain
from cylinders import conflicts
from cylinders.models import (
    CardHolding,
    CustodyConflict,
    CustodyCorrection,
    CustodyFact,
    Cylinder,
    CylinderClaim,
    CylinderCustody,
    FactKind,
)
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


class Handed(NamedTuple):
    """The fact by which its holder has the bottle."""

    at: datetime
    fact_id: UUID
    kind: FactKind
    giver: Holder | None


@dataclass(frozen=True, slots=True)
class Projection:
    """Who holds the bottle, full or empty, and on which card of ``district``; told up to ``place``.

    ``by``: since which fact; None where no fact stands.
    """

    holder: Holder | None
    full: bool
    filled_at: datetime | None
    district: int
    card_id: UUID | None
    place: Place
    by: Handed | None = None


@dataclass(frozen=True, slots=True)
class Rulings:
    """What persons have said of a bottle's facts: errors are left out, facts found true stand.

    ``believed``: when each was found true, so that what was recorded later can contradict it anew.
    """

    withdrawn: frozenset[UUID] = frozenset()
    believed: Mapping[UUID, datetime] = field(default_factory=dict)


NO_RULINGS = Rulings()


class Span(NamedTuple):
    """The bottle stood on this card from one fact to another; ``until_at`` None: it still does."""

    district: int
    card_id: UUID
    from_at: datetime
    until_at: datetime | None


@dataclass(frozen=True, slots=True)
class Custody:
    """The fold's answer. ``lost`` are the facts that others contradict, in order, and ``against`` what;
    ``spans`` the cards on which the bottle stood."""

    now: Projection
    lost: tuple[UUID, ...]
    against: Mapping[UUID, UUID | None] = field(default_factory=dict)
    spans: tuple[Span, ...] = ()


# --------------------------------------------------------------------------------------------------------
# The fold


def project(facts: Iterable[CustodyFact], rulings: Rulings = NO_RULINGS) -> Custody:
    """``facts`` of one bottle, at least one, in whatever order they arrived."""
    now: Projection | None = None
    against: dict[UUID, UUID | None] = {}
    spans: list[Span] = []
    recorded_at = {}
    for place, fact in in_order(facts):
        recorded_at[fact.id] = fact.recorded_at
        if fact.id in rulings.withdrawn:
            now = now or _nowhere(fact, place)
            continue
        standing = now.by.fact_id if now is not None and now.by is not None else None
        found_true_at = rulings.believed.get(fact.id)
        was_weighed = found_true_at is not None and (
            standing is None or recorded_at[standing] <= found_true_at
        )
        if loses(now, fact) and not was_weighed:
            against[fact.id] = standing
        now = after(now, fact, place, is_true=found_true_at is not None)
        if now.by is not None and now.by.fact_id == fact.id:
            _tell_span(spans, now, now.by.at)
    if now is None:
        raise ValueError("expected at least one fact of custody, found none")
    return Custody(now, tuple(against), against, tuple(spans))


def _tell_span(spans: list[Span], now: Projection, at: datetime) -> None:
    """A fact that stands ends the span before it, and begins one if it puts the bottle on a card."""
    if spans and spans[-1].until_at is None:
        spans[-1] = spans[-1]._replace(until_at=at)
    if now.card_id is not None:
        spans.append(Span(now.district, now.card_id, at, None))


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


def confirms(before: Projection | None, fact: CustodyFact) -> bool:
    """The handover by which its holder has it, told once more: by the other side, or by a second scan."""
    if before is None or before.by is None:
        return False
    same_handover = (before.by.kind, before.by.giver) == (fact.kind, giver_of(fact))
    return same_handover and before.holder == taker_of(fact) and before.card_id == _card_after(fact)


def loses(before: Projection | None, fact: CustodyFact) -> bool:
    return not stands(before, fact) and not confirms(before, fact)


def after(before: Projection | None, fact: CustodyFact, place: Place, *, is_true: bool = False) -> Projection:
    """The projection with this fact told, whether it stands or not. ``is_true``: a person has found so."""
    seen = before or _nowhere(fact, place)
    # A registration says where a bottle was before anybody scanned it.
    was_seen_already = fact.kind is FactKind.REGISTER and seen.holder is not None
    if was_seen_already or not (is_true or stands(before, fact)):
        return replace(seen, place=place)
    return Projection(
        holder=taker_of(fact),
        full=_full_after(seen, fact),
        filled_at=place.effective_at if fact.kind is FactKind.FILL else seen.filled_at,
        district=fact.district,
        card_id=_card_after(fact),
        place=place,
        by=Handed(place.effective_at, fact.id, fact.kind, giver_of(fact)),
    )


def _nowhere(fact: CustodyFact, place: Place) -> Projection:
    return Projection(None, False, None, fact.district, None, place)


def _card_after(fact: CustodyFact) -> UUID | None:
    return fact.card_id if fact.kind in PUTS_ON_A_CARD else None


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
    if fact.device_seq is not None:
        fact.effective_at = _running_maximum(deed.db, fact)
        deed.db.add(fact)
        deed.db.flush()
        return refold(deed, cylinder)
    if before is not None:
        fact.effective_at = max(occurred_at, before.place.effective_at + A_MOMENT)
    deed.db.add(fact)
    now = after(before, fact, place_of(fact, fact.effective_at))
    _write(deed.db, cylinder.cylinder_id, standing, now)
    if now.by is not None and now.by.fact_id == fact.id:
        _move_claim(deed.db, cylinder.cylinder_id, now)
    if not loses(before, fact):
        return Custody(now, ())
    against = {fact.id: before.by.fact_id if before is not None and before.by is not None else None}
    conflicts.find(deed, cylinder, against)
    return Custody(now, (fact.id,), against)


def refold(deed: Deed, cylinder: Cylinder) -> Custody:
    """The projection from all facts and rulings; then the cards it left and reached, and every conflict.

    A late fact is told in its place: what it changes of the present is noted in the entry. The caller has
    locked the cards that the bottle's facts name, then the bottle and whatever else stands on those cards.
    """
    db, cylinder_id = deed.db, cylinder.cylinder_id
    standing = standing_custody(db, cylinder_id)
    before = projection_of(standing) if standing else None
    custody = project(facts_of(db, cylinder_id), rulings_of(db, cylinder_id))
    _write(db, cylinder_id, standing, custody.now)
    beaten = _settle_cards(db, cylinder_id, [one for one in (before, custody.now) if one is not None])
    contradicted = {fact: conflicts.Against(other) for fact, other in custody.against.items()}
    own = beaten.pop(cylinder_id, None)
    _retell_holdings(db, cylinder_id, custody.spans, own.until_at if own is not None else None)
    if own is not None and own.against is not None:
        contradicted[own.fact_id] = own.against
    conflicts.settle(deed, cylinder, contradicted)
    for other_id, other in beaten.items():
        conflicts.settle_one(deed, other_id, other.fact_id, other.against)
    if before is not None and _told(before) != _told(custody.now):
        changed = {"cylinder_id": cylinder_id, "before": _told(before), "after": _told(custody.now)}
        deed.payload.setdefault("projection_changed", []).append(plain(changed))
    return custody


def _told(now: Projection) -> dict[str, Any]:
    """As an entry may say it: surrogate ids and words."""
    return {
        "holder_kind": now.holder.kind if now.holder else None,
        "holder_id": now.holder.id if now.holder else None,
        "full": now.full,
        "card_id": now.card_id,
    }


def rebuild(db: Session, cylinder_id: UUID) -> Custody:
    """The projection, the claim and the holding once more from all facts. Locks the bottle."""
    db.execute(sa.select(Cylinder.cylinder_id).where(Cylinder.cylinder_id == cylinder_id).with_for_update())
    standing = standing_custody(db, cylinder_id)
    before = projection_of(standing) if standing else None
    custody = project(facts_of(db, cylinder_id), rulings_of(db, cylinder_id))
    _write(db, cylinder_id, standing, custody.now)
    beaten = _settle_cards(db, cylinder_id, [one for one in (before, custody.now) if one is not None])
    own = beaten.get(cylinder_id)
    _retell_holdings(db, cylinder_id, custody.spans, own.until_at if own is not None else None)
    return custody


def rulings_of(db: Session, cylinder_id: UUID) -> Rulings:
    """Errors declared, and facts that lost and that a person found true all the same."""
    withdrawn = db.scalars(
        sa.select(CustodyCorrection.fact_id).where(CustodyCorrection.cylinder_id == cylinder_id)
    )
    believed = db.execute(
        sa.select(CustodyConflict.fact_id, CustodyConflict.resolved_at)
        .where(
            CustodyConflict.cylinder_id == cylinder_id,
            CustodyConflict.true_fact_id == CustodyConflict.fact_id,
        )
        .order_by(CustodyConflict.resolved_at)
    )
    return Rulings(frozenset(withdrawn), {row.fact_id: row.resolved_at for row in believed})


def facts_of(db: Session, cylinder_id: UUID) -> Sequence[CustodyFact]:
    return db.scalars(sa.select(CustodyFact).where(CustodyFact.cylinder_id == cylinder_id)).all()


def known_before(
    db: Session, cylinder_id: UUID, at: datetime, device_id: UUID, device_seq: int
) -> Projection | None:
    """The projection as all facts placed before this moment of this device tell it, known late or not."""
    here = (at, device_id, device_seq)
    earlier = [fact for place, fact in in_order(facts_of(db, cylinder_id)) if place[:3] < here]
    return project(earlier, rulings_of(db, cylinder_id)).now if earlier else None


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
        by=_handed(row),
    )


def _handed(row: CylinderCustody) -> Handed | None:
    if row.since_at is None or row.since_fact_id is None or row.since_kind is None:
        return None
    kind, giver_id = row.since_from_kind, row.since_from_id
    giver = Holder(kind, giver_id) if kind is not None and giver_id is not None else None
    return Handed(row.since_at, row.since_fact_id, row.since_kind, giver)


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
    """The projection's row."""
    row = standing or CylinderCustody(cylinder_id=cylinder_id, version=0)
    row.holder_kind, row.holder_id = now.holder or (None, None)
    row.full, row.filled_at = now.full, now.filled_at
    row.district, row.card_id = now.district, now.card_id
    row.effective_at, row.last_fact_id = now.place.effective_at, now.place.fact_id
    row.device_id = None if now.place.device_id == NO_DEVICE else now.place.device_id
    row.device_seq = now.place.device_seq or None
    row.since_at, row.since_fact_id, row.since_kind, giver = now.by or (None, None, None, None)
    row.since_from_kind, row.since_from_id = giver or (None, None)
    row.version += 1
    db.add(row)
    db.flush()


# --------------------------------------------------------------------------------------------------------
# Cards: which bottle each holds


def _move_claim(db: Session, cylinder_id: UUID, now: Projection) -> None:
    """The holding that the newest fact implies: the old one ended before the new one begins.

    A card that holds another bottle refuses, by the database: online a swap has ended that one before.
    """
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
        _begin_holding(db, now.district, now.card_id, cylinder_id, now.place.effective_at)


@dataclass(frozen=True, slots=True)
class _Claimant:
    """The fact that put a bottle on a card, and the other bottle's that holds the card instead."""

    fact_id: UUID
    against: conflicts.Against | None
    until_at: datetime | None


def _settle_cards(db: Session, cylinder_id: UUID, told: Iterable[Projection]) -> dict[UUID, _Claimant]:
    """Each card that the bottle left or reached is held by whatever came to it last.

    Answers with every bottle that stands on those cards.
    """
    by_card = {
        (one.district, one.card_id): _claimants(db, one.district, one.card_id)
        for one in told
        if one.card_id is not None
    }
    for card, rows in sorted(by_card.items()):
        _end_other_holdings(db, card, rows[0] if rows else None)
    for card, rows in sorted(by_card.items()):
        if rows and not _holds(db, card, rows[0].cylinder_id):
            _begin_holding(db, *card, rows[0].cylinder_id, rows[0].since_at or rows[0].effective_at)
    found = {}
    for rows in by_card.values():
        for row in rows:
            beaten = row is not rows[0]
            against = conflicts.Against(rows[0].since_fact_id, rows[0].cylinder_id) if beaten else None
            if row.since_fact_id is not None:
                until_at = rows[0].since_at if beaten else None
                found[row.cylinder_id] = _Claimant(row.since_fact_id, against, until_at)
    return found


def _claimants(db: Session, district: int, card_id: UUID) -> Sequence[CylinderCustody]:
    """The bottles that stand on a card by their own facts, the latest to come first."""
    return db.scalars(
        sa.select(CylinderCustody)
        .where(CylinderCustody.district == district, CylinderCustody.card_id == card_id)
        .order_by(CylinderCustody.since_at.desc(), CylinderCustody.since_fact_id.desc())
        .execution_options(populate_existing=True)
    ).all()


def _end_other_holdings(db: Session, card: tuple[int, UUID], winner: CylinderCustody | None) -> None:
    """Of a card that another bottle holds by now, or none."""
    held = sa.select(CardHolding.cylinder_id).where(
        CardHolding.district == card[0], CardHolding.card_id == card[1], CardHolding.active
    )
    for cylinder_id in db.scalars(held).all():
        if winner is not None and cylinder_id == winner.cylinder_id:
            continue
        claim = db.scalars(
            sa.select(CylinderClaim).where(CylinderClaim.cylinder_id == cylinder_id, CylinderClaim.active)
        ).one()
        custody = standing_custody(db, cylinder_id)
        has_left = custody is not None and custody.card_id != card[1]
        left_at = custody.since_at if has_left and custody is not None else winner and winner.since_at
        _end_holding(db, claim, max(left_at or claim.from_at, claim.from_at))


def _holds(db: Session, card: tuple[int, UUID], cylinder_id: UUID) -> bool:
    held = sa.exists().where(
        CardHolding.district == card[0],
        CardHolding.card_id == card[1],
        CardHolding.cylinder_id == cylinder_id,
        CardHolding.active,
    )
    return bool(db.scalar(sa.select(held)))


def _retell_holdings(
    db: Session, cylinder_id: UUID, spans: Sequence[Span], beaten_at: datetime | None
) -> None:
    """The times of all the bottle's holdings, as its facts tell them now: a late fact may move them.

    ``beaten_at``: since when another bottle has held the card it stands on. A holding of which no fact tells
    any more never was: it lasts no time.
    """
    told = [one if one.until_at is not None else one._replace(until_at=beaten_at) for one in spans]
    cards = {(one.district, one.card_id) for one in spans}
    rows = list(
        db.scalars(
            sa.select(CylinderClaim)
            .where(CylinderClaim.cylinder_id == cylinder_id)
            .order_by(CylinderClaim.from_at, CylinderClaim.id)
        )
    )
    # Also a card it never was on, as is known by now: another bottle has that one again.
    cards |= {(row.district, row.card_id) for row in rows}
    for span in told:
        claim = next((row for row in rows if _is_told(row, span)), None)
        if claim is not None:
            rows.remove(claim)
            _retime(db, claim, span.from_at, span.until_at)
        elif span.until_at is not None:
            _begin_holding(db, span.district, span.card_id, cylinder_id, span.from_at, span.until_at)
    for claim in rows:
        if not claim.active:
            _retime(db, claim, claim.from_at, claim.from_at)
    for card in cards:
        _cut_where_the_next_begins(db, card)


def _is_told(claim: CylinderClaim, span: Span) -> bool:
    same_card = (claim.district, claim.card_id) == (span.district, span.card_id)
    return same_card and claim.active == (span.until_at is None)


def _retime(db: Session, claim: CylinderClaim, from_at: datetime, until_at: datetime | None) -> None:
    if (claim.from_at, claim.until_at) == (from_at, until_at):
        return
    db.execute(
        sa.update(CardHolding)
        .where(
            CardHolding.district == claim.district,
            CardHolding.card_id == claim.card_id,
            CardHolding.cylinder_id == claim.cylinder_id,
            CardHolding.active == claim.active,
            CardHolding.from_at == claim.from_at,
        )
        .values(from_at=from_at, until_at=until_at)
    )
    claim.from_at, claim.until_at = from_at, until_at
    db.flush()


def _cut_where_the_next_begins(db: Session, card: tuple[int, UUID]) -> None:
    """A card holds one bottle at a time, also in what is told of the past: the later to come has it."""
    held = sa.select(CardHolding).where(CardHolding.district == card[0], CardHolding.card_id == card[1])
    rows = db.scalars(
        held.order_by(CardHolding.from_at, CardHolding.active, CardHolding.id).execution_options(
            populate_existing=True
        )
    ).all()
    for one, following in pairwise(rows):
        if one.until_at is not None and one.until_at <= following.from_at:
            continue
        cut = following if one.active else one
        until_at = following.from_at
        claim = db.scalars(
            sa.select(CylinderClaim).where(
                CylinderClaim.cylinder_id == cut.cylinder_id,
                CylinderClaim.card_id == cut.card_id,
                CylinderClaim.from_at == cut.from_at,
                CylinderClaim.active.is_(False),
            )
        ).first()
        cut.until_at = until_at
        if claim is not None:
            claim.until_at = until_at
    db.flush()


def _begin_holding(
    db: Session,
    district: int,
    card_id: UUID,
    cylinder_id: UUID,
    at: datetime,
    until_at: datetime | None = None,
) -> None:
    """One that has ended already, where a late fact tells of it."""
    begun: dict[str, Any] = {
        "district": district,
        "card_id": card_id,
        "cylinder_id": cylinder_id,
        "active": until_at is None,
        "from_at": at,
        "until_at": until_at,
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

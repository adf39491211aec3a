"""Reads of the bottle for the rooms above, functions of an open session: what a code means, whether the
bottle may be filled or sent out, where it is; and the catalogue of types.

What is asked at the gun and by our routes is answered by ``ask_queries``; the whole file of a bottle, and who
may read it, by ``bottle_file_queries``.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.doing import Doing
from core.prepared import Prepared
from cylinders.asked_bottles import FILES_BY_ID, bottles_behind, rows_by_code
from cylinders.asked_means import moment
from cylinders.asked_papers import Standing, standing_for, standings_of_firms
from cylinders.code import Scanned, classify
from cylinders.models import (
    CardHolding,
    Cylinder,
    CylinderCustody,
    CylinderIdentifier,
    CylinderType,
    HoldKind,
    Scheme,
)
from cylinders.refill_gate import Identity, Precision, Purpose, RefillFacts, next_due_on, unknown_bottle
from cylinders.states import CylinderState
from registry.models import HolderKind
from rulebook import current
from rulebook.gate import Verdict, judge

# --------------------------------------------------------------------------------------------------------
# For the rooms above


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a scanned text means to us. ``on_record`` is the code as it may stand in entries and logs."""

    code: str
    scheme: Scheme | None
    cylinder_id: UUID | None
    voided: bool
    identity: Identity
    on_record: str


@dataclass(frozen=True, slots=True)
class BottleVerdict:
    """The refill gate's answer with what a station reads off it: masses in grams, the last day before the
    next inspection. Null where nobody knows."""

    resolved: Resolved
    cylinder: Cylinder | None
    type: CylinderType | None
    verdict: Verdict
    next_due_on: date | None
    max_fill_g: int | None
    tare_g: int | None


def resolve(db: Session, scanned: str) -> Resolved:
    """The bottle behind a code. Never raises, whatever was scanned."""
    read = classify(scanned)
    return resolved_of(read, rows_by_code(bottles_behind(db, [read], clock.now())).get(read.code, []))


def resolve_all(db: Session, scanned: Sequence[str]) -> list[Resolved]:
    """``resolve`` of many, in their order, by one statement."""
    read = [classify(one) for one in scanned]
    behind = rows_by_code(bottles_behind(db, read, clock.now()))
    return [resolved_of(one, behind.get(one.code, [])) for one in read]


def judge_bottle(
    db: Session,
    scanned_or_id: str | UUID,
    *,
    purpose: Purpose | str,
    site_id: UUID | None,
    place: str,
    at: datetime,
    filler_id: UUID | None = None,
) -> BottleVerdict:
    """May this bottle be filled, or sent out, at ``at`` under the law of ``place``?

    ``site_id`` is the site that fills or supplies; without one (at a door) the bottle's own firm is taken.
    Without ``filler_id`` any certified filler of the firm counts. Lock the bottle first if you will act.
    """
    purpose = Purpose(purpose)
    if isinstance(scanned_or_id, UUID):
        row = db.execute(FILES_BY_ID, {"ids": [scanned_or_id], **moment(at)}).one_or_none()
        resolved = _known_by_id(scanned_or_id, row)
    else:
        read = classify(scanned_or_id)
        rows = bottles_behind(db, [read], at)
        resolved = resolved_of(read, rows)
        row = row_of(resolved, rows)
    standing = standing_for(db, row, site_id, filler_id, clock.day_of(at))
    verdict = judged(resolved, row, standing, purpose, place, at)
    cylinder = db.get(Cylinder, resolved.cylinder_id) if resolved.cylinder_id else None
    return BottleVerdict(
        resolved,
        cylinder,
        db.get(CylinderType, cylinder.model) if cylinder else None,
        verdict,
        due_on(verdict),
        row.max_fill_g if row else None,
        row.tare_g if row else None,
    )


def judge_for_anybody(db: Session, cylinder_id: UUID, place: str, at: datetime) -> Verdict:
    """May this bottle be handed out, as its owner's? The same two statements where there is no such one."""
    row = db.execute(FILES_BY_ID, {"ids": [cylinder_id], **moment(at)}).one_or_none()
    owner = (row and row.owner_firm_id) or cylinder_id
    standing = standings_of_firms(db, [owner], clock.day_of(at)).get(owner, Standing(None))
    return judged(_known_by_id(cylinder_id, row), row, standing, Purpose.DISPATCH, place, at)


def holding_of(db: Session, district: int, card_id: UUID) -> UUID | None:
    """The bottle the card holds now."""
    return db.scalar(
        sa.select(CardHolding.cylinder_id).where(
            CardHolding.district == district, CardHolding.card_id == card_id, CardHolding.active
        )
    )


def labels_of(db: Session, cylinder_ids: Collection[UUID]) -> dict[UUID, str]:
    """Bottle → the code on its label, as it is read out; a bottle whose label was voided is left out."""
    rows = db.execute(
        sa.select(CylinderIdentifier.cylinder_id, CylinderIdentifier.value).where(
            CylinderIdentifier.cylinder_id.in_(cylinder_ids),
            CylinderIdentifier.scheme == Scheme.PLATFORM,
            CylinderIdentifier.voided_at.is_(None),
        )
    )
    return {row.cylinder_id: row.value for row in rows}


def custody_of(db: Session, cylinder_id: UUID) -> CylinderCustody | None:
    """Who holds the bottle now, and whether it is full; None if nobody ever said."""
    return db.get(CylinderCustody, cylinder_id, populate_existing=True)


def types(db: Session) -> dict[str, CylinderType]:
    """The catalogue, by model."""
    return {one.model: one for one in db.scalars(sa.select(CylinderType).order_by(CylinderType.model))}


_NOMINAL = Prepared(sa.select(CylinderType.model, CylinderType.nominal_g))


def nominal_masses(db: Session) -> dict[str, int]:
    """Grams of the catalogue's models when full, by model."""
    return {one.model: one.nominal_g for one in _NOMINAL.within(db)}


# --------------------------------------------------------------------------------------------------------
# What the rows behind a code mean


def resolved_of(read: Scanned, rows: Sequence[Any]) -> Resolved:
    """``rows`` are the identifiers that read like the code. Its own scheme's goes before the others'."""
    own = [row for row in rows if row.scheme is read.scheme] or rows
    bottles = {row.cylinder_id for row in own}
    if len(bottles) != 1:
        nobody = Identity.UNKNOWN if read.readable else Identity.UNREADABLE
        identity = Identity.CLAIMED_TWICE if bottles else nobody
        return Resolved(read.code, read.scheme, None, False, identity, read.on_record)
    voided = all(row.voided_at is not None for row in own)
    identity = Identity.VOIDED if voided else Identity.KNOWN
    return Resolved(read.code, own[0].scheme, own[0].cylinder_id, voided, identity, read.on_record)


def known_bottle(cylinder_id: UUID) -> Resolved:
    """A bottle that was named by its id instead of by a code on it."""
    return Resolved(str(cylinder_id), None, cylinder_id, False, Identity.KNOWN, str(cylinder_id))


def _known_by_id(cylinder_id: UUID, row: Any | None) -> Resolved:
    known = known_bottle(cylinder_id)
    return known if row else replace(known, cylinder_id=None, identity=Identity.UNKNOWN)


def row_of(resolved: Resolved, rows: Sequence[Any]) -> Any | None:
    return next((row for row in rows if row.cylinder_id == resolved.cylinder_id), None)


# --------------------------------------------------------------------------------------------------------
# Judging


def judged(
    resolved: Resolved,
    row: Any | None,
    standing: Standing,
    purpose: Purpose,
    place: str,
    at: datetime,
) -> Verdict:
    day = clock.day_of(at)
    return judge("refill", _facts(resolved, row, standing, purpose, day), place, day, current())


def _facts(
    resolved: Resolved, row: Any | None, standing: Standing, purpose: Purpose, day: date
) -> RefillFacts:
    firm_id = str(standing.firm_id or "")
    if row is None:
        nobody = unknown_bottle(purpose, firm_id, resolved.identity)
        return replace(nobody, **_papers_of(standing))
    return RefillFacts(
        purpose=purpose,
        identity=resolved.identity,
        cylinder_id=str(row.cylinder_id),
        registered_use=row.registered_on is not None and row.registered_on <= day,
        registered_by_firm_id=_text(row.registered_by_firm_id),
        owner_firm_id=_text(row.owner_firm_id),
        station_firm_id=firm_id,
        entrusted=row.entrusted_to_firm_id is not None and row.entrusted_to_firm_id == standing.firm_id,
        standard=row.standard,
        made_on=row.made_on,
        made_precision=Precision(row.made_precision),
        inspected_on=row.inspected_on,
        inspected_precision=Precision(row.day_precision or Precision.MONTH),
        last_inspection_failed=row.passed is False,
        design_life_months=row.design_life_months,
        **_extension_on_file(row),
        scrapped=row.state is CylinderState.SCRAPPED,
        scrap_ordered=row.scrap_ordered,
        refurbished=row.refurbished,
        illegal_make=row.illegal_make,
        screwed_guard=row.screwed_guard,
        phase=row.phase,
        embossed_owner_mark=row.embossed_owner_mark,
        bought_on=row.bought_on,
        is_full=_is_full(row),
        is_here=_is_at(row, standing.site_id),
        holds=tuple(sorted(HoldKind(kind) for kind in row.holds or ())),
        max_fill_g=row.max_fill_g,
        registration_cancelled_on=row.cancelled_on,
        seized=row.seized,
        at_inspection=row.state is CylinderState.AT_INSPECTION,
        **_papers_of(standing),
    )


def _papers_of(standing: Standing) -> dict[str, Any]:
    return {
        "gas_licence": standing.gas_licence,
        "filling_licence": standing.filling_licence,
        "filler_certificate": standing.filler_certificate,
        "filler_training": standing.filler_training,
    }


def _extension_on_file(row: Any) -> dict[str, Any]:
    """The agency's report on record, else what the register said that the bottle was taken over from."""
    if row.extension_until is not None and (row.extension_is_registered or not row.extension_registered):
        return {
            "extended_until": row.extension_until,
            "extension_assessed": True,
            "extension_registered": row.extension_is_registered,
        }
    return {
        "extended_until": row.extended_until,
        "extension_assessed": row.extension_assessed,
        "extension_registered": row.extension_registered,
    }


def _is_full(row: Any) -> bool | None:
    """Full and not yet delivered. With a household it is being used; None where nobody ever said."""
    return row.full if row.full is None else row.full and row.holder_kind is not HolderKind.HOUSEHOLD


def _is_at(row: Any, site_id: UUID | None) -> bool:
    return site_id is not None and row.holder_kind is HolderKind.SITE and row.holder_id == site_id


def _text(value: UUID | None) -> str | None:
    return str(value) if value else None


def due_on(verdict: Verdict) -> date | None:
    return next_due_on(verdict.facts, current().at(verdict.place, verdict.day))


# --------------------------------------------------------------------------------------------------------
# The catalogue (our routes)


def all_types(doing: Doing) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        return {"items": list(types(db).values())}


def type_of(doing: Doing, model: str) -> CylinderType:
    with doing.ground.sessions() as db:
        return db.get_one(CylinderType, model)

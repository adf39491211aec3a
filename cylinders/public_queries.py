"""What anybody may know of a bottle who holds its label before a phone: never who has it, nor where.

    confirmed    the code is a bottle's, and a tag, where there is one, is that of one of its labels
    voided       the code, or this very label, is void (已报废)
    unconfirmed  anything else: an unknown code and a wrong tag are one answer, by the same statements

The statements are the same four whatever is asked for: where there is no such bottle they ask after nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from core import clock
from core.ground import Ground
from core.refusal import Reason
from cylinders import refusals as no
from cylinders.ask_log import ASKS, Ask
from cylinders.code import classify
from cylinders.label_address import is_tag
from cylinders.label_models import Label
from cylinders.models import Cylinder, CylinderCustody, CylinderIdentifier, Filling, Scheme
from cylinders.queries import judge_for_anybody
from cylinders.refill_gate import (
    Purpose,
    RefillFacts,
    design_life_ends_on,
    extended,
    max_life_ends_on,
    next_due_on,
)
from cylinders.states import CylinderState
from registry.models import Firm, Site
from rulebook import current
from rulebook.gate import Verdict

NOBODY = UUID(int=0)
ANYBODY = UUID(int=1)
"""The principal of whoever is not signed in."""
NATION = "100000"


class Seen(StrEnum):
    CONFIRMED = "confirmed"
    VOIDED = "voided"
    UNCONFIRMED = "unconfirmed"


class Standing(StrEnum):
    """The one word of the page; the first that fits is said."""

    UNCONFIRMED = "unconfirmed"
    SCRAPPED = "scrapped"
    SEIZED = "seized"
    PAST_LIFE = "past_life"
    AT_INSPECTION = "at_inspection"
    HELD = "held"
    OVERDUE = "overdue"
    NOT_SOUND = "not_sound"
    SOUND = "sound"


@dataclass(frozen=True, slots=True)
class PublicBottle:
    """``district``: where a problem with it is told; not shown. ``tagged``: the label's tag was checked."""

    code: str
    seen: Seen
    standing: Standing
    tagged: bool
    cylinder_id: UUID | None = None
    district: int | None = None
    filler: str | None = None
    filled_on: date | None = None
    net_g: int | None = None
    due_on: date | None = None
    ends_on: date | None = None


def look(ground: Ground, code: str, tag: str | None) -> PublicBottle:
    """An ill-formed code is looked for all the same, as any that is nobody's."""
    at = clock.now()
    with ground.reads() as db:
        labels: Sequence[Any] = db.execute(_LABELS, {"code": code}).all()
        seen, cylinder_id = _who(ground, labels, code, tag)
        face = db.execute(_FACE, {"cylinder_id": cylinder_id}).one_or_none()
        place = (face.district or face.home_district) if face else None
        verdict = judge_for_anybody(db, cylinder_id, str(place or NATION), at)
    if face is None or seen is Seen.UNCONFIRMED:
        return PublicBottle(code, Seen.UNCONFIRMED, Standing.UNCONFIRMED, tagged=False)
    _keep_if_ended(ground, at, code, place, cylinder_id, verdict)
    if seen is Seen.VOIDED:
        return PublicBottle(code, seen, Standing.SCRAPPED, tag is not None, cylinder_id, place)
    return PublicBottle(
        code,
        seen,
        _standing(face.state, verdict),
        tag is not None,
        cylinder_id,
        place,
        face.filled_by or face.owner,
        clock.day_of(face.filled_at) if face.filled_at else None,
        face.net_g,
        next_due_on(verdict.facts, current().at(verdict.place, verdict.day)),
        _ends_on(verdict),
    )


def _keep_if_ended(
    ground: Ground, at: datetime, code: str, place: int | None, cylinder_id: UUID, verdict: Verdict
) -> None:
    """A label of a scrapped or seized bottle that anybody looks at stands in the log of asks, where such
    scans are looked for (``sightings.sweep``); who it was is not kept, and no other look is."""
    has_ended = any(one.reason in (no.SCRAPPED, no.SEIZED) for one in verdict.reasons)
    if has_ended and place is not None:
        on_record = classify(code).on_record
        ask = Ask(at, ANYBODY, place, None, Purpose.DISPATCH, on_record, cylinder_id, verdict)
        ASKS.put(ground.sessions, [ask])


def districts_served(db: Session) -> list[int]:
    """Where there are sites: in one of them a bottle that nobody knows was seen."""
    return sorted(db.scalars(sa.select(Site.district).distinct()))


# --------------------------------------------------------------------------------------------------------

_LABELS = (
    sa.select(
        CylinderIdentifier.cylinder_id,
        CylinderIdentifier.voided_at.label("code_voided_at"),
        Label.number,
        Label.key_version,
        Label.voided_at,
    )
    .outerjoin(
        Label,
        sa.and_(Label.cylinder_id == CylinderIdentifier.cylinder_id, Label.code == CylinderIdentifier.value),
    )
    .where(CylinderIdentifier.scheme == Scheme.PLATFORM, CylinderIdentifier.value == sa.bindparam("code"))
)

_owner, _filler = aliased(Firm), aliased(Firm)
_last = (
    sa.select(Filling.filled_at, Filling.net_g, Filling.site_id)
    .where(Filling.cylinder_id == Cylinder.cylinder_id)
    .order_by(Filling.filled_at.desc())
    .limit(1)
    .lateral("last_filling")
)
_FACE = (
    sa.select(
        Cylinder.state,
        CylinderCustody.district,
        _owner.home_district,
        _owner.name.label("owner"),
        _last.c.filled_at,
        _last.c.net_g,
        _filler.name.label("filled_by"),
    )
    .outerjoin(CylinderCustody, CylinderCustody.cylinder_id == Cylinder.cylinder_id)
    .outerjoin(_owner, _owner.id == Cylinder.owner_firm_id)
    .outerjoin(_last, sa.true())
    .outerjoin(Site, Site.id == _last.c.site_id)
    .outerjoin(_filler, _filler.id == Site.firm_id)
    .where(Cylinder.cylinder_id == sa.bindparam("cylinder_id"))
)


def _who(ground: Ground, rows: Sequence[Any], code: str, tag: str | None) -> tuple[Seen, UUID]:
    """Behind the code, and if there is a tag behind the very label. What is not confirmed is nobody."""
    versions = [(row.key_version, row.number) for row in rows if row.number is not None]
    if tag is not None:
        # for a code that is nobody's, one tag is worked out all the same
        matches = [
            is_tag(ground.keyring, version, code, number, tag)
            for version, number in versions or [(ground.keyring.label.current, 0)]
        ]
        own = [row for row in rows if row.number is not None]
        rows = [row for row, right in zip(own, matches, strict=False) if right]
    if not rows:
        return Seen.UNCONFIRMED, NOBODY
    void = rows[0].code_voided_at is not None or (tag is not None and rows[0].voided_at is not None)
    return Seen.VOIDED if void else Seen.CONFIRMED, rows[0].cylinder_id


_WORST_FIRST: tuple[tuple[Standing, tuple[Reason, ...]], ...] = (
    (Standing.SCRAPPED, (no.SCRAPPED, no.SCRAP_ORDERED)),
    (Standing.SEIZED, (no.SEIZED,)),
    (Standing.PAST_LIFE, (no.PAST_DESIGN_LIFE, no.PAST_MAX_LIFE)),
    (Standing.HELD, (no.ON_HOLD, no.CUSTODY_CONFLICT, no.LABEL_CLAIMED_TWICE)),
    (Standing.OVERDUE, (no.INSPECTION_OVERDUE,)),
)


def _standing(state: CylinderState, verdict: Verdict) -> Standing:
    """As the gate says whether it may be handed out, in a word that says nothing of where it is."""
    said = [refusal.reason for refusal in verdict.reasons]
    words = {standing for standing, reasons in _WORST_FIRST if any(one in reasons for one in said)}
    if state is CylinderState.AT_INSPECTION:
        words.add(Standing.AT_INSPECTION)
    if state is CylinderState.HELD:
        words.add(Standing.HELD)
    otherwise = Standing.NOT_SOUND if said else Standing.SOUND
    return next((standing for standing in Standing if standing in words), otherwise)


def _ends_on(verdict: Verdict) -> date | None:
    """The last day of its life: as stamped or extended, and never past the longest its standard allows."""
    law = current().at(verdict.place, verdict.day)
    facts: RefillFacts = verdict.facts
    design, longest = design_life_ends_on(facts, law), max_life_ends_on(facts, law)
    ends = [day for day in (design and extended(design, facts, law), longest) if day is not None]
    return min(ends, default=None)

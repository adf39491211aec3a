"""Verbs of the label: issue, replace, void. A label is a pointer, never a proof (docs/adr/0015).

a bottle has two, on its guard and on its body, each with a number of its own
damaged, misprinted   that label is void, the next number takes its place; the code stays
lost                  somebody may have it: the code itself is void, and both labels are new
code voided           the bottle stays itself; ``issue`` gives it a fresh code with two labels
"""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from core.fields import MAX_INT
from core.ids import new_id
from core.problems import NotFound
from core.refusal import Refusal, Refused
from cylinders import acts
from cylinders import label_refusals as no_label
from cylinders import refusals as no
from cylinders.bottle_file_queries import must_reach_bottle
from cylinders.code import new_code
from cylinders.identifiers import void_code
from cylinders.label_models import Label, LabelPlace, WhyLabelVoid
from cylinders.models import Cylinder, CylinderIdentifier, Scheme, WhyCodeVoid
from cylinders.queries import resolve_all
from cylinders.states import CylinderState
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType

MOST_BOTTLES = 96
"""Of one batch: eight sheets."""


@does("label.issue")
def issue(deed: Deed, *, codes: Sequence[str]) -> Answer:
    """The labels that these bottles lack, as one batch to be printed. All or none, with every reason."""
    bottles, reasons = _bottles_of(deed, codes)
    batch_id = new_id()
    deed.note(batch_id=batch_id)
    lacking = {cylinder_id: _lacking(deed, cylinder_id) for cylinder_id in bottles}
    for cylinder_id, cylinder in bottles.items():
        if cylinder.state is CylinderState.SCRAPPED:
            reasons.append(no.SCRAPPED().about(cylinder_id=cylinder_id))
        elif not lacking[cylinder_id]:
            reasons.append(no_label.LABELS_STAND().about(cylinder_id=cylinder_id))
    if reasons:
        raise Refused(reasons)
    for cylinder_id, places in lacking.items():
        _print(deed, cylinder_id, _code(deed, cylinder_id), places, batch_id)
    return {"batch_id": str(batch_id)}


@does("label.replace")
def replace(deed: Deed, *, cylinder_id: UUID, number: int, reason: WhyLabelVoid) -> Answer:
    """A new label for one that is no good; after a loss two, with a new code."""
    label = _standing(deed, cylinder_id, number)
    batch_id = new_id()
    deed.note(number=number, reason=reason, batch_id=batch_id)
    _void(deed, label, reason)
    if reason is WhyLabelVoid.LOST:
        standing = deed.db.get_one(CylinderIdentifier, (Scheme.PLATFORM, label.code))
        if standing.voided_at is None:
            void_code(deed, standing, WhyCodeVoid.LABEL_LOST)
        _print(deed, cylinder_id, _code(deed, cylinder_id), list(LabelPlace), batch_id)
    else:
        _print(deed, cylinder_id, label.code, [label.place], batch_id)
    return {"batch_id": str(batch_id)}


@does("label.void")
def void(deed: Deed, *, cylinder_id: UUID, number: int, reason: WhyLabelVoid) -> Answer:
    """Whoever scans this very label from now on reads that it is void; the code and the other label stand."""
    label = _standing(deed, cylinder_id, number)
    deed.note(number=number, reason=reason)
    _void(deed, label, reason)
    return {"cylinder_id": str(cylinder_id), "number": number}


def _bottles_of(deed: Deed, codes: Sequence[str]) -> tuple[dict[UUID, Cylinder], list[Refusal]]:
    """The bottles behind the codes, locked, by ascending id; and why a code leads to none of ours."""
    deed.about(SubjectType.REGISTER, str(deed.district))
    resolved = resolve_all(deed.db, codes)
    known = {one.cylinder_id for one in resolved if one.cylinder_id is not None}
    mine = {
        one.cylinder_id
        for one in deed.db.scalars(sa.select(Cylinder).where(Cylinder.cylinder_id.in_(known)))
        if _reaches(deed, one)
    }
    reasons = [
        no.IDENTITY_UNKNOWN().about(code=one.on_record) for one in resolved if one.cylinder_id not in mine
    ]
    locked = acts.lock(deed, mine) if mine else {}
    return {cylinder_id: locked[cylinder_id] for cylinder_id in sorted(locked)}, reasons


def _reaches(deed: Deed, cylinder: Cylinder) -> bool:
    try:
        must_reach_bottle(deed.db, deed.doing, cylinder)
    except NotFound:
        return False
    return True


def _lacking(deed: Deed, cylinder_id: UUID) -> list[LabelPlace]:
    have = set(
        deed.db.scalars(
            sa.select(Label.place).where(Label.cylinder_id == cylinder_id, Label.voided_at.is_(None))
        )
    )
    return [place for place in LabelPlace if place not in have]


def _code(deed: Deed, cylinder_id: UUID) -> str:
    """The bottle's platform code; a fresh one where it has none that stands."""
    standing = deed.db.scalar(
        sa.select(CylinderIdentifier.value).where(
            CylinderIdentifier.cylinder_id == cylinder_id,
            CylinderIdentifier.scheme == Scheme.PLATFORM,
            CylinderIdentifier.voided_at.is_(None),
        )
    )
    if standing is not None:
        return standing
    fresh = new_code()
    deed.db.add(
        CylinderIdentifier(
            scheme=Scheme.PLATFORM, value=fresh, cylinder_id=cylinder_id, active_from=deed.recorded_at
        )
    )
    return fresh


def _print(deed: Deed, cylinder_id: UUID, code: str, places: Sequence[LabelPlace], batch_id: UUID) -> None:
    last = deed.db.scalar(sa.select(sa.func.max(Label.number)).where(Label.cylinder_id == cylinder_id)) or 0
    for number, place in enumerate(places, start=last + 1):
        deed.db.add(
            Label(
                cylinder_id=cylinder_id,
                number=number,
                code=code,
                place=place,
                key_version=deed.ground.keyring.label.current,
                batch_id=batch_id,
                issued_by=deed.actor.principal_id,
                issued_at=deed.recorded_at,
            )
        )
    deed.db.flush()


def _standing(deed: Deed, cylinder_id: UUID, number: int) -> Label:
    cylinder = acts.lock(deed, [cylinder_id])[cylinder_id]
    must_reach_bottle(deed.db, deed.doing, cylinder)
    if number > MAX_INT:  # no bottle has that many, and the database counts no further
        raise NotFound
    label = deed.db.get(Label, (cylinder_id, number), populate_existing=True)
    if label is None:
        raise NotFound
    if label.voided_at is not None:
        raise Refused([no_label.LABEL_NOT_STANDING()])
    if cylinder.state is CylinderState.SCRAPPED:
        raise Refused([no.SCRAPPED()])
    return label


def _void(deed: Deed, label: Label, reason: WhyLabelVoid) -> None:
    label.voided_at, label.void_reason = deed.recorded_at, reason
    deed.db.flush()

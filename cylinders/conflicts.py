"""Facts that contradict each other, within an open deed: found, held, and closed when they no longer do.

Which conflicts are open follows from the facts and from what persons have said, in whatever order the facts
came: a fact that lost only because an earlier one had not come yet is no conflict once it has.
"""

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa

from core.ids import new_id
from cylinders.holds import release_if_free
from cylinders.models import CustodyConflict, CustodyFact, Cylinder, Hold, HoldKind
from cylinders.states import CYLINDER, CylinderState
from evidence.deed import Deed
from evidence.models import SubjectType

FOUND = "custody.conflict_found"
NO_LONGER_CONTRADICTED = "no_longer_contradicted"


class Against(NamedTuple):
    """The fact that stands, None if nobody held the bottle; ``cylinder_id`` if it is another bottle's."""

    fact_id: UUID | None
    cylinder_id: UUID | None = None


def find(deed: Deed, cylinder: Cylinder, against: Mapping[UUID, UUID | None]) -> None:
    """Facts that have just lost: each a conflict, and the bottle stops."""
    for fact_id, standing in against.items():
        _open(deed, cylinder, fact_id, Against(standing))


def settle(deed: Deed, cylinder: Cylinder, contradicted: Mapping[UUID, Against]) -> None:
    """Make the open conflicts of this bottle these.

    What a person has resolved is not among them, unless something else contradicts it by now: then it is
    for a person again.
    """
    known = _conflicts_of(deed, cylinder.cylinder_id)
    is_open = {one.fact_id: one for one in known if one.resolved_at is None}
    for fact_id, conflict in is_open.items():
        if fact_id in contradicted:
            conflict.standing_fact_id, conflict.standing_cylinder_id = contradicted[fact_id]
        else:
            close(deed, cylinder, conflict, NO_LONGER_CONTRADICTED)
    for fact_id, standing in contradicted.items():
        if fact_id not in is_open:
            _open(deed, cylinder, fact_id, standing)
    deed.db.flush()


def settle_one(deed: Deed, cylinder_id: UUID, fact_id: UUID, against: Against | None) -> None:
    """Of another bottle on the same card: only whether the fact that put it there is beaten, and by which."""
    conflicts = (one for one in _conflicts_of(deed, cylinder_id) if one.fact_id == fact_id)
    conflict = next((one for one in conflicts if one.resolved_at is None), None)
    if conflict is not None and against is not None:
        conflict.standing_fact_id, conflict.standing_cylinder_id = against
    if (conflict is None) == (against is None):
        return
    cylinder = deed.db.get_one(Cylinder, cylinder_id, with_for_update=True, populate_existing=True)
    deed.about(SubjectType.CYLINDER, cylinder_id)
    if against is not None:
        _open(deed, cylinder, fact_id, against)
    elif conflict is not None:
        close(deed, cylinder, conflict, NO_LONGER_CONTRADICTED)
    deed.db.flush()


def close(deed: Deed, cylinder: Cylinder, conflict: CustodyConflict, resolution: str) -> None:
    """The conflict is no more, nor is its hold; the bottle serves again when nothing else holds it."""
    conflict.resolved_at, conflict.resolution = deed.recorded_at, resolution
    deed.db.execute(
        sa.update(Hold)
        .where(
            Hold.cylinder_id == cylinder.cylinder_id,
            Hold.kind == HoldKind.CONFLICT,
            Hold.reference == str(conflict.fact_id),
            Hold.until_at.is_(None),
        )
        .values(until_at=deed.recorded_at)
    )
    deed.db.flush()
    release_if_free(deed, cylinder)


def _conflicts_of(deed: Deed, cylinder_id: UUID) -> list[CustodyConflict]:
    """The open ones first: a fact may lose, be settled and lose again."""
    return list(
        deed.db.scalars(
            sa.select(CustodyConflict)
            .where(CustodyConflict.cylinder_id == cylinder_id)
            .order_by(CustodyConflict.resolved_at.desc().nulls_first(), CustodyConflict.id.desc())
        )
    )


def _open(deed: Deed, cylinder: Cylinder, fact_id: UUID, standing: Against) -> None:
    fact = deed.db.scalars(
        sa.select(CustodyFact).where(
            CustodyFact.cylinder_id == cylinder.cylinder_id, CustodyFact.id == fact_id
        )
    ).one()
    conflict = CustodyConflict(
        cylinder_id=cylinder.cylinder_id,
        id=new_id(),
        fact_id=fact.id,
        standing_fact_id=standing.fact_id,
        standing_cylinder_id=standing.cylinder_id,
        district=fact.district,
        card_id=fact.card_id,
        found_at=deed.recorded_at,
    )
    deed.db.add(conflict)
    deed.db.add(
        Hold(
            cylinder_id=cylinder.cylinder_id,
            kind=HoldKind.CONFLICT,
            reference=str(fact.id),
            from_at=deed.recorded_at,
        )
    )
    deed.db.flush()
    if cylinder.state is CylinderState.IN_SERVICE:
        CYLINDER.move(deed.db, cylinder, "hold")
    deed.tell(
        FOUND,
        cylinder_id=cylinder.cylinder_id,
        conflict_id=conflict.id,
        fact_id=fact.id,
        standing_fact_id=standing.fact_id,
        fact_district=fact.district,
        seen_at=deed.recorded_at,
    )

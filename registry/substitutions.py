"""An act and reads: for a while somebody else drives, or with another vehicle or device (替班): an exception.

The binding is cut in two, and what stands in is a binding of its own between the parts: who asks later
is answered as always. The exception says why, and always ends. The verb stands with the rounds, which may
lose their crew by it (``dispatch/rounds/stand_ins.py``).
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Range

from core import clock
from core.auth import ScopeKind
from core.doing import Doing
from core.ids import new_id
from core.problems import NotFound, WrongField
from core.refusal import Refused
from evidence.deed import Deed
from evidence.models import SubjectType
from registry import crew_refusals as no
from registry.crews import already_bound, crew_named, paper_refusals
from registry.models import Binding
from registry.zone_models import Substitution, SubstitutionReason


def stand_in(
    deed: Deed,
    binding_id: UUID,
    *,
    reason: SubstitutionReason,
    until_at: datetime,
    from_at: datetime | None = None,
    courier_id: UUID | None = None,
    vehicle_id: UUID | None = None,
    device_id: UUID | None = None,
) -> Substitution:
    """From ``from_at`` (now) up to, not including, ``until_at``; who or what is not named stays the same."""
    seen = deed.db.get(Binding, (deed.district, binding_id))
    if seen is None:
        raise NotFound
    deed.actor.must_reach(firm=seen.firm_id, district=deed.district)
    binding = deed.db.get_one(
        Binding, (deed.district, binding_id), with_for_update=True, populate_existing=True
    )
    from_at = from_at or deed.recorded_at
    named = {"courier_id": courier_id, "vehicle_id": vehicle_id, "device_id": device_id}
    _must_be_sound(deed, binding, named, from_at, until_at)
    deed.about(SubjectType.BINDING, binding.id)
    deed.at(firm=binding.firm_id, zone=binding.zone_id)
    deed.note(binding_id=binding.id, reason=reason, from_at=from_at, until_at=until_at)
    span = binding.span
    if span.isempty or (span.upper is not None and span.upper <= deed.recorded_at):
        raise Refused([no.BINDING_ENDED()])
    if (span.lower is not None and from_at < span.lower) or (
        span.upper is not None and until_at > span.upper
    ):
        raise Refused([no.BINDING_DOES_NOT_COVER(from_at=span.lower, until_at=span.upper)])

    crew = crew_named(
        deed,
        binding.firm_id,
        courier_id or binding.courier_id,
        vehicle_id or binding.vehicle_id,
        device_id or binding.device_id,
    )
    binding.span = Range(empty=True) if span.lower == from_at else Range(span.lower, from_at)
    deed.db.flush()
    substitute = part_of(deed, binding, Range(from_at, until_at))
    substitute.courier_id, substitute.vehicle_id, substitute.device_id = (one.id for one in crew)
    reasons = [*paper_refusals(deed, *crew, from_at, until_at), *already_bound(deed, substitute)]
    if reasons:
        raise Refused(reasons)
    resumed = None if until_at == span.upper else part_of(deed, binding, Range(until_at, span.upper))
    parts = [part for part in (substitute, resumed) if part is not None]
    for part in parts:
        deed.about(SubjectType.BINDING, part.id)
    row = Substitution(
        district=deed.district,
        id=new_id(),
        firm_id=binding.firm_id,
        binding_id=binding.id,
        stand_in_id=substitute.id,
        resumed_id=resumed and resumed.id,
        reason=reason,
        from_at=from_at,
        until_at=until_at,
        decided_by=deed.actor.principal_id,
        recorded_at=deed.recorded_at,
    )
    deed.note(substitution_id=row.id, stand_in_id=row.stand_in_id, resumed_id=row.resumed_id)
    deed.db.add_all(parts)
    deed.db.flush()
    deed.db.add(row)
    return row


def _must_be_sound(
    deed: Deed, binding: Binding, named: dict[str, UUID | None], from_at: datetime, until_at: datetime
) -> None:
    if from_at < deed.recorded_at:
        raise WrongField(
            "/from_at",
            "past",
            "替班不能倒签：已经发生的配送有绑定为据",
            "expected now or later: what has been driven rests on the binding",
        )
    if until_at <= from_at:
        raise WrongField("/until_at", "order", "结束时间应晚于开始时间", "expected an instant after from_at")
    if all(other in (None, getattr(binding, name)) for name, other in named.items()):
        raise WrongField(
            "/courier_id",
            "nobody",
            "应写明换人、换车或换终端",
            "expected another courier, vehicle or device than the binding's",
        )


def part_of(deed: Deed, binding: Binding, span: Range[datetime]) -> Binding:
    """The same binding for another span, under an id of its own."""
    return Binding(
        district=binding.district,
        id=new_id(),
        firm_id=binding.firm_id,
        courier_id=binding.courier_id,
        vehicle_id=binding.vehicle_id,
        device_id=binding.device_id,
        zone_district=binding.zone_district,
        zone_id=binding.zone_id,
        span=span,
        recorded_at=deed.recorded_at,
    )


def substitution_view(doing: Doing, substitution_id: UUID) -> Substitution:
    with doing.ground.sessions() as db:
        row = db.get(Substitution, (doing.district, substitution_id))
        if row is None:
            raise NotFound
        doing.actor.must_reach(firm=row.firm_id, district=row.district)
        return row


def substitutions(doing: Doing, at: datetime | None) -> dict[str, Any]:
    """The exceptions in force at an instant (now, if not said), of the caller's firm or of the district's."""
    reach, at = doing.actor.reach, at or clock.now()
    query = sa.select(Substitution).where(
        Substitution.district == doing.district, Substitution.from_at <= at, Substitution.until_at > at
    )
    if reach.kind is ScopeKind.FIRM:
        query = query.where(Substitution.firm_id == UUID(reach.code))
    elif reach.kind not in (ScopeKind.ALL, ScopeKind.DISTRICT):
        raise NotFound
    with doing.ground.sessions() as db:
        return {"items": list(db.scalars(query.order_by(Substitution.from_at, Substitution.id)))}

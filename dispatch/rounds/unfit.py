"""Crews that are bound to a zone and may not drive that day: papers that lapsed, somebody or something away.

A roster judges them before it is confirmed. Where none stands, or something came up since, a plan does.
"""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from core.refusal import Refusal
from registry.crew_queries import BoundCrew, binding_with_people
from registry.models import Zone
from registry.roster_gate import day_refusals
from registry.rosters import crews_of
from rulebook import current


def unfit(db: Session, zone: Zone, crews: Iterable[BoundCrew], day: date) -> dict[UUID, list[Refusal]]:
    """Binding → everything that stands against it; those that may drive are not among them."""
    law, found = current().at(str(zone.district), day), {}
    by_home: dict[int, list[UUID]] = {}
    for crew in crews:
        by_home.setdefault(crew.binding.district, []).append(crew.binding.id)
    for home, bindings in by_home.items():
        people = [binding_with_people(db, home, one) for one in bindings]
        for one in crews_of(db, home, zone.firm_id, day, people):
            binding_id = one.bound.binding.id
            if reasons := [
                reason.about(binding_id=binding_id) for reason in day_refusals(one.facts, day, law)
            ]:
                found[binding_id] = reasons
    return found

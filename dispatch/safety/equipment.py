"""Verbs of the registers of hoses, regulators and alarms: enter a piece, in place of another; end one.

What is replaced ends on the day the new piece begins. Nothing is changed afterwards: a piece wrongly entered
is ended and entered anew.
"""

from datetime import date
from uuid import UUID

from core import clock
from core.ids import new_id
from core.problems import NotFound, WrongField
from core.refusal import Refused
from dispatch.safety import refusals as no
from dispatch.safety.equipment_models import EndReason, Equipment, EquipmentKind, HoseMaterial
from dispatch.safety.queries import reach_of_household
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry.mentions import resting


@does("equipment.enter")
def enter(
    deed: Deed,
    household_id: UUID,
    *,
    kind: EquipmentKind,
    maker: str,
    model: str,
    installed_on: date,
    material: HoseMaterial | None = None,
    stated_until: date | None = None,
    replaces: UUID | None = None,
) -> Answer:
    """Make and model stay out of the entry: they are words somebody typed."""
    deed.actor.must_reach(**reach_of_household(deed.db, deed.actor, deed.district, household_id))
    _must_be_past(deed, installed_on, "/installed_on")
    deed.about(SubjectType.HOUSEHOLD, household_id)
    deed.note(kind=kind, material=material, installed_on=installed_on, replaces=replaces)
    if replaces is not None:
        former = _piece(deed, replaces)
        if former is None or former.household_id != household_id or former.kind is not kind:
            raise WrongField(
                "/replaces", "unknown", "没有这一件", "expected a piece of this kind in this household"
            )
        if installed_on < former.installed_on:
            raise WrongField(
                "/installed_on",
                "earlier",
                "不能早于被换下的那一件",
                "expected no day before the one replaced",
            )
        _end(deed, former, installed_on, EndReason.REPLACED)
    piece = Equipment(
        district=deed.district,
        id=new_id(),
        household_id=household_id,
        kind=kind,
        material=material,
        maker=maker,
        model=model,
        installed_on=installed_on,
        stated_until=stated_until,
        entered_by=deed.actor.principal_id,
        recorded_at=deed.recorded_at,
    )
    deed.db.add(piece)
    deed.db.flush()
    deed.note(equipment_id=piece.id)
    return {"equipment_id": str(piece.id)}


@does("equipment.end")
def end(deed: Deed, equipment_id: UUID, *, ended_on: date) -> Answer:
    """It was taken away, and nothing hangs in its place."""
    piece = _piece(deed, equipment_id)
    if piece is None:
        raise NotFound
    deed.actor.must_reach(**reach_of_household(deed.db, deed.actor, deed.district, piece.household_id))
    _must_be_past(deed, ended_on, "/ended_on")
    if ended_on < piece.installed_on:
        raise WrongField("/ended_on", "earlier", "不能早于安装日", "expected no day before it was fitted")
    deed.about(SubjectType.HOUSEHOLD, piece.household_id)
    deed.note(equipment_id=piece.id, kind=piece.kind, ended_on=ended_on)
    _end(deed, piece, ended_on, EndReason.REMOVED)
    return {"equipment_id": str(piece.id)}


def _end(deed: Deed, piece: Equipment, on: date, why: EndReason) -> None:
    if piece.ended_on is not None:
        raise Refused([resting(deed, no.EQUIPMENT_ENDED(ended_on=piece.ended_on))])
    piece.ended_on, piece.ended_why, piece.ended_by = on, why, deed.actor.principal_id
    deed.db.flush()


def _piece(deed: Deed, equipment_id: UUID) -> Equipment | None:
    return deed.db.get(Equipment, (deed.district, equipment_id), with_for_update=True, populate_existing=True)


def _must_be_past(deed: Deed, day: date, pointer: str) -> None:
    if day > clock.day_of(deed.recorded_at):
        raise WrongField(pointer, "future", "不能在将来", "expected today or a day before")

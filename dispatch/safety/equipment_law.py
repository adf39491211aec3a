"""How long a hose, a regulator or an alarm may stay, and which items of a check its age decides.

check.life_months.<kind>     of a hose by its material: hose_rubber, hose_metal
check.rubber_hose_barred     from the day it is in force a rubber hose is a hazard wherever it hangs
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from dispatch.safety.equipment_models import Equipment, EquipmentKind, HoseMaterial
from registry.terms import months_after
from rulebook.edition import Law

AGED = {
    EquipmentKind.HOSE: "hose_unaged",
    EquipmentKind.REGULATOR: "regulator_in_date",
    EquipmentKind.ALARM: "leak_alarm",
}
"""The item of the check that a piece past its day cannot pass."""

MATERIAL = "hose_material"


@dataclass(frozen=True, slots=True)
class Standing:
    """A piece as the law of a day sees it. ``due_on``: its last day; None where nothing says one."""

    piece: Equipment
    due_on: date | None
    is_due: bool
    is_barred: bool


def standing_of(piece: Equipment, law: Law) -> Standing:
    """The earlier of what is printed on it and what its kind lasts."""
    months = life_months(law, piece.kind, piece.material)
    by_rule = months_after(piece.installed_on, months) if months is not None else None
    due_on = min((day for day in (piece.stated_until, by_rule) if day is not None), default=None)
    is_barred = piece.material is HoseMaterial.RUBBER and is_rubber_barred(law)
    return Standing(piece, due_on, due_on is not None and due_on < law.day, is_barred)


def life_months(law: Law, kind: EquipmentKind, material: HoseMaterial | None) -> int | None:
    name = f"{kind.value}_{material.value}" if material else kind.value
    return law.integer(f"check.life_months.{name}")


def is_rubber_barred(law: Law) -> bool:
    return law.flag("check.rubber_hose_barred") is True


def failing_items(standing: Standing) -> Iterator[str]:
    """What no check may pass over, whatever was answered: the register knows better."""
    if standing.is_barred:
        yield MATERIAL
    if standing.is_due:
        yield AGED[standing.piece.kind]

"""器具台账 at the desk: what hangs at a household, what replaced it, and what is due in the whole office."""

from uuid import UUID

from flask import redirect, request
from flask.typing import ResponseReturnValue

from core.http import doing
from dispatch.safety import equipment as register
from dispatch.safety import equipment_queries
from dispatch.safety.equipment_models import EquipmentKind, HoseMaterial
from dispatch.safety.equipment_schemas import EquipmentEndIn, EquipmentIn
from web.office.face import drawn, face
from web.pages import No, form_of, tried

SHOWN = 200
SOON_DAYS = (0, 30, 90)
NAMES = ("material", "maker", "model", "installed_on", "stated_until", "replaces")


@face.page("/equipment", "equipment.read")
def due_equipment() -> ResponseReturnValue:
    """What must be replaced within some days, and rubber hoses where they are barred."""
    asked = request.args.get("days", "")
    days = int(asked) if asked in map(str, SOON_DAYS) else SOON_DAYS[1]
    page = equipment_queries.due(doing(), within_days=days, limit=SHOWN)
    return drawn(
        "equipment", rows=page.items, more=page.next_cursor is not None, days=days, choices=SOON_DAYS
    )


@face.page("/households/<uuid:household_id>/equipment", "equipment.read")
def equipment_of_household(household_id: UUID) -> ResponseReturnValue:
    return _page(household_id)


@face.page("/households/<uuid:household_id>/equipment", "equipment.enter", methods=("POST",))
def enter_equipment(household_id: UUID) -> ResponseReturnValue:
    asked = {name: request.form.get(name, "").strip() for name in NAMES}
    asked["kind"] = request.form.get("equipment-kind", "")
    _, no = tried(lambda: register.enter(doing(), household_id, **form_of(EquipmentIn, asked)))
    return _page(household_id, no) if no else redirect(f"/office/households/{household_id}/equipment")


@face.page(
    "/households/<uuid:household_id>/equipment/<uuid:equipment_id>/ends", "equipment.enter", methods=("POST",)
)
def end_equipment(household_id: UUID, equipment_id: UUID) -> ResponseReturnValue:
    asked = {"ended_on": request.form.get("ended_on", "")}
    _, no = tried(lambda: register.end(doing(), equipment_id, **form_of(EquipmentEndIn, asked)))
    return _page(household_id, no) if no else redirect(f"/office/households/{household_id}/equipment")


def _page(household_id: UUID, no: No | None = None) -> ResponseReturnValue:
    return drawn(
        "equipment_of",
        no,
        household_id=household_id,
        pieces=equipment_queries.equipment_of(doing(), household_id),
        kinds=list(EquipmentKind),
        materials=list(HoseMaterial),
        form=request.form,
    )

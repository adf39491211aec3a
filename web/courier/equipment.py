"""What hangs between bottle and burner at this door: seen by the courier, entered while there."""

from uuid import UUID

from flask import redirect, request
from flask.typing import ResponseReturnValue

from core.http import doing
from dispatch.safety import equipment as register
from dispatch.safety import equipment_queries
from dispatch.safety.equipment_schemas import EquipmentIn
from web.courier.door import seen
from web.courier.face import drawn, face, typed
from web.office import said as office_words
from web.pages import No, form_of, tried

NAMES = ("material", "maker", "model", "installed_on", "stated_until", "replaces")


@face.page("/orders/<uuid:order_id>/equipment", "equipment.read")
def equipment(order_id: UUID) -> ResponseReturnValue:
    return _page(order_id)


@face.page("/orders/<uuid:order_id>/equipment", "equipment.enter", methods=("POST",))
def enter_equipment(order_id: UUID) -> ResponseReturnValue:
    """A piece seen there, in place of another or as the first of its kind; then the list with it."""
    household_id = seen(order_id)["door"].order.household_id
    asked = {name: typed(name) for name in NAMES} | {"kind": typed("equipment-kind", 20)}
    _, no = tried(lambda: register.enter(doing(), household_id, **form_of(EquipmentIn, asked)))
    return _page(order_id, no) if no else redirect(f"/courier/orders/{order_id}/equipment")


def _page(order_id: UUID, no: No | None = None) -> ResponseReturnValue:
    shown = seen(order_id)
    pieces = equipment_queries.equipment_of(doing(), shown["door"].order.household_id)
    return drawn(
        "equipment",
        no,
        **shown,
        pieces=[one for one in pieces if one["piece"].ended_on is None],
        of=office_words,
        form=request.form,
    )

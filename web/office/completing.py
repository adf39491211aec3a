"""补录: what a bottle's file lacks, entered by the office once somebody has looked."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import redirect, request
from flask.typing import ResponseReturnValue

from core.http import doing
from core.problems import WrongField
from cylinders import bottle_file_queries, completions
from cylinders.life_schemas import CompletionIn
from cylinders.models import Cylinder
from web.office.face import drawn, face, office
from web.office.registering import YES_NO, first_day, months_of, standards
from web.pages import No, form_of, grams_said, tried

PLAIN = ("registered_on", "standard", "phase", "bought_on")
ASKED = (*PLAIN, "tare_g", "made_on", "design_life_years", "embossed_owner_mark", "refurbished")
"""The fields of the form, each shown where the file lacks it."""

_ALIKE = {"design_life_years": "design_life_months"}


@face.page("/cylinders/<uuid:cylinder_id>/complete", "cylinder.complete_file")
def completing(cylinder_id: UUID) -> ResponseReturnValue:
    return _form_page(cylinder_id, {}, None)


@face.page("/cylinders/<uuid:cylinder_id>/complete", "cylinder.complete_file", methods=("POST",))
def complete(cylinder_id: UUID) -> ResponseReturnValue:
    cylinder = bottle_file_queries.cylinder_file(doing(), cylinder_id).cylinder
    _, no = tried(
        lambda: completions.complete_file(
            doing(), cylinder_id=cylinder_id, **_found(request.form, completions.open_facts(cylinder))
        )
    )
    return _form_page(cylinder_id, request.form, no) if no else redirect(f"/office/cylinders/{cylinder_id}")


def lacking(cylinder: Cylinder) -> list[str]:
    """Of what the form asks: what the file does not say."""
    open_facts = completions.open_facts(cylinder)
    return [name for name in ASKED if _ALIKE.get(name, name) in open_facts]


def _found(form: Mapping[str, str], open_facts: list[str]) -> dict[str, Any]:
    """The form as the API's body. All faults at once."""
    said = {name: form.get(name, "").strip() for name in (*ASKED, "document", "reference")}
    body: dict[str, Any] = {name: said[name] for name in PLAIN}
    body["evidence"] = {name: said[name] for name in ("document", "reference") if said[name]}
    body |= {name: YES_NO.get(said[name]) for name in ("embossed_owner_mark", "refurbished")}
    body["made_on"] = first_day(said["made_on"])
    body["design_life_months"] = months_of(said["design_life_years"])
    if said["registered_on"] and "registered_by_firm_id" in open_facts:
        body["registered_by_firm_id"] = str(office().firm_id or "")
    wrong: tuple[Any, ...] = ()
    try:
        body["tare_g"] = grams_said("/tare_g", said["tare_g"])
    except WrongField as not_kilograms:
        wrong = not_kilograms.faults
    try:
        found = form_of(CompletionIn, body)
    except WrongField as more:
        raise WrongField.all([*more.faults, *wrong]) from None
    if wrong:
        raise WrongField.all(wrong)
    return found


def _form_page(cylinder_id: UUID, form: Mapping[str, str], no: No | None) -> ResponseReturnValue:
    file = bottle_file_queries.cylinder_file(doing(), cylinder_id)
    ids = {f"/evidence/{name}": name for name in ("document", "reference")}
    ids |= {"/design_life_months": "design_life_years"}
    return drawn(
        "complete",
        no,
        file=file,
        form=form,
        asked=lacking(file.cylinder),
        standards=standards(),
        ids=ids,
        pointers={field: pointer for pointer, field in ids.items()},
    )

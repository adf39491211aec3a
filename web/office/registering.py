"""建档: one bottle put on file as its stamps and papers say. What nobody knows is left open."""

import re
from collections.abc import Mapping
from typing import Any

from flask import redirect, request
from flask.typing import ResponseReturnValue

from core.http import doing
from core.problems import FieldFault, NotFound, WrongField
from cylinders import office_queries, service
from cylinders.models import Phase, Scheme
from cylinders.schemas import CylinderIn
from rulebook import current
from web.office.face import drawn, face, office
from web.pages import No, form_of, grams_said, number_said, tried

CODES = (Scheme.USE_REGISTRATION, Scheme.STAMP, Scheme.PLATFORM)
WEIGHTS = ("tare_g", "max_fill_g")
PLAIN = ("model", "registered_on", "standard", "phase", "bought_on")
YES_NO = {"yes": True, "no": False}
_INTERVAL = "F04.interval_months."


@face.page("/register", "cylinder.register")
def new_bottle() -> ResponseReturnValue:
    return _form_page({}, None)


@face.page("/register", "cylinder.register", methods=("POST",))
def register() -> ResponseReturnValue:
    """Sent twice it is one bottle; a code that any bottle ever had is refused by name."""
    if office().firm_id is None:
        raise NotFound
    done, no = tried(lambda: service.register(doing(), **_bottle(request.form)))
    if done is not None:
        return redirect(f"/office/cylinders/{done['cylinder_id']}")
    return _form_page(request.form, no)


def _bottle(form: Mapping[str, str]) -> dict[str, Any]:
    """The form as the API's body: kilograms as grams, a month as its first day. All faults at once."""
    body: dict[str, Any] = {name: form.get(name, "").strip() for name in PLAIN}
    firm_id = str(office().firm_id)
    body |= {"firm_id": firm_id, "owner_firm_id": firm_id}
    body["registered_by_firm_id"] = firm_id if body["registered_on"] else None
    body["identifiers"] = [
        {"scheme": scheme.value, "value": form.get(scheme.value, "").strip()} for scheme in _given(form)
    ]
    for name in ("embossed_owner_mark", "refurbished"):
        body[name] = YES_NO.get(form.get(name, ""))
    body["made_on"] = first_day(form.get("made_on", ""))
    body["design_life_months"] = months_of(form.get("design_life_years", "").strip())
    if form.get("site_id"):
        body["holder"] = {"site_id": form["site_id"]}
    if any(form.get(f"inspection-{name}") for name in ("inspected_on", "agency", "report_no")):
        body["last_inspection"] = _inspection(form)
    faults: list[FieldFault] = []
    for name in WEIGHTS:
        try:
            body[name] = grams_said(f"/{name}", form.get(name, ""))
        except WrongField as wrong:
            faults += wrong.faults
    try:
        loaded = form_of(CylinderIn, body)
    except WrongField as wrong:
        raise WrongField.all([*wrong.faults, *faults]) from None
    if faults:
        raise WrongField.all(faults)
    return loaded


def _given(form: Mapping[str, str]) -> list[Scheme]:
    return [scheme for scheme in CODES if form.get(scheme.value, "").strip()]


def _inspection(form: Mapping[str, str]) -> dict[str, Any]:
    """A passed inspection; a bottle that failed is not put into service."""
    said = {
        name: form.get(f"inspection-{name}", "").strip() for name in ("inspected_on", "agency", "report_no")
    }
    said["inspected_on"] = first_day(said["inspected_on"])
    return {name: value for name, value in said.items() if value} | {"passed": True}


def first_day(month: str) -> str:
    """Stamps and reports say a month; anything else is left for the schema to refuse."""
    return f"{month}-01" if re.fullmatch(r"[0-9]{4}-[0-9]{2}", month) else month


def months_of(years: str) -> int | str | None:
    """A stamp says years; what is no number is left for the schema to refuse."""
    said = number_said(years)
    return said * 12 if isinstance(said, int) else said


def standards() -> list[str]:
    """Those the rulebook knows an interval of."""
    return [name.removeprefix(_INTERVAL) for name in current().names if name.startswith(_INTERVAL)]


def _form_page(form: Mapping[str, str], no: No | None) -> ResponseReturnValue:
    ids = {f"/identifiers/{at}/value": scheme.value for at, scheme in enumerate(_given(form))}
    ids |= {
        f"/last_inspection/{name}": f"inspection-{name}" for name in ("inspected_on", "agency", "report_no")
    }
    ids |= {"/design_life_months": "design_life_years", "/holder/site_id": "site_id"}
    return drawn(
        "register",
        no,
        form=form,
        models=office_queries.models(doing()),
        codes=CODES,
        phases=list(Phase),
        standards=standards(),
        ids=ids,
        pointers={field: pointer for pointer, field in ids.items()},
    )

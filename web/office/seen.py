"""What somebody saw of a place, as a form asks it: in the same words when it is registered and surveyed."""

from collections.abc import Mapping
from typing import Any

from registry.premises_gate import BottlePlace, FloorKind, RentalKind, SmallPlace
from web.office import said
from web.pages import number_said

YES_NO = {"yes": True, "no": False}
NUMBERS = ("height_m", "rental_cap")
CHOICES: dict[str, tuple[tuple[str, said.Said], ...]] = {
    "floor_kind": tuple((one.value, said.FLOORS[one.value]) for one in FloorKind),
    "bottle_place": tuple((one.value, said.BOTTLE_PLACES[one.value]) for one in BottlePlace),
    "rental": tuple((one.value, said.RENTALS[one.value]) for one in RentalKind),
    "category": tuple((one.value, said.SMALL_PLACES[one.value]) for one in SmallPlace),
}


def seen_form(form: Mapping[str, str]) -> dict[str, Any]:
    """The fields as the API's schema reads them; what is left open is absent."""
    asked: dict[str, Any] = {name: YES_NO.get(form.get(name, "")) for name in said.SEEN}
    asked |= {name: number_said(form.get(name, "").strip()) for name in NUMBERS}
    asked |= {name: form.get(name, "") for name in CHOICES}
    asked["house_code"] = form.get("house_code", "").strip()
    return {name: value for name, value in asked.items() if value not in ("", None)}

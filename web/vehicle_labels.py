"""The vehicles' labels, to be printed: a courier scans one when setting out, to say which vehicle it is.

Nothing is issued: a label printed twice is the same label (``registry/vehicle_labels.py``).
"""

from dataclasses import dataclass

from flask.typing import ResponseReturnValue

from core.http import doing, ground
from cylinders.label_drawing import Symbol, symbol
from registry import crew_queries
from registry import queries as registry
from registry.rosters import firm_in_reach
from registry.vehicle_labels import label_text
from web.labels import A_SHEET, face, offsets_asked, place_on_sheet, print_page


@dataclass(frozen=True, slots=True)
class VehicleCell:
    """A vehicle's label with its place on the sheet, in millimetres."""

    plate: str
    firm: str
    symbol: Symbol
    x: float
    y: float


@face.page("/vehicles", "label.issue")
def vehicles() -> ResponseReturnValue:
    """Sheets with a label for each vehicle of the firm, by plate."""
    offsets, no = offsets_asked()
    with doing().ground.reads() as db:
        found = crew_queries.crew_choices(db, doing().district, firm_in_reach(doing())).vehicles
        names = {one.firm_id: firm.name for one in found if (firm := registry.firm(db, one.firm_id))}
    sheets: list[list[VehicleCell]] = []
    for place, one in enumerate(found, start=offsets.first - 1):
        if place % A_SHEET == 0 or not sheets:
            sheets.append([])
        text = label_text(ground().keyring, one.district, one.id)
        corner = place_on_sheet(place % A_SHEET, offsets)
        sheets[-1].append(VehicleCell(one.plate, names[one.firm_id], symbol(text), *corner))
    return print_page("labels/vehicles.html", no, sheets=sheets, offsets=offsets)

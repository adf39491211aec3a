"""无接触交接: what the mode of a handover, and where a bottle may be left, are called on every face."""

from dispatch.deliveries.models import DropPlace

Said = tuple[str, str]

CONTACTLESS: Said = ("无接触交接", "contactless")
IN_PERSON: Said = ("当面交接", "handed over in person")

PLACES: dict[DropPlace, Said] = {
    DropPlace.DOORSTEP: ("户门口", "at the door of the home"),
    DropPlace.YARD: ("院里", "in the yard"),
    DropPlace.CYLINDER_ROOM: ("瓶间", "in the cylinder room"),
}


def mode(contactless: bool) -> Said:
    return CONTACTLESS if contactless else IN_PERSON

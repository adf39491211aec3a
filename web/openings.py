"""Where no new accounts are opened: said to whoever comes, before anything else."""

from dataclasses import dataclass
from datetime import date

from core import clock
from rulebook import current

RULE = "A02"


@dataclass(frozen=True, slots=True)
class Barred:
    place: str
    since: date


def barred_since(district: int) -> date | None:
    """The day from which this place opens no new accounts; None where it does."""
    basis = current().at(str(district), clock.today()).basis(RULE)
    return basis.effective if basis else None


def barred_places() -> list[Barred]:
    """The places that have such a rule of their own in force today."""
    edition, today = current(), clock.today()
    found = [(name, edition.look(RULE, code, today), code) for code, name in sorted(edition.places.items())]
    return [Barred(name, rule.effective) for name, rule, code in found if rule and rule.place == code]

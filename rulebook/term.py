"""A paper's time: licences, certificates, contracts and permits as gates see them."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Term:
    """From when till when a paper holds, both days included. An open end is None."""

    from_on: date | None
    to_on: date | None

    def holds_on(self, day: date) -> bool:
        begun = self.from_on is not None and self.from_on <= day
        return begun and (self.to_on is None or day <= self.to_on)


def holds(term: Term | None, day: date) -> bool:
    """Is the paper in force on ``day``? No paper on file is no."""
    return term is not None and term.holds_on(day)

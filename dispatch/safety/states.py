"""A hazard closes only when somebody has looked again: claimed mending does not lift a stop."""

from enum import StrEnum

from core.machine import Machine, Move


class HazardState(StrEnum):
    FOUND = "found"
    TOLD = "told"
    MENDED = "mended"
    CLOSED = "closed"


HAZARD = Machine(
    "hazard",
    "hazard",
    HazardState.FOUND,
    [
        Move("tell", HazardState.FOUND, HazardState.TOLD),
        Move("claim_mended", HazardState.TOLD, HazardState.MENDED),
        Move("reject", HazardState.MENDED, HazardState.TOLD),
        Move("close", HazardState.MENDED, HazardState.CLOSED),
    ],
)

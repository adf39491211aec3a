"""The machine of one filling: authorised, gas flowing, and how it ended.

That an authorisation has run out is no move and no state: it follows from the hour.
"""

from enum import StrEnum

from core.machine import Machine, Move


class FillingState(StrEnum):
    AUTHORISED = "authorised"
    FILLING = "filling"
    FILLED = "filled"
    REFUSED = "refused"
    ABORTED = "aborted"


FILLING = Machine(
    "filling",
    "filling_authorisation",
    FillingState.AUTHORISED,
    [
        Move("begin", FillingState.AUTHORISED, FillingState.FILLING),
        Move("fail_check", FillingState.AUTHORISED, FillingState.REFUSED),
        Move("fail_check", FillingState.FILLING, FillingState.REFUSED),
        Move("complete", FillingState.FILLING, FillingState.FILLED),
        Move("abort", FillingState.AUTHORISED, FillingState.ABORTED),
        Move("abort", FillingState.FILLING, FillingState.ABORTED),
    ],
)

"""A plan is proposed, reviewed, applied; a round is driven."""

from enum import StrEnum

from core.machine import Machine, Move


class PlanState(StrEnum):
    PROPOSED = "proposed"
    APPLIED = "applied"
    DISCARDED = "discarded"


class ChangeState(StrEnum):
    PROPOSED = "proposed"
    APPLIED = "applied"


class RoundState(StrEnum):
    PLANNED = "planned"
    STARTED = "started"
    FINISHED = "finished"


PLAN = Machine(
    "plan",
    "round_plan",
    PlanState.PROPOSED,
    [
        Move("apply", PlanState.PROPOSED, PlanState.APPLIED),
        Move("discard", PlanState.PROPOSED, PlanState.DISCARDED),
    ],
)

ROUND = Machine(
    "round",
    "round",
    RoundState.PLANNED,
    [
        Move("start", RoundState.PLANNED, RoundState.STARTED),
        Move("finish", RoundState.STARTED, RoundState.FINISHED),
    ],
)

CHANGE = Machine(
    "change of rounds",
    "round_change",
    ChangeState.PROPOSED,
    [Move("apply", ChangeState.PROPOSED, ChangeState.APPLIED)],
)

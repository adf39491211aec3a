"""Every "no" about administrative divisions. Codes keep their meaning."""

from core.refusal import reason
from evidence.deed import held_by
from registry.cures import LOOK_IT_UP

DIVISION_TAKEN = reason(
    "division.code_taken",
    "S03",
    zh="这一级在这段时间已有这个代码",
    en="another division of this level has this code for part of this time",
    office=("look_up", "核对代码和启用、停用日", "check the code and its days"),
)
DIVISION_ENDED = reason(
    "division.ended",
    "S03",
    zh="这个区划已于{valid_until}停用",
    en="this division ended on {valid_until}",
    office=LOOK_IT_UP,
)
DIVISION_HAS_PARTS = reason(
    "division.has_parts",
    "S03",
    zh="{valid_until}以后还有{parts}个下级区划在用",
    en="{parts} divisions within it are in force beyond {valid_until}",
    office=("end_parts", "先停用或改登下级，再停用它", "end or re-enter what lies within it first"),
)

held_by("ex_division_code", DIVISION_TAKEN)

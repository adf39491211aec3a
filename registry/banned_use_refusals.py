"""Every "no" about bottled gas used where it may not be. Codes keep their meaning."""

from core.refusal import reason
from evidence.deed import held_by
from registry.cures import LOOK_IT_UP

USE_NOT_OVERDUE = reason(
    "banned_use.not_overdue",
    "B01",
    zh="通知的期限（{deadline_on}）还没有过",
    en="the day that the notice gives ({deadline_on}) is not over",
    office=(
        "wait",
        "期限过后仍未清理的，再联合清理",
        "wait for that day; what is left then is cleared jointly",
    ),
)
USE_OWN_REPORT = reason(
    "banned_use.own_report",
    "B02",
    zh="上报人不能自己销案",
    en="who reported it does not close it",
    office=("another_person", "由另一人到现场核实后销案", "let somebody else look and close it"),
)
USE_NOTICE_TAKEN = reason(
    "banned_use.notice_taken",
    "S03",
    zh="这个通知书编号已用过",
    en="a notice with this number was given already",
    office=LOOK_IT_UP,
)

held_by("uq_banned_use_district_notice_no", USE_NOTICE_TAKEN)

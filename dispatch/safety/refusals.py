"""Every "no" about hazards. A code, once published, keeps its meaning for ever."""

from core.refusal import reason

LOOK_AGAIN = ("recheck", "请检查人员到现场复查", "have the place checked again")

# H01: mended is what a re-check has seen, not what somebody says
NOT_A_RECHECK = reason(
    "hazard.not_rechecked",
    "H01",
    zh="这次检查不是对该户的复查，不能销号",
    en="this check is no re-check of that household: the hazard stays open",
    office=LOOK_AGAIN,
)
NOT_ON_SITE = reason(
    "hazard.not_rechecked_on_site",
    "H01",
    zh="视频或电话检查不能作为复查，不能销号",
    en="a check by video or telephone is no re-check: the hazard stays open",
    office=LOOK_AGAIN,
)
ITEM_NOT_PASSED = reason(
    "hazard.item_not_passed",
    "H01",
    zh="复查中“{item}”没有合格，不能销号",
    en="the re-check did not pass {item}: the hazard stays open",
    office=("mend_first", "督促整改后再复查", "have it mended, then check again"),
)
RECHECKED_TOO_EARLY = reason(
    "hazard.rechecked_too_early",
    "H01",
    zh="复查早于报告整改的时间（{mended_at}），不能销号",
    en="the re-check was made before the mending was claimed ({mended_at})",
    office=LOOK_AGAIN,
)

# H02: four eyes
SAME_PERSON = reason(
    "hazard.same_person",
    "H02",
    zh="谁发现的隐患，不能由同一人复查或销号",
    en="who found a hazard neither re-checks nor closes it",
    office=("other_person", "请另一名检查人员复查、销号", "another person must re-check and close it"),
)
# The registers of hoses, regulators and alarms
EQUIPMENT_ENDED = reason(
    "equipment.ended",
    "S03",
    zh="这一件{ended_on}已经换下或拆除",
    en="this piece was replaced or taken away on {ended_on}",
    office=("refresh", "刷新后再看", "reload and look again"),
)

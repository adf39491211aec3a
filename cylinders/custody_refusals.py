"""Every "no" about custody, holds, and what a site may hold or let go. Codes keep their meaning."""

from core.refusal import reason
from evidence.deed import held_by

LOOK_UP_CUSTODY = (
    "check_custody",
    "核对这只瓶的交接记录",
    "check the bottle's custody record",
)

# S03: what there may be only one of
CARD_HOLDS_ANOTHER = reason(
    "holding.card_holds_another",
    "S03",
    zh="这张卡名下已有一只瓶（一卡一瓶）",
    en="this card already holds a bottle: one card, one bottle",
    office=LOOK_UP_CUSTODY,
)
BOTTLE_ON_ANOTHER_CARD = reason(
    "holding.bottle_on_another_card",
    "S03",
    zh="这只瓶已登记在另一张卡上",
    en="this bottle stands on another card",
    office=LOOK_UP_CUSTODY,
)

# S04: what is not where its record says
NOT_WITH_GIVER = reason(
    "custody.not_with_giver",
    "S04",
    zh="按记录这只瓶不在交出方手里",
    en="by its record the bottle is not with whoever hands it on",
    courier=("scan_again", "核对瓶码，交站里查清", "check the code; let the site find out"),
    station=("take_in", "先扫码入站，再办理", "scan it in first"),
    office=LOOK_UP_CUSTODY,
)
NOT_ON_CARD = reason(
    "custody.not_on_card",
    "S04",
    zh="收回的空瓶不是这张卡名下的瓶",
    en="the empty taken back is not the bottle on this card",
    courier=("record_exception", "按异常流程登记", "record it as an exception"),
    office=LOOK_UP_CUSTODY,
)

LOSS_ON_RECORD = reason(
    "custody.loss_on_record",
    "D06",
    zh="这张卡没有瓶可换的原因已经登记过",
    en="it is on record already why this card has no bottle to swap",
    office=("book", "可以直接预约送气", "a delivery can be booked"),
)

# D09, F16: what may not leave a site
NOT_FULL = reason(
    "custody.not_full",
    "D09",
    zh="按记录这只瓶不是满瓶",
    en="by its record the bottle is not full",
    courier=("take_another", "换一只满瓶", "take a full one"),
    office=LOOK_UP_CUSTODY,
)
HELD_BACK = reason(
    "custody.held",
    "F16",
    zh="这只瓶被扣留、送检或报废，不得装车",
    en="the bottle is held, at inspection or scrapped: it may not be loaded",
    courier=("take_another", "换一只满瓶", "take another"),
    office=("resolve_hold", "由扣留单位办理解除", "have whoever put the hold lift it"),
)

# S03: a site's count
DIFFERENCE_EXPLAINED = reason(
    "count.difference_explained",
    "S03",
    zh="这处差异已经说明过原因，说明不改",
    en="this difference has its explanation already, and explanations are not changed",
    station=("count_again", "有新情况的再盘一次", "count again if there is something new"),
    office=("count_again", "有新情况的再盘一次", "count again if there is something new"),
)

# S01: holds
NO_SUCH_HOLD = reason(
    "hold.not_standing",
    "S01",
    zh="没有这项扣留，或已经解除",
    en="there is no such hold, or it has been lifted",
    office=("refresh", "刷新后再试", "reload and try again"),
)

HOLD_OF_CONFLICT = reason(
    "hold.of_conflict",
    "S04",
    zh="因交接记录矛盾而扣留，须指明哪条记录属实才能解除",
    en="held because its custody records contradict each other: it is lifted by saying which one is true",
    office=("resolve_conflict", "查清真实去向，在矛盾记录上登记结论", "find out and resolve the conflict"),
)

HOLD_OF_COLLISION = reason(
    "hold.of_collision",
    "S03",
    zh="因一码两瓶而扣留，须查清编码是哪只瓶的才能解除",
    en="held because two bottles carry one code: it is lifted by saying whose the code is",
    office=(
        "resolve_collision",
        "看过两只瓶后，在重码记录上登记结论",
        "look at both bottles, then say whose it is",
    ),
)

HOLD_OF_RECALL = reason(
    "hold.of_recall",
    "F16",
    zh="因召回而扣留，须了结这只瓶的召回任务才能解除",
    en="held by a recall: it is lifted by settling the bottle's task",
    office=("settle_task", "在召回清单上了结这只瓶", "settle the bottle on the recall's list"),
)

# S01, S04: contradictions and errors
CONFLICT_RESOLVED = reason(
    "conflict.resolved",
    "S01",
    zh="这条矛盾已有结论",
    en="this conflict has been resolved",
    office=("refresh", "刷新后再试", "reload and try again"),
)
ERROR_DECLARED = reason(
    "custody.error_declared",
    "S03",
    zh="这条记录已经声明有误",
    en="this fact has been declared an error already",
    office=("refresh", "刷新后再试", "reload and try again"),
)

# W01: what a site may hold
STOCK_OVER_CAP = reason(
    "stock.over_cap",
    "W01",
    zh="站内存量{stored}只，上限{stock_cap}只，多出{over}只",
    en="{stored} bottles are stored here, {over} above the cap of {stock_cap}",
    station=(
        "move_bottles_out",
        "停止充装和进瓶，把多出的运到其他站点",
        "stop filling and taking in; bring what is too many to another site",
    ),
    office=(
        "move_bottles_out",
        "停止往这里进瓶，把多出的调往其他站点，并查明原因",
        "send no more bottles there, move what is too many to another site and find out why",
    ),
)

held_by("pk_custody_correction", ERROR_DECLARED)
held_by("pk_count_explanation", DIFFERENCE_EXPLAINED)
held_by("uq_card_holding_active", CARD_HOLDS_ANOTHER)
held_by("uq_cylinder_claim_active", BOTTLE_ON_ANOTHER_CARD)

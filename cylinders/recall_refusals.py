"""Every "no" about recalls. Codes keep their meaning."""

from core.refusal import reason
from evidence.deed import held_by

RECALL_EMPTY = reason(
    "recall.nothing_listed",
    "S03",
    zh="没有气瓶符合召回条件",
    en="no bottle within reach meets the criterion",
    office=("widen_criterion", "核对召回条件", "check the criterion"),
)
RECALL_TASKS_OPEN = reason(
    "recall.tasks_open",
    "S01",
    zh="还有{open}只瓶没有了结，不能结束召回",
    en="{open} bottles are not settled yet: the recall cannot be finished",
    office=("settle_tasks", "逐只了结或说明", "settle or explain each of them"),
)
RECALL_NOT_SCRAPPED = reason(
    "recall.not_scrapped",
    "S01",
    zh="这只瓶还没有报废记录",
    en="there is no record that this bottle was scrapped",
    office=("scrap", "先由检验机构办理报废", "have the agency scrap it first"),
)
AUTHORITY_DECIDES = reason(
    "recall.authority_decides",
    "F16",
    zh="监管部门的召回，是否误列由监管部门认定",
    en="in a recall by the authority, only the authority says that a bottle is not meant",
    office=("ask_authority", "报监管部门认定", "ask the authority"),
)
RECALLED_ALREADY = reason(
    "recall.listed_already",
    "S03",
    zh="这只瓶已在召回清单中",
    en="this bottle is on the recall's list already",
    office=("refresh", "刷新后再试", "reload and try again"),
)

held_by("pk_recall_task", RECALLED_ALREADY)

"""The one "no" of the rulebook itself."""

from core.refusal import reason

NO_VALUE = reason(
    "rule.no_value",
    "R01",
    zh="规则库在{place}没有{name}的有效规定，无法判断，一律不予办理",
    en="the rulebook has nothing in force for {name} in {place}, so the answer is no",
    office=(
        "mend_rulebook",
        "请法规管理员在规则库补录该项规定后再办",
        "have the rule entered in the rulebook, then ask again",
    ),
    resident=("call_office", "请联系供气单位，由其补全规定后再办", "please call the supplier"),
    station=("set_aside", "先把气瓶放一边，联系公司办公室", "set the bottle aside and call the office"),
    courier=("call_office", "联系公司办公室，先不要供气", "call the office; do not supply yet"),
)

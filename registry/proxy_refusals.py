"""Every "no" about naming a proxy. What refuses a booking by one stands with the booking's own."""

from core.refusal import reason

PROXY_IS_SELF = reason(
    "proxy.is_registrant",
    "A15",
    zh="代办人不能是登记人本人",
    en="the registrant cannot be their own proxy",
    office=("name_another", "登记另一位代办人", "name somebody else"),
)
PROXY_TOO_LONG = reason(
    "proxy.too_long",
    "A15",
    zh="代办期限最长{most_days}天，不能到{until_on}",
    en="a proxy may act for {most_days} days at most, not until {until_on}",
    resident=("shorten", "请选早一些的结束日，到期可以再办", "choose an earlier last day; it can be renewed"),
    office=("shorten", "改为较早的结束日", "choose an earlier last day"),
)
TOO_MANY_PROXIES = reason(
    "proxy.too_many",
    "A15",
    zh="这一户最多同时有{most}位代办人",
    en="a home may have {most} proxies at once",
    resident=("end_one", "请先结束其中一位", "end one of them first"),
    office=("end_one", "先结束其中一位", "end one of them first"),
)
CONSENT_LAPSED = reason(
    "proxy.lapsed",
    "A15",
    zh="这份委托到{until_on}为止，已经过期",
    en="this was for the time until {until_on}, which is over",
    resident=("name_again", "请对方重新提名", "ask to be named again"),
    office=("name_again", "重新办理委托", "have it given anew"),
)

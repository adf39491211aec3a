"""What the words of the rooms are called in the office: Chinese, English."""

from cylinders.count_queries import KIND_WORDS, WHY_WORDS
from cylinders.models import Phase, Scheme
from registry.models import SiteKind

Said = tuple[str, str]

KINDS, WHYS = KIND_WORDS, WHY_WORDS
"""Of a count: how a bottle differed, and why."""

SITES: dict[str, Said] = {
    SiteKind.FILLING_STATION.value: ("充装站", "filling station"),
    SiteKind.SUPPLY_POINT.value: ("供应站", "supply point"),
    SiteKind.DEPOT.value: ("仓库", "depot"),
}

SCHEMES: dict[str, Said] = {
    Scheme.PLATFORM.value: ("平台码", "platform code"),
    Scheme.USE_REGISTRATION.value: ("使用登记代码", "use registration"),
    Scheme.STAMP.value: ("钢印号", "stamp"),
    Scheme.EQUIPMENT.value: ("设备代码", "equipment code"),
    Scheme.MAKER.value: ("制造厂码", "maker's own code"),
    Scheme.RFID.value: ("电子标签", "RFID"),
}

PHASES: dict[str, Said] = {
    Phase.VAPOUR.value: ("气相", "vapour"),
    Phase.LIQUID.value: ("液相", "liquid"),
    Phase.TWO_PHASE.value: ("双相", "two-phase"),
}

STANDINGS: dict[str, Said] = {
    "stands": ("采信", "stands"),
    "lost": ("未采信", "not believed"),
    "withdrawn": ("已更正", "declared an error"),
}

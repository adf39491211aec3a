"""What the words of the rooms are called in the office: Chinese, English."""

from cylinders.count_queries import KIND_WORDS, WHY_WORDS
from cylinders.life_models import DueKind, RecallOutcome
from cylinders.models import Phase, Scheme
from cylinders.states import TaskState
from registry.account_gate import AccountBusiness
from registry.accounts import SuspensionReason
from registry.models import CardException, PremisesKind, SiteKind, UserClass
from registry.premises_gate import FloorKind
from registry.states import AccountState, CardState

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

SUSPENDED: dict[str, Said] = {
    SuspensionReason.HAZARD.value: ("有隐患", "a hazard"),
    SuspensionReason.INSPECTION_REFUSED.value: ("拒绝安检", "a check was refused"),
    SuspensionReason.CONTRACT_BREACH.value: ("违反合同", "a breach of contract"),
    SuspensionReason.USER_REQUEST.value: ("用户要求", "the user asked for it"),
}

ASKED_OF_ACCOUNTS: dict[str, Said] = {
    AccountBusiness.OPENING.value: ("新开户", "a new account"),
    AccountBusiness.TRANSFER.value: ("过户", "a transfer"),
    AccountBusiness.SUCCESSION.value: ("继承", "a succession"),
    AccountBusiness.CHANGE_OF_ADDRESS.value: ("搬家换地址", "a change of address"),
    AccountBusiness.REOPENING.value: ("销户后重新开户", "an account reopened"),
}

CARDS: dict[str, Said] = {
    CardState.ACTIVE.value: ("有效", "active"),
    CardState.LOST.value: ("已挂失", "reported lost"),
    CardState.BLOCKED.value: ("已停用", "blocked"),
    CardState.CLOSED.value: ("已注销", "closed"),
}

ACCOUNTS: dict[str, Said] = {
    AccountState.OPEN.value: ("正常", "open"),
    AccountState.SUSPENDED.value: ("已暂停", "suspended"),
    AccountState.CLOSED.value: ("已注销", "closed"),
}

EXCEPTIONS: dict[str, Said] = {
    CardException.FIRST_SUPPLY.value: ("首次供气，可不收空瓶", "first supply: no empty to swap"),
    CardException.BOTTLE_LOST.value: ("空瓶已报失，可不收空瓶", "its bottle is lost: no empty to swap"),
}

CLASSES: dict[str, Said] = {
    UserClass.RESIDENT.value: ("居民", "resident"),
    UserClass.RESTAURANT.value: ("餐饮", "restaurant"),
    UserClass.OTHER_BUSINESS.value: ("其他单位", "other business"),
}

PLACES: dict[str, Said] = {
    PremisesKind.DWELLING.value: ("住宅", "dwelling"),
    PremisesKind.RESTAURANT.value: ("餐饮场所", "restaurant"),
    PremisesKind.OTHER_BUSINESS.value: ("其他经营场所", "other business"),
}

FLOORS: dict[str, Said] = {
    FloorKind.ABOVE_GROUND.value: ("地上", "above ground"),
    FloorKind.SEMI_BASEMENT.value: ("半地下室", "semi-basement"),
    FloorKind.BASEMENT.value: ("地下室", "basement"),
    FloorKind.UNVENTILATED.value: ("不通风的密闭空间", "closed, without ventilation"),
    FloorKind.GARAGE.value: ("车库", "garage"),
}

SEEN: dict[str, Said] = {
    "piped_gas": ("通管道气", "piped gas"),
    "lift": ("有电梯", "a lift"),
    "converted_to_pipe": ("已改管道气", "converted to piped gas"),
    "has_cylinder_room": ("有瓶组间", "a cylinder room"),
}
"""What a survey looks at and answers with yes or no; what nobody looked at stays unknown."""

BOTTLE: dict[str, Said] = {
    **{scheme.value: SCHEMES[scheme.value] for scheme in Scheme},
    "model": ("型号", "Model"),
    "standard": ("制造标准", "Standard"),
    "phase": ("介质", "Phase"),
    "tare_g": ("皮重（公斤）", "Tare in kilograms"),
    "max_fill_g": ("最大充装量（公斤）", "Maximum fill in kilograms"),
    "made_on": ("制造年月", "Made in"),
    "design_life_years": ("设计使用年限（年）", "Design life in years"),
    "embossed_owner_mark": ("有产权单位凸字", "Owner's mark embossed"),
    "refurbished": ("翻新、改装过", "Refurbished"),
    "registered_on": ("使用登记日期", "Use registered on"),
    "bought_on": ("购入日期", "Bought on"),
    "inspection-inspected_on": ("检验年月", "Inspected in"),
    "inspection-agency": ("检验机构代号", "Agency"),
    "inspection-report_no": ("报告号", "Report"),
    "site_id": ("站点", "Site"),
}
"""The fields of the form by which a bottle is put on file."""

DUE: dict[str, Said] = {
    DueKind.INSPECTION.value: ("检验到期", "inspection due"),
    DueKind.LIFE.value: ("使用年限到期", "end of life"),
}

TASKS: dict[str, Said] = {
    TaskState.LISTED.value: ("待通知", "to be told"),
    TaskState.NOTIFIED.value: ("已通知", "told"),
    TaskState.BROUGHT_IN.value: ("已收回", "brought in"),
    TaskState.SETTLED.value: ("已了结", "settled"),
}
"""How far a recall has come with a bottle."""

OUTCOMES: dict[str, Said] = {
    RecallOutcome.SCRAPPED.value: ("报废", "scrapped"),
    RecallOutcome.RETURNED_TO_MAKER.value: ("退回制造厂", "returned to its maker"),
    RecallOutcome.NOT_AFFECTED.value: ("不在召回之列", "not affected"),
    RecallOutcome.NOT_FOUND.value: ("找不到，已说明", "not found, explained"),
}

"""What the words of the rooms are called to a resident: Chinese, English."""

from dispatch.deliveries.models import FailureReason, Problem
from dispatch.orders.models import Purpose
from dispatch.orders.states import OrderState
from dispatch.safety.models import Grade
from dispatch.safety.states import HazardState
from registry.states import PrivacyRequestState

Said = tuple[str, str]
Tag = tuple[str, str, str]
"""The tag's kind (good, bad, warn, quiet), then the words."""

PURPOSES: dict[Purpose, Said] = {
    Purpose.COOKING: ("做饭", "Cooking"),
    Purpose.WATER_HEATING: ("烧热水", "Hot water"),
    Purpose.CATERING: ("餐饮经营", "Catering"),
    Purpose.OTHER: ("其他", "Something else"),
}

ORDER_TAGS: dict[OrderState, Tag] = {
    OrderState.BOOKED: ("quiet", "已预约", "booked"),
    OrderState.LOADED: ("quiet", "已装车", "on its way"),
    OrderState.DELIVERED: ("good", "已送达", "delivered"),
    OrderState.PARTLY_DELIVERED: ("warn", "部分送达", "partly delivered"),
    OrderState.WITHHELD: ("bad", "未供气", "no gas supplied"),
    OrderState.FAILED: ("warn", "没有送成", "not delivered"),
    OrderState.CANCELLED: ("quiet", "已取消", "cancelled"),
}

HAZARD_TAGS: dict[HazardState, Tag] = {
    HazardState.FOUND: ("warn", "已发现", "found"),
    HazardState.TOLD: ("warn", "待整改", "to be mended"),
    HazardState.MENDED: ("quiet", "已报整改，等复查", "said to be mended, to be re-checked"),
    HazardState.CLOSED: ("good", "已销号", "closed"),
}

GRADES: dict[Grade, Said] = {
    Grade.GENERAL: ("一般隐患", "general"),
    Grade.SERIOUS: ("较重隐患", "serious"),
    Grade.MAJOR: ("重大隐患", "major"),
}

FAILURES: dict[FailureReason, Said] = {
    FailureReason.NOBODY_HOME: ("家中没有人", "nobody was at home"),
    FailureReason.REFUSED_BY_USER: ("住户当时不要", "it was not wanted at the door"),
    FailureReason.WRONG_ADDRESS: ("地址不对", "the address was wrong"),
    FailureReason.NO_ACCESS: ("进不了门", "there was no way in"),
    FailureReason.VEHICLE_TROUBLE: ("车辆故障", "the vehicle broke down"),
    FailureReason.OUT_OF_TIME: ("当天来不及", "there was no time left that day"),
    FailureReason.NO_BOTTLE: ("没有合适的瓶", "no bottle of this kind was to be had"),
}

PROBLEMS: dict[Problem, Said] = {
    Problem.SMELLS_OF_GAS: ("闻到气味", "I smell gas"),
    Problem.NOT_CONNECTED: ("没有给接装", "It was not connected"),
    Problem.NOT_CHECKED: ("没有做安检", "Nothing was checked"),
    Problem.WRONG_BOTTLE: ("瓶号对不上", "The bottle is another one"),
    Problem.NOT_DELIVERED: ("没有收到气", "I received no gas"),
    Problem.ASKED_FOR_MONEY: ("另外收钱", "I was asked for extra money"),
    Problem.BAD_CONDUCT: ("服务态度不好", "Bad conduct"),
}

CURES_HERE: dict[str, tuple[str, str, str]] = {
    "other_slot": ("/resident/book", "换个时段再约", "Book another slot"),
    "state_purpose": ("/resident/book", "填上用途再约", "Say the purpose and book"),
    "state_quantity": ("/resident/book", "重新填写", "Fill it in again"),
    "order_less": ("/resident/book", "少订一些", "Order less"),
    "face_to_face": ("/resident/book", "改为当面交接再约", "Book it in person"),
    "see_order": ("/resident/orders", "看现有的预约", "See the standing booking"),
    "order_mending": ("/resident/hazards", "看要整改的地方", "See what must be mended"),
    "mend": ("/resident/hazards", "看要整改的地方", "See what must be mended"),
    "book_recheck": ("/resident/hazards", "看要整改的地方", "See what must be mended"),
    "book_check": ("/resident/hazards", "看要整改的地方", "See what must be mended"),
    "allow_check": ("/resident/hazards", "看安检记录", "See the checks"),
}
"""The action of a cure that can be taken on a page of ours: address, Chinese, English. Others are a call."""

FIELDS: dict[str, Said] = {
    "address": ("地址", "address"),
    "name": ("姓名", "name"),
    "phone": ("电话", "telephone"),
}
ROLES: dict[str, Said] = {
    "courier": ("送气工", "courier"),
    "clerk": ("办公室", "office"),
    "dispatcher": ("调度", "dispatcher"),
    "regulator": ("监管部门", "authority"),
    "administrator": ("系统管理员", "administrator"),
}
LOOKS: dict[str, Said] = {
    "reveal": ("看了不打星号的信息", "saw what is usually masked"),
    "file": ("查看了本户档案（信息打着星号）", "read the file of this home, masked"),
    "round": ("送气时看了要送的门", "saw the doors of a round"),
}
REASONS: dict[str, Said] = {
    "delivery": ("送气", "a delivery"),
    "safety": ("安全", "safety"),
    "complaint": ("投诉", "a complaint"),
    "audit": ("检查", "an audit"),
    "correction": ("更正信息", "a correction"),
    "own_request": ("本人到柜台要一份复印件", "you asked for a copy at the counter"),
}
REQUEST_TAGS: dict[PrivacyRequestState, Tag] = {
    PrivacyRequestState.ASKED: ("quiet", "等待办理", "waiting"),
    PrivacyRequestState.GRANTED: ("good", "已办理", "done"),
    PrivacyRequestState.DECLINED: ("bad", "没有办理", "declined"),
    PrivacyRequestState.WITHDRAWN: ("quiet", "已撤回", "withdrawn"),
}

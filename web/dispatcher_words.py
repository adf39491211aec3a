"""What the dispatcher's pages call the words of the code: Chinese, English."""

from core.jobs import Fault, JobState
from dispatch.orders.models import Channel, Purpose
from dispatch.orders.states import OrderState
from dispatch.rounds.models import ApprovalReason
from dispatch.rounds.states import ChangeState, PlanState, RoundState
from oversight.models import AlarmAction, AlarmKind
from registry.roster_models import AbsenceReason
from registry.states import RosterState
from registry.zone_models import SubstitutionReason

Said = tuple[str, str]

ORDER: dict[OrderState, tuple[str, str, str]] = {
    OrderState.BOOKED: ("quiet", "已预约", "booked"),
    OrderState.LOADED: ("warn", "在路上", "on the road"),
    OrderState.DELIVERED: ("good", "已送达", "delivered"),
    OrderState.PARTLY_DELIVERED: ("warn", "部分送达", "partly delivered"),
    OrderState.WITHHELD: ("bad", "暂停供气", "withheld"),
    OrderState.FAILED: ("bad", "未送成", "failed"),
    OrderState.CANCELLED: ("quiet", "已取消", "cancelled"),
}
"""The kind of tag (its shape and colour) and the words on it."""

ROUND: dict[RoundState, tuple[str, str, str]] = {
    RoundState.PLANNED: ("quiet", "待出车", "not yet out"),
    RoundState.STARTED: ("warn", "配送中", "on the road"),
    RoundState.FINISHED: ("good", "已收车", "back"),
}

PLAN: dict[PlanState, tuple[str, str, str]] = {
    PlanState.PROPOSED: ("warn", "待审", "to review"),
    PlanState.APPLIED: ("good", "已下发", "applied"),
    PlanState.DISCARDED: ("quiet", "已作废", "discarded"),
}

CHANGE: dict[ChangeState, tuple[str, str, str]] = {
    ChangeState.PROPOSED: ("warn", "待审", "to review"),
    ChangeState.APPLIED: ("good", "已改派", "done"),
}

JOB: dict[JobState, tuple[str, str, str]] = {
    JobState.ASKED: ("quiet", "排队中", "waiting"),
    JobState.RUNNING: ("warn", "正在排", "being made"),
    JobState.DONE: ("good", "排好了", "done"),
    JobState.REFUSED: ("bad", "排不了", "refused"),
    JobState.FAILED: ("bad", "没排成", "failed"),
    JobState.CANCELLED: ("quiet", "已取消", "cancelled"),
}

STEP: dict[str | None, Said] = {
    None: ("等着开始", "waiting to begin"),
    "collecting": ("正在取订单和人车", "collecting orders and crews"),
    "solving": ("正在计算", "solving"),
}

FAULT: dict[Fault, Said] = {
    Fault.BUSY: (
        "排线程序没有算出来。请再排一次；现在执行的方案不受影响。",
        "The solver did not finish. Ask again; what is being driven stays as it is.",
    ),
    Fault.GRANT_ENDED: (
        "提交人的授权已经结束，没有排。",
        "The grant of whoever asked has ended; nothing was made.",
    ),
    Fault.OUR_BUG: (
        "是系统出了错，没有排成。请报系统维护人员。",
        "An error of ours: nothing was made. Please report it.",
    ),
    Fault.WORKER_DIED: (
        "后台几次中断，没有排成。请报系统维护人员。",
        "The worker died several times: nothing was made. Please report it.",
    ),
}

ROSTER: dict[RosterState, tuple[str, str, str]] = {
    RosterState.PROPOSED: ("warn", "待确认", "to confirm"),
    RosterState.CONFIRMED: ("good", "已确认", "confirmed"),
    RosterState.REPLACED: ("quiet", "已被替换", "replaced"),
}

ABSENCE: dict[AbsenceReason, Said] = {
    AbsenceReason.DAY_OFF: ("轮休", "day off"),
    AbsenceReason.ON_LEAVE: ("请假", "on leave"),
    AbsenceReason.SICK: ("病假", "sick"),
    AbsenceReason.IN_TRAINING: ("培训", "in training"),
    AbsenceReason.IN_REPAIR: ("修理", "in repair"),
}

STAND_IN: dict[SubstitutionReason, Said] = {
    SubstitutionReason.COURIER_SICK: ("送气工生病", "courier sick"),
    SubstitutionReason.COURIER_ON_LEAVE: ("送气工请假", "courier on leave"),
    SubstitutionReason.VEHICLE_IN_REPAIR: ("车在修", "vehicle in repair"),
    SubstitutionReason.DEVICE_OUT_OF_ORDER: ("终端坏了", "device out of order"),
    SubstitutionReason.MORE_ORDERS: ("订单增多", "more orders"),
}

APPROVAL: dict[ApprovalReason, Said] = {
    ApprovalReason.ZONE_REDRAWN: ("片区重新划过", "the zones were redrawn"),
    ApprovalReason.CREW_MISSING: ("本范围没有车", "its own zone has no crew"),
    ApprovalReason.URGENT_NEED: ("用户急需", "an urgent need"),
}

CHANNEL: dict[Channel, Said] = {
    Channel.WEB: ("网上", "web"),
    Channel.HOTLINE: ("电话", "hotline"),
    Channel.COUNTER: ("柜台", "counter"),
    Channel.VOLUNTEER: ("志愿者代约", "volunteer"),
}

PURPOSE: dict[Purpose, Said] = {
    Purpose.COOKING: ("家里做饭", "cooking"),
    Purpose.WATER_HEATING: ("烧热水", "water heating"),
    Purpose.CATERING: ("餐饮经营", "catering"),
    Purpose.OTHER: ("其他", "other"),
}

ALARM: dict[AlarmKind, tuple[str, str, str]] = {
    AlarmKind.VISIT_FAILED: ("bad", "没送成", "visit failed"),
    AlarmKind.GAS_WITHHELD: ("bad", "暂停供气", "gas withheld"),
    AlarmKind.ORDER_LATE: ("warn", "过了预约时段还没送", "slot over, not delivered"),
    AlarmKind.CREW_SILENT: ("warn", "车上很久没有消息", "no word from the crew"),
    AlarmKind.CUSTODY_CONFLICT: ("bad", "气瓶流转互相矛盾", "custody conflict"),
    AlarmKind.REVIEW_OVERDUE: ("bad", "复核超期未答复", "review of a refusal overdue"),
    AlarmKind.ROUND_WITHOUT_CREW: ("bad", "趟次没了人车，要改派", "a round has lost its crew: hand it on"),
    AlarmKind.OUT_OF_ZONE: ("bad", "车出了配送范围", "a vehicle outside its zone"),
    AlarmKind.STOPPED_TOO_LONG: ("warn", "车停得太久", "a vehicle stopped too long"),
    AlarmKind.NO_POSITION: ("warn", "车的位置断了", "no position from a vehicle"),
    AlarmKind.CODES_PROBED: ("warn", "有人在公众查询页逐个试编码", "somebody tries codes on the public page"),
}

ACTION: dict[AlarmAction, Said] = {
    AlarmAction.USER_CALLED: ("已打电话给用户", "called the user"),
    AlarmAction.CREW_CALLED: ("已联系送气工", "called the crew"),
    AlarmAction.REBOOKED: ("已改约", "rebooked"),
    AlarmAction.PASSED_ON: ("已转有关单位", "passed on"),
    AlarmAction.NOTHING_NEEDED: ("看过，不用处理", "seen, nothing needed"),
}

FAILURE: dict[str, Said] = {
    "nobody_home": ("家里没人", "nobody home"),
    "refused_by_user": ("用户不要了", "refused by the user"),
    "wrong_address": ("地址不对", "wrong address"),
    "no_access": ("进不去", "no access"),
    "vehicle_trouble": ("车坏了", "vehicle trouble"),
    "out_of_time": ("来不及", "out of time"),
    "no_bottle": ("没有瓶", "no bottle"),
}


WHICH = [
    ("open", "未办完 open"),
    ("unplanned", "没排 not planned"),
    ("late", "晚了 late"),
    ("loaded", "在路上 on the road"),
    ("delivered", "已送达 delivered"),
    ("failed", "未送成 failed"),
    ("withheld", "暂停供气 withheld"),
]
"""What a list of bookings can be narrowed to: the word in the address, and what it is called."""


def failure(code: str) -> Said:
    return FAILURE.get(code, ("原因未记", "no reason recorded"))


def of_day(second: int) -> str:
    """A second of the day as the clock shows it: 07:30."""
    return f"{second // 3600:02d}:{second % 3600 // 60:02d}"


def of_seconds(seconds: int) -> str:
    """1 h 05 min, as 1:05."""
    return f"{seconds // 3600}:{seconds % 3600 // 60:02d}"


def km(metres: int) -> str:
    return f"{metres / 1000:.1f} km"


def more_km(metres: int) -> str:
    """+1.2 km, or −0.4 km."""
    return f"{'−' if metres < 0 else '+'}{km(abs(metres))}"


def more_time(seconds: int) -> str:
    return f"{'−' if seconds < 0 else '+'}{of_seconds(abs(seconds))}"

"""What the courier's pages call things: states of a stop, groups of the check, why a visit failed."""

from core import clock
from dispatch.deliveries.models import DoorCode, FailureReason
from dispatch.orders.states import OrderState
from dispatch.rounds.states import RoundState
from dispatch.safety.models import Grade

Said = tuple[str, str, str]
"""Kind of tag, Chinese, English."""

ROUND: dict[RoundState, Said] = {
    RoundState.PLANNED: ("quiet", "待出车", "not started"),
    RoundState.STARTED: ("warn", "配送中", "on the road"),
    RoundState.FINISHED: ("good", "已收车", "finished"),
}
STOP: dict[OrderState, Said] = {
    OrderState.BOOKED: ("quiet", "未装车", "not loaded"),
    OrderState.LOADED: ("warn", "待送", "to deliver"),
    OrderState.DELIVERED: ("good", "已送到", "delivered"),
    OrderState.PARTLY_DELIVERED: ("warn", "部分送到", "partly delivered"),
    OrderState.WITHHELD: ("bad", "不予供气", "withheld"),
    OrderState.FAILED: ("bad", "没送成", "not delivered"),
    OrderState.CANCELLED: ("quiet", "已取消", "cancelled"),
}
FAILURE: dict[FailureReason, tuple[str, str]] = {
    FailureReason.NOBODY_HOME: ("没人在家", "nobody home"),
    FailureReason.REFUSED_BY_USER: ("住户不要了", "the household does not want it"),
    FailureReason.WRONG_ADDRESS: ("地址不对", "wrong address"),
    FailureReason.NO_ACCESS: ("进不去", "no way in"),
    FailureReason.VEHICLE_TROUBLE: ("车坏了", "trouble with the vehicle"),
    FailureReason.OUT_OF_TIME: ("来不及了", "out of time"),
    FailureReason.NO_BOTTLE: ("没有瓶", "no bottle"),
}
GROUP: dict[str, tuple[str, str]] = {
    "cylinder": ("气瓶", "Cylinder"),
    "regulator": ("调压阀", "Regulator"),
    "hose": ("软管", "Hose"),
    "appliance": ("灶具", "Appliance"),
    "place": ("房间", "Room"),
    "water_heater": ("热水器", "Water heater"),
    "alarm": ("报警与切断", "Alarm and shut-off"),
    "leak_test": ("检漏", "Leak test"),
}
GRADE: dict[Grade, tuple[str, str]] = {
    Grade.GENERAL: ("一般", "general"),
    Grade.SERIOUS: ("较重", "serious"),
    Grade.MAJOR: ("重大", "major"),
}


def size(model: str) -> str:
    """YSP35.5 → 35.5 L: the size as it is called on the road."""
    litres = model.removeprefix("YSP")
    return f"{litres} L" if litres != model else model


def minutes_left(code: DoorCode) -> int:
    return max(0, -(-int((code.expires_at - clock.now()).total_seconds()) // 60))

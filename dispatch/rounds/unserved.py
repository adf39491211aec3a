"""Why a stop is not in the plan, in words a dispatcher can act on. The codes are routing's own."""

from dataclasses import dataclass

from routing import Reason


@dataclass(frozen=True, slots=True)
class Words:
    zh: str
    en: str


WORDS: dict[Reason, Words] = {
    Reason.NO_VEHICLE_CAN_CARRY: Words(
        "没有车能装：规格不允许，或一单超过车的装载量",
        "no vehicle may carry it: its size is not allowed, or the order exceeds every vehicle's load",
    ),
    Reason.UNREACHABLE: Words("没有路可以到达或返回", "there is no way there, or none back"),
    Reason.NO_CREW_AT_THAT_TIME: Words(
        "预约时段内没有能送这一单的班组当班", "no crew that could serve it is on duty in its slot"
    ),
    Reason.WINDOW_UNREACHABLE: Words(
        "单独去也赶不上预约时段", "even driven alone it is reached after its slot has closed"
    ),
    Reason.BEYOND_SHIFT: Words(
        "单独去也赶不及收班前回站", "even driven alone the vehicle is not back before the shift ends"
    ),
    Reason.NO_CAPACITY_LEFT: Words(
        "车次和时间已排满，这一单排不进", "trips and time are full: there is no place left for it"
    ),
    Reason.PENALTY_BELOW_TRAVEL: Words(
        "绕路太远，不值得在这一波次送", "the detour costs more than leaving it to another wave"
    ),
}

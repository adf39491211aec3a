"""What the pages of what fixed zones cost call the words of the code: Chinese, English."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from core.jobs import Fault
from web.dispatcher_words import FAULT as OF_PLANS
from web.dispatcher_words import JOB, Said, km, more_km, more_time, of_seconds

__all__ = ["FAULT", "JOB", "NOTE", "STEP", "sides"]

STEP: dict[str | None, Said] = {
    None: ("等着开始", "waiting to begin"),
    "collecting": ("正在取订单和人车", "collecting orders and crews"),
    "solving": ("正在两边各排一遍", "planning it both ways"),
}

FAULT: dict[Fault, Said] = OF_PLANS | {
    Fault.BUSY: (
        "没有算出来。请再算一次；方案和片区不受影响。",
        "The solver did not finish. Ask again; plans and zones stay as they are.",
    )
}

NOTE: dict[str, Said] = {
    "without_compiled_search": (
        "缺少编译好的搜索程序，两边都排得不够好",
        "the compiled search is missing: both sides are worse than need be",
    ),
    "travel_times_fell_back": (
        "道路时间取不到，按直线距离乘系数估算",
        "street times could not be had: great circles times a factor",
    ),
    "not_proved": (
        "有的部分没有经第二个求解器复核，只由独立核验程序核过",
        "parts were not accepted by the second solver; the independent check holds for all",
    ),
}


class Line(NamedTuple):
    """One figure of both sides, and what free crews would make of it. ``is_better``: less of it."""

    zh: str
    en: str
    fixed: str
    free: str
    more: str
    is_better: bool


def sides(fixed: Mapping[str, int], free: Mapping[str, int]) -> Iterator[Line]:
    for name, zh, en in (
        ("unserved", "送不了（单）", "Left out (orders)"),
        ("distance_m", "里程", "Distance"),
        ("travel_s", "行车（时:分）", "Driving (h:min)"),
        ("late_s", "晚到合计（时:分）", "Late in all (h:min)"),
        ("vehicles", "出车（辆）", "Vehicles used"),
        ("trips", "趟", "Trips"),
    ):
        before, after = fixed[name], free[name]
        more = after - before
        yield Line(zh, en, _said(name, before), _said(name, after), _more(name, more), more < 0)


def _said(name: str, value: int) -> str:
    if name == "distance_m":
        return km(value)
    return of_seconds(value) if name.endswith("_s") else str(value)


def _more(name: str, more: int) -> str:
    if name == "distance_m":
        return more_km(more)
    if name.endswith("_s"):
        return more_time(more)
    return f"{'−' if more < 0 else '+'}{abs(more)}"

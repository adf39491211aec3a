"""What the pages of zones call the words of the code: Chinese, English."""

import re

from core.geo import Datum
from core.jobs import Fault
from dispatch.rounds.zoning import UnitKind, WeighBy
from web.dispatcher_words import FAULT as OF_PLANS
from web.dispatcher_words import JOB, Said

__all__ = ["DATUM", "FAULT", "JOB", "STEP", "UNIT", "WEIGH", "where"]

DATUM: dict[Datum, str] = {
    Datum.WGS84: "WGS-84（卫星定位）",
    Datum.CGCS2000: "CGCS2000（天地图、测绘图）",
    Datum.GCJ02: "GCJ-02（高德、腾讯）",
    Datum.BD09: "BD-09（百度）",
}

UNIT: dict[UnitKind, str] = {
    UnitKind.CELLS: "方格 cells",
    UnitKind.COMMITTEES: "居（村）委会 committees",
}

WEIGH: dict[WeighBy, str] = {
    WeighBy.ORDERS: "上月订单 last month's orders",
    WeighBy.HOMES: "用户数 homes",
}

STEP: dict[str | None, Said] = {
    None: ("等着开始", "waiting to begin"),
    "collecting": ("正在数订单和用户", "counting orders and homes"),
    "solving": ("正在划分", "dividing"),
}

FAULT: dict[Fault, Said] = OF_PLANS | {
    Fault.BUSY: (
        "划分程序没有算出来。请再提一次；现行范围不受影响。",
        "The solver did not finish. Ask again; the zones in force stay as they are.",
    )
}

_IN_FEATURE = re.compile(r"/collection/features/([0-9]+)(?:/|$)")


def where(pointer: str) -> Said | None:
    """Which zone of the file a fault is in."""
    found = _IN_FEATURE.match(pointer)
    return (
        (f"文件里第 {int(found[1]) + 1} 个片区", f"zone {int(found[1]) + 1} of the file") if found else None
    )

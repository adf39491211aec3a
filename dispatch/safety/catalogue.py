"""What is looked at in every household: the items of a safety check (安检), and what the law says of each.

An item's words and unit stand here. Its grade, whether it stops supply, its limits and the days given to
mend it stand in the rulebook (``check.<item>.grade``, ``check.<item>.blocking``, …): numbers of law are
never code. What the rulebook cannot tell is taken at its strictest.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from core.refusal import Basis, in_chinese
from dispatch.safety.models import Grade
from rulebook.edition import Law


class Group(StrEnum):
    """Where in the room the item is looked at, in the order of a visit."""

    CYLINDER = "cylinder"
    REGULATOR = "regulator"
    HOSE = "hose"
    APPLIANCE = "appliance"
    PLACE = "place"
    WATER_HEATER = "water_heater"
    ALARM = "alarm"
    LEAK_TEST = "leak_test"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to look at. ``mandatory``: answered in every check, and never "not applicable".

    ``unit``: what is measured ("mm"), or None where looking is enough. A measured item that passes or
    fails states its measure.
    """

    code: str
    group: Group
    zh: str
    en: str
    mandatory: bool = True
    unit: str | None = None


ITEMS: dict[str, Item] = {
    item.code: item
    for item in (
        Item(
            "cylinder_tag",
            Group.CYLINDER,
            "标识、产权、检验日期清楚有效",
            "tag, owner and test date in order",
        ),
        Item("cylinder_sound", Group.CYLINDER, "瓶体无锈蚀变形，瓶阀完好", "no rust or dents, valve sound"),
        Item("cylinder_upright", Group.CYLINDER, "直立放置", "stands upright"),
        Item(
            "cylinder_unheated",
            Group.CYLINDER,
            "没有加热、倒残、瓶对瓶过气",
            "not heated, emptied or decanted",
        ),
        Item("burner_distance", Group.CYLINDER, "与灶具的距离", "distance to the burner", unit="mm"),
        Item("spares_apart", Group.CYLINDER, "在用瓶与备用瓶分开", "spares stand apart", mandatory=False),
        Item("cylinder_count", Group.CYLINDER, "存瓶不超过限量", "no more bottles than allowed"),
        Item("regulator_fixed", Group.REGULATOR, "不可调式调压阀", "the regulator cannot be adjusted"),
        Item("regulator_in_date", Group.REGULATOR, "调压阀在使用期内", "the regulator is in date"),
        Item("hose_material", Group.HOSE, "使用燃气专用软管", "a hose made for gas"),
        Item("hose_length", Group.HOSE, "软管长度", "length of the hose", unit="mm"),
        Item("hose_clamps", Group.HOSE, "两端管箍紧固", "clamped at both ends"),
        Item("hose_unaged", Group.HOSE, "软管无老化破损，在使用期内", "not aged or damaged, in date"),
        Item("hose_whole", Group.HOSE, "没有接头和三通", "no joint and no tee"),
        Item(
            "hose_in_sight",
            Group.HOSE,
            "不穿墙、门、窗、顶棚和地面",
            "not through wall, door, window or floor",
        ),
        Item(
            "flame_failure_device",
            Group.APPLIANCE,
            "灶具有熄火保护",
            "the burner cuts off when its flame dies",
        ),
        Item(
            "appliance_in_date", Group.APPLIANCE, "灶具适用液化气且在使用期内", "appliance for LPG, in date"
        ),
        Item(
            "room_allowed",
            Group.PLACE,
            "不在卧室、地下室、车库、用餐区",
            "no bedroom, basement, garage or dining area",
        ),
        Item("room_ventilated", Group.PLACE, "干燥，通风良好", "dry and well ventilated"),
        Item("single_fuel", Group.PLACE, "同室没有其他燃料和明火", "no other fuel or open flame in the room"),
        Item("no_combustibles", Group.PLACE, "周围没有可燃杂物", "nothing that burns stands near"),
        Item(
            "water_heater_flue",
            Group.WATER_HEATER,
            "热水器为强排并通到室外",
            "the water heater has a forced flue to the outside",
            mandatory=False,
        ),
        Item(
            "leak_alarm",
            Group.ALARM,
            "报警器适用液化气、在有效期内、能工作",
            "the alarm is for LPG, in date, and works",
            mandatory=False,
        ),
        Item(
            "emergency_shut_off",
            Group.ALARM,
            "紧急切断装置已安装、能动作",
            "the emergency shut-off is fitted and works",
            mandatory=False,
        ),
        Item("leak_test", Group.LEAK_TEST, "接口检漏无泄漏", "no leak at any joint"),
    )
}

in_chinese({item.code: item.zh for item in ITEMS.values()})

MANDATORY = frozenset(item.code for item in ITEMS.values() if item.mandatory)


@dataclass(frozen=True, slots=True)
class ItemLaw:
    """An item with what the law of a place says of it: its grade, its limits, the days to mend it."""

    item: Item
    ruling: "Ruling"
    deadline_days: int
    least: int | None
    most: int | None
    basis: Basis | None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The whole list as a checker reads it at a place on a day."""

    place: str
    day: date
    edition: str
    items: tuple[ItemLaw, ...]
    deadline_days: dict[str, int]
    stopping_grades: tuple[str, ...]
    follow_up_days: int


@dataclass(frozen=True, slots=True)
class Ruling:
    """What follows from a failed item: its grade, whether supply stops, and the last day to mend it."""

    grade: Grade
    blocking: bool
    deadline_on: date


def ruling(law: Law, item: str, raised_to: Grade | None = None) -> Ruling:
    """``raised_to``: the grade the checker gave. It never lowers the rulebook's."""
    grade = worse(default_grade(law, item), raised_to or Grade.GENERAL)
    blocking = law.flag(f"check.{item}.blocking") is not False or grade in stopping_grades(law)
    return Ruling(grade, blocking, law.day + timedelta(days=_deadline_days(law, grade)))


def _deadline_days(law: Law, grade: Grade) -> int:
    return law.integer(f"check.deadline_days.{grade.value}") or 0


def catalogue_at(law: Law) -> Catalogue:
    """Every item with its law, in the order of a visit."""
    return Catalogue(
        place=law.place,
        day=law.day,
        edition=law.edition.digest,
        items=tuple(_item_law(law, item) for item in ITEMS.values()),
        deadline_days={grade.value: _deadline_days(law, grade) for grade in Grade},
        stopping_grades=stopping_grades(law),
        follow_up_days=law.integer("check.follow_up_days") or 0,
    )


def _item_law(law: Law, item: Item) -> ItemLaw:
    ruled = ruling(law, item.code)
    days = (ruled.deadline_on - law.day).days
    return ItemLaw(item, ruled, days, *limits(law, item.code), item_basis(law, item.code))


def default_grade(law: Law, item: str) -> Grade:
    rule = law.edition.look(f"check.{item}.grade", law.place, law.day)
    return Grade(str(rule.value)) if rule is not None else Grade.MAJOR


def stopping_grades(law: Law) -> tuple[str, ...]:
    """The grades that stop the next booking (rule P12), so that door and desk say the same."""
    return law.words("P12.stopping_grades")


def breaks_limit(law: Law, item: str, measured: int) -> bool:
    """Is the measure outside the limits of this place? At the limit is inside."""
    least, most = limits(law, item)
    return (least is not None and measured < least) or (most is not None and measured > most)


def limits(law: Law, item: str) -> tuple[int | None, int | None]:
    """The least and the most this place allows, in the item's unit; None where it sets none."""
    least = law.edition.look(f"check.{item}.min_mm", law.place, law.day)
    most = law.edition.look(f"check.{item}.max_mm", law.place, law.day)
    return (
        _millimetres(least.value) if least is not None else None,
        _millimetres(most.value) if most is not None else None,
    )


def item_basis(law: Law, item: str) -> Basis | None:
    """Where it stands that this item is looked at: the entry that binds here, or the check's own rule."""
    return law.basis(f"check.{item}.blocking") or law.basis("check")


def worse(one: Grade, other: Grade) -> Grade:
    """The graver of two grades; they are listed mildest first."""
    return max(one, other, key=list(Grade).index)


def _millimetres(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"expected a limit in millimetres, the rulebook has {value!r}")
    return value

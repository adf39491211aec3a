"""How values are written on pages: times, days, codes, amounts. Shanghai time, Chinese first."""

from datetime import date, datetime
from typing import Any

from core import clock

WEEKDAYS = "一二三四五六日"


def hms(instant: datetime) -> str:
    """09:05:30"""
    return f"{instant.astimezone(clock.SHANGHAI):%H:%M:%S}"


def hm(instant: datetime) -> str:
    """09:05"""
    return f"{instant.astimezone(clock.SHANGHAI):%H:%M}"


def day_zh(day: date | datetime) -> str:
    """2024年6月12日 星期三"""
    on = clock.day_of(day) if isinstance(day, datetime) else day
    return f"{on.year}年{on.month}月{on.day}日 星期{WEEKDAYS[on.weekday()]}"


def day_plain(day: date) -> str:
    """2024年6月12日"""
    return f"{day.year}年{day.month}月{day.day}日"


def day_short(day: date | datetime) -> str:
    """6月12日"""
    on = clock.day_of(day) if isinstance(day, datetime) else day
    return f"{on.month}月{on.day}日"


def at_zh(instant: datetime) -> str:
    """2024-06-12 09:05"""
    return f"{instant.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}"


def iso(value: date | datetime) -> str:
    """For the datetime attribute of <time>."""
    return clock.stamp(value) if isinstance(value, datetime) else value.isoformat()


def in_fours(code: Any) -> str:
    """A code as it is read out: in groups of four, with narrow spaces that do not break."""
    text = str(code)
    return "\u202f".join(text[at : at + 4] for at in range(0, len(text), 4))


def kg(grams: int | None) -> str:
    """14.5 kg"""
    return "—" if grams is None else f"{grams / 1000:.1f} kg"


def short_id(identity: Any) -> str:
    """The last eight of an id: enough to tell two apart on a page."""
    return str(identity)[-8:]


def demo_day() -> str:
    return at_zh(clock.now())


FILTERS = {
    "hm": hm,
    "hms": hms,
    "day_zh": day_zh,
    "day_plain": day_plain,
    "day_short": day_short,
    "at_zh": at_zh,
    "iso": iso,
    "in_fours": in_fours,
    "kg": kg,
    "short_id": short_id,
}

"""The one clock. Nothing else in the program asks what time it is.

Business days are days in Asia/Shanghai. The source can be replaced, by tests and by the demo only.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def _system() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system


def now() -> datetime:
    """This instant, UTC, timezone-aware."""
    return _source()


def day_of(instant: datetime) -> date:
    """The Shanghai day on which ``instant`` falls."""
    if instant.tzinfo is None:
        raise ValueError("expected an instant with an offset, got a naive time")
    return instant.astimezone(SHANGHAI).date()


def today() -> date:
    return day_of(now())


def at(day: date, clock_time: time = time()) -> datetime:
    """``clock_time`` on ``day`` in Shanghai."""
    return datetime.combine(day, clock_time, SHANGHAI)


def stamp(instant: datetime) -> str:
    """RFC 3339 in Shanghai time with milliseconds: the one way instants are written."""
    return instant.astimezone(SHANGHAI).isoformat(timespec="milliseconds")


def set_source(source: Callable[[], datetime] | None) -> None:
    """Replace the source of time for this process; None gives the system's back."""
    global _source
    _source = source or _system


@contextmanager
def standing_at(instant: datetime) -> Iterator[None]:
    """Tests: time stands still at ``instant``."""
    before = _source
    set_source(lambda: instant)
    try:
        yield
    finally:
        set_source(before)


def shifted(offset: timedelta) -> Callable[[], datetime]:
    """A source that runs as the system's does, ``offset`` away from it (the demo's)."""
    return lambda: _system() + offset

"""A way out that fails several times in a row is left alone, each time longer.

After a rest one thing is tried: it works and all goes on as before, or the next rest begins.
"""

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

MOST_IN_A_ROW = 5
FIRST_REST_S, LONGEST_REST_S = 2, 64


@dataclass(slots=True)
class Breaker:
    """Of one way out, in one process; asked and told by several threads."""

    in_a_row: int = 0
    rests_until: datetime | None = None
    is_stopped: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def may_try(self, now: datetime, wanted: int) -> int:
        """How many of those wanted may be tried at ``now``."""
        until = self.rests_until  # read once: another thread may tell meanwhile
        if self._rests(until, now):
            return 0
        return min(wanted, 1) if until is not None else wanted

    def rests(self, now: datetime) -> bool:
        return self._rests(self.rests_until, now)

    def _rests(self, until: datetime | None, now: datetime) -> bool:
        return self.is_stopped or (until is not None and now < until)

    def stop(self) -> None:
        """Whoever sends is about to end: nothing more is begun."""
        self.is_stopped = True

    def worked(self) -> None:
        with self._lock:
            self.in_a_row, self.rests_until = 0, None

    def failed(self, now: datetime) -> None:
        """What was under way when the rest began does not make it longer."""
        with self._lock:
            if self.rests(now):
                return
            self.in_a_row += 1
            beyond = self.in_a_row - MOST_IN_A_ROW
            if beyond >= 0:
                rest_s = min(FIRST_REST_S * 2 ** min(beyond, 10), LONGEST_REST_S)
                self.rests_until = now + timedelta(seconds=rest_s)

"""What is due next. The day's stories put things on it; whoever is due first does it, as the clock goes."""

import heapq
from collections.abc import Callable
from datetime import datetime, time
from itertools import count

from core import clock
from sample.firms import DEMO_DAY
from sample.scene import Scene


class Agenda:
    """Two things due at once happen in the order in which they were put down."""

    def __init__(self, scene: Scene):
        self._scene = scene
        self._due: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = count()

    def at(self, instant: datetime, do: Callable[[], None]) -> None:
        heapq.heappush(self._due, (instant, next(self._numbers), do))

    def at_hour(self, hour: int, minute: int, do: Callable[[], None]) -> None:
        self.at(clock.at(DEMO_DAY, time(hour, minute)), do)

    def run(self) -> None:
        """Until nothing is due any more; what is done may put down more."""
        while self._due:
            instant, _, do = heapq.heappop(self._due)
            self._scene.stage.wait_until(instant)
            do()

"""What somebody sees while the demo works: a moving line on a terminal, one line a part elsewhere."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status


class Watch:
    """``told`` is called for everything done; ``seconds`` says how long each part took."""

    def __init__(self, console: Console):
        self.console = console
        self.seconds: dict[str, float] = {}
        self._counts: Counter[str] = Counter()
        self._status: Status | None = None
        self._part = ""

    @contextmanager
    def part(self, zh: str, en: str) -> Iterator[None]:
        self._counts.clear()
        self._part = f"{zh} / {en}"
        began = time.monotonic()
        if self.console.is_terminal:
            with self.console.status(self._part) as self._status:
                yield
            self._status = None
        else:
            self.console.print(f"{self._part} …", soft_wrap=True, highlight=False)
            yield
        took = self.seconds[en] = time.monotonic() - began
        told = ", ".join(f"{number} {what}" for what, number in self._counts.items())
        self.console.print(
            f"{self._part}: {took:.1f} s{'; ' + told if told else ''}", soft_wrap=True, highlight=False
        )

    def told(self, what: str, number: int) -> None:
        self._counts[what] += number
        if self._status is not None:
            self._status.update(f"{self._part}: {what} {self._counts[what]}")

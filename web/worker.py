"""The worker: hands out what the outbox holds and runs the jobs that were asked for.

``./lpg run`` keeps one running beside the serving processes; it ends with whoever started it. Where it is
killed in the middle, what it was doing is due again: a delivery once its lease ran out, a job in seconds.
"""

import ctypes
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from datetime import time as time_of_day

import structlog

from core import clock, config, demo_clock, jobs, logs, messages, outbox
from core.breaker import Breaker
from core.config import CHECKOUT
from core.ground import Ground
from cylinders import notices, sightings
from dispatch.rounds import road_watch
from dispatch.safety import equipment_due
from web import retention
from web.opening import worker_ground

log = structlog.get_logger()

OUTBOX_EVERY_S = 1.0
FORGET_EVERY_TURNS = 3600
AGAIN_AFTER_S = 2.0
STOPPED_WITHIN_S = 10
LOOK_EVERY_S = 30.0
NOTICES_FROM = time_of_day(9)
"""In Shanghai: nobody is woken by a message that can wait."""
LOOK_BACK = timedelta(minutes=2)
FIRST_LOOK_BACK = timedelta(days=1)
_PR_SET_PDEATHSIG = 1


def main() -> None:
    # never outlives the process that started it, however that process ended
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(sys.argv[1]):
        sys.exit("the process that started this worker is gone")
    settings = config.read()
    logs.configure()
    logs.take_over()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(settings.log_level))
    run(worker_ground(settings))


def run(ground: Ground) -> None:
    """For ever: the outbox in a thread of its own, jobs here, until told to stop."""
    import app  # the rooms bring their handlers and take on their jobs; whoever serves needs none of them

    assert app.ROOMS
    if ground.config.demo_clock:
        demo_clock.follow(ground.sessions)
    channels = Channels(ground)
    threading.Thread(target=_hand_out, args=(ground, channels), name="outbox", daemon=True).start()
    threading.Thread(target=_keep_watch, args=(ground,), name="watch", daemon=True).start()
    jobs.work(ground)
    channels.stop()


def _hand_out(ground: Ground, channels: "Channels") -> None:
    """Deliver what is due, for ever. Its commits are outbox delivery's own, by name."""
    pause = threading.Event()
    for turn in itertools.count():
        if pause.wait(OUTBOX_EVERY_S):
            return
        try:
            if ground.config.demo_clock:
                demo_clock.follow(ground.sessions)
            channels.set_out()
            if turn % FORGET_EVERY_TURNS == 0:
                forget(ground)
        except Exception:
            log.exception("outbox.stopped_for_now")


class Channels:
    """A thread for each channel of the outbox that has something due: one that waits holds up no other."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._breakers = outbox.Breakers(Breaker)
        self._at_work: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()
        self._is_stopped = False

    def set_out(self) -> None:
        for channel, districts in outbox.due_by_channel(self._ground).items():
            with self._lock:
                before = self._at_work.get(channel)
                if not self._is_stopped and (before is None or not before.is_alive()):
                    self._at_work[channel] = self._set_out(channel, districts)

    def _set_out(self, channel: str, districts: list[int]) -> threading.Thread:
        found = (channel, districts, self._breakers[channel])
        thread = threading.Thread(target=self._hand_out, args=found, name=f"outbox {channel}", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """What is under way has the time that one message takes; what has not begun is given back."""
        with self._lock:
            self._is_stopped = True
            at_work = list(self._at_work.items())
        for channel, _ in at_work:
            self._breakers[channel].stop()
        until = time.monotonic() + messages.LONGEST.total_seconds()
        for _, thread in at_work:
            thread.join(max(until - time.monotonic(), 0))

    def _hand_out(self, channel: str, districts: list[int], breaker: Breaker) -> None:
        try:
            for district in districts:
                outbox.deliver_channel(self._ground, district, channel, breaker)
        except Exception:
            log.exception("outbox.stopped_for_now", channel=channel)


def _keep_watch(ground: Ground) -> None:
    """Each morning what comes due, of bottles and hoses; all day long the road, and ended bottles."""
    pause = threading.Event()
    told_on, back, road = None, FIRST_LOOK_BACK, road_watch.Watch()
    while not pause.wait(LOOK_EVERY_S):
        try:
            told_on = watch(ground, told_on, back, road)
            back = LOOK_BACK
        except Exception:
            log.exception("watch.stopped_for_now")


def watch(
    ground: Ground, told_on: date | None, back: timedelta, road: road_watch.Watch | None = None
) -> date | None:
    """One look; the day whose notices were asked for. Looking twice asks for the same job."""
    now = clock.now()
    sightings.sweep(ground, now - back)
    road_watch.sweep(ground, road)
    today = clock.day_of(now)
    if told_on != today and now >= clock.at(today, NOTICES_FROM):
        notices.ask_all(ground, today)
        equipment_due.ask_all(ground, today)
        log.info("due.asked", day=today.isoformat())
        return today
    return told_on


def forget(ground: Ground) -> None:
    """What is over its term goes (web/retention.py); looked at every hour, due by the day."""
    retention.retain(ground)


# --- for whoever serves -----------------------------------------------------------------------------------


@contextmanager
def kept_running() -> Iterator[None]:
    """A worker process beside this block; one that dies is started again."""
    keeper = _Keeper()
    keeper.start()
    try:
        yield
    finally:
        keeper.stop()


class _Keeper(threading.Thread):
    """Starts the worker and waits for its end: a child is told of the death of the thread that made it."""

    def __init__(self) -> None:
        super().__init__(name="keeper", daemon=True)
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        while (child := self._begin()) is not None:
            code = child.wait()
            if not self._stopping.is_set():
                log.error("worker.ended", code=code)
            self._stopping.wait(AGAIN_AFTER_S)

    def _begin(self) -> "subprocess.Popen[bytes] | None":
        with self._lock:
            if self._stopping.is_set():
                return None
            self._child = subprocess.Popen(
                [sys.executable, "-m", "web.worker", str(os.getpid())],
                stdin=subprocess.DEVNULL,
                cwd=CHECKOUT,
                start_new_session=True,  # Ctrl-C is for whoever serves, who then ends the worker
            )
            return self._child

    def stop(self) -> None:
        with self._lock:
            self._stopping.set()
        if self._child is not None:
            self._child.terminate()
            try:
                self._child.wait(STOPPED_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._child.kill()
        self.join()


if __name__ == "__main__":
    main()

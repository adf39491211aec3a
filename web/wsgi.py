"""What a serving worker runs: the application, and beside it the outbox."""

import ctypes
import signal
import threading

import structlog
from flask import Flask

import app as application
from core import config, demo_clock, outbox
from core.ground import Ground
from web.opening import worker_ground

log = structlog.get_logger()
OUTBOX_EVERY_S = 1.0
_PR_SET_PDEATHSIG = 1


def make() -> Flask:
    """Granian's factory, called once in each worker."""
    # while it loads, a worker still has its parent's handler of SIGTERM, which would swallow a stop
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # a worker never outlives the process that started it, however that process ended
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    settings = config.read()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(settings.log_level))
    ground = worker_ground(settings)
    made = application.create_app(ground)
    if settings.demo_clock:
        made.before_request(lambda: demo_clock.follow(ground.sessions))
        demo_clock.follow(ground.sessions)
    threading.Thread(target=_hand_out, args=(ground,), name="outbox", daemon=True).start()
    return made


def _hand_out(ground: Ground) -> None:
    """Deliver what is due, for ever. Its commits are outbox delivery's own, by name."""
    pause = threading.Event()
    while not pause.wait(OUTBOX_EVERY_S):
        try:
            if ground.config.demo_clock:
                demo_clock.follow(ground.sessions)
            for district in outbox.districts_due(ground):
                outbox.deliver_due(ground, district)
        except Exception:
            log.exception("outbox.stopped_for_now")

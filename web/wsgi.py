"""What a serving process runs: the application. Outbox and jobs are the worker's (web/worker.py)."""

import ctypes
import signal

import structlog
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

import app as application
from core import config, demo_clock, logs
from web.opening import worker_ground

_PR_SET_PDEATHSIG = 1


def make() -> Flask:
    """Granian's factory, called once in each worker."""
    # while it loads, a worker still has its parent's handler of SIGTERM, which would swallow a stop
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # a worker never outlives the process that started it, however that process ended
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    settings = config.read()
    logs.take_over()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(settings.log_level))
    ground = worker_ground(settings)
    made = application.create_app(ground)
    if settings.demo_clock:
        made.before_request(lambda: demo_clock.follow(ground.sessions))
        demo_clock.follow(ground.sessions)
    return behind(made, settings.proxies)


def behind(made: Flask, proxies: int) -> Flask:
    """Take the asker's address from that many proxies of ours, and from no one else's header.

    Without it all who come through a proxy would share its address, and with it their tries at signing in.
    """
    if proxies:
        made.wsgi_app = ProxyFix(made.wsgi_app, x_for=proxies, x_proto=proxies)  # type: ignore[method-assign]
    return made

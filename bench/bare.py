"""A Flask application of one route and nothing else: what the framework and the server take by themselves."""

import sys

from flask import Flask
from granian.constants import Interfaces
from granian.server import Server


def make() -> Flask:
    app = Flask(__name__, static_folder=None)
    app.add_url_rule("/healthz", "healthz", lambda: {"ok": True})
    return app


def main(port: int, workers: int, threads: int) -> None:
    """The same server in the same way as ``web/serve.py`` has it."""
    Server(
        "bench.bare:make",
        factory=True,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        websockets=False,
        log_access=False,
        log_enabled=False,
    ).serve()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

"""The product as it is served, with one route more: a bare read of one row, by the same server and pool.

The clock runs on the stand's own day, after all that was built there.
"""

import sys
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask, jsonify
from granian.constants import Interfaces
from granian.server import Server

from bench.stand import BEGINS_AT
from core import clock
from core.db import table_of
from core.http import ground
from cylinders.models import CylinderIdentifier, Scheme
from web import wsgi

BARE = "/bare"
LATER = timedelta(hours=3)
_codes = table_of(CylinderIdentifier)
_ONE_ROW = sa.select(_codes.c.cylinder_id).where(
    _codes.c.scheme == sa.bindparam("scheme", type_=_codes.c.scheme.type),
    _codes.c.value == sa.bindparam("value"),
)


def make() -> Flask:
    clock.set_source(clock.shifted(BEGINS_AT + LATER - clock.now()))
    made = wsgi.make()
    made.add_url_rule(f"{BARE}/<code>", "bare_read", _read)
    return made


def _read(code: str) -> Any:
    with ground().reads() as db:
        found = db.scalar(_ONE_ROW, {"scheme": Scheme.PLATFORM, "value": code})
    return jsonify(cylinder_id=str(found))


def main(port: int, workers: int, threads: int) -> None:
    """The same server in the same way as ``web/serve.py`` has it."""
    Server(
        "bench.bare_read:make",
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

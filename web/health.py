"""``/healthz``: whether this process can do its work. Says no secrets and needs no token."""

import shutil

import sqlalchemy as sa
from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from core import clock
from core.http import ground

room = Blueprint("health", __name__)

DISK_FLOOR_BYTES = 256 * 1024 * 1024


@room.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Whether the database answers and the disk has room: 200, or 503."""
    checks = {"database": _database_answers(), "disk": _disk_has_room()}
    well = all(checks.values())
    return jsonify(ok=well, checks=checks, at=clock.stamp(clock.now())), 200 if well else 503


def _database_answers() -> bool:
    try:
        with ground().sessions() as db:
            return db.scalar(sa.select(1)) == 1
    except SQLAlchemyError:
        return False


def _disk_has_room() -> bool:
    folder = ground().config.state_dir
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free > DISK_FLOOR_BYTES

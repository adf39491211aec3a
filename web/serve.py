"""./lpg run: serve the application on loopback (or where LPG_BIND_HOST says).

Starts the embedded PostgreSQL unless LPG_DATABASE_URL is set, migrates, makes the keys on first use.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from granian.constants import Interfaces
from granian.server import Server

from core import config, metrics
from core.config import Config, WrongSetting
from core.postgres import NotStarted
from core.sealed import KeyringError
from web.opening import EMBEDDED_URL, Opened, opened
from web.worker import kept_running

STOPPED_WITHIN_S = 10


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="./lpg run",
        description=__doc__,
        epilog=config.settings_text(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args(argv)
    try:
        settings = config.read()
        with opened(settings) as house:
            print(f"serving on {settings.public_url} (Ctrl-C stops)", flush=True)
            serve(settings, house)
    except (WrongSetting, NotStarted, KeyringError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def serve(settings: Config, house: Opened) -> None:
    """Serve until told to stop: processes that answer, and the worker; each has its own connections."""
    if settings.database_url is None:
        os.environ[EMBEDDED_URL] = house.app_url
    if settings.metrics != "off":
        metrics.share_in(settings.state_dir / "metrics" / str(settings.bind_port))
    server = Server(
        "web.wsgi:make",
        factory=True,
        address=settings.bind_host,
        port=settings.bind_port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=settings.threads,
        websockets=False,
        log_access=False,
        log_enabled=settings.log_level == "debug",
        respawn_failed_workers=True,
        workers_kill_timeout=STOPPED_WITHIN_S,
    )
    with kept_running():
        server.serve()


if __name__ == "__main__":
    sys.exit(main())

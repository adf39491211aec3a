"""The demo's server: the product's own, on the database that the demo names. It ends with the demo.

Run by ``sample/stage.py`` as ``python -m sample.server PARENT``, with every setting in its environment.
"""

import ctypes
import os
import signal
import sys

from core import config
from web.opening import EMBEDDED_URL, Opened, worker_ground
from web.serve import serve

_PR_SET_PDEATHSIG = 1


def main() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(sys.argv[1]):
        sys.exit("the demo that started this server is gone")
    settings = config.read()
    url = os.environ[EMBEDDED_URL]
    serve(settings, Opened(worker_ground(settings), owner_url=url, app_url=url))


if __name__ == "__main__":
    main()

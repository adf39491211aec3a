"""A job is asked for and done by the worker meanwhile: the sample looks now and then until it has ended."""

import time
from typing import Any

from sample.client import Unexpected
from sample.scene import Scene

LOOKS, BETWEEN_LOOKS_S = 600, 0.1
ON_THEIR_WAY = ("asked", "running")


def waited_for(scene: Scene, who: str, path: str) -> Any:
    """A job that the worker does meanwhile, once it is done."""
    for _ in range(LOOKS):
        found = scene.read_here(who, path)
        if found["state"] not in ON_THEIR_WAY:
            break
        time.sleep(BETWEEN_LOOKS_S)
    if found["state"] != "done":
        raise Unexpected(f"{path}: expected it done, got {found}")
    return found

"""Someone about to do something: who, on what ground, from which request, under which key."""

from dataclasses import dataclass
from typing import Any

from core.auth import Actor
from core.ground import Ground


@dataclass(slots=True)
class Doing:
    """Passed by the routes to every service verb and query.

    ``district`` is where the deed files: the one in the address, else the actor's home. ``replayed`` is
    set by the deed when the key had already answered. ``credential``: the hash of the token or the session's
    secret that opened the door; what was confirmed again was confirmed under it.
    """

    ground: Ground
    actor: Actor
    district: int
    request_id: str
    key: str | None = None
    fingerprint: bytes = b""
    replayed: bool = False
    credential: bytes = b""
    beside: Any = None

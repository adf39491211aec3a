"""UUIDv7 (RFC 9562, 5.7): time-ordered ids made by the application, over our one clock.

The standard library has none before Python 3.14. Within a millisecond a 12-bit counter keeps the ids
of one process in the order they were made.
"""

import secrets
import threading
from uuid import UUID

from core import clock

_lock = threading.Lock()
_last_ms = 0
_counter = 0


def new_id() -> UUID:
    global _last_ms, _counter
    with _lock:
        ms = int(clock.now().timestamp() * 1000)
        if ms > _last_ms:
            _last_ms, _counter = ms, secrets.randbits(11)
        else:
            _counter += 1
            if _counter > 0xFFF:
                _last_ms, _counter = _last_ms + 1, 0
        value = _last_ms << 80 | 0x7 << 76 | _counter << 64 | 0b10 << 62 | secrets.randbits(62)
    return UUID(int=value)

"""UUIDv7 (RFC 9562, 5.7): time-ordered ids made by the application, over our one clock.

The standard library has none before Python 3.14. Within a millisecond a 12-bit counter keeps the ids
of one process in the order they were made.
"""

import os
import secrets
import threading
from collections.abc import Iterator
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


def new_ids_in_hex(count: int) -> Iterator[str]:
    """So many at once, in order, as 32 digits: the clock is read and chance is asked once for all of them."""
    global _last_ms, _counter
    with _lock:
        ms = int(clock.now().timestamp() * 1000)
        begin_ms, begin = (ms, 0) if ms > _last_ms else (_last_ms, _counter + 1)
        _last_ms, _counter = begin_ms + (begin + count - 1 >> 12), begin + count - 1 & 0xFFF
    chance = os.urandom(8 * count).hex()
    for number in range(count):
        ms, counter = begin_ms + (begin + number >> 12), begin + number & 0xFFF
        tail = chance[16 * number : 16 * number + 16]
        yield f"{ms:012x}7{counter:03x}{_VARIANT[tail[0]]}{tail[1:]}"


_VARIANT = {digit: "89ab"[value % 4] for value, digit in enumerate("0123456789abcdef")}

"""UUIDv7 (RFC 9562, 5.7): time-ordered ids made by the application, over our one clock.

The standard library has none before Python 3.14. Within a millisecond a 12-bit counter keeps the ids
of one process in the order they were made.
"""

import os
import secrets
import threading
from collections.abc import Iterator
from operator import add
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
    return map(add, _heads(begin_ms, begin, count), _tails(count))


_COUNTERS = [f"7{counter:03x}" for counter in range(0x1000)]


def _heads(ms: int, begin: int, count: int) -> Iterator[str]:
    """Millisecond and counter; after 4,096 of them the next millisecond is borrowed."""
    for first in range(0, begin + count, 0x1000):
        head = f"{ms + (first >> 12):012x}"
        for counter in _COUNTERS[max(begin - first, 0) : begin + count - first]:
            yield head + counter


def _tails(count: int) -> list[str]:
    """Chance with the variant's two bits, put in place in all of them at once."""
    chance = int.from_bytes(os.urandom(8 * count)) & int.from_bytes(b"\x3f".ljust(8, b"\xff") * count)
    digits = (chance | int.from_bytes(b"\x80".ljust(8, b"\x00") * count)).to_bytes(8 * count).hex()
    return [digits[at : at + 16] for at in range(0, 16 * count, 16)]

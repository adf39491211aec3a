"""When did it happen? A phone's word about time, judged once, at receipt. No database here.

    anchor     our own time, sealed with the phone's monotonic clock at that moment, given at each contact
    occurred   anchor + what the monotonic clock ran since, ± 2 s, while the phone was not restarted
    otherwise  the phone's wall clock, within [last anchor, receipt]; then all of that span is uncertain

A wall clock more than five minutes off is flagged. It is never put right in silence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from itsdangerous import BadSignature, URLSafeSerializer

from core import clock
from core.sealed import Keyring

DRIFT = timedelta(seconds=2)
MOST_SKEW = timedelta(minutes=5)

CLOCK_SKEW = "clock_skew"
CLOCK_AHEAD = "clock_ahead"
CLOCK_RAN_BACK = "clock_ran_back"
NO_ANCHOR = "no_anchor"
ANCHOR_NOT_OURS = "anchor_not_ours"


@dataclass(frozen=True, slots=True)
class Anchor:
    """Our time and the phone's monotonic clock at one moment."""

    device_id: UUID
    server_time: datetime
    nonce: str
    boot_id: str
    mono_ms: int


@dataclass(frozen=True, slots=True)
class Clocked:
    """When it happened, and between which instants it must have. ``flags``: what was wrong with the clock."""

    occurred_at: datetime
    earliest: datetime
    latest: datetime
    flags: tuple[str, ...]

    @property
    def uncertainty_s(self) -> int:
        """The farther end, in whole seconds, rounded up."""
        farther = max(self.occurred_at - self.earliest, self.latest - self.occurred_at)
        return -(-farther // timedelta(seconds=1))


def clocked(
    *,
    wall_time: datetime,
    boot_id: str,
    mono_ms: int,
    anchor: Anchor | None,
    since: datetime,
    received_at: datetime,
) -> Clocked:
    """``since``: when the device was entered; without any anchor nothing happened before."""
    if anchor is not None and anchor.boot_id == boot_id:
        if mono_ms >= anchor.mono_ms:
            return _by_anchor(anchor, mono_ms, wall_time, received_at)
        return _by_wall(wall_time, anchor.server_time, received_at, CLOCK_RAN_BACK)
    if anchor is not None:
        return _by_wall(wall_time, anchor.server_time, received_at)
    return _by_wall(wall_time, since, received_at, NO_ANCHOR)


def _by_anchor(anchor: Anchor, mono_ms: int, wall_time: datetime, received_at: datetime) -> Clocked:
    ran = timedelta(milliseconds=min(mono_ms - anchor.mono_ms, 10**12))
    told = anchor.server_time + ran
    at = min(told, received_at)
    earliest, latest = at - DRIFT, at + DRIFT
    flags: tuple[str, ...] = ()
    if told > received_at + DRIFT:
        # this clock is proven wrong: all it says is that it was after the anchor
        flags, earliest = (CLOCK_AHEAD,), anchor.server_time
    if abs(wall_time - at) > MOST_SKEW:
        # a clock that stands still while the phone sleeps is late; the wall clock may be the right one
        flags, latest = (*flags, CLOCK_SKEW), max(latest, wall_time)
    return Clocked(at, min(earliest, at), min(latest, received_at), flags)


def _by_wall(wall_time: datetime, earliest: datetime, received_at: datetime, *flags: str) -> Clocked:
    earliest = min(earliest, received_at)
    at = min(max(wall_time, earliest), received_at)
    if abs(wall_time - at) > MOST_SKEW:
        flags += (CLOCK_SKEW,)
    return Clocked(at, earliest, received_at, flags)


# --------------------------------------------------------------------------------------------------------
# Anchors


def give_anchor(
    keyring: Keyring, device_id: UUID, *, nonce: str, boot_id: str, mono_ms: int
) -> tuple[str, Anchor]:
    """Our time now, sealed so that the phone can bring it back and not change it."""
    now = clock.now()
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    anchor = Anchor(device_id, now, nonce, boot_id, mono_ms)
    return _seals(keyring).dumps([str(device_id), clock.stamp(now), nonce, boot_id, mono_ms]), anchor


def read_anchor(keyring: Keyring, device_id: UUID, text: str) -> Anchor | None:
    """None for what we did not seal, or sealed for another device."""
    try:
        told, at, nonce, boot_id, mono_ms = _seals(keyring).loads(text)
        found = Anchor(UUID(told), datetime.fromisoformat(at), nonce, boot_id, mono_ms)
    except (BadSignature, ValueError, TypeError):
        return None
    return found if found.device_id == device_id else None


def anchor_view(sealed: str, anchor: Anchor) -> Mapping[str, Any]:
    return {"anchor": sealed, "server_time": anchor.server_time, "nonce": anchor.nonce}


def _seals(keyring: Keyring) -> URLSafeSerializer:
    """Sealed with the current key, read with every key still in the ring."""
    keys = [bytes(keyring.signing.by_version[version]) for version in reversed(keyring.signing.versions)]
    return URLSafeSerializer(keys, salt="device-time-anchor/v1")

"""The device inbox: what phones signed comes in, late, twice, out of order, and nothing of it is lost.

Each string of a batch is a deed of its own, keyed by the device and its sequence: the same string again gets
the first answer, another string for the same place is kept aside and raises an alarm. A crash in the middle
loses nothing: what was committed is answered as a repeat, the rest is sent again.

The law refuses nothing here. What a gate would have said stands in the answer's ``codes``.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from core.doing import Doing
from core.problems import Busy
from core.refusal import Refused
from cylinders.acts import StartOver
from dispatch.deliveries.attribution import attributed
from dispatch.deliveries.late import Scene, happen
from dispatch.deliveries.signed import Sent, previous_named, read
from evidence.deed import TRIES, Answer, Deed, does
from evidence.models import SubjectType
from registry.device_clock import ANCHOR_NOT_OURS, Clocked, clocked, read_anchor
from registry.devices import device_in_reach, locked, signed_by
from registry.models import AsideReason, Device, DeviceInbox, DeviceInboxAside, ScanStatus

log = structlog.get_logger()

FORKED = "device.forked"
LEFT_UNAPPLIED = "scan.not_applied"
CHAIN_BROKEN = "chain_broken"
NOT_UNDERSTOOD = "not_understood"
NOT_APPLIED = "not_applied"
MOST_MISSING = 200


@dataclass(frozen=True, slots=True)
class ItemAnswer:
    """``status``: "duplicate" for a repeat, else what ``first`` says; ``codes`` as first answered."""

    seq: int
    status: str
    first: ScanStatus
    codes: Sequence[str]
    occurred_at: datetime | None = None
    uncertainty_s: int | None = None
    entry_id: UUID | None = None


def take(doing: Doing, *, device_id: UUID, items: Sequence[dict[str, str]]) -> dict[str, Any]:
    """Every string in order, each with its answer; then how far the device's sequence is whole."""
    with doing.ground.sessions() as db:
        device = device_in_reach(db, doing.actor, doing.district, device_id)
    answers = [_take(doing, device, read(item["signed"], item["signature"])) for item in items]
    return {"items": answers, **_progress(doing, device_id)}


def _take(doing: Doing, device: Device, sent: Sent) -> ItemAnswer:
    """A race, with another batch of the same device or for what the string is about, makes it look again.

    A fault of our own in recording what happened loses nothing either, and keeps nothing behind it waiting:
    the string is kept as not applied, and somebody is told. Where it is the database that is away the phone
    sends again.
    """
    why = _why_aside(device, sent)
    for attempt in range(TRIES):
        with doing.ground.sessions() as db:
            standing = _standing(db, device, sent, why)
        if standing is not None:
            return standing
        try:
            if why is not None:
                _keep_aside(doing, device.id, sent, why)
            else:
                _keep(doing, device.id, sent)
        except (_KeptMeanwhile, StartOver):
            continue
        except Refused as refused:
            # No gate refuses here: a race that the database itself decided. The next look finds who won.
            if attempt < TRIES - 1:
                continue
            _keep(doing, device.id, sent, lost_to=[one.code for one in refused.refusals])
        except (Busy, OperationalError, InterfaceError):
            raise
        except Exception:
            log.exception("scan.not_applied", device_id=str(device.id), device_seq=sent.seq)
            _keep(doing, device.id, sent, lost_to=())
        with doing.ground.sessions() as db:
            first = _standing(db, device, sent, why)
        if first is not None:
            return _as_first(first)
    raise Busy


class _KeptMeanwhile(Exception):
    """Another request has just taken this place in the sequence: nothing was done here."""


# --- what stands ------------------------------------------------------------------------------------------


def _standing(db: Session, device: Device, sent: Sent, why: AsideReason | None) -> ItemAnswer | None:
    """The answer to this very string, if it is kept already."""
    kept = db.get(DeviceInbox, (device.district, device.id, sent.seq)) if sent.seq else None
    if kept is not None and kept.hash == sent.hash:
        return ItemAnswer(
            kept.device_seq,
            "duplicate",
            kept.status,
            kept.codes,
            kept.occurred_at,
            kept.uncertainty_s,
            kept.entry_id,
        )
    aside = db.get(DeviceInboxAside, (device.district, device.id, sent.seq, _hash_aside(sent, why)))
    if aside is None:
        return None
    status = ScanStatus.FLAGGED if aside.why is AsideReason.FORKED else ScanStatus.UNREADABLE
    return ItemAnswer(sent.seq, "duplicate", status, [aside.why.value], entry_id=aside.entry_id)


def _as_first(answer: ItemAnswer) -> ItemAnswer:
    return ItemAnswer(
        answer.seq,
        answer.first.value,
        answer.first,
        answer.codes,
        answer.occurred_at,
        answer.uncertainty_s,
        answer.entry_id,
    )


def _hash_aside(sent: Sent, why: AsideReason | None) -> bytes:
    """By what a string kept aside is known again. With a signature that is not the device's it is another
    thing than the same text well signed, which may yet come and must find its place."""
    if why is not AsideReason.BAD_SIGNATURE:
        return sent.hash
    return hashlib.sha256(sent.hash + _raw(sent.signature)).digest()


def _why_aside(device: Device, sent: Sent) -> AsideReason | None:
    """Why it can have no place in the sequence: whoever has not the key could fill places with nonsense."""
    if device.public_key is None or not signed_by(device.public_key, sent.signed, sent.signature):
        return AsideReason.BAD_SIGNATURE
    return AsideReason.NO_SEQUENCE if sent.seq == 0 else None


def _progress(doing: Doing, device_id: UUID) -> dict[str, Any]:
    """Up to where the sequence is whole, and which numbers before the last one have not come."""
    with doing.ground.sessions() as db:
        device = db.get_one(Device, (doing.district, device_id))
        later = db.scalars(
            sa.select(DeviceInbox.device_seq)
            .where(
                DeviceInbox.district == device.district,
                DeviceInbox.device_id == device.id,
                DeviceInbox.device_seq > device.contiguous_seq,
            )
            .order_by(DeviceInbox.device_seq)
        ).all()
    return {
        "contiguous_seq": device.contiguous_seq,
        "missing": _missing(device.contiguous_seq, later)[:MOST_MISSING],
    }


def _missing(whole_to: int, later: Iterable[int]) -> list[int]:
    """The numbers between those that are there; of a long gap no more than can be answered."""
    missing: list[int] = []
    expected = whole_to + 1
    for seq in later:
        missing += range(expected, min(seq, expected + MOST_MISSING))
        expected = seq + 1
    return missing


# --- keeping ----------------------------------------------------------------------------------------------


@does("scan.record")
def _keep(deed: Deed, device_id: UUID, sent: Sent, lost_to: Sequence[str] | None = None) -> Answer:
    """Take the string's place in the sequence and record what it says has happened, in one commit.

    ``lost_to``: codes of what kept it from being recorded; then the string alone is kept.
    """
    device = _device_of(deed, device_id, sent)
    standing = deed.db.get(DeviceInbox, (device.district, device.id, sent.seq))
    if standing is not None and standing.hash == sent.hash:
        raise _KeptMeanwhile
    if standing is not None:
        return _aside(deed, device, sent, AsideReason.FORKED)
    kept = _happened(deed, device, sent, lost_to) if sent.scan is not None else _not_understood(deed, sent)
    kept.district, kept.device_id, kept.device_seq = device.district, device.id, sent.seq
    deed.db.add(kept)
    _advance(deed.db, device, sent.seq)
    deed.note(status=kept.status, codes=kept.codes)
    return {"device_id": str(device.id), "device_seq": sent.seq}


def _device_of(deed: Deed, device_id: UUID, sent: Sent) -> Device:
    device = locked(deed, device_id)
    deed.about(SubjectType.DEVICE, device.id)
    deed.at(firm=device.firm_id)
    deed.note(device_id=device.id, device_seq=sent.seq, signed_sha256=sent.hash.hex())
    return device


def _happened(deed: Deed, device: Device, sent: Sent, lost_to: Sequence[str] | None) -> DeviceInbox:
    scan = sent.scan
    assert scan is not None
    if scan.device_id != device.id:
        return _not_understood(deed, sent)
    anchor = read_anchor(deed.ground.keyring, device.id, scan.anchor) if scan.anchor is not None else None
    when = clocked(
        wall_time=scan.wall_time,
        boot_id=scan.boot_id,
        mono_ms=scan.mono_ms,
        anchor=anchor,
        since=device.recorded_at,
        received_at=deed.recorded_at,
    )
    when = _in_milliseconds(when)
    deed.occurred_at = when.occurred_at
    scene = Scene(deed, device, scan, when, attributed(deed.db, device, when))
    scene.flag(*when.flags, *scene.who.flags)
    if scan.anchor is not None and anchor is None:
        scene.flag(ANCHOR_NOT_OURS)
    if not _continues(deed.db, device, sent):
        scene.flag(CHAIN_BROKEN)
    deed.note(kind=scan.kind, client_reference=scan.id, uncertainty_s=when.uncertainty_s)
    if scene.who.binding is not None:
        deed.about(SubjectType.BINDING, scene.who.binding.id)
        deed.note(binding_id=scene.who.binding.id)
    if lost_to is not None:
        scene.flag(NOT_APPLIED, *lost_to)
        _tell(deed, LEFT_UNAPPLIED, device, sent)
    else:
        happen(scene)
    row = _row(deed, sent, _status_of(scene), scene.codes)
    row.kind, row.occurred_at, row.uncertainty_s = scan.kind, when.occurred_at, when.uncertainty_s
    return row


def _status_of(scene: Scene) -> ScanStatus:
    if scene.disputed:
        return ScanStatus.HELD
    return ScanStatus.FLAGGED if scene.codes else ScanStatus.ACCEPTED


def _not_understood(deed: Deed, sent: Sent) -> DeviceInbox:
    """Signed by the device and in its place, but of a shape we do not know: kept, and no fact of custody."""
    return _row(deed, sent, ScanStatus.UNREADABLE, [NOT_UNDERSTOOD])


def _row(deed: Deed, sent: Sent, status: ScanStatus, codes: Sequence[str]) -> DeviceInbox:
    return DeviceInbox(
        signed=sent.signed,
        hash=sent.hash,
        signature=_raw(sent.signature),
        received_at=deed.recorded_at,
        status=status,
        codes=list(codes),
        entry_id=deed.id,
    )


def _in_milliseconds(when: Clocked) -> Clocked:
    """As instants are written: what stands in a column is what stands in the entry."""
    at = when.occurred_at
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    return Clocked(at, min(when.earliest, at), when.latest, when.flags)


def _continues(db: Session, device: Device, sent: Sent) -> bool:
    """Does it name the string before it, and the one after it this one? What has not come yet is no fault."""
    assert sent.scan is not None
    before = db.get(DeviceInbox, (device.district, device.id, sent.seq - 1)) if sent.seq > 1 else None
    after = db.get(DeviceInbox, (device.district, device.id, sent.seq + 1))
    if sent.seq == 1 and sent.scan.prev is not None:
        return False
    if before is not None and sent.scan.prev != before.hash.hex():
        return False
    return after is None or previous_named(after.signed) == sent.hash.hex()


def _advance(db: Session, device: Device, seq: int) -> None:
    """Move the mark over everything that now stands without a gap."""
    if seq != device.contiguous_seq + 1:
        return
    device.contiguous_seq = seq
    following = db.scalars(
        sa.select(DeviceInbox.device_seq)
        .where(
            DeviceInbox.district == device.district,
            DeviceInbox.device_id == device.id,
            DeviceInbox.device_seq > seq,
        )
        .order_by(DeviceInbox.device_seq)
    )
    for later in following:
        if later != device.contiguous_seq + 1:
            break
        device.contiguous_seq = later


# --- aside ------------------------------------------------------------------------------------------------


@does("scan.keep_aside")
def _keep_aside(deed: Deed, device_id: UUID, sent: Sent, why: AsideReason) -> Answer:
    """A string that has no place in the sequence is kept beside it."""
    device = _device_of(deed, device_id, sent)
    return _aside(deed, device, sent, why)


def _aside(deed: Deed, device: Device, sent: Sent, why: AsideReason) -> Answer:
    hash = _hash_aside(sent, why)
    key = (device.district, device.id, sent.seq, hash)
    if deed.db.get(DeviceInboxAside, key) is not None:
        raise _KeptMeanwhile
    deed.db.add(
        DeviceInboxAside(
            district=device.district,
            device_id=device.id,
            device_seq=sent.seq,
            hash=hash,
            signed=sent.signed.encode(),
            signature=_raw(sent.signature),
            why=why,
            received_at=deed.recorded_at,
            entry_id=deed.id,
        )
    )
    deed.note(aside=why)
    if why is AsideReason.FORKED:
        # Two histories of one device: its key was copied, or its storage set back. Somebody must look.
        _tell(deed, FORKED, device, sent)
    return {"device_id": str(device.id), "device_seq": sent.seq}


def _tell(deed: Deed, topic: str, device: Device, sent: Sent) -> None:
    """Which string it is, never what it says."""
    deed.tell(
        topic,
        device_id=device.id,
        firm_id=device.firm_id,
        device_seq=sent.seq,
        signed_sha256=sent.hash.hex(),
        seen_at=deed.recorded_at,
    )


def _raw(signature: str) -> bytes:
    """The signature's bytes; what is not even base64 is kept as it was sent."""
    try:
        return base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return signature.encode()

"""Verbs of a firm's phones and terminals: made by the office, given a key by the phone, revoked.

The phone makes its key itself and never lets it out (P-256). It proves that it holds the key by signing
``enrolment_string``. What it reports from then on is signed with that key; the inbox that takes it stands
two floors up (``dispatch/deliveries/inbox.py``).
"""

import base64
import binascii
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from sqlalchemy.orm import Session

from core.auth import Actor, ScopeKind
from core.ids import new_id
from core.problems import NotFound, WrongField
from core.refusal import Refused
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import crew_refusals as no
from registry.mentions import my_home_firm, resting
from registry.models import Binding, Device, Staff

POINT_BYTES = 65
SIGNATURE_BYTES = 64
MOST_MS = 2**53 - 1
"""The largest whole number that JSON's readers agree on."""


class RevocationReason(StrEnum):
    """Why a device is used no more. A word, never free text."""

    LOST = "lost"
    STOLEN = "stolen"
    BROKEN = "broken"
    REPLACED = "replaced"
    KEY_COPIED = "key_copied"


@does("device.enrol")
def enrol_device(deed: Deed, *, firm_id: UUID, label: str) -> Answer:
    firm = my_home_firm(deed, firm_id)
    device = Device(
        district=deed.district,
        id=new_id(),
        firm_id=firm.id,
        label=label,
        public_key=None,
        revoked_at=None,
        recorded_at=deed.recorded_at,
        contiguous_seq=0,
    )
    deed.about(SubjectType.DEVICE, device.id)
    deed.at(firm=firm.id)
    deed.note(device_id=device.id)
    deed.db.add(device)
    return {"device_id": str(device.id)}


@does("device.enrol_key")
def enrol_key(deed: Deed, *, device_id: UUID, public_key: str, proof: str) -> Answer:
    """The courier who is bound to the device gives it the key that the phone has just made."""
    device = locked(deed, device_id)
    courier_id = deed.actor.scope_id(ScopeKind.COURIER)
    _must_be_of_the_firm(deed.db, deed.actor, device)
    key = read_key(public_key)
    if not signed_by(public_key, enrolment_string(deed.district, device_id, public_key), proof):
        raise WrongField(
            "/proof", "not_proven", "签名与公钥不符", "expected the enrolment string's signature by this key"
        )
    deed.about(SubjectType.DEVICE, device.id)
    deed.at(firm=device.firm_id)
    deed.note(device_id=device.id, courier_id=courier_id, key=key.public_numbers().x.to_bytes(32).hex())
    reasons = []
    if device.revoked_at is not None:
        reasons.append(resting(deed, no.DEVICE_REVOKED()))
    if not _is_bound(deed, device, courier_id):
        reasons.append(no.DEVICE_NOT_BOUND())
    if device.public_key not in (None, public_key):
        reasons.append(no.DEVICE_HAS_KEY())
    if reasons:
        raise Refused(reasons)
    device.public_key = public_key
    return {"device_id": str(device.id)}


@does("device.revoke")
def revoke(deed: Deed, *, device_id: UUID, reason: RevocationReason) -> Answer:
    """From this instant the device is bound no more. What it signed before is still taken."""
    device = locked(deed, device_id)
    deed.actor.must_reach(firm=device.firm_id, district=deed.district)
    deed.about(SubjectType.DEVICE, device.id)
    deed.at(firm=device.firm_id)
    deed.note(device_id=device.id, revocation=reason)
    if device.revoked_at is not None:
        raise Refused([resting(deed, no.DEVICE_REVOKED())])
    device.revoked_at = deed.recorded_at
    return {"device_id": str(device.id)}


def locked(deed: Deed, device_id: UUID) -> Device:
    """The device's row, which stands for its inbox in the order of locks."""
    device = deed.db.scalars(
        sa.select(Device)
        .where(Device.district == deed.district, Device.id == device_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if device is None:
        raise NotFound
    return device


def device_in_reach(db: Session, actor: Actor, district: int, device_id: UUID) -> Device:
    """For whoever carries what it reports: the firm's office, and any of the firm's couriers."""
    device = db.get(Device, (district, device_id))
    if device is None:
        raise NotFound
    _must_be_of_the_firm(db, actor, device)
    return device


def _must_be_of_the_firm(db: Session, actor: Actor, device: Device) -> None:
    if actor.reach.kind is ScopeKind.COURIER:
        courier = db.get(Staff, (device.district, actor.scope_id(ScopeKind.COURIER)))
        if courier is None or courier.firm_id != device.firm_id:
            raise NotFound
    else:
        actor.must_reach(firm=device.firm_id, district=device.district)


def _is_bound(deed: Deed, device: Device, courier_id: UUID) -> bool:
    """Now or later: the key may be given before the shift begins."""
    bound = sa.select(Binding.id).where(
        Binding.district == device.district,
        Binding.device_id == device.id,
        Binding.courier_id == courier_id,
        Binding.span.overlaps(sa.func.tstzrange(deed.recorded_at, None)),
    )
    return deed.db.scalars(bound.limit(1)).first() is not None


# --------------------------------------------------------------------------------------------------------
# Keys and signatures


def enrolment_string(district: int, device_id: UUID, public_key: str) -> str:
    """What the phone signs to prove its key: for this device and no other."""
    return f"lpg-device-enrolment/v1\n{district}\n{device_id}\n{public_key}"


def read_key(public_key: str) -> ec.EllipticCurvePublicKey:
    """422 for anything but a point of P-256, uncompressed, in base64."""
    try:
        point = _bytes_of(public_key, POINT_BYTES)
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        raise WrongField(
            "/public_key",
            "key",
            "应为P-256公钥（未压缩点，65字节，base64）",
            "expected a P-256 public key: the uncompressed point, 65 bytes, base64",
        ) from None


def signed_by(public_key: str, text: str, signature: str) -> bool:
    """Is it the signature (raw r‖s, base64) of the text's UTF-8 bytes by this key?"""
    try:
        raw = _bytes_of(signature, SIGNATURE_BYTES)
        der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
        read_key(public_key).verify(der, text.encode(), ec.ECDSA(hashes.SHA256()))
    except (ValueError, InvalidSignature):
        return False
    return True


def _bytes_of(text: str, length: int) -> bytes:
    try:
        found = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("expected base64") from error
    if len(found) != length:
        raise ValueError(f"expected {length} bytes, got {len(found)}")
    return found

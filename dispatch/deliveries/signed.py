"""The string that a phone signed: what it must say, and how it is read. docs/device-inbox.md is its page.

The string is verified as it was sent and kept as it was sent; nothing here writes it anew. What cannot be
read is no reason to lose it: ``read`` never raises, it says how far it came.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import marshmallow as ma
from marshmallow import fields

from core.fields import MAX_INT, Form, Id, Instant, Number, Part, PointForm, Scanned, Text, Word
from core.nesting import NotJson, read_json
from dispatch.deliveries.models import FailureReason
from dispatch.deliveries.schemas import CheckPart, DeliveryIn, ProofPart
from registry.devices import MOST_MS
from registry.models import ScanKind


class LoadBody(Form):
    round_id = Id(required=True)
    line_id = Id(required=True)
    code = Scanned(required=True)


class DeliverBody(DeliveryIn):
    """As the online door takes it, and the order that the address would name. The clock tells when.

    What is withheld has a body of its own: here there is always a proof.
    """

    class Meta:
        exclude = ("occurred_at", "point")
        unknown = ma.RAISE

    order_id = Id(required=True)
    proof = Part(ProofPart, required=True)


class WithholdBody(Form):
    order_id = Id(required=True)
    line_id = Id(required=True)
    check = Part(CheckPart, allow_none=True, load_default=None)


class FailBody(Form):
    order_id = Id(required=True)
    line_id = Id(required=True)
    reason = Word(FailureReason, required=True)


class TakeEmptyBody(Form):
    order_id = Id(required=True)
    line_id = Id(required=True)
    code = Scanned(required=True)


class BringBackBody(Form):
    round_id = Id(required=True)
    code = Scanned(required=True)


BODIES: Mapping[ScanKind, Form] = {
    ScanKind.LOAD: LoadBody(),
    ScanKind.DELIVER: DeliverBody(),
    ScanKind.WITHHOLD: WithholdBody(),
    ScanKind.FAIL: FailBody(),
    ScanKind.TAKE_EMPTY: TakeEmptyBody(),
    ScanKind.BRING_BACK: BringBackBody(),
}


class SignedForm(Form):
    """Around each body. A later phone may say more than we know: that is no fault of what it says."""

    class Meta:
        unknown = ma.EXCLUDE

    id = Id(required=True)
    device_id = Id(required=True)
    seq = Number(required=True, least=1)
    prev = Text(required=True, allow_none=True, most=64, pattern="[0-9a-f]{64}")
    kind = Word(ScanKind, required=True)
    boot_id = Text(required=True, most=64, code=True)
    wall_time = Instant(required=True)
    mono_ms = Number(required=True, most=MOST_MS)
    anchor = Text(most=600, allow_none=True, load_default=None)
    point = Part(PointForm, allow_none=True, load_default=None)
    body = fields.Dict(required=True)


_FORM = SignedForm()


@dataclass(frozen=True, slots=True)
class Scan:
    """One thing that happened, as the phone says it. ``id`` is the phone's own reference."""

    id: UUID
    device_id: UUID
    seq: int
    prev: str | None
    kind: ScanKind
    boot_id: str
    wall_time: datetime
    mono_ms: int
    anchor: str | None
    point: Mapping[str, Any] | None
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """One item of a batch as it came, and what could be read of it. ``seq`` 0: none could be."""

    signed: str
    signature: str
    seq: int
    scan: Scan | None

    @property
    def hash(self) -> bytes:
        return hashlib.sha256(self.signed.encode()).digest()


def read(signed: str, signature: str) -> Sent:
    """Never raises: an unreadable text is kept like any other."""
    try:
        told = read_json(signed)
    except NotJson:
        return Sent(signed, signature, 0, None)
    return Sent(signed, signature, _seq(told), _scan(told))


def previous_named(signed: str) -> str | None:
    """The hash of the string before it, as a kept string names it."""
    told = read_json(signed)
    return cast("str | None", told.get("prev"))


def _seq(told: Any) -> int:
    seq = told.get("seq") if isinstance(told, dict) else None
    if not isinstance(seq, int) or isinstance(seq, bool):
        return 0
    return seq if 1 <= seq <= MAX_INT else 0


def _scan(told: Any) -> Scan | None:
    try:
        read: dict[str, Any] = _FORM.load(told)
        body = BODIES[read["kind"]].load(read["body"])
    except ma.ValidationError:
        return None
    return Scan(**{**read, "body": body})

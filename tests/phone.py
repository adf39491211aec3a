"""A courier's phone: it makes a key, anchors its clock, signs what happens in order, sends it when it can.

    phone = Phone(courier, district, device_id)      enrolled and anchored at once, unless told otherwise
    item = phone.sign("deliver", {…})                the next of its sequence: {"signed": …, "signature": …}
    phone.send([item, …])                            the answer of POST …/scans

This is also the reference of what docs/device-inbox.md says: sign the string, send the string, verify the
string; it is never written anew.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from werkzeug.test import TestResponse

from core import clock
from core.ids import new_id
from tests.desk import Person

Item = dict[str, str]

_boots = itertools.count(1)


class Phone:
    def __init__(self, carrier: Person, district: int, device_id: UUID, *, enrolled: bool = True):
        self.carrier = carrier
        self.district = district
        self.device_id = device_id
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.public_key = _b64(
            self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        )
        self.seq = 0
        self.prev: str | None = None
        self.last: Item | None = None
        self.wall_is_off = timedelta()
        self.anchor: str | None = None
        self.restart()
        if enrolled:
            answer = self.enrol()
            assert answer.status_code == 201, answer.text
            self.meet_server()

    # --- its clock ----------------------------------------------------------------------------------------

    def restart(self) -> None:
        """The monotonic clock begins again."""
        self.boot_id = f"boot-{next(_boots)}"
        self.started_at = clock.now() - timedelta(seconds=1)

    def mono_ms(self, at: datetime) -> int:
        return int((at - self.started_at) / timedelta(milliseconds=1))

    # --- what it asks of the server -----------------------------------------------------------------------

    def at(self, path: str) -> str:
        return f"/api/v1/districts/{self.district}/devices/{self.device_id}/{path}"

    def enrol(self, **changed: Any) -> TestResponse:
        text = f"lpg-device-enrolment/v1\n{self.district}\n{self.device_id}\n{self.public_key}"
        body = {"public_key": self.public_key, "proof": self.signature(text)} | changed
        return self.carrier.post(self.at("keys"), body)

    def meet_server(self) -> None:
        """Take a time anchor, as at each contact."""
        body = {"nonce": str(new_id()), "boot_id": self.boot_id, "mono_ms": self.mono_ms(clock.now())}
        answer = self.carrier.post(self.at("anchors"), body)
        assert answer.status_code == 200, answer.text
        self.anchor = answer.get_json()["anchor"]

    def send(self, items: list[Item], *, by: Person | None = None) -> TestResponse:
        return (by or self.carrier).post(self.at("scans"), {"items": items})

    def sent(self, *items: Item) -> list[dict[str, Any]]:
        """Sent, and the answers."""
        answer = self.send(list(items))
        assert answer.status_code == 200, answer.text
        told: list[dict[str, Any]] = answer.get_json()["items"]
        return told

    # --- what it signs ------------------------------------------------------------------------------------

    def sign(self, kind: str, body: dict[str, Any], *, at: datetime | None = None, **changed: Any) -> Item:
        """The next string of its sequence: something happened ``at`` (now, if not said)."""
        at = at or clock.now()
        self.seq += 1
        said = {
            "v": 1,
            "id": str(new_id()),
            "device_id": str(self.device_id),
            "seq": self.seq,
            "prev": self.prev,
            "kind": kind,
            "boot_id": self.boot_id,
            "wall_time": clock.stamp(at + self.wall_is_off),
            "mono_ms": self.mono_ms(at),
            "anchor": self.anchor,
            "point": {"lon": 121.41, "lat": 31.215, "datum": "wgs84"},
            "body": body,
        } | changed
        item = self.signed(json.dumps(said, ensure_ascii=False))
        self.last = item
        self.prev = hashlib.sha256(item["signed"].encode()).hexdigest()
        return item

    def signed(self, text: str) -> Item:
        return {"signed": text, "signature": self.signature(text)}

    def signature(self, text: str) -> str:
        """Raw r‖s, as WebCrypto makes it."""
        r, s = decode_dss_signature(self._key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return _b64(r.to_bytes(32) + s.to_bytes(32))


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()

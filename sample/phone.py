"""A courier's phone without a network: it signs what happens, keeps it, and sends it when it can.

The key is a real one (P-256) and never leaves this object, as WebCrypto would keep it. What is signed is the
string itself; it is sent as it was signed and never written anew (docs/device-inbox.md).
"""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from core import clock
from core.ids import new_id
from sample.client import Api, Caller

BOOT = "demo-boot-1"
Item = dict[str, str]


@dataclass
class Phone:
    api: Api
    courier: Caller
    path: str
    """``/districts/…/devices/…``."""
    district: int
    device_id: str
    started_at: datetime = field(default_factory=clock.now)
    written: list[Item] = field(default_factory=list)
    """What it has signed, first to last."""
    delivered: list[tuple[int, int, int]] = field(default_factory=list)
    """Empty, full one and user of each swap it wrote down."""
    _key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False
    )
    _anchor: str | None = field(default=None, repr=False)

    def enrol(self) -> None:
        """Its public key, with proof that it has the private one; and the server's time to tell its own."""
        self.api.do(self.courier, f"{self.path}/keys", self.key_with_proof(), "a phone is enrolled")
        asked = {"nonce": str(new_id()), "boot_id": BOOT, "mono_ms": self._mono_ms()}
        self._anchor = self.api.ask(self.courier, f"{self.path}/anchors", asked, "a phone's clock is set")[
            "anchor"
        ]

    def key_with_proof(self) -> dict[str, str]:
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        public_key = _b64(point)
        text = f"lpg-device-enrolment/v1\n{self.district}\n{self.device_id}\n{public_key}"
        return {"public_key": public_key, "proof": self._signature(text)}

    def write(self, kind: str, body: dict[str, Any], point: dict[str, Any] | None = None) -> Item:
        """The next of its sequence, signed and kept."""
        item = self._sign(len(self.written) + 1, kind, body, point)
        self.written.append(item)
        return item

    def forged(self, seq: int, kind: str, body: dict[str, Any]) -> Item:
        """Another string for a place that is taken: somebody has a copy of the phone."""
        return self._sign(seq, kind, body, None)

    def send(self, items: list[Item], what: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.api.carry(self.courier, f"{self.path}/scans", {"items": items}, what)
        return answer

    def _sign(self, seq: int, kind: str, body: dict[str, Any], point: dict[str, Any] | None) -> Item:
        before = self.written[seq - 2]["signed"] if seq > 1 else None
        said = {
            "id": str(new_id()),
            "device_id": self.device_id,
            "seq": seq,
            "prev": hashlib.sha256(before.encode()).hexdigest() if before is not None else None,
            "kind": kind,
            "boot_id": BOOT,
            "mono_ms": self._mono_ms(),
            "wall_time": clock.stamp(clock.now()),
            "anchor": self._anchor,
            "point": point,
            "body": body,
        }
        text = json.dumps(said, ensure_ascii=False)
        return {"signed": text, "signature": self._signature(text)}

    def _mono_ms(self) -> int:
        return int((clock.now() - self.started_at) / timedelta(milliseconds=1))

    def _signature(self, text: str) -> str:
        """Raw r‖s, as WebCrypto makes it."""
        r, s = decode_dss_signature(self._key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return _b64(r.to_bytes(32) + s.to_bytes(32))


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()

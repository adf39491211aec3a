"""What is printed into a vehicle's label: VEHICLE/DISTRICT/ID/TAG, all in capitals.

The tag is the first 64 bits of HMAC-SHA256 over district and id under a label key: who makes up a text cannot
make up its tag. Any key still in the ring will do; where it is retired the label is printed anew. The label
opens nothing by itself: it says which vehicle a courier stands before, and the plate says so too.
"""

import hashlib
import hmac
import re
from uuid import UUID

from core.sealed import Keyring

TAG_BYTES = 8
_TEXT = re.compile(r"VEHICLE/(\d{6})/([0-9A-F]{32})/([0-9A-F]{16})")


def is_label(text: str) -> bool:
    """Whether it means to be a vehicle's label, true or not: no plate has a stroke in it."""
    return text.upper().startswith("VEHICLE/")


def label_text(keyring: Keyring, district: int, vehicle_id: UUID) -> str:
    tag = _tag(keyring.label.current_key, district, vehicle_id)
    return f"VEHICLE/{district}/{vehicle_id.hex}/{tag}".upper()


def vehicle_of(keyring: Keyring, district: int, text: str) -> UUID | None:
    """The vehicle whose label it is; None for what we did not print for a vehicle of this district."""
    found = _TEXT.fullmatch(text.strip().upper())
    if found is None or int(found[1]) != district:
        return None
    vehicle_id = UUID(found[2])
    tags = (_tag(key, district, vehicle_id) for key in keyring.label.by_version.values())
    known = [hmac.compare_digest(tag.upper(), found[3]) for tag in tags]
    return vehicle_id if any(known) else None


def _tag(key: bytes, district: int, vehicle_id: UUID) -> str:
    digest = hmac.digest(bytes(key), f"vehicle\x1f{district}\x1f{vehicle_id}".encode(), hashlib.sha256)
    return digest[:TAG_BYTES].hex()

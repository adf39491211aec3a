"""What stands in a voucher's QR code: HTTPS://HOST/V/<CODE>, in capitals. docs/adr/0020 says why it is so.

    30 symbols   which delivery: its district and its id, as they stand in its row
    13 symbols   a keyed tag over both, under a label key

Nothing is stored for it: whoever has the delivery's row and the key can write its code, and nobody else. The
tag names no key; every live one is tried. A key that is retired makes the vouchers under it unconfirmed, as
it does labels; the resident prints a new one from the order.
"""

import hashlib
import hmac
from uuid import UUID

from core.sealed import Keyring
from cylinders.code import ALPHABET, from_symbols, in_symbols

POINTER_SYMBOLS, TAG_SYMBOLS, TAG_BYTES = 30, 13, 8
LENGTH = POINTER_SYMBOLS + TAG_SYMBOLS
_ID_BITS = 128
_MOST_DISTRICT = 999_999


def code_of(keyring: Keyring, district: int, delivery_id: UUID) -> str:
    pointer = in_symbols(district << _ID_BITS | delivery_id.int, POINTER_SYMBOLS)
    return pointer + _tag(keyring.label.current_key, pointer)


def address(public_url: str, code: str) -> str:
    return f"{public_url}/V/{code}".upper()


def delivery_behind(keyring: Keyring, given: str) -> tuple[int, UUID] | None:
    """District and id of the delivery this is the code of; None where we never wrote it.

    What is no code at all is worked through like one, so that the time taken tells nothing.
    """
    read = given.upper()
    is_shaped = len(read) == LENGTH and set(read) <= set(ALPHABET)
    code = read if is_shaped else ALPHABET[0] * LENGTH
    pointer, tag = code[:POINTER_SYMBOLS], code[POINTER_SYMBOLS:]
    keys = keyring.label.by_version.values()
    # every key is tried, also after one that fits
    is_ours = sum(hmac.compare_digest(_tag(key, pointer), tag) for key in keys) > 0
    value = from_symbols(pointer)
    district = value >> _ID_BITS
    if not (is_shaped and is_ours and district <= _MOST_DISTRICT):
        return None
    return district, UUID(int=value & ((1 << _ID_BITS) - 1))


def _tag(key: bytes, pointer: str) -> str:
    digest = hmac.digest(key, f"voucher\x1f{pointer}".encode(), hashlib.sha256)
    return in_symbols(int.from_bytes(digest[:TAG_BYTES]), TAG_SYMBOLS)

"""What is printed into a label: HTTPS://HOST/C/<CODE>/<TAG>, all in capitals.

Capitals, digits and / : . - are what QR codes hold in five and a half bits a symbol, so that the code stays
small and its squares large. The tag is the first 64 bits of HMAC-SHA256 over code and label number under a
label key: who makes up a code cannot make up its tag. Which key, the label's row says; the tag does not.
"""

import hashlib
import hmac

from core.sealed import Keyring
from cylinders.code import in_symbols

TAG_BYTES = 8
TAG_SYMBOLS = 13


def tag(keyring: Keyring, key_version: int, code: str, number: int) -> str | None:
    """Thirteen symbols; None where the key was retired, and with it every label under it."""
    key = keyring.label.by_version.get(key_version)
    if key is None:
        return None
    digest = hmac.digest(key, f"label\x1f{code}\x1f{number}".encode(), hashlib.sha256)
    return in_symbols(int.from_bytes(digest[:TAG_BYTES]), TAG_SYMBOLS)


def is_tag(keyring: Keyring, key_version: int, code: str, number: int, given: str) -> bool:
    expected = tag(keyring, key_version, code, number)
    return expected is not None and hmac.compare_digest(expected.encode(), given.upper().encode())


def address(public_url: str, code: str, tag: str) -> str:
    return f"{public_url}/C/{code}/{tag}".upper()

"""What stands in the QR code of a printed paper: HTTPS://HOST/<LETTER>/<CODE>, in capitals.

    30 symbols   which row: its district and its id, as they stand in it
    13 symbols   a keyed tag over the paper's kind and both, under a label key

Nothing is stored for it: whoever has the row and the key can write its code, and nobody else. The tag names
no key; every live one is tried. docs/adr/0020 says why it is so, of vouchers; other papers follow it.
"""

import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

from core.sealed import Keyring
from cylinders.code import ALPHABET, from_symbols, in_symbols

POINTER_SYMBOLS, TAG_SYMBOLS, TAG_BYTES = 30, 13, 8
LENGTH = POINTER_SYMBOLS + TAG_SYMBOLS
_ID_BITS = 128
_MOST_DISTRICT = 999_999


@dataclass(frozen=True, slots=True)
class Paper:
    """``kind`` goes into the tag: the code of one kind of paper is never that of another."""

    kind: str
    letter: str

    def code_of(self, keyring: Keyring, district: int, row_id: UUID) -> str:
        pointer = in_symbols(district << _ID_BITS | row_id.int, POINTER_SYMBOLS)
        return pointer + self._tag(keyring.label.current_key, pointer)

    def address(self, public_url: str, code: str) -> str:
        return f"{public_url}/{self.letter}/{code}".upper()

    def row_behind(self, keyring: Keyring, given: str) -> tuple[int, UUID] | None:
        """District and id of the row this is the code of; None where we never wrote it.

        What is no code at all is worked through like one, so that the time taken tells nothing.
        """
        read = given.upper()
        is_shaped = len(read) == LENGTH and set(read) <= set(ALPHABET)
        code = read if is_shaped else ALPHABET[0] * LENGTH
        pointer, tag = code[:POINTER_SYMBOLS], code[POINTER_SYMBOLS:]
        keys = keyring.label.by_version.values()
        # every key is tried, also after one that fits
        is_ours = sum(hmac.compare_digest(self._tag(key, pointer), tag) for key in keys) > 0
        value = from_symbols(pointer)
        district = value >> _ID_BITS
        if not (is_shaped and is_ours and district <= _MOST_DISTRICT):
            return None
        return district, UUID(int=value & ((1 << _ID_BITS) - 1))

    def _tag(self, key: bytes, pointer: str) -> str:
        digest = hmac.digest(key, f"{self.kind}\x1f{pointer}".encode(), hashlib.sha256)
        return in_symbols(int.from_bytes(digest[:TAG_BYTES]), TAG_SYMBOLS)

"""The root over many leaves, as RFC 9162 defines it."""

import hashlib

from evidence.entry import leaf_hash
from evidence.merkle import merkle_root


def by_the_definition(leaves: list[bytes]) -> bytes:
    """2.1.1: the left tree is the largest full one that leaves something for the right."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256().digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = by_the_definition(leaves[:split]), by_the_definition(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def test_the_root_is_that_of_rfc_9162_however_many_leaves_there_are() -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(70)]
    for count in range(len(leaves) + 1):
        assert merkle_root(iter(leaves[:count])) == by_the_definition(leaves[:count]), count

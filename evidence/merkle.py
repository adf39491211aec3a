"""The Merkle tree hash of RFC 9162, 2.1.1, over leaf hashes (``entry.leaf_hash``)."""

import hashlib
from collections.abc import Iterable


def merkle_root(leaves: Iterable[bytes]) -> bytes:
    """Read once, a leaf at a time: what is kept is one node for each binary digit of how many there were."""
    whole: list[bytes] = []
    for count, leaf in enumerate(leaves, start=1):
        node = leaf
        for _ in range((count & -count).bit_length() - 1):
            node = _node(whole.pop(), node)
        whole.append(node)
    if not whole:
        return hashlib.sha256().digest()
    root = whole.pop()
    while whole:
        root = _node(whole.pop(), root)
    return root


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()

"""An entry's bytes: RFC 8785 JSON of strings, integers and booleans; its hash: an RFC 9162 leaf hash.

No personal data and no free text stand in an entry, only ids, codes, days, amounts and salted
commitments.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785

from evidence.models import SubjectType

VERSION = 1


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """What a deed touched. The order of subjects is the order in which their heads are locked."""

    type: SubjectType
    key: str


@dataclass(frozen=True, slots=True)
class Place:
    """A subject's place in its chain: sequence from 1, hash of the entry before."""

    subject: Subject
    seq: int
    previous: bytes | None


def entry_bytes(fields: Mapping[str, Any], places: Iterable[Place]) -> bytes:
    chains = [
        {
            "type": place.subject.type.value,
            "key": place.subject.key,
            "seq": place.seq,
            "prev": place.previous.hex() if place.previous else None,
        }
        for place in places
    ]
    return rfc8785.dumps({"v": VERSION, **fields, "subjects": chains})


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def begun_leaf(entry: bytes) -> "hashlib._Hash":
    """The same for what comes piece by piece; this is the first."""
    return hashlib.sha256(b"\x00" + entry)

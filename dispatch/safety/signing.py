"""Who checks signs (谁检查、谁签名、谁负责): what is signed, by whom, and what proves a notice received.

A signature reaches us as the SHA-256 of its drawing or photo. What it stands under is the hash of the whole
check, every answer of it: so an answer changed afterwards no longer fits what was signed and entered.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import rfc8785

from core import clock
from core.refusal import plain
from dispatch.safety.models import (
    CheckItem,
    CheckMode,
    CheckSignature,
    ReceivedHow,
    SafetyCheck,
    Side,
    SignedHow,
    WitnessKind,
)

SIGNED_COLUMNS = (
    "district", "id", "household_id", "order_id", "reason", "mode", "remote_reason", "outcome", "checked_by",
    "user_signed", "briefed",
)  # fmt: skip
ITEM_COLUMNS = ("item", "result", "grade", "measured", "photo_sha256")


@dataclass(frozen=True, slots=True)
class Signatures:
    """The drawings that came with a check; a checker who drew none has confirmed it by sending it."""

    checker_sha256: str | None = None
    user_sha256: str | None = None


NOTHING_DRAWN = Signatures()


@dataclass(frozen=True, slots=True)
class Receipt:
    """How a notice was received, with what proves it. ``witness``: of what the user did not sign."""

    received_how: ReceivedHow
    signature_sha256: str | None = None
    witness: WitnessKind | None = None
    witness_sha256: str | None = None

    @property
    def is_proof(self) -> bool:
        """Said to be signed, or to be refused, is no proof without the signature or the witness."""
        match self.received_how:
            case ReceivedHow.SIGNED:
                return self.signature_sha256 is not None
            case ReceivedHow.REFUSED_TO_SIGN | ReceivedHow.LEFT:
                return self.witness_sha256 is not None
            case ReceivedHow.ELECTRONIC:
                return False  # sent is not received: the user's opening it is a receipt of its own


class NoticeProof(StrEnum):
    """Whether a hazard's user was told in writing: no notice, one without a receipt, or a proved one."""

    MISSING = "missing"
    UNPROVEN = "unproven"
    PROVEN = "proven"


def content_hash(check: SafetyCheck, items: Iterable[CheckItem]) -> str:
    """What both sides sign: the check and its answers, as canonical JSON."""
    said = {name: plain(getattr(check, name)) for name in SIGNED_COLUMNS}
    said["checked_at"] = clock.stamp(check.checked_at)
    answers = [{name: plain(getattr(one, name)) for name in ITEM_COLUMNS} for one in items]
    said["items"] = sorted(answers, key=lambda answer: answer["item"])
    return hashlib.sha256(rfc8785.dumps(said)).hexdigest()


def signatures_of(check: SafetyCheck, content_sha256: str, drawn: Signatures) -> list[CheckSignature]:
    return [
        CheckSignature(
            district=check.district,
            check_id=check.id,
            side=side,
            how=how,
            content_sha256=content_sha256,
            signature_sha256=sha256,
        )
        for side, how, sha256 in (
            (Side.CHECKER, _checker_signed(drawn.checker_sha256), drawn.checker_sha256),
            (Side.USER, _user_signed(check, drawn.user_sha256), drawn.user_sha256),
        )
    ]


def _checker_signed(sha256: str | None) -> SignedHow:
    return SignedHow.SIGNATURE if sha256 is not None else SignedHow.CONFIRMATION


def _user_signed(check: SafetyCheck, sha256: str | None) -> SignedHow:
    if sha256 is not None:
        return SignedHow.SIGNATURE
    if check.user_signed:
        return SignedHow.ON_PAPER
    return SignedHow.REFUSED if check.mode is CheckMode.ON_SITE else SignedHow.FROM_AFAR

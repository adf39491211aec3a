"""Written notices and what proves them received: one page for whatever a home is told in writing.

A hazard, a refusal of supply, the answer to a review: each is a ``Notice`` with a number, and its receipts
are the same. Nothing here opens or commits; whose the paper is, who gives it out has made sure.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import Role
from core.ids import new_id
from core.problems import WrongField
from dispatch.safety.models import Notice, NoticeReceipt, ReceivedHow
from dispatch.safety.signing import Receipt
from evidence.deed import Deed


def give(deed: Deed, received_how: ReceivedHow, hazard_id: UUID | None = None) -> Notice:
    """A paper with its number: the day, and eight symbols of its id, to be read out."""
    notice_id = new_id()
    notice = Notice(
        district=deed.district,
        id=notice_id,
        hazard_id=hazard_id,
        number=f"{clock.day_of(deed.recorded_at):%Y%m%d}-{notice_id.hex[-8:].upper()}",
        received_how=received_how,
        told_at=deed.recorded_at,
    )
    deed.db.add(notice)
    deed.db.flush()
    return notice


def prove_received(deed: Deed, notice_id: UUID, receipt: Receipt, at: datetime) -> None:
    """Keep what shows that the notice reached the user."""
    deed.db.add(
        NoticeReceipt(
            district=deed.district,
            id=new_id(),
            notice_id=notice_id,
            received_how=receipt.received_how,
            signature_sha256=receipt.signature_sha256,
            witness=receipt.witness,
            witness_sha256=receipt.witness_sha256,
            received_at=at,
            recorded_by=deed.actor.principal_id,
            recorded_at=deed.recorded_at,
        )
    )


def must_be_theirs_to_say(deed: Deed, receipt: Receipt) -> None:
    """Only the user says that it was opened, and nothing else; the rest is said by who handed it over."""
    by_user = deed.actor.role is Role.RESIDENT
    if by_user != (receipt.received_how is ReceivedHow.ELECTRONIC):
        raise WrongField(
            "/received_how",
            "not_yours",
            "住户在自己的页面上确认收到；送达人登记签收、拒签或留置",
            "expected electronic from the user; signed, refused_to_sign or left from who handed it over",
        )


def noted(receipt: Receipt) -> dict[str, object]:
    """As an entry has it: how, and the hashes of what shows it."""
    return {
        "received_how": receipt.received_how,
        "signature_sha256": receipt.signature_sha256,
        "witness": receipt.witness,
        "witness_sha256": receipt.witness_sha256,
    }


def receipts_of(db: Session, district: int, notice_ids: Iterable[UUID]) -> dict[UUID, list[NoticeReceipt]]:
    """By notice, the first one first; a notice without a receipt is not in it."""
    found: dict[UUID, list[NoticeReceipt]] = {}
    for receipt in db.scalars(
        sa.select(NoticeReceipt)
        .where(NoticeReceipt.district == district, NoticeReceipt.notice_id.in_(list(notice_ids)))
        .order_by(NoticeReceipt.received_at, NoticeReceipt.id)
    ):
        found.setdefault(receipt.notice_id, []).append(receipt)
    return found

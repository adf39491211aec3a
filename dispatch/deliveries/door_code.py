"""The code at the door: six digits, ten minutes, one use, five wrong tries in the life of an order.

The resident reads it on their own page; the courier hears it at the door and can never read it here. It is
issued when the courier has arrived, not at booking: what is known for days is told to strangers.
"""

import hmac
import secrets
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from core import sealed
from core.ground import Ground
from core.refusal import Refusal
from core.sealed import Subject, SubjectType
from dispatch.deliveries import refusals as no
from dispatch.deliveries.models import DoorCode
from evidence.deed import Deed

LIFE = timedelta(minutes=10)
DIGITS = 6
MOST_WRONG_TRIES = 5


def code_of(db: Session, district: int, order_id: UUID, *, lock: bool = False) -> DoorCode | None:
    return db.get(DoorCode, (district, order_id), with_for_update=lock or None, populate_existing=lock)


def issue(deed: Deed, order_id: UUID, household_id: UUID) -> DoorCode:
    """A new code, or the one that still lives. The tries already made stay counted."""
    standing = code_of(deed.db, deed.district, order_id, lock=True)
    if standing is not None and _is_live(deed, standing):
        return standing
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    row = standing or DoorCode(district=deed.district, order_id=order_id, wrong_tries=0)
    row.code_sealed = sealed.seal(
        deed.db, deed.ground.keyring, _subject(household_id), "door_code", "code_sealed", order_id, code
    )
    row.issued_at = deed.recorded_at
    row.expires_at = deed.recorded_at + LIFE
    row.used_at = None
    deed.db.add(row)
    deed.db.flush()
    return row


def refusals_of(deed: Deed, row: DoorCode | None) -> list[Refusal]:
    """Why no code can be checked now. Said without looking at what was typed."""
    if row is None:
        return [no.NO_DOOR_CODE(why="not_issued")]
    if is_locked(row):
        return [no.DOOR_CODE_LOCKED(wrong_tries=row.wrong_tries)]
    if row.used_at is not None:
        return [no.NO_DOOR_CODE(why="used")]
    if not _is_live(deed, row):
        return [no.NO_DOOR_CODE(why="expired")]
    return []


def is_locked(row: DoorCode) -> bool:
    return row.wrong_tries >= MOST_WRONG_TRIES


def tries_left(row: DoorCode) -> int:
    return max(0, MOST_WRONG_TRIES - row.wrong_tries)


def matches(deed: Deed, row: DoorCode, household_id: UUID, typed: str) -> bool:
    """Use the code up, or count a wrong try. The row is locked; the time taken tells nothing."""
    right = opened(deed.db, deed.ground, row, household_id)
    if hmac.compare_digest(right.encode(), typed.encode()):
        row.used_at = deed.recorded_at
        return True
    row.wrong_tries += 1
    return False


def opened(db: Session, ground: Ground, row: DoorCode, household_id: UUID) -> str:
    return sealed.open_sealed(
        db,
        ground.keyring,
        _subject(household_id),
        "door_code",
        "code_sealed",
        row.order_id,
        row.code_sealed,
    )


def _is_live(deed: Deed, row: DoorCode) -> bool:
    return row.used_at is None and deed.recorded_at < row.expires_at


def _subject(household_id: UUID) -> Subject:
    return Subject(SubjectType.HOUSEHOLD, household_id)

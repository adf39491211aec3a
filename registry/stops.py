"""Who asked to be erased while a term still runs: kept, and shown to nobody (rule N05).

Whoever was identified again since came of their own accord, was shown the notice again, and is served like
anybody; so is whoever has an account that is not closed.
"""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from registry.models import Account, IdentityCheck
from registry.privacy_models import ProcessingStop
from registry.states import AccountState


def stop_of(db: Session, person_id: UUID) -> ProcessingStop | None:
    return next(iter(_standing(db, [person_id])), None)


def stopped_among(db: Session, person_ids: Collection[UUID]) -> set[UUID]:
    return {stop.person_id for stop in _standing(db, person_ids)}


def _standing(db: Session, person_ids: Collection[UUID]) -> list[ProcessingStop]:
    came_again = sa.exists().where(
        IdentityCheck.person_id == ProcessingStop.person_id,
        IdentityCheck.passed,
        IdentityCheck.checked_at > ProcessingStop.stopped_at,
    )
    has_account = sa.exists().where(
        Account.person_id == ProcessingStop.person_id, Account.state != AccountState.CLOSED
    )
    asked = sa.select(ProcessingStop).where(ProcessingStop.person_id.in_(person_ids))
    return list(db.scalars(asked.where(~came_again, ~has_account)))

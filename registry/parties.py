"""Who books and for which place, locked and read by prepared statements: it is asked with every booking.

What comes back are rows that say how things stand; nothing can be changed through them. A deed that changes
a household or an account takes ``queries.booking_party``, which locks the same rows in the same order.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import table_of
from core.prepared import Prepared
from registry.models import Account, Card, Contract, Household, IdentityCheck, Person, Premises
from registry.queries import BookingParty
from registry.states import AccountState

_DISTRICT = sa.bindparam("district", type_=sa.Integer)
_HOUSEHOLD_ID = sa.bindparam("household_id", type_=sa.Uuid)
_PERSON_ID = sa.bindparam("person_id", type_=sa.Uuid)
_ACCOUNT_ID = sa.bindparam("account_id", type_=sa.Uuid)

_PREMISES = Prepared(
    sa.select(table_of(Premises))
    .join(Household, sa.and_(Household.district == Premises.district, Household.premises_id == Premises.id))
    .where(Household.district == _DISTRICT, Household.id == _HOUSEHOLD_ID)
    .with_for_update(read=True, of=table_of(Premises))
)
_HOUSEHOLD = Prepared(
    sa.select(table_of(Household))
    .where(Household.district == _DISTRICT, Household.id == _HOUSEHOLD_ID)
    .with_for_update()
)
_ACCOUNT = Prepared(
    sa.select(table_of(Account))
    .where(Account.district == _DISTRICT, Account.household_id == _HOUSEHOLD_ID)
    .order_by((Account.state == AccountState.CLOSED), Account.id.desc())
    .limit(1)
    .with_for_update()
)
_PERSON = Prepared(
    sa.select(table_of(Person).c.person_id).where(Person.person_id == _PERSON_ID).with_for_update(read=True)
)
_IDENTITY = Prepared(
    sa.select(table_of(IdentityCheck).c.passed, table_of(IdentityCheck).c.valid_until)
    .where(IdentityCheck.person_id == _PERSON_ID)
    .order_by(IdentityCheck.id.desc())
    .limit(1)
)
_CONTRACTS = Prepared(
    sa.select(table_of(Contract).c.firm_id, table_of(Contract).c.valid_from, table_of(Contract).c.valid_until)
    .where(Contract.district == _DISTRICT, Contract.account_id == _ACCOUNT_ID)
    .order_by(Contract.valid_from, Contract.id)
)
_CARDS = Prepared(
    sa.select(table_of(Card))
    .where(Card.district == _DISTRICT, Card.account_id == _ACCOUNT_ID)
    .order_by(Card.id)
    .with_for_update()
)


def party_to_judge(db: Session, district: int, household_id: UUID) -> BookingParty | None:
    """None where there is no such household. Premises (share), household and account (update) and person
    (share) are locked, in that order; identity and contracts are read after that."""
    home = {"district": district, "household_id": household_id}
    premises = next(iter(_PREMISES.within(db, **home)), None)
    if premises is None:
        return None
    [household] = _HOUSEHOLD.within(db, **home)
    account = next(iter(_ACCOUNT.within(db, **home)), None)
    if account is None:
        return BookingParty(premises, household, None, None, [])
    _PERSON.within(db, person_id=account.person_id)
    latest = next(iter(_IDENTITY.within(db, person_id=account.person_id)), None)
    contracts = _CONTRACTS.within(db, district=district, account_id=account.id)
    return BookingParty(
        premises, household, account, latest if latest is not None and latest.passed else None, contracts
    )


def cards_to_judge(db: Session, district: int, account_id: UUID) -> list[Any]:
    """Every card the account ever had, locked, ascending id."""
    return _CARDS.within(db, district=district, account_id=account_id)

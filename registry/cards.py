"""Verbs: cards (卡). A card's id stays for life; its credential, what the QR says, is replaced."""

import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from core.ids import new_id
from core.problems import NotFound
from core.refusal import Refused
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import account_refusals as no
from registry.mentions import my_account, resting
from registry.models import Account, Card, CardException, Household, UserClass
from registry.states import CARD, AccountState, CardState

_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"  # RFC 4648
CREDENTIAL_SYMBOLS = 16

CardGiven = Mapping[str, Any]
"""``cylinder_model`` and, where the card holds no bottle yet, the ``exception`` that lets it book."""


@does("card.issue")
def issue_card(deed: Deed, account_id: UUID, *, cylinder_model: str) -> Answer:
    """Another card of a business; a resident household has one and only ever one."""
    my_account(deed, account_id)
    account = deed.db.get_one(
        Account, (deed.district, account_id), with_for_update=True, populate_existing=True
    )
    household = deed.db.get_one(Household, (deed.district, account.household_id))
    deed.about(SubjectType.HOUSEHOLD, household.id)
    deed.at(firm=account.firm_id)
    deed.note(account_id=account.id, model=cylinder_model)
    reasons = []
    if account.state is not AccountState.OPEN:
        reasons.append(resting(deed, no.ACCOUNT_NOT_OPEN(state=account.state)))
    if household.user_class is UserClass.RESIDENT and _has_live_card(deed, household.id):
        reasons.append(resting(deed, no.SECOND_CARD()))
    if reasons:
        raise Refused(reasons)
    card = enter_card(
        deed, household, account, {"cylinder_model": cylinder_model, "exception": CardException.FIRST_SUPPLY}
    )
    deed.about(SubjectType.CARD, card.id)
    return {"card_id": str(card.id)}


@does("card.report_lost")
def report_lost(deed: Deed, card_id: UUID) -> Answer:
    """From now on the old credential opens nothing."""
    return _moved(deed, card_id, "report_lost")


@does("card.block")
def block_card(deed: Deed, card_id: UUID) -> Answer:
    return _moved(deed, card_id, "block")


@does("card.unblock")
def unblock_card(deed: Deed, card_id: UUID) -> Answer:
    return _moved(deed, card_id, "unblock")


@does("card.replace")
def replace_card(deed: Deed, card_id: UUID) -> Answer:
    """A new credential for a lost card: same id, same bottle, same history."""
    card = _locked(deed, card_id)
    CARD.move(deed.db, card, "replace")
    card.credential = new_credential()
    return {"card_id": str(card.id)}


def enter_card(deed: Deed, household: Household, account: Account, given: CardGiven) -> Card:
    card = Card(
        district=deed.district,
        id=new_id(),
        account_id=account.id,
        household_id=household.id,
        user_class=household.user_class,
        cylinder_model=given["cylinder_model"],
        credential=new_credential(),
        state=CardState.ACTIVE,
        exception=given.get("exception"),
        next_booking_at=None,
        recorded_at=deed.recorded_at,
    )
    deed.db.add(card)
    deed.db.flush()
    return card


def new_credential() -> str:
    """80 random bits in symbols that survive being read aloud and typed."""
    return "".join(secrets.choice(_BASE32) for _ in range(CREDENTIAL_SYMBOLS))


def _moved(deed: Deed, card_id: UUID, move: str) -> Answer:
    card = _locked(deed, card_id)
    CARD.move(deed.db, card, move)
    return {"card_id": str(card.id)}


def _locked(deed: Deed, card_id: UUID) -> Card:
    """The card that the address names, locked, with its chain and columns set."""
    seen = deed.db.get(Card, (deed.district, card_id))
    if seen is None:
        raise NotFound
    account = my_account(deed, seen.account_id)
    card = deed.db.get_one(Card, (deed.district, card_id), with_for_update=True, populate_existing=True)
    deed.about(SubjectType.CARD, card.id)
    deed.at(firm=account.firm_id)
    deed.note(card_id=card.id)
    return card


def _has_live_card(deed: Deed, household_id: UUID) -> bool:
    live = sa.select(Card.id).where(
        Card.district == deed.district, Card.household_id == household_id, Card.state != CardState.CLOSED
    )
    return deed.db.scalars(live.limit(1)).first() is not None

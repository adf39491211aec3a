"""Reads of the registry for the rooms above, which judge scope themselves: firms, sites and papers, then
households, accounts and cards. Plain functions of an open session.

Zones stand in ``zone_queries``, bindings in ``crew_queries``; what our own routes answer, scope judged and
masked, in ``view_queries`` and ``household_file_queries``.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from core import clock
from core.auth import Actor
from core.doing import Doing
from core.fields import seen
from core.ground import Ground
from core.prepared import Prepared
from core.problems import NotFound
from registry import sealing
from registry.account_gate import AccountBusiness, AccountFacts
from registry.models import (
    Account,
    Card,
    Contract,
    Firm,
    Household,
    IdentityCheck,
    Licence,
    LicenceKind,
    Person,
    Premises,
    Site,
    Staff,
    StaffKind,
    Vehicle,
)
from registry.states import AccountState
from rulebook import current
from rulebook.gate import Verdict, judge

# --------------------------------------------------------------------------------------------------------
# Exports: firms, sites, papers


def firm(db: Session, firm_id: UUID) -> Firm | None:
    return db.get(Firm, firm_id)


def site(db: Session, site_id: UUID) -> Site | None:
    return db.get(Site, site_id)


def staff(db: Session, district: int, staff_id: UUID) -> Staff | None:
    """``district`` is the firm's home."""
    return db.get(Staff, (district, staff_id))


def vehicle(db: Session, district: int, vehicle_id: UUID) -> Vehicle | None:
    """``district`` is the firm's home."""
    return db.get(Vehicle, (district, vehicle_id))


def licences_of(db: Session, *, firm_id: UUID | None = None, site_id: UUID | None = None) -> list[Licence]:
    """All papers a firm or a site ever had, oldest first."""
    holder = Licence.firm_id == firm_id if firm_id else Licence.site_id == site_id
    return list(db.scalars(sa.select(Licence).where(holder).order_by(Licence.valid_from, Licence.id)))


Span = tuple[date, date]
"""The first and the last day of a paper."""


def licence_span(db: Session, kind: LicenceKind, holder_id: UUID, day: date) -> Span | None:
    """``licence_spans`` of one paper: ``holder_id`` is the firm's or the site's id."""
    return licence_spans(db, [(kind, holder_id)], day)[0]


def licence_spans(db: Session, held: Sequence[tuple[LicenceKind, UUID]], day: date) -> list[Span | None]:
    """The days of each holder's paper of that kind that covers ``day``; of the latest where none does."""
    papers = _LICENCES.within(db, holders=[holder_id for _, holder_id in held])
    return [
        _span([one for one in papers if one.kind is kind and holder_id in (one.firm_id, one.site_id)], day)
        for kind, holder_id in held
    ]


_HOLDERS = sa.any_(sa.bindparam("holders", type_=ARRAY(sa.Uuid)))
_LICENCES = Prepared(
    sa.select(Licence.kind, Licence.firm_id, Licence.site_id, Licence.valid_from, Licence.valid_until).where(
        sa.or_(Licence.firm_id == _HOLDERS, Licence.site_id == _HOLDERS)
    )
)


def _span(papers: Sequence[Any], day: date) -> Span | None:
    covering = [paper for paper in papers if paper.valid_from <= day <= paper.valid_until]
    best = max(covering or papers, key=lambda paper: paper.valid_until, default=None)
    return (best.valid_from, best.valid_until) if best else None


# --------------------------------------------------------------------------------------------------------
# Exports: zones and bindings


# --------------------------------------------------------------------------------------------------------
# Exports: households, accounts, cards


@dataclass(frozen=True, slots=True)
class BookingParty:
    """Who books and for which place.

    ``account``: the live one, else the one last closed. ``identity``: the latest check of the registrant
    if it passed; a later check that failed takes an earlier pass away.
    """

    premises: Premises
    household: Household
    account: Account | None
    identity: IdentityCheck | None
    contracts: list[Contract]


def booking_party(
    db: Session, district: int, household_id: UUID, *, lock: bool = False
) -> BookingParty | None:
    """None where there is no such household.

    ``lock`` takes premises (share), household and account (update), person (share), in that order.
    """
    premises = _premises_of(db, district, household_id, lock)
    if premises is None:
        return None
    household = db.get_one(
        Household, (district, household_id), with_for_update=lock or None, populate_existing=lock
    )
    account = account_of(db, district, household_id, lock=lock)
    if account is None:
        return BookingParty(premises, household, None, None, [])
    if lock:
        db.get_one(Person, account.person_id, with_for_update={"read": True})
    identity = identity_of(db, account.person_id)
    return BookingParty(premises, household, account, identity, contracts_of(db, district, account.id))


def _premises_of(db: Session, district: int, household_id: UUID, lock: bool) -> Premises | None:
    """Found by the household, which is locked only after them."""
    query = (
        sa.select(Premises)
        .join(
            Household, sa.and_(Household.district == Premises.district, Household.premises_id == Premises.id)
        )
        .where(Household.district == district, Household.id == household_id)
    )
    if lock:
        query = query.with_for_update(read=True, of=Premises).execution_options(populate_existing=True)
    return db.scalars(query).first()


def reach_of(party: BookingParty) -> dict[str, object]:
    """What a grant must cover to reach this household (for ``actor.must_reach``)."""
    row: dict[str, object] = {"district": party.household.district, "street": party.premises.street_code}
    if party.account is not None:
        row |= {"firm": party.account.firm_id, "person": party.account.person_id}
    return row


def account_of(db: Session, district: int, household_id: UUID, *, lock: bool = False) -> Account | None:
    """The household's live account, else the one last closed."""
    query = (
        sa.select(Account)
        .where(Account.district == district, Account.household_id == household_id)
        .order_by((Account.state == AccountState.CLOSED), Account.id.desc())
        .limit(1)
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return db.scalars(query).first()


def phone_of(db: Session, ground: Ground, person_id: UUID) -> str | None:
    """Where a message reaches this person; None where nobody is registered by that id, or was erased."""
    person = db.get(Person, person_id)
    return sealing.opened(db, ground, sealing.phone_of(person)) if person is not None else None


def phones_of_office(db: Session, ground: Ground, district: int, firm_id: UUID) -> list[tuple[UUID, str]]:
    """Where a message reaches a firm: its dispatchers whose certificate is in force, or else its clerks."""
    for kind in (StaffKind.DISPATCHER, StaffKind.CLERK):
        people = db.scalars(
            sa.select(Staff)
            .where(
                Staff.district == district,
                Staff.firm_id == firm_id,
                Staff.kind == kind,
                Staff.certificate_until >= clock.today(),
            )
            .order_by(Staff.id)
        ).all()
        phones = sealing.all_opened(db, ground, [sealing.staff_phone_of(one) for one in people])
        if found := [(one.id, phone) for one, phone in zip(people, phones, strict=True) if phone]:
            return found
    return []


def households_of_street(street_code: str) -> sa.Select[Any]:
    """Their ids: how a street's part of a list is found."""
    there = sa.and_(Premises.district == Household.district, Premises.id == Household.premises_id)
    return sa.select(Household.id).join(Premises, there).where(Premises.street_code == street_code)


def cards_of_street(street_code: str) -> sa.Select[Any]:
    """The ids of those households' cards."""
    return sa.select(Card.id).where(Card.household_id.in_(households_of_street(street_code)))


def identity_of(db: Session, person_id: UUID) -> IdentityCheck | None:
    """The latest check of this person, if it passed."""
    latest = db.scalars(
        sa.select(IdentityCheck)
        .where(IdentityCheck.person_id == person_id)
        .order_by(IdentityCheck.id.desc())
        .limit(1)
    ).first()
    return latest if latest is not None and latest.passed else None


def contracts_of(db: Session, district: int, account_id: UUID) -> list[Contract]:
    return list(
        db.scalars(
            sa.select(Contract)
            .where(Contract.district == district, Contract.account_id == account_id)
            .order_by(Contract.valid_from, Contract.id)
        )
    )


def cards_of(db: Session, district: int, card_ids: Collection[UUID], *, lock: bool = False) -> list[Card]:
    """These cards, ascending id; ids that are not there are left out. ``lock``: FOR UPDATE, in that order."""
    query = sa.select(Card).where(Card.district == district, Card.id.in_(card_ids)).order_by(Card.id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return list(db.scalars(query))


def cards_of_account(db: Session, district: int, account_id: UUID, *, lock: bool = False) -> list[Card]:
    """Every card the account ever had, ascending id."""
    query = sa.select(Card).where(Card.district == district, Card.account_id == account_id).order_by(Card.id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return list(db.scalars(query))


CARD_QR = "LPGCARD:"
"""What stands before a card's credential in its QR code."""


def card_by_credential(db: Session, district: int, credential: str) -> Card | None:
    """The card behind a scanned credential, with or without the QR's ``LPGCARD:`` before it."""
    bare = plain_credential(credential)
    return db.scalars(sa.select(Card).where(Card.district == district, Card.credential == bare)).one_or_none()


def plain_credential(said: str) -> str:
    """A card's credential as it is kept, however it was scanned or typed: the card prints it in fours."""
    return "".join(seen(said).split()).upper().removeprefix(CARD_QR)


def account_verdict(doing: Doing, kind: AccountBusiness, applied_on: date) -> Verdict:
    """What the moratorium says here of such an application, before anybody's papers are asked for."""
    gate = (
        "account.transfer"
        if kind in (AccountBusiness.TRANSFER, AccountBusiness.SUCCESSION)
        else "account.open"
    )
    return judge(gate, AccountFacts(applied_on, kind), str(doing.district), applied_on, current())


# --------------------------------------------------------------------------------------------------------
# Reads of our own routes


def party_within_reach(db: Session, actor: Actor, district: int, household_id: UUID) -> BookingParty:
    """The household that the address names, with all that hangs on it; 404 if not the actor's to see."""
    party = booking_party(db, district, household_id)
    if party is None:
        raise NotFound
    actor.must_reach(**reach_of(party))
    return party

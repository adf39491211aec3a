"""Rows that a request names: in the address, not there or not yours is 404; in the body, 422 at its field."""

from typing import TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from core import clock, sealed
from core.problems import NotFound, WrongField
from core.refusal import Refusal
from evidence.deed import Deed
from registry.models import Account, Card, Device, Firm, Household, Person, Site, Staff, Vehicle
from rulebook import current

Row = TypeVar("Row", Firm, Site, Staff, Vehicle, Device, Household, Person, Account, Card)


def unknown(pointer: str) -> WrongField:
    return WrongField(pointer, "unknown", "查无此编号", "expected an id that exists and is yours to use")


def named(row: Row | None, pointer: str) -> Row:
    """The row that a field of the body names."""
    if row is None:
        raise unknown(pointer)
    return row


def standing_person(deed: Deed, person_id: UUID, pointer: str = "/person_id") -> Person:
    """Whom the body names, locked. Who was erased is nobody: nothing more is put under what they left."""
    person = named(deed.db.get(Person, person_id, with_for_update=True), pointer)
    if is_erased(deed.db, person_id):
        raise unknown(pointer)
    return person


def is_erased(db: Session, person_id: UUID) -> bool:
    return not sealed.has_key(db, sealed.Subject(sealed.SubjectType.PERSON, person_id))


def my_firm(deed: Deed, firm_id: UUID, pointer: str = "/firm_id") -> Firm:
    """The firm that the body names, if the actor may act for it."""
    firm = named(deed.db.get(Firm, firm_id), pointer)
    if not deed.actor.reach.covers(firm=firm.id, district=deed.district):
        raise unknown(pointer)
    return firm


def my_home_firm(deed: Deed, firm_id: UUID) -> Firm:
    """The same, and the firm's own books must be kept in this deed's district."""
    firm = my_firm(deed, firm_id)
    if firm.home_district != deed.district:
        raise unknown("/firm_id")
    return firm


def my_account(deed: Deed, account_id: UUID) -> Account:
    """The account that the address names, unlocked."""
    account = deed.db.get(Account, (deed.district, account_id))
    if account is None:
        raise NotFound
    deed.actor.must_reach(firm=account.firm_id, district=deed.district)
    return account


def resting(deed: Deed, refusal: Refusal) -> Refusal:
    """The refusal with the basis its rule has here today, unless a gate has given it one."""
    if refusal.basis:
        return refusal
    law = current().at(str(deed.district), clock.day_of(deed.recorded_at))
    return refusal.resting_on(law.basis(refusal.rule))

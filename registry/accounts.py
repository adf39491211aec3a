"""Verbs: accounts (用户: a household's standing with one firm, in one registrant's name), and contracts.

Locks: premises → household → account → person → cards (house wall 14).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa

from core import clock
from core.ids import new_id
from core.problems import WrongField
from core.refusal import Refusal, Refused
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import account_refusals as no
from registry import lettings, proxies, queries, sealing
from registry.account_gate import AccountBusiness, AccountFacts
from registry.cards import CardGiven, enter_card
from registry.documents import age_on, check_document
from registry.exceptions import excepted_rules
from registry.mentions import my_account, my_firm, named, resting, standing_person, unknown
from registry.models import (
    Account,
    AccountOrigin,
    CardException,
    Contract,
    Firm,
    Household,
    ResidentRegistration,
    UserClass,
)
from registry.states import ACCOUNT, AccountState
from registry.succession_models import FormerHolder
from rulebook import current
from rulebook.decisions import decision_of
from rulebook.gate import judge


class SuspensionReason(StrEnum):
    """Why supply to an account is stopped."""

    HAZARD = "hazard"
    INSPECTION_REFUSED = "inspection_refused"
    CONTRACT_BREACH = "contract_breach"
    USER_REQUEST = "user_request"


@does("account.open")
def open_account(
    deed: Deed,
    *,
    household_id: UUID,
    person_id: UUID,
    firm_id: UUID,
    applied_on: date,
    kind: AccountBusiness,
    cards: Sequence[CardGiven],
) -> Answer:
    """Judged for the day of application, in the district of the premises. Opened today."""
    firm = my_firm(deed, firm_id)
    _day_must_be_judgeable(deed, applied_on)
    party = queries.booking_party(deed.db, deed.district, household_id, lock=True)
    if party is None:
        raise unknown("/household_id")
    standing_person(deed, person_id)
    deed.about(SubjectType.HOUSEHOLD, household_id)
    deed.about(SubjectType.PERSON, person_id)
    deed.at(firm=firm.id)
    deed.note(applied_on=applied_on, kind=kind, models=[card["cylinder_model"] for card in cards])
    opening = Opening(
        firm_id=firm.id,
        person_id=person_id,
        origin=AccountOrigin.OPENED,
        applied_on=applied_on,
        opened_on=clock.day_of(deed.recorded_at),
        cards=[{**card, "exception": CardException.FIRST_SUPPLY} for card in cards],
    )
    reasons = [
        *_household_refusals(party.household, party.account),
        *judged(deed, "account.open", applied_on, kind, party.premises.street_code, household_id),
        *registrant_refusals(deed, party.household.user_class, person_id, applied_on),
        *cards_refusals(deed, party.household.user_class, cards),
    ]
    if reasons:
        raise Refused(sorted(reasons, key=lambda refusal: refusal.rule))
    account, card_ids = enter_account(deed, party.household, opening)
    for card_id in card_ids:
        deed.about(SubjectType.CARD, card_id)
    deed.note(account_id=account.id, to_review=account.to_review)
    return {"account_id": str(account.id), "card_ids": [str(card_id) for card_id in card_ids]}


@does("account.transfer")
def transfer_account(
    deed: Deed, account_id: UUID, *, person_id: UUID, applied_on: date, kind: AccountBusiness
) -> Answer:
    """Another registrant takes the account over (过户, also on a succession)."""
    seen = my_account(deed, account_id)
    _day_must_be_judgeable(deed, applied_on)
    party = queries.booking_party(deed.db, deed.district, seen.household_id, lock=True)
    standing_person(deed, person_id)
    deed.about(SubjectType.HOUSEHOLD, seen.household_id)
    deed.about(SubjectType.PERSON, person_id)
    deed.at(firm=seen.firm_id)
    deed.note(account_id=account_id, applied_on=applied_on, kind=kind)
    if party is None or party.account is None or party.account.id != account_id:
        raise Refused([no.ACCOUNT_NOT_OPEN(state=seen.state)])
    account, household = party.account, party.household
    deed.about(SubjectType.PERSON, account.person_id)
    street = party.premises.street_code
    reasons = judged(deed, "account.transfer", applied_on, kind, street, seen.household_id)
    if account.state is not AccountState.OPEN:
        reasons.append(resting(deed, no.ACCOUNT_NOT_OPEN(state=account.state)))
    if account.person_id != person_id:
        reasons += registrant_refusals(deed, household.user_class, person_id, applied_on)
    if reasons:
        raise Refused(sorted(reasons, key=lambda refusal: refusal.rule))
    pass_to(deed, household, account, person_id)
    account.to_review = account.to_review or is_barred(deed, "A03", clock.day_of(deed.recorded_at))
    deed.note(to_review=account.to_review)
    return {"account_id": str(account.id)}


@does("account.suspend")
def suspend_account(deed: Deed, account_id: UUID, *, reason: SuspensionReason) -> Answer:
    account = _locked(deed, account_id)
    deed.note(account_id=account.id, reason=reason)
    ACCOUNT.move(deed.db, account, "suspend")
    return {"account_id": str(account.id)}


@does("account.resume")
def resume_account(deed: Deed, account_id: UUID) -> Answer:
    account = _locked(deed, account_id)
    deed.note(account_id=account.id)
    ACCOUNT.move(deed.db, account, "resume")
    return {"account_id": str(account.id)}


@does("contract.sign")
def sign_contract(
    deed: Deed,
    *,
    account_id: UUID,
    number: str,
    valid_from: date,
    valid_until: date,
    firm_id: UUID | None = None,
) -> Answer:
    """A business's supply contract, both days included; with the account's own firm where none is named.

    Another firm enters its own contract with a business too: from then on the business has two suppliers,
    and is supplied by none (A08) until one of the contracts has ended.
    """
    account = named(deed.db.get(Account, (deed.district, account_id), with_for_update=True), "/account_id")
    supplier = firm_id or account.firm_id
    if not deed.actor.reach.covers(firm=supplier, district=deed.district):
        raise unknown("/firm_id" if firm_id else "/account_id")
    named(deed.db.get(Firm, supplier), "/firm_id")
    household = deed.db.get_one(Household, (deed.district, account.household_id))
    deed.about(SubjectType.HOUSEHOLD, household.id)
    deed.at(firm=supplier)
    deed.note(account_id=account.id, valid_from=valid_from, valid_until=valid_until)
    reasons = []
    if account.state is AccountState.CLOSED:
        reasons.append(no.ACCOUNT_NOT_OPEN(state=account.state))
    if household.user_class is UserClass.RESIDENT:
        reasons.append(no.NO_CONTRACT_FOR_RESIDENT())
    if reasons:
        raise Refused([resting(deed, refusal) for refusal in reasons])
    contract = enter_contract(deed, account, number, valid_from, valid_until, supplier)
    deed.note(contract_id=contract.id)
    return {"contract_id": str(contract.id), "account_id": str(account.id)}


@dataclass(frozen=True, slots=True)
class Opening:
    """An account about to be written, by opening or by import."""

    firm_id: UUID
    person_id: UUID
    origin: AccountOrigin
    applied_on: date
    opened_on: date
    cards: Sequence[CardGiven]
    import_id: UUID | None = None


def cards_refusals(deed: Deed, user_class: UserClass, cards: Sequence[CardGiven]) -> Iterator[Refusal]:
    """One card a resident household."""
    if user_class is UserClass.RESIDENT and len(cards) > 1:
        yield resting(deed, no.SECOND_CARD())


def enter_account(deed: Deed, household: Household, opening: Opening) -> tuple[Account, list[UUID]]:
    account = Account(
        district=deed.district,
        id=new_id(),
        household_id=household.id,
        firm_id=opening.firm_id,
        person_id=opening.person_id,
        state=AccountState.OPEN,
        origin=opening.origin,
        applied_on=opening.applied_on,
        opened_on=opening.opened_on,
        import_id=opening.import_id,
        to_review=is_barred(deed, "A02", opening.opened_on),
        recorded_at=deed.recorded_at,
    )
    deed.db.add(account)
    deed.db.flush()
    register_resident(deed, household, account)
    return account, [enter_card(deed, household, account, card).id for card in opening.cards]


def enter_contract(
    deed: Deed,
    account: Account,
    number: str,
    valid_from: date,
    valid_until: date,
    firm_id: UUID | None = None,
) -> Contract:
    """With the account's own firm where none is named."""
    contract = Contract(
        district=deed.district,
        id=new_id(),
        account_id=account.id,
        firm_id=firm_id or account.firm_id,
        number=number,
        valid_from=valid_from,
        valid_until=valid_until,
        recorded_at=deed.recorded_at,
    )
    deed.db.add(contract)
    deed.db.flush()
    return contract


def pass_to(deed: Deed, household: Household, account: Account, person_id: UUID) -> None:
    """Another person holds the account from now on; who held it until now is known for their term (N03)."""
    release_registrant(deed, account)
    deed.db.add(
        FormerHolder(
            district=account.district,
            account_id=account.id,
            person_id=account.person_id,
            until_at=deed.recorded_at,
        )
    )
    account.person_id = person_id
    deed.db.flush()
    register_resident(deed, household, account)


def release_registrant(deed: Deed, account: Account) -> None:
    """The registrant is free to be another resident household's; whom they named acts here no more.

    Who let the home let it to them: under whom the next registrant lives is entered anew.
    """
    proxies.end_given(deed, account.household_id, account.person_id)
    lettings.end_living(deed, account.household_id)
    deed.db.execute(
        sa.update(ResidentRegistration)
        .where(
            ResidentRegistration.person_id == account.person_id,
            ResidentRegistration.account_id == account.id,
            ResidentRegistration.active,
        )
        .values(active=False)
    )


def is_barred(deed: Deed, rule: str, day: date) -> bool:
    """Was the bar in force here on the day the thing was done?

    It was done on an application from before the bar. Between the day the bar took effect and the day it
    was published nobody could know of it; later somebody must look at what proves the earlier day. Such
    accounts are supplied and stand on the review list.
    """
    return current().look(rule, str(deed.district), day) is not None


def judged(
    deed: Deed,
    gate: str,
    applied_on: date,
    kind: AccountBusiness,
    street: str,
    household_id: UUID | None = None,
    lifted: tuple[str, ...] = (),
) -> list[Refusal]:
    """The moratorium's answer, which is kept. ``household_id``: of a home that may have been excepted.

    ``lifted``: the rules that do not bind this very deed, by another rule that stands in their place (J04).
    """
    today = clock.day_of(deed.recorded_at)
    excepted = excepted_rules(deed.db, deed.district, household_id, today) if household_id else ()
    facts = AccountFacts(applied_on, kind, tuple(sorted({*excepted, *lifted})))
    verdict = judge(gate, facts, str(deed.district), applied_on, current())
    deed.keep(decision_of(verdict, deed.district, street))
    return list(verdict.reasons)


def _household_refusals(household: Household, account: Account | None) -> Iterator[Refusal]:
    if household.closed_at is not None:
        yield no.HOUSEHOLD_CLOSED()
    if account is not None and account.state is not AccountState.CLOSED:
        yield no.ACCOUNT_STANDS()


def registrant_refusals(deed: Deed, user_class: UserClass, person_id: UUID, day: date) -> Iterator[Refusal]:
    """Identified by a document still valid, old enough, and not another resident account's registrant."""
    today = clock.day_of(deed.recorded_at)
    check = queries.identity_of(deed.db, person_id)
    if check is None or (check.valid_until is not None and check.valid_until < today):
        yield resting(deed, no.REGISTRANT_NOT_VERIFIED())
    least = current().look("A05.min_age_years", str(deed.district), day)
    if check is not None and least is not None and isinstance(least.value, int):
        number = sealing.opened(deed.db, deed.ground, sealing.number_of(check))
        born_on = check_document(check.document_kind, number, today).born_on if number else None
        if born_on is not None and (born_on > day or age_on(born_on, day) < least.value):
            refusal = no.REGISTRANT_TOO_YOUNG(min_age_years=least.value)
            yield refusal.resting_on(least.basis)
    if user_class is UserClass.RESIDENT and _is_registrant(deed, person_id):
        yield resting(deed, no.REGISTRANT_HAS_ANOTHER())


def _is_registrant(deed: Deed, person_id: UUID) -> bool:
    active = sa.select(ResidentRegistration.id).where(
        ResidentRegistration.person_id == person_id, ResidentRegistration.active
    )
    return deed.db.scalars(active.limit(1)).first() is not None


def register_resident(deed: Deed, household: Household, account: Account) -> None:
    """From now on this person is the registrant of this home, and of no other."""
    if household.user_class is UserClass.RESIDENT:
        deed.db.add(
            ResidentRegistration(
                person_id=account.person_id,
                id=new_id(),
                district=deed.district,
                account_id=account.id,
                active=True,
            )
        )
        deed.db.flush()


def _locked(deed: Deed, account_id: UUID) -> Account:
    """The account that the address names, locked, with its chain and columns set."""
    my_account(deed, account_id)
    account = deed.db.get_one(
        Account, (deed.district, account_id), with_for_update=True, populate_existing=True
    )
    deed.about(SubjectType.HOUSEHOLD, account.household_id)
    deed.at(firm=account.firm_id)
    return account


def _day_must_be_judgeable(deed: Deed, applied_on: date) -> None:
    if applied_on > clock.day_of(deed.recorded_at):
        raise WrongField("/applied_on", "future", "申请日不能在将来", "expected today or a day before")
    if applied_on < current().first_day:
        raise WrongField(
            "/applied_on",
            "before_rulebook",
            f"规则库从{current().first_day}开始，无法判断更早的申请",
            f"expected {current().first_day} or later: the rulebook knows no law before",
        )

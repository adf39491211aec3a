"""Verbs: premises and their households, accounts and their contracts.

    premises   a place where gas is used, found by a blind index of its address
    household  户: the family or business at that place; one is active per premises
    account    用户: the household's standing with one firm, in one registrant's name

Locks: premises → household → account → person → cards (house wall 14).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from core import clock
from core.geo import Datum, to_wgs84
from core.ids import new_id
from core.problems import WrongField
from core.refusal import Refusal, Refused
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import queries, sealing
from registry import refusals as no
from registry.account_gate import AccountBusiness, AccountFacts
from registry.cards import CardGiven, enter_card
from registry.documents import age_on, check_document
from registry.mentions import my_account, my_firm, named, resting, unknown
from registry.models import (
    Account,
    AccountOrigin,
    CardException,
    Contract,
    Household,
    Person,
    Premises,
    PremisesKind,
    ResidentRegistration,
    UserClass,
)
from registry.states import ACCOUNT, AccountState
from rulebook import current
from rulebook.decisions import decision_of
from rulebook.gate import judge


class SuspensionReason(StrEnum):
    """Why supply to an account is stopped."""

    HAZARD = "hazard"
    INSPECTION_REFUSED = "inspection_refused"
    CONTRACT_BREACH = "contract_breach"
    USER_REQUEST = "user_request"


@dataclass(frozen=True, slots=True)
class Place:
    """A place as a request gives it. Facts that nobody has looked at are None."""

    address: str
    point: Mapping[str, Any]
    street_code: str
    committee_code: str
    kind: PremisesKind
    user_class: UserClass
    vulnerable: bool = False
    piped_gas: bool | None = None
    lift: bool | None = None
    height_m: int | None = None
    floor_kind: str | None = None
    converted_to_pipe: bool | None = None
    has_cylinder_room: bool | None = None


SEEN = ("piped_gas", "lift", "height_m", "floor_kind", "converted_to_pipe", "has_cylinder_room")
"""The facts of premises that somebody must have looked at."""


# --------------------------------------------------------------------------------------------------------
# Premises and households


@does("premises.register")
def register_premises(deed: Deed, *, place: Place) -> Answer:
    """Enter the place and its household. An active household of the same class answers as it stands."""
    codes_must_nest(deed, place, "")
    premises = premises_at(deed, place.address)
    standing = premises and active_household(deed, premises.id)
    if premises and standing:
        deed.about(SubjectType.HOUSEHOLD, standing.id)
        if standing.user_class is not place.user_class:
            raise Refused([no.HOUSEHOLD_STANDS()])
        return {"premises_id": str(premises.id), "household_id": str(standing.id), "standing": True}
    household_id = new_id()
    deed.about(SubjectType.HOUSEHOLD, household_id)
    premises = premises or enter_premises(deed, place)
    household = enter_household(deed, premises, place, household_id)
    deed.note(
        premises_id=premises.id,
        household_id=household.id,
        street_code=premises.street_code,
        kind=premises.kind,
        user_class=household.user_class,
        **{name: getattr(premises, name) for name in SEEN},
    )
    return {"premises_id": str(premises.id), "household_id": str(household.id), "standing": False}


@does("premises.survey")
def survey_premises(deed: Deed, household_id: UUID, *, seen: Mapping[str, Any]) -> Answer:
    """Write down what was seen of the place; what is not named stays as it was."""
    party = queries.party_within_reach(deed.db, deed.actor, deed.district, household_id)
    premises = deed.db.get_one(Premises, (deed.district, party.premises.id), with_for_update=True)
    deed.about(SubjectType.HOUSEHOLD, household_id)
    deed.note(premises_id=premises.id, **seen)
    for name, value in seen.items():
        setattr(premises, name, value)
    return {"premises_id": str(premises.id), "household_id": str(household_id)}


def premises_at(deed: Deed, address: str) -> Premises | None:
    """The premises at this address, locked; looked for under every live index key."""
    indexes = sealing.address_indexes(deed.ground, address)
    return deed.db.scalars(
        sa.select(Premises)
        .where(
            Premises.district == deed.district,
            sa.tuple_(Premises.address_scheme, Premises.address_index).in_(
                [(index.scheme, index.digest) for index in indexes]
            ),
        )
        .with_for_update()
    ).first()


def active_household(deed: Deed, premises_id: UUID) -> Household | None:
    return deed.db.scalars(
        sa.select(Household).where(
            Household.district == deed.district,
            Household.premises_id == premises_id,
            Household.closed_at.is_(None),
        )
    ).one_or_none()


def enter_premises(deed: Deed, place: Place) -> Premises:
    index = sealing.address_index(deed.ground, place.address)
    at = to_wgs84(place.point["lon"], place.point["lat"], Datum(place.point["datum"]))
    premises = Premises(
        district=deed.district,
        id=new_id(),
        street_code=place.street_code,
        committee_code=place.committee_code,
        address_scheme=index.scheme,
        address_index=index.digest,
        lon=at.lon,
        lat=at.lat,
        kind=place.kind,
        recorded_at=deed.recorded_at,
        **{name: getattr(place, name) for name in SEEN},
    )
    deed.db.add(premises)
    deed.db.flush()
    return premises


def enter_household(deed: Deed, premises: Premises, place: Place, household_id: UUID) -> Household:
    household = Household(
        district=deed.district,
        id=household_id,
        premises_id=premises.id,
        user_class=place.user_class,
        address_sealed=sealing.seal_address(deed.db, deed.ground, household_id, place.address),
        vulnerable=place.vulnerable,
        closed_at=None,
        recorded_at=deed.recorded_at,
    )
    deed.db.add(household)
    deed.db.flush()
    return household


def codes_must_nest(deed: Deed, place: Place, pointer: str) -> None:
    """Division codes of nine and twelve digits nest; units without one (a park) have local codes."""
    if place.street_code.isdigit() and not place.street_code.startswith(str(deed.district)):
        raise WrongField(
            f"{pointer}/street_code",
            "not_here",
            "街镇代码不属于本区",
            "expected a street of the district in the address",
        )
    if place.committee_code.isdigit() and not place.committee_code.startswith(place.street_code):
        raise WrongField(
            f"{pointer}/committee_code",
            "not_here",
            "村居代码不属于该街镇",
            "expected a committee of that street",
        )


# --------------------------------------------------------------------------------------------------------
# Accounts


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
    named(deed.db.get(Person, person_id, with_for_update=True), "/person_id")
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
        *judged(deed, "account.open", applied_on, kind),
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
    if party is None or party.account is None or party.account.id != account_id:
        raise Refused([no.ACCOUNT_NOT_OPEN(state=seen.state)])
    account, household = party.account, party.household
    named(deed.db.get(Person, person_id, with_for_update=True), "/person_id")
    deed.about(SubjectType.HOUSEHOLD, household.id)
    deed.about(SubjectType.PERSON, account.person_id)
    deed.about(SubjectType.PERSON, person_id)
    deed.at(firm=account.firm_id)
    deed.note(account_id=account.id, applied_on=applied_on, kind=kind)
    reasons = judged(deed, "account.transfer", applied_on, kind)
    if account.state is not AccountState.OPEN:
        reasons.append(resting(deed, no.ACCOUNT_NOT_OPEN(state=account.state)))
    if account.person_id != person_id:
        reasons += registrant_refusals(deed, household.user_class, person_id, applied_on)
    if reasons:
        raise Refused(sorted(reasons, key=lambda refusal: refusal.rule))
    release_registrant(deed, account)
    account.person_id = person_id
    _register_resident(deed, household, account)
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
    deed: Deed, *, account_id: UUID, number: str, valid_from: date, valid_until: date
) -> Answer:
    """A business's supply contract with the account's own firm; both days included."""
    account = named(deed.db.get(Account, (deed.district, account_id), with_for_update=True), "/account_id")
    if not deed.actor.reach.covers(firm=account.firm_id, district=deed.district):
        raise unknown("/account_id")
    household = deed.db.get_one(Household, (deed.district, account.household_id))
    deed.about(SubjectType.HOUSEHOLD, household.id)
    deed.at(firm=account.firm_id)
    deed.note(account_id=account.id, valid_from=valid_from, valid_until=valid_until)
    if household.user_class is UserClass.RESIDENT:
        raise Refused([resting(deed, no.NO_CONTRACT_FOR_RESIDENT())])
    contract = enter_contract(deed, account, number, valid_from, valid_until)
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
        to_review=is_late_opening(deed.district, opening.opened_on),
        recorded_at=deed.recorded_at,
    )
    deed.db.add(account)
    deed.db.flush()
    _register_resident(deed, household, account)
    return account, [enter_card(deed, household, account, card).id for card in opening.cards]


def enter_contract(
    deed: Deed, account: Account, number: str, valid_from: date, valid_until: date
) -> Contract:
    contract = Contract(
        district=deed.district,
        id=new_id(),
        account_id=account.id,
        firm_id=account.firm_id,
        number=number,
        valid_from=valid_from,
        valid_until=valid_until,
        recorded_at=deed.recorded_at,
    )
    deed.db.add(contract)
    deed.db.flush()
    return contract


def release_registrant(deed: Deed, account: Account) -> None:
    """The registrant is free to be another resident household's."""
    deed.db.execute(
        sa.update(ResidentRegistration)
        .where(
            ResidentRegistration.person_id == account.person_id,
            ResidentRegistration.account_id == account.id,
            ResidentRegistration.active,
        )
        .values(active=False)
    )


def is_late_opening(district: int, opened_on: date) -> bool:
    """Was it opened between the day a bar took effect and the day the bar was published?

    Whoever opened then could not know. Such accounts are supplied and stand on the review list.
    """
    bar = current().look("A02", str(district), opened_on)
    return bar is not None and bar.issued is not None and bar.effective <= opened_on < bar.issued


def judged(deed: Deed, gate: str, applied_on: date, kind: AccountBusiness) -> list[Refusal]:
    """The moratorium's answer, which is kept."""
    verdict = judge(gate, AccountFacts(applied_on, kind), str(deed.district), applied_on, current())
    deed.keep(decision_of(verdict, deed.district))
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


def _register_resident(deed: Deed, household: Household, account: Account) -> None:
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

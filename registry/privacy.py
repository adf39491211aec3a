"""Verbs: what people may ask about their own data, and what is decided about it (PIPL 44 to 50).

    ask       a person, or a clerk for them, asks for a correction or for erasure
    decide    a clerk grants or declines it, with a reason; granted, it is done in the same deed
    withdraw  the person no longer asks

Erasure ends the key of the person's sealed data and every index by which they were found: name, telephone,
numbers, salts and the address of a home that stands empty are noise from then on, in copies of the database
too. The trace stays: it names a surrogate that leads to nobody. While an account is not closed
erasure is refused; while the term after closing runs the data are kept and used for nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import clock, outbox, sealed, sessions
from core.auth import Role, ScopeKind
from core.db import table_of
from core.doing import Doing
from core.ground import Ground
from core.ids import new_id
from core.problems import NotFound, WrongField
from core.refusal import Refused
from core.sealed import Subject
from core.sealed import SubjectType as SealedSubject
from evidence.deed import Answer, Deed, Stands, does
from evidence.models import SubjectType
from registry import people, proxies, queries, sealing
from registry import people_refusals as no
from registry.grants import end_rights
from registry.letting_models import Letting
from registry.mentions import is_erased, resting
from registry.models import Account, Household, Person, PersonDocument, PersonPhone, Premises
from registry.privacy_models import (
    CorrectedField,
    NoticeShown,
    PrivacyRequest,
    ProcessingStop,
    RequestKind,
    RequestReason,
)
from registry.proxy_models import ProxyConsent
from registry.states import PRIVACY_REQUEST, AccountState, PrivacyRequestState
from registry.terms import is_awaited, is_undecided, term_ends_on

NUMBER_CHANGED = "own_data.number_changed"
IN_PERSON = (RequestReason.DOCUMENT_SEEN, RequestReason.VISITED)


@does("own_data.ask")
def ask(
    deed: Deed,
    *,
    kind: RequestKind,
    field: CorrectedField | None = None,
    said: str | None = None,
    household_id: UUID | None = None,
) -> Answer:
    """A resident of their own; a clerk for the registrant of a household that is named."""
    account = _account_asked_about(deed, household_id)
    if account is not None:
        person_id = account.person_id
    else:
        person_id, account = _account_acted_for(deed)
        _must_be_a_proxys(kind, field)
    deed.db.get_one(Person, person_id, with_for_update={"read": True})
    if is_erased(deed.db, person_id):
        raise NotFound
    request = enter_request(deed, person_id, account, kind, field, said)
    return {"request_id": str(request.id)}


@does("own_data.withdraw")
def withdraw(deed: Deed, request_id: UUID) -> Answer:
    request = _locked(deed, request_id)
    if deed.actor.scope_id(ScopeKind.PERSON) != request.person_id:
        raise NotFound
    PRIVACY_REQUEST.move(deed.db, request, "withdraw")
    deed.note(request_id=request.id)
    return {"request_id": str(request.id)}


@does("own_data.decide")
def decide(deed: Deed, request_id: UUID, *, granted: bool, reason: RequestReason) -> Answer:
    """Done at once where granted: copied, corrected, erased or stopped (until ``erase_on``); or declined."""
    seen = _in_reach(deed, request_id)
    household = _lock_home(deed, seen)
    request = _locked(deed, request_id)
    deed.at(firm=request.firm_id)
    deed.note(request_id=request.id, kind=request.kind, granted=granted, reason=reason)
    if request.state is not PrivacyRequestState.ASKED:
        raise Refused([resting(deed, no.REQUEST_DECIDED(state=request.state))])
    if granted and reason not in IN_PERSON and is_of_nobody_seen(deed.db, request):
        raise WrongField(
            "/reason",
            "seen_in_person",
            "这是网上申请，没有见过本人：看过本人和证件才能办",
            "it was asked online by somebody nobody has seen: see the person and the document first",
        )
    if not granted:
        outcome: dict[str, Any] = {"outcome": "declined"}
    elif request.kind is RequestKind.COPY:
        outcome = _hand_over(deed, request)
    elif request.kind is RequestKind.CORRECTION:
        outcome = _correct(deed, request, household)
    else:
        outcome = erase_or_stop(deed, request.person_id)
    PRIVACY_REQUEST.move(deed.db, request, "grant" if granted else "decline")
    request.reason, request.decided_by, request.decided_at = reason, deed.actor.principal_id, deed.recorded_at
    deed.note(**outcome)
    return {"request_id": str(request.id), **outcome, "person_id": str(request.person_id)}


@does("person.retain")
def erase_when_due(deed: Deed, person_id: UUID) -> Answer:
    """The daily job's: what no term holds any more is erased without being asked for (PIPL 47).

    Whoever has to do with gas again since they were found due is left as they are: they have asked nothing.
    """
    deed.about(SubjectType.PERSON, person_id)
    person = deed.db.get_one(Person, person_id, with_for_update=True)
    if is_erased(deed.db, person_id):
        raise Stands({"outcome": "kept"})  # with ties to two districts they were found due in both
    homes = _homes_held_no_more(deed, person_id)
    is_due = clock.day_of(deed.recorded_at) >= term_ends_on(deed, person)
    if not is_due or is_awaited(deed.db, person_id):
        raise Stands({"outcome": "kept"})
    _erase(deed, person, homes)
    deed.note(outcome="erased")
    return {"outcome": "erased"}


def erase_or_stop(deed: Deed, person_id: UUID) -> dict[str, Any]:
    """Erased; or kept and used for nothing until the term after what was last is over."""
    person = deed.db.get_one(Person, person_id, with_for_update=True)
    homes = _homes_held_no_more(deed, person_id)
    if is_undecided(deed.db, person_id):
        raise Refused([resting(deed, no.ERASURE_HELD_BY_UNDECIDED())])
    proxies.end_held(deed, person_id)
    erase_on = term_ends_on(deed, person)
    if clock.day_of(deed.recorded_at) < erase_on:
        stop = {
            "person_id": person_id,
            "district": deed.district,
            "stopped_at": deed.recorded_at,
            "erase_on": erase_on,
        }
        # Whoever asks a second time came again in between: it is stopped from now.
        again = {name: stop[name] for name in ("district", "stopped_at", "erase_on")}
        stopping = insert(table_of(ProcessingStop)).values(stop)
        deed.db.execute(stopping.on_conflict_do_update(index_elements=["person_id"], set_=again))
        return {"outcome": "stopped", "erase_on": erase_on.isoformat()}
    _erase(deed, person, homes)
    return {"outcome": "erased"}


def _homes_held_no_more(deed: Deed, person_id: UUID) -> list[Household]:
    """Every home in this name; refused while an account of one is not closed."""
    homes = _homes_of(deed.db, person_id)
    if any(account.state is not AccountState.CLOSED for account, _ in homes):
        raise Refused([resting(deed, no.ERASURE_HELD_BY_ACCOUNT())])
    return [household for _, household in homes]


def _erase(deed: Deed, person: Person, households: list[Household]) -> None:
    db, person_id = deed.db, person.person_id
    sealed.erase(db, Subject(SealedSubject.PERSON, person_id))
    for table in (PersonDocument, PersonPhone):
        db.execute(sa.delete(table).where(table.person_id == person_id))
    for household in households:
        if not _is_anothers(db, household, person_id):
            sealed.erase(db, Subject(SealedSubject.HOUSEHOLD, household.id))
            deed.about(SubjectType.HOUSEHOLD, household.id)
    end_rights(deed, person.principal_id)


def _is_anothers(db: Session, household: Household, person_id: UUID) -> bool:
    """Somebody lives on there, or somebody else's account stood there whose own term may run."""
    others = sa.select(Account.id).where(
        Account.district == household.district,
        Account.household_id == household.id,
        Account.person_id != person_id,
    )
    return household.closed_at is None or db.scalars(others.limit(1)).first() is not None


def _hand_over(deed: Deed, request: PrivacyRequest) -> dict[str, Any]:
    """Whoever hands the copy over sees it: as with a reveal they have just shown who they are.

    A stopped processing bars nothing here: it is the person who asks. The copy itself is drawn afterwards.
    """
    refusals = [resting(deed, one) for one in people.who_looks_refusals(deed)]
    if refusals:
        raise Refused(refusals)
    people.enter_reveal(
        deed,
        request.household_id,
        request.person_id,
        sorted(field.value for field in people.RevealField),
        people.RevealReason.OWN_REQUEST,
        people.RevealPurpose.ANSWER_REQUEST,
    )
    return {"outcome": "copied", "made_at": clock.stamp(deed.recorded_at)}


def is_of_nobody_seen(db: Session, request: PrivacyRequest) -> bool:
    """Asked online without signing in: then the house itself showed the notice, in that same deed."""
    shown = sa.exists().where(
        NoticeShown.person_id == request.person_id,
        NoticeShown.shown_by == outbox.HOUSE,
        NoticeShown.shown_at == request.asked_at,
    )
    return bool(db.scalar(sa.select(shown)))


def give_way(deed: Deed, before: PrivacyRequest) -> None:
    """What nobody saw asked is withdrawn by the house for the next one, and not by the person."""
    PRIVACY_REQUEST.move(deed.db, before, "withdraw")
    before.decided_by, before.decided_at = outbox.HOUSE, deed.recorded_at


def _replaces(db: Session, request: PrivacyRequest) -> bool:
    """Another number was asked for online before, in whatever district, and gave way to this one."""
    gave_way = sa.exists().where(
        PrivacyRequest.person_id == request.person_id,
        PrivacyRequest.id < request.id,
        PrivacyRequest.field == CorrectedField.PHONE,
        PrivacyRequest.state == PrivacyRequestState.WITHDRAWN,
        PrivacyRequest.decided_by == outbox.HOUSE,
        PrivacyRequest.decided_at == request.asked_at,
    )
    return request.field is CorrectedField.PHONE and bool(db.scalar(sa.select(gave_way)))


# --- corrections --------------------------------------------------------------------------------------------


def _correct(deed: Deed, request: PrivacyRequest, household: Household) -> dict[str, Any]:
    said = sealing.opened(deed.db, deed.ground, sealing.said_of(request))
    if said is None or request.field is None:
        raise NotFound  # erased since it was asked
    if request.field is CorrectedField.ADDRESS:
        _correct_address(deed, household, said)
    else:
        person = deed.db.get_one(Person, request.person_id, with_for_update=True)
        column = f"{request.field.value}_sealed"
        if request.field is CorrectedField.PHONE:
            _keep_former(deed, request, person)
        setattr(person, column, sealing.seal_person(deed.db, deed.ground, request.person_id, column, said))
        if request.field is CorrectedField.PHONE:
            # Who holds the old telephone may be signed in by it, or have asked for a code there.
            sessions.end_all(deed.db, person.principal_id)
            deed.db.execute(sa.delete(PersonPhone).where(PersonPhone.person_id == request.person_id))
            people.enter_phone(deed, request.person_id, said)
    return {"outcome": "corrected", "field": request.field.value}


def _keep_former(deed: Deed, request: PrivacyRequest, person: Person) -> None:
    """Whoever holds the telephone until now is told once more that it was changed."""
    former = sealing.opened(deed.db, deed.ground, sealing.phone_of(person))
    if former is not None:
        request.former_sealed = sealing.seal_former(deed.db, deed.ground, request, former)
        deed.tell(NUMBER_CHANGED, request_id=request.id)


def _correct_address(deed: Deed, household: Household, said: str) -> None:
    """The place stays the place; only how its address is written changes, and how it is found."""
    household.address_sealed = sealing.seal_address(deed.db, deed.ground, household.id, said)
    premises = deed.db.get_one(Premises, (household.district, household.premises_id))
    index = sealing.address_index(deed.ground, said)
    premises.address_scheme, premises.address_index = index.scheme, index.digest
    deed.about(SubjectType.HOUSEHOLD, household.id)
    deed.db.flush()


def enter_request(
    deed: Deed,
    person_id: UUID,
    account: Account,
    kind: RequestKind,
    field: CorrectedField | None,
    said: str | None,
) -> PrivacyRequest:
    """A person's request, waiting to be decided by the firm of the account."""
    deed.about(SubjectType.PERSON, person_id)
    deed.at(firm=account.firm_id)
    request = PrivacyRequest(
        district=deed.district,
        id=new_id(),
        person_id=person_id,
        household_id=account.household_id,
        firm_id=account.firm_id,
        kind=kind,
        field=field,
        said_sealed=None,
        state=PrivacyRequestState.ASKED,
        asked_at=deed.recorded_at,
    )
    if said is not None:
        said = sealing.plain_phone(said) if field is CorrectedField.PHONE else said
        request.said_sealed = sealing.seal_request(deed.db, deed.ground, request, said)
    deed.db.add(request)
    deed.note(request_id=request.id, kind=kind, field=field)
    return request


# --- rows ---------------------------------------------------------------------------------------------------


def _account_asked_about(deed: Deed, household_id: UUID | None) -> Account | None:
    """None for a resident in whose name there never was one: they act for others."""
    if deed.actor.role is Role.RESIDENT:
        person_id = deed.actor.scope_id(ScopeKind.PERSON)
        own = sa.select(Account).where(Account.district == deed.district, Account.person_id == person_id)
        if household_id is not None:
            own = own.where(Account.household_id == household_id)
        account = deed.db.scalars(own.order_by(Account.id.desc()).limit(1)).first()
        if account is None and household_id is None:
            return None
    else:
        if household_id is None:
            raise WrongField("/household_id", "required", "必须填写", "expected a value, found none")
        account = queries.party_within_reach(deed.db, deed.actor, deed.district, household_id).account
    if account is None:
        raise NotFound
    return account


def _account_acted_for(deed: Deed) -> tuple[UUID, Account]:
    """A proxy without an account asks the firm of the home they were last named for, a landlord of that they
    last let."""
    person_id = deed.actor.scope_id(ScopeKind.PERSON)
    named_for = sa.select(ProxyConsent.household_id).where(
        ProxyConsent.district == deed.district, ProxyConsent.proxy_id == person_id
    )
    lets = sa.select(Letting.household_id).where(
        Letting.district == deed.district, Letting.landlord_id == person_id
    )
    last = (
        deed.db.scalars(named_for.order_by(ProxyConsent.id.desc()).limit(1)).first()
        or deed.db.scalars(lets.order_by(Letting.id.desc()).limit(1)).first()
    )
    account = queries.account_of(deed.db, deed.district, last) if last is not None else None
    if account is None:
        raise NotFound
    return person_id, account


def _must_be_a_proxys(kind: RequestKind, field: CorrectedField | None) -> None:
    """The home is not theirs: neither its address nor a paper copy handed out in its name."""
    if kind is RequestKind.COPY:
        raise WrongField("/kind", "own_page", "请在网上自己下载", "expected correction or erasure")
    if field is CorrectedField.ADDRESS:
        raise WrongField("/field", "not_yours", "您名下没有用气地址", "expected name or phone")


def _in_reach(deed: Deed, request_id: UUID) -> PrivacyRequest:
    request = deed.db.get(PrivacyRequest, (deed.district, request_id))
    if request is None:
        raise NotFound
    deed.actor.must_reach(firm=request.firm_id, district=request.district, person=request.person_id)
    return request


def _locked(deed: Deed, request_id: UUID) -> PrivacyRequest:
    _in_reach(deed, request_id)
    request = deed.db.get_one(
        PrivacyRequest, (deed.district, request_id), with_for_update=True, populate_existing=True
    )
    deed.about(SubjectType.PERSON, request.person_id)
    return request


def _lock_home(deed: Deed, request: PrivacyRequest) -> Household:
    """Premises, household, then the person: in the order of the house."""
    party = queries.booking_party(deed.db, deed.district, request.household_id, lock=True)
    if party is None:
        raise NotFound
    deed.db.get_one(Person, request.person_id, with_for_update=True)
    return party.household


def _homes_of(db: Session, person_id: UUID) -> list[tuple[Account, Household]]:
    """Every account in this name, in every district."""
    rows = db.execute(
        sa.select(Account, Household)
        .join(
            Household, sa.and_(Household.district == Account.district, Household.id == Account.household_id)
        )
        .where(Account.person_id == person_id)
        .order_by(Account.id)
    )
    return [(row.Account, row.Household) for row in rows]


def waiting(doing: Doing) -> list[Mapping[str, Any]]:
    """The district's undecided requests within reach, the oldest first."""
    query = sa.select(PrivacyRequest).where(
        PrivacyRequest.district == doing.district, PrivacyRequest.state == PrivacyRequestState.ASKED
    )
    with doing.ground.sessions() as db:
        rows = db.scalars(query.order_by(PrivacyRequest.asked_at, PrivacyRequest.id)).all()
        reach = doing.actor.reach
        own = [row for row in rows if reach.covers(firm=row.firm_id, district=row.district)]
        return request_views(db, doing.ground, own)


def requests_of(db: Session, ground: Ground, district: int, person_id: UUID) -> list[Mapping[str, Any]]:
    """Everything this person ever asked here, the latest first."""
    rows = db.scalars(
        sa.select(PrivacyRequest)
        .where(PrivacyRequest.district == district, PrivacyRequest.person_id == person_id)
        .order_by(PrivacyRequest.id.desc())
    ).all()
    return request_views(db, ground, rows)


def request_views(db: Session, ground: Ground, rows: Sequence[PrivacyRequest]) -> list[Mapping[str, Any]]:
    """With what the person wrote, in clear: who decides has to read it; and whether anybody saw who asked."""
    texts = sealing.all_opened(db, ground, [sealing.said_of(row) for row in rows if row.said_sealed])
    said = iter(texts)
    return [
        {column.key: getattr(row, column.key) for column in sa.inspect(PrivacyRequest).column_attrs}
        | {
            "said": next(said) if row.said_sealed else None,
            "nobody_seen": is_of_nobody_seen(db, row),
            "replaces": _replaces(db, row),
        }
        for row in rows
    ]

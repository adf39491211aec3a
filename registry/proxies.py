"""Verbs: name somebody who may book or receive for one's home, answer that, end it (代办).

Both sides say yes: the registrant by naming, the other by their own sign-in; or both on a paper, which a
counter records. Both are told of each step, after the commit (``proxy_messages``). With the registrant's
account ends what they allowed others. Locks: premises → household → account → person → consent.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from core import clock, limits, outbox
from core.auth import Role, ScopeKind
from core.doing import Doing
from core.ids import new_id
from core.limits import Limit
from core.problems import NotFound, WrongField
from core.refusal import Refusal, Refused
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import people, sealing
from registry import proxy_refusals as no
from registry.mentions import resting, standing_person, unknown
from registry.models import Person, PersonPhone
from registry.proxy_models import ProxyConsent
from registry.queries import BookingParty, booking_party, reach_of
from registry.states import PROXY_CONSENT, AccountState, ProxyState
from rulebook import current

OPEN = (ProxyState.NAMED, ProxyState.AGREED)
NAMED, AGREED, TURNED_DOWN, ENDED = "proxy.named", "proxy.agreed", "proxy.turned_down", "proxy.ended"
"""What both are told of."""

NAMED_A_DAY = Limit("proxy.named", 10, timedelta(days=1))
"""Whoever names somebody sends a message to a number that they chose."""


def name_proxy(doing: Doing, household_id: UUID, **asked: Any) -> Answer:
    """What ``_name`` takes; how often a registrant names somebody is counted before anything is looked up."""
    if doing.actor.role is Role.RESIDENT:
        limits.count(doing.ground, NAMED_A_DAY, str(doing.actor.principal_id))
    return _name(doing, household_id, **asked)


@does("proxy.name")
def _name(
    deed: Deed,
    household_id: UUID,
    *,
    may_book: bool,
    may_receive: bool,
    until_on: date,
    phone: str | None = None,
    person_id: UUID | None = None,
    paper: str | None = None,
) -> Answer:
    """By the registrant, who says a ``phone``; or at a counter: ``person_id`` and the ``paper`` both signed.

    A number that is nobody's is taken like any other: it is never answered.
    """
    party = _locked_home(deed, household_id)
    assert party.account is not None
    by_counter = deed.actor.role is not Role.RESIDENT
    _must_fit(by_counter, phone, person_id, paper, may_book or may_receive)
    if until_on < clock.day_of(deed.recorded_at):
        raise WrongField("/until_on", "past", "不能早于今天", "expected today or a later day")
    proxy = _proxy_at_hand(deed, person_id) if person_id else None
    deed.about(SubjectType.HOUSEHOLD, household_id)
    deed.about(SubjectType.PERSON, party.account.person_id)
    deed.at(firm=party.account.firm_id)
    deed.note(may_book=may_book, may_receive=may_receive, until_on=until_on, paper=paper)
    reasons = list(_naming_refusals(deed, party, proxy, until_on))
    if reasons:
        raise Refused([resting(deed, one) for one in reasons])
    index = sealing.phone_indexes(deed.ground, phone)[0] if phone is not None else None
    row = ProxyConsent(
        district=deed.district,
        id=new_id(),
        household_id=household_id,
        person_id=party.account.person_id,
        proxy_id=proxy.person_id if proxy else None,
        phone_scheme=index and index.scheme,
        phone_index=index and index.digest,
        may_book=may_book,
        may_receive=may_receive,
        valid_from=clock.day_of(deed.recorded_at),
        valid_until=until_on,
        paper=paper,
        state=ProxyState.NAMED,
        named_by=deed.actor.principal_id,
        named_at=deed.recorded_at,
    )
    deed.db.add(row)
    deed.db.flush()
    deed.note(consent_id=row.id)
    if proxy is not None:
        _agree(deed, row, proxy.person_id)
    else:
        deed.tell(NAMED, consent_id=row.id)
    return {"consent_id": str(row.id)}


@does("proxy.answer")
def answer(deed: Deed, consent_id: UUID, *, agreed: bool) -> Answer:
    """By whoever is reached under the number that was named; a family that shares it: whoever is first."""
    person_id = deed.actor.scope_id(ScopeKind.PERSON)
    row = _locked(deed, consent_id)
    if not is_meant(deed, row, person_id):
        raise NotFound
    deed.about(SubjectType.HOUSEHOLD, row.household_id)
    deed.note(consent_id=consent_id, agreed=agreed)
    if row.valid_until < clock.day_of(deed.recorded_at):
        raise Refused([resting(deed, no.CONSENT_LAPSED(until_on=row.valid_until))])
    if agreed:
        _agree(deed, row, person_id)
    else:
        deed.about(SubjectType.PERSON, person_id)
        row.proxy_id = person_id
        deed.db.flush()
        PROXY_CONSENT.move(deed.db, row, "turn_down")
        _answered(deed, row)
        deed.tell(TURNED_DOWN, consent_id=row.id)
    return {"consent_id": str(consent_id)}


@does("proxy.end")
def end(deed: Deed, consent_id: UUID) -> Answer:
    """By who gave it, by who has it, or at a counter for either."""
    row = _locked(deed, consent_id)
    if not _may_end(deed, row):
        raise NotFound
    deed.about(SubjectType.HOUSEHOLD, row.household_id)
    deed.note(consent_id=consent_id)
    _end(deed, row)
    deed.tell(ENDED, consent_id=row.id)
    return {"consent_id": str(consent_id)}


# --- within an open deed ----------------------------------------------------------------------------------


def end_given(deed: Deed, household_id: UUID, person_id: UUID) -> None:
    """What this registrant allowed others ends: the home is theirs no more. It is locked."""
    here = sa.and_(ProxyConsent.household_id == household_id, ProxyConsent.person_id == person_id)
    _end_all(deed, sa.and_(ProxyConsent.district == deed.district, here))


def end_held(deed: Deed, person_id: UUID) -> None:
    """What this person was named for ends, in every district: they asked to be forgotten."""
    _end_all(deed, ProxyConsent.proxy_id == person_id)


def _end_all(deed: Deed, which: sa.ColumnElement[bool]) -> None:
    rows = deed.db.scalars(
        sa.select(ProxyConsent)
        .where(which, ProxyConsent.state.in_(OPEN))
        .order_by(ProxyConsent.district, ProxyConsent.id)
        .with_for_update()
    ).all()
    for row in rows:
        _end(deed, row)
        outbox.tell(deed.db, row.district, ENDED, {"consent_id": str(row.id)})
    if rows:
        deed.note(consents_ended=[row.id for row in rows])


# --------------------------------------------------------------------------------------------------------


def is_meant(deed: Deed, row: ProxyConsent, person_id: UUID) -> bool:
    """Whether this person is reached under the number that was named, and is not who named it."""
    if row.phone_index is None or person_id == row.person_id:
        return False
    return deed.db.get(PersonPhone, (row.phone_scheme, row.phone_index, person_id)) is not None


def _proxy_at_hand(deed: Deed, person_id: UUID) -> Person:
    """A customer of the counter's own, or whom it has just identified: nobody else's file is touched."""
    try:
        people.must_be_reached(deed.db, deed.actor, deed.district, person_id)
    except NotFound:
        raise unknown("/person_id") from None
    return standing_person(deed, person_id)


def _locked_home(deed: Deed, household_id: UUID) -> BookingParty:
    party = booking_party(deed.db, deed.district, household_id, lock=True)
    if party is None:
        raise NotFound
    deed.actor.must_reach(**reach_of(party))
    if party.account is None or party.account.state is AccountState.CLOSED:
        raise NotFound
    return party


def _must_fit(
    by_counter: bool, phone: str | None, person_id: UUID | None, paper: str | None, for_something: bool
) -> None:
    if by_counter and (person_id is None or paper is None or phone is not None):
        raise WrongField(
            "/paper",
            "paper",
            "柜台办理要有代办人和双方签字的委托书",
            "expected person_id and paper, no phone",
        )
    if not by_counter and (phone is None or person_id is not None or paper is not None):
        raise WrongField("/phone", "required", "请填代办人的手机号", "expected the proxy's telephone number")
    if not for_something:
        raise WrongField("/may_book", "nothing", "至少选一样", "expected booking, receiving or both")


def _naming_refusals(
    deed: Deed, party: BookingParty, proxy: Person | None, until_on: date
) -> Iterator[Refusal]:
    today = clock.day_of(deed.recorded_at)
    law = current().at(str(deed.district), today)
    most_days, most = law.integer("A15.most_days"), law.integer("A15.most_at_once")
    assert party.account is not None
    if proxy is not None and proxy.person_id == party.account.person_id:
        yield no.PROXY_IS_SELF()
    if most_days is not None and until_on > today + timedelta(days=most_days - 1):
        yield no.PROXY_TOO_LONG(most_days=most_days, until_on=until_on)
    open_now = deed.db.scalar(
        sa.select(sa.func.count()).where(
            ProxyConsent.district == deed.district,
            ProxyConsent.household_id == party.household.id,
            ProxyConsent.person_id == party.account.person_id,
            ProxyConsent.state.in_(OPEN),
            ProxyConsent.valid_until >= today,
        )
    )
    if most is not None and (open_now or 0) >= most:
        yield no.TOO_MANY_PROXIES(most=most)


def _locked(deed: Deed, consent_id: UUID) -> ProxyConsent:
    row = deed.db.get(ProxyConsent, (deed.district, consent_id), with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound
    return row


def _may_end(deed: Deed, row: ProxyConsent) -> bool:
    if deed.actor.role is Role.RESIDENT:
        return any(deed.actor.reach.covers(person=one) for one in (row.person_id, row.proxy_id) if one)
    party = booking_party(deed.db, deed.district, row.household_id)
    return party is not None and deed.actor.reach.covers(**reach_of(party))


def _agree(deed: Deed, row: ProxyConsent, proxy_id: UUID) -> None:
    """One consent stands between two at a time: a newer one follows the older."""
    deed.about(SubjectType.PERSON, proxy_id)
    older = deed.db.scalars(
        sa.select(ProxyConsent)
        .where(
            ProxyConsent.district == row.district,
            ProxyConsent.household_id == row.household_id,
            ProxyConsent.proxy_id == proxy_id,
            ProxyConsent.state == ProxyState.AGREED,
        )
        .with_for_update()
    ).all()
    for one in older:
        _end(deed, one)
    row.proxy_id = proxy_id
    deed.db.flush()
    PROXY_CONSENT.move(deed.db, row, "agree")
    _answered(deed, row)
    deed.tell(AGREED, consent_id=row.id)


def _answered(deed: Deed, row: ProxyConsent) -> None:
    """The number has served: nothing of it stays."""
    row.phone_scheme = row.phone_index = None
    row.answered_by, row.answered_at = deed.actor.principal_id, deed.recorded_at
    deed.db.flush()


def _end(deed: Deed, row: ProxyConsent) -> None:
    PROXY_CONSENT.move(deed.db, row, "end")
    row.phone_scheme = row.phone_index = None
    row.ended_by, row.ended_at = deed.actor.principal_id, deed.recorded_at
    deed.db.flush()

"""Verbs: who lets a home to its registrant is entered, and ended (出租登记).

A newer one takes the place of the one before. With the registrant's account it ends: the lease was theirs.
Locks: premises → household → account → person → letting.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

from core import clock
from core.doing import Doing
from core.ids import new_id
from core.problems import FieldFault, NotFound, WrongField
from core.refusal import Refused
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import letting_queries, people
from registry import letting_refusals as no
from registry.letting_models import Letting
from registry.mentions import resting, standing_person, unknown
from registry.models import Account, Person
from registry.queries import BookingParty, booking_party, identity_of, party_within_reach, reach_of
from registry.states import AccountState

MOST_SHOWN = 100
ENTERED, ENDED = "letting.entered", "letting.ended"
"""What both sides are told of, after the commit (``letting_messages``)."""


@does("letting.enter")
def enter(
    deed: Deed, household_id: UUID, *, person_id: UUID, reference: str, from_on: date, until_on: date
) -> Answer:
    """``reference``: of the lease. One that begins later is entered on its first day."""
    party = _locked_home(deed, household_id)
    account = party.account
    if account is None or account.state is AccountState.CLOSED:
        raise NotFound
    landlord = _landlord(deed, account, person_id)
    faults = list(_day_faults(clock.day_of(deed.recorded_at), from_on, until_on))
    if faults:
        raise WrongField.all(faults)
    deed.about(SubjectType.PERSON, landlord.person_id)
    end_living(deed, household_id)
    row = Letting(
        district=deed.district,
        id=new_id(),
        household_id=household_id,
        landlord_id=landlord.person_id,
        reference=reference,
        from_on=from_on,
        until_on=until_on,
        recorded_by=deed.actor.principal_id,
        recorded_at=deed.recorded_at,
    )
    deed.db.add(row)
    deed.db.flush()
    deed.note(letting_id=row.id, reference=reference, from_on=from_on, until_on=until_on)
    deed.tell(ENTERED, letting_id=row.id)
    return {"household_id": str(household_id), "letting_id": str(row.id)}


@does("letting.end")
def end(deed: Deed, household_id: UUID, letting_id: UUID) -> Answer:
    _locked_home(deed, household_id)
    row = deed.db.get(Letting, (deed.district, letting_id), with_for_update=True, populate_existing=True)
    if row is None or row.household_id != household_id:
        raise NotFound
    deed.note(letting_id=letting_id)
    if row.ended_at is not None:
        raise Refused([resting(deed, no.LETTING_ENDED(ended_on=clock.day_of(row.ended_at)))])
    _end(deed, row)
    return {"household_id": str(household_id), "letting_id": str(letting_id)}


def end_living(deed: Deed, household_id: UUID) -> None:
    """Within an open deed: what stood for this home ends. The home is locked."""
    row = letting_queries.living(deed.db, deed.district, household_id, lock=True)
    if row is not None:
        _end(deed, row)
        deed.note(letting_ended=row.id)


def lettings(doing: Doing, household_id: UUID) -> list[dict[str, Any]]:
    """Of a home within reach, the latest first."""
    with doing.ground.sessions() as db:
        party_within_reach(db, doing.actor, doing.district, household_id)
        return letting_queries.lettings_of(db, doing.ground, doing.district, household_id, MOST_SHOWN)


# --------------------------------------------------------------------------------------------------------


def _locked_home(deed: Deed, household_id: UUID) -> BookingParty:
    party = booking_party(deed.db, deed.district, household_id, lock=True)
    if party is None:
        raise NotFound
    deed.actor.must_reach(**reach_of(party))
    deed.about(SubjectType.HOUSEHOLD, household_id)
    if party.account is not None:
        deed.at(firm=party.account.firm_id)
    return party


def _landlord(deed: Deed, account: Account, person_id: UUID) -> Person:
    """A customer of the counter's own, or whom it has just identified, whose data were not erased."""
    try:
        people.must_be_reached(deed.db, deed.actor, deed.district, person_id)
    except NotFound:
        raise unknown("/person_id") from None
    person = standing_person(deed, person_id)
    if person_id == account.person_id:
        raise WrongField(
            "/person_id", "registrant", "房东不能是登记人本人", "expected another than the registrant"
        )
    if identity_of(deed.db, person_id) is None:
        raise WrongField("/person_id", "not_identified", "房东要先实名核验", "expected somebody identified")
    return person


def _day_faults(today: date, from_on: date, until_on: date) -> Iterator[FieldFault]:
    if from_on > today:
        yield FieldFault("/from_on", "future", "不能在将来", "expected today or a day before")
    if until_on < from_on:
        yield FieldFault("/until_on", "order", "不能早于起租日", "expected a day not before the first")
    elif until_on < today:
        yield FieldFault("/until_on", "past", "不能早于今天", "expected today or a later day")


def _end(deed: Deed, row: Letting) -> None:
    row.ended_at, row.ended_by = deed.recorded_at, deed.actor.principal_id
    deed.db.flush()
    deed.tell(ENDED, letting_id=row.id)

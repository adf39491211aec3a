"""Two people at once: the database lets one win, and the other hears a worded no, kept like any other."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from core.auth import Role, ScopeKind
from core.ground import Ground
from core.refusal import Refused
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from evidence.verify import verify
from registry import acts, queries
from registry.cards import enter_card
from registry.models import (
    Account,
    Binding,
    Card,
    Household,
    IdentityCheck,
    Person,
    Premises,
    ResidentRegistration,
    Vehicle,
)
from registry.premises_models import ClosingReason
from registry.states import AccountState, CardState
from tests.cast import Cast, made
from tests.conftest import doing_as
from tests.registry.proofs import codes, count, entries

pytestmark = pytest.mark.both_ends


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Every call in a thread of its own, let go together; their answers in order."""
    answers: list[Any] = [None] * len(calls)
    barrier = threading.Barrier(len(calls))

    def go(number: int) -> None:
        barrier.wait()
        answers[number] = calls[number]()

    threads = [threading.Thread(target=go, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def statuses(answers: list[Any]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


def test_of_bindings_of_one_vehicle_exactly_one_wins(cast: Cast, ground: Ground) -> None:
    first = cast.bind()
    vehicle = cast.vehicle()
    bodies = []
    for _ in range(4):
        crew = type(first)(first.binding_id, cast.courier(), vehicle, cast.device(), first.zone_id)
        bodies.append(cast.binding_body(crew))
    calls = [lambda body=body: cast.dispatcher.post(cast.at("bindings"), body) for body in bodies]
    answers = at_once(*calls)
    assert statuses(answers) == [201, 409, 409, 409]
    for answer in answers:
        if answer.status_code == 409:
            assert codes(answer) == ["binding.vehicle_bound"]
    with ground.sessions() as db:
        rows = db.scalars(sa.select(Binding).where(Binding.vehicle_id == vehicle)).all()
        assert len(rows) == 1
        assert not list(verify(db))
    outcomes = [entry["outcome"] for entry in entries(ground, "binding.bind")]
    assert (outcomes.count("done"), outcomes.count("refused")) == (2, 3)


@does("test.issue_unchecked")
def issue_unchecked(deed: Deed, account_id: UUID) -> Answer:
    """What card.issue does, with the application's own check left out."""
    account = deed.db.get_one(Account, (deed.district, account_id))
    household = deed.db.get_one(Household, (deed.district, account.household_id))
    deed.about(SubjectType.HOUSEHOLD, household.id)
    return {"card_id": str(enter_card(deed, household, account, {"cylinder_model": "YSP12"}).id)}


@does("test.close")
def close(deed: Deed, household_id: UUID) -> Answer:
    """As deliveries closes an account."""
    party = queries.booking_party(deed.db, deed.district, household_id, lock=True)
    assert party is not None
    assert party.account is not None
    acts.close_account(deed, party.household, party.account, ClosingReason.MOVED, "TH-1")
    return {}


def test_of_two_cards_of_one_resident_household_exactly_one_wins(cast: Cast, ground: Ground) -> None:
    users = cast.household()
    with ground.sessions() as db:
        db.execute(sa.update(Card).where(Card.id == users.card_ids[0]).values(state=CardState.CLOSED))
        db.commit()

    def try_one() -> Any:
        try:
            who = doing_as(ground, Role.ADMINISTRATOR, ScopeKind.ALL, "")
            return issue_unchecked(who, users.account_id)
        except Refused as refused:
            return refused

    answers = at_once(*[try_one] * 4)
    lost = [answer for answer in answers if isinstance(answer, Refused)]
    assert [[one.code for one in refused.refusals] for refused in lost] == [["card.household_has_one"]] * 3
    with ground.sessions() as db:
        live = db.scalars(sa.select(Card).where(Card.state != CardState.CLOSED)).all()
    assert len(live) == 1
    assert [one["outcome"] for one in entries(ground, "test.issue_unchecked")].count("refused") == 3


def test_of_two_accounts_of_one_household_exactly_one_wins(cast: Cast, ground: Ground) -> None:
    qingpu = Cast(cast.desk, 310118)
    household = str(qingpu.place())
    bodies = [
        {
            "household_id": household,
            "person_id": str(qingpu.person()),
            "firm_id": str(qingpu.firm()),
            "applied_on": "2024-06-12",
            "cards": [{"cylinder_model": "YSP35.5"}],
        }
        for _ in range(3)
    ]
    clerk = qingpu.clerk
    answers = at_once(*[lambda body=body: clerk.post(qingpu.at("accounts"), body) for body in bodies])
    assert statuses(answers) == [201, 409, 409]
    assert [count(ground, model) for model in (Account, Card, ResidentRegistration)] == [1, 1, 1]


def test_of_two_homes_of_one_person_exactly_one_wins(cast: Cast, ground: Ground) -> None:
    qingpu = Cast(cast.desk, 310118)
    person = str(qingpu.person())
    bodies = [
        {
            "household_id": str(qingpu.place()),
            "person_id": person,
            "firm_id": str(qingpu.firm()),
            "applied_on": "2024-06-12",
            "cards": [{"cylinder_model": "YSP35.5"}],
        }
        for _ in range(3)
    ]
    clerk = qingpu.clerk
    answers = at_once(*[lambda body=body: clerk.post(qingpu.at("accounts"), body) for body in bodies])
    assert statuses(answers) == [201, 409, 409]
    assert [codes(one) for one in answers if one.status_code == 409] == [
        ["account.registrant_has_another"]
    ] * 2
    assert count(ground, Account) == 1


def test_one_document_at_two_counters_is_one_person(cast: Cast, ground: Ground) -> None:
    body = cast.registrant(method="document_seen", notice_version="2021-11")
    clerk = cast.clerk
    answers = at_once(*[lambda: clerk.post(cast.at("people"), body)] * 4)
    assert count(ground, Person) == 1
    said = {answer.get_json()["person_id"] for answer in answers if answer.status_code in (200, 201)}
    assert len(said) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert codes(answer) == ["person.just_registered"]
    assert count(ground, IdentityCheck) == sum(answer.status_code in (200, 201) for answer in answers)


def test_one_address_at_two_counters_is_one_place(cast: Cast, ground: Ground) -> None:
    body = cast.place_body()
    clerk = cast.clerk
    answers = at_once(*[lambda: clerk.post(cast.at("premises"), body)] * 4)
    assert (count(ground, Premises), count(ground, Household)) == (1, 1)
    assert all(answer.status_code in (200, 201, 409) for answer in answers)


def test_one_plate_at_two_counters_is_one_vehicle(cast: Cast, ground: Ground) -> None:
    body = cast.vehicle_body()
    clerk = cast.clerk
    answers = at_once(*[lambda: clerk.post(cast.at("vehicles"), body)] * 4)
    assert statuses(answers) == [201, 409, 409, 409]
    assert {tuple(codes(one)) for one in answers if one.status_code == 409} == {("vehicle.plate_taken",)}
    assert count(ground, Vehicle) == 1


def test_a_closed_account_leaves_place_and_person_free_again(cast: Cast, ground: Ground) -> None:
    qingpu = Cast(cast.desk, 310118)
    registrant = qingpu.registrant()
    place = qingpu.place_body()
    row = qingpu.user_row(premises=place, registrant=registrant)
    users = qingpu.imported(row)
    who = doing_as(ground, Role.ADMINISTRATOR, ScopeKind.ALL, "", 310118)
    close(who, users.household_id)
    with ground.sessions() as db:
        assert db.get_one(Account, (310118, users.account_id)).state is AccountState.CLOSED
        assert db.get_one(Card, (310118, users.card_ids[0])).state is CardState.CLOSED
        assert db.get_one(Household, (310118, users.household_id)).closed_at is not None
    again = qingpu.imported(row)
    assert again.household_id != users.household_id
    assert count(ground, Premises) == 1
    file = made(qingpu.clerk.post(qingpu.at(f"households/{again.household_id}/surveys"), {}))
    assert file["account"]["state"] == "open"

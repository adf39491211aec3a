"""Somebody books or receives for another: named, agreed to, for some days; and whoever was not, does not."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from core import clock
from core.auth import Actor, Reach, Role, ScopeKind
from dispatch.deliveries.models import Delivery
from dispatch.orders import queries
from dispatch.orders.models import BookingRepeat, Order, Slot
from evidence.models import Entry, Link, Outcome, SubjectType
from evidence.verify import verify
from registry.models import Account, IdentityCheck
from registry.proxy_models import ProxyConsent
from registry.states import ProxyState
from rulebook.decisions import replay
from rulebook.models import Decision
from tests.cast import made
from tests.conftest import THE_DAY
from tests.desk import Desk, Person
from tests.dispatch.rounds.working_day import Home, WorkingDay, codes
from tests.dispatch.town import pointers

CHANGNING = 310105
ELDER, NEIGHBOUR = "13800001111", "13800002222"
UNTIL = "2024-12-31"


@dataclass
class Street:
    """An elder and a neighbour, each with a home of their own; ``elder`` is who names."""

    day: WorkingDay
    home: Home
    elder: Person
    neighbour: Person
    neighbour_id: UUID

    def name(self, **changed: Any) -> TestResponse:
        body = {"phone": NEIGHBOUR, "may_book": True, "may_receive": True, "until_on": UNTIL} | changed
        return self.elder.post(self.day.at(f"households/{self.home.users.household_id}/proxies"), body)

    def agree(
        self, consent: dict[str, Any], *, agreed: bool = True, who: Person | None = None
    ) -> TestResponse:
        path = self.day.at(f"proxies/{consent['id']}/answers")
        return (who or self.neighbour).post(path, {"agreed": agreed})

    def end(self, consent: dict[str, Any], who: Person) -> TestResponse:
        return who.post(self.day.at(f"proxies/{consent['id']}/endings"))

    def agreed(self, **changed: Any) -> dict[str, Any]:
        return made(self.agree(made(self.name(**changed))))

    def book(self, who: Person | None = None, slot: str | None = None) -> TestResponse:
        body = {
            "household_id": str(self.home.users.household_id),
            "slot_id": slot or self.day.slot(),
            "purpose": "cooking",
            "channel": "web",
            "card_ids": [str(card) for card in self.home.users.card_ids],
        }
        return (who or self.neighbour).post(self.day.at("orders"), body)


@pytest.fixture
def street(desk: Desk) -> Street:
    day = WorkingDay(desk)
    users = [
        day.cast.household(person=day.cast.registrant(phone=phone), exception=None)
        for phone in (ELDER, NEIGHBOUR)
    ]
    homes = [day._with_bottles(one, ["YSP35.5"]) for one in users]
    elder, neighbour = (day.resident(home) for home in homes)
    return Street(day, homes[0], elder, neighbour, day.cast.registrant_of(users[1]))


def rows(db: Session, model: Any) -> list[Any]:
    db.expire_all()
    return list(db.scalars(sa.select(model)))


def entries(db: Session, verb: str) -> list[Entry]:
    return list(db.scalars(sa.select(Entry).where(Entry.verb == verb).order_by(Entry.recorded_at, Entry.id)))


def test_what_a_stranger_asks_is_not_counted_as_the_home_asking_again(street: Street, db: Session) -> None:
    made(street.book(street.elder))
    for _ in range(2):
        assert codes(street.book(slot=street.day.slot(14))) == ["proxy.no_consent"]
    assert rows(db, BookingRepeat) == []
    assert codes(street.book(street.elder, street.day.slot(14))) == ["card.order_open"]
    assert [one.times for one in rows(db, BookingRepeat)] == [1]


# --- by both their words ----------------------------------------------------------------------------------


def test_the_named_one_agrees_and_books_for_the_card(street: Street, db: Session) -> None:
    named = made(street.name())
    assert (named["state"], named["mine"], named["proxy_masked"]) == ("named", True, None)
    [asked] = street.neighbour.get(street.day.at("own-proxies")).json["items"]
    assert (asked["id"], asked["to_answer"], asked["mine"]) == (named["id"], True, False)
    assert "样例住户" not in str(asked)
    agreed = made(street.agree(named))
    assert (agreed["state"], agreed["to_answer"]) == ("agreed", False)
    [row] = rows(db, ProxyConsent)
    assert (row.proxy_id, row.phone_index) == (street.neighbour_id, None)

    booked = made(street.book())
    [order] = rows(db, Order)
    assert order.person_id == street.day.cast.registrant_of(street.home.users)
    assert order.booked_by == street.neighbour.principal_id
    [entry] = entries(db, "order.book")
    assert named["id"].encode() in entry.written
    assert street.book().status_code == 200, "the same again is the standing order"
    for who in (street.elder, street.neighbour):
        assert who.get(street.day.at(f"orders/{booked['id']}")).status_code == 200
        assert [one["id"] for one in who.get(street.day.at("orders")).json["items"]] == [booked["id"]]
    assert not list(verify(db))
    assert not list(replay(db))


def test_each_step_is_a_deed_about_the_home_and_its_people(street: Street, db: Session) -> None:
    consent = street.agreed()
    made(street.end(consent, street.elder))
    first, second = street.agreed(), street.agreed(may_receive=False)
    states = {str(one.id): one.state for one in rows(db, ProxyConsent)}
    assert (states[first["id"]], states[second["id"]]) == (ProxyState.ENDED, ProxyState.AGREED)
    for verb, people in (("proxy.name", 1), ("proxy.answer", 1), ("proxy.end", 0)):
        entry = entries(db, verb)[0]
        touched = list(db.scalars(sa.select(Link.subject_type).where(Link.entry_id == entry.id)))
        assert sorted(touched) == sorted([SubjectType.HOUSEHOLD, *[SubjectType.PERSON] * people]), verb
        assert NEIGHBOUR.encode() not in entry.written


def test_without_a_consent_nothing_is_booked_and_each_refusal_is_kept(street: Street, db: Session) -> None:
    """And nothing else of the home is told, though its account is suspended besides."""
    suspension = street.day.at(f"accounts/{street.home.users.account_id}/suspensions")
    made(street.day.cast.clerk.post(suspension, {"reason": "contract_breach"}))

    def not_booked(why: str) -> None:
        refused = street.book()
        assert codes(refused) == ["proxy.no_consent"], why
        assert (refused.json["reasons"][0]["rule"], bool(refused.json["refusal_no"])) == ("A15", True)

    not_booked("never named")
    named = made(street.name())
    not_booked("not answered")
    made(street.agree(named, agreed=False))
    not_booked("turned down")
    receives = street.agreed(may_book=False)
    not_booked("to receive only")
    made(street.end(receives, street.neighbour))
    not_booked("ended")
    assert rows(db, Order) == []
    assert [slot.taken for slot in rows(db, Slot)] == [0]
    kept = entries(db, "order.book")
    assert [entry.outcome for entry in kept] == [Outcome.REFUSED] * 5
    assert not any(b"account.suspended" in entry.written for entry in kept)
    assert {one.gate for one in rows(db, Decision)} >= {"booking", "premises"}


def test_a_consent_ends_with_its_last_day(street: Street, db: Session) -> None:
    street.agreed(until_on="2024-06-13")
    tomorrow = THE_DAY + timedelta(days=1)
    late = street.day.slot(16, date(2024, 6, 14))
    with clock.standing_at(tomorrow):
        assert street.book(slot=late).status_code == 201
        [order] = rows(db, Order)
        made(street.neighbour.post(street.day.at(f"orders/{order.id}/cancellations")))
    with clock.standing_at(tomorrow + timedelta(days=1)):
        assert codes(street.book(slot=late)) == ["proxy.consent_over"]
        assert street.neighbour.get(street.day.at(f"orders/{order.id}")).status_code == 404
    assert len(rows(db, Order)) == 1


def test_a_proxy_is_identified_and_a_new_registrant_has_named_nobody(street: Street, db: Session) -> None:
    street.agreed()
    db.add(
        IdentityCheck(
            person_id=street.neighbour_id,
            document_kind="resident_id",
            number_sealed=b"sealed",
            method="document_seen",
            passed=False,
            checked_by=uuid4(),
            checked_at=THE_DAY,
        )
    )
    db.commit()
    assert codes(street.book()) == ["proxy.not_verified"]
    heir = street.day.cast.person()
    db.get_one(Account, (CHANGNING, street.home.users.account_id)).person_id = heir
    db.commit()
    assert codes(street.book()) == ["proxy.no_consent"]
    household = street.home.users.household_id
    assert street.neighbour.get(street.day.at(f"households/{household}/slots")).status_code == 404
    named_before = street.day.at(f"households/{household}/proxies")
    assert street.day.cast.resident(heir).get(named_before).json["items"] == []  # type: ignore[index]
    assert len(street.day.cast.clerk.get(named_before).json["items"]) == 1  # type: ignore[index]


def test_the_slots_of_the_home_are_shown_to_its_proxy_alone(street: Street, desk: Desk) -> None:
    street.day.slot()
    path = street.day.at(f"households/{street.home.users.household_id}/slots")
    assert street.neighbour.get(path).status_code == 404
    consent = street.agreed()
    assert len(street.neighbour.get(path).json["items"]) == 1
    made(street.end(consent, street.elder))
    assert street.neighbour.get(path).status_code == 404
    file = street.day.at(f"households/{street.home.users.household_id}")
    assert street.neighbour.get(file).status_code == 403


# --- naming -----------------------------------------------------------------------------------------------


def test_a_number_that_is_nobodys_is_taken_like_any_other(street: Street) -> None:
    known, unknown = made(street.name()), made(street.name(phone="13900009999"))
    assert {**known, "id": 0, "named_at": 0} == {**unknown, "id": 0, "named_at": 0}


def test_only_whom_it_was_said_to_answers(street: Street, db: Session) -> None:
    consent = made(street.name())
    stranger = street.day.resident(street.day.home())
    for who in (stranger, street.elder):
        assert street.agree(consent, who=who).status_code == 404
    assert stranger.get(street.day.at("own-proxies")).json["items"] == []
    assert street.end(consent, stranger).status_code == 404
    assert [one.state for one in rows(db, ProxyConsent)] == [ProxyState.NAMED]
    made(street.agree(consent))
    assert street.agree(consent).status_code == 404, "it is answered once"


def test_a_home_has_three_at_once(street: Street, db: Session) -> None:
    first = made(street.name(phone="13900000001"))
    made(street.name(phone="13900000002"))
    made(street.name(phone="13900000003"))
    assert codes(street.name()) == ["proxy.too_many"]
    assert codes(street.name(until_on="2025-06-13")) == ["proxy.too_long", "proxy.too_many"]
    made(street.end(first, street.elder))
    made(street.name(until_on="2025-06-12"))
    assert len(rows(db, ProxyConsent)) == 4


def test_bad_input_names_nobody(street: Street, db: Session) -> None:
    for changed, pointer in (
        ({"phone": None}, "/phone"),
        ({"phone": "12"}, "/phone"),
        ({"may_book": False, "may_receive": False}, "/may_book"),
        ({"until_on": "2024-06-11"}, "/until_on"),
        ({"until_on": "soon"}, "/until_on"),
        ({"paper": "WT-1"}, "/phone"),
        ({"person_id": str(uuid4())}, "/phone"),
        ({"for_ever": True}, "/for_ever"),
    ):
        assert pointers(street.name(**changed)) == [pointer], changed
    assert rows(db, ProxyConsent) == []
    assert entries(db, "proxy.name") == []


# --- at the counter ---------------------------------------------------------------------------------------


def test_a_counter_records_what_both_signed(street: Street, desk: Desk, db: Session) -> None:
    path = street.day.at(f"households/{street.home.users.household_id}/proxies")
    body = {
        "person_id": str(street.neighbour_id),
        "paper": "WT-2024-17",
        "may_book": True,
        "may_receive": False,
        "until_on": UNTIL,
    }
    rival = desk.sign_in(Role.CLERK, firm=street.day.cast.another_firm())
    assert rival.post(path, body).status_code == 404
    assert pointers(street.day.cast.clerk.post(path, body | {"paper": None})) == ["/paper"]
    assert pointers(street.day.cast.clerk.post(path, body | {"person_id": str(uuid4())})) == ["/person_id"]
    own = str(street.day.cast.registrant_of(street.home.users))
    assert codes(street.day.cast.clerk.post(path, body | {"person_id": own})) == ["proxy.is_registrant"]
    consent = made(street.day.cast.clerk.post(path, body))
    assert consent["state"] == "agreed"
    assert street.book().status_code == 201
    assert len(street.day.cast.clerk.get(path).json["items"]) == 1
    assert rival.get(path).status_code == 404
    made(street.end(consent, street.day.cast.clerk))
    assert [one.state for one in rows(db, ProxyConsent)] == [ProxyState.ENDED]


# --- at the door ------------------------------------------------------------------------------------------


def test_a_proxy_reads_the_code_receives_and_confirms(street: Street, db: Session) -> None:
    consent = street.agreed(may_book=False)
    booked, bottle, _ = street.day.loaded(street.home)
    stranger = street.day.resident(street.day.home())
    made(street.day.arrive(booked))
    path = street.day.at(f"orders/{booked.order_id}")
    assert stranger.get(f"{path}/door-code").status_code == 404
    code = street.neighbour.get(f"{path}/door-code").json["code"]
    proof = {"kind": "door_code", "value": code}
    by_nobody = street.day.report(booked, bottle, proof=proof, consent_id=str(uuid4()))
    assert codes(street.day.deliver(booked, by_nobody)) == ["proxy.may_not_receive"]
    assert rows(db, Delivery) == []
    report = street.day.report(booked, bottle, proof=proof, consent_id=consent["id"], check=None)
    done = made(street.day.deliver(booked, report))
    assert (done["outcome"], done["consent_id"]) == ("delivered", consent["id"])
    assert street.neighbour.post(f"{path}/slot-changes", {"slot_id": street.day.slot(14)}).status_code == 404
    made(street.neighbour.post(f"{path}/confirmations", {"said": "received"}))
    assert [one.consent_id for one in rows(db, Delivery)] == [UUID(consent["id"])]


def test_who_may_only_book_reads_no_code_and_confirms_nothing(street: Street) -> None:
    consent = street.agreed(may_receive=False)
    booked, bottle, _ = street.day.loaded(street.home)
    made(street.day.arrive(booked))
    path = street.day.at(f"orders/{booked.order_id}")
    assert street.neighbour.get(path).status_code == 200
    assert street.neighbour.get(f"{path}/door-code").status_code == 404
    received = street.day.report(booked, bottle, consent_id=consent["id"])
    assert codes(street.day.deliver(booked, received)) == ["proxy.may_not_receive"]
    assert street.neighbour.post(f"{path}/confirmations", {"said": "received"}).status_code == 404


def test_orders_of_a_person_are_found_by_the_person_and_not_among_all(street: Street, db: Session) -> None:
    """In a city everybody's page would look through a million of them."""
    reach = Reach(Role.RESIDENT, ScopeKind.PERSON, str(street.neighbour_id), CHANGNING)
    actor = Actor(uuid4(), reach, CHANGNING)
    asked = sa.select(Order.id).where(Order.district == CHANGNING, queries._within(actor, CHANGNING))
    db.execute(sa.text("SET LOCAL enable_seqscan = off"))
    words = asked.compile(db.get_bind(), compile_kwargs={"literal_binds": True})
    plan = "\n".join(db.scalars(sa.text(f"EXPLAIN {words}")))
    assert "SubPlan" not in plan, plan

"""Who received, as a phone reports it later; and what a proxy may see of a visit."""

from datetime import date, time, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from dispatch.deliveries.models import Delivery
from evidence.verify import verify
from registry.proxy_models import ProxyConsent
from registry.proxy_queries import held_through
from registry.states import ProxyState
from tests.cast import CHANGNING, made
from tests.conftest import THE_DAY
from tests.desk import Person
from tests.dispatch.deliveries.test_deliveries_handover import a_mild_item
from tests.dispatch.rounds.working_day import Booked, Bottle, WorkingDay, a_check_that_finds, codes
from tests.phone import Phone

FAR = "13800007777"


@pytest.fixture
def phone(day: WorkingDay) -> Phone:
    return Phone(day.courier, CHANGNING, day.bound.device_id)


def later(minutes: float) -> Any:
    return clock.standing_at(THE_DAY + timedelta(minutes=minutes))


def named(day: WorkingDay, booked: Booked, person_id: UUID, **changed: Any) -> str:
    body = {"person_id": str(person_id), "paper": "WT-1", "may_book": False, "may_receive": True}
    path = day.at(f"households/{booked.home.users.household_id}/proxies")
    return str(made(day.cast.clerk.post(path, body | {"until_on": "2024-06-12"} | changed))["id"])


def ended(day: WorkingDay, consent_id: str) -> None:
    made(day.cast.clerk.post(day.at(f"proxies/{consent_id}/endings")))


def delivered(
    day: WorkingDay, phone: Phone, booked: Booked, bottle: Bottle, consent_id: str, minutes: float
) -> Any:
    """The codes of a late report of a handover to this proxy."""
    report = day.report(booked, bottle, consent_id=consent_id)
    del report["occurred_at"], report["point"]
    body = {"order_id": booked.order_id, **report}
    [answer] = phone.sent(phone.sign("deliver", body, at=THE_DAY + timedelta(minutes=minutes)))
    return answer["status"], answer["codes"]


def test_the_courier_has_on_the_road_who_may_receive_and_tells_it_later(
    day: WorkingDay, phone: Phone, db: Session
) -> None:
    """Ended between the handover and the report: it held when it happened, and that counts."""
    booked = day.order()
    consent = named(day, booked, day.cast.person(phone=FAR))
    books_only = named(day, booked, day.cast.person(), may_book=True, may_receive=False)
    round_id, bottle = day.round(), day.bottle()
    made(day.load(round_id, booked.line_ids[0], bottle.code))
    [stop] = made(day.courier.post(day.at(f"rounds/{round_id}/manifests")))["stops"]
    [receiver] = stop["receivers"]
    assert (receiver["consent_id"], "**" in receiver["name_masked"]) == (consent, True)
    assert books_only not in str(stop)
    read = day.dispatcher.get(day.at(f"rounds/{round_id}")).get_json()
    assert "receivers" not in str(read)
    with later(90):
        ended(day, consent)
    with later(240):
        assert delivered(day, phone, booked, bottle, consent, 60) == ("accepted", [])
    [visit] = db.scalars(sa.select(Delivery))
    assert visit.consent_id == UUID(consent)
    assert not list(verify(db))


def test_a_receiver_who_may_not_is_flagged_and_the_handover_stands(
    day: WorkingDay, phone: Phone, db: Session
) -> None:
    booked, bottle, _ = day.loaded()
    consent = named(day, booked, day.cast.person(phone=FAR))
    with later(30):
        ended(day, consent)
    with later(240):
        told = delivered(day, phone, booked, bottle, consent, 60)
    assert told == ("flagged", ["proxy.may_not_receive"])
    [visit] = db.scalars(sa.select(Delivery))
    assert (visit.outcome.value, visit.flags) == ("delivered", ["proxy.may_not_receive"])
    assert day.holder(bottle.cylinder_id) == ("household", booked.home.users.household_id)


NOON, MINUTE = clock.at(date(2024, 6, 12), time(12)), timedelta(minutes=1)
TODAY = {"valid_from": date(2024, 6, 12), "valid_until": date(2024, 6, 12)}


@pytest.mark.parametrize(
    ("held", "changed"),
    [
        (True, {}),
        (True, {"answered_at": NOON - MINUTE}),
        (False, {"answered_at": NOON}),
        (True, {"state": "ended", "ended_at": NOON + 2 * MINUTE}),
        (False, {"state": "ended", "ended_at": NOON + MINUTE}),
        (False, {"state": "ended", "ended_at": NOON - 2 * MINUTE}),
        (False, {"state": "ended", "answered_at": None, "ended_at": NOON + 5 * MINUTE}),
        (False, {"state": "turned_down"}),
        (False, {"state": "named", "answered_at": None}),
        (False, {"valid_from": date(2024, 6, 13), "valid_until": date(2024, 6, 13)}),
        (False, {"valid_from": date(2024, 6, 11), "valid_until": date(2024, 6, 11)}),
    ],
)
def test_a_consent_counts_for_its_time_alone(held: bool, changed: dict[str, Any]) -> None:
    """At noon of its one day, give or take a minute."""
    row = {"state": "agreed", "answered_at": NOON - 5 * MINUTE, "ended_at": None, **TODAY, **changed}
    one = ProxyConsent(**row | {"state": ProxyState(row["state"])})
    assert held_through(one, NOON - MINUTE, NOON + MINUTE) is held


def test_who_only_books_sees_nothing_of_what_was_found_in_the_home(day: WorkingDay) -> None:
    """The visit, its findings and the voucher are for who lives there, and for whom they let in."""
    booked, bottle, _ = day.loaded()
    books, receives = day.cast.person(phone=FAR), day.cast.person()
    named(day, booked, books, may_book=True, may_receive=False)
    named(day, booked, receives)
    check = a_check_that_finds(a_mild_item())
    elsewhere = named(day, Booked("", [], day.home()), receives)
    refused = day.deliver(booked, day.report(booked, bottle, check=check, consent_id=elsewhere))
    assert codes(refused) == ["proxy.may_not_receive"]
    made(day.deliver(booked, day.report(booked, bottle, check=None)))
    path = day.at(f"orders/{booked.order_id}")
    who: dict[UUID, Person] = {one: day.cast.resident(one) for one in (books, receives)}
    for one in who.values():
        assert one.get(path).get_json()["state"] == "delivered"
        assert one.get(f"{path}/progress").status_code == 200
        assert one.get(day.at("hazards")).get_json()["items"] == []
        standing = day.at(f"households/{booked.home.users.household_id}/safety")
        assert one.get(standing).status_code == 404
    for part in ("deliveries", "vouchers"):
        assert who[books].get(f"{path}/{part}").status_code == 404
        assert len(who[receives].get(f"{path}/{part}").get_json()["items"]) == 1

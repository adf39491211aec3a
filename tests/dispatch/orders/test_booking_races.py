"""Many at once: the database keeps the promises, also when nobody else does."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from core.auth import Role
from core.refusal import Refusal
from dispatch.orders import service
from dispatch.orders.models import BookingRepeat, Order, OrderLine, Slot
from evidence.verify import verify
from rulebook.gate import GATES
from tests.desk import Desk, Person
from tests.dispatch.town import TOMORROW, Home, Town, codes

pytestmark = pytest.mark.both_ends

ORDERS = "/api/v1/districts/310105/orders"


@pytest.fixture
def clerk(desk: Desk, town: Town) -> Person:
    return desk.sign_in(Role.CLERK, firm=town.firm)


@pytest.fixture
def gate_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The application says yes to everything: what is refused now, the database refuses."""

    def yes(facts: Any, law: Any) -> Iterator[Refusal]:
        yield from ()

    monkeypatch.setitem(GATES, "booking", replace(GATES["booking"], page=yes))


def at_once(asks: list[Callable[[], TestResponse]]) -> list[TestResponse]:
    started = threading.Barrier(len(asks))
    answers: list[TestResponse] = []

    def go(ask: Callable[[], TestResponse]) -> None:
        started.wait()
        answers.append(ask())

    threads = [threading.Thread(target=go, args=(ask,)) for ask in asks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def differently(clerk: Person, home: Home, slots: list[Any]) -> list[Callable[[], TestResponse]]:
    """Fifty bookings of one card, no two alike: each for a slot of its own."""
    return [lambda slot=slot: clerk.post(ORDERS, home.booking(slot)) for slot in slots]


def fifty_slots(town: Town) -> list[Any]:
    return [
        town.slot(day=TOMORROW + timedelta(days=day), hour=hour) for day in range(5) for hour in range(8, 18)
    ]


def exactly_one_stands(db: Session, answers: list[TestResponse]) -> list[TestResponse]:
    """The others, all refused."""
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: len(answers) - 1}
    assert len(db.scalars(sa.select(Order)).all()) == 1
    assert len(db.scalars(sa.select(OrderLine)).all()) == 1
    assert sum(slot.taken for slot in db.scalars(sa.select(Slot))) == 1
    assert not list(verify(db))
    return [answer for answer in answers if answer.status_code == 409]


def test_of_fifty_bookings_of_one_card_one_stands_and_the_rest_are_counted(
    town: Town, clerk: Person, db: Session
) -> None:
    home = town.home()
    answers = at_once(differently(clerk, home, fifty_slots(town)))
    for refused in exactly_one_stands(db, answers):
        assert codes(refused) == ["card.order_open"]
    [repeat] = db.scalars(sa.select(BookingRepeat)).all()
    assert repeat.times == 49


def test_of_two_first_refusals_at_once_both_are_counted(
    town: Town, clerk: Person, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other desk's row is committed after ours has looked for one and before ours is written."""
    home, slot = town.home(), town.slot()
    clerk.post(ORDERS, home.booking(slot))
    one_more = service._one_more

    def overtaken(*args: Any) -> sa.Executable:
        with town.ground.sessions() as other:
            other.execute(one_more(*args))
            other.commit()
        return one_more(*args)

    monkeypatch.setattr(service, "_one_more", overtaken)
    assert codes(clerk.post(ORDERS, home.booking(slot, purpose="other"))) == ["card.order_open"]
    assert db.scalars(sa.select(BookingRepeat)).one().times == 2
    assert not list(verify(db))


def test_with_the_gate_switched_off_the_database_still_holds_one_open_line_a_card(
    town: Town, clerk: Person, db: Session, gate_switched_off: None
) -> None:
    home = town.home()
    answers = at_once(differently(clerk, home, fifty_slots(town)))
    for refused in exactly_one_stands(db, answers):
        assert codes(refused) == ["card.order_open"]


def test_of_fifty_presses_of_one_button_one_order_stands_and_all_are_answered_with_it(
    town: Town, clerk: Person, db: Session
) -> None:
    home, slot = town.home(), town.slot()
    answers = at_once([lambda: clerk.post(ORDERS, home.booking(slot))] * 50)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 49}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert len(db.scalars(sa.select(Order)).all()) == 1


@pytest.mark.parametrize("gate", ["on", "off"])
def test_the_last_place_of_a_slot_is_given_once(
    town: Town, clerk: Person, db: Session, gate: str, request: pytest.FixtureRequest
) -> None:
    if gate == "off":
        request.getfixturevalue("gate_switched_off")
    slot = town.slot(capacity=1)
    homes = [town.home() for _ in range(10)]
    answers = at_once([lambda home=home: clerk.post(ORDERS, home.booking(slot)) for home in homes])
    for refused in exactly_one_stands(db, answers):
        assert codes(refused) == ["slot.full"]


def test_booking_and_cancelling_at_once_leave_the_slot_s_count_true(
    town: Town, clerk: Person, db: Session
) -> None:
    slot = town.slot(capacity=10)
    homes = [town.home() for _ in range(10)]
    orders = [clerk.post(ORDERS, home.booking(slot)).json["id"] for home in homes[:5]]
    cancel = [lambda order=order: clerk.post(f"{ORDERS}/{order}/cancellations") for order in orders]
    book = [lambda home=home: clerk.post(ORDERS, home.booking(slot)) for home in homes[5:]]
    answers = at_once([*cancel, *book, *cancel])
    assert Counter(answer.status_code for answer in answers) == {201: 10, 409: 5}
    assert db.scalars(sa.select(Slot)).one().taken == 5

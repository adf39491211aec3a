"""优先名额: a slot keeps places for homes looked after first, until its hour, also when many ask at once."""

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import Role, ScopeKind
from dispatch.orders.keeping import rooms_for
from dispatch.orders.models import Order, Slot
from registry.models import Household
from rulebook.models import Decision
from tests.conftest import doing_as
from tests.desk import Desk, Person
from tests.dispatch.orders.test_booking_races import at_once
from tests.dispatch.town import TOMORROW, Home, Town, codes, pointers

DISTRICT = "/api/v1/districts/310105"
ORDERS, SLOTS = f"{DISTRICT}/orders", f"{DISTRICT}/slots"
LATER = TOMORROW + timedelta(days=1)


@pytest.fixture
def clerk(desk: Desk, town: Town) -> Person:
    return desk.sign_in(Role.CLERK, firm=town.firm)


def first_home(town: Town) -> Home:
    home = town.home()
    town.change(Household, home.household, vulnerable=True)
    return home


def keeping(town: Town, *, capacity: int, kept: int, hour: int = 9) -> UUID:
    until = clock.at(TOMORROW) + timedelta(hours=hour)
    return town.slot(day=LATER, hour=hour, capacity=capacity, kept=kept, kept_until=until)


def book(clerk: Person, home: Home, slot: UUID) -> Any:
    return clerk.post(ORDERS, home.booking(slot))


def test_what_is_kept_goes_to_those_first_and_after_its_hour_to_anybody(
    town: Town, clerk: Person, db: Session
) -> None:
    slot = keeping(town, capacity=3, kept=2)
    assert book(clerk, town.home(), slot).status_code == 201
    ordinary = town.home()
    refused = book(clerk, ordinary, slot)
    assert codes(refused) == ["slot.kept_for_others"]
    assert refused.json["reasons"][0]["facts"] == {
        "kept_left": 2,
        "kept_until": "2024-06-13T09:00:00.000+08:00",
    }
    assert "vulnerable" not in str([one.facts for one in db.scalars(sa.select(Decision))])
    assert book(clerk, first_home(town), slot).status_code == 201
    assert codes(book(clerk, ordinary, slot)) == ["slot.kept_for_others"]
    with clock.standing_at(clock.at(TOMORROW) + timedelta(hours=9)):
        assert book(clerk, ordinary, slot).status_code == 201
    assert codes(book(clerk, first_home(town), slot)) == ["slot.full"]


def test_places_those_first_have_taken_are_no_longer_kept(town: Town, clerk: Person) -> None:
    slot = keeping(town, capacity=3, kept=1)
    order = book(clerk, first_home(town), slot).json["id"]
    assert book(clerk, town.home(), slot).status_code == 201
    assert clerk.post(f"{ORDERS}/{order}/cancellations").status_code == 201
    assert book(clerk, town.home(), slot).status_code == 201
    assert codes(book(clerk, town.home(), slot)) == ["slot.kept_for_others"]


def test_of_many_at_once_nobody_gets_what_is_kept(town: Town, clerk: Person, db: Session) -> None:
    """Twelve ordinary homes for a slot of six with four kept, and two of those first among them."""
    slot = keeping(town, capacity=6, kept=4)
    those_first = [first_home(town) for _ in range(2)]
    homes = [*(town.home() for _ in range(12)), *those_first]
    answers = at_once([lambda home=home: book(clerk, home, slot) for home in homes])
    assert Counter(one.status_code for one in answers) == {201: 4, 409: 10}
    refused = {code for one in answers if one.status_code == 409 for code in codes(one)}
    assert refused == {"slot.kept_for_others"}
    booked = set(db.scalars(sa.select(Order.household_id)))
    assert {home.household for home in those_first} <= booked
    assert (db.scalars(sa.select(Slot)).one().taken, len(booked)) == (4, 4)


def test_a_dispatcher_says_how_many_or_the_place_s_share_is_kept(
    town: Town, desk: Desk, clerk: Person, db: Session
) -> None:
    dispatcher = desk.sign_in(Role.DISPATCHER, firm=town.firm)

    def opened(hour: int, **more: Any) -> Any:
        body = {
            "zone_id": str(town.zone),
            "starts_at": f"2024-06-14T{hour:02}:00:00+08:00",
            "ends_at": f"2024-06-14T{hour + 1:02}:00:00+08:00",
            "capacity": 19,
        }
        return dispatcher.post(SLOTS, body | more)

    share, said, none = opened(8), opened(9, kept=5), opened(10, kept=0)
    assert [one.json["kept"] for one in (share, said, none)] == [1, 5, 0]
    assert share.json["kept_until"] == "2024-06-13T08:00:00.000+08:00"
    assert none.json["kept_until"] is None
    for wrong in (20, -1, "many"):
        assert pointers(opened(12, kept=wrong)) == ["/kept"]
    assert db.scalar(sa.select(sa.func.count()).select_from(Slot)) == 3


def test_a_home_s_page_offers_what_it_may_have(town: Town) -> None:
    full, free = keeping(town, capacity=2, kept=2), keeping(town, capacity=2, kept=1, hour=10)
    with town.ground.sessions() as db:
        slots = list(db.scalars(sa.select(Slot).order_by(Slot.starts_at)))
    for home, rooms in ((town.home(), [0, 1]), (first_home(town), [2, 2])):
        doing = doing_as(town.ground, Role.CLERK, ScopeKind.FIRM, str(town.firm))
        assert list(rooms_for(doing, home.household, slots).values()) == rooms
    assert [one.id for one in slots] == [full, free]

"""无接触交接 when booking: a wish that is kept with the order and moved with it, and can be switched off."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.auth import Role
from dispatch.orders.models import Order, Slot
from evidence.models import Entry, Outcome
from rulebook.decisions import replay
from tests.desk import Desk, Person
from tests.dispatch.deliveries.test_left_at_the_door import switched_off
from tests.dispatch.town import Home, Town, codes, pointers

DISTRICT = "/api/v1/districts/310105"
ORDERS = f"{DISTRICT}/orders"


@pytest.fixture
def home(town: Town) -> Home:
    return town.home()


@pytest.fixture
def resident(desk: Desk, home: Home) -> Person:
    return desk.sign_in(Role.RESIDENT, person=home.person)


@pytest.fixture
def clerk(desk: Desk, town: Town) -> Person:
    return desk.sign_in(Role.CLERK, firm=town.firm)


def orders(db: Session) -> list[Order]:
    db.expire_all()
    return list(db.scalars(sa.select(Order)))


def test_every_desk_books_it_and_whoever_says_nothing_has_it_in_person(
    town: Town, clerk: Person, db: Session
) -> None:
    slot, wished = town.slot(), {}
    for channel in ("hotline", "counter", "volunteer"):
        body = town.home().booking(slot, channel=channel, contactless=True)
        wished[clerk.post(ORDERS, body).json["id"]] = True
        wished[clerk.post(ORDERS, town.home().booking(slot, channel=channel)).json["id"]] = False
    assert {str(one.id): one.contactless for one in orders(db)} == wished
    for wish in ("yes", 1, None, [], "true"):
        answer = clerk.post(ORDERS, town.home().booking(slot, contactless=wish))
        assert (answer.status_code, list(pointers(answer))) == (422, ["/contactless"]), wish
    assert len(orders(db)) == len(wished)
    assert not list(replay(db))


def test_the_same_wish_again_is_the_standing_order_and_a_moved_one_keeps_it(
    town: Town, home: Home, resident: Person, db: Session
) -> None:
    slot = town.slot()
    first = resident.post(ORDERS, home.booking(slot, contactless=True))
    again = resident.post(ORDERS, home.booking(slot, contactless=True))
    assert (first.status_code, again.status_code, again.json["id"]) == (201, 200, first.json["id"])
    assert codes(resident.post(ORDERS, home.booking(slot))) == ["card.order_open"], "another wish"
    body = {"slot_id": str(town.slot(hour=14))}
    moved = resident.post(f"{ORDERS}/{first.json['id']}/slot-changes", body)
    assert moved.json["contactless"] is True
    assert [one.contactless for one in orders(db)] == [True]


def test_where_it_is_switched_off_it_is_refused_by_name_and_the_rest_is_served(
    town: Town, home: Home, resident: Person, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    slot, other = town.slot(), town.slot(hour=14)
    standing = resident.post(ORDERS, home.booking(slot, contactless=True)).json["id"]
    switched_off(monkeypatch)
    moved = resident.post(f"{ORDERS}/{standing}/slot-changes", {"slot_id": str(other)})
    assert codes(moved) == ["contactless.not_allowed"]
    resident.post(f"{ORDERS}/{standing}/cancellations")
    refused = resident.post(ORDERS, home.booking(slot, contactless=True))
    [reason] = refused.json["reasons"]
    assert (refused.status_code, reason["code"], reason["rule"]) == (409, "contactless.not_allowed", "A16")
    assert reason["basis"]["document"]
    assert reason["cure"]["action"] == "face_to_face"
    assert db.scalars(sa.select(Slot.taken).where(Slot.id == slot)).one() == 0
    kept = [one for one in db.scalars(sa.select(Entry).order_by(Entry.id)) if one.verb == "order.book"]
    assert [one.outcome for one in kept] == [Outcome.DONE, Outcome.REFUSED]
    assert resident.post(ORDERS, home.booking(slot)).status_code == 201

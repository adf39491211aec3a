"""Slots: opened by the zone's own dispatcher, within its hours, overlapping nothing."""

from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.auth import Role
from dispatch.orders import service
from dispatch.orders.models import Slot
from dispatch.orders.states import LineState, OrderState, order_state
from evidence.models import Entry, Link, Outcome
from tests.desk import Desk, Person
from tests.dispatch.town import Town, codes, pointers

SLOTS = "/api/v1/districts/310105/slots"


def span(town: Town, start: str, end: str, **change: Any) -> dict[str, Any]:
    body = {
        "zone_id": str(town.zone),
        "starts_at": f"2024-06-13T{start}:00+08:00",
        "ends_at": f"2024-06-13T{end}:00+08:00",
        "capacity": 4,
    }
    return body | change


@pytest.fixture
def dispatcher(desk: Desk, town: Town) -> Person:
    return desk.sign_in(Role.DISPATCHER, firm=town.firm)


def test_a_dispatcher_opens_a_slot_and_residents_see_the_room_left(
    town: Town, dispatcher: Person, desk: Desk, db: Session
) -> None:
    done = dispatcher.post(SLOTS, span(town, "08:00", "10:00"))
    assert done.status_code == 201, done.text
    home = town.home()
    resident = desk.sign_in(Role.RESIDENT, person=home.person)
    resident.post("/api/v1/districts/310105/orders", home.booking(UUID(done.json["id"])))
    [slot] = resident.get(SLOTS, day="2024-06-13").json["items"]
    assert (slot["capacity"], slot["taken"], slot["room_left"], slot["closed"]) == (4, 1, 3, False)
    assert slot["starts_at"] == "2024-06-13T08:00:00.000+08:00"
    entry = db.scalars(sa.select(Entry).where(Entry.verb == "slot.open")).one()
    link = db.scalars(sa.select(Link).where(Link.entry_id == entry.id)).one()
    assert (link.subject_type.value, link.subject_key) == ("register", "310105")


@pytest.mark.parametrize(
    ("start", "end", "refused"),
    [
        ("09:00", "10:00", ["slot.overlaps"]),
        ("08:00", "09:30", ["slot.overlaps"]),
        ("11:59", "13:00", ["slot.overlaps"]),
        ("07:59", "08:30", ["slot.outside_hours"]),
        ("17:00", "18:01", ["slot.outside_hours"]),
        ("07:00", "19:00", ["slot.outside_hours", "slot.overlaps"]),
    ],
)
def test_a_slot_outside_the_hours_or_over_another_is_refused_and_kept(
    town: Town, dispatcher: Person, db: Session, start: str, end: str, refused: list[str]
) -> None:
    dispatcher.post(SLOTS, span(town, "09:00", "12:00"))
    assert codes(dispatcher.post(SLOTS, span(town, start, end))) == refused
    assert len(db.scalars(sa.select(Slot)).all()) == 1
    entries = db.scalars(sa.select(Entry).order_by(Entry.recorded_at, Entry.id)).all()
    assert [entry.outcome for entry in entries] == [Outcome.DONE, Outcome.REFUSED]


def test_spans_are_half_open_and_reach_the_edges_of_the_hours(town: Town, dispatcher: Person) -> None:
    for start, end in (("08:00", "09:00"), ("09:00", "10:00"), ("17:00", "18:00")):
        assert dispatcher.post(SLOTS, span(town, start, end)).status_code == 201


def test_the_database_itself_refuses_an_overlap_by_name(
    town: Town, dispatcher: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_opening_refusals", lambda *_: [])
    assert dispatcher.post(SLOTS, span(town, "09:00", "12:00")).status_code == 201
    assert codes(dispatcher.post(SLOTS, span(town, "11:00", "13:00"))) == ["slot.overlaps"]


def test_a_slot_that_is_over_is_not_opened(town: Town, dispatcher: Person) -> None:
    past = {"starts_at": "2024-06-12T08:00:00+08:00", "ends_at": "2024-06-12T08:30:00+08:00"}
    assert codes(dispatcher.post(SLOTS, span(town, "08:00", "09:00") | past)) == ["slot.past"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"ends_at": "2024-06-13T08:00:00+08:00"}, "/ends_at"),
        ({"ends_at": "2024-06-14T08:00:00+08:00"}, "/ends_at"),
        ({"capacity": 0}, "/capacity"),
        ({"zone_id": str(uuid4())}, "/zone_id"),
    ],
)
def test_a_slot_is_a_span_of_one_day_of_a_known_zone(
    town: Town, dispatcher: Person, change: dict[str, Any], pointer: str
) -> None:
    assert pointers(dispatcher.post(SLOTS, span(town, "08:00", "09:00") | change)) == [pointer]


def test_another_firm_neither_opens_nor_closes_nor_sees_it(
    town: Town, dispatcher: Person, desk: Desk
) -> None:
    stranger = desk.sign_in(Role.DISPATCHER, firm=town.other_firm)
    assert pointers(stranger.post(SLOTS, span(town, "08:00", "09:00"))) == ["/zone_id"]
    slot = dispatcher.post(SLOTS, span(town, "08:00", "09:00")).json["id"]
    assert stranger.post(f"{SLOTS}/{slot}/closings").status_code == 404
    assert stranger.get(SLOTS).json["items"] == []


def test_a_closed_slot_takes_no_more_orders_and_keeps_those_it_has(
    town: Town, dispatcher: Person, desk: Desk
) -> None:
    slot = dispatcher.post(SLOTS, span(town, "08:00", "09:00")).json["id"]
    clerk = desk.sign_in(Role.CLERK, firm=town.firm)
    orders = "/api/v1/districts/310105/orders"
    standing = clerk.post(orders, town.home().booking(UUID(slot))).json["id"]
    assert dispatcher.post(f"{SLOTS}/{slot}/closings").json["closed"] is True
    assert codes(clerk.post(orders, town.home().booking(UUID(slot)))) == ["slot.closed"]
    assert clerk.get(f"{orders}/{standing}").json["state"] == "booked"


B, L, D = LineState.BOOKED, LineState.LOADED, LineState.DELIVERED
W, F, C = LineState.WITHHELD, LineState.FAILED, LineState.CANCELLED


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        ([B, B], OrderState.BOOKED),
        ([B, C], OrderState.BOOKED),
        ([B, L], OrderState.LOADED),
        ([D, L], OrderState.LOADED),
        ([D, B], OrderState.BOOKED),
        ([D, D], OrderState.DELIVERED),
        ([D, F], OrderState.PARTLY_DELIVERED),
        ([D, W, C], OrderState.PARTLY_DELIVERED),
        ([W, W], OrderState.WITHHELD),
        ([W, F], OrderState.WITHHELD),
        ([F, F], OrderState.FAILED),
        ([F, C], OrderState.FAILED),
        ([C, C], OrderState.CANCELLED),
    ],
)
def test_an_order_s_state_is_what_its_lines_say(lines: list[LineState], state: OrderState) -> None:
    assert order_state(lines) is state
    assert order_state(lines[::-1]) is state

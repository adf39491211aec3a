"""Booking a swap: who may, what is written, the same again, cancelling, and who sees it."""

import re
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import Role
from core.db import table_of
from core.idempotency import Idempotency
from dispatch.orders.models import IS_OPEN, BookingRepeat, Order, OrderLine, Slot
from dispatch.orders.states import OPEN_STATES, LineState
from evidence.models import Entry, Link, Outcome
from evidence.verify import verify
from registry.models import Account, Card, CardException
from rulebook.decisions import replay
from rulebook.models import Decision
from tests.cast import Cast, Users
from tests.conftest import THE_DAY
from tests.desk import Desk, Person
from tests.dispatch.town import CHANGNING, Home, Town, codes, pointers

ORDERS = "/api/v1/districts/310105/orders"


@pytest.fixture
def home(town: Town) -> Home:
    return town.home()


@pytest.fixture
def resident(desk: Desk, home: Home) -> Person:
    return desk.sign_in(Role.RESIDENT, person=home.person)


@pytest.fixture
def clerk(desk: Desk, town: Town) -> Person:
    return desk.sign_in(Role.CLERK, firm=town.firm)


@pytest.fixture
def dispatcher(desk: Desk, town: Town) -> Person:
    return desk.sign_in(Role.DISPATCHER, firm=town.firm)


def taken(db: Session, slot: UUID) -> int:
    db.expire_all()
    return db.get_one(Slot, (CHANGNING, slot)).taken


def entries(db: Session) -> list[Entry]:
    return list(db.scalars(sa.select(Entry).order_by(Entry.recorded_at, Entry.id)))


def touched(db: Session, entry: Entry) -> list[str]:
    return sorted(db.scalars(sa.select(Link.subject_type).where(Link.entry_id == entry.id)))


def load(town: Town, line: OrderLine) -> None:
    town.change(OrderLine, line.id, state=LineState.LOADED)


def test_a_resident_books_a_swap(town: Town, home: Home, resident: Person, db: Session) -> None:
    slot = town.slot()
    done = resident.post(ORDERS, home.booking(slot))
    assert done.status_code == 201, done.text
    assert (done.json["state"], done.json["purpose"]) == ("booked", "cooking")
    [line] = done.json["lines"]
    assert (line["card_id"], line["cylinder_model"], line["state"]) == (
        str(home.cards[0]),
        "YSP35.5",
        "booked",
    )
    assert taken(db, slot) == 1


def test_the_deed_names_its_subjects_and_both_decisions_are_kept(
    town: Town, home: Home, resident: Person, db: Session
) -> None:
    done = resident.post(ORDERS, home.booking(town.slot()))
    [entry] = entries(db)
    assert (entry.verb, entry.outcome, entry.firm_id, entry.zone_id) == (
        "order.book",
        Outcome.DONE,
        town.firm,
        town.zone,
    )
    assert touched(db, entry) == ["card", "household", "order"]
    decisions = {one.gate: one for one in db.scalars(sa.select(Decision))}
    order = db.get_one(Order, (CHANGNING, UUID(done.json["id"])))
    assert decisions.keys() == {"booking", "premises"}
    assert all(one.allowed for one in decisions.values())
    assert (order.decision_id, order.premises_decision_id) == (
        decisions["booking"].id,
        decisions["premises"].id,
    )
    assert not list(verify(db))
    assert not list(replay(db))


def test_a_booking_reads_each_table_once(town: Town, home: Home, resident: Person, clerk: Person) -> None:
    """What is locked and read once cannot be two things in one decision."""
    slot = town.slot()
    clerk.post(ORDERS, town.home().booking(slot))  # the zones' outlines are read once in a process
    body = home.booking(slot)
    bind = town.ground.sessions.kw["bind"]
    read: list[str] = []

    def noted(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        if found := re.match(r"SELECT.*?\sFROM (\w+)|INSERT INTO (supply_order)", statement, re.DOTALL):
            read.append(found[1] or "written")

    sa.event.listen(bind, "before_cursor_execute", noted)
    try:
        assert resident.post(ORDERS, body).status_code == 201
    finally:
        sa.event.remove(bind, "before_cursor_execute", noted)
    judged = read[1 : read.index("written")]  # with the grants: does it stand already? it judges nothing
    assert read[0] == "role_grant"
    assert {"premises", "household", "account", "card", "order_line", "licence", "zone"} <= set(judged)
    assert [table for table, times in Counter(judged).items() if times > 1] == []


def test_what_is_open_is_said_in_the_words_of_its_index() -> None:
    """With the states as parameters a prepared statement could not use it."""
    [index] = [one for one in table_of(OrderLine).indexes if one.name == "uq_order_line_open_card"]
    said = index.dialect_options["postgresql"]["where"].text
    assert str(IS_OPEN.compile()) == f"order_line.{said}"
    assert said == "state IN ({})".format(", ".join(f"'{state}'" for state in OPEN_STATES))


def test_a_business_books_for_two_cards_in_one_order(
    town: Town, clerk: Person, desk: Desk, db: Session
) -> None:
    noodles, slot = town.restaurant(), town.slot()
    done = clerk.post(ORDERS, noodles.booking(slot, purpose="catering", channel="hotline"))
    assert done.status_code == 201, done.text
    assert sorted(line["card_id"] for line in done.json["lines"]) == sorted(map(str, noodles.cards))
    assert taken(db, slot) == 2
    [entry] = entries(db)
    assert touched(db, entry) == ["card", "card", "household", "order"]


def test_one_refused_card_refuses_the_whole_order_and_is_named(
    town: Town, clerk: Person, db: Session
) -> None:
    noodles, slot = town.restaurant(), town.slot()
    clerk.post(ORDERS, noodles.booking(slot, card_ids=[str(noodles.cards[1])]))
    refused = clerk.post(ORDERS, noodles.booking(slot))
    assert codes(refused) == ["card.order_open"]
    assert refused.json["reasons"][0]["facts"]["card"] == str(noodles.cards[1])
    assert taken(db, slot) == 1


def test_a_lost_bottle_on_record_books_without_one(town: Town, clerk: Person) -> None:
    home = town.home(holding=False)
    town.change(Card, home.cards[0], exception=CardException.BOTTLE_LOST)
    assert clerk.post(ORDERS, home.booking(town.slot())).status_code == 201


# --- the same again --------------------------------------------------------------------------------------


def test_the_same_booking_again_is_the_standing_order(
    town: Town, home: Home, resident: Person, clerk: Person, db: Session
) -> None:
    slot = town.slot()
    first = resident.post(ORDERS, home.booking(slot))
    again = resident.post(ORDERS, home.booking(slot))
    by_phone = clerk.post(ORDERS, home.booking(slot, channel="hotline"))
    assert (first.status_code, again.status_code, by_phone.status_code) == (201, 200, 200)
    assert first.json["id"] == again.json["id"] == by_phone.json["id"]
    assert taken(db, slot) == 1
    assert len(db.scalars(sa.select(Order)).all()) == 1
    assert len(db.scalars(sa.select(Decision)).all()) == 2
    assert len(entries(db)) == 1  # nothing was done: only the keys are kept, with the order they name
    kept = db.scalars(sa.select(Idempotency)).all()
    assert sorted((row.entry_id is None, row.answer["order_id"]) for row in kept if row.answer) == [
        (False, first.json["id"]),
        (True, first.json["id"]),
        (True, first.json["id"]),
    ]


def test_the_same_booking_again_is_answered_only_to_whom_it_may_be_shown(
    town: Town, home: Home, resident: Person, desk: Desk, db: Session
) -> None:
    slot = town.slot()
    assert resident.post(ORDERS, home.booking(slot)).status_code == 201
    stranger = desk.sign_in(Role.RESIDENT, person=uuid4())
    assert codes(stranger.post(ORDERS, home.booking(slot))) == ["proxy.no_consent"]
    elsewhere = desk.sign_in(Role.CLERK, firm=town.other_firm)
    assert pointers(elsewhere.post(ORDERS, home.booking(slot, channel="hotline"))) == ["/household_id"]
    assert [entry.outcome for entry in entries(db)] == [Outcome.DONE, Outcome.REFUSED]


def test_a_key_answers_as_it_first_did(town: Town, home: Home, resident: Person, db: Session) -> None:
    slot = town.slot()
    first = resident.post(ORDERS, home.booking(slot), key="the-same-key")
    again = resident.post(ORDERS, home.booking(slot), key="the-same-key")
    assert (again.status_code, again.json) == (201, first.json)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(entries(db)) == 1


@pytest.mark.parametrize("change", [{"purpose": "water_heating"}, {"slot_id": "other"}])
def test_another_booking_while_one_is_open_is_refused_and_counted(
    town: Town, home: Home, resident: Person, db: Session, change: dict[str, Any]
) -> None:
    slot, other = town.slot(), town.slot(hour=14)
    resident.post(ORDERS, home.booking(slot))
    body = home.booking(slot) | ({"slot_id": str(other)} if "slot_id" in change else change)
    for times in (1, 2, 3):
        assert codes(resident.post(ORDERS, body)) == ["card.order_open"]
        db.expire_all()
        [repeat] = db.scalars(sa.select(BookingRepeat)).all()
        assert (repeat.card_id, repeat.day.isoformat(), repeat.times) == (
            home.cards[0],
            "2024-06-12",
            times,
        )
    # The order's two and the first refusal's two: the same refusal again is counted, not decided anew.
    assert len(db.scalars(sa.select(Decision)).all()) == 4
    assert [entry.outcome for entry in entries(db)] == [Outcome.DONE, *[Outcome.REFUSED] * 3]
    assert (taken(db, slot), taken(db, other)) == (1, 0)
    assert not list(verify(db))


def test_the_next_day_is_counted_apart(town: Town, home: Home, resident: Person, db: Session) -> None:
    slot = town.slot()
    resident.post(ORDERS, home.booking(slot))
    resident.post(ORDERS, home.booking(slot, purpose="other"))
    with clock.standing_at(THE_DAY + timedelta(days=1) - timedelta(hours=2)):
        resident.post(ORDERS, home.booking(slot, purpose="other"))
    assert sorted(repeat.day.day for repeat in db.scalars(sa.select(BookingRepeat))) == [12, 13]


def test_a_repeat_with_something_new_wrong_is_decided_anew(
    town: Town, home: Home, clerk: Person, db: Session
) -> None:
    slot = town.slot()
    clerk.post(ORDERS, home.booking(slot))
    clerk.post(ORDERS, home.booking(slot, purpose="other"))
    town.change(Slot, slot, closed=True)
    assert codes(clerk.post(ORDERS, home.booking(slot, purpose="other"))) == [
        "card.order_open",
        "slot.closed",
    ]
    assert len(db.scalars(sa.select(Decision)).all()) == 6


# --- cancelling ------------------------------------------------------------------------------------------


def test_cancelling_frees_the_room_and_the_card(
    town: Town, home: Home, resident: Person, db: Session
) -> None:
    slot = town.slot(capacity=1)
    order = resident.post(ORDERS, home.booking(slot)).json["id"]
    done = resident.post(f"{ORDERS}/{order}/cancellations")
    assert (done.status_code, done.json["state"]) == (201, "cancelled")
    assert taken(db, slot) == 0
    assert resident.post(ORDERS, home.booking(slot)).json["id"] != order


def test_what_is_on_a_vehicle_is_not_cancelled(town: Town, clerk: Person, db: Session) -> None:
    noodles, slot = town.restaurant(), town.slot()
    order = clerk.post(ORDERS, noodles.booking(slot)).json["id"]
    load(town, db.scalars(sa.select(OrderLine).order_by(OrderLine.id)).all()[1])
    refused = clerk.post(f"{ORDERS}/{order}/cancellations")
    assert codes(refused) == ["state.move_not_allowed"]
    db.expire_all()
    assert sorted(line.state for line in db.scalars(sa.select(OrderLine))) == ["booked", "loaded"]
    assert taken(db, slot) == 2


def test_an_order_is_cancelled_once(town: Town, home: Home, resident: Person, db: Session) -> None:
    slot = town.slot()
    order = resident.post(ORDERS, home.booking(slot)).json["id"]
    resident.post(f"{ORDERS}/{order}/cancellations")
    assert codes(resident.post(f"{ORDERS}/{order}/cancellations")) == ["state.move_not_allowed"]
    assert taken(db, slot) == 0


# --- who may, and who sees -------------------------------------------------------------------------------


def test_a_resident_books_and_sees_only_their_own(
    town: Town, home: Home, resident: Person, clerk: Person, db: Session
) -> None:
    neighbour, slot = town.home(), town.slot()
    assert codes(resident.post(ORDERS, neighbour.booking(slot))) == ["proxy.no_consent"]
    order = clerk.post(ORDERS, neighbour.booking(slot)).json["id"]
    own = resident.post(ORDERS, home.booking(slot)).json["id"]
    assert resident.get(f"{ORDERS}/{order}").status_code == 404
    assert resident.post(f"{ORDERS}/{order}/cancellations").status_code == 404
    assert [one["id"] for one in resident.get(ORDERS).json["items"]] == [own]


def test_a_later_registrant_does_not_see_earlier_orders(
    town: Town, home: Home, resident: Person, desk: Desk
) -> None:
    order = resident.post(ORDERS, home.booking(town.slot())).json["id"]
    heir = town.home()
    town.change(Account, home.account, person_id=heir.person)
    assert desk.sign_in(Role.RESIDENT, person=heir.person).get(ORDERS).json["items"] == []
    assert resident.get(f"{ORDERS}/{order}").status_code == 200


def test_each_office_sees_its_own(town: Town, home: Home, resident: Person, desk: Desk) -> None:
    order = resident.post(ORDERS, home.booking(town.slot())).json["id"]
    people = {
        True: [
            desk.sign_in(Role.CLERK, firm=town.firm),
            desk.sign_in(Role.DISPATCHER, firm=town.firm),
            desk.sign_in(Role.REGULATOR, street="310105006"),
            desk.sign_in(Role.REGULATOR),
        ],
        False: [
            desk.sign_in(Role.CLERK, firm=town.other_firm),
            desk.sign_in(Role.DISPATCHER, firm=town.other_firm),
            desk.sign_in(Role.REGULATOR, street="310105001"),
        ],
    }
    for seen, who in people.items():
        for person in who:
            assert person.get(f"{ORDERS}/{order}").status_code == (200 if seen else 404)
            assert len(person.get(ORDERS).json["items"]) == int(seen)


def test_another_firm_or_district_neither_books_nor_cancels(
    town: Town, home: Home, clerk: Person, desk: Desk, db: Session
) -> None:
    slot = town.slot()
    rival = desk.sign_in(Role.CLERK, firm=town.other_firm)
    abroad = desk.sign_in(Role.DISPATCHER, 310118, district="310118")
    elsewhere = ORDERS.replace("310105", "310118")
    assert pointers(rival.post(ORDERS, home.booking(slot, channel="hotline"))) == ["/household_id"]
    assert pointers(abroad.post(elsewhere, home.booking(slot, channel="hotline"))) == ["/household_id"]
    assert abroad.post(ORDERS, home.booking(slot, channel="hotline")).status_code == 404
    assert not entries(db)
    order = clerk.post(ORDERS, home.booking(slot)).json["id"]
    assert rival.post(f"{ORDERS}/{order}/cancellations").status_code == 404
    assert abroad.post(f"{elsewhere}/{order}/cancellations").status_code == 404
    assert abroad.get(f"{elsewhere}/{order}").status_code == 404
    assert abroad.get(elsewhere).json["items"] == []
    assert (taken(db, slot), len(entries(db))) == (1, 1)


def test_a_slot_of_another_district_is_unknown_here(desk: Desk) -> None:
    cast, qingpu = Cast(desk), Cast(desk, 310118)
    users = cast.household()
    there = qingpu.dispatcher.post(qingpu.at("slots"), a_slot(qingpu)).json["id"]
    assert pointers(cast.clerk.post(ORDERS, booking(users, there))) == ["/slot_id"]


@pytest.mark.parametrize(
    ("place", "in_qingpu"),
    [
        ({}, []),
        ({"piped_gas": True}, ["premises.piped_gas"]),
        ({"piped_gas": None}, ["premises.piped_gas_unknown"]),
        ({"lift": True}, ["premises.lift"]),
        ({"lift": None}, []),
        ({"rental": "collective"}, ["premises.let_room"]),
        ({"rental": "farmhouse", "rental_cap": 1, "house_code": "H-12"}, []),
        ({"rental": "farmhouse", "rental_cap": 0, "house_code": "H-12"}, ["premises.rental_full"]),
    ],
)
def test_a_place_is_judged_by_the_law_of_its_own_district(
    desk: Desk, place: dict[str, Any], in_qingpu: list[str]
) -> None:
    """P01 and P02 are Qingpu's; who does not know of a pipe is refused there, of a lift looks at the door."""
    for cast, refused in ((Cast(desk, 310118), in_qingpu), (Cast(desk), [])):
        users = cast.household(**place)
        slot = cast.dispatcher.post(cast.at("slots"), a_slot(cast)).json["id"]
        answer = cast.clerk.post(cast.at("orders"), booking(users, slot))
        if refused:
            assert codes(answer) == refused
        else:
            assert answer.status_code == 201, answer.text


def test_the_rooms_of_one_let_house_share_what_its_village_allows(desk: Desk, db: Session) -> None:
    cast = Cast(desk, 310118)
    let = {"rental": "farmhouse", "rental_cap": 1, "house_code": "H-12"}
    cast.household(**let | {"house_code": "H-13"})
    alone = cast.household(**let)
    slot = cast.dispatcher.post(cast.at("slots"), a_slot(cast) | {"capacity": 5}).json["id"]
    assert cast.clerk.post(cast.at("orders"), booking(alone, slot)).status_code == 201
    second = cast.household(**let)
    refused = cast.clerk.post(cast.at("orders"), booking(second, slot))
    assert codes(refused) == ["premises.rental_full"]
    assert refused.json["reasons"][0]["facts"] == {"house_bottles": 2, "rental_cap": 1}
    assert len(db.scalars(sa.select(Order)).all()) == 1


def test_orders_are_listed_by_household_day_and_what_is_open(
    town: Town, home: Home, clerk: Person, resident: Person
) -> None:
    other = town.home()
    today = town.slot(day=THE_DAY.date(), hour=14)
    order = clerk.post(ORDERS, home.booking(town.slot())).json["id"]
    clerk.post(ORDERS, other.booking(today))
    resident.post(f"{ORDERS}/{order}/cancellations")

    def count(**query: Any) -> int:
        return len(clerk.get(ORDERS, **query).json["items"])

    assert count() == 2
    assert (count(household_id=home.household), count(day="2024-06-12"), count(open_only="true")) == (1, 1, 1)
    first = clerk.get(ORDERS, limit=1).json
    assert clerk.get(ORDERS, limit=1, cursor=first["next_cursor"]).json["next_cursor"] is None


def test_no_personal_data_leaves_with_an_order(town: Town, home: Home, resident: Person) -> None:
    shown = resident.post(ORDERS, home.booking(town.slot())).json
    assert not {"name", "phone", "address"} & shown.keys()
    assert "person_id" not in shown


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"household_id": str(uuid4())}, "/household_id"),
        ({"slot_id": str(uuid4())}, "/slot_id"),
        ({"card_ids": [str(uuid4())]}, "/card_ids"),
        ({"card_ids": []}, "/card_ids"),
        ({"card_ids": [str(uuid4()) for _ in range(21)]}, "/card_ids"),
        ({"channel": "pigeon"}, "/channel"),
        ({"purpose": "balloons"}, "/purpose"),
        ({"bottles": 2}, "/bottles"),
    ],
)
def test_what_is_unknown_or_misshapen_is_a_wrong_field_and_leaves_no_trace(
    town: Town, home: Home, clerk: Person, db: Session, change: dict[str, Any], pointer: str
) -> None:
    assert pointers(clerk.post(ORDERS, home.booking(town.slot()) | change)) == [pointer]
    assert not entries(db)
    assert not db.scalars(sa.select(Order)).all()


def test_a_card_counts_once_and_is_of_this_household(town: Town, home: Home, clerk: Person) -> None:
    neighbour, card = town.home(), str(home.cards[0])
    assert pointers(clerk.post(ORDERS, home.booking(town.slot(), card_ids=[card, card]))) == ["/card_ids"]
    mixed = [card, str(neighbour.cards[0])]
    assert pointers(clerk.post(ORDERS, home.booking(town.slot(hour=10), card_ids=mixed))) == ["/card_ids"]


def test_a_resident_does_not_book_by_telephone(town: Town, home: Home, resident: Person) -> None:
    assert pointers(resident.post(ORDERS, home.booking(town.slot(), channel="hotline"))) == ["/channel"]


# --- with the real registry ------------------------------------------------------------------------------


def a_slot(cast: Cast) -> dict[str, Any]:
    return {
        "zone_id": str(cast.zone()),
        "starts_at": "2024-06-13T10:00:00+08:00",
        "ends_at": "2024-06-13T12:00:00+08:00",
        "capacity": 1,
    }


def booking(users: Users, slot: str) -> dict[str, Any]:
    return {
        "household_id": str(users.household_id),
        "slot_id": slot,
        "purpose": "cooking",
        "channel": "web",
        "card_ids": [str(card) for card in users.card_ids],
    }


def test_an_imported_resident_of_the_registry_books_a_first_bottle(desk: Desk) -> None:
    cast = Cast(desk)
    users = cast.household()
    slot = cast.dispatcher.post(cast.at("slots"), a_slot(cast)).json["id"]
    body = booking(users, slot)
    done = cast.resident(cast.registrant_of(users)).post(ORDERS, body)
    assert done.status_code == 201, done.text
    assert done.json["slot"]["id"] == slot
    assert codes(cast.clerk.post(ORDERS, body | {"purpose": "other"})) == ["card.order_open", "slot.full"]

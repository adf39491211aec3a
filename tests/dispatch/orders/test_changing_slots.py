"""Another slot for a booking that stands: who may, until when, judged for the new day, two at once."""

from collections import Counter
from collections.abc import Callable
from datetime import time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from core import clock
from core.auth import Role
from dispatch.orders.models import Order, OrderLine, Slot
from dispatch.orders.states import LineState
from dispatch.rounds.models import RoundPlan, RoundStop
from dispatch.rounds.queries import moved_since
from evidence.models import Entry, Link, Outcome
from evidence.verify import verify
from registry.models import Account, Card, Licence, LicenceKind, ZoneSet
from registry.states import AccountState, CardState
from rulebook.decisions import replay
from rulebook.models import Decision
from tests.cast import made
from tests.desk import Desk, Person
from tests.dispatch.orders.test_booking_races import at_once
from tests.dispatch.rounds.working_day import WorkingDay
from tests.dispatch.town import CHANGNING, TODAY, TOMORROW, Home, Town, codes, pointers

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


def booked(who: Person, home: Home, slot: UUID) -> str:
    return str(made(who.post(ORDERS, home.booking(slot)))["id"])


def move(who: Person, order: str, slot: Any, **more: Any) -> TestResponse:
    return who.post(f"{ORDERS}/{order}/slot-changes", {"slot_id": str(slot)}, **more)


def taken(db: Session, *slots: UUID) -> tuple[int, ...]:
    db.expire_all()
    return tuple(db.get_one(Slot, (CHANGNING, slot)).taken for slot in slots)


def slot_of(db: Session, order: str) -> UUID:
    db.expire_all()
    return db.get_one(Order, (CHANGNING, UUID(order))).slot_id


def moves(db: Session) -> list[Entry]:
    return list(db.scalars(sa.select(Entry).where(Entry.verb == "order.change_slot")))


def test_a_booking_takes_another_slot_and_gives_its_place_back(
    town: Town, home: Home, resident: Person, db: Session
) -> None:
    was, wanted = town.slot(capacity=1), town.slot(hour=14, capacity=1)
    order = booked(resident, home, was)
    moved = move(resident, order, wanted)
    assert (moved.status_code, moved.json["slot"]["id"]) == (201, str(wanted)), moved.text
    assert (moved.json["id"], moved.json["state"]) == (order, "booked")
    assert (taken(db, was, wanted), slot_of(db, order)) == ((0, 1), wanted)
    [entry] = moves(db)
    assert (entry.outcome, entry.firm_id, entry.zone_id) == (Outcome.DONE, town.firm, town.zone)
    for told in (str(was), str(wanted), order):
        assert told.encode() in entry.written
    touched = db.scalars(sa.select(Link.subject_type).where(Link.entry_id == entry.id))
    assert sorted(touched) == ["household", "order"]
    assert not list(verify(db))


def test_it_is_judged_for_the_new_day_and_not_counted_against_itself(
    town: Town, home: Home, resident: Person, db: Session
) -> None:
    order = booked(resident, home, town.slot())
    made(move(resident, order, town.slot(day=TOMORROW + timedelta(days=2))))
    decisions = [one for one in db.scalars(sa.select(Decision)) if one.gate == "booking"]
    facts = max(decisions, key=lambda one: one.id).facts
    assert facts["judged_on"] == "2024-06-15"
    assert (facts["cards"][0]["has_open_line"], facts["last_booked_on"]) == (False, None)
    assert len(decisions) == 2
    assert not list(replay(db))


def test_zones_drawn_anew_between_the_two_days_take_the_order_along(
    town: Town, home: Home, clerk: Person, db: Session
) -> None:
    order, anew = booked(clerk, home, town.slot()), uuid4()
    with town.ground.sessions() as own:
        town.zone_set = uuid4()
        of_the_day = {"version": 2, "valid_from": TOMORROW + timedelta(days=1), "recorded_at": clock.now()}
        own.add(ZoneSet(district=CHANGNING, id=town.zone_set, **of_the_day))
        own.flush()
        town.add_zone(own, anew, number=1, west=121.40)
        own.commit()
    moved = made(move(clerk, order, town.slot(day=TOMORROW + timedelta(days=2), zone_id=anew)))
    assert (moved["zone_id"], moves(db)[0].zone_id) == (str(anew), anew)


def test_the_slot_it_has_is_answered_and_nothing_is_written(
    town: Town, home: Home, resident: Person, db: Session
) -> None:
    slot = town.slot()
    order = booked(resident, home, slot)
    assert move(resident, order, slot).status_code == 200
    assert (taken(db, slot), moves(db)) == ((1,), [])


def test_a_key_answers_as_it_first_did(town: Town, home: Home, resident: Person, db: Session) -> None:
    first, second, third = town.slot(), town.slot(hour=14), town.slot(hour=16)
    order = booked(resident, home, first)
    assert move(resident, order, second, key="moved-once-1").status_code == 201
    again = move(resident, order, second, key="moved-once-1")
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert move(resident, order, third, key="moved-once-1").status_code == 422
    assert (taken(db, first, second, third), len(moves(db))) == ((0, 1, 0), 1)


Wrong = Callable[[Town, Home, UUID], Any]


def licence_ends_tomorrow(town: Town) -> None:
    with town.ground.sessions() as db:
        db.execute(
            sa.update(Licence).where(Licence.kind == LicenceKind.GAS_BUSINESS).values(valid_until=TOMORROW)
        )
        db.commit()


@pytest.mark.parametrize(
    ("wrong", "refused"),
    [
        (lambda t, h, s: t.change(Slot, s, closed=True), ["slot.closed"]),
        (lambda t, h, s: t.change(Slot, s, taken=10), ["slot.full"]),
        (
            lambda t, h, s: t.change(
                Slot, s, day=TODAY, starts_at=clock.at(TODAY, time(8)), ends_at=clock.at(TODAY, time(9))
            ),
            ["slot.past"],
        ),
        (lambda t, h, s: t.change(Slot, s, zone_id=_next_zone(t)), ["slot.other_zone"]),
        (lambda t, h, s: t.change(Card, h.cards[0], state=CardState.LOST), ["card.not_active"]),
        (lambda t, h, s: t.change(Account, h.account, state=AccountState.SUSPENDED), ["account.suspended"]),
        (lambda t, h, s: licence_ends_tomorrow(t), ["firm.no_gas_licence"]),
    ],
    ids=["closed", "full", "past", "of another zone", "card lost since", "account suspended", "licence ends"],
)
def test_what_stands_against_the_new_slot_leaves_the_old_one(
    town: Town, home: Home, resident: Person, db: Session, wrong: Wrong, refused: list[str]
) -> None:
    was, wanted = town.slot(), town.slot(day=TOMORROW + timedelta(days=1))
    order = booked(resident, home, was)
    wrong(town, home, wanted)
    before = taken(db, was, wanted)
    answer = move(resident, order, wanted)
    assert codes(answer) == refused
    assert answer.json["refusal_no"]
    assert (taken(db, was, wanted), slot_of(db, order)) == (before, was)
    [entry] = moves(db)
    assert entry.outcome is Outcome.REFUSED
    assert len(db.scalars(sa.select(Decision)).all()) == 4  # both answers of both times are kept


def _next_zone(town: Town) -> UUID:
    zone = uuid4()
    with town.ground.sessions() as db:
        town.add_zone(db, zone, number=2, west=121.45)
        db.commit()
    return zone


def test_what_is_no_longer_waiting_is_not_moved(town: Town, clerk: Person, db: Session) -> None:
    was, wanted = town.slot(), town.slot(hour=14)
    for states in ([LineState.LOADED], [LineState.LOADED, LineState.DELIVERED], [LineState.FAILED]):
        order = booked(clerk, town.home(), was)
        line = db.scalars(sa.select(OrderLine).where(OrderLine.order_id == UUID(order))).one()
        for state in states:
            town.change(OrderLine, line.id, state=state)
        assert codes(move(clerk, order, wanted)) == ["order.not_waiting"], states
        assert slot_of(db, order) == was
    cancelled = booked(clerk, town.home(), was)
    made(clerk.post(f"{ORDERS}/{cancelled}/cancellations"))
    assert "order.not_waiting" in codes(move(clerk, cancelled, wanted))
    assert taken(db, was, wanted) == (3, 0)


def test_the_hotline_moves_it_for_them_and_nobody_else_does(
    town: Town, home: Home, resident: Person, clerk: Person, desk: Desk, db: Session
) -> None:
    was, wanted = town.slot(), town.slot(hour=14)
    order = booked(resident, home, was)
    strangers = [
        desk.sign_in(Role.RESIDENT, person=town.home().person),
        desk.sign_in(Role.CLERK, firm=town.other_firm),
        desk.sign_in(Role.DISPATCHER, firm=town.other_firm),
    ]
    assert [move(who, order, wanted).status_code for who in strangers] == [404, 404, 404]
    assert move(desk.sign_in(Role.REGULATOR), order, wanted).status_code == 403
    assert (taken(db, was, wanted), moves(db)) == ((1, 0), [])
    assert move(desk.sign_in(Role.DISPATCHER, firm=town.firm), order, wanted).status_code == 201
    assert move(clerk, order, was).status_code == 201
    assert taken(db, was, wanted) == (1, 0)


def test_bad_input_is_a_wrong_field_and_changes_nothing(
    town: Town, home: Home, clerk: Person, db: Session
) -> None:
    slot = town.slot()
    order = booked(clerk, home, slot)
    for wrong in ({}, {"slot_id": "noon"}, {"slot_id": None}, {"slot_id": str(uuid4())}):
        assert pointers(clerk.post(f"{ORDERS}/{order}/slot-changes", wrong)) == ["/slot_id"], wrong
    more = {"slot_id": str(slot), "force": True}
    assert pointers(clerk.post(f"{ORDERS}/{order}/slot-changes", more)) == ["/force"]
    assert move(clerk, str(uuid4()), slot).status_code == 404
    assert (taken(db, slot), moves(db)) == ((1,), [])


# --- two at once ------------------------------------------------------------------------------------------


@pytest.mark.both_ends
@pytest.mark.parametrize("gate", ["on", "off"])
def test_the_last_place_is_given_to_one_of_those_who_want_to_move(
    town: Town, clerk: Person, db: Session, gate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the gate off the database says no by the same name."""
    was, wanted = town.slot(), town.slot(hour=14, capacity=1)
    orders = [booked(clerk, town.home(), was) for _ in range(6)]
    if gate == "off":
        monkeypatch.setattr("dispatch.rounds.moving.move_refusals", lambda deed, move: [])
    answers = at_once([lambda order=order: move(clerk, order, wanted) for order in orders])
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 5}
    assert all(codes(one) == ["slot.full"] for one in answers if one.status_code == 409)
    assert taken(db, was, wanted) == (5, 1)
    assert not list(verify(db))


@pytest.mark.both_ends
def test_moving_and_cancelling_at_once_leave_both_counts_true(town: Town, clerk: Person, db: Session) -> None:
    was, wanted = town.slot(), town.slot(hour=14)
    orders = [booked(clerk, town.home(), was) for _ in range(6)]
    asks: list[Callable[[], TestResponse]] = []
    for order in orders:
        asks.append(lambda order=order: move(clerk, order, wanted))
        asks.append(lambda order=order: clerk.post(f"{ORDERS}/{order}/cancellations"))
    answers = at_once(asks)
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert taken(db, was, wanted) == (0, 0)
    assert {line.state for line in db.scalars(sa.select(OrderLine))} == {LineState.CANCELLED}


# --- against the plan -------------------------------------------------------------------------------------


def test_a_plan_made_before_the_move_is_stale_and_what_is_planned_is_not_moved(
    desk: Desk, db: Session
) -> None:
    day = WorkingDay(desk)
    order, first, later = day.order(), day.slot(10), day.slot(14)
    resident = day.resident(order.home)
    plan = day.plan()
    made(move(resident, order.order_id, later))
    stale = day.apply(plan["id"])
    assert codes(stale) == ["plan.stale"]
    assert stale.json["reasons"][0]["facts"]["orders"] == [order.order_id]
    assert not db.scalars(sa.select(RoundStop)).all()
    made(day.apply(day.plan(wave=2)["id"]))
    refused = move(resident, order.order_id, first)
    assert codes(refused) == ["order.planned_already"]
    assert refused.json["reasons"][0]["cure"]["action"] == "see_order"
    assert slot_of(db, order.order_id) == UUID(later)


@pytest.mark.parametrize("late", [False, True], ids=["a plan", "a day under way, where the end is a wish"])
def test_what_was_promised_is_compared_with_the_slot_of_now(
    town: Town, home: Home, clerk: Person, db: Session, late: bool
) -> None:
    order = booked(clerk, home, town.slot(hour=9))
    stop: dict[str, Any] = {"id": order, "window": [9 * 3600, 10 * 3600]}
    if late:
        stop |= {"window": [9 * 3600, 18 * 3600], "due_s": 10 * 3600}
    plan = RoundPlan(district=CHANGNING, day=TOMORROW, problem={"stops": [stop]})
    assert moved_since(db, plan, [UUID(order)]) == set()
    made(move(clerk, order, town.slot(hour=14)))
    assert moved_since(db, plan, [UUID(order)]) == {UUID(order)}

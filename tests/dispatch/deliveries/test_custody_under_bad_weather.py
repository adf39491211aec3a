"""Two couriers, two phones, one bottle, no network: who holds what, in whatever order it comes to light."""

import json
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from core import clock
from core.outbox import deliver_due
from core.problems import Busy
from cylinders.custody import facts_of, project, projection_of, rulings_of, standing_custody
from cylinders.models import (
    CardHolding,
    CustodyConflict,
    CustodyCorrection,
    CustodyFact,
    Cylinder,
    CylinderClaim,
    FactKind,
    Hold,
)
from dispatch.deliveries import inbox
from dispatch.orders.models import OrderLine
from evidence.models import Entry, Link
from evidence.verify import verify
from oversight.models import Tip
from registry.models import DeviceInbox
from tests.cast import CHANGNING, made
from tests.conftest import SEND_HOME, THE_DAY
from tests.desk import Desk
from tests.dispatch.rounds.working_day import Booked, Bottle, WorkingDay
from tests.phone import Item, Phone


def at(minutes: float) -> datetime:
    return THE_DAY + timedelta(minutes=minutes)


def later(minutes: float) -> Any:
    return clock.standing_at(at(minutes))


@dataclass
class TwoCrews:
    """A drives the first order with bottle X, B the second with bottle Y; each with a phone of its own."""

    day: WorkingDay
    a: Phone
    b: Phone
    first: Booked
    second: Booked
    round_a: str
    round_b: str
    x: Bottle
    y: Bottle
    courier_a: UUID
    courier_b: UUID

    def load(self, phone: Phone, minute: float) -> Item:
        booked, round_id, bottle = (
            (self.first, self.round_a, self.x) if phone is self.a else (self.second, self.round_b, self.y)
        )
        body = {"round_id": round_id, "line_id": booked.line_ids[0], "code": bottle.code}
        return phone.sign("load", body, at=at(minute))

    def deliver(self, phone: Phone, bottle: Bottle, minute: float, **changed: Any) -> Item:
        booked = self.first if phone is self.a else self.second
        report = self.day.report(booked, bottle)
        del report["occurred_at"], report["point"]
        return phone.sign("deliver", {"order_id": booked.order_id, **report} | changed, at=at(minute))

    def bring_back(self, phone: Phone, bottle: Bottle, minute: float) -> Item:
        round_id = self.round_a if phone is self.a else self.round_b
        return phone.sign("bring_back", {"round_id": round_id, "code": bottle.code}, at=at(minute))

    def home(self, booked: Booked) -> tuple[str, UUID]:
        return "household", booked.home.users.household_id

    def card(self, booked: Booked) -> UUID:
        return booked.home.users.card_ids[0]

    def resolve(self, conflict: CustodyConflict, true_fact: UUID, **changed: Any) -> TestResponse:
        body = {"true_fact_id": str(true_fact), "reason": "seen_on_the_spot"} | changed
        path = f"/api/v1/cylinders/{conflict.cylinder_id}/conflicts/{conflict.id}/resolutions"
        return self.day.cast.regulator.post(path, body)


@pytest.fixture
def crews(desk: Desk) -> TwoCrews:
    day = WorkingDay(desk, max_trips=1)
    first = day.order()
    round_a = day.round()
    bound = day.cast.bind()
    courier_b = day.cast.signed_in_courier(bound.courier_id)
    second = day.order()
    round_b = day.planned_round(wave=2)
    plate = day.plate_of(bound.vehicle_id)
    made(courier_b.post(day.at(f"rounds/{round_b}/starts"), {"plate": plate}))
    return TwoCrews(
        day,
        Phone(day.courier, CHANGNING, day.bound.device_id),
        Phone(courier_b, CHANGNING, bound.device_id),
        first,
        second,
        round_a,
        round_b,
        day.bottle(),
        day.bottle(),
        day.bound.courier_id,
        bound.courier_id,
    )


def held_by_card(db: Session, card_id: UUID) -> list[UUID]:
    held = sa.select(CardHolding.cylinder_id).where(CardHolding.card_id == card_id, CardHolding.active)
    return list(db.scalars(held))


def state(db: Session, bottle: Bottle) -> str:
    db.expire_all()
    return db.get_one(Cylinder, bottle.cylinder_id).state.value


def open_conflicts(db: Session) -> list[CustodyConflict]:
    db.expire_all()
    return list(db.scalars(sa.select(CustodyConflict).where(CustodyConflict.resolved_at.is_(None))))


def told_again_says_the_same(db: Session) -> bool:
    """The stored projection is the fold's, and the claims of bottles and cards agree."""
    db.expire_all()
    for cylinder_id in db.scalars(sa.select(Cylinder.cylinder_id)).all():
        standing = standing_custody(db, cylinder_id)
        assert standing is not None
        assert projection_of(standing) == project(facts_of(db, cylinder_id), rulings_of(db, cylinder_id)).now
    claims = sa.select(CylinderClaim.cylinder_id, CylinderClaim.card_id).where(CylinderClaim.active)
    held = sa.select(CardHolding.cylinder_id, CardHolding.card_id).where(CardHolding.active)
    return set(db.execute(claims)) == set(db.execute(held)) and no_card_ever_held_two(db)


def no_card_ever_held_two(db: Session) -> bool:
    """Every span of every holding against the next one on the same card; one that never was lasts no time."""
    rows = db.scalars(
        sa.select(CardHolding)
        .where(CardHolding.until_at.is_distinct_from(CardHolding.from_at))
        .order_by(CardHolding.card_id, CardHolding.from_at, CardHolding.active)
    )
    return all(
        one.until_at is not None and one.until_at <= following.from_at
        for one, following in pairwise(rows.all())
        if one.card_id == following.card_id
    )


# --- the house's example ----------------------------------------------------------------------------------


def the_example(crews: TwoCrews) -> tuple[dict[str, Any], dict[str, Any]]:
    """A delivers X to C1 offline at 10:05; B scans X to C2 at 10:20 and syncs first; A syncs at 13:00."""
    crews.a.sent(crews.load(crews.a, 5))
    crews.b.sent(crews.load(crews.b, 5))
    by_a = crews.deliver(crews.a, crews.x, 65)
    with later(81):
        [told_b] = crews.b.sent(crews.deliver(crews.b, crews.x, 80))
    with later(240):
        [told_a] = crews.a.sent(by_a)
    return told_a, told_b


@pytest.fixture
def example(crews: TwoCrews) -> tuple[dict[str, Any], dict[str, Any]]:
    with later(6):
        return the_example(crews)


def test_of_two_who_deliver_one_bottle_the_earlier_stands_although_it_comes_later(
    crews: TwoCrews, example: tuple[dict[str, Any], dict[str, Any]], db: Session
) -> None:
    told_a, told_b = example
    assert (told_b["status"], told_a["status"]) == ("held", "held")
    assert "custody_disputed" in told_b["codes"]
    assert "handover.other_bottle" in told_b["codes"]
    assert crews.day.holder(crews.x.cylinder_id) == crews.home(crews.first)
    assert held_by_card(db, crews.card(crews.first)) == [crews.x.cylinder_id]
    assert held_by_card(db, crews.card(crews.second)) == []
    [conflict] = open_conflicts(db)
    assert (conflict.cylinder_id, conflict.card_id) == (crews.x.cylinder_id, crews.card(crews.second))
    by_a = db.scalars(sa.select(CustodyFact).where(CustodyFact.id == conflict.standing_fact_id)).one()
    assert (by_a.kind, by_a.from_id) == (FactKind.DELIVER, crews.courier_a)
    assert state(db, crews.x) == "held"
    lines = [UUID(one.line_ids[0]) for one in (crews.first, crews.second)]
    assert {db.get_one(OrderLine, (CHANGNING, line)).state.value for line in lines} == {"delivered"}
    assert told_again_says_the_same(db)
    assert not list(verify(db))


def test_the_voucher_of_a_disputed_delivery_does_not_say_that_the_bottle_was_taken_back(
    crews: TwoCrews, example: Any, app: Flask, db: Session
) -> None:
    path = crews.day.at(f"orders/{crews.second.order_id}/vouchers")
    [voucher] = crews.day.cast.clerk.get(path).json["items"]  # type: ignore[index]
    assert not voucher["is_held"]
    browser, contested = app.test_client(), "送瓶记录有矛盾"
    page = browser.get(f"/V/{voucher['code']}").text
    assert (contested in page, "瓶已收回" in page) == (True, False)
    [conflict] = open_conflicts(db)
    with later(250):
        made(crews.resolve(conflict, conflict.fact_id))
    page = browser.get(f"/V/{voucher['code']}").text
    assert (contested in page, "仍在领瓶的卡上" in page) == (False, True)


def test_the_voucher_of_a_delivery_found_untrue_does_not_say_that_the_bottle_was_taken_back(
    crews: TwoCrews, example: Any, app: Flask, db: Session
) -> None:
    """It stood first, and was on nobody's list of conflicts: the other one was found true."""
    path = crews.day.at(f"orders/{crews.first.order_id}/vouchers")
    [voucher] = crews.day.cast.clerk.get(path).json["items"]  # type: ignore[index]
    browser = app.test_client()
    assert "仍在领瓶的卡上" in browser.get(f"/V/{voucher['code']}").text
    [conflict] = open_conflicts(db)
    with later(250):
        made(crews.resolve(conflict, conflict.fact_id))
    page = browser.get(f"/V/{voucher['code']}").text
    assert ("送瓶记录有矛盾" in page, "瓶已收回" in page) == (True, False)


def test_the_disputed_claim_counts_as_held_for_booking_until_it_is_resolved(
    crews: TwoCrews, example: Any, db: Session
) -> None:
    """C2 holds nothing; yet it may book a swap, until somebody finds that it never got the bottle."""
    [conflict] = open_conflicts(db)
    assert conflict.standing_fact_id is not None
    home = crews.second.home
    with later(250):
        booked = crews.day.order(home, hour=14)
        made(crews.day.cast.clerk.post(crews.day.at(f"orders/{booked.order_id}/cancellations")))
        made(crews.resolve(conflict, conflict.standing_fact_id))
        body = {
            "household_id": str(home.users.household_id),
            "slot_id": crews.day.slot(14),
            "purpose": "cooking",
            "channel": "hotline",
            "card_ids": [str(home.users.card_ids[0])],
        }
        refused = crews.day.cast.clerk.post(crews.day.at("orders"), body)
    assert [one["code"] for one in refused.get_json()["reasons"]] == ["card.no_bottle_held"]


def test_a_person_names_the_standing_fact_and_the_bottle_serves_again(
    crews: TwoCrews, example: Any, db: Session
) -> None:
    [conflict] = open_conflicts(db)
    assert conflict.standing_fact_id is not None
    with later(250):
        told = made(crews.resolve(conflict, conflict.standing_fact_id))
    assert (told["resolution"], told["true_fact_id"]) == ("seen_on_the_spot", str(conflict.standing_fact_id))
    assert not open_conflicts(db)
    assert state(db, crews.x) == "in_service"
    assert crews.day.holder(crews.x.cylinder_id) == crews.home(crews.first)
    assert {hold.until_at for hold in db.scalars(sa.select(Hold))} == {at(250)}
    [error] = db.scalars(sa.select(CustodyCorrection))
    assert (error.fact_id, error.conflict_id) == (conflict.fact_id, conflict.id)
    [entry] = [one for one in db.scalars(sa.select(Entry)) if one.verb == "cylinder.resolve_conflict"]
    links = db.scalars(sa.select(Link.subject_key).where(Link.entry_id == entry.id)).all()
    assert str(crews.x.cylinder_id) in links
    assert told_again_says_the_same(db)
    assert not list(verify(db))


def test_a_person_names_the_fact_that_lost_and_custody_follows(
    crews: TwoCrews, example: Any, db: Session
) -> None:
    [conflict] = open_conflicts(db)
    with later(250):
        made(crews.resolve(conflict, conflict.fact_id, reason="code_misread"))
        again = crews.resolve(conflict, conflict.fact_id)
    assert [one["code"] for one in again.get_json()["reasons"]] == ["conflict.resolved"]
    assert crews.day.holder(crews.x.cylinder_id) == crews.home(crews.second)
    assert held_by_card(db, crews.card(crews.first)) == []
    assert held_by_card(db, crews.card(crews.second)) == [crews.x.cylinder_id]
    assert state(db, crews.x) == "in_service"
    assert not open_conflicts(db)
    assert told_again_says_the_same(db)


def test_what_comes_after_a_resolution_and_contradicts_it_holds_the_bottle_again(
    crews: TwoCrews, example: Any, db: Session
) -> None:
    """B's delivery was found true; then A's phone tells of a scan that nobody had weighed."""
    [conflict] = open_conflicts(db)
    with later(250):
        made(crews.resolve(conflict, conflict.fact_id, reason="code_misread"))
    with later(260):
        crews.a.sent(crews.bring_back(crews.a, crews.x, 70))
    [again] = open_conflicts(db)
    brought = db.scalars(sa.select(CustodyFact).where(CustodyFact.id == again.standing_fact_id)).one()
    assert (again.fact_id, brought.kind) == (conflict.fact_id, FactKind.RETURN)
    assert state(db, crews.x) == "held"
    assert crews.day.holder(crews.x.cylinder_id) == crews.home(crews.second)
    with later(270):
        made(crews.resolve(again, again.fact_id))
    assert not open_conflicts(db)
    assert state(db, crews.x) == "in_service"
    assert told_again_says_the_same(db)
    assert not list(verify(db))


def test_only_one_of_the_two_can_be_true_and_only_who_may_says_so(
    crews: TwoCrews, example: Any, db: Session
) -> None:
    [conflict] = open_conflicts(db)
    assert crews.resolve(conflict, UUID(int=1)).status_code == 422
    path = f"/api/v1/cylinders/{conflict.cylinder_id}/conflicts/{conflict.id}/resolutions"
    body = {"true_fact_id": str(conflict.fact_id), "reason": "code_misread"}
    assert crews.day.courier.post(path, body).status_code == 403
    assert crews.day.cast.clerk.post(path, body).status_code == 403
    assert len(open_conflicts(db)) == 1
    with later(250):
        made(crews.day.dispatcher.post(path, body))
    assert not open_conflicts(db)


def test_conflicts_are_listed_for_those_they_concern_and_told_to_the_regulator(
    crews: TwoCrews, example: Any, db: Session
) -> None:
    listed = [
        who.get("/api/v1/cylinders/conflicts").get_json()["items"]
        for who in (crews.day.cast.regulator, crews.day.dispatcher, crews.day.cast.clerk)
    ]
    assert [[one["cylinder_id"] for one in items] for items in listed] == [[str(crews.x.cylinder_id)]] * 3
    stranger = crews.day.cast.clerk_of(crews.day.cast.another_firm())
    assert stranger.get("/api/v1/cylinders/conflicts").get_json()["items"] == []
    with later(250):
        deliver_due(crews.day.desk.ground, CHANGNING)
    kinds = [tip.kind for tip in db.scalars(sa.select(Tip))]
    assert kinds == ["custody.conflict_found"]


def test_what_a_late_fact_changed_of_the_present_stands_in_its_entry(
    crews: TwoCrews, example: Any, db: Session
) -> None:
    told_a, _ = example
    entry = db.get_one(Entry, UUID(told_a["entry_id"]))
    changed = json.loads(entry.written)["payload"]["projection_changed"]
    [of_x] = [one for one in changed if one["cylinder_id"] == str(crews.x.cylinder_id)]
    assert of_x["before"]["holder_id"] == str(crews.courier_a)
    assert of_x["after"]["holder_id"] == str(crews.home(crews.first)[1])


# --- errors are declared, never erased --------------------------------------------------------------------


def test_a_fact_declared_an_error_stays_and_custody_is_told_without_it(crews: TwoCrews, db: Session) -> None:
    with later(90):
        crews.a.sent(crews.load(crews.a, 5), crews.deliver(crews.a, crews.x, 65))
    path = f"/api/v1/cylinders/{crews.x.cylinder_id}/facts"
    facts = crews.day.cast.clerk.get(path).get_json()["items"]
    [delivered] = [one for one in facts if one["kind"] == "deliver"]
    assert (delivered["standing"], delivered["declaration"]) == ("stands", None)
    declare = f"{path}/{delivered['id']}/error-declarations"
    with later(100):
        told = made(crews.day.cast.regulator.post(declare, {"reason": "did_not_occur"}))
        again = crews.day.cast.regulator.post(declare, {"reason": "did_not_occur"})
    assert [one["code"] for one in again.get_json()["reasons"]] == ["custody.error_declared"]
    [still_there] = [one for one in told["items"] if one["id"] == delivered["id"]]
    assert still_there["standing"] == "withdrawn"
    assert still_there["declaration"]["reason"] == "did_not_occur"
    assert {name: still_there[name] for name in delivered if name not in ("standing", "declaration")} == {
        name: value for name, value in delivered.items() if name not in ("standing", "declaration")
    }
    assert crews.day.holder(crews.x.cylinder_id) == ("courier", crews.courier_a)
    assert held_by_card(db, crews.card(crews.first)) == []
    assert told_again_says_the_same(db)
    assert not list(verify(db))


def test_an_error_is_declared_of_a_fact_of_that_bottle_only(crews: TwoCrews, db: Session) -> None:
    crews.a.sent(crews.load(crews.a, 0))
    [loaded] = db.scalars(sa.select(CustodyFact).where(CustodyFact.kind == FactKind.LOAD))
    other = f"/api/v1/cylinders/{crews.y.cylinder_id}/facts/{loaded.id}/error-declarations"
    assert crews.day.cast.regulator.post(other, {"reason": "incorrect_data"}).status_code == 404
    own = f"/api/v1/cylinders/{crews.x.cylinder_id}/facts/{loaded.id}/error-declarations"
    body = {"reason": "incorrect_data", "corrective_fact_ids": [str(loaded.id)]}
    assert crews.day.cast.regulator.post(own, body).status_code == 422
    assert not list(db.scalars(sa.select(CustodyCorrection)))


# --- conflicts that were none -----------------------------------------------------------------------------


def test_a_delivery_that_came_before_its_load_holds_the_bottle_only_until_the_load_has_come(
    crews: TwoCrews, db: Session
) -> None:
    load, deliver = crews.load(crews.a, 5), crews.deliver(crews.a, crews.x, 65)
    with later(70):
        [told] = crews.a.sent(deliver)
        assert (told["status"], state(db, crews.x)) == ("held", "held")
        crews.a.sent(load)
    assert state(db, crews.x) == "in_service"
    assert not open_conflicts(db)
    [once] = db.scalars(sa.select(CustodyConflict))
    assert once.resolution == "no_longer_contradicted"
    assert crews.day.holder(crews.x.cylinder_id) == crews.home(crews.first)
    assert told_again_says_the_same(db)


def test_two_bottles_on_one_card_are_held_apart_the_later_on_the_card(crews: TwoCrews, db: Session) -> None:
    """A hands X over at 10:05, offline, and fetches nothing; the card's old bottle is nowhere to be found."""
    [old] = held_by_card(db, crews.card(crews.first))
    with later(90):
        told = crews.a.sent(
            crews.load(crews.a, 5),
            crews.deliver(crews.a, crews.x, 65, empty_code=None, empty_exception="missing"),
        )
    assert told[1]["codes"] == ["handover.empty_missing"]
    assert held_by_card(db, crews.card(crews.first)) == [crews.x.cylinder_id]
    [conflict] = open_conflicts(db)
    assert (conflict.cylinder_id, conflict.standing_cylinder_id) == (old, crews.x.cylinder_id)
    assert (state(db, crews.x), db.get_one(Cylinder, old).state.value) == ("in_service", "held")
    assert told_again_says_the_same(db)
    with later(100):
        code = crews.first.home.empties[0]
        named = {"order_id": crews.first.order_id, "line_id": crews.first.line_ids[0], "code": code}
        [found] = crews.a.sent(crews.a.sign("take_empty", named, at=at(66)))
    assert found["status"] == "accepted"
    assert not open_conflicts(db)
    assert db.get_one(Cylinder, old).state.value == "in_service"
    assert told_again_says_the_same(db)


def brought_without_fetching(crews: TwoCrews, bottle: Bottle, minute: float) -> list[Item]:
    """A loads this bottle and hands it over at the first door, fetching none."""
    line_id = crews.first.line_ids[0]
    loading = {"round_id": crews.round_a, "line_id": line_id, "code": bottle.code}
    return [
        crews.a.sign("load", loading, at=at(minute - 1)),
        crews.deliver(crews.a, bottle, minute, empty_code=None, empty_exception="missing"),
    ]


def test_a_bottle_found_to_be_on_its_card_is_contradicted_anew_by_one_that_comes_later(
    crews: TwoCrews, db: Session
) -> None:
    [old] = held_by_card(db, crews.card(crews.first))
    with later(90):
        crews.a.sent(*brought_without_fetching(crews, crews.x, 65))
    [conflict] = open_conflicts(db)
    with later(100):
        made(crews.resolve(conflict, conflict.fact_id))
    assert held_by_card(db, crews.card(crews.first)) == [old]
    assert len(list(db.scalars(sa.select(CustodyConflict)))) == 1
    with later(110):
        crews.a.sent(*brought_without_fetching(crews, crews.y, 105))
    assert held_by_card(db, crews.card(crews.first)) == [crews.y.cylinder_id]
    [again] = open_conflicts(db)
    assert (again.cylinder_id, again.standing_cylinder_id) == (old, crews.y.cylinder_id)
    assert db.get_one(Cylinder, old).state.value == "held"
    assert told_again_says_the_same(db)


def test_of_three_bottles_on_one_card_each_is_held_against_the_one_that_has_it(
    crews: TwoCrews, db: Session
) -> None:
    [old] = held_by_card(db, crews.card(crews.first))
    with later(90):
        crews.a.sent(
            *brought_without_fetching(crews, crews.x, 65), *brought_without_fetching(crews, crews.y, 75)
        )
    held = {one.cylinder_id: one.standing_cylinder_id for one in open_conflicts(db)}
    assert held == {old: crews.y.cylinder_id, crews.x.cylinder_id: crews.y.cylinder_id}
    of_old = next(one for one in open_conflicts(db) if one.cylinder_id == old)
    with later(100):
        made(crews.resolve(of_old, of_old.fact_id))
    # Y was not there. Of the other two the later to come has the card; a person says of these again.
    assert held_by_card(db, crews.card(crews.first)) == [crews.x.cylinder_id]
    held = {one.cylinder_id: one.standing_cylinder_id for one in open_conflicts(db)}
    assert held == {old: crews.x.cylinder_id}
    assert told_again_says_the_same(db)
    assert not list(verify(db))


def test_a_card_goes_back_to_the_bottle_before_when_the_later_one_is_declared_an_error(
    crews: TwoCrews, db: Session
) -> None:
    [old] = held_by_card(db, crews.card(crews.first))
    with later(90):
        crews.a.sent(
            *brought_without_fetching(crews, crews.x, 65), *brought_without_fetching(crews, crews.y, 75)
        )
    handed = sa.select(CustodyFact.id).where(
        CustodyFact.cylinder_id == crews.y.cylinder_id, CustodyFact.kind == FactKind.DELIVER
    )
    path = f"/api/v1/cylinders/{crews.y.cylinder_id}/facts/{db.scalars(handed).one()}/error-declarations"
    with later(100):
        made(crews.day.cast.regulator.post(path, {"reason": "did_not_occur"}))
    assert held_by_card(db, crews.card(crews.first)) == [crews.x.cylinder_id]
    assert {one.cylinder_id: one.standing_cylinder_id for one in open_conflicts(db)} == {
        old: crews.x.cylinder_id
    }
    assert state(db, crews.x) == "in_service"
    assert told_again_says_the_same(db)


# --- any order, any number of times -----------------------------------------------------------------------


def summary(crews: TwoCrews, db: Session) -> dict[str, Any]:
    db.expire_all()
    facts = {fact.id: (fact.kind.value, fact.device_seq) for fact in db.scalars(sa.select(CustodyFact))}
    return {
        "holders": [crews.day.holder(one.cylinder_id) for one in (crews.x, crews.y)],
        "cards": [held_by_card(db, crews.card(one)) for one in (crews.first, crews.second)],
        "states": [state(db, one) for one in (crews.x, crews.y)],
        "open": sorted(
            (facts[one.fact_id], one.standing_fact_id and facts[one.standing_fact_id])
            for one in open_conflicts(db)
        ),
        "lines": [
            db.get_one(OrderLine, (CHANGNING, UUID(one.line_ids[0]))).state.value
            for one in (crews.first, crews.second)
        ],
        "kept": db.scalar(sa.select(sa.func.count()).select_from(DeviceInbox)),
        "contiguous": [
            phone.send([item]).get_json()["contiguous_seq"]
            for phone, item in ((crews.a, crews.a.last), (crews.b, crews.b.last))
        ],
    }


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_any_order_of_arrival_with_repeats_ends_alike(crews: TwoCrews, db: Session, seed: int) -> None:
    """Seed 0 is the order in which it happened; the others shuffle, repeat and cut into batches."""
    sent: list[tuple[Phone, Item]] = [
        (crews.a, crews.load(crews.a, 5)),
        (crews.b, crews.load(crews.b, 6)),
        (crews.a, crews.deliver(crews.a, crews.x, 65)),
        (crews.b, crews.deliver(crews.b, crews.x, 80)),
        (crews.b, crews.bring_back(crews.b, crews.y, 90)),
        (crews.a, crews.bring_back(crews.a, Bottle(crews.first.home.empties[0], UUID(int=0)), 95)),
    ]
    chance = random.Random(seed)
    arrivals = list(sent)
    if seed:
        arrivals += chance.choices(sent, k=4)
        chance.shuffle(arrivals)
    with later(240):
        for phone, item in arrivals:
            assert phone.send([item]).status_code == 200
        found = summary(crews, db)
    assert found == {
        "holders": [crews.home(crews.first), ("site", crews.day.cast.supply_point())],
        "cards": [[crews.x.cylinder_id], []],
        "states": ["held", "in_service"],
        "open": [(("deliver", 2), ("deliver", 2))],
        "lines": ["delivered", "delivered"],
        "kept": 6,
        "contiguous": [3, 3],
    }
    assert told_again_says_the_same(db)
    assert not list(verify(db))


# --- races and faults -------------------------------------------------------------------------------------


def at_once(*acts: Callable[[], TestResponse]) -> list[TestResponse]:
    with ThreadPoolExecutor(len(acts)) as pool:
        return [one.result() for one in [pool.submit(act) for act in acts]]


def test_two_batches_of_one_phone_at_once_are_kept_once(crews: TwoCrews, db: Session) -> None:
    items = [crews.load(crews.a, 5), crews.deliver(crews.a, crews.x, 65)]
    with later(90):
        answers = at_once(*[lambda: crews.a.send(items)] * 4)
    assert {answer.status_code for answer in answers} == {200}
    told = [one for answer in answers for one in answer.get_json()["items"]]
    assert sorted(one["status"] for one in told) == ["accepted"] * 2 + ["duplicate"] * 6
    assert {(one["seq"], one["entry_id"]) for one in told} == {
        (kept.device_seq, str(kept.entry_id)) for kept in db.scalars(sa.select(DeviceInbox))
    }
    facts = list(db.scalars(sa.select(CustodyFact).where(CustodyFact.device_seq.is_not(None))))
    assert len(facts) == 3
    assert told_again_says_the_same(db)


def test_two_phones_with_one_bottle_at_once_end_as_one_after_the_other(crews: TwoCrews, db: Session) -> None:
    with later(10):
        crews.a.sent(crews.load(crews.a, 5))
        crews.b.sent(crews.load(crews.b, 6))
    by_a, by_b = crews.deliver(crews.a, crews.x, 65), crews.deliver(crews.b, crews.x, 80)
    with later(90):
        answers = at_once(lambda: crews.a.send([by_a]), lambda: crews.b.send([by_b]))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert crews.day.holder(crews.x.cylinder_id) == crews.home(crews.first)
    [conflict] = open_conflicts(db)
    assert conflict.card_id == crews.card(crews.second)
    assert told_again_says_the_same(db)
    assert not list(verify(db))


def test_an_answer_lost_after_the_commit_is_given_again(
    crews: TwoCrews, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [crews.load(crews.a, 5), crews.deliver(crews.a, crews.x, 65)]

    def cut(*_: Any) -> None:
        raise Busy

    with later(90):
        with monkeypatch.context() as cable:
            cable.setattr(inbox, "_progress", cut)
            assert crews.a.send(items).status_code == 503
        answer = crews.a.send(items).get_json()
    assert [one["status"] for one in answer["items"]] == ["duplicate", "duplicate"]
    assert [one["first"] for one in answer["items"]] == ["accepted", "accepted"]
    assert answer["contiguous_seq"] == 2
    assert crews.day.holder(crews.x.cylinder_id) == crews.home(crews.first)
    assert told_again_says_the_same(db)


def test_a_connection_killed_in_the_middle_of_a_batch_loses_nothing(
    crews: TwoCrews, db: Session, janitor: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database sends everybody home while the second string is being recorded."""
    items = [crews.load(crews.a, 5), crews.deliver(crews.a, crews.x, 65)]
    happen = inbox.happen

    def killed(scene: Any) -> None:
        happen(scene)
        if scene.scan.seq == 2:
            janitor.execute(SEND_HOME)

    with later(90):
        with monkeypatch.context() as power:
            power.setattr(inbox, "happen", killed)
            assert crews.a.send(items).status_code == 503
        db.invalidate()
        assert [one.device_seq for one in db.scalars(sa.select(DeviceInbox))] == [1]
        answer = crews.a.send(items).get_json()
    assert [one["status"] for one in answer["items"]] == ["duplicate", "accepted"]
    assert crews.day.holder(crews.x.cylinder_id) == crews.home(crews.first)
    assert told_again_says_the_same(db)
    assert not list(verify(db))

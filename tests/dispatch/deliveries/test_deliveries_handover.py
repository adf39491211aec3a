"""At the door: scan, check, proof. What is wrong is refused with every reason; what happened is recorded."""

import json
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import Role
from core.outbox import OutboxEvent
from core.problems import Busy
from cylinders.code import new_code
from cylinders.models import CardHolding, CustodyFact, CylinderClaim, Hold, HoldKind
from dispatch.deliveries import visit_check
from dispatch.deliveries.models import CylinderLoad, Delivery, LineLoad
from dispatch.orders.models import OrderLine
from dispatch.safety.catalogue import ITEMS, default_grade, ruling
from dispatch.safety.models import Grade, Hazard, Notice, SafetyCheck
from evidence.models import Entry, Link, Outcome, SubjectType
from evidence.verify import verify
from registry.models import Binding, Card, Staff, Vehicle
from registry.states import CARD
from rulebook import current
from tests.cast import CHANGNING, made
from tests.conftest import THE_DAY
from tests.desk import Desk
from tests.dispatch.rounds.working_day import (
    A_SIGNATURE,
    SMALL,
    Booked,
    Bottle,
    WorkingDay,
    a_check,
    a_check_that_finds,
    codes,
)


def change(day: WorkingDay, model: type[Any], key: UUID, **columns: Any) -> None:
    with day.desk.ground.sessions() as db:
        row = db.get_one(model, (CHANGNING, key))
        for name, value in columns.items():
            setattr(row, name, value)
        db.commit()


def line_state(db: Session, booked: Booked, nth: int = 0) -> str:
    return (
        db.scalars(sa.select(OrderLine.state).where(OrderLine.id == UUID(booked.line_ids[nth]))).one().value
    )


def held_by_card(db: Session, card_id: UUID) -> list[UUID]:
    return list(
        db.scalars(
            sa.select(CardHolding.cylinder_id).where(CardHolding.card_id == card_id, CardHolding.active)
        )
    )


def nothing_was_handed_over(day: WorkingDay, db: Session, booked: Booked, bottle: Bottle) -> bool:
    """The full bottle is with the courier, the old one on the card, the line loaded, no visit on record."""
    old = [UUID(int=0)] if not booked.home.empties else held_by_card(db, booked.home.users.card_ids[0])
    return (
        day.holder(bottle.cylinder_id) == ("courier", day.bound.courier_id)
        and bottle.cylinder_id not in old
        and line_state(db, booked) == "loaded"
        and not list(db.scalars(sa.select(Delivery)))
        and len(list(db.scalars(sa.select(LineLoad).where(LineLoad.active)))) == 1
    )


def a_mild_item() -> str:
    """An item whose failing is written down and does not stop supply."""
    law = current().at(str(CHANGNING), clock.today())
    return next(
        code for code in ITEMS if default_grade(law, code) is Grade.GENERAL and not ruling(law, code).blocking
    )


# --- it is done -------------------------------------------------------------------------------------------


def test_a_swap_moves_both_bottles_and_ends_the_load(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    card_id = booked.home.users.card_ids[0]
    [old_id] = held_by_card(db, card_id)
    done = made(day.deliver(booked, day.report(booked, bottle)))
    db.expire_all()
    assert (done["outcome"], done["proof_kind"], done["flags"]) == ("delivered", "card_qr", [])
    assert day.holder(bottle.cylinder_id) == ("household", booked.home.users.household_id)
    assert day.holder(old_id) == ("courier", day.bound.courier_id)
    assert held_by_card(db, card_id) == [bottle.cylinder_id]
    claims = db.scalars(sa.select(CylinderClaim.cylinder_id).where(CylinderClaim.active))
    assert list(claims) == [bottle.cylinder_id]
    assert line_state(db, booked) == "delivered"
    assert not list(db.scalars(sa.select(LineLoad).where(LineLoad.active)))
    assert not list(db.scalars(sa.select(CylinderLoad).where(CylinderLoad.active)))


def test_a_handover_is_one_entry_on_the_chains_of_all_it_touched(day: WorkingDay, db: Session) -> None:
    booked, bottle, round_id = day.loaded()
    [old_id] = held_by_card(db, booked.home.users.card_ids[0])
    made(day.deliver(booked, day.report(booked, bottle)))
    [entry] = day.entries(db, "order.deliver")
    links = set(
        db.execute(sa.select(Link.subject_type, Link.subject_key).where(Link.entry_id == entry.id)).all()
    )
    assert links == {
        (SubjectType.BINDING, str(day.bound.binding_id)),
        (SubjectType.CARD, str(booked.home.users.card_ids[0])),
        (SubjectType.CYLINDER, str(bottle.cylinder_id)),
        (SubjectType.CYLINDER, str(old_id)),
        (SubjectType.HOUSEHOLD, str(booked.home.users.household_id)),
        (SubjectType.ORDER, booked.order_id),
    }
    facts = db.scalars(sa.select(CustodyFact).where(CustodyFact.entry_id == entry.id)).all()
    assert {fact.kind.value for fact in facts} == {"deliver", "take_empty"}
    assert {str(fact.round_id) for fact in facts} == {round_id}
    assert not list(verify(db))


def test_a_first_supply_needs_no_empty_and_clears_the_cards_exception(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded(day.new_home())
    made(day.deliver(booked, day.report(booked, bottle)))
    card = db.get_one(Card, (CHANGNING, booked.home.users.card_ids[0]))
    assert card.exception is None
    assert held_by_card(db, card.id) == [bottle.cylinder_id]


def test_the_same_key_hands_over_once(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    report = day.report(booked, bottle)
    first = day.deliver(booked, report, key="delivery-1")
    again = day.deliver(booked, report, key="delivery-1")
    assert made(first) == made(again)
    assert len(list(db.scalars(sa.select(Delivery)))) == 1
    assert codes(day.deliver(booked, report))[-1] == "handover.line_not_loaded"


def test_a_signature_is_a_weak_proof_and_flagged(day: WorkingDay) -> None:
    booked, bottle, _ = day.loaded()
    proof = {"kind": "signature", "sha256": A_SIGNATURE}
    done = made(day.deliver(booked, day.report(booked, bottle, proof=proof)))
    assert done["flags"] == ["weak_proof"]


def test_a_visit_far_from_the_door_is_flagged_not_refused(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    far = {"lon": 121.42, "lat": 31.215, "datum": "wgs84"}
    assert made(day.deliver(booked, day.report(booked, bottle, point=far)))["flags"] == ["far_from_door"]


def test_points_of_other_datums_are_converted(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    shown_on_a_web_map = {"lon": 121.4145, "lat": 31.2131, "datum": "gcj02"}
    made(day.deliver(booked, day.report(booked, bottle, point=shown_on_a_web_map)))
    [row] = db.scalars(sa.select(Delivery))
    assert row.lon == pytest.approx(121.41, abs=2e-4)
    assert row.lat == pytest.approx(31.215, abs=2e-4)


def test_a_restaurants_lines_are_handed_over_one_by_one_under_one_check(day: WorkingDay, db: Session) -> None:
    booked = day.order(day.restaurant((SMALL, SMALL)))
    round_id, first, second = day.round(), day.bottle(), day.bottle()
    made(day.load(round_id, booked.line_ids[0], first.code))
    made(day.load(round_id, booked.line_ids[1], second.code))
    one = made(day.deliver(booked, day.report(booked, first, 0)))
    other = made(day.deliver(booked, day.report(booked, second, 1, check=None)))
    assert one["check_id"] == other["check_id"]
    assert [line_state(db, booked, nth) for nth in (0, 1)] == ["delivered", "delivered"]


# --- it is refused ----------------------------------------------------------------------------------------


def test_the_check_made_at_a_refused_handover_is_kept_by_a_deed_of_its_own(
    day: WorkingDay, db: Session
) -> None:
    booked, bottle, _ = day.loaded()
    mild = a_mild_item()
    report = day.report(booked, bottle, check=a_check_that_finds(mild))
    refused = [day.deliver(booked, {**report, "empty_code": None}, key="refused-1") for _ in range(2)]
    assert [codes(one)[-1] for one in refused] == ["handover.empty_missing"] * 2
    assert nothing_was_handed_over(day, db, booked, bottle)
    [check] = db.scalars(sa.select(SafetyCheck))
    [hazard] = db.scalars(sa.select(Hazard))
    assert (check.order_id, check.outcome.value) == (UUID(booked.order_id), "findings")
    assert (hazard.check_id, hazard.item) == (check.id, mild)
    [no_entry] = day.entries(db, "order.deliver")
    [its_own] = day.entries(db, "check.record")
    assert no_entry.outcome is Outcome.REFUSED
    assert b"check" not in json.dumps(json.loads(no_entry.written)["payload"]).encode()
    told = json.loads(its_own.written)["payload"]
    assert told["check_id"] == str(check.id)
    assert told["refusal_no"] == no_entry.refusal_no == refused[0].get_json()["refusal_no"]
    touched = set(db.scalars(sa.select(Link.subject_type).where(Link.entry_id == no_entry.id)))
    assert SubjectType.HAZARD not in touched
    assert not list(verify(db))


def test_a_check_lost_in_a_crash_after_the_refusal_is_kept_when_the_phone_asks_again(
    day: WorkingDay, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked, bottle, _ = day.loaded()
    report = day.report(booked, bottle, card_credential=None)

    def crashes(*_: Any, **__: Any) -> None:
        raise Busy

    with monkeypatch.context() as crash:
        crash.setattr(visit_check, "keep_check", crashes)
        assert day.deliver(booked, report, key="refused-2").status_code == 503
    assert not list(db.scalars(sa.select(SafetyCheck)))
    assert codes(day.deliver(booked, report, key="refused-2")) == ["handover.card_not_shown"]
    [check] = db.scalars(sa.select(SafetyCheck))
    assert check.order_id == UUID(booked.order_id)
    assert len(day.entries(db, "order.deliver")) == 1


def test_after_a_refused_handover_the_check_that_was_made_need_not_be_made_again(
    day: WorkingDay, db: Session
) -> None:
    booked, bottle, _ = day.loaded()
    report = day.report(booked, bottle)
    assert codes(day.deliver(booked, {**report, "card_credential": None})) == ["handover.card_not_shown"]
    done = made(day.deliver(booked, {**report, "check": None}))
    [check] = db.scalars(sa.select(SafetyCheck))
    assert (done["outcome"], done["check_id"]) == ("delivered", str(check.id))


def test_what_stops_supply_at_a_line_already_failed_is_refused_with_every_reason_and_kept(
    day: WorkingDay, db: Session
) -> None:
    booked, bottle, _ = day.loaded()
    body = {"line_id": booked.line_ids[0], "reason": "nobody_home"}
    made(day.courier.post(day.at(f"orders/{booked.order_id}/failures"), body))
    found = a_check_that_finds("hose_whole", grade="major")
    assert codes(day.deliver(booked, day.report(booked, bottle, check=found))) == [
        "handover.blocking_finding",
        "handover.line_not_loaded",
    ]
    assert line_state(db, booked) == "failed"
    assert not list(db.scalars(sa.select(Delivery)))
    [hazard] = db.scalars(sa.select(Hazard))
    assert (hazard.item, hazard.blocking, hazard.state.value) == ("hose_whole", True, "told")


def test_nothing_happens_at_a_door_before_its_round_was_made(day: WorkingDay, db: Session) -> None:
    booked = day.order()
    day.round()
    report = day.report(booked, day.bottle(), occurred_at="1990-01-01T10:00:00+08:00")
    answer = day.deliver(booked, report)
    assert (answer.status_code, answer.get_json()["errors"][0]["code"]) == (422, "before_round")
    assert not list(db.scalars(sa.select(SafetyCheck)))
    assert not day.entries(db, "order.deliver")


def test_d02_the_binding_must_have_been_in_force_when_it_happened(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    report = day.report(booked, bottle)
    with clock.standing_at(THE_DAY + timedelta(minutes=30)):
        day.dispatcher.post(day.at(f"bindings/{day.bound.binding_id}/end"))
        later = clock.stamp(clock.now() + timedelta(minutes=1))
        assert "delivery.no_binding" in codes(day.deliver(booked, {**report, "occurred_at": later}))
        assert nothing_was_handed_over(day, db, booked, bottle)
        made(day.deliver(booked, report))  # it happened while the binding stood


def test_d03_the_address_must_lie_in_the_bindings_zone(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    change(day, Binding, day.bound.binding_id, zone_id=UUID(int=5))
    assert codes(day.deliver(booked, day.report(booked, bottle))) == ["delivery.outside_zone"]
    assert nothing_was_handed_over(day, db, booked, bottle)


def test_d04_another_card_no_card_and_a_blocked_card(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    neighbour = day.credential(day.home().users.card_ids[0])
    report = day.report(booked, bottle)
    signed = {"proof": {"kind": "signature", "sha256": A_SIGNATURE}}
    assert codes(day.deliver(booked, {**report, **signed, "card_credential": neighbour})) == [
        "handover.wrong_card"
    ]
    assert codes(day.deliver(booked, {**report, **signed, "card_credential": None})) == [
        "handover.card_not_shown"
    ]
    with day.desk.ground.sessions() as opened:
        CARD.move(opened, opened.get_one(Card, (CHANGNING, booked.home.users.card_ids[0])), "block")
        opened.commit()
    assert codes(day.deliver(booked, report)) == ["handover.card_not_active"]
    assert nothing_was_handed_over(day, db, booked, bottle)


def test_d05_no_check_no_handover(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    assert codes(day.deliver(booked, day.report(booked, bottle, check=None))) == ["handover.check_missing"]
    assert nothing_was_handed_over(day, db, booked, bottle)


def test_d05_half_a_check_is_a_wrong_field(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    answer = day.deliver(booked, day.report(booked, bottle, check=a_check(items=[])))
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["pointer"] == "/check/items"
    assert nothing_was_handed_over(day, db, booked, bottle)
    assert not list(db.scalars(sa.select(SafetyCheck)))


def test_d06_another_cards_bottle_a_damaged_tag_and_none_at_all(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    neighbours = day.home().empties[0]
    report = day.report(booked, bottle)
    for change, code, action in (
        ({"empty_code": neighbours}, "handover.empty_of_another_card", "call_dispatcher"),
        (
            {"empty_code": None, "empty_exception": "tag_damaged"},
            "handover.empty_tag_damaged",
            "record_stamp",
        ),
        ({"empty_code": None}, "handover.empty_missing", "ask_empty"),
    ):
        answer = day.deliver(booked, {**report, **change})
        assert codes(answer) == [code]
        assert answer.get_json()["reasons"][0]["cure"]["action"] == action
        assert nothing_was_handed_over(day, db, booked, bottle)


@pytest.mark.parametrize("known", [True, False], ids=["another firm's", "nobody's"])
def test_d06_a_foreign_empty_is_refused_and_the_sighting_survives(
    day: WorkingDay, db: Session, known: bool
) -> None:
    booked, bottle, _ = day.loaded()
    foreign = day.bottle(owner_firm_id=day.cast.another_firm()).code if known else new_code()
    report = day.report(booked, bottle, empty_code=foreign)
    for _ in range(2):
        assert codes(day.deliver(booked, report, key="delivery-1")) == ["handover.empty_foreign"]
    assert nothing_was_handed_over(day, db, booked, bottle)
    [event] = db.scalars(sa.select(OutboxEvent).where(OutboxEvent.topic == "cylinder.stranger_seen"))
    assert (event.payload["code"], event.payload["where"]) == (foreign, "door")
    assert event.payload["order_id"] == booked.order_id
    assert not list(verify(db))


def test_a_scrapped_bottle_offered_as_the_empty_is_refused_and_told(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    gone = day.bottle()
    day.scrap(gone)
    answer = day.deliver(booked, day.report(booked, bottle, empty_code=gone.code))
    assert answer.status_code == 409
    assert nothing_was_handed_over(day, db, booked, bottle)
    [event] = db.scalars(sa.select(OutboxEvent).where(OutboxEvent.topic == "cylinder.stranger_seen"))
    assert (event.payload["cylinder_id"], event.payload["where"]) == (str(gone.cylinder_id), "door")
    assert event.payload["reasons"] == ["refill.scrapped"]


def test_d06_a_lost_bottle_that_was_recorded_opens_its_own_path(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    [card_id] = booked.home.users.card_ids
    [old_id] = held_by_card(db, card_id)
    report = day.report(booked, bottle, empty_code=None)
    assert codes(day.deliver(booked, report)) == ["handover.empty_missing"]
    made(day.cast.clerk.post(day.at(f"cards/{card_id}/bottle-losses"), {"reference": "statement-7"}))
    made(day.deliver(booked, report))
    assert held_by_card(db, card_id) == [bottle.cylinder_id]
    assert day.holder(old_id) == (None, None)
    assert db.get_one(Card, (CHANGNING, card_id)).exception is None


@pytest.mark.parametrize(
    ("model", "key", "columns", "code"),
    [
        (Vehicle, "vehicle_id", {"permit_until": date(2024, 6, 11)}, "vehicle.no_permit"),
        (Staff, "courier_id", {"certificate_until": date(2024, 6, 11)}, "courier.no_certificate"),
    ],
)
def test_d07_papers_hold_at_the_door_too(
    day: WorkingDay, db: Session, model: type[Any], key: str, columns: dict[str, Any], code: str
) -> None:
    booked, bottle, _ = day.loaded()
    change(day, model, getattr(day.bound, key), **columns)
    assert codes(day.deliver(booked, day.report(booked, bottle))) == [code]
    assert nothing_was_handed_over(day, db, booked, bottle)


def test_d08_a_bottle_held_since_it_was_loaded_is_not_handed_over(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    with day.desk.ground.sessions() as opened:
        opened.add(
            Hold(cylinder_id=bottle.cylinder_id, kind=HoldKind.RECALL, reference="R-1", from_at=clock.now())
        )
        opened.commit()
    assert codes(day.deliver(booked, day.report(booked, bottle))) == [
        "delivery.bottle_refused",
        "refill.on_hold",
    ]
    assert nothing_was_handed_over(day, db, booked, bottle)


def test_d09_the_empty_itself_is_not_what_is_handed_over(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    empty = booked.home.empties[0]
    found = codes(day.deliver(booked, day.report(booked, bottle, full_code=empty)))
    assert found == ["delivery.not_full", "handover.other_bottle"]
    assert nothing_was_handed_over(day, db, booked, bottle)


def test_the_bottle_of_another_line_is_refused(day: WorkingDay, db: Session) -> None:
    mine, other = day.order(), day.order()
    round_id, bottle, others = day.round(), day.bottle(), day.bottle()
    made(day.load(round_id, mine.line_ids[0], bottle.code))
    made(day.load(round_id, other.line_ids[0], others.code))
    assert codes(day.deliver(mine, day.report(mine, others))) == ["handover.other_bottle"]
    assert line_state(db, mine) == "loaded"


@pytest.mark.parametrize("leak_test", [False, None])
def test_a_connected_bottle_must_have_passed_its_leak_test(
    day: WorkingDay, db: Session, leak_test: bool | None
) -> None:
    booked, bottle, _ = day.loaded()
    report = day.report(booked, bottle, leak_test_passed=leak_test)
    assert codes(day.deliver(booked, report)) == ["handover.leak_test_not_passed"]
    assert nothing_was_handed_over(day, db, booked, bottle)


def test_the_card_scanned_as_proof_must_be_the_lines(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    neighbour = day.credential(day.home().users.card_ids[0])
    report = day.report(booked, bottle, proof={"kind": "card_qr", "value": neighbour})
    assert codes(day.deliver(booked, report)) == ["proof.card_qr_wrong"]
    assert nothing_was_handed_over(day, db, booked, bottle)


def test_nothing_is_handed_over_that_was_not_loaded(day: WorkingDay, db: Session) -> None:
    booked = day.order()
    day.round()
    bottle = day.bottle()
    assert codes(day.deliver(booked, day.report(booked, bottle))) == ["handover.line_not_loaded"]
    assert day.holder(bottle.cylinder_id) == ("site", day.cast.supply_point())


def test_all_reasons_are_said_at_once_in_the_laws_order_and_kept(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    change(day, Vehicle, day.vehicle_id, permit_until=date(2024, 6, 11))
    report = day.report(booked, bottle, card_credential=None, check=None, empty_code=None)
    answer = day.deliver(booked, report)
    assert codes(answer) == [
        "handover.card_not_shown",
        "handover.check_missing",
        "handover.empty_missing",
        "vehicle.no_permit",
    ]
    [entry] = day.entries(db, "order.deliver")
    assert (entry.outcome, entry.refusal_no) == (Outcome.REFUSED, answer.get_json()["refusal_no"])
    assert nothing_was_handed_over(day, db, booked, bottle)


@pytest.mark.parametrize(
    ("minutes", "code"), [(3, "future"), (-3, "before_load")], ids=["in the future", "before the load"]
)
def test_what_cannot_have_happened_then_is_a_wrong_field(
    day: WorkingDay, db: Session, minutes: int, code: str
) -> None:
    booked, bottle, _ = day.loaded()
    at = clock.stamp(clock.now() + timedelta(minutes=minutes))
    answer = day.deliver(booked, day.report(booked, bottle, occurred_at=at))
    assert answer.status_code == 422
    assert [error["code"] for error in answer.get_json()["errors"]] == [code]
    assert nothing_was_handed_over(day, db, booked, bottle)


WRONG_SHAPES: list[tuple[dict[str, Any], str]] = [
    ({"proof": {"kind": "signature", "value": "x"}}, "/proof/sha256"),
    ({"proof": {"kind": "door_code", "sha256": A_SIGNATURE}}, "/proof/value"),
    ({"proof": {"kind": "door_code", "value": "1", "sha256": A_SIGNATURE}}, "/proof/sha256"),
    ({"empty_exception": "missing"}, "/empty_exception"),
    ({"occurred_at": "2024-06-12T10:00:00"}, "/occurred_at"),
    ({"point": {"lon": 121.4, "lat": 31.2, "datum": "mars"}}, "/point/datum"),
    ({"full_code": 5}, "/full_code"),
    ({"paid": True}, "/paid"),
]


def test_wrong_shapes_name_their_field(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    for change, pointer in WRONG_SHAPES:
        answer = day.deliver(booked, day.report(booked, bottle, **change))
        assert answer.status_code == 422, change
        assert pointer in [error["pointer"] for error in answer.get_json()["errors"]]
    assert nothing_was_handed_over(day, db, booked, bottle)


def test_another_courier_finds_no_such_visit(day: WorkingDay, desk: Desk, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    colleague = desk.sign_in(Role.COURIER, courier=day.cast.courier())
    path = day.at(f"orders/{booked.order_id}/deliveries")
    assert colleague.post(path, day.report(booked, bottle)).status_code == 404
    assert nothing_was_handed_over(day, db, booked, bottle)


# --- withheld ---------------------------------------------------------------------------------------------


def test_a_blocking_finding_withholds_the_bottle_and_records_the_hazard(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    [old_id] = held_by_card(db, booked.home.users.card_ids[0])
    check = a_check_that_finds("flame_failure_device", grade="major")
    done = made(day.deliver(booked, day.report(booked, bottle, check=check)))
    assert done["outcome"] == "withheld"
    assert line_state(db, booked) == "withheld"
    assert day.holder(bottle.cylinder_id) == ("courier", day.bound.courier_id)
    assert held_by_card(db, booked.home.users.card_ids[0]) == [old_id]
    [hazard] = db.scalars(sa.select(Hazard))
    assert (hazard.item, hazard.blocking) == ("flame_failure_device", True)
    assert done["open_hazards"] == [str(hazard.id)]
    assert [notice.hazard_id for notice in db.scalars(sa.select(Notice))] == [hazard.id]
    [entry] = day.entries(db, "order.deliver")
    assert entry.outcome is Outcome.DONE
    assert b'"outcome":"withheld"' in entry.written
    assert not list(verify(db))


def test_a_refused_check_withholds_the_bottle(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    check = a_check(refused=True, items=[], user_signed=False)
    done = made(day.deliver(booked, day.report(booked, bottle, check=check)))
    assert (done["outcome"], done["connected"], done["proof_kind"]) == ("withheld", False, None)
    assert line_state(db, booked) == "withheld"
    assert day.holder(bottle.cylinder_id) == ("courier", day.bound.courier_id)
    [made_check] = db.scalars(sa.select(SafetyCheck))
    assert made_check.outcome.value == "refused"


def test_a_hazard_found_is_recorded_also_when_other_things_are_wrong(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    change(day, Vehicle, day.vehicle_id, permit_until=date(2024, 6, 11))
    check = a_check_that_finds("leak_test", grade="major")
    report = day.report(booked, bottle, check=check, card_credential=None)
    assert made(day.deliver(booked, report))["outcome"] == "withheld"
    assert [hazard.item for hazard in db.scalars(sa.select(Hazard))] == ["leak_test"]


def test_a_foreign_empty_seen_at_a_withheld_visit_is_told(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    report = day.report(booked, bottle, check=a_check(refused=True, items=[]), empty_code=new_code())
    assert made(day.deliver(booked, report))["outcome"] == "withheld"
    assert (
        len(list(db.scalars(sa.select(OutboxEvent).where(OutboxEvent.topic == "cylinder.stranger_seen"))))
        == 1
    )


def test_a_mild_finding_is_recorded_and_does_not_stop_supply(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    mild = a_mild_item()
    report = day.report(booked, bottle, check=a_check_that_finds(mild))
    assert made(day.deliver(booked, report))["outcome"] == "delivered"
    assert [(hazard.item, hazard.blocking) for hazard in db.scalars(sa.select(Hazard))] == [(mild, False)]


def test_an_open_blocking_hazard_withholds_even_if_this_check_is_clear(day: WorkingDay, db: Session) -> None:
    """Claimed mending lifts nothing: only a re-check closes a hazard."""
    booked, bottle, _ = day.loaded()
    path = day.at("checks")
    found = {
        "household_id": str(booked.home.users.household_id),
        "reason": "survey",
        "checked_at": clock.stamp(clock.now()),
        **a_check_that_finds("hose_whole", grade="major"),
    }
    made(day.courier.post(path, found))
    assert made(day.deliver(booked, day.report(booked, bottle)))["outcome"] == "withheld"


def test_no_entry_holds_a_credential_or_a_code(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    made(day.deliver(booked, day.report(booked, bottle)))
    credential = day.credential(booked.home.users.card_ids[0]).encode()
    assert not [
        entry
        for entry in db.scalars(sa.select(Entry))
        if credential in entry.written and "deliver" in entry.verb
    ]

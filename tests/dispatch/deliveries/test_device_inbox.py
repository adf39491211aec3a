"""The device inbox through HTTP: kept as signed, answered alike, refused never; and what became of it."""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.ids import new_id
from core.machine import LOST_RACE
from core.outbox import OutboxEvent, deliver_due
from core.refusal import Refused
from cylinders.models import CustodyFact, FactKind
from dispatch.deliveries import inbox
from dispatch.deliveries.late import Scene
from dispatch.deliveries.models import CylinderLoad, Delivery, LineLoad
from dispatch.orders.models import OrderLine
from dispatch.safety.models import SafetyCheck
from evidence.models import Entry, Outcome
from evidence.verify import verify
from oversight.models import Tip
from registry.models import DeviceInbox, DeviceInboxAside, Staff
from tests.cast import CHANGNING, made
from tests.conftest import THE_DAY
from tests.dispatch.rounds.working_day import Booked, Bottle, WorkingDay, a_check
from tests.phone import Phone


@pytest.fixture
def phone(day: WorkingDay) -> Phone:
    return Phone(day.courier, CHANGNING, day.bound.device_id)


def later(minutes: float) -> Any:
    return clock.standing_at(THE_DAY + timedelta(minutes=minutes))


def at(minutes: float) -> datetime:
    return THE_DAY + timedelta(minutes=minutes)


def handed_over(
    day: WorkingDay, booked: Booked, bottle: Bottle, nth: int = 0, **changed: Any
) -> dict[str, Any]:
    """The body of a faultless late delivery."""
    report = day.report(booked, bottle, nth)
    del report["occurred_at"], report["point"]
    return {"order_id": booked.order_id, **report} | changed


def loading(round_id: str, line_id: str, bottle: Bottle) -> dict[str, Any]:
    return {"round_id": round_id, "line_id": line_id, "code": bottle.code}


def line_state(db: Session, booked: Booked) -> str:
    db.expire_all()
    return db.get_one(OrderLine, (CHANGNING, UUID(booked.line_ids[0]))).state.value


def facts(db: Session, kind: FactKind | None = None) -> list[CustodyFact]:
    query = sa.select(CustodyFact).where(CustodyFact.device_seq.is_not(None))
    if kind is not None:
        query = query.where(CustodyFact.kind == kind)
    return list(db.scalars(query.order_by(CustodyFact.device_seq, CustodyFact.kind)))


# --- a key for the phone ----------------------------------------------------------------------------------


def test_the_bound_courier_gives_the_device_its_key_with_proof(day: WorkingDay) -> None:
    phone = Phone(day.courier, CHANGNING, day.bound.device_id, enrolled=False)
    given = made(phone.enrol())
    assert (given["public_key"], given["contiguous_seq"]) == (phone.public_key, 0)
    assert made(phone.enrol())["public_key"] == phone.public_key


def test_a_key_without_its_proof_is_no_key(day: WorkingDay) -> None:
    phone = Phone(day.courier, CHANGNING, day.bound.device_id, enrolled=False)
    other = Phone(day.courier, CHANGNING, day.bound.device_id, enrolled=False)
    wrong = {
        "/proof": {"proof": other.signature("lpg-device-enrolment/v1")},
        "/public_key": {"public_key": phone.public_key[:-8] + "AAAAAAA="},
    }
    for pointer, changed in wrong.items():
        answer = phone.enrol(**changed)
        assert answer.status_code == 422, answer.text
        assert answer.get_json()["errors"][0]["pointer"] == pointer


def test_only_the_courier_who_is_bound_gives_the_key(day: WorkingDay) -> None:
    other = day.cast.signed_in_courier(day.cast.courier())
    refused = Phone(other, CHANGNING, day.bound.device_id, enrolled=False).enrol()
    assert [one["code"] for one in refused.get_json()["reasons"]] == ["device.not_bound"]


def test_a_device_has_one_key_for_life(day: WorkingDay, phone: Phone) -> None:
    refused = Phone(day.courier, CHANGNING, day.bound.device_id, enrolled=False).enrol()
    assert [one["code"] for one in refused.get_json()["reasons"]] == ["device.has_key"]


def test_a_revoked_device_takes_no_key_and_no_binding(day: WorkingDay) -> None:
    phone = Phone(day.courier, CHANGNING, day.bound.device_id, enrolled=False)
    made(day.cast.clerk.post(phone.at("revocations"), {"reason": "lost"}))
    refused = phone.enrol()
    assert [one["code"] for one in refused.get_json()["reasons"]] == ["binding.device_revoked"]
    again = day.cast.clerk.post(phone.at("revocations"), {"reason": "lost"})
    assert again.status_code == 409


def test_another_firms_people_find_no_device(day: WorkingDay, phone: Phone) -> None:
    stranger = day.cast.clerk_of(day.cast.another_firm())
    item = phone.sign("fail", {"order_id": str(new_id()), "line_id": str(new_id()), "reason": "nobody_home"})
    assert phone.send([item], by=stranger).status_code == 404
    assert stranger.post(phone.at("revocations"), {"reason": "lost"}).status_code == 404
    assert phone.send([item]).status_code == 200


# --- a day offline ----------------------------------------------------------------------------------------


def test_a_round_scanned_offline_arrives_whole_three_hours_later(
    day: WorkingDay, phone: Phone, db: Session
) -> None:
    booked, round_id, bottle = day.order(), day.round(), day.bottle()
    with later(60):
        items = [
            phone.sign("load", loading(round_id, booked.line_ids[0], bottle), at=at(10)),
            phone.sign("deliver", handed_over(day, booked, bottle), at=at(65)),
        ]
    with later(240):
        answer = phone.send(items).get_json()
    assert [(one["seq"], one["status"], one["codes"]) for one in answer["items"]] == [
        (1, "accepted", []),
        (2, "accepted", []),
    ]
    assert (answer["contiguous_seq"], answer["missing"]) == (2, [])
    assert day.holder(bottle.cylinder_id) == ("household", booked.home.users.household_id)
    assert line_state(db, booked) == "delivered"
    assert not list(db.scalars(sa.select(LineLoad).where(LineLoad.active)))
    [visit] = db.scalars(sa.select(Delivery))
    assert (visit.happened_at, visit.recorded_at) == (at(65), at(240))
    assert visit.full_cylinder_id == bottle.cylinder_id
    [check] = db.scalars(sa.select(SafetyCheck))
    assert check.checked_at == at(65)
    assert {fact.kind for fact in facts(db)} == {FactKind.LOAD, FactKind.TAKE_EMPTY, FactKind.DELIVER}
    assert {fact.binding_id for fact in facts(db)} == {day.bound.binding_id}
    assert not list(verify(db))


def test_the_same_strings_again_get_the_first_answer_and_do_nothing(
    day: WorkingDay, phone: Phone, db: Session
) -> None:
    booked, bottle, _ = day.loaded()
    item = phone.sign("deliver", handed_over(day, booked, bottle), at=at(5))
    with later(30):
        [first] = phone.sent(item)
        entries = db.scalar(sa.select(sa.func.count()).select_from(Entry))
        repeats = [phone.sent(item)[0] for _ in range(3)]
    assert first["status"] == "accepted"
    assert [one["status"] for one in repeats] == ["duplicate"] * 3
    assert {one["entry_id"] for one in repeats} == {first["entry_id"]}
    assert {one["first"] for one in repeats} == {"accepted"}
    assert len(list(db.scalars(sa.select(Delivery)))) == 1
    assert db.scalar(sa.select(sa.func.count()).select_from(Entry)) == entries


def test_strings_out_of_order_end_where_they_would_in_order(
    day: WorkingDay, phone: Phone, db: Session
) -> None:
    booked, round_id, bottle = day.order(), day.round(), day.bottle()
    load = phone.sign("load", loading(round_id, booked.line_ids[0], bottle), at=at(10))
    deliver = phone.sign("deliver", handed_over(day, booked, bottle), at=at(65))
    with later(120):
        answer = phone.send([deliver]).get_json()
        assert (answer["contiguous_seq"], answer["missing"]) == (0, [1])
        answer = phone.send([load, deliver]).get_json()
    assert [one["status"] for one in answer["items"]] == ["accepted", "duplicate"]
    assert (answer["contiguous_seq"], answer["missing"]) == (2, [])
    assert day.holder(bottle.cylinder_id) == ("household", booked.home.users.household_id)
    assert line_state(db, booked) == "delivered"


def test_the_string_is_kept_as_it_was_signed(day: WorkingDay, phone: Phone, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    item = phone.sign("deliver", handed_over(day, booked, bottle), at=at(5))
    spaced = phone.signed(json.dumps(json.loads(item["signed"]), indent=3, sort_keys=True))
    with later(30):
        phone.sent(spaced)
    [kept] = db.scalars(sa.select(DeviceInbox))
    assert kept.signed == spaced["signed"]
    assert kept.hash == hashlib.sha256(spaced["signed"].encode()).digest()
    [entry] = [one for one in db.scalars(sa.select(Entry)) if one.verb == "scan.record"]
    assert (entry.id, entry.outcome) == (kept.entry_id, Outcome.DONE)
    assert json.loads(entry.written)["payload"]["signed_sha256"] == kept.hash.hex()


def test_nothing_of_what_was_signed_stands_in_the_evidence_or_the_outbox(
    day: WorkingDay, phone: Phone, db: Session
) -> None:
    booked, bottle, _ = day.loaded()
    body = handed_over(day, booked, bottle)
    phone.sent(phone.sign("deliver", body))
    written = b"".join(db.scalars(sa.select(Entry.written)))
    told = json.dumps([event.payload for event in db.scalars(sa.select(OutboxEvent))])
    assert body["card_credential"].encode() not in written
    assert body["card_credential"] not in told
    assert phone.anchor is not None
    assert phone.anchor.encode() not in written


# --- what breaks a rule is recorded and flagged -----------------------------------------------------------


def test_a_wrong_card_is_flagged_and_the_handover_stands(day: WorkingDay, phone: Phone, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    other = day.home()
    credential = day.credential(other.users.card_ids[0])
    body = handed_over(day, booked, bottle, card_credential=credential)
    with later(2):
        [told] = phone.sent(phone.sign("deliver", body, at=at(1)))
    assert (told["status"], told["codes"]) == ("flagged", ["handover.wrong_card"])
    assert line_state(db, booked) == "delivered"
    [visit] = db.scalars(sa.select(Delivery))
    assert visit.flags == ["handover.wrong_card"]


def test_gas_handed_over_without_a_check_is_recorded_and_flagged(
    day: WorkingDay, phone: Phone, db: Session
) -> None:
    booked, bottle, _ = day.loaded()
    half = a_check()
    half["items"] = half["items"][:3]
    with later(2):
        [told] = phone.sent(phone.sign("deliver", handed_over(day, booked, bottle, check=half), at=at(1)))
    assert (told["status"], told["codes"]) == ("flagged", ["check_incomplete", "handover.check_missing"])
    [visit] = db.scalars(sa.select(Delivery))
    assert (visit.check_id, visit.outcome.value) == (None, "delivered")
    assert not list(db.scalars(sa.select(SafetyCheck)))
    assert not list(verify(db))


def test_a_failed_visit_a_withheld_one_and_a_return_are_reported_late(
    day: WorkingDay, phone: Phone, db: Session
) -> None:
    first, second = day.order(), day.order()
    round_id = day.round()
    bottles = [day.bottle(), day.bottle()]
    for booked, bottle in zip((first, second), bottles, strict=True):
        made(day.load(round_id, booked.line_ids[0], bottle.code))
    named = [{"order_id": one.order_id, "line_id": one.line_ids[0]} for one in (first, second)]
    with later(90):
        told = phone.sent(
            phone.sign("fail", named[0] | {"reason": "nobody_home"}, at=at(20)),
            phone.sign("withhold", named[1] | {"check": a_check()}, at=at(40)),
            phone.sign("bring_back", {"round_id": round_id, "code": bottles[0].code}, at=at(80)),
            phone.sign("bring_back", {"round_id": round_id, "code": bottles[1].code}, at=at(81)),
        )
    assert [(one["status"], one["codes"]) for one in told] == [("accepted", [])] * 4
    assert [line_state(db, one) for one in (first, second)] == ["failed", "withheld"]
    site = ("site", day.cast.supply_point())
    assert [day.holder(one.cylinder_id) for one in bottles] == [site, site]
    assert not list(db.scalars(sa.select(LineLoad).where(LineLoad.active)))
    with later(95):
        made(day.finish(round_id))


def test_a_scrapped_bottle_scanned_late_is_flagged_and_told_unless_it_was_scanned_before(
    day: WorkingDay, phone: Phone, db: Session
) -> None:
    booked, round_id = day.order(), day.round()
    gone = day.bottle()
    day.scrap(gone)
    named = {"order_id": booked.order_id, "line_id": booked.line_ids[0], "code": gone.code}
    with later(90):
        told = phone.sent(
            phone.sign("take_empty", named, at=at(-5)),
            phone.sign("take_empty", named, at=at(20)),
            phone.sign("bring_back", {"round_id": round_id, "code": gone.code}, at=at(30)),
        )
    assert ["refill.scrapped" in one["codes"] for one in told] == [False, True, True]
    seen = db.scalars(
        sa.select(OutboxEvent).where(OutboxEvent.topic == "cylinder.stranger_seen").order_by(OutboxEvent.id)
    )
    assert [(one.payload["where"], one.payload["cylinder_id"]) for one in seen] == [
        ("door", str(gone.cylinder_id)),
        ("site", str(gone.cylinder_id)),
    ]


def test_a_check_that_somebody_else_carried_in_was_made_by_the_courier_of_the_device(
    day: WorkingDay, phone: Phone, db: Session
) -> None:
    """Else whoever found a hazard could close it: the register would think another had found it."""
    booked, bottle, _ = day.loaded()
    item = phone.sign("deliver", handed_over(day, booked, bottle), at=at(5))
    colleague = day.cast.signed_in_courier(day.cast.bind().courier_id)
    with later(30):
        answer = phone.send([item], by=colleague)
    assert [one["status"] for one in answer.get_json()["items"]] == ["accepted"]
    [check] = db.scalars(sa.select(SafetyCheck))
    assert check.checked_by == day.courier.principal_id


def test_an_order_that_is_not_there_leaves_the_fact_alone(day: WorkingDay, phone: Phone, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    body = handed_over(day, booked, bottle) | {"order_id": str(new_id())}
    [told] = phone.sent(phone.sign("deliver", body))
    assert "order_unknown" in told["codes"]
    [delivered] = facts(db, FactKind.DELIVER)
    assert (delivered.from_id, delivered.to_id) == (day.bound.courier_id, None)
    assert line_state(db, booked) == "loaded"
    assert not list(db.scalars(sa.select(Delivery)))


def test_a_scan_outside_any_binding_is_recorded_and_flagged(day: WorkingDay, db: Session) -> None:
    phone = Phone(day.courier, CHANGNING, day.bound.device_id)
    booked, bottle, _ = day.loaded()
    item = phone.sign("deliver", handed_over(day, booked, bottle), at=at(30))
    with later(20):
        ended = day.dispatcher.post(day.at(f"bindings/{day.bound.binding_id}/end"), {})
        assert ended.status_code == 200, ended.text
    with later(60):
        [told] = phone.sent(item)
    assert told["codes"][0] == "no_binding"
    assert "delivery.no_binding" in told["codes"]
    assert line_state(db, booked) == "delivered"
    assert {fact.binding_id for fact in facts(db)} == {None}


def test_a_late_scan_belongs_to_the_binding_of_its_time_not_of_now(
    day: WorkingDay, phone: Phone, db: Session
) -> None:
    """The phone changed hands at noon; what it scanned at half past nine is still the first courier's."""
    booked, bottle, _ = day.loaded()
    item = phone.sign("deliver", handed_over(day, booked, bottle), at=at(30))
    with later(180):
        assert day.dispatcher.post(day.at(f"bindings/{day.bound.binding_id}/end"), {}).status_code == 200
        second = day.cast.bind(device_id=day.bound.device_id, from_at=at(181))
    with later(240):
        carrier = day.cast.signed_in_courier(second.courier_id)
        answer = phone.send([item], by=carrier)
    [told] = answer.get_json()["items"]
    assert (told["status"], told["codes"]) == ("accepted", [])
    assert {(fact.binding_id, fact.from_id) for fact in facts(db, FactKind.DELIVER)} == {
        (day.bound.binding_id, day.bound.courier_id)
    }


def test_where_the_uncertainty_straddles_a_change_of_binding_the_stricter_holds(
    day: WorkingDay, phone: Phone, db: Session
) -> None:
    booked, bottle, _ = day.loaded()
    with later(8):
        phone.restart()
    with later(20):
        assert day.dispatcher.post(day.at(f"bindings/{day.bound.binding_id}/end"), {}).status_code == 200
        item = phone.sign("deliver", handed_over(day, booked, bottle), at=at(10))
    with later(60):
        [told] = phone.sent(item)
    assert "binding_uncertain" in told["codes"]
    assert "delivery.no_binding" in told["codes"]
    assert {fact.binding_id for fact in facts(db)} == {day.bound.binding_id}


def test_what_a_device_signed_before_it_was_revoked_is_taken_and_what_came_later_is_flagged(
    day: WorkingDay, phone: Phone, db: Session
) -> None:
    first, second = day.order(), day.order()
    round_id, bottles = day.round(), [day.bottle(), day.bottle()]
    for booked, bottle in zip((first, second), bottles, strict=True):
        made(day.load(round_id, booked.line_ids[0], bottle.code))
    items = [
        phone.sign("deliver", handed_over(day, first, bottles[0]), at=at(10)),
        phone.sign("deliver", handed_over(day, second, bottles[1]), at=at(40)),
    ]
    with later(30):
        made(day.cast.clerk.post(phone.at("revocations"), {"reason": "lost"}))
    with later(60):
        told = phone.sent(*items)
    assert [one["codes"] for one in told] == [[], ["device_revoked"]]
    assert [line_state(db, one) for one in (first, second)] == ["delivered", "delivered"]


def test_a_wrong_wall_clock_is_flagged_and_never_used_while_there_is_an_anchor(
    day: WorkingDay, phone: Phone, db: Session
) -> None:
    booked, bottle, _ = day.loaded()
    phone.wall_is_off = timedelta(hours=-7)
    item = phone.sign("deliver", handed_over(day, booked, bottle), at=at(30))
    with later(60):
        [told] = phone.sent(item)
    assert (told["status"], told["codes"]) == ("flagged", ["clock_skew"])
    assert told["occurred_at"] == clock.stamp(at(30))
    assert told["uncertainty_s"] == 2


# --- what cannot be right is kept too ---------------------------------------------------------------------


def test_another_string_for_the_same_place_is_kept_aside_and_raises_one_alarm(
    day: WorkingDay, phone: Phone, db: Session
) -> None:
    booked, bottle, _ = day.loaded()
    item = phone.sign("deliver", handed_over(day, booked, bottle), at=at(5))
    altered = json.loads(item["signed"]) | {"kind": "fail"}
    altered["body"] = {"order_id": booked.order_id, "line_id": booked.line_ids[0], "reason": "nobody_home"}
    other = phone.signed(json.dumps(altered))
    with later(30):
        phone.sent(item)
        told = [phone.sent(other)[0] for _ in range(3)]
        assert phone.sent(item)[0]["status"] == "duplicate"
        deliver_due(day.desk.ground, CHANGNING)
    assert [(one["status"], one["codes"]) for one in told] == [
        ("flagged", ["device_forked"]),
        ("duplicate", ["device_forked"]),
        ("duplicate", ["device_forked"]),
    ]
    [kept] = db.scalars(sa.select(DeviceInbox))
    [aside] = db.scalars(sa.select(DeviceInboxAside))
    assert (kept.signed, aside.signed) == (item["signed"], other["signed"].encode())
    assert line_state(db, booked) == "delivered"
    [tip] = db.scalars(sa.select(Tip))
    assert (tip.kind, tip.facts["device_seq"]) == ("device.forked", 1)
    assert not list(verify(db))


def test_a_signature_that_is_not_the_devices_takes_no_place(
    day: WorkingDay, phone: Phone, db: Session
) -> None:
    booked, bottle, _ = day.loaded()
    item = phone.sign("deliver", handed_over(day, booked, bottle), at=at(5))
    forged = {"signed": item["signed"].replace("2024", "2023", 1), "signature": item["signature"]}
    garbage = {"signed": "\x00 not JSON at all", "signature": "?"}
    with later(30):
        answer = phone.send([forged, garbage, item]).get_json()
    assert [(one["status"], one["codes"]) for one in answer["items"]] == [
        ("unreadable", ["bad_signature"]),
        ("unreadable", ["bad_signature"]),
        ("accepted", []),
    ]
    assert answer["contiguous_seq"] == 1
    kept = {one.signed for one in db.scalars(sa.select(DeviceInboxAside))}
    assert kept == {forged["signed"].encode(), garbage["signed"].encode()}


def test_a_string_we_do_not_understand_takes_its_place_and_is_no_fact(
    day: WorkingDay, phone: Phone, db: Session
) -> None:
    strange = [
        phone.sign("teleport", {}),
        phone.sign("fail", {"order_id": "?"}),
        phone.sign("fail", {}, wall_time="2024-06-12T09:00:00"),
        phone.sign("fail", {}, device_id=str(new_id())),
        phone.signed("[1, 2, 3]"),
    ]
    answer = phone.send(strange).get_json()
    assert [one["status"] for one in answer["items"]] == ["unreadable"] * 5
    assert [one["codes"] for one in answer["items"]] == [["not_understood"]] * 4 + [["no_sequence"]]
    assert answer["contiguous_seq"] == 4
    assert not facts(db)


def test_a_string_that_loses_a_race_in_the_database_is_kept_all_the_same(
    day: WorkingDay, phone: Phone, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked, bottle, _ = day.loaded()
    item = phone.sign("deliver", handed_over(day, booked, bottle), at=at(5))

    def beaten(scene: Scene) -> None:
        raise Refused([LOST_RACE(thing="cylinder")])

    monkeypatch.setattr(inbox, "happen", beaten)
    with later(30):
        [told] = phone.sent(item)
    assert (told["status"], told["codes"]) == ("flagged", ["not_applied", "state.changed_meanwhile"])
    assert [kept.signed for kept in db.scalars(sa.select(DeviceInbox))] == [item["signed"]]
    assert line_state(db, booked) == "loaded"


def test_a_race_that_was_lost_once_is_looked_at_again_and_the_string_applied(
    day: WorkingDay, phone: Phone, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked, bottle, _ = day.loaded()
    item = phone.sign("deliver", handed_over(day, booked, bottle), at=at(5))
    happen, races = inbox.happen, iter([True, False])

    def beaten_once(scene: Scene) -> None:
        if next(races):
            raise Refused([LOST_RACE(thing="cylinder")])
        happen(scene)

    monkeypatch.setattr(inbox, "happen", beaten_once)
    with later(30):
        [told] = phone.sent(item)
    assert (told["status"], told["codes"]) == ("accepted", [])
    assert line_state(db, booked) == "delivered"


def test_a_fault_of_our_own_keeps_the_string_tells_somebody_and_lets_the_next_through(
    day: WorkingDay, phone: Phone, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked, bottle, _ = day.loaded()
    nowhere = {"order_id": str(new_id()), "line_id": str(new_id()), "reason": "nobody_home"}
    items = [phone.sign("fail", nowhere), phone.sign("deliver", handed_over(day, booked, bottle), at=at(5))]
    happen = inbox.happen

    def stumbles(scene: Scene) -> None:
        if scene.scan.seq == 1:
            raise ZeroDivisionError("a bug of ours")
        happen(scene)

    monkeypatch.setattr(inbox, "happen", stumbles)
    with later(30):
        answer = phone.send(items)
        assert answer.status_code == 200, answer.text
        told = answer.get_json()
        deliver_due(day.desk.ground, CHANGNING)
    assert [(one["status"], one["codes"]) for one in told["items"]] == [
        ("flagged", ["not_applied"]),
        ("accepted", []),
    ]
    assert told["contiguous_seq"] == 2
    kept = sa.select(DeviceInbox.signed).order_by(DeviceInbox.device_seq)
    assert list(db.scalars(kept)) == [item["signed"] for item in items]
    assert line_state(db, booked) == "delivered"
    assert [tip.kind for tip in db.scalars(sa.select(Tip))] == ["scan.not_applied"]
    assert not list(verify(db))


def test_a_signature_spoilt_on_the_way_does_not_shut_out_the_string_that_comes_whole(
    day: WorkingDay, phone: Phone, db: Session
) -> None:
    """Somebody who saw the string, or a bad line, sends it first with another signature."""
    booked, bottle, _ = day.loaded()
    item = phone.sign("deliver", handed_over(day, booked, bottle), at=at(5))
    spoilt = item | {"signature": phone.signature("something else")}
    with later(30):
        assert [one["codes"] for one in phone.sent(spoilt, spoilt)] == [["bad_signature"]] * 2
        assert line_state(db, booked) == "loaded"
        told = phone.sent(item, item)
    assert [one["status"] for one in told] == ["accepted", "duplicate"]
    assert [one.signed for one in db.scalars(sa.select(DeviceInbox))] == [item["signed"]]
    assert [one.signed.decode() for one in db.scalars(sa.select(DeviceInboxAside))] == [item["signed"]]
    assert line_state(db, booked) == "delivered"


def test_what_came_before_the_key_was_known_is_taken_when_it_comes_again(
    day: WorkingDay, db: Session
) -> None:
    phone = Phone(day.courier, CHANGNING, day.bound.device_id, enrolled=False)
    booked, bottle, _ = day.loaded()
    item = phone.sign("deliver", handed_over(day, booked, bottle), at=at(5))
    with later(30):
        assert [one["codes"] for one in phone.sent(item)] == [["bad_signature"]]
        made(phone.enrol())
        [told] = phone.sent(item)
    assert (told["status"], "bad_signature" in told["codes"]) == ("flagged", False)
    assert line_state(db, booked) == "delivered"


def test_a_fork_whose_text_came_before_with_a_bad_signature_still_raises_one_alarm(
    day: WorkingDay, phone: Phone, db: Session
) -> None:
    named = {"order_id": str(new_id()), "line_id": str(new_id()), "reason": "nobody_home"}
    first = phone.sign("fail", named)
    other = phone.signed(first["signed"].replace("nobody_home", "no_access"))
    phone.sent(other | {"signature": first["signature"]}, first)
    assert [one["codes"] for one in phone.sent(other, other)] == [["device_forked"]] * 2
    whys = db.scalars(sa.select(DeviceInboxAside.why))
    assert sorted(why.value for why in whys) == ["bad_signature", "device_forked"]
    forks = sa.select(sa.func.count()).select_from(OutboxEvent).where(OutboxEvent.topic == "device.forked")
    assert db.scalar(forks) == 1


def test_two_bottles_delivered_crosswise_can_both_be_loaded_again(
    day: WorkingDay, phone: Phone, db: Session
) -> None:
    """Within a round the courier took one household's bottle for the other's: neither stays loaded for it."""
    first, second = day.order(), day.order()
    round_id = day.round()
    x, y = day.bottle(), day.bottle()
    made(day.load(round_id, first.line_ids[0], x.code))
    made(day.load(round_id, second.line_ids[0], y.code))
    crossed = [
        phone.sign("deliver", handed_over(day, first, y), at=at(5)),
        phone.sign("deliver", handed_over(day, second, x), at=at(9)),
    ]
    with later(30):
        phone.sent(*crossed)
    assert {line_state(db, first), line_state(db, second)} == {"delivered"}
    assert not list(db.scalars(sa.select(LineLoad).where(LineLoad.active)))
    assert not list(db.scalars(sa.select(CylinderLoad).where(CylinderLoad.active)))


def test_a_load_that_comes_in_after_the_bottle_went_to_another_leaves_nothing_loaded(
    day: WorkingDay, phone: Phone, db: Session
) -> None:
    """Signed first, sent last: the bottle was loaded for one household and handed to the other."""
    first, second = day.order(), day.order()
    round_id = day.round()
    bottle = day.bottle()
    load = phone.sign("load", loading(round_id, first.line_ids[0], bottle), at=at(3))
    deliver = phone.sign("deliver", handed_over(day, second, bottle), at=at(5))
    with later(30):
        phone.sent(deliver)
        phone.sent(load)
    assert not list(db.scalars(sa.select(LineLoad).where(LineLoad.active)))
    assert not list(db.scalars(sa.select(CylinderLoad).where(CylinderLoad.active)))
    assert len(facts(db, FactKind.LOAD)) == 1
    assert line_state(db, first) == "booked"


def test_a_day_that_is_uncertain_is_judged_by_the_stricter(
    day: WorkingDay, phone: Phone, db: Session
) -> None:
    """Restarted before midnight, sent after it: the courier's certificate held on the first day only."""
    booked, bottle, _ = day.loaded()
    with later(8):
        phone.restart()
        item = phone.sign("deliver", handed_over(day, booked, bottle), at=at(9))
    with day.desk.ground.sessions() as session:
        courier = session.get_one(Staff, (CHANGNING, day.bound.courier_id))
        courier.certificate_until = THE_DAY.date()
        session.commit()
    with later(60 * 16):
        [told] = phone.sent(item)
    assert told["codes"] == ["day_uncertain", "courier.no_certificate"]
    assert line_state(db, booked) == "delivered"


def test_a_string_that_does_not_name_the_one_before_it_is_flagged(day: WorkingDay, phone: Phone) -> None:
    named = {"order_id": str(new_id()), "line_id": str(new_id()), "reason": "nobody_home"}
    first = phone.sign("fail", named)
    second = phone.sign("fail", named, prev="ab" * 32)
    assert [one["codes"] for one in phone.sent(first, second)] == [
        ["order_unknown"],
        ["chain_broken", "order_unknown"],
    ]


def test_a_batch_holds_fifty_and_has_a_shape(phone: Phone) -> None:
    assert phone.send([{"signed": "{}", "signature": ""}] * 51).status_code == 422
    assert phone.send([]).status_code == 422
    assert phone.carrier.post(phone.at("scans"), {"items": [{"signed": 1}]}).status_code == 422


def test_an_anchor_of_another_device_says_nothing(day: WorkingDay, phone: Phone) -> None:
    other = day.cast.bind()
    theirs = Phone(day.cast.signed_in_courier(other.courier_id), CHANGNING, other.device_id)
    named = {"order_id": str(new_id()), "line_id": str(new_id()), "reason": "nobody_home"}
    [told] = phone.sent(phone.sign("fail", named, anchor=theirs.anchor))
    assert told["codes"] == ["no_anchor", "anchor_not_ours", "order_unknown"]

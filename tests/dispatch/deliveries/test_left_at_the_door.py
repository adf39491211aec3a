"""无接触交接: left at the door as ordered, with a photograph and the code; the check is asked for as ever."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from dispatch.deliveries.models import Delivery
from dispatch.safety.models import SafetyCheck
from evidence.models import Entry, Outcome
from evidence.verify import verify
from rulebook.decisions import replay
from rulebook.edition import Law
from tests.cast import CHANGNING, made
from tests.desk import Desk
from tests.dispatch.deliveries.test_custody_under_bad_weather import at, later
from tests.dispatch.rounds.working_day import A_SIGNATURE, Booked, Bottle, WorkingDay, a_check, codes
from tests.phone import Phone

PHOTO = "cd" * 32
DROP = {"place": "doorstep", "photo_sha256": PHOTO}
BY_VIDEO = {"mode": "video", "remote_reason": "contactless", "user_signed": False}


@pytest.fixture
def day(desk: Desk) -> WorkingDay:
    return WorkingDay(desk)


@pytest.fixture
def ordered(day: WorkingDay) -> tuple[Booked, Bottle]:
    """Loaded and at the door, where the household's page shows its code."""
    booked, bottle, _ = day.loaded(contactless=True)
    made(day.arrive(booked))
    return booked, bottle


def left(day: WorkingDay, booked: Booked, bottle: Bottle, **changed: Any) -> dict[str, Any]:
    """What the courier reports of a bottle left as it should be."""
    proof = {"kind": "door_code", "value": day.door_code(booked)}
    return day.report(booked, bottle) | {"proof": proof, "drop": DROP, "connected": False} | changed


def nothing_left(day: WorkingDay, db: Session, bottle: Bottle) -> bool:
    db.expire_all()
    return not list(db.scalars(sa.select(Delivery).where(Delivery.outcome == "delivered"))) and day.holder(
        bottle.cylinder_id
    ) == ("courier", day.bound.courier_id)


def test_what_is_left_is_signed_for_by_place_photograph_and_code_and_a_video_check_is_followed_up(
    day: WorkingDay, ordered: tuple[Booked, Bottle], db: Session
) -> None:
    booked, bottle = ordered
    done = made(day.deliver(booked, left(day, booked, bottle, check=a_check(**BY_VIDEO))))
    assert (done["outcome"], done["proof_kind"]) == ("delivered", "door_code")
    assert (done["drop_place"], done["drop_photo_sha256"]) == ("doorstep", PHOTO)
    check = db.scalars(sa.select(SafetyCheck)).one()
    assert (check.mode.value, check.remote_reason and check.remote_reason.value) == ("video", "contactless")
    due = day.cast.regulator.get(day.at("follow-ups")).json["items"]
    assert [one["check_id"] for one in due] == [str(check.id)]
    resident, order = day.resident(booked.home), day.at(f"orders/{booked.order_id}")
    assert resident.get(order).json["contactless"] is True
    [visit] = resident.get(f"{order}/deliveries").json["items"]
    assert visit["drop_place"] == "doorstep"
    [voucher] = resident.get(f"{order}/vouchers").json["items"]
    assert voucher["contactless"] is True
    assert "无接触交接" in day.desk.app.test_client().get(f"/V/{voucher['code']}").text
    trace = day.cast.regulator.get(f"{order}/trace").json
    said = {event["verb"]: event["payload"] for event in trace["events"]}
    assert said["order.book"]["contactless"] is True
    assert (said["order.deliver"]["drop_place"], said["order.deliver"]["drop_photo_sha256"]) == (
        "doorstep",
        PHOTO,
    )
    assert not list(verify(db))
    assert not list(replay(db))


NOT_LEFT: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no check": ({"check": None}, ["handover.check_missing"]),
    "no photograph": ({"drop": {"place": "yard"}}, ["contactless.no_photo"]),
    "a signature": ({"proof": {"kind": "signature", "sha256": A_SIGNATURE}}, ["contactless.code_needed"]),
    "no card put out": ({"card_credential": None}, ["handover.card_not_shown"]),
    "no empty put out": ({"empty_code": None}, ["handover.empty_missing"]),
}


def test_nothing_is_left_without_what_the_gate_asks(
    day: WorkingDay, ordered: tuple[Booked, Bottle], db: Session
) -> None:
    """Nor after a wrong code, which is counted, nor where the check is refused, which withholds the gas."""
    booked, bottle = ordered
    right = left(day, booked, bottle)
    for why, (changed, expected) in NOT_LEFT.items():
        assert codes(day.deliver(booked, right | changed)) == expected, why
        assert nothing_left(day, db, bottle), why
    refused = day.entries(db, "order.deliver")
    assert [one.outcome for one in refused] == [Outcome.REFUSED] * len(NOT_LEFT)
    for entry, (_, expected) in zip(refused, NOT_LEFT.values(), strict=True):
        assert expected[0].encode() in entry.written
    wrong = {"kind": "door_code", "value": f"{(int(right['proof']['value']) + 1) % 1_000_000:06}"}
    told = made(day.deliver(booked, right | {"proof": wrong}))
    assert (told["outcome"], told["drop_place"], told["tries_left"]) == ("wrong_code", None, 4)
    no_check = {"mode": "on_site", "refused": True, "items": [], "user_signed": False, "briefed": True}
    told = made(day.deliver(booked, right | {"check": no_check}))
    assert (told["outcome"], told["drop_place"], told["drop_photo_sha256"]) == ("withheld", None, None)
    assert nothing_left(day, db, bottle)


OF_ANOTHER_SHAPE: list[tuple[Any, str]] = [
    ({"place": "stairs", "photo_sha256": PHOTO}, "/drop/place"),
    ({"photo_sha256": PHOTO}, "/drop/place"),
    ({"place": "yard", "photo_sha256": "a photograph"}, "/drop/photo_sha256"),
    ({"place": "yard", "photo_sha256": PHOTO.upper()}, "/drop/photo_sha256"),
    ({"place": "yard", "note": "behind the shed"}, "/drop/note"),
    ("yard", "/drop"),
    ([], "/drop"),
]


def test_what_was_not_ordered_so_is_not_left_and_another_shape_is_422(day: WorkingDay, db: Session) -> None:
    plain, bottle, _ = day.loaded()
    made(day.arrive(plain))
    report = left(day, plain, bottle)
    before = db.scalar(sa.select(sa.func.count()).select_from(Entry))
    for drop, pointer in OF_ANOTHER_SHAPE:
        answer = day.deliver(plain, report | {"drop": drop})
        assert (answer.status_code, [one["pointer"] for one in answer.json["errors"]]) == (422, [pointer])
    db.expire_all()
    assert db.scalar(sa.select(sa.func.count()).select_from(Entry)) == before
    refused = day.deliver(plain, report)
    assert codes(refused) == ["contactless.not_ordered"]
    assert refused.json["reasons"][0]["basis"]["document"]
    assert nothing_left(day, db, bottle)


def test_a_mode_switched_off_in_between_is_refused_at_the_door_and_handed_over_in_person(
    day: WorkingDay, ordered: tuple[Booked, Bottle], db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked, bottle = ordered
    report = left(day, booked, bottle)
    switched_off(monkeypatch)
    assert codes(day.deliver(booked, report)) == ["contactless.not_allowed"]
    assert nothing_left(day, db, bottle)
    done = made(day.deliver(booked, report | {"drop": None, "check": None}))
    assert (done["outcome"], done["drop_place"]) == ("delivered", None)
    order = day.at(f"orders/{booked.order_id}")
    [voucher] = day.resident(booked.home).get(f"{order}/vouchers").json["items"]
    assert voucher["contactless"] is False


def switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The place's law says false where it is asked for the switch."""
    flag = Law.flag
    monkeypatch.setattr(Law, "flag", lambda law, name: False if name == "A16.allowed" else flag(law, name))


# --- told later -------------------------------------------------------------------------------------------


def test_a_drop_is_told_later_like_any_handover_and_what_was_wrong_with_it_is_flagged(
    day: WorkingDay, db: Session
) -> None:
    phone = Phone(day.courier, CHANGNING, day.bound.device_id)
    asked = [day.order(contactless=True), day.order(), day.order(contactless=True)]
    round_id, bottles = day.round(), [day.bottle() for _ in asked]
    for one, bottle in zip(asked, bottles, strict=True):
        made(day.load(round_id, one.line_ids[0], bottle.code))
    right, not_asked, unchecked = asked
    with later(20):
        made(day.arrive(right))
        code = day.door_code(right)
    reports = [
        left_offline(day, right, bottles[0], proof={"kind": "door_code", "value": code}),
        left_offline(day, not_asked, bottles[1], drop={"place": "yard"}),
        left_offline(day, unchecked, bottles[2], check=None),
    ]
    with later(120):
        told = phone.sent(*(phone.sign("deliver", body, at=at(25 + 5 * n)) for n, body in enumerate(reports)))
    assert [(one["status"], one["codes"]) for one in told] == [
        ("accepted", []),
        ("flagged", ["contactless.not_ordered", "contactless.no_photo", "contactless.code_needed"]),
        ("flagged", ["handover.check_missing", "contactless.code_needed"]),
    ]
    rows = {str(one.order_id): one for one in db.scalars(sa.select(Delivery))}
    first, second = rows[right.order_id], rows[not_asked.order_id]
    assert (first.drop_place, first.drop_photo_sha256, first.flags) == ("doorstep", PHOTO, [])
    assert (second.drop_place, second.drop_photo_sha256) == ("yard", None), "it happened, and is kept"
    assert "contactless.not_ordered" in second.flags
    path = day.at(f"orders/{unchecked.order_id}/deliveries")
    [visit] = day.resident(unchecked.home).get(path).json["items"]
    assert (visit["drop_place"], visit["check_outcome"]) == ("doorstep", None)
    assert not list(verify(db))


def left_offline(day: WorkingDay, booked: Booked, bottle: Bottle, **changed: Any) -> dict[str, Any]:
    report = day.report(booked, bottle, connected=False, drop=DROP) | changed
    del report["occurred_at"], report["point"]
    return {"order_id": booked.order_id, **report}

"""The door code: the resident's to see, the courier's to hear; ten minutes, one use, five wrong tries."""

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import Role
from core.idempotency import Idempotency
from dispatch.deliveries.models import Delivery, DoorCode
from dispatch.orders.models import OrderLine
from evidence.models import Entry, Outcome
from tests.cast import made
from tests.conftest import THE_DAY
from tests.desk import Desk
from tests.dispatch.rounds.working_day import SMALL, Booked, WorkingDay, codes


def by_code(value: str) -> dict[str, Any]:
    return {"proof": {"kind": "door_code", "value": value}}


def another(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def line_state(db: Session, booked: Booked) -> str:
    return db.scalars(sa.select(OrderLine.state).where(OrderLine.id == UUID(booked.line_ids[0]))).one().value


def wrong_tries(db: Session) -> int:
    return db.scalars(sa.select(DoorCode.wrong_tries)).one()


# --- who sees it ------------------------------------------------------------------------------------------


def test_the_resident_reads_the_code_and_the_courier_delivers_with_it(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    made(day.arrive(booked))
    code = day.door_code(booked)
    assert len(code) == 6
    assert code.isascii()
    assert code.isdigit()
    done = made(day.deliver(booked, day.report(booked, bottle, **by_code(code))))
    assert (done["outcome"], done["proof_kind"], done["flags"]) == ("delivered", "door_code", [])


def test_the_courier_is_never_told_the_code(day: WorkingDay, db: Session) -> None:
    booked, _, _ = day.loaded()
    arrived = day.arrive(booked)
    code = day.door_code(booked)
    assert set(made(arrived)) == {
        "order_id",
        "issued_at",
        "expires_at",
        "tries_left",
        "open_hazards",
        "equipment",
    }
    assert code not in arrived.text
    path = day.at(f"orders/{booked.order_id}/door-code")
    for nobody in (day.courier, day.dispatcher, day.cast.clerk, day.cast.regulator):
        assert nobody.get(path).status_code == 403
    assert day.resident(day.home()).get(path).status_code == 404


def test_the_code_stands_nowhere_in_the_clear(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    made(day.arrive(booked))
    code = day.door_code(booked)
    made(day.deliver(booked, day.report(booked, bottle, **by_code(code))))
    assert not [entry for entry in db.scalars(sa.select(Entry)) if f'"{code}"'.encode() in entry.written]
    assert not [kept for kept in db.scalars(sa.select(Idempotency)) if f"'{code}'" in repr(kept.answer)]
    assert code.encode() not in db.scalars(sa.select(DoorCode.code_sealed)).one()


def test_before_the_courier_arrives_there_is_no_code(day: WorkingDay) -> None:
    booked, bottle, _ = day.loaded()
    path = day.at(f"orders/{booked.order_id}/door-code")
    assert day.resident(booked.home).get(path).status_code == 404
    assert codes(day.deliver(booked, day.report(booked, bottle, **by_code("000000")))) == ["door_code.none"]


def test_no_code_before_a_bottle_is_loaded_or_for_another_courier(
    day: WorkingDay, desk: Desk, db: Session
) -> None:
    booked = day.order()
    day.round()
    assert codes(day.arrive(booked)) == ["door_code.nothing_loaded"]
    colleague = desk.sign_in(Role.COURIER, courier=day.cast.courier())
    assert colleague.post(day.at(f"orders/{booked.order_id}/arrivals")).status_code == 404
    assert not list(db.scalars(sa.select(DoorCode)))


# --- its life ---------------------------------------------------------------------------------------------


def test_arriving_again_within_its_life_keeps_the_code_and_later_gives_another(day: WorkingDay) -> None:
    booked, bottle, _ = day.loaded()
    made(day.arrive(booked))
    first = day.door_code(booked)
    made(day.arrive(booked))
    assert day.door_code(booked) == first
    with clock.standing_at(THE_DAY + timedelta(minutes=10)):
        path = day.at(f"orders/{booked.order_id}/door-code")
        assert day.resident(booked.home).get(path).status_code == 404
        report = day.report(booked, bottle, **by_code(first))
        expired = day.deliver(booked, report)
        assert codes(expired) == ["door_code.none"]
        assert expired.get_json()["reasons"][0]["facts"] == {"why": "expired"}
        made(day.arrive(booked))
        made(day.deliver(booked, day.report(booked, bottle, **by_code(day.door_code(booked)))))


def test_a_code_is_used_once(day: WorkingDay, db: Session) -> None:
    booked = day.order(day.restaurant((SMALL, SMALL)))
    round_id, first, second = day.round(), day.bottle(), day.bottle()
    made(day.load(round_id, booked.line_ids[0], first.code))
    made(day.load(round_id, booked.line_ids[1], second.code))
    made(day.arrive(booked))
    code = day.door_code(booked)
    made(day.deliver(booked, day.report(booked, first, 0, **by_code(code))))
    again = day.deliver(booked, day.report(booked, second, 1, **by_code(code)))
    assert codes(again) == ["door_code.none"]
    assert again.get_json()["reasons"][0]["facts"] == {"why": "used"}
    made(day.arrive(booked))
    made(day.deliver(booked, day.report(booked, second, 1, **by_code(day.door_code(booked)))))


# --- wrong codes ------------------------------------------------------------------------------------------


def test_a_wrong_code_is_recorded_and_counted_and_hands_nothing_over(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    made(day.arrive(booked))
    wrong = by_code(another(day.door_code(booked)))
    done = made(day.deliver(booked, day.report(booked, bottle, **wrong)))
    assert (done["outcome"], done["tries_left"], done["proof_kind"]) == ("wrong_code", 4, None)
    assert day.holder(bottle.cylinder_id) == ("courier", day.bound.courier_id)
    assert line_state(db, booked) == "loaded"
    [row] = db.scalars(sa.select(Delivery))
    assert row.outcome.value == "wrong_code"
    [entry] = day.entries(db, "order.deliver")
    assert entry.outcome is Outcome.DONE
    assert wrong["proof"]["value"].encode() not in entry.written


def test_the_right_code_after_a_wrong_one_delivers_under_the_same_check(day: WorkingDay) -> None:
    booked, bottle, _ = day.loaded()
    made(day.arrive(booked))
    code = day.door_code(booked)
    wrong = made(day.deliver(booked, day.report(booked, bottle, **by_code(another(code)))))
    right = made(day.deliver(booked, day.report(booked, bottle, check=None, **by_code(code))))
    assert right["outcome"] == "delivered"
    assert right["check_id"] == wrong["check_id"]


def test_five_wrong_codes_lock_it_for_good_and_another_proof_still_delivers(
    day: WorkingDay, db: Session
) -> None:
    booked, bottle, _ = day.loaded()
    made(day.arrive(booked))
    code = day.door_code(booked)
    left = []
    for _ in range(5):
        report = day.report(booked, bottle, **by_code(another(code)))
        left.append(made(day.deliver(booked, report))["tries_left"])
    assert left == [4, 3, 2, 1, 0]
    assert codes(day.deliver(booked, day.report(booked, bottle, **by_code(code)))) == ["door_code.locked"]
    assert codes(day.arrive(booked)) == ["door_code.locked"]
    path = day.at(f"orders/{booked.order_id}/door-code")
    assert day.resident(booked.home).get(path).status_code == 404
    with clock.standing_at(THE_DAY + timedelta(minutes=30)):
        assert codes(day.arrive(booked)) == ["door_code.locked"]
    assert line_state(db, booked) == "loaded"
    assert made(day.deliver(booked, day.report(booked, bottle)))["outcome"] == "delivered"


def test_a_new_code_gives_no_new_tries(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    made(day.arrive(booked))
    made(day.deliver(booked, day.report(booked, bottle, **by_code(another(day.door_code(booked))))))
    with clock.standing_at(THE_DAY + timedelta(minutes=11)):
        assert made(day.arrive(booked))["tries_left"] == 4


def test_a_wrong_code_beside_another_reason_is_refused_without_being_looked_at(
    day: WorkingDay, db: Session
) -> None:
    booked, bottle, _ = day.loaded()
    made(day.arrive(booked))
    code = day.door_code(booked)
    for value in (code, another(code)):
        report = day.report(booked, bottle, empty_code=None, **by_code(value))
        assert codes(day.deliver(booked, report)) == ["handover.empty_missing"]
    assert wrong_tries(db) == 0


def test_the_same_wrong_try_sent_again_is_counted_once(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    made(day.arrive(booked))
    report = day.report(booked, bottle, **by_code(another(day.door_code(booked))))
    first = made(day.deliver(booked, report, key="wrong-try-1"))
    assert made(day.deliver(booked, report, key="wrong-try-1")) == first
    assert wrong_tries(db) == 1


@pytest.mark.both_ends
def test_twenty_guesses_at_once_get_five_tries(day: WorkingDay, db: Session) -> None:
    booked, bottle, _ = day.loaded()
    made(day.arrive(booked))
    code = day.door_code(booked)
    start = threading.Barrier(20)
    seen: list[str] = []

    def guess(number: int) -> None:
        wrong = f"{(int(code) + 1 + number) % 1_000_000:06d}"
        report = day.report(booked, bottle, **by_code(wrong))
        start.wait()
        answer = day.deliver(booked, report)
        seen.append(answer.get_json()["outcome"] if answer.status_code == 201 else codes(answer)[0])

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == ["door_code.locked"] * 15 + ["wrong_code"] * 5
    assert wrong_tries(db) == 5
    assert line_state(db, booked) == "loaded"

"""Driving a round: the right vehicle, the manifest on record, and an empty vehicle at the end."""

import json
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import Role
from core.idempotency import Idempotency
from core.sealed import Subject, erase
from core.sealed import SubjectType as Sealed
from dispatch.rounds.models import Round
from evidence.models import Link, Outcome, SubjectType
from registry.models import Person as Registrant
from registry.models import Staff
from tests.cast import made
from tests.desk import Desk
from tests.dispatch.rounds.working_day import WorkingDay, codes


def state_of(db: Session, round_id: str) -> str:
    return db.scalars(sa.select(Round.state).where(Round.id == UUID(round_id))).one().value


# --- start ------------------------------------------------------------------------------------------------


def test_the_courier_starts_by_confirming_the_plate(day: WorkingDay, db: Session) -> None:
    day.order()
    round_id = day.planned_round()
    assert made(day.start(round_id, plate=day.plate.lower()))["state"] == "started"
    [entry] = day.entries(db, "round.drive")
    assert (entry.outcome, str(entry.round_id)) == (Outcome.DONE, round_id)


def test_another_vehicles_plate_is_refused(day: WorkingDay, db: Session) -> None:
    day.order()
    round_id = day.planned_round()
    other = day.plate_of(day.cast.vehicle())
    assert codes(day.start(round_id, plate=other)) == ["round.wrong_vehicle"]
    assert codes(day.start(round_id, plate="!!")) == ["round.wrong_vehicle"]
    assert state_of(db, round_id) == "planned"


def test_without_a_binding_in_force_nobody_sets_out(day: WorkingDay, db: Session) -> None:
    day.order()
    round_id = day.planned_round()
    day.dispatcher.post(day.at(f"bindings/{day.bound.binding_id}/end"))
    assert codes(day.start(round_id)) == ["round.no_binding"]
    assert state_of(db, round_id) == "planned"


def test_tomorrows_round_is_not_driven_today(day: WorkingDay, db: Session) -> None:
    tomorrow = clock.today() + timedelta(days=1)
    day.order(day=tomorrow)
    round_id = day.planned_round(day=tomorrow.isoformat())
    assert codes(day.start(round_id)) == ["round.not_today"]
    assert state_of(db, round_id) == "planned"


def test_a_round_is_started_once(day: WorkingDay) -> None:
    day.order()
    round_id = day.round()
    assert codes(day.start(round_id)) == ["state.move_not_allowed"]


def test_a_courier_drives_one_round_at_a_time(day: WorkingDay, db: Session) -> None:
    day.order()
    day.round()
    day.order()
    second = day.planned_round(wave=2)
    assert codes(day.start(second)) == ["round.another_started"]
    assert state_of(db, second) == "planned"


def test_another_courier_finds_no_such_round(day: WorkingDay, desk: Desk, db: Session) -> None:
    day.order()
    round_id = day.planned_round()
    colleague = day.cast.signed_in_courier(day.cast.courier())
    assert colleague.get(day.at(f"rounds/{round_id}")).status_code == 404
    assert colleague.post(day.at(f"rounds/{round_id}/starts"), {"plate": day.plate}).status_code == 404
    assert colleague.post(day.at(f"rounds/{round_id}/manifests")).status_code == 404
    assert colleague.get(day.at("rounds")).get_json()["items"] == []
    assert state_of(db, round_id) == "planned"


# --- reading ----------------------------------------------------------------------------------------------


def test_courier_dispatcher_and_regulator_list_what_is_theirs(day: WorkingDay, desk: Desk) -> None:
    day.order()
    round_id = day.planned_round()
    for who in (day.courier, day.dispatcher, day.cast.regulator):
        [item] = who.get(day.at("rounds"), day="2024-06-12").get_json()["items"]
        assert item["id"] == round_id
        assert who.get(day.at("rounds"), day="2024-06-13").get_json()["items"] == []
    stranger = desk.sign_in(Role.DISPATCHER, firm=day.cast.another_firm())
    assert stranger.get(day.at("rounds")).get_json()["items"] == []
    assert stranger.get(day.at(f"rounds/{round_id}")).status_code == 404


def test_a_round_is_read_masked(day: WorkingDay) -> None:
    day.order()
    [stop] = day.courier.get(day.at(f"rounds/{day.planned_round()}")).get_json()["stops"]
    assert stop["name"].endswith("**")
    assert "****" in stop["phone"]
    assert stop["address"].endswith("***")
    assert "point" not in stop
    assert [line["state"] for line in stop["lines"]] == ["booked"]


# --- the manifest -----------------------------------------------------------------------------------------


def test_the_manifest_shows_the_stops_to_their_courier_and_says_so_on_record(
    day: WorkingDay, db: Session
) -> None:
    booked = day.order()
    round_id = day.round()
    answer = day.courier.post(day.at(f"rounds/{round_id}/manifests"))
    [stop] = made(answer)["stops"]
    assert stop["name"].startswith("样例住户")
    assert stop["phone"].startswith("1381")
    assert stop["address"].endswith("101室")
    assert stop["point"]["datum"] == "wgs84"
    assert answer.headers["Cache-Control"] == "no-store"
    entry = day.entries(db, "round.drive")[-1]
    households = db.scalars(
        sa.select(Link.subject_key).where(
            Link.entry_id == entry.id, Link.subject_type == SubjectType.HOUSEHOLD
        )
    )
    assert list(households) == [str(booked.home.users.household_id)]


def test_neither_the_entry_nor_the_kept_answer_holds_what_was_shown(day: WorkingDay, db: Session) -> None:
    day.order()
    round_id = day.round()
    [stop] = made(day.courier.post(day.at(f"rounds/{round_id}/manifests"), key="manifest-1"))["stops"]
    entry = day.entries(db, "round.drive")[-1]
    kept = db.scalars(sa.select(Idempotency).where(Idempotency.key == "manifest-1")).one()
    written = entry.written.decode() + json.dumps(kept.answer, ensure_ascii=False)
    for secret in (stop["name"], stop["phone"], stop["address"]):
        assert secret not in written
    assert kept.answer == {"round_id": round_id}


def test_a_repeated_manifest_is_opened_again_and_masked_once_the_round_is_finished(day: WorkingDay) -> None:
    day.order()
    round_id = day.round()
    path = day.at(f"rounds/{round_id}/manifests")
    [first] = made(day.courier.post(path, key="manifest-1"))["stops"]
    assert made(day.courier.post(path, key="manifest-1"))["stops"] == [first]
    made(day.finish(round_id))
    [masked] = made(day.courier.post(path, key="manifest-1"))["stops"]
    assert masked["phone"] != first["phone"]
    assert "point" not in masked


def test_an_erased_registrant_is_shown_as_unknown(day: WorkingDay, db: Session) -> None:
    day.order()
    round_id = day.round()
    with day.desk.ground.sessions() as opened:
        for person_id in opened.scalars(sa.select(Registrant.person_id)):
            erase(opened, Subject(Sealed.PERSON, person_id))
        opened.commit()
    [stop] = made(day.courier.post(day.at(f"rounds/{round_id}/manifests")))["stops"]
    assert (stop["name"], stop["phone"]) == (None, None)
    assert stop["address"].endswith("101室")


def test_no_manifest_before_the_round_is_driven(day: WorkingDay, db: Session) -> None:
    day.order()
    round_id = day.planned_round()
    answer = day.courier.post(day.at(f"rounds/{round_id}/manifests"))
    assert codes(answer) == ["round.not_started"]
    assert "样例路" not in answer.text
    assert [entry.outcome for entry in day.entries(db, "round.drive")] == [Outcome.REFUSED]


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.REGULATOR, Role.CLERK])
def test_only_couriers_ask_for_manifests(day: WorkingDay, desk: Desk, role: Role) -> None:
    day.order()
    round_id = day.round()
    office = desk.sign_in(role, firm=day.cast.firm())
    assert office.post(day.at(f"rounds/{round_id}/manifests")).status_code == 403


# --- finish -----------------------------------------------------------------------------------------------


def test_a_round_with_a_bottle_on_the_vehicle_is_not_finished(day: WorkingDay, db: Session) -> None:
    _, bottle, round_id = day.loaded()
    answer = day.finish(round_id)
    assert codes(answer) == ["round.bottles_on_vehicle"]
    facts = answer.get_json()["reasons"][0]["facts"]
    assert facts == {"bottles": 1, "cylinder_ids": [str(bottle.cylinder_id)]}
    assert state_of(db, round_id) == "started"


def test_the_empty_taken_must_come_back_before_the_round_is_finished(day: WorkingDay, db: Session) -> None:
    booked, bottle, round_id = day.loaded()
    made(day.deliver(booked, day.report(booked, bottle)))
    assert codes(day.finish(round_id)) == ["round.bottles_on_vehicle"]
    made(day.bring_back(round_id, booked.home.empties[0]))
    assert made(day.finish(round_id))["state"] == "finished"


def test_what_a_finished_round_left_undone_can_be_planned_again(day: WorkingDay) -> None:
    booked = day.order()
    made(day.finish(day.round()))
    [trip] = day.plan(wave=2)["trips"]
    assert [stop["order_id"] for stop in trip["stops"]] == [booked.order_id]


def test_staff_names_stand_nowhere_in_a_round(day: WorkingDay, db: Session) -> None:
    day.order()
    text = day.dispatcher.get(day.at(f"rounds/{day.planned_round()}")).text
    assert "送气工样例" not in text
    assert db.scalars(sa.select(Staff)).first() is not None

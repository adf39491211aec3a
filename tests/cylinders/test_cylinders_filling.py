"""Filling: the happy path, every refusal kept, and one bottle filled once however many try."""

import json
import threading
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from cylinders.models import CustodyFact, CylinderCustody, FactKind, Filling
from evidence.models import Entry, Outcome
from evidence.verify import verify
from registry.models import HolderKind
from rulebook.models import Decision
from tests.cast import Cast, made
from tests.cylinders.cast import AFTER, BEFORE, TARE_G, Bottle, Bottles, looked_at


def codes(answer: Any) -> list[str]:
    return [reason["code"] for reason in answer["reasons"]]


def nothing_was_filled(db: Session, bottle: Bottle) -> bool:
    fillings = db.scalars(sa.select(Filling).where(Filling.cylinder_id == bottle.id)).all()
    fills = db.scalars(
        sa.select(CustodyFact).where(CustodyFact.cylinder_id == bottle.id, CustodyFact.kind == FactKind.FILL)
    ).all()
    return not fillings and not fills


def test_a_sound_empty_bottle_is_filled_and_is_then_full(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty()
    answer = made(bottles.fill(bottle))
    assert (answer["net_g"], answer["gross_g"]) == (14_600, TARE_G + 14_800)
    custody = db.get_one(CylinderCustody, bottle.id)
    assert custody.full
    assert (custody.holder_kind, custody.holder_id) == (HolderKind.SITE, bottles.cast.filling_station())
    filling = db.scalars(sa.select(Filling)).one()
    decision = db.get_one(Decision, filling.decision_id)
    assert (decision.gate, decision.allowed, decision.place) == ("refill", True, "310105")
    assert not list(verify(db))


def test_a_full_bottle_is_not_filled_again(bottles: Bottles, db: Session) -> None:
    bottle = bottles.filled()
    answer = bottles.fill(bottle)
    assert answer.status_code == 409
    assert codes(answer.json) == ["refill.already_full"]
    assert db.scalar(sa.select(sa.func.count()).select_from(Filling)) == 1


def test_a_refused_filling_is_kept_with_every_reason_and_nothing_is_filled(
    bottles: Bottles, db: Session
) -> None:
    bottle = bottles.empty(
        phase="two_phase", last_inspection=bottles.inspection(inspected_on="2020-01-01"), refurbished=True
    )
    answer = bottles.fill(bottle)
    assert answer.status_code == 409
    assert codes(answer.json) == ["refill.inspection_overdue", "refill.refurbished", "refill.two_phase"]
    assert all(reason["basis"]["document"] for reason in answer.json["reasons"])
    assert nothing_was_filled(db, bottle)
    entry = db.scalars(sa.select(Entry).where(Entry.refusal_no == answer.json["refusal_no"])).one()
    assert (entry.outcome, entry.verb) == (Outcome.REFUSED, "cylinder.fill")
    for code in codes(answer.json):
        assert code.encode() in entry.written
    kept = db.scalars(sa.select(Decision).where(Decision.allowed.is_(False))).one()
    assert [reason["code"] for reason in kept.reasons] == codes(answer.json)


def test_the_same_key_answers_alike_and_fills_once(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty()
    body = bottles.filling(bottle.code)
    first = bottles.cast.filler.post("/api/v1/fillings", body, key="filling-0001")
    again = bottles.cast.filler.post("/api/v1/fillings", body, key="filling-0001")
    assert first.status_code == again.status_code == 201
    assert first.json == again.json
    assert again.headers["Idempotency-Replayed"] == "true"
    assert db.scalar(sa.select(sa.func.count()).select_from(Filling)) == 1


def test_an_overfilled_bottle_is_recorded_with_its_limit_and_held(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty()
    answer = made(bottles.fill(bottle, gross_g=TARE_G + 15_001))
    assert (answer["outcome"], answer["id"]) == ("overfilled", None)
    [reason] = answer["reasons"]
    assert (reason["code"], reason["facts"]) == (
        "filling.overfilled",
        {"content_g": 15_001, "limit_g": 15_000},
    )
    assert nothing_was_filled(db, bottle)
    [hold] = bottles.file(bottle)["holds"]
    assert (hold["kind"], hold["until_at"]) == ("overfilled", None)


def test_the_limit_itself_is_still_a_filling(bottles: Bottles) -> None:
    assert bottles.fill(bottles.empty(), gross_g=TARE_G + 15_000).status_code == 201


def test_what_was_left_in_the_bottle_counts_towards_its_content(bottles: Bottles) -> None:
    answer = made(bottles.fill(bottles.empty(), residue_g=500, gross_g=TARE_G + 15_100))
    assert codes(answer) == ["filling.overfilled"]


def test_a_bottle_no_heavier_than_before_was_not_filled(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty()
    for gross_g in (TARE_G + 200, TARE_G - 1):
        answer = bottles.fill(bottle, gross_g=gross_g)
        assert codes(answer.json) == ["filling.nothing_filled"]
    assert nothing_was_filled(db, bottle)


def test_a_failed_check_is_no_filling(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty()
    answer = made(bottles.fill(bottle, checks_after=looked_at(*AFTER, wrong="leak")))
    assert (answer["outcome"], codes(answer)) == ("refused", ["filling.check_failed"])
    assert answer["reasons"][0]["facts"] == {"items": ["leak"]}
    assert nothing_was_filled(db, bottle)


def test_what_was_weighed_and_checked_survives_a_refused_filling(bottles: Bottles, db: Session) -> None:
    bottle = bottles.spoilt(refurbished=True)
    answer = bottles.fill(bottle, checks_after=looked_at(*AFTER, wrong="leak"))
    entry = db.scalars(sa.select(Entry).where(Entry.refusal_no == answer.json["refusal_no"])).one()
    payload = json.loads(entry.written)["payload"]
    assert payload["checks_before"] == looked_at(*BEFORE)
    assert payload["checks_after"] == looked_at(*AFTER, wrong="leak")
    assert (payload["tare_weighed_g"], payload["gross_g"]) == (TARE_G, TARE_G + 14_800)


def test_a_bottle_without_a_stamped_tare_is_not_filled(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty(tare_g=None)
    assert codes(bottles.fill(bottle).json) == ["filling.tare_unknown"]
    assert nothing_was_filled(db, bottle)


def test_a_bottle_that_is_elsewhere_is_not_filled_here(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty(holder={"site_id": str(bottles.cast.supply_point())})
    assert codes(bottles.fill(bottle).json) == ["refill.not_here"]
    assert nothing_was_filled(db, bottle)


def test_nobody_fills_at_a_site_that_is_not_theirs(bottles: Bottles, cast: Cast, db: Session) -> None:
    bottle = bottles.empty()
    other = Cast(cast.desk)
    answer = other.filler.post("/api/v1/fillings", bottles.filling(bottle.code))
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == "/site_id"
    assert nothing_was_filled(db, bottle)


def test_the_filler_must_be_of_the_firm(bottles: Bottles) -> None:
    for stranger in (uuid4(), Bottles(Cast(bottles.cast.desk)).filler_id):
        answer = bottles.fill(bottles.empty(), filler_id=str(stranger))
        assert answer.status_code == 422
        assert answer.json["errors"][0]["pointer"] == "/filler_id"


def test_a_filler_whose_certificate_has_run_out_fills_nothing(bottles: Bottles, db: Session) -> None:
    lapsed = bottles.cast.staff(kind="filler", certificate_from="2020-01-01", certificate_until="2024-06-11")
    bottle = bottles.empty()
    answer = bottles.fill(bottle, filler_id=str(lapsed))
    assert codes(answer.json) == ["refill.no_filler_certificate"]
    assert nothing_was_filled(db, bottle)


@pytest.mark.both_ends
def test_of_twenty_who_fill_one_bottle_at_once_exactly_one_does(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty()
    bodies = [bottles.filling(bottle.code) for _ in range(20)]
    filler, start, answers = bottles.cast.filler, threading.Barrier(20), []

    def fill(body: dict[str, Any]) -> None:
        start.wait()
        answers.append(filler.post("/api/v1/fillings", body))

    threads = [threading.Thread(target=fill, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 19}
    refused = [answer.json for answer in answers if answer.status_code == 409]
    assert all(codes(one) == ["refill.already_full"] for one in refused)
    assert db.scalar(sa.select(sa.func.count()).select_from(Filling)) == 1
    assert not list(verify(db))

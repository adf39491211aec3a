"""Receipts and strangers, inspections, holds and scrapping; who may see a bottle's file."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import Role
from core.outbox import OutboxEvent
from cylinders.code import new_code
from cylinders.models import (
    CustodyFact,
    Cylinder,
    CylinderCustody,
    CylinderIdentifier,
    FactKind,
    Filling,
    Hold,
    Inspection,
)
from cylinders.queries import holding_of, judge_bottle
from cylinders.states import CylinderState
from evidence.models import Entry, Outcome
from evidence.verify import verify
from registry.models import HolderKind
from tests.cast import Cast, made
from tests.conftest import THE_DAY
from tests.cylinders.cast import Bottle, Bottles
from tests.cylinders.test_cylinders_filling import codes


def sightings(db: Session) -> list[dict[str, Any]]:
    rows = db.scalars(
        sa.select(OutboxEvent).where(OutboxEvent.topic == "cylinder.stranger_seen").order_by(OutboxEvent.id)
    )
    return [row.payload for row in rows]


def state_of(db: Session, bottle: Bottle) -> CylinderState:
    return db.get_one(Cylinder, bottle.id, populate_existing=True).state


def at(bottle: Bottle, act: str) -> str:
    return f"/api/v1/cylinders/{bottle.id}/{act}"


# --- receipts and strangers -----------------------------------------------------------------------------


def test_a_site_that_scans_a_bottle_has_it(bottles: Bottles, db: Session) -> None:
    users = bottles.cast.household()
    bottle = bottles.on_card(users)
    answer = made(bottles.receive(bottle.code))
    assert (answer["cylinder_id"], answer["full"]) == (str(bottle.id), False)
    custody = db.get_one(CylinderCustody, bottle.id)
    assert (custody.holder_kind, custody.holder_id) == (HolderKind.SITE, bottles.cast.filling_station())
    assert holding_of(db, 310105, users.card_ids[0]) is None
    assert made(bottles.fill(bottle))["net_g"] == 14_600


def test_a_station_takes_in_its_own_bottle_also_when_it_may_not_be_filled(bottles: Bottles) -> None:
    overdue = bottles.empty(made_on="2017-05-01", last_inspection=None, holder=None)
    assert bottles.receive(overdue.code).status_code == 201


def test_an_unknown_bottle_is_refused_and_told(bottles: Bottles, db: Session) -> None:
    code = new_code()
    answer = bottles.receive(code)
    assert answer.status_code == 409
    assert codes(answer.json)[0] == "refill.identity_unknown"
    [seen] = sightings(db)
    assert (seen["where"], seen["code"], seen["identity"]) == ("site", code, "unknown")
    assert seen["site_id"] == str(bottles.cast.filling_station())
    assert seen["cylinder_id"] is None
    refused = db.scalars(sa.select(Entry).where(Entry.outcome == Outcome.REFUSED)).one()
    assert refused.verb == "cylinder.receive"
    assert not list(verify(db))


def test_a_foreign_bottle_is_neither_taken_in_nor_filled_and_both_are_told(
    bottles: Bottles, db: Session
) -> None:
    other = str(bottles.cast.another_firm())
    foreign = bottles.empty(owner_firm_id=other, registered_by_firm_id=other, holder=None)
    assert codes(bottles.receive(foreign.code).json) == ["refill.foreign_owned"]
    assert "refill.foreign_owned" in codes(bottles.fill(foreign).json)
    assert [seen["cylinder_id"] for seen in sightings(db)] == [str(foreign.id)] * 2
    assert db.get(CylinderCustody, foreign.id) is None


def test_a_receipt_names_no_round_that_its_room_cannot_know(bottles: Bottles, db: Session) -> None:
    path = f"/api/v1/sites/{bottles.cast.filling_station()}/receipts"
    facts = sa.select(sa.func.count()).select_from(CustodyFact)
    body = {"code": bottles.empty().code, "round_id": str(uuid4())}
    before = db.scalar(facts)
    answer = bottles.cast.filler.post(path, body)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/round_id")
    assert db.scalar(facts) == before


def test_telling_twice_with_one_key_tells_once(bottles: Bottles, db: Session) -> None:
    body = bottles.filling("A-STRANGER-1")
    first = bottles.cast.filler.post("/api/v1/fillings", body, key="stranger-0001")
    again = bottles.cast.filler.post("/api/v1/fillings", body, key="stranger-0001")
    assert first.status_code == again.status_code == 409
    assert first.json["refusal_no"] == again.json["refusal_no"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(sightings(db)) == 1


def test_what_is_no_bottles_code_is_told_by_its_hash_only(bottles: Bottles, db: Session) -> None:
    bottles.receive("WIFI:T:WPA;S:home;P:secret;;")
    [seen] = sightings(db)
    assert seen["code"].startswith("sha256:")
    assert not [entry for entry in db.scalars(sa.select(Entry)) if b"secret" in entry.written]


def test_a_merely_overdue_bottle_is_no_stranger(bottles: Bottles, db: Session) -> None:
    overdue = bottles.empty(made_on="2017-05-01", last_inspection=None)
    assert bottles.fill(overdue).status_code == 409
    assert sightings(db) == []


def test_nobody_receives_at_a_site_that_is_not_theirs(bottles: Bottles, db: Session) -> None:
    bottle = bottles.full()
    for site_id in (bottles.cast.supply_point(), Cast(bottles.cast.desk).filling_station(), uuid4()):
        assert bottles.receive(bottle.code, site_id=site_id).status_code == 404
    assert db.get_one(CylinderCustody, bottle.id).version == 1


# --- inspection -----------------------------------------------------------------------------------------


def inspect(bottles: Bottles, bottle: Bottle, passed: bool, **changed: Any) -> Any:
    body = {"inspected_on": "2024-06-12", "passed": passed, "report_no": f"R-{bottle.code}"} | changed
    return bottles.agency.post(at(bottles.sent(bottle), "inspections"), body)


def test_a_bottle_that_passes_goes_back_into_service_and_counts_anew(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty(made_on="2019-05-01", last_inspection=None)
    assert codes(bottles.verdict(bottle.code)) == ["refill.inspection_overdue"]
    file = made(inspect(bottles, bottle, True))
    assert file["cylinder"]["state"] == "in_service"
    assert file["custody"]["holder_kind"] == "agency"
    made(bottles.receive(bottle.code))
    answer = bottles.verdict(bottle.code)
    assert (answer["allowed"], answer["next_due_on"]) == (True, "2028-06-12")
    kinds = [one.kind for one in db.scalars(sa.select(CustodyFact).order_by(CustodyFact.id))]
    assert kinds == [FactKind.REGISTER, FactKind.SEND_TO_INSPECTION, FactKind.RETURN]


def test_a_bottle_that_fails_is_held_and_never_filled(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty()
    assert made(inspect(bottles, bottle, False))["cylinder"]["state"] == "held"
    made(bottles.receive(bottle.code))
    assert codes(bottles.fill(bottle).json) == ["refill.inspection_failed"]
    assert db.scalar(sa.select(sa.func.count()).select_from(Filling)) == 0


def test_a_report_counts_once_for_a_bottle(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty(last_inspection=None)
    made(inspect(bottles, bottle, True))
    assert codes(inspect(bottles, bottle, False).json) == ["inspection.report_taken"]
    assert [one.passed for one in db.scalars(sa.select(Inspection))] == [True]
    assert state_of(db, bottle) is CylinderState.IN_SERVICE


def test_an_inspection_is_never_in_the_future(bottles: Bottles, db: Session) -> None:
    answer = inspect(bottles, bottles.empty(last_inspection=None), True, inspected_on="2024-06-13")
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/inspected_on")
    assert db.scalars(sa.select(Inspection)).all() == []


def test_only_an_agency_that_is_one_inspects(bottles: Bottles) -> None:
    nobody = bottles.cast.desk.sign_in(Role.AGENCY)
    body = {"inspected_on": "2024-06-12", "passed": True, "report_no": "R-1"}
    assert nobody.post(at(bottles.empty(), "inspections"), body).status_code == 404


# --- holds ----------------------------------------------------------------------------------------------


def hold(bottles: Bottles, bottle: Bottle, kind: str = "recall") -> UUID:
    body = {"kind": kind, "reference": "HB-2024-1"}
    return UUID(made(bottles.cast.regulator.post(at(bottle, "holds"), body))["holds"][-1]["id"])


def release(bottles: Bottles, bottle: Bottle, hold_id: UUID) -> Any:
    return bottles.cast.regulator.post(
        at(bottle, "releases"), {"hold_id": str(hold_id), "reference": "HB-2024-2"}
    )


def test_a_held_bottle_is_neither_filled_nor_sent_out_until_released(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty()
    hold_id = hold(bottles, bottle)
    assert state_of(db, bottle) is CylinderState.HELD
    assert codes(bottles.verdict(bottle.code)) == ["refill.on_hold"]
    assert codes(bottles.fill(bottle).json) == ["refill.on_hold"]
    assert codes(bottles.verdict(bottle.code, purpose="dispatch")) == ["refill.on_hold"]
    assert made(release(bottles, bottle, hold_id))["cylinder"]["state"] == "in_service"
    assert bottles.fill(bottle).status_code == 201


def test_a_hold_is_half_open(bottles: Bottles, db: Session) -> None:
    """From its first instant, and no longer at the instant in which it is lifted."""
    bottle = bottles.empty()
    hold_id = hold(bottles, bottle)
    lifted_at = THE_DAY + timedelta(hours=2)
    with clock.standing_at(lifted_at):
        made(release(bottles, bottle, hold_id))

    def held_at(instant: Any) -> bool:
        verdict = judge_bottle(
            db, bottle.id, purpose="dispatch", site_id=None, place="310105", at=instant
        ).verdict
        return "refill.on_hold" in {one.code for one in verdict.reasons}

    moment = timedelta(microseconds=1)
    assert not held_at(THE_DAY - moment)
    assert held_at(THE_DAY)
    assert held_at(lifted_at - moment)
    assert not held_at(lifted_at)


def test_of_two_holds_both_must_be_lifted(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty()
    first, second = hold(bottles, bottle), hold(bottles, bottle, "police")
    made(release(bottles, bottle, first))
    assert state_of(db, bottle) is CylinderState.HELD
    assert [reason["facts"] for reason in bottles.verdict(bottle.code)["reasons"]] == [{"hold": "police"}]
    made(release(bottles, bottle, second))
    assert state_of(db, bottle) is CylinderState.IN_SERVICE


def test_a_hold_is_lifted_once(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty()
    hold_id = hold(bottles, bottle)
    made(release(bottles, bottle, hold_id))
    for unknown in (hold_id, uuid4()):
        assert codes(release(bottles, bottle, unknown).json) == ["hold.not_standing"]
    assert db.get_one(Hold, (bottle.id, hold_id)).until_at == THE_DAY


def test_a_pass_does_not_lift_a_hold_and_a_release_does_not_undo_a_failure(
    bottles: Bottles, db: Session
) -> None:
    bottle = bottles.empty()
    hold_id = hold(bottles, bottle)
    assert made(inspect(bottles, bottle, True))["cylinder"]["state"] == "held"
    assert made(inspect(bottles, bottle, False, report_no="R-2"))["cylinder"]["state"] == "held"
    made(release(bottles, bottle, hold_id))
    assert state_of(db, bottle) is CylinderState.HELD


def test_a_regulator_of_elsewhere_does_not_find_the_bottle(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty()
    qingpu = Cast(bottles.cast.desk, 310118).regulator
    answer = qingpu.post(at(bottle, "holds"), {"kind": "recall", "reference": "X-1"})
    assert answer.status_code == 404
    assert qingpu.get(f"/api/v1/cylinders/{bottle.id}").status_code == 404
    assert db.scalars(sa.select(Hold)).all() == []


def test_a_person_does_not_put_a_hold_for_a_conflict(bottles: Bottles) -> None:
    body = {"kind": "conflict", "reference": "X-1"}
    assert bottles.cast.regulator.post(at(bottles.empty(), "holds"), body).status_code == 422


# --- scrapping ------------------------------------------------------------------------------------------


def scrap(bottles: Bottles, bottle: Bottle) -> Any:
    body = {"certificate_no": "BF-2024-9", "scrapped_on": "2024-06-12", "method": "flattened"}
    return bottles.agency.post(at(bottles.sent(bottle), "scrappings"), body)


def test_a_scrapped_bottle_stays_with_the_agency_and_its_codes_are_void(
    bottles: Bottles, db: Session
) -> None:
    bottle = bottles.on_card(users := bottles.cast.household())
    made(bottles.receive(bottle.code))
    file = made(scrap(bottles, bottle))
    assert file["cylinder"]["state"] == "scrapped"
    assert file["custody"]["holder_kind"] == "agency"
    assert file["scrapping"]["certificate_no"] == "BF-2024-9"
    assert all(one["voided_at"] for one in file["identifiers"])
    assert holding_of(db, 310105, users.card_ids[0]) is None
    answer = bottles.verdict(bottle.code, purpose="dispatch")
    assert codes(answer) == ["refill.label_voided", "refill.scrapped"]


def test_a_scrapped_bottle_that_comes_back_is_refused_and_told(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty()
    made(scrap(bottles, bottle))
    assert codes(bottles.receive(bottle.code).json) == ["refill.label_voided", "refill.scrapped"]
    assert bottles.fill(bottle).status_code == 409
    assert [(seen["identity"], seen["cylinder_id"]) for seen in sightings(db)] == [
        ("voided", str(bottle.id))
    ] * 2
    custody = db.get_one(CylinderCustody, bottle.id)
    assert custody.holder_kind is HolderKind.AGENCY


def test_a_voided_code_is_never_given_again(bottles: Bottles, db: Session) -> None:
    identifier = {"scheme": "stamp", "value": "YL-9"}
    made(scrap(bottles, bottles.empty(identifiers=[identifier])))
    body = {"firm_id": str(bottles.cast.firm()), **bottles.row(identifiers=[identifier])}
    answer = bottles.cast.clerk.post("/api/v1/cylinders", body)
    assert codes(answer.json) == ["cylinder.identifier_taken"]
    assert db.scalar(sa.select(sa.func.count()).where(CylinderIdentifier.value == "YL-9")) == 1


def test_nothing_moves_a_scrapped_bottle(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty()
    made(scrap(bottles, bottle))
    assert codes(scrap(bottles, bottle).json) == ["refill.scrapped"]
    assert codes(inspect(bottles, bottle, True).json) == ["refill.scrapped"]
    held = bottles.cast.regulator.post(at(bottle, "holds"), {"kind": "recall", "reference": "X-1"})
    assert held.status_code in (404, 409)
    assert state_of(db, bottle) is CylinderState.SCRAPPED
    assert db.scalars(sa.select(Hold)).all() == []


# --- the file -------------------------------------------------------------------------------------------


def test_who_finds_a_bottles_file_and_who_does_not(bottles: Bottles) -> None:
    bottle, cast = bottles.empty(), bottles.cast
    path = f"/api/v1/cylinders/{bottle.id}"
    other = Cast(cast.desk)
    for person in (cast.clerk, cast.filler, cast.regulator):
        assert person.get(path).status_code == 200
    for person in (other.clerk, other.filler, bottles.agency):
        assert person.get(path).status_code == 404
    assert cast.clerk.get(f"/api/v1/cylinders/{uuid4()}").status_code == 404
    bottles.sent(bottle)
    assert bottles.agency.get(path).status_code == 200


def test_the_firm_of_the_site_where_a_bottle_stands_finds_it_too(bottles: Bottles) -> None:
    other = str(bottles.cast.another_firm())
    foreign = bottles.empty(owner_firm_id=other, registered_by_firm_id=other)
    path = f"/api/v1/cylinders/{foreign.id}"
    assert bottles.cast.clerk.get(path).status_code == 200
    assert bottles.cast.clerk_of(UUID(other)).get(path).status_code == 200

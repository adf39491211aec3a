"""A bottle's life and how it ends: extension, registration, inspection, what is unfit, seizure, scrapping."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from core import clock
from core.outbox import OutboxEvent
from cylinders.life_models import (
    InspectionAnomaly,
    InspectionSending,
    LifeExtension,
    RegistrationAct,
    Seizure,
    UnfitReport,
)
from cylinders.models import (
    CustodyFact,
    Cylinder,
    CylinderCustody,
    CylinderType,
    Filling,
    Hold,
    HoldKind,
    Inspection,
)
from cylinders.queries import judge_bottle
from cylinders.states import CylinderState
from evidence.models import Entry, Outcome
from evidence.verify import verify
from registry.models import HolderKind, InspectionAgency
from tests.cast import Cast, made
from tests.conftest import THE_DAY
from tests.cylinders.cast import Bottle, Bottles
from tests.cylinders.test_cylinders_filling import codes

PAST_ITS_LIFE = {"made_on": "2015-05-01", "bought_on": "2015-06-01"}


def at(bottle: Bottle, act: str) -> str:
    return f"/api/v1/cylinders/{bottle.id}/{act}"


def count(db: Session, model: Any) -> int:
    return db.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def events(db: Session, topic: str) -> list[dict[str, Any]]:
    rows = db.scalars(sa.select(OutboxEvent).where(OutboxEvent.topic == topic).order_by(OutboxEvent.id))
    return [row.payload for row in rows]


def state_of(db: Session, bottle: Bottle) -> CylinderState:
    return db.get_one(Cylinder, bottle.id, populate_existing=True).state


def extend(bottles: Bottles, bottle: Bottle, **changed: Any) -> TestResponse:
    body = {
        "basis": "assessment",
        "report_no": "PG-2024-1",
        "assessed_on": "2024-06-10",
        "until_on": "2027-05-31",
    }
    return bottles.agency.post(at(bottles.sent(bottle), "extensions"), body | changed)


def send(bottles: Bottles, bottle: Bottle, **changed: Any) -> TestResponse:
    body = {"agency_id": str(bottles.agency_id), "why": "due", "reference": "SJ-1"} | changed
    return bottles.cast.filler.post(at(bottle, "sendings"), body)


def inspect(bottles: Bottles, bottle: Bottle, passed: bool, **changed: Any) -> TestResponse:
    body = {"inspected_on": "2024-06-12", "passed": passed, "report_no": f"R-{bottle.code}"} | changed
    return bottles.agency.post(at(bottles.sent(bottle), "inspections"), body)


def seize(bottles: Bottles, bottle: Bottle, **changed: Any) -> TestResponse:
    body = {"agency_id": str(bottles.agency_id), "why": "past_life", "receipt_no": "CK-1"} | changed
    return bottles.cast.regulator.post(at(bottle, "seizures"), body)


def scrap(bottles: Bottles, bottle: Bottle) -> TestResponse:
    body = {"certificate_no": "BF-1", "scrapped_on": "2024-06-12", "method": "cut"}
    return bottles.agency.post(at(bottles.sent(bottle), "scrappings"), body)


# --- types ----------------------------------------------------------------------------------------------


def test_a_clerk_enters_an_unknown_model_with_its_stamped_values(bottles: Bottles, db: Session) -> None:
    stamped = {
        "model": "YSP50/21",
        "water_ml": 50_000,
        "max_fill_g": 20_700,
        "nominal_g": 21_000,
        "units": 2,
        "needs_truck": False,
        "phase": "liquid",
        "material": "composite",
    }
    answer = made(bottles.cast.clerk.post("/api/v1/cylinder-types", stamped))
    assert answer == stamped | {"standard": None}
    bottle = bottles.empty(model="YSP50/21", phase=None)
    file = bottles.file(bottle)["cylinder"]
    assert (file["max_fill_g"], file["phase"], file["material"]) == (20_700, "liquid", "composite")
    listed = bottles.cast.filler.get("/api/v1/cylinder-types").get_json()["items"]
    assert {one["model"] for one in listed} >= {"YSP50/21", "YSP35.5"}


def test_the_stamp_goes_before_the_catalogue_and_a_contradiction_is_refused(
    bottles: Bottles, db: Session
) -> None:
    db.get_one(CylinderType, "YSP118").phase = "two_phase"
    db.commit()
    before = count(db, Cylinder)
    row = bottles.row(model="YSP118", phase="vapour", max_fill_g=49_000)
    answer = bottles.cast.clerk.post("/api/v1/cylinders", {"firm_id": str(bottles.cast.firm()), **row})
    assert codes(answer.get_json()) == ["cylinder.contradicts_type"]
    assert count(db, Cylinder) == before
    bottle = bottles.empty(model="YSP118", phase=None, max_fill_g=49_000)
    assert bottles.file(bottle)["cylinder"]["max_fill_g"] == 49_000
    assert codes(bottles.verdict(bottle.code)) == ["refill.two_phase"]


# --- extension and registration -------------------------------------------------------------------------


def test_an_extension_counts_once_its_registration_is_changed(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty(**PAST_ITS_LIFE)
    assert codes(bottles.verdict(bottle.code)) == ["refill.past_design_life"]
    [extension] = made(extend(bottles, bottle))["extensions"]
    made(inspect(bottles, bottle, True))
    made(bottles.receive(bottle.code))
    assert codes(bottles.verdict(bottle.code)) == ["refill.past_design_life"]
    path = at(bottle, f"extensions/{extension['id']}/registration-changes")
    body = {"document_no": "DJ-7", "changed_on": "2024-06-11"}
    file = made(bottles.cast.clerk.post(path, body))
    assert [one["kind"] for one in file["registration_acts"]] == ["changed"]
    assert bottles.verdict(bottle.code)["allowed"] is True
    assert made(bottles.fill(bottle))
    again = bottles.cast.clerk.post(path, body)
    assert codes(again.get_json()) == ["registration.changed_already"]
    assert count(db, RegistrationAct) == 1

    def allowed_on(day: date) -> bool:
        verdict = judge_bottle(
            db, bottle.id, purpose="dispatch", site_id=None, place="310105", at=clock.at(day)
        )
        return verdict.verdict.allowed

    assert [allowed_on(date(2024, 6, day)) for day in (9, 10, 11)] == [False, False, True]
    assert (allowed_on(date(2027, 5, 31)), allowed_on(date(2027, 6, 1))) == (True, False)
    assert not list(verify(db))


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"until_on": "2027-06-01"}, "extension.beyond_max_life"),
        ({"assessed_on": "2021-05-31"}, "agency.not_approved"),
    ],
)
def test_an_extension_that_may_not_be(
    bottles: Bottles, db: Session, changed: dict[str, Any], code: str
) -> None:
    bottle = bottles.empty(**PAST_ITS_LIFE)
    answer = extend(bottles, bottle, **changed)
    assert (answer.status_code, code in codes(answer.get_json())) == (409, True)
    assert count(db, LifeExtension) == 0
    refused = db.scalars(sa.select(Entry).where(Entry.outcome == Outcome.REFUSED)).one()
    assert refused.verb == "cylinder.extend"


def test_an_extension_by_inspection_rests_on_a_report_that_is_on_file(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty(**PAST_ITS_LIFE)
    by_inspection = {"basis": "inspection", "assessed_on": "2024-06-12", "report_no": f"R-{bottle.code}"}
    assert codes(extend(bottles, bottle, **by_inspection).get_json()) == ["extension.not_inspected"]
    made(inspect(bottles, bottle, True))
    for other in ({"report_no": "R-OTHER"}, {"assessed_on": "2024-06-11"}):
        answer = extend(bottles, bottle, **by_inspection | other)
        assert codes(answer.get_json()) == ["extension.not_inspected"]
    assert count(db, LifeExtension) == 0
    made(extend(bottles, bottle, **by_inspection))
    failed = bottles.empty(**PAST_ITS_LIFE)
    made(inspect(bottles, failed, False))
    answer = extend(bottles, failed, **by_inspection | {"report_no": f"R-{failed.code}"})
    assert codes(answer.get_json()) == ["extension.not_inspected"]


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"assessed_on": "2024-06-13"}, "/assessed_on"),
        ({"until_on": "2024-06-10"}, "/until_on"),
        ({"basis": "opinion"}, "/basis"),
        ({"report_no": "张三的报告"}, "/report_no"),
    ],
)
def test_an_extension_of_the_wrong_shape(
    bottles: Bottles, db: Session, changed: dict[str, Any], pointer: str
) -> None:
    answer = extend(bottles, bottles.empty(**PAST_ITS_LIFE), **changed)
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, pointer)
    assert count(db, LifeExtension) == 0


def test_who_only_holds_a_bottle_does_not_cancel_its_registration(bottles: Bottles, db: Session) -> None:
    """It stands at a site of this clerk's firm, and is another's."""
    bottle, owner = bottles.empty(), bottles.cast.another_firm()
    theirs = {"owner_firm_id": owner, "entrusted_to_firm_id": None, "registered_by_firm_id": owner}
    db.execute(sa.update(Cylinder).where(Cylinder.cylinder_id == bottle.id).values(theirs))
    db.commit()
    clerk = bottles.cast.clerk
    assert clerk.get(f"/api/v1/cylinders/{bottle.id}").status_code == 200, "it is seen"
    body = {"why": "lost", "document_no": "ZX-1", "cancelled_on": "2024-06-12"}
    assert clerk.post(at(bottle, "registration-cancellations"), body).status_code == 404
    assert count(db, RegistrationAct) == 0
    made(bottles.cast.clerk_of(owner).post(at(bottle, "registration-cancellations"), body))


def test_a_cancelled_registration_stops_the_bottle_from_its_day(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty()
    body = {"why": "past_life", "document_no": "ZX-1", "cancelled_on": "2024-06-12"}
    other = Cast(bottles.cast.desk)
    assert other.clerk.post(at(bottle, "registration-cancellations"), body).status_code == 404
    assert count(db, RegistrationAct) == 0
    made(bottles.cast.clerk.post(at(bottle, "registration-cancellations"), body))
    assert codes(bottles.verdict(bottle.code)) == ["refill.registration_cancelled"]
    again = bottles.cast.regulator.post(at(bottle, "registration-cancellations"), body)
    assert codes(again.get_json()) == ["registration.cancelled_already"]
    answer = bottles.fill(bottle)
    assert codes(answer.get_json()) == ["refill.registration_cancelled"]


# --- what is unfit --------------------------------------------------------------------------------------


def test_a_refurbished_bottle_is_held_and_reported(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty()
    body = {"why": "refurbished", "reference": "FX-1"}
    file = made(bottles.cast.filler.post(at(bottle, "unfit-reports"), body))
    assert (file["cylinder"]["state"], file["cylinder"]["refurbished"]) == ("held", True)
    assert codes(bottles.verdict(bottle.code)) == ["refill.refurbished", "refill.on_hold"]
    [told] = events(db, "cylinder.reported_unfit")
    assert (told["cylinder_id"], told["why"]) == (str(bottle.id), "refurbished")
    again = bottles.cast.filler.post(at(bottle, "unfit-reports"), body)
    assert codes(again.get_json()) == ["unfit.reported_already"]
    failed = {"why": "failed_inspection", "reference": "FX-2"}
    assert bottles.cast.filler.post(at(bottle, "unfit-reports"), failed).status_code == 422
    assert count(db, UnfitReport) == 1
    for person in (bottles.cast.clerk, bottles.cast.regulator):
        [one] = person.get("/api/v1/unfit-reports").get_json()["items"]
        assert one["reference"] == "FX-1"
    assert Cast(bottles.cast.desk).clerk.get("/api/v1/unfit-reports").get_json()["items"] == []


# --- sent, received, inspected --------------------------------------------------------------------------


def test_a_bottle_is_sent_received_passed_and_comes_back(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty(made_on="2019-05-01", last_inspection=None)
    file = made(send(bottles, bottle))
    assert (file["cylinder"]["state"], file["custody"]["holder_kind"]) == ("at_inspection", "agency")
    assert codes(send(bottles, bottle).get_json()) == ["inspection.sent_already"]
    [waiting] = bottles.agency.get("/api/v1/sendings").get_json()["items"]
    assert (waiting["cylinder_id"], waiting["received_at"]) == (str(bottle.id), None)
    elsewhere = bottles.agency_of(bottles.another_agency())
    assert elsewhere.get("/api/v1/sendings").get_json()["items"] == []
    for path, body in (
        ("/api/v1/agency-receipts", {"code": bottle.code}),
        (at(bottle, "inspections"), {"inspected_on": "2024-06-12", "passed": True, "report_no": "X-1"}),
    ):
        assert codes(elsewhere.post(path, body).get_json()) == ["agency.not_sent_here"]
    assert count(db, Inspection) == 0
    received = made(bottles.agency.post("/api/v1/agency-receipts", {"code": bottle.code}))
    assert received["sendings"][0]["received_at"] is not None
    assert made(inspect(bottles, bottle, True))["cylinder"]["state"] == "in_service"
    assert bottles.agency.get("/api/v1/sendings").get_json()["items"] == []
    made(bottles.receive(bottle.code))
    assert bottles.verdict(bottle.code)["allowed"] is True
    assert (count(db, InspectionAnomaly), count(db, UnfitReport)) == (0, 0)
    assert not list(verify(db))


def test_a_bottle_that_comes_back_before_the_agency_has_answered_is_not_filled(
    bottles: Bottles, db: Session
) -> None:
    bottle = bottles.empty()
    made(send(bottles, bottle, why="failed_check"))
    made(bottles.receive(bottle.code))
    assert codes(bottles.verdict(bottle.code)) == ["refill.at_inspection"]
    assert codes(bottles.fill(bottle).get_json()) == ["refill.at_inspection"]
    assert count(db, Filling) == 0
    made(inspect(bottles, bottle, True))
    made(bottles.receive(bottle.code))
    made(bottles.fill(bottle))


def test_only_what_stands_at_the_senders_site_is_sent(bottles: Bottles, db: Session) -> None:
    on_card = bottles.on_card(bottles.cast.household())
    answer = bottles.cast.clerk.post(
        at(on_card, "sendings"), {"agency_id": str(bottles.agency_id), "why": "due", "reference": "SJ-1"}
    )
    assert codes(answer.get_json()) == ["custody.not_with_giver"]
    for wrong, pointer in (({"agency_id": str(uuid4())}, "/agency_id"), ({"why": "seized"}, "/why")):
        answer = send(bottles, bottles.empty(), **wrong)
        assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, pointer)
    lapsed = bottles.another_agency(approved_until="2024-06-11")
    assert codes(send(bottles, bottles.empty(), agency_id=str(lapsed)).get_json()) == ["agency.not_approved"]
    assert count(db, InspectionSending) == 0


def test_an_agency_whose_approval_has_lapsed_says_nothing_of_a_bottle(bottles: Bottles, db: Session) -> None:
    lapsed = bottles.agency_of(bottles.another_agency(approved_until="2024-06-11"))
    bottle = bottles.empty()
    body = {"inspected_on": "2024-06-12", "passed": False, "report_no": "R-1"}
    reasons = ["agency.not_approved", "agency.not_sent_here"]
    assert codes(lapsed.post(at(bottle, "inspections"), body).get_json()) == reasons
    stranger = bottles.agency_of(uuid4())
    assert codes(stranger.post(at(bottle, "inspections"), body).get_json()) == reasons
    assert (count(db, Inspection), state_of(db, bottle)) == (1, CylinderState.IN_SERVICE)  # the filed one


def test_an_agency_acts_on_what_was_sent_or_seized_to_it_and_reads_nothing_else(
    bottles: Bottles, db: Session
) -> None:
    """Anything else is refused with a reason that is kept, however sound its approval."""
    bottle = bottles.empty(**PAST_ITS_LIFE)
    day = {"inspected_on": "2024-06-12", "passed": True, "report_no": "R-1"}
    scrapping = {"certificate_no": "BF-1", "scrapped_on": "2024-06-12", "method": "cut"}
    extension = {"basis": "assessment", "report_no": "PG-1", "assessed_on": "2024-06-10"}
    acts: dict[str, dict[str, Any]] = {
        "inspections": day,
        "scrappings": scrapping,
        "extensions": extension | {"until_on": "2027-05-31"},
        "unfit-reports": {"why": "refurbished", "reference": "FX-1"},
    }
    facts = count(db, CustodyFact)
    for act, body in acts.items():
        answer = bottles.agency.post(at(bottle, act), body)
        assert (answer.status_code, codes(answer.get_json())) == (409, ["agency.not_sent_here"]), act
    kept = db.scalars(sa.select(Entry.verb).where(Entry.outcome == Outcome.REFUSED).order_by(Entry.id)).all()
    assert kept == ["cylinder.inspect", "cylinder.scrap", "cylinder.extend", "cylinder.report_unfit"]
    assert (count(db, Inspection), count(db, UnfitReport), count(db, LifeExtension)) == (1, 0, 0)
    assert (count(db, CustodyFact), state_of(db, bottle)) == (facts, CylinderState.IN_SERVICE)
    assert bottles.agency.get(f"/api/v1/cylinders/{bottle.id}").status_code == 404
    made(inspect(bottles, bottle, True))
    made(inspect(bottles, bottle, False, report_no="R-2"))
    made(bottles.receive(bottle.code))
    again = bottles.agency.post(at(bottle, "inspections"), day | {"report_no": "R-3"})
    assert codes(again.get_json()) == ["agency.not_sent_here"]
    assert len(bottles.file(bottle, bottles.agency)["inspections"]) == 3


def test_a_failure_is_held_and_reported_to_the_registering_authority(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty()
    made(send(bottles, bottle))
    made(inspect(bottles, bottle, False))
    assert state_of(db, bottle) is CylinderState.HELD
    [told] = events(db, "cylinder.reported_unfit")
    assert (told["why"], told["registered_by_firm_id"]) == ("failed_inspection", str(bottles.cast.firm()))


def waiting(who: Any) -> list[tuple[str, str, int]]:
    items = who.get("/api/v1/cancellations-due").get_json()["items"]
    return [(one["cylinder_id"], one["why"], one["days"]) for one in items]


def test_what_is_unfit_waits_until_its_registration_is_cancelled(bottles: Bottles, db: Session) -> None:
    """Thirty days by rule, from what was found first; a later pass ends the wait, a scrapping does not."""
    failed, passed, altered, filed = (bottles.empty() for _ in range(4))
    for bottle in (failed, passed):
        made(inspect(bottles, bottle, False))
    made(inspect(bottles, passed, True, report_no="R-AGAIN"))
    body = {"why": "screwed_guard", "reference": "FX-1"}
    made(bottles.cast.filler.post(at(altered, "unfit-reports"), body))
    on_file = {"cylinder_id": filed.id, "inspected_on": date(2024, 6, 1), "report_no": "IMPORTED"}
    on_file |= {"day_precision": "day", "passed": False, "agency": "JY-01", "recorded_at": THE_DAY}
    db.add(Inspection(**on_file))
    db.commit()
    expected = {
        (str(failed.id), "failed_inspection", 30),
        (str(altered.id), "screwed_guard", 30),
        (str(filed.id), "failed_inspection", 30),
    }
    for person in (bottles.cast.clerk, bottles.cast.regulator):
        assert set(waiting(person)) == expected
    assert waiting(Cast(bottles.cast.desk).clerk) == []
    assert waiting(Cast(bottles.cast.desk, 310118).regulator) == []
    assert bottles.agency.get("/api/v1/cancellations-due").status_code == 404
    made(scrap(bottles, failed))
    with clock.standing_at(THE_DAY + timedelta(days=31)):
        assert (str(failed.id), "failed_inspection", -1) in waiting(bottles.cast.clerk)
    cancelled = {"why": "failed_inspection", "document_no": "ZX-1", "cancelled_on": "2024-06-12"}
    made(bottles.cast.clerk.post(at(failed, "registration-cancellations"), cancelled))
    assert str(failed.id) not in {one for one, _, _ in waiting(bottles.cast.clerk)}
    first = bottles.cast.clerk.get("/api/v1/cancellations-due", limit=1).get_json()
    further = bottles.cast.clerk.get("/api/v1/cancellations-due", cursor=first["next_cursor"]).get_json()
    assert (len(first["items"]), len(further["items"]), further["next_cursor"]) == (1, 1, None)
    assert bottles.cast.clerk.get("/api/v1/cancellations-due", cursor="x").status_code == 422


def test_a_pass_answers_what_a_filler_found_and_no_other_hold(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty()
    found = {"cylinder_id": bottle.id, "reference": "CY-1", "from_at": THE_DAY}
    for kind in (HoldKind.FAILED_CHECK, HoldKind.POLICE):
        db.add(Hold(kind=kind, **found))
    db.commit()
    assert made(inspect(bottles, bottle, True))["cylinder"]["state"] == "held"
    made(bottles.receive(bottle.code))
    assert [one["facts"] for one in bottles.verdict(bottle.code)["reasons"]] == [{"hold": "police"}]


def test_one_report_number_on_two_bottles_is_flagged_and_stands(bottles: Bottles, db: Session) -> None:
    one, other = bottles.empty(last_inspection=None), bottles.empty(last_inspection=None)
    made(inspect(bottles, one, True, report_no="R-9"))
    assert count(db, InspectionAnomaly) == 0
    made(inspect(bottles, other, True, report_no="R-9"))
    [flag] = bottles.cast.regulator.get("/api/v1/inspection-anomalies").get_json()["items"]
    assert (flag["kind"], flag["other_cylinder_id"]) == ("report_no_reused", str(one.id))
    assert bottles.file(other)["inspections"][-1]["passed"] is True
    assert len(events(db, "inspection.anomaly_found")) == 1
    other_id = bottles.another_agency()
    third = bottles.sent(bottles.empty(last_inspection=None), other_id)
    body = {"inspected_on": "2024-06-12", "passed": True, "report_no": "R-9"}
    made(bottles.agency_of(other_id).post(at(third, "inspections"), body))
    assert count(db, InspectionAnomaly) == 1


def test_a_result_from_before_the_agency_had_the_bottle_is_flagged(bottles: Bottles, db: Session) -> None:
    on_the_day, before = bottles.empty(), bottles.empty()
    for bottle in (on_the_day, before):
        made(send(bottles, bottle))
        made(bottles.agency.post("/api/v1/agency-receipts", {"code": bottle.code}))
    with clock.standing_at(THE_DAY + timedelta(days=3)):
        made(inspect(bottles, on_the_day, True, inspected_on="2024-06-12"))
        assert count(db, InspectionAnomaly) == 0
        made(inspect(bottles, before, True, inspected_on="2024-06-11"))
    [flag] = db.scalars(sa.select(InspectionAnomaly))
    assert (flag.kind, flag.cylinder_id) == ("dated_before_receipt", before.id)


# --- seized ---------------------------------------------------------------------------------------------


def test_a_seized_bottle_goes_to_the_agency_and_only_scrapping_leads_out(
    bottles: Bottles, db: Session
) -> None:
    bottle = bottles.on_card(bottles.cast.household())
    file = made(seize(bottles, bottle))
    assert (file["custody"]["holder_kind"], file["seizure"]["receipt_no"]) == ("agency", "CK-1")
    assert file["sendings"][0]["why"] == "seized"
    assert codes(inspect(bottles, bottle, True).get_json()) == ["inspection.scrap_only"]
    assert "inspection.scrap_only" in codes(extend(bottles, bottle).get_json())
    facts = count(db, CustodyFact)
    assert codes(bottles.receive(bottle.code).get_json()) == ["refill.seized"]
    assert "refill.seized" in codes(bottles.fill(bottle).get_json())
    assert len(events(db, "cylinder.stranger_seen")) == 2
    assert count(db, CustodyFact) == facts
    assert db.get_one(CylinderCustody, bottle.id).holder_kind is HolderKind.AGENCY
    made(inspect(bottles, bottle, False))
    assert codes(seize(bottles, bottle).get_json()) == ["seizure.seized_already"]
    assert made(scrap(bottles, bottle))["cylinder"]["state"] == "scrapped"
    assert codes(seize(bottles, bottle).get_json()) == ["state.move_not_allowed"]
    assert count(db, Seizure) == 1
    [one] = bottles.cast.regulator.get("/api/v1/seizures").get_json()["items"]
    assert one["from_kind"] == "household"
    assert not list(verify(db))


def test_no_hold_that_is_lifted_gives_a_seized_bottle_back(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty()
    hold = {"kind": "police", "reference": "KL-1"}
    held = made(bottles.cast.regulator.post(at(bottle, "holds"), hold))["holds"][0]
    made(seize(bottles, bottle))
    made(inspect(bottles, bottle, False))
    lifted = {"hold_id": held["id"], "reference": "KL-2"}
    assert made(bottles.cast.regulator.post(at(bottle, "releases"), lifted))["cylinder"]["state"] == "held"


def test_a_regulator_of_elsewhere_seizes_nothing(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty()
    body = {"agency_id": str(bottles.agency_id), "why": "foreign", "receipt_no": "CK-1"}
    assert Cast(bottles.cast.desk, 310118).regulator.post(at(bottle, "seizures"), body).status_code == 404
    assert (count(db, Seizure), state_of(db, bottle)) == (0, CylinderState.IN_SERVICE)


# --- scrapped -------------------------------------------------------------------------------------------


def test_a_scrapped_bottle_before_an_agency_again_is_an_incident(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty()
    made(scrap(bottles, bottle))
    for answer in (
        bottles.agency.post("/api/v1/agency-receipts", {"code": bottle.code}),
        inspect(bottles, bottle, True),
        scrap(bottles, bottle),
    ):
        assert codes(answer.get_json()) == ["refill.scrapped"]
    seen = events(db, "cylinder.stranger_seen")
    assert [(one["where"], one["cylinder_id"]) for one in seen] == [("agency", str(bottle.id))] * 3


def test_what_is_no_bottle_is_refused_at_an_agency_and_told(bottles: Bottles, db: Session) -> None:
    answer = bottles.agency.post("/api/v1/agency-receipts", {"code": "YL-NOBODYS"})
    assert codes(answer.get_json()) == ["refill.identity_unknown"]
    assert [one["where"] for one in events(db, "cylinder.stranger_seen")] == ["agency"]
    assert count(db, InspectionSending) == 0


# --- the register of agencies ---------------------------------------------------------------------------


def test_an_agency_is_registered_once_and_rights_name_only_one_that_is(bottles: Bottles, db: Session) -> None:
    cast = bottles.cast
    body = {
        "name": "样例检验站",
        "home_district": 310105,
        "approval_no": "TS-1",
        "approved_from": "2021-06-01",
        "approved_until": "2027-12-31",
    }
    given = made(cast.admin.post("/api/v1/agencies", body))
    assert codes(cast.admin.post("/api/v1/agencies", body).get_json()) == ["agency.approval_taken"]
    backwards = body | {"approval_no": "TS-2", "approved_until": "2021-05-31"}
    assert cast.admin.post("/api/v1/agencies", backwards).status_code == 422
    assert count(db, InspectionAgency) == 1
    assert [one["id"] for one in cast.clerk.get("/api/v1/agencies").get_json()["items"]] == [given["id"]]
    assert cast.granted("agency", "agency", given["id"]).get("/api/v1/sendings").status_code == 200
    grant = {
        "role": "agency",
        "scope_kind": "agency",
        "scope_code": str(uuid4()),
        "home_district": 310105,
        "label": "nobody",
    }
    assert cast.admin.post("/api/v1/grants", grant).status_code == 422

"""一户一档: everything about one household, masked, each reading kept, and nothing of anybody else's."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from core import clock, sessions
from core.auth import Role
from core.sessions import SignedInBy
from evidence.models import Entry
from oversight.models import Look
from tests.cast import CHANGNING, MIDDLE, made
from tests.desk import Desk
from tests.dispatch.checklist import answers, check
from tests.dispatch.rounds.working_day import WorkingDay


@pytest.fixture
def day(desk: Desk) -> WorkingDay:
    return WorkingDay(desk)


def test_the_file_holds_all_that_happened_and_nothing_unmasked(day: WorkingDay, db: Session) -> None:
    """A booking, a check with a hazard, a refusal, a reveal: each is there, for both who ask."""
    booked = day.order()
    home = booked.home
    household = home.users.household_id
    clerk = day.cast.confirmed(day.cast.clerk)
    found = check(household, items=answers(hose_whole={"photo_sha256": "ab" * 32}))
    made(day.cast.regulator.post(day.at("checks"), found))
    lost = day.at(f"cards/{home.users.card_ids[0]}")
    made(clerk.post(f"{lost}/losses", {}))
    refused = clerk.post(
        day.at(f"accounts/{home.users.account_id}/closings"), {"reason": "moved", "evidence": "TH-1"}
    )
    assert refused.status_code == 409
    asked = {"fields": ["name", "phone"], "reason": "safety", "purpose": "call", "case_no": "YL-9"}
    seen = made(clerk.post(day.at(f"households/{household}/reveals"), asked))
    entries = db.scalar(sa.select(sa.func.count()).select_from(Entry))
    for who in (clerk, day.cast.regulator):
        answer = who.get(day.at(f"households/{household}/file"))
        assert answer.status_code == 200, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        file = answer.json
        assert file is not None
        assert [one["id"] for one in file["orders"]] == [booked.order_id]
        assert [one["code"] for one in file["bottles"]] == home.empties
        assert len(file["checks"]) == 1
        assert len(file["hazards"]) == 1
        assert [one["refusal_no"] for one in file["refusals"]] == [refused.json["refusal_no"]]  # type: ignore[index]
        assert "reveal" in {one["what"] for one in file["looks"]}
        assert seen["name"] not in answer.text
        assert seen["phone"] not in answer.text
    looks = db.scalars(sa.select(Look)).all()
    assert {(one.kind.value, one.subject_id) for one in looks} == {("household", household)}
    assert {one.principal_id for one in looks} == {clerk.principal_id, day.cast.regulator.principal_id}
    assert {one["role"] for one in file["looks"] if one["what"] == "file"} == {"regulator", "clerk"}
    db.rollback()
    assert db.scalar(sa.select(sa.func.count()).select_from(Entry)) == entries


def test_a_copy_holds_ones_own_days_and_nothing_of_whoever_had_the_account_before(day: WorkingDay) -> None:
    """Orders went by the home: the next registrant read the former one's, who had none of their own."""
    booked, cast = day.order(), day.cast
    users = booked.home.users
    before, heir = cast.registrant_of(users), cast.person()
    at_home, account = f"households/{users.household_id}", f"accounts/{users.account_id}"
    ill = {"ground": "seriously_ill", "since_on": "2024-06-01", "evidence": "ZM-1"}
    made(cast.clerk.post(day.at(f"{at_home}/vulnerabilities"), ill))
    deposit = {"kind": "paid", "amount_fen": 10_000, "receipt_no": "SJ-1"}
    made(cast.clerk.post(day.at(f"{account}/deposit-lines"), deposit))
    found = check(users.household_id, items=answers(hose_whole={"photo_sha256": "ab" * 32}))
    made(cast.regulator.post(day.at("checks"), found))

    assert cast.regulator.get(day.at(f"{at_home}/file")).status_code == 200
    made(day.courier.post(day.at(f"rounds/{day.round()}/manifests")))
    signed_in = {person_id: cast.resident(person_id) for person_id in (before, heir)}

    def looked(person_id: UUID) -> list[tuple[str, str]]:
        """By the page and by the copy: who read the file, or had the door on a round's list."""
        listed = signed_in[person_id].get(day.at("own-data/looks")).get_json()["items"]
        copied = made(signed_in[person_id].post(day.at("own-data/copies")))["looks"]
        assert listed == copied
        return [(one["role"], one["at"]) for one in listed]

    def copy_of(person_id: UUID) -> dict[str, Any]:
        copy = made(signed_in[person_id].post(day.at("own-data/copies")))
        [home] = copy["homes"] or [{}]
        return home | {"orders": [(one["order_id"], one["lines"][0]["state"]) for one in copy["orders"]]}

    own = copy_of(before)
    assert own["orders"] == [(booked.order_id, "booked")]
    assert [one["ground"] for one in own["looked_after_first"]] == ["seriously_ill"]
    assert [one["balance_fen"] for one in own["deposit"]] == [10_000]
    assert (len(own["checks"]), [one["item"] for one in own["hazards"]]) == (1, ["hose_whole"])
    with clock.standing_at(clock.now() + timedelta(hours=1)):
        body = {"person_id": str(heir), "applied_on": "2023-07-31", "kind": "transfer"}
        made(cast.clerk.post(day.at(f"{account}/transfers"), body))
        made(cast.clerk.post(day.at(f"{at_home}/vulnerabilities"), ill | {"ground": "disabled"}))
        looks = looked(before)
        assert looked(heir) == [], "authority and courier looked while it was another's"
        assert cast.clerk.get(day.at(f"{at_home}/file")).status_code == 200
        assert ([role for role, _ in looked(heir)], looked(before)) == (["clerk"], looks)
        assert {role for role, _ in looks} == {"regulator", "courier"}
        theirs = copy_of(heir)
        assert theirs["orders"] == theirs["checks"] == []
        assert [one["ground"] for one in theirs["looked_after_first"]] == ["disabled"]
        assert [one["item"] for one in theirs["hazards"]] == ["hose_whole"], "it is not mended yet"
        assert copy_of(before) == {"orders": own["orders"]}


def test_who_may_not_look_gets_nothing_and_leaves_no_look(day: WorkingDay, desk: Desk, db: Session) -> None:
    household = day.home().users.household_id
    at = day.at(f"households/{household}/file")
    for stranger in (
        desk.sign_in(Role.REGULATOR, CHANGNING, street="310105999"),
        day.cast.clerk_of(day.cast.another_firm()),
    ):
        assert stranger.get(at).status_code == 404
    assert day.cast.dispatcher.get(at).status_code == 403
    assert day.cast.clerk.get(day.at(f"households/{uuid4()}/file")).status_code == 404
    assert db.scalars(sa.select(Look)).all() == []


def test_the_page_and_its_file_say_the_same(day: WorkingDay, app: Flask, db: Session) -> None:
    booked = day.order()
    household = booked.home.users.household_id
    for who, back in ((day.cast.clerk, "/office/"), (day.cast.regulator, "/oversight/")):
        client = app.test_client()
        secret = sessions.open_session(day.desk.ground, who.principal_id, SignedInBy.PASSWORD_AND_CODE)
        signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
        client.set_cookie("lpg", signer.dumps({"secret": secret}))
        page = client.get(f"/files/households/{household}")
        assert page.status_code == 200
        assert f"{back}households/{household}" in page.text
        exported = client.get(f"/files/households/{household}/export")
        assert "attachment" in exported.headers["Content-Disposition"]
        body = json.loads(exported.data)
        told = who.get(day.at(f"households/{household}/file")).json
        assert told is not None
        assert body["orders"] == told["orders"]
        assert body["household"]["registrant"] == told["household"]["registrant"]
        assert client.get(f"/files/households/{uuid4()}").status_code == 404
    assert len(db.scalars(sa.select(Look)).all()) == 6


def test_the_file_tells_what_every_book_holds_of_the_home(day: WorkingDay, desk: Desk) -> None:
    cast = day.cast
    users = day.home().users
    clerk, household, account = cast.clerk, users.household_id, users.account_id
    paid = {"kind": "paid", "amount_fen": 12_050, "receipt_no": "SJ-1"}
    made(clerk.post(day.at(f"accounts/{account}/deposit-lines"), paid))
    first = {"ground": "elderly_alone", "since_on": "2024-01-01", "evidence": "MZ-1"}
    made(clerk.post(day.at(f"households/{household}/vulnerabilities"), first))
    use = {
        "kind": "basement",
        "point": MIDDLE,
        "street_code": "310105001",
        "committee_code": "310105001001",
        "found_on": "2024-06-01",
        "evidence": "PIC-1",
        "household_id": str(household),
    }
    made(clerk.post(day.at("banned-uses"), use))
    refused = clerk.post(day.at(f"accounts/{account}/closings"), {"reason": "moved", "evidence": "TH-1"})
    asked = {"refusal_no": refused.json["refusal_no"], "ground": "hardship", "said": "我们这里很难办"}  # type: ignore[index]
    made(clerk.post(day.at("refusal-reviews"), asked))
    answer = clerk.get(day.at(f"households/{household}/file"))
    file = answer.json
    assert file is not None
    assert [one["balance_fen"] for one in file["deposit"]] == [12_050]
    assert [one["ground"] for one in file["vulnerabilities"]] == ["elderly_alone"]
    assert [one["kind"] for one in file["banned_uses"]] == ["basement"]
    assert [(one["refusal_no"], one["state"]) for one in file["reviews"]] == [(asked["refusal_no"], "asked")]
    assert [one["method"] for one in file["identity_checks"]] == ["database"]
    assert "很难办" not in answer.text, "their own words are read where it is decided"
    client = desk.app.test_client()
    secret = sessions.open_session(desk.ground, clerk.principal_id, SignedInBy.PASSWORD)
    signer = desk.app.session_interface.get_signing_serializer(desk.app)  # type: ignore[attr-defined]
    client.set_cookie("lpg", str(signer.dumps({"secret": secret})))
    page = client.get(f"/files/households/{household}").text
    for said in ("¥120.50", "独居老人", "地下室", "等待受理", asked["refusal_no"]):
        assert said in page

"""Filling as an interlocked act: leave, look, weights, seal; and what stops it, at which step, for whom."""

import hashlib
import hmac
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from core import clock, outbox
from core.ground import Ground
from core.outbox import OutboxEvent
from core.sealed import Purpose
from cylinders import asked_papers
from cylinders.ask_log import ASKS
from cylinders.filling_models import FillingAuthorisation, FillingCheck, FillingWeighing, Residue
from cylinders.filling_queries import means_of, scale_numbered
from cylinders.models import CustodyFact, CylinderCustody, FactKind, Filling, VerdictAsk
from evidence.models import Entry
from evidence.verify import verify
from tests.cast import Cast, made
from tests.cylinders.cast import AFTER, BEFORE, TARE_G, Bottle, Bottles, looked_at
from tests.desk import Person

LIFETIME_S = 600


def codes(answer: Any) -> list[str]:
    return [reason["code"] for reason in answer["reasons"]]


def refused(answer: TestResponse) -> list[str]:
    assert answer.status_code == 409, answer.text
    return codes(answer.get_json())


@dataclass
class Gun:
    """A scale's controller at the cast's station, going through one filling step by step."""

    bottles: Bottles
    bottle: Bottle
    id: str = ""
    token: str = ""

    @property
    def filler(self) -> Person:
        return self.bottles.cast.filler

    def ask(self, **changed: Any) -> TestResponse:
        wanted = ("code", "site_id", "filler_id", "scale")
        form = self.bottles.filling(self.bottle.code)
        body = {name: form[name] for name in wanted} | changed
        return self.filler.post("/api/v1/filling-authorisations", body)

    def authorised(self, **changed: Any) -> "Gun":
        answer = made(self.ask(**changed))
        assert answer["state"] == "authorised"
        self.id, self.token = answer["id"], answer["token"]
        return self

    def step(self, what: str, who: Person | None = None, **body: Any) -> TestResponse:
        path = f"/api/v1/filling-authorisations/{self.id}/{what}"
        return (who or self.filler).post(path, {"token": self.token} | body)

    def look(self, **changed: Any) -> TestResponse:
        body = {"checks": looked_at(*BEFORE), "tare_weighed_g": TARE_G, "residue_g": 200} | changed
        return self.step("checks", **body)

    def weigh(self, gross_g: int = TARE_G + 14_800, **changed: Any) -> TestResponse:
        return self.step("weighings", **({"scale": "S-1", "gross_g": gross_g} | changed))

    def complete(self, **changed: Any) -> TestResponse:
        return self.step("completions", **({"checks": looked_at(*AFTER), "seal_no": "F-1"} | changed))

    def read(self) -> dict[str, Any]:
        body: dict[str, Any] = self.filler.get(f"/api/v1/filling-authorisations/{self.id}").get_json()
        return body


@pytest.fixture
def gun(bottles: Bottles) -> Gun:
    return Gun(bottles, bottles.empty())


def is_full(db: Session, bottle: Bottle) -> bool:
    db.rollback()
    filled = db.scalar(sa.select(sa.func.count()).where(Filling.cylinder_id == bottle.id))
    facts = db.scalar(
        sa.select(sa.func.count()).where(
            CustodyFact.cylinder_id == bottle.id, CustodyFact.kind == FactKind.FILL
        )
    )
    custody = db.get_one(CylinderCustody, bottle.id, populate_existing=True).full
    assert filled == facts == int(custody)
    return custody


def count(db: Session, model: Any) -> int:
    db.rollback()
    return db.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def holds(bottles: Bottles, bottle: Bottle) -> list[tuple[str, bool]]:
    """(kind, does it stand) of each."""
    return [(hold["kind"], hold["until_at"] is None) for hold in bottles.file(bottle)["holds"]]


# --- the act ----------------------------------------------------------------------------------------------


def test_step_by_step_the_bottle_is_full_only_after_the_last(gun: Gun, bottles: Bottles, db: Session) -> None:
    given = made(gun.ask())
    assert (given["tare_g"], given["target_g"], given["scale"]) == (TARE_G, 14_900, "S-1")
    assert given["checks"] == given["weighings"] == []
    gun.id, gun.token = given["id"], given["token"]
    for step in (gun.look, gun.weigh):
        assert made(step())["state"] == "filling"
        assert not is_full(db, gun.bottle)
    done = made(gun.complete())
    assert (done["state"], done["weighings"][-1]["outcome"]) == ("filled", "right")
    assert is_full(db, gun.bottle)
    filling = db.scalars(sa.select(Filling)).one()
    assert (str(filling.id), str(filling.authorisation_id)) == (done["filling_id"], gun.id)
    assert (filling.net_g, filling.flags, filling.scale) == (14_600, [], "S-1")
    assert (filling.checks_before, filling.checks_after) == (looked_at(*BEFORE), looked_at(*AFTER))
    assert "token" not in {name for name, value in gun.read().items() if value}
    assert not list(verify(db))


def test_neither_row_nor_entry_nor_kept_answer_holds_the_secret(
    gun: Gun, ground: Ground, db: Session
) -> None:
    gun.authorised()
    for table in ("idempotency", "filling_authorisation"):
        rows = db.execute(sa.text(f"SELECT row_to_json(one)::text FROM {table} one")).scalars()
        assert all(gun.token not in row for row in rows)
    assert all(gun.token.encode() not in entry.written for entry in db.scalars(sa.select(Entry)))


def test_a_repeated_request_is_answered_with_the_same_secret(gun: Gun, bottles: Bottles) -> None:
    form = bottles.filling(gun.bottle.code)
    body = {name: form[name] for name in ("code", "site_id", "filler_id", "scale")}
    first, again = (
        gun.filler.post("/api/v1/filling-authorisations", body, key="leave-once-1") for _ in range(2)
    )
    assert first.get_json() == again.get_json()
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_changed_signing_key_ends_no_filling_and_proves_no_later_one(
    gun: Gun, bottles: Bottles, ground: Ground, db: Session
) -> None:
    """Leave stands under the key of its hour; once that key is retired, nothing is proved by it."""
    former = ground.keyring
    try:
        gun.authorised()
        object.__setattr__(ground, "keyring", former.with_new_key(Purpose.SIGNING))
        made(gun.look())
        made(gun.weigh())
        made(gun.complete())
        assert is_full(db, gun.bottle)
        later = Gun(bottles, bottles.empty()).authorised()
        proof = hmac.new(
            former.signing.current_key, b"filling authorisation " + UUID(later.id).bytes, hashlib.sha256
        )
        right, later.token = later.token, proof.hexdigest()[:40]
        assert later.look().status_code == 422
        later.token = right
        object.__setattr__(ground, "keyring", ground.keyring.with_new_key(Purpose.SIGNING))
        object.__setattr__(ground, "keyring", ground.keyring.without_key(Purpose.SIGNING, 2))
        assert (later.look().status_code, is_full(db, later.bottle)) == (422, False)
    finally:
        object.__setattr__(ground, "keyring", former)


@pytest.mark.parametrize("step", ["look", "weigh", "complete"])
def test_without_the_secret_or_from_elsewhere_no_step_is_made(
    gun: Gun, bottles: Bottles, db: Session, step: str
) -> None:
    gun.authorised()
    elsewhere = Gun(Bottles(Cast(bottles.cast.desk)), gun.bottle, gun.id, gun.token)
    elsewhere.bottles.cast.filling_station()
    before = count(db, Entry)
    right, gun.token = gun.token, "0" * 40
    wrong = getattr(gun, step)()
    assert wrong.status_code == 422
    assert wrong.get_json()["errors"][0]["pointer"] == "/token"
    gun.token = right
    assert getattr(elsewhere, step)().status_code == 404
    assert elsewhere.filler.get(f"/api/v1/filling-authorisations/{gun.id}").status_code == 404
    gun.id = str(uuid4())
    assert getattr(gun, step)().status_code == 404
    assert count(db, Entry) == before


def test_steps_out_of_their_order_are_refused_and_change_nothing(gun: Gun, db: Session) -> None:
    gun.authorised()
    assert refused(gun.weigh()) == ["state.move_not_allowed"]
    assert refused(gun.complete()) == ["state.move_not_allowed"]
    made(gun.look())
    assert refused(gun.look()) == ["state.move_not_allowed"]
    assert refused(gun.complete()) == ["filling.not_weighed"]
    assert refused(gun.weigh(scale="S-2")) == ["filling.other_scale"]
    assert (count(db, FillingCheck), count(db, FillingWeighing)) == (1, 0)
    made(gun.weigh())
    made(gun.complete())
    assert refused(gun.complete()) == ["state.move_not_allowed"]
    assert refused(gun.weigh()) == ["state.move_not_allowed"]
    assert refused(gun.ask()) == ["refill.already_full"]
    assert count(db, Filling) == 1


def test_what_dies_in_the_middle_expires_and_the_bottle_is_not_full(gun: Gun, db: Session) -> None:
    at = clock.now()
    gun.authorised()
    made(gun.look())
    made(gun.weigh())
    with clock.standing_at(at + timedelta(seconds=LIFETIME_S - 1)):
        assert refused(gun.ask()) == ["filling.authorised_already"]
    with clock.standing_at(at + timedelta(seconds=LIFETIME_S + 1)):
        assert gun.read()["state"] == "expired"
        assert refused(gun.complete()) == ["filling.authorisation_expired"]
        assert refused(gun.step("abortions", reason="mistaken")) == ["filling.authorisation_expired"]
        assert not is_full(db, gun.bottle)
        again = Gun(gun.bottles, gun.bottle).authorised()
        made(again.look())
        made(again.weigh())
        made(again.complete())
    assert is_full(db, gun.bottle)
    db.rollback()
    assert Counter(db.scalars(sa.select(FillingAuthorisation.state))) == {"filling": 1, "filled": 1}


def test_a_filling_given_up_leaves_the_bottle_to_be_asked_for_again(gun: Gun, db: Session) -> None:
    gun.authorised()
    made(gun.look())
    given_up = made(gun.step("abortions", reason="gun_fault"))
    assert (given_up["state"], given_up["abort_reason"]) == ("aborted", "gun_fault")
    assert refused(gun.weigh()) == ["state.move_not_allowed"]
    Gun(gun.bottles, gun.bottle).authorised()
    assert not is_full(db, gun.bottle)


# --- what is found ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("item", "is_held"), [("heat_marks", True), ("valve", False)])
def test_what_is_found_on_the_bottle_is_recorded_and_ends_it(
    gun: Gun, bottles: Bottles, db: Session, item: str, is_held: bool
) -> None:
    gun.authorised()
    answer = made(gun.look(checks=looked_at(*BEFORE, wrong=item)))
    assert (answer["state"], codes(answer)) == ("refused", ["filling.look_failed"])
    assert answer["reasons"][0]["facts"] == {"items": [item]}
    assert answer["reasons"][0]["basis"]["document"] == "中华人民共和国特种设备安全法"
    assert holds(bottles, gun.bottle) == ([("failed_check", True)] if is_held else [])
    assert refused(gun.weigh()) == ["state.move_not_allowed"]
    again = Gun(bottles, gun.bottle).ask()
    if is_held:
        assert refused(again) == ["refill.on_hold"]
    else:
        assert again.status_code == 201
    assert not is_full(db, gun.bottle)
    assert not list(verify(db))


def test_an_item_nobody_looked_at_is_refused_and_may_still_be_looked_at(gun: Gun, db: Session) -> None:
    gun.authorised()
    answer = gun.look(checks=looked_at("heat_marks", "valve"))
    assert refused(answer) == ["filling.check_missing"]
    assert answer.get_json()["reasons"][0]["facts"]["items"] == ["corrosion", "deformation", "parts", "tag"]
    assert count(db, FillingCheck) == 0
    assert made(gun.look())["state"] == "filling"


def test_a_fault_that_was_found_is_kept_also_where_nobody_looked_further(gun: Gun, db: Session) -> None:
    gun.authorised()
    answer = made(gun.look(checks=[{"item": "corrosion", "passed": False}]))
    assert codes(answer) == ["filling.look_failed"]
    assert count(db, FillingCheck) == 1


def test_residue_is_drawn_off_first_and_each_measure_is_on_file(
    gun: Gun, bottles: Bottles, db: Session
) -> None:
    site = f"/api/v1/sites/{bottles.cast.filling_station()}"
    made(gun.filler.post(f"{site}/receipts", {"code": gun.bottle.code, "residue_g": 900}))
    gun.authorised()
    answer = made(gun.look(residue_g=900))
    assert (answer["state"], codes(answer)) == ("refused", ["filling.residue_not_extracted"])
    assert holds(bottles, gun.bottle) == []
    drawn = {"code": gun.bottle.code, "occasion": "extraction", "residue_g": 900, "extracted_g": 850}
    made(gun.filler.post(f"{site}/residues", drawn))
    assert gun.filler.post(f"{site}/residues", drawn | {"extracted_g": 901}).status_code == 422
    assert gun.filler.post(f"{site}/residues", drawn | {"code": "NOBODY"}).status_code == 422
    again = Gun(bottles, gun.bottle).authorised()
    assert made(again.look(residue_g=50))["state"] == "filling"
    db.rollback()
    measured = db.scalars(sa.select(Residue).order_by(Residue.id)).all()
    assert [(one.occasion, one.residue_g, one.extracted_g) for one in measured] == [
        ("return", 900, 0),
        ("before_filling", 900, 0),
        ("extraction", 900, 850),
        ("before_filling", 50, 0),
    ]


def test_too_heavy_is_held_until_bled_and_weighed_again(gun: Gun, bottles: Bottles, db: Session) -> None:
    gun.authorised()
    made(gun.look())
    over = made(gun.weigh(TARE_G + 15_001))
    assert (over["state"], over["weighings"][-1]["outcome"]) == ("filling", "over")
    assert codes(over) == ["filling.overfilled"]
    assert holds(bottles, gun.bottle) == [("overfilled", True)]
    assert refused(gun.complete()) == ["refill.on_hold", "filling.overfilled"]
    assert not is_full(db, gun.bottle)
    made(gun.weigh(TARE_G + 15_002))
    right = made(gun.weigh(TARE_G + 14_900))
    assert [one["outcome"] for one in right["weighings"]] == ["over", "over", "right"]
    assert right["reasons"] == []
    assert holds(bottles, gun.bottle) == [("overfilled", False)]
    made(gun.complete())
    assert is_full(db, gun.bottle)


def test_too_heavy_and_out_of_time_it_is_bled_and_freed_but_not_full(
    gun: Gun, bottles: Bottles, db: Session
) -> None:
    at = clock.now()
    gun.authorised()
    made(gun.look())
    made(gun.weigh(TARE_G + 15_100))
    with clock.standing_at(at + timedelta(seconds=LIFETIME_S)):
        assert refused(Gun(bottles, gun.bottle).ask()) == ["refill.on_hold"]
        made(gun.weigh(TARE_G + 300))
        assert holds(bottles, gun.bottle) == [("overfilled", False)]
        assert refused(gun.complete()) == ["filling.authorisation_expired"]
        Gun(bottles, gun.bottle).authorised()
    assert not is_full(db, gun.bottle)


def test_short_weight_counts_as_a_filling_and_is_flagged(bottles: Bottles, db: Session) -> None:
    for content_g, flags in ((14_000, []), (13_999, ["short_weight"])):
        bottle = bottles.empty()
        answer = made(bottles.fill(bottle, gross_g=TARE_G + content_g))
        assert (answer["outcome"], answer["flags"]) == ("filled", flags)
        assert is_full(db, bottle)
    [told] = db.scalars(sa.select(OutboxEvent).where(OutboxEvent.topic == "filling.short_weight"))
    assert told.payload["filling_id"] == answer["id"]
    assert (told.payload["cylinder_id"], told.payload["code"]) == (str(bottle.id), bottle.code)
    assert (told.payload["content_g"], told.payload["max_fill_g"]) == (13_999, 14_900)


def test_short_weight_becomes_a_tip_of_the_authority(bottles: Bottles, ground: Ground) -> None:
    made(bottles.fill(bottles.empty(), gross_g=TARE_G + 13_000))
    while any(outbox.deliver_due(ground, district) for district in outbox.districts_due(ground)):
        pass
    tips = bottles.cast.regulator.get(f"/api/v1/districts/{bottles.cast.district}/tips").get_json()["items"]
    assert [tip["kind"] for tip in tips] == ["filling.short_weight"]


def test_a_leak_after_the_gas_is_recorded_and_holds_the_bottle(
    gun: Gun, bottles: Bottles, db: Session
) -> None:
    gun.authorised()
    made(gun.look())
    made(gun.weigh())
    assert refused(gun.complete(checks=looked_at("valve"))) == ["filling.after_check_missing"]
    answer = made(gun.complete(checks=looked_at(*AFTER, wrong="leak")))
    assert (answer["state"], codes(answer)) == ("refused", ["filling.check_failed"])
    assert holds(bottles, gun.bottle) == [("failed_check", True)]
    assert not is_full(db, gun.bottle)


def test_a_shell_that_is_off_its_stamp_is_not_filled(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty()
    answer = made(bottles.fill(bottle, tare_weighed_g=TARE_G - 501))
    assert (answer["outcome"], codes(answer)) == ("refused", ["filling.tare_drifted"])
    assert not is_full(db, bottle)


# --- gas, scales, stops -----------------------------------------------------------------------------------


def use(cast: Cast, **changed: Any) -> None:
    at = f"/api/v1/sites/{cast.filling_station()}/gas-batches"
    batch = made(cast.clerk.post(at, cast.batch_body(**changed)))["batches"][0]
    made(cast.filler.post(f"{at}/{batch['id']}/uses", {}))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"product": "industrial_propane"}, ["filling.wrong_product"]),
        ({"certificate_no": None}, ["filling.batch_not_certified"]),
        ({"test": None}, ["filling.batch_not_tested"]),
    ],
)
def test_gas_that_may_not_be_filled_is_on_file_and_refused(
    gun: Gun, bottles: Bottles, db: Session, changed: dict[str, Any], expected: list[str]
) -> None:
    use(bottles.cast, **{"certificate_no": "HG-2"} | changed)
    assert refused(gun.ask()) == expected
    assert refused(bottles.fill(gun.bottle)) == expected
    assert count(db, FillingAuthorisation) == 0


def test_a_later_test_counts_at_once_also_for_what_has_begun(gun: Gun, bottles: Bottles, db: Session) -> None:
    gun.authorised()
    site = f"/api/v1/sites/{bottles.cast.filling_station()}"
    [batch] = gun.filler.get(f"{site}/filling-means").get_json()["batches"]
    found = {"report_no": "QC-2", "tested_on": "2024-06-12", "odorant_present": True, "dme_found": True}
    made(gun.filler.post(f"{site}/gas-batches/{batch['id']}/tests", found))
    again = gun.filler.post(f"{site}/gas-batches/{batch['id']}/tests", found)
    assert refused(again) == ["gas_test.taken"]
    assert refused(gun.look()) == ["filling.dme_found"]
    assert count(db, FillingCheck) == 0


def test_another_batch_in_use_ends_the_one_before(gun: Gun, bottles: Bottles) -> None:
    site = f"/api/v1/sites/{bottles.cast.filling_station()}"
    [first] = gun.filler.get(f"{site}/filling-means").get_json()["batches"]
    use(bottles.cast, number="B-NEW")
    means = gun.filler.get(f"{site}/filling-means").get_json()
    assert [(one["number"], one["is_in_use"]) for one in means["batches"]] == [
        ("B-NEW", True),
        (first["number"], False),
    ]
    assert refused(gun.ask(batch_id=first["id"])) == ["filling.batch_not_in_use"]
    assert refused(gun.ask(batch_id=str(uuid4()))) == ["filling.no_batch_in_use"]
    assert gun.ask(batch_id=means["batches"][0]["id"]).status_code == 201


def test_over_a_scale_that_is_not_right_nothing_is_filled(gun: Gun, bottles: Bottles) -> None:
    site = f"/api/v1/sites/{bottles.cast.filling_station()}"
    clerk = bottles.cast.clerk
    assert refused(gun.ask(scale="S-9")) == ["filling.scale_unknown"]
    made(clerk.post(f"{site}/scales", {"number": "S-9"}))
    assert refused(clerk.post(f"{site}/scales", {"number": "S-9"})) == ["filling_scale.taken"]
    assert refused(gun.ask(scale="S-9")) == ["filling.scale_not_verified"]
    means = clerk.get(f"{site}/filling-means").get_json()
    scale = next(one for one in means["scales"] if one["number"] == "S-9")
    old = {"certificate_no": "JD-8", "verified_on": "2023-01-01", "verified_until": "2024-06-11"}
    made(clerk.post(f"{site}/scales/{scale['id']}/verifications", old))
    assert refused(gun.ask(scale="S-9")) == ["filling.scale_verification_expired"]
    made(
        clerk.post(
            f"{site}/scales/{scale['id']}/verifications",
            old | {"certificate_no": "JD-9", "verified_until": "2024-06-12"},
        )
    )
    gun.authorised(scale="S-9")


@pytest.mark.parametrize("what", ["station", "scale"])
def test_a_regulator_stops_a_station_or_a_scale_and_lets_it_go_on(
    gun: Gun, bottles: Bottles, db: Session, what: str
) -> None:
    """The stop counts from its instant: a filling that has begun is not completed."""
    cast = bottles.cast
    site = f"/api/v1/sites/{cast.filling_station()}"
    [scale] = cast.regulator.get(f"{site}/filling-means").get_json()["scales"]
    gun.authorised()
    made(gun.look())
    made(gun.weigh())
    body = {"reason": "unsafe", "reference": "TC-2024-01"}
    body |= {"scale_id": scale["id"]} if what == "scale" else {}
    stopped = made(cast.regulator.post(f"{site}/filling-stops", body))
    assert stopped["is_stopped"] is (what == "station")
    assert refused(cast.regulator.post(f"{site}/filling-stops", body)) == ["filling_stop.standing"]
    assert refused(gun.complete()) == [f"filling.{what}_stopped"]
    other = bottles.empty()
    assert refused(bottles.fill(other)) == [f"filling.{what}_stopped"]
    assert not is_full(db, gun.bottle)
    lifted = f"{site}/filling-stops/{stopped['stops'][0]['id']}/releases"
    assert made(cast.regulator.post(lifted, {"reference": "JC-1"}))["stops"] == []
    assert refused(cast.regulator.post(lifted, {"reference": "JC-1"})) == ["filling_stop.not_standing"]
    made(gun.complete())
    made(bottles.fill(other))


def asked(bottles: Bottles, db: Session, code: str, **query: Any) -> list[str]:
    """The codes of the verdict to fill, which must be what the log of asks keeps of it."""
    verdict = bottles.verdict(code, purpose="fill", **query)
    ASKS.flush()
    db.rollback()
    kept = db.get_one(VerdictAsk, UUID(verdict["ask_id"]))
    assert (kept.allowed, kept.reasons) == (verdict["allowed"], codes(verdict))
    assert verdict["allowed"] is (not verdict["reasons"])
    return codes(verdict)


def test_a_scan_at_a_stopped_station_or_over_a_stopped_scale_is_not_allowed(
    bottles: Bottles, db: Session
) -> None:
    """What leave to fill would refuse for gas, scale or a stop, the verdict says, and the log keeps."""
    cast = bottles.cast
    site = f"/api/v1/sites/{cast.filling_station()}"
    code = bottles.empty().code
    assert asked(bottles, db, code) == []
    [scale] = cast.regulator.get(f"{site}/filling-means").get_json()["scales"]
    body = {"reason": "unsafe", "reference": "TC-2024-02"}
    for about, reason in (
        ({}, "filling.station_stopped"),
        ({"scale_id": scale["id"]}, "filling.scale_stopped"),
    ):
        stops = made(cast.regulator.post(f"{site}/filling-stops", body | about))["stops"]
        assert asked(bottles, db, code) == [reason]
        assert asked(bottles, db, code, scale="S-1") == [reason]
        batch = cast.filler.post("/api/v1/verdicts", {"purpose": "fill", "codes": [code] * 2}).get_json()
        assert [codes(one) for one in batch["items"]] == [[reason]] * 2
        assert bottles.verdict(code, purpose="dispatch")["allowed"]
        made(cast.regulator.post(f"{site}/filling-stops/{stops[0]['id']}/releases", {"reference": "JC-2"}))
    assert asked(bottles, db, code) == []


def test_of_several_scales_none_is_judged_before_one_is_named(bottles: Bottles, db: Session) -> None:
    cast = bottles.cast
    site = f"/api/v1/sites/{cast.filling_station()}"
    code = bottles.empty().code
    made(cast.clerk.post(f"{site}/scales", {"number": "S-9"}))
    assert asked(bottles, db, code) == []
    assert asked(bottles, db, code, scale="S-1") == []
    assert asked(bottles, db, code, scale="S-9") == ["filling.scale_not_verified"]
    assert asked(bottles, db, code, scale="S-0") == ["filling.scale_unknown"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"product": "industrial_propane"}, "filling.wrong_product"),
        ({"certificate_no": None}, "filling.batch_not_certified"),
        ({"test": None}, "filling.batch_not_tested"),
    ],
)
def test_the_verdict_says_what_is_wrong_with_the_gas_in_use(
    bottles: Bottles, db: Session, changed: dict[str, Any], reason: str
) -> None:
    cast = bottles.cast
    site = f"/api/v1/sites/{cast.filling_station()}"
    new = made(cast.clerk.post(f"{site}/gas-batches", cast.batch_body(number="B-BAD", **changed)))
    code = bottles.empty().code
    assert asked(bottles, db, code) == []
    made(cast.clerk.post(f"{site}/gas-batches/{new['batches'][0]['id']}/uses", {}))
    assert asked(bottles, db, code) == [reason]


def test_a_question_and_leave_know_the_same_of_gas_scale_and_stops(
    bottles: Bottles, db: Session, ground: Ground
) -> None:
    """One statement for every scan, and the reads of a deed: they must not drift apart."""
    site_id = bottles.cast.filling_station()
    made(bottles.cast.clerk.post(f"/api/v1/sites/{site_id}/scales", {"number": "S-9"}))
    at = clock.now()
    for number in ("S-1", "S-9", "S-0"):
        leave = means_of(db, site_id, scale_numbered(db, site_id, number), None, at).facts(None)
        question = asked_papers.standing_to_fill(ground.reads, site_id, at, None, number)
        assert question is not None
        assert question.start == leave


def test_nobody_of_elsewhere_stops_a_station_or_enters_its_gas(bottles: Bottles, cast: Cast) -> None:
    site = f"/api/v1/sites/{cast.filling_station()}"
    other = Cast(cast.desk, 310118)
    stop = {"reason": "unsafe", "reference": "TC-1"}
    assert other.regulator.post(f"{site}/filling-stops", stop).status_code == 404
    assert cast.filler.post(f"{site}/filling-stops", stop).status_code == 403
    for who in (other.clerk, other.filler):
        assert who.post(f"{site}/gas-batches", cast.batch_body()).status_code == 404
        assert who.get(f"{site}/filling-means").status_code == 404
    assert other.clerk.post(f"{site}/scales", cast.scale_body()).status_code == 404
    lost = {**stop, "scale_id": str(uuid4())}
    assert cast.regulator.post(f"{site}/filling-stops", lost).status_code == 422


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("scales", {"number": "秤一"}),
        ("scales", {"number": "S-7", "verification": {"certificate_no": "J", "verified_on": "2024-01-02",
                                                      "verified_until": "2024-01-01"}}),
        ("scales", {"number": "S-7", "verification": {"certificate_no": "J", "verified_on": "2030-01-02",
                                                      "verified_until": "2031-01-01"}}),
        ("gas-batches", {"number": "B", "product": "perfume", "supplier": "X", "delivered_on": "2024-06-01"}),
        ("gas-batches", {"number": "B", "product": "lpg", "supplier": "X", "delivered_on": "2030-06-01"}),
        ("residues", {"code": "X", "occasion": "picnic", "residue_g": 1}),
        ("residues", {"code": "X", "occasion": "return", "residue_g": -1}),
        ("residues", {"code": "X" * 513, "occasion": "return", "residue_g": 1}),
    ],
)  # fmt: skip
def test_a_wrong_form_writes_nothing(bottles: Bottles, db: Session, path: str, body: dict[str, Any]) -> None:
    site = f"/api/v1/sites/{bottles.cast.filling_station()}"
    before = count(db, Entry)
    who = bottles.cast.filler if path == "residues" else bottles.cast.clerk
    assert who.post(f"{site}/{path}", body).status_code == 422
    assert count(db, Entry) == before


# --- many, and many at once -------------------------------------------------------------------------------


def test_many_are_filled_in_one_request_each_a_deed_of_its_own(bottles: Bottles, db: Session) -> None:
    good, spoilt, over = bottles.empty(), bottles.spoilt(refurbished=True), bottles.empty()
    rows: list[Any] = [
        bottles.filling(good.code),
        bottles.filling(spoilt.code),
        bottles.filling(over.code, gross_g=TARE_G + 16_000),
        {"code": good.code},
        "nonsense",
    ]
    filler = bottles.cast.filler
    answer = made(filler.post("/api/v1/filling-batches", {"fillings": rows}, key="many-at-once-1"))
    assert (answer["filled"], answer["not_filled"]) == (1, 4)
    assert [item["ok"] for item in answer["items"]] == [True, False, False, False, False]
    assert codes(answer["items"][1]) == ["refill.refurbished"]
    assert answer["items"][1]["refusal_no"]
    assert answer["items"][2]["filling"]["outcome"] == "overfilled"
    assert answer["items"][3]["errors"][0]["pointer"].startswith("/fillings/3/")
    entries = count(db, Entry)
    again = made(filler.post("/api/v1/filling-batches", {"fillings": rows}, key="many-at-once-1"))
    assert again["filled"] == 1
    assert (count(db, Entry), count(db, Filling)) == (entries, 1)
    for wrong in ([], rows * 13):
        assert filler.post("/api/v1/filling-batches", {"fillings": wrong}).status_code == 422


def at_once(tries: int, act: Callable[[int], TestResponse]) -> Counter[int]:
    start, statuses = threading.Barrier(tries), list[int]()

    def one(number: int) -> None:
        start.wait()
        statuses.append(act(number).status_code)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(tries)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(statuses)


@pytest.mark.both_ends
def test_of_many_scales_that_ask_for_one_bottle_one_gets_leave(
    gun: Gun, bottles: Bottles, db: Session
) -> None:
    site = f"/api/v1/sites/{bottles.cast.filling_station()}"
    verified = bottles.cast.scale_body()["verification"]
    made(bottles.cast.clerk.post(f"{site}/scales", {"number": "S-2", "verification": verified}))
    bottles.filler_id  # noqa: B018 (made before the race)
    assert at_once(8, lambda n: gun.ask(scale=f"S-{1 + n % 2}")) == {201: 1, 409: 7}
    assert count(db, FillingAuthorisation) == 1


@pytest.mark.both_ends
def test_of_many_who_complete_one_authorisation_one_does(gun: Gun, db: Session) -> None:
    gun.authorised()
    made(gun.look())
    made(gun.weigh())
    assert at_once(8, lambda n: gun.complete(seal_no=f"F-{n}")) == {201: 1, 409: 7}
    assert count(db, Filling) == 1
    assert is_full(db, gun.bottle)


def test_the_database_itself_allows_one_open_authorisation_of_a_bottle(gun: Gun, ground: Ground) -> None:
    """Whatever the program forgets: a second span that overlaps, and a state by hand, are refused by name."""
    gun.authorised()
    with ground.sessions() as db:
        standing = db.scalars(sa.select(FillingAuthorisation)).one()
        names = [column.key for column in sa.inspect(FillingAuthorisation).column_attrs]
        row = {name: getattr(standing, name) for name in names}
        row |= {"id": uuid4(), "authorised_at": row["authorised_at"] + timedelta(seconds=1)}
        with pytest.raises(IntegrityError, match="ex_filling_authorisation_open"):
            db.execute(sa.insert(FillingAuthorisation).values(**row))
        db.rollback()
        by_hand = sa.update(FillingAuthorisation).values(state="filled")
        with pytest.raises((IntegrityError, psycopg.Error), match="no move from authorised to filled"):
            db.execute(by_hand)

"""The register of bottles: one code, one bottle, for ever; and taking over somebody's register."""

import json
import threading
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from cylinders.code import is_well_formed, new_code
from cylinders.models import (
    CardHolding,
    CustodyFact,
    Cylinder,
    CylinderClaim,
    CylinderCustody,
    CylinderIdentifier,
    CylinderImport,
    FactKind,
    Inspection,
)
from cylinders.queries import holding_of
from evidence.models import Entry, Link, Outcome, SubjectType
from evidence.verify import verify
from registry.models import Card, HolderKind
from tests.cast import Cast, made
from tests.cylinders.cast import YSP35, YSP118, Bottle, Bottles
from tests.cylinders.test_cylinders_filling import codes


def count(db: Session, model: Any) -> int:
    return db.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def test_a_bottle_is_filed_with_its_codes_inspection_and_place(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty()
    file = bottles.file(bottle)
    assert is_well_formed(bottle.code)
    assert [(one["scheme"], one["voided_at"]) for one in file["identifiers"]] == [
        ("platform", None),
        ("use_registration", None),
    ]
    assert [one["inspected_on"] for one in file["inspections"]] == ["2024-05-01"]
    assert file["custody"]["holder_id"] == str(bottles.cast.filling_station())
    assert (file["cylinder"]["state"], file["type"]["model"]) == ("in_service", "YSP35.5")
    [fact] = db.scalars(sa.select(CustodyFact)).all()
    assert fact.kind is FactKind.REGISTER
    assert not list(verify(db))


def test_a_code_is_never_given_to_a_second_bottle(bottles: Bottles, db: Session) -> None:
    used = {"scheme": "use_registration", "value": "31YLQ000001"}
    bottles.empty(identifiers=[used])
    other = Bottles(Cast(bottles.cast.desk))
    row = other.row(identifiers=[{"scheme": "use_registration", "value": "331ylq000001"}])
    answer = other.cast.clerk.post("/api/v1/cylinders", {"firm_id": str(other.cast.firm()), **row})
    assert answer.status_code == 409
    assert codes(answer.json) == ["identifier.registered_elsewhere"]
    assert answer.json["reasons"][0]["facts"] == {"scheme": "use_registration", "value": "31YLQ000001"}
    assert str(bottles.cast.firm()) not in answer.text
    assert count(db, Cylinder) == 1


@pytest.mark.both_ends
def test_of_ten_who_register_one_code_at_once_one_does(bottles: Bottles, db: Session) -> None:
    code = [{"scheme": "stamp", "value": "YL-55"}]
    body = {"firm_id": str(bottles.cast.firm()), **bottles.row(identifiers=code)}
    clerk, start, statuses = bottles.cast.clerk, threading.Barrier(10), []

    def register() -> None:
        start.wait()
        statuses.append(clerk.post("/api/v1/cylinders", body).status_code)

    threads = [threading.Thread(target=register) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201, *[409] * 9]
    assert count(db, Cylinder) == 1


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"model": "YSP99"}, "/model"),
        ({"owner_firm_id": str(uuid4())}, "/owner_firm_id"),
        ({"holder": {"site_id": str(uuid4())}}, "/holder/site_id"),
        ({"holder": {"district": 310105, "card_id": str(uuid4())}}, "/holder/card_id"),
        ({"holder": {"district": 310105}}, "/holder"),
        ({"identifiers": [{"scheme": "platform", "value": "ABCDEFGH1234"}]}, "/identifiers/0/value"),
        ({"colour": "grey"}, "/colour"),
        ({"tare_g": -1}, "/tare_g"),
        ({"made_on": "2020-5"}, "/made_on"),
    ],
)
def test_what_points_nowhere_or_has_the_wrong_shape_is_named(
    bottles: Bottles, db: Session, changed: dict[str, Any], pointer: str
) -> None:
    body = {"firm_id": str(bottles.cast.firm()), **bottles.row(**changed)}
    answer = bottles.cast.clerk.post("/api/v1/cylinders", body)
    assert answer.status_code == 422, answer.text
    assert answer.json["errors"][0]["pointer"] == pointer
    assert count(db, Cylinder) == 0


def test_nobody_registers_for_another_firm(bottles: Bottles, db: Session) -> None:
    body = {"firm_id": str(bottles.cast.another_firm()), **bottles.row()}
    answer = bottles.cast.clerk.post("/api/v1/cylinders", body)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/firm_id")
    assert count(db, Cylinder) == 0


def test_a_model_that_nobody_knew_is_entered_as_it_is_stamped(bottles: Bottles, db: Session) -> None:
    stamped = YSP118 | {"model": "YSP118/液/49.5", "phase": "liquid", "standard": "GB 5842-2023"}
    made(bottles.cast.admin.post("/api/v1/cylinder-types", stamped))
    bottle = bottles.empty(model=stamped["model"], phase=None, standard=None)
    users = bottles.cast.household(model=stamped["model"])
    file = bottles.file(bottle)
    assert (file["type"]["model"], file["cylinder"]["phase"]) == (stamped["model"], "liquid")
    assert db.get_one(Card, (310105, users.card_ids[0])).cylinder_model == stamped["model"]
    prose = bottles.cast.admin.post("/api/v1/cylinder-types", stamped | {"model": "张三的瓶"})
    assert [one["pointer"] for one in prose.json["errors"]] == ["/model"]


def test_a_model_stands_in_the_catalogue_once(bottles: Bottles) -> None:
    answer = bottles.cast.admin.post("/api/v1/cylinder-types", YSP35 | {"max_fill_g": 99_000})
    assert codes(answer.json) == ["cylinder_type.taken"]
    assert bottles.verdict(bottles.empty().code)["max_fill_g"] == 14_900


# --- import ---------------------------------------------------------------------------------------------


def import_body(bottles: Bottles, rows: list[Any], on_error: str = "proceed") -> dict[str, Any]:
    return {
        "firm_id": str(bottles.cast.firm()),
        "evidence": {"document": "ledger-2024", "reference": "book-1"},
        "on_error": on_error,
        "rows": rows,
    }


def bad_rows(bottles: Bottles) -> list[Any]:
    """Sound rows at both ends; between them an unknown model, no row at all, a code that the first one has,
    a field we do not know, and a site that is nobody's."""
    code = [{"scheme": "stamp", "value": "YL-100"}]
    return [
        bottles.row(identifiers=code),
        bottles.row(model="YSP99"),
        "not a row",
        bottles.row(identifiers=code),
        bottles.row(surprise=1),
        bottles.row(holder={"site_id": str(uuid4())}),
        bottles.row(),
    ]


def test_proceed_keeps_the_good_rows_and_answers_item_by_item(bottles: Bottles, db: Session) -> None:
    answer = made(
        bottles.cast.clerk.post("/api/v1/cylinder-imports", import_body(bottles, bad_rows(bottles)))
    )
    items = answer["items"]
    assert [item["index"] for item in items] == list(range(7))
    assert [item["ok"] for item in items] == [True, False, False, False, False, False, True]
    assert (answer["accepted"], answer["refused"]) == (2, 5)
    assert items[1]["errors"][0]["pointer"] == "/model"
    assert items[2]["errors"][0]["code"] == "object"
    assert codes(items[3]) == ["cylinder.identifier_taken"]
    assert items[3]["reasons"][0]["zh"]
    assert items[4]["errors"][0]["code"] == "unknown_field"
    assert count(db, Cylinder) == count(db, CylinderCustody) == 2
    assert count(db, CylinderIdentifier) == 4
    assert items[3]["reasons"][0]["basis"]
    entry = db.scalars(sa.select(Entry).order_by(Entry.id.desc()).limit(1)).one()
    assert json.loads(entry.written)["payload"]["refused_rows"] == [
        {"row": 1, "codes": ["unknown"]},
        {"row": 2, "codes": ["object"]},
        {"row": 3, "codes": ["cylinder.identifier_taken"]},
        {"row": 4, "codes": ["unknown_field"]},
        {"row": 5, "codes": ["unknown"]},
    ]


def test_an_import_is_one_entry_and_every_bottle_names_it(bottles: Bottles, db: Session) -> None:
    rows = [bottles.row() for _ in range(3)]
    before = count(db, Entry)
    answer = made(bottles.cast.clerk.post("/api/v1/cylinder-imports", import_body(bottles, rows)))
    assert count(db, Entry) == before + 1
    kept = db.get_one(CylinderImport, UUID(answer["import_id"]))
    assert (kept.accepted, kept.refused, kept.rows_root) == (3, 0, answer["root"])
    assert {one.import_id for one in db.scalars(sa.select(Cylinder))} == {kept.id}
    assert not db.scalars(sa.select(Link).where(Link.subject_type == SubjectType.CYLINDER)).all()

    bottle = answer["items"][0]
    made(bottles.fill(Bottle(UUID(bottle["cylinder_id"]), bottle["platform_code"])))
    link = db.scalars(sa.select(Link).where(Link.subject_key == bottle["cylinder_id"])).one()
    assert answer["import_id"].encode() in db.get_one(Entry, link.entry_id).written
    assert not list(verify(db))


def test_rollback_refuses_all_and_names_every_bad_row(bottles: Bottles, db: Session) -> None:
    answer = bottles.cast.clerk.post(
        "/api/v1/cylinder-imports", import_body(bottles, bad_rows(bottles), "rollback")
    )
    assert answer.status_code == 409
    assert [(one["facts"]["row"], one["code"]) for one in answer.json["reasons"]] == [
        (1, "import.row_wrong"),
        (2, "import.row_wrong"),
        (3, "cylinder.identifier_taken"),
        (4, "import.row_wrong"),
        (5, "import.row_wrong"),
    ]
    assert count(db, Cylinder) == count(db, CylinderIdentifier) == count(db, CylinderImport) == 0
    entry = db.scalars(sa.select(Entry).order_by(Entry.id.desc()).limit(1)).one()
    assert (entry.verb, entry.outcome) == ("cylinder.import", Outcome.REFUSED)


def test_a_bottle_imported_on_a_card_is_held_in_both_tables(bottles: Bottles, db: Session) -> None:
    users = bottles.cast.household()
    bottle = bottles.on_card(users)
    [card] = users.card_ids
    assert holding_of(db, 310105, card) == bottle.id
    claim = db.scalars(sa.select(CylinderClaim)).one()
    assert (claim.cylinder_id, claim.card_id, claim.active) == (bottle.id, card, True)
    custody = db.get_one(CylinderCustody, bottle.id)
    assert (custody.holder_kind, custody.holder_id) == (HolderKind.HOUSEHOLD, users.household_id)


def test_a_card_takes_one_bottle(bottles: Bottles, db: Session) -> None:
    users = bottles.cast.household()
    first = bottles.on_card(users)
    holder = {"district": 310105, "card_id": str(users.card_ids[0])}
    rows = [bottles.row(holder=holder)]
    answer = made(bottles.cast.clerk.post("/api/v1/cylinder-imports", import_body(bottles, rows)))
    assert codes(answer["items"][0]) == ["holding.card_holds_another"]
    assert [one.cylinder_id for one in db.scalars(sa.select(CardHolding))] == [first.id]
    assert count(db, Cylinder) == 1


def test_a_card_of_another_firm_is_not_there(bottles: Bottles, db: Session) -> None:
    users = Cast(bottles.cast.desk).household()
    holder = {"district": 310105, "card_id": str(users.card_ids[0])}
    rows = [bottles.row(holder=holder)]
    answer = made(bottles.cast.clerk.post("/api/v1/cylinder-imports", import_body(bottles, rows)))
    assert answer["items"][0]["errors"][0]["pointer"] == "/holder/card_id"
    assert count(db, CardHolding) == 0


def test_five_hundred_rows_are_taken_and_one_more_is_not(bottles: Bottles, db: Session) -> None:
    row = bottles.row(identifiers=[], holder=None, last_inspection=None)
    over = bottles.cast.clerk.post("/api/v1/cylinder-imports", import_body(bottles, [row] * 501))
    assert over.status_code == 422
    assert (
        made(bottles.cast.clerk.post("/api/v1/cylinder-imports", import_body(bottles, [row] * 500)))[
            "accepted"
        ]
        == 500
    )
    assert count(db, Cylinder) == 500


def test_a_given_platform_code_is_kept(bottles: Bottles) -> None:
    code = new_code()
    bottle = bottles.empty(
        identifiers=[{"scheme": "platform", "value": f"https://lpg.example/c/{code.lower()}"}]
    )
    assert bottle.code == code


def test_the_same_kind_of_code_is_given_once(bottles: Bottles) -> None:
    twice = [{"scheme": "stamp", "value": "A-1"}, {"scheme": "stamp", "value": "A-2"}]
    body = {"firm_id": str(bottles.cast.firm()), **bottles.row(identifiers=twice)}
    assert codes(bottles.cast.clerk.post("/api/v1/cylinders", body).json) == ["cylinder.identifier_twice"]


def test_a_failed_inspection_is_filed_too(bottles: Bottles, db: Session) -> None:
    bottles.empty(last_inspection=bottles.inspection(passed=False))
    assert [one.passed for one in db.scalars(sa.select(Inspection))] == [False]

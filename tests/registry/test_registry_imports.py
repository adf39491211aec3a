"""Existing users brought in: row by row, all or some, with the paper they rest on."""

import json
from typing import Any

import pytest
import rfc8785
import sqlalchemy as sa

from core.auth import Role, ScopeKind
from core.ground import Ground
from core.problems import WrongField
from core.refusal import Refused
from core.sealed import commitment
from evidence.entry import leaf_hash
from evidence.models import Outcome
from registry import sealing
from registry.imports import MAX_LINES, import_users
from registry.models import (
    Account,
    AccountOrigin,
    Card,
    Contract,
    Household,
    Person,
    PersonDocument,
    Premises,
    ResidentRegistration,
)
from tests.cast import Cast, made
from tests.conftest import doing_as
from tests.registry.proofs import codes, count, entries, faults, reasons_of, was_refused

WRITTEN = (Premises, Household, Person, PersonDocument, Account, Card, Contract, ResidentRegistration)


def send(cast: Cast, rows: list[Any], on_error: str = "proceed") -> Any:
    return cast.clerk.post(cast.at("user-imports"), cast.import_body(rows, on_error))


def a_bad_row(cast: Cast) -> dict[str, Any]:
    """Opened on the first day of the moratorium."""
    return cast.user_row(opened_on="2023-08-01")


def test_good_rows_stand_and_are_answered_in_order(cast: Cast, ground: Ground) -> None:
    rows = [cast.user_row(), cast.user_row(opened_on="2009-03-01")]
    answer = made(send(cast, rows))
    assert (answer["accepted"], answer["refused"]) == (2, 0)
    assert [(item["index"], item["ok"]) for item in answer["items"]] == [(0, True), (1, True)]
    with ground.sessions() as db:
        first, second = db.scalars(sa.select(Account).order_by(Account.id))
    assert str(first.id) == answer["items"][0]["account_id"]
    assert (first.origin, str(first.import_id)) == (AccountOrigin.IMPORTED, answer["import_id"])
    assert second.opened_on.isoformat() == "2009-03-01"


def test_a_business_comes_with_its_cards_and_contract(cast: Cast, ground: Ground) -> None:
    shop = cast.restaurant()
    assert len(shop.card_ids) == 2
    assert count(ground, Contract) == 1


def test_proceed_reports_bad_rows_and_keeps_the_good(cast: Cast, ground: Ground) -> None:
    stranger = cast.user_row() | {"gas_meter": 7}
    wrong = cast.user_row()
    wrong["registrant"]["document"]["number"] = wrong["registrant"]["document"]["number"][:-1]
    two_cards = cast.user_row(cards=[{"cylinder_model": "YSP35.5"}] * 2)
    rows = [a_bad_row(cast), cast.user_row(), wrong, "not an object", stranger, two_cards]
    answer = made(send(cast, rows))
    assert (answer["accepted"], answer["refused"]) == (1, 5)
    items = answer["items"]
    assert [item["ok"] for item in items] == [False, True, False, False, False, False]
    [barred] = items[0]["reasons"]
    assert (barred["code"], barred["rule"]) == ("account.opening_barred", "A02")
    assert (barred["basis"]["effective"], barred["basis"]["issued"]) == ("2023-08-01", "2023-09-11")
    assert barred["zh"]
    [shape] = items[2]["errors"]
    assert (shape["pointer"], shape["code"]) == ("/registrant/document/number", "document.shape")
    assert items[3]["errors"][0]["code"] == "object"
    assert [fault["code"] for fault in items[4]["errors"]] == ["unknown_field"]
    assert [reason["code"] for reason in items[5]["reasons"]] == ["card.household_has_one"]
    assert [count(ground, model) for model in WRITTEN] == [1, 1, 1, 1, 1, 1, 0, 1]


def test_rollback_refuses_all_and_lists_every_bad_row(cast: Cast, ground: Ground) -> None:
    wrong = cast.user_row(opened_on="2024-06-13")
    rows = [cast.user_row(), a_bad_row(cast), wrong]
    answer = send(cast, rows, "rollback")
    assert codes(answer) == ["account.opening_barred", "import.row_wrong"]
    facts = [reason["facts"] for reason in reasons_of(answer)]
    assert facts[0]["row"] == 1
    assert facts[1] == {"row": 2, "pointer": "/opened_on", "fault": "future"}
    assert [count(ground, model) for model in WRITTEN] == [0] * len(WRITTEN)
    assert was_refused(ground, "account.import", answer)


def test_one_import_is_one_entry_with_counts_and_root_and_no_personal_data(
    cast: Cast, ground: Ground
) -> None:
    rows = [cast.user_row(), cast.user_row(), a_bad_row(cast)]
    answer = made(send(cast, rows))
    [entry] = entries(ground, "account.import")
    payload = entry["payload"]
    assert (payload["rows"], payload["accepted"], payload["refused"]) == (3, 2, 1)
    assert (payload["document"], payload["reference"]) == ("ledger-2022", "book-3/17")
    assert payload["root"] == answer["root"]
    assert [(one["type"], one["key"]) for one in entry["subjects"]] == [("register", "310105")]
    for row in rows:
        for secret in (row["registrant"]["name"], row["registrant"]["phone"], row["premises"]["address"]):
            assert secret not in json.dumps(entry, ensure_ascii=False)


def test_the_entry_says_which_rows_were_refused_and_why(cast: Cast, ground: Ground) -> None:
    row = cast.user_row()
    wrong = cast.user_row(opened_on="yesterday", cards=[])
    same_place = cast.user_row(premises=row["premises"])
    items = made(send(cast, [row, wrong, a_bad_row(cast), same_place]))["items"]
    [entry] = entries(ground, "account.import")
    assert entry["payload"]["refused_rows"] == [
        {"row": 1, "codes": ["day", "length"]},
        {"row": 2, "codes": ["account.opening_barred"]},
        {"row": 3, "codes": ["household.stands"]},
    ]
    assert items[3]["reasons"][0]["basis"]["document"], "every reason says what it rests on"


def test_the_root_is_worked_out_again_from_what_stands_in_the_tables(cast: Cast, ground: Ground) -> None:
    contract = {"number": "HT-7", "valid_from": "2024-01-01", "valid_until": "2024-12-31"}
    place = cast.place_body(kind="restaurant", user_class="restaurant", lift=None)
    row = cast.user_row(premises=place, contract=contract, applied_on="2022-04-01")
    answer = made(send(cast, [row]))
    [item] = answer["items"]
    with ground.sessions() as db:
        premises = db.scalars(sa.select(Premises)).one()
        account = db.scalars(sa.select(Account)).one()
        person = db.scalars(sa.select(Person)).one()
        salt = sealing.opened(db, ground, sealing.salt_of(person))
        assert salt is not None
        number = row["registrant"]["document"]["number"]
        said = {
            "name": row["registrant"]["name"],
            "phone": row["registrant"]["phone"],
            "document": f"resident_id:{number}",
        }
        leaf = {
            "row": 0,
            "household_id": str(account.household_id),
            "account_id": str(account.id),
            "person_id": str(person.person_id),
            "card_ids": item["card_ids"],
            "commitment": commitment(bytes.fromhex(salt), said),
            "address": premises.address_index.hex(),
            "street_code": "310105001",
            "committee_code": "310105001001",
            "kind": "restaurant",
            "piped_gas": False,
            "lift": None,
            "height_m": 18,
            "floor_kind": "above_ground",
            "converted_to_pipe": False,
            "has_cylinder_room": None,
            "user_class": "restaurant",
            "applied_on": "2022-04-01",
            "opened_on": "2022-05-01",
            "cards": [{"cylinder_model": "YSP35.5", "exception": "first_supply"}],
            "contract": contract,
        }
    assert leaf_hash(rfc8785.dumps(leaf)).hex() == answer["root"]


@pytest.mark.parametrize(
    ("opened_on", "applied_on", "is_taken", "to_review"),
    [
        ("2023-07-31", None, True, False),
        ("2023-08-01", None, False, False),
        ("2023-08-01", "2023-07-31", True, True),
        ("2023-09-10", "2023-07-31", True, True),
        ("2023-09-11", "2023-07-31", True, True),
        ("2023-09-11", None, False, False),
        ("2021-05-31", None, True, False),
    ],
)
def test_an_import_counts_by_the_day_of_application(
    cast: Cast, ground: Ground, opened_on: str, applied_on: str | None, is_taken: bool, to_review: bool
) -> None:
    row = cast.user_row(opened_on=opened_on, applied_on=applied_on)
    [item] = made(send(cast, [row]))["items"]
    assert item["ok"] is is_taken
    with ground.sessions() as db:
        assert [one.to_review for one in db.scalars(sa.select(Account))] == ([to_review] if is_taken else [])


def test_no_bar_on_imports_where_none_is_in_force(cast: Cast) -> None:
    qingpu = Cast(cast.desk, 310118)
    [item] = made(send(qingpu, [qingpu.user_row(opened_on="2024-06-12")]))["items"]
    assert item["ok"]


def test_the_same_address_and_the_same_person_are_taken_once(cast: Cast, ground: Ground) -> None:
    row = cast.user_row()
    same_place = cast.user_row(premises=row["premises"])
    same_person = cast.user_row(registrant=row["registrant"])
    other_name = cast.user_row(registrant=row["registrant"] | {"name": "样例李四"})
    items = made(send(cast, [row, same_place, same_person, other_name]))["items"]
    assert [[reason["code"] for reason in item["reasons"]] for item in items] == [
        [],
        ["household.stands"],
        ["account.registrant_has_another"],
        ["person.name_differs"],
    ]
    assert [count(ground, model) for model in WRITTEN] == [1, 1, 1, 1, 1, 1, 0, 1]


def test_the_name_of_an_unknown_field_is_not_repeated(cast: Cast, ground: Ground) -> None:
    answer = send(cast, [cast.user_row() | {"样例王小明": 1}])
    assert "样例王小明" not in answer.text
    with ground.sessions() as db:
        kept = db.execute(sa.text("SELECT answer::text FROM idempotency")).scalars().all()
    assert "样例王小明" not in str(kept)


def test_a_request_takes_at_most_two_hundred_rows_of_ones_own_firm(cast: Cast, ground: Ground) -> None:
    assert faults(send(cast, [1] * 201)) == [("/rows", "length")]
    assert faults(send(cast, [])) == [("/rows", "length")]
    body = cast.import_body([cast.user_row()]) | {"firm_id": str(cast.another_firm())}
    assert faults(cast.clerk.post(cast.at("user-imports"), body)) == [("/firm_id", "unknown")]
    named = cast.import_body([cast.user_row()]) | {"evidence": {"document": "样例王小明", "reference": "x-1"}}
    assert faults(cast.clerk.post(cast.at("user-imports"), named)) == [("/evidence/document", "pattern")]
    assert count(ground, Account) == 0


def test_a_repeated_import_answers_as_before_and_writes_nothing(cast: Cast, ground: Ground) -> None:
    body = cast.import_body([cast.user_row(), a_bad_row(cast)])
    first = cast.clerk.post(cast.at("user-imports"), body, key="import-key-1")
    again = cast.clerk.post(cast.at("user-imports"), body, key="import-key-1")
    assert again.get_json() == first.get_json()
    assert count(ground, Account) == 1


# --- from a file ----------------------------------------------------------------------------------------


def from_file(ground: Ground, cast: Cast, lines: list[str], **changed: Any) -> Any:
    doing = doing_as(ground, Role.ADMINISTRATOR, ScopeKind.ALL, "")
    given = {"document": "ledger-2022", "reference": "disk-1", "on_error": "proceed"} | changed
    return import_users(doing, lines, firm_id=cast.firm(), **given)


def test_a_file_is_one_deed_and_faults_name_their_line(cast: Cast, ground: Ground) -> None:
    deep = "[" * 40 + "]" * 40
    lines = [json.dumps(cast.user_row()), "", "{ no json", json.dumps(a_bad_row(cast)), deep]
    seen: list[int] = []
    report = from_file(ground, cast, lines, progress=seen.append)
    assert report.accepted == 1
    assert [fault.line for fault in report.faults] == [3, 4, 5]
    assert "不是UTF-8的JSON" in report.faults[0].text
    assert "嵌套超过32层" in report.faults[2].text
    assert "account.opening_barred" in report.faults[1].text
    assert seen == [4]
    assert len(entries(ground, "account.import")) == 1


def test_a_file_rolled_back_writes_nothing_and_is_kept_as_refused(cast: Cast, ground: Ground) -> None:
    lines = [json.dumps(cast.user_row()), json.dumps(a_bad_row(cast))]
    with pytest.raises(Refused) as refused:
        from_file(ground, cast, lines, on_error="rollback")
    assert [reason.facts["row"] for reason in refused.value.refusals] == [2]
    assert [count(ground, model) for model in WRITTEN] == [0] * len(WRITTEN)
    [entry] = entries(ground, "account.import")
    assert entry["outcome"] == Outcome.REFUSED.value


def test_a_file_has_an_end(cast: Cast, ground: Ground) -> None:
    with pytest.raises(WrongField):
        from_file(ground, cast, ["1"] * (MAX_LINES + 1))
    with pytest.raises(WrongField):
        from_file(ground, cast, ["", "  "])
    assert not entries(ground, "account.import")

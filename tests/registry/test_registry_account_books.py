"""Beside an account: the review list of the bar, and the deposit in fen."""

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from core import clock
from core.auth import Role
from core.ground import Ground
from registry.models import Account
from registry.premises_models import AccountReview, DepositKind, DepositLine
from registry.states import AccountState
from tests.cast import Cast, made
from tests.registry.proofs import codes, count, entries, faults, was_refused


def opened(cast: Cast, day: date) -> dict[str, Any]:
    """An account applied for before the bar and opened on ``day``."""
    body = {
        "household_id": str(cast.place()),
        "person_id": str(cast.person()),
        "firm_id": str(cast.firm()),
        "applied_on": "2023-07-31",
        "cards": [{"cylinder_model": "YSP35.5"}],
    }
    with clock.standing_at(clock.at(day)):
        return made(cast.clerk.post(cast.at("accounts"), body))


# --- the review list --------------------------------------------------------------------------------------


def test_the_accounts_of_the_41_days_are_looked_at_once(cast: Cast, ground: Ground) -> None:
    cast.supply_point()
    before, first, last = (opened(cast, date(2023, *day)) for day in ((7, 31), (8, 1), (9, 10)))
    listed = cast.regulator.get(cast.at("account-reviews"), decided="false").get_json()["items"]
    assert [one["account_id"] for one in listed] == [first["id"], last["id"]]
    assert (before["to_review"], listed[0]["opened_on"], listed[0]["finding"]) == (False, "2023-08-01", None)
    path = cast.at(f"accounts/{first['id']}/reviews")
    shown = made(cast.regulator.post(path, {"finding": "proven", "evidence": "SQ-0731"}))
    assert (shown["finding"], shown["decided_on"]) == ("proven", "2024-06-12")
    again = cast.regulator.post(path, {"finding": "to_close", "evidence": "SQ-0731"})
    assert codes(again) == ["account.reviewed_already"]
    assert was_refused(ground, "account.review", again)
    left = cast.regulator.get(cast.at("account-reviews"), decided="false").get_json()["items"]
    assert [one["account_id"] for one in left] == [last["id"]]
    done = cast.regulator.get(cast.at("account-reviews"), decided="true").get_json()["items"]
    assert [one["account_id"] for one in done] == [first["id"]]
    assert count(ground, AccountReview) == 1


def test_an_account_that_is_not_on_the_list_is_not_reviewed(cast: Cast, ground: Ground) -> None:
    users = cast.household()
    path = cast.at(f"accounts/{users.account_id}/reviews")
    answer = cast.regulator.post(path, {"finding": "proven", "evidence": "SQ-1"})
    assert codes(answer) == ["account.not_to_review"]
    assert faults(cast.regulator.post(path, {"finding": "fine", "evidence": "SQ-1"})) == [
        ("/finding", "word")
    ]
    assert faults(cast.regulator.get(cast.at("account-reviews"), decided="perhaps")) == [
        ("/query/decided", "pattern")
    ]
    assert count(ground, AccountReview) == 0


def test_another_street_and_another_district_do_not_see_the_list(cast: Cast, ground: Ground) -> None:
    account = opened(cast, date(2023, 8, 1))
    own = cast.desk.sign_in(Role.REGULATOR, cast.district, street="310105001")
    stranger = cast.desk.sign_in(Role.REGULATOR, cast.district, street="310105002")
    elsewhere = Cast(cast.desk, 310118).regulator
    assert len(own.get(cast.at("account-reviews")).get_json()["items"]) == 1
    assert stranger.get(cast.at("account-reviews")).get_json()["items"] == []
    assert elsewhere.get(cast.at("account-reviews")).status_code == 404
    path = cast.at(f"accounts/{account['id']}/reviews")
    for who in (stranger, elsewhere):
        assert who.post(path, {"finding": "proven", "evidence": "SQ-1"}).status_code == 404
    assert count(ground, AccountReview) == 0


# --- deposits ---------------------------------------------------------------------------------------------


def line(kind: str, amount_fen: int, receipt_no: str) -> dict[str, Any]:
    return {"kind": kind, "amount_fen": amount_fen, "receipt_no": receipt_no}


def test_a_deposit_is_the_sum_of_its_lines(cast: Cast, ground: Ground) -> None:
    path = cast.at(f"accounts/{cast.household().account_id}/deposit-lines")
    made(cast.clerk.post(path, line("paid", 10_000, "SJ-1")))
    made(cast.clerk.post(path, line("converted", 2_500, "SJ-2")))
    made(cast.clerk.post(path, line("forfeited", 500, "SJ-3")))
    shown = made(cast.clerk.post(path, line("refunded", 7_000, "SJ-4")))
    assert (shown["balance_fen"], [one["balance_fen"] for one in shown["lines"]]) == (
        0,
        [10_000, 7_500, 7_000, 0],
    )
    assert cast.clerk.get(path).get_json() == shown
    assert entries(ground, "deposit.enter")[-1]["payload"]["balance_fen"] == 0


@pytest.mark.parametrize("kind", ["refunded", "forfeited", "converted"])
def test_no_more_leaves_a_deposit_than_is_in_it(cast: Cast, ground: Ground, kind: str) -> None:
    path = cast.at(f"accounts/{cast.household().account_id}/deposit-lines")
    made(cast.clerk.post(path, line("paid", 100, "SJ-1")))
    answer = cast.clerk.post(path, line(kind, 101, "SJ-2"))
    assert codes(answer) == ["deposit.too_small"]
    assert was_refused(ground, "deposit.enter", answer)
    assert count(ground, DepositLine) == 1
    assert made(cast.clerk.post(path, line(kind, 100, "SJ-3")))["balance_fen"] == 0


def test_a_closed_account_is_refunded_and_pays_nothing_more(cast: Cast, ground: Ground) -> None:
    users = cast.household()
    path = cast.at(f"accounts/{users.account_id}/deposit-lines")
    made(cast.clerk.post(path, line("paid", 100, "SJ-1")))
    with ground.sessions() as db:
        db.get_one(Account, (310105, users.account_id)).state = AccountState.CLOSED
        db.commit()
    assert codes(cast.clerk.post(path, line("paid", 100, "SJ-2"))) == ["deposit.account_closed"]
    assert made(cast.clerk.post(path, line("refunded", 100, "SJ-3")))["balance_fen"] == 0
    assert count(ground, DepositLine) == 2


def test_a_receipt_is_entered_once(cast: Cast, ground: Ground) -> None:
    path = cast.at(f"accounts/{cast.household().account_id}/deposit-lines")
    made(cast.clerk.post(path, line("paid", 100, "SJ-1")))
    assert codes(cast.clerk.post(path, line("paid", 100, "SJ-1"))) == ["deposit.receipt_taken"]
    assert count(ground, DepositLine) == 1


def test_the_database_alone_keeps_a_deposit_from_falling_below_nothing(cast: Cast, ground: Ground) -> None:
    account_id = cast.household().account_id
    with ground.sessions() as db:
        db.add(
            DepositLine(
                district=310105,
                account_id=account_id,
                number=1,
                kind=DepositKind.REFUNDED,
                amount_fen=1,
                balance_fen=-1,
                receipt_no="SJ-1",
                entered_on=clock.today(),
                entered_by=account_id,
                recorded_at=clock.now(),
            )
        )
        with pytest.raises(sa.exc.IntegrityError, match="ck_deposit_line_balance"):
            db.flush()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (line("paid", 0, "SJ-1"), "/amount_fen"),
        (line("paid", -5, "SJ-1"), "/amount_fen"),
        (line("lent", 5, "SJ-1"), "/kind"),
        (line("paid", 5, "收据"), "/receipt_no"),
    ],
)
def test_a_line_that_cannot_be_is_a_wrong_field(
    cast: Cast, ground: Ground, body: dict[str, Any], pointer: str
) -> None:
    path = cast.at(f"accounts/{cast.household().account_id}/deposit-lines")
    assert [at for at, _ in faults(cast.clerk.post(path, body))] == [pointer]
    assert count(ground, DepositLine) == 0


def test_another_firm_has_no_part_in_a_deposit(cast: Cast, ground: Ground) -> None:
    path = cast.at(f"accounts/{cast.household().account_id}/deposit-lines")
    rival = cast.clerk_of(cast.another_firm())
    assert rival.get(path).status_code == 404
    assert rival.post(path, line("paid", 5, "SJ-1")).status_code == 404
    assert cast.regulator.get(path).status_code == 200
    assert cast.regulator.post(path, line("paid", 5, "SJ-1")).status_code == 403
    assert count(ground, DepositLine) == 0

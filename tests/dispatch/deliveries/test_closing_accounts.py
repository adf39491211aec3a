"""退户: closed when every bottle is back and nothing is booked; never barred; said once, with its reason."""

from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.auth import Role
from core.ground import Ground
from cylinders.models import CardHolding
from dispatch.orders.models import OrderLine
from dispatch.orders.states import LineState
from registry.models import Account, Card, Household
from registry.premises_models import AccountClosing
from tests.cast import made
from tests.desk import Desk, Person
from tests.dispatch.town import Home, Town, codes, pointers
from tests.registry.proofs import count, entries, was_refused

WHY = {"reason": "piped_gas", "evidence": "GD-2024/17"}


@pytest.fixture
def clerk(desk: Desk, town: Town) -> Person:
    return desk.sign_in(Role.CLERK, firm=town.firm)


def closings(home: Home) -> str:
    return f"/api/v1/districts/310105/accounts/{home.account}/closings"


def give_back(town: Town, home: Home) -> None:
    with town.ground.sessions() as db:
        held = sa.update(CardHolding).where(CardHolding.card_id.in_(home.cards))
        db.execute(held.values(active=False))
        db.commit()


def test_an_account_is_closed_with_its_cards_and_its_reason(
    clerk: Person, town: Town, ground: Ground, db: Session
) -> None:
    home = town.home(holding=False)
    answer = made(clerk.post(closings(home), WHY, key="closing-key-1"))
    assert answer == {"account_id": str(home.account), "deposit_left_fen": 0}
    assert {row.state.value for row in db.scalars(sa.select(Account))} == {"closed"}
    assert {row.state.value for row in db.scalars(sa.select(Card))} == {"closed"}
    assert db.scalars(sa.select(Household)).one().closed_at is not None
    row = db.scalars(sa.select(AccountClosing)).one()
    assert (row.reason.value, row.evidence, str(row.closed_on)) == ("piped_gas", "GD-2024/17", "2024-06-12")
    again = clerk.post(closings(home), WHY, key="closing-key-1")
    assert again.headers["Idempotency-Replayed"] == "true"
    later = clerk.post(closings(home), WHY)
    assert codes(later) == ["account.not_open"]
    assert count(ground, AccountClosing) == 1


def test_a_bottle_at_home_and_an_open_line_stand_in_the_way(
    clerk: Person, town: Town, ground: Ground, desk: Desk
) -> None:
    home = town.home()
    resident = desk.sign_in(Role.RESIDENT, person=home.person)
    made(resident.post("/api/v1/districts/310105/orders", home.booking(town.slot())))
    answer = clerk.post(closings(home), WHY)
    assert codes(answer) == ["closing.line_open", "closing.bottle_held"]
    assert was_refused(ground, "account.close", answer)
    assert count(ground, AccountClosing) == 0
    give_back(town, home)
    assert codes(clerk.post(closings(home), WHY)) == ["closing.line_open"]
    with ground.sessions() as db:
        db.execute(sa.update(OrderLine).values(state=LineState.CANCELLED))
        db.commit()
    assert clerk.post(closings(home), WHY).status_code == 201


def test_no_suspension_and_no_bar_stands_in_the_way(clerk: Person, town: Town) -> None:
    home = town.home(holding=False)
    at = f"/api/v1/districts/310105/accounts/{home.account}"
    made(clerk.post(f"{at}/suspensions", {"reason": "hazard"}))
    assert clerk.post(closings(home), WHY).status_code == 201


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, ["/evidence", "/reason"]),
        (WHY | {"reason": "tired"}, ["/reason"]),
        (WHY | {"reason": None}, ["/reason"]),
        (WHY | {"evidence": "李娜的申请"}, ["/evidence"]),
        (WHY | {"evidence": ""}, ["/evidence"]),
        (WHY | {"evidence": 7}, ["/evidence"]),
        (WHY | {"by": "me"}, ["/by"]),
    ],
)
def test_bad_input_closes_nothing(
    clerk: Person, town: Town, ground: Ground, body: dict[str, Any], wrong: list[str]
) -> None:
    home = town.home(holding=False)
    assert sorted(pointers(clerk.post(closings(home), body))) == wrong
    assert count(ground, AccountClosing) == 0
    assert entries(ground, "account.close") == []


def test_another_firm_s_account_is_not_there(clerk: Person, town: Town, desk: Desk, ground: Ground) -> None:
    home = town.home(holding=False)
    stranger = desk.sign_in(Role.CLERK, firm=town.other_firm)
    assert stranger.post(closings(home), WHY).status_code == 404
    nowhere = f"/api/v1/districts/310105/accounts/{uuid4()}/closings"
    assert clerk.post(nowhere, WHY).status_code == 404
    assert count(ground, AccountClosing) == 0

"""The same booking again in two statements: rights are asked as ever, and a wrong body comes no further."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import orjson
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import Grant, Role, ScopeKind, hash_token
from core.ground import Ground
from core.ids import new_id
from dispatch.orders import again, queries
from dispatch.orders.again import LONGEST, Like
from dispatch.orders.models import Order, Purpose
from dispatch.orders.schemas import OrderOut
from tests.conftest import CHANGNING, THE_DAY, doing_as
from tests.desk import Desk, Person
from tests.dispatch.town import Home, Town, codes, pointers

ORDERS = f"/api/v1/districts/{CHANGNING}/orders"


@pytest.fixture
def home(town: Town) -> Home:
    return town.home()


@pytest.fixture
def resident(desk: Desk, home: Home) -> Person:
    return desk.sign_in(Role.RESIDENT, person=home.person)


@contextmanager
def statements_of(ground: Ground) -> Iterator[list[str]]:
    engine, seen = ground.sessions.kw["bind"], []

    def see(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    sa.event.listen(engine, "before_cursor_execute", see)
    try:
        yield seen
    finally:
        sa.event.remove(engine, "before_cursor_execute", see)


def orders(db: Session) -> int:
    db.rollback()
    return db.scalar(sa.select(sa.func.count()).select_from(Order)) or 0


def test_what_is_sent_again_is_a_look_and_a_key(
    town: Town, home: Home, resident: Person, ground: Ground
) -> None:
    body = home.booking(town.slot())
    first = resident.post(ORDERS, body)
    with statements_of(ground) as seen:
        second = resident.post(ORDERS, body)
    assert (second.status_code, second.json) == (200, first.json)
    assert [one.split()[0] for one in seen] == ["SELECT", "INSERT"]
    assert "role_grant" in seen[0]


def test_the_answer_is_written_as_the_document_says(
    town: Town, home: Home, resident: Person, ground: Ground
) -> None:
    made = resident.post(ORDERS, home.booking(town.slot(), contactless=True)).json
    doing = doing_as(ground, Role.REGULATOR, ScopeKind.ALL, "")
    order = queries.order(doing, made["id"])
    assert orjson.loads(orjson.dumps(order.to_plain())) == orjson.loads(orjson.dumps(OrderOut().dump(order)))
    assert order.to_plain().keys() == OrderOut().fields.keys()
    assert len(made["lines"]) == 1


def test_a_right_that_ended_ends_with_the_next_request(
    town: Town, home: Home, resident: Person, db: Session
) -> None:
    body = home.booking(town.slot())
    assert resident.post(ORDERS, body).status_code == 201
    db.execute(
        sa.update(Grant).where(Grant.principal_id == resident.principal_id).values(until_at=clock.now())
    )
    db.commit()
    assert resident.post(ORDERS, body).status_code == 401
    assert Person(resident.app, "lpg_nobody", resident.principal_id).post(ORDERS, body).status_code == 401
    assert orders(db) == 1


def test_under_each_of_several_grants_only_its_own_reach_is_answered(
    desk: Desk, town: Town, home: Home, resident: Person, db: Session
) -> None:
    """Somebody is the home's resident and the dispatcher of a firm that does not supply it."""
    body = home.booking(town.slot())
    made = resident.post(ORDERS, body).json
    grants = {"person": new_id(), "firm": new_id()}
    of_the_other = {"person": str(home.person), "firm": str(town.other_firm)}
    both = desk.sign_in(Role.REGULATOR, kind=ScopeKind.DISTRICT, code=str(CHANGNING))  # may not book
    for kind, grant_id in grants.items():
        role = Role.RESIDENT if kind == "person" else Role.CLERK
        db.add(
            Grant(
                id=grant_id,
                principal_id=both.principal_id,
                role=role,
                scope_kind=ScopeKind(kind),
                scope_code=of_the_other[kind],
                home_district=CHANGNING,
                from_at=THE_DAY,
            )
        )
    db.commit()
    assert pointers(both.post(ORDERS, body)) == ["/headers/Acting-As"]
    own = both.post(ORDERS, body, **{"Acting-As": str(grants["person"])})
    assert (own.status_code, own.json) == (200, made), "each of its lines once"
    by_phone = body | {"channel": "hotline"}
    elsewhere = both.post(ORDERS, by_phone, **{"Acting-As": str(grants["firm"])})
    assert pointers(elsewhere) == ["/household_id"], "found beside the grants, and not shown"
    assert orders(db) == 1


UNREADABLE: list[bytes] = [
    b"", b"{", b"[]", b"null", b"7", b'"x"', b"{}", b"\xff\xfe", b"[" * 3000,
    b'{"household_id": 7, "slot_id": 7, "purpose": 7}',
    b'{"household_id": "x", "slot_id": null, "purpose": []}',
]  # fmt: skip


def test_a_body_that_says_no_booking_is_only_asked_who_sends_it(resident: Person, ground: Ground) -> None:
    token_hash = hash_token(resident.token)
    for body in UNREADABLE:
        rows, found = again.beside_grants(ground, token_hash, body, CHANGNING)
        assert (len(rows), found) == (1, None)
    headers = {"Content-Type": "application/json", "Idempotency-Key": "unreadable-1"}
    client = resident.app.test_client()
    for who, statuses in (("lpg_nobody", {401}), (resident.token, {400, 422})):
        for body in UNREADABLE[-3:]:
            named = headers | {"Authorization": f"Bearer {who}"}
            assert client.post(ORDERS, data=body, headers=named).status_code in statuses


def test_a_long_body_and_a_district_that_is_none_are_not_looked_into(
    town: Town, home: Home, resident: Person, ground: Ground
) -> None:
    body = home.booking(town.slot())
    long = orjson.dumps(body) + b" " * LONGEST
    token_hash = hash_token(resident.token)
    assert again.beside_grants(ground, token_hash, long, CHANGNING)[1] is None
    assert again.beside_grants(ground, token_hash, orjson.dumps(body), 10**12)[1] is None
    assert resident.post(f"/api/v1/districts/{10**12}/orders", body).status_code == 404
    assert codes(resident.post(ORDERS, body | {"purpose": None})) == ["booking.purpose_missing"]


def test_what_was_found_of_another_booking_is_not_used(
    town: Town, home: Home, resident: Person, ground: Ground
) -> None:
    slot = town.slot()
    made = resident.post(ORDERS, home.booking(slot)).json
    like = Like(CHANGNING, home.household, slot, Purpose.COOKING, contactless=False)
    doing = doing_as(ground, Role.RESIDENT, ScopeKind.PERSON, str(home.person))
    _, found = again.beside_grants(
        ground, hash_token(resident.token), orjson.dumps(home.booking(uuid4())), CHANGNING
    )
    doing.beside = found
    assert {str(order.id) for _, order, *_ in again.rows_like(doing, like)} == {made["id"]}
    assert not again.rows_like(doing, replace(like, contactless=True))

"""A bottle that is nowhere to be found: the office records it, and the card may be supplied again."""

import threading
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from core.auth import Role
from cylinders.custody import facts_of, project
from cylinders.models import CardHolding, CustodyFact, CylinderClaim, CylinderCustody, FactKind
from cylinders.queries import holding_of
from evidence.models import Link, SubjectType
from evidence.verify import verify
from registry.models import Card, CardException
from tests.cast import CHANGNING, Cast, made
from tests.cylinders.cast import Bottles
from tests.cylinders.test_cylinders_filling import codes
from tests.desk import Person


def report(bottles: Bottles, card_id: UUID, *, by: Person | None = None) -> TestResponse:
    path = f"/api/v1/districts/{CHANGNING}/cards/{card_id}/bottle-losses"
    return (by or bottles.cast.clerk).post(path, {"reference": "statement-7"})


def nothing_is_lost(db: Session, card_id: UUID) -> bool:
    return (
        not list(db.scalars(sa.select(CustodyFact).where(CustodyFact.kind == FactKind.MISSING)))
        and db.get_one(Card, (CHANGNING, card_id), populate_existing=True).exception
        is not CardException.BOTTLE_LOST
    )


def test_a_lost_bottle_is_with_nobody_and_its_card_waits_for_another(bottles: Bottles, db: Session) -> None:
    users = bottles.cast.household(exception=None)
    bottle, [card_id] = bottles.on_card(users), users.card_ids
    answer = made(report(bottles, card_id))
    assert answer == {"card_id": str(card_id), "cylinder_id": str(bottle.id)}
    assert db.get_one(Card, (CHANGNING, card_id)).exception is CardException.BOTTLE_LOST
    assert holding_of(db, CHANGNING, card_id) is None
    assert not list(db.scalars(sa.select(CylinderClaim).where(CylinderClaim.active)))
    custody = db.get_one(CylinderCustody, bottle.id)
    assert (custody.holder_kind, custody.holder_id, custody.full) == (None, None, False)
    told = project(facts_of(db, bottle.id)).now
    assert (told.holder, told.card_id) == (None, None)
    fact = db.scalars(sa.select(CustodyFact).where(CustodyFact.kind == FactKind.MISSING)).one()
    links = db.execute(sa.select(Link.subject_type, Link.subject_key).where(Link.entry_id == fact.entry_id))
    assert set(links) == {(SubjectType.CARD, str(card_id)), (SubjectType.CYLINDER, str(bottle.id))}
    assert not list(verify(db))


def test_whoever_scans_a_lost_bottle_has_it(bottles: Bottles, db: Session) -> None:
    users = bottles.cast.household(exception=None)
    bottle = bottles.on_card(users)
    made(report(bottles, users.card_ids[0]))
    made(bottles.receive(bottle.code))
    assert db.get_one(CylinderCustody, bottle.id).holder_id == bottles.cast.filling_station()


def test_a_card_whose_bottle_is_gone_already_gets_its_reason_once(bottles: Bottles, db: Session) -> None:
    users = bottles.cast.household(exception=None)
    bottle, [card_id] = bottles.on_card(users), users.card_ids
    made(bottles.receive(bottle.code))  # brought to the station by somebody, without a swap
    assert made(report(bottles, card_id))["cylinder_id"] is None
    assert codes(report(bottles, card_id).json) == ["custody.loss_on_record"]
    assert db.get_one(Card, (CHANGNING, card_id)).exception is CardException.BOTTLE_LOST


def test_of_many_who_report_one_loss_at_once_one_does(bottles: Bottles, db: Session) -> None:
    users = bottles.cast.household(exception=None)
    bottles.on_card(users)
    clerk, together = bottles.cast.clerk, threading.Barrier(6)
    answers: list[TestResponse] = []

    def at_once() -> None:
        together.wait()
        answers.append(report(bottles, users.card_ids[0], by=clerk))

    threads = [threading.Thread(target=at_once) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    assert len(list(db.scalars(sa.select(CustodyFact).where(CustodyFact.kind == FactKind.MISSING)))) == 1


@pytest.mark.parametrize(
    ("who", "status"), [("another firm's clerk", 404), ("the filler", 403), ("nobody's card", 404)]
)
def test_only_the_firms_clerk_reports_and_only_of_its_own_cards(
    bottles: Bottles, db: Session, who: str, status: int
) -> None:
    users = bottles.cast.household(exception=None)
    bottles.on_card(users)
    [card_id] = users.card_ids
    stranger = bottles.cast.desk.sign_in(Role.CLERK, firm=Cast(bottles.cast.desk).firm())
    by = {"another firm's clerk": stranger, "the filler": bottles.cast.filler}.get(who)
    asked = uuid4() if who == "nobody's card" else card_id
    assert report(bottles, asked, by=by).status_code == status
    assert nothing_is_lost(db, card_id)
    assert len(list(db.scalars(sa.select(CardHolding).where(CardHolding.active)))) == 1

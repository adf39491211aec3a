"""The registrant's document, looked at once more at the door: by whose stop it is, and harming nobody."""

from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from core.ground import Ground
from registry.models import IdentityCheck
from registry.queries import identity_of
from tests.cast import made
from tests.desk import Desk, Person
from tests.dispatch.rounds.working_day import Booked, WorkingDay
from tests.registry.proofs import codes, count, entries, faults, was_refused
from tests.web.test_courier_pages import Hand


@pytest.fixture
def day(desk: Desk) -> WorkingDay:
    return WorkingDay(desk)


def visited(day: WorkingDay) -> tuple[Booked, dict[str, Any], UUID]:
    """A stop of a round that is driven, the document of its registrant, and who that is."""
    registrant = day.cast.registrant()
    booked, _, _ = day.loaded(day.home(person=registrant))
    return booked, registrant["document"], day.cast.registrant_of(booked.home.users)


def look(day: WorkingDay, who: Person, booked: Booked, **document: Any) -> Any:
    path = day.at(f"orders/{booked.order_id}/identity-checks")
    return who.post(path, {"document": document})


def test_the_document_on_file_is_one_more_check_by_this_courier(
    day: WorkingDay, ground: Ground, db: Session
) -> None:
    booked, document, person_id = visited(day)
    answer = made(look(day, day.courier, booked, **document, valid_until="2030-01-01"))
    assert answer["matched"] is True
    check = identity_of(db, person_id)
    assert check is not None
    assert (check.method.value, check.checked_by) == ("at_the_door", day.courier.principal_id)
    [entry] = entries(ground, "person.verify_at_door")
    assert entry["payload"]["matched"] is True
    assert document["number"] not in str(entry)


def test_another_document_matches_nothing_and_takes_nothing_away(
    day: WorkingDay, ground: Ground, db: Session
) -> None:
    booked, _, person_id = visited(day)
    neighbour = day.cast.registrant()
    day.cast.household(person=neighbour)
    before = count(ground, IdentityCheck)
    for other in (neighbour["document"], day.cast.registrant()["document"]):
        answer = made(look(day, day.courier, booked, **other))
        assert answer.keys() == {"order_id", "matched", "checked_at"}, "whose it is, is told to nobody"
        assert answer["matched"] is False
    assert count(ground, IdentityCheck) == before
    assert identity_of(db, person_id) is not None
    wrong = look(day, day.courier, booked, kind="resident_id", number="310105199001011234")
    assert faults(wrong) == [("/document/number", "document.check_digit")]


def test_only_whose_stop_it_is_while_the_round_is_driven(day: WorkingDay, ground: Ground) -> None:
    registrant = day.cast.registrant()
    booked = day.order(day.home(person=registrant))
    assert look(day, day.courier, booked, **registrant["document"]).status_code == 404, "on no round"
    round_id = day.planned_round()
    early = look(day, day.courier, booked, **registrant["document"])
    assert codes(early) == ["delivery.round_not_started"]
    assert was_refused(ground, "person.verify_at_door", early)
    made(day.start(round_id))
    stranger = day.cast.signed_in_courier(day.cast.courier())
    before = count(ground, IdentityCheck)
    assert look(day, stranger, booked, **registrant["document"]).status_code == 404
    assert look(day, day.cast.clerk, booked, **registrant["document"]).status_code == 403
    over = look(day, day.courier, booked, **registrant["document"], valid_until="2024-06-11")
    assert codes(over) == ["person.document_expired"]
    assert count(ground, IdentityCheck) == before


def test_the_couriers_page_compares_and_shows_no_number_again(
    day: WorkingDay, app: Flask, desk: Desk, db: Session
) -> None:
    booked, document, person_id = visited(day)
    hand = Hand(app, desk, day.courier)
    page = f"/courier/orders/{booked.order_id}/identity"
    status, shown = hand.send(page, page, kind="resident_id", number=document["number"])
    assert (status, "证件一致" in shown, document["number"] in shown) == (200, True, False)
    _, other = hand.send(page, page, kind="passport", number="E12345678")
    assert "不是登记人的证件" in other
    status, wrong = hand.send(page, page, kind="resident_id", number="")
    assert (status, "必须填写" in wrong) == (422, True)
    found = db.scalars(sa.select(IdentityCheck.method).where(IdentityCheck.person_id == person_id)).all()
    assert sorted(one.value for one in found) == ["at_the_door", "database"]

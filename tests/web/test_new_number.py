"""网上登记: whose telephone changed says so from home; who hears of it, what is kept of a wrong try."""

import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from core.ground import Ground
from core.limits import Tried
from core.outbox import OutboxEvent
from evidence.models import Entry
from registry.models import Card
from registry.privacy_models import NoticeShown, PrivacyRequest
from registry.states import CardState
from tests.cast import Cast, Users, made
from tests.cylinders.test_out_of_use import count
from tests.desk import Desk
from tests.web.test_phone_sign_in import Telephone
from web.words import in_fours

OLD, NEW = "13800007788", "13800001234"


@pytest.fixture
def cast(desk: Desk) -> Cast:
    return Cast(desk)


@pytest.fixture
def telephone(app: Flask, ground: Ground) -> Telephone:
    return Telephone(app, ground)


@pytest.fixture
def person(cast: Cast) -> dict[str, Any]:
    return cast.registrant(phone=OLD)


@pytest.fixture
def users(cast: Cast, person: dict[str, Any]) -> Users:
    return cast.household(person=person)


def said(db: Session, users: Users, person: dict[str, Any], **changed: str) -> dict[str, str]:
    """All that is on file, and another number."""
    card = db.get_one(Card, (310105, users.card_ids[0]))
    return {
        "name": person["name"],
        "kind": "resident_id",
        "number": person["document"]["number"],
        "card": in_fours(card.credential.lower()),
        "phone": NEW,
    } | changed


def send(telephone: Telephone, form: dict[str, str]) -> TestResponse:
    return telephone.post("/register", **form, step="check")


def test_four_pages_one_question_each_and_then_the_counter_decides(
    telephone: Telephone, cast: Cast, users: Users, person: dict[str, Any], db: Session
) -> None:
    form = said(db, users, person)
    page = telephone.client.get("/register").text
    assert "不办新开户" in page, "said before anything is asked"
    answered: dict[str, str] = {}
    for step, names in (("who", ("name", "kind", "number")), ("card", ("card",)), ("phone", ("phone",))):
        for name in names:
            assert f'id="{name}"' in page, name
        answered |= {name: form[name] for name in names}
        page = telephone.post("/register", **answered, step=step).text
        for name in answered:
            assert re.search(rf'type="hidden" name="{name}"', page), f"{name} is carried on after {step}"
    assert "核对一遍" in page
    assert count(db, PrivacyRequest) == 0
    back = telephone.post("/register", **answered, step="check", back="card").text
    assert form["card"] in back
    sent = send(telephone, form)
    assert (sent.status_code, sent.location) == (303, "/register/sent")
    assert "已收到" in telephone.client.get("/register/sent").text
    request = db.scalars(sa.select(PrivacyRequest)).one()
    assert (request.kind, request.field, request.household_id) == ("correction", "phone", users.household_id)
    assert count(db, NoticeShown) == 1
    [warned] = [one for one in telephone.messages() if one["topic"] == "own_data.number_asked"]
    assert warned["to"] == OLD
    assert "尾号1234" in warned["zh"]
    assert NEW not in warned["zh"]
    telephone.ask(NEW)
    assert all(one["to"] != NEW for one in telephone.messages()), "nothing has changed yet"
    clerk, at = cast.confirmed(cast.clerk), cast.at(f"privacy-requests/{request.id}/decisions")
    rung = clerk.post(at, {"granted": True, "reason": "phone_answered"})
    assert (rung.status_code, rung.get_json()["errors"][0]["pointer"]) == (422, "/reason"), "nobody was seen"
    made(clerk.post(at, {"granted": True, "reason": "document_seen"}))
    telephone.ask(NEW)
    assert telephone.type(telephone.code()).status_code == 302


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "样例别人"},
        {"number": "11010519491231002X"},
        {"card": "NOTACARD"},
        {"phone": OLD},
    ],
    ids=["another name", "another document", "no card of theirs", "the number on file"],
)
def test_whoever_says_what_is_not_on_file_is_answered_alike_and_nothing_is_kept(
    telephone: Telephone, users: Users, person: dict[str, Any], db: Session, changed: dict[str, str]
) -> None:
    before = count(db, Entry), count(db, OutboxEvent)
    sent = send(telephone, said(db, users, person, **changed))
    assert (sent.status_code, sent.location) == (303, "/register/sent")
    assert count(db, PrivacyRequest) == 0
    assert (count(db, Entry), count(db, OutboxEvent)) == before
    assert count(db, Tried) == 3


def test_the_card_of_another_home_or_a_lost_one_proves_nothing(
    telephone: Telephone, cast: Cast, users: Users, person: dict[str, Any], db: Session
) -> None:
    others = cast.household()
    send(telephone, said(db, others, person))
    card = db.get_one(Card, (310105, users.card_ids[0]))
    form = said(db, users, person)
    db.execute(sa.update(Card).where(Card.id == card.id).values(state=CardState.LOST))
    db.commit()
    send(telephone, form)
    assert count(db, PrivacyRequest) == 0


def test_asked_twice_one_request_waits_and_the_first_number_stands(
    telephone: Telephone, users: Users, person: dict[str, Any], db: Session
) -> None:
    send(telephone, said(db, users, person))
    send(telephone, said(db, users, person, phone="13800005555"))
    assert count(db, PrivacyRequest) == 1
    [warned] = [one for one in telephone.messages() if one["topic"] == "own_data.number_asked"]
    assert "尾号1234" in warned["zh"], "the first number stands"
    assert len([one for one in telephone.messages() if one["topic"] == "own_data.number_asked"]) == 1


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "\x00"}, "name"),
        ({"kind": "library_card"}, "kind"),
        ({"number": "110105194912310021"}, "number"),
        ({"number": ""}, "number"),
        ({"card": ""}, "card"),
        ({"phone": "none"}, "phone"),
        ({"phone": "1" * 60}, "phone"),
    ],
)
def test_what_cannot_be_read_is_asked_again_at_its_own_page(
    telephone: Telephone,
    users: Users,
    person: dict[str, Any],
    db: Session,
    changed: dict[str, str],
    field: str,
) -> None:
    answer = send(telephone, said(db, users, person, **changed))
    assert answer.status_code == 422
    assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', answer.text)
    assert count(db, PrivacyRequest) == count(db, Tried) == 0


def test_tries_are_counted_by_document_and_by_address(
    telephone: Telephone, users: Users, person: dict[str, Any], db: Session
) -> None:
    wrong = said(db, users, person, card="NOTACARD")
    assert [send(telephone, wrong).status_code for _ in range(6)] == [303] * 5 + [429]
    assert send(telephone, said(db, users, person)).status_code == 429, "the right card helps no more today"
    assert count(db, PrivacyRequest) == 0

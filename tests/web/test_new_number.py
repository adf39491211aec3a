"""网上登记: whose telephone changed says so from home; who hears of it, what is kept of a wrong try."""

import contextlib
import json
import re
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from core import clock, outbox
from core.ground import Ground
from core.idempotency import Idempotency
from core.limits import Tried
from core.outbox import OutboxEvent
from core.sealed import SealedKey, SubjectType
from evidence.models import Entry
from registry import new_numbers, retention
from registry.models import Account, Card
from registry.number_models import NumberApplication
from registry.privacy import request_views
from registry.privacy_models import NoticeShown, PrivacyRequest
from registry.states import AccountState, CardState
from tests.cast import Cast, Users, made
from tests.conftest import THE_DAY
from tests.cylinders.test_out_of_use import count
from tests.desk import Desk
from tests.registry.test_registry_races import at_once
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
    """And the house has looked it up."""
    answer = telephone.post("/register", **form, step="check")
    telephone.messages()
    return answer


def states(db: Session) -> list[tuple[str, int]]:
    """What became of each request, and the district it is of, the oldest first."""
    db.rollback()
    rows = db.scalars(sa.select(PrivacyRequest).order_by(PrivacyRequest.id))
    return [(row.state.value, row.district) for row in rows]


def nothing_is_left_of_what_was_said(db: Session) -> bool:
    keys = sa.select(SealedKey).where(SealedKey.subject_type == SubjectType.APPLICATION)
    return count(db, NumberApplication) == 0 and db.scalars(keys).first() is None


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
    [told] = [one for one in telephone.messages() if one["topic"] == "own_data.number_changed"]
    assert (told["to"], "尾号1234" in told["zh"], NEW in told["zh"]) == (OLD, True, False)
    for late, kept in ((timedelta(days=2), True), (timedelta(days=2, seconds=1), False)):
        with clock.standing_at(THE_DAY + late):
            assert retention.retain(cast.desk.ground)["former_numbers"] == (not kept)
        db.refresh(request)
        assert (request.former_sealed is not None) is kept
    assert nothing_is_left_of_what_was_said(db)
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
    before = count(db, Entry), count(db, Idempotency)
    sent = send(telephone, said(db, users, person, **changed))
    assert (sent.status_code, sent.location) == (303, "/register/sent")
    assert count(db, PrivacyRequest) == 0
    assert (count(db, Entry), count(db, Idempotency)) == before
    assert nothing_is_left_of_what_was_said(db)
    assert count(db, Tried) == 3


def test_the_answer_does_the_same_work_whether_or_not_what_was_said_is_on_file(
    telephone: Telephone, users: Users, person: dict[str, Any], db: Session, ground: Ground
) -> None:
    """The same statements in the same order, and neither sees the register."""

    def asked(**changed: str) -> list[str]:
        statements: list[str] = []
        heard = lambda *given: statements.append(given[2])  # noqa: E731 (SQLAlchemy hands it six)
        engine = ground.sessions.kw["bind"]
        form = said(db, users, person, **changed)
        telephone.client.get("/sign-in/phone")
        sa.event.listen(engine, "before_cursor_execute", heard)
        try:
            assert telephone.post("/register", **form, step="check").status_code == 303
        finally:
            sa.event.remove(engine, "before_cursor_execute", heard)
        return statements

    asked()  # what is done once is done
    agrees, differs = asked(), asked(number="11010519491231002X")
    assert agrees == differs
    assert any("number_application" in one for one in agrees)
    assert not any(table in one for one in agrees for table in ("person_document", "account", "card "))


def test_who_closed_or_lost_the_card_while_it_waited_is_answered_as_everybody_and_asks_for_nothing(
    telephone: Telephone, users: Users, person: dict[str, Any], db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the locks."""
    look = new_numbers._account_of
    for change in (
        sa.update(Card).values(state=CardState.LOST),
        sa.update(Account).values(state=AccountState.CLOSED),
    ):
        form = said(db, users, person)
        looks: list[int] = []

        def meanwhile(*given: Any, change: Any = change, looks: list[int] = looks) -> Account | None:
            found = look(*given)
            if not looks:
                assert found is not None
                db.execute(change)
                db.commit()
            looks.append(1)
            return found

        monkeypatch.setattr(new_numbers, "_account_of", meanwhile)
        before = count(db, Entry)
        assert send(telephone, form).location == "/register/sent"
        assert (len(looks), count(db, PrivacyRequest), count(db, Entry)) == (2, 0, before)
        db.execute(sa.update(Card).values(state=CardState.ACTIVE))
        db.commit()


def test_of_two_homes_of_one_person_at_once_one_request_waits(
    telephone: Telephone,
    cast: Cast,
    users: Users,
    person: dict[str, Any],
    db: Session,
    ground: Ground,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each waits for the other between looking what waits and asking; who holds the person comes alone."""
    other = cast.restaurant()
    db.execute(
        sa.update(Account).where(Account.id == other.account_id).values(person_id=cast.registrant_of(users))
    )
    db.commit()
    for home, phone in ((users, NEW), (other, "13800005555")):
        telephone.post("/register", **said(db, home, person, phone=phone), step="check")
    with ground.sessions() as looking:
        rows = looking.scalars(sa.select(OutboxEvent).where(OutboxEvent.topic == new_numbers.APPLIED)).all()
    events = [outbox.Event(row.district, row.id, row.topic, row.payload) for row in rows]
    meet, waiting = threading.Barrier(2), new_numbers._waiting

    def when_both_have_come(*given: Any) -> list[PrivacyRequest]:
        found = waiting(*given)
        with contextlib.suppress(threading.BrokenBarrierError):
            meet.wait(0.3)
        return found

    monkeypatch.setattr(new_numbers, "_waiting", when_both_have_come)
    at_once(*[lambda event=event: new_numbers.look_up(ground, event) for event in events])
    assert sorted(state for state, _ in states(db)) == ["asked", "withdrawn"]
    assert nothing_is_left_of_what_was_said(db)


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


def test_a_mistyped_number_is_replaced_by_the_next_and_both_stay_on_file(
    telephone: Telephone, cast: Cast, users: Users, person: dict[str, Any], db: Session
) -> None:
    for phone in (NEW, NEW, "13800005555"):
        send(telephone, said(db, users, person, phone=phone))
    assert states(db) == [("withdrawn", 310105), ("asked", 310105)], "the same again is the same request"
    warned = [one["zh"] for one in telephone.messages() if one["topic"] == "own_data.number_asked"]
    assert [("1234" in one, "5555" in one) for one in warned] == [(True, False), (False, True)]
    asked = sa.select(Entry.written).where(Entry.verb == "own_data.ask").order_by(Entry.id)
    entry = json.loads(db.scalars(asked).all()[-1])
    assert len(entry["payload"]["replaced"]) == 1
    [first, second] = db.scalars(sa.select(PrivacyRequest).order_by(PrivacyRequest.id))
    assert second.said_sealed != first.said_sealed
    views = request_views(db, cast.desk.ground, [first, second])
    assert [(one["said"], one["replaces"]) for one in views] == [(NEW, False), ("13800005555", True)]
    at = cast.at(f"privacy-requests/{first.id}/decisions")
    assert cast.clerk.post(at, {"granted": True, "reason": "document_seen"}).status_code == 409


def test_another_district_s_clerk_is_told_what_gave_way_and_what_the_person_withdrew_did_not(
    telephone: Telephone, cast: Cast, users: Users, person: dict[str, Any], db: Session
) -> None:
    resident = cast.resident(cast.registrant_of(users))
    send(telephone, said(db, users, person))
    first = db.scalars(sa.select(PrivacyRequest)).one()
    made(resident.post(cast.at(f"own-data/requests/{first.id}/withdrawals")))
    send(telephone, said(db, users, person, phone="13800005555"))
    shown = ("said", "nobody_seen", "replaces")
    [waiting] = cast.clerk.get(cast.at("privacy-requests")).get_json()["items"]
    assert [waiting[name] for name in shown] == ["13800005555", True, False], "the person withdrew it"
    qingpu = Cast(cast.desk, 310118)
    other = qingpu.restaurant()
    moved = sa.update(Account).where(Account.id == other.account_id)
    db.execute(moved.values(person_id=cast.registrant_of(users)))
    db.commit()
    form = said(db, users, person, phone="13800006666")
    card = db.get_one(Card, (310118, other.card_ids[0]))
    send(telephone, form | {"card": card.credential})
    assert states(db) == [("withdrawn", 310105), ("withdrawn", 310105), ("asked", 310118)]
    [waiting] = qingpu.clerk.get(qingpu.at("privacy-requests")).get_json()["items"]
    assert [waiting[name] for name in shown] == ["13800006666", True, True]


def test_what_somebody_seen_asked_for_is_not_replaced_from_home(
    telephone: Telephone, cast: Cast, users: Users, person: dict[str, Any], db: Session
) -> None:
    asks = {"kind": "correction", "field": "phone", "said": "13800006666"}
    made(cast.resident(cast.registrant_of(users)).post(cast.at("own-data/requests"), asks))
    send(telephone, said(db, users, person))
    assert states(db) == [("asked", 310105), ("asked", 310105)]


def test_an_application_that_could_not_be_looked_up_goes_after_two_days(
    telephone: Telephone, users: Users, person: dict[str, Any], db: Session, ground: Ground
) -> None:
    telephone.post("/register", **said(db, users, person), step="check")
    row = db.scalars(sa.select(NumberApplication)).one()
    assert person["name"].encode() not in row.said_sealed
    [payload] = db.scalars(sa.select(OutboxEvent.payload).where(OutboxEvent.topic == new_numbers.APPLIED))
    assert payload == {"application_id": str(row.id)}
    with clock.standing_at(THE_DAY + timedelta(days=2, seconds=1)):
        assert retention.retain(ground)["applications"] == 1
    db.rollback()
    assert nothing_is_left_of_what_was_said(db)


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
    assert count(db, PrivacyRequest) == count(db, NumberApplication) == count(db, Tried) == 0


def test_tries_are_counted_by_document_and_by_address(
    telephone: Telephone, users: Users, person: dict[str, Any], db: Session
) -> None:
    wrong = said(db, users, person, card="NOTACARD")
    assert [send(telephone, wrong).status_code for _ in range(6)] == [303] * 5 + [429]
    assert send(telephone, said(db, users, person)).status_code == 429, "the right card helps no more today"
    assert count(db, PrivacyRequest) == 0


@pytest.mark.parametrize("setting", ["per_address_hour", "per_address_day"])
def test_how_many_behind_one_address_is_a_setting_for_codes_and_registrations_alike(
    app: Flask, ground: Ground, setting: str
) -> None:
    changed: dict[str, Any] = {setting: 1}
    narrow = Ground(replace(ground.config, **changed), ground.sessions, ground.keyring)
    app.extensions["ground"] = narrow
    telephone = Telephone(app, narrow)
    assert [telephone.ask(f"1380000000{n}").status_code for n in range(2)] == [302, 429]
    form = {"name": "样例", "kind": "passport", "card": "NOTACARD", "phone": NEW}
    sent = [telephone.post("/register", **form, number=f"E1234567{n}", step="check") for n in range(2)]
    assert [one.status_code for one in sent] == [303, 429]

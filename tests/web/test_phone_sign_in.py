"""Residents sign in by telephone: what is told to whom, how often it may be tried, what is left behind."""

import json
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from core import clock, outbox
from core.auth import Grant
from core.db import Base
from core.ground import Ground
from core.limits import Tried
from core.outbox import OutboxEvent
from core.sealed import Purpose
from core.sessions import WebSession
from evidence.models import Entry
from registry import people, phone_codes
from registry.models import Person, PersonPhone, PhoneChallenge
from tests.cast import Cast, Users, made
from tests.conftest import THE_DAY
from tests.desk import Desk
from web import worker

PHONE, UNKNOWN = "13800007788", "13800009999"


@pytest.fixture
def cast(desk: Desk) -> Cast:
    return Cast(desk)


@dataclass
class Telephone:
    """A browser of somebody with a telephone, and the box their messages go to."""

    app: Flask
    ground: Ground
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    def post(self, path: str, **form: Any) -> TestResponse:
        page = self.client.get("/sign-in/phone").text
        token = re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]
        return self.client.post(path, data={"csrf_token": token, **form})

    def ask(self, phone: str = PHONE, **more: str) -> TestResponse:
        return self.post("/sign-in/phone", phone=phone, **more)

    def type(self, code: str, **more: str) -> TestResponse:
        return self.post("/sign-in/phone/code", code=code, **more)

    def messages(self) -> list[dict[str, str]]:
        for district in outbox.districts_due(self.ground):
            outbox.deliver_due(self.ground, district)
        box = self.ground.config.state_dir / "messages.jsonl"
        return [json.loads(line) for line in box.read_text().splitlines()] if box.exists() else []

    def code(self) -> str:
        """The last that was sent; what else was due may be handed out before or after it."""
        codes = [message["zh"] for message in self.messages() if message["topic"] == phone_codes.TOPIC]
        return re.findall(r"\d{6}", codes[-1])[0]


@pytest.fixture
def telephone(app: Flask, ground: Ground) -> Telephone:
    return Telephone(app, ground)


def resident(cast: Cast, phone: str = PHONE, **more: Any) -> Users:
    return cast.household(person=cast.registrant(phone=phone, **more))


def sessions_of(ground: Ground) -> int:
    with ground.sessions() as db:
        return db.scalar(sa.select(sa.func.count()).select_from(WebSession)) or 0


def other(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_a_resident_signs_in_with_the_number_on_file_and_the_code_sent_there(
    cast: Cast, telephone: Telephone, ground: Ground
) -> None:
    users = resident(cast)
    asked = telephone.ask("+86 138-0000 7788", next="/resident/book")
    assert (asked.status_code, asked.location) == (302, "/sign-in/phone/code?next=/resident/book")
    page = telephone.client.get(asked.location).text
    assert "138****7788" in page
    assert 'autocomplete="one-time-code"' in page
    [message] = telephone.messages()
    assert (message["to"], message["topic"]) == (PHONE, "sign_in.code_issued")
    code = telephone.code()
    spaced = f" {code[:3]} {code[3:]} "
    answer = telephone.type(spaced, next="/resident/book")
    assert (answer.status_code, answer.location) == (302, "/resident/book")
    with ground.sessions() as db:
        [grant] = db.scalars(sa.select(Grant).where(Grant.role == "resident"))
        person = db.get_one(Person, cast.registrant_of(users))
        assert (grant.principal_id, grant.scope_code) == (person.principal_id, str(person.person_id))
        [entry] = db.scalars(sa.select(Entry).where(Entry.verb == "grant.give", Entry.recorded_at >= THE_DAY))
        assert PHONE.encode() not in entry.written


def test_an_unknown_number_gets_the_same_page_and_no_message(
    cast: Cast, telephone: Telephone, app: Flask
) -> None:
    resident(cast)
    known = telephone.ask(PHONE)
    page = telephone.client.get(known.location)
    stranger = Telephone(app, telephone.ground)
    unknown = stranger.ask(UNKNOWN)
    its_page = stranger.client.get(unknown.location)
    assert (known.status_code, known.location) == (unknown.status_code, unknown.location)
    plain = [re.sub(r'value="[^"]+"|138\*+\d{4}', "", text.text) for text in (page, its_page)]
    assert plain[0] == plain[1]
    assert [message["to"] for message in telephone.messages()] == [PHONE]
    tries = [stranger.type("123456") for _ in range(6)]
    known_tries = [telephone.type(other(telephone.code())) for _ in range(6)]
    assert [one.status_code for one in tries] == [one.status_code for one in known_tries] == [422] * 6
    said = ["不能再用" in one.text for one in tries]
    assert said == ["不能再用" in one.text for one in known_tries] == [False] * 4 + [True] * 2
    assert sessions_of(telephone.ground) == 0


def test_even_the_right_code_of_an_unknown_number_opens_nothing(telephone: Telephone, ground: Ground) -> None:
    telephone.ask(UNKNOWN)
    with ground.sessions() as db:
        [row] = db.scalars(sa.select(PhoneChallenge))
        right = phone_codes._codes_of(ground, row)[0]
    assert telephone.type(right).status_code == 422
    assert sessions_of(ground) == 0


def test_a_person_without_an_account_is_sent_nothing(cast: Cast, telephone: Telephone) -> None:
    cast.person(phone=PHONE)
    telephone.ask()
    assert telephone.messages() == []


def test_five_wrong_tries_end_a_code_and_the_right_one_comes_too_late(
    cast: Cast, telephone: Telephone
) -> None:
    resident(cast)
    telephone.ask()
    code = telephone.code()
    for _ in range(5):
        telephone.type(other(code))
    late = telephone.type(code)
    assert late.status_code == 422
    assert "不能再用" in late.text
    assert sessions_of(telephone.ground) == 0


def test_a_code_lives_ten_minutes(cast: Cast, telephone: Telephone) -> None:
    resident(cast)
    telephone.ask()
    code = telephone.code()
    with clock.standing_at(THE_DAY + timedelta(minutes=10)):
        assert telephone.type(code).status_code == 422
    with clock.standing_at(THE_DAY + timedelta(minutes=9, seconds=59)):
        assert telephone.type(code).status_code == 302


def test_a_code_is_good_once_also_in_another_browser(cast: Cast, telephone: Telephone, app: Flask) -> None:
    resident(cast)
    telephone.ask()
    code = telephone.code()
    cookie = telephone.client.get_cookie("lpg")
    assert cookie is not None
    assert telephone.type(code).status_code == 302
    thief = Telephone(app, telephone.ground)
    thief.client.set_cookie("lpg", cookie.value)
    assert thief.type(code).status_code == 422
    assert sessions_of(telephone.ground) == 1


def test_a_code_of_one_challenge_does_not_open_another(cast: Cast, telephone: Telephone, app: Flask) -> None:
    resident(cast)
    telephone.ask()
    code = telephone.code()
    thief = Telephone(app, telephone.ground)
    thief.ask()
    assert thief.type(code).status_code == 422


def test_a_family_that_shares_a_telephone_chooses_by_masked_name(
    cast: Cast, telephone: Telephone, ground: Ground
) -> None:
    one, two = resident(cast, name="样例甲某"), resident(cast, name="乙样例")
    telephone.ask()
    assert len(telephone.messages()) == 1
    asked = telephone.type(telephone.code())
    assert asked.location == "/sign-in/phone/who"
    page = telephone.client.get(asked.location).text
    assert "样**" in page
    assert "乙**" in page
    assert "样例甲某" not in page
    third = resident(cast, UNKNOWN)
    assert telephone.post("/sign-in/phone/who", person_id=str(cast.registrant_of(third))).status_code == 302
    assert sessions_of(ground) == 0, "somebody of another number is not to be had"
    chosen = telephone.post("/sign-in/phone/who", person_id=str(cast.registrant_of(two)))
    assert chosen.status_code == 302
    with ground.sessions() as db:
        [session] = db.scalars(sa.select(WebSession))
        assert session.principal_id == db.get_one(Person, cast.registrant_of(two)).principal_id
    assert one.household_id != two.household_id


def test_a_family_page_without_the_code_shows_nobody(cast: Cast, telephone: Telephone) -> None:
    users = resident(cast)
    resident(cast)
    telephone.ask()
    assert telephone.client.get("/sign-in/phone/who").status_code == 302
    assert telephone.post("/sign-in/phone/who", person_id=str(cast.registrant_of(users))).status_code == 302
    assert sessions_of(telephone.ground) == 0


def test_asking_is_limited_by_number_from_wherever(cast: Cast, app: Flask, ground: Ground) -> None:
    resident(cast)
    statuses = [Telephone(app, ground).ask().status_code for _ in range(6)]
    assert statuses == [302] * 5 + [429]
    with clock.standing_at(THE_DAY + timedelta(hours=2)):
        assert [Telephone(app, ground).ask().status_code for _ in range(5)] == [302] * 5
    with clock.standing_at(THE_DAY + timedelta(hours=4)):
        assert Telephone(app, ground).ask().status_code == 429, "ten a day"


def test_asking_is_limited_by_address_whatever_the_number(app: Flask, ground: Ground) -> None:
    one = Telephone(app, ground)
    statuses = [one.ask(f"1390000{number:04d}").status_code for number in range(31)]
    assert statuses == [302] * 30 + [429]


@pytest.mark.parametrize("phone", ["", "   ", "12", "call me", "1380000" + "0" * 40, "１３８\u0000"])
def test_what_is_no_number_is_said_at_the_field(telephone: Telephone, ground: Ground, phone: str) -> None:
    answer = telephone.ask(phone)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    with ground.sessions() as db:
        assert db.scalars(sa.select(PhoneChallenge)).all() == []


@pytest.mark.parametrize("code", ["", "abc", "123", "１２３４５６", "0" * 40])
def test_what_is_no_code_is_a_wrong_try(cast: Cast, telephone: Telephone, code: str) -> None:
    resident(cast)
    telephone.ask()
    assert telephone.type(code).status_code == 422


def test_without_a_challenge_the_code_page_asks_for_the_number(telephone: Telephone) -> None:
    assert telephone.client.get("/sign-in/phone/code").location == "/sign-in/phone"
    assert telephone.type("123456").location == "/sign-in/phone"


def test_a_grant_that_was_ended_is_not_made_again_by_signing_in(
    cast: Cast, telephone: Telephone, ground: Ground
) -> None:
    resident(cast)
    telephone.ask()
    telephone.type(telephone.code())
    with ground.sessions() as db:
        [grant] = db.scalars(sa.select(Grant).where(Grant.role == "resident"))
    assert cast.admin.post(f"/api/v1/grants/{grant.id}/end").status_code == 200
    with clock.standing_at(THE_DAY + timedelta(minutes=1)):
        telephone.ask()
        telephone.type(telephone.code())
        with ground.sessions() as db:
            assert len(db.scalars(sa.select(Grant).where(Grant.role == "resident")).all()) == 1
        assert "没有任何授权" in telephone.client.get("/act-as").text


def test_neither_number_nor_code_stands_anywhere_in_clear(
    cast: Cast, telephone: Telephone, ground: Ground
) -> None:
    resident(cast)
    telephone.ask()
    code = telephone.code()
    with ground.sessions() as db:
        [event] = db.scalars(sa.select(OutboxEvent).where(OutboxEvent.topic == "sign_in.code_issued"))
        assert event.payload.keys() == {"challenge_id"}
        for table in Base.metadata.tables:
            text = "\n".join(db.scalars(sa.text(f'SELECT t::text FROM "{table}" t')).all())
            assert PHONE not in text, table
            assert not re.search(rf"\b{code}\b", text), table


def test_a_late_message_carries_no_dead_code(cast: Cast, telephone: Telephone) -> None:
    resident(cast)
    telephone.ask()
    with clock.standing_at(THE_DAY + timedelta(minutes=11)):
        assert telephone.messages() == []


def test_people_from_before_the_index_are_found_after_the_command(
    cast: Cast, telephone: Telephone, ground: Ground, doing: Any, owner_engine: sa.Engine
) -> None:
    users = resident(cast)
    with owner_engine.begin() as owner:
        owner.execute(sa.text("DELETE FROM person_phone"))
    telephone.ask()
    assert telephone.messages() == []
    assert people.index_phones(doing) == {"written": 1}
    telephone.ask()
    assert telephone.messages()
    with ground.sessions() as db:
        [row] = db.scalars(sa.select(PersonPhone))
        assert row.person_id == cast.registrant_of(users)
    assert people.index_phones(doing) == {"written": 0}


def test_the_number_is_found_also_while_the_index_key_is_changed(
    cast: Cast, app: Flask, ground: Ground
) -> None:
    resident(cast)
    object.__setattr__(ground, "keyring", ground.keyring.with_new_key(Purpose.INDEX))
    one = Telephone(app, ground)
    one.ask()
    assert one.type(one.code()).status_code == 302


def test_what_was_tried_days_ago_is_forgotten(telephone: Telephone, ground: Ground) -> None:
    telephone.ask(UNKNOWN)
    worker.forget(ground)
    with ground.sessions() as db:
        assert db.scalars(sa.select(PhoneChallenge)).all() != []
        assert db.scalars(sa.select(Tried)).all() != []
    with clock.standing_at(THE_DAY + timedelta(days=3)):
        worker.forget(ground)
    with ground.sessions() as db:
        assert db.scalars(sa.select(PhoneChallenge)).all() == []
        assert db.scalars(sa.select(Tried)).all() == []


def test_the_ids_of_a_form_are_not_believed(telephone: Telephone) -> None:
    telephone.ask(UNKNOWN)
    for named in ("", "x", str(UUID(int=7))):
        answer = telephone.post("/sign-in/phone/who", person_id=named)
        assert answer.status_code == 302
    assert sessions_of(telephone.ground) == 0


# --- a number that changes hands --------------------------------------------------------------------------


def new_number(cast: Cast, users: Users, phone: str = UNKNOWN) -> None:
    body = {"household_id": str(users.household_id), "kind": "correction", "field": "phone", "said": phone}
    asked = made(cast.clerk.post(cast.at("own-data/requests"), body))
    decision = {"granted": True, "reason": "document_seen"}
    made(cast.clerk.post(cast.at(f"privacy-requests/{asked['request_id']}/decisions"), decision))


def test_who_holds_the_old_telephone_is_signed_in_no_more(cast: Cast, telephone: Telephone) -> None:
    users = resident(cast)
    telephone.ask()
    telephone.type(telephone.code())
    assert telephone.client.get("/resident/").status_code == 200
    with clock.standing_at(THE_DAY + timedelta(minutes=1)):
        new_number(cast, users)
        assert telephone.client.get("/resident/").location == "/sign-in/phone?next=/resident/"


def test_a_code_asked_for_before_the_number_changed_opens_nothing(cast: Cast, telephone: Telephone) -> None:
    users = resident(cast)
    telephone.ask()
    code = telephone.code()
    with clock.standing_at(THE_DAY + timedelta(minutes=1)):
        new_number(cast, users)
        telephone.type(code)
        assert telephone.client.get("/resident/").status_code == 302
    assert sessions_of(telephone.ground) == 0

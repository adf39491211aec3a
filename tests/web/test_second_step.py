"""The second step of signing in, taking a second factor, and one's own sessions."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import app as application
from core import clock, second_factor
from core.auth import Role, ScopeKind
from core.ground import Ground
from core.second_factor import RecoveryCode, SecondFactor
from core.sessions import SignedInBy, WebSession
from tests.cast import CHANGNING, made
from tests.conftest import THE_DAY
from tests.desk import Desk, Person
from tests.registry.proofs import count, entries, faults
from web import worker

PASSWORD = "correct horse battery"


@dataclass
class Browser:
    """Somebody at the pages, with a name and a password."""

    app: Flask
    login: str
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    def post(self, path: str, *, page: str = "/sign-in", **form: str) -> TestResponse:
        token = re.findall(r'name="csrf_token" value="([^"]+)"', self.client.get(page).text)[0]
        return self.client.post(path, data={"csrf_token": token, "form_key": f"key-{clock.now()}", **form})

    def sign_in(self, **more: str) -> TestResponse:
        return self.post("/sign-in", login=self.login, password=PASSWORD, **more)

    def is_in(self) -> bool:
        return self.client.get("/sessions").status_code == 200


def with_password(desk: Desk, role: Role, login: str, **scope: Any) -> Person:
    person = desk.sign_in(role, **scope)
    body = {"principal_id": str(person.principal_id), "login": login, "password": PASSWORD}
    made(desk.sign_in(Role.ADMINISTRATOR).post("/api/v1/passwords", body))
    return person


@pytest.fixture
def regulator(desk: Desk) -> Person:
    return with_password(desk, Role.REGULATOR, "regulator", kind=ScopeKind.DISTRICT, code=str(CHANGNING))


@pytest.fixture
def browser(app: Flask, regulator: Person) -> Browser:
    return Browser(app, "regulator")


def enrolled(person: Person) -> tuple[str, list[str]]:
    """Through the API: the secret and the recovery codes."""
    secret = made(person.post("/api/v1/second-factors"))["secret"]
    answer = made(person.post("/api/v1/second-factors/codes", {"code": code(secret)}))
    return secret, answer["recovery_codes"]


def code(secret: str) -> str:
    return second_factor.code_at(secret, clock.now())


def later(seconds: int) -> Any:
    return clock.standing_at(clock.now() + timedelta(seconds=seconds))


def test_a_regulator_without_a_second_factor_takes_one_before_being_let_in(
    browser: Browser, ground: Ground
) -> None:
    answer = browser.sign_in(next="/oversight/")
    assert (answer.status_code, answer.location) == (302, "/sign-in/enrol?next=/oversight/")
    assert not browser.is_in()
    assert browser.client.get("/sign-in/code").location == "/sign-in/enrol"
    assert "<svg" not in browser.client.get("/sign-in/enrol").text
    browser.post("/sign-in/enrol", page="/sign-in/enrol")
    page = browser.client.get("/sign-in/enrol").text
    assert "<svg" in page
    secret = re.findall(r'<p class="code">([A-Z2-7\u202f]{32,})</p>', page)[0].replace("\u202f", "")
    wrong = browser.post("/sign-in/enrol", page="/sign-in/enrol", code="000000")
    assert (wrong.status_code, "动态码不对" in wrong.text) == (422, True)
    assert count(ground, WebSession) == 0
    right = browser.post("/sign-in/enrol", page="/sign-in/enrol", code=code(secret), next="/oversight/")
    assert len(re.findall(r"[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}", right.text)) == 10
    assert 'href="/oversight/"' in right.text
    assert browser.client.get("/oversight/").status_code == 200
    assert len(entries(ground, "second_factor.enrol")) == 1
    assert secret not in str(entries(ground, "second_factor.begin"))


def test_a_code_is_good_once_and_a_recovery_code_too(app: Flask, regulator: Person, browser: Browser) -> None:
    secret, spare = enrolled(regulator)
    assert browser.sign_in().location == "/sign-in/code"
    taken = browser.post("/sign-in/code", page="/sign-in/code", code=code(secret))
    assert taken.status_code == 422  # the one that put it in force
    with later(30):
        now = code(secret)
        assert (
            browser.post("/sign-in/code", page="/sign-in/code", code=f"{now[:3]} {now[3:]}").status_code
            == 302
        )
        assert browser.is_in()
        again = Browser(app, "regulator")
        again.sign_in()
        assert again.post("/sign-in/code", page="/sign-in/code", code=now).status_code == 422
        typed = spare[0].lower().replace("-", " ")
        assert again.post("/sign-in/code", page="/sign-in/code", code=typed).status_code == 302
        assert again.is_in()
        third = Browser(app, "regulator")
        third.sign_in()
        assert third.post("/sign-in/code", page="/sign-in/code", code=spare[0]).status_code == 422
        assert not third.is_in()
        assert "还有 9 个备用码" in again.client.get("/sessions").text


@pytest.mark.parametrize(("seconds", "is_taken"), [(-30, True), (-61, False), (29, True), (61, False)])
def test_clocks_may_differ_by_a_step_and_no_more(
    app: Flask, regulator: Person, browser: Browser, seconds: int, is_taken: bool
) -> None:
    secret, _ = enrolled(regulator)
    with later(600):
        browser.sign_in()
        shown = second_factor.code_at(secret, clock.now() + timedelta(seconds=seconds))
        answer = browser.post("/sign-in/code", page="/sign-in/code", code=shown)
        assert (answer.status_code == 302) is is_taken


def test_codes_are_tried_ten_times_whichever_process_answers(
    app: Flask, ground: Ground, regulator: Person, browser: Browser
) -> None:
    secret, _ = enrolled(regulator)
    browser.sign_in()
    for _ in range(9):  # one was typed when it was taken
        assert browser.post("/sign-in/code", page="/sign-in/code", code="000000").status_code == 422
    another = Browser(application.create_app(ground), "regulator")
    another.sign_in()
    with later(30):
        answer = another.post("/sign-in/code", page="/sign-in/code", code=code(secret))
    assert (answer.status_code, "Retry-After" in answer.headers) == (429, True)
    assert not another.is_in()


def test_between_the_steps_nobody_is_signed_in_and_ten_minutes_later_it_begins_anew(
    regulator: Person, browser: Browser
) -> None:
    secret, _ = enrolled(regulator)
    browser.sign_in()
    assert "/sign-in" in browser.client.get("/oversight/").location
    with later(601):
        assert browser.client.get("/sign-in/code").location.startswith("/sign-in?")
        page = browser.client.get("/sign-in").text
        token = re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]
        late = browser.client.post("/sign-in/code", data={"csrf_token": token, "code": code(secret)})
        assert late.location.startswith("/sign-in?")
        assert not browser.is_in()


def test_who_was_let_in_by_password_alone_is_asked_before_acting_in_a_role_that_needs_more(
    app: Flask, desk: Desk
) -> None:
    clerk = with_password(desk, Role.AGENCY, "agency.one")
    browser = Browser(app, "agency.one")
    assert browser.sign_in().location == "/act-as"
    given = {
        "role": "regulator",
        "scope_kind": "district",
        "scope_code": str(CHANGNING),
        "home_district": CHANGNING,
        "label": "also a regulator",
        "principal_id": str(clerk.principal_id),
    }
    made(desk.sign_in(Role.ADMINISTRATOR).post("/api/v1/grants", given))
    assert browser.client.get("/oversight/").location.startswith("/sign-in/code")
    assert browser.client.get("/sign-in/code").location == "/sign-in/enrol"


def test_an_administrator_resets_a_lost_telephone_and_ends_sessions(
    app: Flask, desk: Desk, ground: Ground, regulator: Person, browser: Browser
) -> None:
    secret, _ = enrolled(regulator)
    browser.sign_in()
    with later(30):
        browser.post("/sign-in/code", page="/sign-in/code", code=code(secret))
        named = {"principal_id": str(regulator.principal_id)}
        elsewhere = desk.sign_in(Role.ADMINISTRATOR, 310118, kind=ScopeKind.DISTRICT, code="310118")
        for path in ("/api/v1/second-factors/resets", "/api/v1/session-endings"):
            assert faults(elsewhere.post(path, named)) == [("/principal_id", "unknown")]
            assert regulator.post(path, named).status_code == 403
        assert browser.is_in()
        administrator = desk.sign_in(Role.ADMINISTRATOR)
        assert made(administrator.post("/api/v1/session-endings", named))["ended"] == 1
        assert not browser.is_in()
        assert made(administrator.post("/api/v1/second-factors/resets", named))["had_one"] is True
        assert (count(ground, SecondFactor), count(ground, RecoveryCode)) == (0, 0)
        assert browser.sign_in().location == "/sign-in/enrol"


def test_a_secret_and_recovery_codes_are_shown_once_and_kept_nowhere(
    regulator: Person, ground: Ground
) -> None:
    first = regulator.post("/api/v1/second-factors", key="begin-key-1")
    secret = made(first)["secret"]
    assert "otpauth://totp/" in first.json["uri"]  # type: ignore[index]
    assert regulator.post("/api/v1/second-factors/codes", {"code": "000000"}).status_code == 422
    shown = regulator.post("/api/v1/second-factors/codes", {"code": code(secret)}, key="code-key-1")
    assert len(made(shown)["recovery_codes"]) == 10
    again = regulator.post("/api/v1/second-factors/codes", {"code": code(secret)}, key="code-key-1")
    assert made(again)["recovery_codes"] == []
    assert made(regulator.post("/api/v1/second-factors", key="begin-key-1"))["secret"] is None
    standing = regulator.post("/api/v1/second-factors")
    assert [reason["code"] for reason in standing.json["reasons"]] == ["second_factor.stands"]  # type: ignore[index]
    with ground.sessions() as db:
        kept = str(db.execute(sa.text("SELECT * FROM idempotency")).all())
        sealed = db.scalars(sa.select(SecondFactor.secret_sealed)).one()
        hashes = db.scalars(sa.select(RecoveryCode.code_hash)).all()
    assert secret not in kept
    assert secret.encode() not in sealed
    for one in shown.json["recovery_codes"]:  # type: ignore[index]
        assert one not in kept
        assert one.encode() not in hashes


def test_one_sees_ones_sessions_and_ends_the_others(app: Flask, desk: Desk, ground: Ground) -> None:
    with_password(desk, Role.AGENCY, "agency.two")
    here, there, stranger = (Browser(app, name) for name in ("agency.two", "agency.two", "agency.three"))
    with_password(desk, Role.AGENCY, "agency.three")
    for one in (here, there, stranger):
        one.sign_in()
    page = here.client.get("/sessions").text
    assert page.count("密码登录") == 2
    [other] = re.findall(r'name="session_id" value="([0-9a-f]{16})"', page)
    [foreign] = [one for one in ids(ground) if one not in page]
    here.post("/sessions/end", page="/sessions", session_id=foreign)
    here.post("/sessions/end", page="/sessions", session_id="nothing")
    assert there.is_in()
    assert stranger.is_in()
    here.post("/sessions/end", page="/sessions", session_id=other)
    assert not there.is_in()
    there.sign_in()
    here.post("/sessions/end", page="/sessions")
    assert (here.is_in(), there.is_in(), stranger.is_in()) == (True, False, True)


def ids(ground: Ground) -> list[str]:
    from core.sessions import id_of

    with ground.sessions() as db:
        rows = db.scalars(sa.select(WebSession)).all()
        by = {row.principal_id: [] for row in rows}  # type: dict[UUID, list[str]]
        for row in rows:
            assert row.signed_in_by is SignedInBy.PASSWORD
            by[row.principal_id].append(id_of(row.secret_hash))
    return [one for named in by.values() if len(named) == 1 for one in named]


def test_sessions_of_half_a_year_ago_are_forgotten(app: Flask, desk: Desk, ground: Ground) -> None:
    with_password(desk, Role.AGENCY, "agency.four")
    Browser(app, "agency.four").sign_in()
    with clock.standing_at(THE_DAY + timedelta(days=183)):
        worker.forget(ground)
    assert count(ground, WebSession) == 1
    with clock.standing_at(THE_DAY + timedelta(days=185)):
        worker.forget(ground)
    assert count(ground, WebSession) == 0

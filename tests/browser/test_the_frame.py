"""The front page, signing in and out, large type, errors as pages: what all faces share."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from playwright.sync_api import expect

from core import clock, db, passwords
from core.auth import Role
from core.ground import Ground
from core.ids import new_id
from tests.browser.conftest import Browse, House
from tests.desk import Person

PASSWORD = "correct horse battery"


def with_password(house: House, role: Role, login: str, **scope: UUID | str) -> Person:
    """Somebody who was given a name and a password through the API."""
    person = house.desk.sign_in(role, **scope)
    admin = house.desk.sign_in(Role.ADMINISTRATOR)
    body = {"principal_id": str(person.principal_id), "login": login, "password": PASSWORD}
    assert admin.post("/api/v1/passwords", body).status_code == 201
    return person


def test_the_front_page_has_a_door_to_every_face(house: House, browse: Browse) -> None:
    page = browse.page()
    page.goto(house.at("/"))
    doors = page.locator(".doors a")
    faces = ["resident", "station", "office", "courier", "dispatch", "oversight"]
    assert [doors.nth(i).get_attribute("href") for i in range(doors.count())] == [f"/{one}/" for one in faces]
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "start")


def test_staff_sign_in_with_the_keyboard_and_out_again(house: House, browse: Browse) -> None:
    with_password(house, Role.AGENCY, "admin.one")
    page = browse.page()
    page.goto(house.at("/sign-in"))
    page.locator("#login").focus()
    page.keyboard.type("Admin.One")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/act-as")
    browse.is_accessible(page)
    page.get_by_role("button", name="退出").click()
    page.wait_for_url(house.at("/"))
    page.goto(house.at("/act-as"))
    assert "/sign-in" in page.url


def test_a_wrong_password_is_said_on_the_form_and_the_focus_is_there(house: House, browse: Browse) -> None:
    with_password(house, Role.AGENCY, "admin.two")
    page = browse.page()
    page.goto(house.at("/sign-in"))
    page.fill("#login", "admin.two")
    page.fill("#password", "not the password")
    page.get_by_role("button", name="登录").click()
    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("用户名或密码不对")
    expect(summary).to_be_focused()
    expect(page.locator("#login")).to_have_value("admin.two")
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "sign-in-wrong")


def test_large_type_is_drawn_by_the_server_and_kept(house: House, browse: Browse) -> None:
    page = browse.page(java_script_enabled=False)
    page.goto(house.at("/"))
    page.get_by_role("button", name="大字").click()
    expect(page.locator("html")).to_have_class("large")
    page.goto(house.at("/sign-in"))
    expect(page.locator("html")).to_have_class("large")
    browse.shot(page, "sign-in-large")


def test_a_page_that_is_not_there_says_so_as_a_page(house: House, browse: Browse) -> None:
    page = browse.page()
    answer = page.goto(house.at("/nowhere"))
    assert answer is not None
    assert answer.status == 404
    expect(page.locator("h1")).to_contain_text("找不到")
    browse.is_accessible(page)


def test_without_its_database_a_page_says_that_nothing_was_done(house: House) -> None:
    client = house.app.test_client()
    client.set_cookie("lpg", house.signed_in(Role.ADMINISTRATOR)["value"])
    away = db.sessions(db.engine("postgresql+psycopg://nobody@/nowhere?host=/nonexistent"))
    house.app.extensions["ground"] = Ground(house.ground.config, away, house.ground.keyring)
    answer = client.get("/act-as")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "您的操作没有办成" in answer.text


@pytest.mark.parametrize(
    "wanted", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example"]
)
def test_signing_in_leads_to_no_other_house(house: House, browse: Browse, wanted: str) -> None:
    with_password(house, Role.AGENCY, "admin.three")
    page = browse.page()
    page.goto(house.at("/sign-in?next=") + wanted)
    page.fill("#login", "admin.three")
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/act-as")


def test_tries_at_a_name_are_counted_over_everything_and_end_by_themselves(house: House) -> None:
    with_password(house, Role.AGENCY, "admin.four")
    app = house.app

    def attempt(password: str) -> int:
        client = app.test_client()
        token = client.get("/sign-in").text.split('name="csrf_token" value="')[1].split('"')[0]
        form = {"login": "admin.four", "password": password, "csrf_token": token}
        return client.post("/sign-in", data=form).status_code

    at = datetime(2024, 6, 12, 1, 0, tzinfo=UTC)
    with clock.standing_at(at):
        assert [attempt("wrong") for _ in range(10)] == [422] * 10
        assert attempt(PASSWORD) == 429
    with clock.standing_at(at + timedelta(minutes=15)):
        assert attempt(PASSWORD) == 302


def test_a_form_without_its_token_changes_nothing(house: House) -> None:
    with_password(house, Role.AGENCY, "admin.five")
    client = house.app.test_client()
    answer = client.post("/sign-in", data={"login": "admin.five", "password": PASSWORD})
    assert answer.status_code == 400
    assert "secret" not in str(client.get_cookie("lpg"))


def test_a_session_ends_when_idle_and_when_the_password_is_set_anew(house: House) -> None:
    person = with_password(house, Role.AGENCY, "admin.six")
    cookie = house.cookie_of(person.principal_id)

    def status() -> int:
        client = house.app.test_client()
        client.set_cookie("lpg", cookie["value"])
        return client.get("/act-as").status_code

    at = datetime(2024, 6, 12, 1, 0, tzinfo=UTC)
    with clock.standing_at(at + timedelta(hours=1, minutes=59)):
        assert status() == 200
    with clock.standing_at(at + timedelta(hours=4)):
        assert status() == 302
    cookie = house.cookie_of(person.principal_id)
    assert status() == 200
    admin = house.desk.sign_in(Role.ADMINISTRATOR)
    body = {"principal_id": str(person.principal_id), "login": "admin.six", "password": PASSWORD + "!"}
    assert admin.post("/api/v1/passwords", body).status_code == 201
    assert status() == 302


def test_a_new_password_replaces_the_old_one_and_ends_the_session(house: House, browse: Browse) -> None:
    person = with_password(house, Role.AGENCY, "admin.eight")
    page = browse.page(house.cookie_of(person.principal_id))
    page.goto(house.at("/password"))
    page.fill("#old", "not the present one")
    page.fill("#new", "short")
    page.get_by_role("button", name="改密码").click()
    expect(page.get_by_role("alert")).to_contain_text("至少12个字符")
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "password-wrong")
    page.fill("#old", PASSWORD)
    page.fill("#new", "  another horse battery ")
    page.get_by_role("button", name="改密码").click()
    page.wait_for_url("**/sign-in")
    page.goto(house.at("/act-as"))
    assert "/sign-in" in page.url
    with house.ground.sessions() as opened:
        assert passwords.whose(opened, "admin.eight", PASSWORD) is None
        assert passwords.whose(opened, "admin.eight", "another horse battery") == person.principal_id


def test_a_name_is_nobody_elses_and_a_stranger_gets_no_password(house: House) -> None:
    with_password(house, Role.AGENCY, "admin.seven")
    admin = house.desk.sign_in(Role.ADMINISTRATOR)
    other = house.desk.sign_in(Role.ADMINISTRATOR)
    taken = {"principal_id": str(other.principal_id), "login": "ADMIN.SEVEN", "password": PASSWORD}
    answer = admin.post("/api/v1/passwords", taken)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == "/login"
    unknown = {"principal_id": str(new_id()), "login": "nobody.known", "password": PASSWORD}
    assert admin.post("/api/v1/passwords", unknown).status_code == 422

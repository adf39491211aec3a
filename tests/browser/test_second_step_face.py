"""Taking a second factor in a real browser, and one's own sessions; with the keyboard."""

from playwright.sync_api import expect

from core import clock, second_factor
from core.auth import Role, ScopeKind
from core.second_factor import SecondFactor
from tests.browser.conftest import Browse, House
from tests.browser.test_the_frame import PASSWORD, with_password


def test_a_regulator_takes_a_second_factor_and_is_let_in(house: House, browse: Browse) -> None:
    person = with_password(house, Role.REGULATOR, "reg.one", kind=ScopeKind.DISTRICT, code="310105")
    page = browse.page()
    page.goto(house.at("/sign-in?next=/oversight/"))
    page.fill("#login", "reg.one")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in/enrol**")
    browse.is_accessible(page)
    browse.shot(page, "second-begin")
    page.get_by_role("button", name="开始").click()
    expect(page.locator("svg.qr")).to_be_visible()
    page.locator("details summary").click()
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "second-enrol")
    secret = page.locator("details .code").inner_text().replace("\u202f", "")
    page.fill("#code", "000000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    browse.is_accessible(page)
    page.fill("#code", second_factor.code_at(secret, clock.now()))
    page.keyboard.press("Enter")
    expect(page.locator(".recovery li")).to_have_count(10)
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "second-recovery")
    page.get_by_role("link", name="抄好了").click()
    page.wait_for_url("**/oversight/")
    page.goto(house.at("/sessions"))
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "sessions")
    with house.ground.sessions() as db:
        assert db.get_one(SecondFactor, person.principal_id).confirmed_at is not None
    page.get_by_role("button", name="退出").click()
    page.wait_for_url(house.at("/"))
    page.goto(house.at("/sign-in"))
    page.fill("#login", "reg.one")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in/code")
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "second-code")

"""The filling station's terminal in a real browser: the gun, the three colours, and bad weather."""

import contextlib
import json
import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Error, Page, Route, expect

from cylinders.ask_log import ASKS
from cylinders.models import CustodyFact, FactKind, Filling
from registry.models import HolderKind
from tests.browser.conftest import Browse, House
from tests.cast import Cast
from tests.conftest import THE_DAY
from tests.cylinders.cast import AFTER, BEFORE, Bottles


@pytest.fixture
def cast(house: House) -> Cast:
    return Cast(house.desk)


@pytest.fixture
def bottles(cast: Cast) -> Bottles:
    return Bottles(cast)


@pytest.fixture
def terminal(house: House, browse: Browse, cast: Cast, bottles: Bottles) -> Page:
    page = browse.page(house.cookie_of(cast.filler.principal_id))
    page.route("**/station.js*", patient)
    page.goto(house.at("/station/"))
    return page


def patient(route: Route) -> None:
    """The terminal waits for an answer, and knows a scan again, for longer than a busy machine takes."""
    answer = route.fetch()
    script = answer.text()
    for span in ("ASK_MS = 2000;", "TWICE_MS = 3000;"):
        assert span in script
        script = script.replace(span, span.replace("000;", "0000;"))
    route.fulfill(response=answer, body=script)


def shoot(page: Page, code: str) -> None:
    """A keyboard gun: letters without a pause, then Enter."""
    page.keyboard.type(code, delay=0)
    page.keyboard.press("Enter")


def is_now(page: Page, state: str) -> None:
    expect(page.locator("#verdict")).to_have_class(re.compile(rf"\b{state}\b"))


def begin(page: Page) -> None:
    page.get_by_role("button", name="开始充装").click()
    is_now(page, "checking")


def look(page: Page) -> None:
    page.get_by_role("button", name="检查全部合格").click()
    page.fill("#tare_weighed_g", "16.5")
    page.fill("#residue_g", "0")
    page.get_by_role("button", name="查完，开始充气").click()
    is_now(page, "weighing")


def weigh(page: Page, gross_kg: str) -> None:
    page.fill("#gross_g", gross_kg)
    page.fill("#seal_no", "F-1")
    page.get_by_role("button", name="检查全部合格").click()
    page.get_by_role("button", name="记录充装").click()


def test_from_scan_to_filling_with_the_keyboard_alone(
    terminal: Page, house: House, browse: Browse, bottles: Bottles
) -> None:
    bottle = bottles.empty()
    page = terminal
    is_now(page, "idle")
    browse.shot(page, "station-desk-idle")
    shoot(page, bottle.code.lower())
    is_now(page, "allowed")
    expect(page.locator("#verdict h1")).to_contain_text("可以充装")
    browse.is_accessible(page)
    browse.shot(page, "station-desk-green")
    expect(page.locator("#code")).to_be_focused()
    page.keyboard.press("Enter")  # an empty line goes on: filler and scale are chosen, so to the button
    expect(page.get_by_role("button", name="开始充装")).to_be_focused()
    page.keyboard.press("Enter")
    is_now(page, "checking")
    expect(page.locator("#verdict h1")).to_contain_text("不要充气")
    browse.is_accessible(page)
    browse.shot(page, "station-checking")
    for _ in BEFORE:  # one item after the other: Space says it passes, Tab goes on
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
    expect(page.locator("#tare_weighed_g")).to_be_focused()
    for text in ("16.5", "0"):
        page.keyboard.type(text)
        page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="查完，开始充气")).to_be_focused()
    page.keyboard.press("Enter")
    is_now(page, "weighing")
    expect(page.locator("#verdict .which").last).to_contain_text("31.4 kg")
    browse.is_accessible(page)
    browse.shot(page, "station-weighing")
    expect(page.locator("#gross_g")).to_be_focused()
    page.keyboard.type("31.3")
    page.keyboard.press("Enter")
    page.keyboard.type("F-000777")
    page.keyboard.press("Enter")
    for _ in AFTER:
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="记录充装")).to_be_focused()
    page.keyboard.press("Enter")
    is_now(page, "filled")
    expect(page.locator("#code")).to_be_focused()
    browse.is_accessible(page)
    browse.shot(page, "station-desk-filled")
    with house.ground.sessions() as db:
        filling = db.scalars(sa.select(Filling)).one()
        assert (filling.cylinder_id, filling.net_g, filling.seal_no) == (bottle.id, 14_800, "F-000777")
    # the same bottle again is full now
    shoot(page, bottle.code)
    is_now(page, "refused")


def test_red_says_every_reason_large_and_green_never_stays(
    terminal: Page, browse: Browse, bottles: Bottles
) -> None:
    page = terminal
    shoot(page, bottles.empty().code)
    is_now(page, "allowed")
    shoot(page, bottles.spoilt(refurbished=True, scrap_ordered=True, illegal_make=True).code)
    is_now(page, "refused")
    expect(page.locator("#verdict .reasons > li")).to_have_count(3)
    for part in (".why", ".cure"):
        size = page.locator(f"#verdict {part}").first.evaluate(
            "one => parseFloat(getComputedStyle(one).fontSize)"
        )
        assert size >= 24, part
    expect(page.locator("form.weigh")).to_have_count(0)
    browse.is_accessible(page)
    browse.shot(page, "station-desk-red")
    browse.reflows(page)
    for name, drawn in (("大字", "large"), ("更大字", "larger")):
        page.get_by_role("button", name=name).click()
        expect(page.locator("html")).to_have_class(drawn)
    browse.shot(page, "station-desk-larger")


def test_the_last_twenty_say_how_long_each_took(terminal: Page, browse: Browse, bottles: Bottles) -> None:
    page = terminal
    code = bottles.empty().code
    shoot(page, "NO-SUCH-1")
    is_now(page, "refused")
    shoot(page, code)
    is_now(page, "allowed")
    rows = page.locator("#rows tr")
    expect(rows).to_have_count(2)
    expect(rows.first.locator("[data-took]")).to_contain_text("ms")
    expect(rows.first).to_contain_text("可充")
    expect(rows.nth(1)).to_contain_text("禁止")
    ASKS.flush()  # it is written each second
    page.reload()
    expect(rows).to_have_count(2)
    expect(rows.first.locator("[data-took]")).to_contain_text("ms")


def test_the_same_scan_twice_at_once_is_asked_once(terminal: Page, bottles: Bottles) -> None:
    page = terminal
    code = bottles.empty().code
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    shoot(page, code)
    is_now(page, "allowed")
    shoot(page, code)
    expect(page.locator("#scan-note")).to_contain_text("刚扫过")
    is_now(page, "allowed")
    assert len(asked) == 1


def test_any_key_goes_to_the_scan_line_and_a_scan_into_a_weight_is_a_scan(
    terminal: Page, bottles: Bottles
) -> None:
    page = terminal
    first, second = bottles.empty(), bottles.spoilt(refurbished=True)
    page.locator("main").focus()
    shoot(page, first.code)
    is_now(page, "allowed")
    begin(page)
    for field in ("#tare_weighed_g", '[name="before-tag"][value="pass"]'):
        page.locator(field).focus()
        shoot(page, second.code)  # it goes to the scan line, and there the bottle that has begun comes first
        expect(page.locator("#scan-note")).to_contain_text("还没记完")
    expect(page.locator("#tare_weighed_g")).to_have_value("")
    is_now(page, "checking")


def test_a_filling_that_has_begun_is_not_lost_to_the_next_scan(terminal: Page, bottles: Bottles) -> None:
    page = terminal
    shoot(page, bottles.empty().code)
    is_now(page, "allowed")
    begin(page)
    page.fill("#tare_weighed_g", "16.5")
    page.locator("#code").focus()
    shoot(page, bottles.empty().code)
    expect(page.locator("#scan-note")).to_contain_text("还没记完")
    expect(page.locator("#tare_weighed_g")).to_have_value("16.5")
    page.get_by_role("button", name="放弃这瓶").click()
    is_now(page, "idle")


def test_too_heavy_is_red_until_bled_and_a_reload_goes_on_where_it_was(
    terminal: Page, house: House, browse: Browse, bottles: Bottles
) -> None:
    page, bottle = terminal, bottles.empty()
    shoot(page, bottle.code)
    is_now(page, "allowed")
    begin(page)
    look(page)
    weigh(page, "35")
    is_now(page, "refused")
    expect(page.locator("#verdict h1")).to_contain_text("过量")
    browse.is_accessible(page)
    browse.shot(page, "station-overfilled")
    page.reload()
    shoot(page, bottle.code)
    expect(page.locator("#verdict h1")).to_contain_text("过量")
    weigh(page, "31.3")
    is_now(page, "filled")
    with house.ground.sessions() as db:
        assert db.scalars(sa.select(Filling)).one().gross_g == 31_300


def test_what_is_found_is_red_and_recorded_and_a_stopped_station_is_red_throughout(
    terminal: Page, house: House, browse: Browse, bottles: Bottles, cast: Cast
) -> None:
    page = terminal
    shoot(page, bottles.empty().code)
    is_now(page, "allowed")
    begin(page)
    page.get_by_role("button", name="检查全部合格").click()
    page.check('[name="before-corrosion"][value="fail"]')
    page.fill("#tare_weighed_g", "16.5")
    page.fill("#residue_g", "0")
    page.get_by_role("button", name="查完，开始充气").click()
    is_now(page, "refused")
    expect(page.locator("#verdict h1")).to_contain_text("不合格，已记录")
    browse.is_accessible(page)
    browse.shot(page, "station-found-wrong")
    stop = {"reason": "unsafe", "reference": "TC-2024-7"}
    cast.regulator.post(f"/api/v1/sites/{cast.filling_station()}/filling-stops", stop)
    page.reload()
    expect(page.locator(".stopped")).to_contain_text("责令本站停止充装")
    shoot(page, bottles.empty().code)
    is_now(page, "refused")
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "station-stopped")
    page.goto(house.at("/station/means"))
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "station-means")


def test_a_server_that_is_gone_is_grey_and_green_is_gone_with_it(
    terminal: Page, house: House, browse: Browse, bottles: Bottles
) -> None:
    page = terminal
    codes = [bottles.empty().code, bottles.empty().code]
    shoot(page, codes[0])
    is_now(page, "allowed")
    browse.forgives("net::ERR_")
    house.stop()
    shoot(page, codes[1])
    is_now(page, "grey")
    expect(page.locator("#verdict h1")).to_contain_text("不要充装")
    expect(page.locator("form.weigh")).to_have_count(0)
    browse.is_accessible(page)
    browse.shot(page, "station-desk-grey")
    browse.reflows(page)


def test_a_filling_that_got_no_answer_keeps_its_form_and_is_recorded_once(
    terminal: Page, house: House, browse: Browse, bottles: Bottles
) -> None:
    """The answer is lost after the server has committed; the operator sends the form again."""
    page = terminal
    browse.forgives("net::ERR_")
    shoot(page, bottles.empty().code)
    is_now(page, "allowed")
    lost: list[str] = []

    def lose_once(route: Route) -> None:
        answer = route.fetch()
        if lost:
            route.fulfill(response=answer)
        else:
            lost.append(answer.text())
            route.abort("connectionreset")

    page.route("**/station/weighings", lose_once)
    begin(page)
    look(page)
    weigh(page, "31")
    is_now(page, "grey")
    expect(page.locator("#verdict")).to_contain_text("不会记两次")
    expect(page.locator("#gross_g")).to_have_value("31")
    page.get_by_role("button", name="记录充装").click()
    is_now(page, "filled")
    assert json.loads(lost[0])["state"] == "filled"
    with house.ground.sessions() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(Filling)) == 1


GREEN: dict[str, Any] = {
    "state": "allowed",
    "reasons": 0,
    "verdict": "<h1>可以充装</h1>",
    "work": "",
    "row": "",
}


@pytest.mark.parametrize(
    "answer",
    [
        {"body": "可以充装", "content_type": "text/html"},
        {"body": "{not json", "content_type": "application/json"},
        {"body": "null", "content_type": "application/json"},
        {"body": json.dumps(GREEN), "content_type": "application/json"},
        {"body": json.dumps(GREEN | {"echo": "another-question"}), "content_type": "application/json"},
        {"body": json.dumps(GREEN), "content_type": "application/json", "status": 500},
    ],
    ids=["a page", "not json", "null", "no echo", "another's echo", "500"],
)
def test_an_answer_that_is_not_ours_is_grey(
    terminal: Page, browse: Browse, bottles: Bottles, answer: dict[str, Any]
) -> None:
    browse.forgives(" 500 ")
    terminal.route("**/station/verdicts", lambda route: route.fulfill(**answer))
    shoot(terminal, bottles.empty().code)
    is_now(terminal, "grey")
    expect(terminal.locator("#verdict h1")).to_contain_text("不要充装")


@pytest.mark.parametrize(
    "changed", [{"reasons": 1}, {"state": "perhaps"}, {"reasons": "0"}, {"verdict": None}]
)
def test_green_that_contradicts_itself_is_grey(
    terminal: Page, bottles: Bottles, changed: dict[str, Any]
) -> None:
    def answer(route: Route) -> None:
        key = re.findall(r"form_key=([0-9a-f]+)", route.request.post_data or "")[0]
        body = GREEN | {"echo": key} | changed
        route.fulfill(body=json.dumps(body), content_type="application/json")

    terminal.route("**/station/verdicts", answer)
    shoot(terminal, bottles.empty().code)
    is_now(terminal, "grey")


def test_an_answer_that_comes_too_late_is_never_shown(
    house: House, browse: Browse, cast: Cast, bottles: Bottles
) -> None:
    page = browse.page(house.cookie_of(cast.filler.principal_id))
    browse.forgives("net::ERR_")
    page.clock.install(time=THE_DAY)
    page.goto(house.at("/station/"))
    page.clock.pause_at(THE_DAY + timedelta(hours=1))
    page.route("**/station/verdicts", lambda route: None)  # held for ever
    shoot(page, bottles.empty().code)
    is_now(page, "waiting")
    page.clock.run_for(400)
    expect(page.locator("#verdict h1")).to_contain_text("不要充装")
    page.clock.run_for(1_500)
    is_now(page, "waiting")
    page.clock.run_for(100)
    is_now(page, "grey")
    expect(page.locator("#verdict h1")).to_contain_text("超时")


def test_the_answer_to_an_earlier_scan_does_not_cover_a_later_ones(terminal: Page, bottles: Bottles) -> None:
    """The first scan's green is held back until the second scan is red."""
    page = terminal
    first, second = bottles.empty(), bottles.spoilt(refurbished=True)
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/station/verdicts", hold_the_first)
    shoot(page, first.code)
    shoot(page, second.code)
    is_now(page, "refused")
    with contextlib.suppress(Error):  # given up meanwhile, on a slow machine
        held[0].continue_()
    page.wait_for_timeout(300)
    is_now(page, "refused")


def test_a_session_that_ended_is_grey_and_leads_to_sign_in(
    terminal: Page, house: House, cast: Cast, bottles: Bottles
) -> None:
    page = terminal
    code = bottles.empty().code
    page.context.clear_cookies()
    shoot(page, code)
    is_now(page, "grey")
    expect(page.locator("#verdict h1")).to_contain_text("登录已结束")
    expect(page.get_by_role("link", name="去登录")).to_be_visible()


def test_a_chinese_input_method_in_the_way_is_told(terminal: Page, browse: Browse, bottles: Bottles) -> None:
    page = terminal
    keys = page.context.new_cdp_session(page)
    keys.send("Input.imeSetComposition", {"text": "yi'lt", "selectionStart": 5, "selectionEnd": 5})
    keys.send("Input.insertText", {"text": "一老头"})
    is_now(page, "grey")
    expect(page.locator("#verdict h1")).to_contain_text("输入法")
    browse.shot(page, "station-desk-ime")
    expect(page.locator("#code")).to_have_value("")
    shoot(page, bottles.empty().code)
    is_now(page, "allowed")


def test_empties_come_in_one_by_one_and_a_foreign_one_does_not(
    house: House, browse: Browse, cast: Cast, bottles: Bottles
) -> None:
    users = cast.household()
    bottle, foreign = bottles.on_card(users), bottles.spoilt(owner_firm_id=str(cast.another_firm()))
    page = browse.page(house.cookie_of(cast.filler.principal_id), viewport={"width": 1024, "height": 768})
    page.goto(house.at("/station/receive"))
    shoot(page, bottle.code)
    is_now(page, "received")
    expect(page.locator("#verdict h1")).to_contain_text("空瓶")
    browse.is_accessible(page)
    browse.shot(page, "station-receive-done")
    shoot(page, foreign.code)
    is_now(page, "refused")
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "station-receive-refused")
    with house.ground.sessions() as db:
        fact = db.scalars(sa.select(CustodyFact).where(CustodyFact.kind == FactKind.RETURN)).one()
        assert (fact.cylinder_id, fact.to_kind) == (bottle.id, HolderKind.SITE)


def test_a_batch_by_f2_is_scanned_weighed_and_recorded(
    terminal: Page, house: House, browse: Browse, bottles: Bottles
) -> None:
    page = terminal
    good, bad = [bottles.empty() for _ in range(2)], bottles.spoilt(refurbished=True, scrap_ordered=True)
    page.keyboard.press("F2")
    page.wait_for_url("**/station/batch")
    for one in (good[0], bad, good[1]):
        shoot(page, one.code)
    page.get_by_role("button", name="查这一批").click()
    expect(page.locator("#verdict h1")).to_contain_text("2 可充")
    expect(page.locator("#verdict h1")).to_contain_text("1 禁止")
    expect(page.locator(".batch > li").first).to_contain_text("禁止充装")
    browse.is_accessible(page)
    browse.shot(page, "station-batch")
    browse.reflows(page)
    for at in range(2):
        for name, text in (("tare_weighed_g", "16.5"), ("residue_g", "0"), ("gross_g", "31.2")):
            page.fill(f"#{name}-{at}", text)
        page.fill(f"#seal_no-{at}", f"F-{at}")
        page.check(f'[name="before-{at}"]')
        page.check(f'[name="after-{at}"]')
    page.select_option("#scale", "S-1")
    page.get_by_role("button", name="确认充装 2 瓶").click()
    expect(page.locator("#verdict h1")).to_contain_text("2 已充")
    browse.is_accessible(page)
    browse.shot(page, "station-batch-done")
    with house.ground.sessions() as db:
        assert set(db.scalars(sa.select(Filling.cylinder_id))) == {one.id for one in good}


def test_the_stock_and_the_day(terminal: Page, house: House, browse: Browse, bottles: Bottles) -> None:
    page = terminal
    page.goto(house.at("/station/day"))
    browse.shot(page, "station-day-empty")
    bottles.filled()
    bottles.fill(bottles.spoilt(refurbished=True, scrap_ordered=True))
    for path, name in (("stock", "station-stock"), ("day", "station-day")):
        page.goto(house.at(f"/station/{path}"))
        browse.is_accessible(page)
        browse.reflows(page)
        browse.shot(page, name)


def test_without_the_script_a_plain_form_answers_with_a_page(
    house: House, browse: Browse, cast: Cast, bottles: Bottles
) -> None:
    page = browse.page(house.cookie_of(cast.filler.principal_id), java_script_enabled=False)
    page.goto(house.at("/station/"))
    page.fill("#code", bottles.spoilt(refurbished=True).code)
    page.get_by_role("button", name="查 Ask").click()
    is_now(page, "refused")
    page.fill("#code", bottles.empty().code)
    page.get_by_role("button", name="查 Ask").click()
    is_now(page, "allowed")
    begin(page)
    for name, text in (("tare_weighed_g", "16.5"), ("residue_g", "0")):
        page.fill(f"#{name}", text)
    page.get_by_role("button", name="查完，开始充气").click()  # no check was answered: the browser asks
    for choice in page.locator('input[value="pass"]').all():
        choice.check()
    page.get_by_role("button", name="查完，开始充气").click()
    is_now(page, "weighing")
    for choice in page.locator('input[value="pass"]').all():
        choice.check()
    for name, text in (("gross_g", "31"), ("seal_no", "F-1")):
        page.fill(f"#{name}", text)
    page.get_by_role("button", name="记录充装").click()
    is_now(page, "filled")
    with house.ground.sessions() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(Filling)) == 1


@pytest.mark.parametrize("width", [1366, 1024, 320])
def test_the_desk_fits_its_screen_with_the_weights_open(
    house: House, browse: Browse, cast: Cast, bottles: Bottles, width: int
) -> None:
    page = browse.page(house.cookie_of(cast.filler.principal_id), viewport={"width": width, "height": 768})
    page.goto(house.at("/station/"))
    shoot(page, bottles.empty().code)
    is_now(page, "allowed")
    begin(page)
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, f"station-check-{width}")
    primary = page.locator("button.primary:visible")
    filled = primary.evaluate_all(
        "all => all.filter(one => getComputedStyle(one).backgroundColor === 'rgb(11, 93, 87)').length"
    )
    assert filled == 1

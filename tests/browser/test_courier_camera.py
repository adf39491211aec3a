"""A code is read by the camera: a film before chromium's false camera, the vendored reader behind it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, expect

from core.sessions import SignedInBy
from dispatch.deliveries.models import LineLoad
from tests.browser.conftest import CHROMIUM, QUIET, Browse, House
from tests.browser.film import film
from tests.dispatch.rounds.working_day import WorkingDay


@pytest.fixture
def day(house: House) -> WorkingDay:
    return WorkingDay(house.desk)


@pytest.fixture
def before_camera(chromium: Browser, house: House, tmp_path: Path, day: WorkingDay) -> Iterator[Browse]:
    """A browser whose camera sees the label of a full bottle at the supply point."""
    bottle = day.bottle()
    seen = film(tmp_path / "label.y4m", [f"HTTPS://LPG.EXAMPLE/C/{bottle.code}"])
    args = [*QUIET, "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={seen}"]
    browser = chromium.browser_type.launch(executable_path=CHROMIUM, args=args)
    browse = Browse(browser, house.address)
    yield browse
    browser.close()
    assert browse.complaints == []


def test_a_label_held_before_the_camera_is_loaded(
    house: House, before_camera: Browse, day: WorkingDay
) -> None:
    day.order()
    round_id = day.round()
    cookie = house.cookie_of(day.courier.principal_id, SignedInBy.PASSWORD_AND_CODE)
    page = before_camera.page(cookie, viewport={"width": 390, "height": 844})
    page.context.grant_permissions(["camera"])
    page.goto(house.at(f"/courier/rounds/{round_id}/loads"))
    page.get_by_role("button", name="相机扫码").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    before_camera.shot(page, "courier-scanner")
    expect(page.locator(".counter")).to_contain_text("1/1")
    with house.ground.sessions() as db:
        assert len(db.scalars(sa.select(LineLoad)).all()) == 1


def test_without_a_camera_the_code_is_typed(house: House, browse: Browse, day: WorkingDay) -> None:
    day.order()
    round_id = day.round()
    cookie = house.cookie_of(day.courier.principal_id, SignedInBy.PASSWORD_AND_CODE)
    page = browse.page(cookie, viewport={"width": 390, "height": 844})
    page.goto(house.at(f"/courier/rounds/{round_id}/loads"))
    page.get_by_role("button", name="相机扫码").click()
    expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("相机没有打开")
    browse.is_accessible(page)
    page.get_by_role("button", name="手输编码").click()
    expect(page.locator("#code")).to_be_focused()

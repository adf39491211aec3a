"""The page in the courier's hand tells where the vehicle is while a round is driven, also after a gap."""

import sqlalchemy as sa
from playwright.sync_api import expect

from dispatch.rounds.position_models import CourierPosition
from tests.browser.conftest import Browse, House
from tests.dispatch.rounds.working_day import WorkingDay


def test_where_the_vehicle_is_waits_on_the_phone_until_the_server_has_it(
    house: House, browse: Browse
) -> None:
    day = WorkingDay(house.desk)
    day.order()
    round_id = day.planned_round()
    browse.forgives("ERR_FAILED")
    page = browse.page(
        house.cookie_of(day.courier.principal_id),
        viewport={"width": 390, "height": 844},
        permissions=["geolocation"],
        geolocation={"longitude": 121.41, "latitude": 31.215, "accuracy": 12},
    )
    page.route("**/positions", lambda route: route.abort())
    page.goto(house.at(f"/courier/rounds/{round_id}"))
    expect(page.locator("#duty")).to_have_count(0)  # nobody is watched before the round
    day.start(round_id)

    page.goto(house.at(f"/courier/rounds/{round_id}"))
    duty = page.locator("#duty")
    expect(duty).to_contain_text("自动补报")
    browse.is_accessible(page)
    browse.reflows(page)
    browse.shot(page, "courier-duty")
    page.unroute("**/positions")
    page.goto(house.at("/courier/"))
    expect(duty).to_contain_text("位置已报")
    with house.ground.sessions() as db:
        [kept] = db.scalars(sa.select(CourierPosition))
    assert (kept.lon, kept.lat, kept.accuracy_m) == (121.41, 31.215, 12)
    assert str(kept.round_id) == round_id
    assert page.evaluate("Object.values(localStorage)") == ["[]"]

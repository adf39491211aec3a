"""Where the vehicles are, on the board in a real browser; what was found on the road is acknowledged."""

from datetime import timedelta
from uuid import UUID

from playwright.sync_api import expect

from core import clock
from dispatch.rounds import road_watch
from registry.models import Binding
from tests.browser.conftest import Browse, House
from tests.conftest import THE_DAY
from tests.dispatch.rounds.working_day import WorkingDay

COUNTS_TONES = """
window.tonesMade = 0;
const made = AudioContext.prototype.createOscillator;
AudioContext.prototype.createOscillator = function () { window.tonesMade += 1; return made.call(this); };
"""


def test_a_vehicle_on_the_map_moves_and_its_leaving_the_zone_is_an_alarm(
    house: House, browse: Browse
) -> None:
    day = WorkingDay(house.desk)
    day.order()
    day.round()

    def drives(seq: int, minute: int, lat: float) -> None:
        point = {"lon": 121.41, "lat": lat, "datum": "wgs84"}
        at = clock.stamp(THE_DAY + timedelta(minutes=minute))
        items = {"items": [{"seq": seq, "at": at, "point": point, "accuracy_m": 10}]}
        path = day.at(f"devices/{day.bound.device_id}/positions")
        assert day.courier.post(path, items).status_code == 200

    with clock.standing_at(THE_DAY + timedelta(minutes=30)):
        page = browse.page(house.cookie_of(day.dispatcher.principal_id))
        page.add_init_script(COUNTS_TONES)
        page.goto(house.at("/dispatch/"))
        expect(page.locator("#live")).to_contain_text("还没报过位置")
        drives(1, 20, 31.215)
        page.goto(house.at("/dispatch/"))
        expect(page.locator(".map .vehicle")).to_have_text(day.plate)
        expect(page.locator("#live")).to_contain_text("位置更新于 09:20")
        browse.is_accessible(page)
        browse.reflows(page)
        browse.shot(page, "dispatch-vehicles")
        drives(2, 22, 31.225)
        expect(page.locator("#live")).to_contain_text("位置更新于 09:22")
        expect(page.locator(".map .vehicle")).to_have_count(1)

        page.get_by_role("button", name="打开提示音").click()
        expect(page.get_by_role("button", name="关掉提示音")).to_be_visible()
        for seq, minute in ((3, 24), (4, 30)):
            drives(seq, minute, 31.25)
        assert page.evaluate("tonesMade") == 0
        assert road_watch.sweep(house.ground) == 1
        for _ in range(2):
            page.evaluate("htmx.ajax('GET', '/dispatch/live', '#live')")
            expect(page.locator("#live")).to_contain_text("车出了配送范围")
        assert page.evaluate("tonesMade") == 1, "once, however often the board looks again"
        page.goto(house.at("/dispatch/"))
        crew = page.locator("tr", has_text=day.plate).first
        expect(crew).to_contain_text("车出了配送范围")
        browse.is_accessible(page)
        browse.reflows(page)
        page.goto(house.at("/dispatch/alarms"))
        alarm = page.locator(".alarm", has_text="车出了配送范围")
        expect(alarm).to_contain_text(day.plate)
        browse.is_accessible(page)
        alarm.get_by_label("怎么处理的").select_option("crew_called")
        alarm.get_by_role("button").click()
        expect(page.locator(".alarm", has_text="车出了配送范围")).to_contain_text("已联系送气工")

        with house.ground.sessions() as db:
            db.get_one(Binding, (day.cast.district, day.bound.binding_id)).zone_id = UUID(int=5)
            db.commit()
        page.goto(house.at("/dispatch/outside-zone"))
        expect(page.get_by_role("button", name="批准")).to_be_visible()
        browse.is_accessible(page)
        browse.reflows(page)

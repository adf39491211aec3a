"""The pages of what fixed zones cost and of past tracks, without a browser."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.ground import Ground
from dispatch.rounds.zone_price_models import ZonePrice
from oversight.models import Look
from tests.conftest import THE_DAY
from tests.desk import Desk
from tests.dispatch.rounds.two_zones import TwoZones
from tests.dispatch.rounds.working_day import WorkingDay
from tests.due_jobs import run_due_jobs
from tests.web.dispatcher_desk import DispatcherDesk
from web import zone_price_words

SITE = {"day": "2024-06-12"}


def test_who_reviews_a_plan_asks_what_the_zones_cost_and_finds_it_beside_the_plan(
    desk: Desk, ground: Ground, db: Session
) -> None:
    town = TwoZones(desk)
    for zone in (0, 1):
        town.order(zone)
    here = DispatcherDesk(desk, town.day.dispatcher)
    plan = town.day.plan(zone_id=str(town.zones[0]))
    review = f"/dispatch/plans/{plan['id']}"
    assert "还没有算过" in here.look(review)
    form = SITE | {"supply_site_id": str(town.site)}
    asked = here.send(review, "/dispatch/zone-prices", form)
    assert asked.status_code == 303
    waiting = here.look(asked.location)
    assert "排队中" in waiting
    assert "不算了" in waiting
    cancelled = here.send(asked.location, f"{asked.location}/cancel", {})
    assert "已取消，什么都没有变" in here.look(cancelled.location)
    assert here.send(asked.location, f"{asked.location}/cancel", {}).status_code == 409

    run_due_jobs(ground)  # nothing: of one site's jobs the first is taken first
    again = here.send(review, "/dispatch/zone-prices", form)
    run_due_jobs(ground)
    assert here.client.get(f"{again.location}/state").headers["HX-Redirect"] == again.location
    [row] = db.scalars(sa.select(ZonePrice))
    done = here.client.get(again.location)
    assert done.location == f"/dispatch/zone-prices/{row.id}"
    for page in (here.look(done.location), here.look(review)):
        assert "这是它的代价，不是建议" in page
        assert "都没有证明是最好的" in page
        assert "1 单会由别的片区的人车送" in page
    assert DispatcherDesk(desk, town.day.cast.clerk).client.get(done.location).status_code == 403
    refused = here.send(review, "/dispatch/zone-prices", form | {"day": "2024-05-31"})
    run_due_jobs(ground)
    assert "没有可比的" in here.look(refused.location)
    assert here.send(review, "/dispatch/zone-prices", form | {"supply_site_id": "x"}).status_code == 422


@pytest.mark.parametrize(
    ("name", "before", "after", "said"),
    [
        ("distance_m", 12_340, 10_000, ("12.3 km", "10.0 km", "−2.3 km")),
        ("travel_s", 3_660, 7_260, ("1:01", "2:01", "+1:00")),
        ("late_s", 0, 0, ("0:00", "0:00", "+0:00")),
        ("unserved", 3, 1, ("3", "1", "−2")),
    ],
)
def test_each_figure_is_said_in_its_unit(name: str, before: int, after: int, said: tuple[str, ...]) -> None:
    none = dict.fromkeys(("unserved", "distance_m", "travel_s", "late_s", "vehicles", "trips"), 0)
    lines = zone_price_words.sides(none | {name: before}, none | {name: after})
    assert said in [(line.fixed, line.free, line.more) for line in lines]


def test_a_track_is_shown_after_a_reason_and_each_look_is_kept(desk: Desk, db: Session) -> None:
    day = WorkingDay(desk)
    day.order()
    round_id = day.round()
    report(day, (1, 1, 0.0), (2, 3, 0.0), (3, 4, 0.4), minute=30)
    here = DispatcherDesk(desk, day.cast.regulator)
    path = f"/oversight/rounds/{round_id}/track"
    before = here.look(path)
    assert "先说明理由" in before
    assert "121.4" not in before.split("<main")[1], "nothing of where it was before a reason"
    assert here.send(path, path, {"reason": "curiosity"}).status_code == 422
    assert not list(db.scalars(sa.select(Look)))
    shown = here.send(path, path, {"reason": "complaint"})
    assert shown.headers["Cache-Control"] == "no-store"
    for words in (
        "理由：投诉",
        "09:01:00",
        "121.41000, 31.21500",
        "跳点，不采信",
        "晚到 29 分钟",
        "3 个位置",
    ):
        assert words in shown.text
    assert len(list(db.scalars(sa.select(Look)))) == 1
    assert len(day.entries(db, "position.replay")) == 1
    vehicle = here.look(f"/oversight/vehicles/{day.vehicle_id}")
    assert path in vehicle, "it is found from the vehicle"
    for stranger in (day.dispatcher, day.cast.clerk):
        assert DispatcherDesk(desk, stranger).client.get(path).status_code == 403
    nobody = f"/oversight/rounds/{day.vehicle_id}/track"
    assert here.client.get(nobody).status_code == 404


def report(day: WorkingDay, *fixes: tuple[int, int, float], minute: int) -> None:
    """Number, minute it was written down, degrees north of the middle; sent at ``minute``."""
    items: list[dict[str, Any]] = [
        {
            "seq": seq,
            "at": clock.stamp(THE_DAY + timedelta(minutes=at)),
            "point": {"lon": 121.41, "lat": 31.215 + north, "datum": "wgs84"},
            "accuracy_m": 10,
        }
        for seq, at, north in fixes
    ]
    with clock.standing_at(THE_DAY + timedelta(minutes=minute)):
        answer = day.courier.post(day.at(f"devices/{day.bound.device_id}/positions"), {"items": items})
        assert answer.status_code == 200

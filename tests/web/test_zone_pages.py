"""The pages of zones: a file taken in, its checks and comparison, publication; proposals as jobs."""

import io
import json
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from core.auth import Role
from core.ground import Ground
from core.jobs import Job, JobState
from dispatch.rounds import zoning
from registry import zone_drafts
from registry.models import Zone, ZoneSet
from registry.zone_models import ZoneDraft
from routing.districting import propose
from tests.cast import EAST, WEST, made, square
from tests.desk import Desk
from tests.dispatch.rounds.working_day import WorkingDay
from tests.due_jobs import run_due_jobs
from tests.web.dispatcher_desk import DispatcherDesk
from web.zone_pages import MOST_BYTES

HALF = (WEST + EAST) / 2


@pytest.fixture
def day(desk: Desk) -> WorkingDay:
    return WorkingDay(desk)


@pytest.fixture
def here(desk: Desk, day: WorkingDay) -> DispatcherDesk:
    return DispatcherDesk(desk, day.dispatcher)


def feature(outline: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": outline, "properties": {"stroke": "#f00"} | properties}


def halves() -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "name": "drawn elsewhere",
        "features": [feature(square(east=HALF), number=1), feature(square(west=HALF), number=2, name="东半")],
    }


def take_in(here: DispatcherDesk, day: WorkingDay, file: Any, **said: str) -> TestResponse:
    sent = file if isinstance(file, bytes) else json.dumps(file).encode()
    form = {"name": "两半", "datum": "wgs84", "supply_site_id": str(day.cast.supply_point())}
    upload = {"file": (io.BytesIO(sent), "zones.geojson")} if sent else {}
    return here.send("/dispatch/zones/", "/dispatch/zones/drafts", form | said | upload)


def test_a_maps_file_becomes_a_draft_is_looked_at_and_put_in_force(
    here: DispatcherDesk, day: WorkingDay, db: Session
) -> None:
    day.order(day.home(point={"lon": WEST + 0.005, "lat": 31.21, "datum": "wgs84"}))
    taken = take_in(here, day, halves())
    assert taken.status_code == 303, taken.text
    page = taken.headers["Location"]
    seen = here.look(page)
    for word in ("可以发布", "没有重叠", "没有用户失去片区", "按近四周的订单比", "东半"):
        assert word in seen
    assert page in here.look("/dispatch/zones/")
    [draft] = db.scalars(sa.select(ZoneDraft))
    before = db.scalars(sa.select(Zone)).one()
    assert [zone["name"] for zone in draft.zones] == [before.name, "东半"], "number 1 stays what it was"
    assert draft.zones[0]["opens_s"] == before.opens_s
    again = json.loads(here.look(f"{page}.geojson"))
    assert len(again["features"]) == 2

    late = here.send(f"{page}/publish", f"{page}/publish", {"valid_from": "2020-01-01"})
    assert late.status_code == 422
    assert "不能倒签" in late.text
    assert len(list(db.scalars(sa.select(ZoneSet)))) == 1
    done = here.send(f"{page}/publish", f"{page}/publish", {"valid_from": "2024-07-01"})
    assert done.status_code == 303, done.text
    assert "已发布" in here.look(page)
    assert "从 2024年7月1日 起生效" in here.look("/dispatch/zones/")
    twice = here.send("/dispatch/zones/", f"{page}/publish", {"valid_from": "2024-07-02"})
    assert twice.status_code == 409


def test_what_is_wrong_with_a_draft_is_named_and_it_is_not_published(
    here: DispatcherDesk, day: WorkingDay, db: Session
) -> None:
    day.home(point={"lon": EAST - 0.001, "lat": 31.21, "datum": "wgs84"})
    narrow = halves()
    narrow["features"][0]["geometry"] = square(east=HALF + 0.002)
    narrow["features"][1]["geometry"] = square(west=HALF, east=EAST - 0.005)
    page = take_in(here, day, narrow).headers["Location"]
    seen = here.look(page)
    for word in ("现在不能发布", "重叠", "现行有、草案没有的地", "会失去片区的用户 1 户"):
        assert word in seen
    refused = here.send(f"{page}/publish", f"{page}/publish", {"valid_from": "2024-07-01"})
    assert refused.status_code == 409
    assert len(list(db.scalars(sa.select(ZoneSet)))) == 1


CROSSED = {
    "type": "Polygon",
    "coordinates": [[[WEST, 31.2], [EAST, 31.24], [EAST, 31.2], [WEST, 31.24], [WEST, 31.2]]],
}


ENORMOUS = {
    "type": "Polygon",
    "coordinates": [[[10**40, 31.2], [EAST, 31.2], [EAST, 31.24], [10**40, 31.2]]],
}


@pytest.mark.parametrize(
    ("file", "said", "named"),
    [
        (b"", {}, "请选一个 GeoJSON 文件"),
        (b"PK\x03\x04", {}, "不是 JSON 文件"),
        (b"[" * 100_000, {}, "不是 JSON 文件"),
        ({"type": "Feature"}, {}, "应为 GeoJSON 的 FeatureCollection"),
        ({"type": "FeatureCollection"}, {}, "/collection/features"),
        ({"type": "FeatureCollection", "features": [7]}, {}, "文件里第 1 个片区"),
        (halves() | {"crs": {"properties": {"name": "EPSG:3857"}}}, {}, "坐标参照系"),
        (halves(), {"datum": ""}, "/datum"),
        (halves(), {"datum": "mars"}, "/datum"),
        (halves(), {"name": " "}, "/name"),
        (halves() | {"features": [feature(CROSSED)]}, {}, "多边形无效"),
        (halves() | {"features": [feature(ENORMOUS)]}, {}, "坐标缺失或超出范围"),
        (halves() | {"features": [feature(square(), number="西")]}, {}, "properties/number"),
        (halves() | {"features": [feature(square()), feature(square(), number=1)]}, {}, "编号重复"),
        (
            halves() | {"features": [feature(square(), number=9)]},
            {"supply_site_id": ""},
            "properties/firm_id",
        ),
    ],
)
def test_a_file_that_cannot_be_taken_in_says_why(
    here: DispatcherDesk, day: WorkingDay, db: Session, file: Any, said: dict[str, str], named: str
) -> None:
    answer = take_in(here, day, file, **said)
    assert answer.status_code == 422
    assert named in answer.text
    assert not list(db.scalars(sa.select(ZoneDraft)))


def test_a_file_of_very_many_features_is_refused_without_asking_for_each(
    here: DispatcherDesk, day: WorkingDay, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, sites = [], zone_drafts.sites_to_start_from
    monkeypatch.setattr(zone_drafts, "sites_to_start_from", lambda doing: asked.append(1) or sites(doing))
    answer = take_in(here, day, {"type": "FeatureCollection", "features": [{}] * 300})
    assert answer.status_code == 422
    assert "/collection/features" in answer.text
    assert len(asked) == 3, "for the page before, for the file, for the page after"


def test_drafts_of_others_are_not_listed(
    here: DispatcherDesk, day: WorkingDay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zone_drafts, "MOST_LISTED", 1)
    mine = take_in(here, day, halves()).headers["Location"]
    rival_firm = str(day.cast.another_firm())
    site = str(day.cast.site(["depot"], [], firm_id=rival_firm))
    zone = day.cast.zone_body(firm_id=rival_firm, supply_site_id=site)
    drawn = {"type": "Feature", "geometry": zone.pop("outline"), "properties": zone}
    collection = {"type": "FeatureCollection", "features": [drawn]}
    rival = day.desk.sign_in(Role.DISPATCHER, firm=rival_firm)
    made(rival.post(day.at("zone-drafts"), {"name": "别家的", "datum": "wgs84", "collection": collection}))
    page = here.look("/dispatch/zones/")
    assert mine in page
    assert "别家的" not in page


def test_where_another_firm_has_zones_too_a_firm_is_told_that_it_cannot_publish(
    here: DispatcherDesk, day: WorkingDay
) -> None:
    rival_firm = str(day.cast.another_firm())
    site = str(day.cast.site(["depot"], [], firm_id=rival_firm))
    theirs = day.cast.zone_body(number=5, firm_id=rival_firm, supply_site_id=site, outline=square(west=HALF))
    both = [day.cast.zone_body(outline=square(east=HALF)), theirs]
    district = day.cast.granted("dispatcher", "district", "310105")
    made(district.post(day.at("zone-sets"), day.cast.zone_set_body(valid_from="2024-06-12", zones=both)))
    page = take_in(here, day, halves() | {"features": [feature(square(), number=1)]}).headers["Location"]
    seen = here.look(page)
    assert "现在不能发布" in seen
    assert "要由全区的调度员发布" in seen
    answer = here.send(f"{page}/publish", f"{page}/publish", {"valid_from": "2024-07-01"})
    assert answer.status_code == 409


def test_a_file_that_is_too_large_says_so(here: DispatcherDesk, day: WorkingDay) -> None:
    answer = take_in(here, day, b" " * (MOST_BYTES + 1))
    assert answer.status_code in (413, 422)
    assert "文件太大" in answer.text


def ask(here: DispatcherDesk, **said: str) -> TestResponse:
    form = {"proposal_name": "拟分", "zones": "2", "unit": "cells", "weigh_by": "homes"}
    return here.send("/dispatch/zones/", "/dispatch/zones/proposals", form | said)


def test_a_proposal_is_a_job_that_ends_in_a_draft_is_refused_or_cancelled(
    here: DispatcherDesk, day: WorkingDay, ground: Ground, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        zoning, "districts_apart", lambda units, zones, seed, *more: propose(units, zones, seed)
    )
    for lon in (WEST + 0.004, WEST + 0.006, EAST - 0.006, EAST - 0.004):
        day.home(point={"lon": lon, "lat": 31.21, "datum": "wgs84"})
    page = ask(here).headers["Location"]
    assert "排队中" in here.look(page)
    run_due_jobs(ground)
    assert here.client.get(f"{page}/state").headers["HX-Redirect"] == page
    done = here.client.get(page)
    assert done.status_code == 303
    assert "拟分" in here.look(done.headers["Location"])
    assert len(list(db.scalars(sa.select(ZoneDraft)))) == 1

    unwanted = ask(here).headers["Location"]
    assert here.send(unwanted, f"{unwanted}/cancel", {}).status_code == 303
    assert "已取消，什么都没有变" in here.look(unwanted)
    run_due_jobs(ground)  # one at a time of a district: this ends what nobody wants
    refused = ask(here, zones="3", unit="committees").headers["Location"]
    run_due_jobs(ground)
    assert "地块不够分成3个片区" in here.look(refused)
    assert len(list(db.scalars(sa.select(ZoneDraft)))) == 1
    assert ask(here, zones="0").status_code == 422
    states = set(db.scalars(sa.select(Job.state)))
    assert states == {JobState.DONE, JobState.CANCELLED, JobState.REFUSED}


def test_a_job_of_zones_is_no_plan_and_not_another_firms(here: DispatcherDesk, day: WorkingDay) -> None:
    body = {"firm_id": str(day.cast.firm()), "name": "拟分", "zones": 2}
    asked = day.dispatcher.post(day.at("zone-proposal-jobs"), body)
    assert asked.status_code == 202
    job = asked.get_json()["id"]
    assert day.dispatcher.get(day.at(f"zone-proposal-jobs/{job}")).status_code == 200
    assert day.dispatcher.get(day.at(f"plan-jobs/{job}")).status_code == 404
    assert day.dispatcher.post(day.at(f"plan-jobs/{job}/cancellations")).status_code == 404
    rival = day.desk.sign_in(Role.DISPATCHER, firm=str(day.cast.another_firm()))
    assert rival.get(day.at(f"zone-proposal-jobs/{job}")).status_code == 404
    assert rival.post(day.at(f"zone-proposal-jobs/{job}/cancellations")).status_code == 404
    assert rival.post(day.at("zone-proposal-jobs"), body).status_code == 422
    ended = day.dispatcher.post(day.at(f"zone-proposal-jobs/{job}/cancellations"))
    assert ended.get_json()["state"] == "cancelled"

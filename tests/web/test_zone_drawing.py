"""Zones drawn by hand: the corners in the form, a line each, become another draft."""

import re
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.auth import Role
from core.geo import Datum, Point, area_from_geojson, distance_m, to_wgs84
from registry.models import Zone, ZoneSet
from registry.zone_models import ZoneDraft
from tests.cast import EAST, WEST, made, square
from tests.desk import Desk
from tests.dispatch.rounds.working_day import WorkingDay
from tests.web.dispatcher_desk import DispatcherDesk

PAGE = "/dispatch/zones/drawing"
HALF = (WEST + EAST) / 2


@pytest.fixture
def day(desk: Desk) -> WorkingDay:
    return WorkingDay(desk)


@pytest.fixture
def here(desk: Desk, day: WorkingDay) -> DispatcherDesk:
    return DispatcherDesk(desk, day.dispatcher)


def fields(page: str) -> dict[str, str]:
    """What a browser would send of the page as it stands."""
    found = dict(re.findall(r'<input id="((?:number|name)-\d+)"[^>]* value="([^"]*)"', page))
    found |= dict(re.findall(r'<textarea id="(corners-\d+)"[^>]*>([^<]*)</textarea>', page))
    for name, options in re.findall(r'<select id="(site-\d+)".*?>(.*?)</select>', page, re.S):
        found[name] = next(iter(re.findall(r'value="([^"]*)" selected', options)), "")
    return found


def drafts(db: Session) -> list[ZoneDraft]:
    db.expire_all()
    return list(db.scalars(sa.select(ZoneDraft).order_by(ZoneDraft.id)))


def test_a_zone_is_cut_in_two_by_its_corners_and_the_rest_stays_to_the_last_digit(
    here: DispatcherDesk, day: WorkingDay, db: Session
) -> None:
    form = fields(here.look(PAGE))
    corners = form["corners-0"].split("\n")
    assert len(corners) == 4
    same = here.send(PAGE, PAGE, form | {"name": "照旧"})
    assert same.status_code == 303, same.text
    before = db.scalars(sa.select(Zone)).one()
    assert drafts(db)[0].zones[0]["outline"] == before.outline
    lats = sorted({float(line.split(",")[1]) for line in corners})
    west = f"{WEST},{lats[0]}\n{HALF}，{lats[0]}\n{HALF} {lats[1]}\n{WEST},{lats[1]}\n"
    east = f"{HALF},{lats[0]}\n{EAST},{lats[0]}\n{EAST},{lats[1]}\n{HALF},{lats[1]}"
    new = {"number-1": "2", "name-1": "东半", "site-1": str(day.cast.supply_point()), "corners-1": east}
    cut = here.send(PAGE, PAGE, form | new | {"name": "两半", "corners-0": west})
    assert cut.status_code == 303, cut.text
    _, draft = drafts(db)
    assert [(one["number"], one["name"]) for one in draft.zones] == [(1, before.name), (2, "东半")]
    areas = [area_from_geojson(one["outline"], Datum.WGS84) for one in draft.zones]
    assert areas[0].union(areas[1]).equals(area_from_geojson(before.outline, Datum.WGS84))
    page = here.look(cut.location)
    assert all(word in page for word in ("没有重叠", "现行的地都在", "按近四周的订单比"))
    assert len(list(db.scalars(sa.select(ZoneSet)))) == 1, "a draft binds nobody"

    # drawn on from the draft: an overlap is said beside the zones that it is of, and a zone can be left out
    again = f"{PAGE}?draft={draft.id}"
    form = fields(here.look(again)) | {"draft": str(draft.id), "name": "重了"}
    over = here.send(again, PAGE, form | {"corners-1": form["corners-0"]})
    assert over.status_code == 303, over.text
    assert re.search(r"与片区 2 重叠 \d+ m²", here.look(f"{PAGE}?draft={drafts(db)[-1].id}"))
    left = here.send(again, PAGE, form | {"corners-1": " "})
    assert left.status_code == 303
    assert [one["number"] for one in drafts(db)[-1].zones] == [1]


BOW_TIE = f"{WEST},31.19\n{EAST},31.25\n{EAST},31.19\n{WEST},31.25"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"corners-0": "121.4,31.2\n121.5,31.2"}, "至少要三个角"),
        ({"corners-0": "121.4,31.2\n这里\n121.5,31.3"}, "第 2 行不是"),
        ({"corners-0": "121.4,31.2\n999,31.2\n121.5,31.3"}, "第 2 行不是"),
        ({"corners-0": BOW_TIE}, "zone-0"),
        ({"number-0": "零"}, "zone-0"),
        ({"corners-0": "1e9,31\n" * 2100}, "角点太多"),
        (
            {
                "site-1": "",
                "number-1": "7",
                "name-1": "新",
                "corners-1": "121.4,31.2\n121.5,31.2\n121.5,31.3",
            },
            "zone-1",
        ),
        ({"corners-0": ""}, 'role="alert"'),
    ],
)
def test_what_is_no_zone_is_said_beside_it_and_what_was_drawn_is_kept_on_the_page(
    here: DispatcherDesk, db: Session, changed: dict[str, str], said: str
) -> None:
    form = fields(here.look(PAGE)) | {"name": "不成"} | changed
    refused = here.send(PAGE, PAGE, form)
    assert refused.status_code == 422
    assert said in refused.text
    assert "有几处要改" in refused.text
    if said.startswith("zone-"):
        assert f'href="#{said}"' in refused.text
    assert fields(refused.text)["corners-0"].split() == form["corners-0"].split()
    assert not drafts(db)


def test_on_a_map_of_another_datum_the_corners_are_of_it_and_what_is_kept_is_not(
    here: DispatcherDesk, desk: Desk, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground = desk.app.extensions["ground"]
    config = replace(ground.config, map_tile_url="https://tiles.example/{z}/{x}/{y}", map_tile_datum="gcj02")
    monkeypatch.setitem(desk.app.extensions, "ground", replace(ground, config=config))
    page = here.look(PAGE)
    assert "GCJ-02" in page
    form = fields(page) | {"name": "火星"}
    lines = form["corners-0"].split("\n")
    assert not lines[0].startswith(f"{WEST:.7f}"), "half a kilometre off, as the map is"
    moved = [lines[0], lines[1], "121.4400000,31.2300000", *lines[3:]]
    assert here.send(PAGE, PAGE, form | {"corners-0": "\n".join(moved)}).status_code == 303
    [draft] = drafts(db)
    ring, before = (
        area_from_geojson(outline, Datum.WGS84).exterior.coords
        for outline in (draft.zones[0]["outline"], db.scalars(sa.select(Zone)).one().outline)
    )
    at = to_wgs84(121.44, 31.23, Datum.GCJ02)
    assert min(distance_m(at, Point(*one)) for one in ring) < 0.01
    assert len(set(ring) & set(before)) == 3, "untouched ones exactly"


def test_what_is_no_simple_ring_is_kept_and_anothers_zones_are_not_drawn(
    here: DispatcherDesk, day: WorkingDay, desk: Desk, db: Session
) -> None:
    hole = square(west=WEST + 0.01, east=EAST - 0.01)
    outline: dict[str, Any] = square()
    inner = [[lon, 31.21 + (lat - 31.21) / 10] for lon, lat in hole["coordinates"][0]]
    outline = outline | {"coordinates": [outline["coordinates"][0], inner[::-1]]}
    ringed = day.cast.zone_body(number=1, outline=outline)
    del ringed["outline"]
    features = [{"type": "Feature", "geometry": outline, "properties": ringed}]
    body = {
        "name": "有洞",
        "datum": "wgs84",
        "collection": {"type": "FeatureCollection", "features": features},
    }
    draft = made(day.dispatcher.post(day.at("zone-drafts"), body))["id"]
    page = here.look(f"{PAGE}?draft={draft}")
    assert "在这里保持原样" in page
    form = fields(page) | {"draft": draft, "name": "还是有洞"}
    assert here.send(f"{PAGE}?draft={draft}", PAGE, form).status_code == 303
    assert drafts(db)[-1].zones[0]["outline"] == drafts(db)[0].zones[0]["outline"]
    rival = DispatcherDesk(desk, desk.sign_in(Role.DISPATCHER, firm=day.cast.another_firm()))
    assert [name for name in fields(rival.look(PAGE)) if name.startswith("corners")] == ["corners-0"]
    assert fields(rival.look(PAGE))["corners-0"] == "", "only a new one"
    rival.look(f"{PAGE}?draft={draft}", 404)
    DispatcherDesk(desk, day.cast.clerk).look(PAGE, 403)

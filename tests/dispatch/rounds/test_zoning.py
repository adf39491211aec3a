"""Zones beside orders: a draft compared on some days' orders before it binds; drafts proposed from them."""

from typing import Any

import pytest
import shapely
from sqlalchemy.orm import Session

from core.auth import Role
from core.geo import Datum, area_from_geojson
from core.ground import Ground
from dispatch.rounds import solving, zoning
from dispatch.rounds.zoning import Cells
from evidence.models import Outcome
from registry.models import Zone, ZoneSet
from registry.zone_models import ZoneDraft
from tests.cast import EAST, WEST, made, square
from tests.desk import Person
from tests.dispatch.rounds.working_day import WorkingDay
from tests.due_jobs import worked
from tests.registry.proofs import count, faults

pytestmark = pytest.mark.solver_apart

HALF = (WEST + EAST) / 2
TODAY = {"from_on": "2024-06-12", "until_on": "2024-06-12"}


def at(lon: float, lat: float = 31.21) -> dict[str, Any]:
    return {"point": {"lon": lon, "lat": lat, "datum": "wgs84"}}


@pytest.fixture
def booked(day: WorkingDay) -> WorkingDay:
    """Three orders in the west of the zone, one in its east."""
    for lon in (WEST + 0.005, WEST + 0.006, WEST + 0.012, EAST - 0.005):
        day.order(day.home(**at(lon)))
    return day


def halves(day: WorkingDay, border: float = HALF) -> str:
    features = []
    for number, outline in ((1, square(east=border)), (2, square(west=border))):
        zone = day.cast.zone_body(number=number)
        del zone["outline"]
        features.append({"type": "Feature", "geometry": outline, "properties": zone})
    body = {"name": "两半", "datum": "wgs84"}
    collection = {"type": "FeatureCollection", "features": features}
    return str(made(day.dispatcher.post(day.at("zone-drafts"), body | {"collection": collection}))["id"])


def proposed(day: WorkingDay, by: Person | None = None, **changed: Any) -> dict[str, Any]:
    """What came of the job: the draft, or the job that made none."""
    asking = by or day.dispatcher
    job = worked(day.desk.ground, asking, day.at("zone-proposals"), proposal(day, **changed))
    if job["draft_id"] is None:
        return job
    return dict(asking.get(day.at(f"zone-drafts/{job['draft_id']}")).get_json())


def noes(job: dict[str, Any]) -> list[str]:
    assert job["state"] == "refused", job
    return [reason["code"] for reason in job["reasons"]]


def proposal(day: WorkingDay, **changed: Any) -> dict[str, Any]:
    return {"firm_id": str(day.cast.firm()), "name": "拟分", "zones": 2, **TODAY} | changed


def test_a_draft_is_compared_with_the_zones_in_force_on_the_days_orders(booked: WorkingDay) -> None:
    draft = halves(booked)
    seen = booked.dispatcher.get(booked.at(f"zone-drafts/{draft}/comparison"), **TODAY).get_json()
    assert (seen["orders"], seen["bottles"]) == (4, 4)
    assert [one["orders"] for one in seen["before"]] == [4]
    assert [(one["number"], one["orders"], one["off_mean_percent"]) for one in seen["after"]] == [
        (1, 3, 50),
        (2, 1, -50),
    ]
    assert all(one["is_unbalanced"] for one in seen["after"])
    assert seen["moved"] == [{"from_number": 1, "to_number": 2, "orders": 1}]
    assert (seen["outside_before"], seen["outside_after"]) == (0, 0)
    earlier = booked.dispatcher.get(booked.at(f"zone-drafts/{draft}/comparison")).get_json()
    assert (earlier["from_on"], earlier["until_on"], earlier["orders"]) == ("2024-05-15", "2024-06-11", 0)


def test_how_busy_another_firm_is_a_firm_is_not_told(booked: WorkingDay) -> None:
    rival_firm = str(booked.cast.another_firm())
    site = str(booked.cast.site(["depot"], [], firm_id=rival_firm))
    theirs = {"number": 5, "firm_id": rival_firm, "supply_site_id": site, "outline": square(west=HALF)}
    both = [booked.cast.zone_body(outline=square(east=HALF)), booked.cast.zone_body(**theirs)]
    district = booked.cast.granted("dispatcher", "district", "310105")
    body = booked.cast.zone_set_body(valid_from="2024-06-12", zones=both)
    made(district.post(booked.at("zone-sets"), body))
    zone = booked.cast.zone_body(**theirs)
    drafted = {"type": "Feature", "geometry": zone.pop("outline"), "properties": zone}
    collection = {"type": "FeatureCollection", "features": [drafted]}
    rival = booked.desk.sign_in(Role.DISPATCHER, firm=rival_firm)
    draft = made(
        rival.post(booked.at("zone-drafts"), {"name": "东", "datum": "wgs84", "collection": collection})
    )
    path = booked.at(f"zone-drafts/{draft['id']}/comparison")
    seen = rival.get(path, **TODAY).get_json()
    assert [(one["firm_id"], one["orders"]) for one in seen["before"]] == [(rival_firm, 0)]
    assert (seen["orders"], seen["moved"], seen["outside_after"]) == (0, [], 0)
    whole = district.get(path, **TODAY).get_json()
    assert (len(whole["before"]), whole["orders"]) == (2, 4)


def test_ground_that_lies_far_apart_is_no_endless_grid() -> None:
    outlines = (square(), square(west=-120.02, east=-120.0))
    mine = [(Zone(number=n), area_from_geojson(one, Datum.WGS84)) for n, one in enumerate(outlines)]
    cells = Cells(zoning.Ground(mine, [], [], [], {}), 2)
    assert len(cells._at) <= 2 * zoning.MOST_SQUARES
    whole = sum(cells.plane.metres(area).area for _, area in mine)
    assert sum(piece.area for piece in cells.pieces) == pytest.approx(whole)


@pytest.mark.parametrize(
    ("days", "pointer"),
    [
        ({"from_on": "2024-06-12"}, "pair"),
        ({"from_on": "2024-06-12", "until_on": "2024-06-11"}, "order"),
        ({"from_on": "2024-01-01", "until_on": "2024-06-11"}, "too_long"),
    ],
)
def test_days_are_a_span_of_three_months_at_most(day: WorkingDay, days: dict[str, str], pointer: str) -> None:
    answer = day.dispatcher.get(day.at(f"zone-drafts/{halves(day)}/comparison"), **days)
    assert faults(answer) == [("/query/until_on", pointer)]


def test_a_proposal_divides_the_ground_by_its_orders_and_can_be_published(
    booked: WorkingDay, ground: Ground
) -> None:
    draft = proposed(booked)
    zones = draft["collection"]["features"]
    assert len(zones) == 2
    areas = [area_from_geojson(zone["geometry"], Datum.WGS84) for zone in zones]
    whole = area_from_geojson(square(), Datum.WGS84)
    assert shapely.union_all(areas).symmetric_difference(whole).area < whole.area * 1e-6
    assert areas[0].intersection(areas[1]).area < whole.area * 1e-6
    assert zones[0]["properties"]["number"] == 1, "the larger part keeps the old zone's number"
    checks = booked.dispatcher.get(booked.at(f"zone-drafts/{draft['id']}/checks")).get_json()
    assert (checks["may_be_published"], checks["gaps"], checks["lost"]) == (True, [], [])
    seen = booked.dispatcher.get(booked.at(f"zone-drafts/{draft['id']}/comparison"), **TODAY).get_json()
    assert sorted(one["orders"] for one in seen["after"]) == [2, 2]
    assert count(ground, ZoneSet) == 1, "it binds nobody yet"
    made(
        booked.dispatcher.post(
            booked.at(f"zone-drafts/{draft['id']}/publications"), {"valid_from": "2024-07-01"}
        )
    )


def test_a_proposal_by_committees_keeps_each_committee_together(day: WorkingDay) -> None:
    for lon, committee in (
        (WEST + 0.01, "310105001001"),
        (HALF, "310105001002"),
        (EAST - 0.01, "310105001003"),
    ):
        day.home(committee_code=committee, **at(lon))
    by_committees = {"unit": "committees", "weigh_by": "homes"}
    zones = proposed(day, **by_committees, zones=3)["collection"]["features"]
    areas = [area_from_geojson(zone["geometry"], Datum.WGS84) for zone in zones]
    assert [
        sum(area.covers(shapely.Point(lon, 31.21)) for lon in (WEST + 0.01, HALF, EAST - 0.01))
        for area in areas
    ] == [1, 1, 1]
    assert noes(proposed(day, **by_committees, zones=4)) == ["zoning.too_many_zones"]


def test_nothing_to_weigh_anothers_ground_and_a_dead_solver_store_nothing(
    day: WorkingDay, ground: Ground, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = proposed(day)
    assert noes(empty) == ["zoning.nothing_to_weigh"]
    [entry] = day.entries(db, "zone.propose")
    assert (entry.outcome, entry.refusal_no) == (Outcome.REFUSED, empty["refusal_no"])
    day.home(**at(HALF))
    rival_firm = str(day.cast.another_firm())
    rival = day.desk.sign_in(Role.DISPATCHER, firm=rival_firm)
    assert faults(rival.post(day.at("zone-proposals"), proposal(day))) == [("/firm_id", "unknown")]
    assert noes(proposed(day, rival, firm_id=rival_firm)) == ["zoning.no_zones"]
    monkeypatch.setattr(solving, "SOLVER", ("/bin/false",))
    failed = proposed(day, weigh_by="homes")
    assert (failed["state"], failed["fault"]) == ("failed", "busy")
    assert count(ground, ZoneDraft) == 0


def test_other_firms_zones_stay_as_they_are_in_a_districts_proposal(day: WorkingDay) -> None:
    rival_firm = str(day.cast.another_firm())
    site = str(day.cast.site(["depot"], [], firm_id=rival_firm))
    theirs = day.cast.zone_body(number=5, firm_id=rival_firm, supply_site_id=site, outline=square(west=HALF))
    ours = day.cast.zone_body(outline=square(east=HALF))
    district = day.cast.granted("dispatcher", "district", "310105")
    both = day.cast.zone_set_body(valid_from="2024-06-12", zones=[ours, theirs])
    made(district.post(day.at("zone-sets"), both))
    day.home(**at(WEST + 0.01))
    day.home(**at(WEST + 0.02))
    assert noes(proposed(day, weigh_by="homes")) == ["zoning.of_another_firm"]
    zones = proposed(day, district, weigh_by="homes")["collection"]
    [kept] = [zone for zone in zones["features"] if zone["properties"]["firm_id"] == rival_firm]
    assert kept["geometry"] == square(west=HALF) or area_from_geojson(kept["geometry"], Datum.WGS84).equals(
        area_from_geojson(square(west=HALF), Datum.WGS84)
    )
    assert len(zones["features"]) == 3

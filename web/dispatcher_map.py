"""What the dispatcher's map and timeline draw, as plain values. No name and no address is among them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from core import clock
from dispatch.rounds.positions import LivePosition
from oversight.board import Board, Crew, Visit
from registry.models import Zone

OLD_AFTER = timedelta(minutes=3)
HUES = 8
"""Crews are told apart by number and by one of so many colours; the list beside the map says the same."""


def of_board(seen: Board) -> dict[str, Any]:
    """Zones, and every visit with its place in its crew's day."""
    hue = {round.id: n % HUES for n, crew in enumerate(seen.crews) for round in crew.rounds}
    place = {visit.order_id: n for crew in seen.crews for n, visit in enumerate(crew.visits, start=1)}
    stops = [
        {
            "lon": visit.point.lon,
            "lat": visit.point.lat,
            "label": str(place.get(visit.order_id, "")),
            "hue": hue.get(visit.round_id) if visit.round_id else None,
            "done": not visit.is_open,
            "late": visit.is_late(seen.now),
        }
        for visit in seen.visits
    ]
    return {"zones": [_zone(row.zone) for row in seen.zones], "stops": stops, "lines": []}


def of_vehicles(found: Sequence[LivePosition], now: datetime) -> list[dict[str, Any]]:
    """Plates on the map; one that has not been heard of for a while is drawn as old."""
    return [
        {
            "lon": one.point.lon,
            "lat": one.point.lat,
            "plate": one.plate,
            "at": one.occurred_at,
            "old": now - one.occurred_at > OLD_AFTER,
        }
        for one in found
    ]


def of_plan(plan: Mapping[str, Any], visits: Mapping[UUID, Visit], zone: Zone | None) -> dict[str, Any]:
    """The zone, each trip as a line through its doors, and what is left out."""
    stops, lines = [], []
    hues = _hues(plan)
    for trip in plan["trips"]:
        doors = [visits.get(UUID(str(stop["order_id"]))) for stop in trip["stops"]]
        hue = hues[str(trip["binding_id"])]
        lines.append({"hue": hue, "points": [[door.point.lat, door.point.lon] for door in doors if door]})
        for number, door in enumerate(doors, start=1):
            if door is not None:
                stops.append(_stop(door, f"{trip['number']}.{number}", hue))
    for left in plan["unserved"]:
        if (door := visits.get(UUID(left["order_id"]))) is not None:
            stops.append(_stop(door, "✕", None))
    return {"zones": [_zone(zone)] if zone else [], "stops": stops, "lines": lines}


def of_lanes(lanes: Any, zone: Zone | None) -> dict[str, Any]:
    """The zone, each crew's trips as lines, and what waits; the numbers are those of the lists beside it."""
    stops, lines = [], []
    for lane in lanes.lanes:
        for trip in lane.trips:
            points = [[door.visit.point.lat, door.visit.point.lon] for door in trip.doors if door.visit]
            lines.append({"hue": lane.hue, "points": points})
            for number, door in enumerate(trip.doors, start=1):
                if door.visit is not None:
                    stops.append(_stop(door.visit, f"{trip.number}.{number}", lane.hue))
    stops += [_stop(door.visit, "✕", None) for door in lanes.waiting if door.visit is not None]
    return {"zones": [_zone(zone)] if zone else [], "stops": stops, "lines": lines}


def of_zones(zones: Iterable[Zone]) -> dict[str, Any]:
    return {
        "zones": [_zone(zone) | {"hue": n % HUES} for n, zone in enumerate(zones)],
        "stops": [],
        "lines": [],
    }


def of_draft(draft: Mapping[str, Any], checks: Mapping[str, Any], in_force: Iterable[Zone]) -> dict[str, Any]:
    """The draft's zones in colours, today's as dashed lines beneath, and a mark where ground has no zone."""
    drafted = [
        {
            "name": one["properties"]["name"],
            "number": one["properties"]["number"],
            "outline": one["geometry"],
            "hue": n % HUES,
        }
        for n, one in enumerate(draft["collection"]["features"])
    ]
    before = [_zone(zone) | {"before": True} for zone in in_force]
    marks = [
        {"lon": hole["point"]["lon"], "lat": hole["point"]["lat"], "label": label, "hue": None}
        | {"done": False, "late": True}
        for holes, label in ((checks["gaps"], "缝"), (checks["lost"], "缺"))
        for hole in holes
    ]
    return {"zones": before + drafted, "stops": marks, "lines": []}


def _stop(door: Visit, label: str, hue: int | None) -> dict[str, Any]:
    point = door.point
    return {"lon": point.lon, "lat": point.lat, "label": label, "hue": hue, "done": False, "late": False}


def _hues(plan: Mapping[str, Any]) -> dict[str, int]:
    crews = dict.fromkeys(str(trip["binding_id"]) for trip in plan["trips"])
    return {binding_id: n % HUES for n, binding_id in enumerate(crews)}


def _zone(zone: Zone) -> dict[str, Any]:
    return {"name": zone.name, "number": zone.number, "outline": zone.outline}


# --- the timeline -----------------------------------------------------------------------------------------

WIDTH, ROW, LEFT = 1000, 34, 0


def timeline_of(plan: Mapping[str, Any], crews: Mapping[UUID, Crew]) -> dict[str, Any]:
    """A row a trip on one scale of hours; positions in the drawing's own units."""
    trips = plan["trips"]
    if not trips:
        return {"rows": [], "hours": [], "height": 0, "width": WIDTH}
    first = _hour(min(trip["leave_at"] for trip in trips))
    last = _hour(max(trip["return_at"] for trip in trips)) + timedelta(hours=1)
    span_s = (last - first).total_seconds()

    def across(at: datetime) -> float:
        return round((at - first).total_seconds() / span_s * WIDTH, 1)

    hours = [first + timedelta(hours=n) for n in range(int(span_s // 3600) + 1)]
    hues = _hues(plan)
    rows = [
        {
            "trip": trip,
            "crew": crews.get(UUID(str(trip["binding_id"]))),
            "hue": hues[str(trip["binding_id"])],
            "y": n * ROW,
            "from": across(trip["leave_at"]),
            "length": round(across(trip["return_at"]) - across(trip["leave_at"]), 1),
            "stops": [across(stop["start_at"]) for stop in trip["stops"]],
        }
        for n, trip in enumerate(trips)
    ]
    return {
        "rows": rows,
        "hours": [{"x": across(hour), "said": f"{hour.astimezone(clock.SHANGHAI):%H}"} for hour in hours],
        "height": len(rows) * ROW + 24,
        "width": WIDTH,
    }


def _hour(at: datetime) -> datetime:
    return at.astimezone(clock.SHANGHAI).replace(minute=0, second=0, microsecond=0)

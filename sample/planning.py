"""Plans of each zone's day, and what may happen between a plan and its road: a binding that changes.

In one zone the courier does not come in the morning: the plan that was made with him cannot be applied any
more, and is made again. In another he falls ill at noon: his binding ends, his scans are refused, and a
courier in reserve drives the rest of his day.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, time
from typing import Any

from core import clock
from sample import firms, places
from sample.build import Builder
from sample.client import Unexpected
from sample.firms import DEMO_DAY, RESERVE, SampleBinding
from sample.phone import Phone
from sample.places import CHANGNING, SampleZone
from sample.scene import Scene
from sample.waiting import waited_for
from sample.world import zone_key

ITERATIONS = 20_000
NO_LOTS = 0
"""Other seeds draw lots among the orders by their ids, which no two runs share."""


@dataclass
class Driven:
    """One courier's round of the day: the plan's trips for it, and the stops of the round itself."""

    courier: str
    firm: str
    zone: int
    round_id: str
    plate: str
    trips: list[dict[str, Any]]
    lines: dict[str, list[dict[str, Any]]]
    """Order → its lines."""
    aboard: dict[str, int] = field(default_factory=dict)
    """Line → the number of the bottle loaded for it."""
    taken: list[int] = field(default_factory=list)
    """Empties taken on this trip."""
    phone: Phone | None = None
    """Where the courier writes down what happens while there is no network."""
    visited: list[str] = field(default_factory=list)
    """Orders delivered, first to last."""


def plan_the_day(scene: Scene) -> list[Driven]:
    """A plan for each zone, applied. Zone 6 plans again once its truck is back from the workshop."""
    scene.at(7, 0)
    driven: list[Driven] = []
    not_coming, _ = scene.cast.bindings_that_change
    for zone in places.zones(CHANGNING):
        if binding_of(not_coming).zone == zone.number:
            driven += _changed_in_between(scene, zone, binding_of(not_coming))
        else:
            driven += plan_zone(scene, zone)
    late = [binding for binding in firms.bindings() if binding.vehicle in scene.cast.bound_late]
    for binding in late:
        bind(scene, binding, clock.at(DEMO_DAY, time(7, 30)))
    for zone in places.zones(CHANGNING):
        if any(binding.zone == zone.number for binding in late):
            driven += plan_zone(scene, zone)
    return driven


def plan_zone(scene: Scene, zone: SampleZone) -> list[Driven]:
    return _apply(scene, zone, _make(scene, zone))


def plan_the_evening(scene: Scene) -> list[Driven]:
    """Once more, where orders came in since the morning."""
    zones = {booking.user.zone for booking in (*scene.cast.again, scene.cast.waiting)}
    driven: list[Driven] = []
    for zone in places.zones(CHANGNING):
        if zone.number in zones:
            driven += plan_zone(scene, zone)
    return driven


def _make(scene: Scene, zone: SampleZone) -> Any:
    scene.waves[zone.number] += 1
    wave = scene.waves[zone.number]
    body = plan_body(scene, zone, wave)
    plan = planned(scene, f"dispatcher {zone.firm}", body, f"plan zone {zone.number}, wave {wave}")
    for left in plan["unserved"]:
        scene.count("orders no vehicle could take in the first plan")
        scene.shown.setdefault("unserved", f"{left['zh']} / {left['en']}")
    return plan


def planned(scene: Scene, who: str, body: dict[str, Any], what: str) -> Any:
    """Asked for, and solved by the worker while the dispatcher waits."""
    job = scene.do_here(who, "plans", body, what)
    done = waited_for(scene, who, f"plan-jobs/{job['id']}")
    return scene.read_here(who, f"plans/{done['plan_id']}")


def plan_body(scene: Scene, zone: SampleZone, wave: int) -> dict[str, Any]:
    return {
        "zone_id": scene.world.zones[zone_key(CHANGNING, zone.number)],
        "day": DEMO_DAY.isoformat(),
        "wave": wave,
        "iterations": ITERATIONS,
        "seed": NO_LOTS,
    }


def _apply(scene: Scene, zone: SampleZone, plan: Any) -> list[Driven]:
    path = f"plans/{plan['id']}/applications"
    applied = scene.do_here(f"dispatcher {zone.firm}", path, {}, f"apply plan of zone {zone.number}")
    scene.count("plans")
    return [_driven(scene, plan, zone, round_id) for round_id in applied["round_ids"]]


def _driven(scene: Scene, plan: dict[str, Any], zone: SampleZone, round_id: str) -> Driven:
    found = scene.read_here(f"dispatcher {zone.firm}", f"rounds/{round_id}")
    couriers = {staff_id: key for key, staff_id in scene.world.staff.items()}
    return Driven(
        couriers[found["courier_id"]],
        zone.firm,
        zone.number,
        round_id,
        found["plate"],
        [trip for trip in plan["trips"] if trip["binding_id"] == found["binding_id"]],
        {stop["order_id"]: stop["lines"] for stop in found["stops"]},
    )


# --- bindings ---------------------------------------------------------------------------------------------


def binding_of(vehicle: str) -> SampleBinding:
    return next(binding for binding in firms.bindings() if binding.vehicle == vehicle)


def bind(scene: Scene, binding: SampleBinding, from_at: datetime) -> str:
    return Builder(scene.api, scene.cast, scene.world, scene.told).bind(binding, from_at)


def substitute(scene: Scene, binding: SampleBinding, firm: str) -> str:
    """The binding ends now; the firm's courier in reserve takes the same vehicle, device and zone."""
    end_binding(scene, binding, firm)
    return take_over(scene, binding, firm)


def end_binding(scene: Scene, binding: SampleBinding, firm: str) -> None:
    path = f"bindings/{scene.world.bindings[binding.vehicle]}/end"
    scene.do_here(f"dispatcher {firm}", path, {}, f"binding of {binding.vehicle} ends")


def take_over(scene: Scene, binding: SampleBinding, firm: str) -> str:
    bind(scene, replace(binding, courier=RESERVE[firm]), clock.now())
    scene.count("couriers replaced")
    return RESERVE[firm]


def _changed_in_between(scene: Scene, zone: SampleZone, binding: SampleBinding) -> list[Driven]:
    """Planned with the courier who is not coming; refused when applied; planned again with another."""
    plan = _make(scene, zone)
    scene.waves[zone.number] -= 1  # a plan that is not applied takes no wave
    substitute(scene, binding, zone.firm)
    path = f"plans/{plan['id']}/applications"
    who = f"dispatcher {zone.firm}"
    refused = scene.refused_here(who, path, {}, f"apply plan of zone {zone.number}", {"T06"})
    if set(refused.codes) != {"plan.crew_changed"}:
        raise Unexpected(
            f"a binding that changed in between: expected plan.crew_changed, got {refused.codes}"
        )
    scene.count("plans refused")
    return plan_zone(scene, zone)

"""排班 before the day is planned: each firm has its roster worked out, changes it by hand, and confirms it.

Everybody who may work does, in their own zone: whom the proposal leaves free or sends elsewhere is put home
by hand. The truck in the workshop is bound later in the morning, after the roster: that is the later word.
"""

from typing import Any

from sample.client import Unexpected
from sample.firms import DEMO_DAY, FIRMS
from sample.places import CHANGNING
from sample.scene import Scene
from sample.waiting import waited_for

THE_SHIFT = {"from_s": 6 * 3600, "until_s": 22 * 3600}


def confirm_the_rosters(scene: Scene) -> None:
    scene.at(6, 40)
    for firm in FIRMS:
        if firm.home_district == CHANGNING:
            roster = _all_at_home(scene, firm.key, _proposed(scene, firm.key))
            if any(line["is_elsewhere"] for line in roster["lines"]) or roster["free"]:
                raise Unexpected(f"roster of {firm.key}: expected everybody in their own zone, got {roster}")
            path = f"rosters/{roster['id']}/confirmations"
            scene.do_here(f"dispatcher {firm.key}", path, {}, f"confirm the roster of {firm.key}")
            scene.count("rosters confirmed")


def _proposed(scene: Scene, firm: str) -> Any:
    """Asked for, and worked out by the worker."""
    who = f"dispatcher {firm}"
    body = {"firm_id": scene.world.firms[firm], "day": DEMO_DAY.isoformat(), "shifts": [THE_SHIFT]}
    job = scene.do_here(who, "roster-jobs", body, f"propose a roster of {firm}")
    done = waited_for(scene, who, f"roster-jobs/{job['id']}")
    return scene.read_here(who, f"rosters/{done['roster_id']}")


def _all_at_home(scene: Scene, firm: str, roster: Any) -> Any:
    """Which of two crews alike a proposal takes is chance: what is done is told without their plates."""
    who, path = f"dispatcher {firm}", f"rosters/{roster['id']}/changes"
    for line in [line for line in roster["lines"] if line["is_elsewhere"]]:
        roster = scene.do_here(who, path, {"binding_id": line["binding_id"]}, "a crew is taken off a roster")
    for one in sorted(roster["free"], key=lambda free: str(free["plate"])):
        body = {"binding_id": one["binding_id"], "zone_id": one["zone_id"], "shift": 0}
        roster = scene.do_here(who, path, body, "a crew is put in its own zone")
    return roster

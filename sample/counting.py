"""盘点 at the end of the day: what really stands at a site, against what custody says, full and empty apart.

Three things are not as custody says, and somebody who looks says why: a bottle that was unloaded in the
morning and never scanned (missing at the station, too many at the supply point), an empty that came back
unused, and one that stood behind a shelf. Then it is put right by scans, and the count agrees.
"""

from typing import Any

from sample import firms
from sample.client import Unexpected
from sample.door import code_of
from sample.firms import FILLING_SITE, SUPPLY_SITE
from sample.noes import Asking
from sample.scene import Scene

TWICE = "count.difference_explained"
WEST, EAST = "changning_west", "changning_east"


def count_the_sites(scene: Scene) -> None:
    scene.at(20, 40)
    late = scene.cast.never_received.number
    unused, behind_a_shelf = _empties_at(scene, SUPPLY_SITE[WEST])[:2]
    _, still_there = scene.stands[unused], scene.stands.pop(behind_a_shelf)
    scene.stands_at(unused, SUPPLY_SITE[WEST], full=True)

    expected = {late: "not_expected", unused: "full_not_empty", behind_a_shelf: "not_found"}
    why = {late: "receipt_missed", unused: "returned_unused", behind_a_shelf: "found_later"}
    _count(scene, SUPPLY_SITE[WEST], expected, why)
    _count(scene, FILLING_SITE[WEST], {late: "not_found"}, {late: "departure_missed"})
    _count(scene, SUPPLY_SITE[EAST], {}, {})

    site = scene.world.sites[SUPPLY_SITE[WEST]]
    scene.do(f"clerk {WEST}", f"/sites/{site}/receipts", {"code": code_of(scene, late)}, f"receive {late}")
    scene.count("receipts")
    scene.stands[behind_a_shelf] = still_there
    # Nobody writes a bottle full by hand: it stays on the list until it is emptied and filled again.
    _count(scene, SUPPLY_SITE[WEST], {unused: "full_not_empty"}, {unused: "returned_unused"})
    _count(scene, FILLING_SITE[WEST], {}, {})


def _empties_at(scene: Scene, site: str) -> list[int]:
    return sorted(number for number, (where, full) in scene.stands.items() if where == site and not full)


def _count(scene: Scene, site: str, expected: dict[int, str], why: dict[int, str]) -> None:
    """Every bottle there is scanned; what differs is what the story says differs, and is explained."""
    firm = next(one.firm for one in firms.SITES if one.key == site)
    who, path = f"clerk {firm}", f"/sites/{scene.world.sites[site]}/counts"
    here = sorted((number, full) for number, (where, full) in scene.stands.items() if where == site)
    body = {
        "full": [code_of(scene, number) for number, full in here if full],
        "empty": [code_of(scene, number) for number, full in here if not full],
    }
    counted = scene.do(who, path, body, f"count of {site}")
    numbers = {cylinder_id: number for number, cylinder_id in scene.world.cylinders.items()}
    found = {numbers[one["cylinder_id"]]: one for one in counted["differences"]}
    if {number: one["kind"] for number, one in found.items()} != expected:
        raise Unexpected(f"count of {site}: expected {expected}, got {_said(found)}")
    for number in sorted(found):
        explained = {"number": found[number]["number"], "why": why[number], "reference": "YLPD-0612"}
        scene.do(who, f"{path}/{counted['id']}/explanations", explained, f"{site}: {expected[number]}")
        scene.count("differences explained")
    if found:
        Asking(scene).no(who, f"{path}/{counted['id']}/explanations", explained, "explained twice", [TWICE])
    scene.count("counts")
    scene.count("bottles counted", len(here))
    scene.shown.setdefault("count", f"{path}/{counted['id']}")


def _said(found: dict[int, Any]) -> dict[int, Any]:
    return {number: (one["kind"], one["holder_kind"]) for number, one in found.items()}

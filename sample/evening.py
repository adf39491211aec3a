"""After the rounds: the overdue empty is found out, and the district looks at what was done. Then, in a copy
of the world, the new year."""

import secrets
import time as system_time
from collections import Counter
from datetime import date, time
from typing import Any

from core import clock
from sample import firms, places
from sample.bottles import CylinderFault
from sample.build import Builder
from sample.cast import Booking
from sample.client import Unexpected
from sample.door import code_of
from sample.morning import too_late
from sample.places import CHANGNING
from sample.scene import Scene

NEW_YEAR_DAY = date(2025, 1, 2)
TIPS_WITHIN_S = 20
CONTRADICTION = "custody.conflict_found"


# --- back at the station ---------------------------------------------------------------------------------


def find_the_overdue_empty(scene: Scene) -> None:
    """An empty that fell due while a family used it: the supply point gives it back to the station, which
    finds it out."""
    scene.at(20, 30)
    booking = next((one for one in scene.cast.bookings if _brought_overdue(scene, one)), None)
    if booking is None:
        return
    number = scene.cast.held[booking.number][0].number
    site = scene.world.sites[firms.FILLING_SITE[booking.user.firm]]
    filler = f"filler_{booking.user.firm}"
    scene.do(filler, f"/sites/{site}/receipts", {"code": code_of(scene, number)}, f"receive empty {number}")
    scene.stands_at(number, firms.FILLING_SITE[booking.user.firm], full=False)
    asked = {"purpose": "fill", "site": site, "codes": [code_of(scene, number)]}
    caller = scene.world.caller(filler)
    (item,) = scene.api.ask(caller, "/verdicts", asked, f"empty {number} scanned")["items"]
    if {reason["rule"] for reason in item["reasons"]} != set(CylinderFault.OVERDUE.rules):
        raise Unexpected(f"bottle {number}: expected it overdue, got {item}")
    scene.count("faulty bottles found")


def _brought_overdue(scene: Scene, booking: Booking) -> bool:
    """The empty was overdue, and was taken back all the same."""
    first = scene.cast.held[booking.number][0]
    return first.fault is CylinderFault.OVERDUE and first.number in scene.stands


# --- the district looks ----------------------------------------------------------------------------------


def look_back(scene: Scene) -> None:
    """Traces of a bottle, a household and an order; one name revealed, with a reason; the tips."""
    scene.at(20, 50)
    too_late(scene)
    regulator = scene.world.caller(f"regulator {CHANGNING}")
    withheld = scene.user(scene.cast.hazard_at_home.user)
    traces = {
        "cylinder": f"/cylinders/{scene.shown['cylinder']}/trace",
        "order": f"/districts/{CHANGNING}/orders/{scene.shown['delivered order']}/trace",
        "household": f"/districts/{CHANGNING}/households/{withheld.household_id}/trace",
    }
    for what, path in traces.items():
        trace = scene.api.read(regulator, path)
        if not trace["intact"] or not trace["events"]:
            raise Unexpected(f"trace of a {what}: expected events in an intact chain, got {trace}")
        scene.shown[f"trace of a {what}"] = path
        scene.counts[f"events in the trace of a {what}"] = len(trace["events"])
    reveal = {
        "fields": ["name", "phone", "address"],
        "reason": "safety",
        "purpose": "call",
        "case_no": "YL-2024-0612",
    }
    path, who = f"households/{withheld.household_id}/reveals", f"regulator {CHANGNING}"
    scene.refused_here(who, path, reveal, "a name, by nobody in particular", {"N01"})
    password = "-".join(secrets.token_hex(2) for _ in range(4))
    body = {"principal_id": scene.world.principals[who], "login": "regulator", "password": password}
    scene.do("administrator", "/passwords", body, "a password for the regulator")
    scene.api.ask(regulator, "/confirmations", {"password": password}, "the regulator shows who they are")
    scene.do_here(who, path, reveal, "a name revealed")
    scene.count("reveals")
    _await_tips(scene)


def _await_tips(scene: Scene) -> None:
    """Unknown, foreign and scrapped bottles seen at a station, one at a door; a copied phone; bottles whose
    records contradict. They travel by the outbox, a moment later."""
    strangers = (CylinderFault.UNKNOWN_LABEL, CylinderFault.FOREIGN_OWNER, CylinderFault.SCRAPPED)
    at_stations = sum(
        any(bottle.fault is fault for bottle in scene.cast.faulty_at_stations) for fault in strangers
    )
    expected = {"cylinder.stranger_seen": at_stations + 1, "device.forked": 1, "custody.conflict_found": 2}
    given_up_at = system_time.monotonic() + TIPS_WITHIN_S
    while not _have_come(found := _tips(scene), expected) and system_time.monotonic() < given_up_at:
        system_time.sleep(0.2)
    if not _have_come(found, expected):
        raise Unexpected(f"tips: expected {expected}, got {dict(found)}")
    scene.count("tips", found.total())


def _have_come(found: Counter[str], expected: dict[str, int]) -> bool:
    """All of them. What came out of order may have contradicted the record for a moment: that told a tip."""
    settled = all(found[kind] == times for kind, times in expected.items() if kind != CONTRADICTION)
    return settled and found[CONTRADICTION] >= expected[CONTRADICTION]


def _tips(scene: Scene) -> Counter[str]:
    regulator = scene.world.caller(f"regulator {CHANGNING}")
    tips = scene.api.pages(regulator, f"/districts/{CHANGNING}/tips")
    return Counter(tip["kind"] for tip in tips)


# --- the new year ----------------------------------------------------------------------------------------


def book_in_the_new_year(scene: Scene) -> dict[str, Any]:
    """From 2025 Changning supplies residents only: a restaurant's refusal; a resident books."""
    scene.stage.wait_until(clock.at(NEW_YEAR_DAY, time(8)))
    builder = Builder(scene.api, scene.cast, scene.world, scene.told)
    restaurant, home = scene.cast.cleared_out, scene.cast.resident_in_new_year
    for zone in places.zones(CHANGNING):
        if zone.number in (restaurant.zone, home.zone):
            builder.open_slot(zone, NEW_YEAR_DAY, 1)
    refused = scene.refused_here(
        f"resident {restaurant.number}", "orders", _new_year_booking(scene, restaurant), "new year", {"P07"}
    )
    scene.do_here(f"resident {home.number}", "orders", _new_year_booking(scene, home), "new year")
    return refused.reasons[0]


def _new_year_booking(scene: Scene, place: places.SamplePremises) -> dict[str, Any]:
    slots = scene.world.slots[f"{CHANGNING}-{place.zone} {NEW_YEAR_DAY}"]
    return {**scene.booking_body(place, 0), "slot_id": slots[0]}

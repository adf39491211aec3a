"""After the rounds: a hazard is mended and looked at again, the overdue empty is found out, and the district
looks at what was done. Then, in a copy of the world, the new year."""

import time as system_time
from datetime import date, time
from typing import Any

from core import clock
from sample import firms, places
from sample.bottles import CylinderFault
from sample.build import Builder
from sample.cast import Booking
from sample.client import Unexpected
from sample.morning import too_late
from sample.places import CHANGNING, PremisesFault
from sample.road import check_body, code_of
from sample.scene import Scene, stamp

NEW_YEAR_DAY = date(2025, 1, 2)
TIPS_WITHIN_S = 20


# --- the hazard ------------------------------------------------------------------------------------------


def mend_the_hazard(scene: Scene) -> None:
    """Found by a courier, told in writing, mended by the family, closed only when another looked again."""
    scene.at(20, 5)
    booking = _withheld(scene)
    place, user = booking.user, scene.user(booking.user)
    who, clerk = f"clerk {place.firm}", f"clerk {place.firm}"
    again = scene.booking_body(place, 0, channel="hotline", on_next_day=True)

    scene.refused_here(who, "orders", again, f"book again for {place.number}, hazard open", {"P12"})
    (hazard,) = scene.read_here(f"regulator {CHANGNING}", "hazards", household_id=user.household_id)["items"]
    if hazard["state"] != "told" or not hazard["notices"]:
        raise Unexpected(f"a hazard that stops supply: expected it told in writing, got {hazard}")
    path = f"hazards/{hazard['id']}"
    scene.shown["hazard"] = hazard["id"]
    scene.do_here(clerk, f"{path}/mendings", {}, "mending claimed")
    scene.refused_here(who, "orders", again, f"book again for {place.number}, mending claimed", {"P12"})
    scene.count("refused bookings", 2)

    first_check = {"check_id": hazard["check_id"]}
    closer = f"regulator {CHANGNING}"
    scene.refused_here(closer, f"{path}/closings", first_check, "close without another look", {"H01", "H02"})
    scene.at(20, 20)
    recheck = {
        **check_body(None, in_catering=not place.is_household),
        "household_id": user.household_id,
        "reason": "recheck",
        "checked_at": stamp(clock.now()),
    }
    made = scene.do_here(f"second regulator {CHANGNING}", "checks", recheck, "looked at again")
    scene.do_here(closer, f"{path}/closings", {"check_id": made["id"]}, "hazard closed")
    scene.do_here(who, "orders", again, f"book again for {place.number}, hazard closed")
    scene.count("hazards closed")
    scene.count("orders")


def _withheld(scene: Scene) -> Booking:
    """A home where the bottle stood in a bedroom; mended by moving it to the kitchen."""
    return next(one for one in scene.cast.bookings if one.user.fault is PremisesFault.BEDROOM)


# --- back at the station ---------------------------------------------------------------------------------


def find_the_overdue_empty(scene: Scene) -> None:
    """An empty that fell due while a family used it: the supply point gives it back to the station, which
    finds it out."""
    scene.at(20, 30)
    booking = next((one for one in scene.cast.bookings if _had_overdue(scene, one) and not one.finding), None)
    if booking is None:
        return
    number = scene.cast.held[booking.user.number][0].number
    site = scene.world.sites[firms.FILLING_SITE[booking.user.firm]]
    filler = f"filler_{booking.user.firm}"
    scene.do(filler, f"/sites/{site}/receipts", {"code": code_of(scene, number)}, f"receive empty {number}")
    asked = {"purpose": "fill", "site": site, "codes": [code_of(scene, number)]}
    caller = scene.world.caller(filler)
    (item,) = scene.api.ask(caller, "/verdicts", asked, f"empty {number} scanned")["items"]
    if {reason["rule"] for reason in item["reasons"]} != set(CylinderFault.OVERDUE.rules):
        raise Unexpected(f"bottle {number}: expected it overdue, got {item}")
    scene.count("faulty bottles found")


def _had_overdue(scene: Scene, booking: Booking) -> bool:
    return any(bottle.fault is CylinderFault.OVERDUE for bottle in scene.cast.held[booking.user.number])


# --- the district looks ----------------------------------------------------------------------------------


def look_back(scene: Scene) -> None:
    """Traces of a bottle, a household and an order; one name revealed, with a reason; the tips."""
    scene.at(20, 45)
    too_late(scene)
    regulator = scene.world.caller(f"regulator {CHANGNING}")
    withheld = scene.user(_withheld(scene).user)
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
    reveal = {"fields": ["name", "phone", "address"], "reason": "safety", "case_no": "YL-2024-0612"}
    path = f"households/{withheld.household_id}/reveals"
    scene.do_here(f"regulator {CHANGNING}", path, reveal, "a name revealed")
    scene.count("reveals")
    _await_tips(scene)


def _await_tips(scene: Scene) -> None:
    """Unknown, foreign and scrapped bottles seen at a station. They travel by the outbox, a moment later."""
    strangers = (CylinderFault.UNKNOWN_LABEL, CylinderFault.FOREIGN_OWNER, CylinderFault.SCRAPPED)
    expected = sum(
        any(bottle.fault is fault for bottle in scene.cast.faulty_at_stations) for fault in strangers
    )
    given_up_at = system_time.monotonic() + TIPS_WITHIN_S
    while (found := _tips(scene)) < expected and system_time.monotonic() < given_up_at:
        system_time.sleep(0.2)
    if found != expected:
        raise Unexpected(f"tips about strange bottles: expected {expected}, got {found}")
    scene.count("tips", found)


def _tips(scene: Scene) -> int:
    regulator = scene.world.caller(f"regulator {CHANGNING}")
    return len(list(scene.api.pages(regulator, f"/districts/{CHANGNING}/tips")))


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

"""Before the day: one home has three bottles within ten days, which is more than any kitchen burns.

It asks for a fourth and has it; what it asks for beside that is refused, as its quota is spent (A14).
"""

from datetime import date, time, timedelta
from typing import Any

from core import clock
from sample import places
from sample.client import Unexpected
from sample.door import check_body, code_of
from sample.firms import SUPPLY_SITE
from sample.noes import Asking
from sample.places import CHANGNING
from sample.planning import binding_of, plan_body, planned
from sample.scene import Scene, stamp
from sample.world import zone_key

DAYS = (date(2024, 6, 4), date(2024, 6, 7), date(2024, 6, 11))
BEGINS_AT = clock.at(DAYS[0], time(8))
A_WHILE = timedelta(minutes=40)


def live_the_days_before(scene: Scene) -> None:
    for day, number in zip(DAYS, scene.cast.bought_before, strict=True):
        scene.stage.wait_until(clock.at(day, time(8)))
        _bring(scene, day, number)
    scene.count("bottles of the days before", len(DAYS))


def stand_as_they_left_it(scene: Scene) -> None:
    """What was bought is gone from the supply point, what was taken back stands there."""
    cast = scene.cast
    user = cast.spends_its_quota
    site, first = SUPPLY_SITE[user.firm], cast.first_held_by_it
    for number in cast.bought_before:
        scene.leaves(number)
        scene.at_supply[user.firm, user.cylinder_model].remove(number)
    for number in (first, *cast.bought_before[:-1]):
        scene.stands_at(number, site, full=False)


def spend_the_quota(scene: Scene) -> None:
    """The fourth of thirty days is booked, for tomorrow; a fifth is not."""
    user = scene.cast.spends_its_quota
    who = f"resident {user.number}"
    wanted = scene.booking_body(user, 0, on_next_day=True)
    order = scene.do_here(who, "orders", wanted, f"the fourth bottle for {user.number}")
    scene.tomorrow[user.number] = order["id"]
    scene.count("orders for tomorrow")
    other = scene.booking_body(user, 1, on_next_day=True)
    Asking(scene).no_here(who, "orders", other, "a fifth bottle in thirty days", ["booking.quota_spent"])


def _bring(scene: Scene, day: date, number: int) -> None:
    """Booked, planned, loaded, handed over, and the empty brought back: one door on one round."""
    user = scene.cast.spends_its_quota
    zone = next(one for one in places.zones(CHANGNING) if one.number == user.zone)
    slot = {
        "zone_id": scene.world.zones[zone_key(CHANGNING, zone.number)],
        "starts_at": f"{day}T09:00:00.000+08:00",
        "ends_at": f"{day}T12:00:00.000+08:00",
        "capacity": 5,
    }
    opened = scene.do_here(f"zoning {CHANGNING}", "slots", slot, f"a slot of {day}")["id"]
    wanted = scene.booking_body(user, 0) | {"slot_id": opened}
    order = scene.do_here(f"resident {user.number}", "orders", wanted, f"book for {user.number}, {day}")
    round_id = _planned(scene, zone, day)
    [line] = order["lines"]
    scene.stage.wait_until(clock.now() + A_WHILE)
    vehicle = f"trike_{zone.number}"
    courier, path = binding_of(vehicle).courier, f"rounds/{round_id}"
    plate = scene.read_here(f"dispatcher {zone.firm}", path)["plate"]
    scene.do_here(courier, f"{path}/starts", {"plate": plate}, f"start, {day}")
    load = {"line_id": line["id"], "code": code_of(scene, number)}
    scene.do_here(courier, f"{path}/loads", load, f"load {number}")
    scene.stage.wait_until(clock.now() + A_WHILE)
    empty = _handed_over(scene, courier, order["id"], line, number)
    scene.do_here(courier, f"{path}/returns", {"code": code_of(scene, empty)}, f"return {empty}")
    scene.do_here(courier, f"{path}/finishes", {}, "finish")


def _planned(scene: Scene, zone: places.SampleZone, day: date) -> str:
    dispatcher = f"dispatcher {zone.firm}"
    body = plan_body(scene, zone, 1) | {"day": day.isoformat()}
    plan = planned(scene, dispatcher, body, f"plan zone {zone.number}, {day}")
    applied = scene.do_here(dispatcher, f"plans/{plan['id']}/applications", {}, f"apply it, {day}")
    [round_id] = applied["round_ids"]
    return str(round_id)


def _handed_over(scene: Scene, courier: str, order_id: str, line: dict[str, Any], number: int) -> int:
    """The number of the empty, which is the bottle the home had until now."""
    user, cast = scene.cast.spends_its_quota, scene.cast
    empty, cast.held[user.number] = cast.held[user.number][0], [cast.bottle(number)]
    credential = scene.world.qr_codes[line["card_id"]]
    form = {
        "line_id": line["id"],
        "card_credential": credential,
        "check": check_body(None, in_catering=False),
        "full_code": code_of(scene, number),
        "empty_code": code_of(scene, empty.number),
        "proof": {"kind": "card_qr", "value": credential},
        "connected": True,
        "leak_test_passed": True,
        "occurred_at": stamp(clock.now()),
    }
    done = scene.do_here(courier, f"orders/{order_id}/deliveries", form, f"deliver to {user.number}")
    if done["outcome"] != "delivered":
        raise Unexpected(f"deliver to {user.number}: expected delivered, got {done}")
    return empty.number

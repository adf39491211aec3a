"""Bookings that change and neighbours who help: a slot moved, a proxy who books, vouchers that verify."""

import http.client
from datetime import timedelta

from sample.client import Unexpected
from sample.firms import DEMO_DAY
from sample.noes import Asking
from sample.people import person
from sample.places import SamplePremises
from sample.scene import Scene

MOVED_TO = 2
"""The slot of tomorrow that a booking is moved to."""


def help_and_change(scene: Scene) -> None:
    """In the morning, before anything is planned."""
    asking, cast = Asking(scene), scene.cast
    _named_and_booked(asking, cast.helped, cast.helper)
    _moved(scene, cast.helper)
    _let(scene, cast.helped, cast.landlord)


def _named_and_booked(asking: Asking, elder: SamplePremises, neighbour: SamplePremises) -> None:
    """Nobody books for another's card, before both have agreed."""
    scene = asking.scene
    own, helps, clerk = f"resident {elder.number}", f"resident {neighbour.number}", f"clerk {elder.firm}"
    booking = scene.booking_body(elder, elder.number % 2, on_next_day=True)
    asking.no_here(helps, "orders", booking, "for a neighbour who asked nobody", ["proxy.no_consent"])
    path = f"households/{scene.user(elder).household_id}/proxies"
    last_day = DEMO_DAY + timedelta(days=180)
    asked = {"may_book": True, "may_receive": True, "until_on": last_day.isoformat()}
    by_phone = asked | {"phone": person(neighbour.number).phone}
    for_ever = by_phone | {"until_on": (DEMO_DAY + timedelta(days=3650)).isoformat()}
    asking.no_here(own, path, for_ever, "a proxy for ten years", ["proxy.too_long"])
    oneself = asked | {"person_id": scene.user(elder).person_id, "paper": "WT-2024-0612"}
    asking.no_here(clerk, path, oneself, "oneself as a proxy", ["proxy.is_registrant"])
    consent = scene.do_here(own, path, by_phone, "a neighbour is named")
    [waits] = [one for one in scene.read_here(helps, "own-proxies")["items"] if one["to_answer"]]
    if waits["id"] != consent["id"]:
        raise Unexpected(f"own proxies: expected {consent}, got {waits}")
    scene.do_here(helps, f"proxies/{consent['id']}/answers", {"agreed": True}, "the neighbour agrees")
    order = scene.do_here(helps, "orders", booking, f"a neighbour books for {elder.number}, tomorrow")
    scene.tomorrow[elder.number] = order["id"]
    scene.count("orders for tomorrow")
    scene.count("booked by a proxy")


def _let(scene: Scene, tenant: SamplePremises, landlord: SamplePremises) -> None:
    """The counter enters whose house it is."""
    lease = {
        "person_id": scene.user(landlord).person_id,
        "reference": "ZL-2024-0001",
        "from_on": (DEMO_DAY - timedelta(days=100)).isoformat(),
        "until_on": (DEMO_DAY + timedelta(days=265)).isoformat(),
    }
    path = f"households/{scene.user(tenant).household_id}/lettings"
    scene.do_here(f"clerk {tenant.firm}", path, lease, "who lets the home is entered")
    scene.count("homes let")


def _moved(scene: Scene, user: SamplePremises) -> None:
    wanted = scene.booking_body(user, MOVED_TO, on_next_day=True)["slot_id"]
    path = f"orders/{scene.tomorrow[user.number]}/slot-changes"
    moved = scene.do_here(f"resident {user.number}", path, {"slot_id": wanted}, "another slot tomorrow")
    if moved["slot"]["id"] != wanted:
        raise Unexpected(f"another slot: expected {wanted}, got {moved}")
    scene.count("moved to another slot")


def too_late_to_move(scene: Scene) -> None:
    """What stands on a round stays where it is."""
    booking = scene.cast.wrong_code
    [order_id] = [order_id for order_id, one in scene.orders.items() if one == booking]
    wanted = scene.booking_body(booking.user, MOVED_TO, on_next_day=True)["slot_id"]
    path, body = f"orders/{order_id}/slot-changes", {"slot_id": wanted}
    says, codes = "another slot for what is planned", ["order.planned_already"]
    Asking(scene).no_here(f"resident {booking.number}", path, body, says, codes)


def show_vouchers(scene: Scene) -> None:
    """What was delivered has a voucher, which anybody can verify; and it is moved no more."""
    order_id = scene.shown["delivered order"]
    booking = scene.orders[order_id]
    who = f"resident {booking.number}" if not booking.by_hotline else f"clerk {booking.user.firm}"
    vouchers = scene.read_here(who, f"orders/{order_id}/vouchers")["items"]
    if not vouchers or not all(one["cylinder_code"] or one["registration_code"] for one in vouchers):
        raise Unexpected(f"vouchers of {order_id}: expected one with its bottle's code, got {vouchers}")
    for voucher in vouchers:
        _verified(scene, f"/V/{voucher['code']}", voucher["number"])
        scene.count("vouchers verified")
    scene.shown["voucher"] = f"/V/{vouchers[0]['code']}"
    wanted = scene.booking_body(booking.user, MOVED_TO, on_next_day=True)["slot_id"]
    path, body = f"orders/{order_id}/slot-changes", {"slot_id": wanted}
    Asking(scene).no_here(who, path, body, "another slot for what was delivered", ["order.not_waiting"])


def _verified(scene: Scene, path: str, number: str) -> None:
    """As anybody scans it, who is not signed in."""
    connection = http.client.HTTPConnection(*scene.stage.address, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    page = answer.read().decode()
    connection.close()
    if answer.status != 200 or number not in page:
        raise Unexpected(f"{path}: expected the voucher {number}, got {answer.status}")
